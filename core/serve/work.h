/* Frames of all sessions through decoding and detection: threads that decode, one detector for each input
 * size of the quality steps, and the level that follows load.
 *
 * As many frames are detected at a time as a detector has workers, whatever their sizes. All functions are
 * for the service's thread; jobs, and with them references to sessions, are freed on it alone. */
#ifndef VD_SERVE_WORK_H
#define VD_SERVE_WORK_H

#include <stdbool.h>
#include <stdint.h>

#include "serve/session.h"
#include "vedette/app/picture.h"
#include "vedette/app/serve.h"

typedef struct vd_work vd_work;

typedef struct vd_work_options {
    const vd_serve_options *serve; /* model, device, workers, open_detector; only read while opening */
    vd_picture_limits limits;
    void (*wake)(
        void *context); /* finished jobs are there; any thread; must only set a flag or write a byte */
    void *context;
} vd_work_options;

/* Loads the model at the sizes that it runs at (a size that it refuses is left out, and its steps keep the
 * next larger one; a detector without a network has one) and starts the threads. Takes up to seconds. With
 * serve->open_detector the first detector is asked for its input size by a grey picture. As vd_detector_new.
 */
int vd_work_open(const vd_work_options *options, vd_work **ret_work, vd_error *error);

/* Gives up what waits (VD_ESHUTDOWN; taken by vd_work_take no more), finishes what runs, joins, frees.
 * Accepts NULL and sets it. */
void vd_work_free(vd_work **work);

/* How many more jobs may be submitted now: workers are kept busy, and no more than that wait here, so that
 * the sessions' turns decide who is next. */
int vd_work_room(vd_work *work);

/* Takes a job; never blocks. Its mode and level choose the input size. It comes back by vd_work_take:
 *
 * code, error  VD_OK; VD_EFORMAT or VD_EINVAL of the picture; what the detector failed with; VD_ENOMEM;
 *              VD_EAGAIN where there was no room
 * result       a reference; NULL when it failed
 * bytes        freed as soon as they are decoded
 * decode_ns, detect_ns  what the picture's decoding and the detector's worker took; finished_ns -
 *              received_ns less these two is what it waited */
void vd_work_submit(vd_work *work, vd_job *job);

/* A job that is done, NULL: none now. Never blocks. */
vd_job *vd_work_take(vd_work *work);

/* To be called about every half second, and told how many frames were given up late since: measures, applies
 * the rules of vedette/app/quality.h, and gives the level. */
int vd_work_level(vd_work *work, int late, int64_t now_ns);

typedef struct vd_work_stats {
    char model[64], engine[160];
    int workers, level;
    int under_way;      /* jobs submitted and not taken */
    double load;        /* of the last interval: of the workers, or of the cores where decoding needs more */
    double wait_p95_ms; /* likewise: for a worker, since a frame's turn came in its session */
    uint64_t lowered, raised;
    int sizes; /* input sizes that are loaded, the model's own first */
    struct {
        int width, height;
    } inputs[3];
    vd_detector_stats detector; /* of all sizes together; percentiles since the start */
} vd_work_stats;

vd_work_stats vd_work_get_stats(vd_work *work);
vd_thresholds vd_work_thresholds(vd_work *work); /* that suit the model */
vd_labels *vd_work_labels(vd_work *work);        /* one reference */

#endif
