/* The demonstration with all that a camera makes of it: tracks, events, their clips, verdicts of real
 * workers. All the caller's thread; requests are answered meanwhile. */
#include "bench/verify_scene.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/text.h"
#include "bench/scene.h"
#include "event/event_log.h"
#include "frame/frame.h"
#include "pipeline/clip_ring.h"
#include "scene/scene.h"

enum { LEAST_FRAMES = 30, OPENED_MOST = 64, POOL_FRAMES = 3, MOST_EVENTS = 10000 };
/* After this nothing comes any more: longer than a worker's time-out and a new worker's start. */
#define VERDICT_NS (60 * VD_NS_PER_S)

struct run {
    const vd_bench_verify_scene_options *options;
    vd_detector *detector;
    vd_verifier *verifier;
    vd_tracker *tracker;
    vd_frame_pool *pool;
    vd_verify_clip clip;
    int temporal_size;
    vd_bench_verify_figures figures;
    int64_t request_ns[MOST_EVENTS], opened_ns[MOST_EVENTS];
    size_t verdicts;

    /* of one scene */
    vd_scene *scene;
    uint32_t place; /* its number */
    vd_event_log *log;
    vd_history history;
    vd_clip_ring ring;
    scene_tally tally;
    vd_event_rules rules;
    vd_moment now;
};

static int no_memory(vd_error *error)
{
    return vd_error_set(error, VD_ENOMEM, NULL, "There is not enough memory for the events.");
}

/* --- Requests */

static void note_verdict(struct run *run, scene_event *event, const vd_verify_result *result)
{
    event->done = true;
    event->result = *result;
    run->figures.busy_s += result->processing_s;
    if (run->verdicts == MOST_EVENTS ||
        (result->verdict != VD_VERDICT_VERIFIED && result->verdict != VD_VERDICT_REJECTED))
        return;
    double request_s = result->waited_s + result->processing_s;
    run->request_ns[run->verdicts] = (int64_t)(request_s * (double)VD_NS_PER_S);
    run->opened_ns[run->verdicts++] =
        (int64_t)((event->asked_s - event->opened_s + request_s) * (double)VD_NS_PER_S);
}

/* Without a clip there is no request: unverified, as in a camera. */
static void ask(struct run *run, scene_event *event, const struct vd_trace *trace)
{
    vd_verify_result none = {.verdict = VD_VERDICT_UNVERIFIED, .cause = VD_CAUSE_DROPPED};
    const vd_event *of = vd_event_log_find(run->log, event->id);
    bool made = trace && of && vd_clip_ring_cut(&run->ring, trace, run->temporal_size, &run->clip);
    event->asked_s = run->now.time_s;
    if (!made || vd_verifier_submit(run->verifier, &run->clip, of->confidence, &event->request, NULL))
        note_verdict(run, event, &none);
    vd_clip_clear(&run->clip);
}

/* Asks for those whose clips are whole, or for all at the end of the scene; takes what has come. */
static void follow_requests(struct run *run, bool ended)
{
    for (size_t i = 0; i < run->tally.event_count; i++) {
        scene_event *event = &run->tally.events[i];
        vd_verify_result result;
        if (event->done)
            continue;
        if (event->request == 0) {
            const struct vd_trace *trace = vd_history_find(&run->history, event->track_id);
            if (ended || !trace || trace->gone || run->now.time_s - vd_trace_first_s(trace) >= VD_CLIP_SPAN_S)
                ask(run, event, trace);
        } else if (vd_verifier_take(run->verifier, event->request,
                                    ended ? vd_clock_deadline_ns(VERDICT_NS) : 0, &result) == VD_OK)
            note_verdict(run, event, &result);
    }
}

/* --- Frames */

static void keep_picture(struct run *run, const vd_frame *frame)
{
    if (!vd_clip_ring_wants(&run->ring, &run->now))
        return;
    vd_clip_ring_make_room(&run->ring, &run->now, frame);
    while (vd_clip_ring_is_short(&run->ring, frame) && /* as a camera */
           (vd_verifier_drop_oldest_of(run->verifier, run->ring.pool, vd_clip_ring_first(&run->ring)) ||
            vd_clip_ring_give_up(&run->ring)))
        continue;
    vd_clip_ring_keep(&run->ring, &run->now, frame, vd_clip_ring_reduce(&run->ring, frame));
}

static int open_events(struct run *run, const vd_track *tracks, size_t count, const vd_labels *labels)
{
    uint64_t opened[OPENED_MOST];
    const vd_event_moment moment = {.time_s = run->now.time_s,
                                    .frame_index = (int64_t)run->now.order,
                                    .tracks = tracks,
                                    .count = count,
                                    .labels = labels};
    size_t opened_count = vd_event_log_update(run->log, &run->rules, &moment, opened, OPENED_MOST);
    for (size_t i = 0; i < opened_count; i++)
        if (scene_tally_open(&run->tally, vd_event_log_find(run->log, opened[i])))
            return VD_ENOMEM;
    return VD_OK;
}

static int follow_tracks(struct run *run, const vd_result *result, int64_t index)
{
    static const float least_score = 0.1f; /* as a camera */
    vd_detection found[VD_MAX_DETECTIONS];
    vd_scene_object objects[VD_SCENE_OBJECTS_MOST];
    vd_thresholds thresholds = run->rules.thresholds;
    size_t count, object_count = vd_scene_truth(run->scene, index, objects, VD_SCENE_OBJECTS_MOST);
    thresholds.confidence = fminf(least_score, thresholds.confidence);
    size_t found_count = vd_result_select(result, &thresholds, found);
    if (scene_tally_list(&run->tally, objects, object_count) ||
        vd_tracker_update(run->tracker, run->now.time_s, found, found_count, NULL))
        return VD_ENOMEM;
    const vd_track *tracks = vd_tracker_tracks(run->tracker, &count);
    vd_history_update(&run->history, run->place, run->now.time_s, tracks, NULL, count, found);
    int code = open_events(run, tracks, count, result->labels);
    for (size_t i = 0; i < count && code == VD_OK; i++) {
        const vd_event *event = vd_event_log_of_track(run->log, tracks[i].id);
        if (event && tracks[i].detection >= 0)
            scene_tally_see(&run->tally, event->id, &tracks[i].detected, objects, object_count);
    }
    return code;
}

