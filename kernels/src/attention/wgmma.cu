// Attention of halves by the matrix instructions of groups of four warps and by bulk copies: the architecture 9.0 and no
// other.
//
// As many thread blocks as the device holds at a time take QUERIES rows of a head after one another. One thread of a block
// starts copies of Q and, KEYS at a time, of K and V into slots of shared memory; two groups have the half of the rows
// each, with scores and sums in registers. Barriers hand slots back and forth, as in GEMM's kernel. While the weights of
// some keys are computed, the matrix units multiply the values of those before them; and the groups take turns in starting
// products, so that the one computes weights while the other multiplies. What a lane holds of scores is what it must hand
// to the product with the values. The result leaves by way of the rows of Q in shared memory.
//
// (After J. Shah et al., "FlashAttention-3", 2024.)
//
// Specialised by: KEYS, DIM (head_dim or more: 64, 128 or 256), SLOTS. head_dim is a multiple of 8.

constexpr int QUERIES = 128;
// Threads of a group, groups that multiply, rows of one of them.
constexpr int GROUP = 128, GROUPS = 2, GROUP_QUERIES = QUERIES / GROUPS;
constexpr int THREADS = GROUP * (1 + GROUPS);
// Registers of a thread: what they have at the start, 168 each, divided anew.
constexpr int COPYING_REGISTERS = 40, MULTIPLYING_REGISTERS = 232;
// Rows of a box have so many bytes and elements; a longer row is in several chunks, each with all rows of a block.
constexpr unsigned ROW_BYTES = 128;
constexpr int CHUNK = ROW_BYTES / sizeof(Half), CHUNKS = DIM / CHUNK;
// Swizzled rows repeat after so many bytes.
constexpr unsigned ALIGNMENT = 1024;

// Shared memory: rows of Q, slots, images of maps, barriers.
constexpr unsigned QUERY_BYTES = QUERIES * DIM * sizeof(Half), SLOT_BYTES = KEYS * DIM * sizeof(Half);
constexpr unsigned IMAGES_AT = QUERY_BYTES + SLOTS * SLOT_BYTES;
constexpr unsigned BARRIERS_AT = IMAGES_AT + 4 * sizeof(TensorMap);

extern __shared__ __align__(128) unsigned char shared_memory[];

// A block of rows in shared memory as an operand: from this row and this element of the rows on.
template <int ROWS>
__device__ __forceinline__ unsigned long long operand(unsigned block, unsigned row, unsigned element) {
    unsigned at = element / CHUNK * ROWS * ROW_BYTES + row * ROW_BYTES + element % CHUNK * sizeof(Half);
    return swizzled_descriptor(block + at, ROWS * ROW_BYTES);
}

// One slot after the other, and the parity of the phase that is waited for.
struct Slot {
    unsigned shared, index, parity;

    __device__ __forceinline__ unsigned block() const { return shared + QUERY_BYTES + index * SLOT_BYTES; }
    __device__ __forceinline__ unsigned full() const { return shared + BARRIERS_AT + index * 8; }
    __device__ __forceinline__ unsigned empty() const { return full() + SLOTS * 8; }

    // This slot; goes on to the next one.
    __device__ __forceinline__ Slot take() {
        Slot taken = *this;
        index = index + 1 == SLOTS ? 0 : index + 1;
        if (index == 0) parity ^= 1;
        return taken;
    }
};

// The rows of Q: one slot, whose barriers are behind the others'.
struct QuerySlot {
    unsigned shared, parity;

    __device__ __forceinline__ unsigned full() const { return shared + BARRIERS_AT + 2 * SLOTS * 8; }
    __device__ __forceinline__ unsigned empty() const { return full() + 8; }
};

// The shares of a thread block, one after the other.
struct Shares {
    const Params& p;
    unsigned long long number;

    __device__ __forceinline__ explicit Shares(const Params& p) : p(p), number(blockIdx.x) {}

