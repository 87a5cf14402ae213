#include "model/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "model/digest.h"
#include "model/family.h"
#include "model/names.h"
#include "model/onnx_file.h"
#include "model/onnx_passes.h"
#include "model/onnx_plan.h"
#include "model/onnx_size.h"
#include "model/pair.h"

void vd_model_name(vd_model *model, const char *path)
{
    const char *base = vd_text_base_name(path);
    vd_text_clean(model->name, sizeof model->name, base, strlen(base));
    char *dot = strrchr(model->name, '.');
    if (dot && dot != model->name)
        *dot = '\0';
}

void vd_model_note_rewriting(const vd_onnx_graph *graph, vd_model *model)
{
    int folded = graph->folded_nodes, spread = graph->spread_constants;
    int settings = graph->rewritten_nodes, factors = graph->moved_scales;
    if (folded > 0)
        vd_model_note(model, "folded %d constant node%s", folded, folded > 1 ? "s" : "");
    if (spread > 0)
        vd_model_note(model, "spread %d constant%s to full rank", spread, spread > 1 ? "s" : "");
    if (settings > 0)
        vd_model_note(model, "wrote an input of %d Split or Squeeze node%s as a setting", settings,
                      settings > 1 ? "s" : "");
    if (factors > 0)
        vd_model_note(model, "moved %d factor%s to before the matrix product", factors,
                      factors > 1 ? "s" : "");
    if (graph->widened > 0)
        vd_model_note(model, "half precision: %d value%s became float32", graph->widened,
                      graph->widened > 1 ? "s" : "");
    if (graph->unquantised > 0)
        vd_model_note(model, "8-bit integers: %d node%s became float32", graph->unquantised,
                      graph->unquantised > 1 ? "s" : "");
    if (graph->absorbed > 0)
        vd_model_note(model, "%d factor%s and offsets went into the convolution before", graph->absorbed,
                      graph->absorbed > 1 ? "s" : "");
    if (graph->replaced > 0)
        vd_model_note(model,
                      "wrote %d node%s in the way that OpenCV 4.6 reads (padding, bounds, windows, powers)",
                      graph->replaced, graph->replaced > 1 ? "s" : "");
}

/* Names from the labels file, else from the metadata; neither is an error. */
static int find_names(const Onnx__ModelProto *proto, const char *labels_path, const char *place,
                      vd_names *ret_names, vd_error *error)
{
    if (labels_path)
        return vd_names_read_file(labels_path, ret_names, error);
    const char *text = vd_onnx_metadata(proto, "names");
    if (!text || vd_names_parse(text, ret_names) == VD_OK)
        return VD_OK;
    return vd_error_set(
        error, VD_EFORMAT, place,
        "The class names in the file's metadata cannot be read; name a labels file with one a line.");
}

static int set_labels(vd_model *model, const vd_names *names, const char *labels_path, vd_error *error)
{
    char place[192];
    static const char *const none[VD_MAX_CLASSES];
    if (labels_path && names->count != model->classes) {
        vd_text_mask_address(place, sizeof place, labels_path);
        return vd_error_set(error, VD_EFORMAT, place, "The file names %d classes, and the model has %d.",
                            names->count, model->classes);
    }
    static const char *const face[] = {"face"};
    const char *const *items = none;
    model->has_names = names->count == model->classes || model->family == VD_FAMILY_YUNET;
    if (names->count == model->classes)
        items = (const char *const *)names->items;
    else if (model->family == VD_FAMILY_YUNET)
        items = face;
    else if (names->count == 0)
        vd_model_note(model, "no class names in the file: give a labels file with one a line");
    else
        vd_model_note(model, "the file names %d classes and its network has %d: give a labels file",
                      names->count, model->classes);
    if (vd_labels_new(items, model->classes, &model->labels) != VD_OK)
        return vd_error_set(error, VD_ENOMEM, NULL, "There is not enough memory to read the model.");
    return VD_OK;
}

