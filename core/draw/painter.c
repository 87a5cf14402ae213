/* Boxes are painted as filled rectangles on whole device pixels: lines stay crisp at every scale and
 * cairo takes its quickest way. Only marks are stroked. A drawing under a rotation or a shear is
 * painted where it falls. */
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "draw/label.h"
#include "vedette/app/draw.h"

static const double LINE_UNITS = 2, HALO_UNITS = 1, DASH_UNITS = 16, DASH_SHARE = 0.6;
static const double TRAIL_UNITS = 2, TRAIL_STEP_UNITS = 6;
static const double HALO_ALPHA = 0.7, FAINT_ALPHA = 0.6, FAINT_HALO_ALPHA = 0.3;

/* Boxes whose labels are thought of; the rest of a longer list has none. */
enum { MAX_LABELS = 1024 };

struct vd_painter {
    vd_label_cache *cache;
    vd_label *labels;
    size_t room;
};

/* What is constant for one drawing: device pixels. */
typedef struct canvas {
    cairo_t *cr;
    vd_rect picture;
    double scale_x, scale_y; /* device pixels a pixel of the source picture */
    double unit;
} canvas;

int vd_painter_new(vd_painter **ret_painter)
{
    vd_painter *painter = calloc(1, sizeof(*painter));
    if (!painter || vd_label_cache_new(&painter->cache) != VD_OK) {
        free(painter);
        return VD_ENOMEM;
    }
    *ret_painter = painter;
    return VD_OK;
}

void vd_painter_free(vd_painter **painter)
{
    if (!painter || !*painter)
        return;
    vd_label_cache_free(&(*painter)->cache);
    free((*painter)->labels);
    free(*painter);
    *painter = NULL;
}

static double whole(double value)
{
    return fmax(1, round(value));
}

/* Thickness of a box's line and of its halo. */
static double line_of(const canvas *c, vd_box_style style)
{
    return whole((style == VD_BOX_FAINT ? LINE_UNITS / 2 : LINE_UNITS) * c->unit);
}

static double halo_of(const canvas *c)
{
    return whole(HALO_UNITS * c->unit);
}

/* The outer edge of a box's line, its middle on the box's edge, but in the picture as a whole. False when
 * there is nothing to see of the box. */
static bool outline(const canvas *c, const vd_drawing *drawing, const vd_draw_box *box, vd_rect *ret_rect)
{
    const vd_box *b = &box->box;
    if (isnan(b->x1) || isnan(b->y1) || isnan(b->x2) || isnan(b->y2))
        return false;
    double x1 = fmax(b->x1, 0), y1 = fmax(b->y1, 0);
    double x2 = fmin(b->x2, drawing->picture_width), y2 = fmin(b->y2, drawing->picture_height);
    if (x1 >= x2 || y1 >= y2)
        return false;

    double line = line_of(c, box->style), out = line / 2, halo = halo_of(c);
    double left = c->picture.x + halo, right = c->picture.x + c->picture.width - halo;
    double top = c->picture.y + halo, bottom = c->picture.y + c->picture.height - halo;
    left = fmax(round(c->picture.x + x1 * c->scale_x - out), ceil(left));
    top = fmax(round(c->picture.y + y1 * c->scale_y - out), ceil(top));
    right = fmin(round(c->picture.x + x2 * c->scale_x - out) + line, floor(right));
    bottom = fmin(round(c->picture.y + y2 * c->scale_y - out) + line, floor(bottom));
    *ret_rect = (vd_rect){left, top, fmax(right - left, line), fmax(bottom - top, line)};
    return true;
}

/* A frame of `line` along the inside of `outer`; what would overlap is filled. */
static void add_frame(cairo_t *cr, const vd_rect *outer, double line)
{
    double inner_width = outer->width - 2 * line, inner_height = outer->height - 2 * line;
    if (inner_width <= 0 || inner_height <= 0) {
        cairo_rectangle(cr, outer->x, outer->y, outer->width, outer->height);
        return;
    }
    cairo_rectangle(cr, outer->x, outer->y, outer->width, line);
    cairo_rectangle(cr, outer->x, outer->y + line + inner_height, outer->width, line);
    cairo_rectangle(cr, outer->x, outer->y + line, line, inner_height);
    cairo_rectangle(cr, outer->x + line + inner_width, outer->y + line, line, inner_height);
}

/* One side in dashes that end in a half one at both corners; `grow` makes each longer and thicker all round.
 */
