// How the work-items of a tiled product share its tile and the staging of its blocks. A work-group computes a tile of
// TILE_M × TILE_N of C = A·B, a work-item THREAD_M × THREAD_N of it.
//
// Definitions: TILE_M TILE_N TILE_K THREAD_M THREAD_N. What A, B and C are is said by the text before this:
//   ENTRY                          the kernel's name
//   params_t, extent_{m,n,k,batch} the sizes of a product, and how many of them there are
//   depth_t, depth_at, deeper      a place along k, with its number p, and the one a step further
//   side_{a,b}_t, side_{a,b}       a row of A or a column of B, and whether it exists
//   load_a, load_b, place_c        an element, and where one of C lies
//   ALONG_SIDE_A, ALONG_SIDE_B     1 where neighbours in memory are those along m or n, 0 where those along k

#define GROUP_M (TILE_M / THREAD_M)
#define GROUP_N (TILE_N / THREAD_N)
#define ITEMS (GROUP_M * GROUP_N)

// Neighbours load along what is contiguous in memory: all loads of a work-item then are of one row (or column), or of one
// place along k, which is worked out once.
#define LOADS(TILE) (TILE * TILE_K / ITEMS)
#define SIDES(ALONG_SIDE, TILE) (ALONG_SIDE ? 1 : LOADS(TILE))
#define FIRST_SIDE(ALONG_SIDE, TILE) (ALONG_SIDE ? item % TILE : item / TILE_K)
#define FIRST_DEPTH(ALONG_SIDE, TILE) (ALONG_SIDE ? item / TILE : item % TILE_K)
#define SIDE_STEP (ITEMS / TILE_K)
#define DEPTH_STEP(ALONG_SIDE, TILE) (ALONG_SIDE ? ITEMS / TILE : TILE_K)

