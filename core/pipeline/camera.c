/* A camera's life, its commands and what it says of itself. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "pipeline/camera_state.h"
#include "pipeline/reaper.h"
#include "vedette/app/models.h"
#include "vedette/app/sources.h"

void vd_camera_wake(vd_camera *camera)
{
    vd_camera_tell(camera);
    vd_mutex_lock(&camera->wake_lock);
    if (!camera->wake_closed && camera->options.wake)
        camera->options.wake(camera->options.wake_context);
    vd_mutex_unlock(&camera->wake_lock);
}

static vd_camera_state state_locked(const vd_camera *camera)
{
    bool failed = camera->status.error.code != 0;
    bool empty = camera->timeline.ended && camera->timeline.count == 0 && !camera->seek_wanted;
    if (empty && failed && (camera->is_live || !camera->timeline.shown.frame))
        return VD_CAMERA_FAILED;
    if (!camera->timeline.shown.frame)
        return VD_CAMERA_CONNECTING;
    if (camera->status.source.is_image)
        return VD_CAMERA_PAUSED;
    if (empty)
        return VD_CAMERA_ENDED;
    return camera->playing ? VD_CAMERA_PLAYING : VD_CAMERA_PAUSED;
}

void vd_camera_set_state_locked(vd_camera *camera)
{
    vd_camera_state state = state_locked(camera);
    if (state == camera->status.state)
        return;
    camera->status.state = state;
    camera->status.since_ns = vd_clock_now_ns();
}

void vd_camera_end_recording_locked(vd_camera *camera)
{
    if (!camera->recorder || camera->finishing_count == VD_CAMERA_FINISHING)
        return;
    camera->status.recorder = vd_recorder_get_status(camera->recorder);
    vd_recorder_finish(camera->recorder);
    camera->finishing[camera->finishing_count++] = camera->recorder;
    camera->recorder = NULL;
    vd_cond_broadcast(&camera->changed);
}

/* --- Life */

static void copy_options(vd_camera *camera, const vd_camera_options *options)
{
    char masked[sizeof camera->address];
    camera->options = *options;
    vd_text_copy(camera->address, sizeof camera->address, options->address);
    vd_text_mask_address(masked, sizeof masked, options->address);
    vd_text_copy(camera->name, sizeof camera->name,
                 options->name ? options->name : vd_text_base_name(masked));
    vd_text_copy(camera->recording_folder, sizeof camera->recording_folder,
                 options->recording_folder ? options->recording_folder : "");
    vd_text_copy(camera->device, sizeof camera->device, options->device ? options->device : "cpu");
    camera->options.device = camera->device;
    camera->options.address = camera->address;
    camera->options.name = camera->name;
    camera->options.recording_folder = camera->recording_folder;
    camera->options.source.rtsp_transport =
        options->source.rtsp_transport && strcmp(options->source.rtsp_transport, "udp") == 0 ? "udp" : "tcp";
    camera->wanted_model = vd_text_dup(options->model ? options->model : vd_model_default(options->address));
    camera->wanted_labels = vd_text_dup(options->labels);
    camera->options.model = camera->options.labels = NULL; /* the keeper has them */
    camera->model_wanted = true;
    camera->thresholds = options->thresholds;
    camera->rules = options->rules;
    camera->shadow = options->shadow;
    camera->is_live = vd_source_address_is_live(camera->address);
    camera->playing = !options->paused; /* a live source plays whatever was asked: the reader sees to that */
    camera->status.sync = options->sync;
    camera->status.speed = 1;
    camera->status.exact = !camera->is_live;
    camera->status.since_ns = vd_clock_now_ns();
    vd_timeline_init(&camera->timeline, camera->is_live ? VD_LIVE_READ_AHEAD : VD_FILE_READ_AHEAD);
}

