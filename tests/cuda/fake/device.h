// Put in front of CUDA C++ to compile it for the CPU: the language's words, and the instructions of ptx.cuh in C++.
#pragma once
#include "emulator.h"
#include "half.h"
#include <cmath>
#include <cstdint>
#include <cstring>

#define __global__
#define __device__
#define __host__
#define __shared__ static
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __cluster_dims__(...)
#define __align__(n) __attribute__((aligned(n)))
#define __syncthreads() emulator_block_barrier()

// Replaces the header of inline PTX, whose guard this is.
#define ACCELBENCH_PTX

struct alignas(8) float2 {
    float x, y;
};
struct alignas(16) float4 {
    float x, y, z, w;
};
struct alignas(8) uint2 {
    unsigned x, y;
};

typedef unsigned short Half;
#if defined(PRECISION_BF16) || defined(PRECISION_F8E4M3)
inline float half_to_f32(Half x) { return bf16_to_f32(x); }
inline Half f32_to_half(float x) { return f32_to_bf16(x); }
#else
inline float half_to_f32(Half x) { return f16_to_f32(x); }
inline Half f32_to_half(float x) { return f32_to_f16(x); }
#endif

inline unsigned f32_to_half_pair(float first, float second) {
    return f32_to_half(first) | (unsigned)f32_to_half(second) << 16;
}

struct Tf32 {
    unsigned bits;
};
inline Tf32 f32_to_tf32(float x) { return {f32_to_tf32_bits(x)}; }

inline unsigned select_bytes(unsigned x, unsigned y, unsigned which) {
    unsigned z = 0;
    for (int i = 0; i < 4; ++i) {
        unsigned number = which >> 4 * i & 7;
        z |= ((number < 4 ? x : y) >> number % 4 * 8 & 0xff) << 8 * i;
    }
    return z;
}

inline float exp2_approximate(float x) { return x < -126 ? 0 : std::exp2(x); }

inline unsigned f16x2_fma(unsigned a, unsigned b, unsigned c) {
    return f16_fma(a, b, c) | (unsigned)f16_fma(a >> 16, b >> 16, c >> 16) << 16;
}

inline void copy_async_16(void* shared, const void* global, bool inside) {
    emulator_copy_async(shared, global, 16, inside);
}
inline void copy_async_commit() { emulator_copy_commit(); }
template <int PENDING>
void copy_async_wait() {
    emulator_copy_wait(PENDING);
}

inline unsigned lane_of_warp() {
    return (threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z)) % 32;
}

template <typename T>
T lane_exchange(T x, int mask) {
    return ((const T*)emulator_warp_exchange("shfl.bfly", &x, sizeof x))[lane_of_warp() ^ mask];
}

template <bool TRANSPOSED>
void load_matrices_of_warp(unsigned (&x)[4], const Half* row) {
    auto rows = (const Half* const*)emulator_warp_exchange("ldmatrix", &row, sizeof row);
    unsigned lane = lane_of_warp();
    for (int i = 0; i < 4; ++i) {
        Half pair[2];
        for (int j = 0; j < 2; ++j) {
            unsigned major = lane / 4, minor = 2 * (lane % 4) + j;
            pair[j] = TRANSPOSED ? rows[8 * i + minor][major] : rows[8 * i + major][minor];
        }
        x[i] = pair[0] | (unsigned)pair[1] << 16;
    }
}
inline void load_matrices(unsigned (&x)[4], const Half* row) { load_matrices_of_warp<false>(x, row); }
inline void load_matrices_transposed(unsigned (&x)[4], const Half* row) { load_matrices_of_warp<true>(x, row); }

struct Fragments {
    unsigned a[4], b[2];
};

inline float half_of(unsigned pair, int index) { return half_to_f32(pair >> 16 * index & 0xffff); }

// Row `i` of the warp's A times column `j` of its B, by where the PTX ISA says that the elements lie.
inline float warp_product(const Fragments* lanes, int i, int j) {
    float sum = 0;
    for (int p = 0; p < 16; ++p) {
        float a = half_of(lanes[i % 8 * 4 + p % 8 / 2].a[i / 8 + p / 8 * 2], p % 2);
        float b = half_of(lanes[j * 4 + p % 8 / 2].b[p / 8], p % 2);
        sum += a * b;
    }
    return sum;
}

struct Bytes {
    signed char a, b;
};

// What step `p` of the lane's sum `i` multiplies where operands are bytes.
inline Bytes bytes_of_step(const Fragments* lanes, unsigned lane, int i, int p) {
    unsigned a = lanes[lane / 4 * 4 + p % 16 / 4].a[i / 2 + p / 16 * 2];
    unsigned b = lanes[(lane % 4 * 2 + i % 2) * 4 + p % 16 / 4].b[p / 16];
    return {(signed char)(a >> 8 * (p % 4)), (signed char)(b >> 8 * (p % 4))};
}

