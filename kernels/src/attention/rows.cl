// What all attention kernels in OpenCL C share: the parameter block, which rows and keys there are, and the kernel that
// puts the parts of a split cache together.
//
// The query heads that share a key head lie one after the other in memory, so to a kernel they are one matrix of
// `rows` = heads / kv_heads · seq_q rows, of which row r is query r % seq_q. Keys are split into `splits` chunks of
// `chunk`; each writes its own part of a row: the unnormalised sums, the highest score and the sum of the weights.
//
// Scores are in units of ln 2, so that weights are powers of 2.

typedef struct {
    uint key_heads, rows, seq_q, seq_kv, head_dim, causal, splits, chunk;
} params_t;

#define GROUP (get_group_id(0) + (ulong)get_group_id(1) * get_num_groups(0))
#define PARTS(whole, part) (((whole) + (part) - 1) / (part))

// Below every score, and its power of 2 is 0 beside any of them.
#define LOWEST ((sum_t)-1e30f)
#define LOG2_E ((sum_t)1.44269504088896340735992468100189214)

// How many keys row `row` sees: the first ones.
static uint visible(uint row, params_t size)
{
    return size.causal ? row % size.seq_q + 1 + size.seq_kv - size.seq_q : size.seq_kv;
}

// How many keys any of `count` rows from `row` on sees, at most. Where another head begins, its last query is not far.
static uint visible_to_any(uint row, uint count, params_t size)
{
    const uint last = min(row + count, size.rows) - 1;
    return row / size.seq_q == last / size.seq_q ? visible(last, size) : size.seq_kv;
}

// A part of a row: head_dim sums, the highest score, the sum of the weights.
#define PART(split, row, size)                                                                                         \
    (((split) * (ulong)(size).key_heads * (size).rows + (row)) * ((ulong)(size).head_dim + 2))

// A work-item computes one element of the output from its row's parts.
kernel void attention_combine(global const sum_t *restrict parts, global stored_t *restrict o, params_t size)
{
    const ulong element = GROUP * get_local_size(0) + get_local_id(0);
    const uint dim = size.head_dim;
    const ulong row = element / dim;
    if (row >= (ulong)size.key_heads * size.rows)
        return;
    sum_t highest = LOWEST;
    for (uint split = 0; split < size.splits; ++split)
        highest = fmax(highest, parts[PART(split, row, size) + dim]);
    sum_t sum = 0, total = 0;
    for (uint split = 0; split < size.splits; ++split) {
        global const sum_t *part = parts + PART(split, row, size);
        const sum_t weight = exp2(part[dim] - highest);
        sum = fma(weight, part[element % dim], sum);
        total = fma(weight, part[dim + 1], total);
    }
    STORE(sum / total, o + element);
}

