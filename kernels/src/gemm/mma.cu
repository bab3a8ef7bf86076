// C = A·B for halves and doubles on the matrix units.
//
// Specialised by what mma_loop.cuh is, TRANS_A TRANS_B (0 or 1), and ALIGNED_A ALIGNED_B (1 where every row in memory
// starts at a multiple of 16 bytes).

struct Params {
    unsigned m, n, k, zero;
};

// Thread blocks of a multiprocessor at one time, which bounds registers: of small tiles as many as shared memory has room
// for, for the assembler would rather spill than have fewer than it thinks best. Of others it decides, which is 0.
constexpr int BLOCKS = TILE_M * TILE_N * sizeof(element) <= 64 * 64 * sizeof(f16) ? 5 : 0;

// Two neighbours in a row of C.
struct alignas(2 * sizeof(element)) Pair {
    element first, second;
};

// A lane's, in the upper of its rows (0) or that 8 below it (1).
__device__ __forceinline__ Pair pair_of(const Sums& sums, int row) {
#if defined(PRECISION_F64)
    return {sums[2 * row], sums[2 * row + 1]};
#else
    unsigned both = halves(sums, row);
    return {(f16)both, (f16)(both >> 16)};
#endif
}

typedef Matrix<TILE_M, !TRANS_A, ALIGNED_A> BlocksA;
typedef Matrix<TILE_N, TRANS_B, ALIGNED_B> BlocksB;

extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS)
    gemm_mma(const element* __restrict__ a, const element* __restrict__ b, element* __restrict__ c, Params p) {
    Tile tile = tile_of<TILE_M, TILE_N>(block_number(), p.m, p.n);
    if (!tile.exists) return;
    element* shared = (element*)shared_memory;
    BlocksA blocks_a(a, p.m, p.k, tile.row, shared);
    BlocksB blocks_b(b, p.n, p.k, tile.column, shared + STAGES * BlocksA::STAGE);
    Place at = this_place();
    Sums sums[WARP_M / INSTRUCTION_M][WARP_N / 8] = {};
    multiply_blocks(sums, blocks_a, blocks_b, p.k, at);

#pragma unroll
    for (int i = 0; i < WARP_M / 8; ++i) {
        unsigned long long row = tile.row + at.row + 8 * i + at.lane / 4;
        if (row >= p.m) continue;
#pragma unroll
        for (int j = 0; j < WARP_N / 8; ++j) {
            unsigned long long column = tile.column + at.column + 8 * j + at.lane % 4 * 2;
            element* target = c + row * p.n + column;
            Pair pair = pair_of(sums[i * 8 / INSTRUCTION_M][j], i % (INSTRUCTION_M / 8));
            if (p.n % 2 == 0) {
                if (column < p.n) *(Pair*)target = pair;
            } else {
                if (column < p.n) target[0] = pair.first;
                if (column + 1 < p.n) target[1] = pair.second;
            }
        }
    }
}
