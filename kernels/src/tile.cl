// EACH_VECTOR and EACH_ROW do something for each of the VECTORS vectors of a row, and each of the ROWS rows, of a tile.
// Repetition by name: a compiler keeps named vectors in registers, an array of them it may not.
#if VECTORS == 1
#define EACH_VECTOR(DO, r) DO(r, 0)
#elif VECTORS == 2
#define EACH_VECTOR(DO, r) DO(r, 0) DO(r, 1)
#elif VECTORS == 3
#define EACH_VECTOR(DO, r) DO(r, 0) DO(r, 1) DO(r, 2)
#elif VECTORS == 4
#define EACH_VECTOR(DO, r) DO(r, 0) DO(r, 1) DO(r, 2) DO(r, 3)
#endif
#if ROWS == 4
#define EACH_ROW(DO) DO(0) DO(1) DO(2) DO(3)
#elif ROWS == 6
#define EACH_ROW(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5)
#elif ROWS == 8
#define EACH_ROW(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7)
#elif ROWS == 12
#define EACH_ROW(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11)
#endif
