#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "check_main.h"
#include "model/model.h"
#include "model/onnx_file.h"
#include "onnx_build.h"

/* Networks in small: maps straight from the picture, and behind them what each family computes. */
enum { SIDE = 64, LEVELS = 3, CELLS = 84 };

static const int strides[LEVELS] = {8, 16, 32};

static int side_of(int level)
{
    return SIDE / strides[level];
}

static char *text(const char *format, ...) __attribute__((format(printf, 1, 2)));
static char *text(const char *format, ...)
{
    static char lines[64][256];
    static int next;
    char *line = lines[next++ % 64];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof lines[0], format, arguments);
    va_end(arguments);
    return line;
}

static Onnx__ModelProto *empty_model(void)
{
    Onnx__ModelProto *m = build_model(12);
    build_input(m, "picture", VD_ONNX_FLOAT, DIMS(1, 3, SIDE, SIDE));
    return m;
}

/* A convolution's map of a level. */
static void add_map(Onnx__ModelProto *m, const char *name, int level, int channels)
{
    int stride = strides[level];
    build_floats(m, text("w_%s", name), -0.01, 0.00001, DIMS(channels, 3, stride, stride));
    Onnx__NodeProto *conv = build_node(m, "Conv", text("picture w_%s", name), name);
    build_list(conv, "strides", DIMS(stride, stride));
    build_list(conv, "kernel_shape", DIMS(stride, stride));
}

static void add_concat(Onnx__ModelProto *m, const char *inputs, const char *output, int axis)
{
    build_int(build_node(m, "Concat", inputs, output), "axis", axis);
}

static void add_transpose(Onnx__ModelProto *m, const char *input, const char *output, const int64_t *order,
                          int rank)
{
    build_list(build_node(m, "Transpose", input, output), "perm", order, rank);
}

static void add_reshape(Onnx__ModelProto *m, const char *input, const char *output, const int64_t *dims,
                        int rank)
{
    build_ints(m, text("shape_%s", output), dims, rank);
    build_node(m, "Reshape", text("%s shape_%s", input, output), output);
}

static void add_slice(Onnx__ModelProto *m, const char *input, const char *output, int axis, int first,
                      int end)
{
    build_ints(m, text("%s_first", output), DIMS(first));
    build_ints(m, text("%s_end", output), DIMS(end));
    build_ints(m, text("%s_axis", output), DIMS(axis));
    build_node(m, "Slice", text("%s %s_first %s_end %s_axis", input, output, output, output), output);
}

/* The cells' middles [1, 2, 84] and strides [1, 84]; `error` is added to the strides. */
static void add_anchors(Onnx__ModelProto *m, double error)
{
    Onnx__TensorProto *middles = build_constant(m, "middles", VD_ONNX_FLOAT, DIMS(1, 2, CELLS));
    Onnx__TensorProto *factors = build_constant(m, "factors", VD_ONNX_FLOAT, DIMS(1, CELLS));
    size_t cell = 0;
    for (int l = 0; l < LEVELS; l++)
        for (int i = 0; i < side_of(l) * side_of(l); i++, cell++) {
            vd_onnx_tensor_set_number(middles, cell, i % side_of(l) + 0.5);
            vd_onnx_tensor_set_number(middles, CELLS + cell, i / side_of(l) + 0.5);
            vd_onnx_tensor_set_number(factors, cell, strides[l] + error);
        }
}

/* --- YOLOX */

/* [1, 5 + classes, 84] */
static Onnx__ModelProto *join_yolox(int classes)
{
    Onnx__ModelProto *m = empty_model();
    for (int l = 0; l < LEVELS; l++) {
        add_map(m, text("box%d", l), l, 4);
        add_map(m, text("obj%d", l), l, 1);
        add_map(m, text("cls%d", l), l, classes);
        build_node(m, "Sigmoid", text("obj%d", l), text("sobj%d", l));
        build_node(m, "Sigmoid", text("cls%d", l), text("scls%d", l));
        add_concat(m, text("box%d sobj%d scls%d", l, l, l), text("all%d", l), 1);
        add_reshape(m, text("all%d", l), text("flat%d", l), DIMS(1, 5 + classes, -1));
    }
    add_concat(m, "flat0 flat1 flat2", "joined", 2);
    return m;
}

static Onnx__ModelProto *build_yolox(int classes)
{
    Onnx__ModelProto *m = join_yolox(classes);
    add_transpose(m, "joined", "output", DIMS(0, 2, 1));
    build_output(m, "output", DIMS(1, CELLS, 5 + classes));
    return m;
}

