/* Families with outputs of their own for each level (NanoDet, YuNet), and FastestDet with one map. */
#include <math.h>
#include <stdlib.h>

#include "model/family.h"
#include "model/names.h"
#include "model/onnx_trace.h"

enum { SAMPLES = 10, MOST_BINS = 64, SIDES = 4, POINTS = 10 };

/* What an output's columns are. */
typedef enum content {
    CONTENT_SHARES = 1, /* sigmoids of one channel each */
    CONTENT_PLAIN,      /* channels as they are */
    CONTENT_MEANS       /* four means of bins */
} content;

typedef struct part {
    content content;
    int columns, width, height; /* of the grid */
} part;

typedef struct levels {
    vd_trace trace;
    const vd_onnx_graph *graph;
    part parts[VD_MODEL_OUTPUTS];
    int part_count;
} levels;

static double made_up(const vd_leaf *leaf)
{
    return vd_trace_made_up(leaf->map, leaf->channel, leaf->y, leaf->x);
}

/* The mean of 0, 1, … by the softmax of a cell's values. */
static double mean_of_bins(const vd_leaf *first, int bins)
{
    double sum = 0, mean = 0;
    for (int bin = 0; bin < bins; bin++) {
        double weight = exp(vd_trace_made_up(first->map, first->channel + bin, first->y, first->x));
        sum += weight;
        mean += weight * bin;
    }
    return mean / sum;
}

static bool read_element(levels *l, const vd_value *out, int row, int column, double *ret_number)
{
    int64_t index[VD_ONNX_RANK] = {0};
    index[out->shape.rank - 2] = row;
    index[out->shape.rank - 1] = column;
    return vd_trace_element(&l->trace, out, index, ret_number);
}

static content content_of(const levels *l, double number)
{
    const vd_leaf *leaf = &l->trace.leaves[0];
    int count = l->trace.leaf_count;
    if (count == 1 && vd_trace_is(number, made_up(leaf)))
        return CONTENT_PLAIN;
    if (count == 1 && vd_trace_is(number, vd_trace_sigmoid(made_up(leaf))))
        return CONTENT_SHARES;
    bool in_map = count > 1 && count <= MOST_BINS && leaf->channel + count <= leaf->map->shape.dims[1];
    return in_map && vd_trace_is(number, mean_of_bins(leaf, count)) ? CONTENT_MEANS : 0;
}

/* One row: all columns of one cell, channel after channel. */
static bool check_row(levels *l, const vd_value *out, const part *p, int row)
{
    int64_t next = -1;
    for (int column = 0; column < p->columns; column++) {
        double number;
        if (!read_element(l, out, row, column, &number) || content_of(l, number) != p->content)
            return false;
        const vd_leaf *leaf = &l->trace.leaves[0];
        if (leaf->y * p->width + leaf->x != row || (next >= 0 && leaf->channel != next))
            return false;
        next = leaf->channel + l->trace.leaf_count;
    }
    return true;
}

/* Rows [1, cells, columns] or [cells, columns] of one grid. */
static bool tell_part(levels *l, const vd_value *out, part *ret_part)
{
    double number;
    int rank = out->shape.rank;
    size_t count;
    if ((rank != 2 && rank != 3) || !vd_shape_count(&out->shape, VD_ONNX_MAX_ELEMENTS, &count) ||
        count == 0 || !read_element(l, out, 0, 0, &number) || l->trace.leaf_count == 0)
        return false;
    const int64_t *dims = l->trace.leaves[0].map->shape.dims;
    int rows = (int)out->shape.dims[rank - 2];
    if (dims[2] > rows || dims[3] > rows || dims[2] * dims[3] != rows)
        return false;
    part p = {.content = content_of(l, number),
              .columns = (int)out->shape.dims[rank - 1],
              .width = (int)dims[3],
              .height = (int)dims[2]};
    if (p.content == 0 || p.columns > VD_MAX_CLASSES)
        return false;
    for (uint32_t k = 0; k < SAMPLES; k++)
        if (!check_row(l, out, &p, k == 0 ? 0 : k == 1 ? rows - 1 : (int)(k * 2654435761u % (uint32_t)rows)))
            return false;
    *ret_part = p;
    return true;
}

