/* A session's frames: admitted evenly, queued, given up, answered once and in order; its listeners; its end.
 */
#include "session_case.h"

#include "check_main.h"
#include "seeded.h"

#define MS VD_NS_PER_MS

static vd_session *session;
static vd_result_pool *pool;
static case_box box;

static void setup(void)
{
    ck_assert_int_eq(vd_result_pool_new(0, &pool), VD_OK);
}

static void teardown(void)
{
    vd_session_unref(&session);
    vd_session_unref(&session);
    vd_result_pool_free(&pool);
    case_clear(&box);
}

static void open_session(int fps_limit, int queue_size)
{
    vd_session_options options = case_options(fps_limit, queue_size);
    ck_assert_int_eq(vd_session_new(&options, &session), VD_OK);
    case_listen(session, &box, options.now_ns);
}

static void offer(int frame, int64_t now_ns)
{
    vd_session_offer(session, case_job(frame), now_ns);
}

static vd_job *start(int level, int64_t now_ns)
{
    int64_t next_ns = INT64_MAX;
    return vd_session_start(session, level, now_ns, &next_ns);
}

static void finish(vd_job *job, int64_t now_ns)
{
    ck_assert_ptr_eq(job->session, session);
    case_detect(job, pool, NULL, 0, now_ns);
    vd_session_finish(session, job, now_ns);
}

static void check_ledger(int64_t now_ns)
{
    vd_session_stats stats = vd_session_get_stats(session, now_ns);
    ck_assert(case_ledger_holds(&stats));
}

/* --- Even admission: a client, a session and a worker that takes its time, on a clock of milliseconds */

typedef struct client {
    int frames;
    double interval_ms, jitter_ms; /* each frame up to so much earlier or later */
    bool waits;                    /* sends once the last answer came, `interval_ms` after it */
    int level;
    int64_t work_ms;
    int64_t longest_ms; /* from arrival to start; but of the last frame, after which nothing came */
    double least_fps, most_fps;
} client;

static void note_start(client *c, const vd_job *job, int64_t now_ns)
{
    int64_t waited_ms = (now_ns - job->received_ns) / MS;
    if (atoi(job->frame_id) < c->frames - 1 && waited_ms > c->longest_ms)
        c->longest_ms = waited_ms;
    c->least_fps = c->least_fps > 0 && c->least_fps < job->fps ? c->least_fps : job->fps;
    c->most_fps = c->most_fps > job->fps ? c->most_fps : job->fps;
}

static void play(client *c, int64_t ms)
{
    uint64_t state = 42;
    vd_job *under_way = NULL;
    int64_t done_ms = 0, next_ms = 10, sent_base_ms = 10;
    int sent = 0, answered = 0;
    for (int64_t at = 1; at <= ms; at++) {
        int64_t now_ns = VD_NS_PER_S + at * MS;
        if (under_way && at >= done_ms) {
            finish(under_way, now_ns);
            under_way = NULL;
        }
        if (c->waits && box.count > answered && sent < c->frames) {
            answered = box.count;
            next_ms = at + (int64_t)c->interval_ms;
        }
        if (sent < c->frames && at >= next_ms) {
            offer(sent++, now_ns);
            double jitter = c->jitter_ms * ((double)seeded_below(&state, 2001) / 1000 - 1);
            next_ms = c->waits ? INT64_MAX : sent_base_ms + (int64_t)(sent * c->interval_ms + jitter);
        }
        if (!under_way && (under_way = start(c->level, now_ns)) != NULL) {
            note_start(c, under_way, now_ns);
            done_ms = at + c->work_ms;
        }
        check_ledger(now_ns);
    }
    ck_assert_ptr_null(under_way);
    ck_assert_int_eq(sent, c->frames);
    ck_assert_int_eq(box.count, c->frames);
}

/* Whoever sends as fast as agreed gets every frame answered with a result, at once, though its timer and the
 * network are not exact. */
