//! The plans that won when kernels were tuned: the tables under `tuned/`, one for each family of devices.
//!
//! `accelbench tune --export` writes them. They are data that this crate only carries: who knows devices reads them.

/// The JSON text of every table.
pub const TABLES: &[&str] = include!(concat!(env!("OUT_DIR"), "/tables.rs"));
