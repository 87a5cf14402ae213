#include "ui/panels/event_row.h"

#include <math.h>
#include <string.h>

#include "ui/words_events.h"
#include "vedette/frame.h"

enum { PICTURE_WIDTH = 72, PICTURE_HEIGHT = 48, GAP = 10, LEAST_WORDS_WIDTH = 140, LINES = 3 };

static const double PICTURE_BACKGROUND[3] = {0.059, 0.059, 0.063};
static const double DIM = 0.6, SMALL = 0.93;

struct _VdEventRow {
    GtkListBoxRow parent;
    uint64_t id;
    uint32_t revision;
    bool rejected;
    cairo_surface_t *picture; /* NULL: none yet */
    char name[64], time[16], confidence[32], verdict[96];
    const char *judgement;
    int line_height; /* 0: not measured since the style changed */
};

G_DEFINE_TYPE(VdEventRow, vd_event_row, GTK_TYPE_LIST_BOX_ROW)

/* --- The picture */

/* Fits the thumbnail into its place; the frame's memory is needed no more then. */
static cairo_surface_t *scale_picture(const vd_image *image, int scale)
{
    double factor =
        fmin((double)PICTURE_WIDTH * scale / image->width, (double)PICTURE_HEIGHT * scale / image->height);
    int width = MAX(1, (int)lround(image->width * factor)),
        height = MAX(1, (int)lround(image->height * factor));
    cairo_surface_t *source = cairo_image_surface_create_for_data(
        image->planes[0], CAIRO_FORMAT_RGB24, image->width, image->height, image->strides[0]);
    cairo_surface_t *target = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
    cairo_t *cr = cairo_create(target);
    cairo_scale(cr, (double)width / image->width, (double)height / image->height);
    cairo_set_source_surface(cr, source, 0, 0);
    cairo_pattern_set_filter(cairo_get_source(cr), CAIRO_FILTER_GOOD);
    cairo_pattern_set_extend(cairo_get_source(cr), CAIRO_EXTEND_PAD);
    cairo_paint(cr);
    cairo_destroy(cr);
    cairo_surface_destroy(source);
    cairo_surface_set_device_scale(target, scale, scale);
    return target;
}

static void paint_picture(VdEventRow *row, cairo_t *cr, double x, double y)
{
    cairo_rectangle(cr, x, y, PICTURE_WIDTH, PICTURE_HEIGHT);
    cairo_set_source_rgb(cr, PICTURE_BACKGROUND[0], PICTURE_BACKGROUND[1], PICTURE_BACKGROUND[2]);
    cairo_fill(cr);
    if (!row->picture)
        return;
    double scale = 1;
    cairo_surface_get_device_scale(row->picture, &scale, &scale);
    double width = cairo_image_surface_get_width(row->picture) / scale,
           height = cairo_image_surface_get_height(row->picture) / scale;
    cairo_set_source_surface(cr, row->picture, x + floor((PICTURE_WIDTH - width) / 2),
                             y + floor((PICTURE_HEIGHT - height) / 2));
    cairo_paint(cr);
}

/* --- The words */

static PangoLayout *make_layout(VdEventRow *row, const char *text, bool heading, bool small)
{
    PangoLayout *layout = gtk_widget_create_pango_layout(GTK_WIDGET(row), text);
    PangoAttrList *attributes = pango_attr_list_new();
    pango_attr_list_insert(attributes, pango_attr_font_features_new("tnum=1"));
    if (heading)
        pango_attr_list_insert(attributes, pango_attr_weight_new(PANGO_WEIGHT_BOLD));
    if (small)
        pango_attr_list_insert(attributes, pango_attr_scale_new(SMALL));
    pango_layout_set_attributes(layout, attributes);
    pango_layout_set_single_paragraph_mode(layout, TRUE);
    pango_attr_list_unref(attributes);
    return layout;
}

typedef struct line {
    const char *left, *right;
    bool left_is_heading, right_is_heading, right_is_dim;
} line;

static void show_layout(cairo_t *cr, const GdkRGBA *color, double alpha, double x, double y,
                        PangoLayout *layout)
{
    cairo_set_source_rgba(cr, color->red, color->green, color->blue, color->alpha * alpha);
    cairo_move_to(cr, x, y);
    pango_cairo_show_layout(cr, layout);
    g_object_unref(layout);
}

/* The right side has its full width, the left side what remains. */
static void paint_line(VdEventRow *row, cairo_t *cr, const GdkRGBA *color, const line *words,
                       const GdkRectangle *at)
{
    int taken = 0;
    if (*words->right) {
        PangoLayout *right = make_layout(row, words->right, words->right_is_heading, true);
        pango_layout_get_pixel_size(right, &taken, NULL);
        show_layout(cr, color, words->right_is_dim ? DIM : 1, at->x + at->width - taken, at->y, right);
        taken += GAP;
    }
    PangoLayout *left = make_layout(row, words->left, words->left_is_heading, !words->left_is_heading);
    pango_layout_set_width(left, MAX(0, at->width - taken) * PANGO_SCALE);
    pango_layout_set_ellipsize(left, PANGO_ELLIPSIZE_END);
    show_layout(cr, color, 1, at->x, at->y, left);
}

static int line_height(VdEventRow *row)
{
    if (row->line_height == 0) {
        PangoLayout *layout = make_layout(row, "Ag", true, false);
        pango_layout_get_pixel_size(layout, NULL, &row->line_height);
        g_object_unref(layout);
    }
    return row->line_height;
}

