// Products in panels, for CPUs: one work-item, which is a whole work-group, computes a tile of ROWS × (VECTORS · WIDTH) in
// vector registers over all of k.
//
// Definitions: ROWS VECTORS WIDTH (the tile); PACK_DEPTH, PACK_PANELS (what a work-group packs of B at a time); TRANS_A,
// TRANS_B (0 or 1: stored as is or transposed).
//
// Panels hold elements in the type of the sums, so that halves are widened once.
// A's panels: ROWS rows of A. The kernel reads A one element at a time, so the order inside a panel is the one that can
// be copied fastest: blocks of WIDTH along k, each row by row, and k-major where A is stored transposed.
// B's panels: COLUMNS columns of B, k-major. What lies outside the matrices is 0 in a panel.

#define COLUMNS (VECTORS * WIDTH)

// Elements of a cache line.
#define LINE (64 / sizeof(sum_t))

// Elements of a panel of A: whole blocks along k.
#define PANEL_A(k) ((ulong)PARTS(k, WIDTH) * WIDTH * ROWS)

// The `length` elements at `from`, and zeros up to `width`.
static void copy_part(global const stored_t *from, global sum_t *to, uint length, uint width)
{
    for (uint i = 0; i < width; ++i)
        to[i] = i < length ? LOAD(from + i) : (sum_t)0;
}

// Copies `rows` rows of A, from `first` on, into a panel.
static void pack_panel_a(global const stored_t *a, global sum_t *to, uint m, uint k, uint first)
{
    const uint rows = min(m - first, (uint)ROWS);
#if TRANS_A
    for (uint depth = 0; depth < k; ++depth, to += ROWS)
        copy_part(a + (ulong)depth * m + first, to, rows, ROWS);
#else
    for (uint depth = 0; depth < k; depth += WIDTH)
        for (uint row = 0; row < ROWS; ++row, to += WIDTH) {
            global const stored_t *from = a + (ulong)(first + row) * k + depth;
            if (row < rows && k - depth >= WIDTH)
                VECTOR_TO(LOAD_VECTOR(from), to);
            else
                copy_part(from, to, row < rows ? k - depth : 0, WIDTH);
        }
#endif
}

// WIDTH rows at `from`, `stride` apart, become WIDTH columns at `to`, COLUMNS apart. Of the rows only `rows` are there,
// the others are 0; of their elements only `length` are there, and no more are written.
static void transpose(global const stored_t *from, ulong stride, global sum_t *to, uint rows, uint length)
{
    if (rows < WIDTH || length < WIDTH) {
        for (uint row = 0; row < WIDTH; ++row)
            for (uint i = 0; i < min(length, (uint)WIDTH); ++i)
                to[i * COLUMNS + row] = row < rows ? LOAD(from + row * stride + i) : (sum_t)0;
        return;
    }
    vector_t block[WIDTH], next[WIDTH];
    for (uint row = 0; row < WIDTH; ++row)
        block[row] = LOAD_VECTOR(from + row * stride);
    // Riffling the upper rows into the lower ones rotates the bits of (row, column) by one; after log2(WIDTH) rounds the
    // two have changed places.
    for (uint round = 1; round < WIDTH; round *= 2) {
        for (uint row = 0; row < WIDTH / 2; ++row) {
            next[2 * row].even = block[row].lo;
            next[2 * row].odd = block[row + WIDTH / 2].lo;
            next[2 * row + 1].even = block[row].hi;
            next[2 * row + 1].odd = block[row + WIDTH / 2].hi;
        }
        for (uint row = 0; row < WIDTH; ++row)
            block[row] = next[row];
    }
    for (uint row = 0; row < WIDTH; ++row)
        VECTOR_TO(block[row], to + row * COLUMNS);
}

// Work-groups that pack B.
#define PACKERS_B(n, k) ((ulong)PARTS(k, PACK_DEPTH) * PARTS(PARTS(n, COLUMNS), PACK_PANELS))

