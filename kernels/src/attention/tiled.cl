// Tiled attention with online softmax. A work-group keeps TILE_M rows of the output and goes over the keys of its chunk,
// TILE_N at a time: scores from slices of Q and K in local memory, weights into local memory, sums from slices of V.
//
// (After T. Dao, "FlashAttention-2", 2023; the online softmax after M. Milakov and N. Gimelshein, 2018.)
//
// Definitions: TILE_M TILE_N; GROUP_M GROUP_N (the work-group); DEPTH (of a slice); DIM (at least head_dim); SPLIT (1: write
// parts, for `attention_combine`); and a precision.
//
// A work-item's rows are GROUP_M apart, its columns GROUP_N, so that neighbours read neighbouring words of local memory.

#define THREAD_M (TILE_M / GROUP_M)
#define THREAD_N (TILE_N / GROUP_N)
#define THREAD_D PARTS(DIM, GROUP_N)
#define WIDE (THREAD_D * GROUP_N)
#define ITEMS (GROUP_M * GROUP_N)

// Slices of Q and K are staged k-major; one word of padding a row keeps those who stage in different banks. A slice of V
// takes their place.
#define STAGED_Q (DEPTH * (TILE_M + 1))
#define STAGED_K (DEPTH * (TILE_N + 1))
#define STAGED_V (DEPTH * WIDE)
#define STAGED (STAGED_Q + STAGED_K > STAGED_V ? STAGED_Q + STAGED_K : STAGED_V)

#if SPLIT
typedef sum_t result_t;
#else
typedef stored_t result_t;
#endif

