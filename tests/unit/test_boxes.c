/* From results to boxes: own, between, beyond. */
#include <math.h>
#include <string.h>

#include "check_main.h"
#include "frame/result.h"
#include "vedette/app/camera.h"

static vd_result_pool *results;
static const vd_thresholds all = {.confidence = 0.05f, .iou = 0.45f, .max_detections = 300};

static void setup(void)
{
    ck_assert_int_eq(vd_result_pool_new(4, &results), VD_OK);
}

static void teardown(void)
{
    vd_result_pool_free(&results);
}

static vd_result *result_with(size_t count, const vd_detection *items)
{
    const char *names[] = {"person", "car"};
    vd_result *result;
    ck_assert_int_eq(vd_result_pool_take(results, &result), VD_OK);
    ck_assert_int_eq(vd_labels_new(names, 2, &result->labels), VD_OK);
    memcpy(result->candidates, items, count * sizeof *items);
    result->count = count;
    return result;
}

static vd_detection at(float x, float y, float score, int class_id)
{
    return (vd_detection){.box = {x, y, x + 40, y + 40}, .score = score, .class_id = class_id};
}

START_TEST(own_result_is_drawn_as_it_is)
{
    vd_detection items[] = {at(10, 10, 0.9f, 0), at(100, 10, 0.3f, 1)};
    vd_view view = {.time_s = 1, .before_s = 1, .after_s = 1};
    view.before = view.after = result_with(2, items);
    vd_result_ref(view.after);
    vd_draw_box boxes[8];
    ck_assert_uint_eq(vd_view_get_boxes(&view, &all, boxes, 8), 2);
    ck_assert_int_eq(boxes[0].style, VD_BOX_DETECTED);
    ck_assert_str_eq(boxes[0].label, "person 0.90");
    vd_thresholds strict = all;
    strict.confidence = 0.6f;
    ck_assert_uint_eq(vd_view_get_boxes(&view, &strict, boxes, 8), 1);
    ck_assert_uint_eq(vd_view_get_boxes(&view, &all, boxes, 1), 1);
    vd_view_clear(&view);
    ck_assert_uint_eq(vd_view_get_boxes(&view, &all, boxes, 8), 0);
}
END_TEST

START_TEST(between_two_results_boxes_move_linearly)
{
    vd_detection first[] = {at(10, 10, 0.9f, 0)}, second[] = {at(30, 20, 0.8f, 0)};
    vd_view view = {
        .before_s = 1, .after_s = 2, .before = result_with(1, first), .after = result_with(1, second)};
    vd_draw_box box;
    for (int i = 1; i < 10; i++) {
        view.time_s = 1 + i * 0.1;
        ck_assert_uint_eq(vd_view_get_boxes(&view, &all, &box, 1), 1);
        ck_assert_float_eq_tol(box.box.x1, 10 + 2.0f * (float)i, 1e-4f);
        ck_assert_float_eq_tol(box.box.y2, 50 + 1.0f * (float)i, 1e-4f);
        ck_assert_int_eq(box.style, VD_BOX_DETECTED);
    }
    vd_view_clear(&view);
}
END_TEST

START_TEST(classes_do_not_mix_and_the_lonely_stay_on_their_side)
{
    vd_detection first[] = {at(10, 10, 0.9f, 0)}, second[] = {at(12, 10, 0.8f, 1)};
    vd_view view = {
        .before_s = 1, .after_s = 2, .before = result_with(1, first), .after = result_with(1, second)};
    vd_draw_box box;
    view.time_s = 1.2;
    ck_assert_uint_eq(vd_view_get_boxes(&view, &all, &box, 1), 1);
    ck_assert_int_eq(box.color, 0);
    ck_assert_int_eq(box.style, VD_BOX_PREDICTED);
    view.time_s = 1.8;
    ck_assert_uint_eq(vd_view_get_boxes(&view, &all, &box, 1), 1);
    ck_assert_int_eq(box.color, 1);
    vd_view_clear(&view);
}
END_TEST

