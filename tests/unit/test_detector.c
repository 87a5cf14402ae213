/* The asynchronous detector, behind a double of its table of functions that a test can hold up at a gate. */
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/thread.h"
#include "check_main.h"
#include "detect/candidates.h"
#include "frame/frame.h"
#include "vedette/app/detector_frame.h"

enum { WIDTH = 64, HEIGHT = 48, FRAMES = 64 };

/* --- The double */

enum habit { FINDS_ONE, FAILS_EACH_THIRD, FAILS_SILENTLY, HANDS_OVER_RUBBISH };

static struct {
    vd_mutex lock;
    vd_cond changed;
    /* guarded by lock */
    bool gate_closed;
    int running, calls, opened, closed, resets;
    int failing_opens; /* the first so many fail */
    int open_attempts;
    char log[64]; /* a digit a frame, R a reset */

    enum habit habit; /* immutable while a detector lives */
} play;

struct state {
    pthread_t thread;
};

static void note(char what)
{
    size_t length = strlen(play.log);
    if (length + 1 < sizeof play.log)
        play.log[length] = what;
}

static int open_state(const void *config, void **ret_state, vd_labels **ret_labels, vd_error *error)
{
    static const char *const names[] = {"thing"};
    ck_assert_ptr_eq(config, &play);
    vd_mutex_lock(&play.lock);
    bool fails = play.open_attempts++ < play.failing_opens;
    play.opened += !fails;
    vd_mutex_unlock(&play.lock);
    if (vd_labels_new(names, 1, ret_labels))
        return VD_ENOMEM;
    if (fails)
        return vd_error_set(error, VD_EFORMAT, "double", "This worker was told not to start.");
    struct state *state = malloc(sizeof *state);
    if (!state)
        return VD_ENOMEM;
    state->thread = pthread_self();
    *ret_state = state;
    return VD_OK;
}

static void hand_over_rubbish(vd_result *result)
{
    const vd_detection rubbish[] = {
        {{1, 1, 9, 9}, 0.30f, 0, 7}, {{NAN, 1, 9, 9}, 0.9f, 0, 0},       {{1, 1, INFINITY, 9}, 0.9f, 0, 0},
        {{2, 2, 9, 9}, NAN, 0, 0},   {{3, 3, 9, 9}, 1.5f, 0, 0},         {{4, 4, 9, 9}, -0.5f, 0, 0},
        {{5, 5, 9, 9}, 0.01f, 0, 0}, {{-50, -50, 200, 200}, 0.8f, 2, 0}, {{100, 1, 120, 9}, 0.9f, 0, 0},
        {{9, 9, 3, 3}, 0.9f, 0, 0},  {{6, 6, 9, 9}, 0.9f, -1, 0},        {{7, 7, 9, 9}, 0.30f, 1, 0},
    };
    memcpy(result->candidates, rubbish, sizeof rubbish);
    for (size_t i = sizeof rubbish / sizeof *rubbish; i < VD_MAX_CANDIDATES; i++)
        result->candidates[i] = (vd_detection){.score = NAN};
    result->count = 1000000;
}

static int detect_double(void *context, const vd_image *image, vd_result *result, vd_error *error)
{
    struct state *state = context;
    ck_assert(pthread_equal(state->thread, pthread_self()));
    ck_assert_int_eq(image->width, WIDTH);
    vd_mutex_lock(&play.lock);
    play.running++;
    int call = ++play.calls;
    note((char)('0' + result->frame_index % 10));
    vd_cond_broadcast(&play.changed);
    while (play.gate_closed)
        vd_cond_wait(&play.changed, &play.lock);
    play.running--;
    vd_mutex_unlock(&play.lock);
    if (play.habit == FAILS_EACH_THIRD && call % 3 == 0)
        return vd_error_set(error, VD_EIO, NULL, "Each third picture fails.");
    if (play.habit == FAILS_SILENTLY)
        return 5;
    if (play.habit == HANDS_OVER_RUBBISH) {
        hand_over_rubbish(result);
        return VD_OK;
    }
    result->candidates[0] = (vd_detection){.box = {1, 2, 11, 12}, .score = 0.5f};
    result->count = 1;
    result->forward_ns = 3 * VD_NS_PER_MS;
    return VD_OK;
}

