/* From results to tracks and events. Results come in the order of their frames, one at a time; everything
 * here happens under the camera's lock, between a result's arrival and its place in the timeline. */
#include <math.h>
#include <string.h>
#include <time.h>

#include "pipeline/camera_state.h"
#include "pipeline/spans.h"

/* With tracking detections count from here on: a track goes on with what is too weak to start one. */
static const float least_score = 0.1f;

int64_t vd_camera_unix_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void vd_camera_set_scores_locked(vd_camera *camera)
{
    vd_track_options options = camera->options.tracking;
    options.start_score = camera->thresholds.confidence;
    options.keep_score = fminf(least_score, options.start_score);
    vd_tracker_set_options(camera->tracker, &options, NULL);
}

int vd_camera_make_tracks(vd_camera *camera, vd_error *error)
{
    int code = vd_event_rules_validate(&camera->options.rules, error);
    if (code == VD_OK && (camera->options.temporal_size < 2 || camera->options.temporal_size > VD_CLIP_MOST))
        code = vd_error_set(error, VD_EINVAL, NULL, "A clip has %d pictures; it must have 2 to %d.",
                            camera->options.temporal_size, VD_CLIP_MOST);
    if (code == VD_OK)
        code = vd_tracker_new(&camera->options.tracking, &camera->tracker, error);
    if (code == VD_OK && (vd_event_log_new(&camera->events) || vd_result_pool_new(0, &camera->copies) ||
                          vd_frame_pool_new(VD_PIXEL_BGRX, VD_THUMBNAIL_WIDTH, VD_THUMBNAIL_HEIGHT,
                                            VD_EVENT_THUMBNAILS + 4, &camera->thumbnails)))
        code = vd_error_set(error, VD_ENOMEM, NULL, "There is not enough memory for a camera's events.");
    if (code == VD_OK)
        vd_camera_set_scores_locked(camera);
    return code;
}

void vd_camera_free_tracks(vd_camera *camera)
{
    vd_tracker_free(&camera->tracker);
    vd_event_log_free(&camera->events);
    vd_history_fini(&camera->history);
    vd_clip_ring_fini(&camera->clips);
    vd_result_pool_free(&camera->copies);
    vd_frame_pool_free(&camera->thumbnails);
}

void vd_camera_cut_tracks_locked(vd_camera *camera)
{
    vd_tracker_reset(camera->tracker);
    vd_event_log_cut(camera->events);
    vd_history_cut(&camera->history);
    camera->tracked = false;
    camera->status.tracks = 0;
}

void vd_camera_forget_times_locked(vd_camera *camera)
{
    vd_spans_clear(&camera->spans);
    vd_event_log_forget_trails(camera->events);
}

/* The candidates that the tracker gets, with their place in the result: while the choice is made, each
 * carries it as its id. */
static size_t choose(const vd_camera *camera, vd_result *result, vd_detection *chosen, int *places)
{
    vd_thresholds thresholds = camera->thresholds;
    thresholds.confidence = fminf(least_score, thresholds.confidence);
    thresholds.max_detections = VD_MAX_DETECTIONS;
    memset(thresholds.classes, 0, sizeof thresholds.classes); /* ids outlive a change of what is wanted */
    for (size_t i = 0; i < result->count; i++)
        result->candidates[i].track_id = (int)i;
    size_t count = vd_result_select(result, &thresholds, chosen);
    for (size_t i = 0; i < count; i++) {
        places[i] = chosen[i].track_id;
        chosen[i].track_id = 0;
    }
    for (size_t i = 0; i < result->count; i++)
        result->candidates[i].track_id = 0;
    return count;
}

static void write_ids(vd_camera *camera, vd_result *result, const vd_track *tracks, const int *ids,
                      size_t count, const int *places)
{
    camera->status.tracks = 0;
    for (size_t i = 0; i < count; i++) {
        camera->status.tracks += ids[i] > 0;
        if (tracks[i].detection >= 0)
            result->candidates[places[tracks[i].detection]].track_id = ids[i];
    }
}

static size_t update_events_locked(vd_camera *camera, const vd_moment *at, const vd_result *result,
                                   const vd_track *tracks, size_t count, uint64_t *ret_opened)
{
    vd_event_rules rules = camera->rules;
    rules.thresholds = camera->thresholds;
    vd_event_moment moment = {.time_s = at->time_s,
                              .frame_index = result->frame_index,
                              .unix_ms = vd_camera_unix_ms(),
                              .tracks = tracks,
                              .count = count,
                              .labels = result->labels,
                              .comes_again = !camera->is_live};
    /* A file that is wound back opens its events once, and shows them again. */
    moment.known =
        moment.comes_again && vd_spans_look(&camera->spans, at->time_s, camera->tracked_s, camera->tracked);
    return vd_event_log_update(camera->events, &rules, &moment, ret_opened, VD_CAMERA_OPENED);
}

size_t vd_camera_track_locked(vd_camera *camera, const vd_moment *at, vd_result *result, uint64_t *ret_opened)
{
    vd_detection chosen[VD_MAX_DETECTIONS];
    int places[VD_MAX_DETECTIONS], ids[VD_TRACK_TRACKS];
    size_t track_count;
    if (at->serial != camera->track_place) {
        vd_camera_cut_tracks_locked(camera);
        if (!camera->may_reuse) /* another round: its events are new */
            vd_camera_forget_times_locked(camera);
    }
    camera->track_place = at->serial;
    size_t count = choose(camera, result, chosen, places);
    if (vd_tracker_update(camera->tracker, at->time_s, chosen, count, NULL))
        return 0; /* no memory: this frame has no ids */
    const vd_track *tracks = vd_tracker_tracks(camera->tracker, &track_count);
    size_t opened = update_events_locked(camera, at, result, tracks, track_count, ret_opened);
    vd_event_log_ids(camera->events, tracks, track_count, ids);
    write_ids(camera, result, tracks, ids, track_count, places);
    vd_history_update(&camera->history, at->serial, at->time_s, tracks, ids, track_count, chosen);
    camera->tracked_s = at->time_s;
    camera->tracked_ns = vd_clock_now_ns();
    camera->tracked = true;
    return opened;
}

vd_result *vd_camera_copy_result(vd_camera *camera, const vd_result *result)
{
    vd_result *copy = NULL;
    if (vd_result_pool_take(camera->copies, &copy))
        return NULL;
    memcpy(copy, result, offsetof(vd_result, candidates));
    memcpy(copy->candidates, result->candidates, result->count * sizeof result->candidates[0]);
    copy->labels = vd_labels_ref(result->labels);
    return copy;
}

static vd_draw_mark mark_of(const vd_event *event)
{
    switch (event ? event->verdict : VD_VERDICT_NONE) {
    case VD_VERDICT_PENDING:
        return VD_MARK_PENDING;
    case VD_VERDICT_VERIFIED:
        return VD_MARK_VERIFIED;
    case VD_VERDICT_REJECTED:
        return VD_MARK_REJECTED;
    case VD_VERDICT_UNVERIFIED:
        return VD_MARK_UNVERIFIED;
    case VD_VERDICT_NONE:
        break;
    }
    return VD_MARK_NONE;
}

void vd_camera_show_tracks_locked(const vd_camera *camera, const vd_moment *at, vd_view *view)
{
    view->track_count =
        vd_history_show(&camera->history, at->serial, at->time_s, view->tracks, VD_VIEW_TRACKS);
    for (int i = 0; i < view->track_count; i++)
        view->tracks[i].mark = mark_of(vd_event_log_of_track(camera->events, view->tracks[i].track.id));
}
