/* The detector: a queue of jobs and the workers that take them. job.c keeps the ledger.
 *
 * Threads: any thread submits, resets and asks for figures; each worker opens, uses and closes a state of its
 * own; the owner makes and frees.
 *
 * Invariants
 * 1. Work comes only when every worker has opened or was left out, so what they share is immutable by then.
 * 2. The epochs of the jobs that a worker takes never fall: a reset reaches it between the jobs of before and
 *    those of after. */
#include "vedette/app/detector.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/queue.h"
#include "base/text.h"
#include "base/thread.h"
#include "detect/candidates.h"
#include "detect/job.h"
#include "detect/kinds.h"
#include "frame/frame.h"
#include "frame/result.h"

enum { MAX_WORKERS = 64, MAX_QUEUE = 4096, SPARE_RESULTS = 8 };

enum worker_state { OPENING, READY, LEFT_OUT };

struct worker {
    vd_detector *detector;
    vd_thread thread;
    /* owned by the worker's thread */
    void *engine;
    uint64_t epoch;
    /* guarded by the detector's lock until the worker has opened, then immutable */
    enum worker_state state;
    vd_labels *labels;
    vd_error error;
};

struct vd_detector {
    /* immutable once vd_detector_new has returned */
    const vd_detector_ops *ops;
    const void *config;
    char name[64];
    float floor;
    vd_model *model; /* NULL unless the detector is a model file */
    vd_labels *labels;
    vd_queue *queue;
    vd_result_pool *results;
    struct worker *workers;
    int worker_count;

    vd_ledger *ledger;

    /* guarded by the ledger's lock */
    vd_cond opened;
    bool has_cond;
    int ready;
};

/* The detectors whose futures this thread is completing right now; freeing one of them would wait for itself.
 */
struct entered {
    const vd_detector *detector;
    const struct entered *outer;
};
static _Thread_local const struct entered *entered;

/* --- A worker's thread */

/* An error that somebody else's function gave must be one. */
static void complete_error(vd_error *error, int code, const vd_frame *frame)
{
    error->code = code < 0 ? code : VD_EFORMAT;
    if (error->text[0] == '\0')
        vd_error_set(error, error->code, error->place, "The detector failed and gave no reason (%s).",
                     vd_code_name(error->code));
    if (error->place[0] == '\0')
        snprintf(error->place, sizeof error->place, "frame %lld", (long long)frame->index);
}

static int detect(struct worker *worker, const vd_job *job, vd_result **ret_result, vd_error *error)
{
    vd_detector *detector = worker->detector;
    const vd_frame *frame = job->frame;
    vd_result *result;
    if (vd_result_pool_take(detector->results, &result))
        return vd_error_set(error, VD_ENOMEM, NULL, "There was not enough memory for a result.");
    result->frame_index = frame->index;
    result->time_s = frame->time_s;
    result->width = frame->image.width;
    result->height = frame->image.height;
    result->queue_ns = vd_clock_now_ns() - job->submitted_ns;
    result->labels = vd_labels_ref(detector->labels);
    result->floor = detector->floor;
    vd_text_copy(result->model, sizeof result->model, detector->name);
    int code = detector->ops->detect(worker->engine, &frame->image, result, error);
    if (code) {
        vd_result_unref(&result);
        return code;
    }
    vd_candidates_sanitise(result);
    *ret_result = result;
    return VD_OK;
}

static void run_job(struct worker *worker, vd_job *job)
{
    if (!vd_job_begin(job))
        return;
    if (job->epoch != worker->epoch && worker->detector->ops->reset)
        worker->detector->ops->reset(worker->engine);
    worker->epoch = job->epoch;
    vd_error error = {0};
    vd_result *result = NULL;
    int code = detect(worker, job, &result, &error);
    if (code == VD_OK) {
        vd_job_succeed(job, result);
    } else {
        complete_error(&error, code, job->frame);
        vd_job_fail(job, &error);
    }
}

static void open_worker(struct worker *worker)
{
    vd_detector *detector = worker->detector;
    vd_labels *labels = NULL;
    vd_error error = {0};
    int code = detector->ops->open(detector->config, &worker->engine, &labels, &error);
    if (code)
        vd_labels_unref(&labels);
    vd_mutex_lock(&detector->ledger->lock);
    worker->state = code ? LEFT_OUT : READY;
    worker->labels = labels;
    worker->error = error;
    worker->error.code = code;
    detector->ready += code == VD_OK;
    vd_cond_broadcast(&detector->opened);
    vd_mutex_unlock(&detector->ledger->lock);
}

