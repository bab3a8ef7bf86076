// Pieces of matrices in shared memory as a warp's operands of multiply_matrices. A matrix lies either with its rows along
// k, the direction of the sums, or across; rows are STRIDE elements apart, and ldmatrix transposes where the layout is not
// the one that the instruction wants. A STRIDE of an odd number of 16-byte units keeps the eight rows that are read
// together in different banks.

// The 16 x 16 piece of A at (row, depth).
template <bool ALONG_K, int STRIDE>
__device__ __forceinline__ void load_a(unsigned (&x)[4], const f16* matrix, int row, int depth, int lane) {
    if (ALONG_K) {
        int i = row + lane % 16, p = depth + lane / 16 * 8;
        load_matrices(x, matrix + i * STRIDE + p);
    } else {
        int p = depth + lane % 8 + lane / 16 * 8, i = row + lane / 8 % 2 * 8;
        load_matrices_transposed(x, matrix + p * STRIDE + i);
    }
}

// Two neighbouring 16 x 8 pieces of B at (depth, column).
template <bool ALONG_K, int STRIDE>
__device__ __forceinline__ void load_b(
    unsigned (&first)[2], unsigned (&second)[2], const f16* matrix, int depth, int column, int lane) {
    unsigned pair[4];
    if (ALONG_K) {
        int j = column + lane % 8 + lane / 16 * 8, p = depth + lane / 8 % 2 * 8;
        load_matrices(pair, matrix + j * STRIDE + p);
    } else {
        int p = depth + lane % 16, j = column + lane / 16 * 8;
        load_matrices_transposed(pair, matrix + p * STRIDE + j);
    }
    first[0] = pair[0];
    first[1] = pair[1];
    second[0] = pair[2];
    second[1] = pair[3];
}
