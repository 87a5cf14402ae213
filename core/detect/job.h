/* Jobs of a detector and the ledger that counts them.
 *
 * The ledger outlives its detector for as long as a future is out that somebody might still cancel. */
#ifndef VD_DETECT_JOB_H
#define VD_DETECT_JOB_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/histogram.h"
#include "base/queue.h"
#include "base/thread.h"
#include "frame/frame.h"
#include "vedette/detection.h"
#include "vedette/future.h"

enum vd_outcome { VD_OUTCOME_SUCCEEDED, VD_OUTCOME_FAILED, VD_OUTCOME_CANCELLED };

typedef struct vd_ledger {
    atomic_int references; /* atomic: one for the detector and one a job */

    vd_mutex lock;
    /* guarded by lock */
    bool stopping;
    uint64_t epoch; /* rises with every reset */
    uint64_t submitted, outcomes[3], pending, refused;
    vd_histogram latency, forward;
} vd_ledger;

/* One reference. VD_OK or VD_ENOMEM. */
int vd_ledger_new(vd_ledger **ret_ledger);
void vd_ledger_release(vd_ledger *ledger);

/* From here on submitting is refused. */
void vd_ledger_stop(vd_ledger *ledger);
bool vd_ledger_is_stopping(vd_ledger *ledger);

/* Jobs submitted from here on belong to the next epoch. */
void vd_ledger_reset(vd_ledger *ledger);

typedef struct vd_job {
    /* immutable */
    vd_ledger *ledger;
    vd_future *future;
    int64_t submitted_ns;
    uint64_t epoch;

    vd_frame *frame;       /* owned by the worker that took the job */
    atomic_int references; /* atomic: the queue's or worker's, and the continuation's */
    bool settled;          /* guarded by the ledger's lock */
} vd_job;

/* Puts a job into `queue` and counts it. VD_OK, VD_EAGAIN (full, counted as refused), VD_ESHUTDOWN,
 * VD_ENOMEM. *ret_future gets one reference. Any thread. */
int vd_job_submit(vd_ledger *ledger, vd_queue *queue, vd_frame *frame, vd_future **ret_future);

/* Begins the job: false when it was cancelled, then it is gone. The rest each end a job and take it. */
bool vd_job_begin(vd_job *job);

/* Takes `result`. */
void vd_job_succeed(vd_job *job, vd_result *result);
void vd_job_fail(vd_job *job, const vd_error *error);

/* The detector stops: completes it as VD_ESHUTDOWN, begun or not. The shape of a queue's free_item. */
void vd_job_refuse(void *job);

#endif