START_TEST(test_exact_rate)
{
    int fps = _i + 1;
    for (int jitter = 0; jitter <= 3; jitter++) {
        client c = {.frames = 20 * fps, .interval_ms = 1000.0 / fps, .work_ms = 2};
        c.jitter_ms = c.interval_ms * jitter * 0.1;
        open_session(fps, 50);
        play(&c, 22000);
        ck_assert_msg(case_count(&box, "detection_result", NULL) == c.frames,
                      "%d fps, jitter %d0 %%: %d of %d", fps, jitter,
                      case_count(&box, "detection_result", NULL), c.frames);
        ck_assert_int_le(c.longest_ms, jitter < 3 ? 3 : (int64_t)(c.interval_ms / 2) + 3);
        for (int i = 0; i < box.count; i++)
            ck_assert_int_eq(case_frame(&box, i), i);
        case_clear(&box);
        vd_session_unref(&session);
    }
}
END_TEST

/* Whoever sends faster gets as many results as agreed, of its newest frames; the last one too. */
START_TEST(test_too_fast)
{
    static const double rates[] = {10.5, 12, 15, 20, 25, 30, 33, 60, 120, 500};
    double rate = rates[_i];
    client c = {
        .frames = (int)(20 * rate), .interval_ms = 1000 / rate, .jitter_ms = 100 / rate, .work_ms = 5};
    if (c.interval_ms < 5)
        c.frames = CASE_ANSWERS - 96;
    open_session(10, 50);
    double seconds = c.frames / rate;
    play(&c, (int64_t)(seconds * 1000) + 1000);
    int results = case_count(&box, "detection_result", NULL);
    ck_assert_msg(results >= 9.4 * seconds && results <= 10 * seconds + 2, "%d results in %.1f s", results,
                  seconds);
    ck_assert_int_eq(case_count(&box, "skipped", "fps_limit"), c.frames - results);
    ck_assert_str_eq(case_type(&box, box.count - 1), "detection_result");
    ck_assert_int_eq(case_frame(&box, box.count - 1), c.frames - 1);
    ck_assert_int_le(c.longest_ms, 115);
}
END_TEST

/* One frame after the other, sent when the answer is there: the agreed rate as well. */
START_TEST(test_one_by_one)
{
    client c = {.frames = 100, .interval_ms = 1 + 20 * _i, .waits = true, .work_ms = 10};
    open_session(10, 50);
    play(&c, 11000);
    ck_assert_int_eq(case_count(&box, "detection_result", NULL), 100);
}
END_TEST

/* Frames at once: one has the slot, the newest waits for the next. */
START_TEST(test_burst)
{
    open_session(10, 50);
    for (int i = 0; i < 10; i++)
        offer(i, 2 * VD_NS_PER_S);
    ck_assert_int_eq(case_count(&box, "skipped", "fps_limit"), 8);
    vd_job *job = start(0, 2 * VD_NS_PER_S);
    ck_assert_str_eq(job->frame_id, "0");
    finish(job, 2 * VD_NS_PER_S);
    int64_t next_ns = INT64_MAX;
    ck_assert_ptr_null(vd_session_start(session, 0, 2 * VD_NS_PER_S + 90 * MS, &next_ns));
    ck_assert_int_gt(next_ns, 2 * VD_NS_PER_S + 100 * MS);
    ck_assert_int_lt(next_ns, 2 * VD_NS_PER_S + 120 * MS);
    ck_assert_ptr_null(start(0, next_ns - 1));
    job = start(0, next_ns);
    ck_assert_str_eq(job->frame_id, "9");
    finish(job, next_ns);
}
END_TEST

