/* Invariants
 * 1. submitted = succeeded + failed + cancelled + pending, in pictures, at every moment under the lock.
 * 2. Every picture has one outcome: of the worker that took it, or cancelled. Every request is settled once,
 * when its last picture has one, and its future completes after that; only a cancel by a holder of the future
 * comes first, and the continuation that stands first on the future settles then.
 * 3. That continuation may run after the detector is gone, so a request keeps the schedule alive.
 * 4. A request that nobody needs has no pictures and no batch; its future outlives it, and whatever was asked
 * for one picture becomes spare when the future goes idle.
 * 5. A request stands in its lane while it has pictures to give. Requests of one lane are taken in order. */
#include "detect/schedule.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/future.h"

enum {
    SPARE_REQUESTS = 64,    /* kept beyond a full queue: those that workers and callers have */
    PREPARED_REQUESTS = 16, /* there from the start: as many as a video has under way when it is busiest */
};

static void prepare_requests(vd_schedule *schedule);

int vd_schedule_new(size_t capacity, vd_schedule **ret_schedule)
{
    vd_schedule *schedule = calloc(1, sizeof *schedule);
    if (!schedule)
        return VD_ENOMEM;
    schedule->capacity = capacity;
    atomic_init(&schedule->references, 1);
    if (vd_mutex_init(&schedule->lock, VD_RANK_DETECTOR))
        goto no_lock;
    if (vd_cond_init(&schedule->work))
        goto no_work;
    if (vd_cond_init(&schedule->room))
        goto no_room;
    if (vd_mutex_init(&schedule->spare_lock, VD_RANK_POOL))
        goto no_spare;
    prepare_requests(schedule);
    *ret_schedule = schedule;
    return VD_OK;
no_spare:
    vd_cond_fini(&schedule->room);
no_room:
    vd_cond_fini(&schedule->work);
no_work:
    vd_mutex_fini(&schedule->lock);
no_lock:
    free(schedule);
    return VD_ENOMEM;
}

static void free_request(vd_request *request)
{
    vd_future_free_idle(&request->future);
    free(request);
}

void vd_schedule_release(vd_schedule *schedule)
{
    if (!schedule || atomic_fetch_sub(&schedule->references, 1) != 1)
        return;
    while (schedule->spare) {
        vd_request *next = schedule->spare->next;
        free_request(schedule->spare);
        schedule->spare = next;
    }
    vd_mutex_fini(&schedule->spare_lock);
    vd_cond_fini(&schedule->room);
    vd_cond_fini(&schedule->work);
    vd_mutex_fini(&schedule->lock);
    free(schedule);
}

/* --- Requests */

static void release_picture(vd_input *input)
{
    if (input->release)
        input->release(input->context);
    input->release = NULL;
}

static void release_request(vd_request *request)
{
    if (atomic_fetch_sub(&request->references, 1) != 1)
        return;
    for (size_t i = 0; i < request->count; i++)
        release_picture(&request->inputs[i]);
    vd_batch_free(&request->batch);
    vd_future *future = request->future;
    vd_future_unref(&future); /* the last one, here or at a holder's, gives the request back */
}

/* Its future went idle. */
static void give_back(void *context)
{
    vd_request *request = context;
    vd_schedule *schedule = request->schedule;
    bool keep = false;
    if (!request->is_batch) {
        vd_mutex_lock(&schedule->spare_lock);
        keep = schedule->spare_count < schedule->capacity + SPARE_REQUESTS;
        if (keep) {
            request->next = schedule->spare;
            schedule->spare = request;
            schedule->spare_count++;
        }
        vd_mutex_unlock(&schedule->spare_lock);
    }
    if (!keep)
        free_request(request);
    vd_schedule_release(schedule);
}

static vd_request *take_spare(vd_schedule *schedule)
{
    vd_mutex_lock(&schedule->spare_lock);
    vd_request *request = schedule->spare;
    if (request) {
        schedule->spare = request->next;
        schedule->spare_count--;
    }
    vd_mutex_unlock(&schedule->spare_lock);
    if (!request)
        return NULL;
    vd_future *future = request->future;
    memset(request, 0, sizeof *request);
    request->future = future;
    vd_future_renew(future);
    return request;
}

static void free_value_of_one(void *value)
{
    vd_result *result = value;
    vd_result_unref(&result);
}

