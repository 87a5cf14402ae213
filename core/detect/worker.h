/* A worker: a thread with a detector's state of its own, which takes units from the schedule. */
#ifndef VD_DETECT_WORKER_H
#define VD_DETECT_WORKER_H

#include "detect/schedule.h"
#include "frame/result.h"
#include "vedette/detector.h"

/* What all workers of a detector share; immutable once they have opened. */
typedef struct vd_crew {
    const vd_detector *detector; /* only to be recognised */
    const vd_detector_ops *ops;
    const void *config;
    char name[64];
    float floor;
    size_t chunk; /* most pictures that one pass takes; 1 without detect_batch */
    vd_labels *labels;
    vd_result_pool *results;
    vd_schedule *schedule;
} vd_crew;

typedef enum vd_worker_state { VD_WORKER_OPENING, VD_WORKER_READY, VD_WORKER_LEFT_OUT } vd_worker_state;

typedef struct vd_worker {
    vd_crew *crew;
    vd_thread thread;

    /* owned by the worker's thread */
    void *state;
    uint64_t epoch;

    /* guarded by the schedule's lock until it has opened, then immutable */
    vd_worker_state opened;
    vd_labels *labels;
    vd_error error;
} vd_worker;

/* Starts the thread; it opens its state and then waits for work. A failure stands in worker->error. */
void vd_worker_start(vd_worker *worker, vd_crew *crew, int number);

/* Waits until it has opened or failed. */
void vd_worker_await(vd_worker *worker);

/* Whether this thread is completing a future of `detector` right now: waiting for it would wait for oneself.
 */
bool vd_worker_is_within(const vd_detector *detector);

/* Marks this thread as completing futures of `detector`, for the time of a call; nests. */
struct vd_within {
    const vd_detector *detector;
    const struct vd_within *outer;
};
void vd_worker_enter(struct vd_within *here, const vd_detector *detector);
void vd_worker_leave(const struct vd_within *here);

#endif
