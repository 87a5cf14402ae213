/* The end of a detector: at every moment, from every thread, and what is left of its futures afterwards. */
#include <sched.h>
#include <string.h>

#include "base/clock.h"
#include "check_main.h"
#include "detector_case.h"

enum { QUEUE = 8 };

struct stopper {
    vd_detector *detector;
    vd_shutdown_mode mode;
    int code, workers_left;
};

static void shut_down(void *context)
{
    struct stopper *stopper = context;
    stopper->code = vd_detector_shutdown(stopper->detector, stopper->mode);
    stopper->workers_left = gate_read(&gate, &gate.opened) - gate_read(&gate, &gate.ended);
}

static vd_thread start(void (*run)(void *context), void *context)
{
    vd_thread thread = {0};
    ck_assert_int_eq(vd_thread_start(&thread, "stops", run, context), VD_OK);
    return thread;
}

/* Threads that are joined leave the system's list a moment later; those of a detector that works do not. */
static void assert_stopped(vd_detector *detector)
{
    for (int64_t end_ns = vd_clock_deadline_ns(2 * VD_NS_PER_S); vd_clock_now_ns() < end_ns; sched_yield())
        if (case_count_workers() == 0)
            break;
    ck_assert_int_eq(case_count_workers(), 0);
    vd_detector_stats stats = case_settle(detector);
    ck_assert_int_eq(stats.shut_down, 1);
    vd_future *future = NULL;
    vd_error error = {0};
    ck_assert_int_eq(vd_detector_submit(detector, &pictures[0].input, &future, &error), VD_ESHUTDOWN);
    ck_assert_uint_gt(strlen(error.text), 10);
    ck_assert_int_eq(vd_detector_submit_wait(detector, &pictures[0].input, -1, &future, NULL), VD_ESHUTDOWN);
    ck_assert_ptr_null(future);
    ck_assert_str_eq(vd_detector_name(detector), "double");
    ck_assert_int_eq(vd_labels_count(vd_detector_labels(detector)), 3);
}

static void await_closed(vd_detector *detector)
{
    while (!vd_detector_get_stats(detector).shut_down)
        sched_yield();
}

/* One picture inside, the others wait. */
static void fill(vd_detector *detector, vd_future **futures, int count)
{
    gate_close(&gate);
    for (int i = 0; i < count; i++) {
        futures[i] = case_must_submit(detector, i);
        if (i == 0)
            ck_assert(gate_await_inside(&gate, 1));
    }
}

/* --- Moments */

START_TEST(right_after_it_was_made)
{
    vd_detector *detector = case_make(&gate_ops, 2, QUEUE);
    ck_assert_int_eq(vd_detector_shutdown(detector, _i ? VD_SHUTDOWN_WAIT : VD_SHUTDOWN_CANCEL), VD_OK);
    assert_stopped(detector);
    ck_assert_int_eq(vd_detector_free(&detector), VD_OK);
    ck_assert_ptr_null(detector);
    ck_assert_int_eq(vd_detector_free(&detector), VD_OK);
}
END_TEST

START_TEST(waiting_finishes_a_full_queue)
{
    vd_future *futures[QUEUE + 1];
    vd_detector *detector = case_make(&gate_ops, 1, QUEUE);
    fill(detector, futures, QUEUE + 1);
    struct stopper stopper = {.detector = detector, .mode = VD_SHUTDOWN_WAIT};
    vd_thread thread = start(shut_down, &stopper);
    await_closed(detector);
    vd_future *refused = NULL;
    ck_assert_int_eq(vd_detector_submit(detector, &pictures[20].input, &refused, NULL), VD_ESHUTDOWN);
    case_assert_ledger(detector, 0, 0, 0, QUEUE + 1);
    ck_assert_int_eq(vd_future_wait(futures[QUEUE], 0), VD_ETIMEOUT);
    gate_open(&gate);
    vd_thread_join(&thread);
    ck_assert_int_eq(stopper.code, VD_OK);
    for (int i = 0; i <= QUEUE; i++)
        ck_assert_int_eq(vd_future_wait(futures[i], 0), VD_OK);
    case_assert_ledger(detector, QUEUE + 1, 0, 0, 0);
    assert_stopped(detector);
    case_unref_all(futures, QUEUE + 1);
    vd_detector_free(&detector);
}
END_TEST

