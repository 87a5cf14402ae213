/* Invariants
 * 1. submitted = succeeded + failed + cancelled + pending, at every moment under the lock.
 * 2. A job is settled once, by whoever comes first, and before its future completes; only a cancel by a
 * holder of the future is settled after it, by the continuation that stands first on the future.
 * 3. That continuation may run after the detector is given up, so a job keeps the ledger alive.
 * 4. Jobs enter the queue under the ledger's lock: the epochs in the queue never fall. */
#include "detect/job.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/future.h"

int vd_ledger_new(vd_ledger **ret_ledger)
{
    vd_ledger *ledger = calloc(1, sizeof *ledger);
    if (!ledger)
        return VD_ENOMEM;
    if (vd_mutex_init(&ledger->lock, VD_RANK_DETECTOR)) {
        free(ledger);
        return VD_ENOMEM;
    }
    atomic_init(&ledger->references, 1);
    *ret_ledger = ledger;
    return VD_OK;
}

void vd_ledger_release(vd_ledger *ledger)
{
    if (!ledger || atomic_fetch_sub(&ledger->references, 1) != 1)
        return;
    vd_mutex_fini(&ledger->lock);
    free(ledger);
}

void vd_ledger_stop(vd_ledger *ledger)
{
    vd_mutex_lock(&ledger->lock);
    ledger->stopping = true;
    vd_mutex_unlock(&ledger->lock);
}

bool vd_ledger_is_stopping(vd_ledger *ledger)
{
    vd_mutex_lock(&ledger->lock);
    bool stopping = ledger->stopping;
    vd_mutex_unlock(&ledger->lock);
    return stopping;
}

void vd_ledger_reset(vd_ledger *ledger)
{
    vd_mutex_lock(&ledger->lock);
    ledger->epoch++;
    vd_mutex_unlock(&ledger->lock);
}

static void release_job(vd_job *job)
{
    if (atomic_fetch_sub(&job->references, 1) != 1)
        return;
    vd_frame_unref(&job->frame);
    vd_future_unref(&job->future);
    vd_ledger_release(job->ledger);
    free(job);
}

static void settle(vd_job *job, enum vd_outcome outcome, const vd_result *result)
{
    vd_ledger *ledger = job->ledger;
    int64_t now_ns = vd_clock_now_ns();
    vd_mutex_lock(&ledger->lock);
    if (!job->settled) {
        job->settled = true;
        ledger->pending--;
        ledger->outcomes[outcome]++;
        if (result) {
            vd_histogram_add(&ledger->latency, now_ns - job->submitted_ns);
            vd_histogram_add(&ledger->forward, result->forward_ns);
        }
    }
    vd_mutex_unlock(&ledger->lock);
}

/* What is not settled by now was cancelled by a holder of the future. */
static void on_complete(void *context, vd_future *future)
{
    vd_job *job = context;
    (void)future;
    settle(job, VD_OUTCOME_CANCELLED, NULL);
    release_job(job);
}

static void free_result(void *value)
{
    vd_result *result = value;
    vd_result_unref(&result);
}

static vd_job *make_job(vd_ledger *ledger, vd_frame *frame)
{
    vd_job *job = calloc(1, sizeof *job);
    if (!job)
        return NULL;
    if (vd_future_new(free_result, &job->future)) {
        free(job);
        return NULL;
    }
    atomic_init(&job->references, 2);
    atomic_fetch_add(&ledger->references, 1);
    job->ledger = ledger;
    job->frame = vd_frame_ref(frame);
    job->submitted_ns = vd_clock_now_ns();
    vd_future_then(job->future, on_complete, job); /* the first one needs no memory */
    return job;
}

static int enqueue(vd_ledger *ledger, vd_queue *queue, vd_job *job)
{
    vd_mutex_lock(&ledger->lock);
    job->epoch = ledger->epoch;
    int code = ledger->stopping ? VD_ESHUTDOWN : vd_queue_push(queue, job, 0);
    if (code == VD_OK) {
        ledger->submitted++;
        ledger->pending++;
    } else if (code == VD_EAGAIN) {
        ledger->refused++;
    }
    vd_mutex_unlock(&ledger->lock);
    return code;
}

int vd_job_submit(vd_ledger *ledger, vd_queue *queue, vd_frame *frame, vd_future **ret_future)
{
    vd_job *job = make_job(ledger, frame);
    if (!job)
        return VD_ENOMEM;
    vd_future *future = vd_future_ref(job->future);
    int code = enqueue(ledger, queue, job);
    if (code) {
        vd_future_unref(&future);
        release_job(job); /* nobody has seen the future: both references are still here */
        release_job(job);
        return code;
    }
    *ret_future = future;
    return VD_OK;
}

bool vd_job_begin(vd_job *job)
{
    bool begun = vd_future_begin(job->future);
    if (!begun)
        release_job(job); /* its continuation settles it */
    return begun;
}

/* The frame goes back to its pool before anybody who waits for the future goes on. */
void vd_job_succeed(vd_job *job, vd_result *result)
{
    vd_frame_unref(&job->frame);
    settle(job, VD_OUTCOME_SUCCEEDED, result);
    vd_future_complete(job->future, result);
    release_job(job);
}

static void fail(vd_job *job, enum vd_outcome outcome, const vd_error *error)
{
    vd_frame_unref(&job->frame);
    settle(job, outcome, NULL);
    vd_future_fail(job->future, error);
    release_job(job);
}

void vd_job_fail(vd_job *job, const vd_error *error)
{
    fail(job, VD_OUTCOME_FAILED, error);
}

void vd_job_refuse(void *job)
{
    vd_error error;
    vd_error_set(&error, VD_ESHUTDOWN, NULL, "The detector was stopped before it came to this picture.");
    fail(job, VD_OUTCOME_CANCELLED, &error);
}
