/* The asphalt is painted strip by strip, and each strip averaged to levels with 2, 4, 8… of its rows in one.
 * Strips lie in two rings: the finest levels are needed near the camera alone. */
#include "scene/surface.h"

#include <stdlib.h>
#include <string.h>

#include "vedette/error.h"

enum {
    ROW_BYTES = VD_SURFACE_ROW,
    STRIP = VD_ASPHALT_STRIP,
    LEVELS = VD_SURFACE_LEVELS,
    NEAR_LEVELS = 2,
    NEAR_STRIPS = 27,
    FAR_STRIPS = 48
};

static const int64_t NO_STRIP = INT64_MIN;

/* Strips that were painted lately: strip n lies at n modulo their number. */
typedef struct ring {
    int strips, first_level, levels;
    int64_t *keys;
    uint8_t *level[LEVELS];
} ring;

struct vd_surface {
    vd_asphalt *asphalt;
    ring near, far;
    uint8_t *strip; /* one as it was painted */
};

static int ring_make(ring *r, int strips, int first_level, int levels)
{
    *r = (ring){.strips = strips, .first_level = first_level, .levels = levels};
    r->keys = malloc((size_t)strips * sizeof(*r->keys));
    if (!r->keys)
        return VD_ENOMEM;
    for (int i = 0; i < strips; i++)
        r->keys[i] = NO_STRIP;
    for (int k = first_level; k < first_level + levels; k++) {
        r->level[k] = malloc((size_t)strips * (size_t)(STRIP >> k) * ROW_BYTES);
        if (!r->level[k])
            return VD_ENOMEM;
    }
    return VD_OK;
}

static void ring_clear(ring *r)
{
    free(r->keys);
    for (int k = 0; k < LEVELS; k++)
        free(r->level[k]);
}

int vd_surface_new(const vd_layout *layout, vd_surface **ret_surface)
{
    vd_surface *surface = calloc(1, sizeof(*surface));
    if (!surface)
        return VD_ENOMEM;
    surface->strip = malloc((size_t)STRIP * ROW_BYTES);
    int rc = surface->strip ? VD_OK : VD_ENOMEM;
    if (rc == VD_OK)
        rc = ring_make(&surface->near, NEAR_STRIPS, 0, NEAR_LEVELS);
    if (rc == VD_OK)
        rc = ring_make(&surface->far, FAR_STRIPS, NEAR_LEVELS, LEVELS - NEAR_LEVELS);
    if (rc == VD_OK)
        rc = vd_asphalt_new(layout, &surface->asphalt);
    if (rc != VD_OK) {
        vd_surface_free(&surface);
        return rc;
    }
    *ret_surface = surface;
    return VD_OK;
}

void vd_surface_free(vd_surface **surface)
{
    if (!surface || !*surface)
        return;
    vd_asphalt_free(&(*surface)->asphalt);
    ring_clear(&(*surface)->near);
    ring_clear(&(*surface)->far);
    free((*surface)->strip);
    free(*surface);
    *surface = NULL;
}

/* ThreadSanitizer would look at every byte of what one thread alone uses, many times as slowly. */
__attribute__((no_sanitize("thread"))) static void average_rows(const uint8_t *a, const uint8_t *b,
                                                                unsigned round, uint8_t *restrict to)
{
    for (int i = 0; i < ROW_BYTES; i++)
        to[i] = (uint8_t)((a[i] + b[i] + round) >> 1);
}

static void paint_strip(vd_surface *surface, ring *r, int slot, int64_t strip)
{
    const uint8_t *from = surface->strip;
    vd_asphalt_paint(surface->asphalt, strip, surface->strip);
    if (r->first_level == 0)
        memcpy(r->level[0] + (size_t)slot * STRIP * ROW_BYTES, from, (size_t)STRIP * ROW_BYTES);
    for (int k = 1; k < r->first_level + r->levels; k++) {
        int rows = STRIP >> k;
        /* Two rows become one at or before their own place. */
        uint8_t *to = k < r->first_level ? surface->strip : r->level[k] + (size_t)(slot * rows) * ROW_BYTES;
        for (int y = 0; y < rows; y++)
            average_rows(from + (size_t)(2 * y) * ROW_BYTES, from + (size_t)(2 * y + 1) * ROW_BYTES, k & 1,
                         to + (size_t)y * ROW_BYTES);
        from = to;
    }
    r->keys[slot] = strip;
}

const uint8_t *vd_surface_row(vd_surface *surface, int level, int64_t row)
{
    ring *r = level < NEAR_LEVELS ? &surface->near : &surface->far;
    int64_t rows = STRIP >> level, within = row % rows;
    within += within < 0 ? rows : 0;
    int64_t strip = (row - within) / rows, slot = strip % r->strips;
    slot += slot < 0 ? r->strips : 0;
    if (r->keys[slot] != strip)
        paint_strip(surface, r, (int)slot, strip);
    return r->level[level] + (size_t)(slot * rows + within) * ROW_BYTES;
}