START_TEST(cancelling_completes_what_waits_at_once)
{
    vd_future *futures[QUEUE + 1];
    vd_detector *detector = case_make(&gate_ops, 1, QUEUE);
    fill(detector, futures, QUEUE + 1);
    struct stopper stopper = {.detector = detector, .mode = VD_SHUTDOWN_CANCEL};
    vd_thread thread = start(shut_down, &stopper);
    /* The worker still stands at its gate. */
    for (int i = 1; i <= QUEUE; i++) {
        ck_assert_int_eq(vd_future_wait(futures[i], 20 * VD_NS_PER_S), VD_ESHUTDOWN);
        ck_assert_int_eq(vd_future_error(futures[i])->code, VD_ESHUTDOWN);
        ck_assert_uint_gt(strlen(vd_future_error(futures[i])->text), 10);
    }
    ck_assert_int_eq(vd_future_wait(futures[0], 0), VD_ETIMEOUT);
    case_assert_ledger(detector, 0, 0, QUEUE, 1);
    gate_open(&gate);
    vd_thread_join(&thread);
    ck_assert_int_eq(stopper.code, VD_OK);
    ck_assert_int_eq(vd_future_wait(futures[0], 0), VD_OK);
    ck_assert_int_eq(gate.calls, 1);
    case_assert_ledger(detector, 1, 0, QUEUE, 0);
    assert_stopped(detector);
    case_unref_all(futures, QUEUE + 1);
    vd_detector_free(&detector);
}
END_TEST

/* A batch that waits fails; one that has begun succeeds with what it has; waiting finishes both. */
START_TEST(batches_end_with_what_they_have)
{
    enum { COUNT = 40, CHUNK = 8 };
    bool cancels = _i % 2;
    vd_detector *detector = case_make(&gate_batch_ops, 1, QUEUE);
    gate_close(&gate);
    vd_future *begun = case_must_submit_batch(detector, COUNT, CHUNK);
    ck_assert(gate_await_inside(&gate, 1));
    vd_future *waiting = case_must_submit_batch(detector, COUNT, CHUNK);
    struct stopper stopper = {.detector = detector, .mode = cancels ? VD_SHUTDOWN_CANCEL : VD_SHUTDOWN_WAIT};
    vd_thread thread = start(shut_down, &stopper);
    await_closed(detector);
    if (cancels)
        ck_assert_int_eq(vd_future_wait(waiting, 20 * VD_NS_PER_S), VD_ESHUTDOWN);
    gate_open(&gate);
    vd_thread_join(&thread);
    ck_assert_int_eq(vd_future_wait(begun, 0), VD_OK);
    ck_assert_int_eq(vd_future_wait(waiting, 0), cancels ? VD_ESHUTDOWN : VD_OK);
    const vd_batch *batch = vd_future_value(begun);
    size_t done = cancels ? CHUNK : COUNT;
    ck_assert_uint_eq(batch->successful, done);
    for (size_t i = 0; i < COUNT; i++)
        ck_assert_int_eq(batch->items[i].error.code, i < done ? VD_OK : VD_ESHUTDOWN);
    case_assert_ledger(detector, cancels ? CHUNK : 2 * COUNT, 0, cancels ? 2 * COUNT - CHUNK : 0, 0);
    assert_stopped(detector);
    vd_future_unref(&begun);
    vd_future_unref(&waiting);
    vd_detector_free(&detector);
}
END_TEST

START_TEST(twice_is_once)
{
    static const vd_shutdown_mode modes[] = {VD_SHUTDOWN_WAIT, VD_SHUTDOWN_CANCEL};
    vd_detector *detector = case_make(&gate_ops, 2, QUEUE);
    vd_future *future = case_must_submit(detector, 0);
    ck_assert_int_eq(vd_detector_shutdown(detector, VD_SHUTDOWN_WAIT), VD_OK);
    vd_detector_stats before = vd_detector_get_stats(detector);
    ck_assert_int_eq(vd_detector_shutdown(detector, modes[_i]), VD_OK);
    vd_detector_stats after = vd_detector_get_stats(detector);
    ck_assert_uint_eq(before.succeeded, after.succeeded);
    ck_assert_uint_eq(before.submitted, after.submitted);
    ck_assert_int_eq(before.workers, after.workers);
    ck_assert_int_eq(after.shut_down, 1);
    ck_assert_int_eq(vd_future_wait(future, 0), VD_OK);
    assert_stopped(detector);
    vd_future_unref(&future);
    vd_detector_free(&detector);
}
END_TEST

