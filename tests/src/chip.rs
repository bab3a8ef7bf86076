//! A backend of one device: the CPU as a chip with an address, which meters know it by.
//!
//! It rests after each launch, so that a machine of two cores can have many of them under meters at once.

use crate::of_inner;
use accelbench_backends::{
    Absence, AbsenceReason, Command, Device, DeviceId, DeviceInfo, Driver, Error, PhysicalId, Presence, Registry,
    Result, Ticket,
};
use std::time::Duration;

/// The device's PCI address.
pub const ADDRESS: &str = "0000:1b:00.0";

/// The device's name on the command line.
pub const DEVICE: &str = "chip:0";

/// Its rest after each launch.
const REST: Duration = Duration::from_micros(500);

/// The program's own backends, and this one.
pub fn registry() -> Registry {
    let mut registry = Registry::builtin();
    registry.register(Box::new(ChipDriver));
    registry
}

struct ChipDriver;

impl ChipDriver {
    fn device() -> Result<Chip> {
        let inner = Registry::builtin().open(&DeviceId::new("host", 0))?;
        let info = DeviceInfo {
            id: DeviceId::new("chip", 0),
            name: "Chip".to_owned(),
            vendor: "tests".to_owned(),
            driver: "chip 1".to_owned(),
            physical_id: PhysicalId { pci: Some(ADDRESS.to_owned()), uuid: None },
            ..inner.info().clone()
        };
        Ok(Chip { info, inner })
    }
}

impl Driver for ChipDriver {
    fn id(&self) -> &'static str {
        "chip"
    }

    fn probe(&self) -> Presence {
        match Self::device() {
            Ok(chip) => {
                Presence::Present { api_version: "chip 1".to_owned(), devices: vec![chip.info], notes: Vec::new() }
            }
            Err(error) => Absence::new(AbsenceReason::NoDevice, error.to_string(), "repair the host backend").into(),
        }
    }

    fn open(&self, index: u32) -> Result<Box<dyn Device>> {
        match index {
            0 => Ok(Box::new(Self::device()?)),
            _ => Err(Error::Unavailable { api: "chip", reason: "there is one device".to_owned() }),
        }
    }
}

struct Chip {
    info: DeviceInfo,
    inner: Box<dyn Device>,
}

impl Device for Chip {
    fn info(&self) -> &DeviceInfo {
        &self.info
    }

    of_inner!(alloc upload download compile wait memory);

    fn submit(&self, commands: &[Command<'_>]) -> Result<Ticket> {
        let ticket = self.inner.submit(commands)?;
        let launches = commands.iter().filter(|command| matches!(command, Command::Launch(_))).count();
        std::thread::sleep(REST * launches as u32);
        Ok(ticket)
    }
}
