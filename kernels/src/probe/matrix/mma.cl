// C = C + A·B on the matrix units by warps' instructions, in OpenCL C and for halves alone: the algorithm of mma.cu on
// the numbers of operands.cuh. A warp keeps ROWS × 8 COLUMNS of a tile of C in registers, and all of A, B and E that it
// needs.
//
// Definitions: ROWS, COLUMNS, and what ptx.cl says.

#define TILE_M 64
#define TILE_N 256
#define TILE_K 16

#define STEPS (ROWS / 16)
#define WARPS_N (TILE_N / (8 * COLUMNS))
#define WARPS (TILE_M / ROWS * WARPS_N)

typedef struct {
    uint tiles, bodies, zero[2];
} params_t;

INLINE float whole(ushort x) { return rint(f16_to_f32(x)); }

INLINE float clamped(float x, float most) { return x > most ? most : x < -most ? -most : x; }

// The element of A, B and E at a place.
INLINE float element_a(global const ushort *a, uint row, uint depth)
{
    return clamped(whole(a[row * TILE_K + depth]), 1);
}

INLINE float element_b(global const ushort *b, uint depth, uint column)
{
    return clamped(whole(b[depth * TILE_N + column]), 2);
}

INLINE float element_e(global const ushort *b, uint depth, uint column)
{
    return (column % TILE_K == depth ? 1 : 0) - element_b(b, depth, column);
}

// The first of two neighbouring elements of C that a lane has in a row, 0 or 1.
INLINE uint place(uint first_row, uint first_column, uint row, uint lane)
{
    return (first_row + lane / 4 + row * 8) * TILE_N + first_column + lane % 4 * 2;
}

INLINE void multiply(accumulator_t (*sums)[COLUMNS][SUMS], uint (*a)[4], uint (*b)[2])
{
#pragma unroll
    for (uint i = 0; i < STEPS; ++i) {
#pragma unroll
        for (uint j = 0; j < COLUMNS; ++j)
            multiply_fragments(sums[i][j], a[i], b[j]);
    }
}

__attribute__((reqd_work_group_size(256, 1, 1)))
kernel void matrix(global const ushort *a, global const ushort *b, global const ushort *start, global ushort *c,
                   params_t size)
{
    const uint item = get_local_id(0), lane = item % 32;
    const ulong warp = (get_group_id(0) + (ulong)get_group_id(1) * get_num_groups(0)) * 8 + item / 32;
    const ulong tile = warp / WARPS;
    const uint first_row = warp % WARPS / WARPS_N * ROWS, first_column = warp % WARPS_N * 8 * COLUMNS;
    if (tile >= size.tiles)
        return;
    start += tile * (TILE_M * TILE_N);
    c += tile * (TILE_M * TILE_N);

    uint operand_a[STEPS][4], operand_b[COLUMNS][2], operand_e[COLUMNS][2];
    accumulator_t sums[STEPS][COLUMNS][SUMS];
#pragma unroll
    for (uint i = 0; i < STEPS; ++i) {
#pragma unroll
        for (uint e = 0; e < 4; ++e) {
            const uint row = first_row + 16 * i + lane / 4 + e % 2 * 8, depth = lane % 4 * 2 + e / 2 * 8;
            operand_a[i][e] = f32_to_half_pair(element_a(a, row, depth), element_a(a, row, depth + 1));
        }
    }
#pragma unroll
    for (uint j = 0; j < COLUMNS; ++j) {
#pragma unroll
        for (uint e = 0; e < 2; ++e) {
            const uint depth = lane % 4 * 2 + e * 8, column = first_column + 8 * j + lane / 4;
            operand_b[j][e] = f32_to_half_pair(element_b(b, depth, column), element_b(b, depth + 1, column));
            operand_e[j][e] = f32_to_half_pair(element_e(b, depth, column), element_e(b, depth + 1, column));
        }
    }
#pragma unroll
    for (uint i = 0; i < STEPS; ++i) {
#pragma unroll
        for (uint j = 0; j < COLUMNS; ++j) {
#pragma unroll
            for (uint row = 0; row < 2; ++row) {
                const uint at = place(first_row + 16 * i, first_column + 8 * j, row, lane);
                const float first = whole(start[at]), second = whole(start[at + 1]);
#if defined(PRECISION_F16)
                sums[i][j][2 * row] = first;
                sums[i][j][2 * row + 1] = second;
#else
                sums[i][j][row] = f32_to_half_pair(first, second);
#endif
            }
        }
    }
#pragma unroll 1
    for (uint body = 0; body < size.bodies; ++body) {
#pragma unroll 4
        for (uint pair = 0; pair < 16; ++pair) {
            multiply(sums, operand_a, operand_b);
            multiply(sums, operand_a, operand_e);
        }
    }
#pragma unroll
    for (uint i = 0; i < STEPS; ++i) {
#pragma unroll
        for (uint j = 0; j < COLUMNS; ++j) {
#pragma unroll
            for (uint row = 0; row < 2; ++row) {
                const uint at = place(first_row + 16 * i, first_column + 8 * j, row, lane);
                *(global uint *)(c + at) = ROW_OF(sums[i][j], row);
            }
        }
    }
}
