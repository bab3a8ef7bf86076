// What the fake driver offers to a kernel that runs on it: a CUDA thread's view of its block, on the CPU.
//
// A test double. It says whether a kernel computes right; it says nothing about a GPU's speed.
#pragma once
#include <cstddef>
#include <functional>

struct Dim3 {
    unsigned x, y, z;
};

extern "C" {
extern Dim3 threadIdx, blockIdx, blockDim, gridDim;
// Dynamic shared memory.
extern unsigned char shared_memory[];

// Returns when all threads of the block have called it.
void emulator_block_barrier();

// Returns when so many threads of the block have called it with this number, from 1 on; those that only arrived count.
void emulator_named_barrier(unsigned number, unsigned threads);
void emulator_named_arrive(unsigned number);

// The same for all threads of the cluster, of which a block has a number.
void emulator_cluster_barrier();
unsigned emulator_cluster_rank();

// The number of the thread in the cluster.
std::size_t emulator_thread();

// Hands `bytes` at `mine` to the other lanes of the warp and returns what all 32 gave, in the order of lanes. Every lane
// must take part in the same `operation`; the result is good until the lane's next but one exchange.
const void* emulator_warp_exchange(const char* operation, const void* mine, std::size_t bytes);

// cp.async: nothing is copied until the thread waits, so a kernel that does not wait sees poison.
void emulator_copy_async(void* shared, const void* global, std::size_t bytes, bool inside);
void emulator_copy_commit();
void emulator_copy_wait(int pending);

// mbarrier, at an address of shared memory, which starts at 0. Waiting lets the others run.
void emulator_barrier_create(unsigned barrier, unsigned arrivals);
void emulator_barrier_expect(unsigned barrier, unsigned bytes);
void emulator_barrier_arrive(unsigned barrier, unsigned rank);
void emulator_barrier_wait(unsigned barrier, unsigned parity);

// cp.async.bulk.tensor with boxes of 128 bytes of columns, rows of 128 bytes in shared memory, permuted. Half of
// the loads are done at once, the others, in the opposite order, only when no thread can go on without; stores are done
// when the thread waits for them, so that a source that is written too early shows.
struct BoxPlace {
    unsigned row, column, matrix;
};
void emulator_map_build(
    void* map, const void* first, unsigned element_bytes, unsigned matrices, unsigned rows, unsigned columns, unsigned box_rows);
void emulator_box_load(unsigned target, const void* map, const BoxPlace& place, unsigned barrier, unsigned ranks);
void emulator_box_store(const void* map, const BoxPlace& place, unsigned source);
void emulator_box_store_commit();
void emulator_box_store_wait(int pending);
}

// A kernel with copies of its arguments, as a launch leaves it in a stream.
using BoundKernel = std::function<void()>;
