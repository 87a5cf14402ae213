/* Verdicts on the events of a whole camera, over doubles of the source and of the detector, with stage 2 in
 * real processes. */
#include "camera_case.h"

static vd_verifier *new_verifier(const char *type, double sleep_s, double timeout_s)
{
    vd_verify_options options = VD_VERIFY_OPTIONS_INIT;
    vd_verifier *verifier = NULL;
    vd_error error = {0};
    vd_text_copy(options.model_type, sizeof options.model_type, type);
    vd_text_copy(options.worker_program, sizeof options.worker_program, VD_VERIFIER);
    options.input_width = options.input_height = 64;
    options.test_sleep_s = sleep_s;
    options.worker_timeout_s = timeout_s;
    ck_assert_msg(vd_verifier_new(&options, NULL, NULL, &verifier, &error) == VD_OK, "%s", error.text);
    return verifier;
}

static void check_ledger(vd_verifier *verifier)
{
    vd_verify_stats stats = vd_verifier_get_stats(verifier);
    ck_assert_uint_eq(stats.submitted, stats.verified + stats.rejected + stats.unverified + stats.dropped +
                                           (uint64_t)stats.pending_requests);
}

/* The mark of the only box on screen. */
static vd_draw_mark mark_of(vd_camera *camera, vd_view *view, const vd_thresholds *thresholds)
{
    vd_draw_box boxes[8];
    vd_camera_take_view(camera, view);
    return vd_view_get_boxes(view, thresholds, boxes, 8) == 1 ? boxes[0].mark : VD_MARK_NONE;
}

START_TEST(a_verdict_comes_later_and_changes_its_event)
{
    vd_verifier *verifier = new_verifier("test:sleep", 0.3, 20);
    vd_camera_options options = options_of(_i ? "fake:frames=200,live=1" : "fake:frames=75");
    options.thresholds.confidence = 0.6f;
    options.verifier = verifier;
    options.shadow = _i;
    vd_camera *camera = open_camera(&options);
    UNTIL(status_of(camera).events == 1);
    ck_assert_int_eq(event_of(camera, 1)->verdict, VD_VERDICT_NONE);
    UNTIL(event_of(camera, 1)->verdict == VD_VERDICT_PENDING);
    double seen_s = events[0].seen_s;
    uint32_t revision = events[0].revision;
    UNTIL(event_of(camera, 1)->verdict == VD_VERDICT_REJECTED); /* the pictures are dark: no score */
    ck_assert_uint_gt(events[0].revision, revision);
    ck_assert_double_ge(seen_s, 1.6 - 0.05);
    ck_assert_double_ge(events[0].verdict_after_s, 0.3);
    ck_assert_int_eq(events[0].shadow, _i);
    ck_assert_uint_eq(event_count, 1);
    UNTIL(status_of(camera).clips_waiting == 0);
    check_ledger(verifier);
    ck_assert_uint_eq(vd_verifier_get_stats(verifier).submitted, 1);
    ck_assert_uint_eq(status_of(camera).clips_forgotten, 0);
    ck_assert_uint_eq(status_of(camera).events_unasked, 0);
    vd_view view = {0};
    UNTIL(mark_of(camera, &view, &options.thresholds) == VD_MARK_REJECTED);
    vd_view_clear(&view);
    ck_assert(vd_camera_judge(camera, 1, VD_JUDGEMENT_FALSE_ALARM));
    ck_assert(!vd_camera_judge(camera, 2, VD_JUDGEMENT_FALSE_ALARM));
    vd_event_figures figures = vd_camera_get_event_figures(camera);
    ck_assert(figures.judged == 1 && figures.passed == 0 && fabs(figures.precision_before) < 1e-9);
    vd_camera_close(&camera);
    ck_assert(vd_camera_join_closed(5 * VD_NS_PER_S));
    vd_verifier_free(&verifier);
}
END_TEST

