/* Stage 2: a second model looks at a short clip of each event, in processes of their own, while everything
 * else runs on (rows D1 to D12).
 *
 * A request is submitted with references to frames and returns at once with an id. A thread (`vd-verify`)
 * owns the workers: it cuts the crops of a clip into shared memory, hands them to a waiting worker, and kills
 * and replaces a worker that crashes or is late. What comes of a request is taken by its id, once.
 *
 * Ledger, exact at every moment: submitted = verified + rejected + unverified + dropped + pending. Pending is
 * what has no final state yet. A result that falls out of the full result queue before anybody took it counts
 * as dropped from then on, and nowhere else. */
#ifndef VEDETTE_APP_VERIFY_H
#define VEDETTE_APP_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vedette/app/event.h"
#include "vedette/detection.h"
#include "vedette/error.h"

enum { VD_CLIP_MOST = 64 };

/* How stage 2 works: a plain value, as in the settings' group `step2`. */
typedef struct vd_verify_options {
    bool async_enabled;   /* default true; false: vd_verifier_submit returns with the result ready */
    char model_path[512]; /* empty: no model: degraded, the simple classification alone */
    char model_type[16];  /* `onnx` (default) or the double of `bench verify`, `test:sleep`; test builds also
                             have `test:hang`, `test:crash`, `test:rubbish`, `test:fail`, `test:load` */
    double threshold;     /* 0 to 1, default 0.7: `verification_threshold` */
    int input_width, input_height; /* 32 to 512, default 224 × 224: `input_size` */
    int temporal_size;             /* 2 to VD_CLIP_MOST, default 16 */
    int min_workers, max_workers;  /* 1 to 8, default 1 and 2; min at most max */
    int queue_size;                /* 1 to 1000, default 50: waiting requests */
    int result_queue_size;         /* 1 to 1000, default 100: results that nobody has taken */
    double worker_timeout_s;       /* 0.05 to 300, default 10: `worker_timeout_sec` */
    double test_sleep_s;           /* of `test:sleep` and `test:load`, 0 to 300, default 0.5 */
    char worker_program[512];      /* empty: `vedette-verifier` beside the running program, or on the PATH */
} vd_verify_options;

#define VD_VERIFY_OPTIONS_INIT                                                                               \
    {                                                                                                        \
        .async_enabled = true, .model_type = "onnx", .threshold = 0.7, .input_width = 224,                   \
        .input_height = 224, .temporal_size = 16, .min_workers = 1, .max_workers = 2, .queue_size = 50,      \
        .result_queue_size = 100, .worker_timeout_s = 10, .test_sleep_s = 0.5                                \
    }

/* VD_OK or VD_EINVAL with the field, its value and the range. */
int vd_verify_options_validate(const vd_verify_options *options, vd_error *error);

struct vd_frame;
struct vd_frame_pool;

/* What is looked at: frames in order of time with the track's box in each. */
typedef struct vd_verify_clip {
    size_t count;                          /* 1 to VD_CLIP_MOST */
    struct vd_frame *frames[VD_CLIP_MOST]; /* BGR(X) or YUV, reduced or not; references are taken by submit */
    vd_box boxes[VD_CLIP_MOST];            /* in pixels of the frame at hand */
    double times_s[VD_CLIP_MOST];          /* of the stream, rising */
    int labels[VD_CLIP_MOST];   /* class of the detection in this frame, -1 none: simple classification */
    float scores[VD_CLIP_MOST]; /* its confidence */
} vd_verify_clip;

typedef struct vd_verify_result {
    uint64_t id;
    vd_verdict verdict; /* VERIFIED, REJECTED or UNVERIFIED */
    vd_verdict_cause cause;
    float score;                   /* of the model; 0 when it gave none */
    float simple_score;            /* share of frames whose labels agree times their mean confidence */
    double waited_s, processing_s; /* in the queue; from the worker's start on it to its answer */
    vd_error error;                /* why, in words, of UNVERIFIED */
} vd_verify_result;

