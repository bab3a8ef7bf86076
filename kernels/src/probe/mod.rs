//! Ceilings: what a device's arithmetic and memory can do at best, as operations like any other, in a catalogue of their
//! own.
//!
//! A ceiling is the best rate over all plans of a case whose `fields` each operation gives for a device: every plan keeps
//! another number of independent chains or accumulators busy, and which one fits a device is measured, not known.
//!
//! Every output is verified, and would be wrong had the device done less than was counted: a rate that came from work
//! left out is no ceiling.
//!
//! - [`fma`]: vector units, by chains of fused multiply-adds that never leave the registers.
//! - [`matrix`]: units that multiply matrices, where the device has them and a language reaches them.
//! - [`stream`]: memory and caches, by the five kernels of `BabelStream`.

pub mod fma;
pub mod matrix;
pub mod stream;
mod via;

use crate::Catalogue;
use std::collections::BTreeMap;

/// A shape as an operation takes it: fields by name.
pub type Fields = BTreeMap<String, String>;

/// The operations that find ceilings.
pub fn catalogue() -> Catalogue {
    let mut catalogue = Catalogue::default();
    catalogue.register(Box::new(fma::Fma));
    catalogue.register(Box::new(matrix::Matrix));
    catalogue.register(Box::new(stream::Stream));
    catalogue
}

/// The shapes whose best rates are such a device's ceilings for an operation of this catalogue and a type; none for
/// other operations.
pub fn fields(operation: &str, precision: crate::Precision, caps: &accelbench_backends::Caps) -> Vec<Fields> {
    match operation {
        "fma" => fma::fields(precision, caps),
        "matrix" => matrix::fields(precision, caps),
        "stream" => stream::fields(precision, caps),
        _ => Vec::new(),
    }
}
