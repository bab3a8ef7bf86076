//! Attention forward: softmax(Q·Kᵀ/√d)·V with the softmax taken block by block, so that memory does not grow with the
//! sequence.
//!
//! A thread takes a block of queries and goes through the keys a block at a time. It keeps, for each query, the largest
//! score so far, the sum of the exponentials relative to it, and their product with V, and scales the last two whenever
//! the first grows. Where there are fewer blocks of queries than threads, threads share out the keys, and what they kept
//! is merged at the end.

mod softmax;
#[cfg(test)]
mod tests;

use super::block::{Pool, evenly, pieces};
use super::element::{Element, Precision, Real};
use super::memory::HostMemory;
use super::tiles::{Lanes, Left, ROWS, Tall, Wide, columns, lanes, pack_b, product};
use super::views::{view, view_mut};
use crate::{Error, LibraryCall, Result};
use half::f16;
use rayon::prelude::*;
use softmax::{LANES, State, mask};
use std::ops::Range;

/// Queries of a block.
const QUERIES: usize = 256;
/// Keys of a block: whole tiles, and so few that its scores, K and V stay in a core's own cache.
const KEYS: usize = 42 * ROWS;
/// Queries that go together where some keys of a block are masked: few, so that few masked scores are computed, and whole
/// panels.
const MASKED_QUERIES: usize = 64;

/// What the function is told.
#[derive(Clone)]
struct Shape {
    /// Pairs of a batch and a head of K and V.
    problems: usize,
    /// Heads of Q that share a head of K and V. Their queries follow each other, so they are rows of one matrix.
    group: usize,
    seq_q: usize,
    seq_kv: usize,
    head_dim: usize,
    causal: bool,
}

impl Shape {
    fn of(call: &LibraryCall) -> Result<Self> {
        let positive = |name: &str| {
            let size = call.size(name)?;
            if size == 0 { Err(Error::invalid(format!("attention with `{name}` 0"))) } else { Ok(size) }
        };
        let (batch, heads, kv_heads) = (positive("batch")?, positive("heads")?, positive("kv_heads")?);
        if heads % kv_heads != 0 {
            return Err(Error::invalid(format!("kv_heads {kv_heads} do not divide heads {heads}")));
        }
        let (seq_q, seq_kv, head_dim) = (positive("seq_q")?, positive("seq_kv")?, positive("head_dim")?);
        let causal = call.flag("causal")?;
        if causal && seq_kv < seq_q {
            return Err(Error::invalid(format!("causal attention of seq_q {seq_q} over fewer keys, seq_kv {seq_kv}")));
        }
        let largest = [batch, heads, seq_q.max(seq_kv), head_dim];
        if largest.iter().try_fold(8_usize, |bytes, size| bytes.checked_mul(*size)).is_none() {
            return Err(Error::invalid("attention larger than any memory"));
        }
        Ok(Self { problems: batch * kv_heads, group: heads / kv_heads, seq_q, seq_kv, head_dim, causal })
    }

    /// Elements of Q and of O.
    fn q_len(&self) -> usize {
        self.problems * self.group * self.seq_q * self.head_dim
    }

    /// Elements of K and of V.
    fn kv_len(&self) -> usize {
        self.problems * self.seq_kv * self.head_dim
    }

    /// Keys that the query of a row sees.
    fn visible(&self, row: usize) -> usize {
        if self.causal { row % self.seq_q + 1 + self.seq_kv - self.seq_q } else { self.seq_kv }
    }

    /// Keys that any query of these rows sees.
    fn reach(&self, rows: &Range<usize>) -> usize {
        let one_head = rows.start / self.seq_q == (rows.end - 1) / self.seq_q;
        if one_head { self.visible(rows.end - 1) } else { self.seq_kv }
    }

    /// Blocks of rows of a problem: parts of a head, or whole heads where several fit.
    fn blocks(&self) -> Vec<Range<usize>> {
        let rows = self.group * self.seq_q;
        let (span, most) = if self.seq_q < QUERIES {
            (rows, QUERIES / self.seq_q * self.seq_q)
        } else {
            (self.seq_q, evenly(self.seq_q, QUERIES))
        };
        let spans = (0..rows).step_by(span);
        spans.flat_map(|start| pieces(start..start + span, most)).collect()
    }
}