static int init_locks(vd_camera *camera)
{
    if (vd_mutex_init(&camera->lock, VD_RANK_CAMERA))
        goto no_lock;
    if (vd_mutex_init(&camera->wake_lock, VD_RANK_WAKE))
        goto no_wake_lock;
    if (vd_cond_init(&camera->changed))
        goto no_changed;
    if (vd_cancel_init(&camera->cancel))
        goto no_cancel;
    return VD_OK;
no_cancel:
    vd_cond_fini(&camera->changed);
no_changed:
    vd_mutex_fini(&camera->wake_lock);
no_wake_lock:
    vd_mutex_fini(&camera->lock);
no_lock:
    return VD_ENOMEM;
}

static void ask_to_stop(vd_camera *camera)
{
    vd_cancel_request(&camera->cancel);
    vd_mutex_lock(&camera->lock);
    camera->stopping = true;
    vd_camera_end_recording_locked(camera);
    vd_cond_broadcast(&camera->changed);
    vd_mutex_unlock(&camera->lock);
}

/* Joins everything, sources first, and frees. On the reaper's thread, or where no thread could be started. */
static void destroy(vd_camera *camera)
{
    vd_thread_join(&camera->reader);
    vd_thread_join(&camera->presenter);
    vd_thread_join(&camera->keeper);
    vd_thread_join(&camera->asker);
    vd_detector_free(&camera->detector);
    for (int i = 0; i < camera->finishing_count; i++)
        vd_recorder_free(&camera->finishing[i]);
    vd_recorder_free(&camera->recorder);
    vd_timeline_fini(&camera->timeline);
    vd_view_clear(&camera->published);
    vd_camera_free_tracks(camera);
    free(camera->wanted_model);
    free(camera->wanted_labels);
    vd_cancel_fini(&camera->cancel);
    vd_cond_fini(&camera->changed);
    vd_mutex_fini(&camera->wake_lock);
    vd_mutex_fini(&camera->lock);
    free(camera);
}

int vd_camera_open(const vd_camera_options *options, vd_camera **ret_camera, vd_error *error)
{
    if (!options->address || !*options->address ||
        strlen(options->address) >= sizeof(((vd_camera *)0)->address))
        return vd_error_set(error, VD_EINVAL, NULL, "An address must have 1 to 1023 characters.");
    vd_sources_register();
    vd_camera *camera = calloc(1, sizeof *camera);
    if (!camera || init_locks(camera)) {
        free(camera);
        return vd_error_set(error, VD_ENOMEM, NULL, "There is not enough memory to open another camera.");
    }
    copy_options(camera, options);
    int code = vd_camera_make_tracks(camera, error);
    if (code) {
        destroy(camera);
        return code;
    }
    /* Sinks before the source. */
    if ((options->verifier && vd_thread_start(&camera->asker, "vd-events", vd_camera_ask, camera)) ||
        vd_thread_start(&camera->presenter, "vd-presenter", vd_camera_present, camera) ||
        vd_thread_start(&camera->keeper, "vd-keeper", vd_camera_keep, camera) ||
        vd_thread_start(&camera->reader, "vd-reader", vd_camera_read, camera)) {
        ask_to_stop(camera);
        destroy(camera);
        return vd_error_set(error, VD_ENOMEM, NULL,
                            "The system has no room for the threads of another camera.");
    }
    *ret_camera = camera;
    return VD_OK;
}

void vd_camera_close(vd_camera **pointer)
{
    vd_camera *camera = *pointer;
    *pointer = NULL;
    if (!camera)
        return;
    vd_mutex_lock(&camera->wake_lock);
    camera->wake_closed = true;
    vd_mutex_unlock(&camera->wake_lock);
    ask_to_stop(camera);
    vd_camera_end_feeds(camera);
    vd_reaper_take(camera, destroy);
}

/* --- What it says */

