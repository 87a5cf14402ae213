#include "model/clip_model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "model/digest.h"
#include "model/family.h"
#include "model/onnx_file.h"
#include "model/onnx_passes.h"
#include "model/onnx_plan.h"
#include "model/onnx_size.h"

enum { COLORS = 3 };

/* What is being read, and what is wished for. */
struct reading {
    vd_clip_model *clip;
    Onnx__ModelProto *proto;
    const char *place;
    int batch;
};

/* The input that is no weight; NULL unless there is exactly one. */
static Onnx__ValueInfoProto *only_input(const Onnx__GraphProto *graph)
{
    Onnx__ValueInfoProto *found = NULL;
    int count = 0;
    for (size_t i = 0; i < graph->n_input; i++) {
        bool weight = false;
        for (size_t k = 0; k < graph->n_initializer && !weight; k++)
            weight = graph->initializer[k]->name && graph->input[i]->name &&
                     strcmp(graph->initializer[k]->name, graph->input[i]->name) == 0;
        if (!weight) {
            found = graph->input[i];
            count++;
        }
    }
    return count == 1 ? found : NULL;
}

static bool meets(int64_t declared, int wanted)
{
    return declared < 0 || declared == wanted;
}

/* The extents of the form that the declared ones fit: open ones take what is wished for. */
static bool tell_form(const vd_shape *in, int batch, vd_clip_model *clip, int64_t ret_extents[5])
{
    int64_t stacked = (int64_t)clip->frames * COLORS;
    const int64_t forms[][5] = {
        [VD_CLIP_STACKED] = {in->dims[0] > 0 ? in->dims[0] : batch, stacked, clip->height, clip->width},
        [VD_CLIP_PICTURES] = {clip->frames, COLORS, clip->height, clip->width},
        [VD_CLIP_PLANES] = {in->dims[0] > 0 ? in->dims[0] : batch, COLORS, clip->frames, clip->height,
                            clip->width},
    };
    if (in->rank == 5)
        clip->form = VD_CLIP_PLANES;
    else if (in->rank == 4)
        clip->form = in->dims[1] == COLORS ? VD_CLIP_PICTURES : VD_CLIP_STACKED;
    else
        return false;
    clip->batch_is_free = clip->form != VD_CLIP_PICTURES && in->dims[0] < 0;
    memcpy(ret_extents, forms[clip->form], sizeof forms[0]);
    for (int i = 0; i < in->rank; i++)
        if (!meets(in->dims[i], (int)ret_extents[i]))
            return false;
    return clip->form == VD_CLIP_PICTURES ? batch == 1 : ret_extents[0] == batch;
}

static int fix_input(struct reading *reading, vd_error *error)
{
    vd_clip_model *clip = reading->clip;
    char text[96];
    int64_t extents[5];
    Onnx__ValueInfoProto *input = reading->proto->graph ? only_input(reading->proto->graph) : NULL;
    vd_shape in = input ? vd_onnx_declared_shape(input) : (vd_shape){.rank = -1};
    if (!input)
        return vd_error_set(error, VD_EFORMAT, reading->place,
                            "The network does not have one input; a verifier has one, a clip.");
    if (!tell_form(&in, reading->batch, clip, extents)) {
        vd_shape_text(&in, text, sizeof text);
        return vd_error_set(
            error, VD_EINVAL, reading->place,
            "The network's input is %s; with temporal_size %d and input_size %d × %d a clip is "
            "[1, %d, %d, %d], [%d, 3, %d, %d] or [1, 3, %d, %d, %d].",
            text, clip->frames, clip->width, clip->height, COLORS * clip->frames, clip->height, clip->width,
            clip->frames, clip->height, clip->width, clip->frames, clip->height, clip->width);
    }
    bool open = false;
    for (int i = 0; i < in.rank; i++) {
        Onnx__TensorShapeProto__Dimension *dim = input->type->tensor_type->shape->dim[i];
        open = open || in.dims[i] < 0;
        free(dim->dim_param);
        dim->dim_param = NULL;
        dim->has_dim_value = true;
        dim->dim_value = extents[i];
        clip->model->input_extents[i] = (int)extents[i];
    }
    clip->model->input_rank = in.rank;
    if (open)
        vd_onnx_forget_declared(reading->proto->graph);
    return VD_OK;
}

