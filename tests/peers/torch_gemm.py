#!/usr/bin/env python3
"""A peer for `accelbench ratios`: what PyTorch reaches in matrix products, on the processor or on a GPU.

    accelbench ratios -k gemm --peer 'python3 tests/peers/torch_gemm.py cpu 1024 2048'
    accelbench ratios -k gemm -t f16 --peer 'python3 tests/peers/torch_gemm.py cuda 8192'

The first word is the device, the others are sides of squares. Needs torch (`pip install torch`).
"""
import json
import os
import statistics
import sys
import time

import torch

TYPES = {"f64": torch.float64, "f32": torch.float32, "f16": torch.float16}


def median_seconds(device, dtype, shape, seconds, least):
    trans = shape.get("trans", "nn")
    random = torch.Generator().manual_seed(1)

    def operand(rows, columns, transposed):
        sizes = (columns, rows) if transposed == "t" else (rows, columns)
        made = torch.randn(sizes, generator=random, dtype=torch.float64).to(dtype).to(device)
        return made.t() if transposed == "t" else made

    m, n, k = (int(shape[name]) for name in ("m", "n", "k"))
    a, b = operand(m, k, trans[0]), operand(k, n, trans[1])
    wait = torch.cuda.synchronize if device == "cuda" else lambda: None
    product = torch.matmul(a, b)
    wait()
    times = []
    end = time.perf_counter() + seconds
    while len(times) < least or time.perf_counter() < end:
        start = time.perf_counter()
        torch.matmul(a, b, out=product)
        wait()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def tell(device, name, shape, seconds, least):
    flop = 2.0 * int(shape["m"]) * int(shape["n"]) * int(shape["k"])
    gflops = flop / median_seconds(device, TYPES[name], shape, seconds, least) / 1e9
    line = {"peer": "torch", "op": "gemm", "dtype": name, "shape": shape, "device": device, "gflops": gflops}
    print(json.dumps(line), flush=True)


def main():
    device = sys.argv[1] if len(sys.argv) > 1 else "cpu"
    # What f32 promises, also where matrix units would round it to less.
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cuda.matmul.allow_fp16_reduced_precision_reduction = False
    wanted = json.loads(os.environ.get("ACCELBENCH_PEER_CASE", "null"))
    if wanted is not None:
        if wanted["op"] != "gemm" or wanted["dtype"] not in TYPES:
            sys.exit("this peer has gemm in f64, f32 and f16")
        tell(device, wanted["dtype"], wanted["shape"], seconds=1.0, least=7)
        return
    # A processor without products of halves takes minutes over one.
    names = [name for name in TYPES if device != "cpu" or name != "f16"]
    for side in map(int, sys.argv[2:] or ("1024",)):
        for name in names:
            tell(device, name, {"m": side, "n": side, "k": side}, seconds=0.0, least=2)


main()
