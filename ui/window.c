#include "ui/window.h"

#include <string.h>
#include <vd_resources.h>

#include "ui/actions.h"
#include "ui/dialogs/devices.h"
#include "ui/dialogs/recent.h"
#include "ui/drop.h"
#include "ui/keys.h"
#include "ui/panels/empty.h"
#include "ui/panels/events.h"
#include "ui/panels/notice_bar.h"
#include "ui/panels/status_line.h"
#include "ui/panels/streaming.h"
#include "ui/panels/transport.h"
#include "ui/panels/tune.h"
#include "ui/tiles/tile.h"
#include "ui/words.h"

enum {
    WIDTH = 1280,
    HEIGHT = 800,
    MARGIN = 40,
    PANEL_NARROW = 300,
    PANEL_WIDE = 391,
    NARROW = 1,
    WIDE = 1000
};

struct _VdWindow {
    GtkApplicationWindow parent;
    vd_store *store;
    bool kiosk, is_fullscreen, panel_before, remembered;
    int sized_for; /* the width that the panel was last measured for: NARROW or WIDE, 0 before */
    guint resize;

    GtkHeaderBar *header;
    GtkWidget *play, *record, *snapshot, *panel_toggle, *menu, *streaming_button;
    GtkWidget *streaming; /* the popover; a reference */
    GtkImage *play_icon;
    GtkLabel *record_time;
    GtkStack *stack, *pages;
    GtkPaned *paned;
    GtkWidget *panel, *switcher;
    VdTile *tile;
    VdTune *tune;
    VdEvents *events;
    VdNoticeBar *notice_bar;
    VdTransport *transport;
    VdStatusLine *status_line;
    GMenu *open_menu, *cameras;
};

G_DEFINE_TYPE(VdWindow, vd_window, GTK_TYPE_APPLICATION_WINDOW)

static void add_camera(GMenu *menu, const char *label, const char *address)
{
    GMenuItem *item = g_menu_item_new(label, NULL);
    g_menu_item_set_action_and_target(item, "win.open", "s", address);
    g_menu_append_item(menu, item);
    g_object_unref(item);
}

/* Filled when the menu is opened: cameras come and go. */
static void list_cameras(VdWindow *window)
{
    const vd_settings *settings = vd_store_get_settings(window->store);
    GPtrArray *devices = vd_devices_list();
    g_menu_remove_all(window->cameras);
    for (int i = 0; i < settings->camera_count; i++)
        add_camera(window->cameras, settings->cameras[i].name, settings->cameras[i].name);
    for (guint i = 0; i < devices->len; i++) {
        const vd_device *device = g_ptr_array_index(devices, i);
        add_camera(window->cameras, device->name, device->path);
    }
    if (g_menu_model_get_n_items(G_MENU_MODEL(window->cameras)) == 0)
        g_menu_append(window->cameras, "No camera is plugged in", "win.no-camera");
    g_ptr_array_unref(devices);
}

static void show_title(VdWindow *window)
{
    char subtitle[256];
    const vd_camera_status *status = vd_store_get_status(window->store);
    bool source = vd_store_has_source(window->store);
    const char *name = source ? vd_store_get_name(window->store) : "Vedette";
    vd_words_subtitle(subtitle, sizeof subtitle, status);
    char *title = source ? g_strdup_printf("%s — Vedette", name) : g_strdup("Vedette");
    gtk_window_set_title(GTK_WINDOW(window), title); /* sets the header bar's as well */
    gtk_header_bar_set_title(window->header, name);
    gtk_header_bar_set_subtitle(window->header, *subtitle ? subtitle : NULL);
    g_free(title);
}

static void show_recording(VdWindow *window)
{
    char time[16];
    const vd_camera_status *status = vd_store_get_status(window->store);
    GtkStyleContext *style = gtk_widget_get_style_context(window->record);
    vd_words_time(time, sizeof time, status->recorder.seconds);
    gtk_label_set_text(window->record_time, time);
    gtk_widget_set_visible(GTK_WIDGET(window->record_time), status->recording);
    if (status->recording)
        gtk_style_context_add_class(style, "recording");
    else
        gtk_style_context_remove_class(style, "recording");
    gtk_widget_set_tooltip_text(window->record,
                                status->recording ? "Stop recording (R)" : "Record what is seen (R)");
}