/* Both return only when the workers are gone. */
START_TEST(two_threads_stop_it_at_once)
{
    vd_future *futures[QUEUE + 1];
    vd_detector *detector = case_make(&gate_ops, 1, QUEUE);
    fill(detector, futures, QUEUE + 1);
    struct stopper stoppers[2] = {
        {.detector = detector, .mode = _i & 1 ? VD_SHUTDOWN_CANCEL : VD_SHUTDOWN_WAIT},
        {.detector = detector, .mode = _i & 2 ? VD_SHUTDOWN_CANCEL : VD_SHUTDOWN_WAIT}};
    vd_thread threads[2] = {start(shut_down, &stoppers[0]), start(shut_down, &stoppers[1])};
    await_closed(detector);
    gate_open(&gate);
    for (int i = 0; i < 2; i++)
        vd_thread_join(&threads[i]);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(stoppers[i].code, VD_OK);
        ck_assert_int_eq(stoppers[i].workers_left, 0);
    }
    for (int i = 0; i <= QUEUE; i++) {
        int code = vd_future_wait(futures[i], 0);
        ck_assert(code == VD_OK || (_i > 0 && i > 0 && code == VD_ESHUTDOWN));
    }
    assert_stopped(detector);
    case_unref_all(futures, QUEUE + 1);
    vd_detector_free(&detector);
}
END_TEST

START_TEST(cancelling_while_another_waits)
{
    vd_future *futures[QUEUE + 1];
    vd_detector *detector = case_make(&gate_ops, 1, QUEUE);
    fill(detector, futures, QUEUE + 1);
    struct stopper waits = {.detector = detector, .mode = VD_SHUTDOWN_WAIT};
    struct stopper cancels = {.detector = detector, .mode = VD_SHUTDOWN_CANCEL};
    vd_thread first = start(shut_down, &waits);
    await_closed(detector);
    case_assert_ledger(detector, 0, 0, 0, QUEUE + 1);
    vd_thread second = start(shut_down, &cancels);
    for (int i = 1; i <= QUEUE; i++) /* the worker still stands at its gate */
        ck_assert_int_eq(vd_future_wait(futures[i], 20 * VD_NS_PER_S), VD_ESHUTDOWN);
    ck_assert_int_eq(vd_future_wait(futures[0], 0), VD_ETIMEOUT);
    gate_open(&gate);
    vd_thread_join(&first);
    vd_thread_join(&second);
    ck_assert_int_eq(waits.code, VD_OK);
    ck_assert_int_eq(cancels.code, VD_OK);
    ck_assert_int_eq(cancels.workers_left, 0);
    case_assert_ledger(detector, 1, 0, QUEUE, 0);
    assert_stopped(detector);
    case_unref_all(futures, QUEUE + 1);
    vd_detector_free(&detector);
}
END_TEST

/* --- From within */

struct inside {
    vd_detector **detector;
    int shutdown[2], freed, waited, detected, gathered, submitted, batched;
    vd_future *picture, *batch;
    vd_detector_stats stats;
    atomic_int runs; /* rises at the end */
};

/* All that waits is refused, all else works. */
static void try_everything(void *context, vd_future *future)
{
    struct inside *inside = context;
    vd_detector *detector = *inside->detector;
    vd_future *none = NULL;
    vd_result *result = NULL;
    vd_batch *batch = NULL;
    (void)future;
    inside->shutdown[0] = vd_detector_shutdown(detector, VD_SHUTDOWN_WAIT);
    inside->shutdown[1] = vd_detector_shutdown(detector, VD_SHUTDOWN_CANCEL);
    inside->freed = vd_detector_free(inside->detector);
    inside->waited = vd_detector_submit_wait(detector, &pictures[1].input, -1, &none, NULL);
    inside->detected = vd_detector_detect(detector, &pictures[1].input.image, &result, NULL);
    inside->gathered = vd_detector_detect_batch(detector, &pictures[1].input.image, 1, 1, &batch, NULL);
    vd_detector_reset(detector);
    inside->submitted = vd_detector_submit(detector, &pictures[1].input, &inside->picture, NULL);
    if (inside->submitted == VD_OK)
        case_accepted(1);
    vd_input two[] = {pictures[2].input, pictures[3].input};
    inside->batched = vd_detector_submit_batch(detector, two, 2, 0, &inside->batch, NULL);
    for (int n = 2; n < 4 && inside->batched == VD_OK; n++)
        case_accepted(n);
    inside->stats = vd_detector_get_stats(detector);
    atomic_fetch_add(&inside->runs, 1);
}

