/* Networks in half precision: everything becomes float32, which holds every value of float16 and bfloat16
 * exactly. What the network computes is then more exact than what the file's own types would give. */
#include <stdlib.h>

#include "model/onnx_passes.h"

static int widen(Onnx__TensorProto *tensor, const char *place, vd_error *error)
{
    if (!vd_onnx_type_is_half(tensor->data_type))
        return VD_OK;
    vd_shape shape = vd_onnx_tensor_shape(tensor);
    size_t count = vd_onnx_tensor_count(tensor);
    Onnx__TensorProto *wide = vd_onnx_tensor_new(VD_ONNX_FLOAT, &shape, SIZE_MAX);
    if (!wide)
        return vd_error_set(error, VD_ENOMEM, place, "There is not enough memory to rewrite the model.");
    for (size_t i = 0; i < count; i++)
        vd_onnx_tensor_set_number(wide, i, vd_onnx_tensor_number(tensor, i));
    ProtobufCBinaryData narrow = tensor->raw_data;
    tensor->raw_data = wide->raw_data;
    wide->raw_data = narrow;
    tensor->data_type = VD_ONNX_FLOAT;
    vd_onnx_tensor_free(wide);
    return VD_OK;
}

static void widen_declared(Onnx__ValueInfoProto *info)
{
    Onnx__TypeProto__Tensor *tensor = info->type ? info->type->tensor_type : NULL;
    if (tensor && vd_onnx_type_is_half(tensor->elem_type))
        tensor->elem_type = VD_ONNX_FLOAT;
}

static int widen_node(const Onnx__NodeProto *node, const char *place, vd_error *error)
{
    int code = VD_OK;
    for (size_t i = 0; code == VD_OK && i < node->n_attribute; i++) {
        if (node->attribute[i]->t)
            code = widen(node->attribute[i]->t, place, error);
    }
    const Onnx__AttributeProto *to = vd_onnx_is(node, "Cast") ? vd_onnx_attribute(node, "to") : NULL;
    for (size_t i = 0; to && i < node->n_attribute; i++) {
        Onnx__AttributeProto *attribute = node->attribute[i];
        if (attribute == to && (attribute->i == VD_ONNX_FLOAT16 || attribute->i == VD_ONNX_BFLOAT16))
            attribute->i = VD_ONNX_FLOAT; /* between floats it is nothing: vd_onnx_bypass */
    }
    return code;
}

int vd_onnx_half(vd_onnx_graph *graph, vd_error *error)
{
    int code = VD_OK;
    for (size_t i = 0; code == VD_OK && i < graph->value_count; i++) {
        vd_value *value = &graph->values[i];
        bool half = vd_onnx_type_is_half(value->type);
        if (value->constant)
            code = widen(value->constant, graph->place, error);
        if (code == VD_OK && half) {
            value->type = VD_ONNX_FLOAT;
            graph->widened++;
        }
    }
    for (size_t i = 0; code == VD_OK && i < graph->proto->n_node; i++)
        code = widen_node(graph->proto->node[i], graph->place, error);
    for (size_t i = 0; i < graph->proto->n_input; i++)
        widen_declared(graph->proto->input[i]);
    for (size_t i = 0; i < graph->proto->n_output; i++)
        widen_declared(graph->proto->output[i]);
    return code;
}
