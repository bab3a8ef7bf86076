// The operands of a convolution as a product for each group. Rows and columns are such that neighbours in Y are columns:
// A is the filters and B the pixels' windows where channels are planes, and the other way round where they are innermost.
// k runs over a window in the order of a filter in memory.

#define ENTRY conv2d_tiled
#define ALONG_SIDE_A 0
#define ALONG_SIDE_B !NHWC

static uint extent_m(const params_t *size) { return NHWC ? pixels(size) : group_k(size); }
static uint extent_n(const params_t *size) { return NHWC ? group_k(size) : pixels(size); }
static uint extent_k(const params_t *size) { return depths(size); }
static uint extent_batch(const params_t *size) { return size->groups; }

// The p-th element of a window.
typedef struct {
    uint p, channel, i, j;
} depth_t;

static depth_t depth_at(const params_t *size, uint p)
{
    const uint channels = group_c(size);
#if NHWC
    const depth_t depth = {p, p % channels, p / channels / size->s, p / channels % size->s};
#else
    const depth_t depth = {p, p / size->s / size->r, p / size->s % size->r, p % size->s};
#endif
    return depth;
}

// The sum of both, as numbers with three digits.
static depth_t deeper(const params_t *size, depth_t depth, depth_t step)
{
    depth.p += step.p;
    depth.channel += step.channel;
    depth.i += step.i;
    depth.j += step.j;
#define CARRY(digit, base, next)                                                                                       \
    if (depth.digit >= base) {                                                                                         \
        depth.digit -= base;                                                                                           \
        ++depth.next;                                                                                                  \
    }
#if NHWC
    CARRY(channel, group_c(size), j)
    CARRY(j, size->s, i)
#else
    CARRY(j, size->s, i)
    CARRY(i, size->r, channel)
#endif
    return depth;
}

// Where a filter starts.
typedef struct {
    ulong start;
    bool exists;
} filter_t;

static filter_t filter_at(const params_t *size, uint group, uint k)
{
    const filter_t filter = {(ulong)(group * group_k(size) + k) * depths(size), k < group_k(size)};
    return filter;
}

static sum_t load_filter(global const stored_t *w, const params_t *size, filter_t filter, depth_t depth)
{
    return LOAD(w + filter.start + depth.p);
}

// Where an image's channels of a group start, and the place of a window in it.
typedef struct {
    ulong start;
    int y, x;
    bool exists;
} window_t;

static window_t window_at(const params_t *size, uint group, uint pixel)
{
    const uint row = pixel / size->ow, image = row / size->oh;
    const uint channel = group * group_c(size);
    const ulong area = (ulong)size->h * size->w;
    const window_t window = {
        image * size->c * area + (NHWC ? channel : channel * area),
        (int)(row % size->oh * size->stride_h) - (int)size->pad_h,
        (int)(pixel % size->ow * size->stride_w) - (int)size->pad_w,
        pixel < pixels(size),
    };
    return window;
}

static sum_t load_window(global const stored_t *x, const params_t *size, window_t window, depth_t depth)
{
    const uint row = window.y + (int)(depth.i * size->dilation_h);
    const uint column = window.x + (int)(depth.j * size->dilation_w);
    if (row >= size->h || column >= size->w) // Negative ones are large.
        return 0;
    const ulong at = NHWC ? ((ulong)row * size->w + column) * size->c + depth.channel
                          : ((ulong)depth.channel * size->h + row) * size->w + column;
    return LOAD(x + window.start + at);
}

#if NHWC
typedef window_t side_a_t;
typedef filter_t side_b_t;
#define side_a window_at
#define side_b filter_at
#define load_a load_window
#define load_b load_filter
#else
typedef filter_t side_a_t;
typedef window_t side_b_t;
#define side_a filter_at
#define side_b window_at
#define load_a load_filter
#define load_b load_window
#endif

static ulong place_c(const params_t *size, uint group, uint row, uint column)
{
    const uint filter = group * group_k(size);
    return NHWC ? place_y(size, row, filter + column) : place_y(size, column, filter + row);
}

