//! Memory, compilation, submissions and failures of an emulated device.

use crate::Check;
use crate::fakes::Fakes;
use accelbench_backends::{
    Access, Clock, Command, Device, DeviceId, Error, Kernel, KernelSpec, Launch, LibraryCall, Registry, Source,
};

/// A task for a child: its name, what the stand-ins are told, what happens, and lines of their log.
pub(crate) struct Task {
    pub(crate) name: &'static str,
    pub(crate) environment: &'static [(&'static str, &'static str)],
    pub(crate) run: fn(),
    pub(crate) logged: &'static [&'static str],
}

pub(crate) const FAIL: &str = "ACCELBENCH_FAKE_FAIL";

const TASKS: &[Task] = &[
    Task { name: "memory moves and is counted", environment: &[], run: memory, logged: &[] },
    Task {
        name: "a device out of memory says so with both numbers",
        environment: &[("ACCELBENCH_FAKE_MEMORY", "4096")],
        run: out_of_memory,
        logged: &[],
    },
    Task {
        name: "a kernel gets its grid, buffers and parameters",
        environment: &[],
        run: arguments,
        logged: &["launch record grid 3x2x2 block 4x2x2 shared 64"],
    },
    Task { name: "spans and copies follow the order of commands", environment: &[], run: spans, logged: &[] },
    Task { name: "page-locked memory is an end of copies", environment: &[], run: page_locked, logged: &[] },
    Task {
        name: "two devices take turns",
        environment: &[("ACCELBENCH_FAKE_DEVICES", "9.0,8.0")],
        run: two,
        logged: &[],
    },
    Task { name: "a compiler's log is kept", environment: &[], run: compilation, logged: &[] },
    Task {
        name: "wrong requests are refused before the driver sees them",
        environment: &[],
        run: refusals,
        logged: &[],
    },
    Task {
        name: "a fault is a lost device, and stays one",
        environment: &[(FAIL, "cuStreamSynchronize=700@2")],
        run: lost,
        logged: &[],
    },
    Task {
        name: "a device removed at a launch is a lost device",
        environment: &[(FAIL, "cuLaunchKernel=719@1")],
        run: lost_at_launch,
        logged: &[],
    },
    Task {
        name: "the driver's watchdog is a timeout",
        environment: &[(FAIL, "cuStreamSynchronize=702@2")],
        run: watchdog,
        logged: &[],
    },
    Task {
        name: "other errors keep the driver's code and name",
        environment: &[(FAIL, "cuLaunchKernel=701@1")],
        run: other_error,
        logged: &[],
    },
    Task {
        name: "a device that can't be opened is an error",
        environment: &[(FAIL, "cuStreamCreate=2@1")],
        run: not_opened,
        logged: &[],
    },
    Task {
        name: "the emulator sees a barrier that not all threads reach",
        environment: &[],
        run: partial_barrier,
        logged: &[],
    },
    Task { name: "the emulator sees a write beyond shared memory", environment: &[], run: shared_overrun, logged: &[] },
    Task { name: "the emulator sees a forgotten barrier", environment: &[], run: forgotten_barrier, logged: &[] },
    Task { name: "the emulator sees a phase that never ends", environment: &[], run: endless_phase, logged: &[] },
];

pub(crate) fn trials() -> Vec<Check> {
    Task::trials("device", TASKS)
}

pub(crate) fn child(name: &str) {
    Task::child(TASKS, name);
}

impl Task {
    /// A trial for each, whose child is started with the kind and the task's name.
    pub(crate) fn trials(kind: &'static str, tasks: &'static [Self]) -> Vec<Check> {
        let trial = |task: &'static Self| -> Check {
            (format!("{kind}/{}", task.name), Box::new(move |fakes| task.check(kind, fakes)))
        };
        tasks.iter().map(trial).collect()
    }

    pub(crate) fn child(tasks: &[Self], name: &str) {
        let task = tasks.iter().find(|task| task.name == name).expect("the parent names a task");
        (task.run)();
    }

    fn check(&self, kind: &str, fakes: &Fakes) -> Result<(), String> {
        let (_, log) = fakes.run("whole", &format!("{kind} {}", self.name), self.environment)?;
        for line in self.logged {
            if !log.lines().any(|logged| logged == *line) {
                return Err(format!("the driver was not asked for `{line}`:\n{log}"));
            }
        }
        nothing_left(&log)
    }
}

