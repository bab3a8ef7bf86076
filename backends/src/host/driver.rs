//! The host is always present and has one device.

use super::blas;
use super::device::HostDevice;
use crate::{Device, Driver, Error, Presence, Result};

/// The backend `host`.
pub struct HostDriver;

impl Driver for HostDriver {
    fn id(&self) -> &'static str {
        "host"
    }

    fn environment(&self) -> &'static [&'static str] {
        &["RAYON_", "OMP_", "GOMP_", "KMP_", "OPENBLAS_", "GOTO_", "MKL_", "BLIS_"]
    }

    fn probe(&self) -> Presence {
        Presence::Present {
            api_version: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            devices: vec![HostDevice::describe()],
            notes: blas::notes(),
        }
    }

    fn open(&self, index: u32) -> Result<Box<dyn Device>> {
        if index == 0 {
            Ok(Box::new(HostDevice::new()))
        } else {
            Err(Error::Unavailable { api: "host", reason: format!("there is no host:{index}; the CPU is host:0") })
        }
    }
}
