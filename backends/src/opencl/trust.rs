//! Whether a library computes rightly on a device: each of its functions is tried in each type on a small problem of whole
//! numbers, the first time that it is asked for. A driver that compiles the library's kernels wrongly is met in the field.

use super::clblast::Real;
use super::device::OpenClDevice;
use super::kernel::Compiled;
use super::library::LibraryKernel;
use crate::{Access, Command, Device, DeviceToken, Error, Kernel, KernelSpec, Launch, LibraryCall, Result, Source};
use ::half::f16;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// The functions that were tried, by name and type: why each is not to be trusted, or nothing.
#[derive(Default)]
pub(super) struct Trust(RefCell<BTreeMap<(String, String), Option<String>>>);

impl Trust {
    /// Tries the function that `call` calls, unless that was done before.
    ///
    /// # Errors
    /// [`Error::Unsupported`] where it fails or its result is wrong.
    pub(super) fn check(&self, device: &OpenClDevice, token: DeviceToken, call: &LibraryCall) -> Result<()> {
        let key = (call.function.clone(), call.text("storage")?.to_owned());
        let known = self.0.borrow().get(&key).cloned();
        let problem = if let Some(problem) = known {
            problem
        } else {
            let problem = try_out(device, token, call)?;
            self.0.borrow_mut().insert(key, problem.clone());
            problem
        };
        problem.map_or(Ok(()), |problem| {
            Err(Error::unsupported(format!("{}::{} is not used here: {problem}", call.library, call.function)))
        })
    }
}

/// A small problem: inputs and result are whole numbers that every type holds.
struct Sample {
    arguments: Value,
    inputs: [Vec<i8>; 2],
    result: Vec<i8>,
}

/// What is wrong with the function in this type; an error where the device itself fails.
fn try_out(device: &OpenClDevice, token: DeviceToken, call: &LibraryCall) -> Result<Option<String>> {
    let Some(real) = Real::named(call.text("storage")?) else { return Ok(Some("it has no such type".to_owned())) };
    let sample = if call.function == "gemm" { gemm() } else { convolution() };
    match run(device, token, call, real, &sample) {
        Ok(bytes) if bytes == encode(real, &sample.result) => Ok(None),
        Ok(_) => Ok(Some("it computes a small problem wrongly on this device".to_owned())),
        Err(error @ (Error::DeviceLost { .. } | Error::OutOfMemory { .. })) => Err(error),
        Err(error) => Ok(Some(format!("it fails on this device: {error}"))),
    }
}

fn run(device: &OpenClDevice, token: DeviceToken, call: &LibraryCall, real: Real, sample: &Sample) -> Result<Vec<u8>> {
    let mut arguments = sample.arguments.as_object().cloned().unwrap_or_default();
    for name in ["storage", "accumulate"] {
        arguments.insert(name.to_owned(), json!(real.name()));
    }
    let call = LibraryCall { arguments, ..call.clone() };
    let prepared = LibraryKernel::prepare(&call, device.caps())?;
    let spec = KernelSpec {
        source: Source::Library(call.clone()),
        entry: call.function,
        defines: Vec::new(),
        group: [1, 1, 1],
        shared_bytes: 0,
        bindings: vec![Access::Read, Access::Read, Access::Write],
        params_bytes: 0,
    };
    let kernel = Kernel::new(token, &spec, String::new(), Compiled::Library(prepared));
    let buffer = |values: &[i8]| {
        let bytes = encode(real, values);
        let buffer = device.alloc(bytes.len() as u64)?;
        device.upload(&buffer, 0, &bytes)?;
        Ok(buffer)
    };
    // What was there before must not count.
    let (one, two, result) = (buffer(&sample.inputs[0])?, buffer(&sample.inputs[1])?, buffer(&sample.result)?);
    let poison = Command::Fill { dst: &result, pattern: u32::MAX };
    let launch = Launch { kernel: &kernel, grid: [1, 1, 1], buffers: &[&one, &two, &result], params: &[] };
    device.wait(device.submit(&[poison, Command::Launch(launch)])?)?;
    let mut bytes = vec![0; result.bytes() as usize];
    device.download(&result, 0, &mut bytes)?;
    Ok(bytes)
}

