#include "ui/panels/event_row.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "ui/words_events.h"
#include "vedette/frame.h"

enum { PICTURE_WIDTH = 72, PICTURE_HEIGHT = 48 };

struct _VdEventRow {
    GtkListBoxRow parent;
    uint64_t id;
    uint32_t revision;
    bool has_picture;
    GtkImage *picture;
    GtkLabel *name, *time, *confidence, *judgement, *verdict;
};

G_DEFINE_TYPE(VdEventRow, vd_event_row, GTK_TYPE_LIST_BOX_ROW)

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

static void show_picture(VdEventRow *row, const vd_event *event)
{
    if (!event->thumbnail || row->has_picture)
        return;
    int scale = gtk_widget_get_scale_factor(GTK_WIDGET(row));
    cairo_surface_t *surface = scale_picture(vd_frame_get_image(event->thumbnail), scale);
    gtk_image_set_from_surface(row->picture, surface);
    cairo_surface_destroy(surface);
    row->has_picture = true;
}

static void set_text(GtkLabel *label, const char *text)
{
    if (strcmp(gtk_label_get_text(label), text) != 0)
        gtk_label_set_text(label, text);
}

void vd_event_row_set(VdEventRow *row, const vd_event *event, unsigned terms)
{
    char text[256];
    GtkStyleContext *style = gtk_widget_get_style_context(GTK_WIDGET(row));
    if (row->id == event->id && row->revision == event->revision)
        return;
    row->id = event->id;
    row->revision = event->revision;
    show_picture(row, event);
    set_text(row->name, event->class_name);
    vd_words_event_time(text, sizeof text, event, terms);
    set_text(row->time, text);
    g_snprintf(text, sizeof text, "Confidence %.2f", (double)event->confidence);
    set_text(row->confidence, text);
    set_text(row->judgement, vd_words_judgement(event->judgement));
    vd_words_verdict(text, sizeof text, event, terms);
    set_text(row->verdict, text);
    gtk_widget_set_tooltip_text(GTK_WIDGET(row->verdict), *text ? text : NULL);
    gtk_widget_set_visible(GTK_WIDGET(row->verdict), *text != '\0');
    if (event->verdict == VD_VERDICT_REJECTED && !event->shadow)
        gtk_style_context_add_class(style, "rejected");
    else
        gtk_style_context_remove_class(style, "rejected");
    vd_words_event(text, sizeof text, event, terms);
    atk_object_set_name(gtk_widget_get_accessible(GTK_WIDGET(row)), text);
}

uint64_t vd_event_row_get_id(const VdEventRow *row)
{
    return row->id;
}

VdEventRow *vd_event_row_new(void)
{
    return g_object_new(VD_TYPE_EVENT_ROW, NULL);
}

static void vd_event_row_class_init(VdEventRowClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);
    gtk_widget_class_set_template_from_resource(widget_class, "/org/vedette/Vedette/ui/event-row.ui");
    gtk_widget_class_bind_template_child(widget_class, VdEventRow, picture);
    gtk_widget_class_bind_template_child(widget_class, VdEventRow, name);
    gtk_widget_class_bind_template_child(widget_class, VdEventRow, time);
    gtk_widget_class_bind_template_child(widget_class, VdEventRow, confidence);
    gtk_widget_class_bind_template_child(widget_class, VdEventRow, judgement);
    gtk_widget_class_bind_template_child(widget_class, VdEventRow, verdict);
}

static void vd_event_row_init(VdEventRow *row)
{
    gtk_widget_init_template(GTK_WIDGET(row));
}
