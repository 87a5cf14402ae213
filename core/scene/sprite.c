/* Leaves are many small discs, dark ones below and behind, light ones towards the sun. */
#include "scene/sprite.h"

#include <math.h>
#include <stddef.h>

#include "vedette/error.h"

/* A brush on a sprite: metres, x to the right of the foot, y up. */
typedef struct brush {
    cairo_t *cr;
    uint64_t seed;
    int64_t count; /* random numbers taken */
    vd_rgb leaf;
} brush;

static double any(brush *b, double least, double most)
{
    return vd_random_between(b->seed, 77, b->count++, least, most);
}

static void ink(brush *b, vd_rgb color)
{
    cairo_set_source_rgb(b->cr, color.r, color.g, color.b);
}

static void disc(brush *b, double x, double y, double radius)
{
    cairo_arc(b->cr, x, y, radius, 0, 2 * M_PI);
    cairo_fill(b->cr);
}

/* A crown: `count` leaves of about `leaf` metres in an ellipse. */
static void foliage(brush *b, double x, double y, double rx, double ry, double leaf, int count, vd_rgb color)
{
    static const double LIGHT[] = {0.42, 0.62, 0.84, 1.06}, GROWN[] = {1.0, 0.92, 0.8, 0.62};
    for (int pass = 0; pass < 4; pass++) {
        for (int i = 0; i < count; i++) {
            double turn = any(b, 0, 2 * M_PI), out = sqrt(any(b, 0, 1)) * GROWN[pass];
            double u = out * cos(turn) + 0.13 * pass, v = out * sin(turn) + 0.11 * pass;
            double light = LIGHT[pass] * (1 + 0.13 * v + any(b, -0.12, 0.12));
            ink(b, vd_rgb_scale(color, light));
            disc(b, x + rx * u, y + ry * v, leaf * any(b, 0.5, 1.15) * (pass == 0 ? 1.3 : 1));
        }
    }
}

/* A stem from the ground up, thinner above, its right side lit. */
static void trunk(brush *b, double x, double height, double radius, vd_rgb bark)
{
    cairo_pattern_t *round = cairo_pattern_create_linear(x - radius, 0, x + radius, 0);
    vd_rgb dark = vd_rgb_scale(bark, 0.5), light = vd_rgb_scale(bark, 1.15);
    cairo_pattern_add_color_stop_rgb(round, 0, dark.r, dark.g, dark.b);
    cairo_pattern_add_color_stop_rgb(round, 0.7, light.r, light.g, light.b);
    cairo_pattern_add_color_stop_rgb(round, 1, bark.r, bark.g, bark.b);
    cairo_set_source(b->cr, round);
    cairo_pattern_destroy(round);
    cairo_move_to(b->cr, x - 1.25 * radius, 0);
    cairo_line_to(b->cr, x - radius, 0.25);
    cairo_line_to(b->cr, x - 0.55 * radius, height);
    cairo_line_to(b->cr, x + 0.55 * radius, height);
    cairo_line_to(b->cr, x + radius, 0.25);
    cairo_line_to(b->cr, x + 1.25 * radius, 0);
    cairo_fill(b->cr);
}

static void branch(brush *b, double y, double to_x, double to_y, double thick, vd_rgb bark)
{
    ink(b, vd_rgb_scale(bark, 0.75));
    cairo_set_line_width(b->cr, thick);
    cairo_move_to(b->cr, 0, y);
    cairo_curve_to(b->cr, 0.1 * to_x, y + 0.5 * (to_y - y), 0.6 * to_x, to_y - 0.2, to_x, to_y);
    cairo_stroke(b->cr);
}

static void broadleaf(brush *b)
{
    vd_rgb bark = {0.36, 0.29, 0.23};
    double clear = any(b, 0.9, 1.5), wide = any(b, 1.25, 1.6);
    trunk(b, 0, clear + 1.8, any(b, 0.12, 0.18), bark);
    for (int i = 0; i < 5; i++)
        branch(b, clear * any(b, 0.7, 1), any(b, -0.8, 0.8) * wide, clear + any(b, 0.7, 1.6), 0.07, bark);
    foliage(b, 0, clear + 1.7, wide, 1.15, 0.17, 110, vd_rgb_scale(b->leaf, 0.8));
    for (int i = 0; i < 6; i++)
        foliage(b, any(b, -0.62, 0.62) * wide, clear + any(b, 1.0, 3.0), any(b, 0.55, 0.8), any(b, 0.4, 0.6),
                0.11, 40, vd_rgb_scale(b->leaf, any(b, 0.85, 1.12)));
}

