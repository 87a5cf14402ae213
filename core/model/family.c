#include "model/family.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "model/names.h"
#include "model/onnx_file.h"

enum { BOX_VALUES = 4, MAX_SIDE = 4096 };

void vd_model_note(vd_model *model, const char *format, ...)
{
    if (model->note_count >= VD_MODEL_NOTES)
        return;
    char *line = model->notes[model->note_count++];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof model->notes[0], format, arguments);
    va_end(arguments);
    vd_text_trim_partial(line);
}

static bool has_node(const Onnx__GraphProto *graph, const char *op_type)
{
    for (size_t i = 0; i < graph->n_node; i++)
        if (graph->node[i]->op_type && strcmp(graph->node[i]->op_type, op_type) == 0)
            return true;
    return false;
}

typedef struct refusal {
    const char *key;
    const char *sentence;
} refusal;

/* What an exporter calls a model that is no box detector. */
static const char *refusal_of_task(const char *task)
{
    static const refusal tasks[] = {
        {"classify", "This is a classifier: it says what a whole picture shows and gives no boxes."},
        {"segment", "This is a segmentation model (masks beside boxes); use a plain detection export of it."},
        {"pose", "This is a pose model (key points beside boxes); use a plain detection model."},
        {"obb", "This model gives rotated boxes (obb); use a plain detection model."},
    };
    for (size_t i = 0; task && i < sizeof tasks / sizeof *tasks; i++)
        if (strcmp(task, tasks[i].key) == 0)
            return tasks[i].sentence;
    return NULL;
}

static const char *refusal_of_nodes(const Onnx__GraphProto *graph)
{
    static const refusal nodes[] = {
        {"NonMaxSuppression",
         "This model was exported with suppression inside; export it again with nms=False."},
    };
    for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++)
        if (has_node(graph, nodes[i].key))
            return nodes[i].sentence;
    return NULL;
}

/* Refuses by the form of the first output; extents the file leaves open are -1. */
static int screen_output(const vd_shape *out, const char *place, vd_error *error)
{
    char text[96];
    vd_shape_text(out, text, sizeof text);
    if (out->rank == 2)
        return vd_error_set(error, VD_EFORMAT, place,
                            "This is a classifier: its output %s is one score a class, and no boxes.", text);
    if (out->rank == 4 && out->dims[1] > 0 && out->dims[1] <= 4)
        return vd_error_set(error, VD_EFORMAT, place,
                            "This network makes a picture out of a picture (output %s) and finds no boxes.",
                            text);
    if (out->rank == 3 && out->dims[2] == 6)
        return vd_error_set(
            error, VD_EFORMAT, place,
            "This model picks its final boxes itself (output %s), which cannot be run here; export it "
            "with end2end=False or nms=False.",
            text);
    if (out->rank >= 0 && out->rank != 3)
        return vd_error_set(
            error, VD_EFORMAT, place,
            "The output %s is not that of a known detector, which is [1, 4 + classes, boxes].", text);
    return VD_OK;
}

int vd_family_screen(const Onnx__ModelProto *model, const char *place, vd_error *error)
{
    const Onnx__GraphProto *graph = model->graph;
    const char *sentence = refusal_of_task(vd_onnx_metadata(model, "task"));
    if (!sentence)
        sentence = refusal_of_nodes(graph);
    if (!sentence && graph->n_sparse_initializer > 0)
        sentence = "The network's weights are stored in sparse form; export it without.";
    if (!sentence && graph->n_output == 0)
        sentence = "The network has no output.";
    if (sentence)
        return vd_error_set(error, VD_EFORMAT, place, "%s", sentence);
    vd_shape out = vd_onnx_declared_shape(graph->output[0]);
    if (graph->n_output > 1)
        return vd_error_set(
            error, VD_EFORMAT, place,
            "The network has %zu outputs; a detector that can be used has one, [1, 4 + classes, boxes].",
            graph->n_output);
    return screen_output(&out, place, error);
}

