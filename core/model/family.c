#include "model/family.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "model/names.h"
#include "model/onnx_file.h"
#include "model/onnx_passes.h"
#include "model/verifier.h"

enum { BOX_VALUES = 4, MAX_SIDE = 4096, MAX_BATCH = 64 };

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

/* Refuses by the form of a single output; extents the file leaves open are -1. */
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
    return VD_OK;
}

int vd_family_screen(const Onnx__ModelProto *model, const char *place, vd_error *error)
{
    const Onnx__GraphProto *graph = model->graph;
    const char *task = vd_onnx_metadata(model, "task"), *sentence = NULL;
    if (vd_verifier_is_named(vd_onnx_metadata(model, "vedette.task")))
        sentence =
            "This is a stage-2 verifier, which judges clips around what a detector found, and no detector.";
    else if (task && strcmp(task, "classify") == 0)
        sentence = "This is a classifier: it says what a whole picture shows and gives no boxes.";
    else if (graph->n_sparse_initializer > 0)
        sentence = "The network's weights are stored in sparse form; export it without.";
    else if (graph->n_output == 0)
        sentence = "The network has no output.";
    if (sentence)
        return vd_error_set(error, VD_EFORMAT, place, "%s", sentence);
    vd_shape out = vd_onnx_declared_shape(graph->output[0]);
    return graph->n_output == 1 ? screen_output(&out, place, error) : VD_OK;
}

/* --- Feeding */

void vd_family_set(vd_model *model, vd_model_family family, vd_family_feeding feeding, const char *variant)
{
    static const vd_model_feed feeds[] = {
        [VD_FEED_SHARES] =
            {VD_FIT_CENTRE, VD_CHANNELS_RGB, 114, {0, 0, 0}, {1 / 255.f, 1 / 255.f, 1 / 255.f}},
        [VD_FEED_YOLOX] = {VD_FIT_TOP_LEFT, VD_CHANNELS_BGR, 114, {0, 0, 0}, {1, 1, 1}},
        [VD_FEED_YUNET] = {VD_FIT_TOP_LEFT, VD_CHANNELS_BGR, 0, {0, 0, 0}, {1, 1, 1}},
        [VD_FEED_IMAGENET] = {VD_FIT_CENTRE,
                              VD_CHANNELS_BGR,
                              0,
                              {103.53f, 116.28f, 123.675f},
                              {1 / 57.375f, 1 / 57.12f, 1 / 58.395f}},
        [VD_FEED_STRETCH] =
            {VD_FIT_STRETCH, VD_CHANNELS_BGR, 0, {0, 0, 0}, {1 / 255.f, 1 / 255.f, 1 / 255.f}},
    };
    model->format = VD_FORMAT_ONNX;
    model->family = family;
    model->feed = feeds[feeding];
    model->confidence = family == VD_FAMILY_NANODET ? 0.35f : family == VD_FAMILY_FASTESTDET ? 0.5f : 0.25f;
    model->iou = 0.45f;
    vd_text_copy(model->variant, sizeof model->variant, variant);
}

/* --- Whole heads of Ultralytics: what vd_family_cut_heads could not cut */

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

/* Old files list their weights among the inputs: they do not count. */
static const vd_value *only_input(const vd_onnx_graph *graph, size_t *ret_count)
{
    const vd_value *found = NULL;
    *ret_count = 0;
    for (size_t i = 0; i < graph->proto->n_input; i++) {
        const vd_value *value = vd_onnx_find(graph, graph->proto->input[i]->name);
        if (value->constant)
            continue;
        found = value;
        ++*ret_count;
    }
    return found;
}

