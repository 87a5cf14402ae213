/* The detector: makes the crew of workers, hands pictures to the schedule, and ends both.
 *
 *   WORKING  -> STOPPING [vd_detector_shutdown: the schedule is closed]
 *   STOPPING -> STOPPED  [the one who came first has joined the workers; others wait for that]
 */
#include "vedette/detector.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/future.h"
#include "base/text.h"
#include "detect/kinds.h"
#include "detect/options.h"
#include "detect/worker.h"
#include "engine/engine.h"

enum { SPARE_RESULTS = 8, MAX_PICTURES = 1 << 20 /* of one batch */ };

enum stage { WORKING, STOPPING, STOPPED };

struct vd_detector {
    /* immutable once vd_detector_new has returned */
    vd_crew crew;
    vd_model *model; /* NULL unless the detector is a model file, as the two that follow */
    vd_detector_ops network_ops;
    vd_network_config network_config;
    char engine[VD_ENGINE_TEXT];
    vd_worker *workers;
    int worker_count, default_batch_size;

    /* guarded by the schedule's lock; waiters use its `room` */
    enum stage stage;
};

/* --- Making and ending */

/* Reads the model file and chooses how it is computed. */
static int choose_network(vd_detector *detector, const vd_detector_options *options, vd_error *error)
{
    vd_network_config *config = &detector->network_config;
    const vd_model_options wanted = {.labels = options->labels,
                                     .input_width = options->input_width,
                                     .input_height = options->input_height};
    if (!vd_engine_has(options->precision))
        return vd_error_set(error, VD_EUNSUPPORTED, "precision",
                            "precision is bf16, which this processor or build does not have; use fp32.");
    int code = vd_network_device(options->device, &config->device, error);
    if (code == VD_OK)
        code = vd_model_read(options->model, &wanted, &detector->model, error);
    if (code)
        return code;
    config->model = detector->model;
    config->precision = options->precision;
    detector->network_ops = vd_network_ops_for(detector->model);
    detector->crew.ops = &detector->network_ops;
    detector->crew.config = config;
    return VD_OK;
}

/* Finds the table for what the options name. */
static int choose_ops(vd_detector *detector, const vd_detector_options *options, vd_error *error)
{
    vd_crew *crew = &detector->crew;
    const char *name = NULL;
    int code = VD_OK;
    if (options->ops) {
        crew->ops = options->ops;
        crew->config = options->config;
        name = options->ops->name;
    } else if (strncmp(options->model, "builtin:", 8) == 0) {
        code = vd_builtin_find(options->model, &crew->ops, error);
        name = code ? NULL : crew->ops->name;
    } else {
        code = choose_network(detector, options, error);
        name = code ? NULL : detector->model->name;
    }
    vd_text_copy(crew->name, sizeof crew->name, name ? name : "detector");
    return code;
}

static int at_most(int value, int most)
{
    return value < most ? value : most;
}

static int make_parts(vd_detector *detector, const vd_detector_options *options, vd_error *error)
{
    vd_crew *crew = &detector->crew;
    /* Only one worker keeps the pictures of a source in order. */
    detector->worker_count = crew->ops->ordered ? 1 : options->max_workers;
    detector->workers = calloc((size_t)detector->worker_count, sizeof *detector->workers);
    crew->detector = detector;
    crew->floor = options->floor;
    crew->chunk = 1;
    if (crew->ops->detect_batch)
        crew->chunk =
            (size_t)(crew->ops->max_batch > 0 ? at_most(crew->ops->max_batch, VD_MAX_BATCH) : VD_MAX_BATCH);
    if (!detector->workers || vd_schedule_new((size_t)options->queue_size, &crew->schedule) ||
        vd_result_pool_new(detector->worker_count + SPARE_RESULTS, &crew->results))
        return vd_error_set(error, VD_ENOMEM, NULL, "There was not enough memory for the detector.");
    crew->schedule->counts.default_batch_size = detector->default_batch_size = options->default_batch_size;
    return VD_OK;
}

/* Waits until each worker can work or cannot. Labels come from the first that has some, what computes from
 * the first that works: they all choose alike. */
static int await_workers(vd_detector *detector, vd_error *error)
{
    vd_crew *crew = &detector->crew;
    bool any = false;
    for (int i = 0; i < detector->worker_count; i++) {
        vd_worker *worker = &detector->workers[i];
        vd_worker_await(worker);
        if (worker->opened == VD_WORKER_READY && !any && detector->model)
            vd_text_copy(detector->engine, sizeof detector->engine, vd_network_engine(worker->state));
        any = any || worker->opened == VD_WORKER_READY;
        if (worker->opened == VD_WORKER_READY && !crew->labels)
            crew->labels = vd_labels_ref(worker->labels);
    }
    vd_mutex_lock(&crew->schedule->lock);
    crew->schedule->counts.loaded = any;
    vd_mutex_unlock(&crew->schedule->lock);
    if (any)
        return VD_OK;
    const vd_error *first = &detector->workers[0].error;
    if (error)
        *error = *first;
    return first->code;
}

