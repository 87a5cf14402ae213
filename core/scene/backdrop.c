#include "scene/backdrop.h"

#include <math.h>
#include <stddef.h>

#include "vedette/error.h"

/* Where the bend of the road puts the layers: as if they stood that many metres ahead. */
static const double SKY_AHEAD = 24, HILLS_AHEAD = 44, TREES_AHEAD = 60;

/* Cloud drift, pixels a second of a picture 1280 wide. */
static const double CLOUD_DRIFT = 1.5;

typedef struct sheet {
    uint32_t *pixels;
    int width, height;
    double unit; /* pixels that are one of a picture 1280 wide */
} sheet;

static uint32_t pixel(vd_rgb color, double alpha)
{
    double k = 255 * vd_clamp(alpha, 0, 1);
    return (uint32_t)lround(k) << 24 | (uint32_t)lround(k * vd_clamp(color.r, 0, 1)) << 16 |
           (uint32_t)lround(k * vd_clamp(color.g, 0, 1)) << 8 | (uint32_t)lround(k * vd_clamp(color.b, 0, 1));
}

static void paint_sky(const vd_layout *layout, const sheet *to, int horizon)
{
    /* A blue haze tells of fair weather. */
    double fair = vd_clamp((layout->haze.b - layout->haze.r - 0.04) / 0.08, 0, 1);
    vd_rgb high = vd_rgb_mix((vd_rgb){0.55, 0.58, 0.62}, (vd_rgb){0.36, 0.58, 0.86}, fair),
           cloud = vd_rgb_mix((vd_rgb){0.62, 0.64, 0.67}, (vd_rgb){0.97, 0.97, 0.98}, fair);
    double cover = vd_random_between(layout->seed, 930, 0, -0.15, 0.3) - (layout->rain > 0 ? 0.3 : 0);
    uint32_t seed = vd_hash(layout->seed, 930, 1);
    for (int y = 0; y < to->height; y++) {
        double up = fmax(horizon - y, 0) / to->unit;
        vd_rgb clear = vd_rgb_mix(layout->haze, high, vd_smooth(0, 62, up));
        double there = vd_smooth(1, 16, up);
        for (int x = 0; x < to->width; x++) {
            double n = vd_noise_octaves(seed, x / to->unit / 150, y / to->unit / 17 + 0.0006 * x);
            double white = 0.85 * there * vd_smooth(cover, cover + 0.45, n);
            to->pixels[(size_t)y * (size_t)to->width + (size_t)x] = pixel(vd_rgb_mix(clear, cloud, white), 1);
        }
    }
}

typedef struct ridge {
    double height, roll, rough; /* mean height; waves and small detail over it, pixels at 1280 */
    double wave, detail;        /* their lengths */
    vd_rgb color;
    double fade; /* pixels from the crest down to where it is haze */
} ridge;

/* One line of hills or trees, over what the sheet has. */
static void paint_ridge(const sheet *to, int horizon, const ridge *r, uint32_t seed)
{
    for (int x = 0; x < to->width; x++) {
        double u = x / to->unit;
        double crest = r->height + r->roll * vd_noise_octaves(seed, u / r->wave, 0.5) +
                       r->rough * vd_noise_octaves(seed + 9, u / r->detail, 0.5);
        double top = horizon - crest * to->unit;
        for (int y = (int)fmax(floor(top), 0); y < to->height; y++) {
            uint32_t *at = &to->pixels[(size_t)y * (size_t)to->width + (size_t)x];
            double edge = vd_clamp(y + 1 - top, 0, 1),
                   alpha = edge * (1 - vd_smooth(0, 1, (y - top) / to->unit / r->fade));
            /* Over what is there: layers are premultiplied. */
            uint32_t over = pixel(r->color, alpha), sum = 0;
            for (int shift = 0; shift < 32; shift += 8) {
                double below = (*at >> shift & 255) * (1 - (over >> 24) / 255.0);
                sum |= (uint32_t)fmin(round(below) + (over >> shift & 255), 255) << shift;
            }
            *at = sum;
        }
    }
}

static void paint_hills(const vd_layout *layout, const sheet *to, int horizon)
{
    double tall = vd_random_between(layout->seed, 931, 0, 0.6, 1.15) * fmin(horizon / to->unit, 60);
    vd_rgb far = vd_rgb_mix(layout->haze, (vd_rgb){0.36, 0.46, 0.58}, 0.5),
           near = vd_rgb_mix(layout->haze, (vd_rgb){0.30, 0.42, 0.36}, 0.6);
    const ridge back = {.height = 0.46 * tall,
                        .roll = 0.42 * tall,
                        .wave = 330,
                        .rough = 1.2,
                        .detail = 24,
                        .color = far,
                        .fade = 0.8 * tall + 6};
    const ridge front = {.height = 0.22 * tall,
                         .roll = 0.26 * tall,
                         .wave = 210,
                         .rough = 1.6,
                         .detail = 12,
                         .color = near,
                         .fade = 0.6 * tall + 8};
    paint_ridge(to, horizon, &back, vd_hash(layout->seed, 931, 1));
    paint_ridge(to, horizon, &front, vd_hash(layout->seed, 931, 2));
}