void vd_camera_get_status(vd_camera *camera, vd_camera_status *ret_status)
{
    int64_t now = vd_clock_now_ns();
    vd_mutex_lock(&camera->lock);
    *ret_status = camera->status;
    ret_status->captured_per_s = vd_rate_per_s(&camera->captured, now);
    ret_status->shown_per_s = vd_rate_per_s(&camera->shown_rate, now);
    ret_status->detected_per_s = vd_rate_per_s(&camera->detected_rate, now);
    ret_status->detection_p50_ms =
        (double)vd_camera_latency_percentile_locked(camera, 0.5) / (double)VD_NS_PER_MS;
    ret_status->detection_p95_ms =
        (double)vd_camera_latency_percentile_locked(camera, 0.95) / (double)VD_NS_PER_MS;
    ret_status->skipped_detection = camera->timeline.skipped;
    ret_status->pending_detection = (uint64_t)camera->under_way;
    ret_status->events = vd_event_log_figures(camera->events).events;
    ret_status->events_open = (int)vd_event_log_count_open(camera->events);
    ret_status->events_revision = vd_event_log_revision(camera->events);
    ret_status->clips_waiting = camera->asked_count;
    ret_status->clips_forgotten = camera->clips.forgotten;
    ret_status->duration_s = camera->status.source.duration_s;
    ret_status->playing = camera->playing;
    ret_status->recording = camera->recorder != NULL;
    if (camera->recorder)
        ret_status->recorder = vd_recorder_get_status(camera->recorder);
    vd_mutex_unlock(&camera->lock);
}

bool vd_camera_take_view(vd_camera *camera, vd_view *view)
{
    vd_view old = {0};
    vd_mutex_lock(&camera->lock);
    bool newer = camera->published.picture && camera->published.sequence != view->sequence;
    if (newer) {
        old = *view;
        *view = camera->published;
        vd_frame_ref(view->picture);
        if (view->before)
            vd_result_ref(view->before);
        if (view->after)
            vd_result_ref(view->after);
    }
    vd_mutex_unlock(&camera->lock);
    vd_view_clear(&old);
    return newer;
}

vd_labels *vd_camera_get_labels(vd_camera *camera)
{
    vd_mutex_lock(&camera->lock);
    vd_labels *labels = NULL;
    if (camera->detector) /* the detector's own reference keeps them alive meanwhile */
        labels = vd_labels_ref((vd_labels *)vd_detector_labels(camera->detector));
    vd_mutex_unlock(&camera->lock);
    return labels;
}

/* --- Commands */

void vd_camera_set_view_size(vd_camera *camera, int width, int height)
{
    vd_mutex_lock(&camera->lock);
    if (width != camera->view_width || height != camera->view_height) {
        camera->view_width = width;
        camera->view_height = height;
        camera->refresh = true;
        vd_cond_broadcast(&camera->changed);
    }
    vd_mutex_unlock(&camera->lock);
}

void vd_camera_set_thresholds(vd_camera *camera, const vd_thresholds *thresholds)
{
    vd_mutex_lock(&camera->lock);
    camera->thresholds = *thresholds;
    vd_camera_set_scores_locked(camera);
    vd_mutex_unlock(&camera->lock);
}

void vd_camera_set_sync(vd_camera *camera, vd_overlay_sync sync)
{
    vd_mutex_lock(&camera->lock);
    camera->status.sync = sync;
    vd_camera_choose_sync_locked(camera);
    vd_cond_broadcast(&camera->changed);
    vd_mutex_unlock(&camera->lock);
}

void vd_camera_set_model(vd_camera *camera, const char *model, const char *labels)
{
    char *wanted = vd_text_dup(model), *names = vd_text_dup(labels), *old_model, *old_labels;
    vd_mutex_lock(&camera->lock);
    old_model = camera->wanted_model;
    old_labels = camera->wanted_labels;
    camera->wanted_model = wanted;
    camera->wanted_labels = names;
    camera->model_wanted = true;
    camera->status.model_state = VD_MODEL_LOADING;
    memset(&camera->status.model_error, 0, sizeof camera->status.model_error);
    vd_cond_broadcast(&camera->changed);
    vd_mutex_unlock(&camera->lock);
    free(old_model);
    free(old_labels);
}

