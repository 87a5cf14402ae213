/* Sessions whose frames wait for a worker: the newest is served, at the agreed rate and no faster, and the
 * answers keep coming. On a clock of milliseconds. */
#include "session_case.h"

#include <math.h>

#include "check_main.h"

#define MS VD_NS_PER_MS

enum { STALE_MS = 150, TICK_MS = 250, MOST_STARTS = 1024, SECONDS = 30 };

static vd_sessions *sessions;
static vd_session *session; /* borrowed */
static vd_result_pool *pool;
static case_box box;

static void setup(void)
{
    vd_sessions_options options = {.max_sessions = 1, .max_per_peer = 1};
    ck_assert_int_eq(vd_result_pool_new(0, &pool), VD_OK);
    ck_assert_int_eq(vd_sessions_new(&options, &sessions), VD_OK);
}

static void teardown(void)
{
    vd_sessions_free(&sessions);
    vd_result_pool_free(&pool);
    case_clear(&box);
}

static int64_t at(int64_t ms)
{
    return VD_NS_PER_S + ms * MS;
}

static void open_session(int fps_limit)
{
    vd_session_options options = case_options(fps_limit, 50);
    vd_error error;
    options.deadline_s = 1;
    options.stale_s = STALE_MS / 1000.0;
    ck_assert_int_eq(vd_sessions_open(sessions, &options, &session, &error), VD_OK);
    case_listen(session, &box, VD_NS_PER_S);
}

static void offer(int frame, int64_t ms)
{
    vd_session_offer(session, case_job(frame), at(ms));
}

static vd_job *start(int level, int64_t ms)
{
    int64_t next_ns = INT64_MAX;
    vd_job *job = vd_sessions_start(sessions, level, at(ms), &next_ns);
    ck_assert(job || next_ns > at(ms));
    return job;
}

static void finish(vd_job *job, int64_t ms)
{
    case_detect(job, pool, NULL, 0, at(ms));
    vd_session_finish(job->session, job, at(ms));
}

static void check_started(vd_job *job, const char *frame, int64_t ms)
{
    ck_assert_ptr_nonnull(job);
    ck_assert_str_eq(job->frame_id, frame);
    finish(job, ms);
    vd_session_stats stats = vd_session_get_stats(session, at(ms));
    ck_assert(case_ledger_holds(&stats));
}

/* --- A frame that came too soon for a slot of its own is newer all the same */

START_TEST(test_newer_came_too_soon)
{
    open_session(5);
    offer(0, 0);
    offer(1, 90); /* its slot were at 200 */
    check_started(start(0, 160), "1", 160);
    ck_assert_int_eq(case_frame(&box, 0), 0);
    ck_assert_str_eq(case_reason(&box, 0), "deadline");
    ck_assert_int_eq(box.count, 2);
    offer(2, 210); /* 1 had the slot of 0; this one has the next, … */
    check_started(start(0, 210), "2", 210);
    offer(3, 290); /* … and there is no third */
    ck_assert_ptr_null(start(0, 290));
}
END_TEST

START_TEST(test_newer_came_late)
{
    open_session(1);
    offer(0, 0);
    offer(1, 400);
    check_started(start(0, 500), "1", 500);
    ck_assert_str_eq(case_reason(&box, 0), "deadline");
    offer(2, 600);
    check_started(start(0, 600), "2", 600);
    offer(3, 1400);
    ck_assert_ptr_null(start(0, 1400));
}
END_TEST

/* Slots of two seconds: one that is taken near its end has the next not right behind it. */
START_TEST(test_long_slots)
{
    open_session(2);
    ck_assert_ptr_null(start(2, 0)); /* the level is known */
    offer(0, 0);
    offer(1, 900);
    offer(2, 1300);
    ck_assert_int_eq(box.count, 1);
    check_started(start(2, 1310), "2", 1310); /* its slot is that of 300 */
    offer(3, 2040);
    ck_assert_ptr_null(start(2, 2040));
    offer(4, 2050);
    check_started(start(2, 2050), "4", 2050);
}
END_TEST

/* It has waited for a worker since it came: 0.15 s for the next newer one, a second where there is none. */
START_TEST(test_its_own_wait)
{
    open_session(1);
    offer(0, 0);
    offer(1, 90);
    vd_sessions_expire(sessions, at(151));
    ck_assert_int_eq(box.count, 1);
    offer(2, 200);
    vd_sessions_expire(sessions, at(240));
    ck_assert_int_eq(box.count, 1);
    vd_sessions_expire(sessions, at(241));
    ck_assert_int_eq(box.count, 2);
    vd_sessions_expire(sessions, at(1200));
    ck_assert_int_eq(box.count, 2);
    vd_sessions_expire(sessions, at(1201));
    ck_assert_int_eq(box.count, 3);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(case_frame(&box, i), i);
        ck_assert_str_eq(case_reason(&box, i), "deadline");
    }
    offer(3, 1202);
    check_started(start(0, 1204), "3", 1204);
}
END_TEST

