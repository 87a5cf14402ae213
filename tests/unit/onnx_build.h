/* Building small networks in a test, value by value. Everything belongs to the model and goes with it. */
#ifndef TESTS_ONNX_BUILD_H
#define TESTS_ONNX_BUILD_H

#include <stdlib.h>
#include <string.h>

#include "model/onnx_tensor.h"

/* Appends `item` to a counted array of pointers. */
#define BUILD_APPEND(list, count, item)                                                                      \
    do {                                                                                                     \
        (list) = realloc((list), ((count) + 1) * sizeof *(list));                                            \
        (list)[(count)++] = (item);                                                                          \
    } while (0)

#define DIMS(...)                                                                                            \
    (const int64_t[]){__VA_ARGS__}, (int)(sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t))

static inline Onnx__ModelProto *build_model(int opset)
{
    Onnx__ModelProto *model = calloc(1, sizeof *model);
    onnx__model_proto__init(model);
    model->has_ir_version = true;
    model->ir_version = 8;
    model->graph = calloc(1, sizeof *model->graph);
    onnx__graph_proto__init(model->graph);
    model->graph->name = strdup("test");
    Onnx__OperatorSetIdProto *set = calloc(1, sizeof *set);
    onnx__operator_set_id_proto__init(set);
    set->has_version = true;
    set->version = opset;
    BUILD_APPEND(model->opset_import, model->n_opset_import, set);
    return model;
}

static inline Onnx__ValueInfoProto *build_info(const char *name, int type, const int64_t *dims, int rank)
{
    Onnx__ValueInfoProto *info = calloc(1, sizeof *info);
    onnx__value_info_proto__init(info);
    info->name = strdup(name);
    info->type = calloc(1, sizeof *info->type);
    onnx__type_proto__init(info->type);
    Onnx__TypeProto__Tensor *tensor = info->type->tensor_type = calloc(1, sizeof *tensor);
    onnx__type_proto__tensor__init(tensor);
    tensor->has_elem_type = true;
    tensor->elem_type = type;
    tensor->shape = calloc(1, sizeof *tensor->shape);
    onnx__tensor_shape_proto__init(tensor->shape);
    for (int i = 0; i < rank; i++) {
        Onnx__TensorShapeProto__Dimension *dim = calloc(1, sizeof *dim);
        onnx__tensor_shape_proto__dimension__init(dim);
        dim->has_dim_value = dims[i] >= 0;
        dim->dim_value = dims[i];
        if (dims[i] < 0)
            dim->dim_param = strdup("free");
        BUILD_APPEND(tensor->shape->dim, tensor->shape->n_dim, dim);
    }
    return info;
}

static inline void build_input(Onnx__ModelProto *model, const char *name, int type, const int64_t *dims,
                               int rank)
{
    BUILD_APPEND(model->graph->input, model->graph->n_input, build_info(name, type, dims, rank));
}

static inline void build_output(Onnx__ModelProto *model, const char *name, const int64_t *dims, int rank)
{
    BUILD_APPEND(model->graph->output, model->graph->n_output, build_info(name, VD_ONNX_FLOAT, dims, rank));
}

static inline Onnx__TensorProto *build_tensor(const char *name, int type, const int64_t *dims, int rank)
{
    vd_shape shape = {.rank = rank};
    memcpy(shape.dims, dims, (size_t)rank * sizeof *dims);
    Onnx__TensorProto *tensor = vd_onnx_tensor_new(type, &shape, (size_t)1 << 30);
    tensor->name = strdup(name);
    return tensor;
}

static inline Onnx__TensorProto *build_constant(Onnx__ModelProto *model, const char *name, int type,
                                                const int64_t *dims, int rank)
{
    Onnx__TensorProto *tensor = build_tensor(name, type, dims, rank);
    BUILD_APPEND(model->graph->initializer, model->graph->n_initializer, tensor);
    return tensor;
}