static void free_value_of_batch(void *value)
{
    vd_batch *batch = value;
    vd_batch_free(&batch);
}

static vd_batch *make_batch(size_t count)
{
    vd_batch *batch = calloc(1, sizeof *batch);
    if (!batch)
        return NULL;
    batch->total = count;
    batch->items = calloc(count, sizeof *batch->items);
    if (!batch->items) {
        free(batch);
        return NULL;
    }
    return batch;
}

void vd_batch_free(vd_batch **pointer)
{
    vd_batch *batch = *pointer;
    *pointer = NULL;
    if (!batch)
        return;
    for (size_t i = 0; i < batch->total; i++)
        vd_result_unref(&batch->items[i].result);
    free(batch->items);
    free(batch);
}

static void on_complete(void *context, vd_future *future);

static vd_request *allocate_request(size_t count, bool is_batch)
{
    vd_request *request = calloc(1, sizeof *request + count * sizeof request->inputs[0]);
    if (!request)
        return NULL;
    if (is_batch && !(request->batch = make_batch(count)))
        goto no_batch;
    if (vd_future_new_reusable(is_batch ? free_value_of_batch : free_value_of_one, give_back, request,
                               &request->future))
        goto no_future;
    return request;
no_future:
    vd_batch_free(&request->batch);
no_batch:
    free(request);
    return NULL;
}

/* So that a queue that is longer than ever, late in a video, allocates nothing. Without memory they are made
 * when they are needed. */
static void prepare_requests(vd_schedule *schedule)
{
    vd_request *request;
    for (int i = 0; i < PREPARED_REQUESTS && (request = allocate_request(1, false)); i++) {
        atomic_fetch_add(&schedule->references, 1);
        request->schedule = schedule;
        vd_future *future = request->future;
        vd_future_unref(&future); /* gives it back */
    }
}

static vd_request *make_request(vd_schedule *schedule, const vd_input *inputs, size_t count, bool is_batch,
                                size_t chunk)
{
    vd_request *request = is_batch ? NULL : take_spare(schedule);
    if (!request)
        request = allocate_request(count, is_batch);
    if (!request)
        return NULL;
    atomic_store(&request->references, 2);
    atomic_fetch_add(&schedule->references, 1);
    request->schedule = schedule;
    request->submitted_ns = vd_clock_now_ns();
    request->is_batch = is_batch;
    request->count = count;
    request->chunk = chunk;
    request->lane = inputs[0].priority == VD_PRIORITY_BACKGROUND ? 1 : 0;
    vd_future_then(request->future, on_complete, request); /* the first one needs no memory */
    return request;
}

/* --- The ledger */

enum outcome { SUCCEEDED, FAILED, CANCELLED };

static void count_locked(vd_schedule *schedule, enum outcome outcome, size_t pictures)
{
    vd_detector_stats *counts = &schedule->counts;
    counts->pending -= pictures;
    *(outcome == SUCCEEDED ? &counts->succeeded
      : outcome == FAILED  ? &counts->failed
                           : &counts->cancelled) += pictures;
}

/* Cancels what was not given: true when this settles the request. */
static bool cancel_rest_locked(vd_request *request, int code, const char *why)
{
    size_t rest = request->count - request->given;
    for (size_t i = request->given; request->batch && i < request->count; i++)
        vd_error_set(&request->batch->items[i].error, code, NULL, "%s", why);
    request->given = request->count;
    request->done += rest;
    count_locked(request->schedule, CANCELLED, rest);
    bool settles = !request->settled && request->done == request->count;
    request->settled = request->settled || settles;
    return settles;
}

static void take_out_locked(vd_schedule *schedule, vd_request *request)
{
    vd_request **link = &schedule->lanes[request->lane].first, *before = NULL;
    while (*link && *link != request) {
        before = *link;
        link = &before->next;
    }
    if (!*link)
        return;
    *link = request->next;
    if (schedule->lanes[request->lane].last == request)
        schedule->lanes[request->lane].last = before;
    request->next = NULL;
    schedule->counts.queued--;
    vd_cond_signal(&schedule->room);
}

/* Stands first on every future. What is not settled by now was cancelled by a holder of the future, before it
 * began: it leaves its lane, and the pictures go back at once. */
