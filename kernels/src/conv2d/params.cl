// The sizes of a convolution. Definition: NHWC (1 or 0: the layout).

typedef struct {
    uint n, c, h, w, k, r, s;
    uint stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w;
    uint groups, oh, ow;
} params_t;

static uint group_c(const params_t *size) { return size->c / size->groups; }
static uint group_k(const params_t *size) { return size->k / size->groups; }
static uint pixels(const params_t *size) { return size->n * size->oh * size->ow; }
static uint depths(const params_t *size) { return group_c(size) * size->r * size->s; }

// Where an element of Y lies.
static ulong place_y(const params_t *size, uint pixel, uint filter)
{
    const uint image = size->oh * size->ow;
    return NHWC ? (ulong)pixel * size->k + filter
                : ((ulong)(pixel / image) * size->k + filter) * image + pixel % image;
}

// How many of `count` places, `step` apart from `first` on, lie below `end`.
static uint places_below(int first, uint step, uint count, int end)
{
    if (first >= end)
        return 0;
    const uint length = end - first;
    // The usual step is worth a branch: divisions are slow.
    return min(count, step == 1 ? length : (length + step - 1) / step);
}