/* Half-built objects too. The schedule goes with the last request. */
static void free_parts(vd_detector *detector)
{
    for (int i = 0; detector->workers && i < detector->worker_count; i++)
        vd_labels_unref(&detector->workers[i].labels);
    free(detector->workers);
    vd_result_pool_free(&detector->crew.results);
    vd_labels_unref(&detector->crew.labels);
    vd_model_free(&detector->model);
    vd_schedule_release(detector->crew.schedule);
    free(detector);
}

int vd_detector_new(const vd_detector_options *given, vd_detector **ret_detector, vd_error *error)
{
    vd_detector_options options = vd_options_resolve(given);
    int code = vd_options_check(&options, error);
    if (code)
        return code;
    vd_detector *detector = calloc(1, sizeof *detector);
    if (!detector)
        return vd_error_set(error, VD_ENOMEM, NULL, "There was not enough memory for the detector.");
    if (options.threads > 0)
        vd_engine_set_threads(options.threads);
    code = choose_ops(detector, &options, error);
    if (code == VD_OK)
        code = make_parts(detector, &options, error);
    if (code == VD_OK) {
        for (int i = 0; i < detector->worker_count; i++)
            vd_worker_start(&detector->workers[i], &detector->crew, i);
        code = await_workers(detector, error);
    }
    if (code) {
        free_parts(detector);
        return code;
    }
    if (detector->model)
        vd_model_drop_file(detector->model); /* every network is made */
    *ret_detector = detector;
    return VD_OK;
}

/* True for the one who is to join the workers; others return when that is done. */
static bool begin_stopping(vd_detector *detector)
{
    vd_schedule *schedule = detector->crew.schedule;
    vd_mutex_lock(&schedule->lock);
    bool first = detector->stage == WORKING;
    if (first)
        detector->stage = STOPPING;
    while (!first && detector->stage != STOPPED)
        vd_cond_wait(&schedule->room, &schedule->lock);
    vd_mutex_unlock(&schedule->lock);
    return first;
}

int vd_detector_shutdown(vd_detector *detector, vd_shutdown_mode mode)
{
    vd_schedule *schedule = detector->crew.schedule;
    struct vd_within here;
    if (vd_worker_is_within(detector))
        return VD_EDEADLK;
    /* Continuations of what is refused run here, the workers may be busy for long. */
    vd_worker_enter(&here, detector);
    vd_schedule_close(schedule, mode == VD_SHUTDOWN_CANCEL);
    vd_worker_leave(&here);
    if (!begin_stopping(detector))
        return VD_OK;
    for (int i = 0; i < detector->worker_count; i++)
        vd_thread_join(&detector->workers[i].thread);
    vd_mutex_lock(&schedule->lock);
    detector->stage = STOPPED;
    vd_cond_broadcast(&schedule->room);
    vd_mutex_unlock(&schedule->lock);
    return VD_OK;
}

int vd_detector_free(vd_detector **pointer)
{
    if (!*pointer)
        return VD_OK;
    int code = vd_detector_shutdown(*pointer, VD_SHUTDOWN_CANCEL);
    if (code)
        return code;
    free_parts(*pointer);
    *pointer = NULL;
    return VD_OK;
}

/* --- Asking */

static int explain(int code, const vd_detector *detector, vd_error *error)
{
    switch (code) {
    case VD_OK:
        return VD_OK;
    case VD_EAGAIN:
    case VD_ETIMEOUT:
        return vd_error_set(error, code, detector->crew.name,
                            "The detector's queue is full: wait, submit less, or make queue_size larger.");
    case VD_ESHUTDOWN:
        return vd_error_set(error, code, detector->crew.name,
                            "The detector is shut down and takes no pictures.");
    case VD_EDEADLK:
        return vd_error_set(error, code, detector->crew.name,
                            "A continuation of the detector must not wait for the detector.");
    default:
        return vd_error_set(error, code, detector->crew.name, "There was not enough memory for the request.");
    }
}

int vd_detector_submit(vd_detector *detector, const vd_input *input, vd_future **ret_future, vd_error *error)
{
    int code = vd_image_validate(input ? &input->image : NULL, error);
    if (code)
        return code;
    return explain(vd_schedule_submit(detector->crew.schedule, input, 1, false, 1, 0, ret_future), detector,
                   error);
}

int vd_detector_submit_wait(vd_detector *detector, const vd_input *input, int64_t timeout_ns,
                            vd_future **ret_future, vd_error *error)
{
    int code = vd_image_validate(input ? &input->image : NULL, error);
    if (code)
        return code;
    if (vd_worker_is_within(detector))
        return explain(VD_EDEADLK, detector, error);
    return explain(vd_schedule_submit(detector->crew.schedule, input, 1, false, 1,
                                      vd_clock_deadline_ns(timeout_ns), ret_future),
                   detector, error);
}