/* Boxes in pixels, as its exporter's --decode_in_inference writes them. */
static Onnx__ModelProto *build_yolox_decoded(int classes)
{
    Onnx__ModelProto *m = join_yolox(classes);
    add_anchors(m, 0);
    build_number(m, "half", VD_ONNX_FLOAT, 0.5);
    build_node(m, "Sub", "middles half", "cells");
    add_slice(m, "joined", "xy", 1, 0, 2);
    add_slice(m, "joined", "wh", 1, 2, 4);
    add_slice(m, "joined", "rest", 1, 4, 5 + classes);
    build_node(m, "Add", "xy cells", "moved");
    build_node(m, "Mul", "moved factors", "center");
    build_node(m, "Exp", "wh", "grown");
    build_node(m, "Mul", "grown factors", "size");
    add_concat(m, "center size rest", "decoded", 1);
    add_transpose(m, "decoded", "output", DIMS(0, 2, 1));
    build_output(m, "output", DIMS(1, CELLS, 5 + classes));
    return m;
}

/* --- YOLOv5 */

/* Where the cells are: [1, 3, h, w, 2], less a half. */
static void add_grid(Onnx__ModelProto *m, int level)
{
    int side = side_of(level);
    Onnx__TensorProto *grid =
        build_constant(m, text("grid%d", level), VD_ONNX_FLOAT, DIMS(1, 3, side, side, 2));
    for (int i = 0; i < 3 * side * side; i++) {
        vd_onnx_tensor_set_number(grid, 2 * (size_t)i, i % side - 0.5);
        vd_onnx_tensor_set_number(grid, 2 * (size_t)i + 1, i / side % side - 0.5);
    }
}

static void decode_yolov5(Onnx__ModelProto *m, int l, int classes)
{
    add_grid(m, l);
    build_floats(m, text("anchors%d", l), 10 * (l + 1), 3, DIMS(1, 3, 1, 1, 2));
    build_number(m, text("two%d", l), VD_ONNX_FLOAT, 2);
    build_number(m, text("stride%d", l), VD_ONNX_FLOAT, strides[l]);
    add_slice(m, text("s%d", l), text("xy%d", l), 4, 0, 2);
    add_slice(m, text("s%d", l), text("wh%d", l), 4, 2, 4);
    add_slice(m, text("s%d", l), text("rest%d", l), 4, 4, 5 + classes);
    build_node(m, "Mul", text("xy%d two%d", l, l), text("xy2_%d", l));
    build_node(m, "Add", text("xy2_%d grid%d", l, l), text("xyg%d", l));
    build_node(m, "Mul", text("xyg%d stride%d", l, l), text("center%d", l));
    build_node(m, "Mul", text("wh%d two%d", l, l), text("wh2_%d", l));
    build_node(m, "Mul", text("wh2_%d wh2_%d", l, l), text("whs%d", l));
    build_node(m, "Mul", text("whs%d anchors%d", l, l), text("size%d", l));
    add_concat(m, text("center%d size%d rest%d", l, l, l), text("d%d", l), 4);
}

static Onnx__ModelProto *build_yolov5(int classes, bool decoded)
{
    Onnx__ModelProto *m = empty_model();
    for (int l = 0; l < LEVELS; l++) {
        int side = side_of(l);
        add_map(m, text("map%d", l), l, 3 * (5 + classes));
        add_reshape(m, text("map%d", l), text("five%d", l), DIMS(1, 3, 5 + classes, side, side));
        add_transpose(m, text("five%d", l), text("last%d", l), DIMS(0, 1, 3, 4, 2));
        build_node(m, "Sigmoid", text("last%d", l), text("s%d", l));
        if (decoded)
            decode_yolov5(m, l, classes);
        add_reshape(m, text(decoded ? "d%d" : "s%d", l), text("rows%d", l), DIMS(1, -1, 5 + classes));
    }
    add_concat(m, "rows0 rows1 rows2", "output", 1);
    build_output(m, "output", DIMS(1, 3 * CELLS, 5 + classes));
    return m;
}

/* --- Ultralytics' heads, with plain distances as YOLO26 has them */

