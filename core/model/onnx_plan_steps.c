/* Nodes as steps of a plan: element by element, shapes, products. Windows are in onnx_plan_window.c. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "model/onnx_edit.h"
#include "model/onnx_plan.h"
#include "model/onnx_plan_steps.h"
#include "model/onnx_rules.h"

float vd_plan_setting(const Onnx__NodeProto *node, const char *name, float otherwise)
{
    const Onnx__AttributeProto *attribute = vd_onnx_attribute(node, name);
    return attribute ? attribute->f : otherwise;
}

static int in_of(vd_planner *p, const Onnx__NodeProto *node, size_t i)
{
    return vd_planner_value(p, vd_onnx_input(p->graph, node, i));
}

vd_plan_step vd_plan_unary(vd_planner *p, const Onnx__NodeProto *node, vd_plan_kind kind)
{
    vd_plan_step step = {.kind = kind, .in_count = 1, .in = {in_of(p, node, 0)}};
    step.out = vd_planner_value(p, vd_onnx_output(p->graph, node, 0));
    return step;
}

/* --- Activations */

static bool put_act(vd_planner *p, const Onnx__NodeProto *node, vd_plan_act act, float first, float second)
{
    vd_plan_step step = vd_plan_unary(p, node, VD_PLAN_ACT);
    step.act = act;
    step.floats[0] = first;
    step.floats[1] = second;
    return vd_planner_add(p, &step);
}

static bool put_relu(vd_planner *p, const Onnx__NodeProto *node)
{
    return put_act(p, node, VD_ACT_RELU, 0, 0);
}

static bool put_sigmoid(vd_planner *p, const Onnx__NodeProto *node)
{
    return put_act(p, node, VD_ACT_SIGMOID, 0, 0);
}

static bool put_tanh(vd_planner *p, const Onnx__NodeProto *node)
{
    return put_act(p, node, VD_ACT_TANH, 0, 0);
}

static bool put_exp(vd_planner *p, const Onnx__NodeProto *node)
{
    return put_act(p, node, VD_ACT_EXP, 0, 0);
}

static bool put_hard_swish(vd_planner *p, const Onnx__NodeProto *node)
{
    return put_act(p, node, VD_ACT_HSWISH, 0, 0);
}

static bool put_leaky(vd_planner *p, const Onnx__NodeProto *node)
{
    return put_act(p, node, VD_ACT_LEAKY, vd_plan_setting(node, "alpha", 0.01f), 0);
}

static bool put_hard_sigmoid(vd_planner *p, const Onnx__NodeProto *node)
{
    return put_act(p, node, VD_ACT_HSIGMOID, vd_plan_setting(node, "alpha", 0.2f),
                   vd_plan_setting(node, "beta", 0.5f));
}

/* A bound as a setting (before opset 11) or as an input; false when it is computed. */
static bool read_bound(const vd_planner *p, const Onnx__NodeProto *node, const char *name, size_t input,
                       float *bound)
{
    const vd_value *value = vd_onnx_input(p->graph, node, input);
    *bound = vd_plan_setting(node, name, *bound);
    if (value && (!value->constant || vd_onnx_tensor_count(value->constant) != 1))
        return false;
    if (value)
        *bound = (float)vd_onnx_tensor_number(value->constant, 0);
    return true;
}

static bool put_clip(vd_planner *p, const Onnx__NodeProto *node)
{
    float least = -FLT_MAX, most = FLT_MAX;
    return read_bound(p, node, "min", 1, &least) && read_bound(p, node, "max", 2, &most) &&
           put_act(p, node, VD_ACT_CLIP, least, most);
}

/* --- Two operands */

static const Onnx__NodeProto *maker_of(const vd_planner *p, const vd_value *value)
{
    return value && value->producer >= 0 ? p->graph->proto->node[value->producer] : NULL;
}

