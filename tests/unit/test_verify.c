/* Stage 2 on doubles of a model, in real processes: verdicts, queues, the ledger, threads. */
#include <stdatomic.h>

#include "base/thread.h"
#include "verify_case.h"

static vd_frame *dark;

static void set_up(void)
{
    case_set_up();
    dark = case_frame(case_pool, 20);
}

static void tear_down(void)
{
    vd_frame_unref(&dark);
    case_tear_down();
}

START_TEST(verdicts_follow_the_threshold)
{
    vd_verify_options options = case_options("test:sleep");
    options.threshold = 0.7;
    options.async_enabled = _i == 0;
    vd_verifier *verifier = case_new(&options);
    uint64_t ids[2] = {case_submit(verifier, case_red, 0.5f), case_submit(verifier, dark, 0.5f)};
    vd_verify_result result = {0};
    if (!options.async_enabled) { /* ready when submit returns */
        ck_assert_int_eq(vd_verifier_take(verifier, ids[0], 0, &result), VD_OK);
    } else {
        result = case_take(verifier, ids[0]);
    }
    ck_assert_int_eq(result.verdict, VD_VERDICT_VERIFIED);
    ck_assert_float_eq_tol(result.score, 230 / 255.f, 1e-5f);
    ck_assert_float_eq_tol(result.simple_score, 0.75f * 0.8f, 1e-5f);
    ck_assert(result.processing_s > 0 && result.waited_s >= 0);
    result = case_take(verifier, ids[1]);
    ck_assert_int_eq(result.verdict, VD_VERDICT_REJECTED);
    ck_assert_float_eq_tol(result.score, 20 / 255.f, 1e-5f);
    ck_assert_int_eq(vd_verifier_take(verifier, ids[1], 0, &result), VD_ENOTFOUND);
    ck_assert_int_eq(vd_verifier_take(verifier, 99, 0, &result), VD_ENOTFOUND);
    ck_assert_int_eq(vd_verifier_take(verifier, 0, 0, &result), VD_ENOTFOUND);
    vd_verify_stats stats = case_stats(verifier);
    ck_assert_uint_eq(stats.verified, 1);
    ck_assert_uint_eq(stats.rejected, 1);
    ck_assert(stats.p50_s > 0 && stats.p99_s >= stats.p50_s && stats.avg_processing_s > 0);
    ck_assert_str_eq(stats.model, "test:sleep");
    vd_verifier_free(&verifier);
    vd_verifier_free(&verifier);
}
END_TEST

START_TEST(what_cannot_be_is_refused)
{
    vd_verify_options options = case_options("test:sleep");
    vd_verifier *verifier = NULL;
    vd_error error = {0};
    options.min_workers = 3;
    ck_assert_int_eq(vd_verifier_new(&options, NULL, NULL, &verifier, &error), VD_EINVAL);
    ck_assert_ptr_nonnull(strstr(error.text, "min_workers is 3"));
    options = case_options("onyx");
    ck_assert_int_eq(vd_verifier_new(&options, NULL, NULL, &verifier, &error), VD_EINVAL);
    options = case_options("test:sleep");
    options.worker_timeout_s = 0.04;
    ck_assert_int_eq(vd_verify_options_validate(&options, &error), VD_EINVAL);
    options.worker_timeout_s = 0.05;
    ck_assert_int_eq(vd_verify_options_validate(&options, &error), VD_OK);
    verifier = case_new(&options);
    vd_verify_clip clip = case_clip(case_red);
    uint64_t id = 7;
    clip.count = 0;
    ck_assert_int_eq(vd_verifier_submit(verifier, &clip, 1, &id, &error), VD_EINVAL);
    clip.count = CASE_FRAMES;
    clip.times_s[2] = -1;
    ck_assert_int_eq(vd_verifier_submit(verifier, &clip, 1, &id, &error), VD_EINVAL);
    ck_assert_uint_eq(id, 7);
    ck_assert_uint_eq(case_stats(verifier).submitted, 0);
    vd_verifier_free(&verifier);
}
END_TEST

/* A pool of frames gets them back from the queue: the oldest request with one that its owner has not himself,
 * no other, and nothing of other pools. */