    __device__ __forceinline__ Share next() {
        Share share = share_of<QUERIES>(number, p);
        number += gridDim.x;
        return share;
    }
};

// Starts to fetch so many keys or values of a head into the next slot.
__device__ __forceinline__ void fetch(Slot& slot, const TensorMap* map, unsigned head, unsigned start) {
    Slot target = slot.take();
    barrier_wait(target.empty(), target.parity ^ 1);
    barrier_expect(target.full(), SLOT_BYTES);
    for (unsigned c = 0; c < CHUNKS; ++c) {
        unsigned chunk = target.block() + c * KEYS * ROW_BYTES;
        box_load<1>(chunk, map, {start, c * CHUNK, head}, target.full(), 1);
    }
}

// One thread's work: all copies to shared memory, in the order in which they are needed.
__device__ __forceinline__ void copy(
    Slot slot, QuerySlot queries, const TensorMap* map_q, const TensorMap* map_k, const TensorMap* map_v,
    const Params& p) {
    tensor_map_acquire(map_q);
    tensor_map_acquire(map_k);
    tensor_map_acquire(map_v);
    Shares shares(p);
    for (Share share = shares.next(); share.exists; share = shares.next()) {
        // The first keys need not wait for the rows before to be written.
        fetch(slot, map_k, share.head, 0);
        barrier_wait(queries.empty(), queries.parity ^ 1);
        queries.parity ^= 1;
        barrier_expect(queries.full(), QUERY_BYTES);
        for (unsigned row = 0; row < QUERIES; row += GROUP_QUERIES) {
            for (unsigned c = 0; c < CHUNKS; ++c) {
                unsigned target = queries.shared + (c * QUERIES + row) * ROW_BYTES;
                box_load<1>(target, map_q, {share.first_row + row, c * CHUNK, share.head}, queries.full(), 1);
            }
        }
        for (unsigned start = 0; start < share.end_key; start += KEYS) {
            if (start + KEYS < share.end_key) fetch(slot, map_k, share.head, start + KEYS);
            fetch(slot, map_v, share.head, start);
        }
    }
}

// Of its group's rows a lane has two, 8 apart, and of every eight columns two neighbours: the upper row's and the lower
// row's in turn.
typedef float Scores[KEYS / 2];
typedef float Sums[DIM / 2];
// The weights of 16 keys, in pairs of halves.
typedef unsigned Weights[KEYS / 16][4];

// A group is done with a slot when its warps are.
__device__ __forceinline__ void release(const Slot& slot) {
    if (threadIdx.x % 32 == 0) barrier_arrive(slot.empty(), 0);
}

// Starts the product of a group's rows with keys.
__device__ __forceinline__ void start_scores(Scores& scores, unsigned queries, unsigned side, const Slot& keys) {
#pragma unroll
    for (unsigned d = 0; d < DIM; d += 16) {
        multiply_group<false, false>(
            scores, operand<QUERIES>(queries, side, d), operand<KEYS>(keys.block(), 0, d), d);
    }
    group_commit();
}