static void reset_state(void *context)
{
    struct state *state = context;
    ck_assert(pthread_equal(state->thread, pthread_self()));
    vd_mutex_lock(&play.lock);
    play.resets++;
    note('R');
    vd_mutex_unlock(&play.lock);
}

static void close_state(void *context)
{
    struct state *state = context;
    ck_assert(pthread_equal(state->thread, pthread_self()));
    vd_mutex_lock(&play.lock);
    play.closed++;
    vd_mutex_unlock(&play.lock);
    free(state);
}

static const vd_detector_ops double_ops = {.open = open_state,
                                           .detect = detect_double,
                                           .reset = reset_state,
                                           .close = close_state,
                                           .name = "double"};

static void set_gate(bool closed)
{
    vd_mutex_lock(&play.lock);
    play.gate_closed = closed;
    vd_cond_broadcast(&play.changed);
    vd_mutex_unlock(&play.lock);
}

static void await_running(int count)
{
    vd_mutex_lock(&play.lock);
    while (play.running != count)
        vd_cond_wait(&play.changed, &play.lock);
    vd_mutex_unlock(&play.lock);
}

/* --- Around it */

static vd_frame_pool *pool;

static void set_up(void)
{
    ck_assert_int_eq(vd_mutex_init(&play.lock, VD_RANK_LOG - 1), VD_OK);
    ck_assert_int_eq(vd_cond_init(&play.changed), VD_OK);
    ck_assert_int_eq(vd_frame_pool_new(VD_PIXEL_BGRX, WIDTH, HEIGHT, FRAMES, &pool), VD_OK);
}

static void tear_down(void)
{
    vd_frame_pool_stats stats = vd_frame_pool_get_stats(pool);
    ck_assert_int_eq(stats.available, stats.capacity); /* no frame is left in a job */
    vd_frame_pool_free(&pool);
    ck_assert_int_eq(play.opened, play.closed);
    vd_cond_fini(&play.changed);
    vd_mutex_fini(&play.lock);
}

static vd_detector *make(int workers, int queue_size)
{
    vd_detector_options options = VD_DETECTOR_OPTIONS_INIT;
    options.max_workers = workers;
    options.queue_size = queue_size;
    options.ops = &double_ops;
    options.config = &play;
    vd_detector *detector = NULL;
    vd_error error = {0};
    ck_assert_msg(vd_detector_new(&options, &detector, &error) == VD_OK, "%s", error.text);
    return detector;
}

static int submit(vd_detector *detector, int index, vd_future **ret_future)
{
    vd_frame *frame = NULL;
    ck_assert_int_eq(vd_frame_pool_wait(pool, vd_clock_deadline_ns(20 * VD_NS_PER_S), &frame), VD_OK);
    frame->index = index;
    frame->time_s = index / 25.0;
    int code = vd_detector_submit_frame(detector, frame, VD_PRIORITY_INTERACTIVE, ret_future);
    vd_frame_unref(&frame);
    return code;
}

static vd_future *must_submit(vd_detector *detector, int index)
{
    vd_future *future = NULL;
    ck_assert_int_eq(submit(detector, index, &future), VD_OK);
    return future;
}

static void assert_ledger(vd_detector *detector, unsigned succeeded, unsigned failed, unsigned cancelled,
                          unsigned pending)
{
    vd_detector_stats stats = vd_detector_get_stats(detector);
    ck_assert_uint_eq(stats.succeeded, succeeded);
    ck_assert_uint_eq(stats.failed, failed);
    ck_assert_uint_eq(stats.cancelled, cancelled);
    ck_assert_uint_eq(stats.pending, pending);
    ck_assert_uint_eq(stats.submitted, succeeded + failed + cancelled + pending);
}

