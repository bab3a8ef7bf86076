// Packed GEMM for CPUs: C = A·B, row-major. A and B are copied into panels, and then one work-item, which is a whole
// work-group, computes a tile of ROWS × (VECTORS · WIDTH) in vector registers over all of k.
//
// Definitions: ROWS VECTORS WIDTH (the tile); PACK_DEPTH, PACK_PANELS (what a work-group of `pack_b` copies); TRANS_A,
// TRANS_B (0 or 1: stored as is or transposed); and one of PRECISION_F64, PRECISION_F32, PRECISION_F16 (stored as halves,
// summed in f32), PRECISION_F16_ACC16.
//
// Panels hold elements in the type of the sums, so that halves are widened once.
// A's panels: ROWS rows of A. The kernel reads A one element at a time, so the order inside a panel is the one that can
// be copied fastest: blocks of WIDTH along k, each row by row, and k-major where A is stored transposed.
// B's panels: COLUMNS columns of B, k-major. What lies outside the matrices is 0 in a panel.

#define COLUMNS (VECTORS * WIDTH)

#if defined(PRECISION_F64)
typedef double stored_t;
typedef double sum_t;
#define SUM double
#elif defined(PRECISION_F32)
typedef float stored_t;
typedef float sum_t;
#define SUM float
#elif defined(PRECISION_F16)
typedef half stored_t;
typedef float sum_t;
#define SUM float
#elif defined(PRECISION_F16_ACC16)
#pragma OPENCL EXTENSION cl_khr_fp16 : enable
typedef half stored_t;
typedef half sum_t;
#define SUM half
#else
#error "define one of PRECISION_F64, PRECISION_F32, PRECISION_F16 and PRECISION_F16_ACC16"
#endif

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)

typedef JOIN(SUM, WIDTH) vector_t;
#define VECTOR_FROM(from) JOIN(vload, WIDTH)(0, from)
#define VECTOR_TO(value, to) JOIN(vstore, WIDTH)(value, 0, to)

// From a matrix, and to one.
#if defined(PRECISION_F16)
#define LOAD(from) vload_half(0, from)
#define LOAD_VECTOR(from) JOIN(vload_half, WIDTH)(0, from)
#define STORE(value, to) vstore_half_rte(value, 0, to)
#define STORE_VECTOR(value, to) JOIN(JOIN(vstore_half, WIDTH), _rte)(value, 0, to)
#else
#define LOAD(from) (*(from))
#define LOAD_VECTOR(from) VECTOR_FROM(from)
#define STORE(value, to) (*(to) = (value))
#define STORE_VECTOR(value, to) VECTOR_TO(value, to)
#endif

typedef struct {
    uint m, n, k, zero;
} params_t;

#define ONE_ITEM __attribute__((reqd_work_group_size(1, 1, 1)))
#define GROUP (get_group_id(0) + (ulong)get_group_id(1) * get_num_groups(0))
#define PARTS(whole, part) (((whole) + (part) - 1) / (part))
// Elements of a panel of A: whole blocks along k.
#define PANEL_A(k) ((ulong)PARTS(k, WIDTH) * WIDTH * ROWS)

// The `length` elements at `from`, and zeros up to `width`.
static void copy_part(global const stored_t *from, global sum_t *to, uint length, uint width)
{
    for (uint i = 0; i < width; ++i)
        to[i] = i < length ? LOAD(from + i) : (sum_t)0;
}

// A work-group copies one panel of A.
ONE_ITEM kernel void pack_a(global const stored_t *restrict a, global sum_t *restrict panels, params_t size)
{
    const uint m = size.m, k = size.k;
    const ulong panel = GROUP;
    if (panel >= PARTS(m, ROWS))
        return;
    const uint first = panel * ROWS;
    const uint rows = min(m - first, (uint)ROWS);
    global sum_t *to = panels + panel * PANEL_A(k);
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

// A work-group copies PACK_DEPTH rows of PACK_PANELS panels of B: enough to be worth its start, few enough that the rows'
// pages stay in the first-level TLB.
ONE_ITEM kernel void pack_b(global const stored_t *restrict b, global sum_t *restrict panels, params_t size)
{
    const uint n = size.n, k = size.k;
    const uint depths = PARTS(k, PACK_DEPTH);
    const ulong first_panel = GROUP / depths * PACK_PANELS;
    const uint first_depth = GROUP % depths * PACK_DEPTH;
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

// Repetition by name: a compiler keeps named vectors in registers, an array of them it may not.
#if VECTORS == 1
#define EACH_VECTOR(DO, r) DO(r, 0)
#elif VECTORS == 2
#define EACH_VECTOR(DO, r) DO(r, 0) DO(r, 1)
#elif VECTORS == 3
#define EACH_VECTOR(DO, r) DO(r, 0) DO(r, 1) DO(r, 2)
#elif VECTORS == 4
#define EACH_VECTOR(DO, r) DO(r, 0) DO(r, 1) DO(r, 2) DO(r, 3)
#endif
#if ROWS == 4
#define EACH_ROW(DO) DO(0) DO(1) DO(2) DO(3)
#elif ROWS == 6
#define EACH_ROW(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5)
#elif ROWS == 8
#define EACH_ROW(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7)
#elif ROWS == 12
#define EACH_ROW(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11)
#endif

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
        to += n;                                                                                                       \
    }

static void write(vector_t value, global stored_t *to, int columns)
{
    if (columns >= WIDTH) {
        STORE_VECTOR(value, to);
    } else {
        sum_t values[WIDTH];
        VECTOR_TO(value, values);
        for (int i = 0; i < columns; ++i)
            STORE(values[i], to + i);
    }
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
    global const sum_t *a = panels_a + panel_a * PANEL_A(k);
    global const sum_t *b = panels_b + (ulong)panel_b * k * COLUMNS;

    EACH_ROW(ZERO)
    for (uint depth = 0; depth < k; depth += WIDTH, a += WIDTH * ROWS) {
        const uint steps = min(k - depth, (uint)WIDTH);
        for (uint step = 0; step < steps; ++step, b += COLUMNS) {
            EACH_VECTOR(READ_B, 0)
            EACH_ROW(FMA)
        }
    }

    const uint first_row = panel_a * ROWS, first_column = panel_b * COLUMNS;
    const uint rows = m - first_row, columns = n - first_column;
    global stored_t *to = c + (ulong)first_row * n + first_column;
    EACH_ROW(WRITE)
}
