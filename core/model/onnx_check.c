/* What stock OpenCV 4.6 would not run, or would run and get wrong. Each trap here was seen: a network of one
 * node whose result differs from the format's definition, without an error. */
#include <string.h>

#include "base/text.h"
#include "model/onnx_passes.h"

static bool is_computed(const vd_value *value)
{
    return value && !value->constant;
}

static bool is_elementwise(const Onnx__NodeProto *node)
{
    return vd_onnx_is(node, "Add") || vd_onnx_is(node, "Sub") || vd_onnx_is(node, "Mul") ||
           vd_onnx_is(node, "Div");
}

/* A product of two computed matrices: OpenCV 4.6 lets the next layer's factor vanish when it fuses the two.
 */
static bool is_computed_product(const vd_onnx_graph *graph, const vd_value *value)
{
    if (!value || value->producer < 0)
        return false;
    const Onnx__NodeProto *node = graph->proto->node[value->producer];
    return vd_onnx_is(node, "MatMul") && is_computed(vd_onnx_input(graph, node, 0)) &&
           is_computed(vd_onnx_input(graph, node, 1));
}

static bool elementwise_trap(const vd_onnx_graph *graph, const Onnx__NodeProto *node)
{
    const vd_value *a = vd_onnx_input(graph, node, 0), *b = vd_onnx_input(graph, node, 1);
    if (!a || !b)
        return true;
    if (is_computed(a) && is_computed(b))
        return !vd_shape_equal(&a->shape, &b->shape);
    const vd_value *constant = is_computed(a) ? b : a, *computed = is_computed(a) ? a : b;
    const vd_value *out = vd_onnx_output(graph, node, 0);
    if (is_computed_product(graph, computed) || !out || !vd_shape_equal(&out->shape, &computed->shape))
        return true;
    bool single = vd_onnx_tensor_count(constant->constant) == 1;
    bool whole = vd_shape_equal(&constant->shape, &computed->shape);
    return !single && (!whole || (vd_onnx_is(node, "Div") && constant == a));
}

/* Before version 13 of the format, Softmax ran over all axes from its own on; OpenCV always takes one, and 1
 * where none is written. */
static bool softmax_trap(const vd_onnx_graph *graph, const Onnx__NodeProto *node)
{
    const vd_shape *in = &vd_onnx_input(graph, node, 0)->shape;
    int64_t axis = vd_onnx_attribute_int(node, "axis", 0);
    if (!vd_onnx_attribute(node, "axis"))
        return true;
    axis = axis < 0 ? axis + in->rank : axis;
    for (int64_t i = axis + 1; graph->opset < 13 && i < in->rank; i++)
        if (in->dims[i] != 1)
            return true;
    return false;
}

/* OpenCV 4.6 leaves the padding out of an average even when count_include_pad asks for it. */
static bool average_trap(const Onnx__NodeProto *node)
{
    int64_t pads[2 * VD_ONNX_RANK] = {0};
    int count = vd_onnx_attribute_ints(node, "pads", pads);
    if (vd_onnx_attribute_int(node, "count_include_pad", 0) == 0)
        return false;
    for (int i = 0; i < count; i++)
        if (pads[i] != 0)
            return true;
    return vd_onnx_attribute(node, "auto_pad") != NULL;
}

static bool is_constant(const vd_value *value, size_t count)
{
    return value && value->constant && vd_onnx_tensor_count(value->constant) == count;
}

/* OpenCV 4.6 knows no default of epsilon, and takes the factor and the offset from the file alone. */
static bool instance_trap(const vd_onnx_graph *graph, const Onnx__NodeProto *node)
{
    const vd_value *in = vd_onnx_input(graph, node, 0);
    size_t channels = in->shape.rank == 4 ? (size_t)in->shape.dims[1] : 0;
    return channels == 0 || !vd_onnx_attribute(node, "epsilon") ||
           !is_constant(vd_onnx_input(graph, node, 1), channels) ||
           !is_constant(vd_onnx_input(graph, node, 2), channels);
}

static float factor_of(const Onnx__NodeProto *node, const char *name)
{
    const Onnx__AttributeProto *attribute = vd_onnx_attribute(node, name);
    return attribute ? attribute->f : 1;
}

/* A fully connected layer, and nothing else: OpenCV 4.6 passes over the factors and whatever is computed. */
static bool product_trap(const vd_onnx_graph *graph, const Onnx__NodeProto *node)
{
    const vd_value *a = vd_onnx_input(graph, node, 0), *b = vd_onnx_input(graph, node, 1);
    const vd_value *offset = vd_onnx_input(graph, node, 2), *out = vd_onnx_output(graph, node, 0);
    return !is_computed(a) || !b || !b->constant || b->shape.rank != 2 || !out || out->shape.rank != 2 ||
           vd_onnx_attribute_int(node, "transA", 0) != 0 || vd_onnx_attribute_int(node, "transB", 0) != 1 ||
           factor_of(node, "alpha") != 1 || factor_of(node, "beta") != 1 ||
           (offset && !is_constant(offset, (size_t)out->shape.dims[1]));
}

