#include "verify/requests.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "frame/frame.h"
#include "verify/clip.h"

/* Frames to give back once the lock is free. */
struct leaving {
    size_t count;
    struct vd_frame *frames[VD_CLIP_MOST];
};

static void let_go(struct leaving *leaving)
{
    for (size_t i = 0; i < leaving->count; i++)
        vd_frame_unref(&leaving->frames[i]);
    leaving->count = 0;
}

int vd_requests_init(vd_requests *requests, int queue_size, int result_queue_size)
{
    *requests = (vd_requests){.queue_size = queue_size,
                              .result_queue_size = result_queue_size,
                              .slot_count = queue_size + VD_REQUESTS_RUNNING};
    size_t slots = (size_t)requests->slot_count, results = (size_t)result_queue_size;
    requests->slots = calloc(slots, sizeof *requests->slots);
    requests->free_slots = calloc(slots, sizeof *requests->free_slots);
    requests->waiting = calloc(slots, sizeof *requests->waiting);
    requests->results = calloc(results, sizeof *requests->results);
    requests->free_results = calloc(results, sizeof *requests->free_results);
    requests->done = calloc(results, sizeof *requests->done);
    bool has_all = requests->slots && requests->free_slots && requests->waiting && requests->results &&
                   requests->free_results && requests->done;
    bool has_lock = has_all && vd_mutex_init(&requests->lock, VD_RANK_VERIFY) == VD_OK;
    if (has_lock && vd_cond_init(&requests->news) == VD_OK) {
        while (requests->free_count < requests->slot_count) {
            requests->free_slots[requests->free_count] = requests->free_count;
            requests->free_count++;
        }
        for (; requests->free_result_count < result_queue_size; requests->free_result_count++)
            requests->free_results[requests->free_result_count] = requests->free_result_count;
        return VD_OK;
    }
    if (has_lock)
        vd_mutex_fini(&requests->lock);
    requests->slot_count = 0;
    vd_requests_fini(requests);
    return VD_ENOMEM;
}

void vd_requests_fini(vd_requests *requests)
{
    if (requests->slot_count > 0) {
        vd_cond_fini(&requests->news);
        vd_mutex_fini(&requests->lock);
    }
    free(requests->slots);
    free(requests->free_slots);
    free(requests->waiting);
    free(requests->results);
    free(requests->free_results);
    free(requests->done);
    *requests = (vd_requests){0};
}

/* --- Results. All of them with the lock held. */

static void count(vd_requests *requests, const vd_verify_result *result, uint64_t by)
{
    if (result->verdict == VD_VERDICT_VERIFIED)
        requests->verified += by;
    else if (result->verdict == VD_VERDICT_REJECTED)
        requests->rejected += by;
    else if (result->cause == VD_CAUSE_DROPPED || result->cause == VD_CAUSE_STOPPED)
        requests->dropped += by;
    else
        requests->unverified += by;
}

/* Takes the i-th result out of the list. Its place is free from the next one on. */
static vd_verify_result *remove_result(vd_requests *requests, int i)
{
    int slot = requests->done[i], behind = --requests->done_count - i;
    memmove(requests->done + i, requests->done + i + 1, (size_t)behind * sizeof *requests->done);
    requests->free_results[requests->free_result_count++] = slot;
    return &requests->results[slot];
}

/* The oldest result falls out: from now on it counts as dropped, and nowhere else. */
static void drop_oldest_result(vd_requests *requests)
{
    vd_verify_result *result = remove_result(requests, 0);
    count(requests, result, UINT64_MAX); /* one less */
    requests->dropped++;
    requests->results_dropped++;
}

/* A request that waits or runs becomes a result. */
static void settle(vd_requests *requests, vd_request *request, const vd_verify_result *outcome,
                   struct leaving *leaving)
{
    int64_t now_ns = vd_clock_now_ns(), picked_ns = request->started_ns ? request->started_ns : now_ns;
    if (requests->free_result_count == 0)
        drop_oldest_result(requests);
    int slot = requests->free_results[--requests->free_result_count];
    vd_verify_result *result = &requests->results[slot];
    *result = *outcome;
    result->id = request->id;
    result->simple_score = vd_clip_simple_score(&request->clip);
    result->waited_s = (double)(picked_ns - request->submitted_ns) / (double)VD_NS_PER_S;
    requests->done[requests->done_count++] = slot;
    count(requests, result, 1);
    if (outcome->verdict != VD_VERDICT_UNVERIFIED) {
        vd_histogram_add(&requests->latency, now_ns - request->submitted_ns);
        requests->processing_s += outcome->processing_s;
    }
    leaving->count = request->clip.count;
    memcpy(leaving->frames, request->clip.frames, sizeof leaving->frames);
    request->clip.count = 0;
    request->state = VD_REQUEST_FREE;
    requests->free_slots[requests->free_count++] = (int)(request - requests->slots);
    vd_cond_broadcast(&requests->news);
}

/* --- The queue */

