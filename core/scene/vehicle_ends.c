/* The fronts and rears of cars and vans: lamps, bumpers, plates. */
#include <math.h>

#include "scene/vehicle_body.h"

/* What lies on the front or the rear, between two heights and two shares of its half width. */
static void plate_on(vd_pen *pen, const vd_body *b, bool front, double y1, double y2, double z1, double z2,
                     vd_rgb color)
{
    vd_vec3 points[4] = {vd_body_on_end(b, front, y1, z1), vd_body_on_end(b, front, y2, z1),
                         vd_body_on_end(b, front, y2, z2), vd_body_on_end(b, front, y1, z2)};
    vd_pen_polygon(pen, VD_FACE_FLAT, points, 4, color);
}

void vd_body_paint_front(vd_pen *pen, const vd_body *b, vd_rgb color)
{
    double low = b->lower[b->lower_count - 1].z, top = b->lower[b->lower_count - 4].z;
    double nose = b->lower[b->lower_count - 3].z, seam = b->lower[b->lower_count - 2].z + 0.06;
    plate_on(pen, b, true, -0.97, 0.97, low, low + 0.07, VD_TRIM);
    plate_on(pen, b, true, -0.62, 0.62, low + 0.07, low + 0.17, vd_rgb_scale(VD_TRIM, 0.8));
    plate_on(pen, b, true, -1, 1, seam, seam + 0.014, vd_rgb_scale(color, 0.42));
    plate_on(pen, b, true, -0.5, 0.5, seam + 0.03, nose + 0.03, vd_rgb_scale(VD_TRIM, 0.8));
    for (int i = 0; i < 2; i++) {
        double z = seam + 0.065 + 0.06 * i;
        plate_on(pen, b, true, -0.46, 0.46, z, z + 0.016, vd_rgb_hex(0x6c7073));
    }
    vd_vec3 emblem = vd_body_on_end(b, true, 0, nose - 0.01);
    vd_pen_limb(pen, emblem, (vd_vec3){emblem.x, 0.01, emblem.z}, 0.09, vd_rgb_hex(0xb9bcbf));
    vd_part_plate(pen, vd_body_on_end(b, true, 0, seam - 0.1).x + 0.03, seam - 0.11);
    double high = fmin(nose + 0.13, top - 0.01);
    for (int side = -1; side <= 1; side += 2) {
        vd_vec3 lamp[4] = {vd_body_on_end(b, true, side * 0.54, nose - 0.11),
                           vd_body_on_end(b, true, side * 0.99, nose - 0.07),
                           vd_body_on_end(b, true, side * 1.0, high),
                           vd_body_on_end(b, true, side * 0.58, nose + 0.04)};
        vd_vec3 bulb[4] = {vd_body_on_end(b, true, side * 0.6, nose - 0.085),
                           vd_body_on_end(b, true, side * 0.93, nose - 0.05),
                           vd_body_on_end(b, true, side * 0.94, high - 0.035),
                           vd_body_on_end(b, true, side * 0.63, nose + 0.02)};
        vd_pen_polygon(pen, VD_FACE_FLAT, lamp, 4, vd_rgb_hex(0x3a3f44));
        vd_pen_polygon(pen, VD_FACE_FLAT, bulb, 4, VD_LAMP);
        plate_on(pen, b, true, side * 0.7, side * 0.88, low + 0.09, low + 0.16, vd_rgb_hex(0x4a4d50));
    }
}

static void paint_tail_lamp(vd_pen *pen, const vd_body *b, double side)
{
    double z = b->lower[2].z, high = b->panel_van ? z + 0.28 : z + 0.1, low = z - 0.15;
    double inner = b->panel_van ? 0.86 : 0.62;
    vd_vec3 lamp[4] = {vd_body_on_end(b, false, side * (inner + 0.05), low),
                       vd_body_on_end(b, false, side * 1.0, low + 0.03),
                       vd_body_on_end(b, false, side * 1.0, high),
                       vd_body_on_end(b, false, side * inner, high - 0.02)};
    vd_pen_polygon(pen, VD_FACE_FLAT, lamp, 4, VD_TAIL);
    double middle = low + 0.4 * (high - low);
    plate_on(pen, b, false, side * (inner + 0.06), side * 0.97, middle, middle + 0.055, vd_rgb_hex(0xd9d2cb));
    plate_on(pen, b, false, side * 0.87, side * 0.97, middle, middle + 0.055, vd_rgb_hex(0xc98a3c));
}

void vd_body_paint_rear(vd_pen *pen, const vd_body *b, vd_rgb color)
{
    double low = b->lower[0].z, seam = b->lower[1].z + 0.03, z = b->lower[2].z, top = b->lower[3].z;
    vd_rgb line = vd_rgb_scale(color, 0.4);
    plate_on(pen, b, false, -0.98, 0.98, low, low + 0.12, VD_TRIM);
    plate_on(pen, b, false, -1, 1, seam, seam + 0.018, line);
    for (int side = -1; side <= 1; side += 2) {
        plate_on(pen, b, false, side * 0.7, side * 0.9, low + 0.14, low + 0.18, vd_rgb_scale(VD_TAIL, 0.7));
        if (!b->panel_van)
            plate_on(pen, b, false, side * 0.59, side * 0.602, seam, top, line);
        paint_tail_lamp(pen, b, side);
    }
    /* The plate lies in a hollow under a bar. */
    double plate = (seam + z) / 2 - 0.05;
    plate_on(pen, b, false, -0.4, 0.4, plate - 0.03, plate + 0.15, vd_rgb_scale(color, 0.5));
    plate_on(pen, b, false, -0.4, 0.4, plate + 0.14, plate + 0.165, vd_rgb_hex(0xa4a7aa));
    vd_part_plate(
        pen, fmin(vd_body_on_end(b, false, 0, plate).x, vd_body_on_end(b, false, 0, plate + 0.1).x) - 0.01,
        plate);
    vd_vec3 emblem = vd_body_on_end(b, false, 0, z + 0.06);
    vd_pen_limb(pen, emblem, (vd_vec3){emblem.x, 0.01, emblem.z}, 0.07, vd_rgb_hex(0xb9bcbf));
    vd_vec3 pipe = {0.14 - b->length / 2, 0.5, low - 0.01};
    vd_pen_limb(pen, pipe, (vd_vec3){pipe.x, 0.53, pipe.z}, 0.06, vd_rgb_hex(0x55585a));
}
