/* Reading the boxes of YOLOv8's head, against a reading of the same numbers that is slow and plain. */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "check_main.h"
#include "detect/yolo_decode.h"

enum { PICTURE_WIDTH = 810, PICTURE_HEIGHT = 1080, INPUT = 320 };

static uint32_t seed;

static float uniform(float least, float most)
{
    seed = seed * 1664525u + 1013904223u;
    return least + (most - least) * (float)(seed >> 8) / 16777216.0f;
}

/* Boxes all over the input and beyond it; `share` of the anchors have a score of weight, many scores are
 * equal. */
static float *make_output(int classes, int anchors, float share)
{
    float *output = malloc((size_t)(4 + classes) * (size_t)anchors * sizeof *output);
    ck_assert_ptr_nonnull(output);
    for (int i = 0; i < anchors; i++) {
        output[i] = uniform(-20, INPUT + 20);
        output[anchors + i] = uniform(-20, INPUT + 20);
        output[2 * anchors + i] = uniform(-1, 150);
        output[3 * anchors + i] = uniform(-1, 150);
        bool weighty = uniform(0, 1) < share;
        for (int c = 0; c < classes; c++)
            output[(4 + c) * anchors + i] = weighty ? roundf(uniform(0, 50)) / 50 : uniform(0, 0.04f);
    }
    return output;
}

struct plain {
    vd_detection detection;
    int anchor;
};

static int compare_plain(const void *a, const void *b)
{
    const struct plain *first = a, *second = b;
    if (first->detection.score != second->detection.score)
        return first->detection.score < second->detection.score ? 1 : -1;
    return first->anchor - second->anchor;
}

/* One anchor after the other, in double precision, everything sorted. */
static size_t decode_plainly(const float *output, int classes, int anchors, const vd_letterbox *fit,
                             float floor, struct plain *ret_found)
{
    size_t count = 0;
    for (int i = 0; i < anchors; i++) {
        int best = -1;
        for (int c = 0; c < classes; c++) {
            float score = output[(4 + c) * anchors + i];
            if (!isnan(score) && (best < 0 || score > output[(4 + best) * anchors + i]))
                best = c;
        }
        double x = output[i], y = output[anchors + i];
        double w = output[2 * anchors + i], h = output[3 * anchors + i];
        float score = best < 0 ? 0 : output[(4 + best) * anchors + i];
        if (score < floor || score > 1 || !isfinite(x) || !isfinite(y) || !isfinite(w) || !isfinite(h))
            continue;
        double x1 = fmax((x - w / 2 - fit->left) / fit->scale, 0),
               y1 = fmax((y - h / 2 - fit->top) / fit->scale, 0);
        double x2 = fmin((x + w / 2 - fit->left) / fit->scale, PICTURE_WIDTH);
        double y2 = fmin((y + h / 2 - fit->top) / fit->scale, PICTURE_HEIGHT);
        if (x1 >= x2 || y1 >= y2)
            continue;
        ret_found[count++] = (struct plain){
            {.box = {(float)x1, (float)y1, (float)x2, (float)y2}, .score = score, .class_id = best}, i};
    }
    qsort(ret_found, count, sizeof *ret_found, compare_plain);
    return count < VD_MAX_CANDIDATES ? count : VD_MAX_CANDIDATES;
}

static void assert_same(const float *output, int classes, int anchors, float floor)
{
    vd_letterbox fit = vd_letterbox_fit(PICTURE_WIDTH, PICTURE_HEIGHT, INPUT, INPUT);
    vd_yolo_scratch scratch;
    static vd_detection found[VD_MAX_CANDIDATES];
    struct plain *wanted = malloc((size_t)anchors * sizeof *wanted);
    ck_assert_ptr_nonnull(wanted);
    ck_assert_int_eq(vd_yolo_scratch_init(&scratch, anchors), VD_OK);
    size_t wanted_count = decode_plainly(output, classes, anchors, &fit, floor, wanted);
    for (int pass = 0; pass < 2; pass++) { /* what is left in the scratch must not matter */
        size_t count =
            vd_yolo_decode(output, classes, &fit, PICTURE_WIDTH, PICTURE_HEIGHT, floor, &scratch, found);
        ck_assert_uint_eq(count, wanted_count);
        for (size_t i = 0; i < count; i++) {
            const vd_detection *want = &wanted[i].detection;
            ck_assert_float_eq(found[i].score, want->score);
            ck_assert_int_eq(found[i].class_id, want->class_id);
            ck_assert_int_eq(found[i].track_id, 0);
            ck_assert_float_eq_tol(found[i].box.x1, want->box.x1, 0.001f);
            ck_assert_float_eq_tol(found[i].box.y1, want->box.y1, 0.001f);
            ck_assert_float_eq_tol(found[i].box.x2, want->box.x2, 0.001f);
            ck_assert_float_eq_tol(found[i].box.y2, want->box.y2, 0.001f);
        }
    }
    vd_yolo_scratch_fini(&scratch);
    free(wanted);
}