/* The join is [1, 4 + classes, 84] of corners. */
static Onnx__ModelProto *build_heads(int classes, double error)
{
    Onnx__ModelProto *m = empty_model();
    add_anchors(m, error);
    for (int l = 0; l < LEVELS; l++) {
        add_map(m, text("cls%d", l), l, classes); /* scores first: order says nothing */
        add_map(m, text("box%d", l), l, 4);
        add_reshape(m, text("cls%d", l), text("fcls%d", l), DIMS(1, classes, -1));
        add_reshape(m, text("box%d", l), text("fbox%d", l), DIMS(1, 4, -1));
    }
    add_concat(m, "fcls0 fcls1 fcls2", "logits", 2);
    add_concat(m, "fbox0 fbox1 fbox2", "sides", 2);
    add_slice(m, "sides", "near", 1, 0, 2);
    add_slice(m, "sides", "far", 1, 2, 4);
    build_node(m, "Sub", "middles near", "first");
    build_node(m, "Add", "middles far", "second");
    add_concat(m, "first second", "corners", 1);
    build_node(m, "Mul", "corners factors", "boxes");
    build_node(m, "Sigmoid", "logits", "scores");
    add_concat(m, "boxes scores", "join", 1);
    return m;
}

static Onnx__ModelProto *build_whole(int classes, double error)
{
    Onnx__ModelProto *m = build_heads(classes, error);
    build_output(m, "join", DIMS(1, 4 + classes, CELLS));
    return m;
}

enum { PICKED = 20 };

/* The best boxes are picked by TopK: [1, 20, 6]. */
static Onnx__ModelProto *build_end_to_end(int classes, double error)
{
    Onnx__ModelProto *m = build_heads(classes, error);
    add_transpose(m, "join", "rows", DIMS(0, 2, 1));
    add_slice(m, "rows", "rboxes", 2, 0, 4);
    add_slice(m, "rows", "rscores", 2, 4, 4 + classes);
    Onnx__NodeProto *best = build_node(m, "ReduceMax", "rscores", "best");
    build_list(best, "axes", DIMS(2));
    build_int(best, "keepdims", 0);
    build_ints(m, "k", DIMS(PICKED));
    build_int(build_node(m, "TopK", "best k", "values indices"), "axis", 1);
    build_list(build_node(m, "Unsqueeze", "indices", "column"), "axes", DIMS(2));
    build_list(build_node(m, "Unsqueeze", "values", "sure"), "axes", DIMS(2));
    build_ints(m, "times", DIMS(1, 1, 4));
    build_node(m, "Tile", "column times", "where");
    build_int(build_node(m, "GatherElements", "rboxes where", "picked"), "axis", 1);
    build_int(build_node(m, "Cast", "column", "class"), "to", VD_ONNX_FLOAT);
    add_concat(m, "picked sure class", "output", 2);
    build_output(m, "output", DIMS(1, PICKED, 6));
    return m;
}

/* --- NanoDet, FastestDet, YuNet */

/* Six outputs without an axis for pictures, in no order and under names that lie. */
static Onnx__ModelProto *build_nanodet(int classes, int bins)
{
    static const char *const score_names[] = {"bbox_a", "cls_b", "dis_c"};
    static const char *const box_names[] = {"cls_x", "bbox_y", "cls_z"};
    Onnx__ModelProto *m = empty_model();
    for (int l = LEVELS; l-- > 0;) {
        add_map(m, text("map%d", l), l, classes + 4 * bins);
        add_slice(m, text("map%d", l), text("cls%d", l), 1, 0, classes);
        add_slice(m, text("map%d", l), text("box%d", l), 1, classes, classes + 4 * bins);
        build_node(m, "Sigmoid", text("cls%d", l), text("sure%d", l));
        add_reshape(m, text("sure%d", l), text("flat%d", l), DIMS(classes, -1));
        add_reshape(m, text("box%d", l), text("flatbox%d", l), DIMS(4 * bins, -1));
        add_transpose(m, text("flat%d", l), score_names[l], DIMS(1, 0));
        add_transpose(m, text("flatbox%d", l), box_names[l], DIMS(1, 0));
    }
    for (int l = 0; l < LEVELS; l++) {
        int cells = side_of(l) * side_of(l);
        build_output(m, score_names[l], DIMS(cells, classes));
        build_output(m, box_names[(l + 1) % LEVELS],
                     DIMS(side_of((l + 1) % LEVELS) * side_of((l + 1) % LEVELS), 4 * bins));
    }
    return m;
}

static Onnx__ModelProto *build_fastestdet(int classes)
{
    Onnx__ModelProto *m = empty_model();
    add_map(m, "obj", 1, 1);
    add_map(m, "box", 1, 4);
    add_map(m, "cls", 1, classes);
    build_node(m, "Sigmoid", "obj", "sure");
    add_transpose(m, "cls", "last", DIMS(0, 3, 2, 1));
    build_int(build_node(m, "Softmax", "last", "shares"), "axis", 3);
    add_transpose(m, "shares", "back", DIMS(0, 3, 2, 1));
    add_concat(m, "sure box back", "output", 1);
    build_output(m, "output", DIMS(1, 5 + classes, side_of(1), side_of(1)));
    return m;
}

