/* What stands where is decided by its place along the road alone, so the road has no end. All of it keeps
 * away from the asphalt far enough that even on the inside of the sharpest bend it hides none nearer than
 * layout->haze_to. Seen from the road what is farther from it is behind: trees and bushes, then wooden
 * fences, then posts and signs, then rails; each of these farthest first. */
#include "scene/roadside.h"

#include <math.h>
#include <stdlib.h>

#include "scene/backdrop.h"
#include "scene/sprite.h"

enum { VARIANTS = 4, LAYERS = 6, STANDING_MOST = 512 };

/* Numbers of the choices that a seed makes. */
enum { OF_LEAF = 940, OF_LOOK, OF_PLACE, OF_ZONE, OF_FENCE };

struct vd_roadside {
    vd_layout layout;
    vd_backdrop backdrop;
    vd_sprite sprites[VD_SPRITE_KINDS][VARIANTS];
    cairo_pattern_t *shade; /* a soft dark disc of radius 1 */
};

/* Pictures of each kind, and of which things along the road each layer consists. */
static const int COUNTS[VD_SPRITE_KINDS] = {
    [VD_SPRITE_BROADLEAF] = 3, [VD_SPRITE_BIRCH] = 2, [VD_SPRITE_SPRUCE] = 2, [VD_SPRITE_POPLAR] = 1,
    [VD_SPRITE_BUSH] = 4,      [VD_SPRITE_TUFT] = 4,  [VD_SPRITE_POST] = 1,   [VD_SPRITE_SIGN] = 3,
    [VD_SPRITE_LAMP] = 1,      [VD_SPRITE_POLE] = 1,  [VD_SPRITE_HOUSE] = 1,
};

typedef enum layer_kind { TREES, BUSHES, TUFTS, SIGNS, POLES, POSTS } layer_kind;

static const struct {
    double every, share; /* metres of road for one place, and how many of them are taken */
    double near, far;    /* metres from the edge of the asphalt */
} LAYER[LAYERS] = {
    [TREES] = {5, 0.72, 4.2, 26},    [BUSHES] = {2.6, 0.6, 3.4, 13}, [TUFTS] = {1.1, 0.75, 2.7, 7},
    [SIGNS] = {34, 0.55, 1.75, 2.3}, [POLES] = {28, 1, 2.0, 2.0},    [POSTS] = {12.5, 1, 1.9, 1.9},
};

static vd_rgb leaf_color(unsigned seed)
{
    static const vd_rgb LEAVES[] = {
        {0.40, 0.52, 0.22}, {0.33, 0.47, 0.24}, {0.47, 0.54, 0.23}, {0.30, 0.42, 0.20}, {0.62, 0.47, 0.19},
    };
    return LEAVES[vd_hash(seed, OF_LEAF, 0) % (sizeof(LEAVES) / sizeof(*LEAVES))];
}

static cairo_pattern_t *make_shade(void)
{
    cairo_pattern_t *shade = cairo_pattern_create_radial(0, 0, 0, 0, 0, 1);
    cairo_pattern_add_color_stop_rgba(shade, 0, 0.05, 0.06, 0.05, 0.5);
    cairo_pattern_add_color_stop_rgba(shade, 0.5, 0.05, 0.06, 0.05, 0.32);
    cairo_pattern_add_color_stop_rgba(shade, 1, 0.05, 0.06, 0.05, 0);
    return shade;
}

int vd_roadside_new(const vd_layout *layout, const vd_scene_options *options, vd_roadside **ret_roadside)
{
    vd_roadside *r = calloc(1, sizeof(*r));
    if (!r)
        return VD_ENOMEM;
    r->layout = *layout;
    vd_rgb leaf = leaf_color(layout->seed);
    vd_view view = vd_view_at(layout, options, 0);
    int rc = vd_backdrop_paint(layout, &view.camera, leaf, &r->backdrop);
    for (int kind = 0; kind < VD_SPRITE_KINDS; kind++)
        for (int v = 0; v < COUNTS[kind] && rc == VD_OK; v++) {
            double other = vd_random_between(layout->seed, OF_LOOK, 16 * kind + v, 0.86, 1.14);
            vd_rgb tint = {leaf.r * other, leaf.g, leaf.b / other};
            if (kind >= VD_SPRITE_BUSH) /* these stay greener in autumn */
                tint = vd_rgb_mix(tint, (vd_rgb){0.40, 0.46, 0.20}, 0.55);
            uint64_t seed = vd_hash(layout->seed, OF_LOOK, 1000 + 16 * kind + v);
            rc = vd_sprite_paint((vd_sprite_kind)kind, seed, tint, &r->sprites[kind][v]);
        }
    r->shade = make_shade();
    if (cairo_pattern_status(r->shade) != CAIRO_STATUS_SUCCESS)
        rc = VD_ENOMEM;
    if (rc != VD_OK) {
        vd_roadside_free(&r);
        return rc;
    }
    *ret_roadside = r;
    return VD_OK;
}

