#include "ui/panels/chips.h"

#include <string.h>

enum { CHIPS_MAX = 16, LIST_MAX = 1024, NAME_CHARS = 18, LIST_HEIGHT = 280 };

struct _VdChips {
    GtkFlowBox parent;
    vd_store *store;
    GPtrArray *names; /* char *: of the chips shown, in order */
    bool updating;    /* we set the toggles, nobody pressed them */
    GtkWidget *popover, *search, *list;
};

G_DEFINE_TYPE(VdChips, vd_chips, GTK_TYPE_FLOW_BOX)

static GQuark class_quark(void)
{
    return g_quark_from_static_string("vd-class");
}

static void toggled(GtkToggleButton *button, VdChips *chips)
{
    const char *name = g_object_get_qdata(G_OBJECT(button), class_quark());
    if (chips->updating)
        return;
    if (name)
        vd_store_set_class(chips->store, name, gtk_toggle_button_get_active(button));
    else
        vd_store_clear_classes(chips->store);
}

static void add_to_box(VdChips *chips, GtkWidget *button)
{
    GtkWidget *child = gtk_flow_box_child_new();
    gtk_widget_set_can_focus(child, FALSE);
    gtk_widget_set_focus_on_click(button, FALSE);
    gtk_container_add(GTK_CONTAINER(child), button);
    gtk_widget_show_all(child);
    gtk_container_add(GTK_CONTAINER(chips), child);
}

static void add_chip(VdChips *chips, const char *label, const char *name)
{
    GtkWidget *button = gtk_toggle_button_new(), *text = gtk_label_new(label);
    gtk_label_set_ellipsize(GTK_LABEL(text), PANGO_ELLIPSIZE_END);
    gtk_label_set_max_width_chars(GTK_LABEL(text), NAME_CHARS);
    gtk_container_add(GTK_CONTAINER(button), text);
    atk_object_set_name(gtk_widget_get_accessible(button), label);
    if (name)
        g_object_set_qdata_full(G_OBJECT(button), class_quark(), g_strdup(name), g_free);
    g_signal_connect(button, "toggled", G_CALLBACK(toggled), chips);
    add_to_box(chips, button);
}

static GtkWidget *chip_at(VdChips *chips, int i)
{
    GtkFlowBoxChild *child = gtk_flow_box_get_child_at_index(GTK_FLOW_BOX(chips), i);
    return child ? gtk_bin_get_child(GTK_BIN(child)) : NULL;
}

static void set_toggles(VdChips *chips)
{
    const vd_tuning *tuning = vd_store_get_tuning(chips->store);
    chips->updating = true;
    for (int i = 0;; i++) {
        GtkWidget *button = chip_at(chips, i);
        if (!button)
            break;
        const char *name = g_object_get_qdata(G_OBJECT(button), class_quark());
        if (!GTK_IS_MENU_BUTTON(button))
            gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(button),
                                         name ? vd_tuning_has_class(tuning, name)
                                              : vd_store_wants_all_classes(chips->store));
    }
    chips->updating = false;
}

static void add_name(GPtrArray *names, const char *name)
{
    for (guint i = 0; i < names->len; i++)
        if (!strcmp(g_ptr_array_index(names, i), name))
            return;
    if (names->len < CHIPS_MAX)
        g_ptr_array_add(names, g_strdup(name));
}

static GPtrArray *collect_names(const VdChips *chips)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    const vd_tuning *tuning = vd_store_get_tuning(chips->store);
    const vd_labels *labels = vd_store_get_labels(chips->store);
    for (int i = 0; i < tuning->class_count; i++)
        if (!labels || vd_labels_find(labels, tuning->classes[i]) >= 0)
            add_name(names, tuning->classes[i]);
    /* Chips keep their place: the ones on show first, as long as they are still seen or wanted. */
    GPtrArray *ordered = g_ptr_array_new_with_free_func(g_free);
    for (int i = 0; i < vd_store_get_seen_count(chips->store); i++)
        add_name(names, vd_store_get_seen(chips->store, i));
    for (guint i = 0; i < chips->names->len; i++)
        for (guint k = 0; k < names->len; k++)
            if (!strcmp(g_ptr_array_index(chips->names, i), g_ptr_array_index(names, k)))
                add_name(ordered, g_ptr_array_index(names, k));
    for (guint k = 0; k < names->len; k++)
        add_name(ordered, g_ptr_array_index(names, k));
    g_ptr_array_unref(names);
    return ordered;
}