static int tell_input(const vd_onnx_graph *graph, vd_model *model, vd_error *error)
{
    char text[96];
    size_t count;
    const vd_value *input = only_input(graph, &count);
    if (count != 1)
        return vd_error_set(error, VD_EFORMAT, graph->place,
                            "The network has %zu inputs; a detector has one, a picture.", count);
    const vd_shape *in = &input->shape;
    vd_shape_text(in, text, sizeof text);
    if (in->rank != 4 || in->dims[0] < 1 || in->dims[0] > MAX_BATCH || in->dims[1] != 3 || in->dims[2] < 32 ||
        in->dims[2] > MAX_SIDE || in->dims[3] < 32 || in->dims[3] > MAX_SIDE || input->type != VD_ONNX_FLOAT)
        return vd_error_set(error, VD_EFORMAT, graph->place,
                            "The network's input is %s of type %s; what can be fed is a colour picture, "
                            "[1, 3, height, width] in float32 with sides of 32 to %d.",
                            text, vd_onnx_type_name(input->type), MAX_SIDE);
    if (strlen(input->name) >= sizeof model->input_name)
        return vd_error_set(error, VD_EFORMAT, graph->place, "The name of the network's input is too long.");
    vd_text_copy(model->input_name, sizeof model->input_name, input->name);
    model->batch = (int)in->dims[0];
    model->input_width = (int)in->dims[3];
    model->input_height = (int)in->dims[2];
    return VD_OK;
}

static void note_metadata(const vd_onnx_graph *graph, vd_model *model)
{
    char task[32], version[48], author[32];
    const char *values[3] = {vd_onnx_metadata(graph->model, "task"), vd_onnx_metadata(graph->model, "author"),
                             vd_onnx_metadata(graph->model, "version")};
    if (!values[0] || !values[1])
        return;
    vd_text_clean(task, sizeof task, values[0], strlen(values[0]));
    vd_text_clean(author, sizeof author, values[1], strlen(values[1]));
    vd_text_clean(version, sizeof version, values[2] ? values[2] : "", values[2] ? strlen(values[2]) : 0);
    vd_model_note(model, "metadata: task %s, written by %s%s%s", task, author, *version ? " " : "", version);
}

static void note_strides(const int *strides, vd_model *model)
{
    char list[48] = "";
    for (int k = 0; strides[k] != 0; k++)
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%d", k > 0 ? ", " : "", strides[k]);
    vd_model_note(model, "%d boxes are the cells of grids with strides %s", model->anchors, list);
}

/* [n, 4 + classes, cells], when the cells fit the input and something says that the rows are classes. */
static void tell_whole(const vd_onnx_graph *graph, int named_classes, vd_model *model)
{
    char text[96];
    const vd_value *output = vd_onnx_find(graph, graph->proto->output[0]->name);
    const vd_shape *out = &output->shape;
    if (out->rank != 3 || out->dims[0] != model->batch || out->dims[1] <= BOX_VALUES ||
        out->dims[1] > BOX_VALUES + VD_MAX_CLASSES)
        return;
    const int *strides = strides_of(model->input_width, model->input_height, out->dims[2]);
    if (!strides)
        return;
    int classes = (int)out->dims[1] - BOX_VALUES;
    bool head = has_family_head(graph, output, classes);
    if (named_classes > 0 ? named_classes != classes : !head)
        return;
    vd_family_set(model, VD_FAMILY_YOLOV8, VD_FEED_SHARES, "YOLOv8, anchor-free head (Ultralytics), not cut");
    model->classes = classes;
    model->anchors = (int)out->dims[2];
    vd_shape_text(out, text, sizeof text);
    vd_model_note(model, "output %s: 4 box values and %d class scores for each of %d boxes", text, classes,
                  model->anchors);
    note_strides(strides, model);
    if (head)
        vd_model_note(model, "class scores come from a Sigmoid, boxes and scores from one Concat");
}

static bool picks(const Onnx__NodeProto *node)
{
    return vd_onnx_is(node, "TopK") || vd_onnx_is(node, "NonMaxSuppression");
}

/* The first node whose sizes do not come out although those of its inputs do; NULL when boxes are picked
 * before it, behind which sizes may well depend on the picture. */
