// Bulk copies of boxes of matrices, the barriers in shared memory that count them, and clusters of thread blocks: the
// architecture 9.0. Places in shared memory are 32-bit addresses, since a neighbour's are no pointers.
#ifndef ACCELBENCH_TMA
#define ACCELBENCH_TMA

__device__ __forceinline__ unsigned shared_address(const void* shared) {
    return (unsigned)__cvta_generic_to_shared(shared);
}

// The number of this thread block in its cluster.
__device__ __forceinline__ unsigned cluster_rank() {
    unsigned rank;
    asm("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
    return rank;
}

// Returns when all threads of the cluster have called it.
__device__ __forceinline__ void cluster_barrier() {
    asm volatile("barrier.cluster.arrive.release;\nbarrier.cluster.wait.acquire;" ::: "memory");
}

// A barrier of 8 bytes in shared memory. Its phases, of parity 0, 1, 0 and so on, each end with so many arrivals and when
// all expected bytes are there.
__device__ __forceinline__ void barrier_create(unsigned barrier, unsigned arrivals) {
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(barrier), "r"(arrivals) : "memory");
}

// The barriers that this thread created are there for the cluster and for copies, once all have met.
__device__ __forceinline__ void barriers_created() { asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory"); }

// Arrives, and makes the phase wait for so many bytes of copies.
__device__ __forceinline__ void barrier_expect(unsigned barrier, unsigned bytes) {
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(barrier), "r"(bytes) : "memory");
}

// Arrives at the same barrier of the cluster's block `rank`.
__device__ __forceinline__ void barrier_arrive(unsigned barrier, unsigned rank) {
    asm volatile(
        "{\n.reg .b32 remote;\n"
        "mapa.shared::cluster.u32 remote, %0, %1;\n"
        "mbarrier.arrive.release.cluster.shared::cluster.b64 _, [remote];\n}" ::"r"(barrier),
        "r"(rank)
        : "memory");
}

// Waits for the end of the phase of this parity; before the first phase, one of parity 1 has ended.
__device__ __forceinline__ void barrier_wait(unsigned barrier, unsigned parity) {
    asm volatile(
        "{\n.reg .pred ended;\n"
        "again:\n"
        "mbarrier.try_wait.parity.shared::cta.b64 ended, [%0], %1;\n"
        "@!ended bra again;\n}" ::"r"(barrier),
        "r"(parity)
        : "memory");
}

// What the copy engine knows of some matrices that lie one after the other in global memory: of a matrix it moves boxes of
// 128 bytes of columns. In shared memory a box's rows are 128 bytes, and the 16-byte units of every eight rows are
// permuted: see `swizzled`. What lies outside the matrix is read as 0 and not written.
struct alignas(128) TensorMap {
    unsigned words[32];
};

// Codes of elements. Floats are rounded to tf32 on their way.
template <typename Element>
constexpr int ELEMENT_CODE = 0;
template <>
constexpr int ELEMENT_CODE<Half> = 6;
template <>
constexpr int ELEMENT_CODE<float> = 11;

