/* The presenter: decides which frame is on screen when, scales it, and hands it to the window and the
 * recorder.
 *
 * Files have a clock of their own: it starts when the picture's boxes are known far enough ahead, stops for
 * pauses and seeks, and is put back where a frame had to wait for its boxes. Live sources show the newest
 * frame at once (live) or each frame when its boxes are there, at most 250 ms after it came (exact). */
#include <math.h>
#include <string.h>

#include "pipeline/camera_state.h"

/* How long a file waits on its first frame for a model that loads, or for the first boxes. */
#define LONGEST_START_NS (3 * VD_NS_PER_S)
#define SHORTEST_FRAME_S (1.0 / 240)

enum action { WAIT, SHOW, REFRESH };

struct decision {
    enum action action;
    int64_t until_ns; /* of WAIT */
    int64_t due_ns;   /* of SHOW: when it should have been on screen */
};

static struct decision wait_until(int64_t until_ns)
{
    return (struct decision){.action = WAIT, .until_ns = until_ns};
}

static struct decision show(int64_t due_ns)
{
    return (struct decision){.action = SHOW, .due_ns = due_ns};
}

static bool detects_locked(const vd_camera *camera)
{
    return camera->detector != NULL;
}

/* Whether nothing better is to be had for this frame by waiting. */
static bool is_ready_locked(const vd_camera *camera, const struct vd_timeline_entry *entry)
{
    if (!detects_locked(camera))
        return camera->status.model_state != VD_MODEL_LOADING;
    return vd_timeline_is_covered(&camera->timeline, &entry->at);
}

static int64_t due_ns_locked(const vd_camera *camera, double time_s)
{
    return camera->anchor_ns +
           (int64_t)((time_s - camera->anchor_s) / camera->status.speed * (double)VD_NS_PER_S);
}

static void drop_oldest_locked(vd_camera *camera)
{
    vd_timeline_drop(&camera->timeline);
    camera->status.dropped_display++;
    vd_cond_broadcast(&camera->changed); /* there is room for the reader */
}

/* A frame that is due waits for its boxes, but not for ever. */
static struct decision hold_or_show_locked(vd_camera *camera, const struct vd_timeline_entry *head,
                                           int64_t due_ns, int64_t now_ns)
{
    if (camera->held_since_ns == 0)
        camera->held_since_ns = now_ns;
    if (is_ready_locked(camera, head) || now_ns >= camera->held_since_ns + VD_HOLD_NS)
        return show(due_ns);
    return wait_until(camera->held_since_ns + VD_HOLD_NS);
}

/* Live, newest frame at once; what it overtakes was never on screen. */
static struct decision decide_live_locked(vd_camera *camera)
{
    while (camera->timeline.count > 1)
        drop_oldest_locked(camera);
    return show(vd_timeline_peek(&camera->timeline, 0)->frame->arrived_ns);
}

static struct decision decide_exact_locked(vd_camera *camera, int64_t now_ns)
{
    for (;;) {
        const struct vd_timeline_entry *head = vd_timeline_peek(&camera->timeline, 0);
        const struct vd_timeline_entry *second = vd_timeline_peek(&camera->timeline, 1);
        int64_t due = head->frame->arrived_ns + camera->delay_ns, last = head->frame->arrived_ns + VD_HOLD_NS;
        if (!camera->timeline.shown.frame)
            return show(head->frame->arrived_ns); /* the first picture must not wait */
        if (vd_timeline_is_full(&camera->timeline))
            return show(due); /* the next frame would push it out, and so on with every one */
        if (now_ns < due)
            return wait_until(due);
        if (!is_ready_locked(camera, head) && now_ns < last)
            return wait_until(last);
        if (!second || now_ns < second->frame->arrived_ns + camera->delay_ns ||
            !is_ready_locked(camera, second))
            return show(due);
        drop_oldest_locked(camera);
    }
}

/* The span ahead whose boxes must be known before a file's clock starts. */
static bool may_start_locked(const vd_camera *camera, int64_t now_ns)
{
    const vd_timeline *timeline = &camera->timeline;
    bool loading = camera->status.model_state == VD_MODEL_LOADING && !detects_locked(camera);
    if (now_ns >= camera->waiting_since_ns + LONGEST_START_NS)
        return true;
    if (loading)
        return false;
    if (!detects_locked(camera))
        return true;
    const struct vd_timeline_entry *last = vd_timeline_peek(timeline, timeline->count - 1);
    double until = vd_timeline_covered_until_s(timeline, &timeline->shown.at);
    double wanted = timeline->shown.at.time_s + 1.2 * vd_camera_latency_s_locked(camera);
    bool everything = last && (timeline->ended || vd_timeline_is_full(timeline)) && until >= last->at.time_s;
    return vd_timeline_is_covered(timeline, &timeline->shown.at) && (until >= wanted || everything || !last);
}

static void start_clock_locked(vd_camera *camera, int64_t now_ns)
{
    camera->clock_running = true;
    camera->waiting_since_ns = 0;
    camera->anchor_ns = now_ns;
    camera->anchor_s = camera->timeline.shown.at.time_s;
}