/* The output of that content on the level's grid, other than `but`. columns 0: any. -1 when there is none. */
static int find_part(const levels *l, const vd_model_level *level, content wanted, int columns, int but)
{
    for (int i = 0; i < l->part_count; i++) {
        const part *p = &l->parts[i];
        if (p->content == wanted && p->width == level->width && p->height == level->height && i != but &&
            (columns == 0 || p->columns == columns))
            return i;
    }
    return -1;
}

/* The grids, by rising stride. False when one does not divide the input. */
static bool find_grids(const levels *l, vd_model *model)
{
    model->level_count = 0;
    for (int i = 0; i < l->part_count; i++) {
        const part *p = &l->parts[i];
        int at = 0, stride = model->input_width / p->width;
        if (stride * p->width != model->input_width || stride * p->height != model->input_height)
            return false;
        while (at < model->level_count && model->levels[at].stride < stride)
            at++;
        if (at < model->level_count && model->levels[at].stride == stride)
            continue;
        if (model->level_count == VD_MODEL_LEVELS)
            return false;
        for (int k = model->level_count++; k > at; k--)
            model->levels[k] = model->levels[k - 1];
        model->levels[at] = (vd_model_level){.stride = stride,
                                             .width = p->width,
                                             .height = p->height,
                                             .box = -1,
                                             .scores = -1,
                                             .object = -1,
                                             .angle = -1};
    }
    return model->level_count > 0;
}

static void sum_cells(vd_model *model)
{
    model->anchors = 0;
    for (int i = 0; i < model->level_count; i++)
        model->anchors += model->levels[i].width * model->levels[i].height;
}

/* Of each grid class scores and distances. */
static bool tell_nanodet(const levels *l, vd_model *model)
{
    int classes = 0, columns = 0;
    content boxes = 0;
    for (int i = 0; i < model->level_count; i++) {
        vd_model_level *level = &model->levels[i];
        level->scores = find_part(l, level, CONTENT_SHARES, classes, -1);
        level->box = find_part(l, level, CONTENT_MEANS, SIDES, -1);
        if (level->box < 0)
            level->box = find_part(l, level, CONTENT_PLAIN, columns, -1);
        if (level->scores < 0 || level->box < 0 || (boxes && l->parts[level->box].content != boxes))
            return false;
        boxes = l->parts[level->box].content;
        classes = l->parts[level->scores].columns;
        columns = l->parts[level->box].columns;
    }
    /* four plain columns may be anything: distances, centre and size */
    if (l->part_count != 2 * model->level_count || columns % SIDES != 0 ||
        (boxes == CONTENT_PLAIN && columns == SIDES) || columns > SIDES * MOST_BINS)
        return false;
    vd_family_set(model, VD_FAMILY_NANODET, VD_FEED_IMAGENET, "NanoDet");
    model->classes = classes;
    model->bins = columns / SIDES;
    sum_cells(model);
    vd_model_note(model, "outputs paired by their rows and columns: %d grids of %d class score%s",
                  model->level_count, classes, classes > 1 ? "s" : "");
    if (model->bins > 1)
        vd_model_note(model, "distances to four sides come as %d bins each", model->bins);
    else
        vd_model_note(model, "distances to four sides are means of bins, taken in the network");
    return true;
}

/* Of each grid a class score, objectness, a box and five points. Which of the first two is which does not
 * matter: the score is the root of their product. */
