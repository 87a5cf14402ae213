#include "ui/panels/transport.h"

#include <math.h>
#include <string.h>

#include "ui/words.h"

/* How often a playing clip moves the slider, and how long a seek may take before the slider shows what is. */
enum { MOVE_EVERY_US = 100000, SETTLE_US = 400000 };

struct _VdTransport {
    GtkBox parent;
    vd_store *store;
    GtkImage *play_icon;
    GtkRange *position;
    GtkLabel *time, *speed;
    bool dragging;
    bool updating; /* we move the slider, nobody else does */
    gint64 moved_us, sought_us;
};

G_DEFINE_TYPE(VdTransport, vd_transport, GTK_TYPE_BOX)

static void show_time(VdTransport *transport, double position_s, double duration_s)
{
    char now[16], end[16], text[48];
    vd_words_time(now, sizeof now, position_s);
    vd_words_time(end, sizeof end, duration_s);
    g_snprintf(text, sizeof text, duration_s > 0 ? "%s / %s" : "%s", now, end);
    if (strcmp(gtk_label_get_text(transport->time), text) != 0)
        gtk_label_set_text(transport->time, text);
}

static void show_position(VdTransport *transport, bool at_once)
{
    gint64 now_us = g_get_monotonic_time();
    const vd_camera_status *status = vd_store_get_status(transport->store);
    const vd_view *view = vd_store_get_view(transport->store);
    double position_s = view ? view->time_s : status->position_s;
    if (transport->dragging || now_us - transport->sought_us < SETTLE_US)
        return;
    if (!at_once && now_us - transport->moved_us < MOVE_EVERY_US)
        return;
    transport->moved_us = now_us;
    transport->updating = true;
    gtk_range_set_range(transport->position, 0, fmax(status->duration_s, 0.001));
    gtk_range_set_value(transport->position, position_s);
    transport->updating = false;
    show_time(transport, position_s, status->duration_s);
}

static void changed(void *context, unsigned changes)
{
    VdTransport *transport = context;
    const vd_camera_status *status = vd_store_get_status(transport->store);
    if (changes & VD_CHANGED_SOURCE) {
        gtk_image_set_from_icon_name(transport->play_icon,
                                     vd_store_is_playing(transport->store) ? "media-playback-pause-symbolic"
                                                                           : "media-playback-start-symbolic",
                                     GTK_ICON_SIZE_BUTTON);
        char speed[16];
        g_snprintf(speed, sizeof speed, "%g×", status->speed > 0 ? status->speed : 1);
        gtk_label_set_text(transport->speed, speed);
        gtk_widget_set_sensitive(GTK_WIDGET(transport->position),
                                 status->source.can_seek && status->duration_s > 0);
    }
    if (changes & (VD_CHANGED_PICTURE | VD_CHANGED_SOURCE | VD_CHANGED_RATES))
        show_position(transport, !vd_store_is_playing(transport->store) || (changes & VD_CHANGED_SOURCE));
}

static void seek(VdTransport *transport)
{
    if (transport->updating)
        return;
    const vd_camera_status *status = vd_store_get_status(transport->store);
    double time_s = gtk_range_get_value(transport->position);
    transport->sought_us = g_get_monotonic_time();
    vd_store_seek(transport->store, time_s);
    show_time(transport, time_s, status->duration_s);
}

static gboolean pressed(VdTransport *transport)
{
    transport->dragging = true;
    return GDK_EVENT_PROPAGATE;
}

static gboolean released(VdTransport *transport)
{
    transport->dragging = false;
    return GDK_EVENT_PROPAGATE;
}

void vd_transport_set_store(VdTransport *transport, vd_store *store)
{
    transport->store = store;
    vd_store_listen(store, changed, transport);
    changed(transport, ~0u);
}

static void destroy(GtkWidget *widget)
{
    VdTransport *transport = VD_TRANSPORT(widget);
    if (transport->store)
        vd_store_unlisten(transport->store, transport);
    transport->store = NULL;
    transport->updating = true;
    GTK_WIDGET_CLASS(vd_transport_parent_class)->destroy(widget);
}

static void vd_transport_class_init(VdTransportClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);
    widget_class->destroy = destroy;
    gtk_widget_class_set_template_from_resource(widget_class, "/org/vedette/Vedette/ui/transport.ui");
    gtk_widget_class_bind_template_child(widget_class, VdTransport, play_icon);
    gtk_widget_class_bind_template_child(widget_class, VdTransport, position);
    gtk_widget_class_bind_template_child(widget_class, VdTransport, time);
    gtk_widget_class_bind_template_child(widget_class, VdTransport, speed);
    gtk_widget_class_bind_template_callback(widget_class, seek);
    gtk_widget_class_bind_template_callback(widget_class, pressed);
    gtk_widget_class_bind_template_callback(widget_class, released);
}

static void vd_transport_init(VdTransport *transport)
{
    gtk_widget_init_template(GTK_WIDGET(transport));
}