/* A new round of a file: its clock goes on where the last frame ends. */
static void join_rounds_locked(vd_camera *camera, const struct vd_timeline_entry *head)
{
    const vd_frame *last = camera->timeline.shown.frame;
    double length = fmax(last->duration_s, SHORTEST_FRAME_S);
    camera->anchor_ns = due_ns_locked(camera, last->time_s + length);
    camera->anchor_s = head->at.time_s;
}

static struct decision decide_playing_locked(vd_camera *camera, int64_t now_ns)
{
    const struct vd_timeline_entry *head = vd_timeline_peek(&camera->timeline, 0);
    if (!camera->clock_running) {
        if (camera->waiting_since_ns == 0)
            camera->waiting_since_ns = now_ns;
        if (!may_start_locked(camera, now_ns))
            return wait_until(camera->waiting_since_ns + LONGEST_START_NS);
        start_clock_locked(camera, now_ns);
    }
    bool next_round = head->at.serial != camera->timeline.shown.at.serial;
    int64_t due = due_ns_locked(camera, head->at.time_s);
    if (next_round)
        due = due_ns_locked(camera, camera->timeline.shown.at.time_s +
                                        fmax(camera->timeline.shown.frame->duration_s, SHORTEST_FRAME_S));
    if (now_ns < due)
        return wait_until(due);
    const struct vd_timeline_entry *second = vd_timeline_peek(&camera->timeline, 1);
    bool late = second && second->at.serial == head->at.serial && !next_round &&
                now_ns >= due_ns_locked(camera, second->at.time_s);
    if (late && camera->held_since_ns == 0 && is_ready_locked(camera, second)) {
        drop_oldest_locked(camera);
        return decide_playing_locked(camera, now_ns);
    }
    struct decision decision =
        detects_locked(camera) ? hold_or_show_locked(camera, head, due, now_ns) : show(due);
    if (decision.action == SHOW && next_round)
        join_rounds_locked(camera, head);
    return decision;
}

static struct decision decide_file_locked(vd_camera *camera, int64_t now_ns)
{
    const struct vd_timeline_entry *head = vd_timeline_peek(&camera->timeline, 0);
    if (!camera->timeline.shown.frame || camera->show_next)
        return hold_or_show_locked(camera, head, now_ns, now_ns);
    if (camera->steps > 0)
        return show(now_ns);
    if (!camera->playing)
        return wait_until(INT64_MAX);
    return decide_playing_locked(camera, now_ns);
}

static struct decision decide_locked(vd_camera *camera, int64_t now_ns)
{
    if (camera->refresh && camera->timeline.shown.frame)
        return (struct decision){.action = REFRESH};
    if (camera->timeline.count == 0)
        return wait_until(INT64_MAX);
    if (!camera->is_live)
        return decide_file_locked(camera, now_ns);
    return camera->status.exact ? decide_exact_locked(camera, now_ns) : decide_live_locked(camera);
}

/* The chosen frame becomes the one shown; clocks and counters follow. */
static void take_frame_locked(vd_camera *camera, const struct decision *decision, int64_t now_ns)
{
    vd_timeline_show(&camera->timeline);
    const vd_frame *frame = camera->timeline.shown.frame;
    if (camera->clock_running && camera->held_since_ns != 0 && now_ns > camera->held_since_ns + VD_NS_PER_MS)
        camera->anchor_ns += now_ns - decision->due_ns; /* it waited for its boxes: the clock waits along */
    if (!camera->clock_running)
        camera->anchor_s = frame->time_s;
    camera->held_since_ns = 0;
    camera->waiting_since_ns = 0;
    camera->show_next = false;
    if (camera->steps > 0)
        camera->steps--;
    camera->status.position_s = frame->time_s;
    camera->status.shown++;
    vd_rate_add(&camera->shown_rate, now_ns);
    int64_t since = camera->is_live ? frame->arrived_ns : decision->due_ns;
    camera->status.picture_age_ms = (double)(now_ns - since) / (double)VD_NS_PER_MS;
    vd_camera_set_state_locked(camera);
    vd_cond_broadcast(&camera->changed);
}

/* What is to be shown, with references of its own, so that the lock can go. */
struct showing {
    vd_view view;
    vd_frame *frame;
    uint64_t order;
    bool is_new;
    int width, height; /* of the picture */
    vd_thresholds thresholds;
    int64_t now_ns;
};

static void fit_size_locked(const vd_camera *camera, const vd_frame *frame, int *ret_width, int *ret_height)
{
    double aspect = frame->aspect_den > 0 ? (double)frame->aspect_num / frame->aspect_den : 1;
    double width = frame->image.width * (aspect > 0 ? aspect : 1), height = frame->image.height;
    double scale = 1;
    if (camera->view_width > 0 && camera->view_height > 0)
        scale = fmin(camera->view_width / width, camera->view_height / height);
    *ret_width = (int)fmin(fmax(nearbyint(width * scale), 1), VD_IMAGE_MAX_SIDE);
    *ret_height = (int)fmin(fmax(nearbyint(height * scale), 1), VD_IMAGE_MAX_SIDE);
}

