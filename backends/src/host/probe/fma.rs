//! Chains of fused multiply-adds: x ← a·x + b, many times over, in vector registers.

use super::NATIVE;
use super::chains::{Function, Steps, f32_chains, f64_chains};
use crate::host::memory::HostMemory;
use crate::host::views::{view, view_mut};
use crate::{Error, LibraryCall, Result};
use bytemuck::Pod;
use rayon::prelude::*;
use serde_json::Value;

/// The function for a type.
#[derive(Clone, Copy)]
enum Chains {
    F64(Function<f64>),
    F32(Function<f32>),
}

/// y = x, rounded to a multiple of `unit`, after `bodies` times `body` steps.
pub(in crate::host) struct Fma {
    lanes: usize,
    chains: Chains,
    steps: Steps<f64>,
}

/// Lanes that a thread takes at a time: a multiple of those that any function has in registers.
const PIECE: usize = 16 * 16 * 15;

impl Fma {
    pub(in crate::host) fn prepare(call: &LibraryCall) -> Result<Self> {
        let number = |name: &str| {
            let value = call.arguments.get(name).and_then(Value::as_f64);
            value.ok_or_else(|| Error::invalid(format!("{NATIVE}::fma needs a number `{name}`")))
        };
        let (lanes, chains) = (call.size("lanes")?, call.size("chains")?);
        let function = match call.text("type")? {
            "f64" => f64_chains(chains).map(Chains::F64),
            "f32" => f32_chains(chains).map(Chains::F32),
            other => return Err(Error::unsupported(format!("{NATIVE}::fma has no {other}"))),
        };
        if !lanes.is_multiple_of(PIECE) {
            return Err(Error::unsupported(format!("{NATIVE}::fma takes multiples of {PIECE} lanes")));
        }
        Ok(Self {
            lanes,
            chains: function.ok_or_else(|| Error::unsupported(format!("{NATIVE}::fma has no {chains} chains")))?,
            steps: Steps {
                bodies: call.size("bodies")?,
                body: call.size("body")?,
                unit: number("unit")?,
                a: number("a")?,
                b: number("b")?,
                c: number("c")?,
            },
        })
    }

    pub(in crate::host) fn run(&self, buffers: &[&HostMemory]) -> Result<()> {
        let [x, y] = buffers else {
            return Err(Error::invalid("fma takes the buffers x and y"));
        };
        match self.chains {
            Chains::F64(function) => {
                spread(function, &self.steps, view("X", x, self.lanes)?, view_mut("Y", y, self.lanes)?);
            }
            Chains::F32(function) => {
                let steps = self.steps.narrow();
                spread(function, &steps, view("X", x, self.lanes)?, view_mut("Y", y, self.lanes)?);
            }
        }
        Ok(())
    }
}

fn spread<T: Pod + Send + Sync>(function: Function<T>, steps: &Steps<T>, x: &[T], y: &mut [T]) {
    let pieces = y.par_chunks_mut(PIECE).zip(x.par_chunks(PIECE));
    pieces.with_max_len(1).for_each(|(y, x)| function(steps, x, y));
}
