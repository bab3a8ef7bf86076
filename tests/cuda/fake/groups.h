// The instructions of wgmma.cuh and of tma.cuh in C++, included by device.h. Groups of four warps take their operands from
// shared memory when they wait for a product, as late as they may: a slot that is filled again too early shows.
#pragma once
#include <cstdlib>
#include <deque>
#include <map>
#include <vector>

// Replaces the headers of inline PTX, whose guards these are.
#define ACCELBENCH_WGMMA
#define ACCELBENCH_TMA

inline unsigned shared_address(const void* shared) { return (unsigned)((const unsigned char*)shared - shared_memory); }
inline unsigned cluster_rank() { return emulator_cluster_rank(); }
inline void cluster_barrier() { emulator_cluster_barrier(); }
inline void barrier_create(unsigned barrier, unsigned arrivals) { emulator_barrier_create(barrier, arrivals); }
inline void barriers_created() {}
inline void barrier_expect(unsigned barrier, unsigned bytes) { emulator_barrier_expect(barrier, bytes); }
inline void barrier_arrive(unsigned barrier, unsigned rank) { emulator_barrier_arrive(barrier, rank); }
inline void barrier_wait(unsigned barrier, unsigned parity) { emulator_barrier_wait(barrier, parity); }

struct alignas(128) TensorMap {
    unsigned words[32];
};

template <typename Element>
void tensor_map_build(
    TensorMap* map, TensorMap*, const Element* first, unsigned matrices, unsigned rows, unsigned columns,
    unsigned box_rows) {
    if (lane_of_warp() == 0) emulator_map_build(map, first, sizeof(Element), matrices, rows, columns, box_rows);
}
inline void tensor_map_acquire(const TensorMap*) {}

template <int BLOCKS>
void box_load(unsigned target, const TensorMap* map, const BoxPlace& place, unsigned barrier, unsigned ranks) {
    emulator_box_load(target, map, place, barrier, BLOCKS == 1 ? 1u << cluster_rank() : ranks);
}
inline void box_store(const TensorMap* map, const BoxPlace& place, unsigned source) {
    emulator_box_store(map, place, source);
}
inline void box_store_commit() { emulator_box_store_commit(); }
template <int PENDING>
void box_store_wait() {
    emulator_box_store_wait(PENDING);
}

inline void publish_shared() {}
inline void group_begin() {}
inline int group_number() { return threadIdx.x / 128; }
inline void group_barrier(int group) { emulator_named_barrier(group, 128); }
inline void turn_take(int turn) { emulator_named_barrier(turn, 256); }
inline void turn_give(int turn) { emulator_named_arrive(turn); }
template <int COUNT>
void group_gains_registers() {}
template <int COUNT>
void group_gives_up_registers() {}

inline void store_matrices(unsigned row, unsigned x, unsigned y, unsigned z, unsigned w) {
    unsigned matrices[4] = {x, y, z, w}, lane = lane_of_warp();
    auto rows = (const unsigned*)emulator_warp_exchange("stmatrix", &row, sizeof row);
    for (int i = 0; i < 4; ++i) {
        unsigned target = rows[8 * i + lane / 4];
        if (target % 16) std::abort();
        std::memcpy(shared_memory + target + lane % 4 * 4, &matrices[i], 4);
    }
}

// What groups multiply, and how far along k.
#if defined(PRECISION_TF32)
typedef float Factor;
// The units read 19 bits: a number that was not rounded is cut off.
inline float value_of(Factor x) {
    unsigned bits;
    std::memcpy(&bits, &x, sizeof bits);
    return tf32_to_f32(bits & 0xffffe000);
}
#elif defined(PRECISION_F8E4M3)
typedef signed char Factor;
inline float value_of(Factor x) { return f8_to_f32(x); }
#elif defined(PRECISION_I8)
typedef signed char Factor;
inline float value_of(Factor x) { return x; }
#else
typedef Half Factor;
inline float value_of(Factor x) { return half_to_f32(x); }
#endif
constexpr int GROUP_K = 32 / sizeof(Factor);

// A probe's operands lie as wgmma.cuh says, and a descriptor is an address.
inline unsigned long long descriptor(const void* operand) { return (unsigned long long)operand; }

struct Pieces {
    const Factor* operand;

    float operator()(int side, int depth) const {
        constexpr int UNIT = GROUP_K / 2;
        return value_of(operand[(side / 8 * 2 + depth / UNIT) * 8 * UNIT + side % 8 * UNIT + depth % UNIT]);
    }
};

// The others' descriptors are the hardware's: an address, the distance of chunks of 64 elements across k, that of groups of
// eight rows, each in units of 16 bytes, and a way to permute, of which 1 is by 128 bytes.
inline unsigned long long swizzled_descriptor(unsigned address, unsigned chunk) {
    return address >> 4 | (unsigned long long)(chunk >> 4) << 16 | 1024ull >> 4 << 32 | 1ull << 62;
}
inline unsigned swizzled(unsigned address) { return address ^ (address >> 7 & 7) << 4; }

struct Swizzled {
    unsigned long long bits;
    bool across;

    unsigned field(int at) const { return (unsigned)(bits >> at & 0x3fff) * 16; }

