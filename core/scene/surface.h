/* The road's surface, kept as it is seen from above where it was looked at lately. */
#ifndef VD_SCENE_SURFACE_H
#define VD_SCENE_SURFACE_H

#include <stdint.h>

#include "scene/asphalt.h"

enum {
    VD_SURFACE_LEVELS = 7, /* the last has one row of a strip */
    VD_SURFACE_ROW = VD_ASPHALT_COLUMNS * 4
};

typedef struct vd_surface vd_surface;

/* VD_OK or VD_ENOMEM. */
int vd_surface_new(const vd_layout *layout, vd_surface **ret_surface);
void vd_surface_free(vd_surface **surface);

/* A row of VD_ASPHALT_COLUMNS BGRX pixels, painted if need be: row 0 of a level begins at s = 0, and each of
 * its rows is the mean of 2 to the power of the level rows of the asphalt. It stays as it is while rows are
 * asked for that lie within 30 metres of each other. */
const uint8_t *vd_surface_row(vd_surface *surface, int level, int64_t row);

#endif
