// Attention of halves on the matrix units, in OpenCL C: the algorithm of mma.cu with less local memory. Keys and values
// have one slot each: values come while rows meet their keys, and the next keys while weights meet the values.
//
// Definitions: QUERIES KEYS WARP_QUERIES DIM ALIGNED STASH SPLIT (see mma.cu), and PRECISION_F16.

#define ITEMS (QUERIES / WARP_QUERIES * 32)
// Pieces of 16 rows of a warp.
#define TILES (WARP_QUERIES / 16)
#define BLOCK_BYTES (KEYS * ROW_PIECES(DIM / PIECE) * 16)
#define STASH_BYTES (STASH ? QUERIES * DIM * 2 : 0)

// What a key that a row does not see scores: below LOWEST also when it is scaled, for heads of up to 256 elements.
#define HIDDEN (32 * LOWEST)

#if SPLIT
typedef float result_t;
#else
typedef ushort result_t;
#endif

// The keys or values from `start` on.
#define FETCH(target, matrix, start)                                                                                   \
    fetch(target, matrix, end_key, dim, start, 0, KEYS, DIM / PIECE, ALIGNED, item, ITEMS)

// The 16 × 16 piece of the keys, transposed, at (depth, key) of a block: the registers of its two halves of 16 × 8.
INLINE void load_keys(uint *x, uint block, uint depth, uint key, uint lane)
{
    const uint row = key + lane % 8 + lane / 16 * 8, piece = depth / PIECE + lane / 8 % 2;
    load_fragments(x, block + place(row, piece, DIM / PIECE));
}

// That of the values at (key, column).
INLINE void load_values(uint *x, uint block, uint key, uint column, uint lane)
{
    const uint row = key + lane % 16, piece = column / PIECE + lane / 16;
    load_fragments_transposed(x, block + place(row, piece, DIM / PIECE));
}

// Two neighbours of a row of Q, as halves; zeros beyond its length.
INLINE uint load_pair(global const ushort *row, uint column, uint dim)
{
    if (ALIGNED)
        return column < dim ? *(global const uint *)(row + column) : 0;
    const uint first = column < dim ? row[column] : 0, second = column + 1 < dim ? row[column + 1] : 0;
    return first | second << 16;
}

// Over the four lanes that share a row.
INLINE float row_maximum(float x)
{
    x = fmax(x, lane_exchange(x, 1));
    return fmax(x, lane_exchange(x, 2));
}

INLINE float row_sum(float x)
{
    x += lane_exchange(x, 1);
    return x + lane_exchange(x, 2);
}

