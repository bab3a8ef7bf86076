// What the parts of the fake driver share.
#pragma once
#include "emulator.h"
#include <string>

constexpr std::size_t SHARED_BYTES = 227 * 1024;
constexpr std::size_t CANARY_BYTES = 1024;

// Runs all blocks, of which `cluster` at a time, neighbours along x, run together; false where a kernel breaks a rule that
// a GPU would hang or fault on.
bool run_kernel(const BoundKernel& kernel, Dim3 grid, Dim3 block, std::size_t shared_bytes, unsigned cluster);

// Of the cluster that runs: its number of blocks, the shared memory of one, and the number of the thread that runs, all
// blocks' together.
unsigned cluster_blocks();
unsigned char* shared_of_block(unsigned rank);
std::size_t running_thread();

// Ends the program: the kernel did what no GPU allows.
[[noreturn]] void forbidden(const std::string& what);

// The copy engine. Whether the phase of a barrier ended; whether there was a copy that it could do next; whether all of
// the cluster's were done when the cluster ended.
bool phase_ended(const unsigned char* barrier, unsigned parity);
bool engine_step();
bool engine_end();
