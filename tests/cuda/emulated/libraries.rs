//! The maker's libraries on the emulated device: whether they are found, and which algorithm is taken. What they compute
//! is held against the truth in `operations`.

use crate::Check;
use crate::device::{FAIL, Task, open};
use crate::fakes::Fakes;
use crate::probe::probe;
use accelbench_backends::{
    Access, Buffer, Command, Device, Error, Kernel, KernelSpec, Language, Launch, LibraryCall, Presence, Source,
};
use serde_json::{Value, json};

const ALGORITHMS: &str = "ACCELBENCH_FAKE_ALGORITHMS";
const ENGINES: &str = "ACCELBENCH_FAKE_ENGINES";

const TASKS: &[Task] = &[
    Task {
        name: "the fastest algorithm is taken",
        environment: &[],
        run: fastest_algorithm,
        logged: &["cublasLt asked for 32 algorithms, workspace 33554432, compute 68"],
    },
    Task {
        name: "sums in half precision are asked for as such",
        environment: &[],
        run: half_sums,
        logged: &["cublasLt asked for 32 algorithms, workspace 33554432, compute 64"],
    },
    Task {
        name: "tf32 is asked for as such",
        environment: &[],
        run: rounded_operands,
        logged: &["cublasLt asked for 32 algorithms, workspace 33554432, compute 77"],
    },
    Task {
        name: "whole numbers are asked for as such",
        environment: &[],
        run: whole_numbers,
        logged: &["cublasLt asked for 32 algorithms, workspace 33554432, compute 72"],
    },
    Task {
        name: "numbers of eight bits are asked for with the units' own sums",
        environment: &[],
        run: eight_bits,
        logged: &["cublasLt asked for 32 algorithms, workspace 33554432, compute 68, fast sums"],
    },
    Task {
        name: "algorithms that fail are passed over",
        environment: &[(ALGORITHMS, "5=fails,6=refused,8=4,9=fails")],
        run: failing_algorithms,
        logged: &["cublasLt runs algorithm 5", "cublasLt runs algorithm 9"],
    },
    Task {
        name: "fast algorithms are told apart",
        environment: &[(ALGORITHMS, "1=0.030,2=0.010,3=0.014,4=0.020")],
        run: fast_algorithms,
        logged: &[],
    },
    Task {
        name: "a product without an algorithm is unsupported",
        environment: &[(ALGORITHMS, ""), (ENGINES, "")],
        run: nothing_offered,
        logged: &[],
    },
    Task {
        name: "a product whose algorithms all fail is unsupported",
        environment: &[(ALGORITHMS, "1=fails,2=refused"), (ENGINES, "1=fails")],
        run: nothing_runs,
        logged: &[],
    },
    Task {
        name: "a library that does not start says so",
        environment: &[(FAIL, "cublasLtCreate=1@1,cudnnCreate=1001@1")],
        run: not_started,
        logged: &[],
    },
    Task {
        name: "a device without room for timing is out of memory",
        environment: &[("ACCELBENCH_FAKE_MEMORY", "1048576")],
        run: no_room,
        logged: &[],
    },
    Task {
        name: "a device lost while algorithms are timed is lost",
        environment: &[(FAIL, "cuEventSynchronize=719@2")],
        run: lost_while_timing,
        logged: &[],
    },
    Task {
        name: "a launch that fails keeps the library's code",
        environment: &[(ALGORITHMS, "1=1"), (FAIL, "cublasLtMatmul=14@8")],
        run: failing_launch,
        logged: &[],
    },
    Task {
        name: "a device lost at a launch is lost",
        environment: &[(ALGORITHMS, "1=1"), (FAIL, "cublasLtMatmul=719@8")],
        run: lost_at_launch,
        logged: &[],
    },
    Task {
        name: "engines that lose precision are left out",
        environment: &[],
        run: precise_engines,
        logged: &["cudnn runs engine 2", "cudnn runs engine 9"],
    },
    Task { name: "launches with other buffers find them", environment: &[], run: other_buffers, logged: &[] },
    Task { name: "wrong calls are refused", environment: &[], run: refusals, logged: &[] },
];

pub(crate) fn trials() -> Vec<Check> {
    let mut trials = Task::trials("library", TASKS);
    trials.push(("library/both are found".into(), Box::new(found)));
    trials.extend(
        ABSENT
            .iter()
            .map(|absent| -> Check { (format!("library/{}", absent.name), Box::new(|fakes| absent.check(fakes))) }),
    );
    trials
}

pub(crate) fn child(name: &str) {
    Task::child(TASKS, name);
}

