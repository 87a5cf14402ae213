/* The detector under load: many threads at once, cancels that meet workers, workers that hang. */
#include <sched.h>
#include <string.h>

#include "base/clock.h"
#include "check_main.h"
#include "detector_case.h"

enum { CROWD = 64, EACH = 20 };

static vd_thread start(void (*run)(void *context), void *context)
{
    vd_thread thread = {0};
    ck_assert_int_eq(vd_thread_start(&thread, "loads", run, context), VD_OK);
    return thread;
}

struct crowd {
    vd_detector *detector;
    int workers;
    int cancels_each; /* every so many-th is cancelled; 0: none */
    int batch_each;   /* every so many-th is a batch of three; 0: none */
    atomic_int next, done, refused;
    atomic_int accepted, cancelled,
        outcomes[3];  /* pictures; outcomes: succeeded, failed, cancelled in a batch */
    atomic_int wrong; /* promises broken, counted on threads */
    atomic_int samples;
};

static void note_outcomes(struct crowd *crowd, vd_future *future, bool is_batch)
{
    int code = vd_future_wait(future, 20 * VD_NS_PER_S);
    if (code == VD_ETIMEOUT)
        atomic_fetch_add(&crowd->wrong, 1);
    if (!is_batch && code != VD_ECANCELED)
        atomic_fetch_add(&crowd->outcomes[code == VD_OK ? 0 : 1], 1);
    const vd_batch *batch = is_batch ? vd_future_value(future) : NULL;
    for (size_t i = 0; batch && i < batch->total; i++) {
        int its = batch->items[i].error.code;
        atomic_fetch_add(&crowd->outcomes[its == VD_OK ? 0 : its == VD_ECANCELED ? 2 : 1], 1);
    }
}

static int ask(struct crowd *crowd, int n, bool is_batch, vd_future **ret_future)
{
    vd_input inputs[3] = {pictures[n].input, pictures[n].input, pictures[n].input};
    inputs[0].priority = n % 3 ? VD_PRIORITY_INTERACTIVE : VD_PRIORITY_BACKGROUND;
    int code = is_batch ? vd_detector_submit_batch(crowd->detector, inputs, 3, 2, ret_future, NULL)
                        : vd_detector_submit(crowd->detector, &inputs[0], ret_future, NULL);
    for (int i = 0; i < (is_batch ? 3 : 1) && code == VD_OK; i++) {
        case_accepted(n);
        atomic_fetch_add(&crowd->accepted, 1);
    }
    return code;
}

static void submit_many(void *context)
{
    struct crowd *crowd = context;
    int n = atomic_fetch_add(&crowd->next, 1);
    for (int i = 0; i < EACH; i++) {
        bool is_batch = crowd->batch_each && i % crowd->batch_each == 0;
        vd_future *future = NULL;
        int code;
        while ((code = ask(crowd, n, is_batch, &future)) == VD_EAGAIN) {
            atomic_fetch_add(&crowd->refused, is_batch ? 3 : 1);
            sched_yield();
        }
        if (code != VD_OK) {
            atomic_fetch_add(&crowd->wrong, 1);
            continue;
        }
        if (crowd->cancels_each && i % crowd->cancels_each == 0 && vd_future_cancel(future))
            atomic_fetch_add(&crowd->cancelled, is_batch ? 3 : 1);
        note_outcomes(crowd, future, is_batch);
        vd_future_unref(&future);
    }
    atomic_fetch_add(&crowd->done, 1);
}

/* The sum holds, and no more work at once than there are workers, at every moment. */
static void sample(void *context)
{
    struct crowd *crowd = context;
    vd_detector_stats before = {0};
    while (atomic_load(&crowd->done) < CROWD) {
        vd_detector_stats now = vd_detector_get_stats(crowd->detector);
        bool right = now.submitted == now.succeeded + now.failed + now.cancelled + now.pending &&
                     now.active <= crowd->workers && now.in_flight <= now.pending &&
                     now.in_flight >= (uint64_t)now.active && now.submitted >= before.submitted &&
                     now.succeeded >= before.succeeded && now.failed >= before.failed &&
                     now.cancelled >= before.cancelled && now.passes >= before.passes;
        atomic_fetch_add(&crowd->wrong, !right);
        atomic_fetch_add(&crowd->samples, 1);
        before = now;
        sched_yield();
    }
}

