//! What attention allocates at 16k × 16k: by the seam's own count, and, where a device's memory is this process's, by the
//! process's peak.

use accelbench_backends::{Buffer, Command, Device, DeviceId, DeviceKind, Launch, Presence, Registry};
use accelbench_kernels::{BufferRole, Case, Catalogue, Plan, Precision, Program};
use std::{env, fs, process};

const SHAPE: &str = "1x1x1-16384x16384x128";
/// Of inputs and output together.
const ALLOWED: f64 = 1.5;
/// What a driver may take beside, for its compiler and its queues: llvmpipe takes 30 MiB in half precision. Scores kept whole
/// would take 512 MiB and more.
const DRIVER_BYTES: f64 = 32.0 * 1024.0 * 1024.0;

unsafe extern "C" {
    /// Of glibc: gives back to the system what was freed, and is kept for later.
    fn malloc_trim(pad: usize) -> i32;
}

fn status(field: &str) -> f64 {
    let text = fs::read_to_string("/proc/self/status").expect("Linux's /proc");
    let line = text.lines().find(|line| line.starts_with(field)).expect("a field of /proc/self/status");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<f64>().ok()).expect("a number of KiB") * 1024.0
}

fn tensors(case: &dyn Case) -> f64 {
    case.inputs().iter().map(|tensor| tensor.bytes() as f64).sum::<f64>() + case.output().bytes() as f64
}

/// Allocates what a program needs and runs it once.
fn run(device: &dyn Device, program: &Program) {
    let kernels: Vec<_> = program.kernels.iter().map(|spec| device.compile(spec).expect("it compiles")).collect();
    let buffers: Vec<Buffer> = program.buffers.iter().map(|spec| device.alloc(spec.bytes).expect("memory")).collect();
    let bound: Vec<Vec<&Buffer>> =
        program.launches.iter().map(|launch| launch.buffers.iter().map(|&index| &buffers[index]).collect()).collect();
    // 0.1 in half precision, and a small number in single.
    let fills = buffers.iter().zip(&program.buffers).filter(|(_, spec)| matches!(spec.role, BufferRole::Input(_)));
    let launches = program.launches.iter().zip(&bound).map(|(launch, buffers)| {
        Command::Launch(Launch { kernel: &kernels[launch.kernel], grid: launch.grid, buffers, params: &launch.params })
    });
    let commands: Vec<Command<'_>> =
        fills.map(|(buffer, _)| Command::Fill { dst: buffer, pattern: 0x2E66_2E66 }).chain(launches).collect();
    device.wait(device.submit(&commands).expect("it starts")).expect("it ends");
}

/// Set for a process that measures one device in one precision: what a device frees late must not serve the next one unseen.
const MEASURE: &str = "ACCELBENCH_TEST_MEASURE_MEMORY";
const NAME: &str = "attention_at_16k_allocates_half_as_much_again_as_its_tensors_at_most";
const ANSWER: &str = "peak in bytes:";

fn case(precision: Precision, shape: &str) -> Box<dyn Case> {
    Catalogue::builtin().case("attention", precision, shape).expect("a shape")
}

fn plan(case: &dyn Case, device: &dyn Device) -> Option<Box<dyn Plan>> {
    case.plans(device.caps()).into_iter().next()
}

/// By how many bytes this process grows at most while it runs attention at 16k.
fn growth(device: &dyn Device, precision: Precision) -> f64 {
    let program = |shape| plan(&*case(precision, shape), device).expect("a plan").program();
    // What a driver sets up once is not the operation's.
    run(device, &program("1x1x1-640x640x128"));
    let program = program(SHAPE);
    // What runs before this one freed must not serve it unseen.
    // SAFETY: it may be called at any time, from any thread.
    unsafe { malloc_trim(0) };
    fs::write("/proc/self/clear_refs", "5").expect("the peak can be reset");
    let before = status("VmRSS:");
    run(device, &program);
    status("VmHWM:") - before
}

/// The same, of a process of its own. The first one leaves in a cache on disk what a driver compiles at a first launch, for
/// that very grid: its compiler's memory is not the operation's.
fn growth_elsewhere(device: &DeviceId, precision: Precision) -> f64 {
    let itself = env::current_exe().expect("a path");
    let answers = [(); 2].map(|()| {
        let mut child = process::Command::new(&itself);
        child.args(["--exact", NAME, "--nocapture"]).env(MEASURE, format!("{device} {precision}"));
        let output = child.output().expect("it starts");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{device} {precision}: {text}");
        let answer = text.lines().find_map(|line| line.split_once(ANSWER)).expect("an answer").1;
        answer.trim().parse::<f64>().expect("a number")
    });
    answers[1]
}

#[test]
fn attention_at_16k_allocates_half_as_much_again_as_its_tensors_at_most() {
    let registry = Registry::builtin();
    if let Ok(which) = env::var(MEASURE) {
        let (id, precision) = which.split_once(' ').expect("a device and a precision");
        let device = registry.open(&id.parse().expect("an id")).expect("a device that was found");
        let bytes = growth(&*device, precision.parse().expect("a precision"));
        return println!("\n{ANSWER} {bytes}");
    }
    for backend in registry.ids() {
        let Some(Presence::Present { devices, .. }) = registry.probe(backend) else { continue };
        for info in devices {
            let device = registry.open(&info.id).expect("a device that was found");
            for precision in [Precision::F32, Precision::F16] {
                let case = case(precision, SHAPE);
                let Some(plan) = plan(&*case, &*device) else {
                    let reason = case.unsupported(device.caps()).expect("a reason where there is no plan");
                    println!("{} {precision}: {reason}", info.id);
                    continue;
                };
                let label = format!("{} {} {precision}", info.id, plan.name());
                let by_count = plan.program().bytes() as f64 / tensors(&*case);
                assert!(by_count <= ALLOWED, "{label}: {by_count:.2} times its tensors");
                // A device with memory of its own shows nothing in the process; its count is all that there is.
                if info.caps.kind != DeviceKind::Cpu {
                    println!("{label}: {by_count:.3} times its tensors by count");
                    continue;
                }
                let peak = growth_elsewhere(&info.id, precision);
                let allowed = ALLOWED * tensors(&*case) + DRIVER_BYTES;
                assert!(peak > 0.5 * tensors(&*case), "{label}: a peak of {peak} bytes can't be");
                assert!(peak <= allowed, "{label}: {peak} bytes above {allowed}");
                let by_peak = peak / tensors(&*case);
                println!("{label}: {by_count:.3} times its tensors by count, {by_peak:.3} by the process's peak");
            }
        }
    }
}
