/* One camera at a time. Core wakes the bridge, the bridge calls refresh(), and refresh() tells the listeners
 * what differs from the status and picture before. */
#include "ui/store_impl.h"

#include <string.h>

#include "ui/words.h"
#include "vedette/app/models.h"

enum { TICK_MS = 500 };

void vd_store_emit(vd_store *store, unsigned changes)
{
    for (guint i = 0; changes && i < store->listeners->len; i++) {
        vd_store_entry *entry = &g_array_index(store->listeners, vd_store_entry, i);
        entry->call(entry->context, changes);
    }
}

void vd_store_set_text(char **field, const char *text)
{
    char *copy = text && *text ? g_strdup(text) : NULL;
    g_free(*field);
    *field = copy;
}

static void refresh(void *context)
{
    vd_store *store = context;
    if (!store->camera)
        return;
    unsigned changes = vd_store_take_status(store);
    if (vd_camera_take_view(store->camera, &store->view))
        changes |= VD_CHANGED_PICTURE;
    changes |= vd_store_look_for_classes(store) | vd_store_look_for_events(store);
    vd_store_emit(store, changes);
}

static gboolean tick(gpointer data)
{
    vd_store *store = data;
    unsigned changes = vd_store_take_status(store);
    changes |= vd_store_look_for_events(store) | vd_store_take_stage2(store);
    vd_store_emit(store, changes | VD_CHANGED_RATES);
    return G_SOURCE_CONTINUE;
}

vd_store *vd_store_new(const vd_settings *settings, vd_verifiers *verifiers, vd_serving *serving)
{
    vd_store *store = g_new0(vd_store, 1);
    store->settings = *settings;
    store->verifiers = verifiers;
    store->serving = serving;
    store->bridge = vd_bridge_new(refresh, store);
    store->listeners = g_array_new(FALSE, FALSE, sizeof(vd_store_entry));
    store->history = vd_history_new();
    store->seen = g_ptr_array_new_with_free_func(g_free);
    store->sync = settings->overlay_sync;
    vd_store_init_events(store);
    vd_tuning_init(&store->defaults, settings);
    store->tuning = store->defaults;
    vd_store_apply_tuning(store);
    vd_store_init_streaming(store);
    return store;
}

static void close_camera(vd_store *store)
{
    g_clear_handle_id(&store->tick, g_source_remove);
    vd_serving_set_camera(store->serving, NULL, NULL, NULL);
    vd_camera_close(&store->camera);
    vd_view_clear(&store->view);
    vd_labels_unref(&store->labels);
    vd_store_forget_seen(store);
    vd_store_forget_events(store);
    memset(&store->status, 0, sizeof store->status);
    g_clear_pointer(&store->address, g_free);
    g_clear_pointer(&store->name, g_free);
    g_clear_pointer(&store->camera_model, g_free);
}

void vd_store_close(vd_store *store)
{
    close_camera(store);
    vd_store_fini_streaming(store);
    vd_verifiers_stop(store->verifiers);
    store->verifier = NULL;
}

void vd_store_free(vd_store **store)
{
    vd_store *s = *store;
    if (!s)
        return;
    vd_store_close(s);
    vd_bridge_free(&s->bridge);
    vd_history_free(&s->history);
    g_array_free(s->listeners, TRUE);
    g_ptr_array_free(s->seen, TRUE);
    vd_store_fini_events(s);
    g_free(s->chosen_model);
    g_free(s->chosen_labels);
    g_free(s->good_model);
    g_free(s->good_labels);
    g_clear_pointer(store, g_free);
}

void vd_store_listen(vd_store *store, vd_store_listener *call, void *context)
{
    vd_store_entry entry = {call, context};
    g_array_append_val(store->listeners, entry);
}

void vd_store_unlisten(vd_store *store, void *context)
{
    for (guint i = store->listeners->len; i > 0; i--)
        if (g_array_index(store->listeners, vd_store_entry, i - 1).context == context)
            g_array_remove_index(store->listeners, i - 1);
}

