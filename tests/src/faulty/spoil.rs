//! Faults in what was computed.

use super::Fault;
use accelbench_backends::{DType, Error, LibraryCall, Result};
use accelbench_kernels::Tensor;
use half::f16;

/// A matrix product, as its kernel was prepared for it.
#[derive(Clone)]
pub(super) struct Product {
    pub(super) m: usize,
    n: usize,
    k: usize,
    dtype: DType,
    /// Neither input is stored transposed.
    plain: bool,
}

impl Product {
    pub(super) fn of(call: &LibraryCall) -> Result<Self> {
        let name = call.text("storage")?;
        let dtype = [DType::F64, DType::F32, DType::F16].into_iter().find(|dtype| dtype.name() == name);
        Ok(Self {
            m: call.size("m")?,
            n: call.size("n")?,
            k: call.size("k")?,
            dtype: dtype.ok_or_else(|| Error::unsupported(format!("no type {name}")))?,
            plain: ["trans_a", "trans_b"].iter().all(|name| call.arguments[*name] == false),
        })
    }

    /// Where a row of the output starts, and how long it is, in bytes.
    pub(super) fn row(&self, row: usize) -> (u64, u64) {
        let bytes = self.n as u64 * self.dtype.bytes();
        (row as u64 * bytes, bytes)
    }

    fn read(&self, bytes: &[u8]) -> Vec<f64> {
        let mut tensor = Tensor::zeros(self.dtype, bytes.len() / self.dtype.bytes() as usize);
        tensor.bytes_mut().copy_from_slice(bytes);
        tensor.to_f64()
    }

    fn write(&self, values: &[f64], bytes: &mut [u8]) {
        let tensor = match self.dtype {
            DType::F64 => Tensor::F64(values.to_vec()),
            DType::F16 => Tensor::F16(values.iter().map(|&value| f16::from_f64(value)).collect()),
            _ => Tensor::F32(values.iter().map(|&value| value as f32).collect()),
        };
        bytes.copy_from_slice(tensor.bytes());
    }

    /// The product with its sums kept in half precision.
    fn in_half(&self, a: &[f64], b: &[f64]) -> Vec<f64> {
        assert!(self.plain, "this fault is planted for plain layouts only");
        let mut sums = vec![0.0; self.m * self.n];
        for (sums, a) in sums.chunks_mut(self.n).zip(a.chunks(self.k)) {
            for (&a, b) in a.iter().zip(b.chunks(self.n)) {
                for (sum, &b) in sums.iter_mut().zip(b) {
                    *sum = f16::from_f64(*sum + a * b).to_f64();
                }
            }
        }
        sums
    }
}

/// Does to an output what the fault does to it.
pub(super) fn spoil(fault: Fault, product: &Product, [a, b]: &[Vec<u8>; 2], output: &mut [u8]) {
    let (m, n) = (product.m, product.n);
    let mut values = product.read(output);
    match fault {
        Fault::WrongElement => values[(m - 2) * n + (n - 2)] += 1.0,
        Fault::Transposed => values = (0..m * n).map(|e| values[e % m * n + e / m]).collect(),
        Fault::HalfSums => values = product.in_half(&product.read(a), &product.read(b)),
        _ => return,
    }
    product.write(&values, output);
}