/* The level lowers the rate: what gives way is superseded, and the results say so. */
START_TEST(test_lowered)
{
    static const struct {
        int level;
        double share;
    } cases[] = {{2, 0.5}, {4, 0.25}};
    double share = vd_quality_step_of(VD_QUALITY_ACCURATE, cases[_i].level).rate;
    ck_assert_double_le(share, 0.5);
    client c = {.frames = 200, .interval_ms = 100, .jitter_ms = 15, .level = cases[_i].level, .work_ms = 5};
    open_session(10, 50);
    play(&c, 21000);
    int results = case_count(&box, "detection_result", NULL);
    ck_assert_msg(results >= 195 * share && results <= 200 * share + 2, "%d results", results);
    ck_assert_int_eq(case_count(&box, "skipped", "superseded"), 200 - results);
    ck_assert_double_eq(c.least_fps, 10 * share);
    ck_assert_double_eq(c.most_fps, 10 * share);
    ck_assert_int_le(c.longest_ms, 15); /* fresh frames */
    json_t *quality = NULL;
    for (int i = 0; i < box.count && !quality; i++)
        quality = json_object_get(json_object_get(box.answers[i], "data"), "quality");
    ck_assert_int_eq(json_integer_value(json_object_get(quality, "level")), cases[_i].level);
    ck_assert_str_eq(json_string_value(json_object_get(quality, "mode")), "accurate");
    ck_assert_double_eq(json_number_value(json_object_get(quality, "fps")), 10 * share);
}
END_TEST

/* A client that sends faster than agreed hears of its own limit, not of ours. */
START_TEST(test_lowered_and_too_fast)
{
    client c = {.frames = 600, .interval_ms = 100.0 / 3, .level = VD_QUALITY_LEVELS - 1, .work_ms = 5};
    open_session(10, 50);
    play(&c, 21000);
    int limited = case_count(&box, "skipped", "fps_limit"),
        superseded = case_count(&box, "skipped", "superseded");
    ck_assert_msg(limited >= 390 && limited <= 410, "%d", limited);
    ck_assert_msg(superseded >= 140 && superseded <= 160, "%d", superseded);
    ck_assert_int_eq(limited + superseded + case_count(&box, "detection_result", NULL), 600);
}
END_TEST

/* --- Waiting for a worker */

START_TEST(test_queue_full)
{
    open_session(10, 3);
    for (int i = 0; i < 10; i++)
        offer(i, VD_NS_PER_S + i * 100 * MS);
    ck_assert_int_eq(box.count, 7);
    for (int i = 0; i < 7; i++) {
        ck_assert_str_eq(case_reason(&box, i), "queue_full");
        ck_assert_int_eq(case_frame(&box, i), i);
    }
    vd_session_stats stats = vd_session_get_stats(session, 2 * VD_NS_PER_S);
    ck_assert_int_eq(stats.waiting, 3);
    ck_assert_uint_eq(stats.skipped[VD_SKIP_QUEUE_FULL], 7);
    check_ledger(2 * VD_NS_PER_S);
}
END_TEST

START_TEST(test_deadline)
{
    open_session(10, 50); /* 2 s */
    for (int i = 0; i < 10; i++)
        offer(i, VD_NS_PER_S + i * 100 * MS);
    int64_t next_ns = INT64_MAX;
    vd_job *first = vd_session_start(session, 0, 2 * VD_NS_PER_S, &next_ns);
    ck_assert_int_eq(next_ns, VD_NS_PER_S + 2100 * MS + 1); /* frame 1 is late then */
    vd_job *second = start(0, 3 * VD_NS_PER_S + 350 * MS);
    ck_assert_str_eq(first->frame_id, "0");
    ck_assert_str_eq(second->frame_id, "4");
    ck_assert_int_eq(case_count(&box, "skipped", "deadline"), 3);
    ck_assert_ptr_null(start(0, 9 * VD_NS_PER_S));
    ck_assert_int_eq(case_count(&box, "skipped", "deadline"), 8);
    finish(first, 9 * VD_NS_PER_S);
    finish(second, 9 * VD_NS_PER_S);
    ck_assert_int_eq(case_count(&box, "detection_result", NULL), 2);
}
END_TEST

