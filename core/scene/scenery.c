#include <math.h>
#include <stdlib.h>

#include "scene/ground.h"
#include "scene/pen.h"

typedef struct tree {
    double x, y, height, radius;
    unsigned tone;
    uint64_t key;
} tree;

static void set_color(cairo_t *cr, vd_rgb c, double alpha)
{
    cairo_set_source_rgba(cr, c.r, c.g, c.b, alpha);
}

static vd_rgb in_haze(vd_rgb color, double depth)
{
    return vd_rgb_mix(color, vd_rgb_hex(0xc4d0d6), 1 - exp(-depth / 420));
}

/* A soft blot on the ground, for the shadow of a crown. */
static void paint_ground_blot(const vd_camera *camera, cairo_t *cr, double x, double y, double rx, double ry,
                              double alpha)
{
    enum { CORNERS = 24 };
    for (int i = 0; i < CORNERS; i++) {
        double a = 2 * M_PI * i / CORNERS;
        vd_point p = vd_camera_project(camera, (vd_vec3){x + rx * cos(a), y + ry * sin(a), 0});
        if (i == 0)
            cairo_move_to(cr, p.x, p.y);
        else
            cairo_line_to(cr, p.x, p.y);
    }
    cairo_close_path(cr);
    cairo_set_source_rgba(cr, 0.06, 0.08, 0.06, alpha);
    cairo_fill(cr);
}

static void paint_tree_shadow(const vd_camera *camera, cairo_t *cr, const tree *t)
{
    double reach = t->height * 0.55, x = t->x - VD_SUN.x / VD_SUN.z * reach,
           y = t->y - VD_SUN.y / VD_SUN.z * reach;
    for (int i = 0; i < 60; i++) {
        double a = 2 * M_PI * vd_random(t->key, i, 20), r = t->radius * 1.25 * sqrt(vd_random(t->key, i, 21));
        double size = 0.3 + 0.7 * vd_random(t->key, i, 22);
        paint_ground_blot(camera, cr, x + r * cos(a), y + r * sin(a), size, size, 0.12);
    }
    paint_ground_blot(camera, cr, t->x - 0.15, t->y + 0.1, 0.5, 0.35, 0.3);
}

static const unsigned LEAVES[][3] = {
    /* in the shade, in between, in the sun */
    {0x2c4220, 0x4f6f2e, 0x87a048},
    {0x25402a, 0x41683a, 0x77964c},
    {0x3b4a20, 0x67742e, 0xa3a24c},
    {0x203a2c, 0x355c40, 0x5f8656},
};

/* A crown is a few lobes, each a cloud of dabs lit from the sun's side; dark ones first. */
static void paint_crown(const vd_camera *camera, cairo_t *cr, const tree *t)
{
    vd_point top = vd_camera_project(camera, (vd_vec3){t->x, t->y, t->height});
    double scale = camera->focal / top.depth, center_y = top.y + t->radius * 1.02 * scale;
    const unsigned *tones = LEAVES[t->tone % 4];
    enum { LOBES = 9 };
    double size_px = t->radius * scale;
    if (top.x + 1.2 * size_px < 0 || top.x - 1.2 * size_px > camera->width)
        return;
    int dabs = (int)vd_clamp(11 * size_px, 150, 700);
    for (int pass = 0; pass < 3; pass++) {
        for (int i = 0; i < dabs; i++) {
            int lobe = (int)(LOBES * vd_random(t->key, i, 30 + pass));
            double la = 2 * M_PI * lobe / (LOBES - 1) + vd_random(t->key, lobe, 40),
                   far = lobe == 0 ? 0 : 0.56;
            double lx = far * cos(la), ly = far * 0.95 * sin(la),
                   lr = lobe == 0 ? 0.6 : 0.36 + 0.14 * vd_random(t->key, lobe, 41);
            double a = 2 * M_PI * vd_random(t->key, i, 50 + pass),
                   r = lr * sqrt(vd_random(t->key, i, 60 + pass));
            double dx = r * cos(a), dy = r * sin(a);
            /* Lit at the upper right of each lobe and of the crown. */
            double light = 0.5 + 0.55 * (dx * 0.6 - dy * 0.8) / lr + 0.35 * (lx * 0.5 - ly) +
                           0.3 * (vd_random(t->key, i, 70 + pass) - 0.5);
            if (light < 0.32 * pass)
                continue;
            vd_rgb color =
                light < 0.5
                    ? vd_rgb_mix(vd_rgb_hex(tones[0]), vd_rgb_hex(tones[1]), vd_clamp(2 * light, 0, 1))
                    : vd_rgb_mix(vd_rgb_hex(tones[1]), vd_rgb_hex(tones[2]), vd_clamp(2 * light - 1, 0, 1));
            double size = size_px * (0.085 - 0.02 * pass) * (0.6 + 0.8 * vd_random(t->key, i, 80 + pass));
            set_color(cr, in_haze(color, top.depth), 0.85);
            cairo_save(cr);
            cairo_translate(cr, top.x + (lx + dx) * size_px, center_y + (ly + dy) * size_px);
            cairo_rotate(cr, a * 3);
            cairo_scale(cr, fmax(size, 0.7), fmax(size * 0.62, 0.6));
            cairo_arc(cr, 0, 0, 1, 0, 2 * M_PI);
            cairo_restore(cr);
            cairo_fill(cr);
        }
    }
}