/* A list of whole numbers. */
static inline void build_ints(Onnx__ModelProto *model, const char *name, const int64_t *values, int count)
{
    Onnx__TensorProto *tensor = build_constant(model, name, VD_ONNX_INT64, DIMS(count));
    for (int i = 0; i < count; i++)
        vd_onnx_tensor_set_integer(tensor, (size_t)i, values[i]);
}

/* Floats first, first + step, … in the shape `dims`. */
static inline void build_floats(Onnx__ModelProto *model, const char *name, double first, double step,
                                const int64_t *dims, int rank)
{
    Onnx__TensorProto *tensor = build_constant(model, name, VD_ONNX_FLOAT, dims, rank);
    for (size_t i = 0; i < vd_onnx_tensor_count(tensor); i++)
        vd_onnx_tensor_set_number(tensor, i, first + (double)i * step);
}

/* A number without axes. */
static inline void build_number(Onnx__ModelProto *model, const char *name, int type, double value)
{
    vd_onnx_tensor_set_number(build_constant(model, name, type, DIMS(1)), 0, value);
    model->graph->initializer[model->graph->n_initializer - 1]->n_dims = 0;
}

static inline void build_links(char ***list, size_t *count, const char *names)
{
    char *copy = strdup(names), *rest = copy;
    for (char *name = strsep(&rest, " "); name; name = strsep(&rest, " "))
        BUILD_APPEND(*list, *count, strdup(strcmp(name, "-") == 0 ? "" : name));
    free(copy);
}

/* inputs, outputs  names with blanks between; "-" is one that is left out; NULL none at all */
static inline Onnx__NodeProto *build_node(Onnx__ModelProto *model, const char *op_type, const char *inputs,
                                          const char *outputs)
{
    Onnx__NodeProto *node = calloc(1, sizeof *node);
    onnx__node_proto__init(node);
    node->op_type = strdup(op_type);
    node->name = strdup(op_type);
    if (inputs)
        build_links(&node->input, &node->n_input, inputs);
    build_links(&node->output, &node->n_output, outputs);
    BUILD_APPEND(model->graph->node, model->graph->n_node, node);
    return node;
}

static inline Onnx__AttributeProto *build_attribute(Onnx__NodeProto *node, const char *name)
{
    Onnx__AttributeProto *attribute = calloc(1, sizeof *attribute);
    onnx__attribute_proto__init(attribute);
    attribute->name = strdup(name);
    BUILD_APPEND(node->attribute, node->n_attribute, attribute);
    return attribute;
}

static inline void build_int(Onnx__NodeProto *node, const char *name, int64_t value)
{
    Onnx__AttributeProto *attribute = build_attribute(node, name);
    attribute->has_i = attribute->has_type = true;
    attribute->i = value;
    attribute->type = 2;
}

static inline void build_list(Onnx__NodeProto *node, const char *name, const int64_t *values, int count)
{
    Onnx__AttributeProto *attribute = build_attribute(node, name);
    attribute->has_type = true;
    attribute->type = 7;
    attribute->n_ints = (size_t)count;
    attribute->ints = calloc((size_t)count, sizeof *values);
    memcpy(attribute->ints, values, (size_t)count * sizeof *values);
}

static inline void build_text(Onnx__NodeProto *node, const char *name, const char *value)
{
    Onnx__AttributeProto *attribute = build_attribute(node, name);
    attribute->has_s = attribute->has_type = true;
    attribute->type = 3;
    attribute->s.len = strlen(value);
    attribute->s.data = (uint8_t *)strdup(value);
}

static inline void build_metadata(Onnx__ModelProto *model, const char *key, const char *value)
{
    Onnx__StringStringEntryProto *entry = calloc(1, sizeof *entry);
    onnx__string_string_entry_proto__init(entry);
    entry->key = strdup(key);
    entry->value = strdup(value);
    BUILD_APPEND(model->metadata_props, model->n_metadata_props, entry);
}

static inline void build_free(Onnx__ModelProto *model)
{
    onnx__model_proto__free_unpacked(model, NULL);
}

#endif