static bool same_names(const GPtrArray *a, const GPtrArray *b)
{
    if (a->len != b->len)
        return false;
    for (guint i = 0; i < a->len; i++)
        if (strcmp(g_ptr_array_index(a, i), g_ptr_array_index(b, i)) != 0)
            return false;
    return true;
}

static gboolean matches(GtkListBoxRow *row, gpointer data)
{
    VdChips *chips = data;
    const char *name = g_object_get_qdata(G_OBJECT(gtk_bin_get_child(GTK_BIN(row))), class_quark());
    char *wanted = g_utf8_casefold(gtk_entry_get_text(GTK_ENTRY(chips->search)), -1);
    char *folded = g_utf8_casefold(name, -1);
    gboolean match = strstr(folded, wanted) != NULL;
    g_free(wanted);
    g_free(folded);
    return match;
}

static void fill_list(VdChips *chips)
{
    const vd_labels *labels = vd_store_get_labels(chips->store);
    const vd_tuning *tuning = vd_store_get_tuning(chips->store);
    int count = labels ? MIN(vd_labels_count(labels), LIST_MAX) : 0;
    gtk_container_foreach(GTK_CONTAINER(chips->list), (GtkCallback)(void (*)(void))gtk_widget_destroy, NULL);
    gtk_entry_set_text(GTK_ENTRY(chips->search), "");
    for (int i = 0; i < count; i++) {
        const char *name = vd_labels_name(labels, i);
        GtkWidget *check = gtk_check_button_new_with_label(name);
        gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(check), vd_tuning_has_class(tuning, name));
        g_object_set_qdata_full(G_OBJECT(check), class_quark(), g_strdup(name), g_free);
        g_signal_connect(check, "toggled", G_CALLBACK(toggled), chips);
        gtk_container_add(GTK_CONTAINER(chips->list), check);
    }
    gtk_widget_show_all(chips->list);
}

static void first_match(VdChips *chips)
{
    for (int i = 0;; i++) {
        GtkListBoxRow *row = gtk_list_box_get_row_at_index(GTK_LIST_BOX(chips->list), i);
        if (!row)
            return;
        if (gtk_widget_get_child_visible(GTK_WIDGET(row))) {
            GtkToggleButton *check = GTK_TOGGLE_BUTTON(gtk_bin_get_child(GTK_BIN(row)));
            gtk_toggle_button_set_active(check, !gtk_toggle_button_get_active(check));
            return;
        }
    }
}

static GtkWidget *make_popover(VdChips *chips)
{
    GtkWidget *popover = gtk_popover_new(NULL), *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);
    GtkWidget *scrolled = gtk_scrolled_window_new(NULL, NULL);
    chips->search = gtk_search_entry_new();
    chips->list = gtk_list_box_new();
    atk_object_set_name(gtk_widget_get_accessible(chips->search), "Search classes");
    gtk_list_box_set_selection_mode(GTK_LIST_BOX(chips->list), GTK_SELECTION_NONE);
    gtk_list_box_set_filter_func(GTK_LIST_BOX(chips->list), matches, chips, NULL);
    g_signal_connect_swapped(chips->search, "search-changed", G_CALLBACK(gtk_list_box_invalidate_filter),
                             chips->list);
    g_signal_connect_swapped(chips->search, "activate", G_CALLBACK(first_match), chips);
    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scrolled), GTK_POLICY_NEVER, GTK_POLICY_AUTOMATIC);
    gtk_scrolled_window_set_propagate_natural_height(GTK_SCROLLED_WINDOW(scrolled), TRUE);
    gtk_scrolled_window_set_max_content_height(GTK_SCROLLED_WINDOW(scrolled), LIST_HEIGHT);
    gtk_container_add(GTK_CONTAINER(scrolled), chips->list);
    gtk_container_set_border_width(GTK_CONTAINER(box), 6);
    gtk_container_add(GTK_CONTAINER(box), chips->search);
    gtk_container_add(GTK_CONTAINER(box), scrolled);
    gtk_widget_show_all(box);
    gtk_container_add(GTK_CONTAINER(popover), box);
    g_signal_connect_swapped(popover, "show", G_CALLBACK(fill_list), chips);
    return popover;
}

