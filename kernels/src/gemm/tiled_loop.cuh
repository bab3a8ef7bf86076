// The main loop of a product on the ordinary arithmetic units.
//
// A thread block computes TILE_M x TILE_N of C. It stages TILE_K columns of A and rows of B at a time in shared memory,
// widened to the type that sums are kept in, with k as the slow index; while it multiplies one stage, the next is on
// its way in registers. A thread computes THREAD_M x THREAD_N elements, in pieces as wide as a 16-byte load: pieces of
// neighbouring threads are neighbours, so a warp reads shared memory without conflicts.
//
// Specialised by: TILE_M TILE_N TILE_K THREAD_M THREAD_N, and a precision.

constexpr int THREADS_M = TILE_M / THREAD_M;
constexpr int THREADS_N = TILE_N / THREAD_N;
constexpr int THREADS = THREADS_M * THREADS_N;
// Elements of a 16-byte load, and of the pieces in which a thread's rows and columns lie.
constexpr int VECTOR = 16 / sizeof(real);
constexpr int PIECE_M = VECTOR < THREAD_M ? VECTOR : THREAD_M;
constexpr int PIECE_N = VECTOR < THREAD_N ? VECTOR : THREAD_N;
// Rows of a stage, padded so that they start in different banks and stay aligned.
constexpr int STRIDE_M = TILE_M + VECTOR;
constexpr int STRIDE_N = TILE_N + VECTOR;
constexpr int STAGE = TILE_K * (STRIDE_M + STRIDE_N);

template <int LENGTH>
struct alignas(LENGTH * sizeof(real)) Piece {
    real x[LENGTH];
};

extern __shared__ __align__(128) unsigned char shared_memory[];

__device__ __forceinline__ int this_thread() { return threadIdx.y * THREADS_N + threadIdx.x; }

// What a thread fetches of an operand that is a matrix in memory for one stage, and where it goes on from. WIDTH is the
// operand's side of the tile; ALONG_K says whether its rows run along k. Consecutive threads read consecutive elements of
// a row.
template <int WIDTH, bool ALONG_K>
struct Fetch {
    static constexpr int LENGTH = ALONG_K ? TILE_K : WIDTH;
    static constexpr int ROWS = ALONG_K ? WIDTH : TILE_K;
    // Rows that all threads together fetch at a time.
    static constexpr int STEP = THREADS / LENGTH;
    static constexpr int TURNS = (ROWS + STEP - 1) / STEP;
    static_assert(THREADS % LENGTH == 0 && (ROWS % STEP == 0 || ROWS < STEP), "threads must share a stage evenly");

    const stored* next;
    unsigned row_length;
    // How much of the tile's side lies inside the matrix, and of k from the next stage on.
    unsigned side_left, k_left;
    int row, column;
    stored x[TURNS];

    __device__ __forceinline__ Fetch(const stored* matrix, unsigned long long origin, unsigned side, unsigned k)
        : row_length(ALONG_K ? k : side), side_left(side - origin < WIDTH ? side - origin : WIDTH), k_left(k) {
        row = this_thread() / LENGTH;
        column = this_thread() % LENGTH;
        unsigned long long first_row = ALONG_K ? origin + row : row, first_column = ALONG_K ? column : origin + column;
        next = matrix + first_row * row_length + first_column;
    }

    // Reads the next stage, and zeros outside the matrix.
    __device__ __forceinline__ void load() {
        unsigned rows = ALONG_K ? side_left : k_left, columns = ALONG_K ? k_left : side_left;
#pragma unroll
        for (int i = 0; i < TURNS; ++i) {
            bool inside = row + i * STEP < rows && column < columns;
            x[i] = inside ? next[(unsigned long long)(i * STEP) * row_length] : stored(0);
        }
        next += ALONG_K ? TILE_K : (unsigned long long)TILE_K * row_length;
        k_left -= TILE_K < k_left ? TILE_K : k_left;
    }

