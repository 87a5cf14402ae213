/* A session's tracks: what of the results is reported, under which ids, on whose clock. */
#include "session_case.h"

#include <math.h>

#include "check_main.h"

static vd_session *session;
static vd_result_pool *pool;
static case_box box;
static int frames;

static void setup(void)
{
    vd_session_options options = case_options(30, 50);
    ck_assert_int_eq(vd_result_pool_new(0, &pool), VD_OK);
    ck_assert_int_eq(vd_session_new(&options, &session), VD_OK);
    case_listen(session, &box, options.now_ns);
    frames = 0;
}

static void teardown(void)
{
    vd_session_unref(&session);
    vd_result_pool_free(&pool);
    case_clear(&box);
}

static void change(const char *text)
{
    json_t *changes = json_loads(text, 0, NULL);
    ck_assert_int_eq(vd_session_change(session, changes, NULL, NULL), VD_OK);
    json_decref(changes);
}

/* A frame with these detections, from offer to answer; its detections as told.
 *
 * timestamp  of the client; not a number: none */
static json_t *show(double at_s, double timestamp, const vd_detection *detections, size_t count)
{
    int64_t now_ns = VD_NS_PER_S + (int64_t)(at_s * 1e9), next_ns = INT64_MAX;
    vd_job *job = case_job(frames++);
    job->timed = !isnan(timestamp);
    job->timestamp = timestamp;
    vd_session_offer(session, job, now_ns);
    job = vd_session_start(session, 0, now_ns, &next_ns);
    ck_assert_ptr_nonnull(job);
    case_detect(job, pool, detections, count, now_ns);
    vd_session_finish(session, job, now_ns);
    ck_assert_int_eq(box.count, frames);
    ck_assert_str_eq(case_type(&box, frames - 1), "detection_result");
    return case_detections(&box, frames - 1);
}

static int id_of(json_t *detections, size_t i)
{
    json_t *id = json_object_get(json_array_get(detections, i), "track_id");
    return id ? (int)json_integer_value(id) : 0;
}

static vd_detection object(float x, float score)
{
    return (vd_detection){{x, 100, x + 60, 200}, score, 2, 0};
}

START_TEST(test_ids)
{
    for (int i = 0; i < 10; i++) {
        vd_detection two[] = {object(100 + 3.0f * (float)i, 0.9f), object(400 - 3.0f * (float)i, 0.8f)};
        json_t *told = show(i * 0.1, NAN, two, 2);
        ck_assert_uint_eq(json_array_size(told), 2);
        ck_assert_int_eq(id_of(told, 0), i == 0 ? 0 : 1);
        ck_assert_int_eq(id_of(told, 1), i == 0 ? 0 : 2);
    }
    ck_assert_int_eq(vd_session_get_stats(session, VD_NS_PER_S).tracks, 2);
}
END_TEST

START_TEST(test_no_tracking)
{
    vd_detection one = object(100, 0.9f);
    one.track_id = 77; /* whatever the work left there */
    change("{\"enable_tracking\":false}");
    for (int i = 0; i < 3; i++)
        ck_assert_ptr_null(json_object_get(json_array_get(show(i * 0.1, NAN, &one, 1), 0), "track_id"));
    change("{\"enable_tracking\":true}");
    ck_assert_int_eq(id_of(show(0.3, NAN, &one, 1), 0), 0);
    ck_assert_int_eq(id_of(show(0.4, NAN, &one, 1), 0), 1);
    change("{\"enable_tracking\":false}");
    ck_assert_int_eq(vd_session_get_stats(session, VD_NS_PER_S).tracks, 0);
    ck_assert_int_eq(id_of(show(0.5, NAN, &one, 1), 0), 0);
    change("{\"enable_tracking\":true}"); /* another track then */
    ck_assert_int_eq(id_of(show(0.6, NAN, &one, 1), 0), 0);
    ck_assert_int_eq(id_of(show(0.7, NAN, &one, 1), 0), 2);
}
END_TEST

/* A track goes on with what is too weak to be reported. */
START_TEST(test_weak)
{
    vd_detection strong = object(100, 0.9f), weak = object(100, 0.15f), weakest = object(100, 0.09f);
    show(0, NAN, &strong, 1);
    ck_assert_int_eq(id_of(show(0.1, NAN, &strong, 1), 0), 1);
    for (int i = 2; i < 30; i++)
        ck_assert_uint_eq(json_array_size(show(i * 0.1, NAN, &weak, 1)), 0);
    ck_assert_int_eq(id_of(show(3, NAN, &strong, 1), 0), 1);
    for (int i = 31; i < 45; i++)
        ck_assert_uint_eq(json_array_size(show(i * 0.1, NAN, &weakest, 1)), 0);
    ck_assert_int_eq(id_of(show(4.5, NAN, &strong, 1), 0), 0); /* lost for longer than a second */
    change("{\"confidence_threshold\":0.05}");
    ck_assert_uint_eq(json_array_size(show(4.6, NAN, &weakest, 1)), 1);
}
END_TEST

