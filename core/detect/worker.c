/* Invariants
 * 1. Work comes only when every worker has opened or was left out, so what they share is immutable by then.
 * 2. The epochs of the units that a worker takes never fall within a lane; a reset reaches it between the
 * pictures of before and those of after. */
#include "detect/worker.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/text.h"
#include "detect/candidates.h"

static _Thread_local const struct vd_within *within;

bool vd_worker_is_within(const vd_detector *detector)
{
    for (const struct vd_within *level = within; level; level = level->outer)
        if (level->detector == detector)
            return true;
    return false;
}

void vd_worker_enter(struct vd_within *here, const vd_detector *detector)
{
    *here = (struct vd_within){.detector = detector, .outer = within};
    within = here;
}

void vd_worker_leave(const struct vd_within *here)
{
    within = here->outer;
}

/* --- One unit of work */

/* The worker's working memory for a unit, made once for the largest. */
struct bench {
    vd_outcome *outcomes;
    const vd_image **images; /* of the pictures that can be detected */
    vd_result **results;
    size_t *places; /* in the unit */
    size_t count;
};

static void free_bench(struct bench *bench)
{
    free(bench->outcomes);
    free(bench->images);
    free(bench->results);
    free(bench->places);
}

static int make_bench(size_t chunk, struct bench *bench)
{
    *bench = (struct bench){.outcomes = calloc(chunk, sizeof *bench->outcomes),
                            .images = calloc(chunk, sizeof *bench->images),
                            .results = calloc(chunk, sizeof *bench->results),
                            .places = calloc(chunk, sizeof *bench->places)};
    return bench->outcomes && bench->images && bench->results && bench->places ? VD_OK : VD_ENOMEM;
}

/* An error that somebody else's function gave must be one. */
static void make_error_sane(vd_error *error, int code, const char *what)
{
    error->code = code < 0 ? code : VD_EFORMAT;
    if (error->text[0] == '\0')
        vd_error_set(error, error->code, error->place, "%s, and no reason was given (%s).", what,
                     vd_code_name(error->code));
}

static void complete_error(vd_error *error, int code, const vd_input *input)
{
    make_error_sane(error, code, "The detector failed");
    if (error->place[0] == '\0')
        snprintf(error->place, sizeof error->place, "frame %lld", (long long)input->frame_index);
}

static int make_result(const vd_crew *crew, const vd_request *request, const vd_input *input,
                       vd_result **ret_result, vd_error *error)
{
    vd_result *result;
    if (vd_result_pool_take(crew->results, &result))
        return vd_error_set(error, VD_ENOMEM, NULL, "There was not enough memory for a result.");
    result->frame_index = input->frame_index;
    result->time_s = input->time_s;
    result->width = input->image.width;
    result->height = input->image.height;
    result->queue_ns = vd_clock_now_ns() - request->submitted_ns;
    result->labels = vd_labels_ref(crew->labels);
    result->floor = crew->floor;
    vd_text_copy(result->model, sizeof result->model, crew->name);
    *ret_result = result;
    return VD_OK;
}

/* Sorts out what cannot be detected, before a pass; the rest goes onto the bench. */
static void prepare(const vd_crew *crew, const vd_unit *unit, struct bench *bench)
{
    bench->count = 0;
    for (size_t i = 0; i < unit->count; i++) {
        const vd_input *input = &unit->request->inputs[unit->first + i];
        vd_outcome *outcome = &bench->outcomes[i];
        *outcome = (vd_outcome){0};
        int code = vd_image_validate(&input->image, &outcome->error);
        if (code == VD_OK)
            code = make_result(crew, unit->request, input, &bench->results[bench->count], &outcome->error);
        if (code) {
            complete_error(&outcome->error, code, input);
            continue;
        }
        bench->images[bench->count] = &input->image;
        bench->places[bench->count++] = i;
    }
}

static void detect_alone(const vd_worker *worker, const vd_unit *unit, struct bench *bench, size_t n)
{
    vd_outcome *outcome = &bench->outcomes[bench->places[n]];
    vd_result *result = bench->results[n];
    int code = worker->crew->ops->detect(worker->state, bench->images[n], result, &outcome->error);
    if (code == VD_OK) {
        vd_candidates_sanitise(result);
        outcome->error = (vd_error){0};
        outcome->result = result;
    } else {
        vd_result_unref(&result);
        complete_error(&outcome->error, code, &unit->request->inputs[unit->first + bench->places[n]]);
    }
}