inline void multiply_matrices(float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
    Fragments mine{{a[0], a[1], a[2], a[3]}, {b[0], b[1]}};
    auto lanes = (const Fragments*)emulator_warp_exchange("mma.f32", &mine, sizeof mine);
    unsigned lane = lane_of_warp();
#if defined(PRECISION_F8E4M3)
    for (int i = 0; i < 4; ++i) {
        float products[32];
        for (int p = 0; p < 32; ++p) {
            Bytes x = bytes_of_step(lanes, lane, i, p);
            products[p] = f8_to_f32(x.a) * f8_to_f32(x.b);
        }
        c[i] = f8_sum(c[i], products, 32);
    }
#else
    for (int i = 0; i < 4; ++i) c[i] += warp_product(lanes, lane / 4 + i / 2 * 8, lane % 4 * 2 + i % 2);
#endif
}

inline void multiply_matrices(unsigned (&c)[2], const unsigned (&a)[4], const unsigned (&b)[2]) {
    Fragments mine{{a[0], a[1], a[2], a[3]}, {b[0], b[1]}};
    auto lanes = (const Fragments*)emulator_warp_exchange("mma.f16", &mine, sizeof mine);
    unsigned lane = lane_of_warp();
    for (int i = 0; i < 2; ++i) {
        unsigned pair = 0;
        for (int j = 0; j < 2; ++j) {
            float sum = half_of(c[i], j) + warp_product(lanes, lane / 4 + i * 8, lane % 4 * 2 + j);
            pair |= (unsigned)f32_to_half(sum) << 16 * j;
        }
        c[i] = pair;
    }
}

struct Tf32Fragments {
    Tf32 a[4], b[2];
};

inline void multiply_matrices(float (&c)[4], const Tf32 (&a)[4], const Tf32 (&b)[2]) {
    Tf32Fragments mine{{a[0], a[1], a[2], a[3]}, {b[0], b[1]}};
    auto lanes = (const Tf32Fragments*)emulator_warp_exchange("mma.tf32", &mine, sizeof mine);
    unsigned lane = lane_of_warp();
    for (int i = 0; i < 4; ++i) {
        for (int p = 0; p < 8; ++p) {
            // The units read 19 bits: a number that was not rounded is cut off.
            float x = tf32_to_f32(lanes[lane / 4 * 4 + p % 4].a[i / 2 + p / 4 * 2].bits & 0xffffe000);
            c[i] += x * tf32_to_f32(lanes[(lane % 4 * 2 + i % 2) * 4 + p % 4].b[p / 4].bits & 0xffffe000);
        }
    }
}

inline void multiply_matrices(int (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
    Fragments mine{{a[0], a[1], a[2], a[3]}, {b[0], b[1]}};
    auto lanes = (const Fragments*)emulator_warp_exchange("mma.s8", &mine, sizeof mine);
    unsigned lane = lane_of_warp();
    for (int i = 0; i < 4; ++i) {
        for (int p = 0; p < 32; ++p) {
            Bytes x = bytes_of_step(lanes, lane, i, p);
            c[i] += x.a * x.b;
        }
    }
}

struct DoubleFragments {
    double a[8], b[4];
};

inline void multiply_matrices(double (&c)[2], const double (&a)[1], const double (&b)[1]) {
    DoubleFragments mine{{a[0]}, {b[0]}};
    auto lanes = (const DoubleFragments*)emulator_warp_exchange("mma.m8n8k4.f64", &mine, sizeof mine);
    unsigned lane = lane_of_warp();
    for (int j = 0; j < 2; ++j) {
        for (int p = 0; p < 4; ++p) c[j] += lanes[lane / 4 * 4 + p].a[0] * lanes[(lane % 4 * 2 + j) * 4 + p].b[0];
    }
}

// 16 rows, 8 columns and sums as long as two times a lane's elements of A.
template <int COUNT>
void multiply_matrices(double (&c)[4], const double (&a)[COUNT], const double (&b)[COUNT / 2]) {
    DoubleFragments mine;
    std::memcpy(mine.a, a, sizeof a);
    std::memcpy(mine.b, b, sizeof b);
    auto lanes = (const DoubleFragments*)emulator_warp_exchange("mma.m16n8.f64", &mine, sizeof mine);
    unsigned lane = lane_of_warp();
    for (int i = 0; i < 4; ++i) {
        for (int p = 0; p < 2 * COUNT; ++p) {
            double x = lanes[lane / 4 * 4 + p % 4].a[i / 2 + p / 4 * 2];
            c[i] += x * lanes[(lane % 4 * 2 + i % 2) * 4 + p % 4].b[p / 4];
        }
    }
}

#include "groups.h"
#include "local.h"

// Makes a kernel known to the fake driver: the blocks of its clusters, and a function that copies the arguments that a
// launch points to, as the driver does.
template <typename... Arguments, std::size_t... Index>
BoundKernel* bind_kernel(void (*kernel)(Arguments...), void** arguments, std::index_sequence<Index...>) {
    auto copies = std::make_tuple(*(std::remove_const_t<Arguments>*)arguments[Index]...);
    return new BoundKernel([=] { std::apply(kernel, copies); });
}
template <typename... Arguments>
BoundKernel* bind_kernel(void (*kernel)(Arguments...), void** arguments) {
    return bind_kernel(kernel, arguments, std::index_sequence_for<Arguments...>());
}
#define EMULATED_KERNEL(name, cluster) \
    extern "C" unsigned cluster_of_##name() { return cluster; } \
    extern "C" BoundKernel* emulated_##name(void** arguments) { return bind_kernel(name, arguments); }
