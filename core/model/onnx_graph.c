#include "model/onnx_graph.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static uint32_t hash_name(const char *name)
{
    uint32_t hash = 2166136261u;
    for (; *name; name++)
        hash = (hash ^ (uint8_t)*name) * 16777619u;
    return hash;
}

/* The slot that holds `name`, or the empty one where it belongs. */
static uint32_t *slot_of(const vd_onnx_graph *graph, const char *name)
{
    size_t i = hash_name(name) & (graph->slot_count - 1);
    while (graph->slots[i] != 0 && strcmp(graph->values[graph->slots[i] - 1].name, name) != 0)
        i = (i + 1) & (graph->slot_count - 1);
    return &graph->slots[i];
}

vd_value *vd_onnx_find(const vd_onnx_graph *graph, const char *name)
{
    if (!name || !*name)
        return NULL;
    uint32_t at = *slot_of(graph, name);
    return at ? &graph->values[at - 1] : NULL;
}

vd_value *vd_onnx_input(const vd_onnx_graph *graph, const Onnx__NodeProto *node, size_t i)
{
    return i < node->n_input ? vd_onnx_find(graph, node->input[i]) : NULL;
}

vd_value *vd_onnx_output(const vd_onnx_graph *graph, const Onnx__NodeProto *node, size_t i)
{
    return i < node->n_output ? vd_onnx_find(graph, node->output[i]) : NULL;
}

/* Adds a name that must be new. */
static int add_value(vd_onnx_graph *graph, const char *name, vd_value **ret_value, vd_error *error)
{
    uint32_t *slot = slot_of(graph, name);
    char shown[64];
    vd_text_clean(shown, sizeof shown, name, strlen(name));
    if (*slot != 0)
        return vd_error_set(error, VD_EFORMAT, graph->place,
                            "The file is damaged: its graph has two values named %s.", shown);
    if (graph->value_count >= graph->value_room)
        return vd_error_set(error, VD_ENOMEM, graph->place,
                            "The model's graph is too large to be rewritten.");
    vd_value *value = &graph->values[graph->value_count];
    *value = (vd_value){.name = vd_text_dup(name), .shape = {.rank = -1}, .producer = -1};
    if (!value->name)
        return vd_error_set(error, VD_ENOMEM, graph->place, "There is not enough memory to read the model.");
    *slot = (uint32_t)++graph->value_count;
    *ret_value = value;
    return VD_OK;
}

static int add_initializers(vd_onnx_graph *graph, vd_error *error)
{
    for (size_t i = 0; i < graph->proto->n_initializer; i++) {
        Onnx__TensorProto *tensor = graph->proto->initializer[i];
        if (!tensor->name || !*tensor->name)
            return vd_error_set(error, VD_EFORMAT, graph->place,
                                "The file is damaged: a constant has no name.");
        char shown[64];
        vd_text_clean(shown, sizeof shown, tensor->name, strlen(tensor->name));
        int code = vd_onnx_tensor_check(tensor, shown, graph->place, error);
        vd_value *value = NULL;
        if (code == VD_OK)
            code = add_value(graph, tensor->name, &value, error);
        if (code != VD_OK)
            return code;
        value->constant = tensor;
        value->initializer = true;
        value->shape = vd_onnx_tensor_shape(tensor);
        value->type = tensor->data_type;
    }
    return VD_OK;
}

/* Inputs that are initialisers as well are constants to us: nobody feeds them. */
static int add_inputs(vd_onnx_graph *graph, vd_error *error)
{
    for (size_t i = 0; i < graph->proto->n_input; i++) {
        const Onnx__ValueInfoProto *info = graph->proto->input[i];
        if (!info->name || !*info->name)
            return vd_error_set(error, VD_EFORMAT, graph->place,
                                "The file is damaged: an input has no name.");
        vd_value *value = vd_onnx_find(graph, info->name);
        if (value && value->initializer)
            continue;
        int code = add_value(graph, info->name, &value, error);
        if (code != VD_OK)
            return code;
        value->shape = vd_onnx_declared_shape(info);
        value->type = vd_onnx_declared_type(info);
    }
    return VD_OK;
}

static int check_attributes(vd_onnx_graph *graph, Onnx__NodeProto *node, const char *shown, vd_error *error)
{
    for (size_t i = 0; i < node->n_attribute; i++) {
        Onnx__AttributeProto *attribute = node->attribute[i];
        if (!attribute->name)
            return vd_error_set(error, VD_EFORMAT, graph->place,
                                "The file is damaged: node %s has a setting without a name.", shown);
        int code = attribute->t ? vd_onnx_tensor_check(attribute->t, shown, graph->place, error) : VD_OK;
        if (code != VD_OK)
            return code;
    }
    return VD_OK;
}