// Starts the product of weights with values.
__device__ __forceinline__ void start_sums(Sums& sums, const Weights& weights, const Slot& values, bool add) {
#pragma unroll
    for (unsigned t = 0; t < KEYS / 16; ++t) {
        multiply_group<true>(sums, weights[t], operand<KEYS>(values.block(), 16 * t, 0), add || t > 0);
    }
    group_commit();
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

// A lane's two rows.
struct Rows {
    // Keys that they see.
    unsigned end[2];
    float highest[2], total[2];

    // Hides the keys that a row does not see from its scores of the keys from `start` on.
    __device__ __forceinline__ void mask(Scores& scores, unsigned start) const {
        unsigned first = start + threadIdx.x % 4 * 2;
#pragma unroll
        for (int j = 0; j < KEYS / 8; ++j) {
#pragma unroll
            for (int e = 0; e < 4; ++e) {
                if (first + 8 * j + e % 2 >= end[e / 2]) scores[4 * j + e] = 2 * LOWEST;
            }
        }
    }

    // Scores become weights. Those before shrink by the factors that this gives.
    __device__ __forceinline__ void weigh(Scores& scores, float scale, float (&shrink)[2]) {
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            float higher = scores[2 * half];
#pragma unroll
            for (int j = 0; j < KEYS / 8; ++j) {
                higher = maximum(higher, maximum(scores[4 * j + 2 * half], scores[4 * j + 2 * half + 1]));
            }
            // Never below LOWEST, also where a row sees none of these keys.
            higher = maximum(highest[half], row_maximum(higher) * scale);
            shrink[half] = power_of_2(highest[half] - higher);
            highest[half] = higher;
            float sum = 0;
#pragma unroll
            for (int j = 0; j < KEYS / 8; ++j) {
#pragma unroll
                for (int e = 4 * j + 2 * half; e < 4 * j + 2 * half + 2; ++e) {
                    scores[e] = power_of_2(multiply_add(scores[e], scale, -higher));
                    sum += scores[e];
                }
            }
            total[half] = multiply_add(total[half], shrink[half], sum);
        }
    }
};

__device__ __forceinline__ void narrow_weights(Weights& weights, const Scores& scores) {
#pragma unroll
    for (int t = 0; t < KEYS / 16; ++t) {
#pragma unroll
        for (int e = 0; e < 4; ++e) {
            weights[t][e] = f32_to_half_pair(scores[8 * t + 2 * e], scores[8 * t + 2 * e + 1]);
        }
    }
}

// Writes a group's rows to where its rows of Q were, and from there to memory; returns when shared memory is free again.
__device__ __forceinline__ void store(
    const Sums& sums, const Rows& rows, unsigned queries, unsigned side, const TensorMap* map, const Share& share,
    int group) {
    int lane = threadIdx.x % 32, warp = threadIdx.x % GROUP / 32;
    float inverse[2] = {1 / row_sum(rows.total[0]), 1 / row_sum(rows.total[1])};
    unsigned place = queries + (side + warp * 16 + lane % 16) * ROW_BYTES + lane / 16 * 16;
#pragma unroll
    for (int d = 0; d < DIM; d += 16) {
        unsigned pairs[4];
#pragma unroll
        for (int e = 0; e < 4; ++e) {
            const float* x = sums + d / 2 + 2 * e;
            pairs[e] = f32_to_half_pair(x[0] * inverse[e % 2], x[1] * inverse[e % 2]);
        }
        unsigned target = place + d / CHUNK * QUERIES * ROW_BYTES + d % CHUNK * sizeof(Half);
        store_matrices(swizzled(target), pairs[0], pairs[1], pairs[2], pairs[3]);
    }
    publish_shared();
    group_barrier(group);
    if (threadIdx.x % GROUP == 0) {
        for (unsigned c = 0; c < CHUNKS; ++c) {
            unsigned source = queries + (c * QUERIES + side) * ROW_BYTES;
            box_store(map, {share.first_row + side, c * CHUNK, share.head}, source);
        }
        box_store_commit();
        box_store_wait<0>();
    }
}

