// Convolution on the ordinary arithmetic units: GEMM's main loop with windows as an operand. Rows and columns of the
// product are such that neighbours in Y are columns: A is the filters and B the windows where channels are planes, and the
// other way round where they are innermost.
//
// Specialised by what tiled_loop.cuh and window.cuh are.

// Thread blocks of a multiprocessor at one time, which bounds registers: as many as small tiles leave room for.
constexpr int BLOCKS = THREAD_M * THREAD_N * sizeof(real) <= 64 ? 4 : 1;

// A thread fetches some elements of the same window.
template <int SIDE>
struct Windows {
    static constexpr int LENGTH = TILE_K * SIDE / THREADS;
    static_assert(THREADS % SIDE == 0 && LENGTH > 0, "threads must share a stage evenly");

    const Params& p;
    unsigned channels;
    Window<stored> window;
    Depth depth, step;
    stored held[LENGTH];

    __device__ __forceinline__ Windows(
        const stored* x, const Params& p, const Sizes& sizes, unsigned group, unsigned long long origin)
        : p(p),
          channels(sizes.channels),
          window(x, p, sizes, group, origin + this_thread() % SIDE),
          depth(p, sizes.channels, this_thread() / SIDE * LENGTH),
          step(p, sizes.channels, TILE_K) {}

    __device__ __forceinline__ void load() {
        Depth at = depth;
#pragma unroll
        for (int i = 0; i < LENGTH; ++i) {
            bool inside = at.exists(p, channels) && window.holds(at, p);
            held[i] = inside ? window.first[at.offset(p)] : stored(0);
            at.advance(p, channels);
        }
        depth.advance(step, p, channels);
    }

    template <int STRIDE>
    __device__ __forceinline__ void store(real* stage) const {
#pragma unroll
        for (int i = 0; i < LENGTH; ++i) {
            stage[(this_thread() / SIDE * LENGTH + i) * STRIDE + this_thread() % SIDE] = widen(held[i]);
        }
    }
};

extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS)
    conv2d_tiled(const stored* __restrict__ x, const stored* __restrict__ w, stored* __restrict__ y, Params p) {
    Sizes sizes(p);
    GroupTile<TILE_M, TILE_N> at(p, sizes);
    if (!at.exists) return;
    real sums[THREAD_M][THREAD_N] = {};
    const stored* filters = w + (unsigned long long)at.group * sizes.filters * sizes.depths;
#if NHWC
    Windows<TILE_M> next_a(x, p, sizes, at.group, at.tile.row);
    Fetch<TILE_N, true> next_b(filters, at.tile.column, sizes.filters, sizes.depths);
#else
    Fetch<TILE_M, true> next_a(filters, at.tile.row, sizes.filters, sizes.depths);
    Windows<TILE_N> next_b(x, p, sizes, at.group, at.tile.column);
#endif
    multiply_stages(sums, next_a, next_b, sizes.depths, (real*)shared_memory);
    store_sums(sums, at.tile, at.m, at.n, [&](unsigned long long row, unsigned long long column) {
        return y + at.place(row, column, p, sizes);
    });
}