START_TEST(beyond_the_last_result_boxes_go_on_dashed_for_a_second)
{
    vd_detection first[] = {at(10, 10, 0.9f, 0)}, second[] = {at(20, 10, 0.9f, 0)};
    vd_view view = {
        .before_s = 1, .after_s = 1.5, .before = result_with(1, first), .after = result_with(1, second)};
    vd_draw_box box;
    view.time_s = 2;
    ck_assert_uint_eq(vd_view_get_boxes(&view, &all, &box, 1), 1);
    ck_assert_float_eq_tol(box.box.x1, 30, 1e-4f);
    ck_assert_int_eq(box.style, VD_BOX_PREDICTED);
    view.time_s = 2.6;
    ck_assert_uint_eq(vd_view_get_boxes(&view, &all, &box, 1), 0);
    vd_view_clear(&view);
}
END_TEST

START_TEST(two_that_cross_keep_their_partners)
{
    vd_detection first[] = {at(0, 0, 0.9f, 0), at(100, 0, 0.8f, 0)};
    vd_detection second[] = {at(90, 0, 0.9f, 0), at(10, 0, 0.8f, 0)}; /* order of scores is no identity */
    vd_view view = {.before_s = 0, .after_s = 1, .time_s = 0.5};
    view.before = result_with(2, first);
    view.after = result_with(2, second);
    vd_draw_box boxes[2];
    ck_assert_uint_eq(vd_view_get_boxes(&view, &all, boxes, 2), 2);
    ck_assert_float_eq_tol(boxes[0].box.x1, 5, 1e-4f);
    ck_assert_float_eq_tol(boxes[1].box.x1, 95, 1e-4f);
    vd_view_clear(&view);
}
END_TEST

START_TEST(a_fast_object_without_overlap_is_followed)
{
    vd_detection first[] = {at(0, 0, 0.9f, 0)}, second[] = {at(48, 0, 0.9f, 0)};
    vd_view view = {.before_s = 0, .after_s = 1, .time_s = 0.5};
    view.before = result_with(1, first);
    view.after = result_with(1, second);
    vd_draw_box box;
    ck_assert_uint_eq(vd_view_get_boxes(&view, &all, &box, 1), 1);
    ck_assert_float_eq_tol(box.box.x1, 24, 1e-4f);
    vd_view_clear(&view);
}
END_TEST

static vd_detection with_track(vd_detection detection, int track_id)
{
    detection.track_id = track_id;
    return detection;
}

START_TEST(tracks_pair_what_boxes_would_not)
{
    /* The two change places: by overlap each would be taken for the other. */
    vd_detection first[] = {with_track(at(0, 0, 0.9f, 0), 1), with_track(at(50, 0, 0.8f, 0), 2)};
    vd_detection second[] = {with_track(at(0, 0, 0.9f, 0), 2), with_track(at(50, 0, 0.8f, 0), 1)};
    vd_view view = {.before_s = 0, .after_s = 1, .time_s = 0.25};
    view.before = result_with(2, first);
    view.after = result_with(2, second);
    vd_draw_box boxes[2];
    ck_assert_uint_eq(vd_view_get_boxes(&view, &all, boxes, 2), 2);
    ck_assert_float_eq_tol(boxes[0].box.x1, 12.5f, 1e-4f);
    ck_assert_str_eq(boxes[0].label, "person 0.90 #1");
    ck_assert_float_eq_tol(boxes[1].box.x1, 37.5f, 1e-4f);
    view.before->candidates[1].track_id = 5; /* two tracks are two objects, however near */
    view.after->candidates[0].track_id = 6;
    ck_assert_uint_eq(vd_view_get_boxes(&view, &all, boxes, 2), 2);
    ck_assert_float_eq_tol(boxes[1].box.x1, 50, 1e-4f);
    ck_assert_int_eq(boxes[1].style, VD_BOX_PREDICTED);
    view.after->candidates[0].track_id = 0; /* its first detection has none: boxes pair it */
    ck_assert_uint_eq(vd_view_get_boxes(&view, &all, boxes, 2), 2);
    ck_assert_float_eq_tol(boxes[1].box.x1, 37.5f, 1e-4f);
    vd_view_clear(&view);
}
END_TEST

