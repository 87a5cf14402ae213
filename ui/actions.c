#include "ui/actions.h"

#include "ui/dialogs/address.h"
#include "ui/dialogs/files.h"
#include "ui/snapshot.h"
#include "ui/words_events.h"

#define STEP 0.01

#define HANDLER(name) static void name(GSimpleAction *action, GVariant *parameter, gpointer window)
#define STORE vd_window_get_store(VD_WINDOW(window))
#define UNUSED (void)action, (void)parameter

HANDLER(open_file)
{
    UNUSED;
    vd_files_open_source(GTK_WINDOW(window), STORE);
}

HANDLER(open_address)
{
    UNUSED;
    vd_address_ask(GTK_WINDOW(window), STORE);
}

HANDLER(open_this)
{
    (void)action;
    vd_store_open(STORE, g_variant_get_string(parameter, NULL));
}

HANDLER(open_model)
{
    UNUSED;
    vd_files_open_model(GTK_WINDOW(window), STORE);
}

HANDLER(use_model)
{
    (void)action;
    vd_store_set_model(STORE, g_variant_get_string(parameter, NULL), NULL);
}

HANDLER(retry)
{
    UNUSED;
    vd_store_retry(STORE);
}

HANDLER(play)
{
    UNUSED;
    vd_store_set_playing(STORE, !vd_store_is_playing(STORE));
}

HANDLER(step_back)
{
    UNUSED;
    vd_store_step(STORE, -1);
}

HANDLER(step_forward)
{
    UNUSED;
    vd_store_step(STORE, 1);
}

HANDLER(event_back)
{
    UNUSED;
    vd_window_show_page(VD_WINDOW(window), "events");
    vd_store_choose_neighbour(STORE, -1);
}

HANDLER(event_forward)
{
    UNUSED;
    vd_window_show_page(VD_WINDOW(window), "events");
    vd_store_choose_neighbour(STORE, 1);
}

/* Where the list does not show it (full screen), a sentence does. */
static void judge(VdWindow *window, vd_judgement judgement)
{
    vd_store *store = vd_window_get_store(window);
    vd_notice notice = {.kind = VD_NOTICE_INFO, .brief = true};
    vd_store_judge(store, judgement);
    const vd_event *event = vd_store_find_event(store, vd_store_get_chosen(store));
    if (!event || vd_window_is_page_shown(window, "events") ||
        vd_store_get_notice(store)->kind > VD_NOTICE_INFO)
        return;
    vd_words_event(notice.text, sizeof notice.text, event, vd_store_is_file(store) ? VD_EVENT_OF_FILE : 0);
    vd_store_show_notice(store, &notice);
}

HANDLER(confirm)
{
    UNUSED;
    judge(window, VD_JUDGEMENT_CONFIRMED);
}

HANDLER(false_alarm)
{
    UNUSED;
    judge(window, VD_JUDGEMENT_FALSE_ALARM);
}

HANDLER(show_tune)
{
    UNUSED;
    vd_window_show_page(VD_WINDOW(window), "tune");
}

HANDLER(show_events)
{
    UNUSED;
    vd_window_show_page(VD_WINDOW(window), "events");
}

HANDLER(confidence_up)
{
    UNUSED;
    vd_store_set_confidence(STORE, vd_store_get_tuning(STORE)->confidence + STEP);
}

HANDLER(confidence_down)
{
    UNUSED;
    vd_store_set_confidence(STORE, vd_store_get_tuning(STORE)->confidence - STEP);
}

HANDLER(overlap_up)
{
    UNUSED;
    vd_store_set_iou(STORE, vd_store_get_tuning(STORE)->iou + STEP);
}

HANDLER(overlap_down)
{
    UNUSED;
    vd_store_set_iou(STORE, vd_store_get_tuning(STORE)->iou - STEP);
}

HANDLER(undo)
{
    UNUSED;
    vd_store_undo(STORE);
}

HANDLER(reset)
{
    UNUSED;
    vd_store_reset(STORE);
}

HANDLER(snapshot)
{
    UNUSED;
    vd_snapshot_take(window, STORE);
}

HANDLER(leave_fullscreen)
{
    UNUSED;
    if (!vd_window_is_kiosk(VD_WINDOW(window)))
        gtk_window_unfullscreen(GTK_WINDOW(window));
}

/* Made once and hidden, not destroyed: destroying it under a screen reader makes GTK 3.24 complain. */
HANDLER(shortcuts)
{
    static GtkWindow *help;
    UNUSED;
    if (!help) {
        GtkBuilder *builder = gtk_builder_new_from_resource("/org/vedette/Vedette/ui/shortcuts.ui");
        help = GTK_WINDOW(gtk_builder_get_object(builder, "shortcuts"));
        g_signal_connect(help, "delete-event", G_CALLBACK(gtk_widget_hide_on_delete), NULL);
        gtk_window_set_transient_for(help, GTK_WINDOW(window));
        g_signal_connect_object(window, "destroy", G_CALLBACK(gtk_widget_hide), help, G_CONNECT_SWAPPED);
        g_object_unref(builder);
    }
    gtk_window_present(help);
}

HANDLER(about)
{
    static const char *const authors[] = {"The Vedette authors", NULL};
    UNUSED;
    gtk_show_about_dialog(GTK_WINDOW(window), "program-name", "Vedette", "version", VD_VERSION,
                          "logo-icon-name", "org.vedette.Vedette", "comments",
                          "Watches cameras and clips, with boxes that belong to the picture on screen",
                          "license-type", GTK_LICENSE_MIT_X11, "authors", authors, NULL);
}

HANDLER(streaming)
{
    UNUSED;
    vd_window_show_streaming(VD_WINDOW(window));
}

HANDLER(close_window)
{
    UNUSED;
    gtk_window_close(GTK_WINDOW(window));
}

