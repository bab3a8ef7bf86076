//! What attention allocates at 16k × 16k: by the seam's own count, and, where a device's memory is this process's, by the
//! process's peak.

use accelbench_backends::{Buffer, Command, Device, DeviceKind, Launch, Presence, Registry};
use accelbench_kernels::{BufferRole, Case, Catalogue, Precision, Program};
use std::fs;

/// Of inputs and output together.
const ALLOWED: f64 = 1.5;
/// What a driver may take beside, for its compiler and its queues.
const DRIVER_BYTES: f64 = 16.0 * 1024.0 * 1024.0;

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

/// One test, since the process's peak is one figure: devices follow each other.
#[test]
fn attention_at_16k_allocates_half_as_much_again_as_its_tensors_at_most() {
    let registry = Registry::builtin();
    let catalogue = Catalogue::builtin();
    for backend in registry.ids() {
        let Some(Presence::Present { devices, .. }) = registry.probe(backend) else { continue };
        for info in devices {
            let device = registry.open(&info.id).expect("a device that was found");
            for precision in [Precision::F32, Precision::F16] {
                let case = catalogue.case("attention", precision, "1x1x1-16384x16384x128").expect("a shape");
                let Some(plan) = case.plans(device.caps()).into_iter().next() else {
                    let reason = case.unsupported(device.caps()).expect("a reason where there is no plan");
                    println!("{} {precision}: {reason}", info.id);
                    continue;
                };
                let program = plan.program();
                let by_count = program.bytes() as f64 / tensors(&*case);
                assert!(by_count <= ALLOWED, "{} {}: {by_count:.2} times its tensors", info.id, plan.name());

                // What a driver sets up once is not the operation's.
                let small = catalogue.case("attention", precision, "1x1x1-640x640x128").expect("a shape");
                run(&*device, &small.plans(device.caps())[0].program());
                // What runs before this one freed must not serve it unseen.
                // SAFETY: it may be called at any time, from any thread.
                unsafe { malloc_trim(0) };
                fs::write("/proc/self/clear_refs", "5").expect("the peak can be reset");
                let before = status("VmRSS:");
                run(&*device, &program);
                let peak = status("VmHWM:") - before;
                // A device with memory of its own shows nothing here; its count above is all that there is.
                if info.caps.kind == DeviceKind::Cpu {
                    let allowed = ALLOWED * tensors(&*case) + DRIVER_BYTES;
                    assert!(peak > 0.5 * tensors(&*case), "{}: a peak of {peak} bytes can't be", info.id);
                    assert!(peak <= allowed, "{} {}: {peak} bytes above {allowed}", info.id, plan.name());
                }
                println!(
                    "{} {} {precision}: {by_count:.3} times its tensors by count, {:.3} by the process's peak",
                    info.id,
                    plan.name(),
                    peak / tensors(&*case)
                );
            }
        }
    }
}
