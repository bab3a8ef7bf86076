// C = A·B, by the matrix instructions of groups of four warps and by bulk copies: the
// architecture 9.0 and no other.
//
// As many thread blocks as the device holds at a time take tile after tile of C, TILE_M x TILE_N. One thread of a block
// starts copies of blocks of A and B, TILE_K long, into STAGES slots of shared memory; two groups multiply, each the half
// of the tile's rows. Barriers hand the slots back and forth: `full` when a slot's bytes are there, `empty` when all that
// read them are done. So copies run ahead, across tiles too, while a tile is written: by way of shared memory, again in
// bulk. The CLUSTER blocks of a cluster compute tiles that lie below one another: each copies its part of their columns of
// B, to all of them.
//
// Where tiles are few, sums are split: each part is a task of its own, whose sums go to scratch memory, and a second kernel
// adds the parts up.
//
// Specialised by: TILE_N (128 or 256), STAGES, CLUSTER (1 or 2), SPLIT TRANS_A TRANS_B (0 or 1), and one of PRECISION_F16
// PRECISION_BF16 PRECISION_F16_ACC16 PRECISION_TF32 PRECISION_F8E4M3 PRECISION_I8; of the last three, rows of both matrices
// in memory run along k. Every row in memory starts at a multiple of 16 bytes.

struct Params {
    unsigned m, n, k;
    // Length of a part of the sums.
    unsigned part;
};

#if defined(PRECISION_TF32)
typedef float element;
#elif defined(PRECISION_F8E4M3) || defined(PRECISION_I8)
typedef signed char element;
#else
typedef Half element;
#endif

constexpr int TILE_M = 128;
// Elements of a row of a box, and those that an instruction multiplies along k.
constexpr unsigned ROW_BYTES = 128;
constexpr int TILE_K = ROW_BYTES / sizeof(element), INSTRUCTION_K = 32 / sizeof(element);
// Threads of a group, groups that multiply, rows of C for one of them.
constexpr int GROUP = 128, GROUPS = 2, GROUP_M = TILE_M / GROUPS;
constexpr int THREADS = GROUP * (1 + GROUPS);
// Registers of a thread: what they have at the start, 168 each, divided anew.
constexpr int COPYING_REGISTERS = 40, MULTIPLYING_REGISTERS = 232;
// Boxes of C that a group has in shared memory, so that one is written while the other is on its way.
constexpr int BOXES = 2;
constexpr int BOX_COLUMNS = ROW_BYTES / sizeof(Half);
constexpr unsigned BOX_BYTES = GROUP_M * ROW_BYTES;
// Swizzled rows repeat after so many bytes.
constexpr unsigned ALIGNMENT = 1024;

// An operand's blocks in shared memory. SIDE is its side of the tile that is not k; ALONG_K says whether its rows in
// memory run along k. PARTS blocks of a cluster share it.
template <int SIDE, bool ALONG_K, int PARTS>
struct Operand {
    static constexpr bool ACROSS = !ALONG_K;
    static constexpr unsigned BYTES = SIDE * ROW_BYTES;
    static constexpr int PART = SIDE / PARTS;
    static constexpr int BOX_ROWS = ALONG_K ? PART : TILE_K;
    // Where rows are across: 64 elements of the side.
    static constexpr int CHUNK = ROW_BYTES / sizeof(element);
    static constexpr unsigned CHUNK_BYTES = TILE_K * ROW_BYTES;

    // Starts to fetch a part of the block at `origin` of the side, from `start` along k, to all that share it.
    static __device__ __forceinline__ void fetch(
        unsigned block, const TensorMap* map, unsigned origin, unsigned start, unsigned part, unsigned barrier) {
        unsigned side = part * PART, all = (1u << PARTS) - 1;
        if (ALONG_K) {
            box_load<PARTS>(block + side * ROW_BYTES, map, {origin + side, start, 0}, barrier, all);
        } else {
#pragma unroll
            for (unsigned i = 0; i < PART; i += CHUNK) {
                unsigned target = block + (side + i) / CHUNK * CHUNK_BYTES;
                box_load<PARTS>(target, map, {start, origin + side + i, 0}, barrier, all);
            }
        }
    }

