#include "ui/panels/empty.h"

#include "ui/dialogs/recent.h"
#include "ui/words.h"

enum { RECENT_MAX = 5 };

struct _VdEmpty {
    GtkBox parent;
    GtkWidget *recent, *recent_list;
};

G_DEFINE_TYPE(VdEmpty, vd_empty, GTK_TYPE_BOX)

static void add_recent(VdEmpty *empty, const char *address)
{
    char name[128];
    vd_words_name(name, sizeof name, address);
    GtkWidget *button = gtk_button_new(), *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12);
    GtkWidget *title = gtk_label_new(name), *place = gtk_label_new(address);
    gtk_label_set_ellipsize(GTK_LABEL(title), PANGO_ELLIPSIZE_END);
    gtk_label_set_ellipsize(GTK_LABEL(place), PANGO_ELLIPSIZE_START);
    gtk_label_set_xalign(GTK_LABEL(title), 0);
    gtk_label_set_xalign(GTK_LABEL(place), 1);
    gtk_widget_set_hexpand(place, TRUE);
    gtk_label_set_width_chars(GTK_LABEL(title), MIN((int)g_utf8_strlen(name, -1), 28));
    gtk_style_context_add_class(gtk_widget_get_style_context(place), "dim-label");
    gtk_box_pack_start(GTK_BOX(box), title, FALSE, TRUE, 0);
    gtk_box_pack_start(GTK_BOX(box), place, TRUE, TRUE, 0);
    gtk_container_add(GTK_CONTAINER(button), box);
    gtk_button_set_relief(GTK_BUTTON(button), GTK_RELIEF_NONE);
    gtk_actionable_set_action_target(GTK_ACTIONABLE(button), "s", address);
    gtk_actionable_set_action_name(GTK_ACTIONABLE(button), "win.open");
    atk_object_set_name(gtk_widget_get_accessible(button), name);
    gtk_widget_show_all(button);
    gtk_container_add(GTK_CONTAINER(empty->recent_list), button);
}

static void map(GtkWidget *widget)
{
    VdEmpty *empty = VD_EMPTY(widget);
    GPtrArray *recent = vd_recent_list(RECENT_MAX);
    gtk_container_foreach(GTK_CONTAINER(empty->recent_list), (GtkCallback)(void (*)(void))gtk_widget_destroy,
                          NULL);
    for (guint i = 0; i < recent->len; i++)
        add_recent(empty, g_ptr_array_index(recent, i));
    gtk_widget_set_visible(empty->recent, recent->len > 0);
    g_ptr_array_unref(recent);
    GTK_WIDGET_CLASS(vd_empty_parent_class)->map(widget);
}

static void vd_empty_class_init(VdEmptyClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);
    widget_class->map = map;
    gtk_widget_class_set_template_from_resource(widget_class, "/org/vedette/Vedette/ui/empty.ui");
    gtk_widget_class_bind_template_child(widget_class, VdEmpty, recent);
    gtk_widget_class_bind_template_child(widget_class, VdEmpty, recent_list);
}

static void vd_empty_init(VdEmpty *empty)
{
    gtk_widget_init_template(GTK_WIDGET(empty));
}
