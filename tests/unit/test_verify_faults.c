/* Stage 2 whose workers hang, crash, talk rubbish, are killed, or are not there at all: every request gets
 * its result, and nothing is left behind. */
#include <sys/wait.h>

#include "verify_case.h"

START_TEST(time_is_up_on_time)
{
    vd_verify_options options = case_options("test:hang");
    options.worker_timeout_s = 0.3;
    vd_verifier *verifier = case_new(&options);
    CASE_UNTIL(verifier, stats.model[0] != '\0');
    int64_t began_ns = vd_clock_now_ns();
    vd_verify_result result = case_take(verifier, case_submit(verifier, case_red, 0.5f));
    double took_s = (double)(vd_clock_now_ns() - began_ns) / 1e9;
    ck_assert_int_eq(result.cause, VD_CAUSE_TIMED_OUT);
    ck_assert_uint_eq(case_stats(verifier).timeouts, 1);
    printf("timed out after %.3f s\n", took_s);
    ck_assert(took_s >= 0.3 && took_s < 3);
    ck_assert(result.processing_s >= 0.3);
    vd_verifier_free(&verifier);
}
END_TEST

/* Somebody kills the worker: idle, and in the middle of a clip. */
START_TEST(a_worker_is_killed_from_outside)
{
    vd_verify_options options = case_options("test:sleep");
    options.max_workers = 1;
    vd_verifier *verifier = case_new(&options);
    int pid = 0;
    ck_assert_int_eq(case_take(verifier, case_submit(verifier, case_red, 0.5f)).verdict, VD_VERDICT_VERIFIED);
    ck_assert_int_eq(case_children(&pid, 1), 1);
    ck_assert_int_gt(pid, 1);
    kill(pid, SIGKILL);
    CASE_UNTIL(verifier, stats.restarts == 1 && stats.workers == 1);
    ck_assert_int_eq(case_take(verifier, case_submit(verifier, case_red, 0.5f)).verdict, VD_VERDICT_VERIFIED);
    vd_verifier_free(&verifier);

    options.test_sleep_s = 30;
    verifier = case_new(&options);
    uint64_t id = case_submit(verifier, case_red, 0.5f);
    CASE_UNTIL(verifier, stats.workers_active == 1);
    ck_assert_int_eq(case_children(&pid, 1), 1);
    ck_assert_int_gt(pid, 1);
    kill(pid, SIGKILL);
    vd_verify_result result = case_take(verifier, id);
    ck_assert_int_eq(result.cause, VD_CAUSE_FAILED);
    ck_assert(result.processing_s < 20);
    ck_assert_uint_eq(case_stats(verifier).crashes, 1);
    vd_verifier_free(&verifier);
}
END_TEST

/* 'R', 'S', 'Z', …; 0 when there is no such process. */
static char state_of(int pid)
{
    char path[64], state = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "r");
    if (file) {
        if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
            state = 0;
        fclose(file);
    }
    return state;
}

/* A program that is killed takes its workers along, however busy these are. */
START_TEST(workers_die_with_the_program)
{
    int ends[2], worker = 0;
    ck_assert_int_eq(pipe(ends), 0);
    pid_t program = fork();
    if (program == 0) {
        vd_verify_options options = case_options("test:hang");
        vd_verifier *verifier = case_new(&options);
        case_submit(verifier, case_red, 0.5f);
        CASE_UNTIL(verifier, stats.workers_active == 1);
        if (case_children(&worker, 1) != 1 || write(ends[1], &worker, sizeof worker) < 0)
            _exit(1);
        for (;;)
            pause();
    }
    ck_assert_int_eq(read(ends[0], &worker, sizeof worker), sizeof worker);
    ck_assert_int_gt(worker, 1);
    ck_assert_int_ne(state_of(worker), 0);
    kill(program, SIGKILL);
    ck_assert_int_eq(waitpid(program, NULL, 0), program);
    for (int i = 0; i < 2000 && state_of(worker) != 0 && state_of(worker) != 'Z'; i++)
        usleep(5000);
    ck_assert(state_of(worker) == 0 || state_of(worker) == 'Z');
    close(ends[0]);
    close(ends[1]);
}
END_TEST

