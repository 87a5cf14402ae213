/* What tests of the painter share: pictures to paint on, boxes, and counting pixels. */
#ifndef TESTS_DRAW_CASE_H
#define TESTS_DRAW_CASE_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>

#include "check_main.h"
#include "vedette/app/draw.h"

enum { WIDTH = 640, HEIGHT = 360 };

typedef struct picture {
    cairo_surface_t *surface;
    cairo_t *cr;
    int width, height;
} picture;

static inline picture make_picture(int width, int height, double grey)
{
    picture p = {.width = width, .height = height};
    p.surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
    p.cr = cairo_create(p.surface);
    cairo_set_source_rgb(p.cr, grey, grey, grey);
    cairo_paint(p.cr);
    return p;
}

static inline void free_picture(picture *p)
{
    cairo_destroy(p->cr);
    cairo_surface_destroy(p->surface);
}

static inline uint32_t pixel(const picture *p, int x, int y)
{
    cairo_surface_flush(p->surface);
    const uint8_t *row =
        cairo_image_surface_get_data(p->surface) + y * cairo_image_surface_get_stride(p->surface);
    return ((const uint32_t *)(const void *)row)[x] & 0xffffff;
}

static inline uint32_t palette(int index)
{
    double rgb[3];
    vd_palette_color(index, rgb);
    return (uint32_t)(lround(rgb[0] * 255) << 16 | lround(rgb[1] * 255) << 8 | lround(rgb[2] * 255));
}

static inline vd_draw_box make_box(float x1, float y1, float x2, float y2, int color, const char *label)
{
    vd_draw_box box = {.box = {x1, y1, x2, y2}, .color = color};
    snprintf(box.label, sizeof(box.label), "%s", label);
    return box;
}

static inline vd_painter *make_painter(void)
{
    vd_painter *painter = NULL;
    ck_assert_int_eq(vd_painter_new(&painter), VD_OK);
    return painter;
}

/* Paints at 1 : 1. */
static inline void paint(picture *p, const vd_draw_box *boxes, size_t count)
{
    vd_painter *painter = make_painter();
    vd_drawing drawing = {p->width, p->height, boxes, count};
    vd_painter_draw(painter, p->cr, &drawing, 0, 0, p->width, p->height, 1);
    vd_painter_free(&painter);
    ck_assert_int_eq(cairo_status(p->cr), CAIRO_STATUS_SUCCESS);
}

static inline size_t count_color(const picture *p, uint32_t color, int x1, int y1, int x2, int y2)
{
    size_t found = 0;
    for (int y = y1; y < y2; y++) {
        for (int x = x1; x < x2; x++)
            found += pixel(p, x, y) == color;
    }
    return found;
}

#endif