void vd_roadside_free(vd_roadside **roadside)
{
    if (!roadside || !*roadside)
        return;
    vd_backdrop_clear(&(*roadside)->backdrop);
    for (int kind = 0; kind < VD_SPRITE_KINDS; kind++)
        for (int v = 0; v < VARIANTS; v++)
            vd_sprite_clear(&(*roadside)->sprites[kind][v]);
    if ((*roadside)->shade)
        cairo_pattern_destroy((*roadside)->shade);
    free(*roadside);
    *roadside = NULL;
}

int vd_roadside_paint_sky(vd_roadside *roadside, const vd_view *view, double time_s, const vd_image *image)
{
    if (!roadside->backdrop.sky)
        return VD_OK;
    cairo_surface_t *surface = cairo_image_surface_create_for_data(
        image->planes[0], CAIRO_FORMAT_RGB24, image->width, image->height, image->strides[0]);
    cairo_t *cr = cairo_create(surface);
    vd_backdrop_draw_sky(&roadside->backdrop, view, time_s, cr);
    int rc = cairo_status(cr) == CAIRO_STATUS_SUCCESS ? VD_OK : VD_ENOMEM;
    cairo_destroy(cr);
    cairo_surface_flush(surface);
    cairo_surface_destroy(surface);
    return rc;
}

/* Something that stands in the picture. */
typedef struct standing {
    const vd_sprite *sprite;
    double depth, x, y, scale, alpha, shade; /* shade: radius, metres */
    bool slim;                               /* a post or a sign near the road */
} standing;

typedef struct crowd {
    standing list[STANDING_MOST];
    int count;
} crowd;

/* Fades in with the haze. */
static double seen(const vd_layout *layout, double depth)
{
    return 1 - vd_smooth(layout->haze_from, layout->haze_to, depth);
}

static double from_edge(const vd_sprite *sprite, layer_kind layer, double share)
{
    double most = LAYER[layer].far;
    /* More of them near the road than far from it. */
    double gap = LAYER[layer].near + (most - LAYER[layer].near) * share * share;
    return layer == TREES ? fmax(gap, 2.2 + sprite->width / 2) : gap;
}

static const vd_sprite *choose(const vd_roadside *r, layer_kind layer, int side, int64_t cell)
{
    static const vd_sprite_kind KIND[LAYERS] = {[BUSHES] = VD_SPRITE_BUSH,
                                                [TUFTS] = VD_SPRITE_TUFT,
                                                [SIGNS] = VD_SPRITE_SIGN,
                                                [POSTS] = VD_SPRITE_POST};
    uint64_t seed = vd_hash(r->layout.seed, OF_PLACE + 10 * (layer + 1), side);
    vd_sprite_kind kind = KIND[layer];
    if (layer == TREES) {
        /* Woods of one kind, here and there another tree; seldom a house. */
        uint32_t wood = vd_hash(seed, cell / 12, 20);
        kind = (vd_sprite_kind)((vd_random(seed, cell, 21) < 0.7 ? wood : vd_hash(seed, cell, 22)) % 4);
        if (vd_random(seed, cell, 23) < 0.035)
            kind = VD_SPRITE_HOUSE;
    }
    if (layer == POLES)
        kind = vd_random(r->layout.seed, OF_LOOK, 1) < 0.6 ? VD_SPRITE_LAMP : VD_SPRITE_POLE;
    return &r->sprites[kind][vd_hash(seed, cell, 24) % (unsigned)COUNTS[kind]];
}

