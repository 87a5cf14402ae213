#include "ui/panels/status_line.h"

#include <string.h>

#include "ui/words.h"
#include "ui/words_events.h"

struct _VdStatusLine {
    GtkBox parent;
    vd_store *store;
    GtkLabel *rates, *stage2, *remark;
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
    const vd_verify_stats *stage2 = vd_store_get_stage2(line->store);
    if (stage2)
        vd_words_stage2(text, sizeof text, stage2, status);
    set_text(line->stage2, stage2 ? text : "");
    gtk_widget_set_visible(GTK_WIDGET(line->stage2), stage2 != NULL);
    vd_words_remark(text, sizeof text, status);
    set_text(line->remark, text);
}

static gboolean query_tooltip(VdStatusLine *line, int x, int y, gboolean keyboard, GtkTooltip *tooltip)
{
    char text[640], verified[768];
    const vd_verify_stats *stage2 = vd_store_get_stage2(line->store);
    (void)x, (void)y, (void)keyboard;
    vd_words_drops(text, sizeof text, vd_store_get_status(line->store));
    if (stage2)
        vd_words_stage2_full(verified, sizeof verified, stage2, vd_store_get_status(line->store));
    char *both = g_strconcat(text, stage2 ? "\n\n" : NULL, verified, NULL);
    gtk_tooltip_set_text(tooltip, both);
    g_free(both);
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
    gtk_widget_class_bind_template_child(widget_class, VdStatusLine, stage2);
    gtk_widget_class_bind_template_child(widget_class, VdStatusLine, remark);
    gtk_widget_class_bind_template_callback(widget_class, query_tooltip);
}

static void vd_status_line_init(VdStatusLine *line)
{
    gtk_widget_init_template(GTK_WIDGET(line));
}