static void on_complete(void *context, vd_future *future)
{
    vd_request *request = context;
    vd_schedule *schedule = request->schedule;
    (void)future;
    vd_mutex_lock(&schedule->lock);
    bool cancelled = !request->settled;
    if (cancelled) {
        take_out_locked(schedule, request);
        cancel_rest_locked(request, VD_ECANCELED, "Cancelled.");
    }
    vd_mutex_unlock(&schedule->lock);
    if (cancelled)
        release_request(request); /* the schedule's */
    release_request(request);
}

/* Completes a settled request, and gives up the schedule's reference. */
static void complete(vd_request *request, vd_outcome *single)
{
    if (request->is_batch) {
        vd_batch *batch = request->batch;
        request->batch = NULL;
        vd_future_complete(request->future, batch);
    } else if (single->result) {
        vd_future_complete(request->future, single->result);
    } else {
        vd_future_fail(request->future, &single->error);
    }
    release_request(request);
}

/* --- Submitting */

static int enqueue_locked(vd_schedule *schedule, vd_request *request, int64_t deadline_ns)
{
    bool in_time = true;
    while (!schedule->closed && schedule->counts.queued >= schedule->capacity && deadline_ns != 0 && in_time)
        in_time = vd_cond_wait_until(&schedule->room, &schedule->lock, deadline_ns);
    if (schedule->closed)
        return VD_ESHUTDOWN;
    if (schedule->counts.queued >= schedule->capacity) {
        schedule->counts.refused += request->count;
        return deadline_ns == 0 ? VD_EAGAIN : VD_ETIMEOUT;
    }
    request->epoch = schedule->epoch;
    if (schedule->lanes[request->lane].last)
        schedule->lanes[request->lane].last->next = request;
    else
        schedule->lanes[request->lane].first = request;
    schedule->lanes[request->lane].last = request;
    schedule->counts.queued++;
    schedule->counts.submitted += request->count;
    schedule->counts.pending += request->count;
    if (request->count > request->chunk)
        vd_cond_broadcast(&schedule->work);
    else
        vd_cond_signal(&schedule->work);
    return VD_OK;
}

int vd_schedule_submit(vd_schedule *schedule, const vd_input *inputs, size_t count, bool is_batch,
                       size_t chunk, int64_t deadline_ns, vd_future **ret_future)
{
    vd_request *request = make_request(schedule, inputs, count, is_batch, chunk);
    if (!request)
        return VD_ENOMEM;
    for (size_t i = 0; i < count; i++)
        request->inputs[i] = inputs[i];
    vd_future *future = vd_future_ref(request->future);
    vd_mutex_lock(&schedule->lock);
    int code = enqueue_locked(schedule, request, deadline_ns);
    vd_mutex_unlock(&schedule->lock);
    if (code) {
        vd_future_unref(&future);
        for (size_t i = 0; i < count; i++)
            request->inputs[i].release = NULL; /* not accepted: still the caller's */
        release_request(request); /* nobody has seen the future: both references are still here */
        release_request(request);
        return code;
    }
    *ret_future = future;
    return VD_OK;
}

/* --- Taking */

static vd_request *head_locked(const vd_schedule *schedule)
{
    for (int lane = 0; lane < VD_LANES; lane++)
        if (schedule->lanes[lane].first)
            return schedule->lanes[lane].first;
    return NULL;
}

/* Takes the next unit from the request at the head; false when the request was not to be had, and is out. */
static bool take_from_locked(vd_schedule *schedule, vd_request *request, vd_unit *ret_unit,
                             vd_request **ret_settled)
{
    if (request->given == 0 && !vd_future_begin(request->future)) {
        take_out_locked(schedule, request); /* cancelled a moment ago: its continuation waits for the lock */
        return false;
    }
    if (request->given > 0 && vd_future_is_unwanted(request->future)) {
        take_out_locked(schedule, request);
        if (cancel_rest_locked(request, VD_ECANCELED,
                               "The batch was cancelled before it came to this picture."))
            *ret_settled = request;
        return false;
    }
    size_t left = request->count - request->given;
    *ret_unit = (vd_unit){
        .request = request, .first = request->given, .count = left < request->chunk ? left : request->chunk};
    atomic_fetch_add(&request->references, 1);
    request->given += ret_unit->count;
    schedule->counts.in_flight += ret_unit->count;
    schedule->counts.active++;
    if (request->given == request->count)
        take_out_locked(schedule, request);
    return true;
}