static Onnx__ModelProto *build_yunet(int unused)
{
    static const int columns[] = {10, 1, 4, 1};
    Onnx__ModelProto *m = empty_model();
    (void)unused;
    for (int part = 0; part < 4; part++)
        for (int l = 0; l < LEVELS; l++) {
            char *name = text("%c%d", 'a' + part, l), *rows = text("rows_%s", name);
            int cells = side_of(l) * side_of(l);
            add_map(m, text("map_%s", name), l, columns[part]);
            add_transpose(m, text("map_%s", name), text("last_%s", name), DIMS(0, 2, 3, 1));
            add_reshape(m, text("last_%s", name), columns[part] == 1 ? rows : name,
                        DIMS(1, -1, columns[part]));
            if (columns[part] == 1)
                build_node(m, "Sigmoid", rows, name);
            build_output(m, name, DIMS(1, cells, columns[part]));
        }
    return m;
}

/* --- Tests */

/* Frees the model. */
static int read_proto(Onnx__ModelProto *m, vd_model **ret_model, vd_error *error)
{
    char path[] = "/tmp/vedette-family-XXXXXX";
    uint8_t *bytes;
    size_t length;
    const vd_model_options options = {.no_plan = true};
    ck_assert_int_eq(vd_onnx_pack(m, &bytes, &length), VD_OK);
    build_free(m);
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, bytes, length), (ssize_t)length);
    close(fd);
    free(bytes);
    int code = vd_model_read(path, &options, ret_model, error);
    unlink(path);
    return code;
}

typedef struct wanted {
    const char *what;
    Onnx__ModelProto *(*build)(int classes);
    int classes;
    vd_model_family family;
    int anchors, bins;
    bool suppressed;
    vd_model_fit fit;
    vd_model_channels channels;
} wanted;

static Onnx__ModelProto *yolov5_decoded(int classes)
{
    return build_yolov5(classes, true);
}

static Onnx__ModelProto *yolov5_raw(int classes)
{
    return build_yolov5(classes, false);
}

static Onnx__ModelProto *heads_whole(int classes)
{
    return build_whole(classes, 0);
}

static Onnx__ModelProto *heads_end_to_end(int classes)
{
    return build_end_to_end(classes, 0);
}

static Onnx__ModelProto *nanodet_bins(int classes)
{
    return build_nanodet(classes, 8);
}

/* One class makes YOLOX and YOLOv5 six columns wide, as an end-to-end head is, two classes seven, as SSD is.
 */
static const wanted families[] = {
    {"YOLOX, 1 class", build_yolox, 1, VD_FAMILY_YOLOX, CELLS, 1, false, VD_FIT_TOP_LEFT, VD_CHANNELS_BGR},
    {"YOLOX, 2 classes", build_yolox, 2, VD_FAMILY_YOLOX, CELLS, 1, false, VD_FIT_TOP_LEFT, VD_CHANNELS_BGR},
    {"YOLOX decoded, 1 class", build_yolox_decoded, 1, VD_FAMILY_YOLOV5, CELLS, 1, false, VD_FIT_TOP_LEFT,
     VD_CHANNELS_BGR},
    {"YOLOv5, 1 class", yolov5_decoded, 1, VD_FAMILY_YOLOV5, 3 * CELLS, 1, false, VD_FIT_CENTRE,
     VD_CHANNELS_RGB},
    {"YOLOv5, 3 classes", yolov5_decoded, 3, VD_FAMILY_YOLOV5, 3 * CELLS, 1, false, VD_FIT_CENTRE,
     VD_CHANNELS_RGB},
    {"YOLOv5 raw, 1 class", yolov5_raw, 1, VD_FAMILY_YOLOV5_RAW, 3 * CELLS, 1, false, VD_FIT_CENTRE,
     VD_CHANNELS_RGB},
    {"heads, 1 class", heads_whole, 1, VD_FAMILY_HEADS, CELLS, 1, false, VD_FIT_CENTRE, VD_CHANNELS_RGB},
    {"heads, 4 classes", heads_whole, 4, VD_FAMILY_HEADS, CELLS, 1, false, VD_FIT_CENTRE, VD_CHANNELS_RGB},
    {"end to end, 1 class", heads_end_to_end, 1, VD_FAMILY_HEADS, CELLS, 1, true, VD_FIT_CENTRE,
     VD_CHANNELS_RGB},
    {"end to end, 3 classes", heads_end_to_end, 3, VD_FAMILY_HEADS, CELLS, 1, true, VD_FIT_CENTRE,
     VD_CHANNELS_RGB},
    {"NanoDet, 1 class", nanodet_bins, 1, VD_FAMILY_NANODET, CELLS, 8, false, VD_FIT_CENTRE, VD_CHANNELS_BGR},
    {"NanoDet, 32 classes", nanodet_bins, 32, VD_FAMILY_NANODET, CELLS, 8, false, VD_FIT_CENTRE,
     VD_CHANNELS_BGR},
    {"FastestDet, 1 class", build_fastestdet, 1, VD_FAMILY_FASTESTDET, 16, 1, false, VD_FIT_STRETCH,
     VD_CHANNELS_BGR},
    {"FastestDet, 5 classes", build_fastestdet, 5, VD_FAMILY_FASTESTDET, 16, 1, false, VD_FIT_STRETCH,
     VD_CHANNELS_BGR},
    {"YuNet", build_yunet, 1, VD_FAMILY_YUNET, CELLS, 1, false, VD_FIT_TOP_LEFT, VD_CHANNELS_BGR},
};

