/* Reading the boxes of each family: numbers made by hand, and against readings of the same numbers that are
 * slow and plain. */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "check_main.h"
#include "detect/decode.h"

enum { PICTURE_WIDTH = 810, PICTURE_HEIGHT = 1080, INPUT = 320 };

static uint32_t seed;

static float uniform(float least, float most)
{
    seed = seed * 1664525u + 1013904223u;
    return least + (most - least) * (float)(seed >> 8) / 16777216.0f;
}

/* --- A model with outputs of the caller's choice, and its decoder */

static vd_detection found[VD_MAX_CANDIDATES];

static vd_model model_of(vd_model_family family, int side, int classes)
{
    return (vd_model){.name = "made",
                      .family = family,
                      .input_width = side,
                      .input_height = side,
                      .batch = 1,
                      .classes = classes,
                      .bins = 1,
                      .iou = 0.45f};
}

static int add_output(vd_model *model, int rank, int a, int b, int c, int d)
{
    model->outputs[model->output_count] = (vd_model_output){.rank = rank, .extents = {a, b, c, d}};
    return model->output_count++;
}

static vd_model_level *add_level(vd_model *model, int stride)
{
    vd_model_level *level = &model->levels[model->level_count++];
    *level = (vd_model_level){.stride = stride,
                              .width = model->input_width / stride,
                              .height = model->input_height / stride,
                              .box = -1,
                              .scores = -1,
                              .object = -1,
                              .angle = -1};
    return level;
}

static vd_decoder *make_decoder(const vd_model *model)
{
    vd_decoder *decoder = NULL;
    vd_error error = {0};
    ck_assert_msg(vd_decoder_new(model, &decoder, &error) == VD_OK, "%s", error.text);
    return decoder;
}

/* Reads outputs of a picture that has the input's size, and cuts the boxes to it as selection does. */
static size_t read_plain(const vd_model *model, const float *const *data, float floor)
{
    const vd_letterbox fit = {1, 1, 0, 0, model->input_width, model->input_height};
    vd_decoder *decoder = make_decoder(model);
    size_t count =
        vd_decoder_read(decoder, data, 0, &fit, model->input_width, model->input_height, floor, found);
    vd_decoder_free(&decoder);
    ck_assert_ptr_null(decoder);
    for (size_t i = 0; i < count; i++) {
        vd_box *box = &found[i].box;
        *box = (vd_box){fmaxf(box->x1, 0), fmaxf(box->y1, 0), fminf(box->x2, (float)model->input_width),
                        fminf(box->y2, (float)model->input_height)};
    }
    return count;
}

static void assert_found(size_t n, float score, int class_id, float x1, float y1, float x2, float y2)
{
    const vd_detection *one = &found[n];
    if (fabsf(one->score - score) > 1e-4f || one->class_id != class_id || fabsf(one->box.x1 - x1) > 0.01f ||
        fabsf(one->box.y1 - y1) > 0.01f || fabsf(one->box.x2 - x2) > 0.01f || fabsf(one->box.y2 - y2) > 0.01f)
        ck_abort_msg("%zu: class %d, %g at %g %g %g %g instead of class %d, %g at %g %g %g %g", n,
                     one->class_id, (double)one->score, (double)one->box.x1, (double)one->box.y1,
                     (double)one->box.x2, (double)one->box.y2, class_id, (double)score, (double)x1,
                     (double)y1, (double)x2, (double)y2);
}

static float logit(float score)
{
    return logf(score / (1 - score));
}