static vd_request *remove_waiting(vd_requests *requests, int i)
{
    vd_request *request = &requests->slots[requests->waiting[i].slot];
    requests->waiting_count--;
    memmove(requests->waiting + i, requests->waiting + i + 1,
            (size_t)(requests->waiting_count - i) * sizeof *requests->waiting);
    return request;
}

/* To where it belongs by its id: a new one is the last. */
static void add_waiting(vd_requests *requests, vd_request *request)
{
    int at = requests->waiting_count++;
    for (; at > 0 && requests->slots[requests->waiting[at - 1].slot].id > request->id; at--)
        requests->waiting[at] = requests->waiting[at - 1];
    requests->waiting[at] = (struct vd_waiting){request->confidence, (int)(request - requests->slots)};
    request->state = VD_REQUEST_WAITING;
    request->started_ns = 0;
}

/* When the one that waits longest was submitted; INT64_MAX: none waits. */
static int64_t head_ns(const vd_requests *requests)
{
    return requests->waiting_count > 0 ? requests->slots[requests->waiting[0].slot].submitted_ns : INT64_MAX;
}

static const vd_verify_result dropped_outcome = {
    .verdict = VD_VERDICT_UNVERIFIED,
    .cause = VD_CAUSE_DROPPED,
    .error = {.code = VD_EAGAIN, .text = "The queue of the second model was full, and newer events came."}};

int vd_requests_push(vd_requests *requests, const vd_verify_clip *clip, float confidence, uint64_t *ret_id)
{
    struct leaving leaving = {0};
    for (size_t i = 0; i < clip->count; i++)
        vd_frame_ref(clip->frames[i]);
    vd_mutex_lock(&requests->lock);
    bool closed = requests->closed;
    if (!closed) {
        if (requests->waiting_count >= requests->queue_size)
            settle(requests, remove_waiting(requests, 0), &dropped_outcome, &leaving);
        vd_request *request = &requests->slots[requests->free_slots[--requests->free_count]];
        request->id = *ret_id = ++requests->last_id;
        request->confidence = confidence;
        request->alone = false;
        request->submitted_ns = vd_clock_now_ns();
        request->clip = *clip;
        requests->submitted++;
        add_waiting(requests, request);
    }
    vd_mutex_unlock(&requests->lock);
    let_go(&leaving);
    for (size_t i = 0; i < clip->count && closed; i++) {
        struct vd_frame *frame = clip->frames[i];
        vd_frame_unref(&frame);
    }
    return closed ? VD_ESHUTDOWN : VD_OK;
}

static bool holds_older(const vd_verify_clip *clip, const vd_frame_pool *pool, int64_t first)
{
    for (size_t i = 0; i < clip->count; i++)
        if (clip->frames[i]->pool == pool && clip->frames[i]->index < first)
            return true;
    return false;
}

bool vd_requests_drop_oldest_of(vd_requests *requests, const vd_frame_pool *pool, int64_t first)
{
    static const vd_verify_result outcome = {
        .verdict = VD_VERDICT_UNVERIFIED,
        .cause = VD_CAUSE_DROPPED,
        .error = {.code = VD_EAGAIN,
                  .text = "The second model was slow, and newer events needed the memory of its pictures."}};
    struct leaving leaving = {0};
    int oldest = 0;
    vd_mutex_lock(&requests->lock);
    while (oldest < requests->waiting_count &&
           !holds_older(&requests->slots[requests->waiting[oldest].slot].clip, pool, first))
        oldest++;
    bool found = oldest < requests->waiting_count;
    if (found)
        settle(requests, remove_waiting(requests, oldest), &outcome, &leaving);
    vd_mutex_unlock(&requests->lock);
    let_go(&leaving);
    return found;
}

/* Which of the waiting ones goes next; -1: none. */
static int find_next(const vd_requests *requests, bool joins)
{
    bool oldest = requests->turn == VD_REQUESTS_TURN - 1;
    int best = -1;
    for (int i = 0; i < requests->waiting_count && !(oldest && best >= 0); i++) {
        const struct vd_waiting *waiting = &requests->waiting[i];
        if (joins && requests->slots[waiting->slot].alone)
            continue;
        if (best < 0 || waiting->confidence > requests->waiting[best].confidence)
            best = i;
    }
    return best;
}

vd_request *vd_requests_pop(vd_requests *requests, bool joins)
{
    vd_request *request = NULL;
    vd_mutex_lock(&requests->lock);
    int best = find_next(requests, joins);
    if (best >= 0 && requests->running_count < VD_REQUESTS_RUNNING) {
        request = remove_waiting(requests, best);
        request->state = VD_REQUEST_RUNNING;
        request->started_ns = vd_clock_now_ns();
        requests->running_count++;
        requests->turn = (requests->turn + 1) % VD_REQUESTS_TURN;
    }
    vd_mutex_unlock(&requests->lock);
    return request;
}

