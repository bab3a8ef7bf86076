// What kernels call of OpenCL C's library, in terms of the compiler's own functions: machine code then calls nothing, and the
// compiler's report counts all registers.

#pragma OPENCL EXTENSION cl_khr_fp16 : enable

#define get_local_id(axis) __builtin_amdgcn_workitem_id_x()
#define get_group_id(axis) ((axis) == 0 ? __builtin_amdgcn_workgroup_id_x() : __builtin_amdgcn_workgroup_id_y())
#define get_num_groups(axis) 4096
#define barrier(flags) __builtin_amdgcn_s_barrier()

#define rint(x) __builtin_rintf(x)
#define clamp(x, least, most) __builtin_fminf(__builtin_fmaxf(x, least), most)
#define vload_half(place, from) ((float)(from)[place])
#define vstore_half_rte(value, place, to) ((to)[place] = (half)(value))

#define vload4(place, from) ((uint4)((from)[0], (from)[1], (from)[2], (from)[3]))
#define EIGHT(from, i) (from)[i], (from)[i + 1], (from)[i + 2], (from)[i + 3], (from)[i + 4], (from)[i + 5], (from)[i + 6], (from)[i + 7]
#define vload8(place, from) ((float8)(EIGHT(from, 0)))
#define vload16(place, from) ((float16)(EIGHT(from, 0), EIGHT(from, 8)))
#define vstore8(sums, place, to) store_8(sums, to)
#define vstore16(sums, place, to) (store_8((sums).lo, to), store_8((sums).hi, to + 8))

static __attribute__((always_inline)) void store_8(float8 sums, float *to)
{
    to[0] = sums.s0, to[1] = sums.s1, to[2] = sums.s2, to[3] = sums.s3;
    to[4] = sums.s4, to[5] = sums.s5, to[6] = sums.s6, to[7] = sums.s7;
}
