//! Whether a change made a case worse: the statistics, without measuring anything.
//!
//! The unit is the block: a fresh process that warms up and samples. Samples of one process share its memory layout,
//! its clock and its neighbours, so a block counts once, by its median. Base and candidate run in pairs of blocks in a
//! random order, and a pair gives `d = ln(candidate / base)`, turned so that worse is positive. What the order would do
//! to `d` (drift, heat, what came before) has a random sign of its own in each pair, whatever the noise looks like and
//! however it lasts: the sign-flip test is therefore exact, for any noise, of a change that multiplies by a constant.
//! `signed_rank` takes that test over ranks, where it is exact for any number of pairs without trying 2ᴷ signs,
//! one bad block can't hide a slowdown, and its inversion to an interval is a sort.
//!
//! [`Gate`] asks for pairs until it knows, in two stages. The screen takes every case and settles those that it can
//! prove to be sound; all others are measured afresh to be confirmed, and the error of that stage is divided by their
//! number. Of a whole suite without a slowdown beyond the margin, at most `alpha` are called regressed, however the
//! cases depend on each other, since the second stage's data had no part in choosing its cases. A pass is a claim of one
//! case, and is not made harder by the number of others.
//!
//! Three limits, as shares of the base's time (see [`Options`]):
//! - `margin` (with the noise of identical builds and the clock's resolution, whichever is largest): a slowdown
//!   up to it is no regression. REGRESSED says that the slowdown is proven to be larger.
//! - `allowed`: PASS says that the slowdown is proven to be smaller. Between the two, either may be said.
//! - `detectable`: where even a slowdown so large might have gone unnoticed, there is no PASS.
//!
//! What is proven in neither direction is INCONCLUSIVE, and so is a case of which throttling spoilt too many pairs.
//!
//! The tests simulate suites under seven kinds of noise and hold the gate to its promises; they print what they found:
//! `cargo test -p accelbench gate::tests::bars -- --nocapture`.

mod decision;
mod estimate;
mod options;
mod pairs;
mod plan;
mod reading;
mod signed_rank;
mod verdict;

#[cfg(test)]
mod tests;

pub use estimate::Estimate;
pub use options::{Invalid, Options};
pub use plan::{Gate, Step, Task};
pub use reading::{Arm, Case, Direction, Measured, Reading};
pub(crate) use signed_rank::Walsh;
pub use verdict::{Cause, Doubt, Exit, Finding, Stage, Verdict};
