/* All sessions together: ids, owners, limits, turns, time-outs, sums; and a long walk by chance. */
#include "session_case.h"

#include "check_main.h"
#include "seeded.h"
#include "session_walk.h"

static vd_sessions *sessions;
static vd_result_pool *pool;
static vd_error error;

static void setup(void)
{
    vd_sessions_options options = {.max_sessions = 8, .max_per_peer = 4};
    ck_assert_int_eq(vd_result_pool_new(0, &pool), VD_OK);
    ck_assert_int_eq(vd_sessions_new(&options, &sessions), VD_OK);
}

static void teardown(void)
{
    vd_sessions_free(&sessions);
    vd_sessions_free(&sessions);
    vd_result_pool_free(&pool);
}

static vd_session *open_for(const char *peer, int owner)
{
    vd_session_options options = case_options(10, 50);
    vd_session *session = NULL;
    options.owner = owner;
    snprintf(options.peer, sizeof options.peer, "%s", peer);
    return vd_sessions_open(sessions, &options, &session, &error) == VD_OK ? session : NULL;
}

START_TEST(test_ids)
{
    char seen[8][VD_SESSION_ID];
    for (int i = 0; i < 8; i++) {
        vd_session *session = open_for(i < 4 ? "10.0.0.1" : "10.0.0.2", i % 2);
        const char *id = vd_session_id(session);
        ck_assert_uint_eq(strlen(id), 32);
        ck_assert_uint_eq(strspn(id, "0123456789abcdef"), 32);
        for (int k = 0; k < i; k++)
            ck_assert_str_ne(seen[k], id);
        strcpy(seen[i], id);
        ck_assert_ptr_eq(vd_sessions_find(sessions, id, i % 2), session);
        ck_assert_ptr_null(vd_sessions_find(sessions, id, 1 - i % 2)); /* another's */
        ck_assert_ptr_null(vd_sessions_find(sessions, id, -1));
    }
    for (int k = 0; k < 32; k++) { /* altered */
        char id[VD_SESSION_ID + 1];
        snprintf(id, sizeof id, "%s", seen[3]);
        id[k] = id[k] == '0' ? '1' : '0';
        ck_assert_ptr_null(vd_sessions_find(sessions, id, 1));
    }
    static const char *const strange[] = {"", "0", "00000000000000000000000000000000"};
    for (int i = 0; i < 3; i++)
        ck_assert_ptr_null(vd_sessions_find(sessions, strange[i], 1));
    char longer[64];
    snprintf(longer, sizeof longer, "%s0", seen[3]);
    ck_assert_ptr_null(vd_sessions_find(sessions, longer, 1));
    longer[31] = '\0';
    ck_assert_ptr_null(vd_sessions_find(sessions, longer, 1));
    ck_assert_ptr_null(vd_sessions_find(sessions, NULL, 1));
    vd_sessions_close(sessions, vd_sessions_find(sessions, seen[3], 1), "Deleted.", VD_NS_PER_S);
    ck_assert_ptr_null(vd_sessions_find(sessions, seen[3], 1));
    ck_assert_uint_eq(vd_sessions_count(sessions), 7);
}
END_TEST

START_TEST(test_limits)
{
    for (int i = 0; i < 4; i++)
        ck_assert_ptr_nonnull(open_for("10.0.0.1", -1));
    ck_assert_ptr_null(open_for("10.0.0.1", -1));
    ck_assert_int_eq(error.code, VD_EAGAIN);
    ck_assert_ptr_nonnull(strstr(error.text, "You have 4 sessions"));
    for (int i = 0; i < 4; i++)
        ck_assert_ptr_nonnull(open_for("10.0.0.2", -1));
    ck_assert_ptr_null(open_for("10.0.0.3", -1));
    ck_assert_int_eq(error.code, VD_EAGAIN);
    ck_assert_ptr_nonnull(strstr(error.text, "There are 8 sessions"));
    vd_sessions_close(sessions, vd_sessions_at(sessions, 0), "Deleted.", VD_NS_PER_S);
    ck_assert_ptr_nonnull(open_for("10.0.0.1", -1));
}
END_TEST

