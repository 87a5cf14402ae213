#include "serve/work.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/text.h"
#include "serve/work_state.h"

/* --- Making and ending */

static int make_items(vd_work *work)
{
    work->room = work->workers * VD_WORK_AHEAD;
    work->items = calloc((size_t)work->room, sizeof *work->items);
    if (!work->items)
        return VD_ENOMEM;
    for (int i = 0; i < work->room; i++) {
        work->items[i].work = work;
        vd_work_push(&work->spare, &work->items[i]);
    }
    return VD_OK;
}

static int make_lock(vd_work *work)
{
    if (vd_mutex_init(&work->lock, VD_RANK_SERVE))
        return VD_ENOMEM;
    if (vd_cond_init(&work->work) == VD_OK)
        return VD_OK;
    vd_mutex_fini(&work->lock);
    return VD_ENOMEM;
}

int vd_work_open(const vd_work_options *options, vd_work **ret_work, vd_error *error)
{
    vd_work *work = calloc(1, sizeof *work);
    if (!work || make_lock(work)) {
        free(work);
        return vd_error_set(error, VD_ENOMEM, NULL, "There is not enough memory for the service.");
    }
    work->limits = options->limits;
    work->wake = options->wake;
    work->context = options->context;
    int code = vd_work_open_models(work, options->serve, error);
    if (code == VD_OK) {
        code = make_items(work);
        work->last_ns = work->measure.since_ns = vd_clock_now_ns();
        if (code == VD_OK)
            code = vd_work_start_threads(work);
        if (code)
            vd_error_set(error, code, NULL, "There is not enough memory for the service's threads.");
    }
    if (code) {
        vd_work_free(&work);
        return code;
    }
    *ret_work = work;
    return VD_OK;
}

static void give_up(vd_work *work, vd_work_list *list)
{
    for (vd_work_item *item = vd_work_pop(list); item; item = vd_work_pop(list)) {
        vd_picture_free(&item->picture);
        vd_job_free(&item->job);
        vd_work_push(&work->spare, item);
    }
}

void vd_work_free(vd_work **pointer)
{
    vd_work *work = *pointer;
    *pointer = NULL;
    if (!work)
        return;
    vd_mutex_lock(&work->lock);
    work->closing = true;
    vd_cond_broadcast(&work->work);
    vd_mutex_unlock(&work->lock);
    vd_work_join_threads(work);
    vd_work_close_models(work);
    give_up(work, &work->waiting);
    give_up(work, &work->decoded);
    for (vd_job *job = vd_work_take(work); job; job = vd_work_take(work))
        vd_job_free(&job);
    vd_cond_fini(&work->work);
    vd_mutex_fini(&work->lock);
    free(work->threads);
    free(work->items);
    free(work);
}

/* --- Jobs in and out */

int vd_work_room(vd_work *work)
{
    vd_mutex_lock(&work->lock);
    int room = work->spare.count;
    vd_mutex_unlock(&work->lock);
    return room;
}

static void append_finished_locked(vd_work *work, vd_job *job)
{
    job->next = NULL;
    *(work->finished_last ? &work->finished_last->next : &work->finished) = job;
    work->finished_last = job;
    work->finished_count++;
}

void vd_work_finish_locked(vd_work_item *item, int code, vd_result *result)
{
    vd_work *work = item->work;
    vd_job *job = item->job;
    job->code = code;
    job->result = result;
    job->finished_ns = vd_clock_now_ns();
    vd_work_note_locked(work, item);
    append_finished_locked(work, job);
    *item = (vd_work_item){.work = work};
    vd_work_push(&work->spare, item);
}

void vd_work_submit(vd_work *work, vd_job *job)
{
    int64_t now_ns = vd_clock_now_ns();
    vd_mutex_lock(&work->lock);
    vd_work_item *item = vd_work_pop(&work->spare);
    if (item) {
        item->job = job;
        item->size = vd_work_size_for(work, job->mode, job->level);
        item->submitted_ns = now_ns;
        vd_work_push(&work->waiting, item);
        work->measure.frames++;
        vd_cond_signal(&work->work);
    } else {
        job->code = vd_error_set(&job->error, VD_EAGAIN, NULL, "The service has no room for a frame.");
        job->finished_ns = now_ns;
        append_finished_locked(work, job);
    }
    vd_mutex_unlock(&work->lock);
    if (!item)
        work->wake(work->context);
}

vd_job *vd_work_take(vd_work *work)
{
    vd_mutex_lock(&work->lock);
    vd_job *job = work->finished;
    if (job) {
        work->finished = job->next;
        work->finished_last = work->finished ? work->finished_last : NULL;
        work->finished_count--;
        job->next = NULL;
    }
    vd_mutex_unlock(&work->lock);
    return job;
}

/* --- What it says of itself */

static void add_stats(vd_detector_stats *sum, const vd_detector_stats *one)
{
    sum->workers += one->workers;
    sum->active += one->active;
    sum->queued += one->queued;
    sum->in_flight += one->in_flight;
    sum->submitted += one->submitted;
    sum->succeeded += one->succeeded;
    sum->failed += one->failed;
    sum->cancelled += one->cancelled;
    sum->pending += one->pending;
    sum->refused += one->refused;
    sum->passes += one->passes;
}

vd_work_stats vd_work_get_stats(vd_work *work)
{
    vd_work_stats stats = {.workers = work->workers, .sizes = work->size_count};
    vd_text_copy(stats.model, sizeof stats.model, vd_detector_name(work->detectors[0]));
    vd_text_copy(stats.engine, sizeof stats.engine, vd_detector_engine(work->detectors[0]));
    stats.detector = vd_detector_get_stats(work->detectors[0]);
    for (int i = 0; i < work->size_count; i++) {
        vd_detector_stats one = vd_detector_get_stats(work->detectors[i]);
        if (i > 0)
            add_stats(&stats.detector, &one);
        stats.inputs[i].width = work->widths[i];
        stats.inputs[i].height = work->heights[i];
    }
    vd_mutex_lock(&work->lock);
    stats.level = work->control.level;
    stats.under_way = work->room - work->spare.count + work->finished_count;
    stats.load = work->load;
    stats.wait_p95_ms = work->wait_p95_ms;
    stats.lowered = work->control.lowered;
    stats.raised = work->control.raised;
    stats.detector.p50_ns = vd_histogram_percentile_ns(&work->detections, 0.5);
    stats.detector.p95_ns = vd_histogram_percentile_ns(&work->detections, 0.95);
    stats.detector.p99_ns = vd_histogram_percentile_ns(&work->detections, 0.99);
    stats.detector.max_ns = work->detections.max_ns;
    stats.detector.forward_p50_ns = vd_histogram_percentile_ns(&work->forwards, 0.5);
    vd_mutex_unlock(&work->lock);
    return stats;
}

vd_thresholds vd_work_thresholds(vd_work *work)
{
    return vd_detector_thresholds(work->detectors[0]);
}

vd_labels *vd_work_labels(vd_work *work)
{
    return vd_labels_ref((vd_labels *)vd_detector_labels(work->detectors[0]));
}
