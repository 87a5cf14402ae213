/* Other outputs for a graph. */
#include <stdlib.h>

#include "base/text.h"
#include "model/onnx_heads.h"

static bool fill_shape(Onnx__TypeProto__Tensor *tensor, const vd_shape *shape)
{
    tensor->shape = malloc(sizeof *tensor->shape);
    if (!tensor->shape)
        return false;
    onnx__tensor_shape_proto__init(tensor->shape);
    tensor->shape->dim = calloc((size_t)shape->rank + 1, sizeof *tensor->shape->dim);
    for (int i = 0; tensor->shape->dim && i < shape->rank; i++) {
        Onnx__TensorShapeProto__Dimension *dim = malloc(sizeof *dim);
        if (!dim)
            return false;
        onnx__tensor_shape_proto__dimension__init(dim);
        dim->has_dim_value = true;
        dim->dim_value = shape->dims[i];
        tensor->shape->dim[tensor->shape->n_dim++] = dim;
    }
    return tensor->shape->dim != NULL;
}

static Onnx__ValueInfoProto *describe_value(const vd_value *value)
{
    Onnx__ValueInfoProto *info = malloc(sizeof *info);
    if (!info)
        return NULL;
    onnx__value_info_proto__init(info);
    info->name = vd_text_dup(value->name);
    info->type = malloc(sizeof *info->type);
    Onnx__TypeProto__Tensor *tensor = info->type ? malloc(sizeof *tensor) : NULL;
    if (info->type)
        onnx__type_proto__init(info->type);
    if (tensor) {
        onnx__type_proto__tensor__init(tensor);
        info->type->tensor_type = tensor;
        tensor->has_elem_type = true;
        tensor->elem_type = value->type;
    }
    if (info->name && tensor && fill_shape(tensor, &value->shape))
        return info;
    onnx__value_info_proto__free_unpacked(info, NULL);
    return NULL;
}

static void free_list(Onnx__ValueInfoProto **list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        onnx__value_info_proto__free_unpacked(list[i], NULL);
    free(list);
}

int vd_onnx_cut(vd_onnx_graph *graph, const vd_value *const *outputs, int count, vd_error *error)
{
    Onnx__ValueInfoProto **list = calloc((size_t)count + 1, sizeof *list);
    int made = 0;
    while (list && made < count && (list[made] = describe_value(outputs[made])))
        made++;
    if (!list || made < count) {
        if (list)
            free_list(list, (size_t)made);
        return vd_error_set(error, VD_ENOMEM, graph->place,
                            "There is not enough memory to rewrite the model.");
    }
    free_list(graph->proto->output, graph->proto->n_output);
    graph->proto->output = list;
    graph->proto->n_output = (size_t)count;
    return VD_OK;
}