START_TEST(a_frame_becomes_a_result)
{
    vd_detector *detector = make(1, 4);
    vd_future *future = must_submit(detector, 7);
    ck_assert_int_eq(vd_future_wait(future, -1), VD_OK);
    const vd_result *result = vd_future_value(future);
    ck_assert_int_eq(result->frame_index, 7);
    ck_assert_double_eq(result->time_s, 7 / 25.0);
    ck_assert_int_eq(result->width, WIDTH);
    ck_assert_int_eq(result->height, HEIGHT);
    ck_assert_str_eq(result->model, "double");
    ck_assert_str_eq(vd_labels_name(result->labels, 0), "thing");
    ck_assert_float_eq(result->floor, 0.05f);
    ck_assert_int_ge(result->queue_ns, 0);
    ck_assert_uint_eq(result->count, 1);
    ck_assert_float_eq(result->candidates[0].box.x2, 11);
    assert_ledger(detector, 1, 0, 0, 0);
    vd_detector_stats stats = vd_detector_get_stats(detector);
    ck_assert_int_eq(stats.workers, 1);
    ck_assert_int_gt(stats.p50_ns, 0);
    ck_assert_int_ge(stats.p99_ns, stats.p50_ns);
    ck_assert_int_gt(stats.forward_p50_ns, 2 * VD_NS_PER_MS);
    ck_assert_str_eq(vd_detector_name(detector), "double");
    ck_assert_int_eq(vd_labels_count(vd_detector_labels(detector)), 1);
    ck_assert_int_eq(vd_detector_free(&detector), VD_OK);
    /* Results outlive the detector. */
    ck_assert_str_eq(vd_labels_name(result->labels, 0), "thing");
    vd_future_unref(&future);
}
END_TEST

START_TEST(a_frame_is_back_before_its_future_completes)
{
    vd_detector *detector = make(1, 4);
    for (int i = 0; i < 20; i++) {
        vd_future *future = must_submit(detector, i);
        ck_assert_int_eq(vd_future_wait(future, -1), VD_OK);
        ck_assert_int_eq(vd_frame_pool_get_stats(pool).available, FRAMES);
        vd_future_unref(&future);
    }
    vd_detector_free(&detector);
}
END_TEST

START_TEST(a_full_queue_refuses)
{
    vd_future *futures[4] = {NULL};
    vd_detector *detector = make(1, 2);
    set_gate(true);
    futures[0] = must_submit(detector, 0);
    await_running(1);
    futures[1] = must_submit(detector, 1);
    futures[2] = must_submit(detector, 2);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(submit(detector, 3, &futures[3]), VD_EAGAIN);
        ck_assert_ptr_null(futures[3]);
    }
    assert_ledger(detector, 0, 0, 0, 3);
    ck_assert_uint_eq(vd_detector_get_stats(detector).refused, 3);
    set_gate(false);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(vd_future_wait(futures[i], -1), VD_OK);
        vd_future_unref(&futures[i]);
    }
    assert_ledger(detector, 3, 0, 0, 0);
    vd_detector_free(&detector);
}
END_TEST

START_TEST(cancelling_takes_what_has_not_begun)
{
    vd_detector *detector = make(1, 4);
    set_gate(true);
    vd_future *running = must_submit(detector, 0);
    await_running(1);
    vd_future *waiting = must_submit(detector, 1), *last = must_submit(detector, 2);
    ck_assert(!vd_future_cancel(running));
    ck_assert(vd_future_cancel(waiting));
    ck_assert(!vd_future_cancel(waiting));
    assert_ledger(detector, 0, 0, 1, 2);
    ck_assert_int_eq(vd_future_wait(waiting, 0), VD_ECANCELED);
    set_gate(false);
    ck_assert_int_eq(vd_future_wait(running, -1), VD_OK);
    ck_assert_int_eq(vd_future_wait(last, -1), VD_OK);
    ck_assert_int_eq(play.calls, 2);
    assert_ledger(detector, 2, 0, 1, 0);
    vd_detector_free(&detector);
    vd_future_unref(&running);
    vd_future_unref(&waiting);
    vd_future_unref(&last);
}
END_TEST