/* One number for all three channels, or three. */
static int read_numbers(const Onnx__ModelProto *proto, const char *key, float ret_numbers[3])
{
    const char *text = vd_onnx_metadata(proto, key);
    double values[3];
    int count = 0;
    while (text && *text) {
        char word[48];
        text += strspn(text, " ,[]()");
        size_t length = strcspn(text, " ,[]()");
        if (length == 0)
            break;
        snprintf(word, sizeof word, "%.*s", (int)(length < sizeof word ? length : sizeof word - 1), text);
        if (count == 3 || !vd_text_parse_number(word, &values[count++]))
            return VD_EFORMAT;
        text += length;
    }
    if (text && count != 1 && count != 3)
        return VD_EFORMAT;
    for (int i = 0; i < 3 && count; i++)
        ret_numbers[i] = (float)values[count == 3 ? i : 0];
    return VD_OK;
}

static int read_feed(struct reading *reading, vd_error *error)
{
    vd_clip_model *clip = reading->clip;
    for (int i = 0; i < 3; i++)
        clip->scale[i] = 1 / 255.f;
    if (read_numbers(reading->proto, "vedette.mean", clip->mean) == VD_OK &&
        read_numbers(reading->proto, "vedette.scale", clip->scale) == VD_OK)
        return VD_OK;
    return vd_error_set(error, VD_EFORMAT, reading->place,
                        "The metadata keys vedette.mean and vedette.scale take one number or three.");
}

static bool ends_in(const vd_onnx_graph *graph, const vd_value *value, const char *operation)
{
    for (int steps = 0; value && value->producer >= 0 && steps < 8; steps++) {
        const Onnx__NodeProto *node = graph->proto->node[value->producer];
        if (vd_onnx_is(node, operation))
            return true;
        if (!vd_onnx_is(node, "Reshape") && !vd_onnx_is(node, "Squeeze") && !vd_onnx_is(node, "Flatten") &&
            !vd_onnx_is(node, "Unsqueeze"))
            return false;
        value = vd_onnx_input(graph, node, 0);
    }
    return false;
}

/* One number or two of each clip. */
static int tell_output(struct reading *reading, const vd_onnx_graph *graph, vd_error *error)
{
    static const char *const names[] = {[VD_CLIP_LOGIT] = "logit",
                                        [VD_CLIP_LOGITS] = "logits",
                                        [VD_CLIP_PROBABILITY] = "probability",
                                        [VD_CLIP_PROBABILITIES] = "probabilities"};
    vd_clip_model *clip = reading->clip;
    vd_model_output *output = &clip->model->outputs[0];
    const vd_value *value =
        graph->proto->n_output == 1 ? vd_onnx_find(graph, graph->proto->output[0]->name) : NULL;
    int64_t count = 1;
    for (int i = 0; value && i < value->shape.rank; i++)
        count *= value->shape.dims[i];
    if (!value || value->shape.rank < 0 || value->shape.rank > 4 ||
        strlen(value->name) >= sizeof output->name ||
        (count != reading->batch && count != 2 * (int64_t)reading->batch))
        return vd_error_set(error, VD_EFORMAT, reading->place,
                            "The network does not end in one number a clip, or two (rejected, verified).");
    vd_text_copy(output->name, sizeof output->name, value->name);
    output->rank = value->shape.rank;
    for (int i = 0; i < output->rank; i++)
        output->extents[i] = (int)value->shape.dims[i];
    clip->model->output_count = 1;
    bool two = count == 2 * (int64_t)reading->batch;
    bool shares = ends_in(graph, value, "Sigmoid") || ends_in(graph, value, "Softmax");
    clip->output = (shares ? VD_CLIP_PROBABILITY : VD_CLIP_LOGIT) + (two ? 1 : 0);
    const char *said = vd_onnx_metadata(reading->proto, "vedette.output");
    for (int i = VD_CLIP_LOGIT; said && i <= VD_CLIP_PROBABILITIES; i++)
        if (strcmp(said, names[i]) == 0 && (i % 2 == 1) == two) {
            clip->output = (vd_clip_output)i;
            said = NULL;
        }
    if (!said)
        return VD_OK;
    return vd_error_set(error, VD_EFORMAT, reading->place,
                        "The metadata key vedette.output does not fit an output of %s; it can be %s or %s.",
                        two ? "two numbers" : "one number", names[VD_CLIP_LOGIT + two],
                        names[VD_CLIP_PROBABILITY + two]);
}

