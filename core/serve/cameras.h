/* This machine's cameras for those who watch them: each camera's feed as messages, to every watcher of it.
 *
 * A watcher is a connection (WebSocket or SSE) that wants a camera's messages. It gets the camera's state and
 * its open events first, then everything as it comes:
 *   {"type":"state",…}  {"type":"event",…}  {"type":"detections",…}       (vd_message_write_feed)
 *
 * Cameras are added and removed by any thread, which hands them over; everything else belongs to the
 * service's thread. Feeds and hand-overs call `wake`, upon which the service calls vd_cameras_dispatch. */
#ifndef VD_SERVE_CAMERAS_H
#define VD_SERVE_CAMERAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vedette/app/camera.h"
#include "vedette/app/feed.h"
#include "vedette/error.h"

typedef struct vd_cameras vd_cameras;
typedef struct vd_watcher vd_watcher;

enum { VD_CAMERA_NAME = 96, VD_CAMERAS_MOST = 64 };

/* wake  something waits for vd_cameras_dispatch; any thread; must only set a flag or write a byte
 * VD_OK or VD_ENOMEM. */
int vd_cameras_new(void (*wake)(void *context), void *context, vd_cameras **ret_cameras);

/* When nobody adds any more. Watchers that are left are told `ended`. Accepts NULL and sets it. */
void vd_cameras_free(vd_cameras **cameras);

/* Any thread. As vd_serve_add_camera: VD_OK, VD_EINVAL (no name, or one that no path can carry) or VD_ENOMEM.
 */
int vd_cameras_add(vd_cameras *cameras, const char *name, vd_camera *camera, vd_error *error);
void vd_cameras_remove(vd_cameras *cameras, const char *name);

/* Takes in what was handed over and sends what the feeds have. Never blocks. */
void vd_cameras_dispatch(vd_cameras *cameras);

typedef struct vd_camera_entry {
    const char *name; /* borrowed until the next dispatch */
    vd_camera_state state;
    const char *reason; /* why it failed; empty otherwise; borrowed likewise */
    int open_events;
    int watchers;
    uint64_t dropped; /* messages that came faster than they could be sent on */
} vd_camera_entry;

size_t vd_cameras_count(const vd_cameras *cameras);
vd_camera_entry vd_cameras_at(const vd_cameras *cameras, size_t i); /* in the order of their names */
int vd_cameras_watchers(const vd_cameras *cameras);                 /* of all cameras together */

/* `connecting`, `playing`, `paused`, `ended`, `failed`. Never NULL. */
const char *vd_camera_state_name(vd_camera_state state);

typedef struct vd_watcher_listener {
    /* A message, UTF-8 of one line; the text (malloc) is the callee's. False: it cannot take it; nothing
     * more is sent. */
    bool (*send)(void *context, char *text, size_t size);
    void (*ended)(void *context); /* the camera is gone; nothing more comes. Detach all the same */
    void *context;
} vd_watcher_listener;

/* Begins to watch; the first messages are sent before this returns. Callbacks may detach, and may not attach.
 * VD_OK, VD_ENOTFOUND (no camera of that name), VD_EAGAIN (the first message could not be taken) or
 * VD_ENOMEM. */
int vd_watcher_attach(vd_cameras *cameras, const char *name, const vd_watcher_listener *listener,
                      vd_watcher **ret_watcher, vd_error *error);
void vd_watcher_detach(vd_watcher **watcher); /* accepts NULL and sets it */

#endif
