#include <math.h>

#include "scene/vehicle_body.h"

/* The whole of it, drawn in from its border by a share. */
static void across(vd_pen *pen, vd_face face, const vd_body *b, int cabin, int index, double inset,
                   vd_rgb color)
{
    const vd_section *s = cabin ? &b->cabin[index] : &b->lower[index];
    double w = 1 - 1.2 * inset, y[4] = {-w, w, w, -w}, t[2] = {inset, 1 - inset};
    vd_body_patch(pen, face, b, s, s + 1, y, t, color);
}

static void paint_side_windows(vd_pen *pen, const vd_body *b, double side)
{
    double from = 0.04;
    for (int i = 0; i <= 3; i++) {
        double to = i < 3 && b->pillars[i] > 0 ? b->pillars[i] : 0.955;
        bool blind = b->panel_van && i == 0;
        if (!blind) {
            vd_vec3 window[4] = {vd_body_on_cabin(b, side, from, 0.1), vd_body_on_cabin(b, side, to, 0.1),
                                 vd_body_on_cabin(b, side, to - 0.012, 0.87),
                                 vd_body_on_cabin(b, side, from + 0.012, 0.87)};
            vd_pen_polygon(pen, VD_FACE_GLASS, window, 4, VD_GLASS);
        }
        if (to > 0.95)
            break;
        from = to + 0.035;
    }
}

static void paint_doors(vd_pen *pen, const vd_body *b, double side, vd_rgb color)
{
    double low = b->lower[0].z, waist = b->cabin[0].z;
    vd_rgb seam = vd_rgb_scale(color, 0.42);
    for (int i = 0; i < 3 && b->pillars[i] > 0; i++) {
        double x = b->cabin[0].x + (b->cabin[3].x - b->cabin[0].x) * (b->pillars[i] + 0.018);
        vd_vec3 line[4] = {
            vd_body_on_side(b, side, x, low + 0.12), vd_body_on_side(b, side, x + 0.02, low + 0.12),
            vd_body_on_side(b, side, x + 0.02, waist - 0.05), vd_body_on_side(b, side, x, waist - 0.05)};
        vd_pen_polygon(pen, VD_FACE_FLAT, line, 4, seam);
        vd_vec3 handle[4] = {vd_body_on_side(b, side, x + 0.1, waist - 0.17),
                             vd_body_on_side(b, side, x + 0.27, waist - 0.17),
                             vd_body_on_side(b, side, x + 0.27, waist - 0.13),
                             vd_body_on_side(b, side, x + 0.1, waist - 0.13)};
        vd_pen_polygon(pen, VD_FACE_FLAT, handle, 4, seam);
    }
}

static void paint_side(vd_pen *pen, const vd_body *b, vd_rgb color, double driven_m)
{
    double side = vd_part_near_side(pen), middle = b->length / 2, low = b->lower[0].z;
    vd_vec3 outline[10];
    for (int i = 0; i < b->lower_count; i++)
        outline[i] = vd_body_at(b, &b->lower[i], side);
    vd_pen_polygon(pen, VD_FACE_SOLID, outline, b->lower_count, color);
    vd_vec3 sill[4] = {vd_body_on_side(b, side, b->axle_rear, low),
                       vd_body_on_side(b, side, b->axle_front, low),
                       vd_body_on_side(b, side, b->axle_front, low + 0.1),
                       vd_body_on_side(b, side, b->axle_rear, low + 0.1)};
    vd_pen_polygon(pen, VD_FACE_FLAT, sill, 4, vd_rgb_scale(color, 0.3));
    if (vd_part_detailed(pen))
        paint_doors(pen, b, side, color);
    for (int i = 0; i < 2; i++) {
        double x = i == 0 ? b->axle_rear : b->axle_front, y = vd_body_half_width(b, x) + 0.005;
        vd_part_wheel(pen, x - middle, side * y, b->wheel, low, driven_m);
    }
}

static void paint_cabin_side(vd_pen *pen, const vd_body *b, vd_rgb color)
{
    double side = vd_part_near_side(pen);
    vd_vec3 cabin[4] = {vd_body_on_cabin(b, side, 0, 0), vd_body_on_cabin(b, side, 1, 0),
                        vd_body_on_cabin(b, side, 1, 1), vd_body_on_cabin(b, side, 0, 1)};
    vd_pen_polygon(pen, VD_FACE_SOLID, cabin, 4, color);
    paint_side_windows(pen, b, side);
}

static void paint_mirror(vd_pen *pen, const vd_body *b, double side, vd_rgb color)
{
    const vd_section *waist = &b->cabin[3];
    vd_vec3 p = {waist->x - 0.42 - b->length / 2, side * (b->half_width + 0.12), waist->z + 0.11};
    vd_pen_limb(pen, (vd_vec3){p.x, p.y - side * 0.16, p.z - 0.05}, p, 0.06, VD_TRIM);
    vd_pen_limb(pen, p, (vd_vec3){p.x, p.y - side * 0.08, p.z}, 0.14, vd_rgb_scale(color, 0.72));
    if (vd_part_shows_rear(pen, -p.x))
        vd_pen_limb(pen, p, (vd_vec3){p.x, p.y - side * 0.08, p.z}, 0.09, vd_rgb_hex(0x4d5a64));
}

