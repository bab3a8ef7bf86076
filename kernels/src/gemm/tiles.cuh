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
// of B in the second-level cache. Number holds eight times the number of blocks.
template <int ROWS, int COLUMNS, typename Number>
__device__ __forceinline__ Tile tile_of(Number number, unsigned m, unsigned n) {
    const Number BAND = 8;
    Number tiles_m = (m - 1) / ROWS + 1;
    Number tiles_n = (n - 1) / COLUMNS + 1;
    Number band = number / (BAND * tiles_n);
    Number in_band = number % (BAND * tiles_n);
    Number left = tiles_m - band * BAND;
    Number height = left < BAND ? left : BAND;
    if (number >= tiles_m * tiles_n) return {0, 0, false};
    unsigned long long row = band * BAND + in_band % height, column = in_band / height;
    return {row * ROWS, column * COLUMNS, true};
}