void vd_requests_return(vd_requests *requests, vd_request *request)
{
    struct leaving leaving = {0};
    vd_mutex_lock(&requests->lock);
    request->alone = true;
    requests->running_count--;
    add_waiting(requests, request);
    if (requests->waiting_count > requests->queue_size)
        settle(requests, remove_waiting(requests, 0), &dropped_outcome, &leaving);
    vd_mutex_unlock(&requests->lock);
    let_go(&leaving);
}

void vd_requests_release(vd_request *request)
{
    for (size_t i = 0; i < request->clip.count; i++)
        vd_frame_unref(&request->clip.frames[i]);
}

void vd_requests_finish(vd_requests *requests, vd_request *request, const vd_verify_result *outcome)
{
    struct leaving leaving = {0};
    vd_mutex_lock(&requests->lock);
    requests->running_count--;
    settle(requests, request, outcome, &leaving);
    vd_mutex_unlock(&requests->lock);
    let_go(&leaving);
}

int vd_requests_answer(vd_requests *requests, int64_t until_ns, vd_verdict_cause cause, const vd_error *why)
{
    vd_verify_result outcome = {.verdict = VD_VERDICT_UNVERIFIED, .cause = cause, .error = *why};
    int answered = 0;
    for (bool more = true; more;) {
        struct leaving leaving = {0};
        vd_mutex_lock(&requests->lock);
        more = requests->waiting_count > 0 && head_ns(requests) <= until_ns;
        if (more) {
            requests->figures.timeouts += cause == VD_CAUSE_TIMED_OUT;
            settle(requests, remove_waiting(requests, 0), &outcome, &leaving);
            answered++;
        }
        vd_mutex_unlock(&requests->lock);
        let_go(&leaving);
    }
    return answered;
}

void vd_requests_close(vd_requests *requests)
{
    static const vd_verify_result outcome = {
        .verdict = VD_VERDICT_UNVERIFIED,
        .cause = VD_CAUSE_STOPPED,
        .error = {.code = VD_ESHUTDOWN, .text = "Stage 2 was stopped before the verdict."}};
    vd_mutex_lock(&requests->lock);
    requests->closed = true;
    requests->waiting_count = 0;
    vd_mutex_unlock(&requests->lock);
    /* Nobody pushes or pops any more: the slots are this thread's. */
    for (int i = 0; i < requests->slot_count; i++) {
        struct leaving leaving = {0};
        vd_request *request = &requests->slots[i];
        vd_mutex_lock(&requests->lock);
        if (request->state != VD_REQUEST_FREE)
            settle(requests, request, &outcome, &leaving);
        vd_mutex_unlock(&requests->lock);
        let_go(&leaving);
    }
    vd_mutex_lock(&requests->lock);
    requests->running_count = 0;
    vd_cond_broadcast(&requests->news);
    vd_mutex_unlock(&requests->lock);
}

/* --- Taking */

static int find_result(const vd_requests *requests, uint64_t id)
{
    for (int i = 0; i < requests->done_count; i++)
        if (requests->results[requests->done[i]].id == id)
            return i;
    return -1;
}

static bool is_pending(const vd_requests *requests, uint64_t id)
{
    for (int i = 0; i < requests->slot_count && id > 0 && id <= requests->last_id; i++)
        if (requests->slots[i].state != VD_REQUEST_FREE && requests->slots[i].id == id)
            return true;
    return false;
}

int vd_requests_take(vd_requests *requests, uint64_t id, int64_t deadline_ns, vd_verify_result *ret_result)
{
    int code = VD_OK, at;
    vd_mutex_lock(&requests->lock);
    while ((at = find_result(requests, id)) < 0 && code == VD_OK) {
        if (!is_pending(requests, id))
            code = VD_ENOTFOUND;
        else if (vd_clock_now_ns() >= deadline_ns)
            code = VD_ETIMEOUT;
        else
            vd_cond_wait_until(&requests->news, &requests->lock, deadline_ns);
    }
    if (at >= 0)
        *ret_result = *remove_result(requests, at);
    vd_mutex_unlock(&requests->lock);
    return code;
}

size_t vd_requests_take_all(vd_requests *requests, vd_verify_result *ret_results, size_t room)
{
    size_t taken = 0;
    vd_mutex_lock(&requests->lock);
    for (; taken < room && requests->done_count > 0; taken++)
        ret_results[taken] = *remove_result(requests, 0);
    vd_mutex_unlock(&requests->lock);
    return taken;
}

void vd_requests_wait(vd_requests *requests, uint64_t id)
{
    vd_mutex_lock(&requests->lock);
    while (is_pending(requests, id))
        vd_cond_wait_until(&requests->news, &requests->lock, vd_clock_now_ns() + VD_NS_PER_S);
    vd_mutex_unlock(&requests->lock);
}

int64_t vd_requests_oldest_ns(vd_requests *requests)
{
    vd_mutex_lock(&requests->lock);
    int64_t submitted_ns = head_ns(requests);
    vd_mutex_unlock(&requests->lock);
    return submitted_ns;
}
