/* The inside of the service's cameras, shared by cameras.c (cameras, hand-over) and watchers.c. */
#ifndef VD_SERVE_CAMERAS_STATE_H
#define VD_SERVE_CAMERAS_STATE_H

#include "base/thread.h"
#include "serve/cameras.h"

struct vd_watched {
    char name[VD_CAMERA_NAME];
    vd_feed *feed;
    vd_feed_item state; /* the newest of its kind */
    vd_feed_item *open; /* the newest of each open event, by id */
    int open_count, open_room;
    int watchers;
};

struct vd_watcher {
    vd_cameras *cameras;       /* NULL: freed already */
    struct vd_watched *camera; /* NULL: gone */
    vd_watcher_listener listener;
    bool silent, detached;
    struct vd_watcher *next;
};

struct vd_camera_order {
    char name[VD_CAMERA_NAME];
    vd_feed *feed; /* NULL: remove */
    struct vd_camera_order *next;
};

struct vd_cameras {
    /* immutable */
    void (*wake)(void *context);
    void *context;

    /* guarded by lock */
    vd_mutex lock;
    struct vd_camera_order *orders;
    int known; /* cameras there, as of the last dispatch */

    /* owned by the service's thread */
    struct vd_watched *list[VD_CAMERAS_MOST]; /* in the order of their names */
    int count;
    vd_watcher *watchers;
    int sending; /* depth */
};

/* The place of a name in the list; *ret_found says whether it is there. */
int vd_cameras_find(const vd_cameras *cameras, const char *name, bool *ret_found);

/* watchers.c: around everything that calls listeners; within it no watcher is freed. */
void vd_watchers_begin(vd_cameras *cameras);
void vd_watchers_end(vd_cameras *cameras);

/* A message to all who watch this camera. */
void vd_watchers_send(vd_cameras *cameras, const struct vd_watched *camera, const vd_feed_item *item);

/* The camera goes: they are told. */
void vd_watchers_leave(vd_cameras *cameras, const struct vd_watched *camera);

#endif
