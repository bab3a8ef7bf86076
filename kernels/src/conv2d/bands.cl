// Convolution with one channel a group, for CPUs: a work-group a band of rows of Y.
//
// Definitions: WIDTH (elements of a vector), LOCAL (elements of local memory).
//
// Where channels are planes, a vector is of neighbours in a row. The band's part of X is copied into local memory first,
// with zeros around it, and with columns that are a stride apart next to each other: so every load of a vector is a plain
// one. Where channels are innermost, a vector is of channels, and the filters are what has to be copied.

typedef struct {
    params_t size;
    // Rows of a band, and its columns: of pixels where channels are planes, else of channels.
    uint rows, columns;
    // How far apart columns of different phase are in local memory, and rows.
    uint phase, line;
} bands_t;

#define ROWS 4

#if NHWC

static vector_t load_tap(global const stored_t *from, uint count)
{
    if (count >= WIDTH)
        return LOAD_VECTOR(from);
    sum_t values[WIDTH];
    for (uint i = 0; i < WIDTH; ++i)
        values[i] = i < count ? LOAD(from + i) : (sum_t)0;
    return VECTOR_FROM(values);
}

#else

// Copies a row of X, from column `first` on.
static void copy_row(global const stored_t *row, const params_t *size, local sum_t *to, int first, uint phase, uint line)
{
    const uint stride = size->stride_w;
    for (uint shift = 0; shift < stride; ++shift, to += phase) {
        const uint length = line / stride;
        const int start = first + (int)shift;
        const uint left = places_below(start, stride, length, 0), right = places_below(start, stride, length, size->w);
        uint i = 0;
        for (; i < left; ++i)
            to[i] = 0;
        if (stride == 1)
            for (; i + WIDTH <= right; i += WIDTH)
                VECTOR_TO(LOAD_VECTOR(row + start + i), to + i);
        for (; i < right; ++i)
            to[i] = LOAD(row + start + (long)i * stride);
        for (; i < length; ++i)
            to[i] = 0;
    }
}

#endif

ONE_ITEM kernel void conv2d_bands(global const stored_t *restrict x, global const stored_t *restrict w,
                                  global stored_t *restrict y, bands_t bands)
{
    local sum_t memory[LOCAL];
    const params_t size = bands.size;
    const uint taps = size.r * size.s;
    const uint parts = PARTS(NHWC ? size.k : size.ow, bands.columns), heights = PARTS(size.oh, bands.rows);
    const uint part = GROUP % parts, band = GROUP / parts % heights;
    const ulong plane = GROUP / parts / heights;
    if (plane >= (NHWC ? size.n : (ulong)size.n * size.k))
        return;
    const uint first = part * bands.columns;
    const uint columns = min((NHWC ? size.k : size.ow) - first, bands.columns);
    const uint first_row = band * bands.rows, end_row = min(first_row + bands.rows, size.oh);
#if NHWC
    // Every tap's channels next to each other.
    for (uint k = 0; k < columns; ++k)
        for (uint tap = 0; tap < taps; ++tap)
            memory[tap * bands.columns + k] = LOAD(w + (ulong)(first + k) * taps + tap);

    for (uint row = first_row; row < end_row; ++row) {
        const int top = (int)(row * size.stride_h) - (int)size.pad_h;
        const uint i_first = places_below(top, size.dilation_h, size.r, 0);
        const uint i_end = places_below(top, size.dilation_h, size.r, size.h);
        for (uint column = 0; column < size.ow; ++column) {
            const int left = (int)(column * size.stride_w) - (int)size.pad_w;
            const uint j_first = places_below(left, size.dilation_w, size.s, 0);
            const uint j_end = places_below(left, size.dilation_w, size.s, size.w);
            const ulong pixel = (plane * size.oh + row) * size.ow + column;
            for (uint k = 0; k < columns; k += WIDTH) {
                vector_t sum = 0;
                for (uint i = i_first; i < i_end; ++i)
                    for (uint j = j_first; j < j_end; ++j) {
                        const ulong at = (plane * size.h + top + (int)(i * size.dilation_h)) * size.w + left
                                         + (int)(j * size.dilation_w);
                        local const sum_t *filter = memory + (i * size.s + j) * bands.columns + k;
                        sum = fma(load_tap(x + at * size.c + first + k, columns - k), VECTOR_FROM(filter), sum);
                    }
                write(sum, y + pixel * size.k + first + k, columns - k);
            }
        }
    }
#else
    local sum_t *filter = memory, *image = memory + taps;
    const uint k = plane % size.k;
    for (uint tap = 0; tap < taps; ++tap)
        filter[tap] = LOAD(w + (ulong)k * taps + tap);
    const ulong channel = plane / size.k * size.c + k / group_k(&size);
    const int left = (int)(first * size.stride_w) - (int)size.pad_w;
    const uint top = first_row * size.stride_h - size.pad_h;
    const uint height = (end_row - first_row - 1) * size.stride_h + (size.r - 1) * size.dilation_h + 1;
    for (uint i = 0; i < height; ++i) {
        local sum_t *to = image + i * bands.line;
        const uint row = top + i;
        if (row < size.h) // Negative ones are large.
            copy_row(x + (channel * size.h + row) * size.w, &size, to, left, bands.phase, bands.line);
        else
            for (uint j = 0; j < bands.line; ++j)
                to[j] = 0;
    }

    const uint below = size.stride_h * bands.line;
    for (uint row = first_row; row < end_row; row += ROWS) {
        global stored_t *to = y + (plane * size.oh + row) * size.ow + first;
        for (uint column = 0; column < columns; column += WIDTH) {
            vector_t sum0 = 0, sum1 = 0, sum2 = 0, sum3 = 0;
            for (uint i = 0; i < size.r; ++i) {
                local const sum_t *line =
                    image + (row - first_row) * below + i * size.dilation_h * bands.line + column;
                uint shift = 0;
                for (uint j = 0; j < size.s; ++j) {
                    const vector_t tap = filter[i * size.s + j];
                    local const sum_t *from = line + shift * bands.phase;
                    sum0 = fma(tap, VECTOR_FROM(from), sum0);
                    sum1 = fma(tap, VECTOR_FROM(from + below), sum1);
                    sum2 = fma(tap, VECTOR_FROM(from + 2 * below), sum2);
                    sum3 = fma(tap, VECTOR_FROM(from + 3 * below), sum3);
                    // A dilation further: whole strides are places, the rest is phases.
                    line += size.dilation_w / size.stride_w;
                    shift += size.dilation_w % size.stride_w;
                    if (shift >= size.stride_w) {
                        shift -= size.stride_w;
                        ++line;
                    }
                }
            }
            const uint rows = end_row - row, count = columns - column;
            write(sum0, to + column, count);
            if (rows > 1)
                write(sum1, to + column + size.ow, count);
            if (rows > 2)
                write(sum2, to + column + 2ul * size.ow, count);
            if (rows > 3)
                write(sum3, to + column + 3ul * size.ow, count);
        }
    }
#endif
}