static void show_parts(VdWindow *window)
{
    const vd_camera_status *status = vd_store_get_status(window->store);
    bool source = vd_store_has_source(window->store), bare = window->is_fullscreen || window->kiosk;
    bool file = source && !status->source.is_live && !status->source.is_image &&
                (status->source.width > 0 || status->shown > 0);
    gtk_stack_set_visible_child_name(window->stack, source ? "watch" : "empty");
    gtk_widget_set_visible(window->play, file);
    gtk_widget_set_visible(window->record, source);
    gtk_widget_set_visible(window->snapshot, source);
    gtk_widget_set_visible(window->panel_toggle, source);
    gtk_widget_set_visible(GTK_WIDGET(window->transport), file && !bare);
    gtk_widget_set_visible(GTK_WIDGET(window->status_line), source && !bare && !status->source.is_image);
    gtk_image_set_from_icon_name(window->play_icon,
                                 vd_store_is_playing(window->store) ? "media-playback-pause-symbolic"
                                                                    : "media-playback-start-symbolic",
                                 GTK_ICON_SIZE_BUTTON);
}

/* The button shows that it is on; it stays while its popover is open. */
static void show_streaming(VdWindow *window)
{
    const vd_serving_view *view = vd_store_get_streaming(window->store);
    bool on = view->state != VD_SERVING_OFF && view->state != VD_SERVING_FAILED;
    bool needed = gtk_widget_get_visible(window->streaming) &&
                  gtk_popover_get_relative_to(GTK_POPOVER(window->streaming)) == window->streaming_button;
    gtk_widget_set_visible(window->streaming_button, on || needed);
    /* It would lie on the popover. */
    gtk_widget_set_has_tooltip(window->streaming_button, !gtk_widget_get_visible(window->streaming));
}

void vd_window_show_streaming(VdWindow *window)
{
    GtkPopover *popover = GTK_POPOVER(window->streaming);
    gtk_popover_set_relative_to(
        popover, gtk_widget_get_visible(window->streaming_button) ? window->streaming_button : window->menu);
    gtk_popover_popup(popover);
    show_streaming(window);
}

static void remember(VdWindow *window)
{
    const vd_camera_status *status = vd_store_get_status(window->store);
    if (status->state == VD_CAMERA_CONNECTING || status->state == VD_CAMERA_FAILED || window->remembered)
        return;
    if (vd_store_has_source(window->store) && vd_store_get_view(window->store)) {
        window->remembered = true;
        vd_recent_add(vd_store_get_address(window->store));
    }
}

static void changed(void *context, unsigned changes)
{
    VdWindow *window = context;
    if (changes & (VD_CHANGED_SOURCE | VD_CHANGED_MODEL))
        show_title(window);
    if (changes & VD_CHANGED_SOURCE) {
        if (!vd_store_get_view(window->store))
            window->remembered = false;
        show_parts(window);
    }
    if (changes & (VD_CHANGED_SOURCE | VD_CHANGED_RECORDING))
        show_recording(window);
    if (changes & VD_CHANGED_STREAMING)
        show_streaming(window);
    if (changes &
        (VD_CHANGED_SOURCE | VD_CHANGED_RECORDING | VD_CHANGED_TUNING | VD_CHANGED_RATES | VD_CHANGED_EVENTS))
        vd_actions_update(window);
    else if (changes & VD_CHANGED_PICTURE && !window->remembered)
        vd_actions_update(window);
    if (changes & VD_CHANGED_PICTURE)
        remember(window);
}

static gboolean key_press(GtkWidget *widget, GdkEventKey *event)
{
    GtkWidget *focus = gtk_window_get_focus(GTK_WINDOW(widget));
    /* GTK asks its accelerators first, an entry would never see Ctrl+A otherwise. */
    if (GTK_IS_EDITABLE(focus) && gtk_window_propagate_key_event(GTK_WINDOW(widget), event))
        return GDK_EVENT_STOP;
    if (vd_keys_handle(GTK_WINDOW(widget), event))
        return GDK_EVENT_STOP;
    return GTK_WIDGET_CLASS(vd_window_parent_class)->key_press_event(widget, event);
}

static void set_panel_state(VdWindow *window, bool shown)
{
    g_action_group_change_action_state(G_ACTION_GROUP(window), "panel", g_variant_new_boolean(shown));
}

static gboolean window_state(GtkWidget *widget, GdkEventWindowState *event)
{
    VdWindow *window = VD_WINDOW(widget);
    bool is_fullscreen = event->new_window_state & GDK_WINDOW_STATE_FULLSCREEN;
    if (is_fullscreen != window->is_fullscreen) {
        GAction *action = g_action_map_lookup_action(G_ACTION_MAP(window), "fullscreen");
        window->is_fullscreen = is_fullscreen;
        g_simple_action_set_state(G_SIMPLE_ACTION(action), g_variant_new_boolean(is_fullscreen));
        if (is_fullscreen)
            window->panel_before = gtk_widget_get_visible(window->panel);
        set_panel_state(window, !is_fullscreen && window->panel_before);
        show_parts(window);
    }
    return GTK_WIDGET_CLASS(vd_window_parent_class)->window_state_event(widget, event);
}

