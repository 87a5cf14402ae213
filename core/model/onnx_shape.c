/* The table of shape rules, and the rules of nodes that compute element by element or multiply matrices. */
#include <string.h>

#include "model/onnx_passes.h"
#include "model/onnx_rules.h"

bool vd_rule_shape(const vd_onnx_graph *graph, const Onnx__NodeProto *node, size_t i, vd_shape *ret_shape)
{
    const vd_value *value = vd_onnx_input(graph, node, i);
    size_t count;
    if (!value || !vd_shape_count(&value->shape, VD_ONNX_MAX_ELEMENTS, &count))
        return false;
    *ret_shape = value->shape;
    return true;
}

bool vd_rule_put(const vd_onnx_graph *graph, const Onnx__NodeProto *node, size_t i, const vd_shape *shape,
                 int type)
{
    vd_value *value = vd_onnx_output(graph, node, i);
    size_t count;
    if (!vd_shape_count(shape, VD_ONNX_MAX_ELEMENTS, &count))
        return false;
    if (value) {
        value->shape = *shape;
        value->type = type;
    }
    return true;
}

bool vd_rule_put_like(const vd_onnx_graph *graph, const Onnx__NodeProto *node, const vd_shape *shape)
{
    return vd_rule_put(graph, node, 0, shape, vd_onnx_input(graph, node, 0)->type);
}

/* The extent of axis `i` counted from the end; 1 beyond the shape's rank. */
static int64_t from_end(const vd_shape *shape, int i)
{
    return i < shape->rank ? shape->dims[shape->rank - 1 - i] : 1;
}

bool vd_shape_broadcast(const vd_shape *a, const vd_shape *b, vd_shape *ret_shape)
{
    vd_shape out = {.rank = a->rank > b->rank ? a->rank : b->rank};
    for (int i = 0; i < out.rank; i++) {
        int64_t x = from_end(a, i), y = from_end(b, i);
        if (x != y && x != 1 && y != 1)
            return false;
        out.dims[out.rank - 1 - i] = x == 1 ? y : x;
    }
    *ret_shape = out;
    return true;
}

static bool rule_same(const vd_onnx_graph *graph, const Onnx__NodeProto *node)
{
    vd_shape in;
    return vd_rule_shape(graph, node, 0, &in) && vd_rule_put_like(graph, node, &in);
}

static bool rule_softmax(const vd_onnx_graph *graph, const Onnx__NodeProto *node)
{
    vd_shape in;
    int axis;
    return vd_rule_shape(graph, node, 0, &in) &&
           vd_rule_axis(vd_onnx_attribute_int(node, "axis", graph->opset < 13 ? 1 : -1), in.rank, &axis) &&
           vd_rule_put_like(graph, node, &in);
}

static bool rule_broadcast(const vd_onnx_graph *graph, const Onnx__NodeProto *node)
{
    vd_shape a, b, out;
    if (!vd_rule_shape(graph, node, 0, &a) || !vd_rule_shape(graph, node, 1, &b) ||
        vd_onnx_input(graph, node, 0)->type != vd_onnx_input(graph, node, 1)->type ||
        vd_onnx_attribute(node, "broadcast") || !vd_shape_broadcast(&a, &b, &out))
        return false;
    return vd_rule_put_like(graph, node, &out);
}

static bool rule_matmul(const vd_onnx_graph *graph, const Onnx__NodeProto *node)
{
    vd_shape a, b, out;
    if (!vd_rule_shape(graph, node, 0, &a) || !vd_rule_shape(graph, node, 1, &b) || a.rank < 2 ||
        b.rank < 2 || a.dims[a.rank - 1] != b.dims[b.rank - 2])
        return false;
    int64_t rows = a.dims[a.rank - 2], columns = b.dims[b.rank - 1];
    a.rank -= 2;
    b.rank -= 2;
    if (!vd_shape_broadcast(&a, &b, &out))
        return false;
    out.dims[out.rank++] = rows;
    out.dims[out.rank++] = columns;
    return vd_rule_put_like(graph, node, &out);
}

static bool rule_cast(const vd_onnx_graph *graph, const Onnx__NodeProto *node)
{
    vd_shape in;
    return vd_rule_shape(graph, node, 0, &in) &&
           vd_rule_put(graph, node, 0, &in, (int)vd_onnx_attribute_int(node, "to", 0));
}

