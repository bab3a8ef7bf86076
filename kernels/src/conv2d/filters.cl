// Panels of filters. Rows and columns of a product are such that neighbours in Y are columns: filters are rows and pixels
// are columns where channels are planes, and the other way round where they are innermost.

#if NHWC
#define FILTERS COLUMNS
#define PIXELS ROWS
#define PANEL_FILTERS(k) ((ulong)(k) * COLUMNS)
#define PANEL_PIXELS(k) PANEL_A(k)
#else
#define FILTERS ROWS
#define PIXELS COLUMNS
#define PANEL_FILTERS(k) PANEL_A(k)
#define PANEL_PIXELS(k) ((ulong)(k) * COLUMNS)
#endif

// A work-group copies a part of a group's filters.
ONE_ITEM kernel void pack_filters(global const stored_t *restrict w, global sum_t *restrict panels, params_t size)
{
    const uint n = group_k(&size), k = depths(&size);
    const ulong parts = NHWC ? PACKERS_B(n, k) : PARTS(n, FILTERS);
    const ulong group = GROUP / parts;
    if (group >= size.groups)
        return;
    w += group * n * k;
    panels += group * PARTS(n, FILTERS) * PANEL_FILTERS(k);
#if NHWC
    pack_panels_b(w, panels, n, k, GROUP % parts);
#else
    const uint panel = GROUP % parts;
    pack_panel_a(w, panels + panel * PANEL_FILTERS(k), n, k, panel * FILTERS);
#endif
}
