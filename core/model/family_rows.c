/* Families with one output of rows: box, objectness, classes. */
#include <math.h>
#include <stdlib.h>

#include "model/family.h"
#include "model/names.h"
#include "model/onnx_trace.h"

enum { BOX = 4, OBJECT = 4, CLASS = 5, SAMPLES = 10 };

/* What the network does to a box's four values v before they come out at cell x, y of stride s. */
typedef enum form {
    FORM_NONE,
    FORM_PLAIN,         /* v */
    FORM_SIGMOID,       /* σ(v) */
    FORM_YOLOV5,        /* (2σ(v) − 0.5 + cell) · s, (2σ(v))² · anchor */
    FORM_YOLOV3,        /* (σ(v) + cell) · s, exp(v) · anchor */
    FORM_YOLOX_DECODED, /* (v + cell) · s, exp(v) · s */
    FORM_END
} form;

typedef struct rows {
    vd_trace trace;
    const vd_value *out;
    int count, columns; /* of the output */
    form form;
    int shapes;       /* boxes a cell */
    double anchor[2]; /* of the first cell looked at, for a level and shape */
    vd_model_level levels[VD_MODEL_LEVELS];
    int level_count, classes;
} rows;

/* A row of a level: `shape` counts the boxes of a cell. */
typedef struct spot {
    const vd_value *map; /* of objectness */
    int first, shape, x, y, width, height, stride;
} spot;

/* The function of one map's element that a column is, at the spot's cell. */
static bool read_column(rows *r, const spot *at, int column, double *ret_number, vd_leaf *ret_leaf)
{
    int64_t index[VD_ONNX_RANK] = {0};
    index[1] = at->first + (at->shape * at->height + at->y) * at->width + at->x;
    index[2] = column;
    if (!vd_trace_element(&r->trace, r->out, index, ret_number) || r->trace.leaf_count != 1)
        return false;
    *ret_leaf = r->trace.leaves[0];
    return ret_leaf->y == at->y && ret_leaf->x == at->x && ret_leaf->map->shape.dims[2] == at->height &&
           ret_leaf->map->shape.dims[3] == at->width;
}

static double made_up(const vd_leaf *leaf)
{
    return vd_trace_made_up(leaf->map, leaf->channel, leaf->y, leaf->x);
}

static bool is_share(rows *r, const spot *at, int column)
{
    double number;
    vd_leaf leaf;
    return read_column(r, at, column, &number, &leaf) &&
           vd_trace_is(number, vd_trace_sigmoid(made_up(&leaf)));
}

/* Whether the box's values are what the form makes of v; an anchor must be the same all over the level. */
static bool has_form(rows *r, const spot *at, form kind, const double n[BOX], const double v[BOX])
{
    double cell[2] = {at->x, at->y}, s = at->stride;
    bool same = true;
    for (int i = 0; i < 2; i++) {
        double share = vd_trace_sigmoid(v[i]), size = 2 * vd_trace_sigmoid(v[2 + i]);
        double anchor = kind == FORM_YOLOV5 ? n[2 + i] / (size * size) : n[2 + i] / exp(v[2 + i]);
        if (kind == FORM_PLAIN)
            same = same && vd_trace_is(n[i], v[i]) && vd_trace_is(n[2 + i], v[2 + i]);
        else if (kind == FORM_SIGMOID)
            same = same && vd_trace_is(n[i], share) && vd_trace_is(n[2 + i], size / 2);
        else if (kind == FORM_YOLOX_DECODED)
            same = same && vd_trace_is(n[i], (v[i] + cell[i]) * s) && vd_trace_is(anchor, s);
        else if (kind == FORM_YOLOV5)
            same = same && vd_trace_is(n[i], (2 * share - 0.5 + cell[i]) * s);
        else
            same = same && vd_trace_is(n[i], (share + cell[i]) * s);
        if (kind == FORM_YOLOV5 || kind == FORM_YOLOV3) {
            r->anchor[i] = r->anchor[i] == 0 ? anchor : r->anchor[i];
            same = same && anchor > 0 && vd_trace_is(anchor, r->anchor[i]);
        }
    }
    return same;
}