fn found(fakes: &Fakes) -> Result<(), String> {
    let Presence::Present { devices, notes, .. } = probe(fakes, "whole", &[])? else {
        return Err("the driver is there".into());
    };
    let caps = &devices[0].caps;
    assert_eq!(notes, Vec::<String>::new());
    assert_eq!(caps.libraries("gemm"), ["cublaslt"]);
    assert_eq!(caps.libraries("conv2d"), ["cudnn"]);
    assert_eq!(caps.libraries("attention"), ["cudnn"]);
    assert!(caps.speaks(Language::Library));
    assert_eq!((caps.external["cublaslt"].as_str(), caps.external["cudnn"].as_str()), ("13.0.2", "9.10.2"));
    Ok(())
}

/// The device is there, and each library is missing for a reason.
struct Absent {
    name: &'static str,
    variant: &'static str,
    environment: &'static [(&'static str, &'static str)],
    /// Parts of what is said of cuBLASLt and of cuDNN.
    says: [&'static str; 2],
}

const ABSENT: &[Absent] = &[
    Absent {
        name: "neither is there",
        variant: "no-libraries",
        environment: &[],
        says: ["cuBLASLt was not found: ", "cuDNN was not found: "],
    },
    Absent {
        name: "files that are no libraries",
        variant: "libraries-are-broken",
        environment: &[],
        says: ["file too short; install the CUDA toolkit", "file too short; install cuDNN"],
    },
    Absent {
        name: "each lacks a function",
        variant: "libraries-lack-functions",
        environment: &[],
        says: ["cuBLASLt has no `cublasLtMatmulAlgoConfigGetAttribute`", "cuDNN has no `cudnnBackendGetAttribute`"],
    },
    Absent {
        name: "both are too old",
        variant: "whole",
        environment: &[("ACCELBENCH_FAKE_CUBLASLT_VERSION", "111103"), ("ACCELBENCH_FAKE_CUDNN_VERSION", "8907")],
        says: ["cuBLASLt is 11.11.3, and 12.0.0", "cuDNN is 8.9.7, and 9.0.0"],
    },
];

impl Absent {
    fn check(&self, fakes: &Fakes) -> Result<(), String> {
        // An empty folder does not hide the libraries of a machine that has them.
        if self.variant == "no-libraries" && std::path::Path::new("/proc/driver/nvidia").exists() {
            return Ok(());
        }
        let Presence::Present { devices, notes, .. } = probe(fakes, self.variant, self.environment)? else {
            return Err("the driver is there".into());
        };
        let caps = &devices[0].caps;
        let said = notes.len() == 2 && notes.iter().zip(self.says).all(|(note, says)| note.contains(says));
        if said && caps.libraries.is_empty() && !caps.speaks(Language::Library) && !caps.facts.contains_key("cudnn") {
            Ok(())
        } else {
            Err(format!("{notes:?} {:?}", caps.libraries))
        }
    }
}

fn call(library: &str, function: &str, buffers: usize, arguments: Value) -> KernelSpec {
    let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
    KernelSpec {
        source: Source::Library(LibraryCall { library: library.into(), function: function.into(), arguments }),
        entry: function.to_owned(),
        defines: Vec::new(),
        group: [1, 1, 1],
        shared_bytes: 0,
        bindings: [vec![Access::Read; buffers - 1], vec![Access::Write]].concat(),
        params_bytes: 0,
    }
}

fn gemm(m: u64, storage: &str, accumulate: &str) -> KernelSpec {
    let arguments = json!({
        "m": m, "n": 3, "k": 2, "trans_a": false, "trans_b": false, "storage": storage, "accumulate": accumulate,
    });
    call("cublaslt", "gemm", 3, arguments)
}

fn conv2d(storage: &str, accumulate: &str, other: &Value) -> KernelSpec {
    let mut arguments = json!({
        "n": 1, "c": 4, "h": 5, "w": 6, "k": 2, "r": 3, "s": 3, "stride_h": 1, "stride_w": 1, "pad_h": 0, "pad_w": 0,
        "dilation_h": 1, "dilation_w": 1, "groups": 1, "layout": "nchw", "storage": storage, "accumulate": accumulate,
    });
    for (name, value) in other.as_object().expect("an object") {
        arguments[name] = value.clone();
    }
    call("cudnn", "conv2d", 3, arguments)
}

fn attention(head_dim: u64, storage: &str) -> KernelSpec {
    let arguments = json!({
        "batch": 1, "heads": 2, "kv_heads": 1, "seq_q": 3, "seq_kv": 5, "head_dim": head_dim, "causal": true,
        "storage": storage, "accumulate": "f32",
    });
    call("cudnn", "attention", 4, arguments)
}

/// The line of a log that names what was taken: the first after the library's own.
fn taken(kernel: &Kernel) -> &str {
    kernel.log().lines().nth(1).expect("a log names what was timed")
}

fn prepared(device: &dyn Device, spec: &KernelSpec) -> Kernel {
    device.compile(spec).expect("the stand-in computes this")
}

fn launch(device: &dyn Device, kernel: &Kernel, buffers: &[&Buffer]) -> Result<(), Error> {
    let launch = Launch { kernel, grid: [1, 1, 1], buffers, params: &[] };
    let ticket = device.submit(&[Command::Launch(launch)])?;
    device.wait(ticket).map(|_| ())
}

fn fastest_algorithm() {
    let device = open(0);
    let kernel = prepared(&*device, &gemm(4, "f16", "f32"));
    assert!(kernel.log().starts_with("cublaslt 13.0.2\n"), "{}", kernel.log());
    assert!(taken(&kernel).contains("us  algorithm 11, tile 1, stages 6, split-k 2"), "{}", kernel.log());
    for other in ["algorithm 7,", "algorithm 13,"] {
        assert!(kernel.log().contains(other), "{}", kernel.log());
    }
}

fn half_sums() {
    let device = open(0);
    prepared(&*device, &gemm(4, "f16", "f16"));
}

fn rounded_operands() {
    let device = open(0);
    prepared(&*device, &gemm(4, "tf32", "f32"));
    prepared(&*device, &gemm(4, "bf16", "f32"));
}

/// Numbers of 8 bits are taken in one layout.
fn one_layout(storage: &str, accumulate: &str) {
    let device = open(0);
    let product = |trans_b: bool| {
        let arguments = json!({
            "m": 4, "n": 8, "k": 16, "trans_a": false, "trans_b": trans_b, "storage": storage, "accumulate": accumulate,
        });
        call("cublaslt", "gemm", 3, arguments)
    };
    unsupported(&*device, &product(false), "CUBLAS_STATUS_NOT_SUPPORTED");
    prepared(&*device, &product(true));
}

fn whole_numbers() {
    one_layout("i8", "i32");
}

fn eight_bits() {
    one_layout("f8e4m3", "f32");
}

fn failing_algorithms() {
    let device = open(0);
    let kernel = prepared(&*device, &gemm(4, "f64", "f64"));
    assert!(taken(&kernel).contains("algorithm 8,"), "{}", kernel.log());
    let refused: Vec<&str> = kernel.log().lines().filter(|line| line.contains("refused")).collect();
    assert_eq!(refused.len(), 2, "{refused:?}");
    assert!(refused[0].contains("algorithm 5,") && refused[0].contains("CUBLAS_STATUS_INTERNAL_ERROR (14)"));
    assert!(!kernel.log().contains("algorithm 6,"), "its result says that it is none");
}

fn fast_algorithms() {
    let device = open(0);
    let kernel = prepared(&*device, &gemm(4, "f32", "f32"));
    assert!(taken(&kernel).contains("algorithm 2,"), "{}", kernel.log());
}

fn unsupported(device: &dyn Device, spec: &KernelSpec, says: &str) {
    match device.compile(spec) {
        Err(Error::Unsupported { what }) => assert!(what.contains(says), "{what}"),
        other => panic!("{other:?}"),
    }
}

fn nothing_offered() {
    let device = open(0);
    unsupported(&*device, &gemm(4, "f32", "f32"), "CUBLAS_STATUS_NOT_SUPPORTED");
    unsupported(&*device, &conv2d("f32", "f32", &json!({})), "no plan");
}

fn nothing_runs() {
    let device = open(0);
    unsupported(&*device, &gemm(4, "f32", "f32"), "CUBLAS_STATUS_INTERNAL_ERROR (14)");
    unsupported(&*device, &conv2d("f32", "f32", &json!({})), "an engine that is none");
}

fn not_started() {
    let device = open(0);
    for (spec, call, code) in
        [(gemm(4, "f32", "f32"), "cublasLtCreate", 1), (conv2d("f32", "f32", &json!({})), "cudnnCreate", 1001)]
    {
        match device.compile(&spec) {
            Err(Error::Driver { call: failed, code: with, .. }) => assert_eq!((failed, with), (call, code)),
            other => panic!("{other:?}"),
        }
        prepared(&*device, &spec);
    }
}

fn no_room() {
    let device = open(0);
    let error = device.compile(&gemm(4, "f32", "f32")).expect_err("the workspace alone is 32 MiB");
    assert!(matches!(error, Error::OutOfMemory { asked: 33_554_432, .. }), "{error:?}");
}

fn lost_while_timing() {
    let device = open(0);
    let error = device.compile(&gemm(4, "f32", "f32")).expect_err("the device goes away");
    assert!(matches!(error, Error::DeviceLost { .. }), "{error:?}");
}

/// Prepares a product, which runs seven times, and runs it once more.
fn run_once(device: &dyn Device) -> Result<(), Error> {
    let kernel = prepared(device, &gemm(4, "f32", "f32"));
    let buffers = [32, 24, 48].map(|bytes| device.alloc(bytes).expect("memory"));
    launch(device, &kernel, &buffers.each_ref())
}

fn failing_launch() {
    let device = open(0);
    match run_once(&*device) {
        Err(Error::Driver { api: "cuda", call: "cublasLtMatmul", code: 14, name }) => {
            assert_eq!(name, "CUBLAS_STATUS_INTERNAL_ERROR");
        }
        other => panic!("{other:?}"),
    }
    run_once(&*device).expect("the device is as good as before");
}

fn lost_at_launch() {
    let device = open(0);
    assert!(matches!(run_once(&*device), Err(Error::DeviceLost { .. })));
}

fn precise_engines() {
    let device = open(0);
    let single = prepared(&*device, &conv2d("f32", "f32", &json!({})));
    assert!(taken(&single).contains("us  engine 2, knob 2 at 2, workspace 2048"), "{}", single.log());
    for reason in [
        "engine 3, knob 2 at 3: not supported: cudnnBackendFinalize: CUDNN_STATUS_NOT_SUPPORTED: an engine that is none",
        "engine 9, knob 2 at 9: not supported: left out for its CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS",
        "engine 10, knob 2 at 10: not supported: left out for its CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION",
    ] {
        assert!(single.log().contains(reason), "{}", single.log());
    }
    assert_eq!(single.algorithm(), Some("cudnn 9.10.2: engine 2, knob 2 at 2, workspace 2048"));
    let half = prepared(&*device, &conv2d("f16", "f32", &json!({ "layout": "nhwc" })));
    assert!(taken(&half).contains("engine 9,"), "{}", half.log());
    for kernel in [single, half] {
        let buffers = [device.alloc(480), device.alloc(288), device.alloc(96)].map(|buffer| buffer.expect("memory"));
        launch(&*device, &kernel, &buffers.each_ref()).expect("the buffers are large enough");
    }
}

fn other_buffers() {
    let device = open(0);
    let kernel = prepared(&*device, &conv2d("f32", "f32", &json!({ "r": 1, "s": 1, "k": 1, "c": 1 })));
    let filter = device.alloc(4).expect("memory");
    device.upload(&filter, 0, &2_f32.to_le_bytes()).expect("inside");
    for round in 0..2_u8 {
        for value in [3_f32, 5.0] {
            let value = value + f32::from(round);
            let (image, output) = (device.alloc(120).expect("memory"), device.alloc(120).expect("memory"));
            device.upload(&image, 0, &value.to_le_bytes().repeat(30)).expect("inside");
            for _ in 0..2 {
                launch(&*device, &kernel, &[&image, &filter, &output]).expect("right");
                let mut bytes = [0; 120];
                device.download(&output, 0, &mut bytes).expect("inside");
                assert!(
                    bytes
                        .as_chunks()
                        .0
                        .iter()
                        .all(|element| f32::from_le_bytes(*element).to_bits() == (2.0 * value).to_bits())
                );
            }
        }
    }
}

fn refusals() {
    let device = open(0);
    let wrong = [
        gemm(0, "f32", "f32"),
        gemm(1 << 31, "f32", "f32"),
        conv2d("f32", "f32", &json!({ "groups": 0 })),
        conv2d("f32", "f32", &json!({ "groups": 3 })),
        conv2d("f32", "f32", &json!({ "stride_h": 0 })),
        conv2d("f32", "f32", &json!({ "r": 6 })),
        conv2d("f32", "f32", &json!({ "layout": "chwn" })),
        KernelSpec { bindings: vec![Access::Write; 2], ..gemm(4, "f32", "f32") },
        KernelSpec { params_bytes: 4, ..gemm(4, "f32", "f32") },
    ];
    for spec in &wrong {
        assert!(matches!(device.compile(spec), Err(Error::InvalidArgument(_))), "{spec:?}");
    }
    unsupported(&*device, &gemm(4, "f8", "f32"), "f8");
    unsupported(&*device, &gemm(4, "f64", "f32"), "f64 with sums in f32");
    unsupported(&*device, &attention(8, "f32"), "attention is of halves");
    unsupported(&*device, &attention(7, "f16"), "rows of whole 16 bytes only");
    unsupported(&*device, &call("cublaslt", "conv2d", 3, json!({})), "cublaslt::conv2d");
    let kernel = prepared(&*device, &attention(8, "f16"));
    let [q, k] = [96, 80].map(|bytes| device.alloc(bytes).expect("memory"));
    assert!(launch(&*device, &kernel, &[&q, &k, &k, &q]).is_ok());
    let short = launch(&*device, &kernel, &[&q, &k, &q, &k]).expect_err("O has more elements than V");
    assert!(matches!(short, Error::InvalidArgument(_)), "{short:?}");
}
