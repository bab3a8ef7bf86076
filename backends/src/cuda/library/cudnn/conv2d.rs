//! conv2d forward, as one operation.

use super::graph::{Four, Graph, Window, dense};
use super::operands::Types;
use super::data_type;
use crate::{Error, LibraryCall, Result};

/// The graph of X, W and Y, and their elements.
pub(super) fn graph(call: &LibraryCall, types: Types) -> Result<(Graph, Vec<u64>)> {
    let size = |name: &str| call.size(name).map(|size| size as i64);
    let pair = |stem: &str| Ok::<_, Error>([size(&format!("{stem}_h"))?, size(&format!("{stem}_w"))?]);
    let (image, filter) = ([size("h")?, size("w")?], [size("r")?, size("s")?]);
    let (n, c, k, groups) = (size("n")?, size("c")?, size("k")?, size("groups")?);
    let window = Window { stride: pair("stride")?, pad: pair("pad")?, dilation: pair("dilation")? };
    let mut out = [0; 2];
    for axis in 0..2 {
        let reach = window.dilation[axis] * (filter[axis] - 1) + 1;
        out[axis] = (image[axis] + 2 * window.pad[axis] - reach) / window.stride[axis] + 1;
    }
    // Channels, wherever they lie, are the second dimension. How many groups there are follows from W's.
    let shapes: [Four; 3] = [
        [n, c, image[0], image[1]],
        [k, c / groups, filter[0], filter[1]],
        [n, k, out[0], out[1]],
    ];
    let steps = match call.text("layout")? {
        "nchw" => shapes.map(dense),
        "nhwc" => shapes.map(channels_innermost),
        other => return Err(Error::invalid(format!("layout `{other}` is neither nchw nor nhwc"))),
    };
    let mut graph = Graph::default();
    let mut tensor = |index: usize| graph.buffer(data_type(types.storage), shapes[index], steps[index]);
    let tensors = [tensor(0)?, tensor(1)?, tensor(2)?];
    graph.convolution(&window, data_type(types.accumulate), tensors)?;
    Ok((graph, shapes.map(|shape| shape.iter().product::<i64>() as u64).to_vec()))
}

/// The steps of a tensor whose second dimension is the innermost.
fn channels_innermost([_, c, h, w]: Four) -> Four {
    [h * w * c, 1, w * c, c]
}
