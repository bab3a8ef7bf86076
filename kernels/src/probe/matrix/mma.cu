// C = C + A * B on the matrix units by warps' instructions: a warp keeps ROWS x 8 COLUMNS of a tile of C in registers, and
// all of A, B and E that it needs.
//
// Specialised by: ROWS, COLUMNS, INSTRUCTION_M and INSTRUCTION_K (the instruction's, its n is 8), and what operands.cuh
// says.

constexpr int M_STEPS = ROWS / INSTRUCTION_M, K_STEPS = TILE_K / INSTRUCTION_K;
constexpr int WARPS_N = TILE_N / (8 * COLUMNS), WARPS = TILE_M / ROWS * WARPS_N;

#if defined(PRECISION_F64) || defined(PRECISION_TF32)
// Elements of a lane. Of A, those at row l / 4 or, where there are 16 rows, l / 4 + 8, column l % 4 + 4 i; of B, row
// l % 4 + 4 i and column l / 4; of C, rows as A's and columns 2 (l % 4) and one more.
#if defined(PRECISION_F64)
typedef double Operand;
__device__ __forceinline__ Operand operand(Real x) { return x; }
#else
typedef Tf32 Operand;
__device__ __forceinline__ Operand operand(Real x) { return f32_to_tf32(x); }
#endif
typedef Operand OperandA[INSTRUCTION_M * INSTRUCTION_K / 32];
typedef Operand OperandB[INSTRUCTION_K / 4];
typedef Total Sums[INSTRUCTION_M / 4];

__device__ __forceinline__ void load_a(OperandA& x, const Real* a, int row, int depth, int lane) {
#pragma unroll
    for (int i = 0; i < INSTRUCTION_M * INSTRUCTION_K / 32; ++i) {
        int half = INSTRUCTION_M == 16 ? i % 2 : 0, step = INSTRUCTION_M == 16 ? i / 2 : i;
        x[i] = operand(element_a(a, row + lane / 4 + 8 * half, depth + lane % 4 + 4 * step));
    }
}

template <Real ELEMENT(const Real*, int, int)>
__device__ __forceinline__ void load_b(OperandB& x, const Real* b, int depth, int column, int lane) {
#pragma unroll
    for (int i = 0; i < INSTRUCTION_K / 4; ++i) {
        x[i] = operand(ELEMENT(b, depth + lane % 4 + 4 * i, column + lane / 4));
    }
}
#else
// Registers hold neighbours along k.
constexpr int PACKED = 4 / sizeof(Real);
typedef unsigned OperandA[4];
typedef unsigned OperandB[2];
#if defined(PRECISION_F16_ACC16)
typedef unsigned Sums[2];
#elif defined(PRECISION_I8)
typedef int Sums[4];
#else
typedef float Sums[4];
#endif

template <typename Element>
__device__ __forceinline__ unsigned packed(Element element) {
    constexpr int BITS = 8 * sizeof(Real);
    unsigned all = 0;
#pragma unroll
    for (int i = 0; i < PACKED; ++i) {
        all |= ((unsigned)element(i) & 0xffffffffu >> (32 - BITS)) << BITS * i;
    }
    return all;
}

__device__ __forceinline__ void load_a(OperandA& x, const Real* a, int row, int depth, int lane) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
        int r = row + lane / 4 + i % 2 * 8, l = depth + (lane % 4 + i / 2 * 4) * PACKED;
        x[i] = packed([&](int next) { return element_a(a, r, l + next); });
    }
}

template <Real ELEMENT(const Real*, int, int)>
__device__ __forceinline__ void load_b(OperandB& x, const Real* b, int depth, int column, int lane) {
#pragma unroll
    for (int i = 0; i < 2; ++i) {
        int l = depth + (lane % 4 + i * 4) * PACKED;
        x[i] = packed([&](int next) { return ELEMENT(b, l + next, column + lane / 4); });
    }
}
#endif

