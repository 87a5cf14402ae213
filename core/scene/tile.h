/* Noise that repeats in both directions, made once: what is too fine to be computed for every place. */
#ifndef VD_SCENE_TILE_H
#define VD_SCENE_TILE_H

#include <stdint.h>

enum { VD_TILE_SIDE = 1024, VD_TILE_LEVELS = 4 };

/* Around 128. Each further level holds half as many rows, averages of two. */
typedef struct vd_tile {
    uint8_t level[VD_TILE_LEVELS][VD_TILE_SIDE][VD_TILE_SIDE];
} vd_tile;

/* Fills it: how much of single cells, of spots of about two and of about four cells, each about its standard
 * deviation in steps of a byte. No cell is farther than `most` from 128. VD_OK or VD_ENOMEM. */
int vd_tile_fill(vd_tile *tile, uint64_t seed, double single, double two, double four, int most);

#endif
