// Packed attention for CPUs, with online softmax. One work-item, which is a whole work-group, computes PANELS panels of
// QUERIES rows of the output; the elements of its vectors are different queries. So the highest score of a row, the sum of
// its weights and its mask are vectors, too, and nothing is ever added up within one; keys and values are broadcast, and
// need not be transposed.
//
// Queries and sums lie in panels, elements of the head × queries. KEYS keys and values at a time are copied into blocks and
// widened; each panel makes weights, keys × queries, of the keys, and sums of the weights and the values. The work-group's
// local memory holds all this: to a CPU it is ordinary memory, which stays in the second-level cache.
//
// Definitions: ROWS VECTORS WIDTH (the tile of either product in vector registers); PANELS; KEYS (a multiple of ROWS); DIM
// (a multiple of ROWS, at least head_dim); SPLIT (1: write parts, for `attention_combine`); and a precision.

#define QUERIES (VECTORS * WIDTH)
// Of a block: rows that are a power of 2 apart would share sets of the cache.
#define STRIDE (DIM + WIDTH)

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
typedef JOIN(SUM, WIDTH) vector_t;

#if defined(PRECISION_F64)
typedef long number_t;
typedef JOIN(long, WIDTH) numbers_t;
#define AS_NUMBERS JOIN(as_long, WIDTH)
#define AS_VECTOR JOIN(as_double, WIDTH)
#define MANTISSA_BITS 52
#define LEAST_EXPONENT -1023
#else
typedef int number_t;
typedef JOIN(int, WIDTH) numbers_t;
#define AS_NUMBERS JOIN(as_int, WIDTH)
#define AS_VECTOR JOIN(as_float, WIDTH)
#define MANTISSA_BITS 23
#define LEAST_EXPONENT -127
#endif

#if defined(PRECISION_F16)
#define LOAD_VECTOR(from) JOIN(vload_half, WIDTH)(0, from)
#else
#define LOAD_VECTOR(from) JOIN(vload, WIDTH)(0, from)
#endif

#if SPLIT
typedef sum_t result_t;
#define STORE_RESULT(value, to) (*(to) = (value))
#else
typedef stored_t result_t;
#define STORE_RESULT STORE
#endif

#define READ_B(r, v) const vector_t b##v = b[v];
#define FMA_VECTOR(r, v) c##r##_##v = fma(a##r, b##v, c##r##_##v);
#define FMA(r)                                                                                                         \
    {                                                                                                                  \
        const vector_t a##r = a[(r) * row_stride];                                                                     \
        EACH_VECTOR(FMA_VECTOR, r)                                                                                     \
    }
// Adds `depth` products to a tile: of `a`, whose rows are `row_stride` apart and whose steps `step_stride`, and `b`.
#define MULTIPLY(depth)                                                                                                \
    for (uint step = 0; step < (depth); ++step, a += step_stride, b += VECTORS) {                                      \
        EACH_VECTOR(READ_B, 0)                                                                                         \
        EACH_ROW(FMA)                                                                                                  \
    }

// 2 to the power of x, for x up to 0. Far below it is exactly 0; subnormal results may be wrong. The polynomial interpolates
// 2^f in Chebyshev's nodes of [-1/2, 1/2] with a relative error below 3e-9, in double precision 5e-18.
static vector_t power_of_2(vector_t x)
{
    // The sum's last bits are x, rounded.
    const vector_t shift = (sum_t)3 * ((number_t)1 << (MANTISSA_BITS - 1));
    x = fmax(x, (vector_t)LEAST_EXPONENT);
    const vector_t shifted = x + shift;
    const vector_t f = x - (shifted - shift);
#if defined(PRECISION_F64)
    vector_t p = 4.45581790833606449e-10;
    p = fma(p, f, (vector_t)7.07419429728852106e-09);
    p = fma(p, f, (vector_t)1.01780570877339407e-07);
    p = fma(p, f, (vector_t)1.32154325359123753e-06);
    p = fma(p, f, (vector_t)1.52527338415567733e-05);
    p = fma(p, f, (vector_t)1.54035304637243530e-04);
    p = fma(p, f, (vector_t)1.33335581464064708e-03);
    p = fma(p, f, (vector_t)9.61812910758725638e-03);
    p = fma(p, f, (vector_t)5.55041086648216248e-02);
    p = fma(p, f, (vector_t)2.40226506959101582e-01);
    p = fma(p, f, (vector_t)6.93147180559945286e-01);
    p = fma(p, f, (vector_t)1.0);
#else
    vector_t p = 1.5461444699e-04f;
    p = fma(p, f, (vector_t)1.3400428178e-03f);
    p = fma(p, f, (vector_t)9.6180566785e-03f);
    p = fma(p, f, (vector_t)5.5503272267e-02f);
    p = fma(p, f, (vector_t)2.4022650922e-01f);
    p = fma(p, f, (vector_t)6.9314720670e-01f);
    p = fma(p, f, (vector_t)1.0f);
#endif
    return AS_VECTOR(AS_NUMBERS(p) + (AS_NUMBERS(shifted) << MANTISSA_BITS));
}

