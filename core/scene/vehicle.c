#include "scene/vehicle.h"

#include <math.h>

#include "scene/vehicle_parts.h"

static const unsigned PAINTS[] = {0xe9e9e6, 0xa5262a, 0x23272d, 0x2451a0, 0x9aa0a4, 0x1d3b63,
                                  0xf0eee8, 0x7f1f2c, 0x2f6a48, 0x4a4d50, 0xc9762a, 0x3a7f98};
static const unsigned VAN_PAINTS[] = {0xf0f0ee, 0xe0b92a, 0x2b58a8, 0xecebe7, 0xa92f2a};
static const unsigned LORRY_PAINTS[] = {0xa93230, 0x2a5ea8, 0xe0ded8, 0x2f7a4c, 0xd0802c};
static const unsigned JERSEYS[] = {0xf0d21a, 0xd8402a, 0xf1f1f1, 0x2f74c8, 0x55b64a};

#define PICK(array, number) vd_rgb_hex((array)[(number) % (sizeof(array) / sizeof((array)[0]))])

double vd_vehicle_length(vd_vehicle_kind kind)
{
    return kind == VD_VEHICLE_LORRY     ? vd_lorry_length()
           : kind == VD_VEHICLE_CYCLIST ? vd_cyclist_length()
                                        : vd_car_length(kind);
}

void vd_vehicle_paint_shadow(vd_pen *pen, vd_vehicle_kind kind)
{
    if (kind == VD_VEHICLE_LORRY)
        vd_lorry_paint_shadow(pen);
    else if (kind == VD_VEHICLE_CYCLIST)
        vd_cyclist_paint_shadow(pen);
    else
        vd_car_paint_shadow(pen, kind);
}

void vd_vehicle_paint(vd_pen *pen, vd_vehicle_kind kind, unsigned paint, double driven_m)
{
    if (kind == VD_VEHICLE_LORRY)
        vd_lorry_paint(pen, PICK(LORRY_PAINTS, paint), driven_m);
    else if (kind == VD_VEHICLE_CYCLIST)
        vd_cyclist_paint(pen, PICK(JERSEYS, paint), driven_m);
    else if (kind == VD_VEHICLE_VAN)
        vd_car_paint(pen, kind, PICK(VAN_PAINTS, paint), driven_m);
    else
        vd_car_paint(pen, kind, PICK(PAINTS, paint), driven_m);
}

/* A bright middle and a soft halo around it. */
static void glow(vd_pen *pen, vd_vec3 place, double radius, double halo, vd_rgb color)
{
    static const double AT[] = {0, 0.1, 0.22, 0.5, 1}, LIGHT[] = {1, 0.92, 0.3, 0.08, 0};
    vd_point p = vd_pen_project(pen, place);
    double scale = vd_grid_scale(pen->camera);
    if (p.depth < VD_PEN_NEAR || (pen->grid && vd_grid_at(pen->grid, p.x * scale, p.y * scale) > pen->id))
        return;
    /* Far lamps stay a point of light; near ones do not fill the picture. */
    double r = vd_clamp(radius * pen->camera->focal / p.depth, 0.9, pen->camera->width / 60.0);
    double reach = halo * r, clear = 1 - 0.6 * pen->haze_share;
    cairo_pattern_t *pattern = cairo_pattern_create_radial(p.x, p.y, 0, p.x, p.y, reach);
    for (int i = 0; i < 5; i++)
        cairo_pattern_add_color_stop_rgba(pattern, AT[i], color.r, color.g, color.b, clear * LIGHT[i]);
    cairo_set_source(pen->cr, pattern);
    cairo_rectangle(pen->cr, p.x - reach, p.y - reach, 2 * reach, 2 * reach);
    cairo_fill(pen->cr);
    cairo_pattern_destroy(pattern);
}

void vd_vehicle_paint_lamps(vd_pen *pen, vd_vehicle_kind kind)
{
    static const vd_rgb WHITE = {1, 0.95, 0.84}, RED = {0.95, 0.1, 0.06};
    vd_lamps lamps = kind == VD_VEHICLE_LORRY     ? vd_lorry_lamps()
                     : kind == VD_VEHICLE_CYCLIST ? vd_cyclist_lamps()
                                                  : vd_car_lamps(kind);
    bool front = vd_part_shows_front(pen, lamps.front.x);
    if (!front && !vd_part_shows_rear(pen, -lamps.rear.x))
        return;
    vd_vec3 lamp = front ? lamps.front : lamps.rear;
    bool single = lamp.y == 0;
    double radius = single ? 0.04 : front ? 0.14 : 0.1;
    glow(pen, lamp, radius, front ? 7 : 4.5, front ? WHITE : RED);
    lamp.y = -lamp.y;
    if (!single)
        glow(pen, lamp, radius, front ? 7 : 4.5, front ? WHITE : RED);
}