/* What the program has open stays its own. */
START_TEST(a_worker_inherits_nothing)
{
    char name[] = "/tmp/vedette-open-XXXXXX", path[320], target[64];
    int fd = mkstemp(name), pid = 0; /* not closed by exec */
    ck_assert_int_ge(fd, 0);
    vd_verify_options options = case_options("test:sleep");
    vd_verifier *verifier = case_new(&options);
    CASE_UNTIL(verifier, stats.workers == 1);
    ck_assert_int_eq(case_children(&pid, 1), 1);
    snprintf(path, sizeof path, "/proc/%d/fd", pid);
    DIR *list = opendir(path);
    ck_assert_ptr_nonnull(list);
    for (struct dirent *entry; (entry = readdir(list));) {
        snprintf(path, sizeof path, "/proc/%d/fd/%s", pid, entry->d_name);
        ssize_t length = readlink(path, target, sizeof target - 1);
        target[length > 0 ? length : 0] = '\0';
        ck_assert_str_ne(target, name);
    }
    closedir(list);
    vd_verifier_free(&verifier);
    close(fd);
    unlink(name);
}
END_TEST

/* No program, and one that ends at once: degraded, an answer all the same, and few attempts. */
START_TEST(workers_that_do_not_start)
{
    static const char *const programs[] = {"/nowhere/vedette-verifier", "/bin/false"};
    vd_verify_options options = case_options("test:sleep");
    vd_text_copy(options.worker_program, sizeof options.worker_program, programs[_i]);
    options.max_workers = 8;
    vd_verifier *verifier = case_new(&options);
    CASE_UNTIL(verifier, stats.degraded);
    for (int i = 0; i < 20; i++) {
        vd_verify_result result = case_take(verifier, case_submit(verifier, case_red, 0.5f));
        ck_assert_int_eq(result.verdict, VD_VERDICT_UNVERIFIED);
        ck_assert_int_eq(result.cause, VD_CAUSE_DEGRADED);
        ck_assert_float_eq_tol(result.simple_score, 0.6f, 1e-5f);
    }
    usleep(1500000);
    vd_verify_stats stats = case_stats(verifier);
    ck_assert(stats.degraded && stats.degraded_why.text[0] != '\0');
    ck_assert_uint_le(stats.crashes, 6); /* after 0.1, 0.2, 0.4, 0.8 s */
    ck_assert_int_le(case_children(NULL, 0), 1);
    vd_verifier_free(&verifier);
}
END_TEST

static const struct {
    const char *type, *how;
    vd_verdict_cause cause;
    double timeout_s;
} FAILINGS[] = {{"test:hang", "it did not answer in time", VD_CAUSE_TIMED_OUT, 0.05},
                {"test:crash", "its worker crashed", VD_CAUSE_FAILED, 30},
                {"test:rubbish", "its answer makes no sense", VD_CAUSE_FAILED, 30}};

static vd_verify_result fail_once(vd_verifier *verifier)
{
    CASE_UNTIL(verifier, stats.workers == 1 && stats.workers_active == 0);
    vd_verify_result result = case_take(verifier, case_submit(verifier, case_red, 0.5f));
    ck_assert_int_eq(result.verdict, VD_VERDICT_UNVERIFIED);
    ck_assert_float_eq_tol(result.simple_score, 0.6f, 1e-5f);
    return result;
}

/* A model that loads and then fails on every clip: degraded from the third on, and tried all the same.
 * Another one begins anew. */
START_TEST(three_failures_in_a_row_are_degraded)
{
    char why[256];
    vd_verify_options options = case_options(FAILINGS[_i].type);
    options.worker_timeout_s = FAILINGS[_i].timeout_s;
    options.max_workers = 1;
    vd_verifier *verifier = case_new(&options);
    snprintf(
        why, sizeof why,
        "The second model failed on its last 3 clips: %s; events are judged by how well their detections "
        "agree.",
        FAILINGS[_i].how);
    for (int i = 1; i <= 5; i++) {
        ck_assert_int_eq(fail_once(verifier).cause, FAILINGS[_i].cause);
        vd_verify_stats stats = case_stats(verifier);
        ck_assert_int_eq(stats.degraded, i >= 3);
        ck_assert_str_eq(stats.degraded_why.text, i >= 3 ? why : "");
    }
    ck_assert_uint_eq(case_stats(verifier).unverified, 5);
    ck_assert_int_eq(vd_verifier_set_model(verifier, "another", NULL), VD_OK);
    CASE_UNTIL(verifier, !stats.degraded && stats.workers == 1);
    for (int i = 1; i <= 3; i++) {
        fail_once(verifier);
        ck_assert_int_eq(case_stats(verifier).degraded, i == 3);
    }
    vd_verifier_free(&verifier);
}
END_TEST

