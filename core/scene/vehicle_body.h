/* How a car is built: two prisms across it, a lower one up to the waistline and the cabin on it, each a line
 * along the length with a half width at every point. Rear first, as seen from its left side. Cars alone use
 * it. */
#ifndef VD_SCENE_VEHICLE_BODY_H
#define VD_SCENE_VEHICLE_BODY_H

#include "scene/vehicle_parts.h"

typedef struct vd_section {
    double x, z, half_width;
} vd_section;

typedef struct vd_body {
    double length, height, half_width, wheel, axle_rear, axle_front;
    int lower_count;
    vd_section lower[10];
    vd_section cabin[4]; /* rear waist, rear roof, front roof, front waist */
    double pillars[3];   /* shares of the cabin's length where the side windows part; 0: none */
    bool panel_van;      /* no windows behind the driver */
} vd_body;

const vd_body *vd_body_of(vd_vehicle_kind kind);

/* A point of the lower prism's side at x metres from the rear, and of its border at a section. */
vd_vec3 vd_body_on_side(const vd_body *b, double side, double x, double z);
vd_vec3 vd_body_at(const vd_body *b, const vd_section *s, double side);

/* A point on the cabin's side: u along the waist or roof from rear to front, v from waist (0) to roof (1). */
vd_vec3 vd_body_on_cabin(const vd_body *b, double side, double u, double v);

/* A point of the front or the rear at a height: across it by a share of its half width. */
vd_vec3 vd_body_on_end(const vd_body *b, bool front, double y, double z);

/* Half the lower prism's width above an axle, x metres from the rear. */
double vd_body_half_width(const vd_body *b, double x);

/* Paints a patch across the vehicle between two sections: y in shares of the half width, t of the way from
 * one to the other. */
void vd_body_patch(vd_pen *pen, vd_face face, const vd_body *b, const vd_section *from, const vd_section *to,
                   const double y[4], const double t[2], vd_rgb color);

/* What is on the front and on the rear. */
void vd_body_paint_front(vd_pen *pen, const vd_body *b, vd_rgb color);
void vd_body_paint_rear(vd_pen *pen, const vd_body *b, vd_rgb color);

#endif
