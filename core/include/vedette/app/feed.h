/* What a camera sees, for others than the window: a bounded queue of its detections, events and states. */
#ifndef VEDETTE_APP_FEED_H
#define VEDETTE_APP_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vedette/app/camera.h"
#include "vedette/app/event.h"
#include "vedette/detection.h"

typedef struct vd_feed vd_feed;

typedef enum vd_feed_kind {
    VD_FEED_DETECTIONS, /* of one frame, also of one without any */
    VD_FEED_EVENT,      /* opened or changed: a verdict, a judgement, its end */
    VD_FEED_STATE       /* of the camera */
} vd_feed_kind;

typedef struct vd_feed_item {
    vd_feed_kind kind;
    int64_t unix_ms; /* wall clock */

    int64_t frame_index; /* DETECTIONS */
    double time_s;       /* of the stream */
    int width, height;   /* of the source picture */
    int input_width, input_height;
    double latency_ms; /* from submit to result */
    char model[64];
    vd_labels *labels;        /* a reference */
    vd_detection *detections; /* under the thresholds of that moment, with their track ids */
    size_t detection_count;

    vd_event event; /* EVENT; without thumbnail */

    vd_camera_state state; /* STATE */
    char reason[200];      /* why it failed; empty otherwise */
} vd_feed_item;

/* A feed of a camera, from now on; it begins with the camera's state and its open events. It outlives the
 * camera: then it ends. An event that waits gives way to its newer self; when `room` items wait the oldest
 * detections are dropped and counted, or the oldest item where no detections wait.
 *
 * room  1 to 1024
 * wake  called when an item came to an empty feed, or it ended; any thread; must only set a flag or post a
 *       call
 * VD_OK, VD_EINVAL or VD_ENOMEM. Any thread that holds the camera open meanwhile. */
int vd_camera_subscribe(vd_camera *camera, size_t room, void (*wake)(void *context), void *context,
                        vd_feed **ret_feed);

/* Whether it gets detections, which it does at first; events and states come in any case. Any thread. */
void vd_feed_set_detections(vd_feed *feed, bool wanted);

/* The oldest item, moved to the caller. VD_OK, VD_EAGAIN (none now) or VD_EEND (the camera is closed and
 * everything was taken). One thread at a time. */
int vd_feed_take(vd_feed *feed, vd_feed_item *ret_item);
void vd_feed_item_clear(vd_feed_item *item);

uint64_t vd_feed_dropped(vd_feed *feed); /* so far */

/* Ends the subscription; `wake` is not called any more once this has returned. Accepts NULL and sets it. */
void vd_feed_close(vd_feed **feed);

#endif
