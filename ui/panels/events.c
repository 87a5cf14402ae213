#include "ui/panels/events.h"

#include <string.h>

#include "ui/panels/event_row.h"
#include "ui/words_events.h"

struct _VdEvents {
    GtkBox parent;
    vd_store *store;
    GPtrArray *rows; /* VdEventRow *, as in the list; the list owns them */
    unsigned era;
    bool updating; /* we choose a row, nobody else does */
    GtkLabel *figures, *precision, *degraded, *empty_hint;
    GtkWidget *shadow, *degraded_box, *empty, *scrolled, *judge;
    GtkListBox *list;
};

G_DEFINE_TYPE(VdEvents, vd_events, GTK_TYPE_BOX)

static unsigned terms_of(const vd_store *store)
{
    return (vd_store_is_file(store) ? VD_EVENT_OF_FILE : 0) |
           (vd_store_get_stage2(store) ? VD_EVENT_STAGE2 : 0);
}

static GtkAdjustment *scroll_of(VdEvents *panel)
{
    return gtk_scrolled_window_get_vadjustment(GTK_SCROLLED_WINDOW(panel->scrolled));
}

static VdEventRow *row_at(VdEvents *panel, guint i)
{
    return g_ptr_array_index(panel->rows, i);
}

static void remove_last(VdEvents *panel)
{
    guint last = panel->rows->len - 1;
    gtk_widget_destroy(GTK_WIDGET(row_at(panel, last)));
    g_ptr_array_set_size(panel->rows, (gint)last);
}

static void insert_first(VdEvents *panel, const vd_event *event)
{
    VdEventRow *row = vd_event_row_new();
    vd_event_row_set(row, event, terms_of(panel->store));
    gtk_list_box_prepend(panel->list, GTK_WIDGET(row));
    g_ptr_array_insert(panel->rows, 0, row);
}

/* Who has scrolled away from the top goes on seeing the same rows. */
static void make_room_above(VdEvents *panel, guint count)
{
    GtkAdjustment *scroll = scroll_of(panel);
    double value = gtk_adjustment_get_value(scroll);
    if (value <= 0 || count == 0 || panel->rows->len == 0)
        return;
    double height = count * (double)gtk_widget_get_allocated_height(GTK_WIDGET(row_at(panel, 0)));
    gtk_adjustment_configure(scroll, value + height, gtk_adjustment_get_lower(scroll),
                             gtk_adjustment_get_upper(scroll) + height,
                             gtk_adjustment_get_step_increment(scroll),
                             gtk_adjustment_get_page_increment(scroll), gtk_adjustment_get_page_size(scroll));
}

/* Events come at the front and go at the end; those between change. */
static void show_rows(VdEvents *panel)
{
    guint count = (guint)vd_store_get_event_count(panel->store), fresh = 0;
    bool all_new = panel->era != vd_store_get_events_era(panel->store);
    panel->era = vd_store_get_events_era(panel->store);
    uint64_t oldest = count ? vd_store_get_event(panel->store, (int)count - 1)->id : UINT64_MAX;
    while (panel->rows->len && (all_new || vd_event_row_get_id(row_at(panel, panel->rows->len - 1)) < oldest))
        remove_last(panel);
    uint64_t newest = panel->rows->len ? vd_event_row_get_id(row_at(panel, 0)) : 0;
    while (fresh < count && vd_store_get_event(panel->store, (int)fresh)->id > newest)
        fresh++;
    make_room_above(panel, fresh);
    for (guint i = fresh; i > 0; i--)
        insert_first(panel, vd_store_get_event(panel->store, (int)i - 1));
    for (guint i = fresh; i < MIN(count, panel->rows->len); i++)
        vd_event_row_set(row_at(panel, i), vd_store_get_event(panel->store, (int)i), terms_of(panel->store));
}

static GtkListBoxRow *find_row(VdEvents *panel, uint64_t id)
{
    for (guint i = 0; id && i < panel->rows->len; i++)
        if (vd_event_row_get_id(row_at(panel, i)) == id)
            return GTK_LIST_BOX_ROW(row_at(panel, i));
    return NULL;
}

static void show_chosen(VdEvents *panel)
{
    GtkListBoxRow *row = find_row(panel, vd_store_get_chosen(panel->store));
    GtkAllocation place;
    if (row == gtk_list_box_get_selected_row(panel->list))
        return;
    if (!row) {
        gtk_list_box_unselect_all(panel->list);
        return;
    }
    gtk_list_box_select_row(panel->list, row);
    gtk_widget_get_allocation(GTK_WIDGET(row), &place);
    gtk_adjustment_clamp_page(scroll_of(panel), place.y, place.y + place.height);
    if (gtk_container_get_focus_child(GTK_CONTAINER(panel->list)))
        gtk_widget_grab_focus(GTK_WIDGET(row));
}

