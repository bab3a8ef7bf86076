//! Kernels in OpenCL C on matrix instructions that clang compiles to machine code, which needs no GPU: it compiles, nothing is
//! spilled, and the code has the instruction that it is written for.
//!
//! The compiler is the program that `ACCELBENCH_TEST_CLANG` names; without it the trials are skipped.

use accelbench_backends::cooperative::{INSTRUCTIONS, Instruction};
use accelbench_backends::{Caps, Clock, DType, DeviceKind, KernelSpec, Language};
use accelbench_kernels::{Case, Catalogue, Precision, probe};
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::io::Write;
use std::process::{Command, ExitCode, Stdio};

const DEVICE: &str = include_str!("device.cl");

/// An architecture, the size of its sub-groups, and its instruction in machine code.
const ARCHITECTURES: [(&str, u32, &str); 3] = [
    ("gfx1100", 32, "v_wmma_f32_16x16x16_f16"),
    ("gfx90a", 64, "v_mfma_f32_32x32x8f16"),
    ("gfx940", 64, "v_mfma_f32_32x32x8_f16"),
];

fn main() -> ExitCode {
    let mut trials = vec![trial("a report with spills is seen", |clang| spills_are_seen(&clang))];
    for (architecture, subgroup, mnemonic) in ARCHITECTURES {
        let instruction = INSTRUCTIONS.into_iter().find(|known| known.subgroup == subgroup).expect("an instruction");
        for (name, spec) in kernels(&caps(instruction)) {
            trials.push(trial(&format!("{architecture}/{name}"), move |clang| {
                let code = compile(&clang, &spec, architecture)?;
                check(&code)?;
                if code.contains(mnemonic) { Ok(()) } else { Err(format!("no {mnemonic}").into()) }
            }));
        }
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn trial(name: &str, run: impl FnOnce(String) -> Result<(), Failed> + Send + 'static) -> Trial {
    Trial::ignorable_test(name, move || match env::var("ACCELBENCH_TEST_CLANG") {
        Ok(clang) => run(clang).map(|()| Completion::Completed),
        Err(_) => Ok(Completion::ignored_with("ACCELBENCH_TEST_CLANG names no compiler")),
    })
}

/// A GPU with an instruction.
fn caps(instruction: Instruction) -> Caps {
    Caps {
        kind: DeviceKind::Gpu,
        languages: BTreeSet::from([Language::OpenClC]),
        libraries: BTreeMap::new(),
        library_forms: Vec::new(),
        external: BTreeMap::new(),
        storage: BTreeSet::from([DType::F32, DType::F16]),
        compute: BTreeSet::from([DType::F32]),
        subgroup: Some((instruction.subgroup, instruction.subgroup)),
        max_group_items: 1024,
        max_group: [1024; 3],
        max_grid: [i32::MAX as u32, 65_535, 65_535],
        local_bytes: 64 << 10,
        max_buffer_bytes: 1 << 32,
        memory_bytes: None,
        cache_bytes: None,
        compute_units: Some(100),
        clock_mhz: None,
        clock: Clock::DeviceEvent,
        clock_resolution_ns: 1.0,
        theoretical: Vec::new(),
        facts: BTreeMap::from([("cooperative_matrix".to_owned(), instruction.to_string())]),
    }
}

/// The kernels of products in every layout, aligned and not, and of the peak.
fn kernels(caps: &Caps) -> BTreeMap<String, KernelSpec> {
    let mut kernels = BTreeMap::new();
    let mut add = |case: &dyn Case| {
        for plan in case.plans(caps).into_iter().filter(|plan| plan.variant() == "coop") {
            let spec = plan.program().kernels.remove(0);
            kernels.insert(format!("{}/{}/{}", case.op(), case.shape_text(), plan.name()), spec);
        }
    };
    let (products, peaks) = (Catalogue::builtin(), probe::catalogue());
    for size in ["4096x4096x4096", "4095x4095x4095"] {
        for layout in ["nn", "nt", "tn", "tt"] {
            add(&*products.case("gemm", Precision::F16, &format!("{size}-{layout}")).expect("a shape"));
        }
    }
    add(&*peaks.case("matrix", Precision::F16, "1x64").expect("a shape"));
    assert!(!kernels.is_empty());
    kernels
}

/// The assembler's text, with the compiler's report at its end.
fn compile(clang: &str, spec: &KernelSpec, architecture: &str) -> Result<String, Failed> {
    let mut command = Command::new(clang);
    command.args([
        "-x",
        "cl",
        "-cl-std=CL1.2",
        "-target",
        "amdgcn-amd-amdhsa",
        "-nogpulib",
        "-O3",
        "-S",
        "-o",
        "-",
        "-",
    ]);
    command.arg(format!("-mcpu={architecture}"));
    command.args(spec.defines.iter().map(|(name, value)| format!("-D{name}={value}")));
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let text = [DEVICE, &*spec.source.text()].concat();
    child.stdin.take().expect("a pipe").write_all(text.as_bytes())?;
    let output = child.wait_with_output()?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned().into())
    }
}

/// Whether the report says that no register was spilled, and nothing lies on a stack.
fn check(code: &str) -> Result<(), Failed> {
    for field in [".vgpr_spill_count:", ".sgpr_spill_count:", ".private_segment_fixed_size:"] {
        let of_kernels: Vec<_> =
            code.lines().filter_map(|line| line.trim_start_matches([' ', '-']).strip_prefix(field)).collect();
        if of_kernels.is_empty() || of_kernels.iter().any(|count| count.trim() != "0") {
            return Err(format!("{field} {of_kernels:?}").into());
        }
    }
    Ok(())
}

/// Sums for which no work-item has registers.
fn spills_are_seen(clang: &str) -> Result<(), Failed> {
    let catalogue = Catalogue::builtin();
    let instruction = INSTRUCTIONS.into_iter().find(|known| known.subgroup == 32).expect("an instruction");
    let case = catalogue.case("gemm", Precision::F16, "4096x4096x4096").expect("a shape");
    let plan = case.plans(&caps(instruction)).into_iter().find(|plan| plan.variant() == "coop").expect("a plan");
    let mut spec = plan.program().kernels.remove(0);
    for (name, value) in &mut spec.defines {
        match name.as_str() {
            "TILE_M" | "TILE_N" | "PART_M" | "PART_N" => "128".clone_into(value),
            "BLOCKS" => "1".clone_into(value),
            _ => {}
        }
    }
    let code = compile(clang, &spec, "gfx1100")?;
    if check(&code).is_err() { Ok(()) } else { Err("512 sums a work-item and no spill".into()) }
}