/// Every context that was released had nothing left in it.
pub(crate) fn nothing_left(log: &str) -> Result<(), String> {
    let released: Vec<&str> = log.lines().filter(|line| line.starts_with("released")).collect();
    if !released.is_empty() && released.iter().all(|line| line.ends_with(" 0 objects left")) {
        Ok(())
    } else {
        Err(format!("objects were left: {released:?}"))
    }
}

pub(crate) fn open(index: u32) -> Box<dyn Device> {
    let device = Registry::builtin().open(&DeviceId::new("cuda", index)).expect("the emulated device opens");
    assert_eq!(device.info().name, "accelbench fake GPU");
    device
}

fn spec(source: &'static str, entry: &str, buffers: usize, params_bytes: u32) -> KernelSpec {
    KernelSpec {
        source: Source::CudaC(source.into()),
        entry: entry.to_owned(),
        defines: Vec::new(),
        group: [4, 2, 2],
        shared_bytes: 64,
        bindings: vec![Access::Write; buffers],
        params_bytes,
    }
}

const RECORD: &str = r#"
struct Params { unsigned base; float scale; unsigned more[2]; };
extern "C" __global__ void record(const unsigned* in, unsigned* out, Params p) {
    unsigned block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
    unsigned thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
    out[block * 16 + thread] = (unsigned)((in[0] + p.base + p.more[1]) * p.scale) + block * 100 + thread;
}
"#;

const ADD_ONE: &str = r#"
extern "C" __global__ void add_one(unsigned* x) {
    if (threadIdx.x + threadIdx.y + threadIdx.z == 0) x[0] += 1;
}
"#;

fn launch<'a>(kernel: &'a Kernel, buffers: &'a [&'a accelbench_backends::Buffer], params: &'a [u8]) -> Command<'a> {
    Command::Launch(Launch { kernel, grid: [1, 1, 1], buffers, params })
}

fn memory() {
    let device = open(0);
    let before = device.memory().expect("memory is told");
    let buffer = device.alloc(103).expect("there is memory");
    let after = device.memory().expect("memory is told");
    assert_eq!(before.total, Some(1 << 30));
    assert_eq!(before.free.expect("told") - after.free.expect("told"), 103);
    let sent: Vec<u8> = (0..103).collect();
    device.upload(&buffer, 0, &sent).expect("the range is inside");
    let mut middle = [0; 10];
    device.download(&buffer, 93, &mut middle).expect("the range is inside");
    assert_eq!(middle, sent[93..]);
    let ticket = device.submit(&[Command::Fill { dst: &buffer, pattern: 0x0403_0201 }]).expect("a fill is right");
    assert!(device.wait(ticket).expect("it ends").is_empty());
    let mut filled = [0; 103];
    device.download(&buffer, 0, &mut filled).expect("the range is inside");
    assert!(filled.iter().enumerate().all(|(i, &byte)| usize::from(byte) == i % 4 + 1), "{filled:?}");
    drop(buffer);
    assert_eq!(device.memory().expect("memory is told"), before);
}

fn out_of_memory() {
    let device = open(0);
    let _first = device.alloc(1000).expect("there is memory");
    match device.alloc(4000) {
        Err(Error::OutOfMemory { asked: 4000, free: Some(3096) }) => {}
        other => panic!("{other:?}"),
    }
    device.alloc(3000).expect("the device is as good as before");
}

