/* The detector: makes the crew of workers, hands pictures to the schedule, and ends both.
 *
 *   WORKING  -> STOPPING [vd_detector_shutdown: the schedule is closed]
 *   STOPPING -> STOPPED  [the one who came first has joined the workers; others wait for that]
 */
#include "vedette/detector.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/cores.h"
#include "base/future.h"
#include "base/text.h"
#include "detect/kinds.h"
#include "detect/worker.h"
#include "engine/engine.h"
#include "frame/frame.h"
#include "vedette/app/detector_frame.h"

enum { MAX_WORKERS = 64, MAX_THREADS = 64, MAX_QUEUE = 4096, MAX_BATCH = 1024, SPARE_RESULTS = 8 };
enum { MAX_PICTURES = 1 << 20 }; /* of one batch */

enum stage { WORKING, STOPPING, STOPPED };

struct vd_detector {
    /* immutable once vd_detector_new has returned */
    vd_crew crew;
    vd_model *model; /* NULL unless the detector is a model file */
    vd_worker *workers;
    int worker_count, default_batch_size;

    /* guarded by the schedule's lock; waiters use its `room` */
    enum stage stage;
};

/* --- Options */

static int at_most(int value, int most)
{
    return value < most ? value : most;
}

/* Fills in what the caller left to the preset. */
static vd_detector_options resolve(const vd_detector_options *given)
{
    static const int batches[] = {16, 4, 16, 32};
    vd_detector_options options = *given;
    int cores = vd_cores_usable();
    int workers[] = {at_most(cores, 4), at_most(cores, 2), at_most(cores, 4), at_most(cores, 8)};
    int preset =
        (int)options.preset >= 0 && options.preset <= VD_PRESET_HIGH_THROUGHPUT ? (int)options.preset : 0;
    if (options.max_workers == 0)
        options.max_workers = workers[preset];
    if (options.default_batch_size == 0)
        options.default_batch_size = batches[preset];
    return options;
}

static int check_range(const char *what, int value, int least, int most, vd_error *error)
{
    if (value >= least && value <= most)
        return VD_OK;
    return vd_error_set(error, VD_EINVAL, what, "%s is %d; it must be %d to %d.", what, value, least, most);
}

static int check_options(const vd_detector_options *options, vd_error *error)
{
    if (!options->ops && (!options->model || options->model[0] == '\0'))
        return vd_error_set(error, VD_EINVAL, NULL,
                            "No model is given; name a model file, builtin:people or builtin:motion.");
    if (options->ops && (!options->ops->open || !options->ops->detect || !options->ops->close))
        return vd_error_set(error, VD_EINVAL, NULL,
                            "A table of detector functions needs open, detect and close.");
    int code = check_range("preset", (int)options->preset, 0, VD_PRESET_HIGH_THROUGHPUT, error);
    if (code == VD_OK)
        code = check_range("max_workers", options->max_workers, 1, MAX_WORKERS, error);
    if (code == VD_OK)
        code = check_range("default_batch_size", options->default_batch_size, 1, MAX_BATCH, error);
    if (code == VD_OK)
        code = check_range("threads", options->threads, 0, MAX_THREADS, error);
    if (code == VD_OK)
        code = check_range("queue_size", options->queue_size, 1, MAX_QUEUE, error);
    if (code == VD_OK && !(options->floor >= 0.0001f && options->floor <= 1))
        code = vd_error_set(error, VD_EINVAL, "floor", "floor is %g; it must be 0.0001 to 1.",
                            (double)options->floor);
    return code;
}

/* --- Making and ending */

/* Finds the table for what the options name, and reads the model file if it is one. */
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
        code = vd_model_read(options->model, options->labels, &detector->model, error);
        crew->ops = &vd_yolo_ops;
        crew->config = detector->model;
        name = code ? NULL : detector->model->name;
    }
    vd_text_copy(crew->name, sizeof crew->name, name ? name : "detector");
    return code;
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
            (size_t)(crew->ops->max_batch > 0 ? at_most(crew->ops->max_batch, MAX_BATCH) : MAX_BATCH);
    if (!detector->workers || vd_schedule_new((size_t)options->queue_size, &crew->schedule) ||
        vd_result_pool_new(detector->worker_count + SPARE_RESULTS, &crew->results))
        return vd_error_set(error, VD_ENOMEM, NULL, "There was not enough memory for the detector.");
    crew->schedule->counts.default_batch_size = detector->default_batch_size = options->default_batch_size;
    return VD_OK;
}

/* Waits until each worker can work or cannot. Labels come from the first that has some. */
static int await_workers(vd_detector *detector, vd_error *error)
{
    vd_crew *crew = &detector->crew;
    bool any = false;
    for (int i = 0; i < detector->worker_count; i++) {
        vd_worker *worker = &detector->workers[i];
        vd_worker_await(worker);
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
    vd_detector_options options = resolve(given);
    int code = check_options(&options, error);
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
    int code = check_range("batch_size", size, 1, MAX_BATCH, error);
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

static void release_frame(void *context)
{
    vd_frame *frame = context;
    vd_frame_unref(&frame);
}

static vd_input input_of(vd_frame *frame, vd_priority priority)
{
    return (vd_input){.image = frame->image,
                      .release = release_frame,
                      .context = vd_frame_ref(frame),
                      .priority = priority,
                      .frame_index = frame->index,
                      .time_s = frame->time_s};
}

int vd_detector_submit_frame(vd_detector *detector, vd_frame *frame, vd_priority priority,
                             vd_future **ret_future)
{
    vd_input input = input_of(frame, priority);
    int code = vd_detector_submit(detector, &input, ret_future, NULL);
    if (code)
        release_frame(input.context);
    return code;
}

int vd_detector_submit_frames(vd_detector *detector, vd_frame *const *frames, size_t count,
                              vd_priority priority, vd_future **ret_future)
{
    vd_input inputs[VD_MAX_FRAME_BATCH];
    if (count < 1 || count > VD_MAX_FRAME_BATCH)
        return VD_EINVAL;
    for (size_t i = 0; i < count; i++)
        inputs[i] = input_of(frames[i], priority);
    int code = vd_detector_submit_batch(detector, inputs, count, (int)count, ret_future, NULL);
    for (size_t i = 0; code && i < count; i++)
        release_frame(inputs[i].context);
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

const vd_error *vd_detector_worker_error(const vd_detector *detector, int worker)
{
    static const vd_error none;
    return worker >= 0 && worker < detector->worker_count ? &detector->workers[worker].error : &none;
}
