// C = A·B for halves by sub-groups that multiply matrices together, in OpenCL C: the algorithm of coop.wgsl.j2 on the
// instructions that the text before this has in one form.
//
// A work-group computes TILE_M × TILE_N of C, a sub-group PART_M × PART_N of that. Blocks of TILE_K columns of A and rows of
// B come into registers while the ones before are multiplied, and from there to local memory. There rows of A and columns of
// B run along k, whatever their order in memory.
//
// Definitions: TILE_M TILE_N TILE_K PART_M PART_N, BLOCKS (of each operand in local memory: of two, one is written while the
// other one is read), PADDING, TRANS_A TRANS_B (0 or 1), WIDE_A WIDE_B (1 where every line in memory starts at a multiple of
// 16 bytes).

#define PARTS_N (TILE_N / PART_N)
#define ITEMS (TILE_M / PART_M * PARTS_N * SUBGROUP)
#define ROWS (PART_M / MATRIX_M)
#define COLUMNS (PART_N / MATRIX_N)

// Halves from a line of a block to the next: PADDING more than it holds, so that neighbours start in other banks.
#define LINE (TILE_K + PADDING)

// What a work-item brings at a time has 16 halves: of one line along k, or 8 of each of two neighbours across it.
#define PIECES(SIDE) (SIDE * TILE_K / 16)
#define TURNS(SIDE) ((PIECES(SIDE) + ITEMS - 1) / ITEMS)

typedef struct {
    uint m, n, k, zero;
} params_t;

// Eight neighbours of a line of a matrix, zeros where it has none.
INLINE uint4 load_8(global const ushort *matrix, uint lines, uint length, uint line, uint first, bool wide)
{
    if (line >= lines || first >= length)
        return 0;
    global const ushort *from = matrix + (ulong)line * length + first;
    if (wide)
        return *(global const uint4 *)from;
    uint words[4];
#pragma unroll
    for (uint i = 0; i < 4; ++i) {
        const uint at = first + 2 * i;
        words[i] = (at < length ? from[2 * i] : 0u) | (at + 1 < length ? (uint)from[2 * i + 1] : 0u) << 16;
    }
    return vload4(0, words);
}

// The pieces of a work-item of the block at (first, start): `lines` are those along k, of which the matrix has so many.
// Neighbours bring what is neighbours along k.
INLINE void fetch(uint8 *pieces, uint count, global const ushort *matrix, bool along_k, bool wide, uint lines, uint k,
                  uint first, uint start, uint item)
{
#pragma unroll
    for (uint i = 0; i < (count + ITEMS - 1) / ITEMS; ++i) {
        const uint number = item + i * ITEMS;
        if (count % ITEMS != 0 && number >= count)
            continue;
        if (along_k) {
            const uint line = first + number / (TILE_K / 16), l = start + number % (TILE_K / 16) * 16;
            pieces[i] = (uint8)(load_8(matrix, lines, k, line, l, wide), load_8(matrix, lines, k, line, l + 8, wide));
        } else {
            const uint line = first + number / (TILE_K / 2) * 8, l = start + number % (TILE_K / 2) * 2;
            pieces[i] = (uint8)(load_8(matrix, k, lines, l, line, wide), load_8(matrix, k, lines, l + 1, line, wide));
        }
    }
}

// Puts them into a block.
INLINE void put(local ushort *block, const uint8 *pieces, uint count, bool along_k, uint item)
{
#pragma unroll
    for (uint i = 0; i < (count + ITEMS - 1) / ITEMS; ++i) {
        const uint number = item + i * ITEMS;
        if (count % ITEMS != 0 && number >= count)
            continue;
        const uint4 low = pieces[i].lo, high = pieces[i].hi;
        if (along_k) {
            local uint4 *to = (local uint4 *)(block + number / (TILE_K / 16) * LINE + number % (TILE_K / 16) * 16);
            to[0] = low;
            to[1] = high;
        } else {
            local ushort *to = block + number / (TILE_K / 2) * 8 * LINE + number % (TILE_K / 2) * 2;
            const uint4 even = (low & 0xffff) | high << 16, odd = low >> 16 | (high & 0xffff0000);
            *(local uint *)to = even.x;
            *(local uint *)(to + LINE) = odd.x;
            *(local uint *)(to + 2 * LINE) = even.y;
            *(local uint *)(to + 3 * LINE) = odd.y;
            *(local uint *)(to + 4 * LINE) = even.z;
            *(local uint *)(to + 5 * LINE) = odd.z;
            *(local uint *)(to + 6 * LINE) = even.w;
            *(local uint *)(to + 7 * LINE) = odd.w;
        }
    }
}