__attribute__((reqd_work_group_size(GROUP_N, GROUP_M, 1)))
kernel void attention_tiled(global const stored_t *restrict q, global const stored_t *restrict k,
                            global const stored_t *restrict v, global result_t *restrict o, params_t size)
{
    local sum_t staged[STAGED];
    local sum_t weights[TILE_M][TILE_N + 1];

    const uint dim = size.head_dim;
    const uint tiles = PARTS(size.rows, TILE_M);
    const ulong tile = GROUP;
    if (tile >= (ulong)tiles * size.splits * size.key_heads)
        return; // The same for the whole group.
    // The last rows see the most keys with the causal mask: they start first.
    const uint first_row = (tiles - 1 - (uint)(tile % tiles)) * TILE_M;
    const ulong split = tile / tiles % size.splits;
    const ulong head = tile / tiles / size.splits;
    q += (head * size.rows + first_row) * dim;
    k += head * size.seq_kv * dim;
    v += head * size.seq_kv * dim;
    const uint rows = min(size.rows - first_row, (uint)TILE_M);
    const uint first_key = split * size.chunk;
    const uint end_key = min(visible_to_any(first_row, TILE_M, size), first_key + size.chunk);

    const uint x = get_local_id(0);
    const uint y = get_local_id(1);
    const uint item = y * GROUP_N + x;
    const sum_t scale = LOG2_E / sqrt((sum_t)dim);

    sum_t sums[THREAD_M][THREAD_D], highest[THREAD_M], total[THREAD_M];
    uint end[THREAD_M];
    for (uint i = 0; i < THREAD_M; ++i) {
        end[i] = min(visible(first_row + i * GROUP_M + y, size), end_key);
        highest[i] = LOWEST;
        total[i] = 0;
        for (uint j = 0; j < THREAD_D; ++j)
            sums[i][j] = 0;
    }

    for (uint start = first_key; start < end_key; start += TILE_N) {
        sum_t scores[THREAD_M][THREAD_N];
        for (uint i = 0; i < THREAD_M; ++i)
            for (uint j = 0; j < THREAD_N; ++j)
                scores[i][j] = 0;
        for (uint first = 0; first < dim; first += DEPTH) {
            for (uint i = item; i < TILE_M * DEPTH; i += ITEMS) {
                const uint row = i / DEPTH, d = first + i % DEPTH;
                staged[i % DEPTH * (TILE_M + 1) + row] =
                    row < rows && d < dim ? LOAD(q + (ulong)row * dim + d) : (sum_t)0;
            }
            for (uint i = item; i < TILE_N * DEPTH; i += ITEMS) {
                const uint key = start + i / DEPTH, d = first + i % DEPTH;
                staged[STAGED_Q + i % DEPTH * (TILE_N + 1) + i / DEPTH] =
                    key < end_key && d < dim ? LOAD(k + (ulong)key * dim + d) : (sum_t)0;
            }
            barrier(CLK_LOCAL_MEM_FENCE);
            for (uint d = 0; d < DEPTH; ++d) {
                sum_t row[THREAD_M], key[THREAD_N];
                for (uint i = 0; i < THREAD_M; ++i)
                    row[i] = staged[d * (TILE_M + 1) + i * GROUP_M + y];
                for (uint j = 0; j < THREAD_N; ++j)
                    key[j] = staged[STAGED_Q + d * (TILE_N + 1) + j * GROUP_N + x];
                for (uint i = 0; i < THREAD_M; ++i)
                    for (uint j = 0; j < THREAD_N; ++j)
                        scores[i][j] = fma(row[i], key[j], scores[i][j]);
            }
            barrier(CLK_LOCAL_MEM_FENCE);
        }

        // Each work-item's highest score of a row, then the row's. The weights' place is free until all have read it.
        for (uint i = 0; i < THREAD_M; ++i) {
            sum_t own = LOWEST;
            for (uint j = 0; j < THREAD_N; ++j) {
                scores[i][j] = start + j * GROUP_N + x < end[i] ? scores[i][j] * scale : LOWEST;
                own = fmax(own, scores[i][j]);
            }
            weights[i * GROUP_M + y][x] = own;
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        for (uint i = 0; i < THREAD_M; ++i) {
            sum_t higher = highest[i];
            for (uint c = 0; c < GROUP_N; ++c)
                higher = fmax(higher, weights[i * GROUP_M + y][c]);
            const sum_t shrink = exp2(highest[i] - higher);
            highest[i] = higher;
            total[i] *= shrink;
            for (uint j = 0; j < THREAD_D; ++j)
                sums[i][j] *= shrink;
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        for (uint i = 0; i < THREAD_M; ++i)
            for (uint j = 0; j < THREAD_N; ++j) {
                const sum_t weight = scores[i][j] == LOWEST ? (sum_t)0 : exp2(scores[i][j] - highest[i]);
                total[i] += weight;
                weights[i * GROUP_M + y][j * GROUP_N + x] = weight;
            }

        for (uint first = 0; first < TILE_N; first += DEPTH) {
            for (uint i = item; i < DEPTH * WIDE; i += ITEMS) {
                const uint key = start + first + i / WIDE, d = i % WIDE;
                staged[i] = key < end_key && d < dim ? LOAD(v + (ulong)key * dim + d) : (sum_t)0;
            }
            barrier(CLK_LOCAL_MEM_FENCE);
            for (uint l = 0; l < DEPTH; ++l) {
                sum_t weight[THREAD_M], value[THREAD_D];
                for (uint i = 0; i < THREAD_M; ++i)
                    weight[i] = weights[i * GROUP_M + y][first + l];
                for (uint j = 0; j < THREAD_D; ++j)
                    value[j] = staged[l * WIDE + j * GROUP_N + x];
                for (uint i = 0; i < THREAD_M; ++i)
                    for (uint j = 0; j < THREAD_D; ++j)
                        sums[i][j] = fma(weight[i], value[j], sums[i][j]);
            }
            barrier(CLK_LOCAL_MEM_FENCE);
        }
    }

    // A row's work-items each have the sum of their own columns' weights.
    for (uint i = 0; i < THREAD_M; ++i)
        weights[i * GROUP_M + y][x] = total[i];
    barrier(CLK_LOCAL_MEM_FENCE);
    for (uint i = 0; i < THREAD_M; ++i) {
        const uint row = i * GROUP_M + y;
        sum_t all = 0;
        for (uint c = 0; c < GROUP_N; ++c)
            all += weights[row][c];
        const ulong r = head * size.rows + first_row + row;
#if SPLIT
        global sum_t *to = o + PART(split, r, size);
        if (x == 0 && row < rows) {
            to[dim] = highest[i];
            to[dim + 1] = all;
        }
#else
        global stored_t *to = o + r * dim;
#endif
        for (uint j = 0; j < THREAD_D; ++j) {
            const uint d = j * GROUP_N + x;
            if (row < rows && d < dim) {
#if SPLIT
                to[d] = sums[i][j];
#else
                STORE(sums[i][j] / all, to + d);
#endif
            }
        }
    }
}