/* One behind which a newer frame waits gives way sooner; the newest has its whole time. */
START_TEST(test_stale)
{
    vd_session_options options = case_options(10, 50);
    options.stale_s = 0.25;
    ck_assert_int_eq(vd_session_new(&options, &session), VD_OK);
    case_listen(session, &box, VD_NS_PER_S);
    for (int i = 0; i < 5; i++)
        offer(i, VD_NS_PER_S + i * 100 * MS); /* the last at 1.4 s */
    int64_t next_ns = INT64_MAX;
    vd_job *first = vd_session_start(session, 0, VD_NS_PER_S + 400 * MS, &next_ns);
    ck_assert_str_eq(first->frame_id, "2"); /* of 1.2 s */
    ck_assert_int_eq(case_count(&box, "skipped", "deadline"), 2);
    ck_assert_int_eq(next_ns, VD_NS_PER_S + 550 * MS + 1);
    vd_job *second = start(0, 3 * VD_NS_PER_S);
    ck_assert_str_eq(second->frame_id, "4");
    ck_assert_int_eq(case_count(&box, "skipped", "deadline"), 3);
    finish(first, 3 * VD_NS_PER_S);
    finish(second, 3 * VD_NS_PER_S);
    offer(5, 4 * VD_NS_PER_S);
    ck_assert_ptr_null(start(0, 6 * VD_NS_PER_S + 1)); /* past its own 2 s */
    ck_assert_int_eq(case_count(&box, "skipped", "deadline"), 4);
}
END_TEST

/* A frame that waits for its slot waits for no worker. */
START_TEST(test_slow_rate_is_no_deadline)
{
    vd_session_options options = case_options(1, 5);
    options.deadline_s = 0.5;
    ck_assert_int_eq(vd_session_new(&options, &session), VD_OK);
    case_listen(session, &box, VD_NS_PER_S);
    offer(0, 2 * VD_NS_PER_S);
    finish(start(VD_QUALITY_LEVELS - 1, 2 * VD_NS_PER_S), 2 * VD_NS_PER_S);
    offer(1, 2 * VD_NS_PER_S + 100 * MS); /* due 4 s later */
    int64_t next_ns = INT64_MAX;
    ck_assert_ptr_null(vd_session_start(session, VD_QUALITY_LEVELS - 1, 5 * VD_NS_PER_S, &next_ns));
    ck_assert_int_gt(next_ns, 6 * VD_NS_PER_S);
    vd_job *job = start(VD_QUALITY_LEVELS - 1, next_ns);
    ck_assert_str_eq(job->frame_id, "1");
    finish(job, next_ns);
}
END_TEST

/* Frames that waited longer than the level's rate is worth give way to the newest. */
START_TEST(test_lowered_queue)
{
    open_session(10, 50);
    for (int i = 0; i < 10; i++)
        offer(i, VD_NS_PER_S + i * 100 * MS);
    vd_job *job = start(VD_QUALITY_LEVELS - 1, 2 * VD_NS_PER_S);
    ck_assert_str_eq(job->frame_id, "9");
    ck_assert_int_eq(case_count(&box, "skipped", "superseded"), 9);
    finish(job, 2 * VD_NS_PER_S);
}
END_TEST

/* Results come back in any order, and go out as they were started. */
START_TEST(test_order)
{
    open_session(30, 50);
    for (int i = 0; i < 3; i++)
        offer(i, VD_NS_PER_S + i * 34 * MS);
    vd_job *first = start(0, 2 * VD_NS_PER_S), *second = start(0, 2 * VD_NS_PER_S);
    ck_assert(first && second);
    ck_assert_ptr_null(start(0, 2 * VD_NS_PER_S)); /* two under way are enough */
    finish(second, 2 * VD_NS_PER_S);
    ck_assert_int_eq(box.count, 0);
    ck_assert_ptr_null(start(0, 2 * VD_NS_PER_S));
    check_ledger(2 * VD_NS_PER_S);
    vd_error_set(&first->error, VD_EFORMAT, NULL, "It is no picture.");
    first->code = VD_EFORMAT;
    vd_session_finish(session, first, 2 * VD_NS_PER_S);
    ck_assert_int_eq(box.count, 2);
    ck_assert_int_eq(case_frame(&box, 0), 0);
    ck_assert_str_eq(case_type(&box, 0), "error");
    ck_assert_str_eq(json_string_value(json_object_get(box.answers[0], "error")), "It is no picture.");
    ck_assert_int_eq(case_frame(&box, 1), 1);
    finish(start(0, 2 * VD_NS_PER_S), 2 * VD_NS_PER_S);
    ck_assert_int_eq(case_frame(&box, 2), 2);
    vd_session_stats stats = vd_session_get_stats(session, 2 * VD_NS_PER_S);
    ck_assert_uint_eq(stats.results, 2);
    ck_assert_uint_eq(stats.failed, 1);
}
END_TEST

