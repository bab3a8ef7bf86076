// Convolution of planes for CPUs, with windows that overlap in memory as they do in the image. After M. Cho and D. Brand,
// "MEC: Memory-efficient Convolution for Deep Neural Network", ICML 2017.
//
// For each of a channel's planes and each column of a filter there is a copy of the plane, shifted by that column, of the
// output's width and with zeros above and below. In such a copy what a filter's row needs for neighbouring pixels of Y is a
// run, also across the ends of rows, and the next row of the filter needs the run one row further on. So a product reads
// its columns straight from the copies: where one begins is the same distance from the first for all pixels.
//
// Images lie below each other. Between two of them are pixels that belong to none, which are computed and dropped. Rows of
// X that a stride skips are copies of their own, a `phase` each.

typedef struct {
    params_t size;
    // Panels of pixels and of filters that a work-group multiplies at a time, elements of its slot and of a copy in it.
    uint block, chunk, slot, plane;
    // Rows of an image in a copy, kinds of rows that a stride tells apart, and rows that a filter reaches down in a copy.
    uint rows, phases, reach, zero;
} shifted_t;

// Copies `length` elements of a row of X, `stride_w` apart, from column `start` on, which may lie before it, with zeros
// where there are none. Up to WIDTH elements more may be written. Below `end` elements may be read.
static void copy_run(global const stored_t *row, global const stored_t *end, const params_t *size, global sum_t *to,
                     int start, uint length)
{
    const uint stride = size->stride_w;
    const uint left = places_below(start, stride, length, 0), right = places_below(start, stride, length, size->w);
    if (left >= right) {
        zeros(to, length);
        return;
    }
    for (uint i = 0; i < left; ++i)
        to[i] = 0;
    const uint inside = right - left;
    global const stored_t *from = row + (start + (int)(left * stride));
    global sum_t *run = to + left;
    uint vectors = stride > 2 ? 0 : PARTS(inside, WIDTH);
    if (end - from < (ptrdiff_t)(vectors * WIDTH * stride))
        vectors = (inside * stride - (stride - 1)) / (WIDTH * stride);
    if (stride == 1)
        for (uint i = 0; i < vectors; ++i)
            VECTOR_TO(LOAD_VECTOR(from + i * WIDTH), run + i * WIDTH);
    else
        for (uint i = 0; i < vectors; ++i)
            VECTOR_TO(load_even(from + 2 * i * WIDTH), run + i * WIDTH);
    for (uint i = vectors * WIDTH; i < inside; ++i)
        run[i] = LOAD(from + (ulong)i * stride);
    for (uint i = right; i < length; ++i)
        to[i] = 0;
}

// Copies what `length` pixels need, the first of which is the `column`-th of a copy's row `row`.
static void copy_plane(global const stored_t *x, global const stored_t *end, const shifted_t *shifted, uint channel,
                       uint phase, uint shift, uint row, uint column, global sum_t *to, uint length)
{
    const params_t *size = &shifted->size;
    const ulong area = (ulong)size->h * size->w;
    const int first = (int)(shift * size->dilation_w) - (int)size->pad_w;
    uint image = row / shifted->rows;
    row -= image * shifted->rows;
    for (uint at = 0; at < length;) {
        const uint run = min(size->ow - column, length - at);
        const uint x_row = (int)(row * size->stride_h + phase) - (int)size->pad_h;
        if (image < size->n && x_row < size->h) // Negative ones are large.
            copy_run(x + ((ulong)image * size->c + channel) * area + (ulong)x_row * size->w, end, size, to + at,
                     (int)(column * size->stride_w) + first, run);
        else
            zeros(to + at, run);
        at += run;
        column = 0;
        if (++row == shifted->rows) {
            row = 0;
            ++image;
        }
    }
}

// As in panels.cl, but each row of B's panel begins at its place in `windows`.
static void multiply_placed(global const sum_t *a, global const sum_t *windows, global const uint *places, uint k,
                            global stored_t *to, ulong stride, uint rows, uint columns)
{
    PRODUCT(global const sum_t *b = windows + places[depth + step];, )
}

