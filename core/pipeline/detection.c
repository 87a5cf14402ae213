/* Which frame is detected next, and what happens when its result comes. Runs on the reader, the presenter and
 * the detector's workers, whichever brings news. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/camera_state.h"
#include "vedette/app/detector_frame.h"

/* A camera whose detections take longer than this at p95 cannot hold its picture back for them. */
#define EXACT_LIMIT_NS VD_HOLD_NS
/* Where the choice is ours, half of it: a frame waits for its own detection and for the one before. */
#define AUTO_LIMIT_NS (VD_HOLD_NS / 2)
enum { FEWEST_LATENCIES = 5, RECENT_LATENCIES = 8 };

static int compare_ns(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int known_latencies(const vd_camera *camera)
{
    return camera->latency_count < VD_CAMERA_LATENCIES ? camera->latency_count : VD_CAMERA_LATENCIES;
}

int64_t vd_camera_latency_percentile_locked(const vd_camera *camera, double share)
{
    int64_t sorted[VD_CAMERA_LATENCIES];
    int count = known_latencies(camera);
    if (count == 0)
        return 0;
    memcpy(sorted, camera->latencies, (size_t)count * sizeof sorted[0]);
    qsort(sorted, (size_t)count, sizeof sorted[0], compare_ns);
    return sorted[(int)(share * (count - 1) + 0.5)];
}

double vd_camera_latency_s_locked(const vd_camera *camera)
{
    int64_t longest = 0;
    int count = known_latencies(camera);
    for (int i = 1; i <= count && i <= RECENT_LATENCIES; i++) {
        int64_t latency = camera->latencies[(camera->latency_count - i) % VD_CAMERA_LATENCIES];
        longest = latency > longest ? latency : longest;
    }
    return (double)longest / (double)VD_NS_PER_S;
}

/* Exact or live for a camera; files are always exact. Going back to exact wants some room, so that it does
 * not flicker. */
void vd_camera_choose_sync_locked(vd_camera *camera)
{
    vd_camera_status *status = &camera->status;
    if (!camera->is_live) {
        status->exact = true;
        return;
    }
    bool was_exact = status->exact, known = camera->latency_count >= FEWEST_LATENCIES;
    int64_t p95 = vd_camera_latency_percentile_locked(camera, 0.95);
    int64_t limit = status->sync == VD_SYNC_EXACT ? EXACT_LIMIT_NS : AUTO_LIMIT_NS;
    status->sync_note[0] = '\0';
    if (status->sync == VD_SYNC_LIVE || !camera->detector) {
        status->exact = false;
    } else if (!known) {
        status->exact = status->sync == VD_SYNC_EXACT;
    } else {
        status->exact = p95 <= (was_exact ? limit : limit * 4 / 5);
        if (!status->exact && status->sync == VD_SYNC_EXACT)
            snprintf(status->sync_note, sizeof status->sync_note,
                     "Detection takes %d ms, longer than the 250 ms that a picture is held back: boxes are "
                     "predicted.",
                     (int)(p95 / VD_NS_PER_MS));
    }
}

/* How long a live picture has to be held back for its boxes: the most that was needed lately, sinking slowly.
 * open  the oldest waiting frame whose boxes were not known before this result */
static void learn_delay_locked(vd_camera *camera, const struct vd_timeline_entry *open, int64_t now_ns)
{
    int64_t needed = 0;
    if (open && vd_timeline_is_covered(&camera->timeline, &open->at))
        needed = now_ns - open->frame->arrived_ns;
    camera->delay_ns -= camera->delay_ns / 64;
    if (needed > camera->delay_ns)
        camera->delay_ns = needed;
    if (camera->delay_ns > VD_HOLD_NS)
        camera->delay_ns = VD_HOLD_NS;
}

static const struct vd_timeline_entry *oldest_open_locked(const vd_camera *camera)
{
    const struct vd_timeline_entry *entry = NULL;
    for (int i = 0; (entry = vd_timeline_peek(&camera->timeline, i)); i++)
        if (!vd_timeline_is_covered(&camera->timeline, &entry->at))
            break;
    return entry;
}

/* Takes a result in; the lock is held. `result` NULL: it failed. Returns how many events it opened. */
static size_t take_result_locked(vd_camera *camera, const struct vd_job *job, vd_result *result,
                                 uint64_t *ret_opened)
{
    size_t opened = 0;
    int64_t now = vd_clock_now_ns();
    const vd_timeline *timeline = &camera->timeline;
    const struct vd_timeline_entry *open = oldest_open_locked(camera);
    bool was_covered = timeline->shown.frame && vd_timeline_is_covered(timeline, &timeline->shown.at);
    camera->latencies[camera->latency_count++ % VD_CAMERA_LATENCIES] = now - job->submitted_ns;
    if (result) {
        camera->status.detected++;
        vd_rate_add(&camera->detected_rate, now);
        opened = vd_camera_track_locked(camera, &job->at, result, ret_opened);
        vd_camera_want_verdicts_locked(camera, ret_opened, opened);
        vd_camera_tell_result_locked(camera, result,
                                     (double)(now - job->submitted_ns) / (double)VD_NS_PER_MS);
    } else {
        camera->status.failed_detection++;
    }
    vd_timeline_add_result(&camera->timeline, &job->at, result);
    learn_delay_locked(camera, open, now);
    vd_camera_choose_sync_locked(camera);
    bool own = timeline->shown.frame && timeline->shown.at.order == job->at.order;
    if (own ||
        (!was_covered && timeline->shown.frame && vd_timeline_is_covered(timeline, &timeline->shown.at)))
        camera->refresh = true;
    return opened;
}

/* The continuation of every submitted frame. */
static void on_result(void *context, vd_future *future)
{
    struct vd_job *job = context;
    vd_camera *camera = job->camera;
    vd_result *result = vd_future_value(future);
    const vd_error *error = vd_future_error(future);
    bool dropped = error && (error->code == VD_ECANCELED || error->code == VD_ESHUTDOWN);
    uint64_t opened[VD_CAMERA_OPENED];
    size_t opened_count = 0;
    vd_mutex_lock(&camera->lock);
    vd_frame *frame = job->frame;
    camera->under_way--;
    job->busy = false;
    if (job->turn == camera->turn && !dropped)
        opened_count = take_result_locked(camera, job, result ? vd_result_ref(result) : NULL, opened);
    else
        camera->status.replaced_detection++;
    vd_cond_broadcast(&camera->changed);
    vd_mutex_unlock(&camera->lock);
    vd_camera_tell(camera);
    if (opened_count > 0)
        vd_camera_cut_thumbnails(camera, frame, opened, opened_count);
    vd_frame_unref(&frame);
    if (!dropped)
        vd_camera_feed(camera);
}

static const struct vd_timeline_entry *choose_of_file_locked(const vd_camera *camera)
{
    bool hurry = camera->playing; /* while paused every frame gets its turn */
    return vd_timeline_next_of_file(&camera->timeline, vd_camera_now_s_locked(camera, vd_clock_now_ns()),
                                    hurry ? vd_camera_latency_s_locked(camera) * camera->status.speed : 0);
}

/* What a frame gave before a seek serves again, with the ids of now: in a copy, because it is shared. */
static void recall_locked(vd_camera *camera, const vd_moment *at, vd_result *known)
{
    uint64_t opened[VD_CAMERA_OPENED];
    vd_result *copy = vd_camera_copy_result(camera, known);
    if (copy) {
        size_t count = vd_camera_track_locked(camera, at, copy, opened);
        vd_camera_want_verdicts_locked(camera, opened, count);
        vd_camera_tell_result_locked(camera, copy, 0);
    }
    vd_timeline_add_result(&camera->timeline, at, copy ? copy : vd_result_ref(known));
}

/* The next frame to detect. One that was detected before a seek takes its result along. */
static const struct vd_timeline_entry *choose_locked(vd_camera *camera)
{
    if (camera->is_live)
        return vd_timeline_next_live(&camera->timeline);
    for (;;) {
        const struct vd_timeline_entry *entry = choose_of_file_locked(camera);
        vd_result *known =
            entry && camera->may_reuse ? vd_timeline_recall(&camera->timeline, &entry->at) : NULL;
        if (!known)
            return entry;
        vd_timeline_mark_submitted(&camera->timeline, entry);
        recall_locked(camera, &entry->at, known);
        camera->refresh = camera->refresh || entry == &camera->timeline.shown;
        vd_cond_broadcast(&camera->changed);
    }
}

/* Frames of another place or round have nothing to do with those before: background models start anew. */
static void tell_place_locked(vd_camera *camera, const struct vd_timeline_entry *entry)
{
    if (entry->at.serial != camera->place)
        vd_detector_reset(camera->detector);
    camera->place = entry->at.serial;
}

/* Submits one frame; the future of it, or NULL when there is nothing to do. */
static vd_future *submit_locked(vd_camera *camera, struct vd_job **ret_job)
{
    vd_future *future = NULL;
    if (camera->stopping || !camera->detector || camera->under_way > 0)
        return NULL;
    const struct vd_timeline_entry *entry = choose_locked(camera);
    if (!entry)
        return NULL;
    tell_place_locked(camera, entry);
    struct vd_job *job = camera->jobs;
    while (job->busy)
        job++; /* there are more slots than jobs under way */
    if (vd_detector_submit_frame(camera->detector, entry->frame, VD_PRIORITY_INTERACTIVE, &future))
        return NULL; /* full: the next frame or result asks again */
    *job = (struct vd_job){.busy = true,
                           .camera = camera,
                           .frame = vd_frame_ref(entry->frame),
                           .at = entry->at,
                           .turn = camera->turn,
                           .submitted_ns = vd_clock_now_ns()};
    vd_timeline_mark_submitted(&camera->timeline, entry);
    camera->under_way++;
    camera->status.asked_detection++;
    *ret_job = job;
    return future;
}

void vd_camera_feed(vd_camera *camera)
{
    struct vd_job *job = NULL;
    vd_mutex_lock(&camera->lock);
    vd_future *future = submit_locked(camera, &job);
    vd_mutex_unlock(&camera->lock);
    vd_camera_tell(camera); /* of what was recalled */
    vd_camera_reduce(camera);
    if (!future)
        return;
    vd_future_then(future, on_result, job); /* the first continuation needs no memory: it cannot fail */
    vd_future_unref(&future);
}
