#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "verify/clip.h"
#include "verify/crew.h"

#define NEW_NS VD_NS_PER_S /* a worker that dies so soon after loading counts as one that did not load */
#define LOAD_WAIT_LEAST_NS (2 * VD_NS_PER_S) /* a program takes its time to start, whatever clips may */

enum { HOW_ROOM = 256 }; /* of `missed`, so that the sentence around it finds room as well */

static vd_verify_result unverified(vd_verdict_cause cause, int code, const char *text)
{
    vd_verify_result outcome = {.verdict = VD_VERDICT_UNVERIFIED, .cause = cause};
    vd_error_set(&outcome.error, code, NULL, "%s", text);
    return outcome;
}

static void count_misses(vd_crew *crew, const vd_worker *worker, int code, const char *how)
{
    if (worker->generation != crew->current.generation)
        return;
    crew->misses += worker->count;
    crew->misses = crew->misses < VD_CREW_MISSES ? crew->misses : VD_CREW_MISSES;
    crew->missed.code = code;
    vd_text_copy(crew->missed.text, HOW_ROOM, how);
    size_t length = strlen(crew->missed.text);
    if (length > 0 && crew->missed.text[length - 1] == '.')
        crew->missed.text[length - 1] = '\0';
}

/* All that a worker runs ends the same way. `how`: what the model failed by, as a part of a sentence. */
static void finish_all(vd_crew *crew, vd_worker *worker, vd_verify_result *outcome, const char *how)
{
    outcome->processing_s = (double)(vd_clock_now_ns() - worker->since_ns) / (double)VD_NS_PER_S;
    count_misses(crew, worker, outcome->error.code, how);
    vd_crew_publish(crew); /* who has the result sees what it was counted as */
    for (int i = 0; i < worker->count; i++)
        vd_requests_finish(crew->requests, worker->running[i], outcome);
    worker->count = 0;
    crew->changed = true;
}

/* --- Handing out */

static bool cut(vd_crew *crew, vd_worker *worker, vd_request *request)
{
    const vd_verify_options *options = &crew->options;
    size_t bytes =
        (size_t)options->temporal_size * (size_t)options->input_width * (size_t)options->input_height * 3;
    vd_verify_result outcome = {.verdict = VD_VERDICT_UNVERIFIED, .cause = VD_CAUSE_FAILED};
    int code = vd_clip_cut(&request->clip, options, crew->scratch,
                           worker->process.memory + (size_t)worker->count * bytes, &outcome.error);
    if (code != VD_OK) {
        vd_requests_finish(crew->requests, request, &outcome);
        crew->changed = true;
        return false;
    }
    worker->running[worker->count] = request;
    worker->ids[worker->count++] = request->id;
    return true;
}

/* How many clips fit into a pass so that it takes half of its time at most; one, until a pass was timed. */
static int timely(const vd_crew *crew)
{
    double fits = crew->clip_s > 0 ? crew->options.worker_timeout_s / 2 / crew->clip_s : 1;
    return fits < 1 ? 1 : fits < VD_WIRE_CLIPS ? (int)fits : VD_WIRE_CLIPS;
}

/* How many clips the next pass takes: one, as long as each waiting one finds a worker. */
static int pass_size(const vd_crew *crew, const vd_worker *worker)
{
    int most = timely(crew) < worker->batch ? timely(crew) : worker->batch;
    int idle = vd_crew_count(crew, VD_WORKER_IDLE, crew->current.generation);
    int waiting = vd_requests_waiting(crew->requests), share = idle > 0 ? (waiting + idle - 1) / idle : 1;
    return share < most ? share : most;
}

/* The pictures of a clip that goes alone are not needed again; those of several may have to be, when the pass
 * fails. */
static void ask(vd_crew *crew, vd_worker *worker)
{
    if (worker->count == 1)
        vd_requests_release(worker->running[0]);
    vd_wire_ask message = {.kind = VD_WIRE_ASK, .count = (uint32_t)worker->count};
    memcpy(message.ids, worker->ids, sizeof message.ids);
    worker->state = VD_WORKER_BUSY;
    worker->since_ns = vd_clock_now_ns();
    worker->deadline_ns = worker->since_ns + (int64_t)(crew->options.worker_timeout_s * (double)VD_NS_PER_S);
    vd_process_send(&worker->process, &message,
                    sizeof message); /* a failure shows as the end of the socket */
    crew->changed = true;
}

static void hand_to(vd_crew *crew, vd_worker *worker)
{
    int most = pass_size(crew, worker);
    bool alone = false;
    while (worker->count < most && !alone) {
        vd_request *request = vd_requests_pop(crew->requests, worker->count > 0);
        if (!request)
            break;
        bool by_itself = request->alone; /* the request is gone when it cannot be cut */
        alone = cut(crew, worker, request) && by_itself;
    }
    if (worker->count > 0)
        ask(crew, worker);
}