fn encode(real: Real, values: &[i8]) -> Vec<u8> {
    let encode = |&value: &i8| match real {
        Real::F64 => f64::from(value).to_ne_bytes().to_vec(),
        Real::F32 => f32::from(value).to_ne_bytes().to_vec(),
        Real::F16 => f16::from_f32(value.into()).to_ne_bytes().to_vec(),
    };
    values.iter().flat_map(encode).collect()
}

/// `len` different small numbers.
fn numbers(len: usize, step: usize) -> Vec<i8> {
    (0..len).map(|at| (at * step % 7) as i8 - 3).collect()
}

/// A of 4 × 3, used transposed, and B of 4 × 5.
fn gemm() -> Sample {
    let (m, n, k) = (3, 5, 4);
    let (a, b) = (numbers(k * m, 5), numbers(k * n, 3));
    let element = |row: usize, column: usize| (0..k).map(|step| a[step * m + row] * b[step * n + column]).sum::<i8>();
    let result = (0..m * n).map(|at| element(at / n, at % n)).collect();
    let arguments = json!({ "m": m, "n": n, "k": k, "trans_a": true, "trans_b": false });
    Sample { arguments, inputs: [a, b], result }
}

/// Images, channels, height and width of an image, filters, height and width of a filter: no two sides are the same where
/// mixing them up could be missed.
const CONVOLUTION: [usize; 7] = [2, 2, 4, 3, 2, 3, 2];

fn convolution() -> Sample {
    let [n, c, h, w, k, r, s] = CONVOLUTION;
    let (x, filters) = (numbers(n * c * h * w, 3), numbers(k * c * r * s, 5));
    let result = convolve(&x, &filters);
    let arguments = json!({
        "n": n, "c": c, "h": h, "w": w, "k": k, "r": r, "s": s, "stride_h": 1, "stride_w": 1, "pad_h": 1, "pad_w": 1,
        "dilation_h": 1, "dilation_w": 1, "groups": 1, "layout": "nchw",
    });
    Sample { arguments, inputs: [x, filters], result }
}

/// The images, padded by 1 on each side, with the filters as they are stored.
fn convolve(x: &[i8], filters: &[i8]) -> Vec<i8> {
    let [n, c, h, w, k, r, s] = CONVOLUTION;
    let [oh, ow] = [h + 2 - r + 1, w + 2 - s + 1];
    let pixel = |image: usize, channel: usize, row: usize, column: usize| {
        let inside = (1..=h).contains(&row) && (1..=w).contains(&column);
        if inside { x[((image * c + channel) * h + row - 1) * w + column - 1] } else { 0 }
    };
    let sum = |at: usize| {
        let (image, filter, row, column) = (at / (k * oh * ow), at / (oh * ow) % k, at / ow % oh, at % ow);
        let term = |term: usize| {
            let (channel, i, j) = (term / (r * s), term / s % r, term % s);
            pixel(image, channel, row + i, column + j) * filters[filter * c * r * s + term]
        };
        (0..c * r * s).map(term).sum()
    };
    (0..n * k * oh * ow).map(sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A convolution in the mathematical sense mirrors its filters.
    #[test]
    fn a_mirrored_filter_is_seen() {
        let Sample { inputs: [x, filters], result, .. } = convolution();
        let [.., r, s] = CONVOLUTION;
        let mirrored: Vec<i8> = filters.chunks(r * s).flat_map(|filter| filter.iter().rev().copied()).collect();
        assert_ne!(convolve(&x, &mirrored), result);
    }

    #[test]
    fn a_product_s_elements_differ() {
        let result = gemm().result;
        assert!(result.iter().any(|element| *element != result[0]), "{result:?}");
    }
}