/* The output's rows, and the columns that a family wants there. */
static void check_output(const vd_model *model, int output, int cells, int columns)
{
    ck_assert_int_ge(output, 0);
    ck_assert_int_lt(output, model->output_count);
    const vd_model_output *o = &model->outputs[output];
    if (o->rank == 4) {
        ck_assert_int_eq(o->extents[1], columns);
        ck_assert_int_eq(o->extents[2] * o->extents[3], cells);
    } else {
        ck_assert_int_eq(o->extents[o->rank - 2], cells);
        ck_assert_int_eq(o->extents[o->rank - 1], columns);
    }
}

static void check_levels(const vd_model *model)
{
    for (int i = 0; i < model->level_count; i++) {
        const vd_model_level *level = &model->levels[i];
        int cells = level->width * level->height;
        ck_assert_int_eq(level->width * level->stride, model->input_width);
        ck_assert_int_eq(level->height * level->stride, model->input_height);
        if (i > 0)
            ck_assert_int_gt(level->stride, model->levels[i - 1].stride);
        if (model->family == VD_FAMILY_FASTESTDET || level->box < 0)
            continue;
        check_output(model, level->box, cells, 4 * model->bins);
        check_output(model, level->scores, cells, model->classes);
        ck_assert_int_ne(level->box, level->scores);
        if (level->object >= 0)
            check_output(model, level->object, cells, 1);
        if (level->angle >= 0)
            check_output(model, level->angle, cells, 1);
    }
}

START_TEST(test_families)
{
    const wanted *w = &families[_i];
    vd_model *model = NULL;
    vd_error error = {0};
    ck_assert_msg(read_proto(w->build(w->classes), &model, &error) == VD_OK, "%s: %s", w->what, error.text);
    ck_assert_msg(model->family == w->family, "%s: told to be %s", w->what, model->variant);
    ck_assert_msg(model->classes == w->classes, "%s: %d classes", w->what, model->classes);
    ck_assert_msg(model->anchors == w->anchors, "%s: %d boxes", w->what, model->anchors);
    ck_assert_int_eq(model->bins, w->bins);
    ck_assert_int_eq(model->suppressed, w->suppressed);
    ck_assert_int_eq(model->feed.fit, w->fit);
    ck_assert_int_eq(model->feed.channels, w->channels);
    ck_assert_int_eq(model->level_count, w->family == VD_FAMILY_FASTESTDET ? 1 : LEVELS);
    check_levels(model);
    vd_model_free(&model);
}
END_TEST

/* A cut that is not the decoder's formula is none: the strides are off by a hundredth. */
START_TEST(test_unproven_heads)
{
    vd_model *model = NULL;
    vd_error error = {0};
    ck_assert_msg(read_proto(build_whole(3, 0.08), &model, &error) == VD_OK, "%s", error.text);
    ck_assert_int_eq(model->family, VD_FAMILY_YOLOV8);
    ck_assert_int_eq(model->output_count, 1);
    vd_model_free(&model);
    ck_assert_int_eq(read_proto(build_end_to_end(3, 0.08), &model, &error), VD_EFORMAT);
    ck_assert_ptr_nonnull(strstr(error.text, "final boxes itself"));
}
END_TEST

