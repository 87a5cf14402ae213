/* How much of full daylight reaches each pixel: made once for a scene, applied to every picture of it. */
#ifndef VD_SCENE_LIGHTMAP_H
#define VD_SCENE_LIGHTMAP_H

#include <stdint.h>

#include "scene/view.h"

typedef struct vd_lightmap {
    int width, height;
    uint8_t *gain; /* 4 bytes a pixel as in BGRX: 255 leaves a value as it is */
} vd_lightmap;

/* Daylight with a slight vignette, or by night the pale sky and the lamps: headlights of the vehicle that
 * carries the camera, or a street lamp. VD_OK or VD_ENOMEM. */
int vd_lightmap_make(const vd_layout *layout, const vd_view *view, vd_lightmap *ret_map);
void vd_lightmap_clear(vd_lightmap *map);

/* Multiplies it and `gain`, 0 to 1, into a BGRX picture of its size. */
void vd_lightmap_apply(const vd_lightmap *map, double gain, const vd_image *image);

#endif