static void birch(brush *b)
{
    vd_rgb bark = {0.82, 0.81, 0.77};
    vd_rgb leaf = vd_rgb_mix(b->leaf, (vd_rgb){0.66, 0.70, 0.28}, 0.4);
    trunk(b, 0, 4.6, 0.10, bark);
    ink(b, (vd_rgb){0.18, 0.17, 0.16});
    for (int i = 0; i < 22; i++) {
        cairo_rectangle(b->cr, any(b, -0.09, 0.02), any(b, 0.1, 4), any(b, 0.03, 0.08), any(b, 0.01, 0.035));
        cairo_fill(b->cr);
    }
    for (int i = 0; i < 15; i++) {
        double y = any(b, 1.7, 4.9);
        foliage(b, any(b, -0.8, 0.8), y, any(b, 0.3, 0.55), any(b, 0.28, 0.5), 0.075, 26,
                vd_rgb_scale(leaf, any(b, 0.85, 1.1)));
    }
}

static void spruce(brush *b)
{
    vd_rgb needle = vd_rgb_mix(vd_rgb_scale(b->leaf, 0.72), (vd_rgb){0.13, 0.27, 0.20}, 0.65);
    double tall = any(b, 4.6, 6.4), wide = any(b, 1.1, 1.45);
    trunk(b, 0, 1, 0.13, (vd_rgb){0.30, 0.23, 0.18});
    int tiers = 15;
    for (int t = 0; t < tiers; t++) {
        double share = (double)t / tiers, y = 0.45 + share * (tall - 0.5), reach = wide * (1 - share) + 0.1;
        for (int i = 0; i < 34; i++) {
            double u = any(b, -1, 1), droop = 0.22 * u * u + any(b, 0, 0.14);
            double light = (0.6 + 0.35 * share + 0.2 * u) * any(b, 0.75, 1.2);
            ink(b, vd_rgb_scale(needle, light));
            cairo_move_to(b->cr, u * reach * 0.7, y + 0.3);
            cairo_line_to(b->cr, u * reach + 0.13, y - droop + 0.1);
            cairo_line_to(b->cr, u * reach, y - droop - 0.14);
            cairo_line_to(b->cr, u * reach - 0.13, y - droop + 0.1);
            cairo_fill(b->cr);
        }
    }
}

static void poplar(brush *b)
{
    double wide = any(b, 0.55, 0.75);
    trunk(b, 0, 2, 0.12, (vd_rgb){0.38, 0.34, 0.28});
    for (int i = 0; i < 15; i++) {
        double y = 0.75 + 0.36 * i;
        foliage(b, any(b, -0.12, 0.12), y, wide * (0.6 + 0.4 * sin(fmin(i, 8) / 5.0)), 0.42, 0.09, 30,
                vd_rgb_scale(b->leaf, any(b, 0.78, 0.98)));
    }
}

static void bush(brush *b)
{
    vd_rgb leaf = vd_rgb_scale(b->leaf, any(b, 0.8, 1.1));
    int heads = 5;
    for (int i = 0; i < heads; i++) {
        double y = any(b, 0.32, 0.7);
        foliage(b, any(b, -0.6, 0.6), y, any(b, 0.35, 0.5), fmin(any(b, 0.3, 0.45), y), 0.065, 55,
                vd_rgb_scale(leaf, any(b, 0.85, 1.1)));
    }
    if (any(b, 0, 1) < 0.6)
        return;
    vd_rgb flower = any(b, 0, 1) < 0.5 ? (vd_rgb){0.93, 0.88, 0.90} : (vd_rgb){0.90, 0.78, 0.30};
    for (int i = 0; i < 40; i++) {
        ink(b, vd_rgb_scale(flower, any(b, 0.8, 1)));
        disc(b, any(b, -0.62, 0.62), any(b, 0.3, 0.85), any(b, 0.015, 0.035));
    }
}

static void tuft(brush *b)
{
    vd_rgb straw = vd_rgb_mix(b->leaf, (vd_rgb){0.72, 0.66, 0.40}, any(b, 0.1, 0.6));
    for (int i = 0; i < 80; i++) {
        double x = any(b, -0.32, 0.32), lean = x * 0.6 + any(b, -0.14, 0.14), tall = any(b, 0.16, 0.52);
        ink(b, vd_rgb_scale(straw, any(b, 0.5, 1.15)));
        cairo_set_line_width(b->cr, 0.014);
        cairo_move_to(b->cr, x, 0);
        cairo_curve_to(b->cr, x, 0.5 * tall, x + 0.4 * lean, 0.9 * tall, x + lean, tall);
        cairo_stroke(b->cr);
    }
}