/* Every box of a view has its event's id and verdict: the events of options_of are one a class. */
static void check_recalled(const vd_view *view, const vd_thresholds *thresholds, size_t least)
{
    vd_draw_box boxes[8];
    size_t count = vd_view_get_boxes(view, thresholds, boxes, 8);
    ck_assert_uint_ge(count, least);
    for (size_t i = 0; i < count; i++) {
        const vd_event *event = &events[events[0].class_id == boxes[i].color ? 0 : 1];
        char id[16];
        snprintf(id, sizeof id, " #%d", event->track_id);
        ck_assert_msg(strstr(boxes[i].label, id) && boxes[i].mark == VD_MARK_REJECTED,
                      "at %.2f s `%s`, mark %d, is not%s", view->time_s, boxes[i].label, (int)boxes[i].mark,
                      id);
    }
}

/* The newest view is of that frame and has boxes. */
static bool shows(vd_camera *camera, vd_view *view, int64_t frame, const vd_thresholds *thresholds)
{
    vd_draw_box box;
    vd_camera_take_view(camera, view);
    return view->frame_index == frame && vd_view_get_boxes(view, thresholds, &box, 1) > 0;
}

START_TEST(who_winds_back_sees_the_verdicts_at_once)
{
    vd_verifier *verifier = new_verifier("test:sleep", 0.01, 20);
    vd_camera_options options = options_of("fake:frames=150,width=320,height=240");
    vd_view view = {0};
    options.verifier = verifier;
    vd_camera *camera = open_camera(&options);
    vd_camera_set_speed(camera, 3);
    UNTIL(status_of(camera).state == VD_CAMERA_ENDED);
    UNTIL(event_of(camera, 1)->verdict == VD_VERDICT_REJECTED &&
          event_of(camera, 2)->verdict == VD_VERDICT_REJECTED);
    vd_camera_set_playing(camera, false);
    int ids[2] = {event_of(camera, 1)->track_id, event_of(camera, 2)->track_id};
    /* As it opened; before; far from what is remembered; within it. */
    const int64_t frames[] = {events[0].opened_frame, 2, 60, 140, 139, events[1].opened_frame};
    for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
        vd_camera_seek(camera, (double)frames[i] / 25 + 0.001);
        UNTIL(shows(camera, &view, frames[i], &options.thresholds));
        check_recalled(&view, &options.thresholds, 2);
        vd_camera_step(camera, 1);
        UNTIL(shows(camera, &view, frames[i] + 1, &options.thresholds));
        check_recalled(&view, &options.thresholds, 2);
    }
    vd_camera_set_playing(camera, true);
    while (status_of(camera).state != VD_CAMERA_ENDED) { /* between two detections, too */
        if (vd_camera_take_view(camera, &view))
            check_recalled(&view, &options.thresholds, 0);
        rest(1);
    }
    look(camera);
    ck_assert_uint_eq(event_count, 2);
    ck_assert(event_of(camera, 1)->track_id == ids[0] && event_of(camera, 2)->track_id == ids[1]);
    ck_assert_uint_eq(vd_verifier_get_stats(verifier).submitted, 2);
    vd_view_clear(&view);
    vd_camera_close(&camera);
    ck_assert(vd_camera_join_closed(5 * VD_NS_PER_S));
    vd_verifier_free(&verifier);
}
END_TEST

START_TEST(a_short_track_asks_when_it_has_ended)
{
    vd_verifier *verifier = new_verifier("test:sleep", 0.01, 20);
    vd_camera_options options = options_of("fake:frames=15"); /* 0.6 s */
    options.thresholds.confidence = 0.6f;
    options.verifier = verifier;
    vd_camera *camera = open_camera(&options);
    UNTIL(status_of(camera).events == 1 && event_of(camera, 1)->verdict == VD_VERDICT_REJECTED);
    vd_camera_close(&camera);
    ck_assert(vd_camera_join_closed(5 * VD_NS_PER_S));
    vd_verifier_free(&verifier);
}
END_TEST