    // What a group multiplies, from here on; `side` is a multiple of 64, `depth` of what an instruction multiplies.
    static __device__ __forceinline__ unsigned long long at(unsigned block, unsigned side, unsigned depth) {
        return ALONG_K ? swizzled_descriptor(block + side * ROW_BYTES + depth * sizeof(element), 0)
                       : swizzled_descriptor(block + side / CHUNK * CHUNK_BYTES + depth * ROW_BYTES, CHUNK_BYTES);
    }
};

typedef Operand<TILE_M, !TRANS_A, 1> OperandA;
typedef Operand<TILE_N, TRANS_B, CLUSTER> OperandB;

// Shared memory: slots, boxes of C for each group, images of maps, barriers.
constexpr unsigned SLOT_BYTES = OperandA::BYTES + OperandB::BYTES;
constexpr unsigned BOXES_AT = STAGES * SLOT_BYTES;
constexpr unsigned IMAGES_AT = BOXES_AT + GROUPS * BOXES * BOX_BYTES;
constexpr unsigned BARRIERS_AT = IMAGES_AT + 3 * sizeof(TensorMap);

extern __shared__ __align__(128) unsigned char shared_memory[];

// One slot after the other, and the parity of the phase that is waited for.
struct Slot {
    unsigned shared, index, parity;

    __device__ __forceinline__ unsigned a() const { return shared + index * SLOT_BYTES; }
    __device__ __forceinline__ unsigned b() const { return a() + OperandA::BYTES; }
    __device__ __forceinline__ unsigned full() const { return shared + BARRIERS_AT + index * 8; }
    __device__ __forceinline__ unsigned empty() const { return full() + STAGES * 8; }

    __device__ __forceinline__ void advance() {
        index = index + 1 == STAGES ? 0 : index + 1;
        if (index == 0) parity ^= 1;
    }
};

// A part of the sums of a tile: from `start` to `end` along k.
struct Task {
    Tile tile;
    unsigned part, start, end;
};

// The tasks of a thread block: those of its cluster, of which it has one row of tiles.
struct Tasks {
    const Params& p;
    unsigned number, tiles;

    __device__ __forceinline__ explicit Tasks(const Params& p)
        : p(p), number(blockIdx.x / CLUSTER), tiles((unsigned)tiles_of<CLUSTER * TILE_M, TILE_N>(p.m, p.n)) {}

    __device__ __forceinline__ Task next() {
        unsigned part = SPLIT ? number / tiles : 0;
        Task task = {tile_of<CLUSTER * TILE_M, TILE_N>(number - part * tiles, p.m, p.n), part, part * p.part, p.k};
        if (SPLIT && p.k - task.start > p.part) task.end = task.start + p.part;
        task.tile.exists = SPLIT ? task.start < p.k : task.tile.exists;
        task.tile.row += cluster_rank() * TILE_M;
        number += gridDim.x / CLUSTER;
        return task;
    }
};

// One thread's work: copies of all blocks of A and B.
__device__ __forceinline__ void copy(Slot slot, const TensorMap* map_a, const TensorMap* map_b, const Params& p) {
    tensor_map_acquire(map_a);
    tensor_map_acquire(map_b);
    unsigned rank = cluster_rank();
    Tasks tasks(p);
    for (Task task = tasks.next(); task.tile.exists; task = tasks.next()) {
        for (unsigned start = task.start; start < task.end; start += TILE_K) {
            barrier_wait(slot.empty(), slot.parity ^ 1);
            barrier_expect(slot.full(), SLOT_BYTES);
            OperandA::fetch(slot.a(), map_a, (unsigned)task.tile.row, start, 0, slot.full());
            OperandB::fetch(slot.b(), map_b, (unsigned)task.tile.column, start, rank, slot.full());
            slot.advance();
        }
    }
}

