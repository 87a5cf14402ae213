/* Reading the boxes of the other families, from numbers made by hand; shapes that none reads. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "decode_case.h"

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

static Suite *make_suite(void)
{
    Suite *suite = suite_create("decode_rows");
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
    suite_add_tcase(suite, shapes);
    return suite;
}

TEST_MAIN(make_suite)