typedef struct vd_verify_stats {
    uint64_t submitted, verified, rejected, unverified;
    uint64_t dropped;        /* a full queue, a full result queue, a camera's pictures, or the end */
    int pending_requests;    /* waiting and running */
    double oldest_s;         /* age of the oldest of them, 0 when there is none */
    double avg_processing_s; /* from the worker's start to its answer, of those with a verdict by the model */
    double p50_s, p99_s;     /* of the same ones: from submit to result */
    int workers_active;      /* busy now */
    int workers, min_workers, max_workers; /* that have the model loaded; the bounds */
    uint64_t timeouts, crashes, rubbish, restarts, results_dropped;
    int queue_length, queue_size, results_waiting, result_queue_size;
    bool degraded; /* no worker can run the model now, or it failed on its last 3 clips, or it is still
                      loading after a request gave up waiting for that; it is tried again by itself */
    vd_error degraded_why; /* not degraded: why the last vd_verifier_set_model was refused; else code 0 */
    char model[64];
} vd_verify_stats;

typedef struct vd_verifier vd_verifier;

/* Starts the thread and returns; workers are started and load the model before they are needed. A model that
 * is missing is no failure: stage 2 is degraded, says why, and tries again every few seconds.
 *
 * wake  a result is there or the state changed; any thread; must only set a flag; NULL: none
 *
 * VD_OK, VD_EINVAL or VD_ENOMEM. */
int vd_verifier_new(const vd_verify_options *options, void (*wake)(void *context), void *context,
                    vd_verifier **ret_verifier, vd_error *error);

/* Ends every worker and the thread; what has no result yet counts as dropped (stopped). Results can no longer
 * be taken. Accepts NULL and sets it. Never waits for a worker: they are killed. */
void vd_verifier_free(vd_verifier **verifier);

/* The same for a queue that may still be full, but the object stays: results and the final ledger can be
 * read. Twice is fine. */
void vd_verifier_stop(vd_verifier *verifier);

/* Submits a clip; never blocks (unless async_enabled is false: then it returns when the result is there to be
 * taken). A full queue drops its oldest waiting request, whatever its confidence.
 *
 * worker_timeout_s counts from the moment a worker has the request. What waits for a worker is bounded by the
 * queue: it waits for those before it, or is dropped. While no worker can run the model it does not wait.
 * While the model is still loading and no worker has it, a request waits for worker_timeout_s, 2 s at least
 * (a program takes its time to start); then it is UNVERIFIED with VD_CAUSE_TIMED_OUT, and loading goes on, up
 * to a minute.
 *
 * confidence  of the event: higher ones go first, the older of equals; every fourth time the oldest of all
 * VD_OK with *ret_id ≥ 1, VD_EINVAL, or VD_ESHUTDOWN. Under 50 µs. Any thread. */
int vd_verifier_submit(vd_verifier *verifier, const vd_verify_clip *clip, float confidence, uint64_t *ret_id,
                       vd_error *error);

/* Drops the oldest waiting request whose clip holds a frame of that pool with an index below `first`, so that
 * whoever shares the pool with the queue gets frames back when stage 2 is slower than events come. Its result
 * is that of a request that a full queue drops, with a sentence of its own. Running requests and those of
 * other pools stay. False: there is none. Gives references back: with no lock held. Any thread. */
bool vd_verifier_drop_oldest_of(vd_verifier *verifier, const struct vd_frame_pool *pool, int64_t first);

/* The result of one request, once.
 *
 * deadline_ns  monotonic; 0 polls
 * VD_OK; VD_ETIMEOUT: not yet; VD_ENOTFOUND: no such request, or taken already. A dropped request gives VD_OK
 * with UNVERIFIED and VD_CAUSE_DROPPED, once. Any thread. */
int vd_verifier_take(vd_verifier *verifier, uint64_t id, int64_t deadline_ns, vd_verify_result *ret_result);

/* All results that are there, oldest first, those of dropped requests too; each once. Returns their number.
 */
size_t vd_verifier_take_all(vd_verifier *verifier, vd_verify_result *ret_results, size_t room);

/* Another model (or the same file, changed): requests under way end with the old one, the next go to workers
 * that have the new one; when it does not load, the old one stays and degraded_why of the stats says why.
 * VD_OK, VD_EINVAL or VD_ESHUTDOWN; returns at once. */
int vd_verifier_set_model(vd_verifier *verifier, const char *model_path, vd_error *error);

/* Never waits for a worker. Any thread. */
vd_verify_stats vd_verifier_get_stats(vd_verifier *verifier);

#endif