static int add_node(vd_onnx_graph *graph, size_t index, vd_error *error)
{
    Onnx__NodeProto *node = graph->proto->node[index];
    char shown[64];
    vd_onnx_node_text(node, shown, sizeof shown);
    if (!node->op_type || node->n_output < 1 || node->n_output > VD_ONNX_MAX_LINKS ||
        node->n_input > VD_ONNX_MAX_LINKS)
        return vd_error_set(error, VD_EFORMAT, graph->place, "The file is damaged: node %s makes no sense.",
                            shown);
    for (size_t i = 0; i < node->n_input; i++) {
        if (*node->input[i] && !vd_onnx_find(graph, node->input[i]))
            return vd_error_set(error, VD_EFORMAT, graph->place,
                                "The file is damaged: node %s reads a value that no earlier node makes.",
                                shown);
    }
    int code = check_attributes(graph, node, shown, error);
    for (size_t i = 0; code == VD_OK && i < node->n_output; i++) {
        vd_value *value = NULL;
        if (!*node->output[i])
            continue;
        code = add_value(graph, node->output[i], &value, error);
        if (code == VD_OK)
            value->producer = (int)index;
    }
    return code;
}

static int make_room(vd_onnx_graph *graph, vd_error *error)
{
    const Onnx__GraphProto *proto = graph->proto;
    size_t room = 64;
    if (proto->n_node > VD_ONNX_MAX_NODES || proto->n_initializer > VD_ONNX_MAX_VALUES ||
        proto->n_input > VD_ONNX_MAX_VALUES || proto->n_output > VD_ONNX_MAX_LINKS)
        return vd_error_set(error, VD_EFORMAT, graph->place,
                            "The model's graph is larger than any detector's (%zu nodes, %zu constants).",
                            proto->n_node, proto->n_initializer);
    room += proto->n_input + proto->n_initializer + 6 * proto->n_node; /* the passes' own constants */
    for (size_t i = 0; i < proto->n_node; i++)
        room += proto->node[i]->n_output;
    if (room > 8 * VD_ONNX_MAX_VALUES)
        return vd_error_set(error, VD_EFORMAT, graph->place,
                            "The model's graph is larger than any detector's.");
    graph->slot_count = 128;
    while (graph->slot_count < 2 * room)
        graph->slot_count *= 2;
    graph->value_room = room;
    graph->values = calloc(room, sizeof *graph->values);
    graph->slots = calloc(graph->slot_count, sizeof *graph->slots);
    if (!graph->values || !graph->slots)
        return vd_error_set(error, VD_ENOMEM, graph->place, "There is not enough memory to read the model.");
    return VD_OK;
}

static int opset_of(const Onnx__ModelProto *model)
{
    for (size_t i = 0; i < model->n_opset_import; i++) {
        const Onnx__OperatorSetIdProto *set = model->opset_import[i];
        bool standard = !set->domain || !*set->domain || strcmp(set->domain, "ai.onnx") == 0;
        if (standard && set->version > 0 && set->version < 1000)
            return (int)set->version;
    }
    return 1;
}

int vd_onnx_graph_init(vd_onnx_graph *graph, Onnx__ModelProto *model, const char *place, vd_error *error)
{
    *graph = (vd_onnx_graph){.model = model, .proto = model->graph, .place = place, .opset = opset_of(model)};
    if (!model->graph)
        return vd_error_set(error, VD_EFORMAT, place, "The file holds no network.");
    int code = make_room(graph, error);
    if (code == VD_OK)
        code = add_initializers(graph, error);
    if (code == VD_OK)
        code = add_inputs(graph, error);
    for (size_t i = 0; code == VD_OK && i < graph->proto->n_node; i++)
        code = add_node(graph, i, error);
    for (size_t i = 0; code == VD_OK && i < graph->proto->n_output; i++) {
        if (!vd_onnx_find(graph, graph->proto->output[i]->name))
            code = vd_error_set(error, VD_EFORMAT, place, "The file is damaged: no node makes its output.");
    }
    if (code != VD_OK)
        vd_onnx_graph_fini(graph);
    return code;
}

void vd_onnx_graph_fini(vd_onnx_graph *graph)
{
    for (size_t i = 0; i < graph->value_count; i++) {
        if (!graph->values[i].initializer)
            vd_onnx_tensor_free(graph->values[i].constant);
        free(graph->values[i].name);
    }
    free(graph->values);
    free(graph->slots);
    *graph = (vd_onnx_graph){0};
}

