/* Pictures of what stands beside a road: painted once, drawn scaled as often as it passes by. */
#ifndef VD_SCENE_SPRITE_H
#define VD_SCENE_SPRITE_H

#include <cairo.h>

#include "scene/world.h"

typedef enum vd_sprite_kind {
    VD_SPRITE_BROADLEAF,
    VD_SPRITE_BIRCH,
    VD_SPRITE_SPRUCE,
    VD_SPRITE_POPLAR,
    VD_SPRITE_BUSH,
    VD_SPRITE_TUFT,
    VD_SPRITE_POST,
    VD_SPRITE_SIGN,
    VD_SPRITE_LAMP,
    VD_SPRITE_POLE,
    VD_SPRITE_HOUSE,
    VD_SPRITE_KINDS
} vd_sprite_kind;

enum { VD_SPRITE_LEVELS = 4 };

/* The foot's middle stands at the middle of the lower border. Each level has half the pixels a metre of the
 * one before. What is higher than any camera of the scene sees is left out. */
typedef struct vd_sprite {
    double width, height; /* metres */
    double per_m;         /* pixels of level 0 */
    cairo_surface_t *level[VD_SPRITE_LEVELS];
} vd_sprite;

/* Paints one; `seed` decides its details and `leaf` the colour of leaves and grass. VD_OK or VD_ENOMEM. */
int vd_sprite_paint(vd_sprite_kind kind, uint64_t seed, vd_rgb leaf, vd_sprite *ret_sprite);
void vd_sprite_clear(vd_sprite *sprite);

/* Draws it on the ground at (x, y), `scale` pixels a metre, `alpha` 0 not to be seen to 1. */
void vd_sprite_draw(const vd_sprite *sprite, cairo_t *cr, double x, double y, double scale, double alpha);

#endif
