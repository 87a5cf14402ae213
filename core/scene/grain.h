/* What a sensor adds to light: noise. */
#ifndef VD_SCENE_GRAIN_H
#define VD_SCENE_GRAIN_H

#include <stdint.h>

#include "vedette/image.h"

enum { VD_GRAIN_BYTES = 1 << 17 };

/* Noise made once: pairs of what is added and what is taken away, by pixel. */
typedef struct vd_grain {
    uint8_t add[VD_GRAIN_BYTES], take[VD_GRAIN_BYTES];
} vd_grain;

/* strength 1: a standard deviation of about 2 in 255. */
void vd_grain_fill(vd_grain *grain, unsigned seed, double strength);

/* Applies it to a BGRX picture of at most VD_GRAIN_BYTES / 8 pixels a row; `frame` chooses the noise. */
void vd_grain_apply(const vd_grain *grain, const vd_image *image, int64_t frame);

#endif
