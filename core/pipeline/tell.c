/* What a camera tells its feeds. Detections are told under the camera's lock, where they get their ids;
 * events and states are looked up afterwards, whenever somebody may have changed them, by their revision. */
#include <string.h>

#include "base/text.h"
#include "pipeline/camera_state.h"
#include "pipeline/feed.h"

static void push_to_all_locked(vd_camera *camera, const vd_feed_item *item)
{
    int count = atomic_load_explicit(&camera->feed_count, memory_order_relaxed);
    for (int i = 0; i < count; i++)
        vd_feed_push(camera->feeds[i], item);
}

/* Lets go of those that were closed. */
static int prune_locked(vd_camera *camera)
{
    int count = atomic_load_explicit(&camera->feed_count, memory_order_relaxed), kept = 0;
    for (int i = 0; i < count; i++) {
        vd_feed *feed = camera->feeds[i];
        camera->feeds[i] = NULL;
        if (vd_feed_is_closed(feed))
            vd_feed_unref(&feed);
        else
            camera->feeds[kept++] = feed;
    }
    atomic_store_explicit(&camera->feed_count, kept, memory_order_relaxed);
    return kept;
}

void vd_camera_tell_result_locked(vd_camera *camera, const vd_result *result, double latency_ms)
{
    int count = atomic_load_explicit(&camera->feed_count, memory_order_relaxed);
    bool wanted = false;
    for (int i = 0; i < count && !wanted; i++)
        wanted = vd_feed_wants_detections(camera->feeds[i]);
    if (!wanted)
        return;
    vd_detection detections[VD_MAX_DETECTIONS];
    vd_feed_item item = {.kind = VD_FEED_DETECTIONS,
                         .unix_ms = vd_camera_unix_ms(),
                         .frame_index = result->frame_index,
                         .time_s = result->time_s,
                         .width = result->width,
                         .height = result->height,
                         .input_width = result->input_width,
                         .input_height = result->input_height,
                         .latency_ms = latency_ms,
                         .labels = result->labels, /* the feeds reference it themselves */
                         .detections = detections};
    vd_text_copy(item.model, sizeof item.model, result->model);
    item.detection_count = vd_result_select(result, &camera->thresholds, detections);
    push_to_all_locked(camera, &item);
}

static vd_feed_item item_of_event(const vd_event *event)
{
    vd_feed_item item = {.kind = VD_FEED_EVENT, .unix_ms = vd_camera_unix_ms(), .event = *event};
    item.event.thumbnail = NULL;
    return item;
}

static vd_feed_item item_of_state(const vd_camera *camera)
{
    vd_feed_item item = {
        .kind = VD_FEED_STATE, .unix_ms = vd_camera_unix_ms(), .state = camera->status.state};
    if (item.state == VD_CAMERA_FAILED)
        vd_text_copy(item.reason, sizeof item.reason, camera->status.error.text);
    return item;
}

/* Brings all feeds to the present. */
static void tell_news_locked(vd_camera *camera)
{
    vd_feed_item state = item_of_state(camera);
    if (state.state != camera->told_state || strcmp(state.reason, camera->told_reason) != 0)
        push_to_all_locked(camera, &state);
    camera->told_state = state.state;
    vd_text_copy(camera->told_reason, sizeof camera->told_reason, state.reason);
    uint64_t since = camera->told_revision, id = 0;
    camera->told_revision = vd_event_log_revision(camera->events);
    const vd_event *event;
    while (camera->told_revision > since && (event = vd_event_log_next(camera->events, since, &id))) {
        vd_feed_item item = item_of_event(event);
        push_to_all_locked(camera, &item);
    }
}

/* The feeds that are to be woken, a reference each. */
static int take_due_locked(vd_camera *camera, vd_feed **ret_due)
{
    int count = prune_locked(camera), due = 0;
    for (int i = 0; i < count; i++)
        if (vd_feed_take_due(camera->feeds[i]))
            ret_due[due++] = vd_feed_ref(camera->feeds[i]);
    return due;
}

static void wake_all(vd_feed **due, int count)
{
    for (int i = 0; i < count; i++) {
        vd_feed_wake(due[i]);
        vd_feed_unref(&due[i]);
    }
}

void vd_camera_tell(vd_camera *camera)
{
    if (atomic_load_explicit(&camera->feed_count, memory_order_relaxed) == 0)
        return;
    vd_feed *due[VD_CAMERA_FEEDS];
    vd_mutex_lock(&camera->lock);
    tell_news_locked(camera);
    int count = take_due_locked(camera, due);
    vd_mutex_unlock(&camera->lock);
    wake_all(due, count);
}

void vd_camera_end_feeds(vd_camera *camera)
{
    vd_feed *due[VD_CAMERA_FEEDS];
    vd_mutex_lock(&camera->lock);
    int count = atomic_load_explicit(&camera->feed_count, memory_order_relaxed);
    atomic_store_explicit(&camera->feed_count, 0, memory_order_relaxed);
    for (int i = 0; i < count; i++) {
        vd_feed_end(due[i] = camera->feeds[i]);
        camera->feeds[i] = NULL;
    }
    vd_mutex_unlock(&camera->lock);
    wake_all(due, count);
}

/* --- Subscribing */

static void begin_locked(const vd_camera *camera, vd_feed *feed)
{
    uint64_t id = 0;
    const vd_event *event;
    vd_feed_item item = item_of_state(camera);
    vd_feed_push(feed, &item);
    while ((event = vd_event_log_next(camera->events, 0, &id))) {
        if (event->closed)
            continue;
        item = item_of_event(event);
        vd_feed_push(feed, &item);
    }
}

int vd_camera_subscribe(vd_camera *camera, size_t room, void (*wake)(void *context), void *context,
                        vd_feed **ret_feed)
{
    vd_feed *feed = NULL;
    if (room < 1 || room > VD_FEED_MOST)
        return VD_EINVAL;
    int code = vd_feed_new(room, wake, context, &feed);
    if (code)
        return code;
    vd_mutex_lock(&camera->lock);
    int count = prune_locked(camera);
    bool fits = count < VD_CAMERA_FEEDS && !camera->stopping;
    if (fits) {
        tell_news_locked(camera); /* those who were there first; from here on all hear the same */
        begin_locked(camera, feed);
        camera->feeds[count] = vd_feed_ref(feed);
        atomic_store_explicit(&camera->feed_count, count + 1, memory_order_relaxed);
    }
    vd_mutex_unlock(&camera->lock);
    if (!fits) {
        vd_feed_unref(&feed);
        return VD_ENOMEM;
    }
    vd_camera_tell(camera); /* wakes */
    *ret_feed = feed;
    return VD_OK;
}
