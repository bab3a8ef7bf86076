// Packed convolution for CPUs: the filters are copied into panels once; then each work-group takes block after block of
// pixels, copies their windows into panels in a slot of its own, small enough to stay in the second-level cache, and
// multiplies these with the filters' panels. Where filters are single elements at every place, planes of X are the rows of
// such a panel already, and only pixels of several images are copied.

typedef struct {
    params_t size;
    // Panels of pixels and of filters that a work-group multiplies at a time, and elements of its slot.
    uint block, chunk;
    uint slot, zero;
} packed_t;

// An output pixel.
typedef struct {
    uint image, row, column;
} pixel_t;

static pixel_t pixel_at(const params_t *size, uint number)
{
    const uint row = number / size->ow;
    const pixel_t pixel = {row / size->oh, row % size->oh, number % size->ow};
    return pixel;
}

// The pixel `steps` further in the same row, or the next row's first.
static pixel_t pixel_after(const params_t *size, pixel_t pixel, uint steps)
{
    pixel.column += steps;
    if (pixel.column == size->ow) {
        pixel.column = 0;
        if (++pixel.row == size->oh) {
            pixel.row = 0;
            ++pixel.image;
        }
    }
    return pixel;
}

#if NHWC

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

#else

// Copies, for each of a group's channels, a run of elements `stride_w` apart, and zeros before and after it.
// Beyond the run's end up to `room` elements may be written. Below `end` elements may be read.
static void copy_channels(global const stored_t *from, global const stored_t *end, const params_t *size,
                          global sum_t *to, uint before, uint inside, uint after, uint room)
{
    const uint channels = group_c(size), stride = size->stride_w, step = size->r * size->s * COLUMNS;
    const ulong area = (ulong)size->h * size->w;
    // Whole vectors as long as there is room and no channel's last one reads beyond the tensor.
    uint vectors = stride > 2 ? 0 : min(PARTS(inside, WIDTH), (inside + room) / WIDTH);
    if (vectors != 0 && end - from < (ptrdiff_t)((channels - 1) * area + vectors * WIDTH * stride))
        vectors = 0;
    for (uint channel = 0; channel < channels; ++channel, from += area, to += step) {
        for (uint i = 0; i < before; ++i)
            to[i] = 0;
        global sum_t *run = to + before;
        if (stride == 1)
            for (uint i = 0; i < vectors; ++i)
                VECTOR_TO(LOAD_VECTOR(from + i * WIDTH), run + i * WIDTH);
        else
            for (uint i = 0; i < vectors; ++i)
                VECTOR_TO(load_even(from + 2 * i * WIDTH), run + i * WIDTH);
        for (uint i = vectors * WIDTH; i < inside; ++i)
            run[i] = LOAD(from + (ulong)i * stride);
        for (uint i = 0; i < after; ++i)
            run[inside + i] = 0;
    }
}

// Copies the windows of PIXELS pixels into a panel.
static void pack_windows(global const stored_t *x, const params_t *size, uint group, uint first, global sum_t *panel,
                         global sum_t *line)
{
    const uint count = min(pixels(size) - first, (uint)PIXELS);
    const ulong area = (ulong)size->h * size->w;
    global const stored_t *end = x + (ulong)size->n * size->c * area;
    const pixel_t first_pixel = pixel_at(size, first);
    for (uint i = 0; i < size->r; ++i)
        for (uint j = 0; j < size->s; ++j) {
            global sum_t *to = panel + (i * size->s + j) * COLUMNS;
            pixel_t pixel = first_pixel;
            // Runs of pixels in one row, from left to right: what one writes beyond its end the next one overwrites.
            for (uint column = 0; column < count;) {
                const uint length = min(size->ow - pixel.column, count - column);
                const uint row = (int)(pixel.row * size->stride_h + i * size->dilation_h) - (int)size->pad_h;
                const int start = (int)(pixel.column * size->stride_w + j * size->dilation_w) - (int)size->pad_w;
                uint left = places_below(start, size->stride_w, length, 0);
                uint right = places_below(start, size->stride_w, length, size->w);
                if (row >= size->h) // Negative ones are large.
                    left = right = length;
                const ulong channel = (ulong)pixel.image * size->c + group * group_c(size);
                const ulong at = left < right ? channel * area + (ulong)row * size->w + start + left * size->stride_w : 0;
                copy_channels(x + at, end, size, to + column, left, right - left, length - right,
                              COLUMNS - column - right);
                column += length;
                pixel = pixel_after(size, pixel, length);
            }
        }
}

#endif

// A panel's rows: where the first one begins, how far they are apart, and whether that is in X.
typedef struct {
    global const sum_t *start;
    ulong stride;
    bool in_place;
} rows_t;