START_TEST(test_times)
{
    open_session(30, 50);
    offer(0, 2 * VD_NS_PER_S);
    vd_job *job = start(0, 2 * VD_NS_PER_S + 5 * MS);
    job->decode_ns = 3 * MS;
    job->detect_ns = 20 * MS;
    case_detect(job, pool, NULL, 0, 2 * VD_NS_PER_S + 30 * MS);
    vd_session_finish(session, job, 2 * VD_NS_PER_S + 31 * MS);
    json_t *data = json_object_get(box.answers[0], "data"), *timing = json_object_get(data, "timing_ms");
    ck_assert_double_eq(json_number_value(json_object_get(data, "processing_time_ms")), 31);
    ck_assert_double_eq(json_number_value(json_object_get(timing, "queue")), 7);
    ck_assert_double_eq(json_number_value(json_object_get(timing, "decode")), 3);
    ck_assert_double_eq(json_number_value(json_object_get(timing, "forward")), 20);
    vd_session_stats stats = vd_session_get_stats(session, 3 * VD_NS_PER_S);
    ck_assert_double_eq_tol(stats.p50_ms, 31, 3);
    ck_assert_double_eq_tol(stats.p99_ms, 31, 3);
    ck_assert_double_gt(stats.results_per_s, 0);
    ck_assert_double_eq(stats.age_s, 2);
}
END_TEST

/* --- Its end */

START_TEST(test_end)
{
    open_session(30, 50);
    for (int i = 0; i < 5; i++)
        offer(i, VD_NS_PER_S + i * 34 * MS);
    offer(5, VD_NS_PER_S + 4 * 34 * MS); /* too early */
    vd_job *first = start(0, VD_NS_PER_S + 140 * MS), *second = start(0, VD_NS_PER_S + 140 * MS);
    vd_session_end(session, "It was deleted.", 2 * VD_NS_PER_S);
    vd_session_end(session, "Again.", 2 * VD_NS_PER_S);
    ck_assert(vd_session_ended(session));
    ck_assert_int_eq(case_count(&box, "error", NULL), 6); /* those under way as well */
    for (int i = 0; i < 6; i++) {
        ck_assert_str_eq(json_string_value(json_object_get(box.answers[i], "error")), "It was deleted.");
        ck_assert_int_eq(case_frame(&box, i), i);
    }
    check_ledger(2 * VD_NS_PER_S);
    offer(6, 2 * VD_NS_PER_S);
    ck_assert_int_eq(case_count(&box, "error", NULL), 7);
    ck_assert_ptr_null(start(0, 3 * VD_NS_PER_S));
    finish(second, 3 * VD_NS_PER_S);
    finish(first, 3 * VD_NS_PER_S);
    ck_assert_int_eq(box.count, 7); /* none twice */
    ck_assert_int_eq(vd_session_get_stats(session, 3 * VD_NS_PER_S).under_way, 0);
    check_ledger(3 * VD_NS_PER_S);
}
END_TEST

/* One is back already and waits for an earlier one: it has its result. */
START_TEST(test_end_with_a_result)
{
    open_session(30, 50);
    offer(0, VD_NS_PER_S);
    offer(1, VD_NS_PER_S + 34 * MS);
    vd_job *first = start(0, VD_NS_PER_S + 40 * MS), *second = start(0, VD_NS_PER_S + 40 * MS);
    finish(second, 2 * VD_NS_PER_S);
    ck_assert_int_eq(box.count, 0);
    vd_session_end(session, "It was deleted.", 2 * VD_NS_PER_S);
    ck_assert_int_eq(box.count, 2);
    ck_assert_str_eq(case_type(&box, 0), "error");
    ck_assert_int_eq(case_frame(&box, 0), 0);
    ck_assert_str_eq(case_type(&box, 1), "detection_result");
    ck_assert_int_eq(case_frame(&box, 1), 1);
    finish(first, 3 * VD_NS_PER_S);
    ck_assert_int_eq(box.count, 2);
    check_ledger(3 * VD_NS_PER_S);
}
END_TEST