int vd_rule_shape_part(const Onnx__NodeProto *node, int rank, int *ret_first)
{
    int64_t from = vd_onnx_attribute_int(node, "start", 0), to = vd_onnx_attribute_int(node, "end", rank);
    from = from < -rank ? 0 : from < 0 ? from + rank : from > rank ? rank : from;
    to = to < -rank ? 0 : to < 0 ? to + rank : to > rank ? rank : to;
    if (ret_first)
        *ret_first = (int)from;
    return to > from ? (int)(to - from) : 0;
}

static bool rule_shape(const vd_onnx_graph *graph, const Onnx__NodeProto *node)
{
    vd_shape in, out = {.rank = 1};
    if (!vd_rule_shape(graph, node, 0, &in))
        return false;
    out.dims[0] = vd_rule_shape_part(node, in.rank, NULL);
    return vd_rule_put(graph, node, 0, &out, VD_ONNX_INT64);
}

static bool rule_constant(const vd_onnx_graph *graph, const Onnx__NodeProto *node)
{
    const Onnx__AttributeProto *value = vd_onnx_attribute(node, "value");
    const Onnx__AttributeProto *ints = vd_onnx_attribute(node, "value_ints");
    const Onnx__AttributeProto *floats = vd_onnx_attribute(node, "value_floats");
    vd_shape shape = {.rank = 0};
    if (value && value->t) {
        shape = vd_onnx_tensor_shape(value->t);
        return vd_rule_put(graph, node, 0, &shape, value->t->data_type);
    }
    if (vd_onnx_attribute(node, "value_int"))
        return vd_rule_put(graph, node, 0, &shape, VD_ONNX_INT64);
    if (vd_onnx_attribute(node, "value_float"))
        return vd_rule_put(graph, node, 0, &shape, VD_ONNX_FLOAT);
    if (!ints && !floats)
        return false;
    shape.rank = 1;
    shape.dims[0] = (int64_t)(ints ? ints->n_ints : floats->n_floats);
    return vd_rule_put(graph, node, 0, &shape, ints ? VD_ONNX_INT64 : VD_ONNX_FLOAT);
}

static bool rule_constant_of_shape(const vd_onnx_graph *graph, const Onnx__NodeProto *node)
{
    const Onnx__AttributeProto *value = vd_onnx_attribute(node, "value");
    vd_shape shape;
    int64_t dims[2 * VD_ONNX_RANK];
    shape.rank = vd_onnx_value_ints(vd_onnx_input(graph, node, 0), dims);
    if (shape.rank < 0 || shape.rank > VD_ONNX_RANK ||
        (value && (!value->t || vd_onnx_tensor_count(value->t) != 1)))
        return false;
    memcpy(shape.dims, dims, (size_t)shape.rank * sizeof *dims);
    return vd_rule_put(graph, node, 0, &shape, value ? value->t->data_type : VD_ONNX_FLOAT);
}

static bool rule_range(const vd_onnx_graph *graph, const Onnx__NodeProto *node)
{
    double bound[3];
    for (size_t i = 0; i < 3; i++) {
        const vd_value *value = vd_onnx_input(graph, node, i);
        if (!value || !value->constant || vd_onnx_tensor_count(value->constant) != 1)
            return false;
        bound[i] = vd_onnx_tensor_number(value->constant, 0);
    }
    double steps = (bound[1] - bound[0]) / bound[2];
    if (bound[2] == 0 || !(steps < (double)VD_ONNX_MAX_ELEMENTS))
        return false;
    int64_t count = steps > 0 ? (int64_t)steps : 0;
    vd_shape out = {.rank = 1, .dims = {count + ((double)count < steps ? 1 : 0)}};
    return vd_rule_put_like(graph, node, &out);
}

typedef struct rule_row {
    const char *op_type;
    vd_onnx_rule *rule;
} rule_row;

