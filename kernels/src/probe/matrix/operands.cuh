// What the matrix probes multiply: small whole numbers, made of the inputs. See mod.rs.
//
// Specialised by one of PRECISION_F64 PRECISION_F16 PRECISION_F16_ACC16.

#if defined(PRECISION_F64)
typedef double Real;
__device__ __forceinline__ Real whole(Real x) { return rint(x); }
__device__ __forceinline__ Real number(int x) { return x; }
__device__ __forceinline__ int integer(Real x) { return (int)rint(x); }
#else
typedef f16 Real;
__device__ __forceinline__ Real whole(Real x) { return f32_to_f16(rintf(f16_to_f32(x))); }
__device__ __forceinline__ Real number(int x) { return f32_to_f16((float)x); }
__device__ __forceinline__ int integer(Real x) { return (int)rintf(f16_to_f32(x)); }
#endif

// A tile, and the sums that a round adds to each of its elements.
constexpr int TILE_M = 64, TILE_N = 256, TILE_K = 16;

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
