// C = A·B on the ordinary arithmetic units.
//
// Specialised by what tiled_loop.cuh is, and TRANS_A TRANS_B (0 or 1).

struct Params {
    unsigned m, n, k, zero;
};

extern "C" __global__ void __launch_bounds__(THREADS)
    gemm_tiled(const stored* __restrict__ a, const stored* __restrict__ b, stored* __restrict__ c, Params p) {
    Tile tile = tile_of<TILE_M, TILE_N>(block_number(), p.m, p.n);
    if (!tile.exists) return;
    real sums[THREAD_M][THREAD_N] = {};
    Fetch<TILE_M, !TRANS_A> next_a(a, tile.row, p.m, p.k);
    Fetch<TILE_N, TRANS_B> next_b(b, tile.column, p.n, p.k);
    multiply_stages(sums, next_a, next_b, p.k, (real*)shared_memory);
    store_sums(sums, tile, p.m, p.n, [&](unsigned long long row, unsigned long long column) {
        return c + row * p.n + column;
    });
}
