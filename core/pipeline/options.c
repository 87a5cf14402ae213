/* From the settings to what tracking, events and stage 2 are told. */
#include <string.h>

#include "base/text.h"
#include "vedette/app/camera.h"
#include "vedette/app/models.h"

void vd_camera_options_from_settings(const vd_settings *settings, vd_camera_options *options)
{
    vd_track_options_set_lost(&options->tracking, settings->track_lost_s);
    options->tracking.confirm_s = settings->event_confirm_s;
    options->rules.confirm_s = settings->event_confirm_s;
    options->rules.absence_s = settings->event_absence_s;
    options->rules.parked_s = settings->event_parked_s;
    options->rules.least_size_px = settings->event_least_size_px;
    options->temporal_size = settings->step2.temporal_size;
    options->shadow = settings->step2.shadow;
}

/* The file behind the name. A name behind which there is none stays: whoever opens it tells why. */
static void find_model(const char *name, vd_verify_options *options)
{
    char path[VD_MODEL_PATH];
    bool found =
        vd_model_find_verifier(name, path, NULL) == VD_OK && strlen(path) < sizeof options->model_path;
    vd_text_copy(options->model_path, sizeof options->model_path, found ? path : name);
}

bool vd_verify_options_from_settings(const vd_settings *settings, vd_verify_options *ret_options)
{
    const vd_step2_settings *step2 = &settings->step2;
    const vd_step2_sizes sizes = vd_step2_get_sizes(step2);
    vd_verify_options options = VD_VERIFY_OPTIONS_INIT;
    options.async_enabled = step2->async_enabled;
    find_model(step2->model_path, &options);
    vd_text_copy(options.model_type, sizeof options.model_type, step2->model_type);
    options.threshold = step2->verification_threshold;
    options.input_width = step2->input_size[0];
    options.input_height = step2->input_size[1];
    options.temporal_size = step2->temporal_size;
    options.min_workers = step2->min_workers;
    options.max_workers = sizes.max_workers;
    options.queue_size = sizes.queue_size;
    options.result_queue_size = sizes.result_queue_size;
    options.worker_timeout_s = step2->worker_timeout_s;
    if (options.min_workers > options.max_workers && !step2->min_workers_given)
        options.min_workers = options.max_workers;
    *ret_options = options;
    return step2->enabled && (step2->enabled_given || step2->model_path[0] != '\0');
}
