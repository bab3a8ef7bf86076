// C = A·B for halves on the matrix units: mma.sync.m16n8k16, compute capability 8.0 and up.
//
// A thread block computes TILE_M x TILE_N of C, a warp WARP_M x WARP_N of that. STAGES blocks of TILE_K columns of A
// and rows of B are on their way into shared memory at a time, in the layout that they have in memory; ldmatrix
// transposes where that is not the one that the instruction wants. Rows in shared memory are padded by 16 bytes, which
// puts any eight of them that follow one another in different banks.
//
// Specialised by: TILE_M TILE_N TILE_K WARP_M WARP_N STAGES, TRANS_A TRANS_B (0 or 1), ALIGNED_A ALIGNED_B (1 where
// every row in memory starts at a multiple of 16 bytes), and one of PRECISION_F16 PRECISION_F16_ACC16.

constexpr int WARPS_N = TILE_N / WARP_N;
constexpr int THREADS = TILE_M / WARP_M * WARPS_N * 32;
// Elements of a 16-byte piece.
constexpr int PIECE = 8;

struct Params {
    unsigned m, n, k, zero;
};

extern __shared__ __align__(128) unsigned char shared_memory[];

// One operand. SIDE is its side of the tile that is not k; ALONG_K says whether its rows in memory run along k;
// ALIGNED whether they start at multiples of 16 bytes.
template <int SIDE, bool ALONG_K, bool ALIGNED>
struct Operand {
    static constexpr int ROWS = ALONG_K ? SIDE : TILE_K;
    static constexpr int COLUMNS = ALONG_K ? TILE_K : SIDE;
    static constexpr int STRIDE = COLUMNS + PIECE;
    static constexpr int STAGE = ROWS * STRIDE;
    static constexpr int PIECES = ROWS * COLUMNS / PIECE;
    static constexpr int TURNS = (PIECES + THREADS - 1) / THREADS;

    const f16* matrix;
    unsigned long long rows, columns;
    unsigned long long origin;
    f16* shared;

    __device__ __forceinline__ Operand(
        const f16* matrix, unsigned side, unsigned k, unsigned long long origin, f16* shared)
        : matrix(matrix), rows(ALONG_K ? side : k), columns(ALONG_K ? k : side), origin(origin), shared(shared) {}

    // Starts to fetch the block from `start` along k into stage `slot`; zeros outside the matrix.
    __device__ __forceinline__ void fetch(unsigned long long start, int slot) const {
        unsigned long long first_row = ALONG_K ? origin : start;
        unsigned long long first_column = ALONG_K ? start : origin;
        // Copies that are only started need no registers; pieces that pass through them come one at a time.
#pragma unroll(ALIGNED ? TURNS : 1)
        for (int i = 0; i < TURNS; ++i) {
            int piece = threadIdx.x + i * THREADS;
            if (PIECES % THREADS != 0 && piece >= PIECES) break;
            int row = piece / (COLUMNS / PIECE), column = piece % (COLUMNS / PIECE) * PIECE;
            f16* target = shared + slot * STAGE + row * STRIDE + column;
            unsigned long long r = first_row + row, s = first_column + column;
            const f16* source = matrix + r * columns + s;
            if (ALIGNED) {
                bool inside = r < rows && s < columns;
                copy_async_16(target, inside ? source : matrix, inside);
            } else {
#pragma unroll
                for (int j = 0; j < PIECE; ++j) target[j] = r < rows && s + j < columns ? source[j] : f16(0);
            }
        }
    }
};

typedef Operand<TILE_M, !TRANS_A, ALIGNED_A> OperandA;
typedef Operand<TILE_N, TRANS_B, ALIGNED_B> OperandB;

// The 16 x 16 piece of A at (row, depth) of a stage.
__device__ __forceinline__ void load_a(unsigned (&x)[4], const f16* stage, int row, int depth, int lane) {
    if (TRANS_A) {
        int p = depth + lane % 8 + lane / 16 * 8, i = row + lane / 8 % 2 * 8;
        load_matrices_transposed(x, stage + p * OperandA::STRIDE + i);
    } else {
        int i = row + lane % 16, p = depth + lane / 16 * 8;
        load_matrices(x, stage + i * OperandA::STRIDE + p);
    }
}

