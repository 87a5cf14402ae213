#include "model/onnx_edit.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* AttributeProto.type in the file format */
enum { ATTRIBUTE_FLOAT = 1, ATTRIBUTE_INT = 2, ATTRIBUTE_INTS = 7 };

int vd_onnx_no_memory(const vd_onnx_graph *graph, vd_error *error)
{
    return vd_error_set(error, VD_ENOMEM, graph->place, "There is not enough memory to rewrite the model.");
}

int vd_onnx_set_type(Onnx__NodeProto *node, const char *op_type)
{
    char *copy = vd_text_dup(op_type);
    if (!copy)
        return VD_ENOMEM;
    free(node->op_type);
    node->op_type = copy;
    free(node->domain);
    node->domain = NULL;
    return VD_OK;
}

void vd_onnx_keep_inputs(Onnx__NodeProto *node, size_t count)
{
    while (node->n_input > count)
        free(node->input[--node->n_input]);
}

void vd_onnx_keep_settings(Onnx__NodeProto *node, size_t count)
{
    while (node->n_attribute > count)
        onnx__attribute_proto__free_unpacked(node->attribute[--node->n_attribute], NULL);
}

int vd_onnx_put_input(Onnx__NodeProto *node, size_t i, const char *name)
{
    if (i < node->n_input)
        return vd_onnx_set_input(node, i, name);
    char *copy = vd_text_dup(name);
    char **longer = copy ? realloc(node->input, (node->n_input + 1) * sizeof *longer) : NULL;
    if (!longer) {
        free(copy);
        return VD_ENOMEM;
    }
    node->input = longer;
    longer[node->n_input++] = copy;
    return VD_OK;
}

void vd_onnx_drop_setting(Onnx__NodeProto *node, const char *name)
{
    for (size_t i = 0; i < node->n_attribute; i++) {
        if (node->attribute[i]->name && strcmp(node->attribute[i]->name, name) == 0) {
            onnx__attribute_proto__free_unpacked(node->attribute[i], NULL);
            node->attribute[i] = node->attribute[--node->n_attribute];
            return;
        }
    }
}

/* The setting of that name, emptied, or a new one; NULL when memory is used up. */
static Onnx__AttributeProto *setting(Onnx__NodeProto *node, const char *name)
{
    vd_onnx_drop_setting(node, name);
    Onnx__AttributeProto **longer = realloc(node->attribute, (node->n_attribute + 1) * sizeof *longer);
    if (!longer)
        return NULL;
    node->attribute = longer;
    Onnx__AttributeProto *fresh = malloc(sizeof *fresh);
    if (!fresh)
        return NULL;
    onnx__attribute_proto__init(fresh);
    fresh->name = vd_text_dup(name);
    if (!fresh->name) {
        free(fresh);
        return NULL;
    }
    fresh->has_type = true;
    longer[node->n_attribute++] = fresh;
    return fresh;
}

int vd_onnx_set_ints(Onnx__NodeProto *node, const char *name, const int64_t *ints, int count)
{
    int64_t *copy = calloc(count > 0 ? (size_t)count : 1, sizeof *copy);
    Onnx__AttributeProto *attribute = copy ? setting(node, name) : NULL;
    if (!attribute) {
        free(copy);
        return VD_ENOMEM;
    }
    if (count > 0)
        memcpy(copy, ints, (size_t)count * sizeof *copy);
    attribute->ints = copy;
    attribute->n_ints = (size_t)count;
    attribute->type = ATTRIBUTE_INTS;
    return VD_OK;
}

int vd_onnx_set_int(Onnx__NodeProto *node, const char *name, int64_t value)
{
    Onnx__AttributeProto *attribute = setting(node, name);
    if (!attribute)
        return VD_ENOMEM;
    attribute->has_i = true;
    attribute->i = value;
    attribute->type = ATTRIBUTE_INT;
    return VD_OK;
}

int vd_onnx_set_float(Onnx__NodeProto *node, const char *name, float value)
{
    Onnx__AttributeProto *attribute = setting(node, name);
    if (!attribute)
        return VD_ENOMEM;
    attribute->has_f = true;
    attribute->f = value;
    attribute->type = ATTRIBUTE_FLOAT;
    return VD_OK;
}

int vd_onnx_put_constant(vd_onnx_graph *graph, const char *stem, Onnx__TensorProto *tensor,
                         vd_value **ret_value, vd_error *error)
{
    vd_value *value = NULL;
    if (!tensor || vd_onnx_add_constant(graph, stem, tensor, &value) != VD_OK) {
        vd_onnx_tensor_free(tensor);
        return vd_onnx_no_memory(graph, error);
    }
    free(tensor->name);
    tensor->name = vd_text_dup(value->name);
    if (!tensor->name)
        return vd_onnx_no_memory(graph, error);
    *ret_value = value;
    return VD_OK;
}

Onnx__NodeProto *vd_onnx_new_node(const char *op_type, const char *output)
{
    Onnx__NodeProto *node = malloc(sizeof *node);
    if (!node)
        return NULL;
    onnx__node_proto__init(node);
    node->op_type = vd_text_dup(op_type);
    node->name = vd_text_dup(output);
    node->output = calloc(1, sizeof *node->output);
    if (node->output) {
        node->output[0] = vd_text_dup(output);
        node->n_output = node->output[0] ? 1 : 0;
    }
    if (!node->op_type || !node->name || node->n_output == 0) {
        onnx__node_proto__free_unpacked(node, NULL);
        return NULL;
    }
    return node;
}
