#include "ui/serving.h"

#include <glib.h>
#include <string.h>

#include "ui/bridge.h"

enum { TICK_MS = 500, JOIN_TICK_MS = 10, NAME_BYTES = 96 };

struct vd_serving {
    vd_bridge *bridge;
    vd_serve *serve; /* NULL: none runs */
    guint tick;
    vd_serving_view view;
    void (*changed)(void *context);
    void *context;

    vd_settings settings; /* of the start that was asked for last */
    char *model, *labels;

    char camera_name[NAME_BYTES];
    vd_camera *camera;     /* NULL: none */
    vd_verifier *verifier; /* of it; NULL: none */
};

static void tell(vd_serving *serving)
{
    if (serving->changed)
        serving->changed(serving->context);
}

static void fail(vd_serving *serving, const vd_error *error)
{
    serving->view.state = VD_SERVING_FAILED;
    serving->view.wanted = false;
    serving->view.status.error = *error;
}

/* A camera that cannot be served is none of the window's troubles: the rest goes on. */
static void add_camera(vd_serving *serving)
{
    if (!serving->serve)
        return;
    bool served = serving->camera &&
                  vd_serve_add_camera(serving->serve, serving->camera_name, serving->camera, NULL) == VD_OK;
    vd_serve_set_verifier(serving->serve, served ? serving->verifier : NULL);
}

static gboolean on_tick(gpointer data);

static void launch(vd_serving *serving)
{
    vd_serve_options options;
    vd_error error = {0};
    serving->view.status = (vd_serve_status){0};
    if (vd_settings_read_environment(&serving->settings, &error) != VD_OK) {
        fail(serving, &error);
        return;
    }
    vd_serve_options_from_settings(&serving->settings, &options);
    if (serving->model)
        options.model = serving->model;
    if (serving->model || serving->labels)
        options.labels = serving->labels;
    options.wake = vd_bridge_wake;
    options.wake_context = serving->bridge;
    if (vd_serve_start(&options, &serving->serve, &error) != VD_OK) {
        serving->serve = NULL;
        fail(serving, &error);
        return;
    }
    serving->view.state = VD_SERVING_STARTING;
    serving->tick = g_timeout_add(TICK_MS, on_tick, serving);
    add_camera(serving);
}

/* The service has ended, by itself or because it was asked to: freeing it does not wait. */
static void bury(vd_serving *serving)
{
    bool failed = serving->view.status.state == VD_SERVE_FAILED;
    vd_error error = serving->view.status.error;
    g_clear_handle_id(&serving->tick, g_source_remove);
    vd_serve_free(&serving->serve);
    serving->view.status = (vd_serve_status){0};
    serving->view.state = VD_SERVING_OFF;
    if (failed && serving->view.wanted)
        fail(serving, &error);
    else if (serving->view.wanted)
        launch(serving);
}

static void look(void *context)
{
    vd_serving *serving = context;
    if (!serving->serve)
        return;
    vd_serve_get_status(serving->serve, &serving->view.status);
    switch (serving->view.status.state) {
    case VD_SERVE_STARTING:
    case VD_SERVE_STOPPING:
        break;
    case VD_SERVE_LISTENING:
        if (serving->view.state == VD_SERVING_STARTING)
            serving->view.state = VD_SERVING_ON;
        break;
    case VD_SERVE_STOPPED:
    case VD_SERVE_FAILED:
        bury(serving);
        break;
    }
    tell(serving);
}

static gboolean on_tick(gpointer data)
{
    look(data);
    return G_SOURCE_CONTINUE;
}

vd_serving *vd_serving_new(void)
{
    vd_serving *serving = g_new0(vd_serving, 1);
    serving->bridge = vd_bridge_new(look, serving);
    return serving;
}

static gboolean on_join_tick(gpointer data)
{
    (void)data;
    return G_SOURCE_CONTINUE;
}

bool vd_serving_join(vd_serving *serving, int64_t timeout_us)
{
    int64_t deadline_us = g_get_monotonic_time() + timeout_us;
    guint timer = g_timeout_add(JOIN_TICK_MS, on_join_tick, NULL);
    vd_serving_stop(serving);
    while (serving->serve && g_get_monotonic_time() < deadline_us) {
        g_main_context_iteration(NULL, TRUE);
        look(serving);
    }
    g_source_remove(timer);
    return serving->serve == NULL;
}

void vd_serving_free(vd_serving **pointer)
{
    vd_serving *serving = *pointer;
    if (!serving)
        return;
    g_clear_handle_id(&serving->tick, g_source_remove);
    vd_serve_free(&serving->serve);
    vd_bridge_free(&serving->bridge);
    g_free(serving->model);
    g_free(serving->labels);
    g_clear_pointer(pointer, g_free);
}

void vd_serving_follow(vd_serving *serving, void (*changed)(void *context), void *context)
{
    serving->changed = changed;
    serving->context = context;
}

void vd_serving_start(vd_serving *serving, const vd_settings *settings, const char *model, const char *labels)
{
    if (serving->view.wanted)
        return;
    serving->view.wanted = true;
    serving->settings = *settings;
    g_free(serving->model);
    g_free(serving->labels);
    serving->model = g_strdup(model);
    serving->labels = g_strdup(labels);
    if (!serving->serve) /* else when that has ended */
        launch(serving);
    tell(serving);
}

void vd_serving_stop(vd_serving *serving)
{
    bool was_wanted = serving->view.wanted;
    serving->view.wanted = false;
    if (serving->serve && serving->view.state != VD_SERVING_STOPPING) {
        serving->view.state = VD_SERVING_STOPPING;
        vd_serve_stop(serving->serve);
    } else if (!serving->serve) {
        serving->view.state = VD_SERVING_OFF;
    } else if (!was_wanted) {
        return;
    }
    tell(serving);
}

/* A name that can stand in a path; vd_serve_add_camera refuses others. */
static void choose_name(vd_serving *serving, const char *name)
{
    g_strlcpy(serving->camera_name, name && *name && *name != '.' ? name : "camera",
              sizeof serving->camera_name);
    char *end;
    if (!g_utf8_validate(serving->camera_name, -1, (const char **)&end))
        *end = '\0'; /* cut within a character */
    g_strdelimit(serving->camera_name, "/", '_');
}

void vd_serving_set_camera(vd_serving *serving, const char *name, vd_camera *camera, vd_verifier *verifier)
{
    if (serving->serve && serving->camera)
        vd_serve_remove_camera(serving->serve, serving->camera_name);
    serving->camera = camera;
    serving->verifier = verifier;
    choose_name(serving, name);
    add_camera(serving);
}

const vd_serving_view *vd_serving_get_view(const vd_serving *serving)
{
    return &serving->view;
}
