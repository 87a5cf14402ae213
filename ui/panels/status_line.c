#include "ui/panels/status_line.h"

#include <string.h>

#include "ui/words.h"

struct _VdStatusLine {
    GtkBox parent;
    vd_store *store;
    GtkLabel *rates, *remark;
};

G_DEFINE_TYPE(VdStatusLine, vd_status_line, GTK_TYPE_BOX)

static void set_text(GtkLabel *label, const char *text)
{
    if (strcmp(gtk_label_get_text(label), text) != 0)
        gtk_label_set_text(label, text);
}

static void changed(void *context, unsigned changes)
{
    VdStatusLine *line = context;
    char text[512];
    if (!(changes & VD_CHANGED_RATES))
        return;
    const vd_camera_status *status = vd_store_get_status(line->store);
    vd_words_rates(text, sizeof text, status);
    set_text(line->rates, text);
    vd_words_remark(text, sizeof text, status);
    set_text(line->remark, text);
}

static gboolean query_tooltip(VdStatusLine *line, int x, int y, gboolean keyboard, GtkTooltip *tooltip)
{
    char text[640];
    (void)x, (void)y, (void)keyboard;
    vd_words_drops(text, sizeof text, vd_store_get_status(line->store));
    gtk_tooltip_set_text(tooltip, text);
    return TRUE;
}

void vd_status_line_set_store(VdStatusLine *line, vd_store *store)
{
    line->store = store;
    vd_store_listen(store, changed, line);
    changed(line, ~0u);
}

static void destroy(GtkWidget *widget)
{
    VdStatusLine *line = VD_STATUS_LINE(widget);
    if (line->store)
        vd_store_unlisten(line->store, line);
    line->store = NULL;
    GTK_WIDGET_CLASS(vd_status_line_parent_class)->destroy(widget);
}

static void vd_status_line_class_init(VdStatusLineClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);
    widget_class->destroy = destroy;
    gtk_widget_class_set_template_from_resource(widget_class, "/org/vedette/Vedette/ui/status-line.ui");
    gtk_widget_class_bind_template_child(widget_class, VdStatusLine, rates);
    gtk_widget_class_bind_template_child(widget_class, VdStatusLine, remark);
    gtk_widget_class_bind_template_callback(widget_class, query_tooltip);
}

static void vd_status_line_init(VdStatusLine *line)
{
    gtk_widget_init_template(GTK_WIDGET(line));
}