int vd_model_list_outputs(const vd_onnx_graph *graph, vd_model *model, vd_error *error)
{
    const Onnx__GraphProto *proto = graph->proto;
    if (proto->n_output > VD_MODEL_OUTPUTS)
        return vd_error_set(error, VD_EFORMAT, graph->place,
                            "The network has %zu outputs; no known detector has more than %d.",
                            proto->n_output, VD_MODEL_OUTPUTS);
    for (size_t i = 0; i < proto->n_output; i++) {
        vd_model_output *output = &model->outputs[i];
        const vd_value *value = vd_onnx_find(graph, proto->output[i]->name);
        if (strlen(value->name) >= sizeof output->name || value->shape.rank > 4)
            return vd_error_set(error, VD_EFORMAT, graph->place,
                                "The name or the shape of one of the network's outputs is too long.");
        vd_text_copy(output->name, sizeof output->name, value->name);
        output->rank = value->shape.rank;
        for (int k = 0; k < output->rank; k++)
            output->extents[k] = (int)value->shape.dims[k];
    }
    model->output_count = (int)proto->n_output;
    return VD_OK;
}

enum { USUAL_SIDE = 640, FACES_SIDE = 320, FACES_OUTPUTS = 12 };

/* Extents that the file leaves open. A file that does not name its size is a YuNet, at 320, when it has its
 * twelve outputs. */
static int fix_input(Onnx__ModelProto *proto, const vd_model_options *options, const char *place,
                     vd_model *model, vd_error *error)
{
    vd_onnx_size wish = {options->input_width, options->input_height, options->batch};
    bool was_free = false;
    int otherwise = proto->graph->n_output == FACES_OUTPUTS ? FACES_SIDE : USUAL_SIDE;
    int code = vd_onnx_fix_input(proto, &wish, otherwise, place, &was_free, error);
    if (code != VD_OK)
        return code;
    model->batch = wish.batch > 1 ? wish.batch : 1;
    if (was_free)
        vd_model_note(model, "input of free size");
    return VD_OK;
}

/* Another size than the file's own; the levels of the family grow along. */
static int resize(vd_onnx_graph *graph, const vd_model_options *options, vd_model *model, vd_error *error)
{
    int width = options->input_width ? options->input_width : model->input_width;
    int height = options->input_height ? options->input_height : model->input_height;
    if (width == model->input_width && height == model->input_height)
        return VD_OK;
    int code = vd_onnx_resize(graph, width, height, error);
    if (code != VD_OK)
        return code;
    vd_model_note(model, "run at %d × %d; the file was exported for %d × %d", width, height,
                  model->input_width, model->input_height);
    model->input_width = width;
    model->input_height = height;
    int cells = 0, was = 0;
    for (int i = 0; i < model->level_count; i++) {
        vd_model_level *level = &model->levels[i];
        was += level->width * level->height;
        level->width = width / level->stride;
        level->height = height / level->stride;
        cells += level->width * level->height;
    }
    if (was > 0 && model->anchors % was == 0) /* boxes are a number a cell */
        model->anchors = model->anchors / was * cells;
    return VD_OK;
}

/* Everything between parsing and packing. */
static int rewrite(Onnx__ModelProto *proto, const vd_model_options *options, const char *place,
                   vd_model *model, vd_error *error)
{
    vd_onnx_graph graph;
    vd_names names = {0};
    const char *labels_path = options->labels;
    int code = vd_family_screen(proto, place, error);
    if (code == VD_OK)
        code = fix_input(proto, options, place, model, error);
    if (code == VD_OK)
        code = find_names(proto, labels_path, place, &names, error);
    if (code == VD_OK)
        code = vd_onnx_graph_init(&graph, proto, place, error);
    if (code == VD_OK) {
        code = vd_onnx_normalise(&graph, error);
        if (code == VD_OK)
            code = vd_family_tell(&graph, labels_path ? 0 : names.count, model, error);
        if (code == VD_OK)
            code = resize(&graph, options, model, error);
        if (code == VD_OK)
            code = vd_onnx_cure(&graph, error);
        if (code == VD_OK)
            code = vd_model_list_outputs(&graph, model, error);
        if (code == VD_OK)
            vd_model_note_rewriting(&graph, model);
        vd_onnx_graph_fini(&graph);
    }
    if (code == VD_OK)
        code = set_labels(model, &names, labels_path, error);
    vd_names_free(&names);
    return code;
}

