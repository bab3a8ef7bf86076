// Which block of C a thread block computes.

struct Tile {
    // First row and column.
    unsigned long long row, column;
    // False for the blocks that fill up the grid's last row.
    bool exists;
};

// Blocks are numbered along x, then y.
__device__ __forceinline__ unsigned long long block_number() {
    return blockIdx.x + (unsigned long long)blockIdx.y * gridDim.x;
}

// How many there are for a matrix of m x n.
template <int ROWS, int COLUMNS>
__device__ __forceinline__ unsigned long long tiles_of(unsigned m, unsigned n) {
    return ((m + ROWS - 1ull) / ROWS) * ((n + COLUMNS - 1ull) / COLUMNS);
}

// Consecutive numbers run down bands of eight blocks, so that the blocks that run at one time share rows of A and columns
// of B in the second-level cache.
template <int ROWS, int COLUMNS>
__device__ __forceinline__ Tile tile_of(unsigned long long number, unsigned m, unsigned n) {
    const unsigned long long BAND = 8;
    unsigned long long tiles_m = (m + ROWS - 1ull) / ROWS;
    unsigned long long tiles_n = (n + COLUMNS - 1ull) / COLUMNS;
    unsigned long long band = number / (BAND * tiles_n);
    unsigned long long in_band = number % (BAND * tiles_n);
    unsigned long long left = tiles_m - band * BAND;
    unsigned long long height = left < BAND ? left : BAND;
    if (number >= tiles_m * tiles_n) return {0, 0, false};
    return {(band * BAND + in_band % height) * ROWS, in_band / height * COLUMNS, true};
}
