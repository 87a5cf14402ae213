#include <stdlib.h>
#include <string.h>

#include "model/onnx_edit.h"
#include "model/onnx_passes.h"

/* Marks from the outputs backwards what is needed; `values` by value, `nodes` by node. */
static void mark(const vd_onnx_graph *graph, bool *values, bool *nodes)
{
    for (size_t i = 0; i < graph->proto->n_output; i++)
        values[vd_onnx_find(graph, graph->proto->output[i]->name) - graph->values] = true;
    for (size_t i = graph->proto->n_node; i-- > 0;) {
        const Onnx__NodeProto *node = graph->proto->node[i];
        for (size_t k = 0; k < node->n_output; k++) {
            const vd_value *out = vd_onnx_output(graph, node, k);
            nodes[i] = nodes[i] || (out && !out->constant && values[out - graph->values]);
        }
        for (size_t k = 0; nodes[i] && k < node->n_input; k++) {
            const vd_value *in = vd_onnx_input(graph, node, k);
            if (in)
                values[in - graph->values] = true;
        }
    }
}

static void sweep_nodes(vd_onnx_graph *graph, const bool *nodes)
{
    size_t kept = 0;
    for (size_t i = 0; i < graph->proto->n_node; i++) {
        Onnx__NodeProto *node = graph->proto->node[i];
        for (size_t k = 0; k < node->n_output; k++) {
            vd_value *out = vd_onnx_output(graph, node, k);
            if (out)
                out->producer = nodes[i] ? (int)kept : -1;
        }
        if (nodes[i])
            graph->proto->node[kept++] = node;
        else
            onnx__node_proto__free_unpacked(node, NULL);
    }
    graph->proto->n_node = kept;
}

/* The model's list of constants becomes exactly the needed ones; the model owns them all. */
static void sweep_constants(vd_onnx_graph *graph, const bool *values, Onnx__TensorProto **list)
{
    size_t kept = 0;
    for (size_t i = 0; i < graph->value_count; i++) {
        vd_value *value = &graph->values[i];
        if (!value->constant)
            continue;
        if (values[i]) {
            list[kept++] = value->constant;
            value->initializer = true;
        } else {
            vd_onnx_tensor_free(value->constant);
            value->constant = NULL;
            value->initializer = false;
        }
    }
    free(graph->proto->initializer);
    graph->proto->initializer = list;
    graph->proto->n_initializer = kept;
}

static void sweep_inputs(vd_onnx_graph *graph)
{
    Onnx__GraphProto *proto = graph->proto;
    size_t kept = 0;
    for (size_t i = 0; i < proto->n_input; i++) {
        const vd_value *value = vd_onnx_find(graph, proto->input[i]->name);
        if (value->shape.rank >= 0 && value->initializer)
            onnx__value_info_proto__free_unpacked(proto->input[i], NULL);
        else
            proto->input[kept++] = proto->input[i];
    }
    proto->n_input = kept;
    for (size_t i = 0; i < proto->n_value_info; i++)
        onnx__value_info_proto__free_unpacked(proto->value_info[i], NULL);
    proto->n_value_info = 0;
}

static bool append_extent(Onnx__TensorShapeProto *shape, int64_t extent)
{
    Onnx__TensorShapeProto__Dimension *dim = malloc(sizeof *dim);
    Onnx__TensorShapeProto__Dimension **longer =
        dim ? realloc(shape->dim, (shape->n_dim + 1) * sizeof *longer) : NULL;
    if (!longer) {
        free(dim);
        return false;
    }
    onnx__tensor_shape_proto__dimension__init(dim);
    dim->has_dim_value = true;
    dim->dim_value = extent;
    shape->dim = longer;
    longer[shape->n_dim++] = dim;
    return true;
}

static Onnx__TypeProto *new_type(const vd_value *value)
{
    Onnx__TypeProto *type = malloc(sizeof *type);
    if (!type)
        return NULL;
    onnx__type_proto__init(type);
    Onnx__TypeProto__Tensor *tensor = type->tensor_type = malloc(sizeof *tensor);
    bool made = tensor != NULL;
    if (made) {
        onnx__type_proto__tensor__init(tensor);
        tensor->has_elem_type = true;
        tensor->elem_type = value->type;
        tensor->shape = malloc(sizeof *tensor->shape);
        made = tensor->shape != NULL;
    }
    if (made)
        onnx__tensor_shape_proto__init(tensor->shape);
    for (int i = 0; made && i < value->shape.rank; i++)
        made = append_extent(tensor->shape, value->shape.dims[i]);
    if (made)
        return type;
    onnx__type_proto__free_unpacked(type, NULL);
    return NULL;
}

/* Writes a known shape and type over what is declared: OpenCV 4.6 opens no file that leaves them out. */
static bool write_shape(const vd_onnx_graph *graph, Onnx__ValueInfoProto *info)
{
    const vd_value *value = vd_onnx_find(graph, info->name);
    if (!value || value->shape.rank < 0)
        return true;
    Onnx__TypeProto *type = new_type(value);
    if (!type)
        return false;
    if (info->type)
        onnx__type_proto__free_unpacked(info->type, NULL);
    info->type = type;
    return true;
}

static bool write_shapes(const vd_onnx_graph *graph)
{
    bool written = true;
    for (size_t i = 0; written && i < graph->proto->n_input; i++)
        written = write_shape(graph, graph->proto->input[i]);
    for (size_t i = 0; written && i < graph->proto->n_output; i++)
        written = write_shape(graph, graph->proto->output[i]);
    return written;
}

int vd_onnx_sweep(vd_onnx_graph *graph, vd_error *error)
{
    Onnx__GraphProto *proto = graph->proto;
    bool *values = calloc(graph->value_count + 1, sizeof *values);
    bool *nodes = calloc(proto->n_node + 1, sizeof *nodes);
    Onnx__TensorProto **list = calloc(graph->value_count + 1, sizeof *list);
    int code = VD_OK;
    if (!values || !nodes || !list) {
        code =
            vd_error_set(error, VD_ENOMEM, graph->place, "There is not enough memory to rewrite the model.");
        free(list);
    } else {
        mark(graph, values, nodes);
        sweep_inputs(graph);
        sweep_nodes(graph, nodes);
        sweep_constants(graph, values, list);
        if (!write_shapes(graph))
            code = vd_onnx_no_memory(graph, error);
    }
    free(values);
    free(nodes);
    return code;
}
