// Vectors of WIDTH sums, for kernels of CPUs: one work-item is a whole work-group, so the vectors are the source's own.

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)

typedef JOIN(SUM, WIDTH) vector_t;
// The numbers of a vector's elements, and a truth for each of them that chooses between vectors.
#define LANES JOIN(vload, WIDTH)(0, lanes)
constant int lanes[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
typedef JOIN(TRUTH, WIDTH) mask_t;
#define MASK(truths) JOIN(convert_, JOIN(TRUTH, WIDTH))(truths)
#define VECTOR_FROM(from) JOIN(vload, WIDTH)(0, from)
#define VECTOR_TO(value, to) JOIN(vstore, WIDTH)(value, 0, to)

// From a tensor, and to one.
#if defined(PRECISION_F16)
#define LOAD_VECTOR(from) JOIN(vload_half, WIDTH)(0, from)
#define STORE_VECTOR(value, to) JOIN(JOIN(vstore_half, WIDTH), _rte)(value, 0, to)
#else
#define LOAD_VECTOR(from) VECTOR_FROM(from)
#define STORE_VECTOR(value, to) VECTOR_TO(value, to)
#endif

#define ONE_ITEM __attribute__((reqd_work_group_size(1, 1, 1)))
#define GROUP (get_group_id(0) + (ulong)get_group_id(1) * get_num_groups(0))
// The first job of a work-group. Each takes jobs that follow each other: what they read is neighbours in memory, and a
// runtime takes a while to start a work-group.
#define FIRST_JOB(jobs, group) ((ulong)(jobs) * (group) / ((ulong)get_num_groups(0) * get_num_groups(1)))
#define PARTS(whole, part) (((whole) + (part) - 1) / (part))

// Stores the first `columns` elements, or all where there are fewer.
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

