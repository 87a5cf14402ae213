/* Families whose output is a list of boxes, a row each: columns of the box, objectness and classes. */
#include <math.h>

#include "detect/decode_family.h"

/* Objectness times the best class; the box is read only where both pass. */
static bool score_row(const vd_decoder *decoder, const float *row, float *ret_score, int *ret_class)
{
    float object = row[4];
    if (!(object >= decoder->floor))
        return false;
    int best = vd_best_of_row(row + 5, decoder->model->classes, decoder->floor);
    if (best < 0)
        return false;
    *ret_score = object * row[5 + best];
    *ret_class = best;
    return *ret_score >= decoder->floor;
}

/* What stands behind the classes (masks' coefficients) is passed over. */
static int row_output(const vd_model *model)
{
    int exact = vd_output_of_columns(model, 5 + model->classes);
    return exact < 0 && vd_output_columns(model, 0) > 5 + model->classes ? 0 : exact;
}

static size_t row_columns(const vd_model *model)
{
    return (size_t)vd_output_columns(model, row_output(model));
}

/* --- YOLOv5 and YOLOv7: centre and size in pixels */

static size_t measure_yolov5(const vd_model *model)
{
    return vd_output_rows(model, row_output(model));
}

static void read_yolov5(vd_decoder *decoder, const float *const *data)
{
    size_t columns = row_columns(decoder->model);
    const float *row = data[row_output(decoder->model)];
    float score;
    int class_id;
    for (size_t i = 0; i < decoder->room; i++, row += columns)
        if (score_row(decoder, row, &score, &class_id))
            vd_decoder_add(decoder, vd_box_around(row[0], row[1], row[2], row[3]), score, class_id);
}

const vd_family vd_family_yolov5 = {.measure = measure_yolov5, .read = read_yolov5};

/* --- The same before decoding, by the nine anchors of YOLOv5's own models (models/yolov5s.yaml) */

enum { SHAPES = 3 }; /* of each level */

static const float anchors[SHAPES][SHAPES][2] = {
    {{10, 13}, {16, 30}, {33, 23}}, {{30, 61}, {62, 45}, {59, 119}}, {{116, 90}, {156, 198}, {373, 326}}};

/* The cells of all levels; 0 when the rows are not `each` of them. */
static size_t measure_cells(const vd_model *model, size_t each)
{
    vd_model_level levels[VD_MODEL_LEVELS];
    size_t cells = 0;
    for (int l = 0, count = vd_decode_levels(model, levels); l < count; l++)
        cells += vd_level_cells(&levels[l]);
    return cells * each == vd_output_rows(model, row_output(model)) ? cells * each : 0;
}

static size_t measure_yolov5_raw(const vd_model *model)
{
    vd_model_level levels[VD_MODEL_LEVELS];
    return vd_decode_levels(model, levels) == SHAPES ? measure_cells(model, SHAPES) : 0;
}

/* One anchor's rows, cell by cell. Returns the row behind the last. */
static const float *read_anchor(vd_decoder *decoder, const float *row, const vd_model_level *level,
                                const float anchor[2])
{
    size_t columns = row_columns(decoder->model);
    float score, stride = (float)level->stride;
    int class_id;
    for (int y = 0; y < level->height; y++) {
        for (int x = 0; x < level->width; x++, row += columns) {
            if (!score_row(decoder, row, &score, &class_id))
                continue;
            vd_box box = vd_box_around((2 * row[0] - 0.5f + (float)x) * stride,
                                       (2 * row[1] - 0.5f + (float)y) * stride,
                                       4 * row[2] * row[2] * anchor[0], 4 * row[3] * row[3] * anchor[1]);
            vd_decoder_add(decoder, box, score, class_id);
        }
    }
    return row;
}

static void read_yolov5_raw(vd_decoder *decoder, const float *const *data)
{
    vd_model_level levels[VD_MODEL_LEVELS];
    const float *row = data[row_output(decoder->model)];
    vd_decode_levels(decoder->model, levels);
    for (int l = 0; l < SHAPES; l++)
        for (int a = 0; a < SHAPES; a++)
            row = read_anchor(decoder, row, &levels[l], anchors[l][a]);
}