// The product of a panel of filters and the COLUMNS pixels from `first` on, of which `left` are there.
static void multiply_into(const shifted_t *shifted, global const sum_t *filters, global const sum_t *windows,
                          global const uint *places, uint filter, uint filters_left, uint first, uint left,
                          global stored_t *y, global stored_t *tile)
{
    const params_t *size = &shifted->size;
    const uint k = depths(size), area = size->oh * size->ow, period = shifted->rows * size->ow;
    const uint count = min(left, (uint)COLUMNS);
    uint image = first / period, pixel = first % period;
    if (pixel + count <= area) {
        global stored_t *to = y + ((ulong)image * size->k + filter) * area + pixel;
        multiply_placed(filters, windows, places, k, to, area, filters_left, count);
        return;
    }
    // Some belong to other images, or to none.
    multiply_placed(filters, windows, places, k, tile, COLUMNS, filters_left, COLUMNS);
    const uint rows = min(filters_left, (uint)ROWS);
    for (uint column = 0; column < count; pixel = 0, ++image) {
        const uint length = pixel < area ? min(area - pixel, count - column) : 0;
        global stored_t *to = y + ((ulong)image * size->k + filter) * area + pixel;
        for (uint row = 0; row < rows; ++row)
            for (uint i = 0; i < length; ++i)
                STORE(LOAD(tile + row * COLUMNS + column + i), to + (ulong)row * area + i);
        column += period - pixel;
    }
}

ONE_ITEM kernel void conv2d_shifted(global const stored_t *restrict x, global const sum_t *restrict filters,
                                    global stored_t *restrict y, global sum_t *restrict slots, shifted_t shifted)
{
    const params_t size = shifted.size;
    const uint channels = group_c(&size), phases = shifted.phases, plane = shifted.plane;
    const uint all = (size.n - 1) * shifted.rows * size.ow + size.oh * size.ow;
    const uint panels_p = PARTS(all, COLUMNS), panels_f = PARTS(group_k(&size), ROWS);
    const uint blocks = PARTS(panels_p, shifted.block), chunks = PARTS(panels_f, shifted.chunk);
    const ulong jobs = (ulong)size.groups * blocks * chunks;
    global const stored_t *end = x + (ulong)size.n * size.c * size.h * size.w;

    global sum_t *windows = slots + GROUP * shifted.slot;
    global sum_t *behind = windows + channels * phases * size.s * plane;
    global stored_t *tile = (global stored_t *)behind;
    global uint *places = (global uint *)(behind + ROWS * COLUMNS);
    for (uint channel = 0, depth = 0; channel < channels; ++channel)
        for (uint i = 0; i < size.r; ++i) {
            const uint down = i * size.dilation_h, phase = down % size.stride_h;
            const uint place = (channel * phases + phase) * size.s * plane + down / size.stride_h * size.ow;
            for (uint j = 0; j < size.s; ++j)
                places[depth++] = place + j * plane;
        }

    const ulong first_job = FIRST_JOB(jobs, GROUP), end_job = FIRST_JOB(jobs, GROUP + 1);
    for (ulong job = first_job; job < end_job; ++job) {
        const uint chunk = job % chunks, block = job / chunks % blocks, group = job / chunks / blocks;
        const uint first_p = block * shifted.block, end_p = min(first_p + shifted.block, panels_p);
        const uint first_f = chunk * shifted.chunk, end_f = min(first_f + shifted.chunk, panels_f);
        const uint first = first_p * COLUMNS, length = (end_p - first_p) * COLUMNS + shifted.reach * size.ow;
        global sum_t *to = windows;
        // Chunks of one block follow each other.
        for (uint channel = 0; channel < channels && (chunk == 0 || job == first_job); ++channel)
            for (uint phase = 0; phase < phases; ++phase)
                for (uint shift = 0; shift < size.s; ++shift, to += plane)
                    copy_plane(x, end, &shifted, group * channels + channel, phase, shift, first / size.ow,
                               first % size.ow, to, length);
        for (uint f = first_f; f < end_f; ++f) {
            global const sum_t *panel = filters + ((ulong)group * panels_f + f) * PANEL_FILTERS(size.r * size.s * channels);
            const uint filter = group * group_k(&size) + f * ROWS;
            for (uint p = first_p; p < end_p; ++p)
                multiply_into(&shifted, panel, windows + (p - first_p) * COLUMNS, places, filter,
                              group_k(&size) - f * ROWS, p * COLUMNS, all - p * COLUMNS, y, tile);
        }
    }
}
