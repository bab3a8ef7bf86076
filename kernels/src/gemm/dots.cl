// GEMM by dot products, for CPUs: C = A·Bᵀ, row-major. The rows of A and of B lie along k and are read as they lie, so that
// nothing is packed.
//
// A work-item, which is a whole work-group, computes tiles: VECTORS rows of A times ROWS rows of B, each sum a vector along k
// until its end.
//
// Definitions: ROWS VECTORS WIDTH (the tile, and a vector's elements).

typedef struct {
    uint m, n, k, zero;
} params_t;

// The sum of a vector's elements.
static sum_t sum2(JOIN(SUM, 2) v) { return v.lo + v.hi; }
static sum_t sum4(JOIN(SUM, 4) v) { return sum2(v.lo + v.hi); }
static sum_t sum8(JOIN(SUM, 8) v) { return sum4(v.lo + v.hi); }
static sum_t sum16(JOIN(SUM, 16) v) { return sum8(v.lo + v.hi); }

// The product of a row of A and one of B: what a vector has, and the elements from `depth` on.
static sum_t total(vector_t sums, global const stored_t *a, global const stored_t *b, uint depth, uint k)
{
    sum_t sum = JOIN(sum, WIDTH)(sums);
    for (; depth < k; ++depth)
        sum = fma((sum_t)LOAD(a + depth), (sum_t)LOAD(b + depth), sum);
    return sum;
}

// What lies outside of C is computed from the last row again, and not stored.
#define ROW_OF_A(r, v) global const stored_t *a##v = a + (ulong)min(row + v, size.m - 1) * k;
#define ROW_OF_B(r) global const stored_t *b##r = b + (ulong)min(column + r, size.n - 1) * k;

#define ZERO_VECTOR(r, v) vector_t c##r##_##v = (sum_t)0;
#define ZERO(r) EACH_VECTOR(ZERO_VECTOR, r)

#define READ_A(r, v) const vector_t vector_a##v = LOAD_VECTOR(a##v + depth);
#define FMA_VECTOR(r, v) c##r##_##v = fma(vector_a##v, vector_b##r, c##r##_##v);
#define FMA(r)                                                                                                         \
    {                                                                                                                  \
        const vector_t vector_b##r = LOAD_VECTOR(b##r + depth);                                                        \
        EACH_VECTOR(FMA_VECTOR, r)                                                                                     \
    }

#define WRITE_SUM(r, v)                                                                                                \
    if (row + v < size.m && column + r < size.n)                                                                       \
        STORE(total(c##r##_##v, a##v, b##r, depth, k), c + (ulong)(row + v) * size.n + column + r);
#define WRITE(r) EACH_VECTOR(WRITE_SUM, r)

// Neighbouring tiles share rows of B, which so stay in a core's own cache: they are more than A's.
ONE_ITEM kernel void gemm_dots(global const stored_t *restrict a, global const stored_t *restrict b,
                               global stored_t *restrict c, params_t size)
{
    const uint k = size.k, tiles_m = PARTS(size.m, VECTORS);
    const ulong tiles = (ulong)tiles_m * PARTS(size.n, ROWS), end = FIRST_JOB(tiles, GROUP + 1);
    for (ulong tile = FIRST_JOB(tiles, GROUP); tile < end; ++tile) {
        const uint row = tile % tiles_m * VECTORS, column = tile / tiles_m * ROWS;
        EACH_VECTOR(ROW_OF_A, 0)
        EACH_ROW(ROW_OF_B)
        EACH_ROW(ZERO)
        uint depth = 0;
        for (; k - depth >= WIDTH; depth += WIDTH) {
            EACH_VECTOR(READ_A, 0)
            EACH_ROW(FMA)
        }
        EACH_ROW(WRITE)
    }
}
