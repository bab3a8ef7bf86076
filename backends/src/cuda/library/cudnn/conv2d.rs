//! conv2d forward, as one operation.

use super::data_type;
use super::graph::{Four, Graph, Window, count, dense};
use crate::cuda::library::operands::{Types, side};
use crate::{Error, LibraryCall, Result};

/// The graph of X, W and Y, and their elements.
pub(super) fn graph(call: &LibraryCall, types: Types) -> Result<(Graph, Vec<u64>)> {
    let size = |name: &str| side(call, name).map(|size| size as i64);
    let pair = |names: [&str; 2]| Ok::<_, Error>([size(names[0])?, size(names[1])?]);
    let (image, filter) = (pair(["h", "w"])?, pair(["r", "s"])?);
    let (n, c, k, groups) = (size("n")?, size("c")?, size("k")?, size("groups")?);
    let window = Window {
        stride: pair(["stride_h", "stride_w"])?,
        pad: [padding(call, "pad_h")?, padding(call, "pad_w")?],
        dilation: pair(["dilation_h", "dilation_w"])?,
    };
    let mut out = [0; 2];
    for axis in 0..2 {
        let free = image[axis] + 2 * window.pad[axis] - window.dilation[axis] * (filter[axis] - 1) - 1;
        if free < 0 {
            return Err(Error::invalid("the filter reaches beyond the padded image"));
        }
        out[axis] = free / window.stride[axis] + 1;
    }
    if c % groups != 0 || k % groups != 0 {
        return Err(Error::invalid(format!("groups {groups} do not divide the channels c {c} and k {k}")));
    }
    // Channels, wherever they lie, are the second dimension. How many groups there are follows from W's.
    let shapes: [Four; 3] = [[n, c, image[0], image[1]], [k, c / groups, filter[0], filter[1]], [n, k, out[0], out[1]]];
    let elements = shapes.into_iter().map(count).collect::<Result<_>>()?;
    let steps = match call.text("layout")? {
        "nchw" => shapes.map(dense),
        "nhwc" => shapes.map(channels_innermost),
        other => return Err(Error::invalid(format!("layout `{other}` is neither nchw nor nhwc"))),
    };
    let mut graph = Graph::default();
    let mut tensor = |index: usize| graph.buffer(data_type(types.storage), shapes[index], steps[index]);
    let tensors = [tensor(0)?, tensor(1)?, tensor(2)?];
    graph.convolution(&window, data_type(types.accumulate), tensors)?;
    Ok((graph, elements))
}

/// A size that may be 0.
fn padding(call: &LibraryCall, name: &str) -> Result<i64> {
    if call.size(name)? == 0 { Ok(0) } else { side(call, name).map(|size| size as i64) }
}

/// The steps of a tensor whose second dimension is the innermost.
fn channels_innermost([_, c, h, w]: Four) -> Four {
    [h * w * c, 1, w * c, c]
}