const vd_settings *vd_store_get_settings(const vd_store *store)
{
    return &store->settings;
}

/* What the operator chose in this window, else the camera's own, else the general one, else NULL. */
static const char *model_for(const vd_store *store)
{
    if (store->chosen_model)
        return store->chosen_model;
    if (store->camera_model)
        return store->camera_model;
    return *store->settings.model ? store->settings.model : NULL;
}

static const char *labels_for(const vd_store *store)
{
    if (store->chosen_model || store->camera_model)
        return store->chosen_model ? store->chosen_labels : NULL;
    return *store->settings.labels ? store->settings.labels : NULL;
}

static int start_camera(vd_store *store, vd_error *error)
{
    const vd_settings *settings = &store->settings;
    vd_camera_options options = VD_CAMERA_OPTIONS_INIT;
    char stem[128];
    vd_words_file_name(stem, sizeof stem, store->name);
    options.address = store->address;
    options.name = stem; /* recordings are called so */
    options.model = model_for(store);
    options.labels = labels_for(store);
    options.input_width = settings->input_size;
    options.input_height = settings->input_height ? settings->input_height : settings->input_size;
    options.precision = strcmp(settings->precision, "bf16") == 0 ? VD_PRECISION_BF16 : VD_PRECISION_FP32;
    options.device = settings->device;
    options.thresholds = store->thresholds;
    options.sync = store->sync;
    options.loop = settings->loop;
    options.source.open_timeout_ns = (int64_t)(settings->open_timeout_s * 1e9);
    options.source.stall_timeout_ns = (int64_t)(settings->stall_timeout_s * 1e9);
    options.source.rtsp_transport = settings->rtsp_transport;
    options.recording_folder = settings->recording_folder;
    options.recording_quality = settings->recording_quality;
    vd_camera_options_from_settings(settings, &options);
    options.verifier = store->verifier;
    store->shadow = options.shadow;
    options.wake = vd_bridge_wake;
    options.wake_context = store->bridge;
    return vd_camera_open(&options, &store->camera, error);
}

static void open_as(vd_store *store, const char *address, const char *name, const char *model)
{
    vd_error error = {0};
    unsigned changes = VD_CHANGED_SOURCE | VD_CHANGED_PICTURE | VD_CHANGED_CLASSES | VD_CHANGED_MODEL |
                       VD_CHANGED_RECORDING | VD_CHANGED_RATES | VD_CHANGED_TUNING | VD_CHANGED_NOTICE |
                       VD_CHANGED_EVENTS | VD_CHANGED_STAGE2;
    char *kept_address = g_strdup(address), *kept_name = g_strdup(name), *kept_model = g_strdup(model);
    if (store->status.recording && *store->status.recorder.path)
        vd_store_note_recording(store, true);
    else if (store->notice.of_source)
        store->notice.kind = VD_NOTICE_NONE;
    close_camera(store);
    store->address = kept_address;
    store->name = kept_name;
    store->camera_model = kept_model;
    vd_store_apply_tuning(store);
    vd_store_choose_verifier(store);
    if (start_camera(store, &error) == VD_OK) {
        if (store->view_width)
            vd_camera_set_view_size(store->camera, store->view_width, store->view_height);
        vd_serving_set_camera(store->serving, store->name, store->camera, store->verifier);
        vd_store_take_status(store); /* it may have failed already */
        store->tick = g_timeout_add(TICK_MS, tick, store);
    } else {
        close_camera(store);
        vd_store_note_error(store, &error, VD_ACTION_NONE);
    }
    vd_store_emit(store, changes);
}

void vd_store_open(vd_store *store, const char *address)
{
    for (int i = 0; i < store->settings.camera_count; i++) {
        const vd_camera_settings *camera = &store->settings.cameras[i];
        if (!strcmp(camera->name, address)) {
            open_as(store, camera->address, camera->name, *camera->model ? camera->model : NULL);
            return;
        }
    }
    char name[96];
    vd_words_name(name, sizeof name, address);
    open_as(store, address, name, NULL);
}