/* x · sigmoid(x) and x · hardsigmoid(x), in either order: the activation, and x as the input *ret_x. */
static vd_plan_act gate_of(const vd_planner *p, const Onnx__NodeProto *node, size_t *ret_x)
{
    for (size_t k = 0; k < 2; k++) {
        const vd_value *x = vd_onnx_input(p->graph, node, k);
        const Onnx__NodeProto *gate = maker_of(p, vd_onnx_input(p->graph, node, 1 - k));
        if (!gate || !x || vd_onnx_input(p->graph, gate, 0) != x)
            continue;
        *ret_x = k;
        if (vd_onnx_is(gate, "Sigmoid"))
            return VD_ACT_SILU;
        if (vd_onnx_is(gate, "HardSigmoid") &&
            fabsf(vd_plan_setting(gate, "alpha", 0.2f) - 1.0f / 6) < 1e-6f &&
            vd_plan_setting(gate, "beta", 0.5f) == 0.5f)
            return VD_ACT_HSWISH;
    }
    return VD_ACT_NONE;
}

/* A constant that the cure spread over all places of `other`, as one number again: smaller and faster. */
static int uniform_value(vd_planner *p, vd_value *value, const vd_value *other)
{
    const Onnx__TensorProto *tensor = value ? value->constant : NULL;
    size_t count = tensor && value->type == VD_ONNX_FLOAT ? vd_onnx_tensor_count(tensor) : 0;
    if (count < 2 || p->trial || !other || !vd_shape_equal(&value->shape, &other->shape) ||
        memcmp(tensor->raw_data.data, tensor->raw_data.data + 4, tensor->raw_data.len - 4) != 0)
        return vd_planner_value(p, value);
    vd_shape shape = {.rank = value->shape.rank};
    for (int i = 0; i < shape.rank; i++)
        shape.dims[i] = 1;
    vd_value *small = NULL;
    Onnx__TensorProto *made = vd_onnx_tensor_new(VD_ONNX_FLOAT, &shape, sizeof(float));
    if (made)
        memcpy(made->raw_data.data, tensor->raw_data.data, sizeof(float));
    if (vd_onnx_put_constant(p->graph, "plan", made, &small, NULL) != VD_OK)
        return vd_planner_value(p, value);
    return vd_planner_value(p, small);
}

static bool put_binary(vd_planner *p, const Onnx__NodeProto *node, vd_plan_kind kind)
{
    vd_plan_step step = {.kind = kind, .in_count = 2};
    for (size_t k = 0; k < 2; k++)
        step.in[k] = uniform_value(p, vd_onnx_input(p->graph, node, k), vd_onnx_input(p->graph, node, 1 - k));
    step.out = vd_planner_value(p, vd_onnx_output(p->graph, node, 0));
    return node->n_input == 2 && !vd_onnx_attribute(node, "broadcast") && vd_planner_add(p, &step);
}

static bool put_add(vd_planner *p, const Onnx__NodeProto *node)
{
    return put_binary(p, node, VD_PLAN_ADD);
}

static bool put_sub(vd_planner *p, const Onnx__NodeProto *node)
{
    return put_binary(p, node, VD_PLAN_SUB);
}

static bool put_div(vd_planner *p, const Onnx__NodeProto *node)
{
    return put_binary(p, node, VD_PLAN_DIV);
}

static bool put_mul(vd_planner *p, const Onnx__NodeProto *node)
{
    size_t x = 0;
    vd_plan_act act = node->n_input == 2 ? gate_of(p, node, &x) : VD_ACT_NONE;
    if (act == VD_ACT_NONE)
        return put_binary(p, node, VD_PLAN_MUL);
    vd_plan_step step = {.kind = VD_PLAN_ACT, .act = act, .in_count = 1, .in = {in_of(p, node, x)}};
    step.out = vd_planner_value(p, vd_onnx_output(p->graph, node, 0));
    return vd_planner_add(p, &step);
}

/* Squares alone. */
static bool put_pow(vd_planner *p, const Onnx__NodeProto *node)
{
    const vd_value *power = vd_onnx_input(p->graph, node, 1);
    if (!power || !power->constant)
        return false;
    for (size_t i = 0; i < vd_onnx_tensor_count(power->constant); i++)
        if (vd_onnx_tensor_number(power->constant, i) != 2)
            return false;
    vd_plan_step step = vd_plan_unary(p, node, VD_PLAN_MUL);
    step.in_count = 2;
    step.in[1] = step.in[0];
    return vd_planner_add(p, &step);
}