/* The state of `record` follows the camera, that of `fullscreen` the window manager. */
static void record(GSimpleAction *action, GVariant *value, gpointer window)
{
    (void)action;
    vd_store_set_recording(STORE, g_variant_get_boolean(value));
}

static void fullscreen(GSimpleAction *action, GVariant *value, gpointer window)
{
    (void)action;
    if (vd_window_is_kiosk(VD_WINDOW(window)))
        return;
    if (g_variant_get_boolean(value))
        gtk_window_fullscreen(GTK_WINDOW(window));
    else
        gtk_window_unfullscreen(GTK_WINDOW(window));
}

static void speed(GSimpleAction *action, GVariant *value, gpointer window)
{
    (void)action;
    vd_store_set_speed(STORE, g_variant_get_double(value));
}

static void panel(GSimpleAction *action, GVariant *value, gpointer window)
{
    g_simple_action_set_state(action, value);
    vd_window_set_panel(VD_WINDOW(window), g_variant_get_boolean(value));
}

static const GActionEntry ENTRIES[] = {
    {.name = "open-file", .activate = open_file},
    {.name = "open-address", .activate = open_address},
    {.name = "open", .activate = open_this, .parameter_type = "s"},
    {.name = "open-model", .activate = open_model},
    {.name = "model", .activate = use_model, .parameter_type = "s"},
    {.name = "retry", .activate = retry},
    {.name = "play", .activate = play},
    {.name = "step-back", .activate = step_back},
    {.name = "step-forward", .activate = step_forward},
    {.name = "event-back", .activate = event_back},
    {.name = "event-forward", .activate = event_forward},
    {.name = "confirm", .activate = confirm},
    {.name = "false-alarm", .activate = false_alarm},
    {.name = "show-tune", .activate = show_tune},
    {.name = "show-events", .activate = show_events},
    {.name = "confidence-up", .activate = confidence_up},
    {.name = "confidence-down", .activate = confidence_down},
    {.name = "overlap-up", .activate = overlap_up},
    {.name = "overlap-down", .activate = overlap_down},
    {.name = "undo", .activate = undo},
    {.name = "reset", .activate = reset},
    {.name = "snapshot", .activate = snapshot},
    {.name = "leave-fullscreen", .activate = leave_fullscreen},
    {.name = "shortcuts", .activate = shortcuts},
    {.name = "about", .activate = about},
    {.name = "streaming", .activate = streaming},
    {.name = "close", .activate = close_window},
    {.name = "record", .state = "false", .change_state = record},
    {.name = "fullscreen", .state = "false", .change_state = fullscreen},
    {.name = "speed", .parameter_type = "d", .state = "1.0", .change_state = speed},
    {.name = "panel", .state = "true", .change_state = panel},
};

typedef struct accel {
    const char *action, *key, *other;
} accel;

static const accel ACCELS[] = {
    {"win.open-file", "<Primary>o", NULL},    {"win.open-address", "<Primary>l", NULL},
    {"win.open-model", "<Primary>m", NULL},   {"win.retry", "<Primary>r", NULL},
    {"win.undo", "<Primary>z", NULL},         {"win.panel", "F9", NULL},
    {"win.fullscreen", "F11", NULL},          {"win.shortcuts", "<Primary>question", "F1"},
    {"win.close", "<Primary>q", "<Primary>w"}};

void vd_actions_add(VdWindow *window)
{
    g_action_map_add_action_entries(G_ACTION_MAP(window), ENTRIES, G_N_ELEMENTS(ENTRIES), window);
    for (size_t i = 0; i < G_N_ELEMENTS(ACCELS); i++) {
        const char *keys[] = {ACCELS[i].key, ACCELS[i].other, NULL};
        gtk_application_set_accels_for_action(gtk_window_get_application(GTK_WINDOW(window)),
                                              ACCELS[i].action, keys);
    }
}

static void enable(VdWindow *window, const char *name, bool enabled)
{
    GAction *action = g_action_map_lookup_action(G_ACTION_MAP(window), name);
    g_simple_action_set_enabled(G_SIMPLE_ACTION(action), enabled);
}

void vd_actions_update(VdWindow *window)
{
    vd_store *store = vd_window_get_store(window);
    const vd_camera_status *status = vd_store_get_status(store);
    bool source = vd_store_has_source(store), picture = vd_store_get_view(store) != NULL;
    bool file = picture && !status->source.is_live && !status->source.is_image;
    bool moving = status->state == VD_CAMERA_PLAYING || status->state == VD_CAMERA_PAUSED;
    enable(window, "play", file);
    enable(window, "step-back", file);
    enable(window, "step-forward", file);
    enable(window, "event-back", vd_store_get_event_count(store) > 0);
    enable(window, "event-forward", vd_store_get_event_count(store) > 0);
    enable(window, "confirm", vd_store_get_chosen(store) != 0);
    enable(window, "false-alarm", vd_store_get_chosen(store) != 0);
    enable(window, "show-tune", source);
    enable(window, "show-events", source);
    enable(window, "snapshot", picture);
    enable(window, "record", picture && (moving || status->recording));
    enable(window, "retry", source);
    enable(window, "undo", vd_store_can_undo(store));
    enable(window, "reset", vd_store_can_reset(store));
    enable(window, "speed", file);
    GAction *action = g_action_map_lookup_action(G_ACTION_MAP(window), "speed");
    g_simple_action_set_state(G_SIMPLE_ACTION(action),
                              g_variant_new_double(status->speed > 0 ? status->speed : 1));
    action = g_action_map_lookup_action(G_ACTION_MAP(window), "record");
    g_simple_action_set_state(G_SIMPLE_ACTION(action), g_variant_new_boolean(status->recording));
}
