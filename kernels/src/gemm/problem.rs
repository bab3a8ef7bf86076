//! A GEMM's sizes, layout and types, checked once.

use crate::fields::{Reader, check_bytes};
use crate::{Precision, ShapeError};
use std::collections::BTreeMap;

/// A valid GEMM: sides from 1 to 2³¹−1, and every matrix's bytes below 2⁶³.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GemmProblem {
    /// The numeric types.
    pub precision: Precision,
    /// Rows of C.
    pub m: u32,
    /// Columns of C.
    pub n: u32,
    /// Length of the sums.
    pub k: u32,
    /// A is stored as k × m.
    pub trans_a: bool,
    /// B is stored as n × k.
    pub trans_b: bool,
}

impl GemmProblem {
    /// Reads and checks the fields `m`, `n`, `k` and, optionally, `trans`.
    ///
    /// # Errors
    /// [`ShapeError`], naming the field.
    pub fn from_fields(precision: Precision, fields: &BTreeMap<String, String>) -> Result<Self, ShapeError> {
        let fields = Reader::new("gemm", fields, &["m", "n", "k", "trans"])?;
        let (m, n, k) = (fields.side("m")?, fields.side("n")?, fields.side("k")?);
        let trans = fields.word("trans", &["nn", "nt", "tn", "tt"])?;
        let (trans_a, trans_b) = (trans.starts_with('t'), trans.ends_with('t'));
        let (input, output) = (precision.storage().bytes(), precision.result().bytes());
        for (name, rows, columns, bytes) in [("A", m, k, input), ("B", k, n, input), ("C", m, n, output)] {
            check_bytes("gemm", name, &[rows, columns], bytes)?;
        }
        Ok(Self { precision, m, n, k, trans_a, trans_b })
    }

    /// The layout's name: `nn`, `nt`, `tn` or `tt`.
    pub fn trans(&self) -> &'static str {
        match (self.trans_a, self.trans_b) {
            (false, false) => "nn",
            (false, true) => "nt",
            (true, false) => "tn",
            (true, true) => "tt",
        }
    }

    /// Elements of A, B and C.
    pub fn elements(&self) -> [u64; 3] {
        let (m, n, k) = (u64::from(self.m), u64::from(self.n), u64::from(self.k));
        [m * k, k * n, m * n]
    }
}