fn arguments() {
    let device = open(0);
    let kernel = device.compile(&spec(RECORD, "record", 2, 16)).expect("the kernel compiles");
    assert!(kernel.log().contains("sm_90a"), "{}", kernel.log());
    let (input, output) = (device.alloc(4).expect("memory"), device.alloc(12 * 16 * 4).expect("memory"));
    device.upload(&input, 0, &7_u32.to_le_bytes()).expect("inside");
    // Not aligned, and gone before the work is waited for: a launch copies it.
    let params: Vec<u8> =
        [&[0_u8][..], &5_u32.to_le_bytes(), &2_f32.to_le_bytes(), &[9; 4], &8_u32.to_le_bytes()].concat();
    let buffers = [&input, &output];
    let ticket = device
        .submit(&[Command::Launch(Launch {
            kernel: &kernel,
            grid: [3, 2, 2],
            buffers: &buffers,
            params: &params[1..],
        })])
        .expect("the launch is right");
    drop(params);
    device.wait(ticket).expect("it ends");
    let mut bytes = [0; 12 * 16 * 4];
    device.download(&output, 0, &mut bytes).expect("inside");
    for (i, word) in bytes.as_chunks().0.iter().enumerate() {
        assert_eq!(u32::from_le_bytes(*word) as usize, (7 + 5 + 8) * 2 + i / 16 * 100 + i % 16, "word {i}");
    }
}

fn spans() {
    let device = open(0);
    let kernel = device.compile(&spec(ADD_ONE, "add_one", 1, 0)).expect("the kernel compiles");
    let (first, second) = (device.alloc(8).expect("memory"), device.alloc(8).expect("memory"));
    let buffers = [&first];
    let copy = |src_offset, dst_offset| Command::Copy { src: &first, src_offset, dst: &second, dst_offset, bytes: 4 };
    let ticket = device
        .submit(&[
            Command::Fill { dst: &first, pattern: 10 },
            Command::Begin,
            launch(&kernel, &buffers, &[]),
            Command::End,
            copy(0, 0),
            Command::Begin,
            launch(&kernel, &buffers, &[]),
            launch(&kernel, &buffers, &[]),
            copy(0, 4),
            Command::End,
        ])
        .expect("the commands are right");
    let forgotten = device.submit(&[Command::Begin, Command::End]).expect("the commands are right");
    let spans = device.wait(ticket).expect("it ends");
    assert_eq!(spans.len(), 2);
    assert!(spans.iter().all(|span| span.clock == Clock::DeviceEvent && span.ns > 0.0), "{spans:?}");
    let mut words = [0; 8];
    device.download(&second, 0, &mut words).expect("inside");
    assert_eq!(words, [11, 0, 0, 0, 13, 0, 0, 0]);
    drop(forgotten);
}

fn page_locked() {
    let device = open(0);
    let free = device.memory().expect("memory is told").free;
    let (from, to) = (device.alloc_pinned(12).expect("memory"), device.alloc_pinned(12).expect("memory"));
    assert_eq!(device.memory().expect("memory is told").free, free, "it is the host's");
    let own = device.alloc(12).expect("memory");
    device.upload(&from, 0, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]).expect("inside");
    let there = Command::Copy { src: &from, src_offset: 4, dst: &own, dst_offset: 0, bytes: 8 };
    let back = Command::Copy { src: &own, src_offset: 0, dst: &to, dst_offset: 4, bytes: 8 };
    let ticket = device.submit(&[Command::Begin, there, back, Command::End]).expect("the commands are right");
    assert_eq!(device.wait(ticket).expect("it ends").len(), 1);
    let mut bytes = [0; 8];
    device.download(&to, 4, &mut bytes).expect("inside");
    assert_eq!(bytes, [5, 6, 7, 8, 9, 10, 11, 12]);
    let kernel = device.compile(&spec(ADD_ONE, "add_one", 1, 0)).expect("the kernel compiles");
    for command in [
        launch(&kernel, &[&from], &[]),
        Command::Fill { dst: &from, pattern: 0 },
        Command::Copy { src: &from, src_offset: 0, dst: &to, dst_offset: 0, bytes: 4 },
    ] {
        assert!(matches!(device.submit(&[command]), Err(Error::InvalidArgument(_))));
    }
    assert!(matches!(device.alloc_pinned(0), Err(Error::InvalidArgument(_))));
}