void vd_store_retry(vd_store *store)
{
    if (store->address)
        open_as(store, store->address, store->name, store->camera_model);
}

bool vd_store_has_source(const vd_store *store)
{
    return store->camera != NULL;
}

const char *vd_store_get_address(const vd_store *store)
{
    return store->address ? store->address : "";
}

const char *vd_store_get_name(const vd_store *store)
{
    return store->name ? store->name : "";
}

const vd_camera_status *vd_store_get_status(const vd_store *store)
{
    return &store->status;
}

const vd_view *vd_store_get_view(const vd_store *store)
{
    return store->view.picture ? &store->view : NULL;
}

size_t vd_store_get_boxes(const vd_store *store, vd_draw_box *ret_boxes, size_t room)
{
    return store->view.picture ? vd_view_get_boxes(&store->view, &store->thresholds, ret_boxes, room) : 0;
}

void vd_store_set_view_size(vd_store *store, int width, int height)
{
    if (width == store->view_width && height == store->view_height)
        return;
    store->view_width = width;
    store->view_height = height;
    if (store->camera)
        vd_camera_set_view_size(store->camera, width, height);
}

void vd_store_set_model(vd_store *store, const char *model, const char *labels)
{
    vd_store_set_text(&store->chosen_model, model);
    vd_store_set_text(&store->chosen_labels, labels);
    if (store->camera) {
        vd_camera_set_model(store->camera, model, labels);
        store->status.model_state = VD_MODEL_LOADING;
    }
    vd_store_emit(store, VD_CHANGED_MODEL);
}

const char *vd_store_get_model(const vd_store *store)
{
    if (model_for(store))
        return model_for(store);
    return store->address ? vd_model_default(store->address) : "";
}

bool vd_store_model_is_chosen(const vd_store *store)
{
    return model_for(store) != NULL;
}

bool vd_store_is_playing(const vd_store *store)
{
    return store->camera && store->status.state == VD_CAMERA_PLAYING && store->status.playing;
}

void vd_store_set_playing(vd_store *store, bool playing)
{
    if (store->camera)
        vd_camera_set_playing(store->camera, playing);
}

void vd_store_step(vd_store *store, int frames)
{
    if (!store->camera)
        return;
    if (store->status.playing)
        vd_camera_set_playing(store->camera, false);
    vd_camera_step(store->camera, frames);
}

void vd_store_seek(vd_store *store, double time_s)
{
    if (store->camera)
        vd_camera_seek(store->camera, time_s);
}

void vd_store_set_speed(vd_store *store, double speed)
{
    if (!store->camera)
        return;
    vd_camera_set_speed(store->camera, speed);
    store->status.speed = speed;
    vd_store_emit(store, VD_CHANGED_SOURCE);
}

void vd_store_set_recording(vd_store *store, bool recording)
{
    if (!store->camera)
        return;
    if (recording) /* so that a second failure is news as well */
        memset(&store->status.recorder, 0, sizeof store->status.recorder);
    vd_camera_set_recording(store->camera, recording);
}

const vd_notice *vd_store_get_notice(const vd_store *store)
{
    return &store->notice;
}

void vd_store_show_error(vd_store *store, const vd_error *error)
{
    vd_store_note_error(store, error, VD_ACTION_NONE);
    vd_store_emit(store, VD_CHANGED_NOTICE);
}

void vd_store_show_notice(vd_store *store, const vd_notice *notice)
{
    store->notice = *notice;
    vd_store_emit(store, VD_CHANGED_NOTICE);
}

void vd_store_dismiss(vd_store *store)
{
    store->notice.kind = VD_NOTICE_NONE;
    vd_store_emit(store, VD_CHANGED_NOTICE);
}