// Of its group's rows a lane has two, 8 apart, and of every eight columns two neighbours: pair by pair, the upper row's and
// the lower row's in turn.
#if defined(PRECISION_I8)
typedef int Wide;
#else
typedef float Wide;
#endif

struct alignas(2 * sizeof(Wide)) WidePair {
    Wide first, second;
};

#if defined(PRECISION_F16_ACC16)
typedef unsigned Sums[TILE_N / 4];
__device__ __forceinline__ unsigned halves(const Sums& sums, int pair) { return sums[pair]; }
__device__ __forceinline__ WidePair wide(const Sums& sums, int pair) {
    return {half_to_f32((Half)sums[pair]), half_to_f32((Half)(sums[pair] >> 16))};
}
#else
typedef Wide Sums[TILE_N / 2];
__device__ __forceinline__ unsigned halves(const Sums& sums, int pair) {
    return f32_to_half_pair(sums[2 * pair], sums[2 * pair + 1]);
}
__device__ __forceinline__ WidePair wide(const Sums& sums, int pair) { return {sums[2 * pair], sums[2 * pair + 1]}; }
#endif

// A warp is done with a slot: it says so to all blocks that fill it.
__device__ __forceinline__ void release(const Slot& slot) {
    int lane = threadIdx.x % 32;
    if (lane < CLUSTER) barrier_arrive(slot.empty(), lane);
}

// The product of a group's rows and all columns of a tile, so long; goes on to the next task's slot.
__device__ __forceinline__ void multiply(Sums& sums, Slot& slot, unsigned side, unsigned length) {
    Slot previous = slot;
    for (unsigned start = 0; start < length; start += TILE_K) {
        barrier_wait(slot.full(), slot.parity);
        group_begin();
#pragma unroll
        for (unsigned depth = 0; depth < TILE_K; depth += INSTRUCTION_K) {
            multiply_group<OperandA::ACROSS, OperandB::ACROSS>(
                sums, OperandA::at(slot.a(), side, depth), OperandB::at(slot.b(), 0, depth), start + depth);
        }
        group_commit();
        // While these run, those before them have ended.
        if (start > 0) {
            group_wait<1>();
            release(previous);
        }
        previous = slot;
        slot.advance();
    }
    group_wait(sums);
    release(previous);
}

// Writes a group's part of a tile, box by box.
__device__ __forceinline__ void store(
    const Sums& sums, unsigned boxes, const TensorMap* map, unsigned row, unsigned column, int group) {
    int lane = threadIdx.x % 32, warp = threadIdx.x % GROUP / 32;
    bool leads = threadIdx.x % GROUP == 0;
    // Of four 8 x 8 matrices, the second lies below the first, the others beside these.
    unsigned place = (warp * 16 + lane % 16) * ROW_BYTES + lane / 16 * 16;
#pragma unroll
    for (int box = 0; box < TILE_N / BOX_COLUMNS; ++box) {
        unsigned target = boxes + box % BOXES * BOX_BYTES;
        if (leads) box_store_wait<BOXES - 1>();
        group_barrier(group);
#pragma unroll
        for (int j = 0; j < BOX_COLUMNS; j += 16) {
            int pair = (box * BOX_COLUMNS + j) / 4;
            store_matrices(swizzled(target + place + j * sizeof(Half)), halves(sums, pair), halves(sums, pair + 1),
                           halves(sums, pair + 2), halves(sums, pair + 3));
        }
        publish_shared();
        group_barrier(group);
        if (leads) {
            box_store(map, {row, column + box * BOX_COLUMNS, 0}, target);
            box_store_commit();
        }
    }
}