START_TEST(sixty_four_threads_at_once)
{
    static const struct {
        int workers, queue, cancels, batches;
        bool takes_batches;
    } cases[] = {{1, 8, 0, 0, false},  {4, 64, 0, 0, false}, {2, 4, 3, 0, false},
                 {4, 16, 2, 4, false}, {2, 64, 3, 2, true},  {4, 4, 0, 3, true}};
    struct crowd crowd = {
        .workers = cases[_i].workers, .cancels_each = cases[_i].cancels, .batch_each = cases[_i].batches};
    gate.habit = GATE_FAILS_THIRD;
    crowd.detector =
        case_make(cases[_i].takes_batches ? &gate_batch_ops : &gate_ops, crowd.workers, cases[_i].queue);
    vd_thread sampler = start(sample, &crowd), threads[CROWD];
    for (int i = 0; i < CROWD; i++)
        threads[i] = start(submit_many, &crowd);
    for (int i = 0; i < CROWD; i++)
        vd_thread_join(&threads[i]);
    vd_thread_join(&sampler);
    ck_assert_int_eq(atomic_load(&crowd.wrong), 0);
    ck_assert_int_gt(atomic_load(&crowd.samples), 0);
    vd_detector_stats stats = case_settle(crowd.detector);
    ck_assert_uint_eq(stats.submitted, (unsigned)atomic_load(&crowd.accepted));
    ck_assert_uint_eq(stats.succeeded, (unsigned)atomic_load(&crowd.outcomes[0]));
    ck_assert_uint_eq(stats.failed, (unsigned)atomic_load(&crowd.outcomes[1]));
    ck_assert_uint_eq(stats.cancelled,
                      (unsigned)(atomic_load(&crowd.cancelled) + atomic_load(&crowd.outcomes[2])));
    ck_assert_uint_eq(stats.refused, (unsigned)atomic_load(&crowd.refused));
    ck_assert_int_le(gate.most_inside, crowd.workers);
    if (!cases[_i].takes_batches) {
        ck_assert_uint_eq(stats.failed, (unsigned)gate.calls / 3);
        ck_assert_uint_eq(stats.passes, (unsigned)gate.calls);
    }
    vd_detector_free(&crowd.detector);
}
END_TEST

/* The limit is reached, not only kept: as many are inside as there are workers, and no more come. */
START_TEST(as_many_at_once_as_there_are_workers)
{
    static const int counts[] = {1, 2, 4, 16};
    vd_future *futures[40];
    int workers = counts[_i];
    vd_detector *detector = case_make(&gate_ops, workers, 64);
    gate_close(&gate);
    for (int i = 0; i < 40; i++)
        futures[i] = case_must_submit(detector, i);
    ck_assert(gate_await_inside(&gate, workers));
    vd_detector_stats stats = vd_detector_get_stats(detector);
    ck_assert_int_eq(stats.active, workers);
    ck_assert_uint_eq(stats.queued, (unsigned)(40 - workers));
    gate_open(&gate);
    for (int i = 0; i < 40; i++) {
        ck_assert_int_eq(vd_future_wait(futures[i], -1), VD_OK);
        case_assert_shapes(vd_future_value(futures[i]), i);
    }
    case_settle(detector);
    ck_assert_int_eq(gate.most_inside, workers);
    case_unref_all(futures, 40);
    vd_detector_free(&detector);
}
END_TEST

/* --- Workers that hang */

