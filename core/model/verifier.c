#include "model/verifier.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "model/digest.h"
#include "model/family.h"
#include "model/onnx_file.h"
#include "model/onnx_passes.h"
#include "model/onnx_size.h"

enum { COLOURS = 3 };

bool vd_verifier_is_named(const char *task)
{
    return task && strcmp(task, "verify") == 0;
}

/* --- The input */

/* Old files list their weights among the inputs. */
static bool is_weight(const Onnx__GraphProto *graph, const char *name)
{
    for (size_t i = 0; name && i < graph->n_initializer; i++)
        if (graph->initializer[i]->name && strcmp(graph->initializer[i]->name, name) == 0)
            return true;
    return false;
}

static Onnx__ValueInfoProto *find_input(const Onnx__GraphProto *graph, const char *place, vd_error *error)
{
    Onnx__ValueInfoProto *found = NULL;
    size_t count = 0;
    for (size_t i = 0; i < graph->n_input; i++) {
        if (is_weight(graph, graph->input[i]->name))
            continue;
        found = graph->input[i];
        count++;
    }
    if (count == 1 && found->name)
        return found;
    vd_error_set(error, VD_EFORMAT, place, "The network has %zu inputs; a verifier has one, a clip.", count);
    return NULL;
}

/* vedette.frames; 0 when there is none. */
static int named_frames(const Onnx__ModelProto *proto)
{
    double frames = 0;
    const char *text = vd_onnx_metadata(proto, "vedette.frames");
    return text && vd_text_parse_number(text, &frames) && frames >= 1 && frames <= VD_VERIFIER_MOST_FRAMES
               ? (int)frames
               : 0;
}

/* The layout by what is fixed; what is open is filled in. */
static vd_clip_layout tell_layout(vd_shape *shape, int frames)
{
    int64_t *dims = shape->dims;
    for (int i = shape->rank - 2; i < shape->rank; i++)
        if (dims[i] < 0)
            dims[i] = VD_VERIFIER_SIDE;
    if (shape->rank == 5) {
        const int64_t usual[] = {1, COLOURS, frames};
        for (int i = 0; i < 3; i++)
            dims[i] = dims[i] < 0 ? usual[i] : dims[i];
        return VD_CLIP_DEEP;
    }
    bool is_batch = dims[1] == COLOURS;
    if (dims[0] < 0)
        dims[0] = is_batch ? frames : 1;
    if (dims[1] < 0)
        dims[1] = COLOURS * frames;
    return is_batch ? VD_CLIP_BATCH : VD_CLIP_STACKED;
}

static bool read_form(const vd_shape *shape, vd_verifier_form *ret_form)
{
    const int64_t *dims = shape->dims;
    int64_t frames = ret_form->layout == VD_CLIP_DEEP    ? dims[2]
                     : ret_form->layout == VD_CLIP_BATCH ? dims[0]
                                                         : dims[1] / COLOURS;
    int64_t height = dims[shape->rank - 2], width = dims[shape->rank - 1];
    bool fits = ret_form->layout == VD_CLIP_BATCH  ? true
                : ret_form->layout == VD_CLIP_DEEP ? dims[0] == 1 && dims[1] == COLOURS
                                                   : dims[0] == 1 && dims[1] % COLOURS == 0;
    if (!fits || frames < 2 || frames > VD_VERIFIER_MOST_FRAMES || height < VD_VERIFIER_LEAST_SIDE ||
        height > VD_VERIFIER_MOST_SIDE || width < VD_VERIFIER_LEAST_SIDE || width > VD_VERIFIER_MOST_SIDE)
        return false;
    ret_form->frames = (int)frames;
    ret_form->width = (int)width;
    ret_form->height = (int)height;
    return true;
}

/* Gives the input the extents that the file leaves open. */
static void fix_input(Onnx__ModelProto *proto, Onnx__ValueInfoProto *input, const vd_shape *shape)
{
    bool any = false;
    for (int i = 0; i < shape->rank; i++) {
        Onnx__TensorShapeProto__Dimension *dim = input->type->tensor_type->shape->dim[i];
        any = any || !dim->has_dim_value || dim->dim_value != shape->dims[i];
        free(dim->dim_param);
        dim->dim_param = NULL;
        dim->has_dim_value = true;
        dim->dim_value = shape->dims[i];
    }
    if (any)
        vd_onnx_forget_declared(proto->graph);
}

