#include "ui/panels/streaming.h"

#include <string.h>

#include "ui/words.h"
#include "ui/words_streaming.h"

struct _VdStreaming {
    GtkPopover parent;
    vd_store *store;
    bool updating; /* we move the switch, nobody else does */
    vd_serving_state shown;
    GtkSwitch *enable;
    GtkStack *pages;
    GtkLabel *waiting, *failure, *address, *token, *token_name, *clients, *results, *results_name, *quality,
        *camera;
    GtkWidget *camera_name, *everywhere;
};

G_DEFINE_TYPE(VdStreaming, vd_streaming, GTK_TYPE_POPOVER)

static void set_text(GtkLabel *label, const char *text)
{
    if (strcmp(gtk_label_get_text(label), text) != 0)
        gtk_label_set_text(label, text);
}

static void show_token(VdStreaming *streaming, const char *file)
{
    char *shown = g_filename_display_name(file);
    char *hint = g_strdup_printf("%s\nA token is a line of this file; only you may read it", shown);
    bool needed = *file != '\0';
    gtk_label_set_text(streaming->token_name, needed ? "Token in" : "Token");
    set_text(streaming->token, needed ? shown : "Not needed on this machine");
    gtk_widget_set_tooltip_text(GTK_WIDGET(streaming->token), needed ? hint : NULL);
    g_free(hint);
    g_free(shown);
}

static void show_figures(VdStreaming *streaming, const vd_serve_status *status)
{
    char text[160];
    bool source = vd_store_has_source(streaming->store);
    const char *listens = vd_store_get_settings(streaming->store)->streaming.address;
    set_text(streaming->address, status->url);
    gtk_widget_set_visible(streaming->everywhere, !strcmp(listens, "0.0.0.0") || !strcmp(listens, "::"));
    show_token(streaming, status->token_file);
    set_text(streaming->camera, vd_store_get_name(streaming->store));
    gtk_widget_set_tooltip_text(GTK_WIDGET(streaming->camera), vd_store_get_name(streaming->store));
    gtk_widget_set_visible(GTK_WIDGET(streaming->camera), source);
    gtk_widget_set_visible(streaming->camera_name, source);
    vd_words_clients(text, sizeof text, status);
    set_text(streaming->clients, text);
    vd_words_results(text, sizeof text, status);
    set_text(streaming->results, text);
    gtk_widget_set_visible(GTK_WIDGET(streaming->results), *text != '\0');
    gtk_widget_set_visible(GTK_WIDGET(streaming->results_name), *text != '\0');
    vd_words_quality(text, sizeof text, status);
    set_text(streaming->quality, text);
}

/* A failure that nobody saw here is told above the picture. */
static void show_failure(VdStreaming *streaming, const vd_error *error)
{
    char text[768];
    vd_words_error(text, sizeof text, error);
    set_text(streaming->failure, text);
    if (streaming->shown != VD_SERVING_FAILED && !gtk_widget_get_visible(GTK_WIDGET(streaming)))
        vd_store_show_error(streaming->store, error);
}

static void changed(void *context, unsigned changes)
{
    static const char *const pages[] = {[VD_SERVING_OFF] = "waiting",
                                        [VD_SERVING_STARTING] = "waiting",
                                        [VD_SERVING_ON] = "on",
                                        [VD_SERVING_STOPPING] = "waiting",
                                        [VD_SERVING_FAILED] = "failed"};
    VdStreaming *streaming = context;
    if (!(changes & (VD_CHANGED_STREAMING | VD_CHANGED_SOURCE)))
        return;
    const vd_serving_view *view = vd_store_get_streaming(streaming->store);
    streaming->updating = true;
    gtk_switch_set_active(streaming->enable, view->wanted);
    streaming->updating = false;
    set_text(streaming->waiting, view->state == VD_SERVING_STARTING ? "Loading the model…" : "Ending…");
    if (view->state == VD_SERVING_ON)
        show_figures(streaming, &view->status);
    else if (view->state == VD_SERVING_FAILED)
        show_failure(streaming, &view->status.error);
    streaming->shown = view->state;
    gtk_stack_set_visible_child_name(streaming->pages, pages[view->state]);
    gtk_widget_set_visible(GTK_WIDGET(streaming->pages), view->state != VD_SERVING_OFF);
}

static void switched(VdStreaming *streaming)
{
    if (!streaming->updating)
        vd_store_set_streaming(streaming->store, gtk_switch_get_active(streaming->enable));
}

static void copy_address(VdStreaming *streaming)
{
    gtk_clipboard_set_text(gtk_widget_get_clipboard(GTK_WIDGET(streaming), GDK_SELECTION_CLIPBOARD),
                           gtk_label_get_text(streaming->address), -1);
}

static void open_page(VdStreaming *streaming)
{
    GError *error = NULL;
    GtkWidget *window = gtk_widget_get_toplevel(GTK_WIDGET(streaming));
    const char *address = gtk_label_get_text(streaming->address);
    gtk_popover_popdown(GTK_POPOVER(streaming));
    if (!gtk_show_uri_on_window(GTK_WINDOW(window), address, GDK_CURRENT_TIME, &error)) {
        vd_error failure;
        vd_error_set(&failure, VD_EUNSUPPORTED, address, "No program here opens pages; a browser does at %s.",
                     address);
        vd_store_show_error(streaming->store, &failure);
    }
    g_clear_error(&error);
}

void vd_streaming_set_store(VdStreaming *streaming, vd_store *store)
{
    streaming->store = store;
    vd_store_listen(store, changed, streaming);
    changed(streaming, ~0u);
}

static void destroy(GtkWidget *widget)
{
    VdStreaming *streaming = VD_STREAMING(widget);
    if (streaming->store)
        vd_store_unlisten(streaming->store, streaming);
    streaming->store = NULL;
    GTK_WIDGET_CLASS(vd_streaming_parent_class)->destroy(widget);
}

static void vd_streaming_class_init(VdStreamingClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);
    widget_class->destroy = destroy;
    gtk_widget_class_set_template_from_resource(widget_class, "/org/vedette/Vedette/ui/streaming.ui");
    gtk_widget_class_bind_template_child(widget_class, VdStreaming, enable);
    gtk_widget_class_bind_template_child(widget_class, VdStreaming, pages);
    gtk_widget_class_bind_template_child(widget_class, VdStreaming, waiting);
    gtk_widget_class_bind_template_child(widget_class, VdStreaming, failure);
    gtk_widget_class_bind_template_child(widget_class, VdStreaming, address);
    gtk_widget_class_bind_template_child(widget_class, VdStreaming, everywhere);
    gtk_widget_class_bind_template_child(widget_class, VdStreaming, token);
    gtk_widget_class_bind_template_child(widget_class, VdStreaming, token_name);
    gtk_widget_class_bind_template_child(widget_class, VdStreaming, camera);
    gtk_widget_class_bind_template_child(widget_class, VdStreaming, camera_name);
    gtk_widget_class_bind_template_child(widget_class, VdStreaming, clients);
    gtk_widget_class_bind_template_child(widget_class, VdStreaming, results);
    gtk_widget_class_bind_template_child(widget_class, VdStreaming, results_name);
    gtk_widget_class_bind_template_child(widget_class, VdStreaming, quality);
    gtk_widget_class_bind_template_callback(widget_class, switched);
    gtk_widget_class_bind_template_callback(widget_class, copy_address);
    gtk_widget_class_bind_template_callback(widget_class, open_page);
}

static void vd_streaming_init(VdStreaming *streaming)
{
    gtk_widget_init_template(GTK_WIDGET(streaming));
}
