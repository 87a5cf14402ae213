/* What several kinds of vehicle have in common. Vehicles alone use it. */
#ifndef VD_SCENE_VEHICLE_PARTS_H
#define VD_SCENE_VEHICLE_PARTS_H

#include <stdbool.h>

#include "scene/vehicle.h"

extern const vd_rgb VD_GLASS, VD_RUBBER, VD_TRIM, VD_LAMP, VD_TAIL;

/* The side of the vehicle that the camera is nearer to: 1 its left, -1 its right. */
double vd_part_near_side(const vd_pen *pen);

/* Whether the camera sees the side, the front, the rear of a body of this half width or half length. */
bool vd_part_shows_side(const vd_pen *pen, double half_width);
bool vd_part_shows_front(const vd_pen *pen, double half_length);
bool vd_part_shows_rear(const vd_pen *pen, double half_length);

/* Whether something of a few centimetres can be told where the vehicle is. */
bool vd_part_detailed(const vd_pen *pen);

/* The tyre that is seen under the body from before or behind; the body is painted over it. */
void vd_part_tyre(vd_pen *pen, double x, double side, double half_width, double radius, double thick);

/* A wheel seen from the side, its face at y, in the arch of a body whose lower edge is at `low`. */
void vd_part_wheel(vd_pen *pen, double x, double y, double radius, double low, double driven_m);

/* A number plate across the vehicle, its lower edge at z. */
void vd_part_plate(vd_pen *pen, double x, double z);

/* Where its lamps are: the right one's place is the left one's with -y. One lamp: y is 0. */
typedef struct vd_lamps {
    vd_vec3 front, rear;
} vd_lamps;

double vd_car_length(vd_vehicle_kind kind);
void vd_car_paint_shadow(vd_pen *pen, vd_vehicle_kind kind);
void vd_car_paint(vd_pen *pen, vd_vehicle_kind kind, vd_rgb color, double driven_m);
vd_lamps vd_car_lamps(vd_vehicle_kind kind);

double vd_lorry_length(void);
void vd_lorry_paint_shadow(vd_pen *pen);
void vd_lorry_paint(vd_pen *pen, vd_rgb color, double driven_m);
vd_lamps vd_lorry_lamps(void);

double vd_cyclist_length(void);
void vd_cyclist_paint_shadow(vd_pen *pen);
void vd_cyclist_paint(vd_pen *pen, vd_rgb jersey, double driven_m);
vd_lamps vd_cyclist_lamps(void);

#endif