bool vd_schedule_take(vd_schedule *schedule, vd_unit *ret_unit)
{
    bool taken = false, over = false;
    while (!taken && !over) {
        vd_request *settled = NULL;
        vd_mutex_lock(&schedule->lock);
        /* What a cancelling shutdown has not come to yet is no work either. */
        vd_request *head = schedule->cancelled ? NULL : head_locked(schedule);
        if (head)
            taken = take_from_locked(schedule, head, ret_unit, &settled);
        else if (schedule->closed)
            over = true;
        else
            vd_cond_wait(&schedule->work, &schedule->lock);
        vd_mutex_unlock(&schedule->lock);
        if (settled)
            complete(settled, NULL);
    }
    return taken;
}

static void note_locked(vd_schedule *schedule, const vd_request *request, const vd_outcome *outcome,
                        int64_t now_ns)
{
    count_locked(schedule, outcome->result ? SUCCEEDED : FAILED, 1);
    if (!outcome->result)
        return;
    vd_histogram_add(&schedule->latency, now_ns - request->submitted_ns);
    vd_histogram_add(&schedule->forward, outcome->result->forward_ns);
}

/* The items of a unit belong to its worker until the count of those done says otherwise. */
static void fill_batch(const vd_unit *unit, vd_outcome *outcomes)
{
    for (size_t i = 0; i < unit->count; i++) {
        vd_batch_item *item = &unit->request->batch->items[unit->first + i];
        item->result = outcomes[i].result;
        item->error = outcomes[i].error;
    }
}

void vd_schedule_finish(vd_schedule *schedule, vd_unit *unit, vd_outcome *outcomes, unsigned passes)
{
    vd_request *request = unit->request;
    int64_t now_ns = vd_clock_now_ns();
    /* Pictures go back to their owner before anybody who waits for the future goes on. */
    for (size_t i = 0; i < unit->count; i++)
        release_picture(&request->inputs[unit->first + i]);
    if (request->is_batch)
        fill_batch(unit, outcomes);
    vd_mutex_lock(&schedule->lock);
    for (size_t i = 0; i < unit->count; i++) {
        note_locked(schedule, request, &outcomes[i], now_ns);
        if (request->batch)
            request->batch->successful += outcomes[i].result != NULL;
    }
    request->done += unit->count;
    schedule->counts.in_flight -= unit->count;
    schedule->counts.active--;
    schedule->counts.passes += passes;
    bool settles = request->done == request->count;
    request->settled = request->settled || settles;
    vd_mutex_unlock(&schedule->lock);
    if (settles)
        complete(request, outcomes);
    release_request(request); /* the unit's */
    unit->request = NULL;
}

/* --- Ending */

static const char stopped[] = "The detector was stopped before it came to this picture.";

/* Completes what waits, one after another, without the lock. */
static void refuse_waiting(vd_schedule *schedule)
{
    for (;;) {
        vd_mutex_lock(&schedule->lock);
        vd_request *request = head_locked(schedule);
        bool settles = false, begun = false;
        if (request) {
            take_out_locked(schedule, request);
            begun = request->given > 0;
            /* One that a holder cancels at this moment is settled by that holder. */
            if (begun || vd_future_begin(request->future))
                settles = cancel_rest_locked(request, VD_ESHUTDOWN, stopped);
        }
        vd_mutex_unlock(&schedule->lock);
        if (!request)
            return;
        if (settles && !begun) {
            vd_error error;
            vd_error_set(&error, VD_ESHUTDOWN, NULL, "%s", stopped);
            vd_future_fail(request->future, &error);
            release_request(request);
        } else if (settles) {
            complete(request, NULL);
        }
    }
}

void vd_schedule_close(vd_schedule *schedule, bool cancel)
{
    vd_mutex_lock(&schedule->lock);
    schedule->closed = true;
    schedule->cancelled = schedule->cancelled || cancel;
    schedule->counts.shut_down = 1;
    vd_cond_broadcast(&schedule->work);
    vd_cond_broadcast(&schedule->room);
    vd_mutex_unlock(&schedule->lock);
    if (cancel)
        refuse_waiting(schedule);
}

void vd_schedule_reset(vd_schedule *schedule)
{
    vd_mutex_lock(&schedule->lock);
    schedule->epoch++;
    vd_mutex_unlock(&schedule->lock);
}
