//! CUDA kernels that plans make, compiled to machine code by NVRTC, which needs no GPU: it compiles, the
//! assembler reports no stack and no spilled register, and the code has the instructions that a kernel is written for. So
//! does OpenCL C with inline PTX, whose own compiler is a driver's, as CUDA C.
//!
//! Without NVRTC on the library path the trials are skipped, and fail where `ACCELBENCH_REQUIRE` names `nvrtc`. Machine code
//! is read by the program that `ACCELBENCH_TEST_NVDISASM` names; without it, what has instructions of its own counts as
//! skipped, though the assembler's report was checked.

mod opencl;

use accelbench_backends::cuda::{Capability, compile};
use accelbench_backends::{Access, Caps, Clock, DType, DeviceKind, Error, KernelSpec, Language, Source};
use accelbench_kernels::{Case, Catalogue, Precision, probe};
use accelbench_tests::require::requires;
use libtest_mimic::{Arguments, Completion, Trial};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::process::{Command, ExitCode};

/// The oldest that NVRTC 13 knows, the first with every instruction of the kernels but those on numbers of 8 bits, the first
/// with these, and the newest that they are for.
const CAPABILITIES: [Capability; 4] = [
    Capability { major: 7, minor: 5 },
    Capability { major: 8, minor: 0 },
    FIRST_WITH_EIGHT_BITS,
    Capability { major: 9, minor: 0 },
];
const FIRST_WITH_EIGHT_BITS: Capability = Capability { major: 8, minor: 9 };

/// How many of a case's plans are compiled, the preferred ones. The oldest architecture shares all that it has with the
/// next one, and bf16 differs from f16 by the names of a few instructions.
fn plans(caps: &Caps, precision: Precision) -> usize {
    let oldest = !caps.compute.contains(&DType::Bf16);
    if oldest || precision == Precision::Bf16 { 1 } else { usize::MAX }
}

