#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "check_main.h"
#include "seeded.h"
#include "vedette/detection.h"

static int by_score(const void *a, const void *b)
{
    float x = ((const vd_detection *)a)->score, y = ((const vd_detection *)b)->score;
    return (y > x) - (y < x);
}

/* Boxes in clusters, so that many overlap, in a few classes. */
static void fill_result(vd_result *result, uint64_t *seed, size_t count, int classes)
{
    result->count = count;
    for (size_t i = 0; i < count; i++) {
        float x = 40.0f * (float)seeded_below(seed, 6) + (float)seeded_below(seed, 200) / 10;
        float y = 40.0f * (float)seeded_below(seed, 6) + (float)seeded_below(seed, 200) / 10;
        result->candidates[i] = (vd_detection){
            .box = {x, y, x + 20 + (float)seeded_below(seed, 30), y + 20 + (float)seeded_below(seed, 30)},
            .score = (float)seeded_below(seed, 10001) / 10000,
            .class_id = (int)seeded_below(seed, (uint32_t)classes)};
    }
    qsort(result->candidates, count, sizeof *result->candidates, by_score);
}

static double naive_iou(const vd_box *a, const vd_box *b)
{
    double w = fmin(a->x2, b->x2) - fmax(a->x1, b->x1), h = fmin(a->y2, b->y2) - fmax(a->y1, b->y1);
    double both = fmax(w, 0) * fmax(h, 0);
    return both / (((double)a->x2 - a->x1) * ((double)a->y2 - a->y1) +
                   ((double)b->x2 - b->x1) * ((double)b->y2 - b->y1) - both);
}

static bool is_filtered(const vd_thresholds *t, int class_id)
{
    bool any = false;
    for (int c = 0; c < 1024; c++)
        any = any || (t->classes[c / 64] >> (c % 64) & 1);
    return any && !(t->classes[class_id / 64] >> (class_id % 64) & 1);
}

/* Class by class: strike out whatever a kept one overlaps too much; then all classes by falling score. */
static size_t naive_select(const vd_result *result, const vd_thresholds *t, vd_detection *out)
{
    bool struck[VD_MAX_CANDIDATES] = {false};
    size_t count = 0;
    for (size_t i = 0; i < result->count; i++) {
        const vd_detection *best = &result->candidates[i];
        if (struck[i] || best->score < t->confidence || is_filtered(t, best->class_id))
            continue;
        if (count < (size_t)t->max_detections)
            out[count++] = *best;
        for (size_t j = i + 1; j < result->count && !result->nms_done; j++)
            if (result->candidates[j].class_id == best->class_id &&
                naive_iou(&best->box, &result->candidates[j].box) > (double)t->iou)
                struck[j] = true;
    }
    return count;
}

static vd_result result;
static vd_detection found[VD_MAX_DETECTIONS], wanted[VD_MAX_DETECTIONS];

START_TEST(selection_equals_the_naive_one)
{
    uint64_t seed = 17;
    for (int round = 0; round < 300; round++) {
        vd_thresholds t = VD_THRESHOLDS_INIT;
        fill_result(&result, &seed, seeded_below(&seed, 400), 1 + (int)seeded_below(&seed, 5));
        result.nms_done = seeded_below(&seed, 4) == 0;
        t.confidence = (float)seeded_below(&seed, 11) / 10;
        t.iou = ((float)seeded_below(&seed, 100) + 0.37f) / 101;
        t.max_detections = seeded_below(&seed, 2) ? 300 : 1 + (int)seeded_below(&seed, 20);
        if (seeded_below(&seed, 2))
            t.classes[0] = 1 + seeded_below(&seed, 31);
        size_t count = naive_select(&result, &t, wanted);
        ck_assert_uint_eq(vd_result_select(&result, &t, found), count);
        ck_assert_int_eq(memcmp(found, wanted, count * sizeof *found), 0);
    }
}
END_TEST

START_TEST(classes_do_not_suppress_each_other)
{
    vd_thresholds t = VD_THRESHOLDS_INIT;
    for (int i = 0; i < 4; i++)
        result.candidates[i] = (vd_detection){{0, 0, 10, 10}, 0.9f - 0.1f * (float)i, i / 2, 0};
    result.count = 4;
    ck_assert_uint_eq(vd_result_select(&result, &t, found), 2);
    ck_assert_int_eq(found[0].class_id, 0);
    ck_assert_int_eq(found[1].class_id, 1);
    result.nms_done = 1;
    ck_assert_uint_eq(vd_result_select(&result, &t, found), 4);
    t.confidence = 0.75f;
    ck_assert_uint_eq(vd_result_select(&result, &t, found), 2);
    t.confidence = 1.0f;
    ck_assert_uint_eq(vd_result_select(&result, &t, found), 0);
}
END_TEST

START_TEST(any_of_1024_classes_can_be_chosen)
{
    static const int chosen[] = {0, 63, 64, 500, 1023};
    vd_thresholds t = VD_THRESHOLDS_INIT;
    t.confidence = 0;
    result.count = VD_MAX_CANDIDATES;
    for (int i = 0; i < VD_MAX_CANDIDATES; i++)
        result.candidates[i] = (vd_detection){{0, 0, 10, 10}, 0.5f, i, 0};
    for (int i = 0; i < 5; i++)
        t.classes[chosen[i] / 64] |= UINT64_C(1) << (chosen[i] % 64);
    ck_assert_uint_eq(vd_result_select(&result, &t, found), 5);
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(found[i].class_id, chosen[i]);
    result.candidates[0].class_id = -1;
    result.candidates[63].class_id = 1024;
    result.candidates[64].class_id = 2000000000;
    ck_assert_uint_eq(vd_result_select(&result, &t, found), 2);
}
END_TEST

