/* What is too far away to pass by: sky with clouds, hills, and the line of trees before them. */
#ifndef VD_SCENE_BACKDROP_H
#define VD_SCENE_BACKDROP_H

#include <cairo.h>

#include "scene/view.h"

typedef struct vd_backdrop {
    int margin;  /* columns more than the picture has, at each side */
    int horizon; /* row of the layers; 0: the horizon is above the picture and there are none */
    cairo_surface_t *sky, *hills, *trees;
} vd_backdrop;

/* Paints the layers; `leaf` is the colour of the trees. VD_OK or VD_ENOMEM. */
int vd_backdrop_paint(const vd_layout *layout, const vd_camera *camera, vd_rgb leaf,
                      vd_backdrop *ret_backdrop);
void vd_backdrop_clear(vd_backdrop *backdrop);

/* Sky and hills, down to a little below the horizon. */
void vd_backdrop_draw_sky(const vd_backdrop *backdrop, const vd_view *view, double time_s, cairo_t *cr);

/* Trees in the haze, farther than layout->haze_to: over the painted land. */
void vd_backdrop_draw_trees(const vd_backdrop *backdrop, const vd_view *view, cairo_t *cr);

#endif
