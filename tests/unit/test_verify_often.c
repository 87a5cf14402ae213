/* Workers that hang, crash or talk rubbish again and again: each request gets its result, and memory,
 * descriptors and processes are the same before and after. */
#include "own_memory.h"
#include "verify_case.h"

enum { MANY = 100, FORMS = 36 /* four times each */, WARM = 4 };

/* Submits and takes `count` requests, two at a time, all with that outcome. */
static void go_wrong(vd_verifier *verifier, int count, vd_verdict_cause cause)
{
    for (int done = 0; done < count; done += 2) {
        uint64_t ids[2] = {case_submit(verifier, case_red, 0.5f), case_submit(verifier, case_red, 0.6f)};
        for (int i = 0; i < 2; i++) {
            vd_verify_result result = case_take(verifier, ids[i]);
            ck_assert_int_eq(result.verdict, VD_VERDICT_UNVERIFIED);
            ck_assert_int_eq(result.cause, cause);
            ck_assert(result.error.text[0] != '\0');
            ck_assert_float_eq_tol(result.simple_score, 0.6f, 1e-5f);
            case_stats(verifier);
        }
    }
}

/* Waits until both workers are there again: descriptors and children are compared in the same state. */
static void settle(vd_verifier *verifier)
{
    CASE_UNTIL(verifier, stats.workers == 2 && stats.workers_active == 0);
    for (int i = 0; i < 2000 && case_children(NULL, 0) > 2; i++)
        usleep(5000);
    ck_assert_int_eq(case_children(NULL, 0), 2);
}

static void go_wrong_often(const char *type, vd_verdict_cause cause, double timeout_s, int times)
{
    vd_verify_options options = case_options(type);
    options.min_workers = 2;
    options.worker_timeout_s = timeout_s;
    vd_verifier *verifier = case_new(&options);
    go_wrong(verifier, WARM, cause);
    settle(verifier);
    int descriptors = case_descriptors();
    long memory_kb = own_memory_kb();
    ck_assert_int_gt(memory_kb, 0);
    go_wrong(verifier, times, cause);
    settle(verifier);
    ck_assert_int_eq(case_descriptors(), descriptors);
    printf("%s: %ld kB more after %d\n", type, own_memory_kb() - memory_kb, times);
#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
    ck_assert_int_lt(own_memory_kb() - memory_kb, 512);
#endif
    vd_verify_stats stats = case_stats(verifier);
    ck_assert_uint_eq(stats.unverified, (uint64_t)(WARM + times));
    ck_assert_uint_ge(stats.restarts, (uint64_t)(WARM + times));
    vd_verifier_free(&verifier);
}

START_TEST(a_hundred_hangs)
{
    go_wrong_often("test:hang", VD_CAUSE_TIMED_OUT, 0.05, MANY);
}
END_TEST

START_TEST(a_hundred_crashes)
{
    go_wrong_often("test:crash", VD_CAUSE_FAILED, 30, MANY);
}
END_TEST

/* The double chooses the form by the request's number. */
START_TEST(every_form_of_rubbish)
{
    go_wrong_often("test:rubbish", VD_CAUSE_FAILED, 30, FORMS);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("verify_often");
    TCase *tests = tcase_create("all");
    tcase_add_checked_fixture(tests, case_set_up, case_tear_down);
    tcase_set_timeout(tests, 400);
    tcase_add_test(tests, a_hundred_hangs);
    tcase_add_test(tests, a_hundred_crashes);
    tcase_add_test(tests, every_form_of_rubbish);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(make_suite)
