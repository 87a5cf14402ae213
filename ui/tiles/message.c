#include "ui/tiles/message.h"

enum { BADGE_PAD_X = 8, BADGE_PAD_Y = 4, LINE_GAP = 8, SIDE_GAP = 24, MAX_LINE = 560 };

static PangoLayout *make_layout(GtkWidget *widget, const char *text, double width, double scale,
                                PangoWeight weight)
{
    PangoLayout *layout = gtk_widget_create_pango_layout(widget, text);
    PangoAttrList *attributes = pango_attr_list_new();
    pango_attr_list_insert(attributes, pango_attr_scale_new(scale));
    pango_attr_list_insert(attributes, pango_attr_weight_new(weight));
    pango_attr_list_insert(attributes, pango_attr_font_features_new("tnum=1"));
    pango_layout_set_attributes(layout, attributes);
    pango_attr_list_unref(attributes);
    pango_layout_set_width(layout, (int)(MAX(width, 1) * PANGO_SCALE));
    return layout;
}

void vd_message_draw_badge(GtkWidget *widget, cairo_t *cr, const char *text, double x, double y,
                           double max_width, double alpha)
{
    if (max_width < 4 * BADGE_PAD_X || alpha <= 0)
        return;
    PangoLayout *layout = make_layout(widget, text, max_width - 2 * BADGE_PAD_X, 0.93, PANGO_WEIGHT_NORMAL);
    pango_layout_set_ellipsize(layout, PANGO_ELLIPSIZE_END);
    int width, height;
    pango_layout_get_pixel_size(layout, &width, &height);
    cairo_set_source_rgba(cr, 0.1, 0.1, 0.11, 0.62 * alpha);
    cairo_rectangle(cr, x, y, width + 2 * BADGE_PAD_X, height + 2 * BADGE_PAD_Y);
    cairo_fill(cr);
    cairo_move_to(cr, x + BADGE_PAD_X, y + BADGE_PAD_Y);
    cairo_set_source_rgba(cr, 1, 1, 1, alpha);
    pango_cairo_show_layout(cr, layout);
    g_object_unref(layout);
}

void vd_message_draw_middle(GtkWidget *widget, cairo_t *cr, const char *title, const char *detail,
                            double width, double height)
{
    double line = CLAMP(width - 2 * SIDE_GAP, 1, MAX_LINE);
    PangoLayout *layouts[] = {make_layout(widget, title, line, 1.35, PANGO_WEIGHT_BOLD),
                              make_layout(widget, detail, line, 1.0, PANGO_WEIGHT_NORMAL)};
    int heights[2] = {0, 0}, total = 0;
    for (int i = 0; i < 2; i++) {
        pango_layout_set_alignment(layouts[i], PANGO_ALIGN_CENTER);
        pango_layout_set_wrap(layouts[i], PANGO_WRAP_WORD_CHAR);
        pango_layout_get_pixel_size(layouts[i], NULL, &heights[i]);
    }
    total = heights[0] + (*detail ? LINE_GAP + heights[1] : 0);
    cairo_set_source_rgba(cr, 0.06, 0.06, 0.065, 0.68);
    cairo_rectangle(cr, 0, 0, width, height);
    cairo_fill(cr);
    double x = (width - line) / 2, y = (height - total) / 2;
    cairo_set_source_rgb(cr, 1, 1, 1);
    cairo_move_to(cr, x, y);
    pango_cairo_show_layout(cr, layouts[0]);
    if (*detail) {
        cairo_set_source_rgb(cr, 0.8, 0.8, 0.8);
        cairo_move_to(cr, x, y + heights[0] + LINE_GAP);
        pango_cairo_show_layout(cr, layouts[1]);
    }
    g_object_unref(layouts[0]);
    g_object_unref(layouts[1]);
}