static void free_detector(void *context)
{
    ck_assert_int_eq(vd_detector_free(context), VD_OK);
}

struct last_look {
    vd_detector **detector;
    vd_detector_stats stats;
    int code;
};

static void look_and_free(void *context, vd_future *future)
{
    struct last_look *look = context;
    (void)future;
    look->stats = vd_detector_get_stats(*look->detector);
    look->code = vd_detector_free(look->detector);
}

START_TEST(stopping_completes_what_waits_at_once)
{
    vd_future *futures[4];
    vd_detector *detector = make(1, 4);
    set_gate(true);
    for (int i = 0; i < 4; i++) {
        futures[i] = must_submit(detector, i);
        if (i == 0)
            await_running(1);
    }
    struct last_look look = {.detector = &detector};
    ck_assert_int_eq(vd_future_then(futures[3], look_and_free, &look), VD_OK);
    vd_thread stopper = {0};
    ck_assert_int_eq(vd_thread_start(&stopper, "stopper", free_detector, &detector), VD_OK);
    /* The worker still stands at its gate. */
    for (int i = 1; i < 4; i++) {
        ck_assert_int_eq(vd_future_wait(futures[i], 20 * VD_NS_PER_S), VD_ESHUTDOWN);
        ck_assert_int_eq(vd_future_error(futures[i])->code, VD_ESHUTDOWN);
    }
    ck_assert_int_eq(vd_future_wait(futures[0], 0), VD_ETIMEOUT);
    set_gate(false);
    vd_thread_join(&stopper);
    ck_assert_ptr_null(detector);
    ck_assert_int_eq(vd_future_wait(futures[0], 0), VD_OK);
    ck_assert_int_eq(look.code, VD_EDEADLK);
    ck_assert_uint_eq(look.stats.submitted, 4);
    ck_assert_uint_eq(look.stats.cancelled, 3);
    ck_assert_uint_eq(look.stats.pending, 1);
    for (int i = 0; i < 4; i++)
        vd_future_unref(&futures[i]);
}
END_TEST

START_TEST(stopping_from_a_continuation_is_refused)
{
    vd_detector *detector = make(2, 4);
    set_gate(true);
    vd_future *future = must_submit(detector, 0), *next;
    struct last_look look = {.detector = &detector};
    ck_assert_int_eq(vd_future_then(future, look_and_free, &look), VD_OK);
    set_gate(false);
    while (vd_detector_get_stats(detector).succeeded == 0)
        vd_future_wait(future, -1);
    next = must_submit(detector, 1);
    ck_assert_int_eq(vd_future_wait(next, -1), VD_OK);
    vd_future_unref(&future);
    vd_future_unref(&next);
    ck_assert_int_eq(vd_detector_free(&detector), VD_OK); /* joins: the continuation has run */
    ck_assert_int_eq(look.code, VD_EDEADLK);
    ck_assert_uint_eq(look.stats.succeeded, 1);
}
END_TEST

struct resubmit {
    vd_detector *detector;
    vd_frame *frame;
    int code;
};

static void submit_again(void *context, vd_future *future)
{
    struct resubmit *again = context;
    vd_future *refused = NULL;
    (void)future;
    again->code = vd_detector_submit_frame(again->detector, again->frame, VD_PRIORITY_INTERACTIVE, &refused);
}