START_TEST(test_reported)
{
    vd_detection many[50];
    for (int i = 0; i < 50; i++)
        many[i] = (vd_detection){{(float)i * 12, 0, (float)i * 12 + 10, 10}, 1 - 0.02f * (float)i, 0, 0};
    ck_assert_uint_eq(json_array_size(show(0, NAN, many, 50)), 38); /* down to 0.26 */
    change("{\"max_detections\":5}");
    json_t *told = show(0.1, NAN, many, 50);
    ck_assert_uint_eq(json_array_size(told), 5);
    for (size_t i = 0; i < 5; i++)
        ck_assert_int_gt(id_of(told, i), 0);
    change("{\"confidence_threshold\":0.97}");
    ck_assert_uint_eq(json_array_size(show(0.2, NAN, many, 50)), 2);
    vd_detection doubled[] = {{{0, 0, 100, 100}, 0.99f, 0, 0}, {{0, 0, 100, 60}, 0.98f, 0, 0}};
    ck_assert_uint_eq(json_array_size(show(0.3, NAN, doubled, 2)), 1); /* IoU 0.6 */
    change("{\"iou_threshold\":0.7}");
    ck_assert_uint_eq(json_array_size(show(0.4, NAN, doubled, 2)), 2);
}
END_TEST

/* The change that comes while a frame is under way is the one that counts. */
START_TEST(test_changed_meanwhile)
{
    vd_detection one = object(100, 0.5f);
    int64_t next_ns = INT64_MAX;
    vd_session_offer(session, case_job(0), VD_NS_PER_S);
    vd_job *job = vd_session_start(session, 0, VD_NS_PER_S, &next_ns);
    change("{\"confidence_threshold\":0.6}");
    case_detect(job, pool, &one, 1, VD_NS_PER_S);
    vd_session_finish(session, job, VD_NS_PER_S);
    ck_assert_uint_eq(json_array_size(case_detections(&box, 0)), 0);
}
END_TEST

/* Slow sessions have ids as well: from the second frame, and at every rate. */
START_TEST(test_slow)
{
    static const double steps_s[] = {0.033, 0.1, 0.3, 0.5, 1, 2, 3};
    double step_s = steps_s[_i];
    for (int i = 0; i < 12; i++) {
        vd_detection one = object(100 + 2 * (float)i, 0.9f);
        int id = id_of(show(i * step_s, NAN, &one, 1), 0);
        if (step_s <= 1)
            ck_assert_int_eq(id, i == 0 ? 0 : 1);
        else if (i > 3)
            ck_assert_int_eq(id, 1);
    }
}
END_TEST

/* A pause among fast frames is no slow rate: who comes back after it is somebody else. */
START_TEST(test_pause)
{
    vd_detection one = object(100, 0.9f);
    for (int i = 0; i < 5; i++)
        show(i * 0.1, NAN, &one, 1);
    ck_assert_int_eq(id_of(show(6.5, NAN, &one, 1), 0), 0);
    ck_assert_int_eq(id_of(show(6.6, NAN, &one, 1), 0), 2);
}
END_TEST

/* The client's timestamps count where they rise: frames sent faster than they were taken. */
START_TEST(test_timestamps)
{
    vd_detection one = object(100, 0.9f);
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(id_of(show(i * 0.04, 1.7e9 + i * 0.1, &one, 1), 0), i == 0 ? 0 : 1);
    /* A gap in the stream ends the track, however soon the frame comes. */
    ck_assert_int_eq(id_of(show(0.2, 1.7e9 + 60, &one, 1), 0), 0);
    ck_assert_int_eq(id_of(show(0.24, 1.7e9 + 60.1, &one, 1), 0), 2);
    /* What does not rise, and what is missing, counts by its arrival. */
    ck_assert_int_eq(id_of(show(0.3, 5, &one, 1), 0), 2);
    ck_assert_int_eq(id_of(show(0.4, NAN, &one, 1), 0), 2);
    ck_assert_int_eq(id_of(show(0.5, INFINITY, &one, 1), 0), 2);
    ck_assert_int_eq(id_of(show(0.6, -INFINITY, &one, 1), 0), 2);
    ck_assert_int_eq(id_of(show(0.7, -1e308, &one, 1), 0), 2);
    show(0.8, 1e308, &one, 1); /* a leap beyond all bounds: another track, and no harm */
    ck_assert_int_eq(id_of(show(0.9, 1e308, &one, 1), 0), 3);
}
END_TEST

/* A frame that failed is no moment without detections. */
START_TEST(test_failed_frame)
{
    vd_detection one = object(100, 0.9f);
    int64_t next_ns = INT64_MAX;
    show(0, NAN, &one, 1);
    show(0.1, NAN, &one, 1);
    vd_session_offer(session, case_job(frames++), VD_NS_PER_S + 200 * VD_NS_PER_MS);
    vd_job *job = vd_session_start(session, 0, VD_NS_PER_S + 200 * VD_NS_PER_MS, &next_ns);
    job->code = vd_error_set(&job->error, VD_EFORMAT, NULL, "It is no picture.");
    vd_session_finish(session, job, VD_NS_PER_S + 210 * VD_NS_PER_MS);
    ck_assert_str_eq(case_type(&box, frames - 1), "error");
    ck_assert_int_eq(id_of(show(0.3, NAN, &one, 1), 0), 1);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("serve_tracks");
    TCase *tests = tcase_create("tracks");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_ids);
    tcase_add_test(tests, test_no_tracking);
    tcase_add_test(tests, test_weak);
    tcase_add_test(tests, test_reported);
    tcase_add_test(tests, test_changed_meanwhile);
    tcase_add_loop_test(tests, test_slow, 0, 7);
    tcase_add_test(tests, test_pause);
    tcase_add_test(tests, test_timestamps);
    tcase_add_test(tests, test_failed_frame);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(make_suite)