START_TEST(a_track_foretells_and_carries_its_trail_and_mark)
{
    static vd_view view;
    vd_detection items[] = {with_track(at(100, 10, 0.9f, 0), 3)};
    view = (vd_view){.before_s = 0.5, .after_s = 1, .time_s = 1.5, .track_count = 1};
    view.before = result_with(0, items); /* the track knows its speed without it */
    view.after = result_with(1, items);
    view.tracks[0] = (vd_view_track){
        .best = 0.9f, .mark = VD_MARK_VERIFIED, .trail_count = 2, .trail = {{60, 50}, {80, 50}}};
    view.tracks[0].track = (vd_track){.id = 3,
                                      .hits = 5,
                                      .time_s = 1,
                                      .box = {100, 10, 140, 50},
                                      .detected = {100, 10, 140, 50},
                                      .x = {.value = 120, .speed = 40},
                                      .y = {.value = 30},
                                      .width = {.value = 40},
                                      .height = {.value = 40}};
    vd_draw_box box;
    ck_assert_uint_eq(vd_view_get_boxes(&view, &all, &box, 1), 1);
    ck_assert_float_eq_tol(box.box.x1, 120, 1e-3f);
    ck_assert_int_eq(box.style, VD_BOX_PREDICTED);
    ck_assert_int_eq(box.mark, VD_MARK_VERIFIED);
    ck_assert_int_eq(box.trail_count, 3);
    ck_assert_float_eq_tol(box.trail[2].x, 140, 1e-3f);
    ck_assert_float_eq_tol(box.trail[2].y, 50, 1e-3f);
    vd_view_clear(&view);
}
END_TEST

START_TEST(a_weak_detection_of_a_sure_track_is_shown)
{
    static vd_view view;
    vd_thresholds half = all;
    half.confidence = 0.5f;
    vd_detection items[] = {with_track(at(10, 10, 0.3f, 0), 1), with_track(at(100, 10, 0.2f, 0), 2),
                            at(200, 10, 0.15f, 0), with_track(at(300, 10, 0.07f, 0), 1)};
    view = (vd_view){.time_s = 1, .before_s = 1, .after_s = 1, .track_count = 2};
    view.before = view.after = result_with(4, items);
    vd_result_ref(view.after);
    view.tracks[0] = (vd_view_track){.track = {.id = 1}, .best = 0.8f};
    view.tracks[1] = (vd_view_track){.track = {.id = 2}, .best = 0.4f};
    vd_draw_box boxes[4];
    ck_assert_uint_eq(vd_view_get_boxes(&view, &half, boxes, 4), 1);
    ck_assert_float_eq_tol(boxes[0].box.x1, 10, 1e-4f);
    half.confidence = 0.35f;
    ck_assert_uint_eq(vd_view_get_boxes(&view, &half, boxes, 4), 2);
    ck_assert_uint_eq(vd_view_get_boxes(&view, &all, boxes, 4), 4);
    vd_view_clear(&view);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("boxes");
    TCase *tests = tcase_create("boxes");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, own_result_is_drawn_as_it_is);
    tcase_add_test(tests, between_two_results_boxes_move_linearly);
    tcase_add_test(tests, classes_do_not_mix_and_the_lonely_stay_on_their_side);
    tcase_add_test(tests, beyond_the_last_result_boxes_go_on_dashed_for_a_second);
    tcase_add_test(tests, two_that_cross_keep_their_partners);
    tcase_add_test(tests, a_fast_object_without_overlap_is_followed);
    tcase_add_test(tests, tracks_pair_what_boxes_would_not);
    tcase_add_test(tests, a_track_foretells_and_carries_its_trail_and_mark);
    tcase_add_test(tests, a_weak_detection_of_a_sure_track_is_shown);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(make_suite)
