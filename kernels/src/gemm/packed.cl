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

// A work-group computes one tile. Neighbours share a panel of B, the larger one, which so stays in the second-level cache.
ONE_ITEM kernel void gemm_packed(global const sum_t *restrict panels_a, global const sum_t *restrict panels_b,
                                 global stored_t *restrict c, params_t size)
{
    const uint m = size.m, n = size.n, k = size.k;
    const uint tiles_m = PARTS(m, ROWS);
    const ulong tile = GROUP;
    if (tile >= (ulong)tiles_m * PARTS(n, COLUMNS))
        return;
    const uint panel_a = tile % tiles_m, panel_b = tile / tiles_m;
    const uint first_row = panel_a * ROWS, first_column = panel_b * COLUMNS;
    multiply(panels_a + panel_a * PANEL_A(k), panels_b + (ulong)panel_b * k * COLUMNS, k,
             c + (ulong)first_row * n + first_column, n, m - first_row, n - first_column);
}
