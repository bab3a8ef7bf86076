//! What a program of this kind is made of: its backends and its operations.

use crate::energy;
use accelbench_backends::Registry;
use accelbench_backends::meters::Finding;
use accelbench_kernels::{Catalogue, probe};

/// The backends and operations of a program. Functions, since each worker process makes its own.
///
/// A program with a backend or an operation of its own passes functions that register them, and has every command,
/// the worker processes included.
#[derive(Clone, Copy)]
pub struct App {
    /// Makes the registry of backends.
    pub registry: fn() -> Registry,
    /// Makes the catalogue of operations.
    pub catalogue: fn() -> Catalogue,
    /// Makes the catalogue of the probes that find ceilings: operations by the names that [`probe::catalogue`] has.
    pub probes: fn() -> Catalogue,
    /// Looks for the machine's energy meters.
    pub meters: fn() -> Vec<Finding>,
}

impl App {
    /// The program `accelbench` itself.
    pub fn builtin() -> Self {
        Self {
            registry: Registry::builtin,
            catalogue: Catalogue::builtin,
            probes: probe::catalogue,
            meters: energy::find,
        }
    }
}
