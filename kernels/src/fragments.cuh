// Pieces of matrices in shared memory as a warp's operands of multiply_matrices. A matrix lies either with its rows along
// k, the direction of the sums, or across; rows are STRIDE elements apart. Of halves, ldmatrix transposes where the layout
// is not the one that the instruction wants; a STRIDE of an odd number of 16-byte units keeps the eight rows that are read
// together in different banks. Doubles are read one by one; a STRIDE of an odd number of 32-byte units does the same for
// four rows.

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

// The piece of A at (row, depth): 8 x 4 doubles, or 16 x 4 for every two elements of a lane.
template <bool ALONG_K, int STRIDE, int COUNT>
__device__ __forceinline__ void load_a(double (&x)[COUNT], const double* matrix, int row, int depth, int lane) {
#pragma unroll
    for (int e = 0; e < COUNT; ++e) {
        int i = row + lane / 4 + e % 2 * 8, p = depth + lane % 4 + e / 2 * 4;
        x[e] = matrix[ALONG_K ? i * STRIDE + p : p * STRIDE + i];
    }
}

// Two neighbouring pieces of B at (depth, column), of 4 x 8 doubles for each element of a lane.
template <bool ALONG_K, int STRIDE, int COUNT>
__device__ __forceinline__ void load_b(
    double (&first)[COUNT], double (&second)[COUNT], const double* matrix, int depth, int column, int lane) {
#pragma unroll
    for (int e = 0; e < COUNT; ++e) {
        int j = column + lane / 4, p = depth + lane % 4 + e * 4;
        first[e] = matrix[ALONG_K ? j * STRIDE + p : p * STRIDE + j];
        second[e] = matrix[ALONG_K ? (j + 8) * STRIDE + p : p * STRIDE + j + 8];
    }
}
