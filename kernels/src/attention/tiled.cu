// Tiled attention with online softmax. A thread block keeps TILE_M rows of the output and goes over the keys of its chunk,
// TILE_N at a time: scores by GEMM's main loop, weights into shared memory, sums from slices of V.
//
// (After T. Dao, "FlashAttention-2", 2023; the online softmax after M. Milakov and N. Gimelshein, 2018.)
//
// Specialised by: what tiled_loop.cuh is, TILE_K the length of a slice; DIM (at least head_dim); SPLIT (1: write parts, for
// attention_combine).

#if SPLIT
typedef real Result;
#else
typedef stored Result;
#endif

// Elements of a row of the output for a thread, in pieces that divide them evenly.
constexpr int THREAD_D = (DIM + THREADS_N - 1) / THREADS_N;
constexpr int PIECE_D = THREAD_D % VECTOR == 0 ? VECTOR : THREAD_D % 2 == 0 ? 2 : 1;
constexpr int WIDE = THREAD_D * THREADS_N;
constexpr int STRIDE_D = WIDE + VECTOR;
// Two stages of Q and K, or a slice of V in their place; then the weights, keys the slow index.
constexpr int SCORES = 2 * STAGE, VALUES = TILE_K * STRIDE_D;
constexpr int STAGED = SCORES > VALUES ? SCORES : VALUES;

static_assert(32 % THREADS_N == 0, "the threads of a row must be in one warp");

__device__ __forceinline__ int own_row(int i) {
    return piece_start<PIECE_M, THREADS_M>(i / PIECE_M, threadIdx.y) + i % PIECE_M;
}

// A slice of V: zeros beyond the keys and the rows' length.
__device__ __forceinline__ void stage_values(
    real* slice, const stored* v, unsigned first_key, unsigned end_key, unsigned dim) {
    for (int i = this_thread(); i < TILE_K * WIDE; i += THREADS) {
        unsigned key = first_key + i / WIDE, d = i % WIDE;
        bool inside = key < end_key && d < dim;
        slice[i / WIDE * STRIDE_D + d] = inside ? widen(v[(unsigned long long)key * dim + d]) : real(0);
    }
}

extern "C" __global__ void __launch_bounds__(THREADS, 1)
    attention_tiled(const stored* __restrict__ q, const stored* __restrict__ k, const stored* __restrict__ v,
                    Result* __restrict__ o, Params p) {
    Share share = this_share<TILE_M>(p);
    if (!share.exists) return;
    unsigned dim = p.head_dim;
    unsigned long long first_row = (unsigned long long)share.head * p.rows + share.first_row;
    q += first_row * dim;
    k += (unsigned long long)share.head * p.seq_kv * dim;
    v += (unsigned long long)share.head * p.seq_kv * dim;
    real* staged = (real*)shared_memory;
    real* weights = staged + STAGED;
    const real scale = (real)LOG2_E / square_root((real)dim);

    real sums[THREAD_M][THREAD_D] = {}, highest[THREAD_M], total[THREAD_M] = {};
#pragma unroll
    for (int i = 0; i < THREAD_M; ++i) highest[i] = LOWEST;

    for (unsigned start = share.first_key; start < share.end_key; start += TILE_N) {
        real scores[THREAD_M][THREAD_N] = {};
        Fetch<TILE_M, true> rows(q, 0, p.rows - share.first_row, dim);
        Fetch<TILE_N, true> keys(k + (unsigned long long)start * dim, 0, share.end_key - start, dim);
        multiply_stages(scores, rows, keys, dim, staged);

#pragma unroll
        for (int i = 0; i < THREAD_M; ++i) {
            unsigned seen = visible(share.first_row + own_row(i), p);
            unsigned end = seen < share.end_key ? seen : share.end_key;
            real higher = highest[i];
#pragma unroll
            for (int j = 0; j < THREAD_N; ++j) {
                int key = piece_start<PIECE_N, THREADS_N>(j / PIECE_N, threadIdx.x) + j % PIECE_N;
                scores[i][j] = start + key < end ? scores[i][j] * scale : 2 * LOWEST;
                higher = scores[i][j] > higher ? scores[i][j] : higher;
            }
#pragma unroll
            for (int mask = 1; mask < THREADS_N; mask *= 2) {
                real other = lane_exchange(higher, mask);
                higher = other > higher ? other : higher;
            }
            real shrink = power_of_2(highest[i] - higher);
            highest[i] = higher;
            total[i] *= shrink;
#pragma unroll
            for (int j = 0; j < THREAD_D; ++j) sums[i][j] *= shrink;
#pragma unroll
            for (int j = 0; j < THREAD_N; ++j) {
                int key = piece_start<PIECE_N, THREADS_N>(j / PIECE_N, threadIdx.x) + j % PIECE_N;
                real weight = power_of_2(scores[i][j] - higher);
                total[i] += weight;
                weights[key * STRIDE_M + own_row(i)] = weight;
            }
        }

        for (int first = 0; first < TILE_N; first += TILE_K) {
            stage_values(staged, v, start + first, share.end_key, dim);
            __syncthreads();
#pragma unroll
            for (int l = 0; l < TILE_K; ++l) {
                real weight[THREAD_M], value[THREAD_D];
                read_pieces<PIECE_M, THREADS_M>(weight, weights + (first + l) * STRIDE_M, threadIdx.y);
                read_pieces<PIECE_D, THREADS_N>(value, staged + l * STRIDE_D, threadIdx.x);
#pragma unroll
                for (int i = 0; i < THREAD_M; ++i) {
#pragma unroll
                    for (int j = 0; j < THREAD_D; ++j) sums[i][j] = multiply_add(weight[i], value[j], sums[i][j]);
                }
            }
            __syncthreads();
        }
    }

#pragma unroll
    for (int i = 0; i < THREAD_M; ++i) {
        // A row's threads each have the sum of their own keys' weights.
        real all = total[i];
#pragma unroll
        for (int mask = 1; mask < THREADS_N; mask *= 2) all += lane_exchange(all, mask);
        if (share.first_row + own_row(i) >= p.rows) continue;
        unsigned long long row = first_row + own_row(i);
#if SPLIT
        Result* target = o + part_start(share.split, row, p);
        if (threadIdx.x == 0) {
            target[dim] = highest[i];
            target[dim + 1] = all;
        }
#else
        Result* target = o + row * dim;
#endif
#pragma unroll
        for (int j = 0; j < THREAD_D; ++j) {
            unsigned d = piece_start<PIECE_D, THREADS_N>(j / PIECE_D, threadIdx.x) + j % PIECE_D;
            if (d >= dim) continue;
#if SPLIT
            target[d] = sums[i][j];
#else
            target[d] = narrow(sums[i][j] / all);
#endif
        }
    }
}
