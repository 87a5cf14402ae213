/* The keeper: what takes long and belongs to no frame. It loads models while the old one runs on, and waits
 * for recordings to end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "pipeline/camera_state.h"
#include "vedette/app/models.h"

static int make_detector(const vd_camera *camera, const char *model, const char *labels,
                         vd_detector **ret_detector, bool *ret_fell_back, vd_error *error)
{
    vd_detector_options options = VD_DETECTOR_OPTIONS_INIT;
    char path[VD_MODEL_PATH];
    int code = camera->options.ops ? VD_OK : vd_model_find(model, path, error);
    if (code)
        return code;
    options.model = camera->options.ops ? model : path;
    options.labels = strcmp(model, VD_MODEL_DEMO) == 0 ? NULL : labels; /* it names its classes itself */
    options.max_workers = 1; /* one picture at a time; the cameras share the cores */
    options.threads = 0;     /* OpenCV's own layers by as many as it likes, oneDNN by the worker's own */
    options.input_width = camera->options.input_width;
    options.input_height = camera->options.input_height;
    options.precision = camera->options.precision;
    options.device = camera->options.device;
    options.ops = camera->options.ops;
    options.config = camera->options.config;
    code = vd_detector_new(&options, ret_detector, error);
    if (code != VD_EUNSUPPORTED || options.precision == VD_PRECISION_FP32)
        return code;
    /* Settings that came from another machine: better watched in float32 than not at all. */
    options.precision = VD_PRECISION_FP32;
    *ret_fell_back = true;
    return vd_detector_new(&options, ret_detector, error);
}

/* Puts the new detector in the old one's place, between two frames; returns the old one. */
static vd_detector *swap_locked(vd_camera *camera, vd_detector *detector, bool fell_back)
{
    vd_camera_status *status = &camera->status;
    vd_detector *old = camera->detector;
    vd_thresholds suited = vd_detector_thresholds(detector);
    camera->detector = detector;
    camera->turn++;
    camera->latency_count = 0;
    vd_timeline_forget_results(&camera->timeline);
    vd_camera_cut_tracks_locked(camera); /* other boxes, other classes */
    vd_camera_forget_times_locked(camera);
    memset(&status->model_error, 0, sizeof status->model_error);
    vd_text_copy(status->model, sizeof status->model, vd_detector_name(detector));
    snprintf(status->engine, sizeof status->engine, "%s%s", vd_detector_engine(detector),
             fell_back ? ": this processor has no bfloat16" : "");
    status->confidence = suited.confidence;
    status->iou = suited.iou;
    status->model_serial++;
    return old;
}

static void load_model(vd_camera *camera, const char *model, const char *labels)
{
    vd_detector *detector = NULL, *old = NULL;
    vd_error error = {0};
    bool fell_back = false;
    int code = make_detector(camera, model, labels, &detector, &fell_back, &error);

    vd_mutex_lock(&camera->lock);
    if (code)
        camera->status.model_error = error;
    else
        old = swap_locked(camera, detector, fell_back);
    if (!camera->model_wanted) /* else a newer one is loaded next */
        camera->status.model_state = code ? VD_MODEL_FAILED : VD_MODEL_READY;
    vd_camera_choose_sync_locked(camera);
    vd_cond_broadcast(&camera->changed);
    vd_mutex_unlock(&camera->lock);

    vd_detector_free(&old); /* its picture under way is finished, and counted as replaced */
    vd_camera_feed(camera);
    vd_camera_wake(camera);
}

/* Ends a recording: waits for what is queued, keeps how it went. */
static void end_recording(vd_camera *camera, vd_recorder *recorder)
{
    vd_recorder_wait(recorder);
    vd_recorder_status last = vd_recorder_get_status(recorder);
    vd_recorder_free(&recorder);
    vd_mutex_lock(&camera->lock);
    camera->status.recorder = last;
    vd_mutex_unlock(&camera->lock);
    vd_camera_wake(camera);
}

void vd_camera_keep(void *context)
{
    vd_camera *camera = context;
    vd_mutex_lock(&camera->lock);
    for (;;) {
        if (camera->finishing_count > 0) {
            vd_recorder *recorder = camera->finishing[0];
            camera->finishing_count--;
            memmove(camera->finishing, camera->finishing + 1,
                    (size_t)camera->finishing_count * sizeof camera->finishing[0]);
            vd_mutex_unlock(&camera->lock);
            end_recording(camera, recorder);
            vd_mutex_lock(&camera->lock);
        } else if (camera->stopping) {
            break;
        } else if (camera->model_wanted) {
            char *model = camera->wanted_model, *labels = camera->wanted_labels;
            camera->wanted_model = camera->wanted_labels = NULL;
            camera->model_wanted = false;
            vd_mutex_unlock(&camera->lock);
            load_model(camera, model, labels);
            free(model);
            free(labels);
            vd_mutex_lock(&camera->lock);
        } else {
            vd_cond_wait(&camera->changed, &camera->lock);
        }
    }
    vd_mutex_unlock(&camera->lock);
}
