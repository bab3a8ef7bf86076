// The instructions that CUDA C++ has no words for without its headers, which the run-time compiler does not have.
// Everything that is inline PTX is here, and each function does what the PTX ISA says of its one instruction.
#ifndef ACCELBENCH_PTX
#define ACCELBENCH_PTX

// A kernel's 16-bit floating-point numbers, as their bits: bfloat16 where PRECISION_BF16 or PRECISION_F8E4M3, whose results
// they are, is defined, else IEEE 754 binary16.
typedef unsigned short Half;

#if defined(PRECISION_BF16) || defined(PRECISION_F8E4M3)
#define HALF "bf16"

// bfloat16 is the upper half of binary32.
__device__ __forceinline__ float half_to_f32(Half x) {
    float y;
    asm("mov.b32 %0, {%1, %2};" : "=f"(y) : "h"((Half)0), "h"(x));
    return y;
}
#else
#define HALF "f16"

__device__ __forceinline__ float half_to_f32(Half x) {
    float y;
    asm("cvt.f32.f16 %0, %1;" : "=f"(y) : "h"(x));
    return y;
}
#endif

// Rounds to nearest, ties to even.
__device__ __forceinline__ Half f32_to_half(float x) {
    Half y;
    asm("cvt.rn." HALF ".f32 %0, %1;" : "=h"(y) : "f"(x));
    return y;
}

// Two of them, the first one in the low bits.
__device__ __forceinline__ unsigned f32_to_half_pair(float first, float second) {
    unsigned pair;
    asm("cvt.rn." HALF "x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(second), "f"(first));
    return pair;
}

#if defined(PRECISION_F8E4M3)
// E4M3, 8 bits, as its bits.
__device__ __forceinline__ float f8_to_f32(signed char x) {
    float y;
    asm("{\n.reg .b32 halves;\n.reg .b16 low, high;\n"
        "cvt.rn.f16x2.e4m3x2 halves, %1;\nmov.b32 {low, high}, halves;\ncvt.f32.f16 %0, low;\n}"
        : "=f"(y)
        : "h"((Half)(unsigned char)x));
    return y;
}

// Rounds to nearest, ties to even; what is too large becomes 448.
__device__ __forceinline__ signed char f32_to_f8(float x) {
    Half pair;
    asm("cvt.rn.satfinite.e4m3x2.f32 %0, %1, %2;" : "=h"(pair) : "f"(0.0f), "f"(x));
    return (signed char)pair;
}
#endif

// Binary32 with a significand of 11 bits, as its bits.
struct Tf32 {
    unsigned bits;
};

// Rounds to nearest, ties away from zero.
__device__ __forceinline__ Tf32 f32_to_tf32(float x) {
    Tf32 y;
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(y.bits) : "f"(x));
    return y;
}

// Four of the eight bytes of x and y, those of x being 0 to 3: the digits of `which`, the first one last.
__device__ __forceinline__ unsigned select_bytes(unsigned x, unsigned y, unsigned which) {
    unsigned z;
    asm("prmt.b32 %0, %1, %2, %3;" : "=r"(z) : "r"(x), "r"(y), "r"(which));
    return z;
}

// 2 to the power of x, to about 2 units in the last place; subnormal results are 0.
__device__ __forceinline__ float exp2_approximate(float x) {
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}

// What the lane whose number differs in the bits of `mask` gives for x; every lane of the warp takes part.
__device__ __forceinline__ float lane_exchange(float x, int mask) {
    float y;
    asm volatile("shfl.sync.bfly.b32 %0, %1, %2, 31, 0xffffffff;" : "=f"(y) : "f"(x), "r"(mask));
    return y;
}

__device__ __forceinline__ double lane_exchange(double x, int mask) {
    float low, high;
    asm("mov.b64 {%0, %1}, %2;" : "=f"(low), "=f"(high) : "d"(x));
    low = lane_exchange(low, mask);
    high = lane_exchange(high, mask);
    asm("mov.b64 %0, {%1, %2};" : "=d"(x) : "f"(low), "f"(high));
    return x;
}

// a * b + c in binary16, rounded once.
__device__ __forceinline__ Half f16_fma(Half a, Half b, Half c) {
    Half d;
    asm("fma.rn.f16 %0, %1, %2, %3;" : "=h"(d) : "h"(a), "h"(b), "h"(c));
    return d;
}

// The same for two pairs of halves, the first of a pair in its low bits.
__device__ __forceinline__ unsigned f16x2_fma(unsigned a, unsigned b, unsigned c) {
    unsigned d;
    asm("fma.rn.f16x2 %0, %1, %2, %3;" : "=r"(d) : "r"(a), "r"(b), "r"(c));
    return d;
}

// Starts a copy of 16 bytes from global to shared memory, both aligned to 16; writes zeros where `inside` is false,
// without touching `global`.
__device__ __forceinline__ void copy_async_16(void* shared, const void* global, bool inside) {
    unsigned target = (unsigned)__cvta_generic_to_shared(shared);
    int bytes = inside ? 16 : 0;
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(target), "l"(global), "r"(bytes) : "memory");
}

// Closes a group of copies: all that this thread started since the last one.
__device__ __forceinline__ void copy_async_commit() {
    asm volatile("cp.async.commit_group;" ::: "memory");
}