static bool put_matmul(vd_planner *p, const Onnx__NodeProto *node)
{
    vd_plan_step step = vd_plan_unary(p, node, VD_PLAN_MATMUL);
    step.in_count = 2;
    step.in[1] = in_of(p, node, 1);
    return vd_planner_add(p, &step);
}

/* Before opset 13 all axes from `axis` on are taken together. */
static bool put_softmax(vd_planner *p, const Onnx__NodeProto *node)
{
    const vd_value *x = vd_onnx_input(p->graph, node, 0);
    vd_plan_step step = vd_plan_unary(p, node, VD_PLAN_SOFTMAX);
    if (!x || !vd_rule_axis(vd_onnx_attribute_int(node, "axis", p->graph->opset < 13 ? 1 : -1), x->shape.rank,
                            &step.ints[0]))
        return false;
    for (int i = step.ints[0] + 1; p->graph->opset < 13 && i < x->shape.rank; i++)
        if (x->shape.dims[i] != 1)
            return false;
    return vd_planner_add(p, &step);
}

/* --- Places */

static bool put_reshape(vd_planner *p, const Onnx__NodeProto *node)
{
    vd_plan_step step = vd_plan_unary(p, node, VD_PLAN_RESHAPE);
    return vd_planner_add(p, &step);
}

static bool put_transpose(vd_planner *p, const Onnx__NodeProto *node)
{
    const vd_value *x = vd_onnx_input(p->graph, node, 0);
    int order[VD_ONNX_RANK];
    vd_plan_step step = vd_plan_unary(p, node, VD_PLAN_TRANSPOSE);
    if (!x || x->shape.rank > VD_PLAN_RANK || !vd_rule_order(node, x->shape.rank, order))
        return false;
    for (int i = 0; i < x->shape.rank; i++)
        step.ints[i] = order[i];
    return vd_planner_add(p, &step);
}

static bool put_concat(vd_planner *p, const Onnx__NodeProto *node)
{
    const vd_value *y = vd_onnx_output(p->graph, node, 0);
    vd_plan_step step = {.kind = VD_PLAN_CONCAT, .in_count = (int)node->n_input};
    if (!y || node->n_input < 1 || node->n_input > VD_PLAN_LINKS ||
        !vd_rule_axis(vd_onnx_attribute_int(node, "axis", 1), y->shape.rank, &step.ints[0]))
        return false;
    for (size_t k = 0; k < node->n_input; k++)
        step.in[k] = in_of(p, node, k);
    step.out = vd_planner_value(p, vd_onnx_output(p->graph, node, 0));
    return vd_planner_add(p, &step);
}

/* ints of VD_PLAN_SLICE, as far as they fit into an int */
static vd_plan_step slice_of(int in, int out, int axis, int64_t start, int64_t length, int64_t stride)
{
    vd_plan_step step = {.kind = VD_PLAN_SLICE, .in_count = 1, .in = {in}, .out = out};
    step.ints[0] = axis;
    step.ints[1] = start > INT32_MAX ? -1 : (int)start;
    step.ints[2] = length > INT32_MAX ? -1 : (int)length;
    step.ints[3] = stride > INT32_MAX ? -1 : (int)stride;
    return step;
}

static bool put_split(vd_planner *p, const Onnx__NodeProto *node)
{
    int64_t sizes[2 * VD_ONNX_RANK], start = 0;
    int axis, count = vd_rule_split_sizes(p->graph, node, &axis, sizes), in = in_of(p, node, 0);
    if (count < 0 || (size_t)count != node->n_output)
        return false;
    for (int i = 0; i < count; i++) {
        vd_value *part = vd_onnx_output(p->graph, node, (size_t)i);
        if (part) {
            vd_plan_step step = slice_of(in, vd_planner_value(p, part), axis, start, sizes[i], 1);
            if (!vd_planner_add(p, &step))
                return false;
        }
        start += sizes[i];
    }
    return true;
}

