/* The painter: one drawing of boxes and labels for the window, the recorder and the command line.
 *
 * Plain values in, cairo out; no state but fonts and caches. A painter is used by one thread. */
#ifndef VEDETTE_APP_DRAW_H
#define VEDETTE_APP_DRAW_H

#include <cairo.h>
#include <stddef.h>

#include "vedette/image.h"

typedef enum vd_box_style {
    VD_BOX_DETECTED = 0, /* solid: found on this very frame, or between two frames where it was found */
    VD_BOX_PREDICTED,    /* dashed: moved on to the time of this frame */
    VD_BOX_FAINT         /* thin and pale: under the threshold */
} vd_box_style;

/* What the second model said, as a sign behind the label: told by its shape, whatever the colours. */
typedef enum vd_draw_mark {
    VD_MARK_NONE = 0,
    VD_MARK_PENDING,   /* three dots */
    VD_MARK_VERIFIED,  /* a tick */
    VD_MARK_REJECTED,  /* a cross */
    VD_MARK_UNVERIFIED /* a question mark */
} vd_draw_mark;

enum { VD_TRAIL_POINTS = 18 };

typedef struct vd_draw_point {
    float x, y;
} vd_draw_point;

typedef struct vd_draw_box {
    vd_box box; /* pixels of the source picture */
    vd_box_style style;
    int color;         /* index into the palette, any number: the class */
    char label[96];    /* UTF-8, such as `person 0.91 #3`; empty: none */
    vd_draw_mark mark; /* stands in the label; none without one */
    int trail_count;   /* 0 or 2 to VD_TRAIL_POINTS: where it came from, oldest first, dots under all boxes */
    vd_draw_point trail[VD_TRAIL_POINTS]; /* pixels of the source picture */
} vd_draw_box;

typedef struct vd_drawing {
    int picture_width, picture_height; /* pixels of the source picture that boxes are in */
    const vd_draw_box *boxes;          /* drawn in order, labels on top of all boxes */
    size_t count;
} vd_drawing;

typedef struct vd_painter vd_painter;

/* VD_OK or VD_ENOMEM. */
int vd_painter_new(vd_painter **ret_painter);
void vd_painter_free(vd_painter **painter);

/* Paints boxes and labels over a picture that lies at (x, y) with size (width, height) in user space.
 *
 * Lines are 2 units wide at any scale, with a dark halo of 1 unit; labels stand above their box, inside where
 * there is no room, a line lower where they would cover another label, and inside the picture always. `unit`
 * is the size of one unit in user space: 1 for a screen at 1×, more for a recording that is watched smaller.
 */
void vd_painter_draw(vd_painter *painter, cairo_t *cr, const vd_drawing *drawing, double x, double y,
                     double width, double height, double unit);

/* The palette's colour for a class: red, green, blue from 0 to 1. Its order keeps neighbours apart for people
 * with protanopia, deuteranopia and tritanopia (Okabe and Ito 2008, extended). */
void vd_palette_color(int index, double ret_rgb[3]);

/* Draws on a picture in place: `image` is BGRX. For recordings and stills. VD_OK, VD_EINVAL or VD_ENOMEM. */
int vd_painter_draw_image(vd_painter *painter, const vd_image *image, const vd_drawing *drawing);

#endif