START_TEST(nothing_is_taken_while_stopping)
{
    vd_detector *detector = make(1, 4);
    struct resubmit again = {.detector = detector};
    ck_assert_int_eq(vd_frame_pool_take(pool, &again.frame), VD_OK);
    set_gate(true);
    vd_future *running = must_submit(detector, 0);
    await_running(1);
    vd_future *waiting = must_submit(detector, 1);
    ck_assert_int_eq(vd_future_then(waiting, submit_again, &again), VD_OK);
    vd_thread stopper = {0};
    ck_assert_int_eq(vd_thread_start(&stopper, "stopper", free_detector, &detector), VD_OK);
    ck_assert_int_eq(vd_future_wait(waiting, -1), VD_ESHUTDOWN);
    set_gate(false);
    vd_thread_join(&stopper);
    ck_assert_int_eq(again.code, VD_ESHUTDOWN);
    vd_frame_unref(&again.frame);
    vd_future_unref(&running);
    vd_future_unref(&waiting);
}
END_TEST

START_TEST(freeing_twice_is_safe)
{
    vd_detector *detector = make(1, 1);
    ck_assert_int_eq(vd_detector_free(&detector), VD_OK);
    ck_assert_ptr_null(detector);
    ck_assert_int_eq(vd_detector_free(&detector), VD_OK);
}
END_TEST

START_TEST(a_worker_that_cannot_start_is_left_out)
{
    play.failing_opens = 2;
    vd_detector *detector = make(5, 8);
    ck_assert_int_eq(vd_detector_get_stats(detector).workers, 3);
    set_gate(true);
    vd_future *futures[3];
    for (int i = 0; i < 3; i++)
        futures[i] = must_submit(detector, i);
    await_running(3); /* all three work at once */
    set_gate(false);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(vd_future_wait(futures[i], -1), VD_OK);
        vd_future_unref(&futures[i]);
    }
    assert_ledger(detector, 3, 0, 0, 0);
    vd_detector_free(&detector);
}
END_TEST

START_TEST(no_worker_is_an_error)
{
    play.failing_opens = 3;
    vd_detector_options options = VD_DETECTOR_OPTIONS_INIT;
    options.max_workers = 3;
    options.ops = &double_ops;
    options.config = &play;
    vd_detector *detector = NULL;
    vd_error error = {0};
    ck_assert_int_eq(vd_detector_new(&options, &detector, &error), VD_EFORMAT);
    ck_assert_ptr_null(detector);
    ck_assert_str_eq(error.text, "This worker was told not to start.");
    ck_assert_int_eq(error.code, VD_EFORMAT);
}
END_TEST

START_TEST(rubbish_is_not_published)
{
    play.habit = HANDS_OVER_RUBBISH;
    vd_detector *detector = make(1, 1);
    vd_future *future = must_submit(detector, 0);
    ck_assert_int_eq(vd_future_wait(future, -1), VD_OK);
    const vd_result *result = vd_future_value(future);
    ck_assert_uint_eq(result->count, 3);
    const vd_detection *first = &result->candidates[0];
    ck_assert_float_eq(first->score, 0.8f);
    ck_assert_float_eq(first->box.x1, 0);
    ck_assert_float_eq(first->box.x2, WIDTH);
    ck_assert_float_eq(first->box.y2, HEIGHT);
    ck_assert_float_eq(result->candidates[1].box.x1, 1); /* equal scores keep their order */
    ck_assert_float_eq(result->candidates[2].box.x1, 7);
    ck_assert_int_eq(result->candidates[1].track_id, 0);
    vd_future_unref(&future);
    vd_detector_free(&detector);
}
END_TEST

START_TEST(a_failure_is_one_picture_s)
{
    play.habit = FAILS_EACH_THIRD;
    vd_detector *detector = make(1, 16);
    for (int i = 1; i <= 9; i++) {
        vd_future *future = must_submit(detector, i);
        ck_assert_int_eq(vd_future_wait(future, -1), i % 3 ? VD_OK : VD_EIO);
        if (i == 6) {
            ck_assert_str_eq(vd_future_error(future)->text, "Each third picture fails.");
            ck_assert_str_eq(vd_future_error(future)->place, "frame 6");
        }
        assert_ledger(detector, (unsigned)(i - i / 3), (unsigned)(i / 3), 0, 0);
        vd_future_unref(&future);
    }
    vd_detector_free(&detector);
}
END_TEST