static void collect_locked(vd_camera *camera, bool is_new, int64_t now_ns, struct showing *showing)
{
    const struct vd_timeline_entry *shown = &camera->timeline.shown;
    const struct vd_timeline_result *before, *after;
    vd_timeline_around(&camera->timeline, &shown->at, &before, &after);
    *showing = (struct showing){.frame = vd_frame_ref(shown->frame),
                                .order = shown->at.order,
                                .is_new = is_new,
                                .thresholds = camera->thresholds,
                                .now_ns = now_ns};
    vd_view *view = &showing->view;
    view->frame_index = shown->frame->index;
    view->time_s = shown->at.time_s;
    view->width = shown->frame->image.width;
    view->height = shown->frame->image.height;
    if (before) {
        view->before = vd_result_ref(before->result);
        view->before_s = before->at.time_s;
    }
    if (after) {
        view->after = vd_result_ref(after->result);
        view->after_s = after->at.time_s;
    }
    vd_camera_show_tracks_locked(camera, &shown->at, view);
    fit_size_locked(camera, shown->frame, &showing->width, &showing->height);
    camera->refresh = false;
}

/* Scales the frame into a picture of the presenter's pool; the last picture serves again when only boxes
 * changed. */
static bool make_picture(vd_camera *camera, struct showing *showing)
{
    const vd_frame *last = camera->picture;
    if (last && camera->picture_order == showing->order && last->image.width == showing->width &&
        last->image.height == showing->height)
        return true;
    vd_frame_unref(&camera->picture);
    if (!camera->pictures ||
        !vd_frame_pool_fits(camera->pictures, VD_PIXEL_BGRX, showing->width, showing->height)) {
        vd_frame_pool_free(&camera->pictures);
        if (vd_frame_pool_new(VD_PIXEL_BGRX, showing->width, showing->height, VD_DISPLAY_PICTURES,
                              &camera->pictures))
            return false;
    }
    if (vd_frame_pool_take(camera->pictures, &camera->picture))
        return false; /* the window holds them all: it is behind, and this one is dropped */
    if (vd_convert_scale(&showing->frame->image, VD_FILTER_GOOD, &camera->scratch, &camera->picture->image)) {
        vd_frame_unref(&camera->picture);
        return false;
    }
    camera->picture_order = showing->order;
    return true;
}

static void publish(vd_camera *camera, struct showing *showing)
{
    bool made = make_picture(camera, showing);
    vd_view old = {0};
    vd_mutex_lock(&camera->lock);
    if (made) {
        showing->view.picture = vd_frame_ref(camera->picture);
        showing->view.image = camera->picture->image;
        showing->view.sequence = ++camera->sequence;
        old = camera->published;
        camera->published = showing->view;
    } else if (showing->is_new) {
        camera->status.shown--;
        camera->status.dropped_display++;
    }
    vd_mutex_unlock(&camera->lock);
    vd_view_clear(made ? &old : &showing->view);
    vd_camera_wake(camera); /* without a picture too: the state may be another */
}

/* What is on screen goes into the recording, boxes and all. */
static void record(vd_camera *camera, const struct showing *showing)
{
    vd_draw_box boxes[VD_MAX_DETECTIONS];
    vd_mutex_lock(&camera->lock);
    bool recording = camera->recorder != NULL;
    vd_mutex_unlock(&camera->lock);
    if (!recording)
        return;
    vd_drawing drawing = {
        .picture_width = showing->view.width, .picture_height = showing->view.height, .boxes = boxes};
    drawing.count = vd_view_get_boxes(&showing->view, &showing->thresholds, boxes, VD_MAX_DETECTIONS);
    vd_mutex_lock(&camera->lock);
    /* Ended meanwhile: then this frame is no longer part of it. */
    if (camera->recorder &&
        vd_recorder_write(camera->recorder, showing->frame, &drawing, showing->now_ns) == VD_ESHUTDOWN)
        vd_camera_end_recording_locked(camera); /* it has failed: its status says why */
    vd_mutex_unlock(&camera->lock);
}

void vd_camera_present(void *context)
{
    vd_camera *camera = context;
    vd_mutex_lock(&camera->lock);
    while (!camera->stopping) {
        int64_t now = vd_clock_now_ns();
        struct decision decision = decide_locked(camera, now);
        if (decision.action == WAIT) {
            vd_cond_wait_until(&camera->changed, &camera->lock, decision.until_ns);
            continue;
        }
        struct showing showing;
        if (decision.action == SHOW)
            take_frame_locked(camera, &decision, now);
        collect_locked(camera, decision.action == SHOW, now, &showing);
        vd_mutex_unlock(&camera->lock);
        if (showing.is_new)
            record(camera, &showing);
        publish(camera, &showing); /* gives the view away */
        vd_frame_unref(&showing.frame);
        vd_camera_feed(camera);
        vd_mutex_lock(&camera->lock);
    }
    vd_mutex_unlock(&camera->lock);
    vd_frame_unref(&camera->picture);
    vd_frame_pool_free(&camera->pictures);
    vd_scratch_fini(&camera->scratch);
}