int vd_onnx_add_constant(vd_onnx_graph *graph, const char *stem, Onnx__TensorProto *tensor,
                         vd_value **ret_value)
{
    char name[256];
    do /* counted over the whole graph: by stem it would take the longer the more of them share one */
        snprintf(name, sizeof name, "%.200s/vedette_%zu", stem, graph->named++);
    while (vd_onnx_find(graph, name));
    vd_value *value = NULL;
    if (add_value(graph, name, &value, NULL) != VD_OK)
        return VD_ENOMEM;
    value->constant = tensor;
    value->shape = vd_onnx_tensor_shape(tensor);
    value->type = tensor->data_type;
    *ret_value = value;
    return VD_OK;
}

void vd_onnx_count_uses(vd_onnx_graph *graph)
{
    for (size_t i = 0; i < graph->value_count; i++)
        graph->values[i].uses = 0;
    for (size_t i = 0; i < graph->proto->n_node; i++) {
        for (size_t k = 0; k < graph->proto->node[i]->n_input; k++) {
            vd_value *value = vd_onnx_input(graph, graph->proto->node[i], k);
            if (value)
                value->uses++;
        }
    }
    for (size_t i = 0; i < graph->proto->n_output; i++)
        vd_onnx_find(graph, graph->proto->output[i]->name)->uses++;
}

bool vd_onnx_is_output(const vd_onnx_graph *graph, const char *name)
{
    for (size_t i = 0; i < graph->proto->n_output; i++)
        if (strcmp(graph->proto->output[i]->name, name) == 0)
            return true;
    return false;
}

int vd_onnx_set_input(Onnx__NodeProto *node, size_t i, const char *name)
{
    char *copy = vd_text_dup(name);
    if (!copy)
        return VD_ENOMEM;
    free(node->input[i]);
    node->input[i] = copy;
    return VD_OK;
}

bool vd_onnx_is(const Onnx__NodeProto *node, const char *op_type)
{
    bool standard = !node->domain || !*node->domain || strcmp(node->domain, "ai.onnx") == 0;
    return standard && node->op_type && strcmp(node->op_type, op_type) == 0;
}

const Onnx__AttributeProto *vd_onnx_attribute(const Onnx__NodeProto *node, const char *name)
{
    for (size_t i = 0; i < node->n_attribute; i++)
        if (node->attribute[i]->name && strcmp(node->attribute[i]->name, name) == 0)
            return node->attribute[i];
    return NULL;
}

int64_t vd_onnx_attribute_int(const Onnx__NodeProto *node, const char *name, int64_t otherwise)
{
    const Onnx__AttributeProto *attribute = vd_onnx_attribute(node, name);
    return attribute ? attribute->i : otherwise;
}

int vd_onnx_attribute_ints(const Onnx__NodeProto *node, const char *name, int64_t ret_ints[2 * VD_ONNX_RANK])
{
    const Onnx__AttributeProto *attribute = vd_onnx_attribute(node, name);
    if (!attribute || attribute->n_ints > 2 * VD_ONNX_RANK)
        return -1;
    for (size_t i = 0; i < attribute->n_ints; i++)
        ret_ints[i] = attribute->ints[i];
    return (int)attribute->n_ints;
}

int vd_onnx_value_ints(const vd_value *value, int64_t ret_ints[2 * VD_ONNX_RANK])
{
    if (!value || !value->constant || value->shape.rank > 1)
        return -1;
    size_t count = vd_onnx_tensor_count(value->constant);
    if (count > 2 * VD_ONNX_RANK)
        return -1;
    for (size_t i = 0; i < count; i++)
        ret_ints[i] = vd_onnx_tensor_integer(value->constant, i);
    return (int)count;
}

void vd_onnx_node_text(const Onnx__NodeProto *node, char *out, size_t size)
{
    const char *text = node->name && *node->name ? node->name
                       : node->n_output > 0      ? node->output[0]
                                                 : "without name";
    vd_text_clean(out, size, text, strlen(text));
}

vd_shape vd_onnx_declared_shape(const Onnx__ValueInfoProto *info)
{
    vd_shape shape = {.rank = -1};
    const Onnx__TypeProto__Tensor *tensor = info->type ? info->type->tensor_type : NULL;
    if (!tensor || !tensor->shape || tensor->shape->n_dim > VD_ONNX_RANK)
        return shape;
    shape.rank = (int)tensor->shape->n_dim;
    for (int i = 0; i < shape.rank; i++) {
        const Onnx__TensorShapeProto__Dimension *dim = tensor->shape->dim[i];
        shape.dims[i] = dim->has_dim_value && dim->dim_value > 0 ? dim->dim_value : -1;
    }
    return shape;
}

int vd_onnx_declared_type(const Onnx__ValueInfoProto *info)
{
    const Onnx__TypeProto__Tensor *tensor = info->type ? info->type->tensor_type : NULL;
    return tensor ? tensor->elem_type : 0;
}