static float *filled(size_t count, float value)
{
    float *values = malloc(count * sizeof *values);
    ck_assert_ptr_nonnull(values);
    for (size_t i = 0; i < count; i++)
        values[i] = value;
    return values;
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

enum { SIDE = 64 };

/* Levels of strides 8 and 16 over 64 pixels, all logits at -9, all distances 0. */
static void make_heads(vd_model *model, int classes, int bins, bool angles, float *data[])
{
    *model = model_of(VD_FAMILY_HEADS, SIDE, classes);
    model->bins = bins;
    for (int stride = 8; stride <= 16; stride *= 2) {
        vd_model_level *level = add_level(model, stride);
        int w = level->width, h = level->height;
        size_t cells = (size_t)w * (size_t)h;
        level->scores = add_output(model, 4, 1, classes, h, w);
        data[level->scores] = filled((size_t)classes * cells, -9);
        level->box = add_output(model, 4, 1, 4 * bins, h, w);
        data[level->box] = filled(4 * (size_t)bins * cells, 0);
        level->angle = angles ? add_output(model, 4, 1, 1, h, w) : -1;
        if (angles)
            data[level->angle] = filled(cells, 0);
    }
}

static void free_data(float *data[], int count)
{
    for (int i = 0; i < count; i++)
        free(data[i]);
}

/* Values of a cell that lie a plane apart. */
static void set_planes(float *map, size_t cells, size_t cell, const float *values, int count)
{
    for (int i = 0; i < count; i++)
        map[(size_t)i * cells + cell] = values[i];
}

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

/* --- Rows */

START_TEST(yolov5_rows_are_pixels)
{
    enum { CLASSES = 20, COLUMNS = 5 + CLASSES, ROWS = 5 };
    vd_model model = model_of(VD_FAMILY_YOLOV5, INPUT, CLASSES);
    float *rows = filled((size_t)ROWS * COLUMNS, 0.01f);
    const float *data[] = {rows};
    const float boxes[ROWS][5] = {{100, 120, 40, 20, 0.9f},
                                  {50, 60, 10, 10, 0.04f},
                                  {NAN, 60, 10, 10, 1},
                                  {50, 60, 10, 10, NAN},
                                  {300, 310, 80, 80, 0.5f}};
    const int classes[ROWS] = {17, 3, 3, 3, 0}; /* in the last lanes, and in the first */
    for (int i = 0; i < ROWS; i++) {
        memcpy(rows + i * COLUMNS, boxes[i], sizeof boxes[i]);
        rows[i * COLUMNS + 5 + classes[i]] = 0.8f;
    }
    rows[5 + 2] = NAN;
    add_output(&model, 3, 1, ROWS, COLUMNS, 0);
    ck_assert_uint_eq(read_plain(&model, data, 0.05f), 2);
    assert_found(0, 0.72f, 17, 80, 110, 120, 130);
    assert_found(1, 0.4f, 0, 260, 270, INPUT, INPUT);
    ck_assert_uint_eq(read_plain(&model, data, 0.41f), 1);
    free(rows);
}
END_TEST

START_TEST(raw_rows_have_anchors)
{
    enum { COLUMNS = 7, CELLS = 64 + 16 + 4 };
    vd_model model = model_of(VD_FAMILY_YOLOV5_RAW, SIDE, 2);
    float *rows = filled((size_t)3 * CELLS * COLUMNS, 0);
    const float *data[] = {rows};
    const float values[COLUMNS] = {0.5f, 0.75f, 0.5f, 0.25f, 0.9f, 0.1f, 0.9f};
    add_output(&model, 3, 1, 3 * CELLS, COLUMNS, 0);
    /* stride 16, second anchor (62 × 45), row 1, column 2 */
    memcpy(rows + (3 * 64 + 16 + 4 + 2) * COLUMNS, values, sizeof values);
    ck_assert_uint_eq(read_plain(&model, data, 0.05f), 1);
    assert_found(0, 0.81f, 1, 40 - 31, 32 - 5.625f, SIDE, 32 + 5.625f);
    free(rows);
}
END_TEST

START_TEST(yolox_rows_are_offsets)
{
    enum { COLUMNS = 6, CELLS = 64 + 16 + 4 };
    vd_model model = model_of(VD_FAMILY_YOLOX, SIDE, 1);
    float *rows = filled((size_t)CELLS * COLUMNS, 0);
    const float *data[] = {rows};
    const float values[COLUMNS] = {0.25f, 0.5f, logf(2), 0, 0.5f, 0.5f}, huge[COLUMNS] = {0, 0, 99, 0, 1, 1};
    add_output(&model, 3, 1, CELLS, COLUMNS, 0);
    memcpy(rows + (64 + 4 + 1) * COLUMNS, values, sizeof values); /* stride 16, row 1, column 1 */
    memcpy(rows + 7 * COLUMNS, huge, sizeof huge);                /* e^99 is no float */
    ck_assert_uint_eq(read_plain(&model, data, 0.05f), 1);
    assert_found(0, 0.25f, 0, 20 - 16, 24 - 8, 20 + 16, 24 + 8);
    free(rows);
}
END_TEST

START_TEST(ssd_rows_are_shares)
{
    const vd_letterbox fit = {2, 0.5, 0, 0, SIDE, SIDE}; /* of a picture of 32 × 128, stretched */
    vd_model model = model_of(VD_FAMILY_SSD, SIDE, 2);
    const float rows[][7] = {{0, 1, 0.9f, 0.25f, 0.5f, 0.5f, 0.75f},
                             {0, 2, 0.8f, 0, 0, 1, 2},
                             {0, 0, 1, 0, 0, 1, 1},
                             {0, 3, 1, 0, 0, 1, 1},
                             {-1, 1, 1, 0, 0, 1, 1},
                             {1, 1, 1, 0, 0, 1, 1},
                             {0, NAN, 1, 0, 0, 1, 1},
                             {0, 1, NAN, 0, 0, 1, 1},
                             {0, 1, 1, 0, 0, INFINITY, 1},
                             {0, 1, 1, 1, 0, 0, 1},
                             {0, 0, 0, 0, 0, 0, 0}};
    const float *data[] = {rows[0]};
    add_output(&model, 4, 1, 1, sizeof rows / sizeof *rows, 7);
    vd_decoder *decoder = make_decoder(&model);
    ck_assert_uint_eq(vd_decoder_read(decoder, data, 0, &fit, 32, 128, 0.05f, found), 2);
    assert_found(0, 0.9f, 0, 8, 64, 16, 96);
    assert_found(1, 0.8f, 1, 0, 0, 32, 256);
    vd_decoder_free(&decoder);
}
END_TEST

START_TEST(darknet_rows_are_shares_of_two_outputs)
{
    vd_model model = model_of(VD_FAMILY_DARKNET, SIDE, 2);
    const float coarse[2][7] = {{0.5f, 0.25f, 0.5f, 0.25f, 0.9f, 0.1f, 0.8f},
                                {0.5f, 0.5f, 1, 1, 0.04f, 1, 1}};
    const float fine[1][7] = {{1, 1, 0.5f, 0.5f, 0.7f, 0.6f, 0.6f}};
    const float *data[] = {coarse[0], fine[0]};
    add_output(&model, 2, 2, 7, 0, 0);
    add_output(&model, 2, 1, 7, 0, 0);
    ck_assert_uint_eq(read_plain(&model, data, 0.05f), 2);
    assert_found(0, 0.8f, 1, 16, 8, 48, 24);
    assert_found(1, 0.6f, 0, 48, 48, SIDE, SIDE);
}
END_TEST

/* --- Levels with outputs of their own */

START_TEST(nanodet_rows_are_paired_by_level)
{
    for (int bins = 1; bins <= 8; bins += 7) {
        float *values[VD_MODEL_OUTPUTS] = {0};
        vd_model model = model_of(VD_FAMILY_NANODET, SIDE, 18);
        model.bins = bins;
        for (int stride = 8; stride <= 16; stride *= 2) {
            vd_model_level *level = add_level(&model, stride);
            int cells = level->width * level->height;
            level->box = add_output(&model, 2, cells, 4 * bins, 0, 0);
            values[level->box] = filled(4 * (size_t)(cells * bins), bins == 1 ? 2 : -300);
            level->scores = add_output(&model, 3, 1, cells, 18, 0);
            values[level->scores] = filled(18 * (size_t)cells, 0.01f);
        }
        for (int i = 0; i < 4 && bins > 1; i++)
            values[model.levels[1].box][(5 * 4 + i) * bins + i] = 0; /* 0, 1, 2 and 3 cells */
        values[model.levels[1].scores][5 * 18 + 17] = 0.6f;
        ck_assert_uint_eq(read_plain(&model, (const float *const *)values, 0.05f), 1);
        if (bins == 1)
            assert_found(0, 0.6f, 17, 0, 0, 56, 56);
        else
            assert_found(0, 0.6f, 17, 24, 8, 56, SIDE);
        for (int i = 0; i < model.output_count; i++)
            free(values[i]);
    }
}
END_TEST

START_TEST(fastestdet_cells_are_shares)
{
    enum { GRID = 4, CELLS = 16, CELL = 6 };
    vd_model model = model_of(VD_FAMILY_FASTESTDET, SIDE, 2);
    float *planes = filled((size_t)7 * CELLS, 0);
    const float *data[] = {planes};
    const float cell[7] = {0.8f, atanhf(0.5f), atanhf(-0.5f), logit(0.5f), logit(0.25f), 0.3f, 0.7f};
    set_planes(planes, CELLS, CELL, cell, 7);
    planes[9] = NAN;
    planes[10] = 1; /* an object of no class */
    add_output(&model, 4, 1, 7, GRID, GRID);
    ck_assert_uint_eq(read_plain(&model, data, 0.05f), 1);
    assert_found(0, powf(0.8f, 0.6f) * powf(0.7f, 0.4f), 1, 40 - 16, 8 - 8, 40 + 16, 8 + 8);
    free(planes);
}
END_TEST

START_TEST(yunet_scores_are_roots)
{
    float *values[VD_MODEL_OUTPUTS] = {0};
    vd_model model = model_of(VD_FAMILY_YUNET, SIDE, 1);
    for (int stride = 8; stride <= 32; stride *= 2) {
        vd_model_level *level = add_level(&model, stride);
        int cells = level->width * level->height;
        level->scores = add_output(&model, 3, 1, cells, 1, 0);
        level->object = add_output(&model, 3, 1, cells, 1, 0);
        level->box = add_output(&model, 3, 1, cells, 4, 0);
        for (int i = 0; i < 3; i++)
            values[level->scores + i] = filled((size_t)(i == 2 ? 4 * cells : cells), 0);
    }
    const float box[4] = {0.5f, 0.25f, logf(2), 0};
    values[model.levels[1].scores][7] = 0.64f;
    values[model.levels[1].object][7] = 0.36f;
    memcpy(values[model.levels[1].box] + 28, box, sizeof box);
    values[model.levels[0].scores][0] = 1; /* an object score alone, and a class alone, are nothing */
    values[model.levels[2].object][0] = 1;
    ck_assert_uint_eq(read_plain(&model, (const float *const *)values, 0.05f), 1);
    assert_found(0, 0.48f, 0, 56 - 16, 20 - 8, SIDE, 20 + 8);
    for (int i = 0; i < model.output_count; i++)
        free(values[i]);
}
END_TEST

/* --- Shapes that no family reads */

START_TEST(wrong_shapes_are_refused)
{
    static const vd_model_family families[] = {VD_FAMILY_HEADS,      VD_FAMILY_YOLOV8,   VD_FAMILY_YOLOV5,
                                               VD_FAMILY_YOLOV5_RAW, VD_FAMILY_YOLOX,    VD_FAMILY_NANODET,
                                               VD_FAMILY_FASTESTDET, VD_FAMILY_YUNET,    VD_FAMILY_SSD,
                                               VD_FAMILY_DARKNET,    (vd_model_family)99};
    static const vd_model_output outputs[] = {
        {.rank = 0},
        {.rank = 3, .extents = {1, 3, 5}},
        {.rank = 3, .extents = {1, 0, 85}},
        {.rank = 4, .extents = {1, -1, 4, 4}},
        {.rank = 4, .extents = {2147483647, 2147483647, 2147483647, 2147483647}},
    };
    for (size_t f = 0; f < sizeof families / sizeof *families; f++)
        for (size_t o = 0; o < sizeof outputs / sizeof *outputs; o++) {
            vd_model model = model_of(families[f], SIDE, 80);
            vd_decoder *decoder = NULL;
            vd_error error = {0};
            model.outputs[0] = outputs[o];
            model.output_count = 1;
            ck_assert_int_eq(vd_decoder_new(&model, &decoder, &error), VD_EFORMAT);
            add_level(&model, 8);
            ck_assert_int_eq(vd_decoder_new(&model, &decoder, &error), VD_EFORMAT);
            model.levels[0].box = model.levels[0].scores = model.levels[0].object = 0;
            ck_assert_int_eq(vd_decoder_new(&model, &decoder, &error), VD_EFORMAT);
            model.levels[0].box = 77;
            ck_assert_int_eq(vd_decoder_new(&model, &decoder, &error), VD_EFORMAT);
            ck_assert_ptr_null(decoder);
            ck_assert_uint_gt(strlen(error.text), 20);
        }
}
END_TEST

START_TEST(one_wrong_level_is_refused)
{
    float *data[VD_MODEL_OUTPUTS] = {0};
    vd_model model;
    vd_decoder *decoder = NULL;
    make_heads(&model, 3, 16, true, data);
    for (int i = 0; i < 6; i++) {
        vd_model wrong = model;
        wrong.classes += i == 0;
        wrong.bins += i == 1;
        wrong.levels[1].angle = i == 2 ? -1 : wrong.levels[1].angle;
        wrong.levels[1].width += i == 3;
        wrong.batch += i == 4;
        wrong.levels[0].scores = i == 5 ? wrong.levels[1].scores : wrong.levels[0].scores;
        ck_assert_int_eq(vd_decoder_new(&wrong, &decoder, NULL), VD_EFORMAT);
    }
    decoder = make_decoder(&model);
    vd_decoder_free(&decoder);
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
    TCase *rows = tcase_create("rows");
    tcase_add_test(rows, yolov5_rows_are_pixels);
    tcase_add_test(rows, raw_rows_have_anchors);
    tcase_add_test(rows, yolox_rows_are_offsets);
    tcase_add_test(rows, ssd_rows_are_shares);
    tcase_add_test(rows, darknet_rows_are_shares_of_two_outputs);
    suite_add_tcase(suite, rows);
    TCase *levels = tcase_create("levels");
    tcase_add_test(levels, nanodet_rows_are_paired_by_level);
    tcase_add_test(levels, fastestdet_cells_are_shares);
    tcase_add_test(levels, yunet_scores_are_roots);
    suite_add_tcase(suite, levels);
    TCase *shapes = tcase_create("shapes");
    tcase_add_test(shapes, wrong_shapes_are_refused);
    tcase_add_test(shapes, one_wrong_level_is_refused);
    tcase_add_test(shapes, takes_little_time);
    suite_add_tcase(suite, shapes);
    return suite;
}

TEST_MAIN(make_suite)
