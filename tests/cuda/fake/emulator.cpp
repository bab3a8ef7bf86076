// Runs a kernel's clusters one after another on the CPU, each thread a fibre that yields where it waits.
#include "emulator.h"
#include "fake.h"
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <ucontext.h>
#include <vector>

extern "C" {
Dim3 threadIdx, blockIdx, blockDim, gridDim;
alignas(128) unsigned char shared_memory[SHARED_BYTES + CANARY_BYTES];
}

namespace {

constexpr std::size_t STACK_BYTES = 64 * 1024;
constexpr unsigned WARP = 32;
// All-ones bytes are a NaN in every floating-point type.
constexpr int POISON = 0xff, CANARY = 0x5a;

struct Copy {
    void* target;
    const void* source;
    std::size_t bytes;
    bool inside;
};

enum class State { Ready, Barrier, WarpBarrier, ClusterBarrier, Phase, Done };

struct Fibre {
    ucontext_t context;
    std::unique_ptr<char[]> stack{new char[STACK_BYTES]};
    Dim3 index;
    State state;
    // What it waits for: a barrier's number and how many threads meet there; or its address and the phase's parity.
    unsigned barrier, wanted;
    const char* operation;
    unsigned exchanges;
    std::vector<Copy> open;
    std::deque<std::vector<Copy>> groups;
};

struct Warp {
    // Two sets, so that one barrier an exchange is enough.
    std::vector<unsigned char> slots[2];
};

// A block of the cluster that runs. All see their shared memory at one place: it is here while another one runs.
struct Block {
    Dim3 index;
    std::vector<unsigned char> shared;
    // How many threads arrived at a barrier and did not wait.
    std::map<unsigned, unsigned> arrived;
};

std::vector<std::unique_ptr<Fibre>> fibres;
std::vector<Warp> warps;
std::vector<Block> blocks;
// Threads and bytes of shared memory of a block, and the block that runs.
std::size_t threads, shared_bytes;
unsigned resident;
ucontext_t scheduler;
Fibre* current;
std::size_t current_number;
const BoundKernel* running;

void yield(State state) {
    current->state = state;
    swapcontext(&current->context, &scheduler);
}

void enter() {
    (*running)();
    yield(State::Done);
}

bool fail(const std::string& why) {
    std::fprintf(stderr, "fake GPU: block (%u, %u, %u): %s\n", blockIdx.x, blockIdx.y, blockIdx.z, why.c_str());
    return false;
}

// The fibres of a block.
std::size_t first_of(unsigned rank) { return rank * threads; }

void make_resident(unsigned rank) {
    if (rank != resident) {
        std::memcpy(blocks[resident].shared.data(), shared_memory, shared_bytes + CANARY_BYTES);
        std::memcpy(shared_memory, blocks[rank].shared.data(), shared_bytes + CANARY_BYTES);
        resident = rank;
    }
    blockIdx = blocks[rank].index;
}

// Lets go the lanes of a warp that has met; false where they met in different operations.
bool release_warp(std::size_t first, std::size_t end, bool& released) {
    std::size_t waiting = 0;
    for (std::size_t i = first; i < end; ++i) waiting += fibres[i]->state == State::WarpBarrier;
    released = waiting == WARP;
    for (std::size_t i = first; released && i < end; ++i) {
        if (std::strcmp(fibres[i]->operation, fibres[first]->operation) != 0) {
            return fail("the lanes of a warp meet in different operations");
        }
        fibres[i]->state = State::Ready;
    }
    return true;
}

// Whether a fibre of the resident block can go on.
bool wakes(const Fibre& fibre) {
    return fibre.state == State::Ready ||
           (fibre.state == State::Phase && phase_ended(shared_memory + fibre.barrier, fibre.wanted));
}

void resume(std::size_t number) {
    current = fibres[number].get();
    current_number = number;
    threadIdx = current->index;
    swapcontext(&scheduler, &current->context);
}

// Lets go those who have met at a barrier of a block.
bool release_barriers(unsigned rank) {
    std::map<unsigned, std::vector<Fibre*>> met;
    for (std::size_t i = 0; i < threads; ++i) {
        Fibre* fibre = fibres[first_of(rank) + i].get();
        if (fibre->state == State::Barrier) met[fibre->barrier].push_back(fibre);
    }
    bool released = false;
    for (auto& [number, waiting] : met) {
        if (waiting.size() + blocks[rank].arrived[number] != waiting[0]->wanted) continue;
        for (Fibre* fibre : waiting) fibre->state = State::Ready;
        blocks[rank].arrived[number] = 0;
        released = true;
    }
    return released;
}

// Runs a block until none of its threads can go on; false where one breaks a rule.
bool run_block(unsigned rank, bool& moved) {
    make_resident(rank);
    bool again = true;
    while (again) {
        again = false;
        // Each warp runs on until it needs the others, so that one which should have waited for them is found out.
        for (std::size_t first = first_of(rank); first < first_of(rank + 1); first += WARP) {
            std::size_t end = std::min(first + WARP, first_of(rank + 1));
            bool released = true;
            while (released) {
                for (std::size_t i = first; i < end; ++i) {
                    if (wakes(*fibres[i])) {
                        resume(i);
                        again = true;
                    }
                }
                if (!release_warp(first, end, released)) return false;
            }
        }
        moved = moved || again;
        again = release_barriers(rank) || again;
    }
    return true;
}

// Lets go all threads of the cluster that are left, where all wait for one another.
bool release_cluster() {
    std::size_t waiting = 0, done = 0;
    for (std::size_t i = 0; i < first_of(cluster_blocks()); ++i) {
        waiting += fibres[i]->state == State::ClusterBarrier;
        done += fibres[i]->state == State::Done;
    }
    if (waiting == 0 || waiting + done < first_of(cluster_blocks())) return false;
    for (std::size_t i = 0; i < first_of(cluster_blocks()); ++i) {
        if (fibres[i]->state == State::ClusterBarrier) fibres[i]->state = State::Ready;
    }
    return true;
}

void prepare(unsigned rank) {
    Block& block = blocks[rank];
    block.shared.assign(shared_bytes + CANARY_BYTES, POISON);
    std::memset(block.shared.data() + shared_bytes, CANARY, CANARY_BYTES);
    block.arrived.clear();
    for (std::size_t i = 0; i < threads; ++i) {
        Fibre& fibre = *fibres[first_of(rank) + i];
        fibre.state = State::Ready;
        fibre.exchanges = 0;
        fibre.open.clear();
        fibre.groups.clear();
        unsigned number = (unsigned)i;
        fibre.index = {number % blockDim.x, number / blockDim.x % blockDim.y, number / blockDim.x / blockDim.y};
        getcontext(&fibre.context);
        fibre.context.uc_stack.ss_sp = fibre.stack.get();
        fibre.context.uc_stack.ss_size = STACK_BYTES;
        fibre.context.uc_link = nullptr;
        makecontext(&fibre.context, enter, 0);
    }
}

bool run_cluster() {
    for (unsigned rank = 0; rank < cluster_blocks(); ++rank) prepare(rank);
    resident = 0;
    std::memcpy(shared_memory, blocks[0].shared.data(), shared_bytes + CANARY_BYTES);
    auto all_done = [] {
        return std::all_of(fibres.begin(), fibres.begin() + (long)first_of(cluster_blocks()),
                           [](auto& fibre) { return fibre->state == State::Done; });
    };
    while (!all_done()) {
        bool moved = false;
        for (unsigned rank = 0; rank < cluster_blocks(); ++rank) {
            if (!run_block(rank, moved)) return false;
        }
        if (!moved && !release_cluster() && !engine_step() && !all_done()) {
            return fail("a barrier that not all threads reach, or a phase of one that never ends");
        }
    }
    if (!engine_end()) return fail("copies that nobody waited for");
    for (unsigned rank = 0; rank < cluster_blocks(); ++rank) {
        make_resident(rank);
        for (std::size_t i = 0; i < CANARY_BYTES; ++i) {
            if (shared_memory[shared_bytes + i] != CANARY) {
                return fail("a write beyond the shared memory of the launch");
            }
        }
    }
    return true;
}

} // namespace

