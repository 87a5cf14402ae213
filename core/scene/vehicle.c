/* A body is two prisms across the vehicle: a lower one up to the waistline and the cabin on it, each a line
 * along the length with a half width at every point. Rear first, as seen from its left side. */
#include "scene/vehicle.h"

#include <math.h>

typedef struct section {
    double x, z, half_width;
} section;

typedef struct body {
    double length, height, half_width, wheel, axle_rear, axle_front;
    int lower_count;
    section lower[10];
    section cabin[4];  /* rear waist, rear roof, front roof, front waist */
    double pillars[3]; /* shares of the cabin's length where the side windows part; 0: none */
    bool panel_van;    /* no windows behind the driver */
} body;

static const body BODIES[] = {
    [VD_VEHICLE_HATCHBACK] =
        {.length = 4.1,
         .height = 1.52,
         .half_width = 0.89,
         .wheel = 0.32,
         .axle_rear = 0.72,
         .axle_front = 3.26,
         .lower_count = 9,
         .lower = {{0.1, 0.26, 0.8},
                   {0.0, 0.5, 0.84},
                   {0.04, 0.74, 0.86},
                   {0.16, 1.0, 0.86},
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

static const unsigned PAINTS[] = {0xe9e9e6, 0xa5262a, 0x23272d, 0x2451a0, 0xd98a1f, 0x1d3b63,
                                  0xf0eee8, 0x7f1f2c, 0x2f7a4c, 0x2c2f30, 0xd8c021, 0x3a86a0};
static const unsigned VAN_PAINTS[] = {0xf0f0ee, 0xe8c11c, 0x2b58a8, 0xecebe7, 0xb22c25};
static const unsigned LORRY_PAINTS[] = {0xb3282a, 0x2a5ea8, 0xe9e7e0, 0x2f7a4c, 0xe0861f};
static const unsigned JERSEYS[] = {0xf0d21a, 0xd8402a, 0xf1f1f1, 0x2f74c8, 0x55b64a};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const vd_rgb GLASS = {0.13, 0.17, 0.2}, RUBBER = {0.085, 0.085, 0.09}, TRIM = {0.13, 0.135, 0.14};
static const vd_rgb RIM = {0.62, 0.63, 0.65}, LAMP = {1.0, 0.98, 0.92}, TAIL = {0.78, 0.07, 0.06};
static const vd_rgb PLATE = {0.93, 0.93, 0.88};

/* The side of the vehicle that the camera is nearer to: 1 its left, -1 its right. */
static double near_side(const vd_pen *pen)
{
    return vd_pen_eye(pen).y >= 0 ? 1 : -1;
}

static bool shows_side(const vd_pen *pen, double half_width)
{
    return fabs(vd_pen_eye(pen).y) > half_width;
}

static bool shows_front(const vd_pen *pen)
{
    return vd_pen_eye(pen).x > 0;
}

static vd_vec3 at(const section *s, double middle, double side)
{
    return (vd_vec3){s->x - middle, side * s->half_width, s->z};
}

/* The quad across the vehicle between two sections, drawn in from its border by a share. */
static void across(vd_pen *pen, vd_face face, const section *a, const section *b, double middle, double inset,
                   vd_rgb color)
{
    double i = inset, o = 1 - inset;
    section p = {a->x * o + b->x * i, a->z * o + b->z * i,
                 (a->half_width * o + b->half_width * i) * (1 - 1.2 * i)};
    section q = {b->x * o + a->x * i, b->z * o + a->z * i,
                 (b->half_width * o + a->half_width * i) * (1 - 1.2 * i)};
    vd_vec3 points[4] = {at(&p, middle, -1), at(&p, middle, 1), at(&q, middle, 1), at(&q, middle, -1)};
    vd_pen_polygon(pen, face, points, 4, color);
}

static void paint_wheel(vd_pen *pen, double x, double y, double radius, double driven_m)
{
    double side = y > 0 ? 1 : -1;
    vd_pen_disc(pen, (vd_vec3){x, y - 0.012 * side, radius * 1.06}, radius * 1.17, TRIM);
    vd_pen_disc(pen, (vd_vec3){x, y, radius}, radius, RUBBER);
    vd_pen_disc(pen, (vd_vec3){x, y + 0.01 * side, radius}, radius * 0.64, RIM);
    for (int spoke = 0; spoke < 5; spoke++) {
        double angle = 2 * M_PI * spoke / 5 - side * -driven_m / radius;
        vd_vec3 hole = {x + 0.42 * radius * cos(angle), y + 0.015 * side,
                        radius + 0.42 * radius * sin(angle)};
        vd_pen_disc(pen, hole, radius * 0.13, TRIM);
    }
}

static vd_vec3 on_side(const body *b, double side, double x, double z)
{
    return (vd_vec3){x - b->length / 2, side * b->half_width, z};
}

/* A point on the cabin's side: u along the waist or roof from rear to front, v from waist (0) to roof (1). */
static vd_vec3 on_cabin(const body *b, double side, double u, double v)
{
    const section *c = b->cabin;
    double waist = c[0].x + (c[3].x - c[0].x) * u, roof = c[1].x + (c[2].x - c[1].x) * u;
    double low = c[0].z + (c[3].z - c[0].z) * u, high = c[1].z + (c[2].z - c[1].z) * u;
    double wide = c[0].half_width + (c[3].half_width - c[0].half_width) * u;
    double narrow = c[1].half_width + (c[2].half_width - c[1].half_width) * u;
    return (vd_vec3){waist + (roof - waist) * v - b->length / 2, side * (wide + (narrow - wide) * v),
                     low + (high - low) * v};
}

static void paint_side_windows(vd_pen *pen, const body *b, double side)
{
    double from = 0.04;
    for (int i = 0; i <= 3; i++) {
        double to = i < 3 && b->pillars[i] > 0 ? b->pillars[i] : 0.955;
        bool blind = b->panel_van && i == 0;
        if (!blind) {
            vd_vec3 window[4] = {on_cabin(b, side, from, 0.1), on_cabin(b, side, to, 0.1),
                                 on_cabin(b, side, to - 0.012, 0.87), on_cabin(b, side, from + 0.012, 0.87)};
            vd_pen_polygon(pen, VD_FACE_GLASS, window, 4, GLASS);
        }
        if (to > 0.95)
            break;
        from = to + 0.035;
    }
}

static void paint_side(vd_pen *pen, const body *b, vd_rgb color, double driven_m)
{
    double side = near_side(pen), middle = b->length / 2;
    vd_vec3 outline[10];
    for (int i = 0; i < b->lower_count; i++)
        outline[i] = at(&b->lower[i], middle, side);
    vd_pen_polygon(pen, VD_FACE_SOLID, outline, b->lower_count, color);

    double low = b->lower[0].z, waist = b->cabin[0].z;
    vd_vec3 sill[4] = {on_side(b, side, b->axle_rear, low), on_side(b, side, b->axle_front, low),
                       on_side(b, side, b->axle_front, low + 0.11),
                       on_side(b, side, b->axle_rear, low + 0.11)};
    vd_pen_polygon(pen, VD_FACE_FLAT, sill, 4, vd_rgb_scale(color, 0.35));
    vd_rgb seam = vd_rgb_scale(color, 0.62);
    for (int i = 0; i < 3 && b->pillars[i] > 0; i++) {
        double x = b->cabin[0].x + (b->cabin[3].x - b->cabin[0].x) * (b->pillars[i] + 0.018);
        vd_vec3 line[4] = {on_side(b, side, x, low + 0.12), on_side(b, side, x + 0.025, low + 0.12),
                           on_side(b, side, x + 0.025, waist - 0.03), on_side(b, side, x, waist - 0.03)};
        vd_pen_polygon(pen, VD_FACE_FLAT, line, 4, seam);
        vd_vec3 handle[4] = {
            on_side(b, side, x + 0.1, waist - 0.15), on_side(b, side, x + 0.27, waist - 0.15),
            on_side(b, side, x + 0.27, waist - 0.11), on_side(b, side, x + 0.1, waist - 0.11)};
        vd_pen_polygon(pen, VD_FACE_FLAT, handle, 4, seam);
    }
    vd_vec3 cabin[4] = {on_cabin(b, side, 0, 0), on_cabin(b, side, 1, 0), on_cabin(b, side, 1, 1),
                        on_cabin(b, side, 0, 1)};
    vd_pen_polygon(pen, VD_FACE_SOLID, cabin, 4, color);
    paint_side_windows(pen, b, side);
    paint_wheel(pen, b->axle_rear - middle, side * (b->half_width - 0.02), b->wheel, driven_m);
    paint_wheel(pen, b->axle_front - middle, side * (b->half_width - 0.02), b->wheel, driven_m);
}

static void paint_front(vd_pen *pen, const body *b)
{
    double x = b->length / 2 + 0.01, z = b->lower[b->lower_count - 3].z, w = b->half_width;
    vd_pen_rectangle(pen, VD_FACE_FLAT, (vd_vec3){x, -0.42 * w, z - 0.18}, (vd_vec3){x, 0.42 * w, z - 0.03},
                     TRIM);
    vd_pen_rectangle(pen, VD_FACE_FLAT, (vd_vec3){x, -0.6 * w, z - 0.4}, (vd_vec3){x, 0.6 * w, z - 0.3},
                     TRIM);
    vd_pen_rectangle(pen, VD_FACE_FLAT, (vd_vec3){x, -0.27, z - 0.28}, (vd_vec3){x, 0.27, z - 0.17}, PLATE);
    for (int side = -1; side <= 1; side += 2) {
        vd_vec3 lamp[4] = {{x, side * 0.5 * w, z - 0.13},
                           {x - 0.05, side * 0.85 * w, z - 0.1},
                           {x - 0.14, side * 0.87 * w, z + 0.05},
                           {x - 0.06, side * 0.52 * w, z + 0.02}};
        vd_pen_polygon(pen, VD_FACE_FLAT, lamp, 4, LAMP);
    }
}

static void paint_rear(vd_pen *pen, const body *b)
{
    double x = -b->length / 2 - 0.01, z = b->lower[2].z, w = b->half_width;
    vd_pen_rectangle(pen, VD_FACE_FLAT, (vd_vec3){x, -0.86 * w, z - 0.46}, (vd_vec3){x, 0.86 * w, z - 0.36},
                     TRIM);
    vd_pen_rectangle(pen, VD_FACE_FLAT, (vd_vec3){x, -0.27, z - 0.18}, (vd_vec3){x, 0.27, z - 0.06}, PLATE);
    for (int side = -1; side <= 1; side += 2) {
        vd_vec3 lamp[4] = {{x, side * 0.62 * w, z - 0.12},
                           {x + 0.02, side * 0.93 * w, z - 0.12},
                           {x + 0.08, side * 0.92 * w, z + 0.1},
                           {x + 0.06, side * 0.66 * w, z + 0.1}};
        vd_pen_polygon(pen, VD_FACE_FLAT, lamp, 4, TAIL);
    }
}

static void paint_mirror(vd_pen *pen, const body *b, double side, vd_rgb color)
{
    const section *waist = &b->cabin[3];
    vd_vec3 p = {waist->x - 0.42 - b->length / 2, side * (b->half_width + 0.1), waist->z + 0.12};
    vd_pen_limb(pen, p, (vd_vec3){p.x, p.y - side * 0.1, p.z}, 0.16, vd_rgb_scale(color, 0.8));
}

/* What a panel van has where others have windows: the rail of the sliding door and a strip against knocks. */
static void paint_van_side(vd_pen *pen, const body *b, vd_rgb color)
{
    double side = near_side(pen), middle = b->length / 2, y = side * (b->half_width + 0.005);
    vd_rgb seam = vd_rgb_scale(color, 0.62);
    vd_pen_rectangle(pen, VD_FACE_FLAT, (vd_vec3){-middle + 0.15, y, 0.62}, (vd_vec3){middle - 1.3, y, 0.74},
                     TRIM);
    vd_pen_rectangle(pen, VD_FACE_FLAT, (vd_vec3){-middle + 0.5, y, 1.3}, (vd_vec3){middle - 2.3, y, 1.335},
                     seam);
    vd_pen_rectangle(pen, VD_FACE_FLAT, (vd_vec3){0.1, y, 0.5}, (vd_vec3){0.13, y, 1.2}, seam);
    vd_pen_rectangle(pen, VD_FACE_FLAT, (vd_vec3){-middle + 0.02, y, 0.86}, (vd_vec3){-middle + 0.13, y, 1.3},
                     TAIL);
    for (int i = 0; i < 2; i++) {
        vd_vec3 edge[4] = {
            on_cabin(b, side, 0.36 + 0.345 * i, 0.08), on_cabin(b, side, 0.368 + 0.345 * i, 0.08),
            on_cabin(b, side, 0.368 + 0.345 * i, 0.93), on_cabin(b, side, 0.36 + 0.345 * i, 0.93)};
        vd_pen_polygon(pen, VD_FACE_FLAT, edge, 4, seam);
    }
}

static void paint_car(vd_pen *pen, const body *b, vd_rgb color, double driven_m)
{
    double middle = b->length / 2;
    paint_mirror(pen, b, -near_side(pen), color);
    pen->center = (vd_vec3){0, 0, b->lower[0].z + 0.25};
    for (int i = 0; i + 1 < b->lower_count; i++)
        across(pen, VD_FACE_SOLID, &b->lower[i], &b->lower[i + 1], middle, 0, color);
    if (shows_front(pen))
        paint_front(pen, b);
    else
        paint_rear(pen, b);
    pen->center = (vd_vec3){(b->cabin[0].x + b->cabin[3].x) / 2 - middle, 0, b->cabin[0].z};
    for (int i = 0; i < 3; i++) {
        across(pen, VD_FACE_SOLID, &b->cabin[i], &b->cabin[i + 1], middle, 0, color);
        if (i == 1 || (i == 0 && b->panel_van))
            continue;
        across(pen, VD_FACE_GLASS, &b->cabin[i], &b->cabin[i + 1], middle, 0.07, GLASS);
    }
    if (b->panel_van && !shows_front(pen)) {
        vd_vec3 pane = {-middle - 0.005, 0.82, 1.95};
        vd_pen_rectangle(pen, VD_FACE_FLAT, pane, (vd_vec3){pane.x, 0.08, 1.35}, GLASS);
        vd_pen_rectangle(pen, VD_FACE_FLAT, (vd_vec3){pane.x, -0.82, 1.95}, (vd_vec3){pane.x, -0.08, 1.35},
                         GLASS);
    }
    pen->center = (vd_vec3){0, 0, 0.6};
    paint_side(pen, b, color, driven_m);
    if (b->panel_van)
        paint_van_side(pen, b, color);
    paint_mirror(pen, b, near_side(pen), color);
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

static const double LORRY_LENGTH = 7.6, LORRY_HALF_WIDTH = 1.2;

static void paint_load(vd_pen *pen, vd_rgb stripe)
{
    double side = near_side(pen), y = side * (LORRY_HALF_WIDTH + 0.01);
    double rear = -LORRY_LENGTH / 2 - 0.01;
    paint_box(pen, -3.8, 1.75, LORRY_HALF_WIDTH, 0.95, 3.35, vd_rgb_hex(0xe6e5df));
    vd_pen_rectangle(pen, VD_FACE_FLAT, (vd_vec3){-3.75, y, 1.5}, (vd_vec3){1.7, y, 1.86},
                     vd_rgb_scale(stripe, 0.9));
    for (int i = 0; i <= 5; i++) {
        double x = -3.76 + 1.096 * i;
        vd_pen_rectangle(pen, VD_FACE_FLAT, (vd_vec3){x, y, 1.0}, (vd_vec3){x + 0.03, y, 3.3},
                         vd_rgb_hex(0xb9b8b2));
    }
    vd_pen_rectangle(pen, VD_FACE_FLAT, (vd_vec3){-3.8, y, 0.95}, (vd_vec3){1.75, y, 1.06}, TRIM);
    if (shows_front(pen))
        return;
    vd_pen_rectangle(pen, VD_FACE_FLAT, (vd_vec3){rear, -0.015, 1.0}, (vd_vec3){rear, 0.015, 3.3}, TRIM);
    for (int i = -1; i <= 1; i += 2) {
        vd_pen_rectangle(pen, VD_FACE_FLAT, (vd_vec3){rear, i * 0.7, 0.78}, (vd_vec3){rear, i * 1.12, 0.94},
                         TAIL);
        vd_pen_rectangle(pen, VD_FACE_FLAT, (vd_vec3){rear, i * 0.3, 1.0}, (vd_vec3){rear, i * 0.33, 3.3},
                         vd_rgb_hex(0xaaaaa5));
    }
}

static void paint_cab(vd_pen *pen, vd_rgb color)
{
    double side = near_side(pen), w = 1.15, y = side * (w + 0.01);
    paint_box(pen, 1.85, 3.8, w, 0.5, 2.75, color);
    vd_vec3 window[4] = {{2.55, y, 1.55}, {3.65, y, 1.55}, {3.55, y, 2.45}, {2.6, y, 2.45}};
    vd_pen_polygon(pen, VD_FACE_GLASS, window, 4, GLASS);
    vd_pen_rectangle(pen, VD_FACE_FLAT, (vd_vec3){2.5, y, 0.62}, (vd_vec3){2.53, y, 2.5},
                     vd_rgb_scale(color, 0.6));
    if (!shows_front(pen))
        return;
    double front = 3.81;
    vd_pen_rectangle(pen, VD_FACE_GLASS, (vd_vec3){front, -1.02, 1.55}, (vd_vec3){front, 1.02, 2.5}, GLASS);
    vd_pen_rectangle(pen, VD_FACE_FLAT, (vd_vec3){front, -0.75, 0.95}, (vd_vec3){front, 0.75, 1.3}, TRIM);
    vd_pen_rectangle(pen, VD_FACE_FLAT, (vd_vec3){front, -1.12, 0.5}, (vd_vec3){front, 1.12, 0.68}, TRIM);
    vd_pen_rectangle(pen, VD_FACE_FLAT, (vd_vec3){front + 0.01, -0.27, 0.52},
                     (vd_vec3){front + 0.01, 0.27, 0.64}, PLATE);
    for (int i = -1; i <= 1; i += 2)
        vd_pen_rectangle(pen, VD_FACE_FLAT, (vd_vec3){front, i * 0.78, 0.72}, (vd_vec3){front, i * 1.1, 0.92},
                         LAMP);
}

static void paint_lorry(vd_pen *pen, vd_rgb color, double driven_m)
{
    double y = near_side(pen) * 1.14;
    paint_box(pen, -3.7, 3.6, 0.9, 0.45, 0.95, TRIM);
    if (shows_front(pen)) {
        paint_load(pen, color);
        paint_cab(pen, color);
    } else {
        paint_cab(pen, color);
        paint_load(pen, color);
    }
    paint_wheel(pen, -2.4, y, 0.46, driven_m);
    paint_wheel(pen, 2.85, y, 0.46, driven_m);
}

static void paint_bicycle_wheel(vd_pen *pen, double x)
{
    enum { PARTS = 14 };
    for (int i = 0; i < PARTS; i++) {
        double a = 2 * M_PI * i / PARTS, b = 2 * M_PI * (i + 1) / PARTS;
        vd_vec3 from = {x + 0.33 * cos(a), 0, 0.34 + 0.33 * sin(a)},
                to = {x + 0.33 * cos(b), 0, 0.34 + 0.33 * sin(b)};
        vd_pen_limb(pen, from, to, 0.055, RUBBER);
    }
}

static void paint_leg(vd_pen *pen, double turn, double y, vd_rgb trousers)
{
    vd_vec3 hip = {-0.2, y, 0.98}, foot = {0.02 + 0.17 * cos(turn), y, 0.33 + 0.17 * sin(turn)};
    vd_vec3 knee = {(hip.x + foot.x) / 2 + 0.2, y, (hip.z + foot.z) / 2 + 0.12};
    vd_pen_limb(pen, hip, knee, 0.17, trousers);
    vd_pen_limb(pen, knee, foot, 0.13, vd_rgb_scale(trousers, 0.85));
    vd_pen_limb(pen, foot, (vd_vec3){foot.x + 0.14, y, foot.z}, 0.09, vd_rgb_hex(0xe8e8e8));
}

static void paint_cyclist(vd_pen *pen, vd_rgb jersey, double driven_m)
{
    vd_rgb frame = vd_rgb_hex(0x9c1f24), skin = vd_rgb_hex(0xc99b7c), trousers = vd_rgb_hex(0x23272f);
    double near = near_side(pen), turn = -driven_m / 0.9;
    paint_leg(pen, turn + M_PI, -0.1 * near, vd_rgb_scale(trousers, 0.8));
    paint_bicycle_wheel(pen, -0.52);
    paint_bicycle_wheel(pen, 0.54);
    vd_vec3 pedals = {0.02, 0, 0.33}, saddle = {-0.22, 0, 0.95}, head = {0.42, 0, 0.9}, hub = {0.54, 0, 0.34};
    vd_pen_limb(pen, pedals, saddle, 0.05, frame);
    vd_pen_limb(pen, pedals, head, 0.05, frame);
    vd_pen_limb(pen, saddle, head, 0.045, frame);
    vd_pen_limb(pen, head, hub, 0.045, frame);
    vd_pen_limb(pen, (vd_vec3){-0.52, 0, 0.34}, pedals, 0.045, frame);
    vd_pen_limb(pen, head, (vd_vec3){0.44, 0, 1.05}, 0.05, TRIM);
    paint_leg(pen, turn, 0.1 * near, trousers);
    vd_vec3 hip = {-0.2, 0, 1.02}, neck = {0.17, 0, 1.46};
    vd_pen_limb(pen, hip, neck, 0.31, jersey);
    vd_pen_limb(pen, (vd_vec3){0.12, 0.14 * near, 1.4}, (vd_vec3){0.3, 0.18 * near, 1.16}, 0.11,
                vd_rgb_scale(jersey, 0.85));
    vd_pen_limb(pen, (vd_vec3){0.3, 0.18 * near, 1.16}, (vd_vec3){0.48, 0.16 * near, 1.06}, 0.09, skin);
    vd_pen_limb(pen, (vd_vec3){0.25, 0, 1.6}, (vd_vec3){0.27, 0, 1.62}, 0.2, skin);
    vd_pen_limb(pen, (vd_vec3){0.19, 0, 1.68}, (vd_vec3){0.29, 0, 1.69}, 0.18, vd_rgb_hex(0xf2f2f0));
}

double vd_vehicle_length(vd_vehicle_kind kind)
{
    return kind == VD_VEHICLE_LORRY ? LORRY_LENGTH : kind == VD_VEHICLE_CYCLIST ? 1.74 : BODIES[kind].length;
}

void vd_vehicle_paint_shadow(vd_pen *pen, vd_vehicle_kind kind)
{
    double half = vd_vehicle_length(kind) / 2;
    if (kind == VD_VEHICLE_LORRY)
        vd_pen_shadow(pen, -half, half, LORRY_HALF_WIDTH, 3.3);
    else if (kind == VD_VEHICLE_CYCLIST)
        vd_pen_shadow(pen, -half * 0.8, half * 0.8, 0.14, 1.5);
    else
        vd_pen_shadow(pen, -half + 0.1, half - 0.1, BODIES[kind].half_width - 0.05, BODIES[kind].height);
}

void vd_vehicle_paint(vd_pen *pen, vd_vehicle_kind kind, unsigned paint, double driven_m)
{
    if (pen->cr)
        cairo_set_line_width(pen->cr, 0.8);
    if (kind == VD_VEHICLE_LORRY)
        paint_lorry(pen, vd_rgb_hex(LORRY_PAINTS[paint % COUNT(LORRY_PAINTS)]), driven_m);
    else if (kind == VD_VEHICLE_CYCLIST)
        paint_cyclist(pen, vd_rgb_hex(JERSEYS[paint % COUNT(JERSEYS)]), driven_m);
    else if (kind == VD_VEHICLE_VAN)
        paint_car(pen, &BODIES[kind], vd_rgb_hex(VAN_PAINTS[paint % COUNT(VAN_PAINTS)]), driven_m);
    else
        paint_car(pen, &BODIES[kind], vd_rgb_hex(PAINTS[paint % COUNT(PAINTS)]), driven_m);
}

typedef struct lamps {
    double front_x, front_y, front_z, rear_x, rear_y, rear_z;
} lamps;

static lamps lamps_of(vd_vehicle_kind kind)
{
    if (kind == VD_VEHICLE_LORRY)
        return (lamps){3.84, 0.94, 0.82, -3.82, 0.91, 0.86};
    if (kind == VD_VEHICLE_CYCLIST)
        return (lamps){0.62, 0, 0.86, -0.62, 0, 0.72};
    const body *b = &BODIES[kind];
    double half = b->length / 2;
    return (lamps){half + 0.02,  0.69 * b->half_width, b->lower[b->lower_count - 3].z - 0.04,
                   -half - 0.02, 0.78 * b->half_width, b->lower[2].z};
}

/* A bright middle and a soft halo around it. */
static void glow(vd_pen *pen, vd_vec3 place, double radius, vd_rgb color)
{
    vd_point p = vd_pen_project(pen, place);
    if (p.depth < VD_PEN_NEAR)
        return;
    double r = fmax(1.2, radius * pen->camera->focal / p.depth), clear = 1 - 0.7 * pen->haze_share;
    cairo_pattern_t *pattern = cairo_pattern_create_radial(p.x, p.y, 0, p.x, p.y, 6 * r);
    static const double AT[] = {0, 0.1, 0.22, 0.5, 1}, LIGHT[] = {1, 0.9, 0.3, 0.08, 0};
    for (int i = 0; i < 5; i++)
        cairo_pattern_add_color_stop_rgba(pattern, AT[i], color.r, color.g, color.b, clear * LIGHT[i]);
    cairo_set_source(pen->cr, pattern);
    cairo_rectangle(pen->cr, p.x - 6 * r, p.y - 6 * r, 12 * r, 12 * r);
    cairo_fill(pen->cr);
    cairo_pattern_destroy(pattern);
}

void vd_vehicle_paint_lamps(vd_pen *pen, vd_vehicle_kind kind)
{
    static const vd_rgb WHITE = {1, 0.95, 0.84}, RED = {0.95, 0.1, 0.06};
    lamps l = lamps_of(kind);
    bool front = shows_front(pen), single = kind == VD_VEHICLE_CYCLIST;
    for (int side = -1; side <= (single ? -1 : 1); side += 2) {
        vd_vec3 place = front ? (vd_vec3){l.front_x, side * l.front_y, l.front_z}
                              : (vd_vec3){l.rear_x, side * l.rear_y, l.rear_z};
        glow(pen, place, single ? 0.04 : front ? 0.13 : 0.07, front ? WHITE : RED);
    }
}