static const Onnx__NodeProto *find_stuck(const vd_onnx_graph *graph)
{
    for (size_t i = 0; i < graph->proto->n_node; i++) {
        const Onnx__NodeProto *node = graph->proto->node[i];
        const vd_value *out = vd_onnx_output(graph, node, 0);
        bool ready = true;
        if (picks(node))
            return NULL;
        for (size_t k = 0; k < node->n_input; k++) {
            const vd_value *in = vd_onnx_input(graph, node, k);
            ready = ready && (!in || in->shape.rank >= 0);
        }
        if (ready && out && out->shape.rank < 0)
            return node;
    }
    return NULL;
}

static int refuse_stuck(const vd_onnx_graph *graph, const Onnx__NodeProto *node, vd_error *error)
{
    char name[96], op[48];
    vd_onnx_node_text(node, name, sizeof name);
    vd_text_clean(op, sizeof op, node->op_type, strlen(node->op_type));
    if (!vd_onnx_is_known(node))
        return vd_error_set(error, VD_EFORMAT, graph->place,
                            "The network needs the operation %s (node %s), which cannot be run here.", op,
                            name);
    return vd_error_set(error, VD_EFORMAT, graph->place,
                        "The sizes at node %s (%s) depend on the picture, do not fit together, or follow "
                        "from settings that are not known here.",
                        name, op);
}

/* The sentence for a network in whose outputs no family was found. */
static int refuse(const vd_onnx_graph *graph, vd_error *error)
{
    char text[96];
    size_t outputs = graph->proto->n_output;
    const vd_shape *out = &vd_onnx_find(graph, graph->proto->output[0]->name)->shape;
    vd_shape declared = vd_onnx_declared_shape(graph->proto->output[0]);
    const Onnx__NodeProto *stuck = find_stuck(graph);
    if (out->rank < 0)
        out = &declared;
    vd_shape_text(out, text, sizeof text);
    int code = outputs == 1 ? screen_output(out, graph->place, error) : VD_OK;
    if (code == VD_OK && stuck)
        code = refuse_stuck(graph, stuck, error);
    if (code != VD_OK)
        return code;
    if (outputs > 1)
        return vd_error_set(error, VD_EFORMAT, graph->place,
                            "The network's %zu outputs (the first is %s) are not those of a known detector; "
                            "docs/models.md lists what can be used.",
                            outputs, text);
    if (out->rank == 3 && out->dims[2] == 6)
        return vd_error_set(
            error, VD_EFORMAT, graph->place,
            "This model picks its final boxes itself (output %s), by operations that cannot be run here; "
            "export it with end2end=False or nms=False.",
            text);
    return vd_error_set(
        error, VD_EFORMAT, graph->place,
        "The output %s is not that of a known detector; docs/models.md lists what can be used.", text);
}

static int check_promise(const vd_onnx_graph *graph, vd_error *error)
{
    vd_shape declared = vd_onnx_declared_shape(graph->proto->output[0]);
    const vd_shape *found = &vd_onnx_find(graph, graph->proto->output[0]->name)->shape;
    char said[96], made[96];
    bool same = declared.rank == found->rank || declared.rank < 0 || found->rank < 0;
    for (int i = 0; same && i < declared.rank && i < found->rank; i++)
        same = declared.dims[i] < 0 || declared.dims[i] == found->dims[i];
    if (same)
        return VD_OK;
    vd_shape_text(&declared, said, sizeof said);
    vd_shape_text(found, made, sizeof made);
    return vd_error_set(error, VD_EFORMAT, graph->place,
                        "The file is damaged: it promises an output of %s, and its network makes %s.", said,
                        made);
}

int vd_family_tell(vd_onnx_graph *graph, int named_classes, vd_model *model, vd_error *error)
{
    int code = check_promise(graph, error);
    if (code == VD_OK)
        code = tell_input(graph, model, error);
    if (code == VD_OK)
        code = vd_family_cut_heads(graph, model, error);
    if (code != VD_OK)
        return code;
    if (model->family == 0)
        vd_family_rows(graph, model);
    if (model->family == 0)
        vd_family_levels(graph, model);
    if (model->family == 0)
        tell_whole(graph, named_classes, model);
    if (model->family == 0)
        return refuse(graph, error);
    note_metadata(graph, model);
    return VD_OK;
}
