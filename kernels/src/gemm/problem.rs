//! A GEMM's sizes, layout and types, checked once.

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

const LARGEST_SIDE: u64 = i32::MAX as u64;

impl GemmProblem {
    /// Reads and checks the fields `m`, `n`, `k` and, optionally, `trans`.
    ///
    /// # Errors
    /// [`ShapeError`], naming the field.
    pub fn from_fields(precision: Precision, fields: &BTreeMap<String, String>) -> Result<Self, ShapeError> {
        if let Some(unknown) = fields.keys().find(|name| !["m", "n", "k", "trans"].contains(&name.as_str())) {
            return Err(ShapeError(format!("gemm has no field `{unknown}`; it has m, n, k and trans")));
        }
        let side = |name: &str| -> Result<u32, ShapeError> {
            let text = fields.get(name).ok_or_else(|| ShapeError(format!("gemm needs {name}=NUMBER")))?;
            match text.parse::<u64>() {
                Ok(0) => Err(ShapeError(format!("gemm's {name} is 0; it must be at least 1"))),
                Ok(value) if value <= LARGEST_SIDE => Ok(value as u32),
                Ok(_) => Err(ShapeError(format!("gemm's {name} of {text} is above the largest, {LARGEST_SIDE}"))),
                Err(_) if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) => {
                    Err(ShapeError(format!("gemm's {name} of {text} is above the largest, {LARGEST_SIDE}")))
                }
                Err(_) => Err(ShapeError(format!("gemm's {name} of `{text}` is not a whole number"))),
            }
        };
        let (m, n, k) = (side("m")?, side("n")?, side("k")?);
        let (trans_a, trans_b) = match fields.get("trans").map_or("nn", String::as_str) {
            "nn" => (false, false),
            "nt" => (false, true),
            "tn" => (true, false),
            "tt" => (true, true),
            other => return Err(ShapeError(format!("gemm's trans of `{other}` is none of nn, nt, tn, tt"))),
        };
        let bytes = u128::from(precision.storage().bytes());
        for (name, rows, columns) in [("A", m, k), ("B", k, n), ("C", m, n)] {
            if u128::from(rows) * u128::from(columns) * bytes > i64::MAX as u128 {
                return Err(ShapeError(format!(
                    "gemm's {name} of {rows} × {columns} {precision} overflows 2^63 bytes"
                )));
            }
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

    /// Bytes of A, B and C.
    pub fn bytes(&self) -> [u64; 3] {
        self.elements().map(|elements| elements * self.precision.storage().bytes())
    }
}
