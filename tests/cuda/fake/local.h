// The instructions of ptx.cl in C++, included by device.h. Local memory is one array of the kernel, and its addresses are
// numbers from LOCAL_BASE on, as on a GPU that keeps the first for itself.
#pragma once
#include <cstdlib>

// Replaces what is inline PTX, whose guard this is.
#define ACCELBENCH_PTX_CL

constexpr unsigned LOCAL_BASE = 1024;
static unsigned char* local_array;

inline unsigned local_address(void* array) {
    local_array = (unsigned char*)array;
    return LOCAL_BASE;
}
#define SHARED_ADDRESS(array) local_address(array)

// Where 16 bytes at an address are.
inline unsigned char* local_piece(unsigned address) {
    if (address % 16 || address < LOCAL_BASE) std::abort();
    return local_array + (address - LOCAL_BASE);
}

inline void copy_async_16(unsigned target, const void* source, bool inside) {
    emulator_copy_async(local_piece(target), source, 16, inside);
}
#define COPY_ASYNC_WAIT(PENDING) emulator_copy_wait(PENDING)

inline void store_16(unsigned target, const unsigned* words) { std::memcpy(local_piece(target), words, 16); }
inline void load_16(unsigned* words, unsigned source) { std::memcpy(words, local_piece(source), 16); }

inline void load_fragments(unsigned* x, unsigned row) {
    load_matrices_of_warp<false>(*(unsigned (*)[4])x, (const f16*)local_piece(row));
}
inline void load_fragments_transposed(unsigned* x, unsigned row) {
    load_matrices_of_warp<true>(*(unsigned (*)[4])x, (const f16*)local_piece(row));
}

template <typename Sum, int COUNT>
void multiply_in_place(Sum* c, const unsigned* a, const unsigned* b) {
    multiply_matrices(*(Sum(*)[COUNT])c, *(const unsigned (*)[4])a, *(const unsigned (*)[2])b);
}
inline void multiply_fragments(float* c, const unsigned* a, const unsigned* b) { multiply_in_place<float, 4>(c, a, b); }
inline void multiply_fragments(unsigned* c, const unsigned* a, const unsigned* b) {
    multiply_in_place<unsigned, 2>(c, a, b);
}
