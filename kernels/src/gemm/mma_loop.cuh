// The main loop of a product on the matrix units by warps' instructions: of halves by mma.sync.m16n8k16, compute capability
// 8.0 and up, of floats, rounded to tf32, by m16n8k8, of numbers of 8 bits by m16n8k32 (E4M3 from 8.9 on), of doubles by
// m8n8k4 or, from 9.0 on, by m16n8k8.
//
// A thread block computes TILE_M x TILE_N of C, a warp WARP_M x WARP_N of that. STAGES blocks of TILE_K columns of A
// and rows of B are on their way into shared memory at a time, in the layout that they have in memory.
//
// Specialised by: TILE_M TILE_N TILE_K WARP_M WARP_N STAGES, and one of PRECISION_F16 PRECISION_BF16
// PRECISION_F16_ACC16 PRECISION_TF32 PRECISION_F8E4M3 PRECISION_I8 PRECISION_F64; for doubles INSTRUCTION_M, 8 or 16.

#if defined(PRECISION_F64)
typedef double element;
// Along k. An instruction's n is always 8.
constexpr int INSTRUCTION_K = INSTRUCTION_M / 2;
// A lane's elements of A, of B and of the sums.
typedef double OperandA[INSTRUCTION_M * INSTRUCTION_K / 32];
typedef double OperandB[INSTRUCTION_K / 4];
typedef double Sums[INSTRUCTION_M / 4];
#elif defined(PRECISION_TF32)
typedef float element;
constexpr int INSTRUCTION_M = 16, INSTRUCTION_K = 8;
typedef Tf32 OperandA[4];
typedef Tf32 OperandB[2];
typedef float Sums[4];
#elif defined(PRECISION_F8E4M3) || defined(PRECISION_I8)
typedef signed char element;
constexpr int INSTRUCTION_M = 16, INSTRUCTION_K = 32;
typedef unsigned OperandA[4];
typedef unsigned OperandB[2];
#if defined(PRECISION_I8)
typedef int Sums[4];
#else
typedef float Sums[4];
#endif
#else
typedef Half element;
constexpr int INSTRUCTION_M = 16, INSTRUCTION_K = 16;
typedef unsigned OperandA[4];
typedef unsigned OperandB[2];
#if defined(PRECISION_F16_ACC16)
typedef unsigned Sums[2];
#else
typedef float Sums[4];
#endif
#endif

constexpr int WARPS_N = TILE_N / WARP_N;
constexpr int THREADS = TILE_M / WARP_M * WARPS_N * 32;
// Elements of a 16-byte piece.
constexpr int PIECE = 16 / sizeof(element);

extern __shared__ __align__(128) unsigned char shared_memory[];

// How an operand's blocks lie in shared memory. SIDE is its side of the tile that is not k; WITH_K says whether its rows
// run along k.
template <int SIDE, bool WITH_K>
struct Stages {
    static constexpr bool ALONG_K = WITH_K;
    static constexpr int ROWS = ALONG_K ? SIDE : TILE_K;
    static constexpr int COLUMNS = ALONG_K ? TILE_K : SIDE;
    // What comes after a row has rows start in other banks: any eight that are read together, or any four where a lane
    // reads its elements one by one and they are wide or lie across k.
    static constexpr int PADDING_BYTES = sizeof(element) == 8 || (sizeof(element) == 4 && !ALONG_K) ? 32 : 16;
    static constexpr int STRIDE = COLUMNS + PADDING_BYTES / sizeof(element);
    static constexpr int STAGE = ROWS * STRIDE;
    static constexpr int PIECES = ROWS * COLUMNS / PIECE;
    static constexpr int TURNS = (PIECES + THREADS - 1) / THREADS;
};

// An operand that is a matrix in memory. ALIGNED says whether its rows start at multiples of 16 bytes.
template <int SIDE, bool WITH_K, bool ALIGNED>
struct Matrix : Stages<SIDE, WITH_K> {
    using Layout = Stages<SIDE, WITH_K>;

    const element* matrix;
    // Below 2^31, so that sums with a tile's sides don't overflow.
    unsigned rows, columns, origin;
    element* shared;

    __device__ __forceinline__ Matrix(
        const element* matrix, unsigned side, unsigned k, unsigned long long origin, element* shared)
        : matrix(matrix),
          rows(WITH_K ? side : k),
          columns(WITH_K ? k : side),
          origin((unsigned)origin),
          shared(shared) {}

