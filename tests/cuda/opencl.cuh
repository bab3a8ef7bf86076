// Put in front of OpenCL C to compile it as CUDA C: the words that kernels with inline PTX use. Three more are replaced by
// opencl.rs, which ends what is begun here, too: two are part of CUDA's own macros, and one is a word of both.

#define uint unsigned
#define ushort unsigned short
#define ulong unsigned long long
#define half ushort
#define local __shared__
#define restrict __restrict__
#define INLINE static __device__ __forceinline__
// The 1: without it, NVRTC's assembler gives a few registers up where a second work-group has room then.
#define reqd_work_group_size(x, y, z) launch_bounds((x) * (y) * (z), 1)

#define get_local_id(axis) ((axis) == 0 ? threadIdx.x : threadIdx.y)
#define get_group_id(axis) ((axis) == 0 ? blockIdx.x : blockIdx.y)
#define get_num_groups(axis) ((axis) == 0 ? gridDim.x : gridDim.y)
#define get_local_size(axis) ((axis) == 0 ? blockDim.x : blockDim.y)
#define barrier(fence) __syncthreads()
#define min(x, y) ((x) < (y) ? (x) : (y))
#define vstore_half_rte(value, offset, to) ((to)[offset] = (ushort)f32_to_half_pair(value, 0))

// A pointer to shared memory is a generic one here. The emulator has its own.
#ifndef SHARED_ADDRESS
#define SHARED_ADDRESS(array) ((uint)__cvta_generic_to_shared(array))
#endif

extern "C" {
