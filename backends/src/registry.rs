//! The backends of this program, in the order in which they are shown.

use crate::{Absence, AbsenceReason, Device, DeviceId, Driver, Error, Presence, Result};

/// Backends and libraries named here, separated by commas, are treated as absent.
pub const DISABLE_VARIABLE: &str = "ACCELBENCH_DISABLE";

/// Whether [`DISABLE_VARIABLE`] names this backend or library.
pub(crate) fn is_disabled(name: &str) -> bool {
    std::env::var(DISABLE_VARIABLE).unwrap_or_default().split(',').any(|disabled| disabled.trim() == name)
}

/// The known backends; none by default.
#[derive(Default)]
pub struct Registry {
    drivers: Vec<Box<dyn Driver>>,
}

impl Registry {
    /// All backends of this crate. One that was left out at build time is there too, and says so when probed.
    pub fn builtin() -> Self {
        let mut registry = Self::default();
        macro_rules! backend {
            ($feature:literal, $driver:expr) => {
                #[cfg(feature = $feature)]
                registry.register(Box::new($driver));
                #[cfg(not(feature = $feature))]
                registry.register(Box::new(LeftOut($feature)));
            };
        }
        backend!("host", crate::host::HostDriver);
        backend!("cuda", crate::cuda::CudaDriver);
        backend!("opencl", crate::opencl::OpenClDriver);
        backend!("webgpu", crate::webgpu::WebGpuDriver);
        registry
    }

    /// Adds a backend, which may come from outside this crate.
    pub fn register(&mut self, driver: Box<dyn Driver>) {
        self.drivers.push(driver);
    }

    /// The backends' ids, in order.
    pub fn ids(&self) -> impl Iterator<Item = &'static str> {
        self.drivers.iter().map(|driver| driver.id())
    }

    /// How the names of environment variables start that change what the backends do.
    pub fn environment(&self) -> impl Iterator<Item = &'static str> {
        self.drivers.iter().flat_map(|driver| driver.environment().iter().copied())
    }

    /// Probes one backend; none is known by that id where this is `None`.
    pub fn probe(&self, id: &str) -> Option<Presence> {
        let driver = self.driver(id)?;
        if is_disabled(id) {
            return Some(
                Absence::new(
                    AbsenceReason::Disabled,
                    format!("{DISABLE_VARIABLE} names {id}"),
                    format!("take {id} out of {DISABLE_VARIABLE}"),
                )
                .into(),
            );
        }
        Some(driver.probe())
    }

    /// Opens a device.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when there is no such backend or device.
    pub fn open(&self, id: &DeviceId) -> Result<Box<dyn Device>> {
        let driver = self.driver(&id.backend).ok_or_else(|| Error::Unavailable {
            api: "accelbench",
            reason: format!("there is no backend `{}`", id.backend),
        })?;
        driver.open(id.index)
    }

    fn driver(&self, id: &str) -> Option<&dyn Driver> {
        self.drivers.iter().map(Box::as_ref).find(|driver| driver.id() == id)
    }
}

/// Stands for a backend that the program was built without.
#[allow(dead_code)] // With all features on, nothing is left out.
struct LeftOut(&'static str);

impl Driver for LeftOut {
    fn id(&self) -> &'static str {
        self.0
    }

    fn probe(&self) -> Presence {
        Absence::new(
            AbsenceReason::NotCompiledIn,
            format!("this program was built without the `{}` feature", self.0),
            format!("build with `--features {}`", self.0),
        )
        .into()
    }

    fn open(&self, _index: u32) -> Result<Box<dyn Device>> {
        Err(Error::Unavailable { api: self.0, reason: "it was left out when the program was built".into() })
    }
}