    float operator()(int side, int depth) const {
        if (bits >> 62 != 1) std::abort();
        unsigned flat = across ? side / 64 * field(16) + depth / 8 * field(32) + depth % 8 * 128 + side % 64 * 2
                               : side / 8 * field(32) + side % 8 * 128 + depth * (unsigned)sizeof(Factor);
        Factor x;
        std::memcpy(&x, shared_memory + swizzled(field(0) + flat), sizeof x);
        return value_of(x);
    }
};

// A in registers: what all lanes of a warp hold of its rows.
struct Held {
    unsigned x[32][4];

    float operator()(int side, int depth) const {
        return half_of(x[side % 8 * 4 + depth % 8 / 2][side / 8 % 2 + depth / 8 * 2], depth % 2);
    }
};

// A sum with what one instruction adds to it.
template <typename Sum>
Sum added(Sum before, const float* terms) {
#if defined(PRECISION_F8E4M3)
    return f8_sum(before, terms, GROUP_K);
#else
    float sum = 0;
    for (int p = 0; p < GROUP_K; ++p) sum += terms[p];
    return before + (Sum)sum;
#endif
}

// Adds what a thread gets of a product: of every eight columns two neighbours, in two rows that are 8 apart.
template <typename Sum, int COUNT, typename OperandA, typename OperandB>
void add_product(Sum (&sums)[COUNT], const OperandA& a, const OperandB& b) {
    int row = threadIdx.x % 128 / 32 * 16 + threadIdx.x % 32 / 4, columns = threadIdx.x % 4 * 2;
    float rows[2][GROUP_K], column[GROUP_K], terms[GROUP_K];
    for (int p = 0; p < GROUP_K; ++p) {
        for (int i = 0; i < 2; ++i) rows[i][p] = a(row + 8 * i, p);
    }
    for (int i = 0; i < COUNT; i += 4) {
        for (int j = 0; j < 2; ++j) {
            for (int p = 0; p < GROUP_K; ++p) column[p] = b(i / 4 * 8 + columns + j, p);
            for (int half = 0; half < 2; ++half) {
                for (int p = 0; p < GROUP_K; ++p) terms[p] = rows[half][p] * column[p];
                Sum& sum = sums[i + 2 * half + j];
                sum = added(sum, terms);
            }
        }
    }
}

// Products that were started, by thread and batch. Each kernel has its own.
using Batch = std::vector<std::function<void()>>;
static std::map<std::size_t, Batch> group_open;
static std::map<std::size_t, std::deque<Batch>> group_batches;

inline void group_commit() {
    group_batches[emulator_thread()].push_back(std::move(group_open[emulator_thread()]));
    group_open[emulator_thread()].clear();
}
template <int PENDING>
void group_wait() {
    std::deque<Batch>& batches = group_batches[emulator_thread()];
    while (batches.size() > PENDING) {
        for (auto& product : batches.front()) product();
        batches.pop_front();
    }
    // A warp goes on as one.
    char nothing = 0;
    emulator_warp_exchange("wgmma.wait_group", &nothing, 1);
}
template <int PENDING = 0, typename Sum, int COUNT>
void group_wait(Sum (&)[COUNT]) {
    group_wait<PENDING>();
}

template <typename Sum, typename Operand, int COUNT>
void start_product(Sum (&c)[COUNT], Operand a, Operand b, bool add) {
    group_open[emulator_thread()].push_back([&c, a, b, add] {
        if (!add) std::memset(c, 0, sizeof c);
        add_product(c, a, b);
    });
}

// The same with sums in pairs of halves.
template <typename Operand, int COUNT>
void start_product(unsigned (&c)[COUNT], Operand a, Operand b, bool add) {
    group_open[emulator_thread()].push_back([&c, a, b, add] {
        float sums[2 * COUNT];
        for (int i = 0; i < 2 * COUNT; ++i) sums[i] = add ? half_of(c[i / 2], i % 2) : 0;
        add_product(sums, a, b);
        for (int i = 0; i < COUNT; ++i) c[i] = f32_to_half_pair(sums[2 * i], sums[2 * i + 1]);
    });
}

// The same with A in registers, which are read when the product is waited for: they must not change until then.
template <int COUNT>
void start_product(float (&c)[COUNT], const unsigned (&a)[4], Swizzled b, bool add) {
    group_open[emulator_thread()].push_back([&c, &a, b, add] {
        Held held;
        std::memcpy(held.x, emulator_warp_exchange("wgmma.a", a, sizeof a), sizeof held.x);
        if (!add) std::memset(c, 0, sizeof c);
        add_product(c, held, b);
    });
}

template <typename Sum, int COUNT>
void multiply_group(Sum (&c)[COUNT], unsigned long long a, unsigned long long b) {
    start_product(c, Pieces{(const Factor*)a}, Pieces{(const Factor*)b}, true);
}

template <bool ACROSS_A, bool ACROSS_B, typename Sum, int COUNT>
void multiply_group(Sum (&c)[COUNT], unsigned long long a, unsigned long long b, unsigned add) {
    start_product(c, Swizzled{a, ACROSS_A}, Swizzled{b, ACROSS_B}, add != 0);
}

template <bool ACROSS_B, int COUNT>
void multiply_group(float (&c)[COUNT], const unsigned (&a)[4], unsigned long long b, unsigned add) {
    start_product(c, a, Swizzled{b, ACROSS_B}, add != 0);
}