/* Two boxes that overlap by a third as they are, and by two thirds inside the picture. */
START_TEST(doubles_are_told_by_whole_boxes)
{
    vd_thresholds t = VD_THRESHOLDS_INIT;
    result.width = 100;
    result.height = 80;
    result.candidates[0] = (vd_detection){{-20, -5, 10, 100}, 0.9f, 0, 0};
    result.candidates[1] = (vd_detection){{-5, -5, 15, 100}, 0.8f, 0, 0};
    result.count = 2;
    ck_assert_uint_eq(vd_result_select(&result, &t, found), 2);
    const vd_box first = {0, 0, 10, 80}, second = {0, 0, 15, 80};
    ck_assert_int_eq(memcmp(&found[0].box, &first, sizeof first), 0);
    ck_assert_int_eq(memcmp(&found[1].box, &second, sizeof second), 0);
    result.width = result.height = 0;
}
END_TEST

START_TEST(the_number_is_limited)
{
    vd_thresholds t = VD_THRESHOLDS_INIT;
    result.count = VD_MAX_CANDIDATES;
    for (int i = 0; i < VD_MAX_CANDIDATES; i++)
        result.candidates[i] = (vd_detection){{20.0f * (float)i, 0, 20.0f * (float)i + 10, 10}, 0.5f, 0, 0};
    ck_assert_uint_eq(vd_result_select(&result, &t, found), VD_MAX_DETECTIONS);
    t.max_detections = 5000;
    ck_assert_uint_eq(vd_result_select(&result, &t, found), VD_MAX_DETECTIONS);
    t.max_detections = 7;
    ck_assert_uint_eq(vd_result_select(&result, &t, found), 7);
    t.max_detections = 0;
    ck_assert_uint_eq(vd_result_select(&result, &t, found), 0);
    t.max_detections = -3;
    ck_assert_uint_eq(vd_result_select(&result, &t, found), 0);
}
END_TEST

START_TEST(what_is_not_a_number_is_no_detection)
{
    static const float odd[] = {NAN, INFINITY, -INFINITY};
    vd_thresholds t = VD_THRESHOLDS_INIT;
    int number = 0;
    for (int field = 0; field < 5; field++)
        for (int i = 0; i < 3; i++) {
            vd_detection *d = &result.candidates[number++];
            *d = (vd_detection){{0, 0, 10, 10}, 0.9f, 0, 0};
            float *const fields[] = {&d->box.x1, &d->box.y1, &d->box.x2, &d->box.y2, &d->score};
            *fields[field] = i == 2 && field == 4 ? NAN : odd[i]; /* -inf would be the end of the list */
        }
    result.candidates[number++] = (vd_detection){{0, 0, 10, 10}, 0.8f, 0, 0};
    result.count = (size_t)number;
    ck_assert_uint_eq(vd_result_select(&result, &t, found), 1);
    ck_assert_float_eq(found[0].score, 0.8f);
}
END_TEST

START_TEST(overlap_is_between_0_and_1)
{
    vd_box whole = {0, 0, 10, 10}, half = {0, 0, 10, 5}, away = {20, 0, 30, 10}, touching = {10, 0, 20, 10};
    vd_box empty = {5, 5, 5, 9}, turned = {10, 10, 0, 0}, nan = {NAN, 0, 10, 10},
           huge = {-3e38f, -3e38f, 3e38f, 3e38f};
    ck_assert_float_eq(vd_box_iou(&whole, &whole), 1);
    ck_assert_float_eq(vd_box_iou(&whole, &half), 0.5f);
    ck_assert_float_eq(vd_box_iou(&half, &whole), 0.5f);
    ck_assert_float_eq(vd_box_iou(&whole, &away), 0);
    ck_assert_float_eq(vd_box_iou(&whole, &touching), 0);
    ck_assert_float_eq(vd_box_iou(&whole, &empty), 0);
    ck_assert_float_eq(vd_box_iou(&empty, &empty), 0);
    ck_assert_float_eq(vd_box_iou(&whole, &turned), 0);
    ck_assert_float_eq(vd_box_iou(&whole, &nan), 0);
    ck_assert_float_eq(vd_box_iou(&nan, &nan), 0);
    ck_assert_float_eq(vd_box_iou(&huge, &huge), 0);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("select");
    TCase *selection = tcase_create("select");
    tcase_add_test(selection, selection_equals_the_naive_one);
    tcase_add_test(selection, classes_do_not_suppress_each_other);
    tcase_add_test(selection, any_of_1024_classes_can_be_chosen);
    tcase_add_test(selection, doubles_are_told_by_whole_boxes);
    tcase_add_test(selection, the_number_is_limited);
    tcase_add_test(selection, what_is_not_a_number_is_no_detection);
    tcase_add_test(selection, overlap_is_between_0_and_1);
    suite_add_tcase(suite, selection);
    return suite;
}

TEST_MAIN(make_suite)