/* The strides whose grids have `anchors` cells together; a list that ends in 0, or NULL. */
static const int *strides_of(int width, int height, int64_t anchors)
{
    static const int known[][5] = {{8, 16, 32},    {16, 32},   {8, 16, 32, 64},
                                   {4, 8, 16, 32}, {4, 8, 16}, {8, 16}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        int64_t cells = 0;
        for (int k = 0; known[i][k] != 0; k++)
            cells += (int64_t)((width + known[i][k] - 1) / known[i][k]) *
                     ((height + known[i][k] - 1) / known[i][k]);
        if (cells == anchors)
            return known[i];
    }
    return NULL;
}

/* True when the class part of the last Concat comes from a Sigmoid, as in every head of this family. */
static bool has_family_head(const vd_onnx_graph *graph, const vd_value *output, int64_t classes)
{
    const Onnx__NodeProto *join = output->producer >= 0 ? graph->proto->node[output->producer] : NULL;
    if (!join || !vd_onnx_is(join, "Concat") || join->n_input != 2)
        return false;
    const vd_value *boxes = vd_onnx_input(graph, join, 0), *scores = vd_onnx_input(graph, join, 1);
    if (!boxes || !scores || scores->producer < 0 || boxes->shape.rank != 3 || scores->shape.rank != 3)
        return false;
    return boxes->shape.dims[1] == BOX_VALUES && scores->shape.dims[1] == classes &&
           vd_onnx_is(graph->proto->node[scores->producer], "Sigmoid");
}

static int tell_input(const vd_onnx_graph *graph, vd_model *model, vd_error *error)
{
    char text[96];
    if (graph->proto->n_input != 1)
        return vd_error_set(error, VD_EFORMAT, graph->place,
                            "The network has %zu inputs; a detector has one, a picture.",
                            graph->proto->n_input);
    const vd_value *input = vd_onnx_find(graph, graph->proto->input[0]->name);
    const vd_shape *in = &input->shape;
    vd_shape_text(in, text, sizeof text);
    if (in->rank != 4 || in->dims[0] != 1 || in->dims[1] != 3 || in->dims[2] < 32 || in->dims[2] > MAX_SIDE ||
        in->dims[3] < 32 || in->dims[3] > MAX_SIDE || input->type != VD_ONNX_FLOAT)
        return vd_error_set(error, VD_EFORMAT, graph->place,
                            "The network's input is %s of type %s; what can be fed is one colour picture, "
                            "[1, 3, height, width] in float32 with sides of 32 to %d.",
                            text, vd_onnx_type_name(input->type), MAX_SIDE);
    if (strlen(input->name) >= sizeof model->input_name)
        return vd_error_set(error, VD_EFORMAT, graph->place, "The name of the network's input is too long.");
    vd_text_copy(model->input_name, sizeof model->input_name, input->name);
    model->input_width = (int)in->dims[3];
    model->input_height = (int)in->dims[2];
    vd_model_note(model, "input %s: a colour picture of %d × %d, values 0 to 1", text, model->input_width,
                  model->input_height);
    return VD_OK;
}

static void note_metadata(const vd_onnx_graph *graph, const int *strides, vd_model *model)
{
    char list[48] = "", task[32], version[48], author[32];
    for (int k = 0; strides[k] != 0; k++)
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%d", k > 0 ? ", " : "", strides[k]);
    vd_model_note(model, "%d boxes are the cells of grids with strides %s", model->anchors, list);
    const char *values[3] = {vd_onnx_metadata(graph->model, "task"), vd_onnx_metadata(graph->model, "author"),
                             vd_onnx_metadata(graph->model, "version")};
    if (!values[0] || !values[1])
        return;
    vd_text_clean(task, sizeof task, values[0], strlen(values[0]));
    vd_text_clean(author, sizeof author, values[1], strlen(values[1]));
    vd_text_clean(version, sizeof version, values[2] ? values[2] : "", values[2] ? strlen(values[2]) : 0);
    vd_model_note(model, "metadata: task %s, written by %s%s%s", task, author, *version ? " " : "", version);
}

