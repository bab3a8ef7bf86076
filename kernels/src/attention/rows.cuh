// What all attention kernels in CUDA C share: the parameter block, which rows and keys there are, and the kernel that puts
// the parts of a split cache together.
//
// The query heads that share a key head lie one after the other in memory, so to a kernel they are one matrix of
// `rows` = heads / kv_heads · seq_q rows, of which row r is query r % seq_q. Keys are split into `splits` chunks of
// `chunk`; each writes its own part of a row: the unnormalised sums, the highest score and the sum of the weights.
//
// Scores are in units of ln 2, so that weights are powers of 2.

struct Params {
    unsigned key_heads, rows, seq_q, seq_kv, head_dim, causal, splits, chunk;
};

// Below every score, and its power of 2 is 0 beside any of them.
constexpr float LOWEST = -1e30f;
constexpr double LOG2_E = 1.44269504088896340735992468100189214;

// How many keys row `row` sees: the first ones.
__device__ __forceinline__ unsigned visible(unsigned row, const Params& p) {
    return p.causal ? row % p.seq_q + 1 + p.seq_kv - p.seq_q : p.seq_kv;
}

// What a thread block computes: rows of one head from some of its keys.
struct Share {
    unsigned head, split, first_row, first_key, end_key;
    // False for the blocks that fill up the grid's last row.
    bool exists;
};

// The last of a head's rows see the most keys with the causal mask: they come first.
template <int ROWS>
__device__ __forceinline__ Share share_of(unsigned long long number, const Params& p) {
    unsigned tiles = (p.rows + ROWS - 1) / ROWS;
    Share share;
    share.first_row = (tiles - 1 - (unsigned)(number % tiles)) * ROWS;
    share.split = (unsigned)(number / tiles % p.splits);
    share.head = (unsigned)(number / tiles / p.splits);
    share.exists = number / tiles / p.splits < p.key_heads;
    // Where the rows reach into another head, that head's last query is taken to be among them.
    unsigned last = share.first_row + ROWS < p.rows ? share.first_row + ROWS - 1 : p.rows - 1;
    unsigned end = share.first_row / p.seq_q == last / p.seq_q ? visible(last, p) : p.seq_kv;
    share.first_key = share.split * p.chunk;
    share.end_key = end < share.first_key + p.chunk ? end : share.first_key + p.chunk;
    return share;
}

// Blocks are numbered along x, then y.
template <int ROWS>
__device__ __forceinline__ Share this_share(const Params& p) {
    return share_of<ROWS>(blockIdx.x + (unsigned long long)blockIdx.y * gridDim.x, p);
}

// Where the part of a row starts: head_dim sums, the highest score, the sum of the weights.
__device__ __forceinline__ unsigned long long part_start(unsigned split, unsigned long long row, const Params& p) {
    return (split * (unsigned long long)p.key_heads * p.rows + row) * (p.head_dim + 2ull);
}

// A thread computes one element of the output from its row's parts.
extern "C" __global__ void attention_combine(const real* __restrict__ parts, stored* __restrict__ o, Params p) {
    unsigned long long block = blockIdx.x + (unsigned long long)blockIdx.y * gridDim.x;
    unsigned long long element = block * blockDim.x + threadIdx.x;
    unsigned long long row = element / p.head_dim;
    if (row >= (unsigned long long)p.key_heads * p.rows) return;
    real highest = LOWEST;
    for (unsigned split = 0; split < p.splits; ++split) {
        real own = parts[part_start(split, row, p) + p.head_dim];
        highest = own > highest ? own : highest;
    }
    real sum = 0, total = 0;
    for (unsigned split = 0; split < p.splits; ++split) {
        const real* part = parts + part_start(split, row, p);
        real weight = power_of_2(part[p.head_dim] - highest);
        sum = multiply_add(weight, part[element % p.head_dim], sum);
        total = multiply_add(weight, part[p.head_dim + 1], total);
    }
    o[element] = narrow(sum / total);
}