/* A model that fails on dark clips alone: one verdict ends it, and begins the count anew. */
START_TEST(a_verdict_ends_it)
{
    static const struct {
        bool dark, degraded;
    } clips[] = {{true, false}, {true, false},  {false, false}, {true, false}, {true, false}, {true, true},
                 {true, true},  {false, false}, {true, false},  {true, false}, {true, true}};
    vd_verify_options options = case_options("test:fail");
    vd_verifier *verifier = case_new(&options);
    vd_frame *dark = case_frame(case_pool, 20);
    for (size_t i = 0; i < sizeof clips / sizeof *clips; i++) {
        vd_verify_result result =
            case_take(verifier, case_submit(verifier, clips[i].dark ? dark : case_red, 0.5f));
        ck_assert_int_eq(result.verdict, clips[i].dark ? VD_VERDICT_UNVERIFIED : VD_VERDICT_VERIFIED);
        ck_assert_int_eq(result.cause, clips[i].dark ? VD_CAUSE_FAILED : VD_CAUSE_NONE);
        vd_verify_stats stats = case_stats(verifier);
        ck_assert_int_eq(stats.degraded, clips[i].degraded);
        ck_assert_int_eq(strstr(stats.degraded_why.text, ": The clip is too dark for this model; ") != NULL,
                         clips[i].degraded);
    }
    ck_assert_uint_eq(case_stats(verifier).restarts, 0);
    vd_frame_unref(&dark);
    vd_verifier_free(&verifier);
}
END_TEST

/* A model that never loads holds a request for its time, or for what a program needs to start. */
START_TEST(a_load_that_hangs_holds_nothing_up)
{
    static const double timeouts_s[] = {0.05, 2.5}, limits_s[] = {2, 2.5};
    vd_verify_options options = case_options("test:load");
    options.test_sleep_s = 300;
    options.worker_timeout_s = timeouts_s[_i];
    options.async_enabled = _i == 0;
    vd_verifier *verifier = case_new(&options);
    int64_t began_ns = vd_clock_now_ns();
    vd_verify_result result = case_take(verifier, case_submit(verifier, case_red, 0.5f));
    double took_s = (double)(vd_clock_now_ns() - began_ns) / 1e9;
    printf("given up after %.3f s of loading\n", took_s);
    ck_assert(took_s >= limits_s[_i] && took_s < limits_s[_i] + 3);
    ck_assert_int_eq(result.verdict, VD_VERDICT_UNVERIFIED);
    ck_assert_int_eq(result.cause, VD_CAUSE_TIMED_OUT);
    ck_assert_ptr_nonnull(strstr(result.error.text, "still loading"));
    ck_assert_float_eq_tol(result.simple_score, 0.6f, 1e-5f);
    ck_assert(result.waited_s >= limits_s[_i] && result.processing_s < 1e-9);
    vd_verify_stats stats = case_stats(verifier);
    ck_assert_uint_eq(stats.timeouts, 1);
    ck_assert_uint_eq(stats.restarts, 0); /* it goes on */
    ck_assert(stats.degraded && strstr(stats.degraded_why.text, "still loading"));
    ck_assert_int_eq(case_children(NULL, 0), 1);
    vd_verifier_free(&verifier);
}
END_TEST

