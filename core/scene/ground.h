/* What never moves: sky and ground by ray, then what stands on the ground. Painted once a scene. */
#ifndef VD_SCENE_GROUND_H
#define VD_SCENE_GROUND_H

#include <cairo.h>
#include <stdint.h>

#include "scene/world.h"
#include "vedette/image.h"

/* Sky, far hills, grass, pavements and the road. */
void vd_ground_paint(const vd_camera *camera, unsigned seed, const vd_image *image);

/* Houses, hedge, trees and lamps, and their shadows. */
void vd_scenery_paint(const vd_camera *camera, unsigned seed, cairo_t *cr);

/* What stands in front of the road: a thicket at the left, behind which vehicles come and go. The rest stays
 * transparent. */
void vd_thicket_paint(const vd_camera *camera, unsigned seed, cairo_t *cr);

/* The columns and rows of the picture that the thicket may cover: from the left, between two rows. */
void vd_thicket_extent(const vd_camera *camera, unsigned seed, int *ret_width, int *ret_top, int *ret_bottom);

#endif