static void box(brush *b, double x, double y, double width, double height, vd_rgb color)
{
    ink(b, color);
    cairo_rectangle(b->cr, x, y, width, height);
    cairo_fill(b->cr);
}

static void post(brush *b)
{
    trunk(b, 0, 1.0, 0.055, (vd_rgb){0.90, 0.90, 0.88});
    ink(b, (vd_rgb){0.08, 0.08, 0.09});
    cairo_move_to(b->cr, -0.06, 0.66);
    cairo_line_to(b->cr, 0.06, 0.74);
    cairo_line_to(b->cr, 0.06, 0.93);
    cairo_line_to(b->cr, -0.06, 0.85);
    cairo_fill(b->cr);
    box(b, -0.02, 0.74, 0.04, 0.11, (vd_rgb){0.97, 0.62, 0.16});
}

static void sign_triangle(brush *b, double y, double size, vd_rgb color)
{
    ink(b, color);
    cairo_move_to(b->cr, 0, y + size);
    cairo_line_to(b->cr, 0.92 * size, y - 0.58 * size);
    cairo_line_to(b->cr, -0.92 * size, y - 0.58 * size);
    cairo_fill(b->cr);
}

static void road_sign(brush *b)
{
    vd_rgb red = {0.78, 0.10, 0.11}, white = {0.94, 0.94, 0.93}, black = {0.07, 0.07, 0.08},
           blue = {0.08, 0.30, 0.66};
    double y = 2.15, which = any(b, 0, 1);
    trunk(b, 0, y, 0.035, (vd_rgb){0.62, 0.64, 0.66});
    if (which < 0.4) {
        ink(b, red), disc(b, 0, y, 0.34);
        ink(b, white), disc(b, 0, y, 0.26);
        box(b, -0.13, y - 0.12, 0.09, 0.24, black);
        ink(b, black), disc(b, 0.09, y, 0.115);
        ink(b, white), disc(b, 0.09, y, 0.06);
    } else if (which < 0.75) {
        sign_triangle(b, y, 0.48, red);
        sign_triangle(b, y, 0.34, white);
        box(b, -0.03, y - 0.08, 0.06, 0.24, black);
        ink(b, black), disc(b, 0, y - 0.14, 0.035);
    } else {
        box(b, -0.46, y - 0.26, 0.92, 0.54, white);
        box(b, -0.435, y - 0.235, 0.87, 0.49, blue);
        box(b, -0.33, y + 0.07, any(b, 0.4, 0.6), 0.07, white);
        box(b, -0.33, y - 0.11, any(b, 0.3, 0.5), 0.07, white);
    }
}

static void lamp(brush *b)
{
    box(b, -0.12, 0, 0.24, 0.5, (vd_rgb){0.40, 0.42, 0.44});
    trunk(b, 0, 6.4, 0.085, (vd_rgb){0.56, 0.58, 0.60});
}

static void pole(brush *b)
{
    trunk(b, 0, 6.2, 0.11, (vd_rgb){0.42, 0.35, 0.28});
    box(b, -0.10, 1.6, 0.20, 0.26, (vd_rgb){0.85, 0.80, 0.45});
}

static void house(brush *b)
{
    vd_rgb wall = vd_rgb_mix((vd_rgb){0.86, 0.82, 0.74}, (vd_rgb){0.72, 0.52, 0.42}, any(b, 0, 0.8));
    vd_rgb roof = vd_rgb_mix((vd_rgb){0.55, 0.27, 0.20}, (vd_rgb){0.36, 0.36, 0.38}, any(b, 0, 1));
    box(b, -4, 0, 8, 3, wall);
    box(b, -4, 0, 2.6, 3, vd_rgb_scale(wall, 0.78));
    ink(b, roof);
    cairo_move_to(b->cr, -4.4, 2.9);
    cairo_line_to(b->cr, 4.4, 2.9);
    cairo_line_to(b->cr, 3.7, 5.2);
    cairo_line_to(b->cr, -3.2, 5.2);
    cairo_fill(b->cr);
    box(b, 1.6, 4.8, 0.7, 1, vd_rgb_scale(roof, 0.8));
    for (int i = 0; i < 3; i++) {
        box(b, -0.9 + 1.6 * i, 1.1, 1, 1.2, (vd_rgb){0.92, 0.92, 0.9});
        box(b, -0.8 + 1.6 * i, 1.2, 0.8, 1, (vd_rgb){0.24, 0.30, 0.36});
    }
    for (int i = 0; i < 7; i++)
        foliage(b, -4.4 + 1.4 * i, any(b, 0.3, 0.5), 0.8, 0.5, 0.16, 25, vd_rgb_scale(b->leaf, 0.8));
}

