// Packed convolution of planes for CPUs: filters are the rows of a product and pixels, a panel of COLUMNS at a time, its
// columns. The filters are copied into panels once; then each work-group takes panel after panel of pixels, copies their
// windows into a slot of its own, and multiplies these with the filters' panels. Where filters are single elements at every
// place, planes of X are the rows of such a panel already, and only pixels of several images are copied.

typedef struct {
    params_t size;
    // Panels of filters that a work-group multiplies at a time, and elements of its slot.
    uint chunk, slot;
    // Whether Y is larger than caches are.
    uint streams, zero;
} packed_t;

// Pixels that are neighbours in a row of Y, and the elements under them at one place of the filters.
typedef struct {
    uint length;
    // The elements from `left` to `right` lie in X; the others are zeros.
    uint left, right;
    // Where the first one lies, or would lie, in the first plane.
    long start;
} run_t;

static run_t run_at(const params_t *size, pixel_t pixel, uint length, uint i, uint j)
{
    const uint row = (int)(pixel.row * size->stride_h + i * size->dilation_h) - (int)size->pad_h;
    const int column = (int)(pixel.column * size->stride_w + j * size->dilation_w) - (int)size->pad_w;
    const bool inside = row < size->h; // Negative ones are large.
    const run_t run = {length, inside ? places_below(column, size->stride_w, length, 0) : length,
                       inside ? places_below(column, size->stride_w, length, size->w) : length,
                       (long)(inside ? row : 0) * size->w + column};
    return run;
}

// Every second element.
static vector_t load_even(global const stored_t *from)
{
    vector_t value;
    value.lo = LOAD_VECTOR(from).even;
    value.hi = LOAD_VECTOR(from + WIDTH).even;
    return value;
}

#define INSIDE_VECTOR(r, v)                                                                                            \
    const mask_t inside##v = MASK(LANES + v * WIDTH >= (int)run.left && LANES + v * WIDTH < (int)run.right);