/// A block of queries of a problem, and its part of the output.
struct Task<'a, E> {
    problem: usize,
    rows: Range<usize>,
    output: &'a mut [E],
}

/// A thread's memory, whose size depends on the head's alone.
struct Scratch<T> {
    /// Panels of Q.
    queries: Vec<T>,
    /// Rows of K where they can't be read in place.
    keys: Vec<T>,
    /// Panels of V where it can't be read in place.
    values: Vec<T>,
    /// A row for each key, a column for each query: so softmax goes along vectors, and K is read as it lies.
    scores: Vec<T>,
    state: State<T>,
}

impl<T: Lanes> Scratch<T> {
    fn new(head_dim: usize) -> Self {
        let width = columns::<T>();
        let zeros = |elements: usize| vec![T::ZERO; elements];
        Self {
            queries: zeros(QUERIES.next_multiple_of(width) * head_dim),
            keys: zeros(KEYS * head_dim),
            values: zeros(KEYS * head_dim.next_multiple_of(width)),
            scores: zeros(KEYS * score_stride(QUERIES)),
            state: State::default(),
        }
    }
}

/// Elements from a key's scores to the next one's, of so many queries: whole vectors with room for a tile's rows, and no
/// multiple of what caches tell lines apart by.
fn score_stride(queries: usize) -> usize {
    queries.next_multiple_of(LANES) + LANES / 2
}

/// A prepared attention.
pub(super) struct Attention {
    shape: Shape,
    precision: Precision,
    f32: Pool<Scratch<f32>>,
    f64: Pool<Scratch<f64>>,
}

impl Attention {
    pub(super) fn prepare(call: &LibraryCall) -> Result<Self> {
        let (shape, precision) = (Shape::of(call)?, Precision::of(call)?);
        Ok(Self { shape, precision, f32: Pool::new(), f64: Pool::new() })
    }

    pub(super) fn run(&self, buffers: &[&HostMemory]) -> Result<()> {
        match self.precision {
            Precision::F64 => self.run_as::<f64>(buffers, &self.f64),
            Precision::F32 => self.run_as::<f32>(buffers, &self.f32),
            Precision::F16 => self.run_as::<f16>(buffers, &self.f32),
        }
    }

    fn run_as<E: Element<Real: Lanes>>(&self, buffers: &[&HostMemory], pool: &Pool<Scratch<E::Real>>) -> Result<()> {
        let [q, k, v, o] = buffers else {
            return Err(Error::invalid("attention takes the buffers Q, K, V and O"));
        };
        let (shape, q_len, kv_len) = (&self.shape, self.shape.q_len(), self.shape.kv_len());
        let operands =
            Operands::<E> { shape, q: view("Q", q, q_len)?, k: view("K", k, kv_len)?, v: view("V", v, kv_len)? };
        operands.run(view_mut("O", o, q_len)?, pool);
        Ok(())
    }
}

/// What is read.
struct Operands<'a, E> {
    shape: &'a Shape,
    q: &'a [E],
    k: &'a [E],
    v: &'a [E],
}

