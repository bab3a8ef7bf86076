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

// Hands `bytes` at `mine` to the other lanes of the warp and returns what all 32 gave, in the order of lanes. Every lane
// must take part in the same `operation`; the result is good until the lane's next but one exchange.
const void* emulator_warp_exchange(const char* operation, const void* mine, std::size_t bytes);

// cp.async: nothing is copied until the thread waits, so a kernel that does not wait sees poison.
void emulator_copy_async(void* shared, const void* global, std::size_t bytes, bool inside);
void emulator_copy_commit();
void emulator_copy_wait(int pending);
}

// A kernel with copies of its arguments, as a launch leaves it in a stream.
using BoundKernel = std::function<void()>;
