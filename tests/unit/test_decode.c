/* Reading the boxes of heads, whole and cut: numbers made by hand, and against a reading of the same numbers
 * that is slow and plain; and how long it takes. */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "decode_case.h"

enum { PICTURE_WIDTH = 810, PICTURE_HEIGHT = 1080 };

static uint32_t seed;

static float uniform(float least, float most)
{
    seed = seed * 1664525u + 1013904223u;
    return least + (most - least) * (float)(seed >> 8) / 16777216.0f;
}

/* --- Whole heads, against a plain reading */

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
        const double far = 131072; /* beyond, areas would be no numbers */
        double x1 = fmax((x - w / 2 - fit->left) / fit->scale_x, -far);
        double y1 = fmax((y - h / 2 - fit->top) / fit->scale_y, -far);
        double x2 = fmin((x + w / 2 - fit->left) / fit->scale_x, far);
        double y2 = fmin((y + h / 2 - fit->top) / fit->scale_y, far);
        if (x1 >= x2 || y1 >= y2 || x1 >= PICTURE_WIDTH || y1 >= PICTURE_HEIGHT || x2 <= 0 || y2 <= 0)
            continue;
        ret_found[count++] = (struct plain){
            {.box = {(float)x1, (float)y1, (float)x2, (float)y2}, .score = score, .class_id = best}, i};
    }
    qsort(ret_found, count, sizeof *ret_found, compare_plain);
    return count < VD_MAX_CANDIDATES ? count : VD_MAX_CANDIDATES;
}

static vd_letterbox fit_of(int width, int height, int input_width, int input_height)
{
    const vd_feed feed = {.width = input_width, .height = input_height};
    return vd_letterbox_fit(width, height, &feed);
}

static vd_model yolov8_of(int classes, int anchors)
{
    vd_model model = model_of(VD_FAMILY_YOLOV8, INPUT, classes);
    add_output(&model, 3, 1, 4 + classes, anchors, 0);
    return model;
}

