// Convolution with one channel a group: a work-item an element of Y, neighbours neighbours in memory.
//
// Definition: GROUP (work-items of a work-group).

__attribute__((reqd_work_group_size(GROUP, 1, 1)))
kernel void conv2d_depthwise(global const stored_t *restrict x, global const stored_t *restrict w,
                             global stored_t *restrict y, params_t size)
{
    const ulong item = (get_group_id(0) + (ulong)get_group_id(1) * get_num_groups(0)) * GROUP + get_local_id(0);
    if (item >= (ulong)pixels(&size) * size.k)
        return;
    const uint image_pixels = size.oh * size.ow;
    const uint k = NHWC ? item % size.k : item / image_pixels % size.k;
    const uint pixel = NHWC ? item / size.k : item / image_pixels / size.k * image_pixels + item % image_pixels;
    const uint image = pixel / image_pixels;
    const uint channel = k / group_k(&size);
    // Negative ones are large.
    const uint row = pixel / size.ow % size.oh * size.stride_h - size.pad_h;
    const uint column = pixel % size.ow * size.stride_w - size.pad_w;
    const ulong area = (ulong)size.h * size.w;
    global const stored_t *from = x + (NHWC ? image * area * size.c + channel : (image * (ulong)size.c + channel) * area);
    global const stored_t *filter = w + (ulong)k * size.r * size.s;
    const uint step = NHWC ? size.c : 1;

    sum_t sum = 0;
    for (uint i = 0; i < size.r; ++i) {
        const uint at_row = row + i * size.dilation_h;
        if (at_row >= size.h)
            continue;
        for (uint j = 0; j < size.s; ++j) {
            const uint at_column = column + j * size.dilation_w;
            if (at_column < size.w)
                sum = fma(LOAD(from + ((ulong)at_row * size.w + at_column) * step), LOAD(filter + i * size.s + j), sum);
        }
    }
    STORE(sum, y + item);
}