static const struct {
    void (*paint)(brush *b);
    double width, height, per_m;
} PAINTERS[VD_SPRITE_KINDS] = {
    [VD_SPRITE_BROADLEAF] = {broadleaf, 4.2, 5.5, 64},
    [VD_SPRITE_BIRCH] = {birch, 2.8, 5.5, 64},
    [VD_SPRITE_SPRUCE] = {spruce, 3.2, 5.5, 64},
    [VD_SPRITE_POPLAR] = {poplar, 2.0, 5.5, 64},
    [VD_SPRITE_BUSH] = {bush, 2.3, 1.3, 84},
    [VD_SPRITE_TUFT] = {tuft, 1.2, 0.6, 96},
    [VD_SPRITE_POST] = {post, 0.3, 1.1, 128},
    [VD_SPRITE_SIGN] = {road_sign, 1.1, 2.8, 110},
    [VD_SPRITE_LAMP] = {lamp, 0.4, 6, 72},
    [VD_SPRITE_POLE] = {pole, 0.4, 6, 72},
    [VD_SPRITE_HOUSE] = {house, 10.4, 6, 24},
};

/* Half the size; halfway between four pixels bilinear reading is their mean. */
static cairo_surface_t *halved(cairo_surface_t *large)
{
    int width = (cairo_image_surface_get_width(large) + 1) / 2,
        height = (cairo_image_surface_get_height(large) + 1) / 2;
    cairo_surface_t *small = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, width, height);
    cairo_t *cr = cairo_create(small);
    cairo_scale(cr, 0.5, 0.5);
    cairo_set_source_surface(cr, large, 0, 0);
    cairo_pattern_set_filter(cairo_get_source(cr), CAIRO_FILTER_BILINEAR);
    cairo_paint(cr);
    cairo_destroy(cr);
    return small;
}

int vd_sprite_paint(vd_sprite_kind kind, uint64_t seed, vd_rgb leaf, vd_sprite *ret_sprite)
{
    vd_sprite sprite = {
        .width = PAINTERS[kind].width, .height = PAINTERS[kind].height, .per_m = PAINTERS[kind].per_m};
    /* Multiples of 8, so that every level is exactly half of the one before. */
    int columns = ((int)(sprite.width * sprite.per_m) + 7) / 8 * 8,
        rows = ((int)(sprite.height * sprite.per_m) + 7) / 8 * 8;
    sprite.width = columns / sprite.per_m;
    sprite.height = rows / sprite.per_m;
    sprite.level[0] = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, columns, rows);
    cairo_t *cr = cairo_create(sprite.level[0]);
    cairo_translate(cr, columns / 2.0, rows);
    cairo_scale(cr, sprite.per_m, -sprite.per_m);
    /* Coarser circles than cairo's own: they are leaves. */
    cairo_set_tolerance(cr, 0.35);
    cairo_set_antialias(cr, CAIRO_ANTIALIAS_FAST);
    brush b = {.cr = cr, .seed = seed, .leaf = leaf};
    PAINTERS[kind].paint(&b);
    cairo_destroy(cr);
    for (int i = 1; i < VD_SPRITE_LEVELS; i++)
        sprite.level[i] = halved(sprite.level[i - 1]);
    for (int i = 0; i < VD_SPRITE_LEVELS; i++)
        if (cairo_surface_status(sprite.level[i]) != CAIRO_STATUS_SUCCESS) {
            vd_sprite_clear(&sprite);
            return VD_ENOMEM;
        }
    *ret_sprite = sprite;
    return VD_OK;
}

void vd_sprite_clear(vd_sprite *sprite)
{
    for (int i = 0; i < VD_SPRITE_LEVELS; i++) {
        cairo_surface_destroy(sprite->level[i]);
        sprite->level[i] = NULL;
    }
}

void vd_sprite_draw(const vd_sprite *sprite, cairo_t *cr, double x, double y, double scale, double alpha)
{
    int level = 0;
    double per_m = sprite->per_m;
    while (level + 1 < VD_SPRITE_LEVELS && scale < 0.7 * per_m) {
        level++;
        per_m /= 2;
    }
    cairo_save(cr);
    cairo_translate(cr, x - scale * sprite->width / 2, y - scale * sprite->height);
    cairo_scale(cr, scale / per_m, scale / per_m);
    cairo_set_source_surface(cr, sprite->level[level], 0, 0);
    cairo_pattern_set_filter(cairo_get_source(cr), CAIRO_FILTER_BILINEAR);
    if (alpha >= 0.995)
        cairo_paint(cr);
    else
        cairo_paint_with_alpha(cr, alpha);
    cairo_restore(cr);
}
