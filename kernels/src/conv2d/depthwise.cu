// Convolution with one channel a group: a thread an element of Y, neighbours neighbours in memory.
//
// Specialised by what window.cuh is, and GROUP (threads of a block).

// A quotient and its remainder. Most numbers fit into 32 bits, where a division takes a fraction of the time.
struct Division {
    unsigned long long quotient;
    unsigned remainder;

    __device__ __forceinline__ Division(unsigned long long number, unsigned by) {
        if (number >> 32) {
            quotient = number / by;
            remainder = (unsigned)(number % by);
        } else {
            quotient = (unsigned)number / by;
            remainder = (unsigned)number % by;
        }
    }
};

extern "C" __global__ void __launch_bounds__(GROUP)
    conv2d_depthwise(const stored* __restrict__ x, const stored* __restrict__ w, stored* __restrict__ y, Params p) {
    Sizes sizes(p);
    unsigned long long item = block_number() * GROUP + threadIdx.x;
    if (item >= (unsigned long long)sizes.pixels * p.k) return;
    unsigned filter;
    unsigned long long pixel;
    if (NHWC) {
        Division division(item, p.k);
        filter = division.remainder;
        pixel = division.quotient;
    } else {
        Division plane(item, p.oh * p.ow), image(plane.quotient, p.k);
        filter = image.remainder;
        pixel = image.quotient * p.oh * p.ow + plane.remainder;
    }
    // A group is a channel.
    Window<stored> window(x, p, sizes, filter / sizes.filters, pixel);
    const stored* weights = w + (unsigned long long)filter * p.r * p.s;
    real sum = 0;
    for (Depth depth(p, 1, 0); depth.i < p.r; ++depth.i) {
        for (depth.j = 0; depth.j < p.s; ++depth.j) {
            if (!window.holds(depth, p)) continue;
            real weight = widen(weights[depth.i * p.s + depth.j]);
            sum = multiply_add(widen(window.first[depth.offset(p)]), weight, sum);
        }
    }
    y[item] = narrow(sum);
}