static int tell_input(Onnx__ModelProto *proto, const char *place, vd_verifier_form *form, vd_model *model,
                      vd_error *error)
{
    char text[96];
    int named = named_frames(proto);
    Onnx__ValueInfoProto *input = find_input(proto->graph, place, error);
    if (!input)
        return VD_EFORMAT;
    vd_shape shape = vd_onnx_declared_shape(input);
    vd_shape_text(&shape, text, sizeof text);
    if (shape.rank == 4 || shape.rank == 5) {
        form->layout = tell_layout(&shape, named > 0 ? named : VD_VERIFIER_FRAMES);
        if (form->layout == VD_CLIP_BATCH && shape.dims[0] == 1)
            return vd_error_set(error, VD_EFORMAT, place,
                                "This network looks at one picture (input %s); a verifier looks at a clip.",
                                text);
    }
    if ((shape.rank != 4 && shape.rank != 5) || vd_onnx_declared_type(input) != VD_ONNX_FLOAT ||
        !read_form(&shape, form))
        return vd_error_set(
            error, VD_EFORMAT, place,
            "The network's input is %s of type %s; a verifier's is a clip of 2 to %d pictures "
            "in float32 with sides of %d to %d: [1, 3, T, H, W], [1, 3 T, H, W] or "
            "[T, 3, H, W].",
            text, vd_onnx_type_name(vd_onnx_declared_type(input)), VD_VERIFIER_MOST_FRAMES,
            VD_VERIFIER_LEAST_SIDE, VD_VERIFIER_MOST_SIDE);
    if (named > 0 && named != form->frames)
        return vd_error_set(error, VD_EFORMAT, place,
                            "The file's metadata says %d pictures a clip, and its input %s takes %d.", named,
                            text, form->frames);
    if (strlen(input->name) >= sizeof model->input_name)
        return vd_error_set(error, VD_EFORMAT, place, "The name of the network's input is too long.");
    vd_text_copy(model->input_name, sizeof model->input_name, input->name);
    fix_input(proto, input, &shape);
    model->input_rank = shape.rank;
    for (int i = 0; i < shape.rank; i++)
        model->input_extents[i] = (int)shape.dims[i];
    model->input_width = form->width;
    model->input_height = form->height;
    return VD_OK;
}

/* --- The output */

static bool ends_in(const vd_onnx_graph *graph, const vd_value *output, const char *op_type)
{
    const vd_value *value = output;
    for (int steps = 0; steps < 4 && value && value->producer >= 0; steps++) {
        const Onnx__NodeProto *node = graph->proto->node[value->producer];
        if (vd_onnx_is(node, op_type))
            return true;
        /* what moves no number */
        if (!vd_onnx_is(node, "Reshape") && !vd_onnx_is(node, "Flatten") && !vd_onnx_is(node, "Squeeze") &&
            !vd_onnx_is(node, "Unsqueeze"))
            return false;
        value = vd_onnx_input(graph, node, 0);
    }
    return false;
}

static int tell_output(const vd_onnx_graph *graph, vd_verifier_form *form, vd_error *error)
{
    char text[96];
    size_t count = 0;
    const char *named = vd_onnx_metadata(graph->model, "vedette.output");
    const vd_value *output = vd_onnx_find(graph, graph->proto->output[0]->name);
    vd_shape_text(&output->shape, text, sizeof text);
    if (graph->proto->n_output != 1 || !vd_shape_count(&output->shape, 2, &count) || count < 1)
        return vd_error_set(
            error, VD_EFORMAT, graph->place,
            "The network has %zu outputs (the first is %s); a verifier has one, of one number "
            "or of two: rejected, verified.",
            graph->proto->n_output, text);
    if (named && strcmp(named, "probability") != 0 && strcmp(named, "logit") != 0)
        return vd_error_set(error, VD_EFORMAT, graph->place,
                            "The metadata key vedette.output is neither `probability` nor `logit`.");
    form->answers = (int)count;
    form->probability = named ? strcmp(named, "probability") == 0
                              : ends_in(graph, output, "Sigmoid") || ends_in(graph, output, "Softmax");
    return VD_OK;
}

/* --- The whole */

static void describe(const vd_verifier_form *form, vd_model *model)
{
    static const char *const layouts[] = {[VD_CLIP_STACKED] = "picture by picture",
                                          [VD_CLIP_DEEP] = "channel by channel",
                                          [VD_CLIP_BATCH] = "as a batch"};
    model->format = VD_FORMAT_ONNX;
    model->feed.channels = VD_CHANNELS_RGB;
    vd_text_copy(model->variant, sizeof model->variant, "stage-2 verifier");
    vd_model_note(model, "clips of %d pictures, %d × %d pixels, %s", form->frames, form->width, form->height,
                  layouts[form->layout]);
    vd_model_note(model, "%s %s", form->answers == 2 ? "two answers, rejected and verified:" : "one answer:",
                  form->probability    ? form->answers == 2 ? "probabilities" : "a probability"
                  : form->answers == 2 ? "logits"
                                       : "a logit");
}