    // Starts to fetch the block from `start` along k into stage `slot`; zeros outside the matrix.
    __device__ __forceinline__ void fetch(unsigned start, int slot) const {
        unsigned first_row = WITH_K ? origin : start, first_column = WITH_K ? start : origin;
        // Copies that are only started need no registers; pieces that pass through them come one at a time.
#pragma unroll(ALIGNED ? Layout::TURNS : 1)
        for (int i = 0; i < Layout::TURNS; ++i) {
            int piece = threadIdx.x + i * THREADS;
            if (Layout::PIECES % THREADS != 0 && piece >= Layout::PIECES) break;
            int row = piece / (Layout::COLUMNS / PIECE), column = piece % (Layout::COLUMNS / PIECE) * PIECE;
            element* target = shared + slot * Layout::STAGE + row * Layout::STRIDE + column;
            unsigned r = first_row + row, s = first_column + column;
            const element* source = matrix + (unsigned long long)r * columns + s;
            if (ALIGNED) {
                bool inside = r < rows && s < columns;
                copy_async_16(target, inside ? source : matrix, inside);
            } else {
#pragma unroll
                for (int j = 0; j < PIECE; ++j) target[j] = r < rows && s + j < columns ? source[j] : element(0);
            }
        }
    }

    // Ends what `fetch` left in registers: nothing.
    __device__ __forceinline__ void settle(int) const {}
};

// The two columns of a lane's row `row`: the upper one (0) or that 8 below it (1).
#if defined(PRECISION_F16) || defined(PRECISION_BF16) || defined(PRECISION_F8E4M3)
__device__ __forceinline__ unsigned halves(const Sums& sums, int row) {
    return f32_to_half_pair(sums[2 * row], sums[2 * row + 1]);
}
#elif defined(PRECISION_F16_ACC16)
__device__ __forceinline__ unsigned halves(const Sums& sums, int row) { return sums[row]; }
#endif

// A warp's place in the tile.
struct Place {
    int lane, row, column;
};

__device__ __forceinline__ Place this_place() {
    int warp = threadIdx.x / 32;
    return {(int)threadIdx.x % 32, warp / WARPS_N * WARP_M, warp % WARPS_N * WARP_N};
}

// Adds the product of both operands, k long, to `sums`. An operand is a kind of Stages with `shared`, where its stages
// are, and two functions: `fetch` is called for one block after the other, `settle` for the same slot after work that
// hides the time that reading takes.
template <typename A, typename B>
__device__ __forceinline__ void multiply_blocks(
    Sums (&sums)[WARP_M / INSTRUCTION_M][WARP_N / 8], A& operand_a, B& operand_b, unsigned k, const Place& at) {
    unsigned blocks = (k + TILE_K - 1) / TILE_K;
#pragma unroll
    for (int i = 0; i < STAGES - 1; ++i) {
        if (i < blocks) {
            operand_a.fetch(i * TILE_K, i);
            operand_b.fetch(i * TILE_K, i);
            operand_a.settle(i);
            operand_b.settle(i);
        }
        copy_async_commit();
    }

    int slot = 0, free_slot = STAGES - 1;
    for (unsigned block = 0; block < blocks; ++block) {
        copy_async_wait<STAGES - 2>();
        // This block is there for all threads, and all are done with the block before, whose slot is filled next.
        __syncthreads();
        bool more = block + STAGES - 1 < blocks;
        if (more) {
            unsigned start = (block + STAGES - 1) * TILE_K;
            operand_a.fetch(start, free_slot);
            operand_b.fetch(start, free_slot);
        }
        copy_async_commit();
        const element* stage_a = operand_a.shared + slot * A::STAGE;
        const element* stage_b = operand_b.shared + slot * B::STAGE;
#pragma unroll
        for (int depth = 0; depth < TILE_K; depth += INSTRUCTION_K) {
            OperandA pieces_a[WARP_M / INSTRUCTION_M];
            OperandB pieces_b[WARP_N / 8];
#pragma unroll
            for (int i = 0; i < WARP_M / INSTRUCTION_M; ++i) {
                load_a<A::ALONG_K, A::STRIDE>(pieces_a[i], stage_a, at.row + INSTRUCTION_M * i, depth, at.lane);
            }
#pragma unroll
            for (int j = 0; j < WARP_N / 8; j += 2) {
                load_b<B::ALONG_K, B::STRIDE>(
                    pieces_b[j], pieces_b[j + 1], stage_b, depth, at.column + 8 * j, at.lane);
            }
#pragma unroll
            for (int i = 0; i < WARP_M / INSTRUCTION_M; ++i) {
#pragma unroll
                for (int j = 0; j < WARP_N / 8; ++j) multiply_matrices(sums[i][j], pieces_a[i], pieces_b[j]);
            }
        }
        if (more) {
            operand_a.settle(free_slot);
            operand_b.settle(free_slot);
        }
        slot = slot + 1 == STAGES ? 0 : slot + 1;
        free_slot = free_slot + 1 == STAGES ? 0 : free_slot + 1;
    }
}
