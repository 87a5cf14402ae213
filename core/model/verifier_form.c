#include "model/verifier_form.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "model/onnx_file.h"
#include "model/onnx_passes.h"
#include "model/onnx_size.h"

enum { COLOURS = VD_CLIP_COLOURS, MOST_OF_COLOUR = 1000000 };

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

static int first_of(int wanted, int otherwise)
{
    return wanted > 0 ? wanted : otherwise;
}

static void fill(int64_t *dim, int64_t value)
{
    if (*dim < 0)
        *dim = value;
}

/* The layout by what is fixed; what is open becomes what is wished for. */
static void tell_layout(vd_shape *shape, int named, const vd_verifier_wish *wish, vd_verifier_form *form)
{
    int64_t *dims = shape->dims;
    int frames = first_of(named, first_of(wish->frames, VD_VERIFIER_FRAMES));
    int clips = first_of(wish->clips, 1);
    form->layout = shape->rank == 5     ? VD_CLIP_PLANES
                   : dims[1] == COLOURS ? VD_CLIP_PICTURES
                                        : VD_CLIP_STACKED;
    form->any_clips = dims[0] < 0 && form->layout != VD_CLIP_PICTURES;
    fill(&dims[0], form->layout == VD_CLIP_PICTURES ? frames : clips);
    fill(&dims[1], form->layout == VD_CLIP_PLANES ? COLOURS : COLOURS * frames);
    if (form->layout == VD_CLIP_PLANES)
        fill(&dims[2], frames);
    fill(&dims[shape->rank - 2], first_of(wish->height, VD_VERIFIER_SIDE));
    fill(&dims[shape->rank - 1], first_of(wish->width, VD_VERIFIER_SIDE));
}

static bool is_within(int64_t value, int least, int most)
{
    return value >= least && value <= most;
}

static bool read_extents(const vd_shape *shape, vd_verifier_form *form)
{
    const int64_t *dims = shape->dims;
    int64_t height = dims[shape->rank - 2], width = dims[shape->rank - 1], frames = dims[1] / COLOURS;
    int64_t clips = dims[0];
    bool fits = dims[1] % COLOURS == 0;
    if (form->layout == VD_CLIP_PLANES) {
        frames = dims[2];
        fits = dims[1] == COLOURS;
    } else if (form->layout == VD_CLIP_PICTURES) {
        frames = dims[0];
        clips = 1;
    }
    if (!fits || !is_within(frames, 2, VD_VERIFIER_MOST_FRAMES) ||
        !is_within(clips, 1, VD_VERIFIER_MOST_CLIPS) ||
        !is_within(height, VD_VERIFIER_LEAST_SIDE, VD_VERIFIER_MOST_SIDE) ||
        !is_within(width, VD_VERIFIER_LEAST_SIDE, VD_VERIFIER_MOST_SIDE))
        return false;
    form->frames = (int)frames;
    form->clips = (int)clips;
    form->width = (int)width;
    form->height = (int)height;
    return true;
}

static int refuse_extents(const char *place, const char *text, int type, vd_error *error)
{
    return vd_error_set(error, VD_EFORMAT, place,
                        "The network's input is %s of type %s; a verifier's is a clip of 2 to %d pictures "
                        "in float32 with sides of %d to %d: [1, 3, T, H, W], [1, 3 T, H, W] or "
                        "[T, 3, H, W].",
                        text, vd_onnx_type_name(type), VD_VERIFIER_MOST_FRAMES, VD_VERIFIER_LEAST_SIDE,
                        VD_VERIFIER_MOST_SIDE);
}

