#include "scene/pen.h"

#include <math.h>
#include <stdbool.h>

vd_pen vd_pen_make(const vd_camera *camera, cairo_t *cr, vd_vec3 origin, double heading)
{
    return (vd_pen){.camera = camera, .cr = cr, .origin = origin, .ahead_x = heading};
}

void vd_pen_turn(vd_pen *pen, double slope)
{
    double heading = pen->ahead_x < 0 ? -1 : 1, length = hypot(1, slope);
    pen->ahead_x = heading / length;
    pen->ahead_y = heading * slope / length;
}

/* From an object's own metres to the camera's foot. */
static vd_vec3 place_of(const vd_pen *pen, vd_vec3 p)
{
    return (vd_vec3){pen->origin.x + pen->ahead_x * p.x - pen->ahead_y * p.y,
                     pen->origin.y + pen->ahead_y * p.x + pen->ahead_x * p.y, pen->origin.z + p.z};
}

vd_vec3 vd_pen_eye(const vd_pen *pen)
{
    double x = -pen->origin.x, y = -pen->origin.y;
    return (vd_vec3){x * pen->ahead_x + y * pen->ahead_y, y * pen->ahead_x - x * pen->ahead_y,
                     pen->camera->pole - pen->origin.z};
}

vd_point vd_pen_project(const vd_pen *pen, vd_vec3 point)
{
    return vd_camera_project(pen->camera, place_of(pen, point));
}

double vd_grid_scale(const vd_camera *camera)
{
    return fmin((double)VD_GRID_PER_PICTURE / camera->width, (double)VD_GRID_ROWS / camera->height);
}

uint8_t vd_grid_at(const vd_grid *grid, double x, double y)
{
    int column = (int)floor(x) + (VD_GRID_COLUMNS - VD_GRID_PER_PICTURE) / 2, row = (int)floor(y);
    bool inside = column >= 0 && column < VD_GRID_COLUMNS && row >= 0 && row < VD_GRID_ROWS;
    return inside ? grid->cells[row][column] : 0;
}

static void fill_span(vd_pen *pen, int row, double from, double to)
{
    int first = (int)fmax(0, ceil(from - 0.5)), last = (int)fmin(VD_GRID_COLUMNS - 1, floor(to - 0.5));
    for (int column = first; column <= last; column++)
        pen->grid->cells[row][column] = pen->id;
}

/* Fills a polygon's cells, row by row between its leftmost and rightmost edge: exact for convex ones, which
 * nearly all faces are. */
static void fill_grid(vd_pen *pen, const vd_point *points, int count)
{
    double scale = vd_grid_scale(pen->camera);
    double margin = (VD_GRID_COLUMNS - VD_GRID_PER_PICTURE) / 2.0, top = INFINITY, bottom = -INFINITY;
    for (int i = 0; i < count; i++) {
        top = fmin(top, points[i].y * scale);
        bottom = fmax(bottom, points[i].y * scale);
    }
    for (int row = (int)fmax(0, ceil(top - 0.5)); row < VD_GRID_ROWS && row + 0.5 <= bottom; row++) {
        double left = INFINITY, right = -INFINITY;
        for (int i = 0; i < count; i++) {
            const vd_point *a = &points[i], *b = &points[(i + 1) % count];
            double ya = a->y * scale - row - 0.5, yb = b->y * scale - row - 0.5;
            if ((ya <= 0) == (yb <= 0))
                continue;
            double x = (a->x + (b->x - a->x) * ya / (ya - yb)) * scale + margin;
            left = fmin(left, x);
            right = fmax(right, x);
        }
        if (left <= right)
            fill_span(pen, row, left, right);
    }
}

static vd_vec3 newell_normal(const vd_vec3 *p, int count)
{
    vd_vec3 n = {0, 0, 0};
    for (int i = 0; i < count; i++) {
        const vd_vec3 *a = &p[i], *b = &p[(i + 1) % count];
        n.x += (a->y - b->y) * (a->z + b->z);
        n.y += (a->z - b->z) * (a->x + b->x);
        n.z += (a->x - b->x) * (a->y + b->y);
    }
    double length = sqrt(n.x * n.x + n.y * n.y + n.z * n.z);
    return length > 0 ? (vd_vec3){n.x / length, n.y / length, n.z / length} : (vd_vec3){0, 0, 1};
}

static double dot(vd_vec3 a, vd_vec3 b)
{
    return a.x * b.x + a.y * b.y + a.z * b.z;
}

static vd_vec3 difference(vd_vec3 a, vd_vec3 b)
{
    return (vd_vec3){a.x - b.x, a.y - b.y, a.z - b.z};
}

static vd_vec3 middle_of(const vd_vec3 *p, int count)
{
    vd_vec3 sum = {0, 0, 0};
    for (int i = 0; i < count; i++)
        sum = (vd_vec3){sum.x + p[i].x / count, sum.y + p[i].y / count, sum.z + p[i].z / count};
    return sum;
}

static void trace(cairo_t *cr, const vd_point *points, int count)
{
    cairo_move_to(cr, points[0].x, points[0].y);
    for (int i = 1; i < count; i++)
        cairo_line_to(cr, points[i].x, points[i].y);
    cairo_close_path(cr);
}

