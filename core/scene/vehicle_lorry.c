/* Chassis, load and cab: three boxes, the farther one of the last two first. */
#include "scene/vehicle_parts.h"

static const double HALF_LENGTH = 3.8, HALF_WIDTH = 1.2, CAB_HALF_WIDTH = 1.15;
static const double LOAD_FRONT = 1.75, LOAD_LOW = 0.95, LOAD_TOP = 3.35;
static const double CAB_REAR = 1.85, CAB_LOW = 0.42, CAB_TOP = 2.75;
static const double AXLE_REAR = -2.4, AXLE_FRONT = 2.85, WHEEL = 0.46;

static const vd_rgb CANVAS = {0.86, 0.855, 0.83};

/* A rectangle across the vehicle at x. */
static void plane_x(vd_pen *pen, double x, double y1, double y2, double z1, double z2, vd_rgb color)
{
    vd_pen_rectangle(pen, VD_FACE_FLAT, (vd_vec3){x, y1, z1}, (vd_vec3){x, y2, z2}, color);
}

static void plane_y(vd_pen *pen, double y, double x1, double x2, double z1, double z2, vd_rgb color)
{
    vd_pen_rectangle(pen, VD_FACE_FLAT, (vd_vec3){x1, y, z1}, (vd_vec3){x2, y, z2}, color);
}

static void plane_z(vd_pen *pen, double z, double x1, double x2, double y1, double y2, vd_rgb color)
{
    vd_pen_rectangle(pen, VD_FACE_FLAT, (vd_vec3){x1, y1, z}, (vd_vec3){x2, y2, z}, color);
}

/* A box from x1 to x2 with faces where the camera sees them. */
static void paint_box(vd_pen *pen, double x1, double x2, double half_width, double z1, double z2,
                      vd_rgb color)
{
    double w = half_width;
    pen->center = (vd_vec3){(x1 + x2) / 2, 0, (z1 + z2) / 2};
    vd_pen_rectangle(pen, VD_FACE_SOLID, (vd_vec3){x1, -w, z2}, (vd_vec3){x2, w, z2}, color);
    vd_pen_rectangle(pen, VD_FACE_SOLID, (vd_vec3){x1, -w, z1}, (vd_vec3){x1, w, z2}, color);
    vd_pen_rectangle(pen, VD_FACE_SOLID, (vd_vec3){x2, -w, z1}, (vd_vec3){x2, w, z2}, color);
    vd_pen_rectangle(pen, VD_FACE_SOLID, (vd_vec3){x1, -w, z1}, (vd_vec3){x2, -w, z2}, color);
    vd_pen_rectangle(pen, VD_FACE_SOLID, (vd_vec3){x1, w, z1}, (vd_vec3){x2, w, z2}, color);
}

static void paint_load_rear(vd_pen *pen)
{
    double x = -HALF_LENGTH - 0.01, w = HALF_WIDTH;
    vd_rgb frame = vd_rgb_scale(CANVAS, 0.55), bar = {0.5, 0.5, 0.5};
    plane_x(pen, x, -w, w, LOAD_TOP - 0.09, LOAD_TOP, frame);
    plane_x(pen, x, -w, w, LOAD_LOW, LOAD_LOW + 0.1, frame);
    plane_x(pen, x, -0.015, 0.015, LOAD_LOW, LOAD_TOP - 0.09, VD_TRIM);
    for (int i = -1; i <= 1; i += 2) {
        plane_x(pen, x, i * (w - 0.07), i * w, LOAD_LOW, LOAD_TOP, frame);
        plane_x(pen, x, i * 0.3, i * 0.335, LOAD_LOW + 0.1, LOAD_TOP - 0.09, bar);
        plane_x(pen, x, i * 0.78, i * 0.815, LOAD_LOW + 0.1, LOAD_TOP - 0.09, bar);
        plane_x(pen, x, i * 0.3, i * 0.5, 1.62, 1.68, VD_TRIM);
        for (int hinge = 0; hinge < 3 && vd_part_detailed(pen); hinge++)
            plane_x(pen, x, i * 0.98, i * (w - 0.02), 1.3 + 0.8 * hinge, 1.36 + 0.8 * hinge, bar);
    }
}

