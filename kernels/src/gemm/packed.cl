// Packed GEMM for CPUs: C = A·B, row-major. A and B are copied into panels, which then are multiplied.

typedef struct {
    uint m, n, k, zero;
} params_t;

// A work-group copies one panel of A.
ONE_ITEM kernel void pack_a(global const stored_t *restrict a, global sum_t *restrict panels, params_t size)
{
    const ulong panel = GROUP;
    if (panel < PARTS(size.m, ROWS))
        pack_panel_a(a, panels + panel * PANEL_A(size.k), size.m, size.k, panel * ROWS);
}

ONE_ITEM kernel void pack_b(global const stored_t *restrict b, global sum_t *restrict panels, params_t size)
{
    pack_panels_b(b, panels, size.n, size.k, GROUP);
}

// Bytes of A's panels that are multiplied with all of B before the next ones: little enough for a core's share of the
// last cache, also where others use it.
#define CHUNK_BYTES (2u << 20)

// Neighbouring tiles share a panel of B, the larger one, which so stays in the second-level cache, and take turns at a
// chunk of A's panels. Each of them asks for its part of the next panel of B.
ONE_ITEM kernel void gemm_packed(global const sum_t *restrict panels_a, global const sum_t *restrict panels_b,
                                 global stored_t *restrict c, params_t size)
{
    const uint m = size.m, n = size.n, k = size.k;
    const uint tiles_m = PARTS(m, ROWS), tiles_n = PARTS(n, COLUMNS);
    const uint chunk = max(1u, (uint)(CHUNK_BYTES / (PANEL_A(k) * sizeof(sum_t))));
    const ulong tiles = (ulong)tiles_m * tiles_n, end = FIRST_JOB(tiles, GROUP + 1);
    for (ulong tile = FIRST_JOB(tiles, GROUP); tile < end; ++tile) {
        const uint first = tile / ((ulong)chunk * tiles_n) * chunk, panels = min(chunk, tiles_m - first);
        const ulong place = tile - (ulong)first * tiles_n;
        const uint turn = place % panels, panel_b = place / panels, panel_a = first + turn;
        const uint first_row = panel_a * ROWS, first_column = panel_b * COLUMNS;
        const ulong blocks = PARTS(k, WIDTH), length = (ulong)k * COLUMNS;
        const uint lines = panel_b + 1 < tiles_n ? PARTS(length / LINE, panels * blocks) : 0;
        global const sum_t *b = panels_b + panel_b * length, *next = b + length + turn * blocks * lines * LINE;
        multiply(panels_a + panel_a * PANEL_A(k), b, k, c + (ulong)first_row * n + first_column, n, m - first_row,
                 n - first_column, next, lines);
    }
}
