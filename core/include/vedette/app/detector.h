/* The asynchronous detector: workers that turn frames into results, reached through futures. */
#ifndef VEDETTE_APP_DETECTOR_H
#define VEDETTE_APP_DETECTOR_H

#include "vedette/detection.h"
#include "vedette/error.h"
#include "vedette/future.h"
#include "vedette/image.h"

typedef struct vd_detector vd_detector;
struct vd_frame;

/* A detector of any kind: a table of functions (row A12). Each worker has a state of its own, made, used and
 * freed on that worker's thread. */
typedef struct vd_detector_ops {
    /* Makes a worker's state. *ret_labels gets a reference to the class names (may stay NULL). */
    int (*open)(const void *config, void **ret_state, vd_labels **ret_labels, vd_error *error);

    /* Fills result->candidates (sorted by falling score, at least result->floor), count, input size and the
     * times; everything else is set already. What is no number, out of range, below the floor or outside the
     * picture is dropped before the result is published. */
    int (*detect)(void *state, const vd_image *image, vd_result *result, vd_error *error);

    /* Pictures that follow have nothing to do with those before (a seek, another clip); may be NULL. */
    void (*reset)(void *state);
    void (*close)(void *state);

    const char *name; /* goes into vd_result.model; NULL: taken from the model's file */
    int ordered;      /* 1: pictures must come in order (background models); then there is one worker */
} vd_detector_ops;

typedef struct vd_detector_options {
    const char *model;  /* a file, `builtin:people` or `builtin:motion`; ignored when `ops` is set */
    const char *labels; /* NULL, or a file with one class name a line */
    int max_workers;    /* 1 to 64, default 1 */
    int queue_size;     /* 1 to 4096 waiting frames, default 16; beyond it submit is refused with VD_EAGAIN */
    float floor;        /* 0.0001 to 1, default 0.05: candidates below it are not kept */
    const vd_detector_ops *ops; /* NULL, or a detector of the caller's own; must outlive the detector */
    const void *config;         /* handed to ops->open; must outlive the detector */
} vd_detector_options;

#define VD_DETECTOR_OPTIONS_INIT                                                                             \
    {                                                                                                        \
        .max_workers = 1, .queue_size = 16, .floor = 0.05f                                                   \
    }

/* Loads the model and starts the workers; returns when they are ready to work (up to seconds: not for a
 * thread that must not wait). A worker that cannot start is left out; when none can, the reason is returned.
 * Returns VD_OK, VD_EINVAL, VD_ENOTFOUND, VD_EFORMAT, VD_ENOMEM. Any thread. */
int vd_detector_new(const vd_detector_options *options, vd_detector **ret_detector, vd_error *error);

/* Stops: what waits completes as VD_ESHUTDOWN, what runs is finished, threads are joined. Accepts NULL and
 * sets it. Refused with VD_EDEADLK, changing nothing, from one of its own workers (a continuation). */
int vd_detector_free(vd_detector **detector);

/* Asks for the detection of a frame; returns at once. Takes its own reference to the frame.
 *
 * ret_future  one reference, the caller's; its value is a vd_result
 * Returns VD_OK, VD_EAGAIN (the queue is full), VD_ESHUTDOWN or VD_ENOMEM. Any thread. */
int vd_detector_submit(vd_detector *detector, struct vd_frame *frame, vd_future **ret_future);

/* The next frames have nothing to do with those before. Any thread. */
void vd_detector_reset(vd_detector *detector);

typedef struct vd_detector_stats {
    int workers;
    uint64_t submitted, succeeded, failed, cancelled, pending; /* submitted = the sum of the rest */
    uint64_t refused;                                          /* not submitted: the queue was full */
    int64_t p50_ns, p95_ns, p99_ns;                            /* from submit to completion */
    int64_t forward_p50_ns;
} vd_detector_stats;

vd_detector_stats vd_detector_get_stats(vd_detector *detector);

/* Borrowed; lives as long as the detector. */
const char *vd_detector_name(const vd_detector *detector);
const vd_labels *vd_detector_labels(const vd_detector *detector);

#endif
