/* Ultralytics' anchor-free heads: cut at their last convolutions (VD_FAMILY_HEADS) and whole
 * (VD_FAMILY_YOLOV8). Boxes as make_anchors, dist2bbox and dist2rbox of ultralytics/utils/tal.py: distances
 * in cells from the cell's middle. */
#include <math.h>

#include "detect/decode_family.h"

enum { MOST_PAIRS = 300 }; /* that an end-to-end head of Ultralytics gives */

/* --- Heads cut at their last convolutions */

static bool is_map(const vd_model *model, int output, size_t planes, size_t cells)
{
    return cells > 0 && vd_output_count(model, output) == planes * cells;
}

static size_t measure_heads(const vd_model *model)
{
    size_t cells = 0;
    if (model->bins < 1 || model->bins > 256)
        return 0;
    for (int l = 0; l < model->level_count; l++) {
        const vd_model_level *level = &model->levels[l];
        size_t here = vd_level_cells(level);
        if (!is_map(model, level->box, 4 * (size_t)model->bins, here) ||
            !is_map(model, level->scores, (size_t)model->classes, here))
            return 0;
        if ((level->angle >= 0) != (model->levels[0].angle >= 0) ||
            (level->angle >= 0 && !is_map(model, level->angle, 1, here)))
            return 0;
        cells += here;
    }
    return model->suppressed && cells > 0 && cells < MOST_PAIRS ? MOST_PAIRS : cells;
}

/* Left, top, right and bottom of a cell's box, in cells. */
static void read_distances(const float *map, int bins, size_t cells, size_t cell, float ret_sides[4])
{
    for (size_t side = 0; side < 4; side++) {
        const float *values = map + side * (size_t)bins * cells + cell;
        ret_sides[side] = bins == 1 ? *values : vd_expected_bin(values, bins, cells);
    }
}

/* Before YOLO26, which alone has plain distances, an angle went through a sigmoid of -45 to 135 degrees. */
static float read_angle(float value, int bins)
{
    const float pi = 3.14159265f;
    return bins > 1 ? (vd_sigmoid(value) - 0.25f) * pi : value;
}

static void add_cell(vd_decoder *decoder, const float *const *data, const vd_model_level *level, size_t cell,
                     float score, int class_id)
{
    float sides[4], stride = (float)level->stride;
    read_distances(data[level->box], decoder->model->bins, vd_level_cells(level), cell, sides);
    float x = (float)(cell % (size_t)level->width) + 0.5f, y = (float)(cell / (size_t)level->width) + 0.5f;
    if (level->angle < 0) {
        vd_box box = {(x - sides[0]) * stride, (y - sides[1]) * stride, (x + sides[2]) * stride,
                      (y + sides[3]) * stride};
        vd_decoder_add(decoder, box, score, class_id);
        return;
    }
    float angle = read_angle(data[level->angle][cell], decoder->model->bins);
    float along = (sides[2] - sides[0]) / 2, down = (sides[3] - sides[1]) / 2;
    vd_turned turned = {.center_x = (x + along * cosf(angle) - down * sinf(angle)) * stride,
                        .center_y = (y + along * sinf(angle) + down * cosf(angle)) * stride,
                        .width = (sides[0] + sides[2]) * stride,
                        .height = (sides[1] + sides[3]) * stride,
                        .angle = angle};
    vd_decoder_add_turned(decoder, &turned, score, class_id);
}

/* Only cells whose best class passes the floor are decoded: a dozen of thousands. */
static void read_level(vd_decoder *decoder, const float *const *data, const vd_model_level *level)
{
    size_t cells = vd_level_cells(level);
    float least = vd_logit_floor(decoder->floor);
    vd_best_of_planes(data[level->scores], decoder->model->classes, cells, decoder->scores, decoder->classes);
    for (size_t i = 0; i < cells; i++)
        if (decoder->scores[i] >= least && isfinite(decoder->scores[i]))
            add_cell(decoder, data, level, i, vd_sigmoid(decoder->scores[i]), decoder->classes[i]);
}

/* Offers every class of every cell; `first` is the level's first cell among all. */
static void offer_pairs(vd_decoder *decoder, const float *const *data, const vd_model_level *level,
                        size_t first)
{
    size_t cells = vd_level_cells(level);
    int classes = decoder->model->classes;
    float least = vd_logit_floor(decoder->floor);
    const float *logits = data[level->scores];
    vd_best_of_planes(logits, classes, cells, decoder->scores, decoder->classes);
    for (size_t i = 0; i < cells; i++) {
        for (int c = 0; c < classes && decoder->scores[i] >= least; c++) {
            float logit = logits[(size_t)c * cells + i];
            if (logit >= least && isfinite(logit))
                vd_best_offer(&decoder->best, vd_sigmoid(logit),
                              (uint32_t)((first + i) * (size_t)classes + (size_t)c));
        }
    }
}

/* The best pairs of cell and class, as the end-to-end heads have it: a cell may stand for two classes. */
static void read_pairs(vd_decoder *decoder, const float *const *data)
{
    const vd_model *model = decoder->model;
    size_t first = 0, classes = (size_t)model->classes;
    decoder->best.count = 0;
    for (int l = 0; l < model->level_count; l++) {
        offer_pairs(decoder, data, &model->levels[l], first);
        first += vd_level_cells(&model->levels[l]);
    }
    vd_best_sort(&decoder->best);
    for (size_t n = 0; n < decoder->best.count && n < MOST_PAIRS; n++) {
        size_t pair = vd_best_index(&decoder->best, n), cell = pair / classes, class_id = pair % classes;
        const vd_model_level *level = model->levels;
        for (; cell >= vd_level_cells(level); level++)
            cell -= vd_level_cells(level);
        float logit = data[level->scores][class_id * vd_level_cells(level) + cell];
        add_cell(decoder, data, level, cell, vd_sigmoid(logit), (int)class_id);
    }
}

static void read_heads(vd_decoder *decoder, const float *const *data)
{
    if (decoder->model->suppressed)
        read_pairs(decoder, data);
    else
        for (int l = 0; l < decoder->model->level_count; l++)
            read_level(decoder, data, &decoder->model->levels[l]);
}

const vd_family vd_family_heads = {.measure = measure_heads, .read = read_heads};

/* --- Whole heads: rows of centre x, centre y, width, height, the classes, and what else there may be */

static size_t measure_yolov8(const vd_model *model)
{
    if (model->output_count < 1 || model->outputs[0].rank != 3)
        return 0;
    size_t boxes = (size_t)vd_output_columns(model, 0);
    return vd_output_rows(model, 0) >= 4 + (size_t)model->classes ? boxes : 0;
}

static void read_yolov8(vd_decoder *decoder, const float *const *data)
{
    const float *rows = data[0];
    size_t boxes = decoder->room;
    vd_best_of_planes(rows + 4 * boxes, decoder->model->classes, boxes, decoder->scores, decoder->classes);
    for (size_t i = 0; i < boxes; i++) {
        if (!(decoder->scores[i] >= decoder->floor))
            continue;
        float x = rows[i], y = rows[boxes + i], width = rows[2 * boxes + i], height = rows[3 * boxes + i];
        vd_decoder_add(decoder, vd_box_around(x, y, width, height), decoder->scores[i], decoder->classes[i]);
    }
}

const vd_family vd_family_yolov8 = {.measure = measure_yolov8, .read = read_yolov8};