static bool tell_form(rows *r, const spot *at)
{
    double numbers[BOX], values[BOX];
    vd_leaf leaf;
    for (int i = 0; i < BOX; i++) {
        if (!read_column(r, at, i, &numbers[i], &leaf))
            return false;
        values[i] = made_up(&leaf);
    }
    for (form kind = FORM_PLAIN; r->form == FORM_NONE && kind < FORM_END; kind++) {
        r->anchor[0] = r->anchor[1] = 0;
        if (has_form(r, at, kind, numbers, values))
            r->form = kind;
    }
    return r->form != FORM_NONE && has_form(r, at, r->form, numbers, values);
}

/* Objectness comes from the spot's own map: its only channel, or one of each shape's. */
static bool has_object(rows *r, const spot *at)
{
    double number;
    vd_leaf leaf;
    int channel = r->shapes > 1 ? at->shape * r->columns + OBJECT : (int)at->map->shape.dims[1] - 1;
    return read_column(r, at, OBJECT, &number, &leaf) && leaf.map == at->map &&
           (leaf.channel == channel || at->map->shape.dims[1] == r->columns) &&
           vd_trace_is(number, vd_trace_sigmoid(made_up(&leaf)));
}

static bool check_shape(rows *r, spot *at)
{
    uint32_t cells = (uint32_t)(at->width * at->height);
    r->anchor[0] = r->anchor[1] = 0;
    for (uint32_t k = 0; k < SAMPLES; k++) {
        int cell = k == 0 ? 0 : k == 1 ? (int)cells - 1 : (int)(k * 2654435761u % cells);
        at->y = cell / at->width;
        at->x = cell % at->width;
        if (!has_object(r, at) || !tell_form(r, at) || !is_share(r, at, CLASS))
            return false;
    }
    for (int class = 0; class < r->classes; class ++)
        if (!is_share(r, at, CLASS + class))
            return false;
    return true;
}

/* The level whose first row is `first`. Returns the number of its rows, 0 when it is none. */
static int find_level(rows *r, int first, vd_model_level *level)
{
    int64_t index[VD_ONNX_RANK] = {0, first, OBJECT};
    double number;
    if (!vd_trace_element(&r->trace, r->out, index, &number) || r->trace.leaf_count != 1)
        return 0;
    const vd_value *map = r->trace.leaves[0].map;
    const int64_t *dims = map->shape.dims;
    int most = r->count - first;
    if (dims[2] > most || dims[3] > most || dims[2] * dims[3] > most)
        return 0;
    int shapes = dims[1] % r->columns == 0 ? (int)dims[1] / r->columns : 1;
    if (shapes > 16 || dims[2] * dims[3] * shapes > most || (first > 0 && shapes != r->shapes))
        return 0;
    r->shapes = shapes;
    spot at = {.map = map, .first = first, .width = (int)dims[3], .height = (int)dims[2]};
    at.stride = level->stride / at.width; /* the caller left the input's width there */
    if (at.stride * at.width != level->stride)
        return 0;
    *level = (vd_model_level){.stride = at.stride,
                              .width = at.width,
                              .height = at.height,
                              .box = -1,
                              .scores = -1,
                              .object = -1,
                              .angle = -1};
    for (; at.shape < shapes; at.shape++)
        if (!check_shape(r, &at))
            return 0;
    return at.width * at.height * shapes;
}

/* How many columns from the first class on are shares; the rest are masks' coefficients. */
static int count_classes(rows *r)
{
    int classes = 0;
    for (int column = CLASS; column < r->columns && classes <= VD_MAX_CLASSES; column++, classes++) {
        int64_t index[VD_ONNX_RANK] = {0, 0, column};
        double number;
        if (!vd_trace_element(&r->trace, r->out, index, &number) || r->trace.leaf_count != 1 ||
            !vd_trace_is(number, vd_trace_sigmoid(made_up(&r->trace.leaves[0]))))
            break;
    }
    return classes;
}

