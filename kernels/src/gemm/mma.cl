// C = A·B for halves on the matrix units, in OpenCL C: the algorithm of mma_loop.cuh and mma.cu.
//
// A work-group computes TILE_M × TILE_N of C, a warp WARP_M × WARP_N of that. STAGES blocks of TILE_K columns of A and
// rows of B are on their way into local memory at a time, in the layout that they have in memory but for this: pieces
// of 16 bytes change places within their row, so that any eight of neighbouring rows and one column are in different
// banks. Rows need no padding then, and one stage more fits into the 48 KiB that a work-group has in this language.
//
// Definitions: TILE_M TILE_N TILE_K WARP_M WARP_N STAGES, TRANS_A TRANS_B (0 or 1), ALIGNED_A ALIGNED_B (1 where every
// row in memory starts at a multiple of 16 bytes), and what ptx.cl says.

#define WARPS_N (TILE_N / WARP_N)
#define ITEMS (TILE_M / WARP_M * WARPS_N * 32)

// Bytes of a block of an operand whose side of the tile is SIDE.
#define BLOCK_BYTES(SIDE) (SIDE * TILE_K * 2)

// A block's rows, and pieces of a row. ALONG_K says whether rows run along k.
#define ROWS(ALONG_K, SIDE) (ALONG_K ? SIDE : TILE_K)
#define PIECES(ALONG_K, SIDE) ((ALONG_K ? TILE_K : SIDE) / PIECE)

typedef struct {
    uint m, n, k, zero;
} params_t;

// The blocks from `start` along k, to stage `slot`.
#define FETCH_A(start, slot)                                                                                           \
    fetch(shared_a + (slot) * BLOCK_BYTES(TILE_M), a, TRANS_A ? k : m, TRANS_A ? m : k, TRANS_A ? (start) : first_row, \
          TRANS_A ? first_row : (start), ROWS(!TRANS_A, TILE_M), PIECES(!TRANS_A, TILE_M), ALIGNED_A, item, ITEMS)
#define FETCH_B(start, slot)                                                                                           \
    fetch(shared_b + (slot) * BLOCK_BYTES(TILE_N), b, TRANS_B ? n : k, TRANS_B ? k : n,                                \
          TRANS_B ? first_column : (start), TRANS_B ? (start) : first_column, ROWS(TRANS_B, TILE_N),                   \
          PIECES(TRANS_B, TILE_N), ALIGNED_B, item, ITEMS)

// The 16 × 16 piece of A at (row, depth) of a block.
INLINE void load_a(uint *x, uint block, uint row, uint depth, uint lane)
{
#if TRANS_A
    const uint p = depth + lane % 8 + lane / 16 * 8, i = row / PIECE + lane / 8 % 2;
    load_fragments_transposed(x, block + place(p, i, TILE_M / PIECE));
#else
    const uint i = row + lane % 16, p = depth / PIECE + lane / 16;
    load_fragments(x, block + place(i, p, TILE_K / PIECE));
#endif
}

// The 16 × 16 piece of B at (depth, column) of a block: the registers of its two halves of 16 × 8 one after the other.
INLINE void load_b(uint *x, uint block, uint depth, uint column, uint lane)
{
#if TRANS_B
    const uint j = column + lane % 8 + lane / 16 * 8, p = depth / PIECE + lane / 8 % 2;
    load_fragments(x, block + place(j, p, TILE_K / PIECE));
#else
    const uint p = depth + lane % 16, j = column / PIECE + lane / 16;
    load_fragments_transposed(x, block + place(p, j, TILE_N / PIECE));
#endif
}