static void drag_data_received(GtkWidget *widget, GdkDragContext *context, gint x, gint y,
                               GtkSelectionData *data, guint info, guint time)
{
    (void)x, (void)y, (void)info;
    gtk_drag_finish(context, vd_drop_open(VD_WINDOW(widget)->store, data), FALSE, time);
}

static gboolean size_panel(gpointer data)
{
    VdWindow *window = data;
    int width = gtk_widget_get_allocated_width(GTK_WIDGET(window->paned));
    gtk_paned_set_position(window->paned, width - (window->sized_for == NARROW ? PANEL_NARROW : PANEL_WIDE));
    window->resize = 0;
    return G_SOURCE_REMOVE;
}

/* The panel is narrower in a narrow window; between the two widths it stays as the operator drew it. */
static void paned_allocated(VdWindow *window, const GtkAllocation *allocation)
{
    int wanted = allocation->width < WIDE ? NARROW : WIDE;
    if (wanted == window->sized_for)
        return;
    window->sized_for = wanted;
    if (!window->resize)
        window->resize = g_idle_add_full(GTK_PRIORITY_RESIZE - 1, size_panel, window, NULL);
}

vd_store *vd_window_get_store(VdWindow *window)
{
    return window->store;
}

bool vd_window_is_kiosk(const VdWindow *window)
{
    return window->kiosk;
}

void vd_window_set_panel(VdWindow *window, bool shown)
{
    gtk_widget_set_visible(window->panel, shown && !window->kiosk);
    if (!shown)
        gtk_widget_grab_focus(GTK_WIDGET(window->tile));
}

void vd_window_show_page(VdWindow *window, const char *name)
{
    if (!window->is_fullscreen && !window->kiosk && !gtk_widget_get_visible(window->panel))
        set_panel_state(window, true);
    gtk_stack_set_visible_child_name(window->pages, name);
}

bool vd_window_is_page_shown(const VdWindow *window, const char *name)
{
    return gtk_widget_get_visible(window->panel) &&
           !g_strcmp0(gtk_stack_get_visible_child_name(window->pages), name);
}

static void destroy(GtkWidget *widget)
{
    VdWindow *window = VD_WINDOW(widget);
    g_clear_handle_id(&window->resize, g_source_remove);
    if (window->streaming) {
        g_signal_handlers_disconnect_by_data(window->streaming, window);
        gtk_widget_destroy(window->streaming);
        g_clear_object(&window->streaming);
    }
    if (window->store) {
        vd_store_unlisten(window->store, window);
        vd_store_close(window->store);
    }
    GTK_WIDGET_CLASS(vd_window_parent_class)->destroy(widget);
}

static void finalize(GObject *object)
{
    VdWindow *window = VD_WINDOW(object);
    vd_store_free(&window->store);
    g_clear_object(&window->cameras);
    G_OBJECT_CLASS(vd_window_parent_class)->finalize(object);
}

static void bind_children(GtkWidgetClass *class)
{
    gtk_widget_class_bind_template_child(class, VdWindow, header);
    gtk_widget_class_bind_template_child(class, VdWindow, play);
    gtk_widget_class_bind_template_child(class, VdWindow, play_icon);
    gtk_widget_class_bind_template_child(class, VdWindow, record);
    gtk_widget_class_bind_template_child(class, VdWindow, record_time);
    gtk_widget_class_bind_template_child(class, VdWindow, snapshot);
    gtk_widget_class_bind_template_child(class, VdWindow, panel_toggle);
    gtk_widget_class_bind_template_child(class, VdWindow, menu);
    gtk_widget_class_bind_template_child(class, VdWindow, streaming_button);
    gtk_widget_class_bind_template_child(class, VdWindow, stack);
    gtk_widget_class_bind_template_child(class, VdWindow, paned);
    gtk_widget_class_bind_template_child(class, VdWindow, panel);
    gtk_widget_class_bind_template_child(class, VdWindow, pages);
    gtk_widget_class_bind_template_child(class, VdWindow, switcher);
    gtk_widget_class_bind_template_child(class, VdWindow, events);
    gtk_widget_class_bind_template_child(class, VdWindow, tile);
    gtk_widget_class_bind_template_child(class, VdWindow, tune);
    gtk_widget_class_bind_template_child(class, VdWindow, notice_bar);
    gtk_widget_class_bind_template_child(class, VdWindow, transport);
    gtk_widget_class_bind_template_child(class, VdWindow, status_line);
    gtk_widget_class_bind_template_child(class, VdWindow, open_menu);
    gtk_widget_class_bind_template_callback(class, list_cameras);
    gtk_widget_class_bind_template_callback(class, paned_allocated);
}

