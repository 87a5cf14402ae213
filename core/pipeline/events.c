/* Events on their way: their pictures, their clips to stage 2, its verdicts back into the log.
 *
 * The thread `vd-events` is there when there is a verifier. An event waits until its track is 1.6 s old, or
 * has ended, or nothing comes any more; then its clip is submitted, and its verdict asked for until it is
 * there. Everything of the verifier's is called without the camera's lock: with async_enabled false a submit
 * takes as long as the verification. Where stage 2 is so slow that waiting clips leave no picture for new
 * ones, the oldest of this camera are dropped from its queue.
 *
 * Invariants
 * 1. An event in `asked` has no final verdict; one that leaves it has one.
 * 2. One thread at a time reduces pictures: `reducing`, under the lock.
 * 3. An event is counted once: by the verifier that took its request, or in events_unasked. */
#include <math.h>
#include <string.h>

#include "pipeline/camera_state.h"

/* How often verdicts are asked for, and how long an event waits for the rest of its clip when no result
 * comes.
 */
#define POLL_NS (40 * VD_NS_PER_MS)
#define SILENCE_NS VD_NS_PER_S

/* --- Pictures */

/* The part of the picture around a box: a bit more than it, in the thumbnail's shape, whole pixels of colour.
 */
static vd_image view_around(const vd_image *image, const vd_box *box)
{
    double center_x = ((double)box->x1 + (double)box->x2) / 2;
    double center_y = ((double)box->y1 + (double)box->y2) / 2;
    double height =
        fmax(1.3 * ((double)box->y2 - (double)box->y1),
             1.3 * ((double)box->x2 - (double)box->x1) * VD_THUMBNAIL_HEIGHT / VD_THUMBNAIL_WIDTH);
    height = fmin(fmax(height, 32), image->height);
    double width = fmin(height * VD_THUMBNAIL_WIDTH / VD_THUMBNAIL_HEIGHT, image->width);
    int x = (int)fmin(fmax(center_x - width / 2, 0), image->width - width) & ~1;
    int y = (int)fmin(fmax(center_y - height / 2, 0), image->height - height) & ~1;
    vd_image view = *image;
    view.width = (int)fmax(width, 1);
    view.height = (int)fmax(height, 1);
    bool planar = image->format == VD_PIXEL_I420;
    int bytes = image->format == VD_PIXEL_BGRX ? 4 : 1;
    view.planes[0] += (size_t)y * (size_t)view.strides[0] + (size_t)(x * bytes);
    for (int plane = 1; plane < 3 && planar; plane++)
        view.planes[plane] += (size_t)(y / 2) * (size_t)view.strides[plane] + (size_t)(x / 2);
    return view;
}

/* NULL: the window holds more of them than the log has. */
static vd_frame *make_thumbnail(vd_camera *camera, const vd_frame *frame, const vd_box *box,
                                vd_scratch *scratch)
{
    vd_frame *thumbnail = NULL;
    if ((frame->image.format != VD_PIXEL_I420 && frame->image.format != VD_PIXEL_BGRX) ||
        vd_frame_pool_take(camera->thumbnails, &thumbnail))
        return NULL;
    vd_image view = view_around(&frame->image, box);
    if (vd_convert_scale(&view, VD_FILTER_GOOD, scratch, &thumbnail->image))
        vd_frame_unref(&thumbnail);
    return thumbnail;
}

void vd_camera_cut_thumbnails(vd_camera *camera, const vd_frame *frame, const uint64_t *events, size_t count)
{
    vd_scratch scratch = {0};
    for (size_t i = 0; i < count; i++) {
        vd_mutex_lock(&camera->lock);
        const vd_event *event = vd_event_log_find(camera->events, events[i]);
        vd_box box = event ? event->box : (vd_box){0};
        vd_mutex_unlock(&camera->lock);
        vd_frame *thumbnail = event ? make_thumbnail(camera, frame, &box, &scratch) : NULL;
        vd_mutex_lock(&camera->lock);
        bool taken = thumbnail && vd_event_log_set_thumbnail(camera->events, events[i], thumbnail);
        vd_mutex_unlock(&camera->lock);
        if (!taken)
            vd_frame_unref(&thumbnail);
    }
    vd_scratch_fini(&scratch);
    vd_camera_wake(camera);
}

/* The next frame for the ring: live the newest; of a file what detection has reached. Borrowed or NULL. */
static const struct vd_timeline_entry *next_to_reduce_locked(const vd_camera *camera)
{
    const vd_timeline *timeline = &camera->timeline;
    const struct vd_timeline_entry *entry = &timeline->shown;
    if (camera->is_live) {
        entry = timeline->count > 0 ? vd_timeline_peek(timeline, timeline->count - 1) : entry;
        return entry->frame && vd_clip_ring_wants(&camera->clips, &entry->at) ? entry : NULL;
    }
    for (int i = 0; entry; entry = vd_timeline_peek(timeline, i++))
        if (entry->frame && entry->at.order <= timeline->last_submitted &&
            entry->at.order > camera->clips.last.order && vd_clip_ring_wants(&camera->clips, &entry->at))
            return entry;
    return NULL;
}

