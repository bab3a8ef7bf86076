//! What the program finds with the software drivers, and that platforms without devices disturb nothing.

use accelbench_tests::require;
use serde_json::Value;
use std::process::Command;

fn devices(environment: &[(&str, &str)]) -> Vec<Value> {
    let output = Command::new(env!("CARGO_BIN_EXE_accelbench-builtin"))
        .args(["devices", "--json"])
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn ids(devices: &[Value]) -> Vec<&str> {
    devices.iter().filter_map(|device| device["id"].as_str()).collect()
}

/// Whether both OpenCL drivers and the software Vulkan driver are promised; else this machine's own devices vary.
fn software_drivers() -> bool {
    let promised = ["opencl:pocl", "opencl:intel", "webgpu:llvmpipe"].iter().all(|word| require::requires(word));
    if !promised {
        println!("left out: the software drivers are not promised by ACCELBENCH_REQUIRE");
    }
    promised
}

#[test]
fn the_host_is_always_there() {
    let devices = devices(&[("ACCELBENCH_DISABLE", "cuda,opencl,webgpu")]);
    assert_eq!(ids(&devices), ["host:0"]);
    assert_eq!(devices[0]["caps"]["clock"], "host-wall");
    assert!(devices[0]["caps"]["facts"]["isa"].is_string());
}

#[test]
fn four_devices_each_with_its_own_clock() {
    if !software_drivers() {
        return;
    }
    let devices = devices(&[]);
    assert_eq!(ids(&devices), ["host:0", "opencl:0", "opencl:1", "webgpu:0"]);
    let clocks: Vec<&Value> = devices.iter().map(|device| &device["caps"]["clock"]).collect();
    assert_eq!(clocks, ["host-wall", "device-event", "device-event", "device-timestamp"]);
}

#[test]
fn a_platform_without_a_device_disturbs_nothing() {
    if !software_drivers() {
        return;
    }
    let vendors = std::env::var("ACCELBENCH_TEST_CLOVER_VENDORS").unwrap();
    let environment = [("OCL_ICD_VENDORS", vendors.as_str()), ("ACCELBENCH_DISABLE", "cuda,webgpu")];
    assert_eq!(ids(&devices(&environment)), ["host:0", "opencl:0", "opencl:1"]);
    let output = Command::new(env!("CARGO_BIN_EXE_accelbench-builtin"))
        .args(["doctor", "--json"])
        .envs(environment)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("Clover has no device") || text.contains("Clover: clGetDeviceIDs"), "{text}");
}
