#include <string.h>

#include "base/text.h"
#include "model/onnx_passes.h"
#include "model/onnx_rules.h"

/* The elements of `from`, repeated along the axes that `to` has more of. */
static void repeat(const Onnx__TensorProto *from, Onnx__TensorProto *to)
{
    vd_shape small = vd_onnx_tensor_shape(from), large = vd_onnx_tensor_shape(to);
    size_t width = vd_onnx_type_bytes(to->data_type), count = vd_onnx_tensor_count(to);
    for (size_t i = 0; i < count; i++) {
        size_t rest = i, at = 0, stride = 1;
        for (int axis = large.rank - 1, k = small.rank - 1; k >= 0; axis--, k--) {
            size_t index = rest % (size_t)large.dims[axis];
            rest /= (size_t)large.dims[axis];
            at += small.dims[k] == 1 ? 0 : index * stride;
            stride *= (size_t)small.dims[k];
        }
        memcpy(to->raw_data.data + i * width, from->raw_data.data + at * width, width);
    }
}

/* Which input of an element-wise node is a constant that has to be spread; -1 when none is. */
static int input_to_spread(const vd_onnx_graph *graph, const Onnx__NodeProto *node)
{
    static const char *const names[] = {"Add", "Sub", "Mul", "Div"};
    bool elementwise = false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        elementwise = elementwise || vd_onnx_is(node, names[i]);
    if (!elementwise || node->n_input != 2)
        return -1;
    for (int i = 0; i < 2; i++) {
        const vd_value *constant = vd_onnx_input(graph, node, (size_t)i);
        const vd_value *other = vd_onnx_input(graph, node, (size_t)(1 - i));
        vd_shape out;
        if (!constant || !other || !constant->constant || other->constant || other->shape.rank < 0 ||
            vd_onnx_tensor_count(constant->constant) <= 1 || vd_shape_equal(&constant->shape, &other->shape))
            continue;
        if (vd_shape_broadcast(&constant->shape, &other->shape, &out) && vd_shape_equal(&out, &other->shape))
            return i;
    }
    return -1;
}

static int spread_input(vd_onnx_graph *graph, Onnx__NodeProto *node, size_t input, vd_error *error)
{
    const vd_value *narrow = vd_onnx_input(graph, node, input),
                   *other = vd_onnx_input(graph, node, 1 - input);
    Onnx__TensorProto *wide = vd_onnx_fold_tensor(graph, narrow->type, &other->shape);
    vd_value *value = NULL;
    if (!wide)
        return vd_error_set(
            error, VD_EFORMAT, graph->place,
            "A constant of the network would take more memory than is allowed once it is spread out.");
    repeat(narrow->constant, wide);
    int code = vd_onnx_add_constant(graph, narrow->name, wide, &value);
    if (code == VD_OK) {
        wide->name = vd_text_dup(value->name);
        code = wide->name ? vd_onnx_set_input(node, input, value->name) : VD_ENOMEM;
    } else {
        vd_onnx_tensor_free(wide);
    }
    if (code != VD_OK)
        return vd_error_set(error, VD_ENOMEM, graph->place,
                            "There is not enough memory to rewrite the model.");
    graph->spread_constants++;
    return VD_OK;
}

int vd_onnx_spread(vd_onnx_graph *graph, vd_error *error)
{
    for (size_t i = 0; i < graph->proto->n_node; i++) {
        int input = input_to_spread(graph, graph->proto->node[i]);
        int code = input < 0 ? VD_OK : spread_input(graph, graph->proto->node[i], (size_t)input, error);
        if (code != VD_OK)
            return code;
    }
    return VD_OK;
}
