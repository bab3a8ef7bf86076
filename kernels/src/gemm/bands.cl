// Which tile of C a work-group computes. Consecutive numbers run down bands of eight tiles, so that the groups that run at
// one time share rows of A and columns of B in the cache.

#ifndef INLINE
#define INLINE static __attribute__((always_inline))
#endif

#define BAND 8u

// Counted in tiles.
typedef struct {
    uint row, column;
} tile_t;

INLINE tile_t tile_of(ulong number, uint tiles_m, uint tiles_n)
{
    const ulong band_tiles = (ulong)BAND * tiles_n;
    const uint band = (uint)(number / band_tiles) * BAND, in_band = (uint)(number % band_tiles);
    const uint left = tiles_m - band, height = left < BAND ? left : BAND;
    const tile_t tile = {band + in_band % height, in_band / height};
    return tile;
}