impl<E: Element<Real: Lanes>> Operands<'_, E> {
    fn run(&self, output: &mut [E], pool: &Pool<Scratch<E::Real>>) {
        let shape = self.shape;
        let blocks = shape.blocks();
        let mut rest = output;
        let mut tasks = Vec::new();
        for problem in 0..shape.problems {
            for rows in &blocks {
                let (output, after) = rest.split_at_mut(rows.len() * shape.head_dim);
                rest = after;
                tasks.push(Task { problem, rows: rows.clone(), output });
            }
        }
        let threads = rayon::current_num_threads();
        let make = || Scratch::new(shape.head_dim);
        if tasks.len() >= threads {
            // Under a causal mask the last blocks are the longest, and so the first to be started.
            tasks.reverse();
            tasks.into_par_iter().with_max_len(1).for_each(|task| {
                pool.with(make, |scratch| {
                    self.attend(task.problem, &task.rows, 0..shape.reach(&task.rows), scratch);
                    scratch.state.finish(task.output);
                });
            });
            return;
        }
        let parts = threads.div_ceil(tasks.len());
        tasks.into_par_iter().with_max_len(1).for_each(|task| {
            let keys = shape.reach(&task.rows);
            let part = keys.div_ceil(parts).next_multiple_of(KEYS);
            let parts: Vec<_> = pieces(0..keys, part).collect();
            let states = parts.into_par_iter().with_max_len(1).map(|keys| {
                pool.with(make, |scratch| {
                    self.attend(task.problem, &task.rows, keys, scratch);
                    std::mem::take(&mut scratch.state)
                })
            });
            if let Some(mut state) = states.reduce_with(|state, other| state.merged(&other)) {
                state.finish(task.output);
            }
        });
    }

    /// Leaves in the scratch's state what the queries of `rows` get from `keys`.
    fn attend(&self, problem: usize, rows: &Range<usize>, keys: Range<usize>, scratch: &mut Scratch<E::Real>) {
        let shape = self.shape;
        let (d, width) = (shape.head_dim, columns::<E::Real>());
        let Scratch { queries, keys: copy_of_k, values: copy_of_v, scores, state } = scratch;
        self.pack_queries(problem * shape.group * shape.seq_q + rows.start, rows.len(), queries);
        state.clear(rows.len(), d);
        for keys in pieces(keys, KEYS) {
            let first_key = problem * shape.seq_kv + keys.start;
            let k = Tall::stored(self.k, d, first_key..first_key + keys.len(), &(0..d), copy_of_k);
            let v = self.values(first_key, keys.len(), copy_of_v);
            let next_k = (first_key + keys.len()) * d;
            let next_k = &self.k[next_k..self.k.len().min(next_k + KEYS * d)];
            let masked = shape.causal && rows.clone().any(|row| shape.visible(row) < keys.end);
            for part in pieces(rows.clone(), if masked { MASKED_QUERIES } else { rows.len() }) {
                let n = shape.reach(&part).min(keys.end).saturating_sub(keys.start);
                if n == 0 {
                    continue;
                }
                let (first, m, stride) = (part.start - rows.start, part.len(), score_stride(part.len()));
                let q = Wide { elements: &queries[first * d..], panel: width * d, apart: width };
                let next_v = &self.v[first_key * d..][..n * d];
                product([n, m.next_multiple_of(lanes::<E::Real>()), d], &k, &q, scores, stride, false, next_v);
                let scores = &mut scores[..n * stride];
                if masked {
                    let visible = |row| shape.visible(row).saturating_sub(keys.start).min(n) as u32;
                    mask(scores, stride, &part.map(visible).collect::<Vec<_>>());
                }
                state.exponentials(first..first + m, scores, stride);
                let p = Tall { elements: scores, left: Left::Transposed(stride) };
                product([m, d, n], &p, &v, &mut state.output[first * d..], d, true, next_k);
            }
        }
    }

    /// Copies so many queries from the `first` on to panels whose columns they are, scaled as their scores are to be.
    fn pack_queries(&self, first: usize, count: usize, queries: &mut [E::Real]) {
        let (d, width) = (self.shape.head_dim, columns::<E::Real>());
        let scale = E::Real::inverse_root(d);
        for (start, panel) in (0..count).step_by(width).zip(queries.chunks_exact_mut(width * d)) {
            pack_b(true, &self.q[(first + start) * d..], d, width.min(count - start), 0..d, panel);
            for x in panel {
                *x = *x * scale;
            }
        }
    }

    /// `count` rows of V from the `first` on: in place, unless they are to be widened, or are no whole tiles wide and so
    /// copied to panels.
    fn values<'a>(&'a self, first: usize, count: usize, copy: &'a mut [E::Real]) -> Wide<'a, E::Real> {
        let (d, width) = (self.shape.head_dim, columns::<E::Real>());
        let all = &self.v[first * d..][..count * d];
        if d.is_multiple_of(width) {
            return Wide { elements: E::widened(all, copy), panel: width, apart: d };
        }
        let panel = count * width;
        for (start, panel) in (0..d).step_by(width).zip(copy.chunks_exact_mut(panel)) {
            pack_b(false, &all[start..], d, width.min(d - start), 0..count, panel);
        }
        Wide { elements: copy, panel, apart: width }
    }
}