/* What is under way keeps the session, and nothing else does. */
START_TEST(test_last_reference)
{
    open_session(30, 50);
    offer(0, VD_NS_PER_S);
    offer(1, VD_NS_PER_S + 34 * MS);
    vd_job *first = start(0, VD_NS_PER_S + 40 * MS), *second = start(0, VD_NS_PER_S + 40 * MS);
    vd_session *last = session;
    vd_session_unref(&session);
    case_detect(second, pool, NULL, 0, 0);
    vd_session_finish(last, second, 2 * VD_NS_PER_S);
    case_detect(first, pool, NULL, 0, 0);
    vd_session_finish(last, first, 2 * VD_NS_PER_S); /* frees it: LeakSanitizer would tell otherwise */
    ck_assert_int_eq(box.count, 2);
    /* Given up by the work: the job's reference goes with it. */
    open_session(30, 50);
    offer(0, VD_NS_PER_S);
    first = start(0, VD_NS_PER_S);
    vd_job_free(&first);
    ck_assert_ptr_null(first);
}
END_TEST

START_TEST(test_time_out)
{
    open_session(10, 50);
    ck_assert(!vd_session_timed_out(session, 1000 * VD_NS_PER_S)); /* somebody listens */
    vd_session_listen(session, NULL, 1000 * VD_NS_PER_S);
    ck_assert(!vd_session_timed_out(session, 1300 * VD_NS_PER_S));
    ck_assert(vd_session_timed_out(session, 1300 * VD_NS_PER_S + 1));
    vd_session_touch(session, 1300 * VD_NS_PER_S);
    ck_assert(!vd_session_timed_out(session, 1600 * VD_NS_PER_S));
    offer(0, 1600 * VD_NS_PER_S);
    ck_assert(!vd_session_timed_out(session, 1900 * VD_NS_PER_S));
    ck_assert(vd_session_timed_out(session, 1901 * VD_NS_PER_S));
}
END_TEST

/* --- Listeners */

START_TEST(test_answers_wait)
{
    vd_session_options options = case_options(10, 4);
    ck_assert_int_eq(vd_session_new(&options, &session), VD_OK);
    for (int i = 0; i < 20; i++)
        offer(i, VD_NS_PER_S); /* 18 skipped */
    vd_session_stats stats = vd_session_get_stats(session, VD_NS_PER_S);
    ck_assert_int_eq(stats.answers_waiting, 4);
    ck_assert_uint_eq(stats.answers_dropped, 14);
    check_ledger(VD_NS_PER_S);
    case_listen(session, &box, VD_NS_PER_S);
    ck_assert_int_eq(box.count, 4);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(case_frame(&box, i), 15 + i);
    ck_assert_int_eq(vd_session_get_stats(session, VD_NS_PER_S).answers_waiting, 0);
}
END_TEST

START_TEST(test_listener_breaks)
{
    case_box next = {0};
    open_session(10, 50);
    box.broken_after = 3;
    for (int i = 0; i < 10; i++)
        offer(i, VD_NS_PER_S); /* 0 and 9 wait */
    ck_assert_int_eq(box.count, 3);
    ck_assert(!vd_session_listened(session));
    ck_assert_int_eq(vd_session_get_stats(session, VD_NS_PER_S).answers_waiting, 5);
    case_listen(session, &next, VD_NS_PER_S);
    ck_assert_int_eq(box.replaced, 0); /* it was gone */
    ck_assert_int_eq(next.count, 5);
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(case_frame(&next, i), 4 + i); /* none twice, none left out */
    case_clear(&next);
}
END_TEST