int vd_model_plan(vd_model *model, const char *place, vd_error *error)
{
    vd_plan_tally tally = {0};
    int code = vd_onnx_plan_file(model->network, model->network_bytes, place, &model->planned,
                                 &model->planned_bytes, &tally, error);
    if (code == VD_OK && tally.runs > 0)
        vd_model_note(model, "gathered %d of %d layers into %d run%s", tally.gathered,
                      tally.gathered + tally.left, tally.runs, tally.runs > 1 ? "s" : "");
    return code;
}

/* A parsed file, which is freed. */
static int read_proto(vd_model *model, Onnx__ModelProto *proto, const char *path,
                      const vd_model_options *options, vd_error *error)
{
    char place[192];
    vd_text_mask_address(place, sizeof place, path);
    vd_model_name(model, path);
    int code = rewrite(proto, options, place, model, error);
    if (code == VD_OK && vd_onnx_pack(proto, &model->network, &model->network_bytes) != VD_OK)
        code = vd_error_set(error, VD_ENOMEM, place, "There is not enough memory to rewrite the model.");
    onnx__model_proto__free_unpacked(proto, NULL);
    return code == VD_OK && !options->no_plan ? vd_model_plan(model, place, error) : code;
}

static int parse_onnx(vd_model *model, const uint8_t *bytes, size_t length, const char *place,
                      Onnx__ModelProto **ret_proto, vd_error *error)
{
    int code = vd_onnx_parse(bytes, length, place, ret_proto, error);
    if (code == VD_OK)
        vd_digest_sha256(bytes, length, model->digest);
    return code;
}

static int read_onnx(vd_model *model, const char *path, const vd_model_options *options, vd_error *error)
{
    char place[192];
    uint8_t *bytes = NULL;
    size_t length = 0;
    Onnx__ModelProto *proto = NULL;
    vd_text_mask_address(place, sizeof place, path);
    int code = vd_onnx_load(path, place, VD_ONNX_MAX_BYTES, &bytes, &length, error);
    if (code != VD_OK)
        return code;
    code = parse_onnx(model, bytes, length, place, &proto, error);
    free(bytes);
    return code == VD_OK ? read_proto(model, proto, path, options, error) : code;
}

static vd_model *new_model(vd_error *error)
{
    vd_model *model = calloc(1, sizeof *model);
    if (!model) {
        vd_error_set(error, VD_ENOMEM, NULL, "There is not enough memory to read the model.");
        return NULL;
    }
    model->batch = 1;
    model->bins = 1;
    return model;
}

int vd_model_read(const char *path, const vd_model_options *options, vd_model **ret_model, vd_error *error)
{
    static const vd_model_options usual = {0};
    vd_model *model = new_model(error);
    if (!model)
        return VD_ENOMEM;
    int code = vd_pair_format(path) ? vd_pair_read(path, options, model, error)
                                    : read_onnx(model, path, options ? options : &usual, error);
    if (code != VD_OK) {
        vd_model_free(&model);
        return code;
    }
    *ret_model = model;
    return VD_OK;
}

int vd_model_read_bytes(const uint8_t *bytes, size_t length, const char *name,
                        const vd_model_options *options, vd_model **ret_model, vd_error *error)
{
    static const vd_model_options usual = {0};
    char place[192];
    Onnx__ModelProto *proto = NULL;
    vd_model *model = new_model(error);
    if (!model)
        return VD_ENOMEM;
    vd_text_mask_address(place, sizeof place, name);
    int code = parse_onnx(model, bytes, length, place, &proto, error);
    if (code == VD_OK)
        code = read_proto(model, proto, name, options ? options : &usual, error);
    if (code != VD_OK) {
        vd_model_free(&model);
        return code;
    }
    *ret_model = model;
    return VD_OK;
}

void vd_model_free(vd_model **model)
{
    if (!*model)
        return;
    vd_labels_unref(&(*model)->labels);
    vd_model_drop_file(*model);
    free(*model);
    *model = NULL;
}

void vd_model_drop_file(vd_model *model)
{
    free(model->network);
    free(model->config);
    free(model->planned);
    model->network = model->config = model->planned = NULL;
    model->network_bytes = model->config_bytes = model->planned_bytes = 0;
}
