#include "scene/vehicle_parts.h"

#include <math.h>

const vd_rgb VD_GLASS = {0.13, 0.17, 0.2}, VD_RUBBER = {0.075, 0.075, 0.08}, VD_TRIM = {0.12, 0.125, 0.13};
const vd_rgb VD_LAMP = {0.97, 0.96, 0.92}, VD_TAIL = {0.72, 0.06, 0.06};

static const vd_rgb RIM = {0.6, 0.61, 0.63}, PLATE = {0.88, 0.88, 0.84}, LETTERS = {0.2, 0.2, 0.22};

double vd_part_near_side(const vd_pen *pen)
{
    return vd_pen_eye(pen).y >= 0 ? 1 : -1;
}

bool vd_part_shows_side(const vd_pen *pen, double half_width)
{
    return fabs(vd_pen_eye(pen).y) > half_width;
}

bool vd_part_shows_front(const vd_pen *pen, double half_length)
{
    return vd_pen_eye(pen).x > half_length;
}

bool vd_part_shows_rear(const vd_pen *pen, double half_length)
{
    return vd_pen_eye(pen).x < -half_length;
}

bool vd_part_detailed(const vd_pen *pen)
{
    return pen->camera->focal > 34 * fmax(pen->origin.x, 1);
}

void vd_part_tyre(vd_pen *pen, double x, double side, double half_width, double radius, double thick)
{
    /* Its tread, and its inner face behind it. */
    double outer = side * half_width, inner = side * (half_width - thick), end = radius * 0.6;
    double towards = vd_pen_eye(pen).x > x ? end : -end;
    vd_pen_disc(pen, (vd_vec3){x, inner, radius}, radius, vd_rgb_scale(VD_RUBBER, 0.6));
    vd_vec3 tread[4] = {{x + towards, inner, 0.2 * radius},
                        {x + towards, outer, 0.2 * radius},
                        {x + 1.5 * towards, outer, radius},
                        {x + 1.5 * towards, inner, radius}};
    vd_vec3 foot[4] = {{x, inner, 0}, {x, outer, 0}, tread[1], tread[0]};
    vd_pen_polygon(pen, VD_FACE_FLAT, foot, 4, vd_rgb_scale(VD_RUBBER, 0.7));
    vd_pen_polygon(pen, VD_FACE_FLAT, tread, 4, VD_RUBBER);
}

/* The upper part of a circle, down to the body's lower edge. */
static void paint_arch(vd_pen *pen, double x, double y, double radius, double hub, double low)
{
    enum { CORNERS = 12 };
    double down = asin(vd_clamp((low - hub) / radius, -1, 1));
    vd_vec3 points[CORNERS];
    for (int i = 0; i < CORNERS; i++) {
        double angle = down + (M_PI - 2 * down) * i / (CORNERS - 1);
        points[i] = (vd_vec3){x + radius * cos(angle), y, hub + radius * sin(angle)};
    }
    vd_pen_polygon(pen, VD_FACE_FLAT, points, CORNERS, vd_rgb_scale(VD_TRIM, 0.6));
}

void vd_part_wheel(vd_pen *pen, double x, double y, double radius, double low, double driven_m)
{
    double side = y > 0 ? 1 : -1;
    paint_arch(pen, x, y + 0.012 * side, radius * 1.2, radius, low);
    vd_pen_disc(pen, (vd_vec3){x, y, radius}, radius, VD_RUBBER);
    vd_pen_disc(pen, (vd_vec3){x, y - 0.01 * side, radius}, radius * 0.68, RIM);
    if (!vd_part_detailed(pen))
        return;
    for (int spoke = 0; spoke < 5; spoke++) {
        double angle = 2 * M_PI * spoke / 5 - driven_m / radius;
        vd_vec3 hole = {x + 0.42 * radius * cos(angle), y - 0.01 * side, radius + 0.42 * radius * sin(angle)};
        vd_pen_disc(pen, hole, radius * 0.15, VD_TRIM);
    }
}

void vd_part_plate(vd_pen *pen, double x, double z)
{
    vd_pen_rectangle(pen, VD_FACE_FLAT, (vd_vec3){x, -0.26, z}, (vd_vec3){x, 0.26, z + 0.115}, PLATE);
    if (!vd_part_detailed(pen))
        return;
    static const double LETTER_Y[] = {-0.2, -0.13, -0.03, 0.05, 0.12, 0.19};
    for (int i = 0; i < 6; i++)
        vd_pen_rectangle(pen, VD_FACE_FLAT, (vd_vec3){x, LETTER_Y[i] - 0.02, z + 0.025},
                         (vd_vec3){x, LETTER_Y[i] + 0.02, z + 0.09}, LETTERS);
}