/* Frees a picture for a frame: first those that only clips of the oldest requests hold, then the ring's own.
 * Without the lock, by who reduces.
 *
 * first  vd_clip_ring_first: a request whose pictures the ring has all would give none back */
static void find_room(vd_camera *camera, const vd_frame *frame, int64_t first)
{
    vd_clip_ring *ring = &camera->clips;
    for (bool more = true; more && vd_clip_ring_is_short(ring, frame);) {
        if (vd_verifier_drop_oldest_of(camera->options.verifier, ring->pool, first))
            continue;
        vd_mutex_lock(&camera->lock);
        more = vd_clip_ring_give_up(ring);
        first = vd_clip_ring_first(ring);
        vd_mutex_unlock(&camera->lock);
    }
}

void vd_camera_reduce(vd_camera *camera)
{
    if (!camera->options.verifier)
        return;
    vd_mutex_lock(&camera->lock);
    const struct vd_timeline_entry *entry;
    while (!camera->reducing && !camera->stopping && (entry = next_to_reduce_locked(camera))) {
        vd_moment at = entry->at;
        vd_frame *frame = vd_frame_ref(entry->frame);
        vd_clip_ring_make_room(&camera->clips, &at, frame);
        int64_t first = vd_clip_ring_first(&camera->clips);
        camera->reducing = true;
        vd_mutex_unlock(&camera->lock);
        find_room(camera, frame, first);
        vd_frame *reduced = vd_clip_ring_reduce(&camera->clips, frame);
        vd_mutex_lock(&camera->lock);
        vd_clip_ring_keep(&camera->clips, &at, frame, reduced);
        camera->reducing = false;
        vd_frame_unref(&frame);
    }
    vd_mutex_unlock(&camera->lock);
}

/* --- Asking */

static void forget_asked_locked(vd_camera *camera, int i)
{
    memmove(&camera->asked[i], &camera->asked[i + 1],
            (size_t)(--camera->asked_count - i) * sizeof camera->asked[0]);
}

/* Stage 2 is never asked about this event. */
static void leave_unasked_locked(vd_camera *camera, uint64_t event, vd_verdict_cause cause)
{
    vd_event_log_set_unverified(camera->events, event, cause);
    camera->status.events_unasked++;
}

void vd_camera_want_verdicts_locked(vd_camera *camera, const uint64_t *events, size_t count)
{
    for (size_t i = 0; i < count && camera->options.verifier; i++) {
        if (camera->asked_count == VD_CAMERA_ASKED) {
            leave_unasked_locked(camera, events[i], VD_CAUSE_DROPPED);
            continue;
        }
        camera->asked[camera->asked_count++] =
            (struct vd_asked){.event = events[i],
                              .track_id = vd_event_log_find(camera->events, events[i])->track_id,
                              .asked_ns = vd_clock_now_ns()};
    }
}

/* Whether the clip of an event is as whole as it gets. */
static bool is_whole_locked(const vd_camera *camera, const struct vd_trace *trace, int64_t now_ns)
{
    return !trace || trace->gone || trace->place != camera->track_place ||
           camera->tracked_s - vd_trace_first_s(trace) >= VD_CLIP_SPAN_S ||
           now_ns - camera->tracked_ns >= SILENCE_NS;
}

/* The first event whose clip can be submitted; -1: none. *ret_next_ns falls to when one may be. */
static int next_to_ask_locked(const vd_camera *camera, int64_t now_ns, int64_t *ret_next_ns)
{
    for (int i = 0; i < camera->asked_count; i++) {
        const struct vd_asked *asked = &camera->asked[i];
        if (asked->request > 0)
            continue;
        if (is_whole_locked(camera, vd_history_find(&camera->history, asked->track_id), now_ns))
            return i;
        *ret_next_ns =
            camera->tracked_ns + SILENCE_NS < *ret_next_ns ? camera->tracked_ns + SILENCE_NS : *ret_next_ns;
    }
    return -1;
}

