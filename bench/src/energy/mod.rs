//! Joules of a run, measured so that they can be believed.
//!
//! `protocol` goes through the phases; it acts on a [`World`], so that the same code measures a device under a meter
//! (`live`) and thousands of simulated ones on a virtual clock (its tests). A counter is read where its figure changes,
//! under a load that runs on before and after; power is integrated. What a fault of the meter spoils is taken again or
//! said, and never printed as joules.

mod effort;
mod figures;
mod live;
mod metered;
mod protocol;
mod ramp;
mod record;
mod serving;
mod uncertainty;
mod window;
mod world;

#[cfg(test)]
mod tests;

pub use effort::{Effort, Mode};
pub use figures::{energy, estimate, kind};
pub use live::Sampler;
pub use metered::{Found, Metered};
pub use protocol::{Base, Ended, Measured, measure, prepare};
pub use serving::{find, meter_for, serves};
pub use world::{Event, World};