static void assert_refused(const struct inside *inside, const vd_detector *detector)
{
    ck_assert_int_eq(atomic_load(&inside->runs), 1);
    ck_assert_int_eq(inside->shutdown[0], VD_EDEADLK);
    ck_assert_int_eq(inside->shutdown[1], VD_EDEADLK);
    ck_assert_int_eq(inside->freed, VD_EDEADLK);
    ck_assert_ptr_eq(*inside->detector, detector);
    ck_assert_int_eq(inside->waited, VD_EDEADLK);
    ck_assert_int_eq(inside->detected, VD_EDEADLK);
    ck_assert_int_eq(inside->gathered, VD_EDEADLK);
}

/* Continuations of a picture, of a batch, and of a group. */
START_TEST(waiting_from_a_continuation_is_refused)
{
    vd_detector *detector = case_make(_i % 2 ? &gate_batch_ops : &gate_ops, 2, QUEUE), *its = detector;
    struct inside inside = {.detector = &its};
    gate_close(&gate);
    vd_future *future = _i / 2 == 0 ? case_must_submit(detector, 0) : case_must_submit_batch(detector, 1, 1);
    vd_future *group = NULL;
    if (_i / 2 == 2)
        ck_assert_int_eq(vd_future_all(&future, 1, &group), VD_OK);
    ck_assert_int_eq(vd_future_then(group ? group : future, try_everything, &inside), VD_OK);
    gate_open(&gate);
    ck_assert_int_eq(vd_future_wait(future, -1), VD_OK);
    vd_detector_stats stats;
    while ((stats = vd_detector_get_stats(detector)).submitted < 4 || stats.pending > 0)
        sched_yield();
    /* Nothing had changed. */
    ck_assert_int_eq(stats.shut_down, 0);
    ck_assert_int_eq(stats.workers, 2);
    case_assert_ledger(detector, 4, 0, 0, 0);
    vd_future *next = case_must_submit(detector, 5);
    ck_assert_int_eq(vd_future_wait(next, -1), VD_OK);
    ck_assert_int_eq(vd_detector_shutdown(detector, VD_SHUTDOWN_WAIT), VD_OK); /* the continuation has run */
    assert_refused(&inside, detector);
    ck_assert_int_eq(inside.stats.shut_down, 0);
    ck_assert_int_eq(inside.submitted, VD_OK);
    ck_assert_int_eq(inside.batched, VD_OK);
    ck_assert_int_eq(vd_future_wait(inside.picture, 0), VD_OK);
    ck_assert_int_eq(vd_future_wait(inside.batch, 0), VD_OK);
    vd_future_unref(&inside.picture);
    vd_future_unref(&inside.batch);
    vd_future_unref(&next);
    vd_future_unref(&group);
    vd_future_unref(&future);
    vd_detector_free(&detector);
}
END_TEST

/* The thread that stops the detector runs the continuations of what waited. */
START_TEST(waiting_from_a_continuation_of_the_end_is_refused)
{
    vd_future *futures[3];
    vd_detector *detector = case_make(&gate_ops, 1, QUEUE), *its = detector;
    struct inside inside = {.detector = &its};
    fill(detector, futures, 3);
    ck_assert_int_eq(vd_future_then(futures[2], try_everything, &inside), VD_OK);
    struct stopper stopper = {.detector = detector, .mode = VD_SHUTDOWN_CANCEL};
    vd_thread thread = start(shut_down, &stopper);
    ck_assert_int_eq(vd_future_wait(futures[2], -1), VD_ESHUTDOWN);
    while (atomic_load(&inside.runs) == 0)
        sched_yield();
    gate_open(&gate);
    vd_thread_join(&thread);
    assert_refused(&inside, detector);
    ck_assert_int_eq(inside.submitted, VD_ESHUTDOWN);
    ck_assert_int_eq(inside.batched, VD_ESHUTDOWN);
    ck_assert_uint_eq(inside.stats.submitted, 3);
    ck_assert_uint_eq(inside.stats.cancelled, 2);
    ck_assert_uint_eq(inside.stats.pending, 1);
    case_assert_ledger(detector, 1, 0, 2, 0);
    case_unref_all(futures, 3);
    vd_detector_free(&detector);
}
END_TEST

