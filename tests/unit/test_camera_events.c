/* Tracks and events of a whole camera, over doubles of the source and of the detector. */
#include "camera_case.h"

static const vd_thresholds all = {.confidence = 0.05f, .iou = 0.45f, .max_detections = 300};

START_TEST(a_file_has_tracks_and_events)
{
    vd_camera_options options = options_of("fake:frames=60");
    options.thresholds.confidence = 0.25f;
    vd_camera *camera = open_camera(&options);
    UNTIL(status_of(camera).state == VD_CAMERA_ENDED);
    look(camera);
    ck_assert_uint_eq(event_count, 2);
    ck_assert_uint_eq(status_of(camera).events, 2);
    ck_assert_int_eq(status_of(camera).events_open, 2);
    ck_assert_int_eq(status_of(camera).tracks, 2);
    for (size_t i = 0; i < event_count; i++) {
        const vd_event *event = &events[i];
        ck_assert_str_eq(event->class_name, event->class_id == 0 ? "square" : "shadow");
        ck_assert(event->opened_s >= 0.3 - 1e-6 && event->opened_s < 1);
        ck_assert_int_eq(event->opened_frame, lround(event->opened_s * 25));
        ck_assert_int_eq(event->verdict, VD_VERDICT_NONE);
        ck_assert(event->opened_unix_ms > 1600000000000);
        UNTIL(event_of(camera, event->id)->thumbnail != NULL);
        ck_assert_int_le(events[i].thumbnail->image.width, 160);
        ck_assert_int_le(events[i].thumbnail->image.height, 160);
    }
    ck_assert_int_ne(events[0].track_id, events[1].track_id);
    uint64_t revision = 0;
    vd_event none[1];
    vd_camera_get_events(camera, UINT64_MAX, &revision, none, 1);
    ck_assert_uint_eq(vd_camera_get_events(camera, revision, NULL, none, 1), 0);
    ck_assert_uint_eq(status_of(camera).events_revision, revision);
    vd_camera_close(&camera);
}
END_TEST

START_TEST(rules_and_thresholds_act)
{
    vd_camera_options options = options_of("fake:frames=40,fps=50");
    options.thresholds.confidence = 0.6f;
    vd_camera *camera = open_camera(&options);
    UNTIL(status_of(camera).state == VD_CAMERA_ENDED);
    look(camera);
    ck_assert_uint_eq(event_count, 1);
    ck_assert_int_eq(events[0].class_id, 0);
    vd_camera_close(&camera);
    options.rules.least_size_px = 31;
    camera = open_camera(&options);
    UNTIL(status_of(camera).state == VD_CAMERA_ENDED);
    look(camera);
    ck_assert_uint_eq(event_count, 0);
    vd_event_rules wrong = VD_EVENT_RULES_INIT;
    wrong.absence_s = 0;
    ck_assert_int_eq(vd_camera_set_rules(camera, &wrong, NULL), VD_EINVAL);
    vd_camera_close(&camera);
    options.rules.absence_s = 0;
    ck_assert_int_eq(vd_camera_open(&options, &camera, NULL), VD_EINVAL);
}
END_TEST

/* The ids and trails of what is on screen. */
static void check_view(const vd_view *view, int *ids, int *ret_trails)
{
    vd_draw_box boxes[8];
    size_t count = vd_view_get_boxes(view, &all, boxes, 8);
    for (size_t i = 0; i < count; i++) {
        int id = 0;
        const char *mark = strchr(boxes[i].label, '#');
        if (!mark || view->time_s < 0.2)
            continue;
        id = atoi(mark + 1);
        ck_assert(ids[boxes[i].color] == 0 || ids[boxes[i].color] == id);
        ids[boxes[i].color] = id;
        if (boxes[i].trail_count == 0)
            continue;
        (*ret_trails)++;
        const vd_draw_point *last = &boxes[i].trail[boxes[i].trail_count - 1];
        ck_assert_float_eq_tol(last->y, boxes[i].box.y2, 1e-3f);
        for (int k = 1; k < boxes[i].trail_count; k++) /* oldest first, as the square goes */
            ck_assert_float_ge(boxes[i].trail[k].x, boxes[i].trail[k - 1].x);
    }
}

START_TEST(views_carry_ids_and_trails)
{
    vd_camera_options options = options_of("fake:frames=60");
    vd_camera *camera = open_camera(&options);
    vd_view view = {0};
    int ids[16] = {0}, trails = 0;
    int64_t limit_ns = vd_clock_now_ns() + 20 * VD_NS_PER_S;
    while (status_of(camera).state != VD_CAMERA_ENDED && vd_clock_now_ns() < limit_ns) {
        if (vd_camera_take_view(camera, &view))
            check_view(&view, ids, &trails);
        rest(1);
    }
    ck_assert_int_gt(ids[0], 0);
    ck_assert_int_gt(ids[1], 0);
    ck_assert_int_ne(ids[0], ids[1]);
    ck_assert_int_gt(trails, 40);
    vd_view_clear(&view);
    vd_camera_close(&camera);
}
END_TEST

