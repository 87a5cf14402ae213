/* Vehicles: how they are built and painted. */
#ifndef VD_SCENE_VEHICLE_H
#define VD_SCENE_VEHICLE_H

#include "scene/pen.h"

typedef enum vd_vehicle_kind {
    VD_VEHICLE_HATCHBACK,
    VD_VEHICLE_SALOON,
    VD_VEHICLE_ESTATE,
    VD_VEHICLE_VAN,
    VD_VEHICLE_LORRY,
    VD_VEHICLE_CYCLIST
} vd_vehicle_kind;

double vd_vehicle_length(vd_vehicle_kind kind); /* metres */

/* Paints its shadow on the road. */
void vd_vehicle_paint_shadow(vd_pen *pen, vd_vehicle_kind kind);

/* Paints it with its middle at the pen's origin.
 *
 * paint    which of the kind's colours, any number
 * driven_m how far its wheels have rolled */
void vd_vehicle_paint(vd_pen *pen, vd_vehicle_kind kind, unsigned paint, double driven_m);

/* Adds the light of the lamps that look towards the camera, as at night, but for those that the pen's grid
 * shows behind an id higher than the pen's. Cairo's operator is up to the caller. */
void vd_vehicle_paint_lamps(vd_pen *pen, vd_vehicle_kind kind);

#endif
