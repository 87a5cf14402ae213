/* Requests and results of stage 2: who waits, who runs, what came of it, and the ledger over all of them.
 *
 * Invariants, whenever the lock is free
 * 1. submitted = verified + rejected + unverified + dropped + pending; pending = waiting + running.
 * 2. Everything is allocated at the start: submitting copies a clip's references, never a picture.
 * 3. The clip of a waiting request is nobody's but this object's; of a running one, of who popped it. */
#ifndef VD_VERIFY_REQUESTS_H
#define VD_VERIFY_REQUESTS_H

#include "base/histogram.h"
#include "base/thread.h"
#include "vedette/app/verify.h"

enum { VD_REQUESTS_RUNNING = 128 /* at once, at most */, VD_REQUESTS_TURN = 4 };

struct vd_frame_pool;

typedef enum vd_request_state { VD_REQUEST_FREE, VD_REQUEST_WAITING, VD_REQUEST_RUNNING } vd_request_state;

typedef struct vd_request {
    uint64_t id;
    vd_request_state state;
    float confidence;
    bool alone; /* was in a pass of several that failed: next time it goes by itself */
    float simple_score;
    int64_t submitted_ns, started_ns;
    vd_verify_clip clip;
} vd_request;

/* What is known of the workers; published as a whole. */
typedef struct vd_verify_figures {
    int workers_active, workers;
    uint64_t timeouts, crashes, rubbish, restarts;
    bool degraded;
    vd_error why;
    char model[64];
} vd_verify_figures;

typedef struct vd_requests {
    /* immutable */
    int slot_count, queue_size, result_queue_size;

    vd_mutex lock; /* VD_RANK_VERIFY */
    vd_cond news;  /* a result is there, or all is over */

    /* guarded by lock */
    vd_request *slots;
    int *free_slots;
    int free_count;
    struct vd_waiting {
        float confidence;
        int slot;
    } * waiting; /* in the order they were submitted; at most queue_size */
    int waiting_count, running_count;
    vd_verify_result *results;
    int *free_results, *done; /* done: results in the order they came */
    int free_result_count, done_count;
    uint64_t last_id, submitted, verified, rejected, unverified, dropped, results_dropped;
    vd_histogram latency; /* from submit to result, of those with a verdict */
    double processing_s;  /* of those with a verdict, all together */
    int turn;             /* counts to the one that is the oldest's */
    vd_verify_figures figures;
    bool closed;
} vd_requests;

/* VD_OK or VD_ENOMEM; on failure nothing is left to free. */
int vd_requests_init(vd_requests *requests, int queue_size, int result_queue_size);
void vd_requests_fini(vd_requests *requests);

/* Adds a request, with references to the clip's frames. A full queue drops its oldest one.
 * VD_OK or VD_ESHUTDOWN. Any thread. */
int vd_requests_push(vd_requests *requests, const vd_verify_clip *clip, float confidence, uint64_t *ret_id);

/* As vd_verifier_drop_oldest_of. */
bool vd_requests_drop_oldest_of(vd_requests *requests, const struct vd_frame_pool *pool, int64_t first);

/* Takes the waiting request of the highest confidence, the oldest of equals, to run it; NULL when none waits.
 * Every VD_REQUESTS_TURN-th time the oldest of all: none waits for ever behind surer ones.
 *
 * joins  it is to join others: one that has to go alone stays */
vd_request *vd_requests_pop(vd_requests *requests, bool joins);

/* Puts a running request back to wait, to go alone, where it was among the others. When the queue is full by
 * now, its oldest is dropped, which may be this one: the request is not the caller's any more. */
void vd_requests_return(vd_requests *requests, vd_request *request);

/* Gives the frames of a running request back: its pictures were taken, and it will not be returned. */
void vd_requests_release(vd_request *request);

/* What came of a running request, which is gone afterwards. `outcome`: verdict, cause, score, processing_s
 * and error; the rest is filled in. */
void vd_requests_finish(vd_requests *requests, vd_request *request, const vd_verify_result *outcome);

/* Finishes as unverified what waits and was submitted no later than `until_ns` (INT64_MAX: everything). What
 * timed out so is in the figures at once; it is the caller's to publish it from then on. Returns how many. */
int vd_requests_answer(vd_requests *requests, int64_t until_ns, vd_verdict_cause cause, const vd_error *why);

/* Takes no more; what waits or runs is dropped (stopped). By the thread that pops. Twice is fine. */
void vd_requests_close(vd_requests *requests);

/* As vd_verifier_take and vd_verifier_take_all. */
int vd_requests_take(vd_requests *requests, uint64_t id, int64_t deadline_ns, vd_verify_result *ret_result);
size_t vd_requests_take_all(vd_requests *requests, vd_verify_result *ret_results, size_t room);

/* Waits until the request has a result. */
void vd_requests_wait(vd_requests *requests, uint64_t id);

int vd_requests_waiting(vd_requests *requests);

/* When the one that waits longest was submitted; INT64_MAX: none waits. */
int64_t vd_requests_oldest_ns(vd_requests *requests);
void vd_requests_publish(vd_requests *requests, const vd_verify_figures *figures);

/* All of it but min_workers and max_workers. */
void vd_requests_get_stats(vd_requests *requests, vd_verify_stats *ret_stats);

#endif
