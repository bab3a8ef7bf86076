// copy, mul, add, triad and dot. A work-group of GROUP items goes over its part of the arrays `passes` times, each item
// over every GROUP-th vector of WIDTH elements, four at a time.
//
// Definitions: WIDTH (1, 2, 4, 8 or 16), GROUP (a power of two), one of PRECISION_F64 PRECISION_F32, and one of OP_COPY
// OP_MUL OP_ADD OP_TRIAD OP_DOT.

#if defined(PRECISION_F64)
#define REAL double
#else
#define REAL float
#endif

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#if WIDTH == 1
typedef REAL vector_t;
#else
typedef JOIN(REAL, WIDTH) vector_t;
#endif

typedef struct {
    uint vectors, parts, passes, offset;
    float s;
    uint zero[3];
} params_t;

#if defined(OP_COPY) || defined(OP_MUL)
#define ARRAYS global const vector_t *restrict x
#else
#define ARRAYS global const vector_t *restrict x, global const vector_t *restrict y
#endif

#if defined(OP_COPY)
#define VALUE(i) x[i]
#elif defined(OP_MUL)
#define VALUE(i) (s * x[i])
#elif defined(OP_ADD)
#define VALUE(i) (x[i] + y[i])
#elif defined(OP_TRIAD)
#define VALUE(i) fma(s, y[i], x[i])
#elif defined(OP_DOT)
#define ADD(sum, i) sum = fma(x[i], y[i], sum);
#endif

__attribute__((reqd_work_group_size(GROUP, 1, 1))) kernel void stream(
    ARRAYS, global
#if defined(OP_DOT)
    REAL *restrict sums,
#else
    vector_t *restrict z,
#endif
    params_t size)
{
    const uint part = get_group_id(0) + get_group_id(1) * get_num_groups(0);
    if (part >= size.parts)
        return;
    const uint item = get_local_id(0);
    const vector_t s = (REAL)size.s;
#if defined(OP_DOT)
    vector_t total = (REAL)0;
#endif
    for (uint pass = 0; pass < size.passes; ++pass) {
        // The offset is 0, which no compiler knows.
        const ulong start = (ulong)part * size.vectors + pass * size.offset;
        uint j = item;
#if defined(OP_DOT)
        vector_t sum0 = (REAL)0, sum1 = (REAL)0, sum2 = (REAL)0, sum3 = (REAL)0;
        for (; j + 3 * GROUP < size.vectors; j += 4 * GROUP) {
            ADD(sum0, start + j)
            ADD(sum1, start + j + GROUP)
            ADD(sum2, start + j + 2 * GROUP)
            ADD(sum3, start + j + 3 * GROUP)
        }
        for (; j < size.vectors; j += GROUP)
            ADD(sum0, start + j)
        total += (sum0 + sum1) + (sum2 + sum3);
#else
        for (; j + 3 * GROUP < size.vectors; j += 4 * GROUP) {
            const vector_t z0 = VALUE(start + j), z1 = VALUE(start + j + GROUP);
            const vector_t z2 = VALUE(start + j + 2 * GROUP), z3 = VALUE(start + j + 3 * GROUP);
            z[start + j] = z0;
            z[start + j + GROUP] = z1;
            z[start + j + 2 * GROUP] = z2;
            z[start + j + 3 * GROUP] = z3;
        }
        for (; j < size.vectors; j += GROUP)
            z[start + j] = VALUE(start + j);
#endif
    }
#if defined(OP_DOT)
    REAL lanes[WIDTH], sum = 0;
    *(vector_t *)lanes = total;
    for (uint lane = 0; lane < WIDTH; ++lane)
        sum += lanes[lane];
#if GROUP > 1
    local REAL items[GROUP];
    items[item] = sum;
    for (uint half_group = GROUP / 2; half_group > 0; half_group /= 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (item < half_group)
            items[item] += items[item + half_group];
    }
    sum = items[0];
#endif
    if (item == 0)
        sums[part] = sum;
#endif
}