static int rewrite(struct reading *reading, vd_error *error)
{
    vd_onnx_graph graph;
    int code = fix_input(reading, error);
    if (code == VD_OK)
        code = read_feed(reading, error);
    if (code == VD_OK)
        code = vd_onnx_graph_init(&graph, reading->proto, reading->place, error);
    if (code != VD_OK)
        return code;
    graph.looks_at_clips = true;
    code = vd_onnx_normalise(&graph, error);
    if (code == VD_OK)
        code = tell_output(reading, &graph, error);
    if (code == VD_OK)
        code = vd_onnx_cure(&graph, error);
    vd_onnx_graph_fini(&graph);
    return code;
}

static int read_bytes(struct reading *reading, const uint8_t *bytes, size_t length, vd_error *error)
{
    vd_model *model = reading->clip->model;
    vd_plan_tally tally = {0};
    int code = vd_onnx_parse(bytes, length, reading->place, &reading->proto, error);
    if (code != VD_OK)
        return code;
    vd_digest_sha256(bytes, length, model->digest);
    code = rewrite(reading, error);
    if (code == VD_OK && vd_onnx_pack(reading->proto, &model->network, &model->network_bytes) != VD_OK)
        code =
            vd_error_set(error, VD_ENOMEM, reading->place, "There is not enough memory to read the model.");
    onnx__model_proto__free_unpacked(reading->proto, NULL);
    if (code != VD_OK)
        return code;
    return vd_onnx_plan_file(model->network, model->network_bytes, reading->place, &model->planned,
                             &model->planned_bytes, &tally, error);
}

int vd_clip_model_read(const char *path, int frames, int width, int height, int batch,
                       vd_clip_model *ret_model, vd_error *error)
{
    char place[192];
    uint8_t *bytes = NULL;
    size_t length = 0;
    vd_clip_model clip = {.frames = frames, .width = width, .height = height};
    struct reading reading = {.clip = &clip, .place = place, .batch = batch};
    vd_text_mask_address(place, sizeof place, path);
    int code = vd_onnx_load(path, place, VD_ONNX_MAX_BYTES, &bytes, &length, error);
    if (code != VD_OK)
        return code;
    clip.model = calloc(1, sizeof *clip.model);
    if (clip.model) {
        clip.model->format = VD_FORMAT_ONNX;
        clip.model->batch = batch;
        clip.model->bins = 1;
        clip.model->input_width = width;
        clip.model->input_height = height;
        vd_model_name(clip.model, path);
        code = read_bytes(&reading, bytes, length, error);
    } else {
        code = vd_error_set(error, VD_ENOMEM, place, "There is not enough memory to read the model.");
    }
    free(bytes);
    if (code == VD_OK)
        *ret_model = clip;
    else
        vd_clip_model_clear(&clip);
    return code;
}

void vd_clip_model_clear(vd_clip_model *model)
{
    if (model->model)
        vd_model_free(&model->model);
    *model = (vd_clip_model){0};
}

int vd_clip_model_score(const vd_clip_model *model, const float *output, int index, float *ret_score,
                        vd_error *error)
{
    bool two = model->output == VD_CLIP_LOGITS || model->output == VD_CLIP_PROBABILITIES;
    const float *from = output + (two ? 2 * index : index);
    double value = from[two];
    if (!isfinite(from[0]) || !isfinite(value))
        return vd_error_set(error, VD_EFORMAT, NULL, "The network's answer is no number.");
    if (model->output == VD_CLIP_LOGITS)
        value -= from[0];
    if (model->output == VD_CLIP_LOGIT || model->output == VD_CLIP_LOGITS)
        value = 1 / (1 + exp(-value));
    if (value < -1e-4 || value > 1 + 1e-4)
        return vd_error_set(
            error, VD_EFORMAT, NULL,
            "The network's answer is %g, and it is said to be a probability; its metadata key "
            "vedette.output may have to be logit.",
            value);
    *ret_score = (float)fmin(fmax(value, 0), 1);
    return VD_OK;
}

void vd_clip_model_feed(const vd_clip_model *model, const uint8_t *rgb, int index, float *tensor)
{
    size_t plane = (size_t)model->width * (size_t)model->height, frames = (size_t)model->frames;
    tensor += (size_t)index * frames * COLORS * plane;
    for (size_t t = 0; t < frames; t++)
        for (size_t c = 0; c < COLORS; c++) {
            size_t at = model->form == VD_CLIP_PLANES ? c * frames + t : t * COLORS + c;
            const uint8_t *from = rgb + t * plane * COLORS + c;
            float *to = tensor + at * plane, mean = model->mean[c], scale = model->scale[c];
            for (size_t i = 0; i < plane; i++)
                to[i] = ((float)from[i * COLORS] - mean) * scale;
        }
}