#define ZERO_VECTOR(r, v) vector_t c##r##_##v = (sum_t)0;
#define ZERO(r) EACH_VECTOR(ZERO_VECTOR, r)
#define WRITE_VECTOR(r, v) to[(r) * VECTORS + v] = c##r##_##v;
#define WRITE(r) EACH_VECTOR(WRITE_VECTOR, r)
#define HIGHEST_VECTOR(r, v) high##v = fmax(high##v, c##r##_##v);
#define HIGHEST(r) EACH_VECTOR(HIGHEST_VECTOR, r)
#define MASK_VECTOR(r, v) c##r##_##v = (numbers_t)(first + r) < end[v] ? c##r##_##v : (vector_t)LOWEST;
#define MASK(r) EACH_VECTOR(MASK_VECTOR, r)
#define READ_HIGH(r, v) vector_t high##v = highest[v];
#define WRITE_HIGH(r, v) highest[v] = high##v;

// The scores of ROWS keys (`a`) by the queries of a panel (`b`). The first key is number `first`; every query sees those before `all_see`.
static void score(local const sum_t *a, local const vector_t *b, uint dim, uint first, uint all_see,
                  local const numbers_t *end, local vector_t *highest, local vector_t *to)
{
    const uint row_stride = STRIDE, step_stride = 1;
    EACH_ROW(ZERO)
    MULTIPLY(dim)
    if (first + ROWS > all_see) {
        EACH_ROW(MASK)
    }
    EACH_VECTOR(READ_HIGH, 0)
    EACH_ROW(HIGHEST)
    EACH_VECTOR(WRITE_HIGH, 0)
    EACH_ROW(WRITE)
}

#define READ_SHRINK(r, v) const vector_t shrink##v = shrink[v];
#define READ_VECTOR(r, v) vector_t c##r##_##v = to[(r) * VECTORS + v] * shrink##v;
#define READ(r) EACH_VECTOR(READ_VECTOR, r)

// The sums of ROWS elements of the head: shrunk, and with `keys` more values (`a`) by their weights (`b`).
static void add(local const sum_t *a, local const vector_t *b, uint keys, local const vector_t *shrink,
                local vector_t *to)
{
    const uint row_stride = 1, step_stride = STRIDE;
    EACH_VECTOR(READ_SHRINK, 0)
    EACH_ROW(READ)
    MULTIPLY(keys)
    EACH_ROW(WRITE)
}