START_TEST(pictures_come_back_from_the_queue)
{
    vd_verify_options options = case_options("test:hang");
    options.max_workers = 1;
    vd_verifier *verifier = case_new(&options);
    vd_frame_pool *pool = NULL;
    vd_frame *old = NULL, *new = NULL;
    ck_assert_int_eq(vd_frame_pool_new(VD_PIXEL_BGRX, CASE_SIDE, CASE_SIDE, 2, &pool), VD_OK);
    old = case_frame(pool, 10);
    new = case_frame(pool, 20);
    old->index = 4;
    new->index = 9;
    case_submit(verifier, case_red, 1);
    CASE_UNTIL(verifier, stats.workers_active == 1);
    uint64_t other = case_submit(verifier, case_red, 0.5f), first = case_submit(verifier, new, 0.5f),
             second = case_submit(verifier, old, 0.9f), third = case_submit(verifier, old, 0.1f);
    vd_frame_unref(&old);
    vd_frame_unref(&new);
    ck_assert(!vd_verifier_drop_oldest_of(verifier, pool, 4));
    ck_assert(vd_verifier_drop_oldest_of(verifier, pool, 9));
    ck_assert_int_eq(vd_frame_pool_get_stats(pool).available, 0); /* the third has it as well */
    ck_assert(vd_verifier_drop_oldest_of(verifier, pool, 9));
    ck_assert_int_eq(vd_frame_pool_get_stats(pool).available, 1);
    ck_assert(!vd_verifier_drop_oldest_of(verifier, pool, 9));
    vd_verify_stats stats = case_stats(verifier);
    ck_assert_uint_eq(stats.dropped, 2);
    ck_assert_int_eq(stats.queue_length, 2);
    vd_verify_result result = case_take(verifier, second);
    ck_assert_int_eq(result.verdict, VD_VERDICT_UNVERIFIED);
    ck_assert_int_eq(result.cause, VD_CAUSE_DROPPED);
    ck_assert_ptr_nonnull(strstr(result.error.text, "newer events needed"));
    ck_assert_int_eq(case_take(verifier, third).cause, VD_CAUSE_DROPPED);
    ck_assert_int_eq(vd_verifier_take(verifier, first, 0, &result), VD_ETIMEOUT);
    ck_assert(vd_verifier_drop_oldest_of(verifier, pool, 10));
    ck_assert_int_eq(vd_verifier_take(verifier, first, 0, &result), VD_OK);
    ck_assert_int_eq(vd_verifier_take(verifier, other, 0, &result), VD_ETIMEOUT);
    ck_assert_int_eq(vd_frame_pool_get_stats(pool).available, 2);
    ck_assert(vd_verifier_drop_oldest_of(verifier, case_pool, INT64_MAX));
    ck_assert(!vd_verifier_drop_oldest_of(verifier, case_pool, INT64_MAX)); /* the one that runs stays */
    stats = case_stats(verifier);
    ck_assert(stats.dropped == 4 && stats.pending_requests == 1 && stats.submitted == 5);
    vd_verifier_free(&verifier);
    vd_frame_pool_free(&pool);
}
END_TEST

static void note_wake(void *context)
{
    atomic_fetch_add((atomic_int *)context, 1);
}

/* Whoever is told by `wake` finds the result there. */
START_TEST(a_result_wakes)
{
    static atomic_int wakes;
    vd_verify_options options = case_options("test:sleep");
    vd_verifier *verifier = NULL;
    vd_verify_result result;
    options.test_sleep_s = 0.3;
    ck_assert_int_eq(vd_verifier_new(&options, note_wake, &wakes, &verifier, NULL), VD_OK);
    uint64_t id = case_submit(verifier, case_red, 0.5f);
    ck_assert_int_eq(vd_verifier_take(verifier, id, 0, &result), VD_ETIMEOUT);
    ck_assert_int_eq(vd_verifier_take(verifier, id, vd_clock_now_ns() + VD_NS_PER_MS, &result), VD_ETIMEOUT);
    for (int seen = 0; vd_verifier_take(verifier, id, 0, &result) != VD_OK; seen = atomic_load(&wakes))
        for (int i = 0; i < 10000 && atomic_load(&wakes) == seen; i++)
            usleep(1000);
    ck_assert_int_ge(atomic_load(&wakes), 1);
    ck_assert_int_eq(result.verdict, VD_VERDICT_VERIFIED);
    vd_verifier_free(&verifier);
}
END_TEST

