#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/entry.h"
#include "model/model.h"
#include "model/names.h"
#include "model/onnx_file.h"
#include "model/onnx_passes.h"
#include "model/onnx_plan.h"
#include "model/onnx_size.h"
#include "model/verifier.h"

enum { FILL_BYTES = 8 << 20 }; /* of all tensors of one input together */

static const int sizes[16][2] = {{0, 0},      {320, 320}, {640, 640},   {160, 160}, {96, 64}, {32, 32},
                                 {352, 352},  {416, 256}, {4096, 4096}, {300, 300}, {100, 0}, {0, 64},
                                 {1280, 736}, {-32, -32}, {4128, 32},   {64, 2048}};

static void VD_PRINTF(2, 3) demand(bool sound, const char *format, ...)
{
    va_list list;
    if (sound)
        return;
    va_start(list, format);
    fputs("fuzz: ", stderr);
    vfprintf(stderr, format, list);
    fputc('\n', stderr);
    va_end(list);
    abort();
}

/* --- Zeros for tensors that lost their values */

static size_t element_bytes(int type)
{
    size_t bytes = vd_onnx_type_bytes(type);
    return bytes > 0 ? bytes : 1;
}

static void fill_tensor(Onnx__TensorProto *tensor, size_t *left)
{
    size_t bytes = element_bytes(tensor->data_type);
    if (tensor->raw_data.len > 0 || tensor->n_float_data + tensor->n_int32_data + tensor->n_int64_data +
                                            tensor->n_double_data + tensor->n_uint64_data >
                                        0)
        return;
    for (size_t i = 0; i < tensor->n_dims; i++) {
        if (tensor->dims[i] < 1 || (size_t)tensor->dims[i] > *left / bytes)
            return;
        bytes *= (size_t)tensor->dims[i];
    }
    uint8_t *zeros = calloc(1, bytes);
    if (!zeros)
        return;
    free(tensor->raw_data.data);
    tensor->raw_data = (ProtobufCBinaryData){.len = bytes, .data = zeros};
    tensor->has_raw_data = true;
    *left -= bytes;
}

/* The file with its values in place; NULL when it is none. */
static uint8_t *fill(const uint8_t *bytes, size_t length, size_t *ret_length)
{
    uint8_t *filled = NULL;
    size_t left = FILL_BYTES;
    vd_error error;
    Onnx__ModelProto *model = NULL;
    if (vd_onnx_parse(bytes, length, "fuzz", &model, &error) != VD_OK)
        return NULL;
    for (size_t i = 0; i < model->graph->n_initializer; i++)
        fill_tensor(model->graph->initializer[i], &left);
    if (vd_onnx_pack(model, &filled, ret_length) != VD_OK)
        filled = NULL;
    onnx__model_proto__free_unpacked(model, NULL);
    return filled;
}

/* --- What has been promised */

static void check_error(int code, const vd_error *error)
{
    demand(code == VD_EFORMAT || code == VD_EINVAL || code == VD_ENOMEM, "code %d", code);
    demand(error->code == code, "returned %d and said %d", code, error->code);
    demand(error->text[0] && !strchr(error->text, '\n'), "no sentence: \"%s\"", error->text);
}

static const Onnx__AttributeProto *find_attribute(const Onnx__NodeProto *node, const char *name)
{
    const Onnx__AttributeProto *attribute = vd_onnx_attribute(node, name);
    demand(attribute != NULL, "a plan without its %s", name);
    return attribute;
}

/* A node that stands for a plan: its code must be one, and ask for as many inputs and outputs as there are.
 */
static void check_run(const Onnx__NodeProto *node)
{
    vd_plan_graph plan;
    vd_error error;
    const Onnx__AttributeProto *attribute = find_attribute(node, VD_PLAN_CODE);
    find_attribute(node, VD_PLAN_WHOLE);
    int32_t *code = calloc(attribute->n_ints + 1, sizeof *code);
    if (!code)
        return;
    for (size_t i = 0; i < attribute->n_ints; i++) {
        code[i] = (int32_t)attribute->ints[i];
        demand(code[i] == attribute->ints[i], "a plan's code has more than 32 bits");
    }
    int result = vd_plan_decode(code, attribute->n_ints, &plan, &error);
    demand(result == VD_OK, "a plan's code: %s", error.text);
    demand(node->n_input == (size_t)(plan.input_count + plan.constant_count) &&
               node->n_output == (size_t)plan.output_count,
           "a plan's node has %zu inputs and %zu outputs, its code %d + %d and %d", node->n_input,
           node->n_output, plan.input_count, plan.constant_count, plan.output_count);
    vd_plan_clear(&plan);
    vd_fuzz_plan((const uint8_t *)code, attribute->n_ints * sizeof *code);
    free(code);
}