static void add_more(VdChips *chips)
{
    GtkWidget *button = gtk_menu_button_new(), *text = gtk_label_new("Other…");
    gtk_container_add(GTK_CONTAINER(button), text);
    chips->popover = make_popover(chips);
    gtk_menu_button_set_popover(GTK_MENU_BUTTON(button), chips->popover);
    atk_object_set_name(gtk_widget_get_accessible(button), "Other classes");
    add_to_box(chips, button);
}

static void rebuild(VdChips *chips)
{
    const vd_labels *labels = vd_store_get_labels(chips->store);
    GPtrArray *names = collect_names(chips);
    bool more = labels && vd_labels_count(labels) > (int)names->len;
    /* The popover hangs on its button: rebuild when it is closed. */
    bool busy = chips->popover && gtk_widget_get_visible(chips->popover);
    if (busy || (same_names(names, chips->names) && more == (chips->popover != NULL) && chip_at(chips, 0))) {
        g_ptr_array_unref(names);
        return;
    }
    g_ptr_array_unref(chips->names);
    chips->names = names;
    chips->popover = NULL;
    gtk_container_foreach(GTK_CONTAINER(chips), (GtkCallback)(void (*)(void))gtk_widget_destroy, NULL);
    add_chip(chips, "All", NULL);
    for (guint i = 0; i < names->len; i++)
        add_chip(chips, g_ptr_array_index(names, i), g_ptr_array_index(names, i));
    if (more)
        add_more(chips);
}

static void changed(void *context, unsigned changes)
{
    VdChips *chips = context;
    if (!(changes & (VD_CHANGED_CLASSES | VD_CHANGED_TUNING | VD_CHANGED_RATES)))
        return;
    rebuild(chips);
    set_toggles(chips);
}

void vd_chips_set_store(VdChips *chips, vd_store *store)
{
    chips->store = store;
    vd_store_listen(store, changed, chips);
    changed(chips, ~0u);
}

static void destroy(GtkWidget *widget)
{
    VdChips *chips = VD_CHIPS(widget);
    if (chips->store)
        vd_store_unlisten(chips->store, chips);
    chips->store = NULL;
    GTK_WIDGET_CLASS(vd_chips_parent_class)->destroy(widget);
}

static void finalize(GObject *object)
{
    g_ptr_array_unref(VD_CHIPS(object)->names);
    G_OBJECT_CLASS(vd_chips_parent_class)->finalize(object);
}

static void vd_chips_class_init(VdChipsClass *class)
{
    GTK_WIDGET_CLASS(class)->destroy = destroy;
    G_OBJECT_CLASS(class)->finalize = finalize;
}

static void vd_chips_init(VdChips *chips)
{
    GtkFlowBox *box = GTK_FLOW_BOX(chips);
    chips->names = g_ptr_array_new_with_free_func(g_free);
    gtk_flow_box_set_selection_mode(box, GTK_SELECTION_NONE);
    gtk_flow_box_set_row_spacing(box, 2);
    gtk_flow_box_set_column_spacing(box, 2);
    gtk_flow_box_set_min_children_per_line(box, 2);
    gtk_flow_box_set_max_children_per_line(box, 4);
    atk_object_set_name(gtk_widget_get_accessible(GTK_WIDGET(chips)), "Classes");
}