static vd_rgb hazy(const vd_pen *pen, vd_rgb color, double light)
{
    return vd_rgb_mix(vd_rgb_scale(color, light), pen->haze, pen->haze_share);
}

/* Upright faces darken towards the ground, as under an open sky. */
static void set_shade(vd_pen *pen, const vd_point *points, int count, vd_rgb color, double top, double bottom)
{
    double y1 = INFINITY, y2 = -INFINITY;
    for (int i = 0; i < count; i++) {
        y1 = fmin(y1, points[i].y);
        y2 = fmax(y2, points[i].y);
    }
    vd_rgb high = hazy(pen, color, top), low = hazy(pen, color, bottom);
    if (y2 - y1 < 5) {
        vd_rgb mean = vd_rgb_mix(high, low, 0.5);
        cairo_set_source_rgb(pen->cr, mean.r, mean.g, mean.b);
        return;
    }
    cairo_pattern_t *pattern = cairo_pattern_create_linear(0, y1, 0, y2);
    cairo_pattern_add_color_stop_rgb(pattern, 0, high.r, high.g, high.b);
    cairo_pattern_add_color_stop_rgb(pattern, 1, low.r, low.g, low.b);
    cairo_set_source(pen->cr, pattern);
    cairo_pattern_destroy(pattern);
}

/* Half a pixel larger all around, so that nothing shines through where faces meet. */
static void widen(vd_point *points, int count)
{
    double x = 0, y = 0;
    for (int i = 0; i < count; i++) {
        x += points[i].x / count;
        y += points[i].y / count;
    }
    for (int i = 0; i < count; i++) {
        double away = hypot(points[i].x - x, points[i].y - y), share = 0.5 / fmax(away, 1);
        points[i].x += (points[i].x - x) * share;
        points[i].y += (points[i].y - y) * share;
    }
}

static void paint(vd_pen *pen, vd_face face, vd_point *points, int count, vd_rgb color, vd_vec3 normal)
{
    double light = 0.56 + 0.38 * fmax(0, dot(normal, VD_SUN)) + 0.05 * fmax(0, normal.z);
    vd_rgb plain = hazy(pen, color, face == VD_FACE_FLAT ? 1 : light);
    if (face == VD_FACE_SOLID)
        widen(points, count);
    trace(pen->cr, points, count);
    if (face == VD_FACE_GLASS)
        set_shade(pen, points, count, color, 1.7 + normal.z, 0.8);
    else if (face == VD_FACE_SOLID)
        set_shade(pen, points, count, color, light * 1.06, light * (normal.z < 0.6 ? 0.84 : 0.95));
    else
        cairo_set_source_rgb(pen->cr, plain.r, plain.g, plain.b);
    cairo_fill(pen->cr);
}

/* The part of a polygon that is far enough from the lens: at most one point more. Returns how many. */
static int cut_near(const vd_vec3 *p, int count, vd_vec3 *ret)
{
    int kept = 0;
    for (int i = 0; i < count; i++) {
        const vd_vec3 *a = &p[i], *b = &p[(i + 1) % count];
        if (a->x >= VD_PEN_NEAR)
            ret[kept++] = *a;
        if ((a->x >= VD_PEN_NEAR) != (b->x >= VD_PEN_NEAR)) {
            double t = (VD_PEN_NEAR - a->x) / (b->x - a->x);
            ret[kept++] = (vd_vec3){VD_PEN_NEAR, a->y + (b->y - a->y) * t, a->z + (b->z - a->z) * t};
        }
    }
    return kept;
}

/* To the picture. Returns the number of points: 0 when nothing is far enough from the lens. */
static int project_all(const vd_pen *pen, const vd_vec3 *world, int count, vd_point *ret_points)
{
    vd_vec3 cut[2 * VD_PEN_POINTS];
    int kept = cut_near(world, count, cut);
    for (int i = 0; i < kept; i++)
        ret_points[i] = vd_camera_project(pen->camera, cut[i]);
    return kept >= 3 ? kept : 0;
}

void vd_pen_polygon(vd_pen *pen, vd_face face, const vd_vec3 *local, int count, vd_rgb color)
{
    vd_vec3 world[VD_PEN_POINTS];
    vd_point points[2 * VD_PEN_POINTS];
    for (int i = 0; i < count; i++)
        world[i] = place_of(pen, local[i]);
    vd_vec3 normal = newell_normal(world, count), middle = middle_of(world, count);
    if (dot(normal, difference(middle, place_of(pen, pen->center))) < 0)
        normal = (vd_vec3){-normal.x, -normal.y, -normal.z};
    vd_vec3 eye = {0, 0, pen->camera->pole};
    if (face != VD_FACE_FLAT && dot(normal, difference(eye, middle)) <= 0)
        return;
    count = project_all(pen, world, count, points);
    if (count == 0)
        return;
    if (pen->grid)
        fill_grid(pen, points, count);
    if (pen->cr)
        paint(pen, face, points, count, color, normal);
}

