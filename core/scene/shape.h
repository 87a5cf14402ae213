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

enum { VD_SHAPE_LEVELS = 5, VD_SHAPE_OUTLINE = 96 };

/* Multipliers of the ground's light, 128 = unchanged, 64 = half, 255 = double. Level 0 has
 * `columns` × `rows` of 1 / `per_m` metres; each further level halves the rows alone (the road is seen at a
 * grazing angle). Column 0 is at the left (largest d), row 0 nearest (smallest s). */
typedef struct vd_shape {
    double length, width; /* metres along s and d of the patch */
    double per_m;
    int columns, rows[VD_SHAPE_LEVELS];
    uint8_t *level[VD_SHAPE_LEVELS];
    /* Points of the visible border relative to the patch's middle, metres: what a true box is measured from.
     */
    int outline_count;
    struct {
        float s, d;
    } outline[VD_SHAPE_OUTLINE];
} vd_shape;

/* Paints a shape; `seed` decides every detail of it.
 *
 * length, width  metres of the visible form along s and d; the patch is a little larger
 * per_m          resolution of level 0, 32 to 160
 *
 * VD_OK or VD_ENOMEM. */
int vd_shape_paint(vd_shape_form form, uint64_t seed, double length, double width, double per_m,
                   vd_shape *ret_shape);
void vd_shape_clear(vd_shape *shape);

#endif
