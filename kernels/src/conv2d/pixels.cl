// Output pixels one after the other.

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
