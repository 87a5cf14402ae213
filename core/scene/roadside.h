/* What is beside and above the road: sky and hills, and the trees, posts, signs and lamps that pass by. */
#ifndef VD_SCENE_ROADSIDE_H
#define VD_SCENE_ROADSIDE_H

#include <cairo.h>

#include "scene/view.h"

typedef struct vd_roadside vd_roadside;

int vd_roadside_new(const vd_layout *layout, const vd_scene_options *options, vd_roadside **ret_roadside);
void vd_roadside_free(vd_roadside **roadside);

/* Every row of a BGRX picture above the horizon and some below it, where land fades into haze. VD_OK or
 * VD_ENOMEM. */
int vd_roadside_paint_sky(vd_roadside *roadside, const vd_view *view, double time_s, const vd_image *image);

/* What stands beside the road: nothing of it covers the asphalt nearer than haze_to. Their shadows may lie on
 * the verge alone. */
void vd_roadside_paint(vd_roadside *roadside, const vd_view *view, cairo_t *cr);

#endif
