/* Families with outputs of their own for each level: NanoDet, FastestDet, YuNet. */
#include <math.h>

#include "detect/decode_family.h"

static bool are_rows(const vd_model *model, int output, size_t rows, int columns)
{
    return vd_output_columns(model, output) == columns && vd_output_rows(model, output) == rows;
}

static float cell_x(const vd_model_level *level, size_t cell)
{
    return (float)(cell % (size_t)level->width);
}

static float cell_y(const vd_model_level *level, size_t cell)
{
    return (float)(cell / (size_t)level->width);
}

/* --- NanoDet: rows of class scores, and of distances from the cell's middle in cells, as numbers or as bins
 */

static size_t measure_nanodet(const vd_model *model)
{
    size_t cells = 0;
    if (model->bins < 1 || model->bins > 256)
        return 0;
    for (int l = 0; l < model->level_count; l++) {
        const vd_model_level *level = &model->levels[l];
        size_t here = vd_level_cells(level);
        if (!are_rows(model, level->scores, here, model->classes) ||
            !are_rows(model, level->box, here, 4 * model->bins))
            return 0;
        cells += here;
    }
    return cells;
}

static void add_nanodet(vd_decoder *decoder, const vd_model_level *level, size_t cell, const float *distances,
                        float score, int class_id)
{
    int bins = decoder->model->bins;
    float sides[4], stride = (float)level->stride;
    for (int s = 0; s < 4; s++)
        sides[s] = bins == 1 ? distances[s] : vd_expected_bin(distances + s * bins, bins, 1);
    float x = cell_x(level, cell) + 0.5f, y = cell_y(level, cell) + 0.5f;
    vd_box box = {(x - sides[0]) * stride, (y - sides[1]) * stride, (x + sides[2]) * stride,
                  (y + sides[3]) * stride};
    vd_decoder_add(decoder, box, score, class_id);
}

static void read_nanodet(vd_decoder *decoder, const float *const *data)
{
    const vd_model *model = decoder->model;
    size_t classes = (size_t)model->classes, sides = 4 * (size_t)model->bins;
    for (int l = 0; l < model->level_count; l++) {
        const vd_model_level *level = &model->levels[l];
        for (size_t i = 0; i < vd_level_cells(level); i++) {
            const float *scores = data[level->scores] + i * classes;
            int best = vd_best_of_row(scores, model->classes, decoder->floor);
            if (best >= 0)
                add_nanodet(decoder, level, i, data[level->box] + i * sides, scores[best], best);
        }
    }
}

const vd_family vd_family_nanodet = {.measure = measure_nanodet, .read = read_nanodet};

/* --- FastestDet: one level of planes: objectness, box, classes (its own example/onnx-runtime) */

static size_t measure_fastestdet(const vd_model *model)
{
    if (model->output_count < 1 || model->outputs[0].rank != 4)
        return 0;
    const int *extents = model->outputs[0].extents;
    size_t cells = vd_output_count(model, 0) ? (size_t)extents[2] * (size_t)extents[3] : 0;
    return extents[1] == 5 + model->classes ? cells : 0;
}

static void read_fastestdet(vd_decoder *decoder, const float *const *data)
{
    const vd_model *model = decoder->model;
    const float object_power = 0.6f, class_power = 0.4f;
    const float *planes = data[0];
    size_t cells = decoder->room;
    vd_model_level grid = {.height = model->outputs[0].extents[2], .width = model->outputs[0].extents[3]};
    float width = (float)model->input_width, height = (float)model->input_height;
    float least = powf(decoder->floor, 1 / object_power) * 0.999f; /* a class is 1 at most */
    vd_best_of_planes(planes + 5 * cells, model->classes, cells, decoder->scores, decoder->classes);
    for (size_t i = 0; i < cells; i++) {
        if (!(planes[i] >= least) || !(decoder->scores[i] > 0))
            continue;
        float score = powf(planes[i], object_power) * powf(decoder->scores[i], class_power);
        float x = (cell_x(&grid, i) + tanhf(planes[cells + i])) / (float)grid.width;
        float y = (cell_y(&grid, i) + tanhf(planes[2 * cells + i])) / (float)grid.height;
        vd_box box = vd_box_around(x * width, y * height, vd_sigmoid(planes[3 * cells + i]) * width,
                                   vd_sigmoid(planes[4 * cells + i]) * height);
        vd_decoder_add(decoder, box, score, decoder->classes[i]);
    }
}

const vd_family vd_family_fastestdet = {.measure = measure_fastestdet, .read = read_fastestdet};

/* --- YuNet: rows of classes, objectness and box: offsets in cells, logarithms of sizes in cells */

static size_t measure_yunet(const vd_model *model)
{
    size_t cells = 0;
    for (int l = 0; l < model->level_count; l++) {
        const vd_model_level *level = &model->levels[l];
        size_t here = vd_level_cells(level);
        if (!are_rows(model, level->scores, here, model->classes) ||
            !are_rows(model, level->object, here, 1) || !are_rows(model, level->box, here, 4))
            return 0;
        cells += here;
    }
    return cells;
}

static void add_yunet(vd_decoder *decoder, const vd_model_level *level, size_t cell, const float *values,
                      float score, int class_id)
{
    float stride = (float)level->stride;
    vd_box box =
        vd_box_around((cell_x(level, cell) + values[0]) * stride, (cell_y(level, cell) + values[1]) * stride,
                      expf(values[2]) * stride, expf(values[3]) * stride);
    vd_decoder_add(decoder, box, score, class_id);
}

static void read_yunet(vd_decoder *decoder, const float *const *data)
{
    const vd_model *model = decoder->model;
    float least = decoder->floor * decoder->floor * 0.999f; /* the root of a product of two shares */
    for (int l = 0; l < model->level_count; l++) {
        const vd_model_level *level = &model->levels[l];
        for (size_t i = 0; i < vd_level_cells(level); i++) {
            float object = data[level->object][i];
            const float *scores = data[level->scores] + i * (size_t)model->classes;
            int best = object >= least ? vd_best_of_row(scores, model->classes, least) : -1;
            if (best >= 0)
                add_yunet(decoder, level, i, data[level->box] + 4 * i, sqrtf(object * scores[best]), best);
        }
    }
}

const vd_family vd_family_yunet = {.measure = measure_yunet, .read = read_yunet};
