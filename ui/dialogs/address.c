#include "ui/dialogs/address.h"

#include <string.h>

#include "ui/dialogs/devices.h"

typedef struct asking {
    vd_store *store;
    GtkDialog *dialog;
    GtkEntry *entry;
} asking;

static void add_camera(GtkListBox *list, const char *name, const char *place, const char *address)
{
    GtkWidget *row = gtk_list_box_row_new(), *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12);
    GtkWidget *title = gtk_label_new(name), *where = gtk_label_new(place);
    gtk_label_set_ellipsize(GTK_LABEL(title), PANGO_ELLIPSIZE_END);
    gtk_label_set_xalign(GTK_LABEL(title), 0);
    gtk_style_context_add_class(gtk_widget_get_style_context(where), "dim-label");
    gtk_container_set_border_width(GTK_CONTAINER(box), 8);
    gtk_box_pack_start(GTK_BOX(box), title, TRUE, TRUE, 0);
    gtk_box_pack_end(GTK_BOX(box), where, FALSE, TRUE, 0);
    gtk_container_add(GTK_CONTAINER(row), box);
    g_object_set_data_full(G_OBJECT(row), "vd-address", g_strdup(address), g_free);
    gtk_container_add(GTK_CONTAINER(list), row);
}

static int add_cameras(GtkListBox *list, const vd_settings *settings)
{
    GPtrArray *devices = vd_devices_list();
    int count = settings->camera_count + (int)devices->len;
    for (int i = 0; i < settings->camera_count; i++)
        add_camera(list, settings->cameras[i].name, "settings", settings->cameras[i].name);
    for (guint i = 0; i < devices->len; i++) {
        const vd_device *device = g_ptr_array_index(devices, i);
        add_camera(list, device->name, device->path, device->path);
    }
    g_ptr_array_unref(devices);
    return count;
}

static void finish(asking *ask, const char *address)
{
    char *wanted = g_strstrip(g_strdup(address));
    vd_store *store = ask->store;
    gtk_widget_destroy(GTK_WIDGET(ask->dialog));
    if (*wanted)
        vd_store_open(store, wanted);
    g_free(wanted);
}

static void responded(asking *ask, int response)
{
    if (response == GTK_RESPONSE_ACCEPT)
        finish(ask, gtk_entry_get_text(ask->entry));
    else
        gtk_widget_destroy(GTK_WIDGET(ask->dialog));
}

static void row_activated(asking *ask, GtkListBoxRow *row)
{
    char *address = g_strdup(g_object_get_data(G_OBJECT(row), "vd-address"));
    finish(ask, address);
    g_free(address);
}

static void entry_changed(asking *ask)
{
    gtk_dialog_set_response_sensitive(ask->dialog, GTK_RESPONSE_ACCEPT,
                                      strspn(gtk_entry_get_text(ask->entry), " ") <
                                          strlen(gtk_entry_get_text(ask->entry)));
}

void vd_address_ask(GtkWindow *parent, vd_store *store)
{
    GtkBuilder *builder = gtk_builder_new_from_resource("/org/vedette/Vedette/ui/address.ui");
    GtkListBox *list = GTK_LIST_BOX(gtk_builder_get_object(builder, "cameras"));
    asking *ask = g_new0(asking, 1);
    ask->store = store;
    ask->dialog = GTK_DIALOG(gtk_builder_get_object(builder, "dialog"));
    ask->entry = GTK_ENTRY(gtk_builder_get_object(builder, "address"));
    bool any = add_cameras(list, vd_store_get_settings(store)) > 0;
    gtk_widget_set_visible(GTK_WIDGET(gtk_builder_get_object(builder, "none")), !any);
    gtk_widget_set_visible(GTK_WIDGET(gtk_builder_get_object(builder, "frame")), any);
    gtk_widget_show_all(GTK_WIDGET(list));
    g_object_unref(builder);

    g_signal_connect_swapped(ask->dialog, "response", G_CALLBACK(responded), ask);
    g_signal_connect_swapped(ask->entry, "changed", G_CALLBACK(entry_changed), ask);
    g_signal_connect_swapped(list, "row-activated", G_CALLBACK(row_activated), ask);
    g_object_set_data_full(G_OBJECT(ask->dialog), "vd-asking", ask, g_free);
    gtk_dialog_set_default_response(ask->dialog, GTK_RESPONSE_ACCEPT);
    gtk_dialog_set_response_sensitive(ask->dialog, GTK_RESPONSE_ACCEPT, FALSE);
    gtk_window_set_transient_for(GTK_WINDOW(ask->dialog), parent);
    gtk_window_present(GTK_WINDOW(ask->dialog));
}