static void add_dashed_side(cairo_t *cr, const vd_rect *side, double dash, double grow)
{
    bool flat = side->width >= side->height;
    double length = flat ? side->width : side->height;
    double count = fmax(1, round(length / dash)), period = length / count, half = period * DASH_SHARE / 2;
    for (double i = 0; i <= count; i++) {
        double from = round(fmax(i * period - half, 0)) - grow,
               to = round(fmin(i * period + half, length)) + grow;
        if (flat)
            cairo_rectangle(cr, side->x + from, side->y - grow, to - from, side->height + 2 * grow);
        else
            cairo_rectangle(cr, side->x - grow, side->y + from, side->width + 2 * grow, to - from);
    }
}

static void add_dashes(const canvas *c, const vd_rect *outer, double line, double grow)
{
    double dash = DASH_UNITS * c->unit;
    vd_rect sides[4] = {{outer->x, outer->y, outer->width, line},
                        {outer->x, outer->y + outer->height - line, outer->width, line},
                        {outer->x, outer->y, line, outer->height},
                        {outer->x + outer->width - line, outer->y, line, outer->height}};
    for (int i = 0; i < 4; i++)
        add_dashed_side(c->cr, &sides[i], dash, grow);
}

static void paint_box(const canvas *c, const vd_draw_box *box, const vd_rect *outer)
{
    double line = line_of(c, box->style), halo = halo_of(c), rgb[3];
    vd_rect dark = {outer->x - halo, outer->y - halo, outer->width + 2 * halo, outer->height + 2 * halo};
    bool dashed = box->style == VD_BOX_PREDICTED, faint = box->style == VD_BOX_FAINT;

    if (dashed)
        add_dashes(c, outer, line, halo);
    else
        add_frame(c->cr, &dark, line + 2 * halo);
    cairo_set_source_rgba(c->cr, 0, 0, 0, faint ? FAINT_HALO_ALPHA : HALO_ALPHA);
    cairo_fill(c->cr);

    if (dashed)
        add_dashes(c, outer, line, 0);
    else
        add_frame(c->cr, outer, line);
    vd_palette_color(box->color, rgb);
    cairo_set_source_rgba(c->cr, rgb[0], rgb[1], rgb[2], faint ? FAINT_ALPHA : 1);
    cairo_fill(c->cr);
}

/* Far points would overrun cairo's numbers: a picture's width beyond the picture nothing is seen anyway. */
static double clamped(double value, double size)
{
    return fmin(fmax(value, -size), 2 * size);
}

/* Dots along a trail, all the same way apart; `grow` makes each larger all round. */
static void add_dots(const canvas *c, const vd_drawing *drawing, const vd_draw_box *box, double grow)
{
    int count = box->trail_count < VD_TRAIL_POINTS ? box->trail_count : VD_TRAIL_POINTS;
    double step = fmax(2, TRAIL_STEP_UNITS * c->unit), side = whole(TRAIL_UNITS * c->unit);
    double left = NAN, top = NAN, next = 0; /* the last point, and how far behind it the next dot is */
    for (int i = 0; i < count; i++) {
        if (isnan(box->trail[i].x) || isnan(box->trail[i].y))
            continue;
        double x = c->picture.x + clamped(box->trail[i].x, drawing->picture_width) * c->scale_x;
        double y = c->picture.y + clamped(box->trail[i].y, drawing->picture_height) * c->scale_y;
        double length = isnan(left) ? 0 : hypot(x - left, y - top);
        for (; next < length; next += step)
            cairo_rectangle(c->cr, round(left + (x - left) * next / length - side / 2) - grow,
                            round(top + (y - top) * next / length - side / 2) - grow, side + 2 * grow,
                            side + 2 * grow);
        next -= length;
        left = x;
        top = y;
    }
}

/* Dots, because there may be a hundred trails, and rectangles take a fifth of the time of strokes. */
static void paint_trail(const canvas *c, const vd_drawing *drawing, const vd_draw_box *box)
{
    double rgb[3];
    add_dots(c, drawing, box, halo_of(c));
    cairo_set_source_rgba(c->cr, 0, 0, 0, HALO_ALPHA);
    cairo_fill(c->cr);
    add_dots(c, drawing, box, 0);
    vd_palette_color(box->color, rgb);
    cairo_set_source_rgb(c->cr, rgb[0], rgb[1], rgb[2]);
    cairo_fill(c->cr);
}