static void swap_channels(Onnx__ModelProto *m)
{
    for (size_t i = 0; i < m->graph->n_node; i++) {
        Onnx__NodeProto *node = m->graph->node[i];
        if (strcmp(node->output[0], "fcls0") == 0)
            for (size_t k = 0; k < node->n_input; k++)
                if (strcmp(node->input[k], "cls0") == 0)
                    memcpy(node->input[k], "cls1", 4);
    }
}

/* Levels that lie about their cells: the first level reads the second one's scores. */
START_TEST(test_crossed_levels)
{
    vd_model *model = NULL;
    vd_error error = {0};
    Onnx__ModelProto *m = build_end_to_end(2, 0);
    swap_channels(m);
    ck_assert_int_eq(read_proto(m, &model, &error), VD_EFORMAT);
    ck_assert_ptr_null(model);
}
END_TEST

/* Box values without a sign of what was done to them: a picture's own pixels. */
START_TEST(test_no_family)
{
    vd_model *model = NULL;
    vd_error error = {0};
    Onnx__ModelProto *m = empty_model();
    add_map(m, "map", 0, 7);
    add_reshape(m, "map", "flat", DIMS(1, 7, -1));
    add_transpose(m, "flat", "output", DIMS(0, 2, 1));
    build_output(m, "output", DIMS(1, 64, 7));
    ck_assert_int_eq(read_proto(m, &model, &error), VD_EFORMAT);
    ck_assert_msg(strstr(error.text, "[1, 64, 7]") != NULL, "%s", error.text);
}
END_TEST

/* The refusal names the node that is not understood, not what follows from it. */
START_TEST(test_stuck)
{
    static const char *const ops[] = {"Resize", "NoSuchThing"};
    for (size_t i = 0; i < 2; i++) {
        vd_model *model = NULL;
        vd_error error = {0};
        Onnx__ModelProto *m = build_end_to_end(3, 0);
        Onnx__NodeProto *first = m->graph->node[0];
        build_node(m, ops[i], first->input[0], "stuck");
        Onnx__NodeProto *last = m->graph->node[m->graph->n_node - 1];
        memmove(m->graph->node + 1, m->graph->node, (m->graph->n_node - 1) * sizeof(Onnx__NodeProto *));
        m->graph->node[0] = last;
        free(first->input[0]);
        first->input[0] = strdup("stuck");
        ck_assert_int_eq(read_proto(m, &model, &error), VD_EFORMAT);
        ck_assert_msg(strstr(error.text, ops[i]) != NULL, "%s", error.text);
    }
}
END_TEST

/* Damage at places a fixed generator picks: read or refused, never a crash, and never long. */
START_TEST(test_damaged)
{
    size_t length;
    uint8_t *bytes;
    Onnx__ModelProto *m = families[_i].build(families[_i].classes);
    ck_assert_int_eq(vd_onnx_pack(m, &bytes, &length), VD_OK);
    build_free(m);
    uint8_t *copy = malloc(length);
    uint64_t state = 54321 + (uint64_t)_i;
    int refused = 0;
    for (int round = 0; round < 60; round++) {
        vd_model *model = NULL;
        vd_error error = {0};
        Onnx__ModelProto *damaged = NULL;
        memcpy(copy, bytes, length);
        for (int hit = 0; hit < 2; hit++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            size_t at = (size_t)(state >> 33) % 4000; /* nodes come first, outputs last, weights between */
            copy[at < 3000 ? at % length : length - 1 - (at - 3000) % length] = (uint8_t)(state >> 24);
        }
        if (vd_onnx_parse(copy, length, "", &damaged, &error) == VD_OK)
            refused += read_proto(damaged, &model, &error) != VD_OK;
        else
            refused++;
        vd_model_free(&model);
    }
    ck_assert_int_gt(refused, 5);
    free(bytes);
    free(copy);
}
END_TEST

/* A value that doubles itself forty times over has 2 to the 40 paths: given up, in time. */
START_TEST(test_many_paths)
{
    vd_model *model = NULL;
    vd_error error = {0};
    Onnx__ModelProto *m = empty_model();
    add_map(m, "map", 0, 7);
    add_reshape(m, "map", "v0", DIMS(1, 7, -1));
    for (int i = 0; i < 40; i++)
        build_node(m, "Add", text("v%d v%d", i, i), text("v%d", i + 1));
    add_transpose(m, "v40", "output", DIMS(0, 2, 1));
    build_output(m, "output", DIMS(1, 64, 7));
    int64_t start_ns = vd_clock_now_ns();
    ck_assert_int_eq(read_proto(m, &model, &error), VD_EFORMAT);
    ck_assert_int_lt(vd_clock_now_ns() - start_ns, 2 * VD_NS_PER_S);
}
END_TEST