/* What was written must be a file that is read again, its plans sound. */
static void check_file(const uint8_t *bytes, size_t length)
{
    vd_error error;
    vd_onnx_graph graph;
    Onnx__ModelProto *model = NULL;
    int code = vd_onnx_parse(bytes, length, "written", &model, &error);
    demand(code == VD_OK, "what was written is no model: %s", error.text);
    for (size_t i = 0; i < model->graph->n_node; i++)
        if (vd_onnx_is(model->graph->node[i], VD_PLAN_OP))
            check_run(model->graph->node[i]);
    code = vd_onnx_graph_init(&graph, model, "written", &error);
    demand(code == VD_OK, "what was written is no graph: %s", error.text);
    vd_onnx_graph_fini(&graph);
    onnx__model_proto__free_unpacked(model, NULL);
}

static void check_index(const vd_model *model, int index)
{
    demand(index >= -1 && index < model->output_count, "output %d of %d", index, model->output_count);
}

static void check_model(const vd_model *model)
{
    demand(model->output_count >= 1 && model->output_count <= VD_MODEL_OUTPUTS, "%d outputs",
           model->output_count);
    demand(model->level_count >= 0 && model->level_count <= VD_MODEL_LEVELS, "%d levels", model->level_count);
    demand(model->classes >= 1 && model->classes <= VD_MAX_CLASSES && model->labels, "%d classes",
           model->classes);
    demand(model->family >= VD_FAMILY_HEADS && model->family <= VD_FAMILY_DARKNET, "no family");
    demand(model->anchors >= 1 && model->bins >= 1 && model->batch >= 1, "%d boxes, %d bins, batch %d",
           model->anchors, model->bins, model->batch);
    demand(model->input_width >= 1 && model->input_height >= 1, "size %d × %d", model->input_width,
           model->input_height);
    for (int i = 0; i < model->output_count; i++)
        for (int k = 0; k < model->outputs[i].rank; k++)
            demand(model->outputs[i].extents[k] >= 1, "output %d has extent %d", i,
                   model->outputs[i].extents[k]);
    for (int i = 0; i < model->level_count; i++) {
        const vd_model_level *level = &model->levels[i];
        demand(level->stride >= 1 && level->width >= 1 && level->height >= 1, "level of %d × %d cells, %d",
               level->width, level->height, level->stride);
        check_index(model, level->box);
        check_index(model, level->scores);
        check_index(model, level->object);
        check_index(model, level->angle);
    }
    check_file(model->network, model->network_bytes);
    if (model->planned)
        check_file(model->planned, model->planned_bytes);
}

/* --- The two ways through */

static void read_model(const uint8_t *bytes, size_t length, const vd_model_options *options)
{
    vd_model *model = NULL;
    vd_error error = {0};
    int code = vd_model_read_bytes(bytes, length, "fuzz.onnx", options, &model, &error);
    if (code != VD_OK) {
        check_error(code, &error);
        return;
    }
    check_model(model);
    vd_model_free(&model);
}

/* As much as the form promises is written and read, so that sanitizers see what lies outside. */
static void use_verifier(const vd_verifier_form *form, const vd_model *model)
{
    size_t area = (size_t)form->width * (size_t)form->height, floats = 1, numbers = 1;
    vd_error error = {0};
    float score = 0;
    for (int i = 0; i < model->input_rank; i++)
        floats *= (size_t)model->input_extents[i];
    for (int i = 0; i < model->outputs[0].rank; i++)
        numbers *= (size_t)model->outputs[0].extents[i];
    demand(floats == area * 3 * (size_t)form->frames * (size_t)form->clips, "an input of %zu", floats);
    float *tensor = floats <= FILL_BYTES ? malloc(floats * sizeof *tensor) : NULL;
    float *output = calloc(numbers, sizeof *output);
    uint8_t *rgb = calloc(area, 3);
    for (int clip = 0; clip < form->clips && tensor && output && rgb; clip++) {
        for (int i = 0; i < form->frames; i++)
            vd_verifier_feed(form, clip, i, rgb, tensor);
        int code = vd_verifier_score(form, output, clip, &score, &error);
        demand(code == VD_OK && score >= 0 && score <= 1, "a score of %g", (double)score);
    }
    free(tensor);
    free(output);
    free(rgb);
}

