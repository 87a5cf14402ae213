#include "scene/vehicle_body.h"

#include <math.h>

static const vd_body BODIES[] = {
    [VD_VEHICLE_HATCHBACK] =
        {.length = 4.1,
         .height = 1.52,
         .half_width = 0.89,
         .wheel = 0.32,
         .axle_rear = 0.72,
         .axle_front = 3.26,
         .lower_count = 9,
         .lower = {{0.1, 0.26, 0.78},
                   {0.0, 0.5, 0.8},
                   {0.05, 0.74, 0.83},
                   {0.2, 1.0, 0.83},
                   {2.98, 0.98, 0.89},
                   {3.86, 0.82, 0.82},
                   {4.05, 0.66, 0.78},
                   {4.1, 0.44, 0.78},
                   {4.0, 0.24, 0.76}},
         .cabin = {{0.16, 0.98, 0.83}, {0.62, 1.5, 0.65}, {2.2, 1.52, 0.66}, {3.05, 0.96, 0.82}},
         .pillars = {0.3, 0.62}},
    [VD_VEHICLE_SALOON] =
        {.length = 4.7,
         .height = 1.46,
         .half_width = 0.91,
         .wheel = 0.33,
         .axle_rear = 1.0,
         .axle_front = 3.78,
         .lower_count = 9,
         .lower = {{0.1, 0.28, 0.8},
                   {0.0, 0.52, 0.84},
                   {0.03, 0.86, 0.84},
                   {0.2, 1.0, 0.84},
                   {3.38, 0.96, 0.91},
                   {4.42, 0.8, 0.84},
                   {4.64, 0.64, 0.8},
                   {4.7, 0.44, 0.79},
                   {4.6, 0.24, 0.77}},
         .cabin = {{0.78, 0.97, 0.84}, {1.5, 1.43, 0.66}, {2.62, 1.46, 0.67}, {3.45, 0.94, 0.83}},
         .pillars = {0.26, 0.56}},
    [VD_VEHICLE_ESTATE] =
        {.length = 4.6,
         .height = 1.68,
         .half_width = 0.94,
         .wheel = 0.37,
         .axle_rear = 0.86,
         .axle_front = 3.62,
         .lower_count = 9,
         .lower = {{0.12, 0.36, 0.84},
                   {0.0, 0.58, 0.88},
                   {0.03, 0.9, 0.9},
                   {0.1, 1.1, 0.9},
                   {3.28, 1.06, 0.94},
                   {4.3, 0.94, 0.88},
                   {4.54, 0.74, 0.84},
                   {4.6, 0.5, 0.83},
                   {4.46, 0.32, 0.8}},
         .cabin = {{0.1, 1.08, 0.88}, {0.42, 1.66, 0.7}, {2.46, 1.68, 0.71}, {3.34, 1.04, 0.86}},
         .pillars = {0.27, 0.56, 0.8}},
    [VD_VEHICLE_VAN] =
        {.length = 5.3,
         .height = 2.25,
         .half_width = 1.0,
         .wheel = 0.36,
         .axle_rear = 1.0,
         .axle_front = 4.25,
         .lower_count = 9,
         .lower = {{0.08, 0.34, 0.94},
                   {0.0, 0.5, 0.98},
                   {0.0, 0.9, 1.0},
                   {0.03, 1.2, 1.0},
                   {4.45, 1.2, 1.0},
                   {5.08, 1.06, 0.92},
                   {5.26, 0.82, 0.88},
                   {5.3, 0.5, 0.88},
                   {5.18, 0.28, 0.85}},
         .cabin = {{0.03, 1.18, 0.99}, {0.08, 2.22, 0.9}, {3.72, 2.25, 0.9}, {4.52, 1.18, 0.97}},
         .pillars = {0.73},
         .panel_van = true},
};

const vd_body *vd_body_of(vd_vehicle_kind kind)
{
    return &BODIES[kind];
}

vd_vec3 vd_body_at(const vd_body *b, const vd_section *s, double side)
{
    return (vd_vec3){s->x - b->length / 2, side * s->half_width, s->z};
}

vd_vec3 vd_body_on_side(const vd_body *b, double side, double x, double z)
{
    return (vd_vec3){x - b->length / 2, side * b->half_width, z};
}

vd_vec3 vd_body_on_cabin(const vd_body *b, double side, double u, double v)
{
    const vd_section *c = b->cabin;
    double waist = c[0].x + (c[3].x - c[0].x) * u, roof = c[1].x + (c[2].x - c[1].x) * u;
    double low = c[0].z + (c[3].z - c[0].z) * u, high = c[1].z + (c[2].z - c[1].z) * u;
    double wide = c[0].half_width + (c[3].half_width - c[0].half_width) * u;
    double narrow = c[1].half_width + (c[2].half_width - c[1].half_width) * u;
    return (vd_vec3){waist + (roof - waist) * v - b->length / 2, side * (wide + (narrow - wide) * v),
                     low + (high - low) * v};
}

vd_vec3 vd_body_on_end(const vd_body *b, bool front, double y, double z)
{
    int step = front ? -1 : 1, index = front ? b->lower_count - 1 : 0;
    const vd_section *s = &b->lower[index], *next = s + step;
    for (int i = 0; i < 2 && z > next->z; i++) {
        s = next;
        next += step;
    }
    double t = vd_clamp((z - s->z) / (next->z - s->z), 0, 1);
    return (vd_vec3){s->x + (next->x - s->x) * t - b->length / 2 + (front ? 0.008 : -0.008),
                     y * (s->half_width + (next->half_width - s->half_width) * t), z};
}

double vd_body_half_width(const vd_body *b, double x)
{
    const vd_section *from = &b->lower[x > b->lower[4].x ? 4 : 3], *to = from + 1;
    double t = vd_clamp((x - from->x) / (to->x - from->x), 0, 1);
    return from->half_width + (to->half_width - from->half_width) * t;
}

void vd_body_patch(vd_pen *pen, vd_face face, const vd_body *b, const vd_section *from, const vd_section *to,
                   const double y[4], const double t[2], vd_rgb color)
{
    vd_vec3 points[4];
    for (int i = 0; i < 4; i++) {
        double share = t[i / 2], wide = from->half_width + (to->half_width - from->half_width) * share;
        points[i] = (vd_vec3){from->x + (to->x - from->x) * share - b->length / 2, y[i] * wide,
                              from->z + (to->z - from->z) * share};
    }
    vd_pen_polygon(pen, face, points, 4, color);
}
