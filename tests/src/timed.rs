//! A backend whose times are made up: it computes on the CPU, and says that a run took a millisecond, or as much more as
//! the environment asks for. Two builds that differ are the same program with other variables.

use crate::of_inner;
use accelbench_backends::meters::{Finding, Meter, MeterError, MeterInfo, MeterKind, Reading, Scope, Serves};
use accelbench_backends::{
    Buffer, Clock, Command, DType, Device, DeviceId, DeviceInfo, DeviceToken, Driver, Error, Kernel, KernelSpec,
    Presence, Registry, Result, Source, Span, Ticket,
};
use std::cell::RefCell;
use std::collections::HashSet;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

/// By how many percent everything takes longer.
pub const SLOWER: &str = "TIMED_SLOWER";
/// The device's clock in MHz, instead of 1000, as its meter tells it.
pub const CLOCK: &str = "TIMED_CLOCK";
/// Times scatter by some ten percent from process to process.
pub const NOISE: &str = "TIMED_NOISE";
/// Up to this process heat holds the device back, as its meter says.
pub const HOT: &str = "TIMED_HOT";
/// The last element of a product, in its last tile, is off by 1.
pub const WRONG: &str = "TIMED_WRONG";
/// Every launch fails.
pub const FAILS: &str = "TIMED_FAILS";
/// The device's driver, instead of `timed 1`.
pub const DRIVER: &str = "TIMED_DRIVER";
/// The device has no double precision.
pub const NO_F64: &str = "TIMED_NO_F64";
/// The folder in which processes are counted, and in which the device leaves what its meter tells.
pub const STATE: &str = "TIMED_STATE";

/// What a run takes unless the environment says otherwise, in nanoseconds.
const RUN_NS: f64 = 1e6;
/// How long a meter shows what is to be seen.
const SEEN: Duration = Duration::from_millis(150);
/// How long a submission really takes at least, so that the meter sees the device under load.
const PAUSE: Duration = Duration::from_millis(1);
/// Watts under load, and without.
const WATTS: [f64; 2] = [300.0, 50.0];

/// The backend, and the host's.
pub fn registry() -> Registry {
    let mut registry = Registry::builtin();
    registry.register(Box::new(TimedDriver));
    registry
}

/// The device's meter, where there is a folder for its state.
pub fn meters() -> Vec<Finding> {
    let Some(folder) = state() else { return Vec::new() };
    let info = MeterInfo {
        id: "timed".to_owned(),
        source: folder.display().to_string(),
        kind: MeterKind::InstantPower,
        scope: Scope::Chip,
        serves: Serves::Processor,
        resolution_j: None,
        wraps_at_j: None,
        stated_tick_s: None,
        interval_s: 0.0,
        accuracy: 0.05,
        accuracy_source: "made up".to_owned(),
        privilege: None,
    };
    vec![Finding::Found(Box::new(TimedMeter { info, file: folder.join("meter") }))]
}

struct TimedMeter {
    info: MeterInfo,
    file: PathBuf,
}

impl Meter for TimedMeter {
    fn info(&self) -> &MeterInfo {
        &self.info
    }

    fn read(&mut self) -> std::result::Result<Reading, MeterError> {
        // Before its first load the device runs at its usual clock.
        let text = std::fs::read_to_string(&self.file).unwrap_or_else(|_| format!("{} 1000", WATTS[1]));
        let mut words = text.split_whitespace();
        let watts = words.next().and_then(|word| word.parse().ok());
        let clock_mhz = words.next().and_then(|word| word.parse().ok());
        Ok(Reading { watts, clock_mhz, throttle: words.map(str::to_owned).collect(), ..Reading::default() })
    }
}

fn state() -> Option<PathBuf> {
    std::env::var_os(STATE).map(PathBuf::from)
}

fn number(name: &str) -> Option<f64> {
    std::env::var(name).ok()?.parse().ok()
}

fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some()
}

fn host() -> Result<Box<dyn Device>> {
    Registry::builtin().open(&DeviceId::new("host", 0))
}

/// The device as its driver states it.
fn info(host: &DeviceInfo) -> DeviceInfo {
    let mut info = DeviceInfo {
        id: DeviceId::new("timed", 0),
        name: "a stopped clock".to_owned(),
        vendor: "tests".to_owned(),
        driver: std::env::var(DRIVER).unwrap_or_else(|_| "timed 1".to_owned()),
        ..host.clone()
    };
    info.caps.clock = Clock::DeviceEvent;
    info.caps.clock_resolution_ns = 1.0;
    if is_set(NO_F64) {
        info.caps.storage.remove(&DType::F64);
        info.caps.compute.remove(&DType::F64);
    }
    info
}

/// The backend `timed`.
struct TimedDriver;