static int run_frame(struct run *run, const vd_scene_options *scene, int64_t index, vd_error *error)
{
    vd_frame *frame = NULL;
    vd_result *result = NULL;
    run->now = (vd_moment){
        .order = (uint64_t)index + 1, .serial = run->place, .time_s = (double)index / scene->frames_per_s};
    if (vd_frame_pool_take(run->pool, &frame) || vd_scene_render(run->scene, index, &frame->image)) {
        vd_frame_unref(&frame);
        return no_memory(error);
    }
    int code = vd_detector_detect(run->detector, &frame->image, &result, error);
    if (code == VD_OK) {
        keep_picture(run, frame);
        code = follow_tracks(run, result, index) ? no_memory(error) : VD_OK;
        follow_requests(run, false);
    }
    vd_result_unref(&result);
    vd_frame_unref(&frame);
    run->figures.frames++;
    return code;
}

/* --- Scenes */

static void clear_scene(struct run *run)
{
    vd_event_log_free(&run->log);
    vd_history_fini(&run->history);
    run->history = (vd_history){0};
    vd_clip_ring_fini(&run->ring);
    run->ring = (vd_clip_ring){0};
    vd_scene_free(&run->scene);
}

static int run_scene(struct run *run, int64_t seed, vd_error *error)
{
    const vd_scene_options scene = scene_options_of(seed);
    int64_t frames = (int64_t)lround(run->options->seconds * scene.frames_per_s);
    int code = vd_scene_new(&scene, &run->scene, error);
    if (code == VD_OK && vd_event_log_new(&run->log) != VD_OK)
        code = no_memory(error);
    vd_tracker_reset(run->tracker);
    run->place++;
    for (int64_t i = 0; i < frames && code == VD_OK; i++)
        code = vd_cancel_requested(run->options->cancel)
                   ? vd_error_set(error, VD_ECANCELED, NULL, "Cancelled.")
                   : run_frame(run, &scene, i, error);
    if (code == VD_OK) {
        follow_requests(run, true); /* asks … */
        follow_requests(run, true); /* … and waits */
        scene_tally_finish(&run->tally, LEAST_FRAMES, &run->figures);
        run->figures.stream_s += (double)frames / scene.frames_per_s;
    }
    clear_scene(run);
    return code;
}

static int make(struct run *run, vd_error *error)
{
    const vd_scene_options usual = VD_SCENE_OPTIONS_INIT;
    vd_detector_options detector = VD_DETECTOR_OPTIONS_INIT;
    vd_verify_options verify = VD_VERIFY_OPTIONS_INIT;
    vd_track_options track = VD_TRACK_OPTIONS_INIT;
    detector.model = run->options->detector;
    detector.max_workers = 1;
    vd_text_copy(verify.model_path, sizeof verify.model_path, run->options->verifier);
    verify.min_workers = verify.max_workers = run->options->workers;
    run->rules = (vd_event_rules)VD_EVENT_RULES_INIT;
    int code = scene_verify_fit(run->options->verifier, &verify, error);
    run->temporal_size = verify.temporal_size;
    if (code == VD_OK)
        code = vd_detector_new(&detector, &run->detector, error);
    if (code == VD_OK) {
        run->rules.thresholds = vd_detector_thresholds(run->detector);
        track.start_score = run->rules.thresholds.confidence;
        track.keep_score = fminf(track.keep_score, track.start_score);
        code = vd_tracker_new(&track, &run->tracker, error);
    }
    if (code == VD_OK &&
        vd_frame_pool_new(VD_PIXEL_BGRX, usual.width, usual.height, POOL_FRAMES, &run->pool) != VD_OK)
        code = no_memory(error);
    if (code == VD_OK)
        code = vd_verifier_new(&verify, NULL, NULL, &run->verifier, error);
    return code ? code : scene_verify_wait(run->verifier, run->options->workers, error);
}

static void clear(struct run *run)
{
    vd_verifier_free(&run->verifier);
    vd_detector_free(&run->detector);
    vd_tracker_free(&run->tracker);
    vd_frame_pool_free(&run->pool);
    scene_tally_clear(&run->tally);
    free(run);
}

int vd_bench_verify_scene(const vd_bench_verify_scene_options *options, vd_bench_verify_figures *ret_figures,
                          vd_error *error)
{
    struct run *run = calloc(1, sizeof *run);
    if (!run)
        return no_memory(error);
    run->options = options;
    int code = make(run, error);
    int64_t began_ns = vd_clock_now_ns();
    for (int i = 0; i < options->seeds && code == VD_OK; i++)
        code = run_scene(run, options->first_seed + i, error);
    if (code == VD_OK) {
        run->figures.real_s = (double)(vd_clock_now_ns() - began_ns) / (double)VD_NS_PER_S;
        run->figures.request = vd_bench_latency_of(run->request_ns, run->verdicts);
        run->figures.opened = vd_bench_latency_of(run->opened_ns, run->verdicts);
        vd_verifier_stop(run->verifier);
        run->figures.stats = vd_verifier_get_stats(run->verifier);
        *ret_figures = run->figures;
    }
    clear(run);
    return code;
}