START_TEST(a_failure_without_a_reason_gets_one)
{
    play.habit = FAILS_SILENTLY;
    vd_detector *detector = make(1, 1);
    vd_future *future = must_submit(detector, 3);
    ck_assert_int_eq(vd_future_wait(future, -1), VD_EFORMAT);
    ck_assert_int_gt((int)strlen(vd_future_error(future)->text), 10);
    ck_assert_str_eq(vd_future_error(future)->place, "frame 3");
    vd_future_unref(&future);
    vd_detector_free(&detector);
}
END_TEST

START_TEST(a_reset_comes_in_order_with_the_pictures)
{
    vd_detector *detector = make(1, 8);
    vd_future *futures[6];
    set_gate(true);
    for (int i = 0; i < 6; i++) {
        if (i == 2 || i == 5)
            vd_detector_reset(detector);
        if (i == 5)
            vd_detector_reset(detector);
        futures[i] = must_submit(detector, i);
    }
    set_gate(false);
    for (int i = 0; i < 6; i++) {
        ck_assert_int_eq(vd_future_wait(futures[i], -1), VD_OK);
        vd_future_unref(&futures[i]);
    }
    vd_detector_free(&detector);
    ck_assert_str_eq(play.log, "01R234R5");
}
END_TEST

START_TEST(a_reset_reaches_each_worker)
{
    vd_detector *detector = make(3, 8);
    vd_future *futures[6];
    for (int round = 0; round < 2; round++) {
        set_gate(true);
        for (int i = 0; i < 3; i++)
            futures[3 * round + i] = must_submit(detector, i);
        await_running(3);
        set_gate(false);
        for (int i = 0; i < 3; i++)
            ck_assert_int_eq(vd_future_wait(futures[3 * round + i], -1), VD_OK);
        vd_detector_reset(detector);
    }
    ck_assert_int_eq(play.resets, 3);
    for (int i = 0; i < 6; i++)
        vd_future_unref(&futures[i]);
    vd_detector_free(&detector);
}
END_TEST

START_TEST(pictures_in_order_need_one_worker)
{
    vd_detector_ops ordered = double_ops;
    ordered.ordered = 1;
    vd_detector_options options = VD_DETECTOR_OPTIONS_INIT;
    options.max_workers = 8;
    options.ops = &ordered;
    options.config = &play;
    vd_detector *detector = NULL;
    ck_assert_int_eq(vd_detector_new(&options, &detector, NULL), VD_OK);
    ck_assert_int_eq(vd_detector_get_stats(detector).workers, 1);
    vd_detector_free(&detector);
}
END_TEST

/* --- Many threads */

enum { SUBMITTERS = 8, EACH = 60 };

struct crowd {
    vd_detector *detector;
    atomic_int accepted, cancelled, wrong, done;
    int cancels_each; /* every so many-th is cancelled; 0: none */
};

static void submit_many(void *context)
{
    struct crowd *crowd = context;
    for (int i = 0; i < EACH; i++) {
        vd_future *future = NULL;
        int code;
        while ((code = submit(crowd->detector, i, &future)) == VD_EAGAIN)
            sched_yield();
        if (code != VD_OK) {
            atomic_fetch_add(&crowd->wrong, 1);
            continue;
        }
        atomic_fetch_add(&crowd->accepted, 1);
        if (crowd->cancels_each && i % crowd->cancels_each == 0 && vd_future_cancel(future))
            atomic_fetch_add(&crowd->cancelled, 1);
        if (i % 2 == 0)
            vd_future_wait(future, -1);
        vd_future_unref(&future);
    }
    atomic_fetch_add(&crowd->done, 1);
}