START_TEST(test_replaced)
{
    case_box next = {0};
    open_session(10, 50);
    case_listen(session, &next, VD_NS_PER_S);
    ck_assert_int_eq(box.replaced, 1);
    vd_session_listen(session, NULL, VD_NS_PER_S);
    ck_assert_int_eq(next.replaced, 0); /* it went by itself */
    ck_assert(!vd_session_listened(session));
    case_listen(session, &next, VD_NS_PER_S);
    vd_session_listen(session, &(vd_session_listener){0}, VD_NS_PER_S);
    ck_assert(!vd_session_listened(session));
    for (int i = 0; i < 3; i++)
        offer(i, VD_NS_PER_S);
    ck_assert_int_eq(next.count, 0);
}
END_TEST

/* A listener that does something to the session while it is called. */
typedef struct meddler {
    int what, sent;
} meddler;

static bool meddle(void *context, char *text, size_t size)
{
    meddler *m = context;
    (void)size;
    free(text);
    if (m->sent++ > 0)
        return true;
    switch (m->what) {
    case 0:
        vd_session_listen(session, NULL, VD_NS_PER_S);
        break;
    case 1:
        case_listen(session, &box, VD_NS_PER_S);
        break;
    case 2:
        vd_session_end(session, "Over.", VD_NS_PER_S);
        break;
    case 3:
        for (int i = 100; i < 110; i++)
            offer(i, VD_NS_PER_S);
        break;
    default:
        break;
    }
    return true;
}

START_TEST(test_meddling)
{
    static const int sent[] = {1, 1, 20, 28, 18};
    vd_session_options options = case_options(10, 50);
    meddler m = {.what = _i};
    ck_assert_int_eq(vd_session_new(&options, &session), VD_OK);
    for (int i = 0; i < 20; i++)
        offer(i, VD_NS_PER_S); /* 0 and 19 wait, 18 are answered */
    vd_session_listen(session, &(vd_session_listener){meddle, NULL, &m}, VD_NS_PER_S);
    ck_assert_int_eq(m.sent, sent[_i]);
    vd_session_stats stats = vd_session_get_stats(session, VD_NS_PER_S);
    ck_assert_int_eq(stats.answers_waiting, _i == 0 ? 17 : 0);
    ck_assert_int_eq(box.count, _i == 1 ? 17 : 0);
    check_ledger(VD_NS_PER_S);
}
END_TEST

START_TEST(test_about)
{
    char masked[16];
    open_session(7, 50);
    ck_assert_str_eq(vd_session_id(session), "00112233445566778899aabbccddeeff");
    ck_assert_int_eq(vd_session_owner(session), -1);
    ck_assert_str_eq(vd_session_peer(session), "127.0.0.1");
    ck_assert_int_eq(vd_session_get_config(session)->fps_limit, 7);
    vd_session_mask_id(vd_session_id(session), masked);
    ck_assert_str_eq(masked, "0011\xe2\x80\xa6");
    ck_assert_ptr_eq(vd_session_ref(session), session);
    vd_session *second = session;
    vd_session_unref(&second);
    ck_assert_ptr_null(second);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("serve_session");
    TCase *tests = tcase_create("session");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, test_exact_rate, 0, 30);
    tcase_add_loop_test(tests, test_too_fast, 0, 10);
    tcase_add_loop_test(tests, test_one_by_one, 0, 4);
    tcase_add_test(tests, test_burst);
    tcase_add_loop_test(tests, test_lowered, 0, 2);
    tcase_add_test(tests, test_lowered_and_too_fast);
    tcase_add_test(tests, test_queue_full);
    tcase_add_test(tests, test_deadline);
    tcase_add_test(tests, test_stale);
    tcase_add_test(tests, test_slow_rate_is_no_deadline);
    tcase_add_test(tests, test_lowered_queue);
    tcase_add_test(tests, test_order);
    tcase_add_test(tests, test_times);
    tcase_add_test(tests, test_end);
    tcase_add_test(tests, test_end_with_a_result);
    tcase_add_test(tests, test_last_reference);
    tcase_add_test(tests, test_time_out);
    tcase_add_test(tests, test_answers_wait);
    tcase_add_test(tests, test_listener_breaks);
    tcase_add_test(tests, test_replaced);
    tcase_add_loop_test(tests, test_meddling, 0, 5);
    tcase_add_test(tests, test_about);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(make_suite)
