//! copy, mul, add, triad and dot of long vectors, each thread over parts of its own.

use super::NATIVE;
use super::passes::{Op, Part, f32_part, f64_part};
use crate::host::cpu::last_level_cache;
use crate::host::memory::HostMemory;
use crate::host::views::{view, view_mut};
use crate::{Error, LibraryCall, Result};
use bytemuck::Pod;
use rayon::prelude::*;
use serde_json::Value;

/// The function for a type.
#[derive(Clone, Copy)]
enum Function {
    F64(Part<f64>),
    F32(Part<f32>),
}

/// z = x, s·x, x + y or x + s·y, or the sums of x·y over each part; so many times over each part.
pub(in crate::host) struct Stream {
    op: Op,
    elements: usize,
    parts: usize,
    passes: usize,
    s: f64,
    function: Function,
}

impl Stream {
    pub(in crate::host) fn prepare(call: &LibraryCall) -> Result<Self> {
        let op = match call.text("op")? {
            "copy" => Op::Copy,
            "mul" => Op::Mul,
            "add" => Op::Add,
            "triad" => Op::Triad,
            "dot" => Op::Dot,
            other => return Err(Error::unsupported(format!("{NATIVE}::stream has no {other}"))),
        };
        let s = call.arguments.get("s").and_then(Value::as_f64);
        let (elements, parts) = (call.size("elements")?, call.size("parts")?);
        if parts == 0 || !elements.is_multiple_of(16 * parts) {
            return Err(Error::unsupported(format!("{NATIVE}::stream takes multiples of 16 elements a part")));
        }
        let bytes = |element: usize| elements * element * if op.two_inputs() { 3 } else { 2 };
        // A store that goes round the caches spares reading the line first, where the line would not be there.
        let around = |element| last_level_cache().is_some_and(|cache| bytes(element) as u64 > cache);
        let function = match call.text("type")? {
            "f64" => Function::F64(f64_part(op, around(8))),
            "f32" => Function::F32(f32_part(op, around(4))),
            other => return Err(Error::unsupported(format!("{NATIVE}::stream has no {other}"))),
        };
        Ok(Self {
            op,
            elements,
            parts,
            passes: call.size("passes")?,
            s: s.ok_or_else(|| Error::invalid(format!("{NATIVE}::stream needs a number `s`")))?,
            function,
        })
    }

    pub(in crate::host) fn run(&self, buffers: &[&HostMemory]) -> Result<()> {
        let (x, y, z) = match (buffers, self.op.two_inputs()) {
            ([x, z], false) => (x, x, z),
            ([x, y, z], true) => (x, y, z),
            _ => return Err(Error::invalid("stream takes its inputs and its output")),
        };
        let written = if self.op == Op::Dot { self.parts } else { self.elements };
        let n = self.elements;
        match self.function {
            Function::F64(part) => {
                self.spread(part, self.s, view("X", x, n)?, view("Y", y, n)?, view_mut("Z", z, written)?);
            }
            Function::F32(part) => {
                self.spread(part, self.s as f32, view("X", x, n)?, view("Y", y, n)?, view_mut("Z", z, written)?);
            }
        }
        Ok(())
    }

    fn spread<T: Pod + Send + Sync>(&self, part: Part<T>, s: T, x: &[T], y: &[T], z: &mut [T]) {
        let length = self.elements / self.parts;
        let inputs = x.par_chunks(length).zip(y.par_chunks(length));
        let outputs = z.par_chunks_mut(if self.op == Op::Dot { 1 } else { length });
        inputs.zip(outputs).with_max_len(1).for_each(|((x, y), z)| part(self.passes, s, x, y, z));
    }
}