// Two neighbouring 16 x 8 pieces of B at (depth, column) of a stage: two registers each.
__device__ __forceinline__ void load_b(unsigned (&x)[4], const f16* stage, int depth, int column, int lane) {
    if (TRANS_B) {
        int j = column + lane % 8 + lane / 16 * 8, p = depth + lane / 8 % 2 * 8;
        load_matrices(x, stage + j * OperandB::STRIDE + p);
    } else {
        int p = depth + lane % 16, j = column + lane / 16 * 8;
        load_matrices_transposed(x, stage + p * OperandB::STRIDE + j);
    }
}

#if defined(PRECISION_F16)
typedef float Sums[4];
// The two columns of a lane's upper (0) or lower (1) row, as halves.
__device__ __forceinline__ unsigned halves(const Sums& sums, int row) {
    return f32_to_f16(sums[2 * row]) | (unsigned)f32_to_f16(sums[2 * row + 1]) << 16;
}
#elif defined(PRECISION_F16_ACC16)
typedef unsigned Sums[2];
__device__ __forceinline__ unsigned halves(const Sums& sums, int row) { return sums[row]; }
#endif

extern "C" __global__ void __launch_bounds__(THREADS)
    gemm_mma(const f16* __restrict__ a, const f16* __restrict__ b, f16* __restrict__ c, Params p) {
    Tile tile = this_tile<TILE_M, TILE_N>(p.m, p.n);
    if (!tile.exists) return;
    f16* shared = (f16*)shared_memory;
    OperandA operand_a(a, p.m, p.k, tile.row, shared);
    OperandB operand_b(b, p.n, p.k, tile.column, shared + STAGES * OperandA::STAGE);
    int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    int warp_row = warp / WARPS_N * WARP_M, warp_column = warp % WARPS_N * WARP_N;

    unsigned blocks = (p.k + TILE_K - 1) / TILE_K;
#pragma unroll
    for (int i = 0; i < STAGES - 1; ++i) {
        if (i < blocks) {
            operand_a.fetch((unsigned long long)i * TILE_K, i);
            operand_b.fetch((unsigned long long)i * TILE_K, i);
        }
        copy_async_commit();
    }

    Sums sums[WARP_M / 16][WARP_N / 8] = {};
    int slot = 0, free_slot = STAGES - 1;
    for (unsigned block = 0; block < blocks; ++block) {
        copy_async_wait<STAGES - 2>();
        // This block is there for all threads, and all are done with the block before, whose slot is filled next.
        __syncthreads();
        if (block + STAGES - 1 < blocks) {
            unsigned long long start = (block + STAGES - 1ull) * TILE_K;
            operand_a.fetch(start, free_slot);
            operand_b.fetch(start, free_slot);
        }
        copy_async_commit();
        const f16* stage_a = operand_a.shared + slot * OperandA::STAGE;
        const f16* stage_b = operand_b.shared + slot * OperandB::STAGE;
#pragma unroll
        for (int depth = 0; depth < TILE_K; depth += 16) {
            unsigned pieces_a[WARP_M / 16][4], pieces_b[WARP_N / 8][2];
#pragma unroll
            for (int i = 0; i < WARP_M / 16; ++i) load_a(pieces_a[i], stage_a, warp_row + 16 * i, depth, lane);
#pragma unroll
            for (int j = 0; j < WARP_N / 16; ++j) {
                unsigned pair[4];
                load_b(pair, stage_b, depth, warp_column + 16 * j, lane);
                pieces_b[2 * j][0] = pair[0];
                pieces_b[2 * j][1] = pair[1];
                pieces_b[2 * j + 1][0] = pair[2];
                pieces_b[2 * j + 1][1] = pair[3];
            }
#pragma unroll
            for (int i = 0; i < WARP_M / 16; ++i) {
#pragma unroll
                for (int j = 0; j < WARP_N / 8; ++j) multiply_matrices(sums[i][j], pieces_a[i], pieces_b[j]);
            }
        }
        slot = slot + 1 == STAGES ? 0 : slot + 1;
        free_slot = free_slot + 1 == STAGES ? 0 : free_slot + 1;
    }

#pragma unroll
    for (int i = 0; i < WARP_M / 16; ++i) {
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            unsigned long long row = tile.row + warp_row + 16 * i + 8 * half + lane / 4;
            if (row >= p.m) continue;
#pragma unroll
            for (int j = 0; j < WARP_N / 8; ++j) {
                unsigned long long column = tile.column + warp_column + 8 * j + lane % 4 * 2;
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