/* Means and maxima along axes that are written down; of three axes OpenCV 4.6 gets them wrong. */
static bool reduction_trap(const vd_onnx_graph *graph, const Onnx__NodeProto *node)
{
    int rank = vd_onnx_input(graph, node, 0)->shape.rank;
    return (rank != 2 && rank != 4 && rank != 5) || !vd_onnx_attribute(node, "axes");
}

/* Functions of one value that OpenCV fuses into the layer before: behind a product of computed matrices they
 * vanish. */
static bool is_fused_function(const Onnx__NodeProto *node)
{
    static const char *const names[] = {"Abs",       "BatchNormalization",
                                        "Ceil",      "Clip",
                                        "Elu",       "Exp",
                                        "Floor",     "HardSigmoid",
                                        "Mish",      "Neg",
                                        "Relu",      "HardSwish",
                                        "LeakyRelu", "Sigmoid",
                                        "Sqrt",      "Tanh",
                                        "Softplus"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (vd_onnx_is(node, names[i]))
            return true;
    return false;
}

static bool has_trap(const vd_onnx_graph *graph, const Onnx__NodeProto *node)
{
    if (is_elementwise(node))
        return elementwise_trap(graph, node);
    if (vd_onnx_is(node, "Softmax"))
        return softmax_trap(graph, node);
    if (vd_onnx_is(node, "AveragePool"))
        return average_trap(node);
    if (vd_onnx_is(node, "InstanceNormalization"))
        return instance_trap(graph, node);
    if (vd_onnx_is(node, "Gemm"))
        return product_trap(graph, node);
    if (vd_onnx_is(node, "ReduceMean") || vd_onnx_is(node, "ReduceMax"))
        return reduction_trap(graph, node);
    if (vd_onnx_is(node, "Clip") && node->n_input > 1)
        return true; /* bounds that are computed */
    return is_fused_function(node) && is_computed_product(graph, vd_onnx_input(graph, node, 0));
}

/* Operators with a rule that only make sense on constants, or that the importer takes and does not carry out.
 */
static bool must_be_folded(const Onnx__NodeProto *node)
{
    static const char *const names[] = {"Cast", "Constant", "ConstantOfShape", "Expand", "Range", "Shape"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (vd_onnx_is(node, names[i]))
            return true;
    return false;
}

static int check_node(const vd_onnx_graph *graph, const Onnx__NodeProto *node, vd_error *error)
{
    char name[96], op[48];
    bool fed = false;
    vd_onnx_node_text(node, name, sizeof name);
    vd_text_clean(op, sizeof op, node->op_type, strlen(node->op_type));
    if (!vd_onnx_is_known(node) || must_be_folded(node))
        return vd_error_set(error, VD_EFORMAT, graph->place,
                            "The network needs the operation %s (node %s), which cannot be run here.", op,
                            name);
    for (size_t i = 0; i < node->n_input; i++)
        fed = fed || is_computed(vd_onnx_input(graph, node, i));
    for (size_t i = 0; i < node->n_output; i++) {
        const vd_value *out = vd_onnx_output(graph, node, i);
        if (out && (out->shape.rank < 0 || !fed))
            return vd_error_set(error, VD_EFORMAT, graph->place,
                                "The sizes at node %s (%s) depend on the picture or do not fit together.",
                                name, op);
        if (out && out->type != VD_ONNX_FLOAT)
            return vd_error_set(error, VD_EFORMAT, graph->place,
                                "Node %s (%s) computes in %s; only float32 can be run here.", name, op,
                                vd_onnx_type_name(out->type));
    }
    if (has_trap(graph, node))
        return vd_error_set(
            error, VD_EFORMAT, graph->place,
            "Node %s (%s) combines values in a way that OpenCV would get wrong without saying so.", name, op);
    return VD_OK;
}

int vd_onnx_check(const vd_onnx_graph *graph, vd_error *error)
{
    for (size_t i = 0; i < graph->proto->n_node; i++) {
        int code = check_node(graph, graph->proto->node[i], error);
        if (code != VD_OK)
            return code;
    }
    for (size_t i = 0; i < graph->proto->n_output; i++)
        if (!is_computed(vd_onnx_find(graph, graph->proto->output[i]->name)))
            return vd_error_set(error, VD_EFORMAT, graph->place,
                                "The network's output does not depend on the picture.");
    return VD_OK;
}
