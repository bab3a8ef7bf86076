// Attention of halves on the matrix units: mma.sync.m16n8k16, compute capability 8.0 and up.
//
// A thread block goes over the keys of QUERIES rows, KEYS at a time; the next keys and values are on their way into shared
// memory meanwhile. A warp has WARP_QUERIES rows for itself: it keeps them, their scores and their sums in registers. The
// weights need no exchange: what a lane holds of the product with the keys is what it must hand to the one with the values.
//
// (After T. Dao, "FlashAttention-2", 2023; the online softmax after M. Milakov and N. Gimelshein, 2018.)
//
// Specialised by: QUERIES KEYS WARP_QUERIES, DIM (head_dim or more, a multiple of 16), ALIGNED (1 where head_dim is a
// multiple of 8), STASH (1: rows of Q wait in shared memory and not in registers), SPLIT (1: write parts, for
// attention_combine).

constexpr int THREADS = QUERIES / WARP_QUERIES * 32;
// Elements of a 16-byte piece.
constexpr int PIECE = 8;
// Rows of a block of keys or values in shared memory are padded by 16 bytes.
constexpr int STRIDE = DIM + PIECE;
constexpr int BLOCK = KEYS * STRIDE;
// Pieces of 16 rows of a warp.
constexpr int TILES = WARP_QUERIES / 16;
// What a key that a row does not see scores: below LOWEST also when it is scaled, for heads of up to 256 elements. A row may
// see no key of its chunk.
constexpr float HIDDEN = 32 * LOWEST;

#if SPLIT
typedef float Result;
#else
typedef f16 Result;
#endif

// A lane's share of a 16 x 16 piece of Q.
struct alignas(16) Fragment {
    unsigned x[4];
};

extern __shared__ __align__(128) unsigned char shared_memory[];

// What a thread fetches of keys or values: eight threads share a row, so that they write to different banks.
constexpr int SHARERS = 8;
constexpr int STEP = THREADS / SHARERS;
static_assert(KEYS % STEP == 0, "threads must share a block evenly");

// Starts to fetch the rows from `start` on; zeros from row `end` on and beyond the rows' length.
__device__ __forceinline__ void fetch(f16* block, const f16* matrix, unsigned start, unsigned end, unsigned dim) {
    unsigned row = start + threadIdx.x / SHARERS, column = threadIdx.x % SHARERS * PIECE;
    const f16* source = matrix + (unsigned long long)row * dim + column;
    f16* target = block + threadIdx.x / SHARERS * STRIDE + column;
    // Pieces that pass through registers come one at a time.
#pragma unroll(ALIGNED ? KEYS / STEP : 1)
    for (int i = 0; i < KEYS / STEP; ++i) {
#pragma unroll
        for (int j = 0; j < DIM; j += SHARERS * PIECE) {
            // Where the last turn is not for all.
            if (j + SHARERS * PIECE > DIM && column + j >= DIM) continue;
            if (ALIGNED) {
                copy_async_16(target + j, source + j, row < end && column + j < dim);
            } else {
#pragma unroll
                for (int e = j; e < j + PIECE; ++e) target[e] = row < end && column + e < dim ? source[e] : f16(0);
            }
        }
        row += STEP;
        source += STEP * dim;
        target += STEP * STRIDE;
    }
}

// Two neighbours of a row of Q, as halves; zeros beyond its length.
__device__ __forceinline__ unsigned load_pair(const f16* row, unsigned column, unsigned dim) {
    if (ALIGNED) return column < dim ? *(const unsigned*)(row + column) : 0;
    unsigned first = column < dim ? row[column] : 0, second = column + 1 < dim ? row[column + 1] : 0;
    return first | second << 16;
}

__device__ __forceinline__ float maximum(float x, float y) { return x > y ? x : y; }

// Over the four lanes that share a row.
__device__ __forceinline__ float row_maximum(float x) {
    x = maximum(x, lane_exchange(x, 1));
    return maximum(x, lane_exchange(x, 2));
}

__device__ __forceinline__ float row_sum(float x) {
    x += lane_exchange(x, 1);
    return x + lane_exchange(x, 2);
}

