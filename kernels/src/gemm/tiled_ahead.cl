// The tiled product C = A·B as GPUs like it, after tiled_loop.cuh: see staging.cl for its definitions.
//
// A block is on its way in registers while the one before it is multiplied, and local memory holds both, k-major in the
// type of the sums: one barrier a block is enough. A work-item's rows and columns lie in pieces as wide as one load, and
// pieces of neighbours are neighbours, so that a row of local memory is read without conflicts.

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)

#if defined(PRECISION_F64)
#define VECTOR 2
#else
#define VECTOR 4
#endif

// The pieces of a work-item's rows and of its columns.
#if THREAD_M < VECTOR
#define PIECE_M THREAD_M
#else
#define PIECE_M VECTOR
#endif
#if THREAD_N < VECTOR
#define PIECE_N THREAD_N
#else
#define PIECE_N VECTOR
#endif
#if PIECE_M == 1
typedef sum_t piece_m_t;
#else
typedef JOIN(SUM, PIECE_M) piece_m_t;
#endif
#if PIECE_N == 1
typedef sum_t piece_n_t;
#else
typedef JOIN(SUM, PIECE_N) piece_n_t;
#endif
// Where a piece starts in a row of a block, in elements.
#define PIECE_START(i, PIECE, GROUP, owner) (((i) * GROUP + (owner)) * PIECE)

// Reads a work-item's part of the next block into registers; what lies outside of `matrix` counts as 0.
#define FETCH(i, matrix, ALONG_SIDE, TILE)                                                                             \
    {                                                                                                                  \
        const bool inside = sides_##matrix[ALONG_SIDE ? 0 : i].exists && next_##matrix.p < k;                          \
        held_##matrix[i] =                                                                                             \
            inside ? load_##matrix(matrix, &size, sides_##matrix[ALONG_SIDE ? 0 : i], next_##matrix) : (sum_t)0;       \
        if (ALONG_SIDE || i + 1 == LOADS(TILE))                                                                        \
            next_##matrix = deeper(&size, next_##matrix, step_##matrix);                                               \
    }
// Writes it to local memory.
#define STORE_HELD(i, matrix, ALONG_SIDE, TILE, slot)                                                                  \
    {                                                                                                                  \
        const uint side = first_##matrix + (ALONG_SIDE ? 0 : i * SIDE_STEP);                                           \
        const uint depth = depth_##matrix + (ALONG_SIDE ? i * DEPTH_STEP(ALONG_SIDE, TILE) : 0);                       \
        block_##matrix[slot][depth][side] = held_##matrix[i];                                                          \
    }