/* Submits one clip. The lock is held, and given up meanwhile; only this thread removes from `asked`. */
static void ask_locked(vd_camera *camera, int i, vd_verify_clip *clip)
{
    uint64_t event_id = camera->asked[i].event, request = 0;
    const vd_event *event = vd_event_log_find(camera->events, event_id);
    const struct vd_trace *trace = vd_history_find(&camera->history, camera->asked[i].track_id);
    float confidence = event ? event->confidence : 0;
    bool shadow = camera->shadow;
    bool made =
        event && trace && vd_clip_ring_cut(&camera->clips, trace, camera->options.temporal_size, clip);
    int64_t asked_ns = vd_clock_now_ns();
    int code = VD_EAGAIN;
    if (made) {
        vd_mutex_unlock(&camera->lock);
        code = vd_verifier_submit(camera->options.verifier, clip, confidence, &request, NULL);
        vd_clip_clear(clip);
        vd_mutex_lock(&camera->lock);
    }
    if (code == VD_OK) {
        vd_event_log_set_request(camera->events, event_id, request, shadow);
        camera->asked[i].request = request;
        camera->asked[i].asked_ns = asked_ns;
        return;
    }
    leave_unasked_locked(camera, event_id,
                         code == VD_ESHUTDOWN ? VD_CAUSE_STOPPED
                         : made               ? VD_CAUSE_FAILED
                                              : VD_CAUSE_DROPPED);
    forget_asked_locked(camera, i);
}

/* --- Verdicts */

static void take_verdict_locked(vd_camera *camera, int i, const vd_verify_result *result)
{
    bool simple = vd_verdict_is_simple(result->verdict, result->cause);
    double after_s = (double)(vd_clock_now_ns() - camera->asked[i].asked_ns) / (double)VD_NS_PER_S;
    vd_event_log_set_verdict(camera->events, result->id, result->verdict, result->cause,
                             simple ? result->simple_score : result->score, after_s);
    forget_asked_locked(camera, i);
}

/* Asks for every verdict that is outstanding; whether one came. The lock is given up meanwhile. */
static bool take_verdicts_locked(vd_camera *camera)
{
    bool came = false;
    for (int i = 0; i < camera->asked_count; i++) {
        uint64_t request = camera->asked[i].request;
        vd_verify_result result = {
            .id = request, .verdict = VD_VERDICT_UNVERIFIED, .cause = VD_CAUSE_DROPPED};
        if (request == 0)
            continue;
        vd_mutex_unlock(&camera->lock);
        int code = vd_verifier_take(camera->options.verifier, request, 0, &result);
        vd_mutex_lock(&camera->lock);
        if (code == VD_ETIMEOUT)
            continue;
        came = true; /* not found: it fell out of the queue of results before we came */
        take_verdict_locked(camera, i--, &result);
    }
    return came;
}

void vd_camera_ask(void *context)
{
    vd_camera *camera = context;
    vd_verify_clip clip = {0};
    vd_mutex_lock(&camera->lock);
    while (!camera->stopping) {
        int64_t now_ns = vd_clock_now_ns(), next_ns = INT64_MAX;
        int next = next_to_ask_locked(camera, now_ns, &next_ns);
        if (next >= 0)
            ask_locked(camera, next, &clip);
        bool news = take_verdicts_locked(camera) || next >= 0;
        if (news) {
            camera->refresh = true; /* the marks on the picture */
            vd_cond_broadcast(&camera->changed);
            vd_mutex_unlock(&camera->lock);
            vd_camera_wake(camera);
            vd_mutex_lock(&camera->lock);
            continue;
        }
        for (int i = 0; i < camera->asked_count; i++)
            if (camera->asked[i].request > 0 && next_ns > now_ns + POLL_NS)
                next_ns = now_ns + POLL_NS;
        if (!camera->stopping)
            vd_cond_wait_until(&camera->changed, &camera->lock, next_ns);
    }
    vd_mutex_unlock(&camera->lock);
}

/* --- What the window asks and says */

int vd_camera_set_rules(vd_camera *camera, const vd_event_rules *rules, vd_error *error)
{
    int code = vd_event_rules_validate(rules, error);
    if (code)
        return code;
    vd_mutex_lock(&camera->lock);
    camera->rules = *rules;
    vd_mutex_unlock(&camera->lock);
    return VD_OK;
}

void vd_camera_set_shadow(vd_camera *camera, bool shadow)
{
    vd_mutex_lock(&camera->lock);
    camera->shadow = shadow;
    vd_mutex_unlock(&camera->lock);
}

size_t vd_camera_get_events(vd_camera *camera, uint64_t since, uint64_t *ret_revision, vd_event *ret_events,
                            size_t room)
{
    vd_mutex_lock(&camera->lock);
    if (ret_revision)
        *ret_revision = vd_event_log_revision(camera->events);
    size_t count = vd_event_log_get(camera->events, since, ret_events, room);
    vd_mutex_unlock(&camera->lock);
    return count;
}

bool vd_camera_judge(vd_camera *camera, uint64_t id, vd_judgement judgement)
{
    vd_mutex_lock(&camera->lock);
    bool found = vd_event_log_judge(camera->events, id, judgement);
    vd_mutex_unlock(&camera->lock);
    if (found)
        vd_camera_wake(camera);
    return found;
}

vd_event_figures vd_camera_get_event_figures(vd_camera *camera)
{
    vd_mutex_lock(&camera->lock);
    vd_event_figures figures = vd_event_log_figures(camera->events);
    vd_mutex_unlock(&camera->lock);
    return figures;
}