    // Writes it to shared memory, k the slow index.
    template <int STRIDE>
    __device__ __forceinline__ void store(real* stage) const {
#pragma unroll
        for (int i = 0; i < TURNS; ++i) {
            // Where rows are fewer than threads that share them.
            if (ROWS < STEP && row >= ROWS) continue;
            int side = ALONG_K ? row + i * STEP : column, depth = ALONG_K ? column : row + i * STEP;
            stage[depth * STRIDE + side] = widen(x[i]);
        }
    }
};

// Piece `i` of a thread's share of a row of a stage.
template <int LENGTH, int OWNERS>
__device__ __forceinline__ int piece_start(int i, int owner) {
    return (i * OWNERS + owner) * LENGTH;
}

template <int LENGTH, int OWNERS, int TOTAL>
__device__ __forceinline__ void read_pieces(real (&x)[TOTAL], const real* row, int owner) {
#pragma unroll
    for (int i = 0; i < TOTAL / LENGTH; ++i) {
        Piece<LENGTH> piece = *(const Piece<LENGTH>*)(row + piece_start<LENGTH, OWNERS>(i, owner));
#pragma unroll
        for (int j = 0; j < LENGTH; ++j) x[i * LENGTH + j] = piece.x[j];
    }
}

// Adds the product of both operands, k long, to `sums`. An operand has two functions: `load` reads a thread's part of the
// next stage, `store` writes it to shared memory. All threads are done with `shared` before and after.
template <typename A, typename B>
__device__ __forceinline__ void multiply_stages(
    real (&sums)[THREAD_M][THREAD_N], A& next_a, B& next_b, unsigned k, real* shared) {
    next_a.load();
    next_b.load();
    next_a.template store<STRIDE_M>(shared);
    next_b.template store<STRIDE_N>(shared + TILE_K * STRIDE_M);
    __syncthreads();

    unsigned stages = (k + TILE_K - 1) / TILE_K;
    for (unsigned stage = 0; stage < stages; ++stage) {
        bool more = stage + 1 < stages;
        if (more) {
            next_a.load();
            next_b.load();
        }
        const real* block_a = shared + stage % 2 * STAGE;
        const real* block_b = block_a + TILE_K * STRIDE_M;
#pragma unroll
        for (int q = 0; q < TILE_K; ++q) {
            real column[THREAD_M], row[THREAD_N];
            read_pieces<PIECE_M, THREADS_M>(column, block_a + q * STRIDE_M, threadIdx.y);
            read_pieces<PIECE_N, THREADS_N>(row, block_b + q * STRIDE_N, threadIdx.x);
#pragma unroll
            for (int i = 0; i < THREAD_M; ++i) {
#pragma unroll
                for (int j = 0; j < THREAD_N; ++j) sums[i][j] = multiply_add(column[i], row[j], sums[i][j]);
            }
        }
        if (more) {
            real* target = shared + (stage + 1) % 2 * STAGE;
            next_a.template store<STRIDE_M>(target);
            next_b.template store<STRIDE_N>(target + TILE_K * STRIDE_M);
        }
        __syncthreads();
    }
}

// Writes a thread's sums inside of m x n to where `place` says that a row and a column lie.
template <typename Place>
__device__ __forceinline__ void store_sums(
    const real (&sums)[THREAD_M][THREAD_N], const Tile& tile, unsigned m, unsigned n, Place place) {
#pragma unroll
    for (int i = 0; i < THREAD_M; ++i) {
        unsigned long long row = tile.row + piece_start<PIECE_M, THREADS_M>(i / PIECE_M, threadIdx.y) + i % PIECE_M;
#pragma unroll
        for (int j = 0; j < THREAD_N; ++j) {
            unsigned long long column =
                tile.column + piece_start<PIECE_N, THREADS_N>(j / PIECE_N, threadIdx.x) + j % PIECE_N;
            if (row < m && column < n) *place(row, column) = narrow(sums[i][j]);
        }
    }
}
