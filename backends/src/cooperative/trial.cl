// One sub-group adds A·B to C: A by rows, B by columns, C by rows.
OF_SUB_GROUPS __attribute__((reqd_work_group_size(SUBGROUP, 1, 1)))
kernel void multiply_once(global const ushort *a, global const ushort *b, global float *c)
{
    local ushort left[MATRIX_M * MATRIX_K] __attribute__((aligned(16)));
    local ushort right[MATRIX_N * MATRIX_K] __attribute__((aligned(16)));
    const uint item = get_local_id(0), lane = LANE;
    for (uint i = item; i < MATRIX_M * MATRIX_K; i += SUBGROUP)
        left[i] = a[i];
    for (uint i = item; i < MATRIX_N * MATRIX_K; i += SUBGROUP)
        right[i] = b[i];
    barrier(CLK_LOCAL_MEM_FENCE);
    float values[SUMS];
    for (uint e = 0; e < SUMS; ++e)
        values[e] = c[ROW(e) * MATRIX_N + COLUMN];
    const left_t row = load_left(left, MATRIX_K, lane);
    const right_t column = load_right(right, MATRIX_K, lane);
    SUMS_TO(multiply_matrices(row, column, SUMS_FROM(values)), values);
    for (uint e = 0; e < SUMS; ++e)
        c[ROW(e) * MATRIX_N + COLUMN] = values[e];
}
