//! conv2d forward, as cross-correlation.
//!
//! A 1 by 1 kernel is a product of matrices that are there already. Any other is one too, once the inputs that an output
//! sums over lie in a column: that is done for some outputs at a time, in memory that stays in a core's cache. Groups too
//! narrow for a product are summed directly.

mod channels_last;
mod columns;
mod direct;
mod planes;
#[cfg(test)]
mod tests;
mod windows;

use super::block::Pool;
use super::element::{Element, Precision};
use super::memory::HostMemory;
use super::tiles::{Lanes, Scratch};
use super::views::{view, view_mut, widen};
use crate::{Error, LibraryCall, Result};
use half::f16;
use planes::Own;
use std::cell::RefCell;

/// How the dimensions of a tensor follow each other.
#[derive(Clone, Copy, PartialEq)]
enum Layout {
    /// X is n, c, h, w; W is k, c/groups, r, s; Y is n, k, oh, ow.
    Nchw,
    /// X is n, h, w, c; W is k, r, s, c/groups; Y is n, oh, ow, k.
    Nhwc,
}

/// What a convolution is told; `[y, x]` where it has two directions.
#[derive(Clone)]
struct Shape {
    n: usize,
    /// Input channels, of a group.
    c: usize,
    input: [usize; 2],
    /// Output channels, of a group.
    k: usize,
    kernel: [usize; 2],
    stride: [usize; 2],
    pad: [usize; 2],
    dilation: [usize; 2],
    output: [usize; 2],
    groups: usize,
    layout: Layout,
}

impl Shape {
    fn of(call: &LibraryCall) -> Result<Self> {
        let sizes = |names: [&str; 2]| -> Result<[usize; 2]> { Ok([call.size(names[0])?, call.size(names[1])?]) };
        let positive = |sizes: [usize; 2], what: &str| {
            if sizes.contains(&0) {
                Err(Error::invalid(format!("a convolution with a {what} of 0")))
            } else {
                Ok(sizes)
            }
        };
        let layout = match call.text("layout")? {
            "nchw" => Layout::Nchw,
            "nhwc" => Layout::Nhwc,
            other => return Err(Error::invalid(format!("layout `{other}` is neither nchw nor nhwc"))),
        };
        let [n, groups] = positive(sizes(["n", "groups"])?, "batch or group count")?;
        let [c, k] = positive(sizes(["c", "k"])?, "channel count")?;
        if c % groups != 0 || k % groups != 0 {
            return Err(Error::invalid(format!("groups {groups} do not divide the channels c {c} and k {k}")));
        }
        let input = positive(sizes(["h", "w"])?, "height or width")?;
        let kernel = positive(sizes(["r", "s"])?, "kernel size")?;
        let stride = positive(sizes(["stride_h", "stride_w"])?, "stride")?;
        let pad = sizes(["pad_h", "pad_w"])?;
        let dilation = positive(sizes(["dilation_h", "dilation_w"])?, "dilation")?;
        let mut output = [0; 2];
        for axis in 0..2 {
            let reach = (kernel[axis] - 1).checked_mul(dilation[axis]).and_then(|reach| reach.checked_add(1));
            let padded = pad[axis].checked_mul(2).and_then(|pads| pads.checked_add(input[axis]));
            let free = padded.zip(reach).and_then(|(padded, reach)| padded.checked_sub(reach));
            let free = free.ok_or_else(|| Error::invalid("the kernel reaches beyond the padded input"))?;
            output[axis] = free / stride[axis] + 1;
        }
        let shape =
            Self { n, c: c / groups, input, k: k / groups, kernel, stride, pad, dilation, output, groups, layout };
        let largest = [
            vec![n, c, input[0] + pad[0], input[1] + pad[1]],
            vec![k, c, kernel[0], kernel[1]],
            vec![n, k, output[0], output[1]],
        ];
        if largest.iter().any(|sizes| sizes.iter().try_fold(8_usize, |bytes, size| bytes.checked_mul(*size)).is_none())
        {
            return Err(Error::invalid("a convolution larger than any memory"));
        }
        Ok(shape)
    }

    fn x_len(&self) -> usize {
        self.n * self.groups * self.c * self.plane()
    }

    fn w_len(&self) -> usize {
        self.groups * self.k * self.reduction()
    }

    fn y_len(&self) -> usize {
        self.groups * self.k * self.pixels()
    }

    /// Output pixels of all images.
    fn pixels(&self) -> usize {
        self.n * self.area()
    }

    /// Output pixels of an image.
    fn area(&self) -> usize {
        self.output[0] * self.output[1]
    }

    /// Elements of a channel of an input image.
    fn plane(&self) -> usize {
        self.input[0] * self.input[1]
    }

    /// Positions of the kernel.
    fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// Products that an output sums.
    fn reduction(&self) -> usize {
        self.c * self.taps()
    }

    /// Whether an output pixel sums over just the input pixel at its own place.
    fn is_pointwise(&self) -> bool {
        self.kernel == [1, 1] && self.stride == [1, 1] && self.pad == [0, 0]
    }
}

/// A prepared convolution.
pub(super) struct Conv2d {
    shape: Shape,
    precision: Precision,
    /// Weights in panels, or widened.
    weights: RefCell<Scratch>,
    planes: Pool<Own>,
    channels_last: Pool<Scratch>,
}

impl Conv2d {
    pub(super) fn prepare(call: &LibraryCall) -> Result<Self> {
        Ok(Self {
            shape: Shape::of(call)?,
            precision: Precision::of(call)?,
            weights: RefCell::default(),
            planes: Pool::new(),
            channels_last: Pool::new(),
        })
    }

    pub(super) fn run(&self, buffers: &[&HostMemory]) -> Result<()> {
        match self.precision {
            Precision::F64 => self.run_as::<f64>(buffers),
            Precision::F32 => self.run_as::<f32>(buffers),
            Precision::F16 => self.run_as::<f16>(buffers),
        }
    }

    fn run_as<E: Element<Real: Lanes>>(&self, buffers: &[&HostMemory]) -> Result<()> {
        let [x, w, y] = buffers else {
            return Err(Error::invalid("conv2d takes the buffers X, W and Y"));
        };
        let shape = &self.shape;
        let x = view::<E>("X", x, shape.x_len())?;
        let w = view::<E>("W", w, shape.w_len())?;
        let y = view_mut::<E>("Y", y, shape.y_len())?;
        let weights = &mut self.weights.borrow_mut();
        if direct::suits(shape) {
            let w = if let Some(w) = E::in_place(w) {
                w
            } else {
                let wide = weights.elements(w.len())?;
                widen(w, wide);
                wide
            };
            direct::run(shape, x, w, y);
            return Ok(());
        }
        match shape.layout {
            Layout::Nchw => planes::run(shape, x, w, y, weights, &self.planes),
            Layout::Nhwc => channels_last::run(shape, x, w, y, weights, &self.channels_last),
        }
    }
}
