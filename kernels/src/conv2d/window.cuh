// The sizes of a convolution, and how it is a product for each group: filters times the pixels' windows, the sums over a
// window's elements in the order of a filter in memory.
//
// Specialised by: NHWC (1 or 0, the layout).

struct Params {
    unsigned n, c, h, w, k, r, s;
    unsigned stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w;
    unsigned groups, oh, ow;
};

// The sizes that follow from them.
struct Sizes {
    unsigned channels, filters, depths, pixels;

    __device__ __forceinline__ explicit Sizes(const Params& p)
        : channels(p.c / p.groups),
          filters(p.k / p.groups),
          depths(p.c / p.groups * p.r * p.s),
          pixels(p.n * p.oh * p.ow) {}
};

// An element of a window, or a step from one to another.
struct Depth {
    unsigned channel, i, j;

    __device__ __forceinline__ Depth(const Params& p, unsigned channels, unsigned number) {
        if (NHWC) {
            channel = number % channels;
            j = number / channels % p.s;
            i = number / channels / p.s;
        } else {
            j = number % p.s;
            i = number / p.s % p.r;
            channel = number / p.s / p.r;
        }
    }

    // Adds a step as numbers of three digits are added: no digit overflows twice.
    __device__ __forceinline__ void advance(const Depth& step, const Params& p, unsigned channels) {
        channel += step.channel;
        i += step.i;
        j += step.j;
        if (NHWC && channel >= channels) {
            channel -= channels;
            ++j;
        }
        if (j >= p.s) {
            j -= p.s;
            ++i;
        }
        if (!NHWC && i >= p.r) {
            i -= p.r;
            ++channel;
        }
    }

    // The next element.
    __device__ __forceinline__ void advance(const Params& p, unsigned channels) {
        if (NHWC) {
            if (++channel < channels) return;
            channel = 0;
        }
        if (++j < p.s) return;
        j = 0;
        if (++i < p.r || NHWC) return;
        i = 0;
        ++channel;
    }

    // False past the window's end.
    __device__ __forceinline__ bool exists(const Params& p, unsigned channels) const {
        return NHWC ? i < p.r : channel < channels;
    }

    // From a window's first element to this one, in elements of X.
    __device__ __forceinline__ long long offset(const Params& p) const {
        unsigned row = i * p.dilation_h, column = j * p.dilation_w;
        return NHWC ? ((long long)row * p.w + column) * p.c + channel
                    : ((long long)channel * p.h + row) * p.w + column;
    }
};

// The window of a pixel of Y.
template <typename T>
struct Window {
    // The first element, which may lie outside of the image, and its place.
    const T* first;
    int y, x;

    Window() = default;

    __device__ __forceinline__ Window(
        const T* image, const Params& p, const Sizes& sizes, unsigned group, unsigned long long pixel) {
        unsigned number = (unsigned)pixel, row = number / p.ow;
        y = (int)(row % p.oh * p.stride_h - p.pad_h);
        x = (int)(number % p.ow * p.stride_w - p.pad_w);
        unsigned long long area = (unsigned long long)p.h * p.w, channel = group * sizes.channels;
        unsigned long long start = row / p.oh * p.c * area + (NHWC ? channel : channel * area);
        first = image + start + ((long long)y * p.w + x) * (NHWC ? (long long)p.c : 1ll);
        // No row of a pixel that does not exist is inside.
        if (pixel >= sizes.pixels) y = (int)0x80000000;
    }

    // Whether an element of the window lies in the image; rows and columns below 0 are large numbers.
    __device__ __forceinline__ bool holds(const Depth& depth, const Params& p) const {
        return (unsigned)y + depth.i * p.dilation_h < p.h && (unsigned)x + depth.j * p.dilation_w < p.w;
    }
};

// Which block of a group's product a thread block computes: m x n, neighbours in Y along n.
template <int ROWS, int COLUMNS>
struct GroupTile {
    unsigned m, n, group;
    Tile tile;
    bool exists;

    __device__ __forceinline__ GroupTile(const Params& p, const Sizes& sizes)
        : m(NHWC ? sizes.pixels : sizes.filters), n(NHWC ? sizes.filters : sizes.pixels) {
        unsigned long long tiles = tiles_of<ROWS, COLUMNS>(m, n), number = block_number();
        group = (unsigned)(number / tiles);
        exists = number / tiles < p.groups;
        tile = tile_of<ROWS, COLUMNS>(number % tiles, m, n);
    }

    // Where the product's element lies in Y.
    __device__ __forceinline__ unsigned long long place(
        unsigned row, unsigned column, const Params& p, const Sizes& sizes) const {
        unsigned image = p.oh * p.ow;
        unsigned long long filter = group * sizes.filters + (NHWC ? column : row);
        return NHWC ? (unsigned long long)row * p.k + filter
                    : (column / image * (unsigned long long)p.k + filter) * image + column % image;
    }
};