static void assert_same(const float *output, int classes, int anchors, float floor)
{
    vd_letterbox fit = fit_of(PICTURE_WIDTH, PICTURE_HEIGHT, INPUT, INPUT);
    vd_model model = yolov8_of(classes, anchors);
    vd_decoder *decoder = make_decoder(&model);
    struct plain *wanted = malloc((size_t)anchors * sizeof *wanted);
    ck_assert_ptr_nonnull(wanted);
    size_t wanted_count = decode_plainly(output, classes, anchors, &fit, floor, wanted);
    for (int pass = 0; pass < 2; pass++) { /* what is left in the decoder must not matter */
        size_t count =
            vd_decoder_read(decoder, &output, 0, &fit, PICTURE_WIDTH, PICTURE_HEIGHT, floor, found);
        ck_assert_uint_eq(count, wanted_count);
        for (size_t i = 0; i < count; i++) {
            const vd_detection *want = &wanted[i].detection;
            ck_assert_float_eq(found[i].score, want->score);
            ck_assert_int_eq(found[i].track_id, 0);
            assert_found(i, want->score, want->class_id, want->box.x1, want->box.y1, want->box.x2,
                         want->box.y2);
        }
    }
    vd_decoder_free(&decoder);
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
    for (int i = 0; i < 3 * (int)(sizeof sizes / sizeof *sizes); i++) {
        int width = sizes[i / 3][0], height = sizes[i / 3][1];
        const vd_feed feed = {
            .width = sizes[i / 3][2], .height = sizes[i / 3][3], .fit = (vd_feed_fit)(i % 3)};
        vd_letterbox fit = vd_letterbox_fit(width, height, &feed);
        vd_box box = {0.1f * (float)width, 0.2f * (float)height, 0.7f * (float)width, 0.9f * (float)height};
        float scale_x = (float)fit.scale_x, scale_y = (float)fit.scale_y;
        float x1 = box.x1 * scale_x + (float)fit.left, x2 = box.x2 * scale_x + (float)fit.left;
        float y1 = box.y1 * scale_y + (float)fit.top, y2 = box.y2 * scale_y + (float)fit.top;
        const float output[5] = {(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1, 0.75f}, *data = output;
        vd_model model = yolov8_of(1, 1);
        vd_decoder *decoder = make_decoder(&model);
        ck_assert_uint_eq(vd_decoder_read(decoder, &data, 0, &fit, width, height, 0.05f, found), 1);
        assert_found(0, 0.75f, 0, box.x1, box.y1, box.x2, box.y2);
        vd_decoder_free(&decoder);
    }
}
END_TEST

/* What stands behind the classes (masks, key points) is passed over; pictures of a batch are read apart. */
START_TEST(more_rows_and_more_pictures_change_nothing)
{
    enum { ROWS = 4 + 2 + 3, BOXES = 2 };
    const vd_letterbox fit = {1, 1, 0, 0, INPUT, INPUT};
    vd_model model = model_of(VD_FAMILY_YOLOV8, INPUT, 2);
    float *output = filled((size_t)3 * ROWS * BOXES, 0.9f);
    const float *data[] = {output};
    for (int picture = 0; picture < 3; picture++) {
        const float boxes[6][BOXES] = {{50, 100}, {60, 110}, {20, 30}, {20, 10}, {0.1f, 0.2f}, {0.3f, 0}};
        memcpy(output + picture * ROWS * BOXES, boxes, sizeof boxes);
        output[picture * ROWS * BOXES] += (float)picture;
    }
    add_output(&model, 3, 3, ROWS, BOXES, 0);
    model.batch = 3;
    vd_decoder *decoder = make_decoder(&model);
    for (int picture = 0; picture < 3; picture++) {
        float x = (float)picture;
        ck_assert_uint_eq(vd_decoder_read(decoder, data, picture, &fit, INPUT, INPUT, 0.05f, found), 2);
        assert_found(0, 0.3f, 1, 40 + x, 50, 60 + x, 70);
        assert_found(1, 0.2f, 0, 85, 105, 115, 115);
    }
    vd_decoder_free(&decoder);
    free(output);
}
END_TEST

/* --- Heads cut at their last convolutions */

START_TEST(distances_are_the_mean_of_their_bins)
{
    enum { BINS = 4, CELLS = 64 };
    float *data[VD_MODEL_OUTPUTS] = {0};
    vd_model model;
    make_heads(&model, 3, BINS, false, data);
    /* One bin alone; two alike; all alike; shares 1 : 3 of the bins 0 and 1. */
    const float low = -200, third = logf(3);
    const float sides[4 * BINS] = {low, low, 50, low, low, 1, 1, low, 7, 7, 7, 7, 0, third, low, low};
    set_planes(data[model.levels[0].box], CELLS, 8 * 3 + 4, sides, 4 * BINS);
    data[model.levels[0].scores][2 * CELLS + 8 * 3 + 4] = logit(0.8f);
    data[model.levels[1].scores][0 * 16 + 5] = logit(0.5f); /* level 1: its bins are alike, 1.5 cells each */
    data[model.levels[1].scores][1 * 16 + 5] = logit(0.4f);
    ck_assert_uint_eq(read_plain(&model, (const float *const *)data, 0.05f), 2);
    assert_found(0, 0.8f, 2, (4.5f - 2) * 8, (3.5f - 1.5f) * 8, (4.5f + 1.5f) * 8, (3.5f + 0.75f) * 8);
    assert_found(1, 0.5f, 0, 0, 0, 48, 48);
    /* At the floor itself a box stays, a hair below it goes. */
    data[model.levels[1].scores][5] = logit(0.0500001f);
    data[model.levels[1].scores][16 + 5] = logit(0.0499f);
    ck_assert_uint_eq(read_plain(&model, (const float *const *)data, 0.05f), 2);
    ck_assert_uint_eq(read_plain(&model, (const float *const *)data, 0.0501f), 1);
    data[model.levels[1].scores][5] = 40;
    ck_assert_uint_eq(read_plain(&model, (const float *const *)data, 1), 1);
    free_data(data, model.output_count);
}
END_TEST

START_TEST(bad_logits_and_distances_are_left_out)
{
    enum { CELLS = 64 };
    static const float bad[] = {NAN, INFINITY, -INFINITY, 3e38f};
    for (int bins = 1; bins <= 16; bins += 15) {
        float *data[VD_MODEL_OUTPUTS] = {0};
        vd_model model;
        make_heads(&model, 2, bins, false, data);
        for (int i = 0; i < 4; i++) {
            data[model.levels[0].scores][8 + i] = bad[i];
            data[model.levels[0].scores][CELLS + 16 + i] = 2; /* good scores, but what box is that? */
            data[model.levels[0].box][16 + i] = bad[i];
        }
        data[model.levels[0].scores][30] = NAN; /* the other class is good */
        data[model.levels[0].scores][CELLS + 30] = 1;
        for (int i = 0; i < 4 * bins && bins == 1; i++)
            data[model.levels[0].box][i * CELLS + 30] = 1;
        for (int pass = 0; pass < 2; pass++) {
            model.suppressed = pass == 1;
            size_t count = read_plain(&model, (const float *const *)data, 0.05f);
            /* One bin that weighs nothing, or all, is a box still; a sigmoid of 3e38 is 1. */
            ck_assert_uint_ge(count, 1);
            for (size_t i = 0; i < count; i++) {
                const vd_box *box = &found[i].box;
                ck_assert(box->x1 >= 0 && box->y1 >= 0 && box->x2 <= SIDE && box->y2 <= SIDE);
                ck_assert(box->x1 < box->x2 && box->y1 < box->y2 && found[i].score <= 1);
            }
            bool is_there = false;
            for (size_t i = 0; i < count; i++)
                is_there = is_there || (found[i].class_id == 1 && fabsf(found[i].score - 0.731f) < 0.001f);
            ck_assert(is_there);
        }
        free_data(data, model.output_count);
    }
}
END_TEST

START_TEST(end_to_end_heads_give_pairs)
{
    float *data[VD_MODEL_OUTPUTS] = {0};
    vd_model model;
    const float sides[4] = {1, 2, 3, 0.5f};
    make_heads(&model, 3, 1, false, data);
    model.suppressed = true;
    set_planes(data[model.levels[1].box], 16, 6, sides, 4);
    data[model.levels[1].scores][0 * 16 + 6] = logit(0.6f);
    data[model.levels[1].scores][2 * 16 + 6] = logit(0.7f);
    ck_assert_uint_eq(read_plain(&model, (const float *const *)data, 0.05f), 2);
    assert_found(0, 0.7f, 2, 24, 0, 64, 32);
    assert_found(1, 0.6f, 0, 24, 0, 64, 32);
    /* 300 of the 64 · 3 + 16 · 3 pairs are more than there are. */
    for (int l = 0; l < 2; l++) {
        size_t cells = l ? 16 : 64;
        for (size_t i = 0; i < 3 * cells; i++)
            data[model.levels[l].scores][i] = uniform(-1, 3);
        for (size_t i = 0; i < 4 * cells; i++)
            data[model.levels[l].box][i] = uniform(0.1f, 2);
    }
    ck_assert_uint_eq(read_plain(&model, (const float *const *)data, 0.05f), 240);
    for (size_t i = 1; i < 240; i++)
        ck_assert_float_ge(found[i - 1].score, found[i].score);
    free_data(data, model.output_count);
}
END_TEST

/* An angle of 0 is a logit of -log 3; the box is the one around it. */
START_TEST(turned_boxes_are_enclosed_and_suppressed)
{
    enum { CELLS = 64 };
    const float pi = 3.14159265f, root = sqrtf(0.5f);
    for (int bins = 1; bins <= 2; bins++) { /* with two bins a side of 1 is the second alone */
        float *data[VD_MODEL_OUTPUTS] = {0};
        vd_model model;
        make_heads(&model, 1, bins, true, data);
        for (int i = 0; i < 4; i++)
            for (size_t cell = 0; cell < CELLS; cell++)
                data[model.levels[0].box][(size_t)(i * bins + bins - 1) * CELLS + cell] = bins == 1 ? 1 : 100;
        float eighth = bins == 1 ? pi / 4 : logit(0.5f), none = bins == 1 ? 0 : logit(0.25f);
        data[model.levels[0].angle][18] = eighth;
        data[model.levels[0].angle][21] = none;
        data[model.levels[0].angle][22] = none; /* one cell further: half of it lies over the other */
        data[model.levels[0].angle][45] = none;
        data[model.levels[0].scores][18] = logit(0.9f);
        data[model.levels[0].scores][21] = logit(0.8f);
        data[model.levels[0].scores][22] = logit(0.7f);
        data[model.levels[0].scores][45] = logit(0.6f);
        float half = 16 * root;
        model.iou = 0.2f;
        ck_assert_uint_eq(read_plain(&model, (const float *const *)data, 0.05f), 3);
        assert_found(0, 0.9f, 0, 20 - half, 20 - half, 20 + half, 20 + half);
        assert_found(1, 0.8f, 0, 36, 12, 52, 28);
        assert_found(2, 0.6f, 0, 36, 36, 52, 52);
        model.iou = 0.5f;
        ck_assert_uint_eq(read_plain(&model, (const float *const *)data, 0.05f), 4);
        vd_decoder *decoder = make_decoder(&model);
        ck_assert(vd_decoder_suppresses(decoder));
        vd_decoder_free(&decoder);
        free_data(data, model.output_count);
    }
}
END_TEST

/* A box whose middle does not lie in its cell turns around the cell's own. */
START_TEST(turned_boxes_lie_where_their_angle_puts_them)
{
    const float sides[4] = {1, 1, 3, 1};
    float *data[VD_MODEL_OUTPUTS] = {0};
    vd_model model;
    make_heads(&model, 1, 1, true, data);
    set_planes(data[model.levels[0].box], 64, 27, sides, 4);
    data[model.levels[0].angle][27] = 3.14159265f / 2;
    data[model.levels[0].scores][27] = logit(0.9f);
    ck_assert_uint_eq(read_plain(&model, (const float *const *)data, 0.05f), 1);
    assert_found(0, 0.9f, 0, 28 - 8, 28 + 8 - 16, 28 + 8, 28 + 8 + 16);
    free_data(data, model.output_count);
}
END_TEST

/* --- Time: printed, not judged: other programs share the machine. */

static void time_reading(const char *what, const vd_model *model, const float *const *data)
{
    enum { PASSES = 50 };
    vd_letterbox fit = fit_of(PICTURE_WIDTH, PICTURE_HEIGHT, model->input_width, model->input_height);
    vd_decoder *decoder = make_decoder(model);
    int64_t best_ns = INT64_MAX;
    size_t count = 0;
    for (int i = 0; i < PASSES; i++) {
        int64_t start_ns = vd_clock_now_ns();
        count = vd_decoder_read(decoder, data, 0, &fit, PICTURE_WIDTH, PICTURE_HEIGHT, 0.05f, found);
        int64_t took_ns = vd_clock_now_ns() - start_ns;
        best_ns = took_ns < best_ns ? took_ns : best_ns;
    }
    ck_assert_uint_gt(count, 0);
    printf("decode: %s, %zu boxes in %.3f ms\n", what, count, (double)best_ns / VD_NS_PER_MS);
    vd_decoder_free(&decoder);
}

START_TEST(takes_little_time)
{
    seed = 5;
    vd_model whole = yolov8_of(80, 2100);
    float *output = make_output(80, 2100, 0.05f);
    time_reading("whole head 320", &whole, (const float *const *)&output);
    free(output);

    vd_model heads = model_of(VD_FAMILY_HEADS, INPUT, 80);
    float *data[VD_MODEL_OUTPUTS] = {0};
    heads.bins = 16;
    for (int stride = 8; stride <= 32; stride *= 2) {
        vd_model_level *level = add_level(&heads, stride);
        size_t cells = (size_t)(level->width * level->height);
        level->box = add_output(&heads, 4, 1, 64, level->height, level->width);
        level->scores = add_output(&heads, 4, 1, 80, level->height, level->width);
        data[level->box] = filled(64 * cells, 1);
        data[level->scores] = filled(80 * cells, -7);
        for (size_t i = 0; i < cells; i += 50)
            data[level->scores][i] = 1;
    }
    time_reading("cut heads 320", &heads, (const float *const *)data);
    free_data(data, heads.output_count);

    vd_model rows = model_of(VD_FAMILY_YOLOV5, 640, 80);
    add_output(&rows, 3, 1, 25200, 85, 0);
    output = filled((size_t)25200 * 85, 0.02f);
    for (size_t i = 0; i < 25200; i += 500)
        for (size_t k = 0; k < 85; k++)
            output[85 * i + k] = k < 4 ? 200 : 0.9f;
    time_reading("rows 640", &rows, (const float *const *)&output);
    free(output);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("decode");
    TCase *heads = tcase_create("heads");
    tcase_set_timeout(heads, 60);
    tcase_add_test(heads, equals_a_plain_reading);
    tcase_add_test(heads, what_is_no_number_is_left_out);
    tcase_add_test(heads, the_letterbox_is_undone);
    tcase_add_test(heads, more_rows_and_more_pictures_change_nothing);
    tcase_add_test(heads, distances_are_the_mean_of_their_bins);
    tcase_add_test(heads, bad_logits_and_distances_are_left_out);
    tcase_add_test(heads, end_to_end_heads_give_pairs);
    tcase_add_test(heads, turned_boxes_are_enclosed_and_suppressed);
    tcase_add_test(heads, turned_boxes_lie_where_their_angle_puts_them);
    suite_add_tcase(suite, heads);
    TCase *times = tcase_create("times");
    tcase_add_test(times, takes_little_time);
    suite_add_tcase(suite, times);
    return suite;
}

TEST_MAIN(make_suite)