struct releaser {
    vd_detector *detector;
    int code;
};

static void stop_from_release(void *context)
{
    struct releaser *releaser = context;
    releaser->code = vd_detector_shutdown(releaser->detector, VD_SHUTDOWN_WAIT);
}

START_TEST(waiting_from_a_release_is_refused)
{
    vd_detector *detector = case_make(&gate_ops, 1, QUEUE);
    struct releaser releaser = {.detector = detector};
    vd_input input = pictures[0].input;
    vd_future *future = NULL;
    input.release = stop_from_release;
    input.context = &releaser;
    ck_assert_int_eq(vd_detector_submit(detector, &input, &future, NULL), VD_OK);
    ck_assert_int_eq(vd_future_wait(future, -1), VD_OK);
    ck_assert_int_eq(releaser.code, VD_EDEADLK);
    ck_assert_int_eq(vd_detector_get_stats(detector).shut_down, 0);
    vd_future_unref(&future);
    vd_detector_free(&detector);
}
END_TEST

/* A continuation of one detector may stop another. */
static void stop_other(void *context, vd_future *future)
{
    (void)future;
    shut_down(context);
}

START_TEST(a_continuation_may_stop_another_detector)
{
    vd_detector *one = case_make(&gate_ops, 1, QUEUE), *other = case_make(&gate_ops, 1, QUEUE);
    struct stopper stopper = {.detector = other, .mode = VD_SHUTDOWN_WAIT, .code = 1};
    gate_close(&gate);
    vd_future *future = case_must_submit(one, 0);
    ck_assert_int_eq(vd_future_then(future, stop_other, &stopper), VD_OK);
    gate_open(&gate);
    ck_assert_int_eq(vd_detector_shutdown(one, VD_SHUTDOWN_WAIT), VD_OK);
    ck_assert_int_eq(stopper.code, VD_OK);
    ck_assert_int_eq(vd_detector_get_stats(other).shut_down, 1);
    vd_future_unref(&future);
    vd_detector_free(&one);
    vd_detector_free(&other);
}
END_TEST

/* --- Afterwards */

static void count_run(void *context, vd_future *future)
{
    (void)future;
    atomic_fetch_add((atomic_int *)context, 1);
}

struct waiter {
    vd_future *future;
    int code;
};

static void wait_for_end(void *context)
{
    struct waiter *waiter = context;
    waiter->code = vd_future_wait(waiter->future, -1);
}

START_TEST(futures_outlive_the_detector)
{
    vd_future *futures[4], *batch;
    vd_detector *detector = case_make(&gate_batch_ops, 1, QUEUE);
    fill(detector, futures, 4);
    batch = case_must_submit_batch(detector, 6, 2);
    struct waiter waiter = {.future = futures[3]};
    vd_thread waits = start(wait_for_end, &waiter), stops = start(case_free, &detector);
    vd_thread_join(&waits);
    ck_assert_int_eq(waiter.code, VD_ESHUTDOWN);
    gate_open(&gate);
    vd_thread_join(&stops);
    ck_assert_ptr_null(detector);
    ck_assert_int_eq(vd_future_wait(futures[0], -1), VD_OK);
    case_assert_shapes(vd_future_value(futures[0]), 0);
    ck_assert_str_eq(vd_labels_name(((vd_result *)vd_future_value(futures[0]))->labels, 2), "brightest");
    atomic_int runs = 0;
    for (int i = 0; i < 4; i++) {
        ck_assert(!vd_future_cancel(futures[i]));
        ck_assert_int_eq(vd_future_wait(futures[i], -1), i == 0 ? VD_OK : VD_ESHUTDOWN);
        ck_assert_int_eq(vd_future_then(futures[i], count_run, &runs), VD_OK);
    }
    ck_assert_int_eq(vd_future_wait(batch, -1), VD_ESHUTDOWN);
    ck_assert(!vd_future_cancel(batch));
    ck_assert_int_eq(atomic_load(&runs), 4);
    case_unref_all(futures, 4);
    vd_future_unref(&batch);
}
END_TEST

