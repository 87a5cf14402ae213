/* Stage 2 with many who submit: each request once, the ledger, what the call costs, workers that come and go.
 */
#include "base/thread.h"
#include "verify_case.h"

enum { LANES = 64, EACH = 30 };

struct lane {
    vd_thread thread;
    vd_verifier *verifier;
    int64_t took_ns[EACH];
    uint64_t taken;
};

static void submit_many(void *context)
{
    struct lane *lane = context;
    vd_verify_clip clip = case_clip(case_red);
    for (int i = 0; i < EACH; i++) {
        uint64_t id;
        vd_verify_result result;
        int64_t began_ns = vd_clock_now_ns();
        if (vd_verifier_submit(lane->verifier, &clip, (float)i / EACH, &id, NULL) != VD_OK)
            return;
        lane->took_ns[i] = vd_clock_now_ns() - began_ns;
        if (i % 3 == 0 &&
            vd_verifier_take(lane->verifier, id, vd_clock_now_ns() + VD_NS_PER_MS, &result) == VD_OK)
            lane->taken++;
        else if (i % 3 == 1)
            lane->taken += vd_verifier_take_all(lane->verifier, &result, 1);
        usleep(5000);
    }
}

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

START_TEST(many_threads_submit)
{
    static struct lane lanes[LANES];
    static int64_t all[LANES * EACH];
    vd_verify_options options = case_options("test:sleep");
    options.max_workers = 2;
    options.result_queue_size = 1000;
    vd_verifier *verifier = case_new(&options);
    for (int i = 0; i < LANES; i++) {
        lanes[i] = (struct lane){.verifier = verifier};
        ck_assert_int_eq(vd_thread_start(&lanes[i].thread, "vd-lane", submit_many, &lanes[i]), VD_OK);
    }
    uint64_t taken = 0;
    vd_verify_result result;
    for (int i = 0; i < LANES; i++) {
        vd_thread_join(&lanes[i].thread);
        case_stats(verifier);
        taken += lanes[i].taken;
        memcpy(all + i * EACH, lanes[i].took_ns, sizeof lanes[i].took_ns);
    }
    CASE_UNTIL(verifier, stats.pending_requests == 0);
    while (vd_verifier_take_all(verifier, &result, 1))
        taken++;
    vd_verify_stats stats = case_stats(verifier);
    ck_assert_uint_eq(stats.submitted, LANES * EACH);
    ck_assert_uint_eq(taken + stats.results_dropped, LANES * EACH); /* each once */
    qsort(all, LANES * EACH, sizeof *all, by_size);
    printf("submit by %d threads: p50 %.1f us, p99 %.1f us\n", (int)LANES,
           (double)all[LANES * EACH / 2] / 1e3, (double)all[LANES * EACH * 99 / 100] / 1e3);
    vd_verifier_free(&verifier);
}
END_TEST

/* The call itself, on a machine that does other things: processor time, as waiting for a core is no cost of
 * ours. */
START_TEST(submitting_is_cheap)
{
    enum { CALLS = 3000 };
    static int64_t took_ns[CALLS];
    vd_verify_options options = case_options("test:sleep");
    options.queue_size = 1000;
    vd_verifier *verifier = case_new(&options);
    vd_verify_clip clip = case_clip(case_red);
    clip.count = 16;
    for (int i = 0; i < 16; i++) {
        clip.frames[i] = case_red;
        clip.boxes[i] = clip.boxes[0];
        clip.times_s[i] = i;
    }
    for (int i = 0; i < CALLS; i++) {
        uint64_t id;
        struct timespec from, to;
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
        ck_assert_int_eq(vd_verifier_submit(verifier, &clip, (float)(i % 7), &id, NULL), VD_OK);
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
        took_ns[i] = (to.tv_sec - from.tv_sec) * VD_NS_PER_S + to.tv_nsec - from.tv_nsec;
    }
    qsort(took_ns, CALLS, sizeof *took_ns, by_size);
    printf("submit with a full queue: p50 %.1f us, p99 %.1f us\n", (double)took_ns[CALLS / 2] / 1e3,
           (double)took_ns[CALLS * 99 / 100] / 1e3);
#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
    ck_assert_int_lt(took_ns[CALLS * 99 / 100], 50 * VD_NS_PER_US);
#endif
    case_stats(verifier);
    vd_verifier_free(&verifier);
}
END_TEST

/* More work starts more workers, and less ends them. */
START_TEST(workers_follow_the_load)
{
    vd_verify_options options = case_options("test:sleep");
    options.max_workers = 3;
    options.test_sleep_s = 1;
    vd_verifier *verifier = case_new(&options);
    CASE_UNTIL(verifier, stats.workers == 1);
    for (int i = 0; i < 6; i++)
        case_submit(verifier, case_red, 0.5f);
    CASE_UNTIL(verifier, stats.workers_active == 3);
    ck_assert_int_eq(case_stats(verifier).workers, 3);
    CASE_UNTIL(verifier, stats.pending_requests == 0);
    ck_assert_uint_eq(case_stats(verifier).verified, 6);
    ck_assert_uint_eq(case_stats(verifier).restarts, 0);
    CASE_UNTIL(verifier, stats.workers == 1); /* after ten seconds without work */
    vd_verifier_free(&verifier);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("verify_load");
    TCase *tests = tcase_create("all");
    tcase_add_checked_fixture(tests, case_set_up, case_tear_down);
    tcase_set_timeout(tests, 200);
    tcase_add_test(tests, many_threads_submit);
    tcase_add_test(tests, submitting_is_cheap);
    tcase_add_test(tests, workers_follow_the_load);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(make_suite)