unsigned cluster_blocks() { return (unsigned)blocks.size(); }

unsigned char* shared_of_block(unsigned rank) {
    if (rank >= blocks.size()) forbidden("a block that the cluster does not have");
    return rank == resident ? shared_memory : blocks[rank].shared.data();
}

std::size_t running_thread() { return current_number; }

void forbidden(const std::string& what) {
    fail(what);
    std::abort();
}

extern "C" {

void emulator_block_barrier() { emulator_named_barrier(0, (unsigned)threads); }

void emulator_named_barrier(unsigned number, unsigned wanted) {
    current->barrier = number;
    current->wanted = wanted;
    yield(State::Barrier);
}

void emulator_named_arrive(unsigned number) { ++blocks[resident].arrived[number]; }

void emulator_cluster_barrier() { yield(State::ClusterBarrier); }

unsigned emulator_cluster_rank() { return resident; }

std::size_t emulator_thread() { return current_number; }

void emulator_barrier_wait(unsigned barrier, unsigned parity) {
    if (phase_ended(shared_memory + barrier, parity)) return;
    current->barrier = barrier;
    current->wanted = parity;
    yield(State::Phase);
}

const void* emulator_warp_exchange(const char* operation, const void* mine, std::size_t bytes) {
    std::vector<unsigned char>& slots = warps[current_number / WARP].slots[current->exchanges++ % 2];
    if (slots.size() < WARP * bytes) slots.resize(WARP * bytes);
    std::memcpy(slots.data() + current_number % WARP * bytes, mine, bytes);
    current->operation = operation;
    yield(State::WarpBarrier);
    return slots.data();
}

void emulator_copy_async(void* shared, const void* global, std::size_t bytes, bool inside) {
    current->open.push_back({shared, global, bytes, inside});
}

void emulator_copy_commit() {
    current->groups.push_back(std::move(current->open));
    current->open.clear();
}

void emulator_copy_wait(int pending) {
    while (current->groups.size() > (std::size_t)pending) {
        for (const Copy& copy : current->groups.front()) {
            if ((std::size_t)copy.target % copy.bytes || (copy.inside && (std::size_t)copy.source % copy.bytes)) {
                std::fprintf(stderr, "fake GPU: an asynchronous copy that is not aligned\n");
                std::abort();
            }
            if (copy.inside) {
                std::memcpy(copy.target, copy.source, copy.bytes);
            } else {
                std::memset(copy.target, 0, copy.bytes);
            }
        }
        current->groups.pop_front();
    }
}
}

bool run_kernel(const BoundKernel& kernel, Dim3 grid, Dim3 block, std::size_t shared, unsigned cluster) {
    threads = (std::size_t)block.x * block.y * block.z;
    shared_bytes = shared;
    blocks.resize(cluster);
    while (fibres.size() < first_of(cluster)) fibres.push_back(std::make_unique<Fibre>());
    warps.resize((first_of(cluster) + WARP - 1) / WARP);
    running = &kernel;
    gridDim = grid;
    blockDim = block;
    for (unsigned z = 0; z < grid.z; ++z) {
        for (unsigned y = 0; y < grid.y; ++y) {
            for (unsigned x = 0; x < grid.x; x += cluster) {
                for (unsigned rank = 0; rank < cluster; ++rank) blocks[rank].index = {x + rank, y, z};
                if (!run_cluster()) return false;
            }
        }
    }
    return true;
}