/* What a panel van has where others have windows: the rail of the sliding door and a strip against knocks. */
static void paint_van_side(vd_pen *pen, const vd_body *b, vd_rgb color)
{
    double side = vd_part_near_side(pen), middle = b->length / 2, y = side * (b->half_width + 0.005);
    vd_rgb seam = vd_rgb_scale(color, 0.45);
    vd_pen_rectangle(pen, VD_FACE_FLAT, (vd_vec3){-middle + 0.15, y, 0.62}, (vd_vec3){middle - 1.3, y, 0.74},
                     VD_TRIM);
    vd_pen_rectangle(pen, VD_FACE_FLAT, (vd_vec3){-middle + 0.5, y, 1.12}, (vd_vec3){middle - 2.3, y, 1.15},
                     seam);
    for (int i = 0; i < 2; i++) {
        double u = 0.36 + 0.345 * i;
        vd_vec3 edge[4] = {vd_body_on_cabin(b, side, u, 0.05), vd_body_on_cabin(b, side, u + 0.008, 0.05),
                           vd_body_on_cabin(b, side, u + 0.008, 0.93), vd_body_on_cabin(b, side, u, 0.93)};
        vd_pen_polygon(pen, VD_FACE_FLAT, edge, 4, seam);
    }
}

/* Two doors with a window each. */
static void paint_van_rear(vd_pen *pen, const vd_body *b, vd_rgb color)
{
    double x = b->cabin[1].x - b->length / 2 - 0.06;
    vd_rgb seam = vd_rgb_scale(color, 0.4);
    for (int side = -1; side <= 1; side += 2) {
        vd_pen_rectangle(pen, VD_FACE_FLAT, (vd_vec3){x, side * 0.83, 2.0}, (vd_vec3){x, side * 0.08, 1.33},
                         VD_TRIM);
        vd_pen_rectangle(pen, VD_FACE_GLASS, (vd_vec3){x, side * 0.8, 1.97}, (vd_vec3){x, side * 0.11, 1.36},
                         VD_GLASS);
    }
    vd_pen_rectangle(pen, VD_FACE_FLAT, (vd_vec3){x, -0.012, 0.88}, (vd_vec3){x, 0.012, 2.1}, seam);
    vd_pen_rectangle(pen, VD_FACE_FLAT, (vd_vec3){x, 0.05, 1.08}, (vd_vec3){x, 0.2, 1.14}, VD_TRIM);
    vd_pen_rectangle(pen, VD_FACE_FLAT, (vd_vec3){x, -0.2, 2.12}, (vd_vec3){x, 0.2, 2.16}, VD_TAIL);
}

/* Folds and gaps of the bonnet, and the trough before the windscreen. */
static void paint_bonnet(vd_pen *pen, const vd_body *b, vd_rgb color)
{
    const vd_section *from = &b->lower[4], *to = from + 1;
    static const double WHOLE[2] = {0.05, 1}, TROUGH[2] = {0.02, 0.12};
    double trough[4] = {-0.9, 0.9, 0.88, -0.88};
    for (int side = -1; side <= 1; side += 2) {
        double gap[4] = {side * 0.9, side * 0.915, side * 0.9, side * 0.885};
        double fold[4] = {side * 0.5, side * 0.53, side * 0.41, side * 0.39};
        vd_body_patch(pen, VD_FACE_FLAT, b, from, to, gap, WHOLE, vd_rgb_scale(color, 0.4));
        vd_body_patch(pen, VD_FACE_FLAT, b, from, to, fold, WHOLE, vd_rgb_scale(color, 0.72));
    }
    vd_body_patch(pen, VD_FACE_FLAT, b, from, to, trough, TROUGH, VD_TRIM);
}

static void paint_roof(vd_pen *pen, const vd_body *b, vd_rgb color)
{
    static const double WHOLE[2] = {0.01, 0.99};
    for (int side = -1; side <= 1; side += 2) {
        double gutter[4] = {side * 0.86, side * 0.9, side * 0.9, side * 0.86};
        vd_body_patch(pen, VD_FACE_FLAT, b, &b->cabin[1], &b->cabin[2], gutter, WHOLE,
                      vd_rgb_scale(color, 0.55));
    }
    const vd_section *rear = &b->cabin[1];
    vd_vec3 aerial = {rear->x + 0.16 - b->length / 2, 0, rear->z + 0.02};
    vd_pen_limb(pen, aerial, (vd_vec3){aerial.x - 0.06, 0, aerial.z + 0.05}, 0.04, vd_rgb_scale(color, 0.4));
}

