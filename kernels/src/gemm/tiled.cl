// The tiled product C = A·B: see staging.cl for its definitions.
//
// A work-item's rows and columns are GROUP_M and GROUP_N apart, so that neighbours read neighbouring words of local
// memory and write neighbouring words of C. Blocks are staged k-major in the type of the sums.

// Stages a block of `matrix`; what lies outside it counts as 0.
#define STAGE(matrix, ALONG_SIDE, TILE)                                                                                \
    for (uint i = 0; i < LOADS(TILE); ++i) {                                                                           \
        const uint side = first_##matrix + (ALONG_SIDE ? 0 : i * SIDE_STEP);                                           \
        const uint depth = depth_##matrix + (ALONG_SIDE ? i * DEPTH_STEP(ALONG_SIDE, TILE) : 0);                       \
        const bool inside = sides_##matrix[ALONG_SIDE ? 0 : i].exists && next_##matrix.p < k;                          \
        block_##matrix[depth][side] =                                                                                  \
            inside ? load_##matrix(matrix, &size, sides_##matrix[ALONG_SIDE ? 0 : i], next_##matrix) : (sum_t)0;       \
        if (ALONG_SIDE || i + 1 == LOADS(TILE))                                                                        \
            next_##matrix = deeper(&size, next_##matrix, step_##matrix);                                               \
    }

__attribute__((reqd_work_group_size(GROUP_N, GROUP_M, 1)))
kernel void ENTRY(global const stored_t *restrict a, global const stored_t *restrict b, global stored_t *restrict c,
                  params_t size)
{
    // One column of padding keeps a column's words in different banks.
    local sum_t block_a[TILE_K][TILE_M + 1];
    local sum_t block_b[TILE_K][TILE_N + 1];

    const uint m = extent_m(&size), n = extent_n(&size), k = extent_k(&size);
    const uint tiles_n = (n + TILE_N - 1) / TILE_N;
    const ulong tiles = (ulong)((m + TILE_M - 1) / TILE_M) * tiles_n;
    const ulong group = get_group_id(0) + (ulong)get_group_id(1) * get_num_groups(0);
    if (group >= tiles * extent_batch(&size))
        return; // The same for the whole group.
    const uint batch = group / tiles;
    const ulong tile = group % tiles;
    const uint first_row = (uint)(tile / tiles_n) * TILE_M;
    const uint first_column = (uint)(tile % tiles_n) * TILE_N;

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
    for (uint i = 0; i < SIDES(ALONG_SIDE_A, TILE_M); ++i)
        sides_a[i] = side_a(&size, batch, first_row + first_a + i * SIDE_STEP);
    for (uint i = 0; i < SIDES(ALONG_SIDE_B, TILE_N); ++i)
        sides_b[i] = side_b(&size, batch, first_column + first_b + i * SIDE_STEP);

    sum_t sums[THREAD_M][THREAD_N];
    for (uint i = 0; i < THREAD_M; ++i)
        for (uint j = 0; j < THREAD_N; ++j)
            sums[i][j] = 0;

    for (uint start = 0; start < k; start += TILE_K) {
        STAGE(a, ALONG_SIDE_A, TILE_M)
        STAGE(b, ALONG_SIDE_B, TILE_N)
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
        const uint r = first_row + i * GROUP_M + y;
        for (uint j = 0; j < THREAD_N; ++j) {
            const uint q = first_column + j * GROUP_N + x;
            if (r < m && q < n)
                STORE(sums[i][j], c + place_c(&size, batch, r, q));
        }
    }
}
