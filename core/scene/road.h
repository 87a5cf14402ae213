/* The ground without what lies on it: asphalt, lane marks, verges; one row of the picture after the other. */
#ifndef VD_SCENE_ROAD_H
#define VD_SCENE_ROAD_H

#include "scene/view.h"

typedef struct vd_road vd_road;

/* VD_OK or VD_ENOMEM. */
int vd_road_new(const vd_layout *layout, vd_road **ret_road);
void vd_road_free(vd_road **road);

/* Paints every row of a BGRX picture below the horizon, in daylight, haze included. Stretches of road that
 * come into view are painted as they come; any order of views gives the same picture of each. */
void vd_road_paint(vd_road *road, const vd_view *view, const vd_image *image);

#endif