static void vd_window_class_init(VdWindowClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);
    G_OBJECT_CLASS(class)->finalize = finalize;
    widget_class->destroy = destroy;
    widget_class->key_press_event = key_press;
    widget_class->window_state_event = window_state;
    widget_class->drag_data_received = drag_data_received;
    vd_resources_register_resource();
    g_type_ensure(VD_TYPE_TILE);
    g_type_ensure(VD_TYPE_TUNE);
    g_type_ensure(VD_TYPE_EVENTS);
    g_type_ensure(VD_TYPE_TRANSPORT);
    g_type_ensure(VD_TYPE_STATUS_LINE);
    g_type_ensure(VD_TYPE_NOTICE_BAR);
    g_type_ensure(VD_TYPE_EMPTY);
    gtk_widget_class_set_template_from_resource(widget_class, "/org/vedette/Vedette/ui/window.ui");
    bind_children(widget_class);
}

/* As every button of the window: the keyboard stays with the picture. */
static void keep_focus(GtkWidget *button, gpointer data)
{
    (void)data;
    gtk_widget_set_focus_on_click(button, FALSE);
}

static void vd_window_init(VdWindow *window)
{
    window->panel_before = true;
    gtk_widget_init_template(GTK_WIDGET(window));
    gtk_container_foreach(GTK_CONTAINER(window->switcher), keep_focus, NULL);
    window->streaming = g_object_ref_sink(g_object_new(VD_TYPE_STREAMING, "relative-to", window->menu, NULL));
    g_signal_connect_swapped(window->streaming, "hide", G_CALLBACK(show_streaming), window);
    window->cameras = g_menu_new();
    g_menu_insert_section(window->open_menu, 1, "Cameras", G_MENU_MODEL(window->cameras));
}

static void load_style(GdkScreen *screen)
{
    GtkCssProvider *provider = gtk_css_provider_new();
    gtk_css_provider_load_from_resource(provider, "/org/vedette/Vedette/vedette.css");
    gtk_style_context_add_provider_for_screen(screen, GTK_STYLE_PROVIDER(provider),
                                              GTK_STYLE_PROVIDER_PRIORITY_APPLICATION);
    g_object_unref(provider);
}

static void choose_theme(GdkScreen *screen, vd_theme theme)
{
    if (theme != VD_THEME_SYSTEM)
        g_object_set(gtk_settings_get_for_screen(screen), "gtk-application-prefer-dark-theme",
                     theme == VD_THEME_DARK, NULL);
}

/* As drawn where there is room, else with a margin on the smaller screen. */
static void choose_size(VdWindow *window)
{
    GdkRectangle area = {0, 0, WIDTH, HEIGHT};
    GdkMonitor *monitor = gdk_display_get_monitor(gtk_widget_get_display(GTK_WIDGET(window)), 0);
    if (monitor)
        gdk_monitor_get_workarea(monitor, &area);
    gtk_window_set_default_size(GTK_WINDOW(window), MIN(WIDTH, area.width - MARGIN),
                                MIN(HEIGHT, area.height - 2 * MARGIN));
}

static void begin(VdWindow *window, const vd_window_options *options)
{
    if (options->model)
        vd_store_set_model(window->store, options->model, options->labels);
    if (options->source)
        vd_store_open(window->store, options->source);
    if (options->error)
        vd_store_show_error(window->store, options->error);
    if (options->settings->streaming.enabled)
        vd_store_set_streaming(window->store, true);
}

VdWindow *vd_window_new(GtkApplication *application, const vd_window_options *options)
{
    VdWindow *window = g_object_new(VD_TYPE_WINDOW, "application", application, NULL);
    GdkScreen *screen = gtk_widget_get_screen(GTK_WIDGET(window));
    window->store = vd_store_new(options->settings, options->verifiers, options->serving);
    window->kiosk = options->kiosk;
    choose_size(window);
    load_style(screen);
    choose_theme(screen, options->settings->theme);
    vd_actions_add(window);
    vd_tile_set_store(window->tile, window->store);
    vd_events_set_store(window->events, window->store);
    vd_tune_set_store(window->tune, window->store);
    vd_transport_set_store(window->transport, window->store);
    vd_status_line_set_store(window->status_line, window->store);
    vd_notice_bar_set_store(window->notice_bar, window->store);
    vd_streaming_set_store(VD_STREAMING(window->streaming), window->store);
    vd_store_listen(window->store, changed, window);
    begin(window, options);
    changed(window, ~0u);
    list_cameras(window);
    gtk_drag_dest_set(GTK_WIDGET(window), GTK_DEST_DEFAULT_ALL, NULL, 0, GDK_ACTION_COPY);
    gtk_drag_dest_add_uri_targets(GTK_WIDGET(window));
    if (options->fullscreen || options->kiosk)
        gtk_window_fullscreen(GTK_WINDOW(window));
    if (options->kiosk)
        vd_window_set_panel(window, false);
    gtk_window_present(GTK_WINDOW(window));
    gtk_widget_grab_focus(GTK_WIDGET(window->tile));
    return window;
}