static bool tell_yunet(const levels *l, vd_model *model)
{
    for (int i = 0; i < model->level_count; i++) {
        vd_model_level *level = &model->levels[i];
        level->scores = find_part(l, level, CONTENT_SHARES, 1, -1);
        level->object = find_part(l, level, CONTENT_SHARES, 1, level->scores);
        level->box = find_part(l, level, CONTENT_PLAIN, SIDES, -1);
        if (level->scores < 0 || level->object < 0 || level->box < 0 ||
            find_part(l, level, CONTENT_PLAIN, POINTS, -1) < 0)
            return false;
    }
    if (l->part_count != 4 * model->level_count)
        return false;
    vd_family_set(model, VD_FAMILY_YUNET, VD_FEED_YUNET, "YuNet, faces");
    model->classes = 1;
    model->confidence = 0.6f;
    model->iou = 0.3f;
    sum_cells(model);
    vd_model_note(model, "outputs paired by their rows and columns: %d grids of 1, 1, 4 and 10 columns",
                  model->level_count);
    vd_model_note(model, "two sigmoids a cell whose product counts, 4 box values, 5 points (not used)");
    return true;
}

/* --- FastestDet */

static bool is_fastestdet_cell(levels *l, const vd_value *out, int64_t y, int64_t x)
{
    int classes = (int)out->shape.dims[1] - 5;
    double sum = 0;
    for (int channel = 0; channel < classes + 5; channel++) {
        int64_t index[VD_ONNX_RANK] = {0, channel, y, x};
        double number;
        if (!vd_trace_element(&l->trace, out, index, &number) || l->trace.leaf_count == 0)
            return false;
        const vd_leaf *leaf = &l->trace.leaves[0];
        if (leaf->y != y || leaf->x != x)
            return false;
        if (channel < 5 && content_of(l, number) != (channel == 0 ? CONTENT_SHARES : CONTENT_PLAIN))
            return false;
        if (channel >= 5 && (l->trace.leaf_count != classes || number < 0))
            return false;
        sum += channel >= 5 ? number : 0;
    }
    return vd_trace_is(sum, 1);
}

static void tell_fastestdet(levels *l, const vd_value *out, vd_model *model)
{
    const int64_t *dims = out->shape.dims;
    size_t count;
    if (out->shape.rank != 4 || dims[1] < 6 || dims[1] > VD_MAX_CLASSES + 5 || dims[1] > VD_TRACE_LEAVES ||
        !vd_shape_count(&out->shape, VD_ONNX_MAX_ELEMENTS, &count) || count == 0)
        return;
    int stride = model->input_width / (int)dims[3];
    if (stride * dims[3] != model->input_width || stride * dims[2] != model->input_height ||
        !is_fastestdet_cell(l, out, 0, 0) || !is_fastestdet_cell(l, out, dims[2] - 1, dims[3] / 2))
        return;
    vd_family_set(model, VD_FAMILY_FASTESTDET, VD_FEED_STRETCH, "FastestDet");
    model->classes = (int)dims[1] - 5;
    model->anchors = (int)(dims[2] * dims[3]);
    model->level_count = 1;
    model->levels[0] = (vd_model_level){.stride = stride,
                                        .width = (int)dims[3],
                                        .height = (int)dims[2],
                                        .box = 0,
                                        .scores = 0,
                                        .object = 0,
                                        .angle = -1};
    vd_model_note(model, "one map: a sigmoid for objectness, 4 untouched box values, %d class%s by softmax",
                  model->classes, model->classes > 1 ? "es" : "");
}

void vd_family_levels(const vd_onnx_graph *graph, vd_model *model)
{
    size_t outputs = graph->proto->n_output;
    levels *l = outputs > 0 && outputs <= VD_MODEL_OUTPUTS ? calloc(1, sizeof *l) : NULL;
    if (!l)
        return;
    bool all = true;
    l->trace.graph = l->graph = graph;
    for (size_t i = 0; outputs > 1 && all && i < outputs; i++)
        all = tell_part(l, vd_onnx_find(graph, graph->proto->output[i]->name), &l->parts[l->part_count++]);
    if (outputs == 1)
        tell_fastestdet(l, vd_onnx_find(graph, graph->proto->output[0]->name), model);
    else if (!all || !find_grids(l, model) || (!tell_nanodet(l, model) && !tell_yunet(l, model)))
        model->level_count = 0;
    free(l);
}