// Waits until at most `PENDING` of this thread's latest groups are under way.
template <int PENDING>
__device__ __forceinline__ void copy_async_wait() {
    asm volatile("cp.async.wait_group %0;" ::"n"(PENDING) : "memory");
}

// Loads four 8 x 8 matrices of halves; the warp's lanes 8i to 8i+7 give the addresses of the rows of matrix i. Lane l gets
// the elements (l / 4, 2 (l % 4)) and (l / 4, 2 (l % 4) + 1) of each.
__device__ __forceinline__ void load_matrices(unsigned (&x)[4], const Half* row) {
    unsigned address = (unsigned)__cvta_generic_to_shared(row);
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(x[0]), "=r"(x[1]), "=r"(x[2]), "=r"(x[3])
                 : "r"(address)
                 : "memory");
}

// The same with each matrix transposed: lane l gets (2 (l % 4), l / 4) and (2 (l % 4) + 1, l / 4).
__device__ __forceinline__ void load_matrices_transposed(unsigned (&x)[4], const Half* row) {
    unsigned address = (unsigned)__cvta_generic_to_shared(row);
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(x[0]), "=r"(x[1]), "=r"(x[2]), "=r"(x[3])
                 : "r"(address)
                 : "memory");
}

#if defined(PRECISION_F8E4M3)
#define WARP_PRODUCT "m16n8k32.row.col.f32.e4m3.e4m3.f32"
#else
#define WARP_PRODUCT "m16n8k16.row.col.f32." HALF "." HALF ".f32"
#endif

// c += a * b for a warp's 16 x 16 by 16 x 8 product of halves, with sums in f32. Lane l holds of c the rows l / 4 and
// l / 4 + 8, the columns 2 (l % 4) and 2 (l % 4) + 1. Of numbers of 8 bits, for 16 x 32 by 32 x 8: four neighbours along k
// are where halves have two.
__device__ __forceinline__ void multiply_matrices(float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
    asm("mma.sync.aligned." WARP_PRODUCT " {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// The same of binary16 with sums in binary16: two columns in a register, the first in its low half.
__device__ __forceinline__ void multiply_matrices(unsigned (&c)[2], const unsigned (&a)[4], const unsigned (&b)[2]) {
    asm("mma.sync.aligned.m16n8k16.row.col.f16.f16.f16.f16 {%0, %1}, {%2, %3, %4, %5}, {%6, %7}, {%0, %1};"
        : "+r"(c[0]), "+r"(c[1])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// The same for 16 x 8 by 8 x 8 of tf32, with sums in f32. Element i of a is at row l / 4 + 8 (i % 2), column l % 4 +
// 4 (i / 2), that of b at row l % 4 + 4 i and column l / 4.
__device__ __forceinline__ void multiply_matrices(float (&c)[4], const Tf32 (&a)[4], const Tf32 (&b)[2]) {
    asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0].bits), "r"(a[1].bits), "r"(a[2].bits), "r"(a[3].bits), "r"(b[0].bits), "r"(b[1].bits));
}

// The same for 16 x 32 by 32 x 8 of whole numbers of 8 bits: four neighbours along k are where halves have two.
__device__ __forceinline__ void multiply_matrices(int (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
    asm("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+r"(c[0]), "+r"(c[1]), "+r"(c[2]), "+r"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// c += a * b for a warp's 8 x 4 by 4 x 8 product of doubles. Lane l holds of a the element (l / 4, l % 4), of b
// (l % 4, l / 4), of c the row l / 4, the columns 2 (l % 4) and 2 (l % 4) + 1.
__device__ __forceinline__ void multiply_matrices(double (&c)[2], const double (&a)[1], const double (&b)[1]) {
    asm("mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64 {%0, %1}, {%2}, {%3}, {%0, %1};"
        : "+d"(c[0]), "+d"(c[1])
        : "d"(a[0]), "d"(b[0]));
}

// The same for 16 x 8 by 8 x 8. Element i of a is at row l / 4 + 8 (i % 2), column l % 4 + 4 (i / 2), that of b at row
// l % 4 + 4 i, and c is as with halves.
__device__ __forceinline__ void multiply_matrices(double (&c)[4], const double (&a)[4], const double (&b)[2]) {
    asm("mma.sync.aligned.m16n8k8.row.col.f64.f64.f64.f64 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+d"(c[0]), "+d"(c[1]), "+d"(c[2]), "+d"(c[3])
        : "d"(a[0]), "d"(a[1]), "d"(a[2]), "d"(a[3]), "d"(b[0]), "d"(b[1]));
}

// The same for 16 x 16 by 16 x 8.
__device__ __forceinline__ void multiply_matrices(double (&c)[4], const double (&a)[8], const double (&b)[4]) {
    asm("mma.sync.aligned.m16n8k16.row.col.f64.f64.f64.f64 {%0, %1, %2, %3}, {%4, %5, %6, %7, %8, %9, %10, %11}, "
        "{%12, %13, %14, %15}, {%0, %1, %2, %3};"
        : "+d"(c[0]), "+d"(c[1]), "+d"(c[2]), "+d"(c[3])
        : "d"(a[0]), "d"(a[1]), "d"(a[2]), "d"(a[3]), "d"(a[4]), "d"(a[5]), "d"(a[6]), "d"(a[7]), "d"(b[0]),
          "d"(b[1]), "d"(b[2]), "d"(b[3]));
}

#endif