/* --- Files of the shared folder */

static const char *shared_file(const char *name)
{
    static char path[512];
    const char *folder = getenv("VEDETTE_SHARED"), *required = getenv("VEDETTE_REQUIRE_SHARED");
    snprintf(path, sizeof path, "%s/%s", folder ? folder : "../shared", name);
    if (access(path, R_OK) == 0)
        return path;
    ck_assert_msg(!required || strcmp(required, "1") != 0, "%s is missing", path);
    printf("waits for shared: %s\n", name);
    return NULL;
}

typedef struct known_file {
    const char *name;
    vd_model_family family;
    int classes, anchors, bins, side;
    bool suppressed;
} known_file;

static const known_file known[] = {
    {"yolov8n-320", VD_FAMILY_HEADS, 80, 2100, 16, 320, false},
    {"yolo11n-320", VD_FAMILY_HEADS, 80, 2100, 16, 320, false},
    {"yolo26n", VD_FAMILY_HEADS, 80, 8400, 1, 640, true},
    {"graphs/v3-tiny", VD_FAMILY_HEADS, 6, 125, 16, 160, false},
    {"graphs/v5u", VD_FAMILY_HEADS, 6, 525, 16, 160, false},
    {"graphs/v5u-slim", VD_FAMILY_HEADS, 6, 525, 16, 160, false},
    {"graphs/v6", VD_FAMILY_HEADS, 6, 525, 16, 160, false},
    {"graphs/v8", VD_FAMILY_HEADS, 6, 525, 16, 160, false},
    {"graphs/v8-slim", VD_FAMILY_HEADS, 6, 525, 16, 160, false},
    {"graphs/v8-opset17", VD_FAMILY_HEADS, 6, 525, 16, 160, false},
    {"graphs/v8-dynamic", VD_FAMILY_HEADS, 6, 525, 16, 160, false},
    {"graphs/v8-half", VD_FAMILY_HEADS, 6, 525, 16, 160, false},
    {"graphs/v8-half-io32", VD_FAMILY_HEADS, 6, 525, 16, 160, false},
    {"graphs/v8-int8-dynamic", VD_FAMILY_HEADS, 6, 525, 16, 160, false},
    {"graphs/v8-nms", VD_FAMILY_HEADS, 6, 525, 16, 160, false},
    {"graphs/v8-seg", VD_FAMILY_HEADS, 3, 525, 16, 160, false},
    {"graphs/v8-pose", VD_FAMILY_HEADS, 1, 525, 16, 160, false},
    {"graphs/v8-obb", VD_FAMILY_HEADS, 3, 525, 16, 160, false},
    {"graphs/v9", VD_FAMILY_HEADS, 6, 525, 16, 160, false},
    {"graphs/v10", VD_FAMILY_HEADS, 6, 525, 16, 160, true},
    {"graphs/11", VD_FAMILY_HEADS, 6, 525, 16, 160, false},
    {"graphs/12", VD_FAMILY_HEADS, 6, 525, 16, 160, false},
    {"graphs/26", VD_FAMILY_HEADS, 6, 525, 1, 160, true},
    {"graphs/26-slim", VD_FAMILY_HEADS, 6, 525, 1, 160, true},
    {"graphs/26-one2many", VD_FAMILY_HEADS, 6, 525, 1, 160, false},
    {"families/yolov5lite-e_coco80_320_rawhead", VD_FAMILY_YOLOV5_RAW, 80, 6300, 1, 320, false},
    {"families/yolov5n_coco80_640_fp16", VD_FAMILY_YOLOV5, 80, 25200, 1, 640, false},
    {"families/yolox-nano_coco80_416", VD_FAMILY_YOLOX, 80, 3549, 1, 416, false},
    {"families/nanodet-m-0.5x_coco80_320_dist4", VD_FAMILY_NANODET, 80, 2100, 1, 320, false},
    {"families/nanodet-m_coco80_320_bins32_misnamed", VD_FAMILY_NANODET, 80, 2100, 8, 320, false},
    {"families/fastestdet_coco80_352", VD_FAMILY_FASTESTDET, 80, 484, 1, 352, false},
    {"families/fastestdet_hand1_352", VD_FAMILY_FASTESTDET, 1, 484, 1, 352, false},
    {"families/yunet-n_face_320", VD_FAMILY_YUNET, 1, 2100, 1, 320, false},
    {"families/yunet-s_face_640", VD_FAMILY_YUNET, 1, 8400, 1, 640, false},
    {"families/yunet-n_face_dynamic", VD_FAMILY_YUNET, 1, 2100, 1, 320, false},
    {"families/yunet-2026may_face_dynamic", VD_FAMILY_YUNET, 1, 2100, 1, 320, false},
};

