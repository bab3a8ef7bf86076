// Chains of fused multiply-adds in registers: x = a * x + b. A thread advances CHAINS registers in turn.
//
// A body is 31 steps with b and one with c; see mod.rs for why that proves what was done.
//
// Specialised by: CHAINS, WIDTH (2 for halves, which go in pairs, and 1 else), and one of PRECISION_F64 PRECISION_F32
// PRECISION_F16_ACC16.

#if defined(PRECISION_F64)
typedef double Register;
__device__ __forceinline__ Register same(float value) { return value; }
__device__ __forceinline__ Register step(Register x, Register a, Register b) { return fma(x, a, b); }
// x as a multiple of 1/64.
__device__ __forceinline__ Register start(Register x) { return rint(x * 64) / 64; }
#elif defined(PRECISION_F32)
typedef float Register;
__device__ __forceinline__ Register same(float value) { return value; }
__device__ __forceinline__ Register step(Register x, Register a, Register b) { return fmaf(x, a, b); }
__device__ __forceinline__ Register start(Register x) { return rintf(x * 64) / 64; }
#elif defined(PRECISION_F16_ACC16)
// Two halves, the first in the low bits.
typedef unsigned Register;
__device__ __forceinline__ Register same(float value) { return f32_to_half(value) * 0x10001u; }
__device__ __forceinline__ Register step(Register x, Register a, Register b) { return f16x2_fma(x, a, b); }
__device__ __forceinline__ Half start_one(Half x) { return f32_to_half(rintf(half_to_f32(x) * 64) / 64); }
__device__ __forceinline__ Register start(Register x) {
    return start_one((Half)x) | (unsigned)start_one((Half)(x >> 16)) << 16;
}
#endif

struct Params {
    unsigned bodies, items;
    float a, b, c;
    unsigned zero[3];
};

extern "C" __global__ void __launch_bounds__(256) fma_chains(const Register* in, Register* out, Params p) {
    unsigned long long item = (blockIdx.x + (unsigned long long)blockIdx.y * gridDim.x) * blockDim.x + threadIdx.x;
    if (item >= p.items) return;
    Register a = same(p.a), b = same(p.b), c = same(p.c);
    Register x[CHAINS];
#pragma unroll
    for (int i = 0; i < CHAINS; ++i) x[i] = start(in[i * (unsigned long long)p.items + item]);
#pragma unroll 1
    for (unsigned body = 0; body < p.bodies; ++body) {
#pragma unroll
        for (int turn = 0; turn < 31; ++turn) {
#pragma unroll
            for (int i = 0; i < CHAINS; ++i) x[i] = step(x[i], a, b);
        }
#pragma unroll
        for (int i = 0; i < CHAINS; ++i) x[i] = step(x[i], a, c);
    }
#pragma unroll
    for (int i = 0; i < CHAINS; ++i) out[i * (unsigned long long)p.items + item] = x[i];
}