void vd_crew_hand_out(vd_crew *crew)
{
    for (int i = 0; i < VD_CREW_ROOM; i++) {
        vd_worker *worker = &crew->workers[i];
        if (worker->state == VD_WORKER_IDLE && worker->generation == crew->current.generation)
            hand_to(crew, worker);
    }
    if (vd_crew_is_out(crew) &&
        vd_requests_answer(crew->requests, INT64_MAX, VD_CAUSE_DEGRADED, &crew->why) > 0)
        crew->changed = true;
}

/* --- What goes wrong */

/* A pass of several that failed as a whole: each goes again by itself, so that one bad clip spoils no other.
 */
static void give_up(vd_crew *crew, vd_worker *worker, vd_verify_result *outcome, const char *how)
{
    if (worker->count <= 1) {
        finish_all(crew, worker, outcome, how);
        return;
    }
    for (int i = 0; i < worker->count; i++)
        vd_requests_return(crew->requests, worker->running[i]);
    worker->count = 0;
}

static void lose_worker(vd_crew *crew, vd_worker *worker)
{
    vd_crew_end_worker(worker);
    crew->changed = true;
}

/* The worker's end of the socket is closed: it is dead, or as good as that. */
static void crashed(vd_crew *crew, vd_worker *worker)
{
    vd_verify_result outcome = unverified(VD_CAUSE_FAILED, VD_EIO,
                                          worker->state == VD_WORKER_LOADING
                                              ? "The second model's worker ended while it loaded the model."
                                              : "The second model's worker crashed.");
    crew->figures.crashes++;
    crew->figures.restarts++;
    bool is_new = worker->state == VD_WORKER_IDLE && vd_clock_now_ns() - worker->since_ns < NEW_NS &&
                  !worker->has_worked;
    if (worker->state == VD_WORKER_LOADING || is_new)
        vd_crew_load_failed(crew, worker, &outcome.error);
    if (worker->state == VD_WORKER_BUSY)
        give_up(crew, worker, &outcome, "its worker crashed");
    lose_worker(crew, worker);
}

static void spoke_rubbish(vd_crew *crew, vd_worker *worker)
{
    vd_verify_result outcome = unverified(VD_CAUSE_FAILED, VD_EFORMAT,
                                          "The second model's worker gave an answer that makes no sense.");
    crew->figures.rubbish++;
    crew->figures.restarts++;
    if (worker->state == VD_WORKER_LOADING)
        vd_crew_load_failed(crew, worker, &outcome.error);
    if (worker->state == VD_WORKER_BUSY)
        give_up(crew, worker, &outcome, "its answer makes no sense");
    lose_worker(crew, worker);
}

static void was_late(vd_crew *crew, vd_worker *worker)
{
    vd_verify_result outcome =
        unverified(VD_CAUSE_TIMED_OUT, VD_ETIMEOUT,
                   worker->state == VD_WORKER_LOADING ? "The second model did not load within a minute."
                                                      : "The second model did not answer in time.");
    crew->figures.restarts++;
    if (worker->state == VD_WORKER_LOADING) {
        vd_crew_load_failed(crew, worker, &outcome.error);
    } else {
        crew->figures.timeouts += (uint64_t)worker->count;
        finish_all(crew, worker, &outcome, "it did not answer in time");
    }
    lose_worker(crew, worker);
}

void vd_crew_expire(vd_crew *crew, int64_t now_ns)
{
    for (int i = 0; i < VD_CREW_ROOM; i++) {
        vd_worker *worker = &crew->workers[i];
        bool has_deadline = worker->state == VD_WORKER_LOADING || worker->state == VD_WORKER_BUSY;
        if (has_deadline && now_ns >= worker->deadline_ns)
            was_late(crew, worker);
        if (worker->state == VD_WORKER_DYING && vd_process_reap(&worker->process))
            worker->state = VD_WORKER_NONE;
    }
}

/* --- A model that is still loading */

static int64_t load_wait_ns(const vd_crew *crew)
{
    int64_t wait_ns = (int64_t)(crew->options.worker_timeout_s * (double)VD_NS_PER_S);
    return wait_ns > LOAD_WAIT_LEAST_NS ? wait_ns : LOAD_WAIT_LEAST_NS;
}

/* What waited for other clips before counts from the moment there was no worker. */
int64_t vd_crew_late_due_ns(const vd_crew *crew)
{
    int64_t from_ns = vd_requests_oldest_ns(crew->requests);
    if (crew->unready_ns == 0 || from_ns == INT64_MAX)
        return INT64_MAX;
    return (from_ns > crew->unready_ns ? from_ns : crew->unready_ns) + load_wait_ns(crew);
}

