// C = C + A * B on the matrix units by the instructions of groups of four warps: a group keeps a whole tile of C in
// registers; A, B and E are in shared memory, and all groups of a block share them.
//
// Specialised by what operands.cuh says, without f64.

// Two neighbours in a row of C.
struct alignas(2 * sizeof(Total)) Totals {
    Total first, second;
};

// Of a row of 8 columns, a lane has 2; of 16 rows of its warp, 2.
#if defined(PRECISION_F16_ACC16)
typedef unsigned Sums[64];
__device__ __forceinline__ void set(Sums& sums, int i, Total first, Total second) {
    sums[i] = first | (unsigned)second << 16;
}
__device__ __forceinline__ Totals get(const Sums& sums, int i) { return {(Total)sums[i], (Total)(sums[i] >> 16)}; }
#elif defined(PRECISION_F16)
typedef float Sums[128];
__device__ __forceinline__ void set(Sums& sums, int i, Total first, Total second) {
    sums[2 * i] = half_to_f32(first);
    sums[2 * i + 1] = half_to_f32(second);
}
__device__ __forceinline__ Totals get(const Sums& sums, int i) {
    return {f32_to_half(sums[2 * i]), f32_to_half(sums[2 * i + 1])};
}
#else
typedef Total Sums[128];
__device__ __forceinline__ void set(Sums& sums, int i, Total first, Total second) {
    sums[2 * i] = first;
    sums[2 * i + 1] = second;
}
__device__ __forceinline__ Totals get(const Sums& sums, int i) { return {sums[2 * i], sums[2 * i + 1]}; }
#endif

// Where an operand's element is that is `side` along m or n, and `depth` along k: see `descriptor`.
__device__ __forceinline__ int place(int side, int depth) {
    constexpr int UNIT = 16 / sizeof(Real);
    return (side / 8 * 2 + depth / UNIT) * 8 * UNIT + side % 8 * UNIT + depth % UNIT;
}

extern "C" __global__ void __launch_bounds__(256)
    matrix(const Real* a, const Real* b, const Total* start, Total* c, Params p) {
    __shared__ __align__(128) Real operand_a[TILE_M * TILE_K];
    __shared__ __align__(128) Real operand_b[TILE_K * TILE_N];
    __shared__ __align__(128) Real operand_e[TILE_K * TILE_N];
    for (int i = threadIdx.x; i < TILE_M * TILE_K; i += 256) {
        operand_a[place(i / TILE_K, i % TILE_K)] = element_a(a, i / TILE_K, i % TILE_K);
    }
    for (int i = threadIdx.x; i < TILE_K * TILE_N; i += 256) {
        operand_b[place(i % TILE_N, i / TILE_N)] = element_b(b, i / TILE_N, i % TILE_N);
        operand_e[place(i % TILE_N, i / TILE_N)] = element_e(b, i / TILE_N, i % TILE_N);
    }
    publish_shared();
    __syncthreads();
    unsigned long long tile = (blockIdx.x + (unsigned long long)blockIdx.y * gridDim.x) * 2 + threadIdx.x / 128;
    if (tile >= p.tiles) return;

    int lane = threadIdx.x % 32, row = threadIdx.x % 128 / 32 * 16 + lane / 4;
    const Total* from = start + tile * (TILE_M * TILE_N) + row * TILE_N + lane % 4 * 2;
    Total* to = c + tile * (TILE_M * TILE_N) + row * TILE_N + lane % 4 * 2;
    Sums sums;
#pragma unroll
    for (int i = 0; i < 64; ++i) {
        const Total* pair = from + i % 2 * 8 * TILE_N + i / 2 * 8;
        set(sums, i, whole(pair[0]), whole(pair[1]));
    }
    unsigned long long at_a = descriptor(operand_a), at_b = descriptor(operand_b), at_e = descriptor(operand_e);
#pragma unroll 1
    for (unsigned body = 0; body < p.bodies; ++body) {
        group_begin();
#pragma unroll
        for (int pair = 0; pair < 16; ++pair) {
            multiply_group(sums, at_a, at_b);
            multiply_group(sums, at_a, at_e);
        }
        group_commit();
    }
    group_wait(sums);
#pragma unroll
    for (int i = 0; i < 64; ++i) *(Totals*)(to + i % 2 * 8 * TILE_N + i / 2 * 8) = get(sums, i);
}