/* What stands at one place of a layer, if anything does. side: 1 left, -1 right. */
static void add_place(const vd_roadside *r, const vd_view *view, layer_kind layer, int side, int64_t cell,
                      crowd *to)
{
    uint64_t seed = vd_hash(r->layout.seed, OF_PLACE + 10 * (layer + 1), side);
    double s = LAYER[layer].every * ((double)cell + (layer <= SIGNS ? vd_random(seed, cell, 1) : 0.5));
    double depth = s - view->s;
    if (depth < 1.2 || depth > r->layout.haze_to || to->count == STANDING_MOST ||
        vd_random(seed, cell, 2) > LAYER[layer].share)
        return;
    const vd_sprite *sprite = choose(r, layer, side, cell);
    double gap = from_edge(sprite, layer, vd_random(seed, cell, 3));
    if (sprite == &r->sprites[VD_SPRITE_HOUSE][0])
        gap += 14;
    vd_point at = vd_view_project(view, s, side * (r->layout.half_width + gap), 0);
    double size = layer < SIGNS ? vd_random_between(seed, cell, 4, 0.8, 1.15) : 1;
    double scale = size * view->camera.focal / depth, half = scale * sprite->width / 2;
    if (at.x + half < 0 || at.x - half > view->camera.width || at.y < 0 ||
        at.y - scale * sprite->height > view->camera.height)
        return;
    double alpha = seen(&r->layout, depth);
    if (alpha < 0.01)
        return;
    double shade = layer == TREES ? 0.34 : layer == BUSHES ? 0.45 : 0;
    to->list[to->count++] =
        (standing){sprite, depth, at.x, at.y, scale, alpha, shade * sprite->width * size, layer >= SIGNS};
}

static bool has_poles(const vd_roadside *r, int side)
{
    return vd_random(r->layout.seed, OF_ZONE, 1) < 0.65 &&
           (vd_random(r->layout.seed, OF_ZONE, 2) < 0.5) == (side > 0);
}

static void gather(const vd_roadside *r, const vd_view *view, crowd *to)
{
    for (int layer = 0; layer < LAYERS; layer++) {
        double every = LAYER[layer].every;
        int64_t from = (int64_t)floor(view->s / every), last = from;
        double reach = layer == TUFTS ? fmin(30, r->layout.haze_to) : r->layout.haze_to;
        last += (int64_t)ceil(reach / every);
        for (int side = -1; side <= 1; side += 2) {
            if (layer == POLES && !has_poles(r, side))
                continue;
            for (int64_t cell = from; cell <= last; cell++)
                add_place(r, view, (layer_kind)layer, side, cell, to);
        }
    }
}

static int by_depth(const void *a, const void *b)
{
    double first = ((const standing *)a)->depth, second = ((const standing *)b)->depth;
    return (first < second) - (first > second);
}

/* The dark ground under it; not so wide that it would reach the road. */
static void draw_shade(const vd_roadside *r, const vd_view *view, const standing *s, cairo_t *cr)
{
    if (s->shade <= 0 || s->depth > 32)
        return;
    double wide = s->shade * view->camera.focal / s->depth;
    double high = fmin(wide * view->camera.pole / s->depth, 0.6 * wide);
    cairo_save(cr);
    cairo_translate(cr, s->x, s->y);
    cairo_scale(cr, wide, high);
    cairo_set_source(cr, r->shade);
    cairo_rectangle(cr, -1, -1, 2, 2);
    cairo_fill(cr);
    cairo_restore(cr);
}

/* ---- fences and rails ---- */

typedef enum fence_kind { RAIL, WOOD, OPEN, FENCES = 4 } fence_kind; /* and half of the road has none */

static fence_kind fence_at(const vd_roadside *r, int side, int64_t piece)
{
    enum { PIECES = 18 }; /* of one stretch */
    int64_t stretch = piece >= 0 ? piece / PIECES : -1;
    fence_kind kind = (fence_kind)(vd_hash(r->layout.seed, OF_FENCE + stretch, side) % FENCES);
    return kind < OPEN ? kind : OPEN;
}

