/* The asynchronous detector: workers that turn pictures into results, reached through futures.
 *
 *   vd_detector_options options = VD_DETECTOR_OPTIONS_INIT;
 *   options.model = "yolov8n.onnx";
 *   vd_detector_new(&options, &detector, &error);
 *   vd_detector_submit(detector, &input, &future, &error);
 *   if (vd_future_wait(future, -1) == VD_OK)
 *       result = vd_future_value(future);
 *   vd_future_unref(&future);
 *   vd_detector_free(&detector);
 *
 * Pictures are views: the detector reads the caller's memory and copies nothing frame-sized. Any number of
 * threads may use one detector. docs/library.md is the guide. */
#ifndef VEDETTE_DETECTOR_H
#define VEDETTE_DETECTOR_H

#include <stddef.h>
#include <stdint.h>

#include "vedette/detection.h"
#include "vedette/error.h"
#include "vedette/future.h"
#include "vedette/image.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct vd_detector vd_detector;

/* A detector of any kind: a table of functions (docs/examples/custom_detector.c). Each worker has a state of
 * its own, made, used and freed on that worker's thread. Zero what you do not use. */
typedef struct vd_detector_ops {
    /* Makes a worker's state. *ret_labels gets a reference to the class names (may stay NULL: `class 0`, …).
     * On failure fill `error` and return its code. */
    int (*open)(const void *config, void **ret_state, vd_labels **ret_labels, vd_error *error);

    /* Fills result->candidates (at least result->floor), count, input size and the times; everything else is
     * set already. What is filled in wrong (order, range, not a number) is put right or left out. */
    int (*detect)(void *state, const vd_image *image, vd_result *result, vd_error *error);

    /* The same for up to `max_batch` pictures in one pass; NULL: they are detected one by one, spread over
     * the workers. A failure of the whole is answered with every picture on its own through `detect`. */
    int (*detect_batch)(void *state, const vd_image *const *images, vd_result *const *results, size_t count,
                        vd_error *error);

    /* Pictures that follow have nothing to do with those before (a seek, another clip); may be NULL. */
    void (*reset)(void *state);
    void (*close)(void *state);

    const char *name; /* goes into vd_result.model; NULL: taken from the model's file */
    int max_batch;    /* pictures that detect_batch takes; 0: as many as it is given */
    int ordered;      /* 1: pictures must come in order to one worker (background models) */
} vd_detector_ops;

/* What the figures of docs/library.md are good for. A preset fills default_batch_size and max_workers where
 * they are 0. */
typedef enum vd_preset {
    VD_PRESET_NONE = 0,       /* batch 16, min(4, cores) workers */
    VD_PRESET_LOW_LATENCY,    /* batch 4, min(2, cores) workers: a picture waits for few others */
    VD_PRESET_BALANCED,       /* batch 16, min(4, cores) workers */
    VD_PRESET_HIGH_THROUGHPUT /* batch 32, a worker a core, at most 8 */
} vd_preset;

typedef struct vd_detector_options {
    const char *model;  /* a file, `builtin:people` or `builtin:motion`; ignored when `ops` is set */
    const char *labels; /* NULL, or a file with one class name a line */
    vd_preset preset;
    int max_workers;        /* 1 to 64; 0: by the preset */
    int default_batch_size; /* 1 to 1024; 0: by the preset */
    int threads;    /* within a forward pass, for the whole process: 1 to 64, default 1; 0 leaves OpenCV
                       as it is, and oneDNN computes with the worker's own */
    int queue_size; /* 1 to 4096 waiting requests (a batch is one), default 64; beyond it submit is refused */
    float floor;    /* 0.0001 to 1, default 0.05: candidates below it are not kept */
    const vd_detector_ops *ops; /* NULL, or a detector of the caller's own; must outlive the detector */
    const void *config;         /* handed to ops->open; must outlive the detector */
    int input_width; /* of the network, pixels; 0: the model's own. Multiples of its largest stride */
    int input_height;
    vd_precision precision;
    const char *device; /* NULL or "cpu", "opencl", "cuda", "openvino": tried when the detector starts; where
                           it does not work the CPU computes and vd_detector_engine says so */
} vd_detector_options;

#define VD_DETECTOR_OPTIONS_INIT                                                                             \
    {                                                                                                        \
        .threads = 1, .queue_size = 64, .floor = 0.05f                                                       \
    }

/* Loads the model and starts the workers; returns when they are ready to work and warm (up to seconds: not
 * for a thread that must not wait). A worker that cannot start is left out (vd_detector_get_stats tells how
 * many there are, vd_detector_worker_error why one is missing); when none can, the reason is returned.
 * Returns VD_OK, VD_EINVAL, VD_ENOTFOUND, VD_EFORMAT, VD_ENOMEM. Any thread. */
VD_API int vd_detector_new(const vd_detector_options *options, vd_detector **ret_detector, vd_error *error);

typedef enum vd_shutdown_mode {
    VD_SHUTDOWN_WAIT,  /* what was submitted is finished first */
    VD_SHUTDOWN_CANCEL /* what waits completes as VD_ESHUTDOWN and counts as cancelled; what runs is finished
                        */
} vd_shutdown_mode;

/* Ends the work and joins the workers; twice is once. Figures, names and futures stay readable until
 * vd_detector_free. Returns VD_OK, or VD_EDEADLK from one of its own continuations: nothing has changed then.
 * Any other thread. */
VD_API int vd_detector_shutdown(vd_detector *detector, vd_shutdown_mode mode);