__attribute__((reqd_work_group_size(ITEMS, 1, 1)))
kernel void gemm_mma(global const ushort *restrict a, global const ushort *restrict b, global ushort *restrict c,
                     params_t size)
{
    // Only instructions see it, by its address.
    local uint blocks[STAGES * (BLOCK_BYTES(TILE_M) + BLOCK_BYTES(TILE_N)) / 4] __attribute__((aligned(128)));

    // Below 2^31, so that sums with a tile's sides don't overflow.
    const uint m = size.m, n = size.n, k = size.k;
    const uint tiles_m = (m - 1) / TILE_M + 1, tiles_n = (n - 1) / TILE_N + 1;
    const ulong number = get_group_id(0) + (ulong)get_group_id(1) * get_num_groups(0);
    if (number >= (ulong)tiles_m * tiles_n)
        return; // The same for the whole group.
    const tile_t tile = tile_of(number, tiles_m, tiles_n);
    const uint first_row = tile.row * TILE_M, first_column = tile.column * TILE_N;

    const uint item = get_local_id(0), lane = item % 32, warp = item / 32;
    const uint warp_row = warp / WARPS_N * WARP_M, warp_column = warp % WARPS_N * WARP_N;
    const uint shared_a = SHARED_ADDRESS(blocks), shared_b = shared_a + STAGES * BLOCK_BYTES(TILE_M);

    accumulator_t sums[WARP_M / 16][WARP_N / 8][SUMS];
#pragma unroll
    for (uint i = 0; i < WARP_M / 16; ++i) {
#pragma unroll
        for (uint j = 0; j < WARP_N / 8; ++j) {
#pragma unroll
            for (uint e = 0; e < SUMS; ++e)
                sums[i][j][e] = 0;
        }
    }

    const uint count = (k + TILE_K - 1) / TILE_K;
#pragma unroll
    for (uint i = 0; i < STAGES - 1; ++i) {
        if (i < count) {
            FETCH_A(i * TILE_K, i);
            FETCH_B(i * TILE_K, i);
        }
        copy_async_commit();
    }

    uint slot = 0, free_slot = STAGES - 1;
#pragma unroll 1
    for (uint block = 0; block < count; ++block) {
        COPY_ASYNC_WAIT(STAGES - 2);
        // This block is there for all, and all are done with the one before, whose slot is filled next.
        barrier(CLK_LOCAL_MEM_FENCE);
        if (block + STAGES - 1 < count) {
            FETCH_A((block + STAGES - 1) * TILE_K, free_slot);
            FETCH_B((block + STAGES - 1) * TILE_K, free_slot);
        }
        copy_async_commit();
        const uint block_a = shared_a + slot * BLOCK_BYTES(TILE_M), block_b = shared_b + slot * BLOCK_BYTES(TILE_N);
#pragma unroll
        for (uint depth = 0; depth < TILE_K; depth += 16) {
            uint pieces_a[WARP_M / 16][4], pieces_b[WARP_N / 16][4];
#pragma unroll
            for (uint i = 0; i < WARP_M / 16; ++i)
                load_a(pieces_a[i], block_a, warp_row + 16 * i, depth, lane);
#pragma unroll
            for (uint j = 0; j < WARP_N / 16; ++j)
                load_b(pieces_b[j], block_b, depth, warp_column + 16 * j, lane);
#pragma unroll
            for (uint i = 0; i < WARP_M / 16; ++i) {
#pragma unroll
                for (uint j = 0; j < WARP_N / 8; ++j)
                    multiply_fragments(sums[i][j], pieces_a[i], pieces_b[j / 2] + j % 2 * 2);
            }
        }
        slot = slot + 1 == STAGES ? 0 : slot + 1;
        free_slot = free_slot + 1 == STAGES ? 0 : free_slot + 1;
    }

#pragma unroll
    for (uint i = 0; i < WARP_M / 8; ++i) {
        const uint row = first_row + warp_row + 8 * i + lane / 4;
#pragma unroll
        for (uint j = 0; j < WARP_N / 8; ++j) {
            const uint column = first_column + warp_column + 8 * j + lane % 4 * 2;
            const uint pair = ROW_OF(sums[i / 2][j], i % 2);
            global ushort *target = c + (ulong)row * n + column;
            if (row < m && n % 2 == 0) {
                if (column < n)
                    *(global uint *)target = pair;
            } else if (row < m) {
                if (column < n)
                    target[0] = (ushort)pair;
                if (column + 1 < n)
                    target[1] = (ushort)(pair >> 16);
            }
        }
    }
}