/* Under the load: tail lamps, plate, the bar that keeps cars out. */
static void paint_chassis_rear(vd_pen *pen)
{
    static const vd_rgb WARNING = {0.85, 0.45, 0.1};
    double x = -HALF_LENGTH + 0.02;
    plane_x(pen, x, -1.1, 1.1, 0.5, 0.64, vd_rgb_scale(VD_TRIM, 1.5));
    plane_x(pen, x, -1.15, 1.15, 0.74, LOAD_LOW, VD_TRIM);
    vd_part_plate(pen, x - 0.01, 0.78);
    for (int i = -1; i <= 1; i += 2) {
        plane_x(pen, x - 0.01, i * 0.68, i * 1.12, 0.77, 0.92, vd_rgb_scale(VD_TAIL, 0.85));
        plane_x(pen, x - 0.02, i * 0.98, i * 1.1, 0.79, 0.9, WARNING);
        plane_x(pen, x - 0.02, i * 0.68, i * 0.78, 0.79, 0.9, vd_rgb_hex(0xcfcfcb));
    }
}

static void paint_load(vd_pen *pen, vd_rgb stripe)
{
    double side = vd_part_near_side(pen), y = side * (HALF_WIDTH + 0.01), length = LOAD_FRONT + HALF_LENGTH;
    paint_box(pen, -HALF_LENGTH, LOAD_FRONT, HALF_WIDTH, LOAD_LOW, LOAD_TOP, CANVAS);
    if (vd_pen_eye(pen).z > LOAD_TOP) {
        vd_rgb rib = vd_rgb_scale(CANVAS, 0.8);
        for (int i = 1; i < 6; i++) {
            double x = -HALF_LENGTH + length * i / 6;
            plane_z(pen, LOAD_TOP + 0.005, x, x + 0.05, -HALF_WIDTH, HALF_WIDTH, rib);
        }
        for (int i = -1; i <= 1; i += 2)
            plane_z(pen, LOAD_TOP + 0.005, -HALF_LENGTH, LOAD_FRONT, i * (HALF_WIDTH - 0.06), i * HALF_WIDTH,
                    vd_rgb_scale(CANVAS, 0.66));
    }
    if (vd_part_shows_side(pen, HALF_WIDTH)) {
        plane_y(pen, y, -HALF_LENGTH + 0.05, LOAD_FRONT - 0.05, 1.5, 1.86, vd_rgb_scale(stripe, 0.75));
        for (int i = 0; i <= 5; i++) {
            double x = -HALF_LENGTH + 0.04 + (length - 0.1) * i / 5;
            plane_y(pen, y, x, x + 0.03, LOAD_LOW + 0.05, LOAD_TOP - 0.05, vd_rgb_scale(CANVAS, 0.62));
        }
        plane_y(pen, y, -HALF_LENGTH, LOAD_FRONT, LOAD_LOW, LOAD_LOW + 0.11, VD_TRIM);
    }
    if (vd_part_shows_rear(pen, HALF_LENGTH))
        paint_load_rear(pen);
}

static void paint_cab_front(vd_pen *pen, vd_rgb color)
{
    double x = HALF_LENGTH + 0.01, w = CAB_HALF_WIDTH;
    vd_rgb seam = vd_rgb_scale(color, 0.5);
    plane_x(pen, x, -w + 0.07, w - 0.07, 1.5, 2.47, vd_rgb_scale(VD_TRIM, 0.7));
    vd_pen_rectangle(pen, VD_FACE_GLASS, (vd_vec3){x + 0.005, -w + 0.1, 1.56},
                     (vd_vec3){x + 0.005, w - 0.1, 2.44}, VD_GLASS);
    for (int i = -1; i <= 1; i++)
        vd_pen_limb(pen, (vd_vec3){x + 0.02, 0.5 * i - 0.2, 1.53}, (vd_vec3){x + 0.02, 0.5 * i + 0.25, 1.62},
                    0.025, VD_TRIM);
    plane_x(pen, x, -w + 0.04, w - 0.04, 2.5, 2.66, vd_rgb_scale(VD_TRIM, 1.1));
    plane_x(pen, x, -0.75, 0.75, 0.94, 1.34, VD_TRIM);
    for (int i = 0; i < 4; i++)
        plane_x(pen, x + 0.005, -0.73, 0.73, 1.0 + 0.09 * i, 1.025 + 0.09 * i, vd_rgb_hex(0x5d6063));
    plane_x(pen, x, -w, w, CAB_LOW, 0.68, VD_TRIM);
    plane_x(pen, x, -w, w, 0.68, 0.7, seam);
    vd_part_plate(pen, x + 0.01, 0.5);
    for (int i = -1; i <= 1; i += 2) {
        plane_x(pen, x, i * 0.72, i * (w - 0.01), 0.7, 0.95, vd_rgb_scale(VD_TRIM, 0.8));
        plane_x(pen, x + 0.005, i * 0.76, i * 1.0, 0.74, 0.91, VD_LAMP);
        plane_x(pen, x + 0.005, i * 1.03, i * (w - 0.03), 0.74, 0.91, vd_rgb_hex(0xc07a2a));
    }
}

