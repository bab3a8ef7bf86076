//! Attention's sizes, mask and types, checked once.

use crate::fields::{Reader, check_bytes};
use crate::{Precision, ShapeError};
use std::collections::BTreeMap;

/// A valid attention: `kv_heads` divides `heads`, with the causal mask `seq_q ≤ seq_kv`, every side is from 1 to 2³¹−1 and
/// every tensor's bytes are below 2⁶³.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AttentionProblem {
    /// The numeric types.
    pub precision: Precision,
    /// Sequences.
    pub batch: u32,
    /// Heads of Q and O.
    pub heads: u32,
    /// Heads of K and V.
    pub kv_heads: u32,
    /// Queries of a sequence.
    pub seq_q: u32,
    /// Keys of a sequence.
    pub seq_kv: u32,
    /// Length of a query, a key and a value.
    pub head_dim: u32,
    /// Query i sees the keys `j ≤ i + seq_kv − seq_q` only.
    pub causal: bool,
}

impl AttentionProblem {
    /// Reads and checks the fields `heads seq_q head_dim` and, optionally, `batch kv_heads seq_kv causal`.
    ///
    /// # Errors
    /// [`ShapeError`], naming the field.
    pub fn from_fields(precision: Precision, fields: &BTreeMap<String, String>) -> Result<Self, ShapeError> {
        let known = ["batch", "heads", "kv_heads", "seq_q", "seq_kv", "head_dim", "causal"];
        let fields = Reader::new("attention", fields, &known)?;
        let (heads, seq_q) = (fields.side("heads")?, fields.side("seq_q")?);
        let problem = Self {
            precision,
            batch: fields.side_or("batch", 1)?,
            heads,
            kv_heads: fields.side_or("kv_heads", heads)?,
            seq_q,
            seq_kv: fields.side_or("seq_kv", seq_q)?,
            head_dim: fields.side("head_dim")?,
            causal: fields.word("causal", &["no", "yes"])? == "yes",
        };
        problem.check()?;
        Ok(problem)
    }

    fn check(&self) -> Result<(), ShapeError> {
        let Self { batch, heads, kv_heads, seq_q, seq_kv, head_dim, .. } = *self;
        if !heads.is_multiple_of(kv_heads) {
            return Err(ShapeError(format!(
                "attention's heads of {heads} are not a multiple of its kv_heads of {kv_heads}"
            )));
        }
        if self.causal && seq_q > seq_kv {
            return Err(ShapeError(format!(
                "attention's seq_q of {seq_q} is above its seq_kv of {seq_kv}: with the causal mask the first queries \
                 would see no key"
            )));
        }
        // Rows are single indices in kernels.
        for (name, heads, sequence) in
            [("queries batch·heads·seq_q", heads, seq_q), ("keys batch·kv_heads·seq_kv", kv_heads, seq_kv)]
        {
            if u128::from(batch) * u128::from(heads) * u128::from(sequence) > i32::MAX as u128 {
                return Err(ShapeError(format!("attention's {name} are more than 2^31 - 1")));
            }
        }
        let bytes = self.precision.storage().bytes();
        check_bytes("attention", "Q", &[batch, heads, seq_q, head_dim], bytes)?;
        check_bytes("attention", "K", &[batch, kv_heads, seq_kv, head_dim], bytes)
    }

    /// How many query heads share a key and value head.
    pub fn group(&self) -> u32 {
        self.heads / self.kv_heads
    }

    /// Key heads of all sequences.
    pub fn key_heads(&self) -> u32 {
        self.batch * self.kv_heads
    }

    /// Queries of all heads that share a key head. They lie one after the other in memory.
    pub fn rows(&self) -> u32 {
        self.group() * self.seq_q
    }

    /// How many keys query `i` sees: the first ones.
    pub fn visible(&self, i: u32) -> u32 {
        if self.causal { i + self.seq_kv - self.seq_q + 1 } else { self.seq_kv }
    }

    /// Elements of Q, K, V and O.
    pub fn elements(&self) -> [u64; 4] {
        let [batch, heads, kv_heads, seq_q, seq_kv, head_dim] =
            [self.batch, self.heads, self.kv_heads, self.seq_q, self.seq_kv, self.head_dim].map(u64::from);
        let (q, k) = (batch * heads * seq_q * head_dim, batch * kv_heads * seq_kv * head_dim);
        [q, k, k, q]
    }

    /// Bytes of Q, K, V and O.
    pub fn bytes(&self) -> [u64; 4] {
        self.elements().map(|elements| elements * self.precision.storage().bytes())
    }
}
