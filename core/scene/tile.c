#include "scene/tile.h"

#include <math.h>
#include <stdlib.h>

#include "scene/world.h"
#include "vedette/error.h"

enum { SIDE = VD_TILE_SIDE, MASK = SIDE - 1 };

typedef float plane[SIDE][SIDE];

static void fill_white(plane to, uint64_t seed)
{
    uint64_t state = (uint64_t)vd_hash(seed, 1, 0) << 32 | vd_hash(seed, 2, 0) | 1;
    for (int y = 0; y < SIDE; y++) {
        for (int x = 0; x < SIDE; x++) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            /* The sum of four numbers: nearly a bell, deviation 1. */
            uint64_t s = state;
            uint64_t sum = (s & 0x3fff) + (s >> 16 & 0x3fff) + (s >> 32 & 0x3fff) + (s >> 48 & 0x3fff);
            to[y][x] = ((float)sum - 32766) / 9459;
        }
    }
}

/* Every cell becomes the mean of itself and its neighbours `reach` cells away, weights 1 2 1 both ways. */
static void soften(plane to, plane from, int reach)
{
    for (int y = 0; y < SIDE; y++) {
        const float *above = from[(y - reach) & MASK], *here = from[y], *below = from[(y + reach) & MASK];
        float column[SIDE];
        for (int x = 0; x < SIDE; x++)
            column[x] = (above[x] + 2 * here[x] + below[x]) / 16;
        for (int x = 0; x < SIDE; x++)
            to[y][x] = column[(x - reach) & MASK] + 2 * column[x] + column[(x + reach) & MASK];
    }
}

static void reduce(vd_tile *tile)
{
    for (int k = 1; k < VD_TILE_LEVELS; k++)
        for (int y = 0; y < SIDE >> k; y++)
            for (int x = 0; x < SIDE; x++)
                tile->level[k][y][x] =
                    (uint8_t)((tile->level[k - 1][2 * y][x] + tile->level[k - 1][2 * y + 1][x] + (k & 1)) >>
                              1);
}

int vd_tile_fill(vd_tile *tile, uint64_t seed, double single, double two, double four, int most)
{
    plane *planes = malloc(3 * sizeof(plane));
    if (!planes)
        return VD_ENOMEM;
    fill_white(planes[0], seed);
    soften(planes[1], planes[0], 1);
    soften(planes[2], planes[1], 2);
    /* Softening once leaves 0.375 of the deviation, twice 0.2. */
    float a = (float)single, b = (float)(two / 0.32), c = (float)(four / 0.2), limit = (float)most;
    for (int y = 0; y < SIDE; y++) {
        for (int x = 0; x < SIDE; x++) {
            float value = a * (planes[0][y][x] - planes[1][y][x]) + b * (planes[1][y][x] - planes[2][y][x]) +
                          c * planes[2][y][x];
            value = value < -limit ? -limit : value > limit ? limit : value;
            tile->level[0][y][x] = (uint8_t)(value + 128.5f);
        }
    }
    free(planes);
    reduce(tile);
    return VD_OK;
}