/* One worker is busy; of six that come after, two fit the queue: the oldest four are dropped. */
START_TEST(a_full_queue_drops_the_oldest)
{
    vd_verify_options options = case_options("test:sleep");
    options.max_workers = 1;
    options.queue_size = 2;
    options.test_sleep_s = 1;
    vd_verifier *verifier = case_new(&options);
    uint64_t first = case_submit(verifier, case_red, 0.9f), ids[6];
    CASE_UNTIL(verifier, stats.workers_active == 1);
    for (int i = 0; i < 6; i++)
        ids[i] = case_submit(verifier, case_red, 0.9f);
    vd_verify_stats stats = case_stats(verifier);
    ck_assert_uint_eq(stats.dropped, 4);
    ck_assert_int_eq(stats.queue_length, 2);
    ck_assert_int_eq(stats.pending_requests, 3);
    ck_assert(stats.oldest_s > 0);
    for (int i = 0; i < 4; i++) {
        vd_verify_result result = case_take(verifier, ids[i]);
        ck_assert_int_eq(result.verdict, VD_VERDICT_UNVERIFIED);
        ck_assert_int_eq(result.cause, VD_CAUSE_DROPPED);
        ck_assert_int_eq(vd_verifier_take(verifier, ids[i], 0, &result), VD_ENOTFOUND);
    }
    ck_assert_int_eq(case_take(verifier, first).verdict, VD_VERDICT_VERIFIED);
    ck_assert_int_eq(case_take(verifier, ids[5]).verdict, VD_VERDICT_VERIFIED);
    vd_verifier_free(&verifier);
}
END_TEST

START_TEST(the_surest_goes_first)
{
    vd_verify_options options = case_options("test:sleep");
    options.max_workers = 1;
    options.test_sleep_s = 0.6;
    vd_verifier *verifier = case_new(&options);
    vd_verify_result results[8];
    case_submit(verifier, case_red, 0.1f);
    CASE_UNTIL(verifier, stats.workers_active == 1);
    uint64_t low = case_submit(verifier, case_red, 0.2f), high = case_submit(verifier, case_red, 0.9f),
             same = case_submit(verifier, case_red, 0.9f);
    CASE_UNTIL(verifier, stats.results_waiting == 4);
    ck_assert_uint_eq(vd_verifier_take_all(verifier, results, 8), 4);
    ck_assert_uint_eq(results[1].id, high);
    ck_assert_uint_eq(results[2].id, same);
    ck_assert_uint_eq(results[3].id, low);
    ck_assert_uint_eq(vd_verifier_take_all(verifier, results, 8), 0);
    vd_verifier_free(&verifier);
}
END_TEST

/* Surer ones keep coming; the one that came first is not the last for that. */
START_TEST(nobody_waits_for_ever)
{
    enum { SURER = 9 };
    vd_verify_options options = case_options("test:sleep");
    options.max_workers = 1;
    options.test_sleep_s = 0.2;
    vd_verifier *verifier = case_new(&options);
    vd_verify_result results[SURER + 2];
    case_submit(verifier, case_red, 0.5f);
    CASE_UNTIL(verifier, stats.workers_active == 1);
    uint64_t low = case_submit(verifier, case_red, 0.1f);
    for (int i = 0; i < SURER; i++)
        case_submit(verifier, case_red, 0.9f);
    CASE_UNTIL(verifier, stats.results_waiting == SURER + 2);
    ck_assert_uint_eq(vd_verifier_take_all(verifier, results, SURER + 2), SURER + 2);
    size_t at = 0;
    while (results[at].id != low)
        at++;
    ck_assert_uint_le(at, 3);
    vd_verifier_free(&verifier);
}
END_TEST

