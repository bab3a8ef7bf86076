// Put in front of OpenCL C to compile it as CUDA C: the words that kernels with inline PTX use, but for two that opencl.rs
// replaces, which are part of CUDA's own macros. It ends what is begun here, too.

#define uint unsigned
#define ushort unsigned short
#define ulong unsigned long long
#define local __shared__
#define restrict __restrict__
#define INLINE static __device__ __forceinline__
#define reqd_work_group_size(x, y, z) launch_bounds((x) * (y) * (z))

#define get_local_id(axis) ((axis) == 0 ? threadIdx.x : threadIdx.y)
#define get_group_id(axis) ((axis) == 0 ? blockIdx.x : blockIdx.y)
#define get_num_groups(axis) ((axis) == 0 ? gridDim.x : gridDim.y)
#define barrier(fence) __syncthreads()

// A pointer to shared memory is a generic one here. The emulator has its own.
#ifndef SHARED_ADDRESS
#define SHARED_ADDRESS(array) ((uint)__cvta_generic_to_shared(array))
#endif

extern "C" {
