/* Memory that runs out: nothing is lost, every frame is still answered once. */
#include "session_case.h"

#include "check_main.h"
#include "doubles/shortage.h"
#include "serve/access.h"

enum { FRAMES = 8 };

static int answers[FRAMES], short_ones;

/* No assertion in here: Check would allocate. */
static bool note(void *context, char *text, size_t size)
{
    const char *id = strstr(text, "\"frame_id\":");
    (void)context;
    if (id && strlen(text) == size)
        answers[atoi(id + 11)]++;
    short_ones += strstr(text, "not enough memory") != NULL;
    free(text);
    return true;
}

static const int64_t frame_ns = 110 * VD_NS_PER_MS;

/* Frames of every fate; whatever is allocated in between may fail. */
static void run(vd_session *session, vd_job **jobs, vd_result_pool *pool, int n, bool all)
{
    static const vd_detection object = {{10, 10, 60, 90}, 0.9f, 1, 0};
    int64_t now_ns = VD_NS_PER_S, next_ns = INT64_MAX;
    shortage_begin(&short_memory, n, all);
    for (int i = 0; i < 6; i++, now_ns += frame_ns)
        vd_session_offer(session, jobs[i], now_ns); /* the queue has 4 */
    vd_session_offer(session, jobs[6], now_ns - frame_ns);
    vd_session_offer(session, jobs[7], now_ns - frame_ns);
    for (int i = 0; i < 3; i++) {
        vd_job *job = vd_session_start(session, 0, now_ns, &next_ns);
        shortage_end(&short_memory); /* the work's own memory */
        if (i != 1)
            case_detect(job, pool, &object, 1, now_ns);
        else
            job->code = vd_error_set(&job->error, VD_EFORMAT, NULL, "It is no picture.");
        shortage_go_on(&short_memory);
        vd_session_finish(session, job, now_ns);
    }
    vd_job *last = vd_session_start(session, 0, now_ns, &next_ns);
    vd_session_end(session, "It was deleted.", now_ns);
    shortage_end(&short_memory);
    case_detect(last, pool, &object, 1, now_ns);
    vd_session_finish(session, last, now_ns); /* answered now, if it could not be before */
}

static void run_once(int n, bool all)
{
    vd_session_options options = case_options(10, 4);
    vd_session_listener listener = {note, NULL, NULL};
    vd_session *session = NULL;
    vd_result_pool *pool = NULL;
    vd_job *jobs[FRAMES];
    ck_assert_int_eq(vd_result_pool_new(2, &pool), VD_OK);
    ck_assert_int_eq(vd_session_new(&options, &session), VD_OK);
    vd_session_listen(session, &listener, VD_NS_PER_S);
    for (int i = 0; i < FRAMES; i++)
        jobs[i] = case_job(i);
    memset(answers, 0, sizeof answers);
    short_ones = 0;
    run(session, jobs, pool, n, all);
    for (int i = 0; i < FRAMES; i++)
        ck_assert_msg(answers[i] == 1, "frame %d was answered %d times when allocation %d failed", i,
                      answers[i], n);
    vd_session_stats stats = vd_session_get_stats(session, 2 * VD_NS_PER_S);
    ck_assert(case_ledger_holds(&stats));
    ck_assert_uint_eq(stats.frames, FRAMES);
    vd_session_unref(&session);
    vd_result_pool_free(&pool);
}

START_TEST(test_one_fails)
{
    int n = 1;
    do
        run_once(n++, false);
    while (atomic_load(&short_memory.failed) > 0);
    ck_assert_int_gt(n, 15); /* so many there are */
    ck_assert_int_eq(short_ones, 0);
}
END_TEST

START_TEST(test_all_fail)
{
    for (int n = 1; n < 20; n++)
        run_once(n, true);
    run_once(1, true);
    ck_assert_int_ge(short_ones, 3);
}
END_TEST

START_TEST(test_opening)
{
    vd_sessions_options options = {.max_sessions = 2, .max_per_peer = 2};
    vd_session_options one = case_options(10, 4);
    vd_sessions *sessions = NULL;
    vd_session *session = NULL;
    vd_error error;
    for (int n = 1; n <= 2; n++) {
        shortage_begin(&short_memory, n, false);
        ck_assert_int_eq(vd_sessions_new(&options, &sessions), VD_ENOMEM);
    }
    shortage_end(&short_memory);
    ck_assert_int_eq(vd_sessions_new(&options, &sessions), VD_OK);
    for (int n = 1; n <= 2; n++) {
        shortage_begin(&short_memory, n, false);
        ck_assert_int_eq(vd_sessions_open(sessions, &one, &session, &error), VD_ENOMEM);
        ck_assert_uint_eq(vd_sessions_count(sessions), 0);
    }
    shortage_begin(&short_memory, 1, false);
    ck_assert_ptr_null(vd_job_new());
    vd_sessions_free(&sessions);
}
END_TEST

START_TEST(test_messages)
{
    static const char text[] = "{\"type\":\"frame\",\"frame_id\":5,\"image_data\":\"Zm9v\"}";
    vd_message message;
    vd_error error;
    shortage_begin(&short_memory, 1, false);
    ck_assert_int_eq(vd_message_read(text, sizeof text - 1, 100, &message, &error), VD_ENOMEM);
    ck_assert_str_eq(message.frame_id, "5");
    shortage_begin(&short_memory, 1, false);
    ck_assert_ptr_null(vd_message_write_ping("1"));
    shortage_begin(&short_memory, 1, false);
    ck_assert_ptr_null(vd_message_write_error("No.", NULL, NULL));
    vd_streaming_settings settings = {.address = "127.0.0.1"};
    vd_access *access_rules = NULL;
    shortage_begin(&short_memory, 1, false);
    ck_assert_int_eq(vd_access_new(&settings, &access_rules, &error), VD_ENOMEM);
    ck_assert_ptr_null(access_rules);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("serve_memory");
    TCase *tests = tcase_create("memory");
    tcase_set_timeout(tests, 30);
    tcase_add_test(tests, test_one_fails);
    tcase_add_test(tests, test_all_fail);
    tcase_add_test(tests, test_opening);
    tcase_add_test(tests, test_messages);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(make_suite)