static void paint_tree(const vd_camera *camera, cairo_t *cr, const tree *t)
{
    vd_point foot = vd_camera_project(camera, (vd_vec3){t->x, t->y, 0});
    vd_point fork = vd_camera_project(camera, (vd_vec3){t->x, t->y, t->height - 1.1 * t->radius});
    double scale = camera->focal / foot.depth, thick = 0.042 * t->height * scale;
    cairo_pattern_t *bark = cairo_pattern_create_linear(foot.x - thick / 2, 0, foot.x + thick / 2, 0);
    vd_rgb dark = in_haze(vd_rgb_hex(0x3c342b), foot.depth),
           light = in_haze(vd_rgb_hex(0x7c6d5a), foot.depth);
    cairo_pattern_add_color_stop_rgb(bark, 0, dark.r, dark.g, dark.b);
    cairo_pattern_add_color_stop_rgb(bark, 1, light.r, light.g, light.b);
    cairo_set_source(cr, bark);
    cairo_pattern_destroy(bark);
    cairo_move_to(cr, foot.x - thick * 0.7, foot.y);
    cairo_line_to(cr, fork.x - thick * 0.35, fork.y);
    cairo_line_to(cr, fork.x + thick * 0.35, fork.y);
    cairo_line_to(cr, foot.x + thick * 0.7, foot.y);
    cairo_close_path(cr);
    cairo_fill(cr);
    paint_crown(camera, cr, t);
}

/* Windows in a wall that faces the road (y) or its end (x). */
static void paint_windows(vd_pen *pen, int end, double place, double from, double to, double sill,
                          double lintel, int count)
{
    vd_rgb frame = vd_rgb_hex(0xe9e7e1), glass = vd_rgb_hex(0x3d4a55);
    double step = (to - from) / count;
    for (int i = 0; i < count; i++) {
        double a = from + step * (i + 0.24), b = from + step * (i + 0.76);
        for (int part = 0; part < 3; part++) {
            double in = part == 0 ? -0.08 : 0, lo = a + in, hi = b - in;
            if (part == 1)
                hi = (a + b) / 2 - 0.04;
            else if (part == 2)
                lo = (a + b) / 2 + 0.04;
            vd_vec3 p = end ? (vd_vec3){place, lo, sill + in} : (vd_vec3){lo, place, sill + in};
            vd_vec3 q = end ? (vd_vec3){place, hi, lintel - in} : (vd_vec3){hi, place, lintel - in};
            vd_pen_rectangle(pen, part == 0 ? VD_FACE_FLAT : VD_FACE_GLASS, p, q, part == 0 ? frame : glass);
        }
    }
}

