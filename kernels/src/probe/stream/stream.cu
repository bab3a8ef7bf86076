// copy, mul, add, triad and dot. A thread block goes over its part of the arrays `passes` times, each thread over every
// GROUP-th vector of WIDTH elements, four at a time.
//
// Specialised by: WIDTH (1, 2 or 4), GROUP (a power of two), one of PRECISION_F64 PRECISION_F32, and one of OP_COPY
// OP_MUL OP_ADD OP_TRIAD OP_DOT.

#if defined(PRECISION_F64)
typedef double Real;
__device__ __forceinline__ Real multiply_add(Real a, Real b, Real c) { return fma(a, b, c); }
#else
typedef float Real;
__device__ __forceinline__ Real multiply_add(Real a, Real b, Real c) { return fmaf(a, b, c); }
#endif

// Aligned, so that it is loaded and stored at once.
struct __align__(WIDTH * sizeof(Real)) Vector {
    Real lanes[WIDTH];
};

struct Params {
    unsigned vectors, parts, passes, offset;
    float s;
    unsigned zero[3];
};

#if defined(OP_COPY) || defined(OP_MUL)
#define ARRAYS const Vector* __restrict__ x
#define NAMES x
#define OPERANDS(i) x[i], x[i]
#else
#define ARRAYS const Vector *__restrict__ x, const Vector *__restrict__ y
#define NAMES x, y
#define OPERANDS(i) x[i], y[i]
#endif

#if defined(OP_DOT)
__device__ __forceinline__ void add_products(Vector& sum, const Vector& x, const Vector& y) {
#pragma unroll
    for (int i = 0; i < WIDTH; ++i) sum.lanes[i] = multiply_add(x.lanes[i], y.lanes[i], sum.lanes[i]);
}

typedef Real Output;

// The sum over the part and all passes.
__device__ __forceinline__ void run(ARRAYS, Output* __restrict__ sums, const Params& p, unsigned part) {
    __shared__ Real items[GROUP];
    unsigned item = threadIdx.x;
    Real total = 0;
    for (unsigned pass = 0; pass < p.passes; ++pass) {
        // The offset is 0, which no compiler knows.
        unsigned long long start = (unsigned long long)part * p.vectors + pass * p.offset;
        Vector sum[4] = {};
        unsigned j = item;
        for (; j + 3 * GROUP < p.vectors; j += 4 * GROUP) {
#pragma unroll
            for (int i = 0; i < 4; ++i) add_products(sum[i], OPERANDS(start + j + i * GROUP));
        }
        for (; j < p.vectors; j += GROUP) add_products(sum[0], OPERANDS(start + j));
#pragma unroll
        for (int i = 0; i < WIDTH; ++i) {
            total += (sum[0].lanes[i] + sum[1].lanes[i]) + (sum[2].lanes[i] + sum[3].lanes[i]);
        }
    }
    items[item] = total;
    for (unsigned half = GROUP / 2; half > 0; half /= 2) {
        __syncthreads();
        if (item < half) items[item] += items[item + half];
    }
    if (item == 0) sums[part] = items[0];
}
#else
__device__ __forceinline__ Vector value(Real s, const Vector& x, const Vector& y) {
    Vector z;
#pragma unroll
    for (int i = 0; i < WIDTH; ++i) {
#if defined(OP_COPY)
        z.lanes[i] = x.lanes[i];
#elif defined(OP_MUL)
        z.lanes[i] = s * x.lanes[i];
#elif defined(OP_ADD)
        z.lanes[i] = x.lanes[i] + y.lanes[i];
#elif defined(OP_TRIAD)
        z.lanes[i] = multiply_add(s, y.lanes[i], x.lanes[i]);
#endif
    }
    return z;
}

typedef Vector Output;

__device__ __forceinline__ void run(ARRAYS, Output* __restrict__ z, const Params& p, unsigned part) {
    unsigned item = threadIdx.x;
    Real s = p.s;
    for (unsigned pass = 0; pass < p.passes; ++pass) {
        // The offset is 0, which no compiler knows.
        unsigned long long start = (unsigned long long)part * p.vectors + pass * p.offset;
        unsigned j = item;
        for (; j + 3 * GROUP < p.vectors; j += 4 * GROUP) {
            Vector values[4];
#pragma unroll
            for (int i = 0; i < 4; ++i) values[i] = value(s, OPERANDS(start + j + i * GROUP));
#pragma unroll
            for (int i = 0; i < 4; ++i) z[start + j + i * GROUP] = values[i];
        }
        for (; j < p.vectors; j += GROUP) z[start + j] = value(s, OPERANDS(start + j));
    }
}
#endif

extern "C" __global__ void __launch_bounds__(GROUP) stream(ARRAYS, Output* __restrict__ z, Params p) {
    unsigned part = blockIdx.x + blockIdx.y * gridDim.x;
    if (part < p.parts) run(NAMES, z, p, part);
}