#define READ_TOTAL(r, v) vector_t total##v = total[v] * shrink[v];
#define WEIGH(r, v)                                                                                                    \
    {                                                                                                                  \
        const vector_t weight = power_of_2(weights[v] - high##v);                                                      \
        weights[v] = weight;                                                                                           \
        total##v += weight;                                                                                            \
    }
#define WRITE_TOTAL(r, v) total[v] = total##v;

// Turns the scores of `keys` keys into weights, and adds them to the totals.
static void weigh(local vector_t *weights, uint keys, local const vector_t *highest, local const vector_t *shrink,
                  local vector_t *total)
{
    EACH_VECTOR(READ_HIGH, 0)
    EACH_VECTOR(READ_TOTAL, 0)
    for (uint key = 0; key < keys; ++key, weights += VECTORS) {
        EACH_VECTOR(WEIGH, 0)
    }
    EACH_VECTOR(WRITE_TOTAL, 0)
}

// Copies rows of K or V into the block.
static void copy_rows(global const stored_t *from, uint rows, uint dim, local sum_t *to)
{
    for (uint row = 0; row < rows; ++row, from += dim, to += STRIDE) {
        uint d = 0;
        for (; d + WIDTH <= dim; d += WIDTH)
            *(local vector_t *)(to + d) = LOAD_VECTOR(from + d);
        for (; d < dim; ++d)
            to[d] = LOAD(from + d);
    }
}

__attribute__((reqd_work_group_size(1, 1, 1)))
kernel void attention_packed(global const stored_t *restrict q, global const stored_t *restrict k,
                             global const stored_t *restrict v, global result_t *restrict o, params_t size)
{
    local vector_t queries[PANELS][DIM * VECTORS], sums[PANELS][DIM * VECTORS];
    local vector_t keys[KEYS * STRIDE / WIDTH], values[KEYS * STRIDE / WIDTH], weights[KEYS * VECTORS];
    local vector_t highest[PANELS][VECTORS], total[PANELS][VECTORS], shrink[VECTORS];
    local numbers_t end[PANELS][VECTORS];

    const uint dim = size.head_dim;
    const uint tiles = PARTS(size.rows, PANELS * QUERIES);
    const ulong tile = GROUP;
    if (tile >= (ulong)tiles * size.splits * size.key_heads)
        return;
    // The last rows see the most keys with the causal mask: they start first.
    const uint first_row = (tiles - 1 - (uint)(tile % tiles)) * (PANELS * QUERIES);
    const ulong split = tile / tiles % size.splits;
    const ulong head = tile / tiles / size.splits;
    q += (head * size.rows + first_row) * dim;
    k += head * size.seq_kv * dim;
    v += head * size.seq_kv * dim;
    const uint rows = min(size.rows - first_row, (uint)(PANELS * QUERIES));
    const uint panels = PARTS(rows, QUERIES);
    const uint first_key = split * size.chunk;
    const uint end_chunk = min(first_key + size.chunk, size.seq_kv);

    // Up to which key all queries of a panel see, and any of them.
    uint all_see[PANELS], any_sees[PANELS];
    const sum_t scale = LOG2_E / sqrt((sum_t)dim);
    for (uint panel = 0; panel < panels; ++panel) {
        all_see[panel] = end_chunk;
        any_sees[panel] = min(end_chunk, visible_to_any(first_row + panel * QUERIES, QUERIES, size));
        for (uint query = 0; query < QUERIES; ++query) {
            const uint row = panel * QUERIES + query;
            const uint last = min(end_chunk, visible(first_row + min(row, rows - 1), size));
            ((local number_t *)end[panel])[query] = last;
            all_see[panel] = min(all_see[panel], last);
            local sum_t *to = (local sum_t *)queries[panel] + query;
            for (uint d = 0; d < dim; ++d)
                to[d * QUERIES] = row < rows ? LOAD(q + (ulong)row * dim + d) * scale : (sum_t)0;
        }
        for (uint v = 0; v < VECTORS; ++v) {
            highest[panel][v] = LOWEST;
            total[panel][v] = 0;
        }
        for (uint i = 0; i < DIM * VECTORS; ++i)
            sums[panel][i] = 0;
    }
    const uint end_key = min(end_chunk, visible_to_any(first_row, rows, size));

    for (uint start = first_key; start < end_key; start += KEYS) {
        const uint staged = min(end_key - start, (uint)KEYS);
        copy_rows(k + (ulong)start * dim, staged, dim, (local sum_t *)keys);
        copy_rows(v + (ulong)start * dim, staged, dim, (local sum_t *)values);
        for (uint panel = 0; panel < panels; ++panel) {
            if (start >= any_sees[panel])
                continue;
            const uint count = min(any_sees[panel] - start, staged);
            for (uint v = 0; v < VECTORS; ++v)
                shrink[v] = highest[panel][v];
            for (uint key = 0; key < count; key += ROWS)
                score((local const sum_t *)keys + key * STRIDE, queries[panel], dim, start + key, all_see[panel],
                      end[panel], highest[panel], weights + key * VECTORS);
            for (uint v = 0; v < VECTORS; ++v)
                shrink[v] = power_of_2(shrink[v] - highest[panel][v]);
            weigh(weights, count, highest[panel], shrink, total[panel]);
            for (uint d = 0; d < dim; d += ROWS)
                add((local const sum_t *)values + d, weights, count, shrink, sums[panel] + d * VECTORS);
        }
    }

    for (uint panel = 0; panel < panels; ++panel) {
#if !SPLIT
        for (uint d = 0; d < dim; ++d)
            for (uint v = 0; v < VECTORS; ++v)
                sums[panel][d * VECTORS + v] /= total[panel][v];
#endif
        for (uint query = 0; query < min(rows - panel * QUERIES, (uint)QUERIES); ++query) {
            const ulong row = head * size.rows + first_row + panel * QUERIES + query;
            local const sum_t *from = (local const sum_t *)sums[panel] + query;
#if SPLIT
            global sum_t *to = o + PART(split, row, size);
            to[dim] = ((local const sum_t *)highest[panel])[query];
            to[dim + 1] = ((local const sum_t *)total[panel])[query];
#else
            global stored_t *to = o + row * dim;
#endif
            for (uint d = 0; d < dim; ++d)
                STORE_RESULT(from[d * QUERIES], to + d);
        }
    }
}