/* Shuts down (cancelling, unless that is done) and frees. Futures that are out stay valid. Accepts NULL and
 * sets it. VD_OK or VD_EDEADLK as above. No other thread may still use the detector. */
VD_API int vd_detector_free(vd_detector **detector);

/* --- Asking */

typedef enum vd_priority {
    VD_PRIORITY_INTERACTIVE, /* taken first: somebody is waiting */
    VD_PRIORITY_BACKGROUND   /* taken when nothing interactive waits */
} vd_priority;

/* A picture to detect. Zero what you do not use. */
typedef struct vd_input {
    vd_image image;                 /* a view; its memory must stay until the picture is released */
    void (*release)(void *context); /* called once, on any thread, when the detector no longer reads it and
                                       the request was accepted; NULL: the caller waits for the future */
    void *context;
    vd_priority priority;
    int64_t frame_index; /* copied into the result */
    double time_s;       /* likewise */
} vd_input;

/* Asks for the detection of a picture; returns at once.
 *
 * ret_future  one reference, the caller's; its value is a vd_result, borrowed from the future
 * Returns VD_OK, VD_EINVAL (the picture: error->text says which field), VD_EAGAIN (the queue is full),
 * VD_ESHUTDOWN or VD_ENOMEM; then nothing is released. Any thread. */
VD_API int vd_detector_submit(vd_detector *detector, const vd_input *input, vd_future **ret_future,
                              vd_error *error);

/* The same, but waits for room in the queue: at most `timeout_ns` (negative: without end), then VD_ETIMEOUT.
 * VD_EDEADLK from one of its own continuations. */
VD_API int vd_detector_submit_wait(vd_detector *detector, const vd_input *input, int64_t timeout_ns,
                                   vd_future **ret_future, vd_error *error);

/* The results of several pictures, in the order of the inputs. Freed with its future, or by vd_batch_free. */
typedef struct vd_batch_item {
    vd_result *result; /* NULL when this picture failed */
    vd_error error;    /* why; code 0 when it succeeded */
} vd_batch_item;

typedef struct vd_batch {
    size_t total, successful;
    vd_batch_item *items;
} vd_batch;

VD_API void vd_batch_free(vd_batch **batch); /* accepts NULL and sets it */

/* Asks for many pictures at once. They are cut into chunks of `batch_size` that are taken one after another,
 * so memory follows the chunk; a model that takes batches gets a chunk in one pass, otherwise its pictures
 * are spread over the workers. A picture that is wrong or fails costs the others nothing: its reason stands
 * at its place. Cancelling the future cancels what has not begun: a batch that has begun ends with what it
 * has, the rest VD_ECANCELED.
 *
 * inputs      copied; the priority is that of the first
 * batch_size  1 to 1024; 0: default_batch_size
 * ret_future  its value is a vd_batch, borrowed from the future
 * Returns VD_OK, VD_EINVAL, VD_EAGAIN, VD_ESHUTDOWN or VD_ENOMEM; then nothing is released. Any thread. */
VD_API int vd_detector_submit_batch(vd_detector *detector, const vd_input *inputs, size_t count,
                                    int batch_size, vd_future **ret_future, vd_error *error);

/* The blocking forms: submit, wait, and hand the result over. VD_EDEADLK from one of its own continuations.
 *
 * ret_result, ret_batch  the caller's: vd_result_unref, vd_batch_free */
VD_API int vd_detector_detect(vd_detector *detector, const vd_image *image, vd_result **ret_result,
                              vd_error *error);
VD_API int vd_detector_detect_batch(vd_detector *detector, const vd_image *images, size_t count,
                                    int batch_size, vd_batch **ret_batch, vd_error *error);

/* The next pictures have nothing to do with those before. Any thread. */
VD_API void vd_detector_reset(vd_detector *detector);

/* --- What it says of itself; never waits for a worker; any thread */

typedef struct vd_detector_stats {
    int workers, active; /* that work at all; that have a picture right now */
    int default_batch_size;
    int loaded, shut_down;                                     /* 0 or 1 */
    uint64_t queued;                                           /* requests that wait; a batch is one */
    uint64_t in_flight;                                        /* pictures that a worker has */
    uint64_t submitted, succeeded, failed, cancelled, pending; /* pictures; submitted = the sum of the rest */
    uint64_t refused;                       /* pictures not submitted: the queue was full */
    uint64_t passes;                        /* forward passes: fewer than pictures where batches go in one */
    int64_t p50_ns, p95_ns, p99_ns, max_ns; /* from submit to completion */
    int64_t forward_p50_ns;                 /* of a picture's share in its pass */
} vd_detector_stats;

VD_API vd_detector_stats vd_detector_get_stats(vd_detector *detector);

/* Borrowed; live as long as the detector. */
VD_API const char *vd_detector_name(const vd_detector *detector);
VD_API const vd_labels *vd_detector_labels(const vd_detector *detector);

/* What computes, in words: "oneDNN 2.6.3, float32", "OpenCV's own layers"; after a fallback with the reason.
 * Empty for detectors without a network. Borrowed as above. */
VD_API const char *vd_detector_engine(const vd_detector *detector);

/* The thresholds that suit the model (faces 0.6, most others 0.25); what a user sets wins. */
VD_API vd_thresholds vd_detector_thresholds(const vd_detector *detector);

/* Why a worker could not start: code 0 for one that works. `worker` counts from 0 to the number asked for. */
VD_API const vd_error *vd_detector_worker_error(const vd_detector *detector, int worker);

#ifdef __cplusplus
}
#endif
#endif