/* One that loads in time makes nobody late; one that loads later is degraded until it has. */
START_TEST(a_load_that_is_slow)
{
    vd_verify_options options = case_options("test:load");
    options.test_sleep_s = 1;
    vd_verifier *verifier = case_new(&options);
    vd_verify_result result = case_take(verifier, case_submit(verifier, case_red, 0.5f));
    ck_assert_int_eq(result.verdict, VD_VERDICT_VERIFIED);
    ck_assert(result.waited_s >= 0.9);
    ck_assert_uint_eq(case_stats(verifier).timeouts, 0);
    vd_verifier_free(&verifier);

    options.test_sleep_s = 4;
    options.worker_timeout_s = 2;
    verifier = case_new(&options);
    result = case_take(verifier, case_submit(verifier, case_red, 0.5f));
    ck_assert_int_eq(result.cause, VD_CAUSE_TIMED_OUT);
    ck_assert(case_stats(verifier).degraded);
    CASE_UNTIL(verifier, !stats.degraded);
    ck_assert_int_eq(case_stats(verifier).workers, 1);
    ck_assert_int_eq(case_take(verifier, case_submit(verifier, case_red, 0.5f)).verdict, VD_VERDICT_VERIFIED);
    vd_verifier_free(&verifier);
}
END_TEST

/* The only worker dies when a request has waited for others for longer than a worker may take: it has its
 * turn all the same. */
START_TEST(who_waited_for_others_is_not_late)
{
    enum { COUNT = 5 };
    vd_verify_options options = case_options("test:sleep");
    options.max_workers = 1;
    options.test_sleep_s = 0.8;
    options.worker_timeout_s = 2;
    vd_verifier *verifier = case_new(&options);
    uint64_t ids[COUNT];
    int worker = 0;
    for (int i = 0; i < COUNT; i++)
        ids[i] = case_submit(verifier, case_red, 0.5f);
    CASE_UNTIL(verifier, stats.results_waiting == 3 && stats.workers_active == 1);
    ck_assert_int_eq(case_children(&worker, 1), 1);
    ck_assert_int_gt(worker, 1);
    kill(worker, SIGKILL);
    ck_assert_int_eq(case_take(verifier, ids[3]).cause, VD_CAUSE_FAILED);
    vd_verify_result result = case_take(verifier, ids[4]);
    ck_assert_int_eq(result.verdict, VD_VERDICT_VERIFIED);
    ck_assert(result.waited_s >= 2);
    vd_verifier_free(&verifier);
}
END_TEST

/* A result that is late is no reason for another: the ledger after a mixture, stopped in the middle. */
START_TEST(the_ledger_holds_when_stopped_in_trouble)
{
    vd_verify_options options = case_options("test:crash");
    options.max_workers = 4;
    options.queue_size = 10;
    options.result_queue_size = 7;
    vd_verifier *verifier = case_new(&options);
    for (int i = 0; i < 60; i++) {
        case_submit(verifier, case_red, (float)(i % 5));
        case_stats(verifier);
    }
    CASE_UNTIL(verifier, stats.crashes > 0);
    vd_verifier_stop(verifier);
    vd_verify_stats stats = case_stats(verifier);
    ck_assert_uint_eq(stats.submitted, 60);
    ck_assert_int_eq(stats.pending_requests, 0);
    ck_assert_int_eq(stats.results_waiting, 7);
    vd_verifier_free(&verifier);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("verify_faults");
    TCase *tests = tcase_create("all");
    tcase_add_checked_fixture(tests, case_set_up, case_tear_down);
    tcase_set_timeout(tests, 400);
    tcase_add_test(tests, time_is_up_on_time);
    tcase_add_test(tests, a_worker_is_killed_from_outside);
    tcase_add_test(tests, workers_die_with_the_program);
    tcase_add_test(tests, a_worker_inherits_nothing);
    tcase_add_loop_test(tests, workers_that_do_not_start, 0, 2);
    tcase_add_loop_test(tests, three_failures_in_a_row_are_degraded, 0,
                        (int)(sizeof FAILINGS / sizeof *FAILINGS));
    tcase_add_test(tests, a_verdict_ends_it);
    tcase_add_loop_test(tests, a_load_that_hangs_holds_nothing_up, 0, 2);
    tcase_add_test(tests, a_load_that_is_slow);
    tcase_add_test(tests, who_waited_for_others_is_not_late);
    tcase_add_test(tests, the_ledger_holds_when_stopped_in_trouble);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(make_suite)