START_TEST(test_shared_files)
{
    const known_file *k = &known[_i];
    vd_model *model = NULL;
    vd_error error = {0};
    const char *path = shared_file(text("models/%s.onnx", k->name));
    if (!path)
        return;
    ck_assert_msg(vd_model_read(path, NULL, &model, &error) == VD_OK, "%s: %s", k->name, error.text);
    ck_assert_msg(model->family == k->family, "%s: told to be %s", k->name, model->variant);
    ck_assert_int_eq(model->classes, k->classes);
    ck_assert_int_eq(model->anchors, k->anchors);
    ck_assert_int_eq(model->bins, k->bins);
    ck_assert_int_eq(model->suppressed, k->suppressed);
    ck_assert_int_eq(model->input_width, k->side);
    ck_assert_int_eq(model->input_height, k->side);
    check_levels(model);
    ck_assert_int_gt(model->note_count, 0);
    ck_assert_uint_gt(strlen(model->variant), 0);
    vd_model_free(&model);
}
END_TEST

/* What is used of models that give more than boxes must be said. */
START_TEST(test_shared_notes)
{
    static const struct {
        const char *name, *words;
    } files[] = {{"v8-seg", "only the boxes"},
                 {"v8-pose", "only the boxes"},
                 {"v8-obb", "enclose"},
                 {"v8-nms", "done here"},
                 {"26", "end to end"}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        vd_model *model = NULL;
        vd_error error = {0};
        bool said = false;
        const char *path = shared_file(text("models/graphs/%s.onnx", files[i].name));
        if (!path)
            return;
        ck_assert_msg(vd_model_read(path, NULL, &model, &error) == VD_OK, "%s: %s", files[i].name,
                      error.text);
        for (int n = 0; n < model->note_count; n++)
            said = said || strstr(model->notes[n], files[i].words);
        ck_assert_msg(said, "%s: nothing about \"%s\"", files[i].name, files[i].words);
        vd_model_free(&model);
    }
}
END_TEST

/* The family is in the graph: without its metadata, and with the names of its outputs taken away, a file is
 * told to be the same. */
START_TEST(test_shared_without_metadata)
{
    static const char *const names[] = {"v8-seg", "v8-pose", "v8-obb", "v8-nms", "26", "12"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        vd_model *model = NULL;
        vd_error error = {0};
        uint8_t *bytes;
        size_t length;
        Onnx__ModelProto *m = NULL;
        const char *path = shared_file(text("models/graphs/%s.onnx", names[i]));
        if (!path)
            return;
        ck_assert_int_eq(vd_onnx_load(path, "", VD_ONNX_MAX_BYTES, &bytes, &length, &error), VD_OK);
        ck_assert_int_eq(vd_onnx_parse(bytes, length, "", &m, &error), VD_OK);
        free(bytes);
        for (size_t k = 0; k < m->n_metadata_props; k++)
            onnx__string_string_entry_proto__free_unpacked(m->metadata_props[k], NULL);
        m->n_metadata_props = 0;
        ck_assert_msg(read_proto(m, &model, &error) == VD_OK, "%s: %s", names[i], error.text);
        ck_assert_int_eq(model->family, VD_FAMILY_HEADS);
        ck_assert_int_eq(model->anchors, 525);
        ck_assert(!model->has_names);
        vd_model_free(&model);
    }
}
END_TEST

#define COUNT_OF(list) ((int)(sizeof(list) / sizeof *(list)))

static Suite *suite(void)
{
    Suite *s = suite_create("family");
    TCase *t = tcase_create("family");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, test_families, 0, COUNT_OF(families));
    tcase_add_test(t, test_unproven_heads);
    tcase_add_test(t, test_crossed_levels);
    tcase_add_test(t, test_no_family);
    tcase_add_test(t, test_stuck);
    tcase_add_loop_test(t, test_damaged, 0, COUNT_OF(families));
    tcase_add_test(t, test_many_paths);
    suite_add_tcase(s, t);
    t = tcase_create("shared");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, test_shared_files, 0, COUNT_OF(known));
    tcase_add_test(t, test_shared_notes);
    tcase_add_test(t, test_shared_without_metadata);
    suite_add_tcase(s, t);
    return s;
}

TEST_MAIN(suite)
