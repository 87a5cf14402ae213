/* What a scene is like and where its camera is: pure functions of the seed and the time. */
#ifndef VD_SCENE_VIEW_H
#define VD_SCENE_VIEW_H

#include "scene/scene.h"
#include "scene/world.h"

/* What stays the same as long as a scene lives. */
typedef struct vd_layout {
    unsigned seed;
    bool from_vehicle, night;
    double rain;       /* 0 none to 1 heavy */
    double half_width; /* metres from the road's middle to the edge of its asphalt */
    double lane;  /* metres from the road's middle to that of a lane; traffic keeps to the right: d < 0 is
                     along the camera's own direction */
    double speed; /* of the camera, metres a second; 0 on a pole */
    double hazards_per_m;      /* cracks and potholes for each metre of road */
    vd_rgb asphalt;            /* mean colour in daylight */
    vd_rgb haze;               /* colour of the sky at the horizon in daylight; far things fade to it */
    double haze_from, haze_to; /* metres ahead between which they do */
} vd_layout;

vd_layout vd_layout_make(const vd_scene_options *options);

/* The camera at a moment. */
typedef struct vd_view {
    vd_camera camera;
    double s, d; /* where it stands, metres */
    double
        curve; /* 1 / radius of the road ahead, positive to the left, 1/m: a place bends away by curve·X²/2 */
} vd_view;

vd_view vd_view_at(const vd_layout *layout, const vd_scene_options *options, double time_s);

/* From the road to the camera's foot, and on to the picture. */
vd_vec3 vd_view_place(const vd_view *view, double s, double d, double z);
vd_point vd_view_project(const vd_view *view, double s, double d, double z);

/* The d that lies X ahead in column `pixel_x`; it changes by *ret_step from column to column. */
double vd_view_row(const vd_view *view, double x_ahead, double pixel_x, double *ret_step);

#endif