#define FETCH(start)                                                                                                   \
    fetch(next_a, PIECES(TILE_M), a, !TRANS_A, WIDE_A, m, k, first_row, start, item);                                  \
    fetch(next_b, PIECES(TILE_N), b, TRANS_B, WIDE_B, n, k, first_column, start, item)
#define PUT(slot)                                                                                                      \
    put(blocks_a + (slot) * TILE_M * LINE, next_a, PIECES(TILE_M), !TRANS_A, item);                                    \
    put(blocks_b + (slot) * TILE_N * LINE, next_b, PIECES(TILE_N), TRANS_B, item)

OF_SUB_GROUPS __attribute__((reqd_work_group_size(ITEMS, 1, 1)))
kernel void gemm_coop(global const ushort *restrict a, global const ushort *restrict b, global half *restrict c,
                      params_t size)
{
    local ushort blocks_a[BLOCKS * TILE_M * LINE] __attribute__((aligned(16)));
    local ushort blocks_b[BLOCKS * TILE_N * LINE] __attribute__((aligned(16)));

    // Below 2^31, so that sums with a tile's sides don't overflow.
    const uint m = size.m, n = size.n, k = size.k;
    const uint tiles_m = (m - 1) / TILE_M + 1, tiles_n = (n - 1) / TILE_N + 1;
    const ulong number = get_group_id(0) + (ulong)get_group_id(1) * get_num_groups(0);
    if (number >= (ulong)tiles_m * tiles_n)
        return; // The same for the whole group.
    const tile_t tile = tile_of(number, tiles_m, tiles_n);
    const uint first_row = tile.row * TILE_M, first_column = tile.column * TILE_N;

    const uint item = get_local_id(0), lane = LANE, part = PART;
    const uint part_row = part / PARTS_N * PART_M, part_column = part % PARTS_N * PART_N;

    uint8 next_a[TURNS(TILE_M)], next_b[TURNS(TILE_N)];
    sums_t sums[ROWS][COLUMNS];
#pragma unroll
    for (uint i = 0; i < ROWS; ++i) {
#pragma unroll
        for (uint j = 0; j < COLUMNS; ++j)
            sums[i][j] = 0;
    }

    FETCH(0);
    PUT(0);
    barrier(CLK_LOCAL_MEM_FENCE);
    uint slot = 0;
#pragma unroll 1
    for (uint start = 0; start < k; start += TILE_K) {
        const bool more = k - start > TILE_K;
        if (more) {
            FETCH(start + TILE_K);
        }
        const local ushort *rows = blocks_a + slot * TILE_M * LINE + part_row * LINE;
        const local ushort *columns = blocks_b + slot * TILE_N * LINE + part_column * LINE;
#pragma unroll
        for (uint l = 0; l < TILE_K; l += MATRIX_K) {
            left_t left[ROWS];
#pragma unroll
            for (uint i = 0; i < ROWS; ++i)
                left[i] = load_left(rows + i * MATRIX_M * LINE + l, LINE, lane);
#pragma unroll
            for (uint j = 0; j < COLUMNS; ++j) {
                const right_t right = load_right(columns + j * MATRIX_N * LINE + l, LINE, lane);
#pragma unroll
                for (uint i = 0; i < ROWS; ++i)
                    sums[i][j] = multiply_matrices(left[i], right, sums[i][j]);
            }
        }
        if (BLOCKS == 2)
            slot = 1 - slot;
        else
            barrier(CLK_LOCAL_MEM_FENCE); // All are done with the block that is written next.
        if (more) {
            PUT(slot);
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }

#pragma unroll
    for (uint i = 0; i < ROWS; ++i) {
#pragma unroll
        for (uint j = 0; j < COLUMNS; ++j) {
            float values[SUMS];
            SUMS_TO(sums[i][j], values);
            const uint column = first_column + part_column + j * MATRIX_N + COLUMN;
#pragma unroll
            for (uint e = 0; e < SUMS; ++e) {
                const uint row = first_row + part_row + i * MATRIX_M + ROW(e);
                if (row < m && column < n)
                    vstore_half_rte(values[e], 0, c + (ulong)row * n + column);
            }
        }
    }
}
