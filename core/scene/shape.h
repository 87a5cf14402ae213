/* The look of what lies on the road, seen from straight above: one painter for hazards and for what only
 * looks like them, so that no single frame tells a dark hole from a shadow. */
#ifndef VD_SCENE_SHAPE_H
#define VD_SCENE_SHAPE_H

#include <stddef.h>
#include <stdint.h>

typedef enum vd_shape_form {
    VD_SHAPE_BLOB, /* pothole; shadow and wet patch: irregular outline, dark, soft edge, maybe a bright rim */
    VD_SHAPE_BRANCH, /* crack; shadow of twigs and wires: a line that forks */
    VD_SHAPE_DISC,   /* manhole cover: round, patterned */
    VD_SHAPE_SEAM    /* tar seam: a long band with nearly straight edges */
} vd_shape_form;

enum { VD_SHAPE_LEVELS = 5, VD_SHAPE_OUTLINE = 96, VD_SHAPE_COLUMNS = 512, VD_SHAPE_ROWS = 1024 };

/* Multipliers of the ground's light, 128 = unchanged, 64 = half, 255 = double. Level 0 has
 * `columns` × `rows` of 1 / `per_m` metres; each further level halves the rows alone (the road is seen at a
 * grazing angle). Column 0 is at the left (largest d), row 0 nearest (smallest s); the outmost ones are 128.
 */
typedef struct vd_shape {
    double length, width; /* metres along s and d of the patch, the form's middle in its middle */
    double per_m;
    int columns, rows[VD_SHAPE_LEVELS]; /* at most VD_SHAPE_COLUMNS, VD_SHAPE_ROWS */
    uint8_t *level[VD_SHAPE_LEVELS];    /* one block, which level[0] owns */
} vd_shape;

/* Metres from a shape's middle, along s and d. */
typedef struct vd_shape_point {
    double s, d;
} vd_shape_point;

/* Paints a shape; `seed` decides every detail of it.
 *
 * length, width  metres of the visible form along s and d, 0.3 to 6: it reaches exactly as far (to where
 *                15 % of its darkness is left at a soft edge); the patch is a little larger
 * per_m          resolution of level 0, 32 to 160; less is taken where the shape would grow too large
 *
 * VD_OK or VD_ENOMEM. */
int vd_shape_paint(vd_shape_form form, uint64_t seed, double length, double width, double per_m,
                   vd_shape *ret_shape);
void vd_shape_clear(vd_shape *shape);

/* The visible border of the same shape, without painting it: what a true box is measured from; around lines
 * their hull. Returns the number of points, 3 to VD_SHAPE_OUTLINE. */
int vd_shape_outline(vd_shape_form form, uint64_t seed, double length, double width,
                     vd_shape_point *ret_points);

#endif