void vd_pen_rectangle(vd_pen *pen, vd_face face, vd_vec3 a, vd_vec3 b, vd_rgb color)
{
    vd_vec3 points[4] = {a, a, b, b};
    if (a.x == b.x || a.y == b.y) {
        points[1].z = b.z;
        points[3].z = a.z;
    } else {
        points[1].x = b.x;
        points[3].x = a.x;
    }
    vd_pen_polygon(pen, face, points, 4, color);
}

void vd_pen_disc(vd_pen *pen, vd_vec3 center, double radius, vd_rgb color)
{
    enum { CORNERS = 20 };
    vd_vec3 points[CORNERS];
    for (int i = 0; i < CORNERS; i++) {
        double angle = 2 * M_PI * i / CORNERS;
        points[i] = (vd_vec3){center.x + radius * cos(angle), center.y, center.z + radius * sin(angle)};
    }
    vd_pen_polygon(pen, VD_FACE_FLAT, points, CORNERS, color);
}

void vd_pen_limb(vd_pen *pen, vd_vec3 a, vd_vec3 b, double thick, vd_rgb color)
{
    vd_point p = vd_pen_project(pen, a), q = vd_pen_project(pen, b);
    if (p.depth < VD_PEN_NEAR || q.depth < VD_PEN_NEAR)
        return;
    double width = thick * pen->camera->focal / fmax(0.1, (p.depth + q.depth) / 2);
    double dx = q.x - p.x, dy = q.y - p.y, length = fmax(1e-6, hypot(dx, dy)), r = width / 2;
    /* Along and across it; its round ends count as square ones. */
    double ax = dx / length * r, ay = dy / length * r;
    vd_point outline[4] = {{p.x - ax - ay, p.y - ay + ax, 0},
                           {q.x + ax - ay, q.y + ay + ax, 0},
                           {q.x + ax + ay, q.y + ay - ax, 0},
                           {p.x - ax + ay, p.y - ay - ax, 0}};
    if (pen->grid)
        fill_grid(pen, outline, 4);
    if (!pen->cr)
        return;
    cairo_save(pen->cr);
    cairo_set_line_width(pen->cr, width);
    cairo_set_line_cap(pen->cr, CAIRO_LINE_CAP_ROUND);
    vd_rgb shown = hazy(pen, color, 1);
    cairo_set_source_rgb(pen->cr, shown.r, shown.g, shown.b);
    cairo_move_to(pen->cr, p.x, p.y);
    cairo_line_to(pen->cr, q.x, q.y);
    cairo_stroke(pen->cr);
    cairo_restore(pen->cr);
}

/* The hull of a rectangle and of the same one moved by (dx, dy), without its corners. Returns the points. */
static int moved_hull(double x1, double x2, double w, double dx, double dy, double corner, vd_vec3 *ret)
{
    double sx = dx < 0 ? -1 : 1, sy = dy < 0 ? -1 : 1, long_x = (x2 - x1) / 2, middle = (x1 + x2) / 2;
    dx = fabs(dx);
    dy = fabs(dy);
    vd_vec3 hull[6] = {{-long_x, -w, 0},         {long_x, -w, 0},          {long_x + dx, dy - w, 0},
                       {long_x + dx, w + dy, 0}, {dx - long_x, w + dy, 0}, {-long_x, w, 0}};
    for (int i = 0; i < 12; i++) {
        const vd_vec3 *p = &hull[i / 2], *to = &hull[(i / 2 + (i % 2 ? 1 : 5)) % 6];
        double length = hypot(to->x - p->x, to->y - p->y),
               share = fmin(corner, 0.45 * length) / fmax(length, 1e-6);
        ret[i] =
            (vd_vec3){middle + sx * (p->x + (to->x - p->x) * share), sy * (p->y + (to->y - p->y) * share), 0};
    }
    return 12;
}

void vd_pen_shadow(vd_pen *pen, double x1, double x2, double half_width, double height)
{
    enum { LAYERS = 9 };
    if (!pen->cr)
        return;
    /* Towards where the sun does not reach, in the object's own metres. */
    double reach = -fmin(height, 2) * 0.3 / VD_SUN.z;
    double dx = reach * (VD_SUN.x * pen->ahead_x + VD_SUN.y * pen->ahead_y);
    double dy = reach * (VD_SUN.y * pen->ahead_x - VD_SUN.x * pen->ahead_y);
    for (int layer = 0; layer < LAYERS; layer++) {
        double grow = 0.15 - 0.05 * layer, w = half_width + grow;
        vd_vec3 world[VD_PEN_POINTS];
        vd_point points[2 * VD_PEN_POINTS];
        if (w <= 0.03)
            break;
        int count = moved_hull(x1 - grow, x2 + grow, w, dx, dy, 0.22 + fmax(grow, 0), world);
        for (int i = 0; i < count; i++)
            world[i] = place_of(pen, world[i]);
        count = project_all(pen, world, count, points);
        if (count == 0)
            return;
        trace(pen->cr, points, count);
        cairo_set_source_rgba(pen->cr, 0.05, 0.055, 0.075, 0.16 * (1 - pen->haze_share));
        cairo_fill(pen->cr);
    }
}
