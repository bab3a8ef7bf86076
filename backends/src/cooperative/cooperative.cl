// Matrices of halves that the work-items of a sub-group multiply together, with sums in f32: instructions of several
// makers in one form.
//
// Definitions: MATRIX_M MATRIX_N MATRIX_K (A is M × K, B is K × N), SUBGROUP (work-items of a sub-group). They tell the
// instructions apart.
//
// Defined here for each:
//   OF_SUB_GROUPS            an attribute of kernels that call it
//   LANE, PART               a work-item's number in its sub-group, and the sub-group's in the work-group, which has one row
//   left_t, right_t, sums_t  what a work-item holds of A, of B and of C: SUMS numbers of C
//   load_left, load_right    reads it from local memory, where rows of A and columns of B run along k, `line` halves apart,
//                            each from a multiple of 16 bytes on
//   multiply_matrices        A·B + C
//   ROW(e), COLUMN           where in C the e-th number of the work-item `lane` lies

#define INLINE static __attribute__((always_inline))

#if MATRIX_M == 8

// The extension cl_intel_subgroup_matrix_multiply_accumulate: a work-item has a column of B and of C, and of each row of A a
// word or, in a sub-group of 16, half of one.
#define OF_SUB_GROUPS __attribute__((intel_reqd_sub_group_size(SUBGROUP)))
#define LANE get_sub_group_local_id()
#define PART get_sub_group_id()
#define SUMS 8
#define ROW(e) (e)
#define COLUMN lane

typedef int8 right_t;
typedef float8 sums_t;

#if SUBGROUP == 8
typedef int8 left_t;
#define OF_ROW(r) ((const local int *)(from + (r) * line))[lane]
#else
typedef short8 left_t;
#define OF_ROW(r) as_short(from[(r) * line + lane])
#endif

INLINE left_t load_left(const local ushort *from, uint line, uint lane)
{
    return (left_t)(OF_ROW(0), OF_ROW(1), OF_ROW(2), OF_ROW(3), OF_ROW(4), OF_ROW(5), OF_ROW(6), OF_ROW(7));
}

INLINE right_t load_right(const local ushort *from, uint line, uint lane)
{
    const local int4 *column = (const local int4 *)(from + lane * line);
    return (right_t)(column[0], column[1]);
}

INLINE sums_t multiply_matrices(left_t a, right_t b, sums_t c) { return intel_sub_group_f16_f16_matrix_mad_k16(a, b, c); }

#else

#pragma OPENCL EXTENSION cl_khr_fp16 : enable
#ifndef OF_SUB_GROUPS
#define OF_SUB_GROUPS
#endif
#define LANE (get_local_id(0) % SUBGROUP)
#define PART (get_local_id(0) / SUBGROUP)
#define COLUMN (lane % MATRIX_N)

#if MATRIX_M == 16

// V_WMMA_F32_16X16X16_F16: a work-item has all of a row of A and of a column of B, which the one 16 further has, too, and
// every second row of a column of C.
#define SUMS 8
#define ROW(e) (2 * (e) + lane / 16)

typedef half16 left_t;
typedef half16 right_t;
typedef float8 sums_t;

INLINE left_t load_left(const local ushort *from, uint line, uint lane)
{
    const local uint4 *row = (const local uint4 *)(from + lane % 16 * line);
    return as_half16((uint8)(row[0], row[1]));
}

INLINE sums_t multiply_matrices(left_t a, right_t b, sums_t c)
{
    return __builtin_amdgcn_wmma_f32_16x16x16_f16_w32(a, b, c);
}

#else

// V_MFMA_F32_32X32X8_F16: a work-item has half of a row of A and of a column of B, and every second four rows of a column of
// C.
#define SUMS 16
#define ROW(e) ((e) / 4 * 8 + lane / 32 * 4 + (e) % 4)

typedef half4 left_t;
typedef half4 right_t;
typedef float16 sums_t;

INLINE left_t load_left(const local ushort *from, uint line, uint lane)
{
    return as_half4(*(const local uint2 *)(from + lane % 32 * line + lane / 32 * 4));
}

INLINE sums_t multiply_matrices(left_t a, right_t b, sums_t c)
{
    return __builtin_amdgcn_mfma_f32_32x32x8f16(a, b, c, 0, 0, 0);
}

#endif

// A row of A and a column of B are held alike.
INLINE right_t load_right(const local ushort *from, uint line, uint lane) { return load_left(from, line, lane); }

#endif

// The sums of a work-item as an array, and back.
#define SUMS_FUNCTION_(name, count) name##count
#define SUMS_FUNCTION(name, count) SUMS_FUNCTION_(name, count)
#define SUMS_FROM(values) SUMS_FUNCTION(vload, SUMS)(0, values)
#define SUMS_TO(sums, values) SUMS_FUNCTION(vstore, SUMS)(sums, 0, values)
