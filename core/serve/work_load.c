/* What the level of quality follows: how busy decoding and detecting are, how long frames wait. */
#include <string.h>

#include "base/clock.h"
#include "serve/work_state.h"

void vd_work_tick_locked(vd_work *work, int64_t now_ns)
{
    double passed_ns = (double)(now_ns > work->last_ns ? now_ns - work->last_ns : 0);
    work->measure.decode_ns += work->decoding * passed_ns;
    work->measure.detect_ns += work->detecting * passed_ns;
    if (now_ns > work->last_ns)
        work->last_ns = now_ns;
}

/* What a frame waited since its turn came, that neither decoding nor detecting took. */
static int64_t wait_of(const vd_work_item *item)
{
    const vd_job *job = item->job;
    int64_t session_ns = job->due_ns ? job->started_ns - job->due_ns : 0;
    int64_t wait_ns = item->begun_ns - item->submitted_ns;
    if (item->detected_ns)
        wait_ns += item->detected_ns - item->decoded_ns;
    if (job->result)
        wait_ns += job->result->queue_ns;
    return wait_ns + (session_ns > 0 ? session_ns : 0);
}

/* How many times the work of a size another has. */
static double ratio_of(const vd_work *work, int size, int to)
{
    double from_pixels = (double)work->widths[size] * work->heights[size];
    return from_pixels > 0 ? (double)work->widths[to] * work->heights[to] / from_pixels : 1;
}

static void note_better(vd_work *work, const vd_work_item *item)
{
    const vd_job *job = item->job;
    vd_work_measure *measure = &work->measure;
    int better = job->level > 0 ? job->level - 1 : 0;
    double frames =
        vd_quality_step_of(job->mode, better).rate / vd_quality_step_of(job->mode, job->level).rate;
    double pixels = ratio_of(work, item->size, vd_work_size_for(work, job->mode, better));
    measure->took_decode_ns += (double)job->decode_ns;
    measure->took_detect_ns += (double)job->detect_ns;
    measure->better_decode_ns += (double)job->decode_ns * frames;
    measure->better_detect_ns += (double)job->detect_ns * frames * pixels;
}

void vd_work_note_locked(vd_work *work, const vd_work_item *item)
{
    const vd_job *job = item->job;
    if (item->begun_ns)
        vd_histogram_add(&work->measure.waits, wait_of(item));
    if (job->result) {
        vd_histogram_add(&work->detections, job->finished_ns - item->detected_ns);
        vd_histogram_add(&work->forwards, job->result->forward_ns);
    }
    note_better(work, item);
}

/* Detecting has its workers; decoding and detecting together have the cores that they may run on. */
static double load_of(const vd_work *work, double decode_ns, double detect_ns, double passed_ns)
{
    int cores = work->cores < 2 * work->workers ? work->cores : 2 * work->workers;
    double of_workers = detect_ns / (work->workers * passed_ns);
    double of_cores = (decode_ns + detect_ns) / (cores * passed_ns);
    return of_workers > of_cores ? of_workers : of_cores;
}

static vd_quality_sample sample_of(const vd_work *work, int late, int64_t now_ns, double passed_ns)
{
    const vd_work_measure *measure = &work->measure;
    double decode = measure->took_decode_ns > 0 ? measure->better_decode_ns / measure->took_decode_ns : 0;
    double detect = measure->took_detect_ns > 0 ? measure->better_detect_ns / measure->took_detect_ns : 0;
    double load = load_of(work, measure->decode_ns, measure->detect_ns, passed_ns);
    return (vd_quality_sample){
        .now_ns = now_ns,
        .load = load < 1 ? load : 1,
        .better_load = load_of(work, measure->decode_ns * decode, measure->detect_ns * detect, passed_ns),
        .wait_ms = (double)vd_histogram_percentile_ns(&measure->waits, 0.95) / VD_NS_PER_MS,
        .late = late,
        .frames = measure->frames};
}

int vd_work_level(vd_work *work, int late, int64_t now_ns)
{
    vd_mutex_lock(&work->lock);
    vd_work_tick_locked(work, now_ns);
    int64_t passed_ns = now_ns - work->measure.since_ns;
    if (passed_ns > 0) {
        vd_quality_sample sample = sample_of(work, late, now_ns, (double)passed_ns);
        vd_quality_update(&work->control, &sample);
        work->load = sample.load;
        work->wait_p95_ms = sample.wait_ms;
        memset(&work->measure, 0, sizeof work->measure);
        work->measure.since_ns = now_ns;
    }
    int level = work->control.level;
    vd_mutex_unlock(&work->lock);
    return level;
}