START_TEST(test_time_out)
{
    case_box box = {0};
    vd_session *alone = open_for("10.0.0.1", -1), *listened = open_for("10.0.0.1", -1);
    vd_session *kept = vd_session_ref(alone);
    case_listen(listened, &box, VD_NS_PER_S);
    ck_assert_int_eq(vd_sessions_expire(sessions, 301 * VD_NS_PER_S), 0);
    ck_assert_int_eq(vd_sessions_expire(sessions, 302 * VD_NS_PER_S), 1);
    ck_assert(vd_session_ended(kept));
    ck_assert_uint_eq(vd_sessions_count(sessions), 1);
    ck_assert_ptr_eq(vd_sessions_at(sessions, 0), listened);
    vd_session_offer(kept, case_job(1), 303 * VD_NS_PER_S);
    case_listen(kept, &box, 303 * VD_NS_PER_S);
    ck_assert_str_eq(json_string_value(json_object_get(box.answers[0], "error")), "The session timed out.");
    vd_session_unref(&kept);
    case_clear(&box);
}
END_TEST

/* Frames that wait too long are answered though nobody may start any. */
START_TEST(test_late_without_room)
{
    case_box box = {0};
    vd_session *session = open_for("10.0.0.1", -1);
    case_listen(session, &box, VD_NS_PER_S);
    vd_session_offer(session, case_job(0), VD_NS_PER_S);
    vd_sessions_expire(sessions, 3 * VD_NS_PER_S);
    ck_assert_int_eq(box.count, 0);
    vd_sessions_expire(sessions, 3 * VD_NS_PER_S + 1);
    ck_assert_str_eq(case_reason(&box, 0), "deadline");
    case_clear(&box);
}
END_TEST

/* One worker, eight sessions that all have something waiting: each gets its turn. */
START_TEST(test_turns)
{
    int served[8] = {0};
    vd_session *all[8];
    int64_t now_ns = VD_NS_PER_S;
    for (int i = 0; i < 8; i++)
        all[i] = open_for(i < 4 ? "10.0.0.1" : "10.0.0.2", -1);
    for (int round = 0; round < 80; round++) {
        now_ns += 110 * VD_NS_PER_MS;
        for (int i = 0; i < 8; i++)
            vd_session_offer(all[i], case_job(round), now_ns);
        int64_t next_ns = INT64_MAX;
        vd_job *job = vd_sessions_start(sessions, 0, now_ns, &next_ns);
        ck_assert_ptr_nonnull(job);
        for (int i = 0; i < 8; i++)
            served[i] += job->session == all[i];
        case_detect(job, pool, NULL, 0, now_ns);
        vd_session_finish(job->session, job, now_ns);
    }
    for (int i = 0; i < 8; i++)
        ck_assert_int_eq(served[i], 10);
}
END_TEST

START_TEST(test_next)
{
    vd_session *first = open_for("10.0.0.1", -1), *second = open_for("10.0.0.1", -1);
    vd_session *const both[] = {first, second};
    int64_t next_ns = INT64_MAX;
    for (int i = 0; i < 2; i++) { /* the second session's frames come 30 ms later */
        int64_t now_ns = VD_NS_PER_S + i * 30 * VD_NS_PER_MS;
        vd_session_offer(both[i], case_job(0), now_ns);
        vd_job *job = vd_session_start(both[i], 0, now_ns, &next_ns);
        case_detect(job, pool, NULL, 0, now_ns);
        vd_session_finish(both[i], job, now_ns);
        vd_session_offer(both[i], case_job(1), now_ns);
    }
    next_ns = INT64_MAX;
    ck_assert_ptr_null(vd_sessions_start(sessions, 0, VD_NS_PER_S + 31 * VD_NS_PER_MS, &next_ns));
    ck_assert_int_ge(next_ns, VD_NS_PER_S + 100 * VD_NS_PER_MS);
    ck_assert_int_lt(next_ns, VD_NS_PER_S + 120 * VD_NS_PER_MS);
}
END_TEST