fn main() -> ExitCode {
    let mut trials = vec![trial("a report with spills is seen", spills_are_seen)];
    for capability in CAPABILITIES {
        let architecture = format!("sm_{}{}", capability.major, capability.minor);
        let device = caps(capability);
        let opencl = kernels(&opencl::seen(&device)).into_iter().map(|(name, spec)| (format!("opencl/{name}"), spec));
        for (name, spec) in kernels(&device).into_iter().chain(opencl) {
            // All others are those of the architecture before.
            if capability == FIRST_WITH_EIGHT_BITS && !name.contains("/f8e4m3/") {
                continue;
            }
            let name = format!("{architecture}/{name}");
            let instructions = instructions(&name, &spec);
            trials.push(trial(&name, move || check(&spec, capability, &instructions)));
        }
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn trial(name: &str, run: impl FnOnce() -> Result<(), Error> + Send + 'static) -> Trial {
    Trial::ignorable_test(name, move || match run() {
        Ok(()) => Ok(Completion::Completed),
        Err(error @ Error::Unavailable { .. }) if !requires("nvrtc") => Ok(Completion::ignored_with(error.to_string())),
        Err(error) => Err(error.into()),
    })
}

/// Shapes whose plans together make every kernel that plans can make, or the extremes of those. Unaligned rows take another
/// path than aligned ones.
fn shapes(operation: &str) -> Vec<String> {
    let product = |left: &[&str], right: &[&str]| -> Vec<String> {
        left.iter().flat_map(|left| right.iter().map(move |right| format!("{left}{right}"))).collect()
    };
    match operation {
        // What is not aligned is so each by each: two layouts have either operand along either side.
        "gemm" => {
            [product(&["4096x4096x4096"], &["-nn", "-nt", "-tn", "-tt"]), product(&["4095x4095x4095"], &["-nn", "-tt"])]
                .concat()
        }
        // Whole pieces of channels and of pixels, of filters only, of nothing; and one channel a group.
        "conv2d" => product(
            &[
                "32x256x56x56-256x1x1",
                "32x256x55x55-256x3x3-p1-g4",
                "32x3x225x225-256x7x7-s2",
                "8x96x28x28-96x3x3-p1-g96",
            ],
            &["-nchw", "-nhwc"],
        ),
        // The lengths of heads that models have, and one that is no multiple of anything; and keys in chunks.
        "attention" => product(
            &["1x64x8-2048x2048x", "1x32x8-1x8192x"],
            &["64-causal", "80-causal", "128-causal", "155-causal", "256-causal"],
        ),
        _ => Vec::new(),
    }
}

/// Every kernel, by the case and plan that it is for. What one source holds is compiled, and checked, together.
fn kernels(caps: &Caps) -> BTreeMap<String, KernelSpec> {
    let mut kernels = BTreeMap::new();
    for operation in Catalogue::builtin().iter() {
        let shapes = shapes(operation.name());
        assert!(!shapes.is_empty(), "{} has no shapes here", operation.name());
        for (&precision, text) in operation.precisions().iter().flat_map(|p| shapes.iter().map(move |text| (p, text))) {
            let fields = operation.parse_shape_text(text).expect("a shape");
            add_kernels(&mut kernels, &*operation.case(precision, &fields).expect("a shape"), caps);
        }
    }
    for operation in probe::catalogue().iter() {
        for &precision in operation.precisions() {
            for fields in operation.conformance() {
                add_kernels(&mut kernels, &*operation.case(precision, &fields).expect("a shape"), caps);
            }
        }
    }
    kernels
}

/// The kernels of a case that are not there yet.
fn add_kernels(kernels: &mut BTreeMap<String, KernelSpec>, case: &dyn Case, caps: &Caps) {
    for plan in case.plans(caps).into_iter().take(plans(caps, case.precision())) {
        for spec in plan.program().kernels {
            let spec = if opencl::has_ptx(&spec) { opencl::in_cuda(&spec) } else { spec };
            let same = |known: &KernelSpec| known.source.text() == spec.source.text() && known.defines == spec.defines;
            if spec.source.language() == Language::CudaC && !kernels.values().any(same) {
                let (op, precision, shape) = (case.op(), case.precision(), case.shape_text());
                kernels.insert(format!("{op}/{precision}/{shape}/{}", plan.name()), spec);
            }
        }
    }
}

/// Checks that the assembler reports nothing spilled, and that machine code has these instructions.
fn check(spec: &KernelSpec, capability: Capability, instructions: &[String]) -> Result<(), Error> {
    let compiled = compile(spec, capability)?;
    let log = &compiled.log;
    assert!(!log.contains("serialized"), "matrix instructions wait for one another:\n{log}");
    assert!(!log.contains("setmaxnreg"), "registers are not handed over:\n{log}");
    let reports = Report::read(log);
    assert!(reports.values().all(Report::clean), "{reports:?} in\n{log}");
    let report = reports.get(&spec.entry).unwrap_or_else(|| panic!("no report in\n{log}"));
    let threads: u32 = spec.group.iter().product();
    assert!(report.registers * threads <= 65_536, "{report:?} leaves no room for {threads} threads");
    if instructions.is_empty() { Ok(()) } else { check_code(&compiled.image, instructions) }
}

/// The instructions without which a kernel would be another one, by how a disassembly writes them.
fn instructions(name: &str, spec: &KernelSpec) -> Vec<String> {
    let define = |name: &str| spec.defines.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value.as_str());
    let precision = spec.defines.iter().find_map(|(name, _)| name.strip_prefix("PRECISION_")).unwrap_or_default();
    let product = |columns: &str| match precision {
        "BF16" => format!("HGMMA.64x{columns}x16.F32.BF16"),
        "TF32" => format!("HGMMA.64x{columns}x8.F32.TF32"),
        "F8E4M3" => format!("QGMMA.64x{columns}x32.F32.E4M3.E4M3"),
        "I8" => format!("IGMMA.64x{columns}x32.S8.S8"),
        _ => format!("HGMMA.64x{columns}x16."),
    };
    let mut instructions = match spec.entry.as_str() {
        "gemm_mma" | "conv2d_mma" | "attention_mma" => {
            let product = match precision {
                "BF16" => "HMMA.16816.F32.BF16",
                "TF32" => "HMMA.1688.F32.TF32",
                "F8E4M3" => "QMMA.16832.F32.E4M3.E4M3",
                "I8" => "IMMA.16832.S8.S8",
                "F16" => "HMMA.16816.F32 ",
                "F16_ACC16" => "HMMA.16816.F16 ",
                _ => return Vec::new(),
            };
            // From OpenCL C; rows that are not aligned come element by element.
            let staging = name.contains("/opencl/") && define("ALIGNED_A") == "1";
            let staging: &[&str] = if staging { &["LDSM.16.M", "LDGSTS"] } else { &[] };
            return [product].iter().chain(staging).map(|&instruction| instruction.to_owned()).collect();
        }
        "gemm_wgmma" => vec![product(define("TILE_N"))],
        "attention_wgmma" => vec![product(define("KEYS")), product(define("DIM"))],
        _ => return Vec::new(),
    };
    let load = if define("CLUSTER") == "2" { "UTMALDG.3D.MULTICAST" } else { "UTMALDG.3D" };
    instructions.extend([load, "USETMAXREG"].map(str::to_owned));
    if define("SPLIT") != "1" && !["TF32", "I8"].contains(&precision) {
        instructions.extend(["UTMASTG.3D", "STSM.16.M88.4"].map(str::to_owned));
    }
    instructions
}

/// Checks that machine code has these instructions, and none that spills.
fn check_code(image: &[u8], instructions: &[String]) -> Result<(), Error> {
    let Some(disassembler) = std::env::var_os("ACCELBENCH_TEST_NVDISASM") else {
        return Err(Error::Unavailable { api: "cuda", reason: "ACCELBENCH_TEST_NVDISASM names no program".to_owned() });
    };
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(image).expect("a temporary file takes bytes");
    let output = Command::new(&disassembler).arg(file.path()).output().expect("the disassembler starts");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for instruction in instructions {
        assert!(text.contains(instruction), "no {instruction} in\n{text}");
    }
    for spill in [" LDL", " STL"] {
        assert!(!text.contains(spill), "{spill} in\n{text}");
    }
    Ok(())
}

/// What the assembler says of a kernel.
#[derive(Debug, PartialEq, Eq)]
struct Report {
    registers: u32,
    stack_bytes: u32,
    spill_store_bytes: u32,
    spill_load_bytes: u32,
}

impl Report {
    /// Of every kernel in a log, by name.
    fn read(log: &str) -> BTreeMap<String, Self> {
        let sections = log.split("Compiling entry function '").skip(1);
        sections.filter_map(|section| Some((section.split_once('\'')?.0.to_owned(), Self::of(section)?))).collect()
    }

    fn of(section: &str) -> Option<Self> {
        let number = |label: &str| {
            let before = &section[..section.find(label)?];
            before.split_whitespace().next_back()?.parse().ok()
        };
        Some(Self {
            registers: number(" registers")?,
            stack_bytes: number(" bytes stack frame")?,
            spill_store_bytes: number(" bytes spill stores")?,
            spill_load_bytes: number(" bytes spill loads")?,
        })
    }

    fn clean(&self) -> bool {
        self.stack_bytes == 0 && self.spill_store_bytes == 0 && self.spill_load_bytes == 0
    }
}

/// A kernel that keeps 200 numbers in 32 registers must show.
fn spills_are_seen() -> Result<(), Error> {
    let spec = KernelSpec {
        source: Source::CudaC(
            r#"extern "C" __global__ void __launch_bounds__(1024, 2) spilling(float* x) {
                float y[200];
                #pragma unroll
                for (int i = 0; i < 200; ++i) y[i] = x[i * 1024 + threadIdx.x];
                __syncthreads();
                #pragma unroll
                for (int i = 0; i < 200; ++i) x[i * 1024 + threadIdx.x] = y[199 - i] * y[i];
            }"#
            .into(),
        ),
        entry: "spilling".into(),
        defines: Vec::new(),
        group: [1024, 1, 1],
        shared_bytes: 0,
        bindings: vec![Access::Write],
        params_bytes: 0,
    };
    let log = compile(&spec, CAPABILITIES[3])?.log;
    let report = Report::read(&log).remove(&spec.entry).unwrap_or_else(|| panic!("no report in\n{log}"));
    assert!(!report.clean(), "{report:?} in\n{log}");
    Ok(())
}

