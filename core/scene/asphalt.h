/* The road's surface seen from straight above, in daylight: asphalt, lane marks and verges. */
#ifndef VD_SCENE_ASPHALT_H
#define VD_SCENE_ASPHALT_H

#include <stdint.h>

#include "scene/view.h"

/* Columns of 1 / VD_ASPHALT_PER_M metres over d, from the left; rows of the same size over s. */
enum {
    VD_ASPHALT_PER_M = 48,
    VD_ASPHALT_HALF_M = 12,
    VD_ASPHALT_COLUMNS = 2 * VD_ASPHALT_HALF_M * VD_ASPHALT_PER_M,
    VD_ASPHALT_STRIP = 64,                 /* rows that are painted at once */
    VD_ASPHALT_BAND = 4 * VD_ASPHALT_PER_M /* this much at both borders is nothing but verge */
};

typedef struct vd_asphalt vd_asphalt;

/* VD_OK or VD_ENOMEM. */
int vd_asphalt_new(const vd_layout *layout, vd_asphalt **ret_asphalt);
void vd_asphalt_free(vd_asphalt **asphalt);

/* Paints strip `strip`, whose rows begin at s = strip · VD_ASPHALT_STRIP / VD_ASPHALT_PER_M, as
 * VD_ASPHALT_STRIP × VD_ASPHALT_COLUMNS BGRX pixels with values from 32 to 222. A pure function. */
void vd_asphalt_paint(const vd_asphalt *asphalt, int64_t strip, uint8_t *ret_pixels);

#endif