/* Under every box. */
static void paint_trails(const canvas *c, const vd_drawing *drawing)
{
    for (size_t i = 0; i < drawing->count; i++)
        if (drawing->boxes[i].trail_count >= 2)
            paint_trail(c, drawing, &drawing->boxes[i]);
}

static bool reserve_labels(vd_painter *painter, size_t count)
{
    if (count <= painter->room)
        return true;
    vd_label *labels = realloc(painter->labels, count * sizeof(*labels));
    if (!labels)
        return false;
    painter->labels = labels;
    painter->room = count;
    return true;
}

static void paint_all(vd_painter *painter, const canvas *c, const vd_drawing *drawing)
{
    size_t most = drawing->count < MAX_LABELS ? drawing->count : MAX_LABELS, labels = 0;
    if (!reserve_labels(painter, most))
        most = 0;
    vd_label_begin(painter->cache, c->cr, c->unit);
    paint_trails(c, drawing);
    for (size_t i = 0; i < drawing->count; i++) {
        const vd_draw_box *box = &drawing->boxes[i];
        vd_rect outer;
        if (!outline(c, drawing, box, &outer))
            continue;
        paint_box(c, box, &outer);
        if (box->label[0] == '\0' || labels == most)
            continue;
        vd_label *label = &painter->labels[labels++];
        *label =
            (vd_label){.box = outer, .room = floor(c->picture.width), .mark = box->mark, .text = box->label};
        label->faint = box->style == VD_BOX_FAINT;
        vd_palette_color(box->color, label->rgb);
        vd_label_measure(painter->cache, label);
    }
    vd_label_place(painter->labels, labels, &c->picture, line_of(c, VD_BOX_DETECTED));
    for (size_t i = 0; i < labels; i++)
        vd_label_paint(painter->cache, c->cr, &painter->labels[i]);
}

/* Into device pixels, where they can be told; what is turned or sheared stays in user space. */
static void enter_device_space(cairo_t *cr, vd_rect *picture, double *unit)
{
    cairo_matrix_t m;
    cairo_get_matrix(cr, &m);
    if (m.xy != 0 || m.yx != 0 || m.xx <= 0 || m.yy <= 0)
        return;
    picture->x = picture->x * m.xx + m.x0;
    picture->y = picture->y * m.yy + m.y0;
    picture->width *= m.xx;
    picture->height *= m.yy;
    *unit *= sqrt(m.xx * m.yy);
    cairo_identity_matrix(cr);
}

void vd_painter_draw(vd_painter *painter, cairo_t *cr, const vd_drawing *drawing, double x, double y,
                     double width, double height, double unit)
{
    if (drawing->picture_width < 1 || drawing->picture_height < 1 || drawing->count == 0 || !(width > 0) ||
        !(height > 0) || !(unit > 0) || !isfinite(x + y + width + height + unit))
        return;
    canvas c = {.cr = cr, .picture = {x, y, width, height}, .unit = unit};
    cairo_save(cr);
    enter_device_space(cr, &c.picture, &c.unit);
    c.scale_x = c.picture.width / drawing->picture_width;
    c.scale_y = c.picture.height / drawing->picture_height;
    cairo_new_path(cr);
    cairo_rectangle(cr, c.picture.x, c.picture.y, c.picture.width, c.picture.height);
    cairo_clip(cr);
    paint_all(painter, &c, drawing);
    cairo_restore(cr);
}

int vd_painter_draw_image(vd_painter *painter, const vd_image *image, const vd_drawing *drawing)
{
    int rc = vd_image_validate(image, NULL);
    if (rc != VD_OK || image->format != VD_PIXEL_BGRX || image->strides[0] % 4 != 0 ||
        (uintptr_t)image->planes[0] % 4 != 0)
        return VD_EINVAL;
    cairo_surface_t *surface = cairo_image_surface_create_for_data(
        image->planes[0], CAIRO_FORMAT_RGB24, image->width, image->height, image->strides[0]);
    cairo_t *cr = cairo_create(surface);
    /* A recording of 1080 lines is watched in a window: its lines and letters are made for that size. */
    int longest = image->width > image->height ? image->width : image->height;
    vd_painter_draw(painter, cr, drawing, 0, 0, image->width, image->height, fmax(1, longest / 1280.0));
    rc = cairo_status(cr) == CAIRO_STATUS_SUCCESS ? VD_OK : VD_ENOMEM;
    cairo_destroy(cr);
    cairo_surface_flush(surface);
    cairo_surface_destroy(surface);
    return rc;
}