/* One step along each axis that is cut; a plain copy when none is. */
static bool put_slice(vd_planner *p, const Onnx__NodeProto *node)
{
    int64_t start[VD_ONNX_RANK], stride[VD_ONNX_RANK];
    vd_shape out, between;
    const vd_value *x = vd_onnx_input(p->graph, node, 0);
    int last = -1, in = in_of(p, node, 0);
    if (!x || !vd_rule_slice_plan(p->graph, node, start, stride, &out))
        return false;
    between = x->shape;
    for (int i = 0; i < out.rank; i++) {
        if (stride[i] < 1 || start[i] < 0)
            return false;
        last = out.dims[i] != x->shape.dims[i] ? i : last;
    }
    if (last < 0)
        return put_reshape(p, node);
    for (int i = 0; i <= last; i++) {
        if (out.dims[i] == x->shape.dims[i])
            continue;
        between.dims[i] = out.dims[i];
        int next = i == last ? vd_planner_value(p, vd_onnx_output(p->graph, node, 0))
                             : vd_planner_between(p, &between);
        vd_plan_step step = slice_of(in, next, i, start[i], out.dims[i], stride[i]);
        if (!vd_planner_add(p, &step))
            return false;
        in = next;
    }
    return true;
}

/* One constant index: a slice that loses its axis. */
static bool put_gather(vd_planner *p, const Onnx__NodeProto *node)
{
    const vd_value *x = vd_onnx_input(p->graph, node, 0), *index = vd_onnx_input(p->graph, node, 1);
    int axis;
    if (!x || !index || !index->constant || vd_onnx_tensor_count(index->constant) != 1 ||
        !vd_rule_axis(vd_onnx_attribute_int(node, "axis", 0), x->shape.rank, &axis))
        return false;
    int64_t start = vd_onnx_tensor_integer(index->constant, 0);
    vd_shape between = x->shape;
    between.dims[axis] = 1;
    int middle = vd_planner_between(p, &between);
    vd_plan_step cut =
        slice_of(in_of(p, node, 0), middle, axis, start < 0 ? start + x->shape.dims[axis] : start, 1, 1);
    vd_plan_step drop = {.kind = VD_PLAN_RESHAPE, .in_count = 1, .in = {middle}};
    drop.out = vd_planner_value(p, vd_onnx_output(p->graph, node, 0));
    return vd_planner_add(p, &cut) && vd_planner_add(p, &drop);
}

typedef struct op_row {
    const char *op_type;
    bool (*put)(vd_planner *planner, const Onnx__NodeProto *node);
} op_row;

static const op_row ops[] = {{"Add", put_add},
                             {"AveragePool", vd_plan_put_pool},
                             {"Clip", put_clip},
                             {"Concat", put_concat},
                             {"Conv", vd_plan_put_conv},
                             {"ConvTranspose", vd_plan_put_conv},
                             {"Div", put_div},
                             {"Exp", put_exp},
                             {"Flatten", put_reshape},
                             {"Gather", put_gather},
                             {"GlobalAveragePool", vd_plan_put_global},
                             {"HardSigmoid", put_hard_sigmoid},
                             {"HardSwish", put_hard_swish},
                             {"Identity", put_reshape},
                             {"LeakyRelu", put_leaky},
                             {"MatMul", put_matmul},
                             {"MaxPool", vd_plan_put_pool},
                             {"Mul", put_mul},
                             {"Pad", vd_plan_put_pad},
                             {"Pow", put_pow},
                             {"Relu", put_relu},
                             {"Reshape", put_reshape},
                             {"Resize", vd_plan_put_nearest},
                             {"Sigmoid", put_sigmoid},
                             {"Slice", put_slice},
                             {"Softmax", put_softmax},
                             {"Split", put_split},
                             {"Squeeze", put_reshape},
                             {"Sub", put_sub},
                             {"Tanh", put_tanh},
                             {"Transpose", put_transpose},
                             {"Unsqueeze", put_reshape},
                             {"Upsample", vd_plan_put_nearest}};

bool vd_planner_node(vd_planner *planner, const Onnx__NodeProto *node)
{
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (vd_onnx_is(node, ops[i].op_type))
            return ops[i].put(planner, node);
    return false;
}