void vd_crew_answer_late(vd_crew *crew)
{
    int64_t now_ns = vd_clock_now_ns();
    if (vd_crew_ready(crew) > 0)
        crew->unready_ns = 0;
    else if (crew->unready_ns == 0)
        crew->unready_ns = now_ns;
    if (vd_crew_late_due_ns(crew) > now_ns)
        return;
    crew->is_slow = true;
    vd_crew_publish(crew);
    vd_verify_result outcome =
        unverified(VD_CAUSE_TIMED_OUT, VD_ETIMEOUT, "The second model was still loading when time was up.");
    crew->figures.timeouts += (uint64_t)vd_requests_answer(crew->requests, now_ns - load_wait_ns(crew),
                                                           VD_CAUSE_TIMED_OUT, &outcome.error);
    crew->changed = true;
}

/* --- Listening */

static bool is_code(int32_t code)
{
    return code <= VD_OK && code >= VD_EUNSUPPORTED;
}

static void hear_hello(vd_crew *crew, vd_worker *worker)
{
    vd_wire_hello hello;
    vd_process_got got = vd_process_receive(&worker->process, &hello, sizeof hello);
    if (got == VD_GOT_NOTHING)
        return;
    bool sane = got == VD_GOT_MESSAGE && hello.kind == VD_WIRE_HELLO && is_code(hello.code) &&
                (hello.code != VD_OK || (hello.batch >= 1 && hello.batch <= VD_WIRE_CLIPS));
    if (got == VD_GOT_END) {
        crashed(crew, worker);
    } else if (!sane) {
        spoke_rubbish(crew, worker);
    } else if (hello.code != VD_OK) {
        vd_error error = {.code = hello.code};
        vd_text_clean(error.text, sizeof error.text, hello.text, strnlen(hello.text, sizeof hello.text));
        vd_crew_load_failed(crew, worker, &error);
        vd_crew_end_worker(worker);
    } else {
        vd_crew_greet(crew, worker, &hello);
    }
}

static bool makes_sense(const vd_worker *worker, const vd_wire_answer *answer)
{
    if (answer->kind != VD_WIRE_ANSWER || answer->count != (uint32_t)worker->count || !is_code(answer->code))
        return false;
    for (int i = 0; i < worker->count; i++)
        if (answer->ids[i] != worker->ids[i] ||
            !(answer->code != VD_OK || (answer->scores[i] >= 0 && answer->scores[i] <= 1)))
            return false;
    return true;
}

static void take_scores(vd_crew *crew, vd_worker *worker, const vd_wire_answer *answer)
{
    double processing_s = (double)(vd_clock_now_ns() - worker->since_ns) / (double)VD_NS_PER_S;
    if (worker->generation == crew->current.generation && crew->misses > 0) {
        crew->misses = 0;
        vd_crew_publish(crew);
    }
    for (int i = 0; i < worker->count; i++) {
        float score = answer->scores[i];
        vd_verify_result outcome = {.verdict = score >= (float)crew->options.threshold ? VD_VERDICT_VERIFIED
                                                                                       : VD_VERDICT_REJECTED,
                                    .score = score,
                                    .processing_s = processing_s};
        vd_requests_finish(crew->requests, worker->running[i], &outcome);
    }
    worker->count = 0;
}

/* A pass that the model itself could not carry out: the worker is well. */
static void take_failure(vd_crew *crew, vd_worker *worker, const vd_wire_answer *answer)
{
    char text[sizeof answer->text];
    vd_text_clean(text, sizeof text, answer->text, strnlen(answer->text, sizeof answer->text));
    vd_verify_result outcome = unverified(VD_CAUSE_FAILED, answer->code, text);
    give_up(crew, worker, &outcome, text);
}

static void hear_answer(vd_crew *crew, vd_worker *worker)
{
    vd_wire_answer answer;
    vd_process_got got = vd_process_receive(&worker->process, &answer, sizeof answer);
    if (got == VD_GOT_NOTHING)
        return;
    if (got == VD_GOT_END) {
        crashed(crew, worker);
        return;
    }
    if (got != VD_GOT_MESSAGE || worker->state != VD_WORKER_BUSY || !makes_sense(worker, &answer)) {
        spoke_rubbish(crew, worker);
        return;
    }
    crew->clip_s =
        (double)(vd_clock_now_ns() - worker->since_ns) / (double)VD_NS_PER_S / (double)worker->count;
    if (answer.code == VD_OK)
        take_scores(crew, worker, &answer);
    else
        take_failure(crew, worker, &answer);
    worker->has_worked = true;
    worker->state = VD_WORKER_IDLE;
    worker->since_ns = vd_clock_now_ns();
    crew->changed = true;
    if (worker->generation != crew->current.generation)
        vd_crew_end_worker(worker);
}

void vd_crew_listen(vd_crew *crew, vd_worker *worker)
{
    if (worker->state == VD_WORKER_LOADING)
        hear_hello(crew, worker);
    else if (worker->state == VD_WORKER_IDLE || worker->state == VD_WORKER_BUSY)
        hear_answer(crew, worker);
}
