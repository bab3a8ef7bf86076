//! The gate over simulated suites whose truth is known.

mod bars;
mod binomial;
mod figures;
mod mutants;
mod noise;
mod published;
mod simulation;