fn two() {
    let (one, two) = (open(0), open(1));
    assert_eq!(two.caps().facts["compute_capability"], "8.0");
    for (device, pattern) in [(&one, 1), (&two, 2), (&one, 3)] {
        let buffer = device.alloc(4).expect("memory");
        let kernel = device.compile(&spec(ADD_ONE, "add_one", 1, 0)).expect("the kernel compiles");
        let buffers = [&buffer];
        let other = if std::ptr::eq(device, &raw const one) { &two } else { &one };
        let commands = [Command::Fill { dst: &buffer, pattern }, launch(&kernel, &buffers, &[])];
        let refused = other.submit(&commands).expect_err("these handles are another device's");
        assert!(matches!(refused, Error::ForeignHandle { .. }), "{refused:?}");
        let ticket = device.submit(&commands).expect("right");
        let _stranger = other.alloc(4).expect("the other device works meanwhile");
        device.wait(ticket).expect("it ends");
        let mut word = [0; 4];
        device.download(&buffer, 0, &mut word).expect("inside");
        assert_eq!(u32::from_le_bytes(word), pattern + 1);
    }
}

fn compilation() {
    let device = open(0);
    match device.compile(&spec("extern \"C\" __global__ void broken() { undeclared = 1; }", "broken", 0, 0)) {
        Err(Error::Compile { entry, log }) => assert!(entry == "broken" && log.contains("undeclared"), "{log}"),
        other => panic!("{other:?}"),
    }
    match device.compile(&spec(ADD_ONE, "add_two", 1, 0)) {
        Err(Error::Driver { call: "cuModuleGetFunction", code: 500, name, .. }) => {
            assert_eq!(name, "CUDA_ERROR_NOT_FOUND");
        }
        other => panic!("{other:?}"),
    }
}

fn refusals() {
    let device = open(0);
    let library = LibraryCall { library: "none".into(), function: "gemm".into(), arguments: serde_json::Map::new() };
    let wrong = [
        KernelSpec { source: Source::OpenClC("".into()), ..spec("", "x", 0, 0) },
        KernelSpec { source: Source::Library(library), ..spec("", "x", 0, 0) },
    ];
    for spec in &wrong {
        assert!(matches!(device.compile(spec), Err(Error::Unsupported { .. })));
    }
    let too_large = [
        KernelSpec { shared_bytes: 227 * 1024 + 1, ..spec(ADD_ONE, "add_one", 1, 0) },
        KernelSpec { group: [1025, 1, 1], ..spec(ADD_ONE, "add_one", 1, 0) },
        spec(ADD_ONE, "add_one", 17, 0),
    ];
    for spec in &too_large {
        assert!(matches!(device.compile(spec), Err(Error::LimitExceeded { .. })));
    }
    assert!(matches!(device.compile(&spec("nul \0", "x", 0, 0)), Err(Error::InvalidArgument(_))));
    let buffer = device.alloc(8).expect("memory");
    assert!(matches!(device.alloc(0), Err(Error::InvalidArgument(_))));
    assert!(matches!(device.upload(&buffer, 5, &[0; 4]), Err(Error::InvalidArgument(_))));
    assert!(matches!(device.download(&buffer, u64::MAX, &mut [0; 4]), Err(Error::InvalidArgument(_))));
    assert!(matches!(device.submit(&[Command::Begin]), Err(Error::InvalidArgument(_))));
    let unknown = Registry::builtin().open(&DeviceId::new("cuda", 7)).err().expect("there is no such device");
    assert!(matches!(unknown, Error::Unavailable { .. }), "{unknown:?}");
}

fn lost() {
    let device = open(0);
    let buffer = device.alloc(8).expect("memory");
    device.upload(&buffer, 0, &[0; 8]).expect("the first wait succeeds");
    match device.download(&buffer, 0, &mut [0; 8]) {
        Err(Error::DeviceLost { reason }) => assert!(reason.contains("CUDA_ERROR_ILLEGAL_ADDRESS (700)"), "{reason}"),
        other => panic!("{other:?}"),
    }
    assert!(matches!(device.alloc(8), Err(Error::DeviceLost { .. })));
    assert!(matches!(device.memory(), Err(Error::DeviceLost { .. })));
    assert!(matches!(device.submit(&[Command::Begin, Command::End]), Err(Error::DeviceLost { .. })));
}