__attribute__((reqd_work_group_size(GROUP_N, GROUP_M, 1)))
kernel void ENTRY(global const stored_t *restrict a, global const stored_t *restrict b, global stored_t *restrict c,
                  params_t size)
{
    // Padding keeps a column's words in different banks, and rows aligned.
    local sum_t block_a[2][TILE_K][TILE_M + VECTOR] __attribute__((aligned(16)));
    local sum_t block_b[2][TILE_K][TILE_N + VECTOR] __attribute__((aligned(16)));

    const uint m = extent_m(&size), n = extent_n(&size), k = extent_k(&size);
    const uint tiles_m = (m - 1) / TILE_M + 1, tiles_n = (n - 1) / TILE_N + 1;
    const ulong tiles = (ulong)tiles_m * tiles_n;
    const ulong group = get_group_id(0) + (ulong)get_group_id(1) * get_num_groups(0);
    if (group >= tiles * extent_batch(&size))
        return; // The same for the whole group.
    const uint batch = group / tiles;
    const tile_t tile = tile_of(group % tiles, tiles_m, tiles_n);
    const uint first_row = tile.row * TILE_M, first_column = tile.column * TILE_N;

    const uint x = get_local_id(0);
    const uint y = get_local_id(1);
    const uint item = y * GROUP_N + x;

    const uint first_a = FIRST_SIDE(ALONG_SIDE_A, TILE_M), depth_a = FIRST_DEPTH(ALONG_SIDE_A, TILE_M);
    const uint first_b = FIRST_SIDE(ALONG_SIDE_B, TILE_N), depth_b = FIRST_DEPTH(ALONG_SIDE_B, TILE_N);
    depth_t next_a = depth_at(&size, depth_a), next_b = depth_at(&size, depth_b);
    const depth_t step_a = depth_at(&size, DEPTH_STEP(ALONG_SIDE_A, TILE_M));
    const depth_t step_b = depth_at(&size, DEPTH_STEP(ALONG_SIDE_B, TILE_N));
    side_a_t sides_a[SIDES(ALONG_SIDE_A, TILE_M)];
    side_b_t sides_b[SIDES(ALONG_SIDE_B, TILE_N)];
#pragma unroll
    for (uint i = 0; i < SIDES(ALONG_SIDE_A, TILE_M); ++i)
        sides_a[i] = side_a(&size, batch, first_row + first_a + i * SIDE_STEP);
#pragma unroll
    for (uint i = 0; i < SIDES(ALONG_SIDE_B, TILE_N); ++i)
        sides_b[i] = side_b(&size, batch, first_column + first_b + i * SIDE_STEP);

    sum_t held_a[LOADS(TILE_M)], held_b[LOADS(TILE_N)];
    sum_t sums[THREAD_M][THREAD_N];
#pragma unroll
    for (uint i = 0; i < THREAD_M; ++i) {
#pragma unroll
        for (uint j = 0; j < THREAD_N; ++j)
            sums[i][j] = 0;
    }

    // In turn t, block t is fetched and block t - 1 multiplied, as far as there are such.
    const uint blocks = (k - 1) / TILE_K + 1;
    for (uint turn = 0; turn <= blocks; ++turn) {
        const bool more = turn < blocks;
        if (more) {
#pragma unroll
            for (uint i = 0; i < LOADS(TILE_M); ++i)
                FETCH(i, a, ALONG_SIDE_A, TILE_M)
#pragma unroll
            for (uint i = 0; i < LOADS(TILE_N); ++i)
                FETCH(i, b, ALONG_SIDE_B, TILE_N)
        }
        if (turn > 0) {
            const uint slot = (turn - 1) % 2;
#pragma unroll
            for (uint depth = 0; depth < TILE_K; ++depth) {
                union {
                    piece_m_t pieces[THREAD_M / PIECE_M];
                    sum_t x[THREAD_M];
                } row;
                union {
                    piece_n_t pieces[THREAD_N / PIECE_N];
                    sum_t x[THREAD_N];
                } column;
#pragma unroll
                for (uint i = 0; i < THREAD_M / PIECE_M; ++i)
                    row.pieces[i] =
                        *(local const piece_m_t *)&block_a[slot][depth][PIECE_START(i, PIECE_M, GROUP_M, y)];
#pragma unroll
                for (uint j = 0; j < THREAD_N / PIECE_N; ++j)
                    column.pieces[j] =
                        *(local const piece_n_t *)&block_b[slot][depth][PIECE_START(j, PIECE_N, GROUP_N, x)];
#pragma unroll
                for (uint i = 0; i < THREAD_M; ++i) {
#pragma unroll
                    for (uint j = 0; j < THREAD_N; ++j)
                        sums[i][j] = fma(row.x[i], column.x[j], sums[i][j]);
                }
            }
        }
        if (more) {
#pragma unroll
            for (uint i = 0; i < LOADS(TILE_M); ++i)
                STORE_HELD(i, a, ALONG_SIDE_A, TILE_M, turn % 2)
#pragma unroll
            for (uint i = 0; i < LOADS(TILE_N); ++i)
                STORE_HELD(i, b, ALONG_SIDE_B, TILE_N, turn % 2)
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }

#pragma unroll
    for (uint i = 0; i < THREAD_M; ++i) {
        const uint r = first_row + PIECE_START(i / PIECE_M, PIECE_M, GROUP_M, y) + i % PIECE_M;
#pragma unroll
        for (uint j = 0; j < THREAD_N; ++j) {
            const uint q = first_column + PIECE_START(j / PIECE_N, PIECE_N, GROUP_N, x) + j % PIECE_N;
            if (r < m && q < n)
                STORE(sums[i][j], c + place_c(&size, batch, r, q));
        }
    }
}