START_TEST(a_seek_cuts_and_what_was_seen_before_opens_nothing)
{
    vd_camera_options options = options_of("fake:frames=60,fps=50");
    options.thresholds.confidence = 0.6f;
    vd_camera *camera = open_camera(&options);
    UNTIL(status_of(camera).state == VD_CAMERA_ENDED);
    ck_assert_int_eq(event_of(camera, 1)->closed, false);
    int track = events[0].track_id;
    for (int i = 0; i < 3; i++) {
        vd_camera_set_playing(camera, true); /* from the start */
        UNTIL(status_of(camera).state == VD_CAMERA_PLAYING);
        UNTIL(status_of(camera).state == VD_CAMERA_ENDED);
    }
    look(camera);
    ck_assert_uint_eq(event_count, 1);
    ck_assert(events[0].closed);
    ck_assert_int_eq(events[0].track_id, track);
    vd_camera_close(&camera);
}
END_TEST

START_TEST(another_round_and_another_model_begin_anew)
{
    vd_camera_options options = options_of("fake:frames=40,fps=50");
    options.thresholds.confidence = 0.6f;
    options.loop = true;
    vd_camera *camera = open_camera(&options);
    UNTIL(status_of(camera).events >= 3);
    ck_assert(event_of(camera, 1)->closed);
    ck_assert_int_le(status_of(camera).events_open, 1);
    vd_camera_close(&camera);
    options = options_of("fake:frames=1000,live=1");
    options.thresholds.confidence = 0.6f;
    camera = open_camera(&options);
    UNTIL(status_of(camera).events == 1);
    vd_camera_set_model(camera, "another", NULL);
    UNTIL(status_of(camera).events == 2);
    ck_assert(event_of(camera, 1)->closed);
    vd_camera_close(&camera);
}
END_TEST

START_TEST(settings_become_options)
{
    vd_settings settings;
    vd_camera_options options = VD_CAMERA_OPTIONS_INIT;
    vd_verify_options verify = {0};
    vd_settings_init(&settings);
    ck_assert(!vd_verify_options_from_settings(&settings, &verify));
    ck_assert(verify.max_workers == 2 && verify.queue_size == 50 && verify.result_queue_size == 100);
    settings.step2.preset = VD_STEP2_LARGE;
    settings.step2.queue_size = 7;
    settings.step2.queue_size_given = true;
    vd_text_copy(settings.step2.model_path, sizeof settings.step2.model_path, "v.onnx");
    ck_assert(vd_verify_options_from_settings(&settings, &verify));
    ck_assert(verify.max_workers == 3 && verify.queue_size == 7 && verify.result_queue_size == 120);
    ck_assert_str_eq(verify.model_path, "v.onnx");
    ck_assert_int_eq(vd_verify_options_validate(&verify, NULL), VD_OK);
    settings.step2.preset = VD_STEP2_SMALL;
    settings.step2.min_workers = 2; /* the default of a later version: it gives way */
    ck_assert(vd_verify_options_from_settings(&settings, &verify));
    ck_assert(verify.min_workers == 1 && verify.max_workers == 1);
    settings.step2.enabled_given = true;
    settings.step2.enabled = false;
    ck_assert(!vd_verify_options_from_settings(&settings, &verify));
    settings.event_parked_s = 5;
    settings.track_lost_s = 2;
    settings.step2.shadow = true;
    vd_camera_options_from_settings(&settings, &options);
    ck_assert(options.shadow && options.temporal_size == 16);
    ck_assert(fabs(options.rules.parked_s - 5) < 1e-9 && fabs(options.tracking.lost_s - 2) < 1e-9);
    static const double ends_s[] = {0.1, 0.3, 5, 10}; /* of what the file may say */
    for (int i = 0; i < 4; i++) {
        settings.track_lost_s = ends_s[i];
        vd_camera_options_from_settings(&settings, &options);
        ck_assert_int_eq(vd_track_options_validate(&options.tracking, NULL), VD_OK);
        options = (vd_camera_options)VD_CAMERA_OPTIONS_INIT;
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("camera_events");
    TCase *tests = tcase_create("events");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_file_has_tracks_and_events);
    tcase_add_test(tests, rules_and_thresholds_act);
    tcase_add_test(tests, views_carry_ids_and_trails);
    tcase_add_test(tests, a_seek_cuts_and_what_was_seen_before_opens_nothing);
    tcase_add_test(tests, another_round_and_another_model_begin_anew);
    tcase_add_test(tests, settings_become_options);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(make_suite)
