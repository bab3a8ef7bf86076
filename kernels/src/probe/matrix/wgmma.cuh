// The instructions by which a group of four warps multiplies matrices, of the architecture 9.0 and of no other.
#ifndef ACCELBENCH_WGMMA
#define ACCELBENCH_WGMMA

#define SUMS_8(kind, i) \
    kind(c[i]), kind(c[i + 1]), kind(c[i + 2]), kind(c[i + 3]), kind(c[i + 4]), kind(c[i + 5]), kind(c[i + 6]), \
        kind(c[i + 7])
#define SUMS_32(kind, i) SUMS_8(kind, i), SUMS_8(kind, i + 8), SUMS_8(kind, i + 16), SUMS_8(kind, i + 24)
#define SUMS_64(kind) SUMS_32(kind, 0), SUMS_32(kind, 32)
#define SUMS_128(kind) SUMS_64(kind), SUMS_32(kind, 64), SUMS_32(kind, 96)

// An operand in shared memory: pieces of 8 rows (of A) or columns (of B) by 8 along k, 128 bytes each. Two that follow
// one another along k are 128 bytes apart, along the other side 256.
__device__ __forceinline__ unsigned long long descriptor(const void* operand) {
    unsigned long long address = (unsigned)__cvta_generic_to_shared(operand);
    return address >> 4 | 128ull >> 4 << 16 | 256ull >> 4 << 32;
}

// What threads wrote to shared memory is there for the matrix units, once all threads have met.
__device__ __forceinline__ void publish_shared() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }

// Registers of sums are handed over.
__device__ __forceinline__ void group_begin() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }

// Closes a batch: all that was started since the last one.
__device__ __forceinline__ void group_commit() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }

// Waits for all batches: the registers are the threads' again.
__device__ __forceinline__ void group_wait() { asm volatile("wgmma.wait_group.sync.aligned 0;" ::: "memory"); }

// c += a * b for a group of four warps: 64 x 16 by 16 x 256, with sums in f32. Starts it; see group_wait.
__device__ __forceinline__ void multiply_group(float (&c)[128], unsigned long long a, unsigned long long b) {
    asm volatile(
        "wgmma.mma_async.sync.aligned.m64n256k16.f32.f16.f16 {"
        "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
        "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
        "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
        "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63, "
        "%64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, "
        "%80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95, "
        "%96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, %110, %111, "
        "%112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, %124, %125, %126, %127"
        "}, %128, %129, 1, 1, 1, 0, 0;"
        : SUMS_128("+f")
        : "l"(a), "l"(b));
}

// c += a * b for a group of four warps: 64 x 16 by 16 x 256, with sums in f16. Starts it; see group_wait.
__device__ __forceinline__ void multiply_group(unsigned (&c)[64], unsigned long long a, unsigned long long b) {
    asm volatile(
        "wgmma.mma_async.sync.aligned.m64n256k16.f16.f16.f16 {"
        "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
        "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
        "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
        "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63"
        "}, %64, %65, 1, 1, 1, 0, 0;"
        : SUMS_64("+r")
        : "l"(a), "l"(b));
}

#endif