static int submit_batch(vd_detector *detector, const vd_input *inputs, size_t count, int batch_size,
                        int64_t deadline_ns, vd_future **ret_future, vd_error *error)
{
    const vd_crew *crew = &detector->crew;
    int size = batch_size == 0 ? detector->default_batch_size : batch_size;
    int code = vd_options_check_range("batch_size", size, 1, VD_MAX_BATCH, error);
    if (code)
        return code;
    if (!inputs || count == 0 || count > MAX_PICTURES)
        return vd_error_set(error, VD_EINVAL, "count",
                            "A batch of %zu pictures is not possible; 1 to %d are.", inputs ? count : 0,
                            MAX_PICTURES);
    size_t chunk = (size_t)size < crew->chunk ? (size_t)size : crew->chunk;
    code = vd_schedule_submit(crew->schedule, inputs, count, true, chunk, deadline_ns, ret_future);
    return explain(code, detector, error);
}

int vd_detector_submit_batch(vd_detector *detector, const vd_input *inputs, size_t count, int batch_size,
                             vd_future **ret_future, vd_error *error)
{
    return submit_batch(detector, inputs, count, batch_size, 0, ret_future, error);
}

/* Waits for a future and moves its value out. Takes the future. */
static int await_value(vd_future **future, void **ret_value, vd_error *error)
{
    int code = vd_future_wait(*future, -1);
    if (code == VD_OK)
        *ret_value = vd_future_take_value(*future);
    else if (error)
        *error = *vd_future_error(*future);
    vd_future_unref(future);
    return code;
}

int vd_detector_detect(vd_detector *detector, const vd_image *image, vd_result **ret_result, vd_error *error)
{
    if (!image)
        return vd_image_validate(image, error);
    vd_input input = {.image = *image};
    vd_future *future;
    void *value = NULL;
    int code = vd_detector_submit_wait(detector, &input, -1, &future, error);
    if (code == VD_OK)
        code = await_value(&future, &value, error);
    if (code == VD_OK)
        *ret_result = value;
    return code;
}

int vd_detector_detect_batch(vd_detector *detector, const vd_image *images, size_t count, int batch_size,
                             vd_batch **ret_batch, vd_error *error)
{
    if (vd_worker_is_within(detector))
        return explain(VD_EDEADLK, detector, error);
    vd_input *inputs = count > 0 && count <= MAX_PICTURES && images ? calloc(count, sizeof *inputs) : NULL;
    for (size_t i = 0; inputs && i < count; i++)
        inputs[i] = (vd_input){.image = images[i], .frame_index = (int64_t)i};
    if (!inputs && images && count > 0 && count <= MAX_PICTURES)
        return explain(VD_ENOMEM, detector, error);
    vd_future *future;
    void *value = NULL;
    int code = submit_batch(detector, inputs, count, batch_size, INT64_MAX, &future, error);
    free(inputs);
    if (code == VD_OK)
        code = await_value(&future, &value, error);
    if (code == VD_OK)
        *ret_batch = value;
    return code;
}

void vd_detector_reset(vd_detector *detector)
{
    vd_schedule_reset(detector->crew.schedule);
}

/* --- What it says of itself */

vd_detector_stats vd_detector_get_stats(vd_detector *detector)
{
    vd_schedule *schedule = detector->crew.schedule;
    vd_mutex_lock(&schedule->lock);
    vd_detector_stats stats = schedule->counts;
    stats.p50_ns = vd_histogram_percentile_ns(&schedule->latency, 0.50);
    stats.p95_ns = vd_histogram_percentile_ns(&schedule->latency, 0.95);
    stats.p99_ns = vd_histogram_percentile_ns(&schedule->latency, 0.99);
    stats.max_ns = schedule->latency.max_ns;
    stats.forward_p50_ns = vd_histogram_percentile_ns(&schedule->forward, 0.50);
    vd_mutex_unlock(&schedule->lock);
    return stats;
}

const char *vd_detector_name(const vd_detector *detector)
{
    return detector->crew.name;
}

const vd_labels *vd_detector_labels(const vd_detector *detector)
{
    return detector->crew.labels;
}

const char *vd_detector_engine(const vd_detector *detector)
{
    return detector->engine;
}

vd_thresholds vd_detector_thresholds(const vd_detector *detector)
{
    vd_thresholds thresholds = VD_THRESHOLDS_INIT;
    if (detector->model) {
        thresholds.confidence = detector->model->confidence;
        thresholds.iou = detector->model->iou;
    }
    return thresholds;
}

const vd_error *vd_detector_worker_error(const vd_detector *detector, int worker)
{
    static const vd_error none;
    return worker >= 0 && worker < detector->worker_count ? &detector->workers[worker].error : &none;
}
