/* A model with outputs of the caller's choice, its decoder, and what that reads. */
#ifndef TESTS_DECODE_CASE_H
#define TESTS_DECODE_CASE_H

#include <math.h>
#include <stdlib.h>

#include "check_main.h"
#include "detect/decode.h"

enum { INPUT = 320, SIDE = 64 };

static vd_detection found[VD_MAX_CANDIDATES];

static inline vd_model model_of(vd_model_family family, int side, int classes)
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

static inline int add_output(vd_model *model, int rank, int a, int b, int c, int d)
{
    model->outputs[model->output_count] = (vd_model_output){.rank = rank, .extents = {a, b, c, d}};
    return model->output_count++;
}

static inline vd_model_level *add_level(vd_model *model, int stride)
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

static inline vd_decoder *make_decoder(const vd_model *model)
{
    vd_decoder *decoder = NULL;
    vd_error error = {0};
    ck_assert_msg(vd_decoder_new(model, &decoder, &error) == VD_OK, "%s", error.text);
    return decoder;
}

/* Reads outputs of a picture that has the input's size, and cuts the boxes to it as selection does. */
static inline size_t read_plain(const vd_model *model, const float *const *data, float floor)
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

static inline void assert_found(size_t n, float score, int class_id, float x1, float y1, float x2, float y2)
{
    const vd_detection *one = &found[n];
    if (fabsf(one->score - score) > 1e-4f || one->class_id != class_id || fabsf(one->box.x1 - x1) > 0.01f ||
        fabsf(one->box.y1 - y1) > 0.01f || fabsf(one->box.x2 - x2) > 0.01f || fabsf(one->box.y2 - y2) > 0.01f)
        ck_abort_msg("%zu: class %d, %g at %g %g %g %g instead of class %d, %g at %g %g %g %g", n,
                     one->class_id, (double)one->score, (double)one->box.x1, (double)one->box.y1,
                     (double)one->box.x2, (double)one->box.y2, class_id, (double)score, (double)x1,
                     (double)y1, (double)x2, (double)y2);
}

static inline float logit(float score)
{
    return logf(score / (1 - score));
}

static inline float *filled(size_t count, float value)
{
    float *values = malloc(count * sizeof *values);
    ck_assert_ptr_nonnull(values);
    for (size_t i = 0; i < count; i++)
        values[i] = value;
    return values;
}

/* Levels of strides 8 and 16 over 64 pixels, all logits at -9, all distances 0. */
static inline void make_heads(vd_model *model, int classes, int bins, bool angles, float *data[])
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

static inline void free_data(float *data[], int count)
{
    for (int i = 0; i < count; i++)
        free(data[i]);
}

/* Values of a cell that lie a plane apart. */
static inline void set_planes(float *map, size_t cells, size_t cell, const float *values, int count)
{
    for (int i = 0; i < count; i++)
        map[(size_t)i * cells + cell] = values[i];
}

#endif