// Builds the map of so many matrices at `map` in global memory, by way of `image` in shared memory; a task for a whole
// warp. The first matrix and each row start at a multiple of 16 bytes. No instruction makes a map, there are only such that
// change one; but every field has one, so zeros are as good a start as any.
template <typename Element>
__device__ __forceinline__ void tensor_map_build(
    TensorMap* map, TensorMap* image, const Element* first, unsigned matrices, unsigned rows, unsigned columns,
    unsigned box_rows) {
    constexpr unsigned long long bytes = sizeof(Element);
    unsigned target = shared_address(image), lane = threadIdx.x % 32;
    image->words[lane] = 0;
    __syncwarp();
    if (lane == 0) {
        // The rank is given less one. Codes: 0 not interleaved, 3 permuted within 128 bytes, 0 zeros outside.
        asm volatile(
            "tensormap.replace.tile.global_address.shared::cta.b1024.b64 [%0], %1;\n"
            "tensormap.replace.tile.rank.shared::cta.b1024.b32 [%0], 2;\n"
            "tensormap.replace.tile.global_dim.shared::cta.b1024.b32 [%0], 0, %2;\n"
            "tensormap.replace.tile.global_dim.shared::cta.b1024.b32 [%0], 1, %3;\n"
            "tensormap.replace.tile.global_dim.shared::cta.b1024.b32 [%0], 2, %4;\n"
            "tensormap.replace.tile.global_stride.shared::cta.b1024.b64 [%0], 0, %5;\n"
            "tensormap.replace.tile.global_stride.shared::cta.b1024.b64 [%0], 1, %6;\n"
            "tensormap.replace.tile.box_dim.shared::cta.b1024.b32 [%0], 0, %8;\n"
            "tensormap.replace.tile.box_dim.shared::cta.b1024.b32 [%0], 1, %7;\n"
            "tensormap.replace.tile.box_dim.shared::cta.b1024.b32 [%0], 2, 1;\n"
            "tensormap.replace.tile.element_stride.shared::cta.b1024.b32 [%0], 0, 1;\n"
            "tensormap.replace.tile.element_stride.shared::cta.b1024.b32 [%0], 1, 1;\n"
            "tensormap.replace.tile.element_stride.shared::cta.b1024.b32 [%0], 2, 1;\n"
            "tensormap.replace.tile.elemtype.shared::cta.b1024.b32 [%0], %9;\n"
            "tensormap.replace.tile.interleave_layout.shared::cta.b1024.b32 [%0], 0;\n"
            "tensormap.replace.tile.swizzle_mode.shared::cta.b1024.b32 [%0], 3;\n"
            "tensormap.replace.tile.fill_mode.shared::cta.b1024.b32 [%0], 0;" ::"r"(target),
            "l"(first), "r"(columns), "r"(rows), "r"(matrices), "l"(bytes * columns), "l"(bytes * columns * rows),
            "r"(box_rows), "n"(128 / sizeof(Element)), "n"(ELEMENT_CODE<Element>)
            : "memory");
    }
    __syncwarp();
    asm volatile(
        "tensormap.cp_fenceproxy.global.shared::cta.tensormap::generic.release.gpu.sync.aligned [%0], [%1], 128;" ::"l"(
            map),
        "r"(target)
        : "memory");
}

// This thread may use a map that another one of its block built before both met.
__device__ __forceinline__ void tensor_map_acquire(const TensorMap* map) {
    asm volatile("fence.proxy.tensormap::generic.acquire.gpu [%0], 128;" ::"l"(map) : "memory");
}

// A box's first row and column, and the number of its matrix.
struct BoxPlace {
    unsigned row, column, matrix;
};

// Starts to copy the box at `place` to the same address of all blocks of the cluster that `ranks` has a bit for: a multiple
// of 1024. In each of them its bytes count at `barrier`. BLOCKS is the cluster's number of blocks.
template <int BLOCKS>
__device__ __forceinline__ void box_load(
    unsigned target, const TensorMap* map, const BoxPlace& place, unsigned barrier, unsigned ranks) {
    if (BLOCKS == 1) {
        asm volatile(
            "cp.async.bulk.tensor.3d.shared::cluster.global.mbarrier::complete_tx::bytes "
            "[%0], [%1, {%2, %3, %4}], [%5];" ::"r"(target),
            "l"(map), "r"(place.column), "r"(place.row), "r"(place.matrix), "r"(barrier)
            : "memory");
    } else {
        asm volatile(
            "cp.async.bulk.tensor.3d.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster "
            "[%0], [%1, {%2, %3, %4}], [%5], %6;" ::"r"(target),
            "l"(map), "r"(place.column), "r"(place.row), "r"(place.matrix), "r"(barrier), "h"((unsigned short)ranks)
            : "memory");
    }
}

// Starts to copy the box at `source` to `place`.
__device__ __forceinline__ void box_store(const TensorMap* map, const BoxPlace& place, unsigned source) {
    asm volatile("cp.async.bulk.tensor.3d.global.shared::cta.bulk_group [%0, {%1, %2, %3}], [%4];" ::"l"(map),
                 "r"(place.column), "r"(place.row), "r"(place.matrix), "r"(source)
                 : "memory");
}

// Closes a group: all stores that this thread started since the last one.
__device__ __forceinline__ void box_store_commit() { asm volatile("cp.async.bulk.commit_group;" ::: "memory"); }

// Waits until all but the `PENDING` latest of this thread's groups have read their sources.
template <int PENDING>
__device__ __forceinline__ void box_store_wait() {
    asm volatile("cp.async.bulk.wait_group.read %0;" ::"n"(PENDING) : "memory");
}

#endif