/* What a pass that failed has left in a result is not part of the next one. */
static void empty_result(vd_result *result)
{
    result->count = 0;
    result->input_width = result->input_height = 0;
    result->preprocess_ns = result->forward_ns = result->decode_ns = 0;
    result->nms_done = 0;
}

/* One pass for all of the bench: false when it failed as a whole. */
static bool detect_together(const vd_worker *worker, struct bench *bench)
{
    vd_error error = {0};
    if (bench->count < 2 || !worker->crew->ops->detect_batch)
        return false;
    if (worker->crew->ops->detect_batch(worker->state, bench->images, bench->results, bench->count, &error)) {
        for (size_t n = 0; n < bench->count; n++)
            empty_result(bench->results[n]);
        return false;
    }
    for (size_t n = 0; n < bench->count; n++) {
        vd_candidates_sanitise(bench->results[n]);
        bench->outcomes[bench->places[n]].result = bench->results[n];
    }
    return true;
}

static void run_unit(vd_worker *worker, vd_unit *unit, struct bench *bench)
{
    const vd_crew *crew = worker->crew;
    unsigned passes = 1;
    if (unit->request->epoch != worker->epoch && crew->ops->reset)
        crew->ops->reset(worker->state);
    worker->epoch = unit->request->epoch;
    prepare(crew, unit, bench);
    if (!detect_together(worker, bench)) {
        for (size_t n = 0; n < bench->count; n++)
            detect_alone(worker, unit, bench, n);
        passes = (unsigned)bench->count;
    }
    vd_schedule_finish(crew->schedule, unit, bench->outcomes, passes);
}

/* --- The thread */

static void open_state(vd_worker *worker, struct bench *bench)
{
    vd_crew *crew = worker->crew;
    vd_labels *labels = NULL;
    vd_error error = {0};
    int code = make_bench(crew->chunk, bench);
    if (code)
        vd_error_set(&error, code, NULL, "There was not enough memory for a worker.");
    else
        code = crew->ops->open(crew->config, &worker->state, &labels, &error);
    if (code) {
        make_error_sane(&error, code, "The detector could not be started");
        vd_labels_unref(&labels);
    }
    vd_mutex_lock(&crew->schedule->lock);
    worker->opened = code ? VD_WORKER_LEFT_OUT : VD_WORKER_READY;
    worker->labels = labels;
    if (code)
        worker->error = error;
    crew->schedule->counts.workers += code == VD_OK;
    vd_cond_broadcast(&crew->schedule->room);
    vd_mutex_unlock(&crew->schedule->lock);
}

static void work(void *context)
{
    vd_worker *worker = context;
    struct vd_within here;
    vd_unit unit;
    struct bench bench;
    vd_worker_enter(&here, worker->crew->detector);
    open_state(worker, &bench);
    if (worker->opened == VD_WORKER_READY) {
        while (vd_schedule_take(worker->crew->schedule, &unit))
            run_unit(worker, &unit, &bench);
        worker->crew->ops->close(worker->state);
    }
    vd_worker_leave(&here);
    free_bench(&bench);
}

void vd_worker_start(vd_worker *worker, vd_crew *crew, int number)
{
    char name[24]; /* cut to what the system takes */
    snprintf(name, sizeof name, "vd-detect-%d", number);
    worker->crew = crew;
    if (vd_thread_start(&worker->thread, name, work, worker) == VD_OK)
        return;
    vd_mutex_lock(&crew->schedule->lock);
    worker->opened = VD_WORKER_LEFT_OUT;
    vd_error_set(&worker->error, VD_ENOMEM, NULL, "The system has no room for another thread.");
    vd_mutex_unlock(&crew->schedule->lock);
}

void vd_worker_await(vd_worker *worker)
{
    vd_schedule *schedule = worker->crew->schedule;
    vd_mutex_lock(&schedule->lock);
    while (worker->opened == VD_WORKER_OPENING)
        vd_cond_wait(&schedule->room, &schedule->lock);
    vd_mutex_unlock(&schedule->lock);
    if (worker->opened == VD_WORKER_LEFT_OUT)
        vd_thread_join(&worker->thread);
}
