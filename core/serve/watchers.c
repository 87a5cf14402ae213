/* Who watches cameras: what they are sent, and how they come and go.
 *
 * Watchers stand in one list. While messages are sent none is freed: one that is detached meanwhile is only
 * marked, and swept afterwards. */
#include <stdlib.h>
#include <string.h>

#include "serve/cameras_state.h"
#include "serve/message.h"

static void send_text(vd_watcher *watcher, const char *text, size_t size)
{
    char *copy = malloc(size + 1);
    if (copy)
        memcpy(copy, text, size + 1);
    if (!copy || !watcher->listener.send(watcher->listener.context, copy, size))
        watcher->silent = true;
}

void vd_watchers_send(vd_cameras *cameras, const struct vd_watched *camera, const vd_feed_item *item)
{
    char *text = camera->watchers > 0 ? vd_message_write_feed(camera->name, item) : NULL;
    size_t size = text ? strlen(text) : 0;
    for (vd_watcher *watcher = cameras->watchers; text && watcher; watcher = watcher->next)
        if (watcher->camera == camera && !watcher->silent && !watcher->detached)
            send_text(watcher, text, size);
    free(text);
}

void vd_watchers_begin(vd_cameras *cameras)
{
    cameras->sending++;
}

void vd_watchers_end(vd_cameras *cameras)
{
    if (--cameras->sending > 0)
        return;
    for (vd_watcher **link = &cameras->watchers; *link;) {
        vd_watcher *watcher = *link;
        if (!watcher->detached) {
            link = &watcher->next;
            continue;
        }
        *link = watcher->next;
        free(watcher);
    }
}

void vd_watchers_leave(vd_cameras *cameras, const struct vd_watched *camera)
{
    for (vd_watcher *watcher = cameras->watchers; watcher; watcher = watcher->next) {
        if (watcher->camera != camera)
            continue;
        watcher->camera = NULL;
        if (!watcher->silent && !watcher->detached && watcher->listener.ended)
            watcher->listener.ended(watcher->listener.context);
    }
}

/* --- Watching */

/* What it has to know first; false: it cannot take it. */
static bool greet(vd_watcher *watcher)
{
    const struct vd_watched *camera = watcher->camera;
    for (int i = -1; i < camera->open_count && !watcher->silent && !watcher->detached; i++) {
        char *text = vd_message_write_feed(camera->name, i < 0 ? &camera->state : &camera->open[i]);
        if (text)
            send_text(watcher, text, strlen(text));
        else
            watcher->silent = true;
        free(text);
    }
    return !watcher->silent;
}

int vd_watcher_attach(vd_cameras *cameras, const char *name, const vd_watcher_listener *listener,
                      vd_watcher **ret_watcher, vd_error *error)
{
    bool found;
    vd_cameras_dispatch(cameras); /* the newest state */
    int i = vd_cameras_find(cameras, name, &found);
    if (!found)
        return vd_error_set(error, VD_ENOTFOUND, NULL, "There is no camera of this name.");
    vd_watcher *watcher = calloc(1, sizeof *watcher);
    if (!watcher)
        return vd_error_set(error, VD_ENOMEM, NULL, "There is no memory left to watch a camera.");
    watcher->cameras = cameras;
    watcher->camera = cameras->list[i];
    watcher->listener = *listener;
    if (!greet(watcher)) {
        free(watcher);
        return vd_error_set(error, VD_EAGAIN, NULL, "The connection cannot take a message.");
    }
    watcher->next = cameras->watchers;
    cameras->watchers = watcher;
    if (watcher->camera->watchers++ == 0)
        vd_feed_set_detections(watcher->camera->feed, true);
    *ret_watcher = watcher;
    return VD_OK;
}

void vd_watcher_detach(vd_watcher **pointer)
{
    vd_watcher *watcher = *pointer;
    *pointer = NULL;
    if (!watcher)
        return;
    if (!watcher->cameras) {
        free(watcher);
        return;
    }
    watcher->detached = true;
    if (watcher->camera && --watcher->camera->watchers == 0)
        vd_feed_set_detections(watcher->camera->feed, false);
    watcher->camera = NULL;
    vd_watchers_begin(watcher->cameras); /* sweeps it unless messages are being sent */
    vd_watchers_end(watcher->cameras);
}
