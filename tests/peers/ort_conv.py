#!/usr/bin/env python3
"""A peer for `accelbench ratios`: what ONNX Runtime reaches in 2D convolutions in f32 on the processor.

    accelbench ratios -k conv2d -t f32 --peer 'python3 tests/peers/ort_conv.py'

Needs numpy, onnx and onnxruntime (`pip install numpy onnx onnxruntime`). With ACCELBENCH_PEER_CASE it measures that case
alone, and without it says what it has, each measured briefly.
"""
import json
import os
import statistics
import sys
import time

import numpy as np
import onnx
import onnxruntime as ort

# Layers of ResNet-50 at a batch of 16: channels, side, filters, side of a filter.
LAYERS = ((64, 56, 64, 3), (128, 28, 128, 3), (256, 14, 256, 3), (512, 7, 512, 3), (256, 56, 64, 1), (1024, 14, 256, 1))


def usual():
    for channels, side, filters, window in LAYERS:
        shape = {"n": 16, "c": channels, "h": side, "w": side, "k": filters, "r": window, "s": window}
        yield {**shape, "pad": window // 2}


def pair(shape, name, default):
    """A field such as `stride`, which is one number for both axes or two with an x between them."""
    values = [int(word) for word in str(shape.get(name, default)).split("x")]
    return values * 2 if len(values) == 1 else values


def session(shape, stride, pad, dilation):
    x = [shape["n"], shape["c"], shape["h"], shape["w"]]
    w = [shape["k"], shape["c"] // shape["groups"], shape["r"], shape["s"]]
    attributes = {"strides": stride, "pads": pad + pad, "dilations": dilation, "group": shape["groups"]}
    tensor = lambda name, sizes: onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, sizes)
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Conv", ["x", "w"], ["y"], kernel_shape=w[2:], **attributes)],
        "layer",
        [tensor("x", x), tensor("w", w)],
        [tensor("y", None)],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 13)])
    model.ir_version = 8
    options = ort.SessionOptions()
    options.intra_op_num_threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    random = np.random.default_rng(1)
    feed = {name: random.standard_normal(sizes, dtype=np.float32) for name, sizes in (("x", x), ("w", w))}
    return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"]), feed


def measure(case_shape, seconds, least):
    numbers = {name: int(case_shape[name]) for name in ("c", "h", "w", "k", "r", "s")}
    numbers["n"], numbers["groups"] = int(case_shape.get("n", 1)), int(case_shape.get("groups", 1))
    stride, pad, dilation = (pair(case_shape, *field) for field in (("stride", 1), ("pad", 0), ("dilation", 1)))
    model, feed = session(numbers, stride, pad, dilation)
    output = model.run(None, feed)[0]
    times = []
    end = time.perf_counter() + seconds
    while len(times) < least or time.perf_counter() < end:
        start = time.perf_counter()
        model.run(None, feed)
        times.append(time.perf_counter() - start)
    # Each element of the output is a sum over the channels of its group and the window.
    flop = 2.0 * output.size * (numbers["c"] // numbers["groups"]) * numbers["r"] * numbers["s"]
    return flop / statistics.median(times) / 1e9


def tell(shape, gflops):
    line = {"peer": "onnxruntime", "op": "conv2d", "dtype": "f32", "shape": shape, "device": "cpu", "gflops": gflops}
    print(json.dumps(line), flush=True)


def main():
    wanted = json.loads(os.environ.get("ACCELBENCH_PEER_CASE", "null"))
    if wanted is None:
        for shape in usual():
            tell(shape, measure(shape, seconds=0.0, least=2))
    elif (wanted["op"], wanted["dtype"], wanted["shape"].get("layout", "nchw")) == ("conv2d", "f32", "nchw"):
        tell(wanted["shape"], measure(wanted["shape"], seconds=1.0, least=7))
    else:
        sys.exit("this peer has conv2d in f32 and nchw")


main()