extern "C" __global__ void __launch_bounds__(THREADS, 1)
    attention_mma(const f16* __restrict__ q, const f16* __restrict__ k, const f16* __restrict__ v,
                  Result* __restrict__ o, Params p) {
    Share share = this_share<QUERIES>(p);
    if (!share.exists) return;
    unsigned dim = p.head_dim;
    k += (unsigned long long)share.head * p.seq_kv * dim;
    v += (unsigned long long)share.head * p.seq_kv * dim;
    f16* shared = (f16*)shared_memory;
    int lane = threadIdx.x % 32;
    // Of the rows 16·i + 8·half of a warp, a lane has this one and the columns 8·j + this one and the next.
    unsigned own_row = share.first_row + threadIdx.x / 32 * WARP_QUERIES + lane / 4;
    unsigned own_column = lane % 4 * 2;
    unsigned long long head_row = (unsigned long long)share.head * p.rows;

    if (share.first_key < share.end_key) {
        fetch(shared, k, share.first_key, share.end_key, dim);
        fetch(shared + BLOCK, v, share.first_key, share.end_key, dim);
    }
    copy_async_commit();

    Fragment queries[TILES][DIM / 16];
#pragma unroll
    for (int i = 0; i < TILES; ++i) {
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            unsigned row = own_row + 16 * i + 8 * half;
            bool exists = row < p.rows;
            const f16* source = q + (head_row + (exists ? row : 0)) * dim;
#pragma unroll
            for (int d = 0; d < DIM / 16; ++d) {
#pragma unroll
                for (int side = 0; side < 2; ++side) {
                    unsigned pair = load_pair(source, 16 * d + 8 * side + own_column, dim);
                    queries[i][d].x[2 * side + half] = exists ? pair : 0;
                }
            }
        }
    }
    // Behind the keys and values of both slots. A lane reads what it wrote itself, so that needs no barrier.
    Fragment* stash = (Fragment*)(shared + 4 * BLOCK) + threadIdx.x / 32 * TILES * (DIM / 16) * 32 + lane;
    if (STASH) {
#pragma unroll
        for (int i = 0; i < TILES; ++i) {
#pragma unroll
            for (int d = 0; d < DIM / 16; ++d) stash[(i * (DIM / 16) + d) * 32] = queries[i][d];
        }
    }

    // Keys that no row of the thread block lacks: where rows reach into another head, its first query is among them.
    unsigned fewest = share.first_row % p.seq_q + QUERIES > p.seq_q ? visible(0, p) : visible(share.first_row, p);
    unsigned seen_by_all = fewest < share.end_key ? fewest : share.end_key;
    const float scale = (float)LOG2_E / square_root((float)dim);
    float sums[TILES][DIM / 8][4] = {}, highest[TILES][2], total[TILES][2] = {};