/// A device that takes every plan.
fn caps(capability: Capability) -> Caps {
    let mut dtypes = BTreeSet::from([DType::F64, DType::F32, DType::F16]);
    if capability.major >= 8 {
        dtypes.extend(DType::ALL);
    }
    if capability < FIRST_WITH_EIGHT_BITS {
        dtypes.remove(&DType::F8E4M3);
    }
    Caps {
        kind: DeviceKind::Gpu,
        languages: BTreeSet::from([Language::CudaC]),
        libraries: BTreeMap::new(),
        library_forms: Vec::new(),
        external: BTreeMap::new(),
        storage: dtypes.clone(),
        compute: dtypes,
        subgroup: Some((32, 32)),
        max_group_items: 1024,
        max_group: [1024, 1024, 64],
        max_grid: [i32::MAX as u32, 65_535, 65_535],
        local_bytes: match (capability.major, capability.minor) {
            (7, _) => 64 << 10,
            (8, 9) => 99 << 10,
            (8, _) => 160 << 10,
            _ => 227 << 10,
        },
        max_buffer_bytes: 1 << 40,
        memory_bytes: None,
        cache_bytes: None,
        compute_units: None,
        clock_mhz: None,
        clock: Clock::DeviceEvent,
        clock_resolution_ns: 500.0,
        theoretical: Vec::new(),
        facts: BTreeMap::from([
            ("compute_capability".to_owned(), format!("{}.{}", capability.major, capability.minor)),
            ("nvrtc".to_owned(), "13.0".to_owned()),
        ]),
    }
}
