// Convolution of halves on the matrix units: GEMM's main loop with windows as an operand. Rows and columns of the product
// are such that neighbours in Y are columns: A is the filters and B the windows where channels are planes, and the other
// way round where they are innermost.
//
// Specialised by what mma_loop.cuh and window.cuh are; ALIGNED_X, 1 where windows arrive in 16-byte pieces: with NHWC a
// group's channels are a multiple of 8, without it filters are single elements on planes of a multiple of 8 that are
// neither strided nor padded; and ALIGNED_W, 1 where filters are a multiple of 8 elements.

struct Block {
    Params p;
    // TILE_K elements of a window.
    Depth step;
    unsigned zero;
};

// What a thread fetches of a row.
struct alignas(16) Piece {
    unsigned pairs[PIECE / 2];
};

// Windows with channels innermost. A thread fetches the same piece of k of some windows.
template <int SIDE>
struct WindowsAlongK : Stages<SIDE, true> {
    using Layout = Stages<SIDE, true>;
    static constexpr int PIECES_OF_ROW = TILE_K / PIECE;
    // Rows that all threads together fetch at a time.
    static constexpr int STEP = THREADS / PIECES_OF_ROW;
    static constexpr int TURNS = SIDE / STEP;
    static_assert(THREADS % PIECES_OF_ROW == 0 && SIDE % STEP == 0, "threads must share a block evenly");

    const Block& block;
    unsigned channels;
    Half* shared;
    int target;
    Depth depth;
    Window<Half> windows[TURNS];
    Piece held[TURNS];

    __device__ __forceinline__ WindowsAlongK(
        const Half* x, const Block& block, const Sizes& sizes, unsigned group, unsigned long long origin, Half* shared)
        : block(block),
          channels(sizes.channels),
          shared(shared),
          target(threadIdx.x / PIECES_OF_ROW * Layout::STRIDE + threadIdx.x % PIECES_OF_ROW * PIECE),
          depth(block.p, sizes.channels, threadIdx.x % PIECES_OF_ROW * PIECE) {
#pragma unroll
        for (int t = 0; t < TURNS; ++t) {
            windows[t] = Window<Half>(x, block.p, sizes, group, origin + threadIdx.x / PIECES_OF_ROW + t * STEP);
        }
    }

    __device__ __forceinline__ void fetch(unsigned, int slot) {
        const Params& p = block.p;
        if (ALIGNED_X) {
            bool exists = depth.exists(p, channels);
            long long offset = depth.offset(p);
#pragma unroll
            for (int t = 0; t < TURNS; ++t) {
                bool inside = exists && windows[t].holds(depth, p);
                copy_async_16(place(slot, t), windows[t].first + offset, inside);
            }
        } else {
            Depth at = depth;
#pragma unroll
            for (int e = 0; e < PIECE; ++e) {
                bool exists = at.exists(p, channels);
                long long offset = at.offset(p);
#pragma unroll
                for (int t = 0; t < TURNS; ++t) {
                    unsigned half = exists && windows[t].holds(at, p) ? windows[t].first[offset] : 0;
                    unsigned& pair = held[t].pairs[e / 2];
                    pair = e % 2 == 0 ? half : pair | half << 16;
                }
                at.advance(p, channels);
            }
        }
        depth.advance(block.step, p, channels);
    }

    __device__ __forceinline__ void settle(int slot) const {
        if (ALIGNED_X) return;
#pragma unroll
        for (int t = 0; t < TURNS; ++t) *(Piece*)place(slot, t) = held[t];
    }

    __device__ __forceinline__ Half* place(int slot, int t) const {
        return shared + slot * Layout::STAGE + target + t * STEP * Layout::STRIDE;
    }
};

// Windows with channels as planes. A thread fetches some elements of the same window.
template <int SIDE>
struct WindowsAcross : Stages<SIDE, false> {
    using Layout = Stages<SIDE, false>;
    static constexpr int LENGTH = TILE_K * SIDE / THREADS;
    static_assert(THREADS % SIDE == 0 && LENGTH % 2 == 0, "threads must share a block evenly");

    const Block& block;
    unsigned channels;
    Half* shared;
    int target;
    Depth depth;
    Window<Half> window;
    unsigned held[LENGTH / 2];

    __device__ __forceinline__ WindowsAcross(
        const Half* x, const Block& block, const Sizes& sizes, unsigned group, unsigned long long origin, Half* shared)
        : block(block),
          channels(sizes.channels),
          shared(shared),
          target(threadIdx.x / SIDE * LENGTH * Layout::STRIDE + threadIdx.x % SIDE),
          depth(block.p, sizes.channels, threadIdx.x / SIDE * LENGTH),
          window(x, block.p, sizes, group, origin + threadIdx.x % SIDE) {}

