// C = C + A·B by sub-groups that multiply matrices together, in OpenCL C: the algorithm of coop.wgsl.j2 on the instructions
// that the text before this has in one form. A sub-group keeps ROWS rows and COLUMNS matrices' columns of a tile of C in
// registers, and all of A, B and E that it needs. See mod.rs for what these are.
//
// Definitions: ROWS, COLUMNS, SUBGROUPS (of a work-group: they share A).

#define TILE_M 64
#define TILE_N 256
#define TILE_K 16

#define ITEMS (SUBGROUPS * SUBGROUP)
#define GROUP_COLUMNS (SUBGROUPS * COLUMNS * MATRIX_N)
#define GROUPS_N (TILE_N / GROUP_COLUMNS)
#define GROUPS (TILE_M / ROWS * GROUPS_N)
#define STEPS (ROWS / MATRIX_M)
#define DEPTHS (TILE_K / MATRIX_K)

typedef struct {
    uint tiles, bodies, zero[2];
} params_t;

INLINE float whole(global const half *x, ulong place) { return rint(vload_half(place, x)); }

INLINE void multiply(sums_t (*sums)[COLUMNS], left_t (*left)[DEPTHS], right_t (*right)[COLUMNS])
{
#pragma unroll
    for (uint l = 0; l < DEPTHS; ++l) {
#pragma unroll
        for (uint i = 0; i < STEPS; ++i) {
#pragma unroll
            for (uint j = 0; j < COLUMNS; ++j)
                sums[i][j] = multiply_matrices(left[i][l], right[l][j], sums[i][j]);
        }
    }
}

OF_SUB_GROUPS __attribute__((reqd_work_group_size(ITEMS, 1, 1)))
kernel void matrix(global const half *a, global const half *b, global const half *start, global half *c, params_t size)
{
    // Rows of A and columns of B and E along k.
    local ushort whole_a[ROWS * TILE_K] __attribute__((aligned(16)));
    local ushort whole_b[GROUP_COLUMNS * TILE_K] __attribute__((aligned(16)));
    local ushort whole_e[GROUP_COLUMNS * TILE_K] __attribute__((aligned(16)));

    const ulong group = get_group_id(0) + (ulong)get_group_id(1) * get_num_groups(0);
    const ulong tile = group / GROUPS;
    if (tile >= size.tiles)
        return; // The same for the whole group.
    start += tile * (TILE_M * TILE_N);
    c += tile * (TILE_M * TILE_N);
    const uint first_row = group % GROUPS / GROUPS_N * ROWS, group_column = group % GROUPS_N * GROUP_COLUMNS;
    const uint item = get_local_id(0), lane = LANE, part_column = PART * COLUMNS * MATRIX_N;

    for (uint i = item; i < ROWS * TILE_K; i += ITEMS)
        vstore_half_rte(clamp(whole(a, first_row * TILE_K + i), -1.0f, 1.0f), i, (local half *)whole_a);
    for (uint i = item; i < GROUP_COLUMNS * TILE_K; i += ITEMS) {
        const uint column = group_column + i / TILE_K, l = i % TILE_K;
        const float value = clamp(whole(b, l * TILE_N + column), -2.0f, 2.0f);
        vstore_half_rte(value, i, (local half *)whole_b);
        vstore_half_rte((column % TILE_K == l ? 1 : 0) - value, i, (local half *)whole_e);
    }
    barrier(CLK_LOCAL_MEM_FENCE);

    left_t left[STEPS][DEPTHS];
    right_t right_b[DEPTHS][COLUMNS], right_e[DEPTHS][COLUMNS];
    sums_t sums[STEPS][COLUMNS];
#pragma unroll
    for (uint l = 0; l < DEPTHS; ++l) {
#pragma unroll
        for (uint i = 0; i < STEPS; ++i)
            left[i][l] = load_left(whole_a + i * MATRIX_M * TILE_K + l * MATRIX_K, TILE_K, lane);
#pragma unroll
        for (uint j = 0; j < COLUMNS; ++j) {
            const uint place = (part_column + j * MATRIX_N) * TILE_K + l * MATRIX_K;
            right_b[l][j] = load_right(whole_b + place, TILE_K, lane);
            right_e[l][j] = load_right(whole_e + place, TILE_K, lane);
        }
    }

// Where the e-th sum of a work-item lies in the tile.
#define PLACE(i, j, e)                                                                                                 \
    ((first_row + (i) * MATRIX_M + ROW(e)) * TILE_N + group_column + part_column + (j) * MATRIX_N + COLUMN)
#pragma unroll
    for (uint i = 0; i < STEPS; ++i) {
#pragma unroll
        for (uint j = 0; j < COLUMNS; ++j) {
            float values[SUMS];
#pragma unroll
            for (uint e = 0; e < SUMS; ++e)
                values[e] = whole(start, PLACE(i, j, e));
            sums[i][j] = SUMS_FROM(values);
        }
    }
#pragma unroll 1
    for (uint body = 0; body < size.bodies; ++body) {
        // A pair has instructions enough to hide what the loop takes.
#pragma unroll 1
        for (uint pair = 0; pair < 16; ++pair) {
            multiply(sums, left, right_b);
            multiply(sums, left, right_e);
        }
    }
#pragma unroll
    for (uint i = 0; i < STEPS; ++i) {
#pragma unroll
        for (uint j = 0; j < COLUMNS; ++j) {
            float values[SUMS];
            SUMS_TO(sums[i][j], values);
#pragma unroll
            for (uint e = 0; e < SUMS; ++e)
                vstore_half_rte(values[e], PLACE(i, j, e), c);
        }
    }
}
