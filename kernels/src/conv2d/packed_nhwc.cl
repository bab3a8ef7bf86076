// Packed convolution of pixels with their channels together, for CPUs: pixels are the rows of a product and filters its
// columns. The filters are copied into panels once; then each work-group takes block after block of pixels, copies their
// windows into panels in a slot of its own, small enough to stay in the second-level cache, and multiplies these with the
// filters' panels.

typedef struct {
    params_t size;
    // Panels of pixels and of filters that a work-group multiplies at a time, and elements of its slot.
    uint block, chunk;
    uint slot, zero;
} packed_t;

static void zeros(global sum_t *to, uint length)
{
    uint i = 0;
    for (; i + WIDTH <= length; i += WIDTH)
        VECTOR_TO((vector_t)0, to + i);
    for (; i < length; ++i)
        to[i] = 0;
}

// Copies a run; up to WIDTH elements more may be read, below `end`, and written.
static void copy(global const stored_t *from, global const stored_t *end, global sum_t *to, uint length)
{
    uint i = 0;
    for (; i < length && end - (from + i) >= WIDTH; i += WIDTH)
        VECTOR_TO(LOAD_VECTOR(from + i), to + i);
    for (; i < length; ++i)
        to[i] = LOAD(from + i);
}

// Copies a pixel's window in the order of a filter.
static void copy_window(global const stored_t *x, const params_t *size, uint group, pixel_t pixel, global sum_t *to)
{
    const uint channels = group_c(size), line = size->s * channels;
    const int first_row = (int)(pixel.row * size->stride_h) - (int)size->pad_h;
    const int first_column = (int)(pixel.column * size->stride_w) - (int)size->pad_w;
    const uint left = places_below(first_column, size->dilation_w, size->s, 0);
    const uint right = places_below(first_column, size->dilation_w, size->s, size->w);
    global const stored_t *end = x + (ulong)size->n * size->h * size->w * size->c;
    x += (ulong)pixel.image * size->h * size->w * size->c + group * channels;
    for (uint i = 0; i < size->r; ++i, to += line) {
        const uint row = first_row + (int)(i * size->dilation_h);
        if (row >= size->h || left >= right) { // Negative ones are large.
            zeros(to, line);
            continue;
        }
        const uint column = first_column + (int)(left * size->dilation_w);
        global const stored_t *from = x + ((ulong)row * size->w + column) * size->c;
        zeros(to, left * channels);
        // Neighbours in an image are neighbours in a filter too.
        if (size->dilation_w == 1 && channels == size->c)
            copy(from, end, to + left * channels, (right - left) * channels);
        else
            for (uint j = left; j < right; ++j, from += (ulong)size->dilation_w * size->c)
                copy(from, end, to + j * channels, channels);
        zeros(to + right * channels, line - right * channels);
    }
}

// Copies the windows of PIXELS pixels into a panel; `line` has room for one of them and a vector more.
static void pack_windows(global const stored_t *x, const params_t *size, uint group, uint first, global sum_t *panel,
                         global sum_t *line)
{
    const uint k = depths(size), count = min(pixels(size) - first, (uint)PIXELS);
    pixel_t pixel = pixel_at(size, first);
    for (uint row = 0; row < count; ++row, pixel = pixel_after(size, pixel, 1)) {
        copy_window(x, size, group, pixel, line);
        global sum_t *to = panel + row * WIDTH;
        for (uint depth = 0; depth < k; depth += WIDTH, to += WIDTH * ROWS)
            VECTOR_TO(VECTOR_FROM(line + depth), to);
    }
}

ONE_ITEM kernel void conv2d_packed(global const stored_t *restrict x, global const sum_t *restrict filters,
                                   global stored_t *restrict y, global sum_t *restrict slots, packed_t packed)
{
    const params_t size = packed.size;
    const uint k = depths(&size);
    const uint panels_p = PARTS(pixels(&size), PIXELS), panels_f = PARTS(group_k(&size), FILTERS);
    const uint blocks = PARTS(panels_p, packed.block), chunks = PARTS(panels_f, packed.chunk);
    const ulong jobs = (ulong)size.groups * blocks * chunks;

    global sum_t *windows = slots + GROUP * packed.slot;
    global sum_t *window = windows + packed.block * PANEL_PIXELS(k);
    const ulong first_job = FIRST_JOB(jobs, GROUP), end_job = FIRST_JOB(jobs, GROUP + 1);
    for (ulong job = first_job; job < end_job; ++job) {
        const uint chunk = job % chunks, block = job / chunks % blocks, group = job / chunks / blocks;
        const uint first_p = block * packed.block, end_p = min(first_p + packed.block, panels_p);
        const uint first_f = chunk * packed.chunk, end_f = min(first_f + packed.chunk, panels_f);
        // Chunks of one block follow each other.
        for (uint p = first_p; p < end_p && (chunk == 0 || job == first_job); ++p)
            pack_windows(x, &size, group, p * PIXELS, windows + (p - first_p) * PANEL_PIXELS(k), window);
        for (uint f = first_f; f < end_f; ++f) {
            global const sum_t *panel = filters + ((ulong)group * panels_f + f) * PANEL_FILTERS(k);
            const uint filter = f * FILTERS, left = group_k(&size) - filter;
            for (uint p = first_p; p < end_p; ++p) {
                const uint pixel = p * PIXELS;
                multiply(windows + (p - first_p) * PANEL_PIXELS(k), panel, k,
                         y + place_y(&size, pixel, group * group_k(&size) + filter), size.k, pixels(&size) - pixel, left,
                         0, 0);
            }
        }
    }
}