#define COPY_VECTOR(r, v)                                                                                              \
    if (v * WIDTH < run.length)                                                                                        \
        VECTOR_TO(inside##v ? LOAD_VECTOR(from + v * WIDTH) : (vector_t)0, to + v * WIDTH);
#define COPY_EVEN(r, v)                                                                                                \
    if (v * WIDTH < run.length)                                                                                        \
        VECTOR_TO(inside##v ? load_even(from + 2 * v * WIDTH) : (vector_t)0, to + v * WIDTH);

// Copies, for each of a group's channels, a run whose planes begin at `x`. Beyond its end up to `room` elements may be
// written. X is between `begin` and `end`.
static void copy_runs(global const stored_t *x, global const stored_t *begin, global const stored_t *end,
                      const params_t *size, run_t run, global sum_t *to, uint room)
{
    const uint channels = group_c(size), stride = size->stride_w, step = size->r * size->s * COLUMNS;
    const ulong area = (ulong)size->h * size->w;
    const long reach = (channels - 1) * area + PARTS(run.length, WIDTH) * WIDTH * stride;
    const bool whole = PARTS(run.length, WIDTH) * WIDTH <= run.length + room && x + run.start >= begin &&
                       end - x - run.start >= reach;
    global const stored_t *from = x + run.start;
    EACH_VECTOR(INSIDE_VECTOR, 0)
    if (whole && stride == 1)
        for (uint channel = 0; channel < channels; ++channel, from += area, to += step) {
            EACH_VECTOR(COPY_VECTOR, 0)
        }
    else if (whole && stride == 2)
        for (uint channel = 0; channel < channels; ++channel, from += area, to += step) {
            EACH_VECTOR(COPY_EVEN, 0)
        }
    else
        for (uint channel = 0; channel < channels; ++channel, from += area, to += step)
            for (uint i = 0; i < run.length; ++i)
                to[i] = i >= run.left && i < run.right ? LOAD(from + (ulong)i * stride) : (sum_t)0;
}

// Copies the windows of the COLUMNS pixels from `first` on into a panel.
static void pack_windows(global const stored_t *x, const params_t *size, uint group, uint first, global sum_t *panel)
{
    const uint count = min(pixels(size) - first, (uint)COLUMNS), places = size->r * size->s;
    const ulong area = (ulong)size->h * size->w;
    global const stored_t *end = x + (ulong)size->n * size->c * area;
    const pixel_t first_pixel = pixel_at(size, first);
    for (uint place = 0; place < places; ++place) {
        pixel_t pixel = first_pixel;
        // Runs from left to right: what one writes beyond its end the next one overwrites, or the next place's first one.
        for (uint column = 0, length; column < count; column += length, pixel = pixel_after(size, pixel, length)) {
            length = min(size->ow - pixel.column, count - column);
            const run_t run = run_at(size, pixel, length, place / size->s, place % size->s);
            copy_runs(x + ((ulong)pixel.image * size->c + group * group_c(size)) * area, x, end, size, run,
                      panel + place * COLUMNS + column, place + 1 < places ? WIDTH : COLUMNS - column - length);
        }
    }
}

// Whether the windows of a panel's pixels lie in X as a panel's rows do.
static bool in_place(const params_t *size, uint first)
{
    const uint area = size->oh * size->ow;
    // Halves have to be widened.
    return sizeof(stored_t) == sizeof(sum_t) && size->r == 1 && size->s == 1 && size->stride_h == 1 &&
           size->stride_w == 1 && size->pad_h == 0 && size->pad_w == 0 && first % area + COLUMNS <= area;
}

// Elements of a plane.
typedef struct {
    uint start, end;
} part_t;

// Where the windows of a panel's pixels begin and end, as far as these are of the first one's image.
static part_t windows_in_plane(const params_t *size, uint first)
{
    const uint area = size->oh * size->ow, last = min(first % area + COLUMNS, area) - 1;
    const pixel_t begin = pixel_at(size, first % area), end = pixel_at(size, last);
    const uint top = max((int)(begin.row * size->stride_h) - (int)size->pad_h, 0);
    const uint left = max((int)(begin.column * size->stride_w) - (int)size->pad_w, 0);
    const int below = (int)(end.row * size->stride_h + (size->r - 1) * size->dilation_h) - (int)size->pad_h;
    const int right = (int)(end.column * size->stride_w + (size->s - 1) * size->dilation_w) - (int)size->pad_w;
    const uint bottom = clamp(below, 0, (int)size->h - 1);
    const part_t part = {top * size->w + left, bottom * size->w + clamp(right, 0, (int)size->w - 1) + 1};
    return part;
}

// Lines of X that are asked for while others are multiplied.
typedef struct {
    // The next one, and elements from a plane to the next.
    global const stored_t *next;
    ulong apart;
    // Planes, and those that still have a line like the next one.
    uint planes, left;
    // So many lines are asked for in so many steps, and the part of one that is owed.
    uint lines, steps, owed;
} ahead_t;

// Elements of a line of X.
#define STORED_LINE (64 / sizeof(stored_t))

// What the windows of a panel's pixels need beyond the elements of their planes below `seen`.
static ahead_t ahead_of(global const stored_t *x, const params_t *size, uint group, uint first, uint seen, uint steps)
{
    const uint area = size->h * size->w;
    const part_t part = windows_in_plane(size, first);
    const uint start = max(part.start, seen), length = part.end > start ? part.end - start : 0;
    // One more where planes don't begin at lines.
    const uint lines = length == 0 ? 0 : PARTS(length, STORED_LINE) + (area % STORED_LINE != 0);
    const uint planes = group_c(size);
    const ulong plane = (ulong)(first / (size->oh * size->ow)) * size->c + group * planes;
    const ahead_t ahead = {x + plane * area + start, area, planes, planes, min(lines * planes, steps), steps, 0};
    return ahead;
}

// Whole vectors past the caches, which so don't fetch what is overwritten.
#if !defined(PRECISION_F16) && __has_builtin(__builtin_nontemporal_store)
#define STREAMS 1
#else
#define STREAMS 0
#endif
#define STREAM_VECTOR(r, v) __builtin_nontemporal_store(c##r##_##v, (global vector_t *)(to + v * WIDTH));
#define STREAM(r)                                                                                                      \
    if (r < rows) {                                                                                                    \
        EACH_VECTOR(STREAM_VECTOR, r)                                                                                  \
        to += stride;                                                                                                  \
    }

// Writes the product of a panel of filters and rows of pixels, `apart`, as `multiply` of panels.cl does, past the caches
// if it `streams`. Asks for lines ahead.
static void multiply_rows(global const sum_t *a, global const sum_t *b, ulong apart, uint k, ahead_t *lines,
                          global stored_t *to, ulong stride, uint rows, uint columns, bool streams)
{
    ahead_t ahead = *lines;
    bool asks;
    PRODUCT(
        ahead.owed += ahead.lines;
        asks = ahead.owed >= ahead.steps;
        ahead.owed -= asks ? ahead.steps : 0;
        , if (asks) {
            prefetch_line((global const sum_t *)ahead.next);
            ahead.next += ahead.apart;
            if (--ahead.left == 0) {
                ahead.left = ahead.planes;
                ahead.next += STORED_LINE - ahead.planes * ahead.apart;
            }
        }
        , b += apart;)
    *lines = ahead;
#if STREAMS
    if (streams && columns >= COLUMNS && ((size_t)to | stride * sizeof(stored_t)) % sizeof(vector_t) == 0) {
        EACH_ROW(STREAM)
        return;
    }
#endif
    EACH_ROW(WRITE)
}

// Writes a tile's pixels, which are of several images.
static void write_pixels(global const stored_t *tile, const params_t *size, uint filter, uint rows, uint first,
                         global stored_t *y)
{
    const uint area = size->oh * size->ow, count = min(pixels(size) - first, (uint)COLUMNS);
    for (uint column = 0, length; column < count; column += length) {
        length = min(area - (first + column) % area, count - column);
        global stored_t *to = y + place_y(size, first + column, filter);
        for (uint row = 0; row < min(rows, (uint)ROWS); ++row)
            for (uint i = 0; i < length; ++i)
                STORE(LOAD(tile + row * COLUMNS + column + i), to + (ulong)row * area + i);
    }
}

ONE_ITEM kernel void conv2d_packed(global const stored_t *restrict x, global const sum_t *restrict filters,
                                   global stored_t *restrict y, global sum_t *restrict slots, packed_t packed)
{
    const params_t size = packed.size;
    const uint k = depths(&size), area = size.oh * size.ow;
    const uint panels_p = PARTS(pixels(&size), COLUMNS), panels_f = PARTS(group_k(&size), ROWS);
    const uint chunks = PARTS(panels_f, packed.chunk);
    const ulong jobs = (ulong)size.groups * panels_p * chunks;

    global sum_t *windows = slots + GROUP * packed.slot;
    // Behind the panel, and a vector that copies may write beyond it.
    global stored_t *tile = (global stored_t *)(windows + k * COLUMNS + WIDTH);
    const ulong first_job = FIRST_JOB(jobs, GROUP), end_job = FIRST_JOB(jobs, GROUP + 1);
    for (ulong job = first_job; job < end_job; ++job) {
        const uint chunk = job % chunks, p = job / chunks % panels_p, group = job / chunks / panels_p;
        const uint first = p * COLUMNS, left = pixels(&size) - first;
        const uint first_f = chunk * packed.chunk, end_f = min(first_f + packed.chunk, panels_f);
        const uint image = first / area, end_image = (first + min(left, (uint)COLUMNS) - 1) / area;

        global const sum_t *b = windows;
        ulong apart = COLUMNS;
        if (in_place(&size, first)) {
            b = (global const sum_t *)x + ((ulong)image * size.c + group * group_c(&size)) * area + first % area;
            apart = area;
        } else if (chunk == 0 || job == first_job) { // Chunks of one panel follow each other.
            pack_windows(x, &size, group, first, windows);
        }
        const uint steps = (end_f - first_f) * k, next = first + COLUMNS;
        ahead_t ahead = {x, 0, 1, 1, 0, steps, 0};
        if (chunk + 1 == chunks && left > COLUMNS && job + 1 < end_job)
            ahead = ahead_of(x, &size, group, next, next / area == image ? windows_in_plane(&size, first).end : 0, steps);

        for (uint f = first_f; f < end_f; ++f) {
            global const sum_t *a = filters + ((ulong)group * panels_f + f) * PANEL_A(k);
            const uint filter = group * group_k(&size) + f * ROWS, rows = group_k(&size) - f * ROWS;
            if (image == end_image) {
                multiply_rows(a, b, apart, k, &ahead, y + place_y(&size, first, filter), area, rows, left,
                              packed.streams);
            } else {
                multiply_rows(a, b, apart, k, &ahead, tile, COLUMNS, rows, COLUMNS, false);
                write_pixels(tile, &size, filter, rows, first, y);
            }
        }
    }
}