static void quad(cairo_t *cr, vd_point a, vd_point b, vd_point c, vd_point d)
{
    cairo_move_to(cr, a.x, a.y);
    cairo_line_to(cr, b.x, b.y);
    cairo_line_to(cr, c.x, c.y);
    cairo_line_to(cr, d.x, d.y);
    cairo_close_path(cr);
    cairo_fill(cr);
}

/* A band along the road from (s, low) to (s2, high). */
static void band(const vd_view *view, cairo_t *cr, double s, double s2, double d, double low, double high)
{
    quad(cr, vd_view_project(view, s, d, low), vd_view_project(view, s, d, high),
         vd_view_project(view, s2, d, high), vd_view_project(view, s2, d, low));
}

static void upright(const vd_view *view, cairo_t *cr, double s, double d, double width, double height)
{
    vd_point foot = vd_view_project(view, s, d, 0), head = vd_view_project(view, s, d, height);
    double half = width * view->camera.focal / foot.depth / 2;
    cairo_rectangle(cr, foot.x - half, head.y, 2 * half, foot.y - head.y);
    cairo_fill(cr);
}

static void draw_piece(const vd_roadside *r, const vd_view *view, fence_kind kind, double s, double s2,
                       double d, cairo_t *cr)
{
    double alpha = seen(&r->layout, (s + s2) / 2 - view->s), near = fmax(s, view->s + 1);
    if (kind == RAIL) {
        cairo_set_source_rgba(cr, 0.38, 0.39, 0.40, alpha);
        if (s - view->s > 1)
            upright(view, cr, s, d, 0.12, 0.62);
        cairo_set_source_rgba(cr, 0.60, 0.62, 0.64, alpha);
        band(view, cr, near, s2, d, 0.44, 0.56);
        cairo_set_source_rgba(cr, 0.47, 0.49, 0.51, alpha);
        band(view, cr, near, s2, d, 0.56, 0.62);
        cairo_set_source_rgba(cr, 0.74, 0.76, 0.77, alpha);
        band(view, cr, near, s2, d, 0.62, 0.75);
    } else {
        cairo_set_source_rgba(cr, 0.46, 0.38, 0.29, alpha);
        band(view, cr, near, s2, d, 0.38, 0.47);
        cairo_set_source_rgba(cr, 0.52, 0.44, 0.34, alpha);
        band(view, cr, near, s2, d, 0.80, 0.90);
        if (s - view->s > 1)
            upright(view, cr, s, d, 0.13, 1.05);
    }
}

static void draw_fences(const vd_roadside *r, const vd_view *view, fence_kind wanted, cairo_t *cr)
{
    static const double PIECE = 2.5;
    int64_t first = (int64_t)floor(view->s / PIECE);
    for (int side = -1; side <= 1; side += 2)
        for (int64_t i = (int64_t)(r->layout.haze_to / PIECE); i >= 0; i--) {
            fence_kind kind = fence_at(r, side, first + i);
            double s = PIECE * (double)(first + i), s2 = s + PIECE, gap = kind == RAIL ? 1.5 : 2.6;
            if (kind != wanted || s2 - view->s < 2 || seen(&r->layout, s - view->s) < 0.02)
                continue;
            double d = side * (r->layout.half_width + gap);
            if (fabs(vd_view_project(view, s2, d, 0).x - view->camera.center_x) <= view->camera.width)
                draw_piece(r, view, kind, s, s2, d, cr);
        }
}

static void draw_standing(const crowd *all, bool slim, cairo_t *cr)
{
    for (int i = 0; i < all->count; i++) {
        const standing *s = &all->list[i];
        if (s->slim == slim)
            vd_sprite_draw(s->sprite, cr, s->x, s->y, s->scale, s->alpha);
    }
}

void vd_roadside_paint(vd_roadside *roadside, const vd_view *view, cairo_t *cr)
{
    crowd all;
    all.count = 0;
    gather(roadside, view, &all);
    qsort(all.list, (size_t)all.count, sizeof(*all.list), by_depth);
    vd_backdrop_draw_trees(&roadside->backdrop, view, cr);
    for (int i = 0; i < all.count; i++)
        draw_shade(roadside, view, &all.list[i], cr);
    draw_standing(&all, false, cr);
    draw_fences(roadside, view, WOOD, cr);
    draw_standing(&all, true, cr);
    draw_fences(roadside, view, RAIL, cr);
}