/* In the order of the alphabet, for people. */
static const rule_row rules[] = {{"Abs", rule_same},
                                 {"Add", rule_broadcast},
                                 {"AveragePool", vd_rule_pool},
                                 {"BatchNormalization", rule_same},
                                 {"Cast", rule_cast},
                                 {"Ceil", rule_same},
                                 {"Clip", rule_same},
                                 {"Concat", vd_rule_concat},
                                 {"Constant", rule_constant},
                                 {"ConstantOfShape", rule_constant_of_shape},
                                 {"Conv", vd_rule_conv},
                                 {"ConvTranspose", vd_rule_conv_transpose},
                                 {"Div", rule_broadcast},
                                 {"Dropout", rule_same},
                                 {"Elu", rule_same},
                                 {"Exp", rule_same},
                                 {"Expand", vd_rule_expand},
                                 {"Flatten", vd_rule_flatten},
                                 {"Floor", rule_same},
                                 {"Gather", vd_rule_gather},
                                 {"Gemm", vd_rule_gemm},
                                 {"GlobalAveragePool", vd_rule_global_pool},
                                 {"GlobalMaxPool", vd_rule_global_pool},
                                 {"HardSigmoid", rule_same},
                                 {"HardSwish", rule_same},
                                 {"Identity", rule_same},
                                 {"InstanceNormalization", rule_same},
                                 {"LeakyRelu", rule_same},
                                 {"MatMul", rule_matmul},
                                 {"MaxPool", vd_rule_pool},
                                 {"Mish", rule_same},
                                 {"Mul", rule_broadcast},
                                 {"Neg", rule_same},
                                 {"Pad", vd_rule_pad},
                                 {"Range", rule_range},
                                 {"ReduceMax", vd_rule_reduce},
                                 {"ReduceMean", vd_rule_reduce},
                                 {"Relu", rule_same},
                                 {"Reshape", vd_rule_reshape},
                                 {"Resize", vd_rule_resize},
                                 {"Shape", rule_shape},
                                 {"Sigmoid", rule_same},
                                 {"Slice", vd_rule_slice},
                                 {"Softmax", rule_softmax},
                                 {"Softplus", rule_same},
                                 {"Split", vd_rule_split},
                                 {"Sqrt", rule_same},
                                 {"Squeeze", vd_rule_squeeze},
                                 {"Sub", rule_broadcast},
                                 {"Tanh", rule_same},
                                 {"Transpose", vd_rule_transpose},
                                 {"Unsqueeze", vd_rule_unsqueeze},
                                 {"Upsample", vd_rule_resize}};

/* What is understood and not run. */
static const rule_row head_rules[] = {{"And", vd_rule_compare},
                                      {"ArgMax", vd_rule_arg},
                                      {"ArgMin", vd_rule_arg},
                                      {"Cos", rule_same},
                                      {"CumSum", rule_same},
                                      {"DepthToSpace", vd_rule_blocks},
                                      {"Equal", vd_rule_compare},
                                      {"Erf", rule_same},
                                      {"GatherElements", vd_rule_gather_elements},
                                      {"GatherND", vd_rule_gather_nd},
                                      {"Gelu", rule_same},
                                      {"Greater", vd_rule_compare},
                                      {"GreaterOrEqual", vd_rule_compare},
                                      {"LayerNormalization", rule_same},
                                      {"Less", vd_rule_compare},
                                      {"LessOrEqual", vd_rule_compare},
                                      {"Log", rule_same},
                                      {"LogSoftmax", rule_softmax},
                                      {"Max", vd_rule_spread},
                                      {"Min", vd_rule_spread},
                                      {"Mod", vd_rule_spread},
                                      {"Not", vd_rule_compare},
                                      {"Or", vd_rule_compare},
                                      {"PRelu", rule_same},
                                      {"Pow", vd_rule_spread},
                                      {"Reciprocal", rule_same},
                                      {"ReduceL2", vd_rule_reduce},
                                      {"ReduceMin", vd_rule_reduce},
                                      {"ReduceProd", vd_rule_reduce},
                                      {"ReduceSum", vd_rule_reduce},
                                      {"Round", rule_same},
                                      {"ScatterElements", rule_same},
                                      {"ScatterND", rule_same},
                                      {"Sign", rule_same},
                                      {"Sin", rule_same},
                                      {"Size", vd_rule_size},
                                      {"SpaceToDepth", vd_rule_blocks},
                                      {"Tile", vd_rule_tile},
                                      {"TopK", vd_rule_top_k},
                                      {"Where", vd_rule_spread}};

static vd_onnx_rule *find_rule(const rule_row *rows, size_t count, const Onnx__NodeProto *node)
{
    for (size_t i = 0; i < count; i++)
        if (vd_onnx_is(node, rows[i].op_type))
            return rows[i].rule;
    return NULL;
}

bool vd_onnx_is_known(const Onnx__NodeProto *node)
{
    return find_rule(rules, sizeof rules / sizeof *rules, node) != NULL;
}

bool vd_onnx_infer(const vd_onnx_graph *graph, const Onnx__NodeProto *node)
{
    vd_onnx_rule *rule = find_rule(rules, sizeof rules / sizeof *rules, node);
    if (!rule)
        rule = find_rule(head_rules, sizeof head_rules / sizeof *head_rules, node);
    return rule && rule(graph, node);
}