/* --- Every moment */

enum { SUBMITTERS = 3, MOST_EACH = 400 };

struct submitter {
    vd_detector *detector;
    int number;
    vd_future *futures[MOST_EACH];
    int count, code;
};

static void submit_until_the_end(void *context)
{
    struct submitter *submitter = context;
    while (submitter->count < MOST_EACH) {
        int n = submitter->number * 40 + submitter->count % 40;
        if (submitter->count % 8 == 7)
            submitter->code = vd_detector_submit_wait(submitter->detector, &pictures[n].input, -1,
                                                      &submitter->futures[submitter->count], NULL);
        else
            submitter->code = vd_detector_submit(submitter->detector, &pictures[n].input,
                                                 &submitter->futures[submitter->count], NULL);
        if (submitter->code == VD_OK) {
            case_accepted(n);
            if (submitter->count % 5 == 4)
                vd_future_cancel(submitter->futures[submitter->count]);
            submitter->count++;
        } else if (submitter->code == VD_EAGAIN) {
            sched_yield();
        } else {
            break;
        }
    }
}

static void count_codes(struct submitter *submitter, unsigned counts[3])
{
    for (int i = 0; i < submitter->count; i++) {
        int code = vd_future_wait(submitter->futures[i], 20 * VD_NS_PER_S);
        ck_assert(code == VD_OK || code == VD_EIO || code == VD_ECANCELED || code == VD_ESHUTDOWN);
        counts[code == VD_OK ? 0 : code == VD_EIO ? 1 : 2]++;
    }
    case_unref_all(submitter->futures, submitter->count);
}

/* The end comes after so many calls, while others submit, wait for room and cancel. */
START_TEST(at_every_moment)
{
    static struct submitter submitters[SUBMITTERS];
    vd_thread threads[SUBMITTERS] = {0};
    unsigned counts[3] = {0};
    gate.habit = GATE_FAILS_THIRD;
    vd_detector *detector = case_make(&gate_ops, 2, 4);
    for (int i = 0; i < SUBMITTERS; i++) {
        submitters[i] = (struct submitter){.detector = detector, .number = i};
        threads[i] = start(submit_until_the_end, &submitters[i]);
    }
    while (gate_read(&gate, &gate.calls) < 3 * (_i / 2))
        sched_yield();
    ck_assert_int_eq(vd_detector_shutdown(detector, _i % 2 ? VD_SHUTDOWN_CANCEL : VD_SHUTDOWN_WAIT), VD_OK);
    for (int i = 0; i < SUBMITTERS; i++)
        vd_thread_join(&threads[i]);
    for (int i = 0; i < SUBMITTERS; i++)
        count_codes(&submitters[i], counts);
    case_assert_ledger(detector, counts[0], counts[1], counts[2], 0);
    ck_assert_int_eq(gate.calls, (int)(counts[0] + counts[1]));
    ck_assert_uint_eq(counts[1], (unsigned)gate.calls / 3);
    assert_stopped(detector);
    vd_detector_free(&detector);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("detector shutdown");
    TCase *tests = tcase_create("shutdown");
    tcase_add_checked_fixture(tests, case_set_up, case_tear_down);
    tcase_set_timeout(tests, 30);
    tcase_add_loop_test(tests, right_after_it_was_made, 0, 2);
    tcase_add_test(tests, waiting_finishes_a_full_queue);
    tcase_add_test(tests, cancelling_completes_what_waits_at_once);
    tcase_add_loop_test(tests, batches_end_with_what_they_have, 0, 2);
    tcase_add_loop_test(tests, twice_is_once, 0, 2);
    tcase_add_loop_test(tests, two_threads_stop_it_at_once, 0, 4);
    tcase_add_test(tests, cancelling_while_another_waits);
    tcase_add_loop_test(tests, waiting_from_a_continuation_is_refused, 0, 6);
    tcase_add_test(tests, waiting_from_a_continuation_of_the_end_is_refused);
    tcase_add_test(tests, waiting_from_a_release_is_refused);
    tcase_add_test(tests, a_continuation_may_stop_another_detector);
    tcase_add_test(tests, futures_outlive_the_detector);
    tcase_add_loop_test(tests, at_every_moment, 0, 24);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(make_suite)