fn run_once(device: &dyn Device) -> Result<(), Error> {
    let kernel = device.compile(&spec(ADD_ONE, "add_one", 1, 0))?;
    let buffer = device.alloc(4)?;
    let buffers = [&buffer];
    let ticket = device.submit(&[Command::Begin, launch(&kernel, &buffers, &[]), Command::End])?;
    device.wait(ticket).map(|_| ())
}

fn lost_at_launch() {
    let device = open(0);
    assert!(matches!(run_once(&*device), Err(Error::DeviceLost { .. })));
}

fn watchdog() {
    let device = open(0);
    let buffer = device.alloc(8).expect("memory");
    device.upload(&buffer, 0, &[0; 8]).expect("the first wait succeeds");
    assert!(matches!(device.upload(&buffer, 0, &[0; 8]), Err(Error::Timeout { .. })));
}

fn other_error() {
    let device = open(0);
    match run_once(&*device) {
        Err(Error::Driver { api: "cuda", call: "cuLaunchKernel", code: 701, name }) => {
            assert_eq!(name, "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES");
        }
        other => panic!("{other:?}"),
    }
    run_once(&*device).expect("the device is as good as before");
}

fn not_opened() {
    let error = Registry::builtin().open(&DeviceId::new("cuda", 0)).err().expect("the stream can't be made");
    assert!(matches!(error, Error::Driver { call: "cuStreamCreate", code: 2, .. }), "{error:?}");
}

/// Runs a kernel that the emulated device must stop.
fn stopped(source: &'static str) {
    let device = open(0);
    let kernel = device.compile(&spec(source, "x", 1, 0)).expect("the kernel compiles");
    let buffer = device.alloc(4).expect("memory");
    let ticket = device.submit(&[launch(&kernel, &[&buffer], &[])]).expect("a launch does not wait");
    let error = device.wait(ticket).expect_err("the kernel breaks a rule");
    assert!(matches!(error, Error::DeviceLost { .. }), "{error:?}");
}

fn partial_barrier() {
    stopped("extern \"C\" __global__ void x(unsigned* o) { if (threadIdx.x < 2) __syncthreads(); o[0] = 1; }");
}

fn shared_overrun() {
    stopped(
        "extern __shared__ unsigned char shared_memory[];
         extern \"C\" __global__ void x(unsigned* o) { shared_memory[64] = 1; o[0] = 1; }",
    );
}

fn endless_phase() {
    stopped(
        "extern __shared__ unsigned char shared_memory[];
         extern \"C\" __global__ void x(unsigned* o) {
             unsigned barrier = shared_address(shared_memory);
             if (threadIdx.x + threadIdx.y + threadIdx.z == 0) barrier_create(barrier, 2);
             __syncthreads();
             if (threadIdx.x + threadIdx.y + threadIdx.z == 0) barrier_arrive(barrier, 0);
             barrier_wait(barrier, 0);
             o[0] = 1;
         }",
    );
}

fn forgotten_barrier() {
    const REVERSE: &str = r#"
extern __shared__ unsigned char shared_memory[];
extern "C" __global__ void reverse(unsigned* out) {
    unsigned* shared = (unsigned*)shared_memory;
    unsigned thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
    shared[thread] = thread;
    BARRIER
    out[thread] = shared[15 - thread];
}
"#;
    for (barrier, right) in [("__syncthreads();", true), (";", false)] {
        let device = open(0);
        let spec = KernelSpec { defines: vec![("BARRIER".into(), barrier.into())], ..spec(REVERSE, "reverse", 1, 0) };
        let kernel = device.compile(&spec).expect("the kernel compiles");
        let buffer = device.alloc(64).expect("memory");
        let ticket = device.submit(&[launch(&kernel, &[&buffer], &[])]).expect("right");
        device.wait(ticket).expect("it ends");
        let mut bytes = [0; 64];
        device.download(&buffer, 0, &mut bytes).expect("inside");
        let words: Vec<u32> = bytes.as_chunks().0.iter().map(|word| u32::from_le_bytes(*word)).collect();
        assert_eq!(words == (0..16).rev().collect::<Vec<u32>>(), right, "{words:?}");
    }
}