/* What the file fixes against what its metadata and the settings say. */
static int compare(const vd_verifier_form *form, int named, const vd_verifier_wish *wish, const char *place,
                   const char *text, vd_error *error)
{
    int frames = first_of(wish->frames, form->frames), width = first_of(wish->width, form->width);
    int height = first_of(wish->height, form->height), clips = first_of(wish->clips, 1);
    if (named > 0 && named != form->frames)
        return vd_error_set(error, VD_EFORMAT, place,
                            "The file's metadata says %d pictures a clip, and its input %s takes %d.", named,
                            text, form->frames);
    if (frames != form->frames || width != form->width || height != form->height)
        return vd_error_set(error, VD_EINVAL, place,
                            "The network's input is %s, a clip of %d pictures of %d × %d pixels; with "
                            "temporal_size %d and input_size %d × %d it would be [1, %d, %d, %d], "
                            "[%d, 3, %d, %d] or [1, 3, %d, %d, %d].",
                            text, form->frames, form->width, form->height, frames, width, height,
                            COLOURS * frames, height, width, frames, height, width, frames, height, width);
    if (clips != form->clips)
        return vd_error_set(error, VD_EINVAL, place,
                            "The network's input is %s; it takes %d clip%s in one pass, not %d.", text,
                            form->clips, form->clips > 1 ? "s" : "", clips);
    return VD_OK;
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

/* One number for all three channels, or three. */
static bool read_numbers(const char *text, float ret_numbers[COLOURS])
{
    double values[COLOURS];
    int count = 0;
    while (text && *(text += strspn(text, " ,[]()"))) {
        char word[48];
        size_t length = strcspn(text, " ,[]()");
        vd_text_copy(word, length < sizeof word ? length + 1 : sizeof word, text);
        if (count == COLOURS || length >= sizeof word || !vd_text_parse_number(word, &values[count]) ||
            !(fabs(values[count++]) <= MOST_OF_COLOUR))
            return false;
        text += length;
    }
    if (text && count != 1 && count != COLOURS)
        return false;
    for (int i = 0; i < COLOURS && count > 0; i++)
        ret_numbers[i] = (float)values[count == COLOURS ? i : 0];
    return true;
}

static int tell_colours(const Onnx__ModelProto *proto, const char *place, vd_verifier_form *form,
                        vd_error *error)
{
    for (int i = 0; i < COLOURS; i++)
        form->scale[i] = 1 / 255.f;
    if (read_numbers(vd_onnx_metadata(proto, "vedette.mean"), form->mean) &&
        read_numbers(vd_onnx_metadata(proto, "vedette.scale"), form->scale))
        return VD_OK;
    return vd_error_set(error, VD_EFORMAT, place,
                        "The metadata keys vedette.mean and vedette.scale take one number or three.");
}

static void note_input(const vd_shape *shape, const vd_verifier_form *form, const char *name, vd_model *model)
{
    vd_text_copy(model->input_name, sizeof model->input_name, name);
    model->input_rank = shape->rank;
    for (int i = 0; i < shape->rank; i++)
        model->input_extents[i] = (int)shape->dims[i];
    model->input_width = form->width;
    model->input_height = form->height;
    model->batch = form->clips;
}

int vd_verifier_tell_input(Onnx__ModelProto *proto, const char *place, const vd_verifier_wish *wish,
                           vd_verifier_form *form, vd_model *model, vd_error *error)
{
    char text[96];
    int named = named_frames(proto);
    Onnx__ValueInfoProto *input = find_input(proto->graph, place, error);
    if (!input)
        return VD_EFORMAT;
    vd_shape shape = vd_onnx_declared_shape(input);
    int type = vd_onnx_declared_type(input);
    vd_shape_text(&shape, text, sizeof text);
    if ((shape.rank != 4 && shape.rank != 5) || (type != VD_ONNX_FLOAT && !vd_onnx_type_is_half(type)))
        return refuse_extents(place, text, type, error);
    tell_layout(&shape, named, wish, form);
    if (form->layout == VD_CLIP_PICTURES && shape.dims[0] == 1)
        return vd_error_set(error, VD_EFORMAT, place,
                            "This network looks at one picture (input %s); a verifier looks at a clip.",
                            text);
    if (!read_extents(&shape, form))
        return refuse_extents(place, text, type, error);
    if (strlen(input->name) >= sizeof model->input_name)
        return vd_error_set(error, VD_EFORMAT, place, "The name of the network's input is too long.");
    int code = compare(form, named, wish, place, text, error);
    if (code == VD_OK)
        code = tell_colours(proto, place, form, error);
    if (code != VD_OK)
        return code;
    fix_input(proto, input, &shape);
    note_input(&shape, form, input->name, model);
    return VD_OK;
}

/* --- The output */

static bool ends_in(const vd_onnx_graph *graph, const vd_value *output, const char *op_type)
{
    const vd_value *value = output;
    for (int steps = 0; steps < 8 && value && value->producer >= 0; steps++) {
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

/* Numbers a clip: 1 or 2; else 0. */
static int count_answers(const vd_onnx_graph *graph, const vd_value *output, int clips)
{
    size_t count = 0;
    if (graph->proto->n_output != 1 || !vd_shape_count(&output->shape, 2 * (size_t)clips, &count))
        return 0;
    if (clips > 1 && output->shape.dims[0] != clips)
        return 0;
    return count == (size_t)clips ? 1 : count == 2 * (size_t)clips ? 2 : 0;
}

int vd_verifier_tell_output(const vd_onnx_graph *graph, vd_verifier_form *form, vd_error *error)
{
    static const char *const names[] = {[VD_VERIFIER_LOGIT] = "logit",
                                        [VD_VERIFIER_LOGITS] = "logits",
                                        [VD_VERIFIER_PROBABILITY] = "probability",
                                        [VD_VERIFIER_PROBABILITIES] = "probabilities"};
    char text[96];
    const char *named = vd_onnx_metadata(graph->model, "vedette.output");
    const vd_value *output = vd_onnx_find(graph, graph->proto->output[0]->name);
    vd_shape_text(&output->shape, text, sizeof text);
    int answers = count_answers(graph, output, form->clips);
    if (answers == 0)
        return vd_error_set(
            error, VD_EFORMAT, graph->place,
            "The network has %zu outputs (the first is %s); a verifier has one, of one number "
            "a clip or of two: rejected, verified.",
            graph->proto->n_output, text);
    int logit = answers == 2 ? VD_VERIFIER_LOGITS : VD_VERIFIER_LOGIT;
    int share = answers == 2 ? VD_VERIFIER_PROBABILITIES : VD_VERIFIER_PROBABILITY;
    bool shares = ends_in(graph, output, "Sigmoid") || ends_in(graph, output, "Softmax");
    if (named && strcmp(named, names[logit]) != 0 && strcmp(named, names[share]) != 0)
        return vd_error_set(error, VD_EFORMAT, graph->place,
                            "The metadata key vedette.output does not fit an output of %s a clip; it can be "
                            "%s or %s.",
                            answers == 2 ? "two numbers" : "one number", names[logit], names[share]);
    if (named)
        shares = strcmp(named, names[share]) == 0;
    form->output = (vd_verifier_output)(shares ? share : logit);
    return VD_OK;
}
