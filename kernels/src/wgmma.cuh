// The instructions by which a group of four warps multiplies matrices, of the architecture 9.0 and of no other.
#ifndef ACCELBENCH_WGMMA
#define ACCELBENCH_WGMMA

// A thread's sums as operands, and their places in an instruction's text.
#define SUMS_8(kind, i) \
    kind(c[i]), kind(c[i + 1]), kind(c[i + 2]), kind(c[i + 3]), kind(c[i + 4]), kind(c[i + 5]), kind(c[i + 6]), \
        kind(c[i + 7])
#define SUMS_32(kind, i) SUMS_8(kind, i), SUMS_8(kind, i + 8), SUMS_8(kind, i + 16), SUMS_8(kind, i + 24)
#define SUMS_64(kind) SUMS_32(kind, 0), SUMS_32(kind, 32)
#define SUMS_128(kind) SUMS_64(kind), SUMS_32(kind, 64), SUMS_32(kind, 96)
#define PLACES_32 \
    "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, " \
    "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31"
#define PLACES_64 \
    PLACES_32 ", " \
    "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, " \
    "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63"
#define PLACES_128 \
    PLACES_64 ", " \
    "%64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, " \
    "%80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95, " \
    "%96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, %110, %111, " \
    "%112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, %124, %125, %126, %127"

// What is multiplied into sums in f32, and how an instruction says which of its operands lie across k: those of halves may.
#if defined(PRECISION_TF32)
#define GROUP_TYPES "k8.f32.tf32.tf32"
#define ACROSS(a, b) ""
#elif defined(PRECISION_F8E4M3)
#define GROUP_TYPES "k32.f32.e4m3.e4m3"
#define ACROSS(a, b) ""
#else
#define GROUP_TYPES "k16.f32." HALF "." HALF
#define ACROSS(a, b) ", " a ", " b
#endif

// An operand in shared memory: pieces of 8 rows (of A) or columns (of B) by 16 bytes along k, 128 bytes each. Two that follow
// one another along k are 128 bytes apart, along the other side 256.
__device__ __forceinline__ unsigned long long descriptor(const void* operand) {
    unsigned long long address = (unsigned)__cvta_generic_to_shared(operand);
    return address >> 4 | 128ull >> 4 << 16 | 256ull >> 4 << 32;
}

// An operand in shared memory in rows of 128 bytes, one after the other, whose 16-byte units are permuted: see `swizzled`.
// Either its rows are those of A or the columns of B; or they are its elements of one k, and each 64 of them have rows
// of their own, `chunk` bytes from those of the next 64.
__device__ __forceinline__ unsigned long long swizzled_descriptor(unsigned address, unsigned chunk) {
    return address >> 4 | (unsigned long long)(chunk >> 4) << 16 | 1024ull >> 4 << 32 | 1ull << 62;
}

// Where a byte of such an operand is that would be at `address` if nothing were permuted: the number of a row, modulo 8,
// changes those of its units.
__device__ __forceinline__ unsigned swizzled(unsigned address) { return address ^ (address >> 7 & 7) << 4; }

// What threads wrote to shared memory is there for the matrix units and for bulk copies, once all threads have met.
__device__ __forceinline__ void publish_shared() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }

// Registers of sums are handed over.
__device__ __forceinline__ void group_begin() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }

// Closes a batch: all that was started since the last one.
__device__ __forceinline__ void group_commit() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }

// Waits for all but the `PENDING` latest batches: what the others read may be written again.
template <int PENDING>
__device__ __forceinline__ void group_wait() {
    asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(PENDING) : "memory");
}

// Keeps a value's later uses behind this place.
__device__ __forceinline__ void pin(float& x) { asm volatile("" : "+f"(x)::"memory"); }
__device__ __forceinline__ void pin(unsigned& x) { asm volatile("" : "+r"(x)::"memory"); }
__device__ __forceinline__ void pin(int& x) { asm volatile("" : "+r"(x)::"memory"); }

// Waits for all but the `PENDING` latest batches: their sums are the threads' again.
template <int PENDING = 0, typename Sum, int COUNT>
__device__ __forceinline__ void group_wait(Sum (&c)[COUNT]) {
    group_wait<PENDING>();
    // The compiler knows nothing of batches: it must not move a sum's use up across the wait.
#pragma unroll
    for (int i = 0; i < COUNT; ++i) pin(c[i]);
}

// The number of this thread's group, from 0 on. All lanes have it from the first one, which tells the compiler that it is
// the same for all: descriptors are in registers that a warp has once.
__device__ __forceinline__ int group_number() {
    int number;
    asm volatile("shfl.sync.idx.b32 %0, %1, 0, 31, 0xffffffff;" : "=r"(number) : "r"(threadIdx.x / 128));
    return number;
}

