// C is the sum of its parts, which lie one after the other: a thread adds up four elements.
//
// Specialised by what wgmma.cu is.

struct Params {
    // A quarter of the elements of C.
    unsigned quarters, parts, zero[2];
};

#if defined(PRECISION_I8)
typedef int Wide;
#else
typedef float Wide;
#endif

struct alignas(4 * sizeof(Wide)) Four {
    Wide x, y, z, w;
};

#if defined(PRECISION_TF32) || defined(PRECISION_I8)
typedef Four Output;
__device__ __forceinline__ Output stored(const Four& sum) { return sum; }
#else
struct alignas(8) Output {
    unsigned first, second;
};
__device__ __forceinline__ Output stored(const Four& sum) {
    return {f32_to_half_pair(sum.x, sum.y), f32_to_half_pair(sum.z, sum.w)};
}
#endif

extern "C" __global__ void __launch_bounds__(256) gemm_sum_parts(const Four* parts, Output* c, Params p) {
    unsigned long long number = (blockIdx.x + (unsigned long long)blockIdx.y * gridDim.x) * 256 + threadIdx.x;
    if (number >= p.quarters) return;
    const Four* from = parts + number;
    Four sum = {0, 0, 0, 0};
    for (unsigned i = 0; i < p.parts; ++i, from += p.quarters) {
        Four part = *from;
        sum = {sum.x + part.x, sum.y + part.y, sum.z + part.z, sum.w + part.w};
    }
    c[number] = stored(sum);
}