static void work(void *context)
{
    struct worker *worker = context;
    vd_detector *detector = worker->detector;
    struct entered here = {.detector = detector};
    void *job;
    entered = &here;
    open_worker(worker);
    if (worker->state != READY)
        return;
    while (vd_queue_take(detector->queue, INT64_MAX, &job) == VD_OK) {
        if (vd_ledger_is_stopping(detector->ledger))
            vd_job_refuse(job);
        else
            run_job(worker, job);
    }
    detector->ops->close(worker->engine);
}

/* --- Making and freeing */

static int check_options(const vd_detector_options *options, vd_error *error)
{
    if (!options->ops && (!options->model || options->model[0] == '\0'))
        return vd_error_set(error, VD_EINVAL, NULL,
                            "No model is given; name a model file, builtin:people or builtin:motion.");
    if (options->max_workers < 1 || options->max_workers > MAX_WORKERS)
        return vd_error_set(error, VD_EINVAL, NULL,
                            "A detector cannot have %d workers; 1 to %d are possible.", options->max_workers,
                            MAX_WORKERS);
    if (options->queue_size < 1 || options->queue_size > MAX_QUEUE)
        return vd_error_set(error, VD_EINVAL, NULL, "A queue of %d pictures is not possible; 1 to %d are.",
                            options->queue_size, MAX_QUEUE);
    if (!(options->floor >= 0.0001f && options->floor <= 1))
        return vd_error_set(error, VD_EINVAL, NULL,
                            "The least score to keep is %g; it must lie between 0.0001 and 1.",
                            (double)options->floor);
    return VD_OK;
}

/* Finds the table for what the options name, and reads the model file if it is one. */
static int choose_ops(vd_detector *detector, const vd_detector_options *options, vd_error *error)
{
    const char *name = NULL;
    int code = VD_OK;
    if (options->ops) {
        detector->ops = options->ops;
        detector->config = options->config;
        name = options->ops->name;
    } else if (strncmp(options->model, "builtin:", 8) == 0) {
        code = vd_builtin_find(options->model, &detector->ops, error);
        name = code ? NULL : detector->ops->name;
    } else {
        code = vd_model_read(options->model, options->labels, &detector->model, error);
        detector->ops = &vd_yolo_ops;
        detector->config = detector->model;
        name = code ? NULL : detector->model->name;
    }
    vd_text_copy(detector->name, sizeof detector->name, name ? name : "detector");
    return code;
}

static int make_parts(vd_detector *detector, const vd_detector_options *options, vd_error *error)
{
    /* Only one worker keeps the pictures of a source in order. */
    detector->worker_count = detector->ops->ordered ? 1 : options->max_workers;
    detector->workers = calloc((size_t)detector->worker_count, sizeof *detector->workers);
    detector->has_cond = vd_cond_init(&detector->opened) == VD_OK;
    if (!detector->workers || !detector->has_cond || vd_ledger_new(&detector->ledger) ||
        vd_queue_new((size_t)options->queue_size, VD_QUEUE_REFUSE, vd_job_refuse, &detector->queue) ||
        vd_result_pool_new(detector->worker_count + SPARE_RESULTS, &detector->results))
        return vd_error_set(error, VD_ENOMEM, NULL, "There was not enough memory for the detector.");
    return VD_OK;
}

static void start_workers(vd_detector *detector)
{
    for (int i = 0; i < detector->worker_count; i++) {
        struct worker *worker = &detector->workers[i];
        char name[24]; /* cut to what the system takes */
        snprintf(name, sizeof name, "vd-detect-%d", i);
        worker->detector = detector;
        if (vd_thread_start(&worker->thread, name, work, worker) == VD_OK)
            continue;
        vd_mutex_lock(&detector->ledger->lock);
        worker->state = LEFT_OUT;
        vd_error_set(&worker->error, VD_ENOMEM, NULL, "The system has no room for another thread.");
        vd_mutex_unlock(&detector->ledger->lock);
    }
}

/* Waits until each worker can work or cannot; the latter are joined. Labels come from the first that has
 * some. */
