// C = A·B for halves on the matrix units.
//
// Specialised by what mma_loop.cuh is, TRANS_A TRANS_B (0 or 1), and ALIGNED_A ALIGNED_B (1 where every row in memory
// starts at a multiple of 16 bytes).

struct Params {
    unsigned m, n, k, zero;
};

// Thread blocks of a multiprocessor at one time, which bounds registers: of small tiles as many as shared memory has room
// for, for the assembler would rather spill than have fewer than it thinks best. Of others it decides, which is 0.
constexpr int BLOCKS = TILE_M * TILE_N <= 64 * 64 ? 5 : 0;

typedef Matrix<TILE_M, !TRANS_A, ALIGNED_A> OperandA;
typedef Matrix<TILE_N, TRANS_B, ALIGNED_B> OperandB;

extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS)
    gemm_mma(const f16* __restrict__ a, const f16* __restrict__ b, f16* __restrict__ c, Params p) {
    Tile tile = tile_of<TILE_M, TILE_N>(block_number(), p.m, p.n);
    if (!tile.exists) return;
    f16* shared = (f16*)shared_memory;
    OperandA operand_a(a, p.m, p.k, tile.row, shared);
    OperandB operand_b(b, p.n, p.k, tile.column, shared + STAGES * OperandA::STAGE);
    Place at = this_place();
    Sums sums[WARP_M / 16][WARP_N / 8] = {};
    multiply_blocks(sums, operand_a, operand_b, p.k, at);

#pragma unroll
    for (int i = 0; i < WARP_M / 16; ++i) {
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            unsigned long long row = tile.row + at.row + 16 * i + 8 * half + at.lane / 4;
            if (row >= p.m) continue;
#pragma unroll
            for (int j = 0; j < WARP_N / 8; ++j) {
                unsigned long long column = tile.column + at.column + 8 * j + at.lane % 4 * 2;
                f16* target = c + row * p.n + column;
                unsigned pair = halves(sums[i][j], half);
                if (p.n % 2 == 0) {
                    if (column < p.n) *(unsigned*)target = pair;
                } else {
                    if (column < p.n) target[0] = (f16)pair;
                    if (column + 1 < p.n) target[1] = (f16)(pair >> 16);
                }
            }
        }
    }
}