/* A house with its ridge along the road; origin in the middle of its floor. */
static void paint_house(const vd_camera *camera, cairo_t *cr, vd_vec3 origin, double long_m, unsigned wall,
                        unsigned roof)
{
    vd_pen pen = vd_pen_make(camera, cr, origin, 1);
    double x = long_m / 2, y = 4, eaves = 5.4, ridge = 8.6, over = 0.4;
    vd_rgb walls = vd_rgb_hex(wall), tiles = vd_rgb_hex(roof);
    pen.center = (vd_vec3){0, 0, 3};
    vd_pen_rectangle(&pen, VD_FACE_SOLID, (vd_vec3){-x, -y, 0}, (vd_vec3){x, -y, eaves}, walls);
    vd_vec3 gable[5] = {{x, -y, 0}, {x, y, 0}, {x, y, eaves}, {x, 0, ridge}, {x, -y, eaves}};
    vd_pen_polygon(&pen, VD_FACE_SOLID, gable, 5, walls);
    paint_windows(&pen, 0, -y - 0.02, -x + 0.3, x - 0.3, 0.9, 2.2, (int)(long_m / 2.6));
    paint_windows(&pen, 0, -y - 0.02, -x + 0.3, x - 0.3, 3.6, 4.8, (int)(long_m / 2.6));
    paint_windows(&pen, 1, x + 0.02, -y + 0.6, y - 0.6, 0.9, 2.2, 2);
    paint_windows(&pen, 1, x + 0.02, -y + 0.6, y - 0.6, 3.6, 4.8, 2);
    vd_vec3 slope[4] = {{-x - over, -y - over, eaves - 0.25},
                        {x + over, -y - over, eaves - 0.25},
                        {x + over, 0, ridge},
                        {-x - over, 0, ridge}};
    vd_pen_polygon(&pen, VD_FACE_SOLID, slope, 4, tiles);
    for (int i = 1; i < 9; i++) {
        double s = i / 9.0, h = s + 0.012;
        vd_vec3 course[4] = {{-x - over, (-y - over) * (1 - s), (eaves - 0.25) * (1 - s) + ridge * s},
                             {x + over, (-y - over) * (1 - s), (eaves - 0.25) * (1 - s) + ridge * s},
                             {x + over, (-y - over) * (1 - h), (eaves - 0.25) * (1 - h) + ridge * h},
                             {-x - over, (-y - over) * (1 - h), (eaves - 0.25) * (1 - h) + ridge * h}};
        vd_pen_polygon(&pen, VD_FACE_FLAT, course, 4, vd_rgb_scale(tiles, 0.8));
    }
    vd_vec3 board[4] = {{-x - over, -y - over, eaves - 0.42},
                        {x + over, -y - over, eaves - 0.42},
                        {x + over, -y - over, eaves - 0.22},
                        {-x - over, -y - over, eaves - 0.22}};
    vd_pen_polygon(&pen, VD_FACE_FLAT, board, 4, vd_rgb_hex(0xdcd8ce));
    vd_rgb brick = vd_rgb_hex(0x8d5f4c);
    double c = x * 0.45, foot = ridge - 1.1, top = ridge + 1;
    pen.center = (vd_vec3){c, 0.9, ridge};
    vd_pen_rectangle(&pen, VD_FACE_SOLID, (vd_vec3){c - 0.4, 0.5, foot}, (vd_vec3){c + 0.4, 0.5, top}, brick);
    vd_pen_rectangle(&pen, VD_FACE_SOLID, (vd_vec3){c + 0.4, 0.5, foot}, (vd_vec3){c + 0.4, 1.3, top}, brick);
}