static int await_workers(vd_detector *detector, vd_error *error)
{
    vd_mutex_lock(&detector->ledger->lock);
    for (int i = 0; i < detector->worker_count; i++)
        while (detector->workers[i].state == OPENING)
            vd_cond_wait(&detector->opened, &detector->ledger->lock);
    int ready = detector->ready;
    vd_mutex_unlock(&detector->ledger->lock);
    for (int i = 0; i < detector->worker_count; i++) {
        struct worker *worker = &detector->workers[i];
        if (worker->state == LEFT_OUT)
            vd_thread_join(&worker->thread);
        else if (!detector->labels)
            detector->labels = vd_labels_ref(worker->labels);
    }
    if (ready > 0)
        return VD_OK;
    const vd_error *first = &detector->workers[0].error;
    int code = first->code < 0 ? first->code : VD_EFORMAT;
    if (first->text[0] == '\0')
        return vd_error_set(error, code, detector->name, "The detector could not be started (%s).",
                            vd_code_name(code));
    if (error) {
        *error = *first;
        error->code = code;
    }
    return code;
}

/* Half-built objects too. The ledger goes with the last job. */
static void free_parts(vd_detector *detector)
{
    for (int i = 0; detector->workers && i < detector->worker_count; i++)
        vd_labels_unref(&detector->workers[i].labels);
    free(detector->workers);
    vd_queue_free(&detector->queue);
    vd_result_pool_free(&detector->results);
    vd_labels_unref(&detector->labels);
    vd_model_free(&detector->model);
    if (detector->has_cond)
        vd_cond_fini(&detector->opened);
    vd_ledger_release(detector->ledger);
    free(detector);
}

int vd_detector_new(const vd_detector_options *options, vd_detector **ret_detector, vd_error *error)
{
    int code = check_options(options, error);
    if (code)
        return code;
    vd_detector *detector = calloc(1, sizeof *detector);
    if (!detector)
        return vd_error_set(error, VD_ENOMEM, NULL, "There was not enough memory for the detector.");
    detector->floor = options->floor;
    code = choose_ops(detector, options, error);
    if (code == VD_OK)
        code = make_parts(detector, options, error);
    if (code == VD_OK) {
        start_workers(detector);
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

int vd_detector_free(vd_detector **pointer)
{
    vd_detector *detector = *pointer;
    if (!detector)
        return VD_OK;
    for (const struct entered *level = entered; level; level = level->outer)
        if (level->detector == detector)
            return VD_EDEADLK;
    vd_ledger_stop(detector->ledger);
    vd_queue_close_push(detector->queue);

    /* What waits is refused here: the workers may be busy for long. */
    struct entered here = {.detector = detector, .outer = entered};
    void *job;
    entered = &here;
    while (vd_queue_take(detector->queue, 0, &job) == VD_OK)
        vd_job_refuse(job);
    entered = here.outer;
    for (int i = 0; i < detector->worker_count; i++)
        vd_thread_join(&detector->workers[i].thread);
    *pointer = NULL;
    free_parts(detector);
    return VD_OK;
}

/* --- Work */

int vd_detector_submit(vd_detector *detector, vd_frame *frame, vd_future **ret_future)
{
    return vd_job_submit(detector->ledger, detector->queue, frame, ret_future);
}

void vd_detector_reset(vd_detector *detector)
{
    vd_ledger_reset(detector->ledger);
}

vd_detector_stats vd_detector_get_stats(vd_detector *detector)
{
    vd_ledger *ledger = detector->ledger;
    vd_mutex_lock(&ledger->lock);
    vd_detector_stats stats = {
        .workers = detector->ready,
        .submitted = ledger->submitted,
        .succeeded = ledger->outcomes[VD_OUTCOME_SUCCEEDED],
        .failed = ledger->outcomes[VD_OUTCOME_FAILED],
        .cancelled = ledger->outcomes[VD_OUTCOME_CANCELLED],
        .pending = ledger->pending,
        .refused = ledger->refused,
        .p50_ns = vd_histogram_percentile_ns(&ledger->latency, 0.50),
        .p95_ns = vd_histogram_percentile_ns(&ledger->latency, 0.95),
        .p99_ns = vd_histogram_percentile_ns(&ledger->latency, 0.99),
        .forward_p50_ns = vd_histogram_percentile_ns(&ledger->forward, 0.50),
    };
    vd_mutex_unlock(&ledger->lock);
    return stats;
}

const char *vd_detector_name(const vd_detector *detector)
{
    return detector->name;
}

const vd_labels *vd_detector_labels(const vd_detector *detector)
{
    return detector->labels;
}