const vd_family vd_family_yolov5_raw = {.measure = measure_yolov5_raw, .read = read_yolov5_raw};

/* --- YOLOX: offsets in cells, logarithms of sizes in cells */

static size_t measure_yolox(const vd_model *model)
{
    return measure_cells(model, 1);
}

static const float *read_grid(vd_decoder *decoder, const float *row, const vd_model_level *level)
{
    size_t columns = row_columns(decoder->model);
    float score, stride = (float)level->stride;
    int class_id;
    for (int y = 0; y < level->height; y++)
        for (int x = 0; x < level->width; x++, row += columns)
            if (score_row(decoder, row, &score, &class_id))
                vd_decoder_add(decoder,
                               vd_box_around((row[0] + (float)x) * stride, (row[1] + (float)y) * stride,
                                             expf(row[2]) * stride, expf(row[3]) * stride),
                               score, class_id);
    return row;
}

static void read_yolox(vd_decoder *decoder, const float *const *data)
{
    vd_model_level levels[VD_MODEL_LEVELS];
    const float *row = data[row_output(decoder->model)];
    for (int l = 0, count = vd_decode_levels(decoder->model, levels); l < count; l++)
        row = read_grid(decoder, row, &levels[l]);
}

const vd_family vd_family_yolox = {.measure = measure_yolox, .read = read_yolox};

/* --- Darknet: centre and size as shares of the input, classes already times objectness; an output a layer */

static size_t measure_darknet(const vd_model *model)
{
    size_t rows = 0;
    for (int i = 0; i < model->output_count; i++) {
        if (vd_output_columns(model, i) != 5 + model->classes)
            return 0;
        rows += vd_output_rows(model, i);
    }
    return rows;
}

static void read_darknet(vd_decoder *decoder, const float *const *data)
{
    const vd_model *model = decoder->model;
    float width = (float)model->input_width, height = (float)model->input_height;
    for (int o = 0; o < model->output_count; o++) {
        const float *row = data[o];
        for (size_t i = vd_output_rows(model, o); i > 0; i--, row += 5 + model->classes) {
            int best =
                row[4] >= decoder->floor ? vd_best_of_row(row + 5, model->classes, decoder->floor) : -1;
            if (best >= 0)
                vd_decoder_add(
                    decoder, vd_box_around(row[0] * width, row[1] * height, row[2] * width, row[3] * height),
                    row[5 + best], best);
        }
    }
}

const vd_family vd_family_darknet = {.measure = measure_darknet, .read = read_darknet};

/* --- SSD: picture, class (0 is the background), score, corners as shares of the input */

enum { SSD_COLUMNS = 7 };

/* A class as a float that is one; else -1. */
static int class_of(float value, int classes)
{
    return value >= 0 && value <= (float)(classes - 1) ? (int)(value + 0.5f) : -1;
}

/* The rows of all pictures stand in one list. */
static size_t ssd_rows(const vd_model *model, int output)
{
    return vd_output_rows(model, output) * (model->batch > 1 ? (size_t)model->batch : 1);
}

static size_t measure_ssd(const vd_model *model)
{
    int output = vd_output_of_columns(model, SSD_COLUMNS);
    return output >= 0 ? ssd_rows(model, output) : 0;
}

static void read_ssd(vd_decoder *decoder, const float *const *data)
{
    const vd_model *model = decoder->model;
    int output = vd_output_of_columns(model, SSD_COLUMNS);
    float width = (float)model->input_width, height = (float)model->input_height;
    const float *row = data[output] - (size_t)decoder->picture * vd_output_count(model, output);
    for (size_t i = 0; i < decoder->room; i++, row += SSD_COLUMNS)
        if (row[0] == (float)decoder->picture)
            vd_decoder_add(decoder,
                           (vd_box){row[3] * width, row[4] * height, row[5] * width, row[6] * height}, row[2],
                           class_of(row[1] - 1, model->classes));
}

const vd_family vd_family_ssd = {.measure = measure_ssd, .read = read_ssd};