static bool find_rows(rows *r, const vd_model *model)
{
    r->classes = count_classes(r);
    if (r->classes < 1 || r->classes > VD_MAX_CLASSES)
        return false;
    for (int first = 0; first < r->count;) {
        if (r->level_count == VD_MODEL_LEVELS)
            return false;
        vd_model_level *level = &r->levels[r->level_count++];
        level->stride = model->input_width;
        int taken = find_level(r, first, level);
        if (taken == 0 || level->height * level->stride != model->input_height)
            return false;
        first += taken;
    }
    return r->form != FORM_SIGMOID || (r->level_count == 3 && r->shapes == 3 && r->levels[0].stride == 8 &&
                                       r->levels[1].stride == 16 && r->levels[2].stride == 32);
}

static void fill(const rows *r, vd_model *model)
{
    static const struct {
        vd_model_family family;
        vd_family_feeding feeding;
        const char *variant, *evidence;
    } forms[FORM_END] = {
        [FORM_PLAIN] = {VD_FAMILY_YOLOX, VD_FEED_YOLOX, "YOLOX, decoded here",
                        "box values come out of the convolution untouched"},
        [FORM_SIGMOID] = {VD_FAMILY_YOLOV5_RAW, VD_FEED_SHARES, "YOLOv5 anchor heads, decoded here",
                          "box values are sigmoids: not decoded, YOLOv5's nine anchors are used"},
        [FORM_YOLOV5] = {VD_FAMILY_YOLOV5, VD_FEED_SHARES, "YOLOv5 or YOLOv7, decoded in the network",
                         "boxes are (2s - 0.5 + cell) · stride, (2s)² · anchor of sigmoids s"},
        [FORM_YOLOV3] = {VD_FAMILY_YOLOV5, VD_FEED_SHARES, "YOLOv3 or YOLOv4, decoded in the network",
                         "boxes are (s + cell) · stride of a sigmoid s, exp(v) · anchor"},
        [FORM_YOLOX_DECODED] = {VD_FAMILY_YOLOV5, VD_FEED_YOLOX, "YOLOX, decoded in the network",
                                "boxes are (v + cell) · stride, exp(v) · stride of untouched values v"},
    };
    vd_family_set(model, forms[r->form].family, forms[r->form].feeding, forms[r->form].variant);
    model->classes = r->classes;
    model->anchors = r->count;
    model->level_count = r->level_count;
    for (int i = 0; i < r->level_count; i++)
        model->levels[i] = r->levels[i];
    vd_model_note(model, "%d rows: %d box%s a cell of %d grid%s, first stride %d", r->count, r->shapes,
                  r->shapes > 1 ? "es" : "", r->level_count, r->level_count > 1 ? "s" : "",
                  r->levels[0].stride);
    vd_model_note(model, "objectness and %d class score%s are sigmoids of one channel each", r->classes,
                  r->classes > 1 ? "s" : "");
    vd_model_note(model, "%s", forms[r->form].evidence);
    if (r->columns > CLASS + r->classes)
        vd_model_note(model, "%d more values a box (masks) are not used, only the boxes",
                      r->columns - CLASS - r->classes);
}

void vd_family_rows(const vd_onnx_graph *graph, vd_model *model)
{
    const vd_value *out = vd_onnx_find(graph, graph->proto->output[0]->name);
    size_t count;
    if (out->shape.rank != 3 || out->shape.dims[2] <= CLASS ||
        !vd_shape_count(&out->shape, VD_ONNX_MAX_ELEMENTS, &count) || count == 0)
        return;
    rows *r = calloc(1, sizeof *r);
    if (!r)
        return;
    r->trace.graph = graph;
    r->out = out;
    r->count = (int)out->shape.dims[1];
    r->columns = (int)out->shape.dims[2];
    if (find_rows(r, model))
        fill(r, model);
    free(r);
}
