//! A backend from outside the program's own, whose devices are the CPU with one fault each.
//!
//! A fault strikes only where m is a multiple of 3. All other cases of a device must come out right beside it, and the
//! shapes of every profile do.

mod device;
mod probes;
mod spoil;

use accelbench_backends::{
    Absence, AbsenceReason, Device, DeviceId, DeviceInfo, Driver, Error, Presence, Registry, Result,
};
use device::FaultyDevice;

pub use probes::{BAD_CEILINGS, probes};

/// `panic` or `abort`: adds the backend `badprobe`, whose probe ends so.
pub const BAD_PROBE: &str = "FAULTY_PROBE";

/// What is wrong with a device. The names are those of the devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Prints to both streams, without ending its lines and in no known encoding. No fault for a case.
    Noisy,
    /// One element in the last tile is off by 1, where no sample lies.
    WrongElement,
    /// One row keeps what the output held before.
    UnwrittenRow,
    /// The result stands there transposed.
    Transposed,
    /// Sums are kept in half precision, whatever was promised.
    HalfSums,
    /// Only the first submission is run; later ones do nothing and say that all is well.
    Stale,
    /// Takes the process with it.
    Abort,
    /// Never answers.
    Hang,
    /// Is lost.
    Lost,
    /// Reports an error of several lines, as drivers do.
    LongError,
    /// Can't be opened.
    OpenError,
    /// Takes the process with it on being opened.
    OpenAbort,
    /// Never answers on being opened.
    OpenHang,
    /// Nothing: the control. The last, so that its cases follow those of every other device of a run.
    Sound,
}

impl Fault {
    /// All of them, in the order of their devices.
    pub const ALL: [Self; 14] = [
        Self::Noisy,
        Self::WrongElement,
        Self::UnwrittenRow,
        Self::Transposed,
        Self::HalfSums,
        Self::Stale,
        Self::Abort,
        Self::Hang,
        Self::Lost,
        Self::LongError,
        Self::OpenError,
        Self::OpenAbort,
        Self::OpenHang,
        Self::Sound,
    ];

    /// Its device's name on the command line.
    ///
    /// # Panics
    /// Never: every fault is in the list.
    pub fn device(self) -> DeviceId {
        let index = Self::ALL.iter().position(|&fault| fault == self).expect("every fault is in the list");
        DeviceId::new("faulty", index as u32)
    }

    /// The device as its driver states it: the CPU under another name.
    fn info(self, host: &DeviceInfo) -> DeviceInfo {
        DeviceInfo {
            id: self.device(),
            name: format!("{self:?}"),
            vendor: "faults".to_owned(),
            driver: "faulty 1".to_owned(),
            ..host.clone()
        }
    }
}

/// The program's own backends, and the faulty ones.
pub fn registry() -> Registry {
    let mut registry = Registry::builtin();
    registry.register(Box::new(FaultyDriver));
    if std::env::var_os(BAD_PROBE).is_some() {
        registry.register(Box::new(BadProbe));
    }
    registry
}

fn host() -> Result<Box<dyn Device>> {
    Registry::builtin().open(&DeviceId::new("host", 0))
}

/// The backend `faulty`.
struct FaultyDriver;

impl Driver for FaultyDriver {
    fn id(&self) -> &'static str {
        "faulty"
    }

    fn probe(&self) -> Presence {
        match host() {
            Ok(host) => Presence::Present {
                api_version: "faulty 1".to_owned(),
                devices: Fault::ALL.iter().map(|fault| fault.info(host.info())).collect(),
                notes: Vec::new(),
            },
            Err(error) => Absence::new(AbsenceReason::NoDevice, error.to_string(), "repair the host backend").into(),
        }
    }

    fn open(&self, index: u32) -> Result<Box<dyn Device>> {
        let unavailable = |reason: &str| Error::Unavailable { api: "faulty", reason: reason.to_owned() };
        match Fault::ALL.get(index as usize) {
            None => Err(unavailable("there is no such device")),
            Some(Fault::OpenError) => Err(unavailable("it is meant not to open")),
            Some(Fault::OpenAbort) => abort("it is meant to crash on being opened"),
            Some(Fault::OpenHang) => hang(),
            Some(&fault) => Ok(Box::new(FaultyDevice::new(fault, host()?))),
        }
    }
}

/// The backend `badprobe`.
struct BadProbe;

impl Driver for BadProbe {
    fn id(&self) -> &'static str {
        "badprobe"
    }

    fn probe(&self) -> Presence {
        match std::env::var(BAD_PROBE).as_deref() {
            Ok("panic") => panic!("this probe is meant to panic"),
            _ => abort("this probe is meant to crash"),
        }
    }

    fn open(&self, _index: u32) -> Result<Box<dyn Device>> {
        Err(Error::Unavailable { api: "badprobe", reason: "it has no device".to_owned() })
    }
}

fn abort(last_words: &str) -> ! {
    eprintln!("{last_words}");
    std::process::abort()
}

fn hang() -> ! {
    loop {
        std::thread::park();
    }
}