START_TEST(the_ledger_is_exact_at_every_moment)
{
    play.habit = FAILS_EACH_THIRD;
    struct crowd crowd = {.detector = make(4, 8), .cancels_each = _i};
    vd_thread threads[SUBMITTERS] = {0};
    for (int i = 0; i < SUBMITTERS; i++)
        ck_assert_int_eq(vd_thread_start(&threads[i], "submitter", submit_many, &crowd), VD_OK);
    while (atomic_load(&crowd.done) < SUBMITTERS) {
        vd_detector_stats now = vd_detector_get_stats(crowd.detector);
        ck_assert_uint_eq(now.submitted, now.succeeded + now.failed + now.cancelled + now.pending);
        sched_yield();
    }
    for (int i = 0; i < SUBMITTERS; i++)
        vd_thread_join(&threads[i]);
    ck_assert_int_eq(atomic_load(&crowd.wrong), 0);
    ck_assert_int_eq(atomic_load(&crowd.accepted), SUBMITTERS * EACH);
    vd_future *last;
    while (submit(crowd.detector, 0, &last) == VD_EAGAIN)
        sched_yield();
    vd_future_wait(last, -1);
    vd_future_unref(&last);
    while (vd_detector_get_stats(crowd.detector).pending > 0)
        sched_yield();
    vd_detector_stats stats = vd_detector_get_stats(crowd.detector);
    ck_assert_uint_eq(stats.submitted, SUBMITTERS * EACH + 1);
    ck_assert_uint_eq(stats.cancelled, (unsigned)atomic_load(&crowd.cancelled));
    ck_assert_uint_eq(stats.failed, (stats.submitted - stats.cancelled) / 3);
    ck_assert_uint_eq(stats.submitted, stats.succeeded + stats.failed + stats.cancelled);
    vd_detector_free(&crowd.detector);
}
END_TEST

struct cancel_all {
    vd_future *futures[40];
};

static void cancel_many(void *context)
{
    struct cancel_all *all = context;
    for (int i = 39; i >= 0; i--)
        vd_future_cancel(all->futures[i]);
}

/* A cancel by a holder and the end of the detector meet on the same job. */
START_TEST(cancelling_while_stopping)
{
    struct cancel_all all;
    vd_detector *detector = make(1, 40);
    set_gate(true);
    for (int i = 0; i < 40; i++)
        all.futures[i] = must_submit(detector, i);
    await_running(1);
    vd_thread canceller = {0}, stopper = {0};
    ck_assert_int_eq(vd_thread_start(&canceller, "canceller", cancel_many, &all), VD_OK);
    ck_assert_int_eq(vd_thread_start(&stopper, "stopper", free_detector, &detector), VD_OK);
    set_gate(false);
    vd_thread_join(&canceller);
    vd_thread_join(&stopper);
    for (int i = 0; i < 40; i++) {
        int code = vd_future_wait(all.futures[i], 0);
        ck_assert(code == VD_OK || code == VD_ECANCELED || code == VD_ESHUTDOWN);
        vd_future_unref(&all.futures[i]);
    }
}
END_TEST

/* --- Options */