// The `packer`-th of these copies PACK_DEPTH rows of PACK_PANELS panels: enough to be worth its start, few enough that the
// rows' pages stay in the first-level TLB.
static void pack_panels_b(global const stored_t *b, global sum_t *panels, uint n, uint k, ulong packer)
{
    const uint depths = PARTS(k, PACK_DEPTH);
    const ulong first_panel = packer / depths * PACK_PANELS;
    const uint first_depth = packer % depths * PACK_DEPTH;
    const ulong end_panel = min(first_panel + PACK_PANELS, (ulong)PARTS(n, COLUMNS));
    const uint end_depth = min(k - first_depth, (uint)PACK_DEPTH) + first_depth;
    for (ulong panel = first_panel; panel < end_panel; ++panel) {
        const uint first = panel * COLUMNS;
        const uint columns = min(n - first, (uint)COLUMNS);
        global sum_t *to = panels + (panel * k + first_depth) * COLUMNS;
#if TRANS_B
        for (uint depth = first_depth; depth < end_depth; depth += WIDTH, to += WIDTH * COLUMNS)
            for (uint column = 0; column < COLUMNS; column += WIDTH)
                transpose(b + (ulong)(first + column) * k + depth, k, to + column,
                          max((int)columns - (int)column, 0), end_depth - depth);
#else
        for (uint depth = first_depth; depth < end_depth; ++depth, to += COLUMNS) {
            global const stored_t *from = b + (ulong)depth * n + first;
            if (columns == COLUMNS)
                for (uint column = 0; column < COLUMNS; column += WIDTH)
                    VECTOR_TO(LOAD_VECTOR(from + column), to + column);
            else
                copy_part(from, to, columns, COLUMNS);
        }
#endif
    }
}

#define ZERO_VECTOR(r, v) vector_t c##r##_##v = (sum_t)0;
#define ZERO(r) EACH_VECTOR(ZERO_VECTOR, r)

#define READ_B(r, v) const vector_t b##v = VECTOR_FROM(b + v * WIDTH);
#define FMA_VECTOR(r, v) c##r##_##v = fma(a##r, b##v, c##r##_##v);
#if TRANS_A
#define ELEMENT_A(r) a[step * ROWS + r]
#else
#define ELEMENT_A(r) a[r * WIDTH + step]
#endif
#define FMA(r)                                                                                                         \
    {                                                                                                                  \
        const vector_t a##r = ELEMENT_A(r);                                                                            \
        EACH_VECTOR(FMA_VECTOR, r)                                                                                     \
    }

#define WRITE_VECTOR(r, v) write(c##r##_##v, to + v * WIDTH, (int)columns - v * WIDTH);
#define WRITE(r)                                                                                                       \
    if (r < rows) {                                                                                                    \
        EACH_VECTOR(WRITE_VECTOR, r)                                                                                   \
        to += stride;                                                                                                  \
    }

// Asks for what will be read soon. The language's own `prefetch` is nothing in some runtimes.
static void prefetch_line(global const sum_t *from)
{
#if __has_builtin(__builtin_prefetch)
    __builtin_prefetch((const void *)(size_t)from);
#endif
}

// The block of A after next. A's panels come from beyond the second-level cache, and what a processor fetches ahead by
// itself ends with each page of 4 KiB.
static void prefetch_a(global const sum_t *a)
{
    for (uint i = 0; i < WIDTH * ROWS; i += LINE)
        prefetch_line(a + 2 * WIDTH * ROWS + i);
}

// The sums of a tile: the product of a panel of A at `a` and `k` rows of B. BLOCK is done once for a block along k. Each row
// is at `b` when BEFORE was done, and AFTER follows it.
#define PRODUCT(BLOCK, BEFORE, AFTER)                                                                                  \
    EACH_ROW(ZERO)                                                                                                     \
    for (uint depth = 0; depth < k; depth += WIDTH, a += WIDTH * ROWS) {                                               \
        prefetch_a(a);                                                                                                 \
        BLOCK                                                                                                          \
        const uint steps = min(k - depth, (uint)WIDTH);                                                                \
        for (uint step = 0; step < steps; ++step) {                                                                    \
            BEFORE                                                                                                     \
            EACH_VECTOR(READ_B, 0)                                                                                     \
            EACH_ROW(FMA)                                                                                              \
            AFTER                                                                                                      \
        }                                                                                                              \
    }

// Writes the product of two panels: `rows` rows, `stride` apart, of `columns` elements, either of which may be more than a
// tile has. Meanwhile asks for `lines` from `next` on with each block along k.
static void multiply(global const sum_t *a, global const sum_t *b, uint k, global stored_t *to, ulong stride, uint rows,
                     uint columns, global const sum_t *next, uint lines)
{
    PRODUCT(for (uint i = 0; i < lines; ++i, next += LINE) prefetch_line(next);, , b += COLUMNS;)
    EACH_ROW(WRITE)
}