__attribute__((reqd_work_group_size(ITEMS, 1, 1)))
kernel void attention_mma(global const ushort *restrict q, global const ushort *restrict k,
                          global const ushort *restrict v, global result_t *restrict o, params_t size)
{
    // Only instructions see it, by its address.
    local uint blocks[(2 * BLOCK_BYTES + STASH_BYTES) / 4] __attribute__((aligned(128)));

    const uint dim = size.head_dim;
    const ulong tiles = PARTS(size.rows, QUERIES), group = GROUP;
    if (group >= tiles * size.splits * size.key_heads)
        return; // The same for the whole group.
    // The last rows see the most keys with the causal mask: they start first.
    const uint first_row = (uint)(tiles - 1 - group % tiles) * QUERIES;
    const uint split = group / tiles % size.splits;
    const ulong head = group / tiles / size.splits;
    const uint first_key = split * size.chunk;
    const uint end_key = min(visible_to_any(first_row, QUERIES, size), first_key + size.chunk);
    const ulong head_row = head * size.rows;
    k += head * size.seq_kv * dim;
    v += head * size.seq_kv * dim;

    const uint item = get_local_id(0), lane = item % 32;
    // Of the rows 16·i + 8·side of a warp, a lane has this one and the columns 8·j + this one and the next.
    const uint own_row = first_row + item / 32 * WARP_QUERIES + lane / 4, own_column = lane % 4 * 2;
    const uint keys = SHARED_ADDRESS(blocks), values = keys + BLOCK_BYTES;
    // A lane reads what it wrote itself, so that needs no barrier.
    const uint stash = values + BLOCK_BYTES + (item / 32 * TILES * (DIM / 16) * 32 + lane) * 16;

    if (first_key < end_key)
        FETCH(keys, k, first_key);
    copy_async_commit();

    uint queries[TILES][DIM / 16][4];
#pragma unroll
    for (uint i = 0; i < TILES; ++i) {
#pragma unroll
        for (uint side = 0; side < 2; ++side) {
            const uint row = own_row + 16 * i + 8 * side;
            const bool exists = row < size.rows;
            global const ushort *source = q + (head_row + (exists ? row : 0)) * dim;
#pragma unroll
            for (uint d = 0; d < DIM / 16; ++d) {
#pragma unroll
                for (uint e = 0; e < 2; ++e) {
                    const uint pair = load_pair(source, 16 * d + 8 * e + own_column, dim);
                    queries[i][d][2 * e + side] = exists ? pair : 0;
                }
            }
        }
    }
    if (STASH) {
#pragma unroll
        for (uint i = 0; i < TILES; ++i) {
#pragma unroll
            for (uint d = 0; d < DIM / 16; ++d)
                store_16(stash + (i * (DIM / 16) + d) * 512, queries[i][d]);
        }
    }

    // Keys that no row of the group lacks: where rows reach into another head, its first query is among them.
    const uint fewest = visible(first_row % size.seq_q + QUERIES > size.seq_q ? 0 : first_row, size);
    const uint seen_by_all = min(fewest, end_key);
    const float scale = LOG2_E / sqrt((float)dim);
    float sums[TILES][DIM / 8][4], highest[TILES][2], total[TILES][2];
#pragma unroll
    for (uint i = 0; i < TILES; ++i) {
#pragma unroll
        for (uint j = 0; j < DIM / 8; ++j) {
#pragma unroll
            for (uint e = 0; e < 4; ++e)
                sums[i][j][e] = 0;
        }
#pragma unroll
        for (uint side = 0; side < 2; ++side) {
            highest[i][side] = LOWEST;
            total[i][side] = 0;
        }
    }

#pragma unroll 1
    for (uint start = first_key; start < end_key; start += KEYS) {
        COPY_ASYNC_WAIT(0);
        // These keys are there for all, and all are done with the values before.
        barrier(CLK_LOCAL_MEM_FENCE);
        FETCH(values, v, start);
        copy_async_commit();

        float scores[TILES][KEYS / 8][4];
#pragma unroll
        for (uint i = 0; i < TILES; ++i) {
#pragma unroll
            for (uint j = 0; j < KEYS / 8; ++j) {
#pragma unroll
                for (uint e = 0; e < 4; ++e)
                    scores[i][j][e] = 0;
            }
        }
#pragma unroll
        for (uint d = 0; d < DIM / 16; ++d) {
            if (STASH) {
#pragma unroll
                for (uint i = 0; i < TILES; ++i)
                    load_16(queries[i][d], stash + (i * (DIM / 16) + d) * 512);
            }
#pragma unroll
            for (uint j = 0; j < KEYS / 8; j += 2) {
                uint pair[4];
                load_keys(pair, keys, 16 * d, 8 * j, lane);
#pragma unroll
                for (uint i = 0; i < TILES; ++i) {
                    multiply_fragments(scores[i][j], queries[i][d], pair);
                    multiply_fragments(scores[i][j + 1], queries[i][d], pair + 2);
                }
            }
        }
        if (start + KEYS > seen_by_all) {
#pragma unroll
            for (uint i = 0; i < TILES; ++i) {
#pragma unroll
                for (uint side = 0; side < 2; ++side) {
                    const uint end = min(visible(own_row + 16 * i + 8 * side, size), end_key);
#pragma unroll
                    for (uint j = 0; j < KEYS / 8; ++j) {
#pragma unroll
                        for (uint e = 0; e < 2; ++e) {
                            if (start + 8 * j + own_column + e >= end)
                                scores[i][j][2 * side + e] = HIDDEN;
                        }
                    }
                }
            }
        }

#pragma unroll
        for (uint i = 0; i < TILES; ++i) {
#pragma unroll
            for (uint side = 0; side < 2; ++side) {
                float higher = scores[i][0][2 * side];
#pragma unroll
                for (uint j = 0; j < KEYS / 8; ++j)
                    higher = fmax(higher, fmax(scores[i][j][2 * side], scores[i][j][2 * side + 1]));
                // Never below LOWEST, also where a row sees none of these keys.
                higher = fmax(highest[i][side], row_maximum(higher) * scale);
                const float shrink = exp2_approximate(highest[i][side] - higher);
                float sum = 0;
                highest[i][side] = higher;
#pragma unroll
                for (uint j = 0; j < KEYS / 8; ++j) {
#pragma unroll
                    for (uint e = 2 * side; e < 2 * side + 2; ++e) {
                        scores[i][j][e] = exp2_approximate(fma(scores[i][j][e], scale, -higher));
                        sum += scores[i][j][e];
                    }
                }
                total[i][side] = fma(total[i][side], shrink, sum);
#pragma unroll
                for (uint j = 0; j < DIM / 8; ++j) {
                    sums[i][j][2 * side] *= shrink;
                    sums[i][j][2 * side + 1] *= shrink;
                }
            }
        }

        COPY_ASYNC_WAIT(0);
        // The values are there for all, and all are done with the keys.
        barrier(CLK_LOCAL_MEM_FENCE);
        if (start + KEYS < end_key)
            FETCH(keys, k, start + KEYS);
        copy_async_commit();

#pragma unroll
        for (uint t = 0; t < KEYS / 16; ++t) {
            uint weights[TILES][4];
#pragma unroll
            for (uint i = 0; i < TILES; ++i) {
#pragma unroll
                for (uint e = 0; e < 4; ++e)
                    weights[i][e] = ROW_OF(scores[i][2 * t + e / 2], e % 2);
            }
#pragma unroll
            for (uint j = 0; j < DIM / 8; j += 2) {
                uint pair[4];
                load_values(pair, values, 16 * t, 8 * j, lane);
#pragma unroll
                for (uint i = 0; i < TILES; ++i) {
                    multiply_fragments(sums[i][j], weights[i], pair);
                    multiply_fragments(sums[i][j + 1], weights[i], pair + 2);
                }
            }
        }
    }

#pragma unroll
    for (uint i = 0; i < TILES; ++i) {
#pragma unroll
        for (uint side = 0; side < 2; ++side) {
            const uint row = own_row + 16 * i + 8 * side;
            const float all = row_sum(total[i][side]);
            if (row >= size.rows)
                continue;
#if SPLIT
            global result_t *target = o + PART(split, head_row + row, size);
            if (lane % 4 == 0) {
                target[dim] = highest[i][side];
                target[dim + 1] = all;
            }
#else
            global result_t *target = o + (head_row + row) * dim;
            const float inverse = 1 / all;
#endif
#pragma unroll
            for (uint j = 0; j < DIM / 8; ++j) {
                const uint column = 8 * j + own_column;
                const float first = sums[i][j][2 * side], second = sums[i][j][2 * side + 1];
#if SPLIT
                if (column < dim)
                    target[column] = first;
                if (column + 1 < dim)
                    target[column + 1] = second;
#else
                const uint pair = f32_to_half_pair(first * inverse, second * inverse);
                if (ALIGNED) {
                    if (column < dim)
                        *(global uint *)(target + column) = pair;
                } else {
                    if (column < dim)
                        target[column] = (ushort)pair;
                    if (column + 1 < dim)
                        target[column + 1] = (ushort)(pair >> 16);
                }
#endif
            }
        }
    }
}