static void paint_cab(vd_pen *pen, vd_rgb color)
{
    double side = vd_part_near_side(pen), w = CAB_HALF_WIDTH, y = side * (w + 0.01);
    paint_box(pen, CAB_REAR, HALF_LENGTH, w, CAB_LOW, CAB_TOP, color);
    if (vd_pen_eye(pen).z > CAB_TOP) {
        plane_z(pen, CAB_TOP + 0.005, 2.5, 3.1, -0.35, 0.35, vd_rgb_scale(color, 0.72));
        plane_z(pen, CAB_TOP + 0.005, 2.56, 3.04, -0.29, 0.29, vd_rgb_scale(color, 0.84));
        plane_z(pen, CAB_TOP + 0.005, HALF_LENGTH - 0.12, HALF_LENGTH, -w, w, VD_TRIM);
        for (int i = -1; i <= 1; i += 2)
            plane_z(pen, CAB_TOP + 0.005, CAB_REAR, HALF_LENGTH, i * (w - 0.05), i * w,
                    vd_rgb_scale(color, 0.7));
    }
    if (vd_part_shows_side(pen, w)) {
        vd_vec3 window[4] = {{2.55, y, 1.55}, {3.65, y, 1.45}, {3.6, y, 2.45}, {2.6, y, 2.45}};
        pen->center = (vd_vec3){2.8, 0, 1.6};
        vd_pen_polygon(pen, VD_FACE_GLASS, window, 4, VD_GLASS);
        plane_y(pen, y, 2.47, 2.5, 0.75, 2.52, vd_rgb_scale(color, 0.5));
        plane_y(pen, y, 2.6, 2.8, 1.32, 1.38, vd_rgb_scale(color, 0.4));
    }
    pen->center = (vd_vec3){2.8, 0, 1.6};
    if (vd_part_shows_front(pen, HALF_LENGTH))
        paint_cab_front(pen, color);
    for (int i = -1; i <= 1; i += 2)
        vd_pen_limb(pen, (vd_vec3){3.7, i * (w + 0.16), 1.75}, (vd_vec3){3.7, i * (w + 0.16), 2.3}, 0.15,
                    VD_TRIM);
}

double vd_lorry_length(void)
{
    return 2 * HALF_LENGTH;
}

void vd_lorry_paint_shadow(vd_pen *pen)
{
    vd_pen_shadow(pen, -HALF_LENGTH + 0.1, HALF_LENGTH - 0.1, HALF_WIDTH - 0.08, 3);
}

void vd_lorry_paint(vd_pen *pen, vd_rgb color, double driven_m)
{
    double near = vd_part_near_side(pen);
    bool front = vd_part_shows_front(pen, 0);
    for (int i = 0; i < 2; i++) {
        double x = (i == 0) == front ? AXLE_REAR : AXLE_FRONT;
        for (int side = -1; side <= 1; side += 2)
            vd_part_tyre(pen, x, side, 1.12, WHEEL, x == AXLE_REAR ? 0.5 : 0.3);
    }
    paint_box(pen, -3.7, 3.6, 0.9, 0.5, LOAD_LOW, vd_rgb_scale(VD_TRIM, 0.7));
    if (vd_part_shows_side(pen, HALF_WIDTH)) {
        vd_part_wheel(pen, AXLE_REAR, near * 1.14, WHEEL, 0.3, driven_m);
        plane_y(pen, near * 1.1, -1.6, 1.5, 0.5, 0.75, vd_rgb_scale(VD_TRIM, 1.4));
    }
    if (vd_part_shows_rear(pen, HALF_LENGTH))
        paint_chassis_rear(pen);
    if (front) {
        paint_load(pen, color);
        paint_cab(pen, color);
    } else {
        paint_cab(pen, color);
    }
    if (vd_part_shows_side(pen, HALF_WIDTH))
        vd_part_wheel(pen, AXLE_FRONT, near * (CAB_HALF_WIDTH + 0.01), WHEEL, CAB_LOW, driven_m);
    if (!front)
        paint_load(pen, color);
}

vd_lamps vd_lorry_lamps(void)
{
    return (vd_lamps){{HALF_LENGTH + 0.02, 0.88, 0.82}, {-HALF_LENGTH + 0.01, 0.9, 0.845}};
}