static void paint_trees(const vd_layout *layout, const sheet *to, int horizon, vd_rgb leaf)
{
    double below = (to->height - horizon) / to->unit;
    for (int row = 0; row < 3; row++) {
        /* Each row nearer, lower and clearer. */
        double foot = below * (0.35 + 0.3 * row), crest = 7 - 4.5 * row;
        const ridge line = {.height = crest,
                            .roll = 4,
                            .wave = 70,
                            .rough = 4.5,
                            .detail = 9,
                            .color = vd_rgb_mix(layout->haze, vd_rgb_scale(leaf, 0.75), 0.34 + 0.11 * row),
                            .fade = crest + foot};
        paint_ridge(to, horizon, &line, vd_hash(layout->seed, 932, row));
    }
}

static sheet sheet_of(cairo_surface_t *surface, double unit)
{
    return (sheet){(uint32_t *)(void *)cairo_image_surface_get_data(surface),
                   cairo_image_surface_get_stride(surface) / 4, cairo_image_surface_get_height(surface),
                   unit};
}

int vd_backdrop_paint(const vd_layout *layout, const vd_camera *camera, vd_rgb leaf,
                      vd_backdrop *ret_backdrop)
{
    double unit = camera->focal / 1024, sway = 0.006 * camera->focal;
    vd_backdrop b = {.horizon = (int)ceil(camera->horizon_y + sway) + 1};
    if (camera->horizon_y + sway < 0) {
        *ret_backdrop = (vd_backdrop){0};
        return VD_OK;
    }
    /* As far as the sharpest bend and a long drive of clouds take them. */
    b.margin = (int)(camera->focal * TREES_AHEAD / 2 / 220 + 8);
    int width = camera->width + 2 * b.margin, low = (int)(12 * unit) + 2,
        far = (int)(0.9 * camera->focal * camera->pole / layout->haze_to);
    b.sky = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, width, b.horizon + low);
    b.hills = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, width, b.horizon + low);
    b.trees = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, width, b.horizon + far);
    if (cairo_surface_status(b.sky) != CAIRO_STATUS_SUCCESS ||
        cairo_surface_status(b.hills) != CAIRO_STATUS_SUCCESS ||
        cairo_surface_status(b.trees) != CAIRO_STATUS_SUCCESS) {
        vd_backdrop_clear(&b);
        return VD_ENOMEM;
    }
    sheet sky = sheet_of(b.sky, unit), hills = sheet_of(b.hills, unit), trees = sheet_of(b.trees, unit);
    paint_sky(layout, &sky, b.horizon);
    paint_hills(layout, &hills, b.horizon);
    paint_trees(layout, &trees, b.horizon, leaf);
    cairo_surface_mark_dirty(b.sky);
    cairo_surface_mark_dirty(b.hills);
    cairo_surface_mark_dirty(b.trees);
    *ret_backdrop = b;
    return VD_OK;
}

void vd_backdrop_clear(vd_backdrop *backdrop)
{
    cairo_surface_destroy(backdrop->sky);
    cairo_surface_destroy(backdrop->hills);
    cairo_surface_destroy(backdrop->trees);
    *backdrop = (vd_backdrop){0};
}

/* With the border's columns going on for ever, so that no bend shows an edge. */
static void draw_layer(const vd_backdrop *b, cairo_surface_t *layer, const vd_view *view, double ahead,
                       double drift, cairo_t *cr)
{
    double shift = view->camera.focal * view->curve * ahead / 2 + drift;
    shift = vd_clamp(shift, -b->margin, b->margin);
    cairo_set_source_surface(cr, layer, -b->margin - shift, view->camera.horizon_y - b->horizon);
    cairo_pattern_set_filter(cairo_get_source(cr), CAIRO_FILTER_BILINEAR);
    cairo_pattern_set_extend(cairo_get_source(cr), CAIRO_EXTEND_PAD);
    int rows = cairo_image_surface_get_height(layer) - b->horizon;
    cairo_rectangle(cr, 0, 0, view->camera.width, floor(view->camera.horizon_y) + rows);
    cairo_fill(cr);
}

void vd_backdrop_draw_sky(const vd_backdrop *backdrop, const vd_view *view, double time_s, cairo_t *cr)
{
    if (!backdrop->sky)
        return;
    double unit = view->camera.focal / 1024, drift = 60 * unit * sin(CLOUD_DRIFT * time_s / 60);
    draw_layer(backdrop, backdrop->sky, view, SKY_AHEAD, drift, cr);
    draw_layer(backdrop, backdrop->hills, view, HILLS_AHEAD, 0, cr);
}

void vd_backdrop_draw_trees(const vd_backdrop *backdrop, const vd_view *view, cairo_t *cr)
{
    if (backdrop->trees)
        draw_layer(backdrop, backdrop->trees, view, TREES_AHEAD, 0, cr);
}
