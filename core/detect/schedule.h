/* What waits for a detector's workers, in which order it is taken, and the ledger that counts it.
 *
 * A request is one picture or a batch; workers take units of it: a chunk where the model takes batches, else
 * one picture. The schedule outlives its detector for as long as a future is out that somebody might still
 * cancel. */
#ifndef VD_DETECT_SCHEDULE_H
#define VD_DETECT_SCHEDULE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/histogram.h"
#include "base/thread.h"
#include "vedette/detector.h"

enum { VD_LANES = 2 };

typedef struct vd_request {
    /* immutable */
    struct vd_schedule *schedule;
    vd_future *future; /* goes idle with the last reference to it; then the request is spare or freed */
    int64_t submitted_ns;
    uint64_t epoch;
    bool is_batch;
    size_t count, chunk; /* pictures; of them in a unit */
    int lane;

    atomic_int references; /* atomic: the schedule's or workers', and the continuation's */

    /* guarded by the schedule's lock */
    struct vd_request *next;
    size_t given, done; /* pictures that workers took; that have an outcome */
    bool settled;
    vd_batch *batch; /* of a batch: items are written by the worker that has them, without the lock */

    vd_input inputs[]; /* image and release are the taker's */
} vd_request;

typedef struct vd_schedule {
    atomic_int references; /* atomic: the detector's and one a request or its future */
    size_t capacity;       /* immutable */

    vd_mutex spare_lock;
    /* guarded by spare_lock */
    vd_request *spare; /* of one picture, used again: asking allocates nothing once it is under way */
    size_t spare_count;

    vd_mutex lock;
    vd_cond work, room;

    /* guarded by lock */
    struct {
        vd_request *first, *last;
    } lanes[VD_LANES];
    bool closed;              /* nothing new */
    bool cancelled;           /* nothing that waits either */
    uint64_t epoch;           /* rises with every reset */
    vd_detector_stats counts; /* queued to passes */
    vd_histogram latency, forward;
} vd_schedule;

/* One reference. VD_OK or VD_ENOMEM. */
int vd_schedule_new(size_t capacity, vd_schedule **ret_schedule);
void vd_schedule_release(vd_schedule *schedule);

/* Puts a request of `count` pictures in and counts it.
 *
 * chunk        pictures in a unit
 * deadline_ns  how long to wait for room; 0: not at all
 * Returns VD_OK, VD_EAGAIN, VD_ETIMEOUT (counted as refused), VD_ESHUTDOWN, VD_ENOMEM. */
int vd_schedule_submit(vd_schedule *schedule, const vd_input *inputs, size_t count, bool is_batch,
                       size_t chunk, int64_t deadline_ns, vd_future **ret_future);

/* A part of a request, taken by one worker. */
typedef struct vd_unit {
    vd_request *request; /* one reference */
    size_t first, count;
} vd_unit;

/* Waits for work: false when there will be none any more. */
bool vd_schedule_take(vd_schedule *schedule, vd_unit *ret_unit);

/* What became of one picture of a unit. */
typedef struct vd_outcome {
    vd_result *result; /* one reference; NULL: failed */
    vd_error error;
} vd_outcome;

/* Ends a unit: takes the results, releases the pictures, completes the request when it was the last.
 *
 * passes  forward passes it took */
void vd_schedule_finish(vd_schedule *schedule, vd_unit *unit, vd_outcome *outcomes, unsigned passes);

/* No more requests; with `cancel`, what waits completes as VD_ESHUTDOWN now, on this thread. */
void vd_schedule_close(vd_schedule *schedule, bool cancel);

/* Requests from here on belong to the next epoch. */
void vd_schedule_reset(vd_schedule *schedule);

#endif