static int compare_times(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

START_TEST(what_it_says_never_waits_for_a_worker)
{
    enum { SAMPLES = 101 };
    int64_t times_ns[SAMPLES];
    vd_future *futures[3];
    vd_detector *detector = case_make(&gate_ops, 1, 2);
    gate_close(&gate);
    for (int i = 0; i < 3; i++) {
        futures[i] = case_must_submit(detector, i);
        ck_assert(gate_await_inside(&gate, 1));
    }
    for (int i = 0; i < SAMPLES; i++) {
        vd_future *refused = NULL;
        int64_t began_ns = vd_clock_now_ns();
        vd_detector_stats stats = vd_detector_get_stats(detector);
        ck_assert_int_eq(vd_detector_submit(detector, &pictures[5].input, &refused, NULL), VD_EAGAIN);
        vd_detector_reset(detector);
        ck_assert_ptr_nonnull(vd_detector_labels(detector));
        times_ns[i] = vd_clock_now_ns() - began_ns;
        ck_assert_uint_eq(stats.pending, 3);
        ck_assert_uint_eq(stats.refused, (unsigned)i);
    }
    qsort(times_ns, SAMPLES, sizeof *times_ns, compare_times);
    ck_assert_int_lt(times_ns[SAMPLES / 2], 5 * VD_NS_PER_MS); /* a busy machine may stop any single one */
    gate_open(&gate);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(vd_future_wait(futures[i], -1), VD_OK);
    case_unref_all(futures, 3);
    vd_detector_free(&detector);
}
END_TEST

START_TEST(a_worker_that_hangs_holds_up_nobody)
{
    vd_future *futures[30];
    vd_detector *detector = case_make(&gate_ops, 2, 64);
    gate_hang_at(&gate, 4);
    for (int i = 0; i < 30; i++)
        futures[i] = case_must_submit(detector, i);
    for (int i = 0; i < 30; i++)
        if (i != 4)
            ck_assert_int_eq(vd_future_wait(futures[i], 20 * VD_NS_PER_S), VD_OK);
    ck_assert_int_eq(vd_future_wait(futures[4], 0), VD_ETIMEOUT);
    case_assert_ledger(detector, 29, 0, 0, 1);
    ck_assert_int_eq(vd_detector_get_stats(detector).active, 1);
    gate_let_go(&gate);
    ck_assert_int_eq(vd_future_wait(futures[4], -1), VD_OK);
    case_assert_shapes(vd_future_value(futures[4]), 4);
    case_assert_ledger(detector, 30, 0, 0, 0);
    case_unref_all(futures, 30);
    vd_detector_free(&detector);
}
END_TEST

/* --- Races */

enum { ROUNDS = 60 };

struct cancellers {
    vd_future *futures[ROUNDS];
    atomic_int won;
};

static void cancel_all(void *context)
{
    struct cancellers *cancellers = context;
    for (int i = 0; i < ROUNDS; i++)
        if (vd_future_cancel(cancellers->futures[i]))
            atomic_fetch_add(&cancellers->won, 1);
}

/* Two who cancel meet the workers that take. Each future is won once. */
START_TEST(cancelling_meets_taking)
{
    struct cancellers cancellers = {0};
    bool batches = _i % 2;
    unsigned each = batches ? 3 : 1, done = 0, cancelled = 0;
    vd_detector *detector = case_make(_i % 4 < 2 ? &gate_ops : &gate_batch_ops, 2, ROUNDS);
    gate_close(&gate);
    for (int i = 0; i < ROUNDS; i++)
        cancellers.futures[i] =
            batches ? case_must_submit_batch(detector, 3, 2) : case_must_submit(detector, i);
    vd_thread threads[2] = {start(cancel_all, &cancellers), start(cancel_all, &cancellers)};
    gate_open(&gate);
    for (int i = 0; i < 2; i++)
        vd_thread_join(&threads[i]);
    for (int i = 0; i < ROUNDS; i++) {
        int code = vd_future_wait(cancellers.futures[i], 20 * VD_NS_PER_S);
        const vd_batch *batch = batches ? vd_future_value(cancellers.futures[i]) : NULL;
        ck_assert(code == VD_OK || code == VD_ECANCELED);
        done += batch ? (unsigned)batch->successful : code == VD_OK ? each : 0;
        cancelled += code == VD_ECANCELED;
    }
    ck_assert_uint_eq(cancelled, (unsigned)atomic_load(&cancellers.won));
    case_settle(detector);
    case_assert_ledger(detector, done, 0, ROUNDS * each - done, 0);
    case_unref_all(cancellers.futures, ROUNDS);
    vd_detector_free(&detector);
}
END_TEST

/* A cancel by a holder and the end of the detector meet on the same requests. */
START_TEST(cancelling_meets_the_end)
{
    struct cancellers cancellers = {0};
    vd_detector *detector = case_make(_i % 2 ? &gate_batch_ops : &gate_ops, 1, ROUNDS);
    gate_close(&gate);
    for (int i = 0; i < ROUNDS; i++)
        cancellers.futures[i] =
            i % 3 ? case_must_submit(detector, i) : case_must_submit_batch(detector, 4, 2);
    ck_assert(gate_await_inside(&gate, 1));
    vd_thread canceller = start(cancel_all, &cancellers), stopper = start(case_free, &detector);
    gate_open(&gate);
    vd_thread_join(&canceller);
    vd_thread_join(&stopper);
    for (int i = 0; i < ROUNDS; i++) {
        int code = vd_future_wait(cancellers.futures[i], 0);
        ck_assert(code == VD_OK || code == VD_ECANCELED || code == VD_ESHUTDOWN);
    }
    case_unref_all(cancellers.futures, ROUNDS);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("detector load");
    TCase *tests = tcase_create("load");
    tcase_add_checked_fixture(tests, case_set_up, case_tear_down);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, sixty_four_threads_at_once, 0, 6);
    tcase_add_loop_test(tests, as_many_at_once_as_there_are_workers, 0, 4);
    tcase_add_test(tests, what_it_says_never_waits_for_a_worker);
    tcase_add_test(tests, a_worker_that_hangs_holds_up_nobody);
    tcase_add_loop_test(tests, cancelling_meets_taking, 0, 8);
    tcase_add_loop_test(tests, cancelling_meets_the_end, 0, 10);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(make_suite)