/* A clipped hedge of small leaves along the far grass. */
static void paint_hedge(const vd_camera *camera, unsigned seed, cairo_t *cr)
{
    double height = 1.25;
    for (int i = 0; i < 5000; i++) {
        double share = i / 5000.0;
        /* From the bottom up, so that upper leaves lie over lower ones. */
        double px = (vd_random(seed, i, 200) * 1.02 - 0.01) * camera->width, x, depth;
        vd_camera_meet_plane(camera, px, VD_ROAD_HEDGE, &x, &depth);
        double wave = 1 + 0.05 * vd_noise(seed + 5, x / 2, 0.5), z = height * wave * share;
        vd_point p = vd_camera_project(camera, (vd_vec3){x, VD_ROAD_HEDGE + 0.3 * share, z});
        double light = vd_clamp(0.05 + 0.75 * share * share + 0.35 * (vd_random(seed, i, 201) - 0.35) +
                                    0.12 * vd_noise(seed + 6, x / 1.7, z),
                                0, 1);
        vd_rgb color = light < 0.5 ? vd_rgb_mix(vd_rgb_hex(0x1d2f1a), vd_rgb_hex(0x3f5f2a), 2 * light)
                                   : vd_rgb_mix(vd_rgb_hex(0x3f5f2a), vd_rgb_hex(0x7d9646), 2 * light - 1);
        double size = camera->focal / depth * (0.16 + 0.11 * vd_random(seed, i, 202));
        set_color(cr, in_haze(color, depth), 0.95);
        cairo_save(cr);
        cairo_translate(cr, p.x, p.y);
        cairo_scale(cr, size, size * 0.75);
        cairo_arc(cr, 0, 0, 1, 0, 2 * M_PI);
        cairo_restore(cr);
        cairo_fill(cr);
    }
}

static void paint_lamp(const vd_camera *camera, cairo_t *cr, double x)
{
    double y = VD_ROAD_KERB_FAR + 0.75, height = 7.4;
    double shade_x = -VD_SUN.x / VD_SUN.z * height, shade_y = -VD_SUN.y / VD_SUN.z * height;
    vd_point foot = vd_camera_project(camera, (vd_vec3){x, y, 0});
    vd_point tip = vd_camera_project(camera, (vd_vec3){x + shade_x, y + shade_y, 0});
    double scale = camera->focal / foot.depth;
    cairo_set_line_width(cr, 0.16 * scale);
    cairo_set_source_rgba(cr, 0.06, 0.07, 0.08, 0.35);
    cairo_move_to(cr, foot.x, foot.y);
    cairo_line_to(cr, tip.x, tip.y);
    cairo_stroke(cr);

    vd_pen pen = vd_pen_make(camera, cr, (vd_vec3){x, y, 0}, 1);
    vd_rgb steel = in_haze(vd_rgb_hex(0x6b7176), foot.depth), lit = in_haze(vd_rgb_hex(0x9aa0a4), foot.depth);
    vd_pen_limb(&pen, (vd_vec3){0, 0, 0}, (vd_vec3){0, 0, 1.1}, 0.24, steel);
    vd_pen_limb(&pen, (vd_vec3){0, 0, 0}, (vd_vec3){0, 0, height}, 0.15, steel);
    vd_pen_limb(&pen, (vd_vec3){0.04, 0, 0.2}, (vd_vec3){0.04, 0, height}, 0.04, lit);
    vd_pen_limb(&pen, (vd_vec3){0, 0, height}, (vd_vec3){0, -1.5, height + 0.35}, 0.11, steel);
    vd_pen_limb(&pen, (vd_vec3){0, -1.4, height + 0.33}, (vd_vec3){0, -2.1, height + 0.38}, 0.24,
                vd_rgb_scale(steel, 0.8));
}

static int farther(const void *left, const void *right)
{
    const tree *a = left, *b = right;
    return (a->y < b->y) - (a->y > b->y);
}

enum { TREES = 30 };

/* A row behind the hedge, and a loose wood behind that. */
static void plant(unsigned seed, tree *trees)
{
    for (int i = 0; i < TREES; i++) {
        uint64_t key = (uint64_t)seed * 1009 + (uint64_t)i * 7;
        double depth = i < 9 ? 0 : 1, chance = vd_random(key, 1, 0);
        tree *t = &trees[i];
        t->key = key;
        t->tone = vd_hash(key, 2, 0);
        t->y = depth == 0 ? 33.5 + 2.5 * chance : 46 + 50 * chance;
        t->height = (depth == 0 ? 5.5 : 9) + 4.5 * vd_random(key, 3, 0);
        t->radius = t->height * (0.29 + 0.07 * vd_random(key, 4, 0));
        t->x = depth == 0 ? -8 - i * 12.5 + 6 * vd_random(key, 5, 0)
                          : -2 - (i - 9) * 13.5 * t->y / 60 + 9 * vd_random(key, 6, 0);
    }
    qsort(trees, TREES, sizeof(trees[0]), farther);
}