// Returns when the four warps of a group have called it, `group` from 1 on.
__device__ __forceinline__ void group_barrier(int group) {
    asm volatile("barrier.sync %0, 128;" ::"r"(group) : "memory");
}

// Two groups take turns: returns when the other one has given `turn` to this one; its number is no group's.
__device__ __forceinline__ void turn_take(int turn) { asm volatile("barrier.sync %0, 256;" ::"r"(turn) : "memory"); }
__device__ __forceinline__ void turn_give(int turn) { asm volatile("barrier.arrive %0, 256;" ::"r"(turn) : "memory"); }

// The group's threads have COUNT registers each from here on; those that another one gives up first must be enough.
template <int COUNT>
__device__ __forceinline__ void group_gains_registers() {
    asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(COUNT));
}

template <int COUNT>
__device__ __forceinline__ void group_gives_up_registers() {
    asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(COUNT));
}

// Stores four 8 x 8 matrices of halves; the warp's lanes 8i to 8i+7 give the addresses of the rows of matrix i. Lane l has
// the elements (l / 4, 2 (l % 4)) and (l / 4, 2 (l % 4) + 1) of each.
__device__ __forceinline__ void store_matrices(unsigned row, unsigned x, unsigned y, unsigned z, unsigned w) {
    asm volatile("stmatrix.sync.aligned.m8n8.x4.shared.b16 [%0], {%1, %2, %3, %4};" ::"r"(row), "r"(x), "r"(y), "r"(z),
                 "r"(w)
                 : "memory");
}

// c += a * b for a group of four warps: 64 rows of A by 256 columns of B, 32 bytes of each along k, with sums in f32.
// Starts it; see group_wait.
__device__ __forceinline__ void multiply_group(float (&c)[128], unsigned long long a, unsigned long long b) {
    asm volatile("wgmma.mma_async.sync.aligned.m64n256" GROUP_TYPES " {" PLACES_128 "}, %128, %129, 1, 1, 1" ACROSS("0", "0") ";"
                 : SUMS_128("+f")
                 : "l"(a), "l"(b));
}

// The same of binary16 with sums in binary16.
__device__ __forceinline__ void multiply_group(unsigned (&c)[64], unsigned long long a, unsigned long long b) {
    asm volatile("wgmma.mma_async.sync.aligned.m64n256k16.f16.f16.f16 {" PLACES_64 "}, %64, %65, 1, 1, 1, 0, 0;"
                 : SUMS_64("+r")
                 : "l"(a), "l"(b));
}

// The same of whole numbers of 8 bits.
__device__ __forceinline__ void multiply_group(int (&c)[128], unsigned long long a, unsigned long long b) {
    asm volatile("wgmma.mma_async.sync.aligned.m64n256k32.s32.s8.s8 {" PLACES_128 "}, %128, %129, 1;"
                 : SUMS_128("+r")
                 : "l"(a), "l"(b));
}

// c = a * b, or c += a * b where `add` is not 0: 64 rows by 256 columns, with sums in f32. ACROSS_A, ACROSS_B: the operand's
// rows in shared memory don't run along k.
template <bool ACROSS_A, bool ACROSS_B>
__device__ __forceinline__ void multiply_group(
    float (&c)[128], unsigned long long a, unsigned long long b, unsigned add) {
    asm volatile(
        "{\n.reg .pred adds;\nsetp.ne.u32 adds, %130, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n256" GROUP_TYPES " {" PLACES_128 "}, %128, %129, adds, 1, 1" ACROSS("%131", "%132") ";\n}"
        : SUMS_128("+f")
        : "l"(a), "l"(b), "r"(add), "n"((int)ACROSS_A), "n"((int)ACROSS_B));
}

// The same of binary16 with sums in binary16.
template <bool ACROSS_A, bool ACROSS_B>
__device__ __forceinline__ void multiply_group(
    unsigned (&c)[64], unsigned long long a, unsigned long long b, unsigned add) {
    asm volatile(
        "{\n.reg .pred adds;\nsetp.ne.u32 adds, %66, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n256k16.f16.f16.f16 {" PLACES_64 "}, %64, %65, adds, 1, 1, %67, %68;\n}"
        : SUMS_64("+r")
        : "l"(a), "l"(b), "r"(add), "n"((int)ACROSS_A), "n"((int)ACROSS_B));
}

// The same for 64 rows by 128 columns, with sums in f32.
template <bool ACROSS_A, bool ACROSS_B>
__device__ __forceinline__ void multiply_group(
    float (&c)[64], unsigned long long a, unsigned long long b, unsigned add) {
    asm volatile(
        "{\n.reg .pred adds;\nsetp.ne.u32 adds, %66, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n128" GROUP_TYPES " {" PLACES_64 "}, %64, %65, adds, 1, 1" ACROSS("%67", "%68") ";\n}"
        : SUMS_64("+f")
        : "l"(a), "l"(b), "r"(add), "n"((int)ACROSS_A), "n"((int)ACROSS_B));
}