static void want_seek_locked(vd_camera *camera, double time_s)
{
    camera->seek_wanted = true;
    camera->seek_s = time_s > 0 ? time_s : 0;
    camera->clock_running = false;
    camera->steps = 0;
}

void vd_camera_set_playing(vd_camera *camera, bool playing)
{
    vd_mutex_lock(&camera->lock);
    if (!camera->is_live && !camera->status.source.is_image) {
        if (playing && camera->status.state == VD_CAMERA_ENDED && camera->status.source.can_seek)
            want_seek_locked(camera, 0);
        camera->playing = playing;
        camera->clock_running = false;
        camera->held_since_ns = 0;
        camera->anchor_s = camera->timeline.shown.at.time_s;
        camera->waiting_since_ns = 0;
        vd_camera_set_state_locked(camera);
        vd_cond_broadcast(&camera->changed);
    }
    vd_mutex_unlock(&camera->lock);
    vd_camera_wake(camera);
}

void vd_camera_step(vd_camera *camera, int frames)
{
    vd_mutex_lock(&camera->lock);
    const vd_frame *shown = camera->timeline.shown.frame;
    if (!camera->is_live && shown && frames != 0) {
        camera->playing = false;
        camera->clock_running = false;
        if (frames > 0) {
            camera->steps += frames;
        } else if (camera->status.source.can_seek) {
            /* Half a frame before this one begins the one ahead of it is on screen. */
            double length =
                camera->status.source.frames_per_s > 0 ? 1 / camera->status.source.frames_per_s : 0.04;
            want_seek_locked(camera, camera->timeline.shown.at.time_s + (frames + 0.5) * length);
        }
        vd_camera_set_state_locked(camera);
        vd_cond_broadcast(&camera->changed);
    }
    vd_mutex_unlock(&camera->lock);
    vd_camera_tell(camera);
}

void vd_camera_seek(vd_camera *camera, double time_s)
{
    vd_mutex_lock(&camera->lock);
    if (!camera->is_live && camera->status.source.can_seek) {
        want_seek_locked(camera, time_s);
        vd_camera_set_state_locked(camera);
        vd_cond_broadcast(&camera->changed);
    }
    vd_mutex_unlock(&camera->lock);
    vd_camera_tell(camera);
}

void vd_camera_set_speed(vd_camera *camera, double speed)
{
    vd_mutex_lock(&camera->lock);
    int64_t now = vd_clock_now_ns();
    camera->anchor_s = vd_camera_now_s_locked(camera, now);
    camera->anchor_ns = now;
    camera->status.speed = fmin(fmax(speed, 0.1), 16);
    vd_cond_broadcast(&camera->changed);
    vd_mutex_unlock(&camera->lock);
}

static void start_recording(vd_camera *camera)
{
    vd_recorder *recorder = NULL;
    vd_error error = {0};
    vd_recorder_options options = VD_RECORDER_OPTIONS_INIT;
    options.folder = camera->recording_folder;
    options.camera = camera->name;
    options.quality = camera->options.recording_quality;
    vd_mutex_lock(&camera->lock);
    options.frames_per_s = camera->status.source.frames_per_s;
    vd_mutex_unlock(&camera->lock);
    int code = vd_recorder_start(&options, &recorder, &error);
    vd_mutex_lock(&camera->lock);
    if (code) {
        camera->status.recorder = (vd_recorder_status){.state = VD_RECORDER_FAILED, .error = error};
    } else if (!camera->recorder) {
        camera->recorder = recorder;
        recorder = NULL;
    }
    vd_mutex_unlock(&camera->lock);
    vd_recorder_free(&recorder); /* one runs already: this one has no frame and no file */
}

void vd_camera_set_recording(vd_camera *camera, bool recording)
{
    if (recording) {
        start_recording(camera);
    } else {
        vd_mutex_lock(&camera->lock);
        vd_camera_end_recording_locked(camera);
        vd_mutex_unlock(&camera->lock);
    }
    vd_camera_wake(camera);
}