static void read_verifier(const uint8_t *bytes, size_t length, const vd_model_options *options)
{
    const vd_verifier_wish wish = {0, options->input_width, options->input_height, options->batch};
    vd_verifier_form form;
    vd_model *model = NULL;
    vd_error error = {0};
    int code = vd_model_read_verifier_bytes(bytes, length, "fuzz.onnx", &wish, &form, &model, &error);
    if (code != VD_OK) {
        check_error(code, &error);
        return;
    }
    demand(model->output_count == 1, "%d outputs of a verifier", model->output_count);
    check_file(model->network, model->network_bytes);
    if (model->planned)
        check_file(model->planned, model->planned_bytes);
    use_verifier(&form, model);
    vd_model_free(&model);
}

static int rewrite(Onnx__ModelProto *model, const vd_model_options *options, vd_error *error)
{
    vd_onnx_graph graph;
    int code = vd_onnx_graph_init(&graph, model, "fuzz", error);
    if (code != VD_OK)
        return code;
    code = vd_onnx_normalise(&graph, error);
    if (code == VD_OK && options->input_width != 0)
        code = vd_onnx_resize(&graph, options->input_width, options->input_height, error);
    if (code == VD_OK)
        code = vd_onnx_cure(&graph, error);
    vd_onnx_graph_fini(&graph);
    return code;
}

static void plan(const uint8_t *bytes, size_t length)
{
    uint8_t *planned = NULL;
    size_t planned_length = 0;
    vd_plan_tally tally;
    vd_error error = {0};
    int code = vd_onnx_plan_file(bytes, length, "fuzz", &planned, &planned_length, &tally, &error);
    if (code != VD_OK)
        check_error(code, &error);
    else if (planned)
        check_file(planned, planned_length);
    free(planned);
}

static void run_passes(const uint8_t *bytes, size_t length, const vd_model_options *options)
{
    Onnx__ModelProto *model = NULL;
    uint8_t *written = NULL;
    vd_error error = {0};
    int code = vd_onnx_parse(bytes, length, "fuzz", &model, &error);
    if (code == VD_OK) {
        code = rewrite(model, options, &error);
        if (code == VD_OK && vd_onnx_pack(model, &written, &length) != VD_OK)
            code = vd_error_set(&error, VD_ENOMEM, NULL, "no memory");
        if (code == VD_OK && model->graph->n_node == 0) /* all of it was constant */
            code = vd_error_set(&error, VD_EFORMAT, NULL, "no nodes");
        onnx__model_proto__free_unpacked(model, NULL);
    }
    if (code != VD_OK) {
        check_error(code, &error);
        free(written);
        return;
    }
    check_file(written, length);
    if (!options->no_plan)
        plan(written, length);
    free(written);
}

void vd_fuzz_onnx(const uint8_t *data, size_t size)
{
    uint8_t *filled = NULL;
    if (size < VD_FUZZ_HEAD)
        return;
    vd_model_options options = {.input_width = sizes[data[1] & 15][0],
                                .input_height = sizes[data[1] & 15][1],
                                .batch = data[1] >> 4,
                                .no_plan = data[0] & VD_FUZZ_NO_PLAN};
    const uint8_t *bytes = data + VD_FUZZ_HEAD;
    size_t length = size - VD_FUZZ_HEAD;
    vd_onnx_sniff(bytes, length < VD_SNIFF_BYTES ? length : VD_SNIFF_BYTES);
    if (data[0] & VD_FUZZ_FILL)
        filled = fill(bytes, length, &length);
    if (filled)
        bytes = filled;
    if (data[0] & VD_FUZZ_PASSES)
        run_passes(bytes, length, &options);
    else if (data[0] & VD_FUZZ_VERIFIER)
        read_verifier(bytes, length, &options);
    else
        read_model(bytes, length, &options);
    free(filled);
}
