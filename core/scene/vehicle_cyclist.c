#include <math.h>

#include "scene/vehicle_parts.h"

static const double WHEEL_X = 0.53, WHEEL_RADIUS = 0.34;

static void paint_bicycle_wheel(vd_pen *pen, double x)
{
    enum { PARTS = 14 };
    for (int i = 0; i < PARTS; i++) {
        double a = 2 * M_PI * i / PARTS, b = 2 * M_PI * (i + 1) / PARTS, r = WHEEL_RADIUS - 0.02;
        vd_vec3 from = {x + r * cos(a), 0, WHEEL_RADIUS + r * sin(a)},
                to = {x + r * cos(b), 0, WHEEL_RADIUS + r * sin(b)};
        vd_pen_limb(pen, from, to, 0.05, VD_RUBBER);
    }
}

static void paint_leg(vd_pen *pen, double turn, double y, vd_rgb trousers)
{
    vd_vec3 hip = {-0.2, y, 0.98}, foot = {0.02 + 0.17 * cos(turn), 1.2 * y, 0.33 + 0.17 * sin(turn)};
    vd_vec3 knee = {(hip.x + foot.x) / 2 + 0.2, 1.3 * y, (hip.z + foot.z) / 2 + 0.12};
    vd_pen_limb(pen, hip, knee, 0.18, trousers);
    vd_pen_limb(pen, knee, foot, 0.13, vd_rgb_scale(trousers, 0.85));
    vd_pen_limb(pen, foot, (vd_vec3){foot.x + 0.14, foot.y, foot.z}, 0.09, vd_rgb_hex(0xd8d8d8));
}

static void paint_frame(vd_pen *pen, vd_rgb frame)
{
    vd_vec3 pedals = {0.02, 0, 0.33}, saddle = {-0.22, 0, 0.95}, head = {0.42, 0, 0.9};
    vd_vec3 bar = {0.46, 0, 1.03};
    vd_pen_limb(pen, pedals, saddle, 0.05, frame);
    vd_pen_limb(pen, pedals, head, 0.05, frame);
    vd_pen_limb(pen, saddle, head, 0.045, frame);
    vd_pen_limb(pen, head, (vd_vec3){WHEEL_X, 0, WHEEL_RADIUS}, 0.045, frame);
    vd_pen_limb(pen, (vd_vec3){-WHEEL_X, 0, WHEEL_RADIUS}, pedals, 0.045, frame);
    vd_pen_limb(pen, (vd_vec3){-WHEEL_X, 0, WHEEL_RADIUS}, saddle, 0.04, frame);
    vd_pen_limb(pen, head, bar, 0.05, VD_TRIM);
    vd_pen_limb(pen, (vd_vec3){0.44, -0.27, 1.05}, (vd_vec3){0.44, 0.27, 1.05}, 0.04, VD_TRIM);
}

static void paint_arm(vd_pen *pen, double side, vd_rgb sleeve, vd_rgb skin)
{
    vd_vec3 elbow = {0.31, 0.25 * side, 1.19};
    vd_pen_limb(pen, (vd_vec3){0.14, 0.18 * side, 1.42}, elbow, 0.11, sleeve);
    vd_pen_limb(pen, elbow, (vd_vec3){0.45, 0.22 * side, 1.07}, 0.085, skin);
}

/* Hips, back and shoulders: three limbs across make the shape of a body from any side. */
static void paint_torso(vd_pen *pen, vd_rgb jersey, vd_rgb trousers)
{
    vd_pen_limb(pen, (vd_vec3){-0.22, -0.07, 1.0}, (vd_vec3){-0.22, 0.07, 1.0}, 0.24, trousers);
    vd_vec3 low = {-0.17, 0, 1.1}, high = {0.1, 0, 1.36};
    vd_pen_limb(pen, low, high, 0.3, vd_rgb_scale(jersey, 0.88));
    vd_pen_limb(pen, (vd_vec3){high.x, -0.12, high.z}, (vd_vec3){high.x, 0.12, high.z}, 0.22,
                vd_rgb_scale(jersey, 0.95));
}

static void paint_head(vd_pen *pen, vd_rgb skin)
{
    vd_pen_limb(pen, (vd_vec3){0.16, 0, 1.44}, (vd_vec3){0.24, 0, 1.56}, 0.13, skin);
    vd_pen_limb(pen, (vd_vec3){0.26, 0, 1.58}, (vd_vec3){0.27, 0, 1.62}, 0.19, skin);
    vd_pen_limb(pen, (vd_vec3){0.18, 0, 1.68}, (vd_vec3){0.3, 0, 1.69}, 0.19, vd_rgb_hex(0xdededb));
    vd_pen_limb(pen, (vd_vec3){0.18, 0, 1.74}, (vd_vec3){0.3, 0, 1.74}, 0.03, VD_TRIM);
}

double vd_cyclist_length(void)
{
    return 2 * (WHEEL_X + WHEEL_RADIUS);
}

void vd_cyclist_paint_shadow(vd_pen *pen)
{
    vd_pen_shadow(pen, -0.7, 0.7, 0.1, 0.9);
}

void vd_cyclist_paint(vd_pen *pen, vd_rgb jersey, double driven_m)
{
    vd_rgb frame = vd_rgb_hex(0x9c1f24), skin = vd_rgb_hex(0xc4977a), trousers = vd_rgb_hex(0x23272f);
    double near = vd_part_near_side(pen), turn = -driven_m / 0.9;
    bool front = vd_part_shows_front(pen, 0);
    double first = front ? -WHEEL_X : WHEEL_X;
    paint_bicycle_wheel(pen, first);
    paint_leg(pen, turn + M_PI, -0.1 * near, vd_rgb_scale(trousers, 0.8));
    paint_frame(pen, frame);
    if (!front)
        paint_arm(pen, -near, vd_rgb_scale(jersey, 0.8), skin);
    paint_bicycle_wheel(pen, -first);
    paint_leg(pen, turn, 0.1 * near, trousers);
    if (!front)
        paint_head(pen, skin);
    paint_torso(pen, jersey, trousers);
    if (front) {
        paint_arm(pen, -near, vd_rgb_scale(jersey, 0.8), skin);
        paint_head(pen, skin);
    }
    paint_arm(pen, near, vd_rgb_scale(jersey, 0.85), skin);
    if (!front)
        vd_pen_limb(pen, (vd_vec3){-0.3, 0, 0.84}, (vd_vec3){-0.3, 0, 0.88}, 0.05, VD_TAIL);
}

vd_lamps vd_cyclist_lamps(void)
{
    return (vd_lamps){{0.5, 0, 0.95}, {-0.31, 0, 0.86}};
}
