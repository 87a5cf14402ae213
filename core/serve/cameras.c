/* Cameras and their feeds.
 *
 * Orders (add, remove) are handed over under `lock`; everything else belongs to the service's thread. What a
 * new watcher has to know first is kept beside each camera: its state and its open events. A camera that
 * nobody watches is not asked for detections.
 */
#include "serve/cameras_state.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* Events of which a feed may tell at once fit all into it, so none is lost; detections may be. */
enum { FEED_ROOM = 1024 };
/* What is so many events old has left its camera's log. */
enum { OLDEST_EVENT = 500 };

const char *vd_camera_state_name(vd_camera_state state)
{
    static const char *const names[] = {"connecting", "playing", "paused", "ended", "failed"};
    return (unsigned)state < sizeof names / sizeof *names ? names[state] : "failed";
}

int vd_cameras_new(void (*wake)(void *context), void *context, vd_cameras **ret_cameras)
{
    vd_cameras *cameras = calloc(1, sizeof *cameras);
    if (!cameras || vd_mutex_init(&cameras->lock, VD_RANK_SERVE)) {
        free(cameras);
        return VD_ENOMEM;
    }
    cameras->wake = wake;
    cameras->context = context;
    *ret_cameras = cameras;
    return VD_OK;
}

/* --- Handing over */

static int check_name(const char *name, vd_error *error)
{
    char clean[3 * VD_CAMERA_NAME]; /* a bad byte becomes three */
    size_t length = name ? strlen(name) : 0;
    if (length < 1 || length >= VD_CAMERA_NAME)
        return vd_error_set(error, VD_EINVAL, NULL, "A camera's name must have 1 to %d bytes.",
                            VD_CAMERA_NAME - 1);
    vd_text_clean(clean, sizeof clean, name, length);
    if (strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(clean, name) != 0)
        return vd_error_set(error, VD_EINVAL, NULL,
                            "The camera's name \"%s\" cannot stand in an address: it must be one line of "
                            "UTF-8 without \"/\", and neither \".\" nor \"..\".",
                            clean);
    return VD_OK;
}

static struct vd_camera_order *find_order_locked(const vd_cameras *cameras, const char *name)
{
    struct vd_camera_order *order = cameras->orders;
    while (order && strcmp(order->name, name) != 0)
        order = order->next;
    return order;
}

static int count_adds_locked(const vd_cameras *cameras)
{
    int count = 0;
    for (const struct vd_camera_order *order = cameras->orders; order; order = order->next)
        count += order->feed != NULL;
    return count;
}

/* One order a name: the last one counts. Takes the feed when it succeeds. */
static int hand_over(vd_cameras *cameras, const char *name, vd_feed *feed)
{
    struct vd_camera_order *order = calloc(1, sizeof *order);
    vd_feed *replaced = NULL;
    int code = order ? VD_OK : VD_ENOMEM;
    vd_mutex_lock(&cameras->lock);
    struct vd_camera_order *old = find_order_locked(cameras, name);
    if (old) {
        replaced = old->feed;
        old->feed = feed;
        code = VD_OK;
    } else if (feed && cameras->known + count_adds_locked(cameras) >= VD_CAMERAS_MOST) {
        code = VD_ENOMEM;
    } else if (order) {
        vd_text_copy(order->name, sizeof order->name, name);
        order->feed = feed;
        struct vd_camera_order **last = &cameras->orders;
        while (*last)
            last = &(*last)->next;
        *last = order;
        order = NULL;
    }
    vd_mutex_unlock(&cameras->lock);
    free(order);
    vd_feed_close(&replaced);
    return code;
}

int vd_cameras_add(vd_cameras *cameras, const char *name, vd_camera *camera, vd_error *error)
{
    vd_feed *feed = NULL;
    int code = check_name(name, error);
    if (code)
        return code;
    if (vd_camera_subscribe(camera, FEED_ROOM, cameras->wake, cameras->context, &feed))
        return vd_error_set(error, VD_ENOMEM, name, "There is not enough memory to serve this camera.");
    vd_feed_set_detections(feed, false);
    code = hand_over(cameras, name, feed);
    if (code) {
        vd_feed_close(&feed);
        return vd_error_set(error, code, name, "This camera cannot be served: %d are the most.",
                            VD_CAMERAS_MOST);
    }
    cameras->wake(cameras->context);
    return VD_OK;
}

void vd_cameras_remove(vd_cameras *cameras, const char *name)
{
    if (check_name(name, NULL))
        return;
    hand_over(cameras, name, NULL);
    cameras->wake(cameras->context);
}

/* --- What is known of a camera */

static void forget_open(struct vd_watched *camera, int i)
{
    memmove(&camera->open[i], &camera->open[i + 1],
            (size_t)(--camera->open_count - i) * sizeof camera->open[0]);
}

