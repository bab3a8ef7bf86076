// The operands of a tiled GEMM: A and B row-major, stored as is or transposed.
//
// Definitions: TRANS_A, TRANS_B (0 or 1).

#define ENTRY gemm_tiled
#define ALONG_SIDE_A TRANS_A
#define ALONG_SIDE_B !TRANS_B

typedef struct {
    uint m, n, k, zero;
} params_t;

static uint extent_m(const params_t *size) { return size->m; }
static uint extent_n(const params_t *size) { return size->n; }
static uint extent_k(const params_t *size) { return size->k; }
static uint extent_batch(const params_t *size) { return 1; }

typedef struct {
    uint p;
} depth_t;

static depth_t depth_at(const params_t *size, uint p)
{
    const depth_t depth = {p};
    return depth;
}

static depth_t deeper(const params_t *size, depth_t depth, depth_t step)
{
    depth.p += step.p;
    return depth;
}

// Where a row of A or a column of B starts, and how far apart its elements are.
typedef struct {
    ulong start;
    uint stride;
    bool exists;
} side_t;

typedef side_t side_a_t;
typedef side_t side_b_t;

static side_t side_a(const params_t *size, uint batch, uint row)
{
    const side_t side = {TRANS_A ? row : (ulong)row * size->k, TRANS_A ? size->m : 1, row < size->m};
    return side;
}

static side_t side_b(const params_t *size, uint batch, uint column)
{
    const side_t side = {TRANS_B ? (ulong)column * size->k : column, TRANS_B ? 1 : size->n, column < size->n};
    return side;
}

static sum_t load_a(global const stored_t *a, const params_t *size, side_t side, depth_t depth)
{
    return LOAD(a + side.start + (ulong)depth.p * side.stride);
}

static sum_t load_b(global const stored_t *b, const params_t *size, side_t side, depth_t depth)
{
    return LOAD(b + side.start + (ulong)depth.p * side.stride);
}

static ulong place_c(const params_t *size, uint batch, uint row, uint column)
{
    return (ulong)row * size->n + column;
}

