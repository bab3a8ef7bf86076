// Products of halves on matrix units in OpenCL C: the instructions of ptx.cuh that they take, as inline PTX for compute
// capability 8.0 and up. Halves are handled as their bits, so nothing here asks for arithmetic in half.
//
// Definition: PRECISION_F16 (sums in f32) or PRECISION_F16_ACC16 (sums in halves).

#ifndef INLINE
#define INLINE static __attribute__((always_inline))
#endif

// What a lane holds of a warp's sums of 16 × 8: those of the rows l / 4 and l / 4 + 8, each of the columns 2 (l % 4)
// and 2 (l % 4) + 1. Halves go in pairs, the first one in the low bits.
#if defined(PRECISION_F16)
typedef float accumulator_t;
#define SUMS 4
// The two of a row, 0 or 1, as a pair of halves.
#define ROW_OF(sums, row) f32_to_half_pair(sums[2 * (row)], sums[2 * (row) + 1])
#else
typedef uint accumulator_t;
#define SUMS 2
#define ROW_OF(sums, row) sums[row]
#endif

// Where an array in local memory lies, as a number: instructions take addresses of the shared space, of 32 bits. OpenCL
// C 1.2 has no generic pointers, so that one to local memory is such an address already, whatever its width; to convert
// it from a generic address (cvta.to.shared) would subtract a base that is not in it.
#ifndef SHARED_ADDRESS
#define SHARED_ADDRESS(array) ((uint)(size_t)(array))
#endif

#ifndef ACCELBENCH_PTX_CL
#define ACCELBENCH_PTX_CL

INLINE float f16_to_f32(ushort x)
{
    float y;
    asm("cvt.f32.f16 %0, %1;" : "=f"(y) : "h"(x));
    return y;
}

// Two halves, the first one in the low bits.
INLINE uint f32_to_half_pair(float first, float second)
{
    uint pair;
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(second), "f"(first));
    return pair;
}

// 2 to the power of x, to about 2 units in the last place; subnormal results are 0.
INLINE float exp2_approximate(float x)
{
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}

// What the lane whose number differs in the bits of `mask` gives for x; every lane of the warp takes part.
INLINE float lane_exchange(float x, int mask)
{
    float y;
    asm volatile("shfl.sync.bfly.b32 %0, %1, %2, 31, 0xffffffff;" : "=f"(y) : "f"(x), "r"(mask));
    return y;
}

// Starts a copy of 16 bytes from global to shared memory, both aligned to 16; writes zeros where `inside` is false,
// without touching `source`.
INLINE void copy_async_16(uint target, global const ushort *source, bool inside)
{
    const int bytes = inside ? 16 : 0;
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(target), "l"(source), "r"(bytes) : "memory");
}

// Closes a group of copies: all that this work-item started since the last one.
INLINE void copy_async_commit(void) { asm volatile("cp.async.commit_group;" ::: "memory"); }

// Waits until at most `PENDING`, a constant, of this work-item's latest groups are under way.
#define COPY_ASYNC_WAIT(PENDING) asm volatile("cp.async.wait_group %0;" : : "n"(PENDING) : "memory")

// Writes 16 bytes to shared memory, at a multiple of 16.
INLINE void store_16(uint target, const uint *words)
{
    asm volatile("st.shared.v4.b32 [%0], {%1, %2, %3, %4};" ::"r"(target), "r"(words[0]), "r"(words[1]), "r"(words[2]),
                 "r"(words[3])
                 : "memory");
}

// Reads them.
INLINE void load_16(uint *words, uint source)
{
    asm volatile("ld.shared.v4.b32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(words[0]), "=r"(words[1]), "=r"(words[2]), "=r"(words[3])
                 : "r"(source)
                 : "memory");
}

// Loads four 8 × 8 matrices of halves; the warp's lanes 8i to 8i+7 give the addresses of the rows of matrix i. Lane l
// gets the elements (l / 4, 2 (l % 4)) and (l / 4, 2 (l % 4) + 1) of each.
INLINE void load_fragments(uint *x, uint row)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(x[0]), "=r"(x[1]), "=r"(x[2]), "=r"(x[3])
                 : "r"(row)
                 : "memory");
}

// The same with each matrix transposed: lane l gets (2 (l % 4), l / 4) and (2 (l % 4) + 1, l / 4).
INLINE void load_fragments_transposed(uint *x, uint row)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(x[0]), "=r"(x[1]), "=r"(x[2]), "=r"(x[3])
                 : "r"(row)
                 : "memory");
}

// c += a * b for a warp's 16 × 16 by 16 × 8 product: a lane holds 4 registers of A and 2 of B.
INLINE void multiply_fragments(accumulator_t *c, const uint *a, const uint *b)
{
#if defined(PRECISION_F16)
    asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
    asm("mma.sync.aligned.m16n8k16.row.col.f16.f16.f16.f16 {%0, %1}, {%2, %3, %4, %5}, {%6, %7}, {%0, %1};"
        : "+r"(c[0]), "+r"(c[1])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#endif
}

#endif
