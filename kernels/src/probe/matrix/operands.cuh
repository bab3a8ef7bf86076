// What the matrix probes multiply: small whole numbers, made of the inputs. See mod.rs.
//
// Specialised by one of PRECISION_F64 PRECISION_TF32 PRECISION_BF16 PRECISION_F16 PRECISION_F16_ACC16
// PRECISION_F8E4M3 PRECISION_I8.

// An element of A and B, and one of C in memory; small whole numbers as the former.
#if defined(PRECISION_F64)
typedef double Real;
typedef double Total;
__device__ __forceinline__ Real number(int x) { return x; }
__device__ __forceinline__ int integer(Real x) { return (int)rint(x); }
__device__ __forceinline__ Total whole(Total x) { return rint(x); }
#elif defined(PRECISION_I8)
typedef signed char Real;
typedef int Total;
__device__ __forceinline__ Real number(int x) { return (Real)x; }
__device__ __forceinline__ int integer(Real x) { return x; }
__device__ __forceinline__ Total whole(Total x) { return x; }
#else
#if defined(PRECISION_TF32)
typedef float Real;
__device__ __forceinline__ Real number(int x) { return (Real)x; }
__device__ __forceinline__ int integer(Real x) { return (int)rintf(x); }
#elif defined(PRECISION_F8E4M3)
typedef signed char Real;
__device__ __forceinline__ Real number(int x) { return f32_to_f8((float)x); }
__device__ __forceinline__ int integer(Real x) { return (int)rintf(f8_to_f32(x)); }
#else
typedef Half Real;
__device__ __forceinline__ Real number(int x) { return f32_to_half((float)x); }
__device__ __forceinline__ int integer(Real x) { return (int)rintf(half_to_f32(x)); }
#endif
#if defined(PRECISION_F16) || defined(PRECISION_F16_ACC16)
typedef Half Total;
__device__ __forceinline__ Total whole(Total x) { return f32_to_half(rintf(half_to_f32(x))); }
#else
typedef float Total;
__device__ __forceinline__ Total whole(Total x) { return rintf(x); }
#endif
#endif

// A tile, and the sums that a round adds to each of its elements.
constexpr int TILE_M = 64, TILE_N = 256, TILE_K = sizeof(Real) == 8 ? 16 : 32 / sizeof(Real);

struct Params {
    unsigned tiles, bodies, zero[2];
};

__device__ __forceinline__ int clamped(int x, int most) { return x > most ? most : x < -most ? -most : x; }

// The element of A, B and E at a place.
__device__ __forceinline__ Real element_a(const Real* a, int row, int depth) {
    return number(clamped(integer(a[row * TILE_K + depth]), 1));
}

__device__ __forceinline__ int whole_b(const Real* b, int depth, int column) {
    return clamped(integer(b[depth * TILE_N + column]), 2);
}

__device__ __forceinline__ Real element_b(const Real* b, int depth, int column) {
    return number(whole_b(b, depth, column));
}

__device__ __forceinline__ Real element_e(const Real* b, int depth, int column) {
    return number((column % TILE_K == depth) - whole_b(b, depth, column));
}