/* The output's sizes against everything else that is known. */
static int tell_output(const vd_onnx_graph *graph, int named_classes, vd_model *model, vd_error *error)
{
    char text[96];
    const vd_value *output = vd_onnx_find(graph, graph->proto->output[0]->name);
    const vd_shape *out = &output->shape;
    vd_shape_text(out, text, sizeof text);
    int code = screen_output(out, graph->place, error);
    if (code != VD_OK)
        return code;
    if (out->dims[0] != 1 || out->dims[1] <= BOX_VALUES || out->dims[1] > BOX_VALUES + VD_MAX_CLASSES)
        return vd_error_set(
            error, VD_EFORMAT, graph->place,
            "The output %s is not that of a known detector, which is [1, 4 + classes, boxes] with at "
            "most %d classes.",
            text, VD_MAX_CLASSES);
    const int *strides = strides_of(model->input_width, model->input_height, out->dims[2]);
    if (!strides)
        return vd_error_set(
            error, VD_EFORMAT, graph->place,
            "The output %s is not that of a known detector: %d boxes do not fit a picture of %d × %d.", text,
            (int)out->dims[2], model->input_width, model->input_height);
    int classes = (int)out->dims[1] - BOX_VALUES;
    if (named_classes > 0 && named_classes != classes)
        return vd_error_set(
            error, VD_EFORMAT, graph->place,
            "The output %s has 4 + %d values a box and the file names %d classes: it is a model for "
            "masks, key points or rotated boxes, not a plain detector.",
            text, classes, named_classes);
    bool head = has_family_head(graph, output, classes);
    if (!head && named_classes == 0)
        return vd_error_set(
            error, VD_EFORMAT, graph->place,
            "The output %s cannot be told to be boxes and class scores: the file names no classes, "
            "and the scores do not come from a Sigmoid.",
            text);
    model->format = VD_FORMAT_ONNX;
    model->family = VD_FAMILY_YOLOV8;
    model->confidence = 0.25f;
    model->iou = 0.45f;
    model->feed = (vd_model_feed){.fit = VD_FIT_CENTRE,
                                  .channels = VD_CHANNELS_RGB,
                                  .pad = 114,
                                  .scale = {1 / 255.0f, 1 / 255.0f, 1 / 255.0f}};
    vd_text_copy(model->variant, sizeof model->variant,
                 "YOLOv8, anchor-free head with one output (Ultralytics)");
    model->classes = classes;
    model->anchors = (int)out->dims[2];
    vd_model_note(model, "output %s: 4 box values and %d class scores for each of %d boxes", text, classes,
                  model->anchors);
    if (head)
        vd_model_note(model, "class scores come from a Sigmoid, boxes and scores from one Concat");
    note_metadata(graph, strides, model);
    return VD_OK;
}

int vd_family_tell(const vd_onnx_graph *graph, int named_classes, vd_model *model, vd_error *error)
{
    vd_shape declared = vd_onnx_declared_shape(graph->proto->output[0]);
    const vd_value *output = vd_onnx_find(graph, graph->proto->output[0]->name);
    if (declared.rank >= 0 && !vd_shape_equal(&declared, &output->shape)) {
        char said[96], found[96];
        vd_shape_text(&declared, said, sizeof said);
        vd_shape_text(&output->shape, found, sizeof found);
        return vd_error_set(error, VD_EFORMAT, graph->place,
                            "The file is damaged: it promises an output of %s, and its network makes %s.",
                            said, found);
    }
    int code = tell_input(graph, model, error);
    return code == VD_OK ? tell_output(graph, named_classes, model, error) : code;
}
