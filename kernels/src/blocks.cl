// Blocks of matrices of halves in local memory, from where a warp loads its operands by ptx.cl: pieces of 16 bytes, so
// arranged that any eight of neighbouring rows and one column are in different banks.

// Elements of a piece.
#define PIECE 8

// Rows of so many pieces are this many apart. Where a row fills all banks or half of them, pieces change places in it;
// other rows are an odd number of pieces apart.
#define ROW_PIECES(pieces) ((pieces) % 8 == 0 || (pieces) == 4 ? (pieces) : (pieces) | 1)

// Where a piece lies in a block whose rows have so many, in bytes.
INLINE uint place(uint row, uint piece, uint pieces)
{
    const uint turn = pieces % 8 == 0 ? row % 8 : pieces == 4 ? row / 2 % 4 : 0;
    return (row * ROW_PIECES(pieces) + (piece ^ turn)) * 16;
}

// Starts to copy the block at (first_row, first_column) of a matrix of rows × columns to local memory, zeros where it
// lies outside; `aligned` says that rows start at multiples of 16 bytes. What the work-items copy at a time are
// neighbours in memory.
INLINE void fetch(uint target, global const ushort *matrix, uint rows, uint columns, uint first_row, uint first_column,
                  uint block_rows, uint block_pieces, bool aligned, uint item, uint items)
{
    const uint total = block_rows * block_pieces;
    if (aligned) {
        // Whether all pieces of a work-item are of one column, which takes fewer registers.
        const bool even = items % block_pieces == 0;
#pragma unroll
        for (uint i = 0; i < (total + items - 1) / items; ++i) {
            const uint number = item + i * items;
            if (total % items != 0 && number >= total)
                break;
            const uint row = even ? item / block_pieces + i * (items / block_pieces) : number / block_pieces;
            const uint piece = even ? item % block_pieces : number % block_pieces;
            const uint r = first_row + row, s = first_column + piece * PIECE;
            const bool inside = r < rows && s < columns;
            copy_async_16(target + place(row, piece, block_pieces), inside ? matrix + (ulong)r * columns + s : matrix,
                          inside);
        }
    } else {
        // Pieces that pass through registers come one at a time.
#pragma unroll 1
        for (uint number = item; number < total; number += items) {
            const uint row = number / block_pieces, piece = number % block_pieces;
            const uint r = first_row + row, s = first_column + piece * PIECE;
            global const ushort *source = matrix + (ulong)r * columns + s;
            uint words[PIECE / 2];
#pragma unroll
            for (uint j = 0; j < PIECE / 2; ++j) {
                const uint low = r < rows && s + 2 * j < columns ? source[2 * j] : 0;
                const uint high = r < rows && s + 2 * j + 1 < columns ? source[2 * j + 1] : 0;
                words[j] = low | high << 16;
            }
            store_16(target + place(row, piece, block_pieces), words);
        }
    }
}