// One group's work: its rows of all shares. `group` counts from 1.
__device__ __forceinline__ void attend(
    Slot slot, QuerySlot queries, const TensorMap* map_o, const Params& p, int group) {
    tensor_map_acquire(map_o);
    unsigned side = (group - 1) * GROUP_QUERIES;
    int own_turn = GROUPS + group, other_turn = GROUPS + 3 - group;
    const float scale = (float)LOG2_E / square_root((float)p.head_dim);
    if (group == 2) turn_give(other_turn);
    Shares shares(p);
    for (Share share = shares.next(); share.exists; share = shares.next()) {
        Scores scores;
        Sums sums;
        Weights weights;
        Rows rows = {{0, 0}, {LOWEST, LOWEST}, {0, 0}};
        // Keys that no row of the thread block lacks: where rows reach into another head, its first query is among them.
        unsigned fewest =
            share.first_row % p.seq_q + QUERIES > p.seq_q ? visible(0, p) : visible(share.first_row, p);
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            unsigned row = share.first_row + side + threadIdx.x % GROUP / 32 * 16 + half * 8 + threadIdx.x % 32 / 4;
            unsigned seen = visible(row, p);
            rows.end[half] = seen < p.seq_kv ? seen : p.seq_kv;
        }

        barrier_wait(queries.full(), queries.parity);
        queries.parity ^= 1;
        Slot keys = slot.take();
        barrier_wait(keys.full(), keys.parity);
        turn_take(own_turn);
        group_begin();
        start_scores(scores, queries.shared, side, keys);
        turn_give(other_turn);
        group_wait(scores);
        release(keys);
        float shrink[2];
        if (KEYS > fewest) rows.mask(scores, 0);
        rows.weigh(scores, scale, shrink);
        narrow_weights(weights, scores);

        bool add = false;
        for (unsigned start = KEYS; start < share.end_key; start += KEYS) {
            keys = slot.take();
            Slot values = slot.take();
            barrier_wait(keys.full(), keys.parity);
            turn_take(own_turn);
            group_begin();
            start_scores(scores, queries.shared, side, keys);
            barrier_wait(values.full(), values.parity);
            start_sums(sums, weights, values, add);
            turn_give(other_turn);
            group_wait<1>(scores);
            release(keys);
            if (start + KEYS > fewest) rows.mask(scores, start);
            rows.weigh(scores, scale, shrink);
            group_wait(sums);
            release(values);
#pragma unroll
            for (int i = 0; i < DIM / 2; ++i) sums[i] *= shrink[i / 2 % 2];
            narrow_weights(weights, scores);
            add = true;
        }
        Slot values = slot.take();
        barrier_wait(values.full(), values.parity);
        group_begin();
        start_sums(sums, weights, values, add);
        group_wait(sums);
        release(values);
        store(sums, rows, queries.shared, side, map_o, share, group);
        if (threadIdx.x % GROUP == 0) barrier_arrive(queries.empty(), 0);
    }
}

// `maps` has room for four of each thread block.
extern "C" __global__ void __launch_bounds__(THREADS, 1)
    attention_wgmma(const Half* q, const Half* k, const Half* v, Half* o, TensorMap* maps, Params p) {
    unsigned start = (shared_address(shared_memory) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    TensorMap* images = (TensorMap*)(shared_memory + (start - shared_address(shared_memory)) + IMAGES_AT);
    maps += 4 * blockIdx.x;
    Slot slot = {start, 0, 0};
    QuerySlot queries = {start, 0};
    int group = group_number(), warp = threadIdx.x / 32;
    if (group == 0) {
        const Half* first = warp == 0 ? q : warp == 1 ? k : warp == 2 ? v : o;
        bool of_rows = warp == 0 || warp == 3;
        tensor_map_build(maps + warp, images + warp, first, p.key_heads, of_rows ? p.rows : p.seq_kv, p.head_dim,
                         of_rows ? GROUP_QUERIES : KEYS);
    } else if (threadIdx.x == GROUP) {
        for (Slot each = slot; each.parity == 0; each.take()) {
            barrier_create(each.full(), 1);
            barrier_create(each.empty(), GROUPS * GROUP / 32);
        }
        barrier_create(queries.full(), 1);
        barrier_create(queries.empty(), GROUPS);
        barriers_created();
    }
    __syncthreads();
    if (group == 0) {
        group_gives_up_registers<COPYING_REGISTERS>();
        if (threadIdx.x == 0) copy(slot, queries, maps, maps + 1, maps + 2, p);
    } else {
        group_gains_registers<MULTIPLYING_REGISTERS>();
        attend(slot, queries, maps + 3, p, group);
    }
}