impl Driver for TimedDriver {
    fn id(&self) -> &'static str {
        "timed"
    }

    fn probe(&self) -> Presence {
        let devices = host().map(|host| vec![info(host.info())]).unwrap_or_default();
        Presence::Present { api_version: "timed 1".to_owned(), devices, notes: Vec::new() }
    }

    fn open(&self, index: u32) -> Result<Box<dyn Device>> {
        if index > 0 {
            return Err(Error::Unavailable { api: "timed", reason: "there is one device".to_owned() });
        }
        let inner = host()?;
        Ok(Box::new(Timed {
            token: DeviceToken::new(),
            info: info(inner.info()),
            inner,
            run_ns: RUN_NS * (1.0 + number(SLOWER).unwrap_or(0.0) / 100.0) * scatter(),
            products: RefCell::default(),
            outputs: RefCell::default(),
            spans: RefCell::default(),
        }))
    }
}

/// What noise makes of this process's times.
fn scatter() -> f64 {
    let random = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), 0) as f64 / u64::MAX as f64;
    if is_set(NOISE) { 0.7 + 0.6 * random } else { 1.0 }
}

/// Whether this is a worker of a block. A build that is asked what it would run is ended once it has told, and may have
/// begun by then.
fn is_block() -> bool {
    let command = format!("/proc/{}/cmdline", std::os::unix::process::parent_id());
    std::fs::read(command).is_ok_and(|line| line.split(|byte| *byte == 0).any(|word| word == b"--resume"))
}

/// Counts this process among those that measure. True where heat is to hold it back.
fn is_hot() -> bool {
    let (Some(folder), Some(last)) = (state(), number(HOT)) else { return false };
    let path = folder.join("processes");
    let mut file = std::fs::OpenOptions::new().append(true).create(true).open(&path).expect("the file of processes");
    file.write_all(b".").expect("one byte");
    std::fs::metadata(&path).expect("the file's length").len() as f64 <= last
}

/// Leaves what the meter tells from now on.
fn tell_meter(watts: f64, hot: bool) {
    let Some(folder) = state() else { return };
    let clock = number(CLOCK).unwrap_or(1000.0);
    let new = folder.join(format!("meter-{}", std::process::id()));
    // Whole or not at all: the meter is read meanwhile.
    let told = format!("{watts} {clock} {}", if hot { "hw_thermal_slowdown" } else { "" });
    std::fs::write(&new, told)
        .and_then(|()| std::fs::rename(&new, folder.join("meter")))
        .expect("what the meter tells");
}

struct Timed {
    token: DeviceToken,
    info: DeviceInfo,
    inner: Box<dyn Device>,
    run_ns: f64,
    /// Kernels that multiply matrices.
    products: RefCell<HashSet<u64>>,
    /// Buffers that they wrote.
    outputs: RefCell<HashSet<u64>>,
    /// Of each submission, in order.
    spans: RefCell<Vec<Vec<Span>>>,
}

impl Device for Timed {
    fn info(&self) -> &DeviceInfo {
        &self.info
    }

    of_inner!(alloc upload memory);

    fn download(&self, src: &Buffer, offset: u64, dst: &mut [u8]) -> Result<()> {
        self.inner.download(src, offset, dst)?;
        tell_meter(WATTS[1], false);
        if is_set(WRONG) && self.outputs.borrow().contains(&src.id()) {
            // In single precision.
            let last = dst.last_chunk_mut::<4>().expect("an element");
            *last = (f32::from_le_bytes(*last) + 1.0).to_le_bytes();
        }
        Ok(())
    }

    fn compile(&self, spec: &KernelSpec) -> Result<Kernel> {
        let kernel = self.inner.compile(spec)?;
        if matches!(&spec.source, Source::Library(call) if call.function == "gemm") {
            self.products.borrow_mut().insert(kernel.id());
            let hot = is_block() && is_hot();
            tell_meter(WATTS[0], hot);
            if hot {
                // This device's clock stands still: it would be done before anybody reads its meter.
                std::thread::sleep(SEEN);
            }
        }
        Ok(kernel)
    }

    fn submit(&self, commands: &[Command<'_>]) -> Result<Ticket> {
        let mut launches: Vec<u32> = Vec::new();
        for command in commands {
            match command {
                Command::Begin => launches.push(0),
                Command::Launch(_) if is_set(FAILS) => {
                    return Err(Error::Driver {
                        api: "timed",
                        call: "launch",
                        code: 7,
                        name: "it is meant to fail".into(),
                    });
                }
                Command::Launch(launch) => {
                    if let Some(launches) = launches.last_mut() {
                        *launches += 1;
                    }
                    if self.products.borrow().contains(&launch.kernel.id()) {
                        self.outputs.borrow_mut().insert(launch.buffers[2].id());
                    }
                }
                _ => {}
            }
        }
        std::thread::sleep(PAUSE);
        // The host is done when it has submitted.
        self.inner.wait(self.inner.submit(commands)?)?;
        let span = |launches| Span { ns: self.run_ns * f64::from(launches), clock: Clock::DeviceEvent };
        let mut spans = self.spans.borrow_mut();
        spans.push(launches.into_iter().map(span).collect());
        Ok(Ticket::new(self.token, spans.len() as u64 - 1))
    }

    fn wait(&self, ticket: Ticket) -> Result<Vec<Span>> {
        let number = ticket.number(self.token)? as usize;
        let spans = self.spans.borrow_mut().get_mut(number).map(std::mem::take);
        spans.ok_or_else(|| Error::invalid("there was no such submission"))
    }
}