/* A rate that rises makes due what came too soon, from then on. */
START_TEST(test_raised_rate)
{
    open_session(1);
    offer(0, 0);
    check_started(start(VD_QUALITY_LEVELS - 1, 0), "0", 0);
    offer(1, 400);
    ck_assert_ptr_null(start(VD_QUALITY_LEVELS - 1, 3000));
    check_started(start(0, 3200), "1", 3200);
}
END_TEST

/* --- Rates */

typedef struct service {
    int fps, level;
    double sent_fps;
    int64_t work_ms; /* until the worker is free again, … */
    bool shared;     /* … of others as well: it has a moment for us every work_ms */
    int64_t starts_ms[MOST_STARTS];
    int start_count, sent;
} service;

static void begin(service *s, const vd_job *job, int64_t ms)
{
    ck_assert_int_lt(s->start_count, MOST_STARTS);
    s->starts_ms[s->start_count++] = ms;
    bool is_newest = atoi(job->frame_id) == s->sent - 1;
    int64_t waited_ms = (at(ms) - job->due_ns) / MS;
    ck_assert_msg(waited_ms <= (is_newest ? 1000 : STALE_MS), "%d fps: frame %s of %d waited %d ms", s->fps,
                  job->frame_id, s->sent, (int)waited_ms);
}

/* As turns.c does: frames are asked for while there is room; else time alone passes. */
static void play(service *s)
{
    vd_job *under_way = NULL;
    int64_t free_ms = 0;
    for (int64_t ms = 0; ms < (SECONDS + 7) * 1000; ms++) {
        if (under_way && ms >= free_ms)
            finish(under_way, ms);
        under_way = ms >= free_ms ? NULL : under_way;
        if (ms < SECONDS * 1000 && ms >= (int64_t)(s->sent * 1000 / s->sent_fps))
            offer(s->sent++, ms);
        bool has_room = !under_way && (!s->shared || ms % s->work_ms == s->work_ms / 2);
        if (has_room && (under_way = start(s->level, ms)) != NULL) {
            begin(s, under_way, ms);
            free_ms = ms + (s->shared ? 1 : s->work_ms);
        }
        if (ms % TICK_MS == 0)
            vd_sessions_expire(sessions, at(ms));
    }
    ck_assert_ptr_null(under_way);
    ck_assert_int_eq(box.count, s->sent);
}

/* The most that started within any ten seconds. */
static int most_in_ten(const service *s)
{
    int most = 0;
    for (int i = 0, k = 0; i < s->start_count; i++) {
        while (s->starts_ms[i] - s->starts_ms[k] >= 10000)
            k++;
        most = i - k + 1 > most ? i - k + 1 : most;
    }
    return most;
}

static const int rates[] = {1, 5, 10, 30};
static const int levels[] = {0, 1, 2}; /* all, half, a quarter of the rate */
static const int works_ms[] = {5, 160, 300, 700, 1500};
static const double haste[] = {1, 1.3, 3, 60}; /* how much faster frames come than agreed; the last: 60 fps */

/* Every frame was answered, the results are as many as the rate and the worker allow, and never more. */
START_TEST(test_rates)
{
    int fps = rates[_i / 3], level = levels[_i % 3];
    double rate = fps * vd_quality_step_of(VD_QUALITY_ACCURATE, level).rate;
    for (int i = 0; i < 40; i++) {
        service s = {.fps = fps, .level = level, .work_ms = works_ms[i / 4 % 5], .shared = i >= 20};
        s.sent_fps = i % 4 < 3 ? fps * haste[i % 4] : 60;
        open_session(fps);
        play(&s);
        double possible = SECONDS * fmin(rate, 1000.0 / (double)s.work_ms);
        ck_assert_msg(s.start_count >= 0.95 * possible, "%d fps, level %d, %d ms, sent %.1f: %d of %.1f", fps,
                      level, (int)s.work_ms, s.sent_fps, s.start_count, possible);
        ck_assert_msg(most_in_ten(&s) <= 10 * rate + 1,
                      "%d fps, level %d, %d ms, sent %.1f: %d in ten seconds", fps, level, (int)s.work_ms,
                      s.sent_fps, most_in_ten(&s));
        case_clear(&box);
        vd_sessions_close(sessions, session, "Over.", at(100000));
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("serve_slow");
    TCase *tests = tcase_create("slow");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_newer_came_too_soon);
    tcase_add_test(tests, test_newer_came_late);
    tcase_add_test(tests, test_long_slots);
    tcase_add_test(tests, test_its_own_wait);
    tcase_add_test(tests, test_raised_rate);
    tcase_add_loop_test(tests, test_rates, 0, 12);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(make_suite)