    __device__ __forceinline__ void fetch(unsigned, int) {
        const Params& p = block.p;
        Depth at = depth;
#pragma unroll
        for (int e = 0; e < LENGTH; ++e) {
            bool inside = at.exists(p, channels) && window.holds(at, p);
            unsigned half = inside ? window.first[at.offset(p)] : 0;
            held[e / 2] = e % 2 == 0 ? half : held[e / 2] | half << 16;
            at.advance(p, channels);
        }
        depth.advance(block.step, p, channels);
    }

    __device__ __forceinline__ void settle(int slot) const {
#pragma unroll
        for (int e = 0; e < LENGTH; ++e) {
            shared[slot * Layout::STAGE + target + e * Layout::STRIDE] = (Half)(held[e / 2] >> e % 2 * 16);
        }
    }
};

// Windows that are single elements of planes. A thread fetches pieces of the same eight pixels from some planes.
template <int SIDE>
struct Points : Stages<SIDE, false> {
    using Layout = Stages<SIDE, false>;
    static constexpr int PIECES_OF_ROW = SIDE / PIECE;
    static constexpr int STEP = THREADS / PIECES_OF_ROW;
    static constexpr int TURNS = TILE_K / STEP;
    static_assert(THREADS % PIECES_OF_ROW == 0 && TILE_K % STEP == 0, "threads must share a block evenly");

    Half* shared;
    const Half* first;
    unsigned long long area;
    unsigned planes;

    __device__ __forceinline__ Points(
        const Half* x, const Block& block, const Sizes& sizes, unsigned group, unsigned long long origin, Half* shared)
        : shared(shared), area((unsigned long long)block.p.h * block.p.w) {
        unsigned long long pixel = origin + threadIdx.x % PIECES_OF_ROW * PIECE;
        planes = pixel < sizes.pixels ? sizes.channels : 0;
        first = x + (pixel / area * block.p.c + group * sizes.channels) * area + pixel % area;
    }

    __device__ __forceinline__ void fetch(unsigned start, int slot) const {
        int row = threadIdx.x / PIECES_OF_ROW;
        Half* target = shared + slot * Layout::STAGE + row * Layout::STRIDE + threadIdx.x % PIECES_OF_ROW * PIECE;
#pragma unroll
        for (int t = 0; t < TURNS; ++t) {
            unsigned plane = start + row + t * STEP;
            bool inside = plane < planes;
            copy_async_16(target + t * STEP * Layout::STRIDE, first + plane * area, inside);
        }
    }

    __device__ __forceinline__ void settle(int) const {}
};

constexpr int SIDE_X = NHWC ? TILE_M : TILE_N;
constexpr int SIDE_W = NHWC ? TILE_N : TILE_M;
typedef Matrix<SIDE_W, true, ALIGNED_W> Filters;
#if NHWC
typedef WindowsAlongK<SIDE_X> Windows;
#elif ALIGNED_X
typedef Points<SIDE_X> Windows;
#else
typedef WindowsAcross<SIDE_X> Windows;
#endif

extern "C" __global__ void __launch_bounds__(THREADS, 1)
    conv2d_mma(const Half* __restrict__ x, const Half* __restrict__ w, Half* __restrict__ y, Block block) {
    const Params& p = block.p;
    Sizes sizes(p);
    GroupTile<TILE_M, TILE_N> its(p, sizes);
    if (!its.exists) return;
    const Half* first_filter = w + (unsigned long long)its.group * sizes.filters * sizes.depths;
    Half* shared = (Half*)shared_memory;
    Windows windows(x, block, sizes, its.group, NHWC ? its.tile.row : its.tile.column, shared);
    Filters filters(first_filter, sizes.filters, sizes.depths, NHWC ? its.tile.column : its.tile.row,
                    shared + STAGES * Windows::STAGE);
    Place at = this_place();
    Sums sums[WARP_M / 16][WARP_N / 8] = {};
#if NHWC
    multiply_blocks(sums, windows, filters, sizes.depths, at);
#else
    multiply_blocks(sums, filters, windows, sizes.depths, at);
#endif

    // Whether two columns are neighbours in memory, at a multiple of 4 bytes.
    bool pairs = NHWC ? p.k % 2 == 0 && sizes.filters % 2 == 0 : p.oh * p.ow % 2 == 0;
#pragma unroll
    for (int j = 0; j < WARP_N / 8; ++j) {
        unsigned column = (unsigned)its.tile.column + at.column + 8 * j + at.lane % 4 * 2;
#pragma unroll
        for (int i = 0; i < WARP_M / 16; ++i) {
#pragma unroll
            for (int half = 0; half < 2; ++half) {
                unsigned row = (unsigned)its.tile.row + at.row + 16 * i + 8 * half + at.lane / 4;
                if (row >= its.m || column >= its.n) continue;
                unsigned pair = halves(sums[i][j], half);
                Half* target = y + its.place(row, column, p, sizes);
                if (pairs) {
                    *(unsigned*)target = pair;
                } else {
                    *target = (Half)pair;
                    if (column + 1 < its.n) y[its.place(row, column + 1, p, sizes)] = (Half)(pair >> 16);
                }
            }
        }
    }
}