START_TEST(stage_2_that_fails_leaves_the_event)
{
    static const struct {
        const char *type;
        vd_verdict_cause cause;
    } cases[] = {
        {"test:hang", VD_CAUSE_TIMED_OUT}, {"test:crash", VD_CAUSE_FAILED}, {"onnx", VD_CAUSE_DEGRADED}};
    vd_verifier *verifier = new_verifier(cases[_i].type, 0, _i ? 30 : 0.4);
    vd_camera_options options = options_of("fake:frames=200,live=1");
    options.verifier = verifier;
    vd_camera *camera = open_camera(&options);
    UNTIL(status_of(camera).events == 2);
    UNTIL(event_of(camera, 1)->verdict == VD_VERDICT_UNVERIFIED);
    ck_assert_int_eq(events[event_count - 1].cause, cases[_i].cause);
    look(camera);
    float score = event_of(camera, 1)->score, expected = events[event_count - 1].class_id ? 0.4f : 0.9f;
    ck_assert_float_eq_tol(score, expected, 0.1f);
    uint64_t frames = status_of(camera).shown;
    UNTIL(status_of(camera).shown > frames + 5);
    check_ledger(verifier);
    vd_camera_close(&camera);
    ck_assert(vd_camera_join_closed(5 * VD_NS_PER_S));
    vd_verifier_free(&verifier);
}
END_TEST

/* An event whose round of the file ends before its clip is whole has pictures all the same. */
START_TEST(every_round_asks)
{
    vd_verifier *verifier = new_verifier("test:sleep", 0.01, 20);
    vd_camera_options options = options_of("fake:frames=20"); /* 0.8 s */
    options.thresholds.confidence = 0.6f;
    options.loop = true;
    options.verifier = verifier;
    vd_camera *camera = open_camera(&options);
    UNTIL(status_of(camera).events >= 6 && vd_verifier_get_stats(verifier).submitted >= 5);
    ck_assert_uint_eq(status_of(camera).events_unasked, 0);
    vd_camera_close(&camera);
    ck_assert(vd_camera_join_closed(5 * VD_NS_PER_S));
    vd_verifier_free(&verifier);
}
END_TEST

START_TEST(a_stopped_verifier_is_told_of_each_event)
{
    vd_verifier *verifier = new_verifier("test:sleep", 0.01, 20);
    vd_camera_options options = options_of("fake:frames=200,live=1");
    options.verifier = verifier;
    vd_verifier_stop(verifier);
    vd_camera *camera = open_camera(&options);
    UNTIL(status_of(camera).events == 2 && event_of(camera, 2)->verdict == VD_VERDICT_UNVERIFIED);
    ck_assert_int_eq(events[0].cause, VD_CAUSE_STOPPED);
    ck_assert_uint_eq(status_of(camera).events_unasked, 2);
    vd_camera_close(&camera);
    ck_assert(vd_camera_join_closed(5 * VD_NS_PER_S));
    vd_verifier_free(&verifier);
}
END_TEST

START_TEST(every_moment_is_a_good_one_to_close)
{
    vd_verifier *verifier = new_verifier("test:sleep", 0.2, 20);
    vd_camera *cameras[6];
    for (size_t i = 0; i < 6; i++) {
        vd_camera_options options = options_of("fake:frames=200,live=1");
        options.verifier = verifier;
        cameras[i] = open_camera(&options);
    }
    for (size_t i = 0; i < 6; i++) {
        vd_camera_close(&cameras[i]);
        rest(400);
    }
    ck_assert(vd_camera_join_closed(5 * VD_NS_PER_S));
    check_ledger(verifier);
    vd_verifier_free(&verifier);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("camera_verdicts");
    TCase *tests = tcase_create("verdicts");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, a_verdict_comes_later_and_changes_its_event, 0, 2);
    tcase_add_test(tests, who_winds_back_sees_the_verdicts_at_once);
    tcase_add_test(tests, a_short_track_asks_when_it_has_ended);
    tcase_add_loop_test(tests, stage_2_that_fails_leaves_the_event, 0, 3);
    tcase_add_test(tests, every_round_asks);
    tcase_add_test(tests, a_stopped_verifier_is_told_of_each_event);
    tcase_add_test(tests, every_moment_is_a_good_one_to_close);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(make_suite)