// Writes a group's part of a tile's sums as they are.
__device__ __forceinline__ void store_sums(
    const Sums& sums, Wide* c, const Params& p, unsigned long long row, unsigned long long column) {
    int lane = threadIdx.x % 32, warp = threadIdx.x % GROUP / 32;
#pragma unroll
    for (int half = 0; half < 2; ++half) {
        unsigned long long r = row + warp * 16 + half * 8 + lane / 4;
        if (r >= p.m) continue;
#pragma unroll
        for (int j = 0; j < TILE_N / 8; ++j) {
            unsigned long long s = column + j * 8 + lane % 4 * 2;
            if (s < p.n) *(WidePair*)(c + r * p.n + s) = wide(sums, 2 * j + half);
        }
    }
}

// Whether sums are written as they are, and not as halves.
#if SPLIT || defined(PRECISION_TF32) || defined(PRECISION_I8)
#define WRITES_WIDE 1
typedef Wide output;
#else
#define WRITES_WIDE 0
typedef Half output;
#endif

// One group's work: its rows of all tiles. `group` counts from 1.
__device__ __forceinline__ void multiply_tiles(
    Slot slot, output* c, const TensorMap* map_c, const Params& p, int group) {
    unsigned side = (group - 1) * GROUP_M;
    if (!WRITES_WIDE) tensor_map_acquire(map_c);
    Tasks tasks(p);
    for (Task task = tasks.next(); task.tile.exists; task = tasks.next()) {
        Sums sums;
        multiply(sums, slot, side, task.end - task.start);
#if WRITES_WIDE
        Wide* part = c + (unsigned long long)task.part * p.m * p.n;
        store_sums(sums, part, p, task.tile.row + side, task.tile.column);
#else
        unsigned boxes = slot.shared + BOXES_AT + (group - 1) * BOXES * BOX_BYTES;
        store(sums, boxes, map_c, (unsigned)task.tile.row + side, (unsigned)task.tile.column, group);
#endif
    }
    // Shared memory stays until all is read.
    box_store_wait<0>();
}

// `maps` has room for three of each thread block. Where sums are split, `c` has all parts, one after the other.
extern "C" __global__ void __launch_bounds__(THREADS, 1) __cluster_dims__(CLUSTER, 1, 1)
    gemm_wgmma(const element* a, const element* b, output* c, TensorMap* maps, Params p) {
    unsigned start = (shared_address(shared_memory) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    TensorMap* images = (TensorMap*)(shared_memory + (start - shared_address(shared_memory)) + IMAGES_AT);
    maps += 3 * blockIdx.x;
    Slot slot = {start, 0, 0};
    int group = group_number(), warp = threadIdx.x / 32;
    if (warp == 0) {
        tensor_map_build(maps, images, a, 1, TRANS_A ? p.k : p.m, TRANS_A ? p.m : p.k, OperandA::BOX_ROWS);
    } else if (warp == 1) {
        tensor_map_build(maps + 1, images + 1, b, 1, TRANS_B ? p.n : p.k, TRANS_B ? p.k : p.n, OperandB::BOX_ROWS);
    } else if (warp == 2 && !WRITES_WIDE) {
        tensor_map_build(maps + 2, images + 2, c, 1, p.m, p.n, GROUP_M);
    } else if (threadIdx.x == 3 * 32) {
        for (Slot each = slot; each.parity == 0; each.advance()) {
            barrier_create(each.full(), 1);
            barrier_create(each.empty(), CLUSTER * GROUPS * GROUP / 32);
        }
        barriers_created();
    }
    cluster_barrier();
    if (group == 0) {
        group_gives_up_registers<COPYING_REGISTERS>();
        if (threadIdx.x == 0) copy(slot, maps, maps + 1, p);
        // A neighbour may still reach into this block's shared memory.
        cluster_barrier();
    } else {
        group_gains_registers<MULTIPLYING_REGISTERS>();
        multiply_tiles(slot, c, maps + 2, p, group);
        cluster_barrier();
    }
}
