/* Labels: text that is shaped once and reused, and the places where labels stand. */
#ifndef VD_DRAW_LABEL_H
#define VD_DRAW_LABEL_H

#include <cairo.h>
#include <stdbool.h>
#include <stddef.h>

#include "vedette/app/draw.h"

typedef struct vd_label_cache vd_label_cache;

/* A rectangle in whole device pixels, as far as the surface has them. */
typedef struct vd_rect {
    double x, y, width, height;
} vd_rect;

/* A label to place and paint. */
typedef struct vd_label {
    vd_rect tag; /* the filled rectangle; place sets x and y */
    vd_rect box; /* of the line around the object, outer edge: the label belongs to it */
    double room; /* the tag may be this wide: longer text is ellipsised */
    double rgb[3];
    bool faint; /* light text on a dark tag, so that pale stays readable on every picture */
    vd_draw_mark mark;
    const char *text; /* borrowed; any bytes, at most VD_LABEL_BYTES of them */
} vd_label;

enum { VD_LABEL_BYTES = 96 };

/* VD_OK or VD_ENOMEM. */
int vd_label_cache_new(vd_label_cache **ret_cache);
void vd_label_cache_free(vd_label_cache **cache);

/* Tells the cache what it will paint on; before the first measure of a picture. unit: device pixels a unit.
 */
void vd_label_begin(vd_label_cache *cache, cairo_t *cr, double unit);

/* Sets the width and height of `label->tag` for its text and room. */
void vd_label_measure(vd_label_cache *cache, vd_label *label);

/* Gives every label its place: above its box, else inside one that is large, below, beside; where none of
 * these is free, as near as it can be without covering a label that has its place. Of the free ones that
 * which hides least of small boxes, and always inside `picture`. From top to bottom and left to right, so
 * that the places follow from where the boxes are and not from their order; sorts `labels`. line is the
 * thickness of a box's line. */
void vd_label_place(vd_label *labels, size_t count, const vd_rect *picture, double line);

/* Paints the tag and its text. */
void vd_label_paint(vd_label_cache *cache, cairo_t *cr, const vd_label *label);

/* A mark in the current colour, its lines `line` thick, in a square. */
void vd_mark_paint(cairo_t *cr, vd_draw_mark mark, const vd_rect *square, double line);

/* Whether dark text reads better than light text on a colour (relative luminance of WCAG 2). */
bool vd_label_wants_dark_text(const double rgb[3]);

#endif