// The element `i` of a lane's sums, row by row: two columns of each row.
#if defined(PRECISION_F16_ACC16)
__device__ __forceinline__ void set(Sums& sums, int i, Total value) {
    sums[i / 2] = i % 2 ? sums[i / 2] | (unsigned)value << 16 : value;
}
__device__ __forceinline__ Total get(const Sums& sums, int i) { return (Total)(sums[i / 2] >> i % 2 * 16); }
#elif defined(PRECISION_F16)
__device__ __forceinline__ void set(Sums& sums, int i, Total value) { sums[i] = half_to_f32(value); }
__device__ __forceinline__ Total get(const Sums& sums, int i) { return f32_to_half(sums[i]); }
#else
__device__ __forceinline__ void set(Sums& sums, int i, Total value) { sums[i] = value; }
__device__ __forceinline__ Total get(const Sums& sums, int i) { return sums[i]; }
#endif

// Where a lane's elements of C are.
__device__ __forceinline__ int place(int row, int column, int i, int lane) {
    return (row + lane / 4 + i / 2 * 8) * TILE_N + column + lane % 4 * 2 + i % 2;
}

typedef OperandB Columns[K_STEPS][COLUMNS];

__device__ __forceinline__ void round(
    Sums (&sums)[M_STEPS][COLUMNS], const OperandA (&a)[M_STEPS][K_STEPS], const Columns& b) {
#pragma unroll
    for (int step = 0; step < K_STEPS; ++step) {
#pragma unroll
        for (int i = 0; i < M_STEPS; ++i) {
#pragma unroll
            for (int j = 0; j < COLUMNS; ++j) multiply_matrices(sums[i][j], a[i][step], b[step][j]);
        }
    }
}

extern "C" __global__ void __launch_bounds__(256)
    matrix(const Real* a, const Real* b, const Total* start, Total* c, Params p) {
    unsigned long long warp = (blockIdx.x + (unsigned long long)blockIdx.y * gridDim.x) * 8 + threadIdx.x / 32;
    int lane = threadIdx.x % 32;
    unsigned long long tile = warp / WARPS;
    int first_row = warp % WARPS / WARPS_N * ROWS, first_column = warp % WARPS_N * 8 * COLUMNS;
    if (tile >= p.tiles) return;
    start += tile * (TILE_M * TILE_N);
    c += tile * (TILE_M * TILE_N);

    OperandA operand_a[M_STEPS][K_STEPS];
    Columns operand_b, operand_e;
    Sums sums[M_STEPS][COLUMNS];
#pragma unroll
    for (int step = 0; step < K_STEPS; ++step) {
#pragma unroll
        for (int i = 0; i < M_STEPS; ++i) {
            load_a(operand_a[i][step], a, first_row + i * INSTRUCTION_M, step * INSTRUCTION_K, lane);
        }
#pragma unroll
        for (int j = 0; j < COLUMNS; ++j) {
            load_b<element_b>(operand_b[step][j], b, step * INSTRUCTION_K, first_column + 8 * j, lane);
            load_b<element_e>(operand_e[step][j], b, step * INSTRUCTION_K, first_column + 8 * j, lane);
        }
    }
#pragma unroll
    for (int i = 0; i < M_STEPS; ++i) {
#pragma unroll
        for (int j = 0; j < COLUMNS; ++j) {
#pragma unroll
            for (int e = 0; e < INSTRUCTION_M / 4; ++e) {
                int at = place(first_row + i * INSTRUCTION_M, first_column + 8 * j, e, lane);
                set(sums[i][j], e, whole(start[at]));
            }
        }
    }
#pragma unroll 1
    for (unsigned body = 0; body < p.bodies; ++body) {
#pragma unroll(K_STEPS == 1 ? 4 : 1)
        for (int pair = 0; pair < 16; ++pair) {
            round(sums, operand_a, operand_b);
            round(sums, operand_a, operand_e);
        }
    }
#pragma unroll
    for (int i = 0; i < M_STEPS; ++i) {
#pragma unroll
        for (int j = 0; j < COLUMNS; ++j) {
#pragma unroll
            for (int e = 0; e < INSTRUCTION_M / 4; ++e) {
                c[place(first_row + i * INSTRUCTION_M, first_column + 8 * j, e, lane)] = get(sums[i][j], e);
            }
        }
    }
}