START_TEST(wrong_options_are_refused)
{
    static const struct {
        const char *model;
        int workers, queue;
        float floor;
        int code;
        const char *says;
    } cases[] = {
        {NULL, 1, 16, 0.05f, VD_EINVAL, "No model"},
        {"", 1, 16, 0.05f, VD_EINVAL, "No model"},
        {"builtin:motion", 0, 16, 0.05f, VD_EINVAL, "workers"},
        {"builtin:motion", 65, 16, 0.05f, VD_EINVAL, "workers"},
        {"builtin:motion", 1, 0, 0.05f, VD_EINVAL, "queue"},
        {"builtin:motion", 1, 4097, 0.05f, VD_EINVAL, "queue"},
        {"builtin:motion", 1, 16, 0, VD_EINVAL, "score"},
        {"builtin:motion", 1, 16, NAN, VD_EINVAL, "score"},
        {"builtin:cats", 1, 16, 0.05f, VD_ENOTFOUND, "builtin:people and builtin:motion"},
        {"/no/such/model.onnx", 1, 16, 0.05f, VD_ENOTFOUND, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vd_detector_options options = VD_DETECTOR_OPTIONS_INIT;
        options.model = cases[i].model;
        options.max_workers = cases[i].workers;
        options.queue_size = cases[i].queue;
        options.floor = cases[i].floor;
        vd_detector *detector = NULL;
        vd_error error = {0};
        ck_assert_int_eq(vd_detector_new(&options, &detector, &error), cases[i].code);
        ck_assert_ptr_null(detector);
        ck_assert_msg(strstr(error.text, cases[i].says) != NULL, "case %zu: %s", i, error.text);
        ck_assert_int_eq(error.code, cases[i].code);
        ck_assert_int_eq(vd_detector_new(&options, &detector, NULL), cases[i].code);
    }
}
END_TEST

START_TEST(the_best_of_many_are_kept_in_order)
{
    enum { MANY = 5000 };
    static float scores[MANY];
    static vd_best best;
    uint32_t seed = 1;
    for (int i = 0; i < MANY; i++) {
        seed = seed * 1664525u + 1013904223u;
        scores[i] = (float)(seed >> 24) / 255; /* many equal ones */
        vd_best_offer(&best, scores[i], (uint32_t)i);
    }
    ck_assert_uint_eq(best.count, VD_MAX_CANDIDATES);
    vd_best_sort(&best);
    static bool kept[MANY];
    for (size_t n = 0; n < best.count; n++) {
        uint32_t i = vd_best_index(&best, n);
        kept[i] = true;
        if (n > 0) {
            uint32_t before = vd_best_index(&best, n - 1);
            ck_assert(scores[before] > scores[i] || (scores[before] == scores[i] && before < i));
        }
    }
    uint32_t last = vd_best_index(&best, best.count - 1);
    for (uint32_t i = 0; i < MANY; i++)
        if (!kept[i])
            ck_assert(scores[i] < scores[last] || (scores[i] == scores[last] && i > last));
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("detector");
    TCase *jobs = tcase_create("jobs"), *plain = tcase_create("plain");
    tcase_set_timeout(jobs, 60);
    tcase_add_checked_fixture(jobs, set_up, tear_down);
    tcase_add_test(jobs, a_frame_becomes_a_result);
    tcase_add_test(jobs, a_frame_is_back_before_its_future_completes);
    tcase_add_test(jobs, a_full_queue_refuses);
    tcase_add_test(jobs, cancelling_takes_what_has_not_begun);
    tcase_add_test(jobs, stopping_completes_what_waits_at_once);
    tcase_add_test(jobs, stopping_from_a_continuation_is_refused);
    tcase_add_test(jobs, nothing_is_taken_while_stopping);
    tcase_add_test(jobs, freeing_twice_is_safe);
    tcase_add_test(jobs, a_worker_that_cannot_start_is_left_out);
    tcase_add_test(jobs, no_worker_is_an_error);
    tcase_add_test(jobs, rubbish_is_not_published);
    tcase_add_test(jobs, a_failure_is_one_picture_s);
    tcase_add_test(jobs, a_failure_without_a_reason_gets_one);
    tcase_add_test(jobs, a_reset_comes_in_order_with_the_pictures);
    tcase_add_test(jobs, a_reset_reaches_each_worker);
    tcase_add_test(jobs, pictures_in_order_need_one_worker);
    tcase_add_loop_test(jobs, the_ledger_is_exact_at_every_moment, 0, 3);
    tcase_add_loop_test(jobs, cancelling_while_stopping, 0, 10);
    suite_add_tcase(suite, jobs);
    tcase_add_test(plain, wrong_options_are_refused);
    tcase_add_test(plain, the_best_of_many_are_kept_in_order);
    suite_add_tcase(suite, plain);
    return suite;
}

TEST_MAIN(make_suite)
