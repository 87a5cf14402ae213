/* The signs of verdicts, drawn with lines: no font has to have them. */
#include <math.h>

#include "draw/label.h"

struct stroke {
    double x, y; /* shares of the square; x below 0 begins another line */
};

static void add_strokes(cairo_t *cr, const vd_rect *square, const struct stroke *strokes, size_t count)
{
    bool begins = true;
    for (size_t i = 0; i < count; i++) {
        double x = square->x + strokes[i].x * square->width, y = square->y + strokes[i].y * square->height;
        if (strokes[i].x >= 0 && begins)
            cairo_move_to(cr, x, y);
        else if (strokes[i].x >= 0)
            cairo_line_to(cr, x, y);
        begins = strokes[i].x < 0;
    }
}

static void add_dot(cairo_t *cr, const vd_rect *square, double x, double y, double line)
{
    double side = fmax(1, round(line));
    cairo_rectangle(cr, round(square->x + x * square->width - side / 2),
                    round(square->y + y * square->height - side / 2), side, side);
}

static void add_question(cairo_t *cr, const vd_rect *square)
{
    double x = square->x + 0.5 * square->width, y = square->y + 0.27 * square->height;
    cairo_new_sub_path(cr);
    cairo_arc(cr, x, y, 0.25 * square->width, -M_PI, 0.3 * M_PI);
    cairo_line_to(cr, x, square->y + 0.66 * square->height);
}

void vd_mark_paint(cairo_t *cr, vd_draw_mark mark, const vd_rect *square, double line)
{
    static const struct stroke tick[] = {{0.08, 0.55}, {0.38, 0.88}, {0.95, 0.12}};
    static const struct stroke cross[] = {{0.12, 0.12}, {0.88, 0.88}, {-1, 0}, {0.88, 0.12}, {0.12, 0.88}};
    cairo_set_line_width(cr, line);
    cairo_new_path(cr);
    switch (mark) {
    case VD_MARK_NONE:
        return;
    case VD_MARK_PENDING:
        for (int i = 0; i < 3; i++)
            add_dot(cr, square, 0.15 + 0.35 * i, 0.75, line);
        cairo_fill(cr);
        return;
    case VD_MARK_VERIFIED:
        add_strokes(cr, square, tick, sizeof tick / sizeof *tick);
        break;
    case VD_MARK_REJECTED:
        add_strokes(cr, square, cross, sizeof cross / sizeof *cross);
        break;
    case VD_MARK_UNVERIFIED:
        add_question(cr, square);
        break;
    }
    cairo_stroke(cr);
    if (mark == VD_MARK_UNVERIFIED) {
        add_dot(cr, square, 0.5, 0.9, line);
        cairo_fill(cr);
    }
}