// The windows of pixels from `first` on: where they lie in X, if they lie there as a panel's rows do, and else the panel.
static rows_t windows_at(global const stored_t *x, const params_t *size, uint group, uint first,
                         global const sum_t *panel)
{
    const rows_t copied = {panel, COLUMNS, false};
#if NHWC
    return copied;
#else
    const uint area = size->oh * size->ow, pixel = first % area;
    // Halves have to be widened.
    if (sizeof(stored_t) != sizeof(sum_t) || size->r != 1 || size->s != 1 || size->stride_h != 1 || size->stride_w != 1 ||
        size->pad_h != 0 || size->pad_w != 0 || pixel + COLUMNS > area)
        return copied;
    const ulong plane = (ulong)(first / area) * size->c + group * group_c(size);
    const rows_t in_place = {(global const sum_t *)x + plane * area + pixel, area, true};
    return in_place;
#endif
}

// As in panels.cl, but rows of B are `apart`, and of each the line is asked for that lies `ahead` of it.
static void multiply_rows(global const sum_t *a, global const sum_t *b, ulong apart, ptrdiff_t ahead, uint k,
                          global stored_t *to, ulong stride, uint rows, uint columns)
{
    PRODUCT(prefetch_line(b + ahead);, b += apart;)
}

// The product of the windows of a panel of pixels and a panel of filters, from `first_pixel` and `first_filter` on.
static void multiply_into(const params_t *size, uint group, rows_t windows, ptrdiff_t ahead,
                          global const sum_t *filters, uint first_pixel, uint first_filter, global stored_t *y,
                          global stored_t *tile)
{
    const uint k = depths(size), filter = group * group_k(size) + first_filter;
    const uint pixels_left = pixels(size) - first_pixel, filters_left = group_k(size) - first_filter;
    global stored_t *to = y + place_y(size, first_pixel, filter);
#if NHWC
    multiply(windows.start, filters, k, to, size->k, pixels_left, filters_left);
#else
    const uint area = size->oh * size->ow;
    const uint count = min(pixels_left, (uint)COLUMNS);
    if (first_pixel % area + count <= area) {
        multiply_rows(filters, windows.start, windows.stride, ahead, k, to, area, filters_left, pixels_left);
        return;
    }
    // The pixels are of several images, so the tile falls into pieces.
    multiply_rows(filters, windows.start, windows.stride, ahead, k, tile, COLUMNS, filters_left, COLUMNS);
    const uint rows = min(filters_left, (uint)ROWS);
    for (uint column = 0; column < count;) {
        const uint length = min(area - (first_pixel + column) % area, count - column);
        to = y + place_y(size, first_pixel + column, filter);
        for (uint row = 0; row < rows; ++row)
            for (uint i = 0; i < length; ++i)
                STORE(LOAD(tile + row * COLUMNS + column + i), to + (ulong)row * area + i);
        column += length;
    }
#endif
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
    global stored_t *tile = (global stored_t *)window;
    const ulong first_job = FIRST_JOB(jobs, GROUP), end_job = FIRST_JOB(jobs, GROUP + 1);
    for (ulong job = first_job; job < end_job; ++job) {
        const uint chunk = job % chunks, block = job / chunks % blocks, group = job / chunks / blocks;
        const uint first_p = block * packed.block, end_p = min(first_p + packed.block, panels_p);
        const uint first_f = chunk * packed.chunk, end_f = min(first_f + packed.chunk, panels_f);
        // Chunks of one block follow each other.
        for (uint p = first_p; p < end_p && (chunk == 0 || job == first_job); ++p) {
            global sum_t *panel = windows + (p - first_p) * PANEL_PIXELS(k);
            if (!windows_at(x, &size, group, p * PIXELS, panel).in_place)
                pack_windows(x, &size, group, p * PIXELS, panel, window);
        }
        for (uint f = first_f; f < end_f; ++f) {
            global const sum_t *panel = filters + ((ulong)group * panels_f + f) * PANEL_FILTERS(k);
            for (uint p = first_p; p < end_p; ++p) {
                const rows_t rows = windows_at(x, &size, group, p * PIXELS, windows + (p - first_p) * PANEL_PIXELS(k));
                // Each pass over a block brings a line more of the next one's rows, while it computes.
                const uint line = (f - first_f) * LINE, next_p = p + (end_p - first_p);
                ptrdiff_t ahead = 0;
                if (rows.in_place && next_p < panels_p && line < COLUMNS) {
                    const rows_t next = windows_at(x, &size, group, next_p * PIXELS, 0);
                    ahead = next.in_place ? next.start + line - rows.start : 0;
                }
                multiply_into(&size, group, rows, ahead, panel, p * PIXELS, f * FILTERS, y, tile);
            }
        }
    }
}