/* What a session did stays counted when it is gone, and nothing twice when a frame comes back after that. */
START_TEST(test_sums)
{
    vd_session *session = open_for("10.0.0.1", -1);
    int64_t next_ns = INT64_MAX, before_ns = VD_NS_PER_S - 200 * VD_NS_PER_MS;
    vd_session_offer(session, case_job(0), before_ns);
    vd_job *job = vd_sessions_start(sessions, 0, before_ns, &next_ns);
    case_detect(job, pool, NULL, 0, before_ns);
    vd_session_finish(session, job, before_ns + 20 * VD_NS_PER_MS);
    for (int i = 1; i < 6; i++)
        vd_session_offer(session, case_job(i), VD_NS_PER_S);
    job = vd_sessions_start(sessions, 0, VD_NS_PER_S, &next_ns);
    vd_sessions_close(sessions, session, "Deleted.", VD_NS_PER_S);
    vd_sessions_close(sessions, session, "Twice.", VD_NS_PER_S);
    vd_session_stats total = vd_sessions_total(sessions, VD_NS_PER_S);
    ck_assert_uint_eq(total.frames, 6);
    ck_assert_int_eq(total.under_way, 0); /* it is answered */
    ck_assert_uint_eq(total.skipped[VD_SKIP_FPS_LIMIT], 3);
    ck_assert_uint_eq(total.failed, 2);
    ck_assert_uint_eq(total.results, 1);
    ck_assert(case_ledger_holds(&total));
    case_detect(job, pool, NULL, 0, VD_NS_PER_S);
    vd_session_finish(job->session, job, VD_NS_PER_S + 20 * VD_NS_PER_MS);
    vd_sessions_expire(sessions, 2 * VD_NS_PER_S);
    total = vd_sessions_total(sessions, 2 * VD_NS_PER_S);
    ck_assert_uint_eq(total.frames, 6);
    ck_assert_uint_eq(total.results, 1);
    ck_assert_uint_eq(total.failed, 2);
    ck_assert(case_ledger_holds(&total));
    ck_assert_int_eq(total.answers_waiting, 0);
    ck_assert_double_eq_tol(total.p50_ms, 20, 2);
}
END_TEST

/* The service stops while frames are under way: they are answered, and come back to sessions that are in no
 * list any more. */
START_TEST(test_stop_under_way)
{
    case_box box = {0};
    vd_session *session = open_for("10.0.0.1", -1);
    int64_t next_ns = INT64_MAX;
    case_listen(session, &box, VD_NS_PER_S);
    vd_session_offer(session, case_job(0), VD_NS_PER_S);
    vd_session_offer(session, case_job(1), VD_NS_PER_S);
    vd_job *job = vd_sessions_start(sessions, 0, VD_NS_PER_S, &next_ns);
    vd_sessions_close_all(sessions, "The service stops.", VD_NS_PER_S);
    ck_assert_uint_eq(vd_sessions_count(sessions), 0);
    vd_sessions_free(&sessions);
    ck_assert_ptr_null(sessions);
    ck_assert_int_eq(box.count, 2);
    for (int i = 0; i < 2; i++) {
        ck_assert_str_eq(json_string_value(json_object_get(box.answers[i], "error")), "The service stops.");
        ck_assert_int_eq(case_frame(&box, i), i);
    }
    case_detect(job, pool, NULL, 0, VD_NS_PER_S);
    vd_session_finish(job->session, job, 2 * VD_NS_PER_S);
    ck_assert_int_eq(box.count, 2);
    case_clear(&box);
}
END_TEST

/* --- The walk */

static uint32_t by_chance(void *context, uint32_t below)
{
    return seeded_below(context, below);
}

START_TEST(test_walk)
{
    uint64_t state = 1000 + (uint64_t)_i;
    session_walk_source source = {by_chance, &state};
    session_walk_figures figures;
    session_walk(&source, 20000, &figures);
    /* The walk went where it should: everything happened often. */
    ck_assert_uint_ge(figures.sessions, 50);
    ck_assert_uint_ge(figures.frames, 1000);
    ck_assert_uint_ge(figures.delivered, 300);
    ck_assert_uint_ge(figures.dropped, 50);
    ck_assert_uint_ge(figures.results, 50);
    ck_assert_uint_ge(figures.failed, 50);
    for (int i = 0; i < 4; i++)
        ck_assert_msg(figures.skipped[i] >= 10, "only %d skipped for reason %d", (int)figures.skipped[i], i);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("serve_sessions");
    TCase *tests = tcase_create("sessions"), *walks = tcase_create("walk");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_ids);
    tcase_add_test(tests, test_limits);
    tcase_add_test(tests, test_time_out);
    tcase_add_test(tests, test_late_without_room);
    tcase_add_test(tests, test_turns);
    tcase_add_test(tests, test_next);
    tcase_add_test(tests, test_sums);
    tcase_add_test(tests, test_stop_under_way);
    suite_add_tcase(suite, tests);
    tcase_set_timeout(walks, 60);
    tcase_add_loop_test(walks, test_walk, 0, 20);
    suite_add_tcase(suite, walks);
    return suite;
}

TEST_MAIN(make_suite)
