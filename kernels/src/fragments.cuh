// Pieces of matrices in shared memory as a warp's operands of multiply_matrices. A matrix lies either with its rows along
// k, the direction of the sums, or across; rows are STRIDE elements apart. Of halves, ldmatrix transposes where the layout
// is not the one that the instruction wants; a STRIDE of an odd number of 16-byte units keeps the eight rows that are read
// together in different banks. Doubles and floats are read one by one; a STRIDE of an odd number of 32-byte units does the
// same for four rows, and for eight rows of floats one of an odd number of 16-byte units.

// The 16 x 16 piece of A at (row, depth).
template <bool ALONG_K, int STRIDE>
__device__ __forceinline__ void load_a(unsigned (&x)[4], const Half* matrix, int row, int depth, int lane) {
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
    unsigned (&first)[2], unsigned (&second)[2], const Half* matrix, int depth, int column, int lane) {
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

// How a number goes into the instruction.
__device__ __forceinline__ double operand(double x) { return x; }
__device__ __forceinline__ Tf32 operand(float x) { return f32_to_tf32(x); }

// The piece of A at (row, depth): 8 x 4 doubles, or 16 x 4 of any numbers for every two elements of a lane.
template <bool ALONG_K, int STRIDE, typename Operand, typename Element, int COUNT>
__device__ __forceinline__ void load_a(Operand (&x)[COUNT], const Element* matrix, int row, int depth, int lane) {
#pragma unroll
    for (int e = 0; e < COUNT; ++e) {
        int i = row + lane / 4 + e % 2 * 8, p = depth + lane % 4 + e / 2 * 4;
        x[e] = operand(matrix[ALONG_K ? i * STRIDE + p : p * STRIDE + i]);
    }
}

// Two neighbouring pieces of B at (depth, column), of 4 x 8 for each element of a lane.
template <bool ALONG_K, int STRIDE, typename Operand, typename Element, int COUNT>
__device__ __forceinline__ void load_b(
    Operand (&first)[COUNT], Operand (&second)[COUNT], const Element* matrix, int depth, int column, int lane) {
#pragma unroll
    for (int e = 0; e < COUNT; ++e) {
        int j = column + lane / 4, p = depth + lane % 4 + e * 4;
        first[e] = operand(matrix[ALONG_K ? j * STRIDE + p : p * STRIDE + j]);
        second[e] = operand(matrix[ALONG_K ? (j + 8) * STRIDE + p : p * STRIDE + j + 8]);
    }
}

// Bytes across k. The instruction wants four neighbours along k in a register, and no instruction transposes bytes; but
// one that transposes pairs of them brings two rows of k by two neighbours of the other side. Loading rows 4 apart in
// twos, two such registers have all four of k for both neighbours: x[0] and x[1] for the upper 16 of k, x[2] and x[3] for
// the lower. So the pieces that are taken from one load have every second row or column, and not the first or the last
// eight: see mma.cu.
template <int STRIDE>
__device__ __forceinline__ void load_across(
    unsigned (&even)[2], unsigned (&odd)[2], const signed char* matrix, int side, int depth, int lane) {
    unsigned x[4];
    int p = depth + lane / 16 * 16 + lane % 8 / 2 * 4 + lane / 8 % 2 * 2 + lane % 2;
    load_matrices_transposed(x, (const Half*)(matrix + p * STRIDE + side));
#pragma unroll
    for (int i = 0; i < 2; ++i) {
        even[i] = select_bytes(x[2 * i], x[2 * i + 1], 0x6420);
        odd[i] = select_bytes(x[2 * i], x[2 * i + 1], 0x7531);
    }
}

// The 16 x 32 piece of A of bytes at (row, depth). Along k two bytes are one half.
template <bool ALONG_K, int STRIDE>
__device__ __forceinline__ void load_a(unsigned (&x)[4], const signed char* matrix, int row, int depth, int lane) {
    if (ALONG_K) {
        int i = row + lane % 16, p = depth + lane / 16 * 16;
        load_matrices(x, (const Half*)(matrix + i * STRIDE + p));
    } else {
        unsigned even[2], odd[2];
        load_across<STRIDE>(even, odd, matrix, row, depth, lane);
        x[0] = even[0];
        x[1] = odd[0];
        x[2] = even[1];
        x[3] = odd[1];
    }
}

// Two neighbouring 32 x 8 pieces of B of bytes at (depth, column).
template <bool ALONG_K, int STRIDE>
__device__ __forceinline__ void load_b(
    unsigned (&first)[2], unsigned (&second)[2], const signed char* matrix, int depth, int column, int lane) {
    if (ALONG_K) {
        unsigned pair[4];
        int j = column + lane % 8 + lane / 16 * 8, p = depth + lane / 8 % 2 * 16;
        load_matrices(pair, (const Half*)(matrix + j * STRIDE + p));
        first[0] = pair[0];
        first[1] = pair[1];
        second[0] = pair[2];
        second[1] = pair[3];
    } else {
        load_across<STRIDE>(first, second, matrix, column, depth, lane);
    }
}
