// Runs a kernel's blocks one after another on the CPU, each thread a fibre that yields at barriers.
#include "emulator.h"
#include "fake.h"
#include <cstdio>
#include <cstring>
#include <deque>
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

enum class State { Ready, BlockBarrier, WarpBarrier, Done };

struct Fibre {
    ucontext_t context;
    std::unique_ptr<char[]> stack{new char[STACK_BYTES]};
    Dim3 index;
    State state;
    const char* operation;
    unsigned exchanges;
    std::vector<Copy> open;
    std::deque<std::vector<Copy>> groups;
};

struct Warp {
    // Two sets, so that one barrier an exchange is enough.
    std::vector<unsigned char> slots[2];
};

std::vector<std::unique_ptr<Fibre>> fibres;
std::vector<Warp> warps;
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

void resume(std::size_t number) {
    current = fibres[number].get();
    current_number = number;
    threadIdx = current->index;
    swapcontext(&scheduler, &current->context);
}

bool run_block(std::size_t threads, std::size_t shared_bytes) {
    std::memset(shared_memory, POISON, shared_bytes);
    std::memset(shared_memory + shared_bytes, CANARY, CANARY_BYTES);
    for (std::size_t i = 0; i < threads; ++i) {
        Fibre& fibre = *fibres[i];
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
    std::size_t done = 0;
    while (done < threads) {
        // Each warp runs on until it needs the others, so that one which should have waited for them is found out.
        for (std::size_t first = 0; first < threads; first += WARP) {
            std::size_t end = first + WARP < threads ? first + WARP : threads;
            bool released = true;
            while (released) {
                for (std::size_t i = first; i < end; ++i) {
                    if (fibres[i]->state == State::Ready) resume(i);
                }
                if (!release_warp(first, end, released)) return false;
            }
        }
        std::size_t at_barrier = 0;
        done = 0;
        for (std::size_t i = 0; i < threads; ++i) {
            done += fibres[i]->state == State::Done;
            at_barrier += fibres[i]->state == State::BlockBarrier;
        }
        if (done == threads) break;
        if (at_barrier != threads) return fail("a barrier that not all threads reach");
        for (std::size_t i = 0; i < threads; ++i) fibres[i]->state = State::Ready;
    }
    for (std::size_t i = 0; i < CANARY_BYTES; ++i) {
        if (shared_memory[shared_bytes + i] != CANARY) return fail("a write beyond the shared memory of the launch");
    }
    return true;
}

} // namespace

extern "C" {

void emulator_block_barrier() { yield(State::BlockBarrier); }

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

bool run_kernel(const BoundKernel& kernel, Dim3 grid, Dim3 block, std::size_t shared_bytes) {
    std::size_t threads = (std::size_t)block.x * block.y * block.z;
    while (fibres.size() < threads) fibres.push_back(std::make_unique<Fibre>());
    warps.resize((threads + WARP - 1) / WARP);
    running = &kernel;
    gridDim = grid;
    blockDim = block;
    for (unsigned z = 0; z < grid.z; ++z) {
        for (unsigned y = 0; y < grid.y; ++y) {
            for (unsigned x = 0; x < grid.x; ++x) {
                blockIdx = {x, y, z};
                if (!run_block(threads, shared_bytes)) return false;
            }
        }
    }
    return true;
}
