/* Who is where: a pure function of time. */
#ifndef VD_SCENE_TRAFFIC_H
#define VD_SCENE_TRAFFIC_H

#include <stddef.h>

#include "scene/vehicle.h"

typedef struct vd_traveller {
    vd_vehicle_kind kind;
    unsigned paint;
    int track_id;
    vd_vec3 place; /* its middle on the ground */
    double heading, driven_m;
    double depth;
} vd_traveller;

enum { VD_TRAFFIC_MOST = 24 };

/* Everybody who may be in the picture at `time_s`, farthest first. ret_travellers has room for
 * VD_TRAFFIC_MOST. */
size_t vd_traffic_at(const vd_camera *camera, unsigned seed, double time_s, vd_traveller *ret_travellers);

#endif