/* A file that says what else it is. */
static int screen(const Onnx__ModelProto *proto, const char *place, vd_error *error)
{
    const char *ours = vd_onnx_metadata(proto, "vedette.task"), *task = vd_onnx_metadata(proto, "task");
    const char *sentence = NULL;
    if (ours && !vd_verifier_is_named(ours))
        sentence = "The file's metadata (vedette.task) calls it something else than a verifier.";
    else if (!ours && task && strcmp(task, "detect") == 0)
        sentence = "This is a detector, and no stage-2 verifier.";
    else if (proto->graph->n_sparse_initializer > 0)
        sentence = "The network's weights are stored in sparse form; export it without.";
    else if (proto->graph->n_output == 0)
        sentence = "The network has no output.";
    return sentence ? vd_error_set(error, VD_EFORMAT, place, "%s", sentence) : VD_OK;
}

static int rewrite(Onnx__ModelProto *proto, const char *place, vd_verifier_form *form, vd_model *model,
                   vd_error *error)
{
    vd_onnx_graph graph;
    int code = screen(proto, place, error);
    if (code == VD_OK)
        code = tell_input(proto, place, form, model, error);
    if (code == VD_OK)
        code = vd_onnx_graph_init(&graph, proto, place, error);
    if (code != VD_OK)
        return code;
    code = vd_onnx_normalise(&graph, error);
    if (code == VD_OK)
        code = tell_output(&graph, form, error);
    if (code == VD_OK)
        code = vd_onnx_cure(&graph, error);
    if (code == VD_OK)
        code = vd_model_list_outputs(&graph, model, error);
    if (code == VD_OK) {
        describe(form, model);
        vd_model_note_rewriting(&graph, model);
    }
    vd_onnx_graph_fini(&graph);
    return code;
}

static int read_file(const char *path, vd_verifier_form *form, vd_model *model, vd_error *error)
{
    char place[192];
    uint8_t *bytes = NULL;
    size_t length = 0;
    Onnx__ModelProto *proto = NULL;
    vd_text_mask_address(place, sizeof place, path);
    vd_model_name(model, path);
    int code = vd_onnx_load(path, place, VD_ONNX_MAX_BYTES, &bytes, &length, error);
    if (code != VD_OK)
        return code;
    code = vd_onnx_parse(bytes, length, place, &proto, error);
    if (code == VD_OK)
        vd_digest_sha256(bytes, length, model->digest);
    free(bytes);
    if (code != VD_OK)
        return code;
    code = rewrite(proto, place, form, model, error);
    if (code == VD_OK && vd_onnx_pack(proto, &model->network, &model->network_bytes) != VD_OK)
        code = vd_error_set(error, VD_ENOMEM, place, "There is not enough memory to rewrite the model.");
    onnx__model_proto__free_unpacked(proto, NULL);
    return code == VD_OK ? vd_model_plan(model, place, error) : code;
}

int vd_model_read_verifier(const char *path, vd_verifier_form *ret_form, vd_model **ret_model,
                           vd_error *error)
{
    vd_verifier_form form = {0};
    vd_model *model = calloc(1, sizeof *model);
    if (!model)
        return vd_error_set(error, VD_ENOMEM, NULL, "There is not enough memory to read the model.");
    model->batch = model->bins = 1;
    int code = read_file(path, &form, model, error);
    if (code != VD_OK) {
        vd_model_free(&model);
        return code;
    }
    *ret_form = form;
    *ret_model = model;
    return VD_OK;
}

/* --- Feeding and reading */

void vd_verifier_feed(const vd_verifier_form *form, int number, const uint8_t *rgb, float *tensor)
{
    size_t area = (size_t)form->width * (size_t)form->height;
    bool is_deep = form->layout == VD_CLIP_DEEP;
    size_t first = (size_t)number * area * (is_deep ? 1 : COLOURS);
    size_t step = is_deep ? (size_t)form->frames * area : area;
    float *red = tensor + first, *green = red + step, *blue = green + step;
    for (size_t i = 0; i < area; i++) {
        red[i] = (float)rgb[COLOURS * i] / 255;
        green[i] = (float)rgb[COLOURS * i + 1] / 255;
        blue[i] = (float)rgb[COLOURS * i + 2] / 255;
    }
}

float vd_verifier_answer(const vd_verifier_form *form, const float *output)
{
    float value = form->answers == 2 ? output[1] : output[0];
    if (!form->probability)
        value = 1 / (1 + expf(form->answers == 2 ? output[0] - output[1] : -output[0]));
    return isfinite(value) ? fminf(fmaxf(value, 0), 1) : 0;
}