/* The window of the rear (index 0) or the front (2), in its seal. */
static void paint_window(vd_pen *pen, const vd_body *b, int index)
{
    const vd_section *s = &b->cabin[index];
    across(pen, VD_FACE_SOLID, b, 1, index, 0.05, vd_rgb_scale(VD_TRIM, 0.9));
    across(pen, VD_FACE_GLASS, b, 1, index, 0.075, VD_GLASS);
    if (!vd_part_detailed(pen))
        return;
    if (index == 0 && vd_part_shows_rear(pen, b->length / 2)) {
        static const double LAMP_Y[4] = {-0.2, 0.2, 0.2, -0.2}, LAMP_T[2] = {0.9, 0.95};
        vd_body_patch(pen, VD_FACE_FLAT, b, s, s + 1, LAMP_Y, LAMP_T, vd_rgb_scale(VD_TAIL, 0.8));
    } else if (index == 2 && vd_part_shows_front(pen, b->length / 2)) {
        for (int i = 0; i < 2; i++) {
            double y = 0.75 - 0.8 * i, wiper[4] = {y - 0.7, y - 0.69, y, y - 0.03}, t[2] = {0.8, 0.93};
            vd_body_patch(pen, VD_FACE_FLAT, b, s, s + 1, wiper, t, vd_rgb_scale(VD_TRIM, 0.6));
        }
    }
}

static void paint_lower(vd_pen *pen, const vd_body *b, vd_rgb color)
{
    pen->center = (vd_vec3){0, 0, b->lower[0].z + 0.25};
    for (int i = 0; i + 1 < b->lower_count; i++)
        across(pen, VD_FACE_SOLID, b, 0, i, 0, color);
    bool detailed = vd_part_detailed(pen);
    if (detailed && vd_part_shows_front(pen, -b->length / 4))
        paint_bonnet(pen, b, color);
    if (vd_part_shows_front(pen, b->length / 2))
        vd_body_paint_front(pen, b, color);
    else if (vd_part_shows_rear(pen, b->length / 2))
        vd_body_paint_rear(pen, b, color);
}

static void paint_cabin(vd_pen *pen, const vd_body *b, vd_rgb color)
{
    pen->center = (vd_vec3){(b->cabin[0].x + b->cabin[3].x) / 2 - b->length / 2, 0, b->cabin[0].z};
    for (int i = 0; i < 3; i++) {
        across(pen, VD_FACE_SOLID, b, 1, i, 0, color);
        if (i != 1 && !(i == 0 && b->panel_van))
            paint_window(pen, b, i);
    }
    if (vd_part_detailed(pen) && vd_pen_eye(pen).z > b->height)
        paint_roof(pen, b, color);
    if (b->panel_van && vd_part_shows_rear(pen, b->length / 2))
        paint_van_rear(pen, b, color);
}

double vd_car_length(vd_vehicle_kind kind)
{
    return vd_body_of(kind)->length;
}

void vd_car_paint_shadow(vd_pen *pen, vd_vehicle_kind kind)
{
    const vd_body *b = vd_body_of(kind);
    vd_pen_shadow(pen, -b->length / 2 + 0.1, b->length / 2 - 0.1, b->half_width - 0.06, b->height);
}

void vd_car_paint(vd_pen *pen, vd_vehicle_kind kind, vd_rgb color, double driven_m)
{
    const vd_body *b = vd_body_of(kind);
    double near = vd_part_near_side(pen), half = b->length / 2;
    bool front = vd_part_shows_front(pen, 0), side = vd_part_shows_side(pen, b->half_width);
    for (int i = 0; i < 2; i++) {
        double axle = (i == 0) == front ? b->axle_rear : b->axle_front, wide = vd_body_half_width(b, axle);
        for (int k = -1; k <= 1; k += 2)
            vd_part_tyre(pen, axle - half, k, wide - 0.03, b->wheel, 0.2);
    }
    paint_mirror(pen, b, -near, color);
    paint_lower(pen, b, color);
    pen->center = (vd_vec3){0, 0, 0.6};
    if (side)
        paint_side(pen, b, color, driven_m);
    paint_cabin(pen, b, color);
    if (side) {
        pen->center = (vd_vec3){0, 0, 0.6};
        paint_cabin_side(pen, b, color);
        if (b->panel_van)
            paint_van_side(pen, b, color);
    }
    paint_mirror(pen, b, near, color);
}

vd_lamps vd_car_lamps(vd_vehicle_kind kind)
{
    const vd_body *b = vd_body_of(kind);
    vd_vec3 front = vd_body_on_end(b, true, 0.78, b->lower[b->lower_count - 3].z - 0.03);
    vd_vec3 rear = vd_body_on_end(b, false, b->panel_van ? 0.93 : 0.84, b->lower[2].z - 0.02);
    return (vd_lamps){front, rear};
}