static void paint_words(VdEventRow *row, cairo_t *cr, const GdkRectangle *area)
{
    GtkStyleContext *style = gtk_widget_get_style_context(GTK_WIDGET(row));
    GdkRGBA color;
    const line lines[LINES] = {
        {.left = row->name, .right = row->time, .left_is_heading = true, .right_is_dim = true},
        {.left = row->confidence, .right = row->judgement, .right_is_heading = true},
        {.left = row->verdict, .right = ""},
    };
    int height = line_height(row), count = *row->verdict ? LINES : LINES - 1;
    GdkRectangle at = {area->x, area->y + (area->height - count * height) / 2, area->width, height};
    gtk_style_context_get_color(style, gtk_style_context_get_state(style), &color);
    for (int i = 0; i < count; i++, at.y += height)
        paint_line(row, cr, &color, &lines[i], &at);
}

/* --- The widget */

static GtkBorder frame_of(GtkWidget *widget)
{
    GtkStyleContext *style = gtk_widget_get_style_context(widget);
    GtkBorder padding, border;
    gtk_style_context_get_padding(style, gtk_style_context_get_state(style), &padding);
    gtk_style_context_get_border(style, gtk_style_context_get_state(style), &border);
    return (GtkBorder){.left = (gint16)(padding.left + border.left),
                       .right = (gint16)(padding.right + border.right),
                       .top = (gint16)(padding.top + border.top),
                       .bottom = (gint16)(padding.bottom + border.bottom)};
}

static gboolean draw(GtkWidget *widget, cairo_t *cr)
{
    VdEventRow *row = VD_EVENT_ROW(widget);
    GtkBorder frame = frame_of(widget);
    int width = gtk_widget_get_allocated_width(widget), height = gtk_widget_get_allocated_height(widget);
    GTK_WIDGET_CLASS(vd_event_row_parent_class)->draw(widget, cr);
    GdkRectangle words = {.x = frame.left + PICTURE_WIDTH + GAP, .y = frame.top};
    words.width = width - frame.right - words.x;
    words.height = height - frame.top - frame.bottom;
    /* Rejected is no reason to hide it; on the colour of the chosen row it could not be read. */
    bool dim = row->rejected && !gtk_list_box_row_is_selected(GTK_LIST_BOX_ROW(row));
    if (dim)
        cairo_push_group(cr);
    paint_picture(row, cr, frame.left, words.y + (words.height - PICTURE_HEIGHT) / 2);
    paint_words(row, cr, &words);
    if (dim) {
        cairo_pop_group_to_source(cr);
        cairo_paint_with_alpha(cr, DIM);
    }
    return GDK_EVENT_PROPAGATE;
}

static void get_preferred_width(GtkWidget *widget, int *least, int *natural)
{
    GtkBorder frame = frame_of(widget);
    *least = *natural = frame.left + PICTURE_WIDTH + GAP + LEAST_WORDS_WIDTH + frame.right;
}

static void get_preferred_height(GtkWidget *widget, int *least, int *natural)
{
    GtkBorder frame = frame_of(widget);
    *least = *natural =
        frame.top + MAX(PICTURE_HEIGHT, LINES * line_height(VD_EVENT_ROW(widget))) + frame.bottom;
}

static void get_preferred_height_for_width(GtkWidget *widget, int width, int *least, int *natural)
{
    (void)width;
    get_preferred_height(widget, least, natural);
}

static void style_updated(GtkWidget *widget)
{
    VD_EVENT_ROW(widget)->line_height = 0;
    GTK_WIDGET_CLASS(vd_event_row_parent_class)->style_updated(widget);
}

void vd_event_row_set(VdEventRow *row, const vd_event *event, unsigned terms)
{
    char text[256];
    GtkWidget *widget = GTK_WIDGET(row);
    if (row->id == event->id && row->revision == event->revision)
        return;
    row->id = event->id;
    row->revision = event->revision;
    row->rejected = event->verdict == VD_VERDICT_REJECTED && !event->shadow;
    row->judgement = vd_words_judgement(event->judgement);
    if (event->thumbnail && !row->picture)
        row->picture =
            scale_picture(vd_frame_get_image(event->thumbnail), gtk_widget_get_scale_factor(widget));
    g_strlcpy(row->name, event->class_name, sizeof row->name);
    vd_words_event_time(row->time, sizeof row->time, event, terms);
    g_snprintf(row->confidence, sizeof row->confidence, "Confidence %.2f", (double)event->confidence);
    vd_words_verdict(row->verdict, sizeof row->verdict, event, terms);
    vd_words_event(text, sizeof text, event, terms);
    atk_object_set_name(gtk_widget_get_accessible(widget), text);
    gtk_widget_set_tooltip_text(widget, text);
    gtk_widget_queue_draw(widget);
}

uint64_t vd_event_row_get_id(const VdEventRow *row)
{
    return row->id;
}

VdEventRow *vd_event_row_new(void)
{
    return g_object_new(VD_TYPE_EVENT_ROW, "visible", TRUE, NULL);
}

static void finalize(GObject *object)
{
    g_clear_pointer(&VD_EVENT_ROW(object)->picture, cairo_surface_destroy);
    G_OBJECT_CLASS(vd_event_row_parent_class)->finalize(object);
}

static void vd_event_row_class_init(VdEventRowClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);
    G_OBJECT_CLASS(class)->finalize = finalize;
    widget_class->draw = draw;
    widget_class->get_preferred_width = get_preferred_width;
    widget_class->get_preferred_height = get_preferred_height;
    widget_class->get_preferred_height_for_width = get_preferred_height_for_width;
    widget_class->style_updated = style_updated;
}

static void vd_event_row_init(VdEventRow *row)
{
    row->judgement = "";
    gtk_style_context_add_class(gtk_widget_get_style_context(GTK_WIDGET(row)), "event-row");
}
