// What the parts of the fake driver share.
#pragma once
#include "emulator.h"
#include <string>
#include <vector>

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

// For the stand-ins of libraries, whose work runs in the driver's streams.

// What comes before every function: its line in the log and the error that a test asked for. Where the driver has one of
// its own, such as that the device is lost, the function fails with `failed`.
int fake_begin(const char* function, int failed);
void fake_log(const std::string& line);
// Objects that a library made in the current context, or destroyed; the driver says how many are left in the end.
void fake_count(int objects);
// Whether a range lies in one allocation of the current context.
bool fake_inside(const void* start, std::size_t bytes);
// Puts work into a stream. The device's clock goes on by so much for it.
bool fake_enqueue(void* stream, std::function<void()> work, double milliseconds);

// An algorithm that a library offers: `ID=MILLISECONDS`, `ID=MILLISECONDS+NOTE`, `ID=fails` or `ID=refused`, in a list
// that an environment variable holds.
struct Offer {
    int id = 0;
    double milliseconds = 0;
    int note = -1;
    bool fails = false, refused = false;
};
std::vector<Offer> fake_offers(const char* variable, const char* otherwise);
std::size_t fake_version(const char* variable, const char* otherwise);