START_TEST(equals_a_plain_reading)
{
    static const struct {
        int classes, anchors;
        float share;
    } cases[] = {{80, 2100, 0.05f}, {1, 2100, 0.5f}, {80, 8400, 1},   {3, 1, 1},  {80, 255, 1},
                 {80, 256, 1},      {80, 257, 1},    {7, 1023, 0.9f}, {2, 525, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        seed = (uint32_t)i + 1;
        float *output = make_output(cases[i].classes, cases[i].anchors, cases[i].share);
        assert_same(output, cases[i].classes, cases[i].anchors, 0.05f);
        assert_same(output, cases[i].classes, cases[i].anchors, 0.0001f);
        assert_same(output, cases[i].classes, cases[i].anchors, 1);
        free(output);
    }
}
END_TEST

START_TEST(what_is_no_number_is_left_out)
{
    enum { CLASSES = 5, ANCHORS = 600 };
    static const float bad[] = {NAN, INFINITY, -INFINITY, 1e38f, -1e38f};
    seed = 3;
    float *output = make_output(CLASSES, ANCHORS, 0.8f);
    for (int i = 0; i < ANCHORS * (4 + CLASSES) / 10; i++) {
        seed = seed * 1664525u + 1013904223u;
        output[(seed >> 8) % (ANCHORS * (4 + CLASSES))] = bad[i % 5];
    }
    /* A class of nothing but NaN takes nobody else's place. */
    for (int i = 0; i < ANCHORS; i++)
        output[4 * ANCHORS + i] = NAN;
    assert_same(output, CLASSES, ANCHORS, 0.05f);
    for (int i = 0; i < ANCHORS * (4 + CLASSES); i++)
        output[i] = NAN;
    assert_same(output, CLASSES, ANCHORS, 0.05f);
    free(output);
}
END_TEST

/* A box drawn in a picture, seen through the letterbox and brought back, is the same box. */
START_TEST(the_letterbox_is_undone)
{
    static const int sizes[][4] = {{810, 1080, 320, 320}, {1280, 720, 640, 640},  {320, 320, 320, 320},
                                   {100, 31, 416, 416},   {1920, 1080, 640, 384}, {7, 500, 320, 320}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        int width = sizes[i][0], height = sizes[i][1];
        vd_letterbox fit = vd_letterbox_fit(width, height, sizes[i][2], sizes[i][3]);
        vd_box box = {0.1f * (float)width, 0.2f * (float)height, 0.7f * (float)width, 0.9f * (float)height};
        float x1 = box.x1 * (float)fit.scale + (float)fit.left,
              x2 = box.x2 * (float)fit.scale + (float)fit.left;
        float y1 = box.y1 * (float)fit.scale + (float)fit.top,
              y2 = box.y2 * (float)fit.scale + (float)fit.top;
        const float output[5] = {(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1, 0.75f};
        vd_yolo_scratch scratch;
        static vd_detection found[VD_MAX_CANDIDATES];
        ck_assert_int_eq(vd_yolo_scratch_init(&scratch, 1), VD_OK);
        ck_assert_uint_eq(vd_yolo_decode(output, 1, &fit, width, height, 0.05f, &scratch, found), 1);
        ck_assert_float_eq_tol(found[0].box.x1, box.x1, 0.01f);
        ck_assert_float_eq_tol(found[0].box.y1, box.y1, 0.01f);
        ck_assert_float_eq_tol(found[0].box.x2, box.x2, 0.01f);
        ck_assert_float_eq_tol(found[0].box.y2, box.y2, 0.01f);
        ck_assert_float_eq(found[0].score, 0.75f);
        vd_yolo_scratch_fini(&scratch);
    }
}
END_TEST

/* Printed, not judged: other programs share the machine. */
START_TEST(takes_little_time)
{
    enum { CLASSES = 80, ANCHORS = 2100, PASSES = 50 };
    seed = 5;
    float *output = make_output(CLASSES, ANCHORS, 0.05f);
    vd_letterbox fit = vd_letterbox_fit(PICTURE_WIDTH, PICTURE_HEIGHT, INPUT, INPUT);
    vd_yolo_scratch scratch;
    static vd_detection found[VD_MAX_CANDIDATES];
    ck_assert_int_eq(vd_yolo_scratch_init(&scratch, ANCHORS), VD_OK);
    int64_t best_ns = INT64_MAX;
    size_t count = 0;
    for (int i = 0; i < PASSES; i++) {
        int64_t start_ns = vd_clock_now_ns();
        count = vd_yolo_decode(output, CLASSES, &fit, PICTURE_WIDTH, PICTURE_HEIGHT, 0.05f, &scratch, found);
        int64_t took_ns = vd_clock_now_ns() - start_ns;
        best_ns = took_ns < best_ns ? took_ns : best_ns;
    }
    ck_assert_uint_gt(count, 0);
    printf("yolo_decode: %d x %d in %.3f ms\n", CLASSES, ANCHORS, (double)best_ns / VD_NS_PER_MS);
    vd_yolo_scratch_fini(&scratch);
    free(output);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("yolo_decode");
    TCase *tests = tcase_create("yolo_decode");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, equals_a_plain_reading);
    tcase_add_test(tests, what_is_no_number_is_left_out);
    tcase_add_test(tests, the_letterbox_is_undone);
    tcase_add_test(tests, takes_little_time);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(make_suite)