START_TEST(results_that_nobody_takes_fall_out)
{
    vd_verify_options options = case_options("test:sleep");
    options.result_queue_size = 3;
    vd_verifier *verifier = case_new(&options);
    uint64_t ids[5];
    for (int i = 0; i < 5; i++) {
        ids[i] = case_submit(verifier, i % 2 ? dark : case_red, 0.5f);
        CASE_UNTIL(verifier, stats.pending_requests == 0);
    }
    vd_verify_stats stats = case_stats(verifier);
    ck_assert_uint_eq(stats.results_dropped, 2);
    ck_assert_uint_eq(stats.dropped, 2);
    ck_assert_uint_eq(stats.verified, 2);
    ck_assert_uint_eq(stats.rejected, 1);
    vd_verify_result results[8];
    ck_assert_int_eq(vd_verifier_take(verifier, ids[0], 0, results), VD_ENOTFOUND);
    ck_assert_uint_eq(vd_verifier_take_all(verifier, results, 2), 2);
    ck_assert_uint_eq(results[0].id, ids[2]);
    ck_assert_uint_eq(vd_verifier_take_all(verifier, results, 8), 1);
    vd_verifier_free(&verifier);
}
END_TEST

START_TEST(stopping_drops_what_is_left)
{
    vd_verify_options options = case_options(_i == 0 ? "test:sleep" : "test:hang");
    options.queue_size = 5;
    options.test_sleep_s = 60;
    vd_verifier *verifier = case_new(&options);
    case_submit(verifier, case_red, 0.5f);
    case_submit(verifier, case_red, 0.5f);
    CASE_UNTIL(verifier, stats.workers_active == 2);
    for (int i = 0; i < 5; i++)
        case_submit(verifier, case_red, 0.5f);
    int64_t began_ns = vd_clock_now_ns();
    vd_verifier_stop(verifier);
    vd_verifier_stop(verifier);
    ck_assert_int_lt(vd_clock_now_ns() - began_ns, VD_NS_PER_S);
    vd_verify_stats stats = case_stats(verifier);
    ck_assert_uint_eq(stats.dropped, 7);
    ck_assert_int_eq(stats.pending_requests + stats.workers, 0);
    vd_verify_result results[8];
    ck_assert_uint_eq(vd_verifier_take_all(verifier, results, 8), 7);
    for (int i = 0; i < 7; i++)
        ck_assert_int_eq(results[i].cause, VD_CAUSE_STOPPED);
    uint64_t id;
    vd_error error;
    vd_verify_clip clip = case_clip(case_red);
    ck_assert_int_eq(vd_verifier_submit(verifier, &clip, 1, &id, &error), VD_ESHUTDOWN);
    ck_assert_int_eq(vd_verifier_set_model(verifier, "x", &error), VD_ESHUTDOWN);
    vd_verifier_free(&verifier);
}
END_TEST

static void submit_one(void *context)
{
    uint64_t id;
    vd_verify_clip clip = case_clip(case_red);
    ck_assert_int_eq(vd_verifier_submit(context, &clip, 0.5f, &id, NULL), VD_OK);
}

/* Who submits with async_enabled false waits for the result, and for no longer than stage 2 runs. */
START_TEST(stopping_ends_a_submit_that_waits)
{
    vd_verify_options options = case_options("test:hang");
    options.async_enabled = false;
    vd_verifier *verifier = case_new(&options);
    vd_thread thread;
    vd_verify_result result = {0};
    ck_assert_int_eq(vd_thread_start(&thread, "vd-submit", submit_one, verifier), VD_OK);
    CASE_UNTIL(verifier, stats.workers_active == 1);
    vd_verifier_stop(verifier);
    vd_thread_join(&thread);
    ck_assert_uint_eq(vd_verifier_take_all(verifier, &result, 1), 1);
    ck_assert_int_eq(result.cause, VD_CAUSE_STOPPED);
    ck_assert_uint_eq(case_stats(verifier).dropped, 1);
    vd_verifier_free(&verifier);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("verify");
    TCase *tests = tcase_create("all");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 200);
    tcase_add_loop_test(tests, verdicts_follow_the_threshold, 0, 2);
    tcase_add_test(tests, what_cannot_be_is_refused);
    tcase_add_test(tests, pictures_come_back_from_the_queue);
    tcase_add_test(tests, a_result_wakes);
    tcase_add_test(tests, a_full_queue_drops_the_oldest);
    tcase_add_test(tests, the_surest_goes_first);
    tcase_add_test(tests, nobody_waits_for_ever);
    tcase_add_test(tests, results_that_nobody_takes_fall_out);
    tcase_add_loop_test(tests, stopping_drops_what_is_left, 0, 2);
    tcase_add_test(tests, stopping_ends_a_submit_that_waits);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(make_suite)