static const double THICKET_Y = 13.4;

enum { BUSHES = 6 };

static void grow_thicket(const vd_camera *camera, unsigned seed, tree *bushes)
{
    static const double ALONG[BUSHES] = {0.1, -1.3, 1.5, 0.2, 2.6, -1.1},
                        HEIGHTS[BUSHES] = {5.2, 4.4, 3.5, 2.6, 2.1, 2.3};
    double x = vd_camera_column_x(camera, 0, THICKET_Y);
    for (int i = 0; i < BUSHES; i++) {
        bushes[i] = (tree){.x = x + ALONG[i], .y = THICKET_Y, .height = HEIGHTS[i], .tone = 1 + (i % 2) * 2};
        bushes[i].radius = i < 3 ? 1.6 : 1.25;
        bushes[i].key = (uint64_t)seed * 733 + (uint64_t)i;
    }
}

void vd_thicket_extent(const vd_camera *camera, unsigned seed, int *ret_width, int *ret_top, int *ret_bottom)
{
    tree bushes[BUSHES];
    grow_thicket(camera, seed, bushes);
    double right = 1, top = camera->height, bottom = 0;
    for (int i = 0; i < BUSHES; i++) {
        vd_point crown =
            vd_camera_project(camera, (vd_vec3){bushes[i].x, THICKET_Y, bushes[i].height - bushes[i].radius});
        double reach = 1.2 * bushes[i].radius * camera->focal / crown.depth;
        right = fmax(right, crown.x + reach);
        top = fmin(top, crown.y - reach);
        bottom = fmax(bottom, crown.y + reach);
    }
    *ret_width = (int)vd_clamp(ceil(right), 1, camera->width);
    *ret_top = (int)vd_clamp(floor(top), 0, camera->height - 1);
    *ret_bottom = (int)vd_clamp(ceil(bottom), *ret_top + 1, camera->height);
}

void vd_thicket_paint(const vd_camera *camera, unsigned seed, cairo_t *cr)
{
    tree bushes[BUSHES];
    grow_thicket(camera, seed, bushes);
    for (int i = 0; i < BUSHES; i++)
        paint_crown(camera, cr, &bushes[i]);
}

void vd_scenery_paint(const vd_camera *camera, unsigned seed, cairo_t *cr)
{
    tree trees[TREES];
    plant(seed, trees);
    cairo_set_line_width(cr, 0.8);
    cairo_set_antialias(cr, CAIRO_ANTIALIAS_FAST);
    for (int i = 0; i < TREES; i++)
        paint_tree_shadow(camera, cr, &trees[i]);
    double left = vd_camera_column_x(camera, 0, THICKET_Y);
    for (int i = 0; i < 5; i++)
        paint_ground_blot(camera, cr, left + 0.6, THICKET_Y + 0.2, 3.4 - 0.3 * i, 1.5 - 0.2 * i, 0.13);
    static const unsigned WALLS[] = {0xd9cdb4, 0xb9735a, 0xe6e1d6, 0xc9b79a},
                          ROOFS[] = {0x8a4a3a, 0x5a5f66, 0x74503f};
    double slide = 8 * vd_random(seed, 300, 0);
    int next = 0;
    for (; next < TREES && trees[next].y > 47; next++)
        paint_tree(camera, cr, &trees[next]);
    for (int i = 3; i >= 0; i--) {
        double x = -14 - slide - 27 * i, y = 43 + 3 * vd_random(seed, 301, i),
               long_m = 11 + 4 * vd_random(seed, 302, i);
        paint_house(camera, cr, (vd_vec3){x, y, 0}, long_m, WALLS[vd_hash(seed, 303, i) % 4],
                    ROOFS[vd_hash(seed, 304, i) % 3]);
    }
    for (; next < TREES && trees[next].y > 37; next++)
        paint_tree(camera, cr, &trees[next]);
    for (; next < TREES; next++)
        paint_tree(camera, cr, &trees[next]);
    paint_hedge(camera, seed, cr);
    for (int i = 6; i >= 0; i--)
        paint_lamp(camera, cr, -14 - 24 * i);
}
