// Tiled GEMM: C = A·B, row-major. A work-group computes a tile of TILE_M × TILE_N, a work-item THREAD_M × THREAD_N of it.
//
// Definitions: TILE_M TILE_N TILE_K THREAD_M THREAD_N; TRANS_A, TRANS_B (0 or 1: stored as is or transposed); and one of
// PRECISION_F64, PRECISION_F32, PRECISION_F16 (stored as halves, summed in f32), PRECISION_F16_ACC16.
//
// A work-item's rows and columns are GROUP_M and GROUP_N apart, so that neighbours read neighbouring words of local
// memory and write neighbouring words of C. Blocks are staged k-major in the type of the sums.

#define GROUP_M (TILE_M / THREAD_M)
#define GROUP_N (TILE_N / THREAD_N)
#define ITEMS (GROUP_M * GROUP_N)

#if defined(PRECISION_F64)
typedef double stored_t;
typedef double sum_t;
#elif defined(PRECISION_F32)
typedef float stored_t;
typedef float sum_t;
#elif defined(PRECISION_F16)
typedef half stored_t;
typedef float sum_t;
#elif defined(PRECISION_F16_ACC16)
#ifdef cl_khr_fp16 // Some drivers compute in half without saying so.
#pragma OPENCL EXTENSION cl_khr_fp16 : enable
#endif
typedef half stored_t;
typedef half sum_t;
#else
#error "define one of PRECISION_F64, PRECISION_F32, PRECISION_F16 and PRECISION_F16_ACC16"
#endif

#if defined(PRECISION_F16)
#define LOAD(from, at) vload_half(at, from)
#define STORE(value, to, at) vstore_half_rte(value, at, to)
#else
#define LOAD(from, at) (from)[at]
#define STORE(value, to, at) ((to)[at] = (value))
#endif

typedef struct {
    uint m, n, k, zero;
} params_t;

__attribute__((reqd_work_group_size(GROUP_N, GROUP_M, 1)))
kernel void gemm_tiled(global const stored_t *restrict a, global const stored_t *restrict b,
                       global stored_t *restrict c, params_t size)
{
    // One column of padding keeps a column's words in different banks.
    local sum_t block_a[TILE_K][TILE_M + 1];
    local sum_t block_b[TILE_K][TILE_N + 1];

    const uint m = size.m, n = size.n, k = size.k;
    const uint tiles_m = (m + TILE_M - 1) / TILE_M;
    const uint tiles_n = (n + TILE_N - 1) / TILE_N;
    const ulong tile = get_group_id(0) + (ulong)get_group_id(1) * get_num_groups(0);
    if (tile >= (ulong)tiles_m * tiles_n)
        return; // The same for the whole group.
    const uint first_row = (uint)(tile / tiles_n) * TILE_M;
    const uint first_column = (uint)(tile % tiles_n) * TILE_N;

    const uint x = get_local_id(0);
    const uint y = get_local_id(1);
    const uint item = y * GROUP_N + x;

    sum_t sums[THREAD_M][THREAD_N];
    for (uint i = 0; i < THREAD_M; ++i)
        for (uint j = 0; j < THREAD_N; ++j)
            sums[i][j] = 0;

    for (uint start = 0; start < k; start += TILE_K) {
        // Neighbours load along the side that is contiguous in memory. What lies outside the matrices counts as 0.
        for (uint i = item; i < TILE_M * TILE_K; i += ITEMS) {
            const uint row = TRANS_A ? i % TILE_M : i / TILE_K;
            const uint depth = TRANS_A ? i / TILE_M : i % TILE_K;
            const ulong r = first_row + row, p = start + depth;
            block_a[depth][row] = r < m && p < k ? LOAD(a, TRANS_A ? p * m + r : r * k + p) : (sum_t)0;
        }
        for (uint i = item; i < TILE_N * TILE_K; i += ITEMS) {
            const uint column = TRANS_B ? i / TILE_K : i % TILE_N;
            const uint depth = TRANS_B ? i % TILE_K : i / TILE_N;
            const ulong q = first_column + column, p = start + depth;
            block_b[depth][column] = q < n && p < k ? LOAD(b, TRANS_B ? q * k + p : p * n + q) : (sum_t)0;
        }
        barrier(CLK_LOCAL_MEM_FENCE);

        for (uint depth = 0; depth < TILE_K; ++depth) {
            sum_t row[THREAD_M], column[THREAD_N];
            for (uint i = 0; i < THREAD_M; ++i)
                row[i] = block_a[depth][i * GROUP_M + y];
            for (uint j = 0; j < THREAD_N; ++j)
                column[j] = block_b[depth][j * GROUP_N + x];
            for (uint i = 0; i < THREAD_M; ++i)
                for (uint j = 0; j < THREAD_N; ++j)
                    sums[i][j] = fma(row[i], column[j], sums[i][j]);
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }

    for (uint i = 0; i < THREAD_M; ++i) {
        const ulong r = first_row + i * GROUP_M + y;
        for (uint j = 0; j < THREAD_N; ++j) {
            const ulong q = first_column + j * GROUP_N + x;
            if (r < m && q < n)
                STORE(sums[i][j], c, r * n + q);
        }
    }
}