static void set_text(GtkLabel *label, const char *text)
{
    if (strcmp(gtk_label_get_text(label), text) != 0)
        gtk_label_set_text(label, text);
}

static void show_figures(VdEvents *panel)
{
    char text[256];
    const vd_event_figures *figures = vd_store_get_figures(panel->store);
    bool any = vd_store_get_event_count(panel->store) > 0;
    vd_words_events(text, sizeof text, figures);
    set_text(panel->figures, text);
    vd_words_precision(text, sizeof text, figures, vd_store_get_stage2(panel->store) != NULL);
    set_text(panel->precision, text);
    gtk_widget_set_visible(panel->empty, !any);
    gtk_widget_set_visible(panel->scrolled, any);
    gtk_widget_set_visible(panel->judge, any);
}

static void show_stage2(VdEvents *panel)
{
    char text[768] = "", full[768] = "";
    const vd_verify_stats *stats = vd_store_get_stage2(panel->store);
    if (stats) {
        vd_words_degraded(text, sizeof text, stats, true);
        vd_words_degraded(full, sizeof full, stats, false);
    }
    set_text(panel->degraded, text);
    gtk_widget_set_tooltip_text(GTK_WIDGET(panel->degraded), *full ? full : NULL);
    gtk_widget_set_visible(panel->degraded_box, *text != '\0');
    gtk_widget_set_visible(panel->shadow, stats && vd_store_is_shadow(panel->store));
    set_text(panel->empty_hint,
             stats ? "What is seen for a moment becomes an event, and the second model looks at a clip of it"
                   : "What is seen for a moment becomes an event. A second model can look at each: set "
                     "step2.model_path in the settings");
}

static void changed(void *context, unsigned changes)
{
    VdEvents *panel = context;
    if (changes & VD_CHANGED_EVENTS) {
        panel->updating = true;
        show_rows(panel);
        show_chosen(panel);
        panel->updating = false;
    }
    if (changes & (VD_CHANGED_EVENTS | VD_CHANGED_STAGE2))
        show_figures(panel);
    if (changes & VD_CHANGED_STAGE2)
        show_stage2(panel);
}

static void row_selected(VdEvents *panel, GtkListBoxRow *row)
{
    if (!panel->updating && panel->store)
        vd_store_choose_event(panel->store, row ? vd_event_row_get_id(VD_EVENT_ROW(row)) : 0);
}

static void row_activated(VdEvents *panel, GtkListBoxRow *row)
{
    vd_store_go_to_event(panel->store, vd_event_row_get_id(VD_EVENT_ROW(row)));
}

void vd_events_set_store(VdEvents *panel, vd_store *store)
{
    panel->store = store;
    vd_store_listen(store, changed, panel);
    changed(panel, ~0u);
}

static void destroy(GtkWidget *widget)
{
    VdEvents *panel = VD_EVENTS(widget);
    if (panel->store)
        vd_store_unlisten(panel->store, panel);
    panel->store = NULL;
    panel->updating = true;
    GTK_WIDGET_CLASS(vd_events_parent_class)->destroy(widget);
}

static void finalize(GObject *object)
{
    g_ptr_array_free(VD_EVENTS(object)->rows, TRUE);
    G_OBJECT_CLASS(vd_events_parent_class)->finalize(object);
}

static void vd_events_class_init(VdEventsClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);
    G_OBJECT_CLASS(class)->finalize = finalize;
    widget_class->destroy = destroy;
    gtk_widget_class_set_template_from_resource(widget_class, "/org/vedette/Vedette/ui/events.ui");
    gtk_widget_class_bind_template_child(widget_class, VdEvents, figures);
    gtk_widget_class_bind_template_child(widget_class, VdEvents, precision);
    gtk_widget_class_bind_template_child(widget_class, VdEvents, shadow);
    gtk_widget_class_bind_template_child(widget_class, VdEvents, degraded_box);
    gtk_widget_class_bind_template_child(widget_class, VdEvents, degraded);
    gtk_widget_class_bind_template_child(widget_class, VdEvents, empty);
    gtk_widget_class_bind_template_child(widget_class, VdEvents, empty_hint);
    gtk_widget_class_bind_template_child(widget_class, VdEvents, scrolled);
    gtk_widget_class_bind_template_child(widget_class, VdEvents, list);
    gtk_widget_class_bind_template_child(widget_class, VdEvents, judge);
    gtk_widget_class_bind_template_callback(widget_class, row_selected);
    gtk_widget_class_bind_template_callback(widget_class, row_activated);
}

static void vd_events_init(VdEvents *panel)
{
    gtk_widget_init_template(GTK_WIDGET(panel));
    panel->rows = g_ptr_array_new();
}