static void remember_open(struct vd_watched *camera, const vd_feed_item *item)
{
    int i = 0;
    while (camera->open_count > 0 && camera->open[0].event.id + OLDEST_EVENT <= item->event.id)
        forget_open(camera, 0);
    while (i < camera->open_count && camera->open[i].event.id < item->event.id)
        i++;
    bool known = i < camera->open_count && camera->open[i].event.id == item->event.id;
    if (item->event.closed) {
        if (known)
            forget_open(camera, i);
        return;
    }
    if (!known && camera->open_count == camera->open_room) {
        int room = camera->open_room > 0 ? 2 * camera->open_room : 8;
        vd_feed_item *open = reallocarray(camera->open, (size_t)room, sizeof *open);
        if (!open)
            return; /* who comes later does not hear of it before it changes */
        camera->open = open;
        camera->open_room = room;
    }
    if (!known) {
        memmove(&camera->open[i + 1], &camera->open[i],
                (size_t)(camera->open_count++ - i) * sizeof camera->open[0]);
    }
    camera->open[i] = *item; /* events and states own nothing */
}

static void take_item(vd_cameras *cameras, struct vd_watched *camera, vd_feed_item *item)
{
    if (item->kind == VD_FEED_STATE)
        camera->state = *item;
    else if (item->kind == VD_FEED_EVENT)
        remember_open(camera, item);
    vd_watchers_send(cameras, camera, item);
    vd_feed_item_clear(item);
}

static void free_camera(struct vd_watched *camera)
{
    vd_feed_close(&camera->feed);
    free(camera->open);
    free(camera);
}

static void count_known(vd_cameras *cameras)
{
    vd_mutex_lock(&cameras->lock);
    cameras->known = cameras->count;
    vd_mutex_unlock(&cameras->lock);
}

static void drop_camera(vd_cameras *cameras, int i)
{
    struct vd_watched *camera = cameras->list[i];
    memmove(&cameras->list[i], &cameras->list[i + 1],
            (size_t)(--cameras->count - i) * sizeof cameras->list[0]);
    vd_watchers_leave(cameras, camera);
    free_camera(camera);
}

/* Everything that its feed has; false: the camera is closed. */
static bool drain(vd_cameras *cameras, struct vd_watched *camera)
{
    vd_feed_item item;
    int code;
    while ((code = vd_feed_take(camera->feed, &item)) == VD_OK)
        take_item(cameras, camera, &item);
    return code != VD_EEND;
}

int vd_cameras_find(const vd_cameras *cameras, const char *name, bool *ret_found)
{
    int i = 0;
    while (i < cameras->count && strcmp(cameras->list[i]->name, name) < 0)
        i++;
    *ret_found = i < cameras->count && strcmp(cameras->list[i]->name, name) == 0;
    return i;
}

static void follow(vd_cameras *cameras, struct vd_camera_order *order)
{
    bool found;
    int i = vd_cameras_find(cameras, order->name, &found);
    if (found)
        drop_camera(cameras, i);
    struct vd_watched *camera =
        order->feed && cameras->count < VD_CAMERAS_MOST ? calloc(1, sizeof *camera) : NULL;
    if (!camera) {
        vd_feed_close(&order->feed);
        return;
    }
    vd_text_copy(camera->name, sizeof camera->name, order->name);
    camera->feed = order->feed;
    camera->state = (vd_feed_item){.kind = VD_FEED_STATE, .state = VD_CAMERA_CONNECTING};
    memmove(&cameras->list[i + 1], &cameras->list[i],
            (size_t)(cameras->count++ - i) * sizeof cameras->list[0]);
    cameras->list[i] = camera;
}

static void follow_orders(vd_cameras *cameras)
{
    vd_mutex_lock(&cameras->lock);
    struct vd_camera_order *orders = cameras->orders;
    cameras->orders = NULL;
    vd_mutex_unlock(&cameras->lock);
    while (orders) {
        struct vd_camera_order *order = orders;
        orders = order->next;
        follow(cameras, order);
        free(order);
    }
}

void vd_cameras_dispatch(vd_cameras *cameras)
{
    if (cameras->sending > 0)
        return; /* a callback came back to us: the loop around it goes on */
    vd_watchers_begin(cameras);
    follow_orders(cameras);
    for (int i = 0; i < cameras->count;)
        if (drain(cameras, cameras->list[i]))
            i++;
        else
            drop_camera(cameras, i);
    vd_watchers_end(cameras);
    count_known(cameras);
}

void vd_cameras_free(vd_cameras **pointer)
{
    vd_cameras *cameras = *pointer;
    *pointer = NULL;
    if (!cameras)
        return;
    vd_watchers_begin(cameras);
    follow_orders(cameras);
    while (cameras->count > 0)
        drop_camera(cameras, cameras->count - 1);
    vd_watchers_end(cameras);
    for (vd_watcher *watcher = cameras->watchers; watcher; watcher = watcher->next)
        watcher->cameras = NULL; /* theirs to detach */
    vd_mutex_fini(&cameras->lock);
    free(cameras);
}

/* --- What it says */

size_t vd_cameras_count(const vd_cameras *cameras)
{
    return (size_t)cameras->count;
}

vd_camera_entry vd_cameras_at(const vd_cameras *cameras, size_t i)
{
    const struct vd_watched *camera = cameras->list[i];
    return (vd_camera_entry){.name = camera->name,
                             .state = camera->state.state,
                             .reason = camera->state.reason,
                             .open_events = camera->open_count,
                             .watchers = camera->watchers,
                             .dropped = vd_feed_dropped(camera->feed)};
}

int vd_cameras_watchers(const vd_cameras *cameras)
{
    int count = 0;
    for (int i = 0; i < cameras->count; i++)
        count += cameras->list[i]->watchers;
    return count;
}
