// C = A·B on the matrix units.
//
// Specialised by what mma_loop.cuh is, TRANS_A TRANS_B (0 or 1), and ALIGNED_A ALIGNED_B (1 where every row in memory
// starts at a multiple of 16 bytes).

struct Params {
    unsigned m, n, k, zero;
};

// Thread blocks of a multiprocessor at one time, which bounds registers: of small tiles as many as shared memory has room
// for, for the assembler would rather spill than have fewer than it thinks best. Of others it decides, which is 0.
constexpr int BLOCKS = sizeof(element) <= sizeof(Half) && TILE_M * TILE_N <= 64 * 64 ? 5 : 0;

#if defined(PRECISION_I8)
typedef int output;
#elif defined(PRECISION_F8E4M3)
typedef Half output;
#else
typedef element output;
#endif

// Two that a lane has in a row of C.
struct alignas(2 * sizeof(output)) Pair {
    output first, second;
};

// A lane's, in the upper of its rows (0) or that 8 below it (1).
__device__ __forceinline__ Pair pair_of(const Sums& sums, int row) {
#if defined(PRECISION_F64) || defined(PRECISION_TF32) || defined(PRECISION_I8)
    return {sums[2 * row], sums[2 * row + 1]};
#else
    unsigned both = halves(sums, row);
    return {(Half)both, (Half)(both >> 16)};
#endif
}

typedef Matrix<TILE_M, !TRANS_A, ALIGNED_A> BlocksA;
typedef Matrix<TILE_N, TRANS_B, ALIGNED_B> BlocksB;

// Where an operand of bytes lies across k, its pieces have every second row or column of sixteen: see fragments.cuh.
constexpr bool ROWS_IN_TURN = sizeof(element) == 1 && TRANS_A, COLUMNS_IN_TURN = sizeof(element) == 1 && !TRANS_B;
// The columns of a pair.
constexpr int APART = COLUMNS_IN_TURN ? 2 : 1;

// A lane's row of the i-th eight, and its first column of the j-th.
__device__ __forceinline__ int row_of(int i, int lane) {
    return ROWS_IN_TURN ? i / 2 * 16 + lane / 4 * 2 + i % 2 : i * 8 + lane / 4;
}
__device__ __forceinline__ int column_of(int j, int lane) {
    return COLUMNS_IN_TURN ? j / 2 * 16 + lane % 4 * 4 + j % 2 : j * 8 + lane % 4 * 2;
}

extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS)
    gemm_mma(const element* __restrict__ a, const element* __restrict__ b, output* __restrict__ c, Params p) {
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
        unsigned long long row = tile.row + at.row + row_of(i, at.lane);
        if (row >= p.m) continue;
#pragma unroll
        for (int j = 0; j < WARP_N / 8; ++j) {
            unsigned long long column = tile.column + at.column + column_of(j, at.lane);
            output* target = c + row * p.n + column;
            Pair pair = pair_of(sums[i * 8 / INSTRUCTION_M][j], i % (INSTRUCTION_M / 8));
            if (APART == 1 && p.n % 2 == 0) {
                if (column < p.n) *(Pair*)target = pair;
            } else {
                if (column < p.n) target[0] = pair.first;
                if (column + APART < p.n) target[APART] = pair.second;
            }
        }
    }
}