#pragma unroll
    for (int i = 0; i < TILES; ++i) highest[i][0] = highest[i][1] = LOWEST;

    int slot = 0;
    for (unsigned start = share.first_key; start < share.end_key; start += KEYS) {
        copy_async_wait<0>();
        // These keys are there for all threads, and all are done with those before, whose slot is filled next.
        __syncthreads();
        const f16* keys = shared + slot * 2 * BLOCK;
        const f16* values = keys + BLOCK;
        slot = 1 - slot;
        if (start + KEYS < share.end_key) {
            fetch(shared + slot * 2 * BLOCK, k, start + KEYS, share.end_key, dim);
            fetch(shared + slot * 2 * BLOCK + BLOCK, v, start + KEYS, share.end_key, dim);
        }
        copy_async_commit();

        float scores[TILES][KEYS / 8][4] = {};
#pragma unroll
        for (int d = 0; d < DIM / 16; ++d) {
            Fragment rows[TILES];
#pragma unroll
            for (int i = 0; i < TILES; ++i) rows[i] = STASH ? stash[(i * (DIM / 16) + d) * 32] : queries[i][d];
#pragma unroll
            for (int j = 0; j < KEYS / 8; j += 2) {
                unsigned first[2], second[2];
                load_b<true, STRIDE>(first, second, keys, 16 * d, 8 * j, lane);
#pragma unroll
                for (int i = 0; i < TILES; ++i) {
                    multiply_matrices(scores[i][j], rows[i].x, first);
                    multiply_matrices(scores[i][j + 1], rows[i].x, second);
                }
            }
        }
        if (start + KEYS > seen_by_all) {
#pragma unroll
            for (int i = 0; i < TILES; ++i) {
#pragma unroll
                for (int half = 0; half < 2; ++half) {
                    unsigned seen = visible(own_row + 16 * i + 8 * half, p);
                    unsigned end = seen < share.end_key ? seen : share.end_key;
#pragma unroll
                    for (int j = 0; j < KEYS / 8; ++j) {
                        if (start + 8 * j + own_column >= end) scores[i][j][2 * half] = HIDDEN;
                        if (start + 8 * j + own_column + 1 >= end) scores[i][j][2 * half + 1] = HIDDEN;
                    }
                }
            }
        }

#pragma unroll
        for (int i = 0; i < TILES; ++i) {
#pragma unroll
            for (int half = 0; half < 2; ++half) {
                float higher = scores[i][0][2 * half];
#pragma unroll
                for (int j = 0; j < KEYS / 8; ++j) {
                    higher = maximum(higher, maximum(scores[i][j][2 * half], scores[i][j][2 * half + 1]));
                }
                // Never below LOWEST, also where a row sees none of these keys.
                higher = maximum(highest[i][half], row_maximum(higher) * scale);
                float shrink = power_of_2(highest[i][half] - higher), sum = 0;
                highest[i][half] = higher;
#pragma unroll
                for (int j = 0; j < KEYS / 8; ++j) {
#pragma unroll
                    for (int e = 2 * half; e < 2 * half + 2; ++e) {
                        scores[i][j][e] = power_of_2(multiply_add(scores[i][j][e], scale, -higher));
                        sum += scores[i][j][e];
                    }
                }
                total[i][half] = multiply_add(total[i][half], shrink, sum);
#pragma unroll
                for (int j = 0; j < DIM / 8; ++j) {
                    sums[i][j][2 * half] *= shrink;
                    sums[i][j][2 * half + 1] *= shrink;
                }
            }
        }

#pragma unroll
        for (int t = 0; t < KEYS / 16; ++t) {
            unsigned weights[TILES][4];
#pragma unroll
            for (int i = 0; i < TILES; ++i) {
#pragma unroll
                for (int e = 0; e < 4; ++e) {
                    const float(&pair)[4] = scores[i][2 * t + e / 2];
                    weights[i][e] = f32_to_f16_pair(pair[e % 2 * 2], pair[e % 2 * 2 + 1]);
                }
            }
#pragma unroll
            for (int j = 0; j < DIM / 8; j += 2) {
                unsigned first[2], second[2];
                load_b<false, STRIDE>(first, second, values, 16 * t, 8 * j, lane);
#pragma unroll
                for (int i = 0; i < TILES; ++i) {
                    multiply_matrices(sums[i][j], weights[i], first);
                    multiply_matrices(sums[i][j + 1], weights[i], second);
                }
            }
        }
    }

#pragma unroll
    for (int i = 0; i < TILES; ++i) {
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            unsigned row = own_row + 16 * i + 8 * half;
            float all = row_sum(total[i][half]);
            if (row >= p.rows) continue;
#if SPLIT
            Result* target = o + part_start(share.split, head_row + row, p);
            if (lane % 4 == 0) {
                target[dim] = highest[i][half];
                target[dim + 1] = all;
            }
#else
            Result* target = o + (head_row + row) * dim;
            float inverse = 1 / all;
#endif
#pragma unroll
            for (int j = 0; j < DIM / 8; ++j) {
                unsigned column = 8 * j + own_column;
                float first = sums[i][j][2 * half], second = sums[i][j][2 * half + 1];
#if SPLIT
                if (column < dim) target[column] = first;
                if (column + 1 < dim) target[column + 1] = second;
#else
                unsigned pair = f32_to_f16_pair(first * inverse, second * inverse);
                if (ALIGNED) {
                    if (column < dim) *(unsigned*)(target + column) = pair;
                } else {
                    if (column < dim) target[column] = (f16)pair;
                    if (column + 1 < dim) target[column + 1] = (f16)(pair >> 16);
                }
#endif
            }
        }
    }
}