// The same of binary16 with sums in binary16.
template <bool ACROSS_A, bool ACROSS_B>
__device__ __forceinline__ void multiply_group(
    unsigned (&c)[32], unsigned long long a, unsigned long long b, unsigned add) {
    asm volatile(
        "{\n.reg .pred adds;\nsetp.ne.u32 adds, %34, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n128k16.f16.f16.f16 {" PLACES_32 "}, %32, %33, adds, 1, 1, %35, %36;\n}"
        : SUMS_32("+r", 0)
        : "l"(a), "l"(b), "r"(add), "n"((int)ACROSS_A), "n"((int)ACROSS_B));
}

// The same for 64 rows by 64 columns, with sums in f32.
template <bool ACROSS_A, bool ACROSS_B>
__device__ __forceinline__ void multiply_group(
    float (&c)[32], unsigned long long a, unsigned long long b, unsigned add) {
    asm volatile(
        "{\n.reg .pred adds;\nsetp.ne.u32 adds, %34, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n64" GROUP_TYPES " {" PLACES_32 "}, %32, %33, adds, 1, 1" ACROSS("%35", "%36") ";\n}"
        : SUMS_32("+f", 0)
        : "l"(a), "l"(b), "r"(add), "n"((int)ACROSS_A), "n"((int)ACROSS_B));
}

// The same for 64 rows by 256 columns of whole numbers of 8 bits, whose rows in shared memory all run along k.
template <bool ACROSS_A, bool ACROSS_B>
__device__ __forceinline__ void multiply_group(
    int (&c)[128], unsigned long long a, unsigned long long b, unsigned add) {
    static_assert(!ACROSS_A && !ACROSS_B, "the instruction takes no other layout");
    asm volatile(
        "{\n.reg .pred adds;\nsetp.ne.u32 adds, %130, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n256k32.s32.s8.s8 {" PLACES_128 "}, %128, %129, adds;\n}"
        : SUMS_128("+r")
        : "l"(a), "l"(b), "r"(add));
}

// By 128 columns.
template <bool ACROSS_A, bool ACROSS_B>
__device__ __forceinline__ void multiply_group(
    int (&c)[64], unsigned long long a, unsigned long long b, unsigned add) {
    static_assert(!ACROSS_A && !ACROSS_B, "the instruction takes no other layout");
    asm volatile(
        "{\n.reg .pred adds;\nsetp.ne.u32 adds, %66, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n128k32.s32.s8.s8 {" PLACES_64 "}, %64, %65, adds;\n}"
        : SUMS_64("+r")
        : "l"(a), "l"(b), "r"(add));
}

// The same with A in registers, which stay as they are until the product is there: of its 16 rows of A a lane has those of
// its sums, in each two neighbours of the first eight columns and two of the others. 64 x 16 by 16 x 64.
template <bool ACROSS_B>
__device__ __forceinline__ void multiply_group(
    float (&c)[32], const unsigned (&a)[4], unsigned long long b, unsigned add) {
    asm volatile(
        "{\n.reg .pred adds;\nsetp.ne.u32 adds, %37, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n64" GROUP_TYPES " {" PLACES_32 "}, {%32, %33, %34, %35}, %36, "
        "adds, 1, 1, %38;\n}"
        : SUMS_32("+f", 0)
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(add), "n"((int)ACROSS_B));
}

// 64 x 16 by 16 x 128.
template <bool ACROSS_B>
__device__ __forceinline__ void multiply_group(
    float (&c)[64], const unsigned (&a)[4], unsigned long long b, unsigned add) {
    asm volatile(
        "{\n.reg .pred adds;\nsetp.ne.u32 adds, %69, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n128" GROUP_TYPES " {" PLACES_64 "}, {%64, %65, %66, %67}, %68, "
        "adds, 1, 1, %70;\n}"
        : SUMS_64("+f")
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(add), "n"((int)ACROSS_B));
}

// 64 x 16 by 16 x 256.
template <bool ACROSS_B>
__device__ __forceinline__ void multiply_group(
    float (&c)[128], const unsigned (&a)[4], unsigned long long b, unsigned add) {
    asm volatile(
        "{\n.reg .pred adds;\nsetp.ne.u32 adds, %133, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n256" GROUP_TYPES " {" PLACES_128 "}, {%128, %129, %130, %131}, %132, "
        "adds, 1, 1, %134;\n}"
        : SUMS_128("+f")
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(add), "n"((int)ACROSS_B));
}

#endif
