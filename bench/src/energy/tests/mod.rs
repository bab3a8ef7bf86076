//! The protocol over simulated devices and meters whose truth is known in closed form.

mod bars;
mod faults;
mod serving;
mod simulation;
