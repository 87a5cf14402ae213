/* Networks in 8-bit integers: back to float32.
 *
 * A quantised value q with a scale and a zero point stands for the number (q - zero) * scale, and that number
 * is what takes its place here: constants are computed, nodes that turn numbers into integers and back do
 * nothing, and nodes that compute on integers become their float32 namesakes. What is gained by rounding less
 * is never lost. One thing that quantising does is kept: a range that begins at 0 cuts off what is below and
 * above, and quantisers leave out the Relu (or Relu6) that did so before.
 *
 * Scales of DynamicQuantizeLinear are known at run time only; they are taken for 1, and the number for its
 * own integer. The products of ConvInteger and MatMulInteger are multiplied by that scale later on, and so
 * are right. */
#include <stdlib.h>
#include <string.h>

#include "model/onnx_dequantise.h"
#include "model/onnx_edit.h"
#include "model/onnx_passes.h"

/* The graph's nodes while they are gone through: what is done, and room for a node more for each. */
typedef struct job {
    vd_onnx_graph *graph;
    Onnx__NodeProto **done;
    size_t count;
    vd_error *error;
} job;

typedef int rewrite(job *j, Onnx__NodeProto *node);

static const vd_value *input_of(const job *j, const Onnx__NodeProto *node, size_t i)
{
    return vd_onnx_input(j->graph, node, i);
}

static bool is_eight_bit(const vd_value *value)
{
    return value->type == VD_ONNX_UINT8 || value->type == VD_ONNX_INT8 || value->type == VD_ONNX_INT32;
}

static int out_of_memory(job *j)
{
    return vd_onnx_no_memory(j->graph, j->error);
}

static int new_number(job *j, const char *stem, double number, vd_value **ret_value)
{
    vd_shape shape = {.rank = 0};
    Onnx__TensorProto *tensor = vd_onnx_fold_tensor(j->graph, VD_ONNX_FLOAT, &shape);
    if (tensor)
        vd_onnx_tensor_set_number(tensor, 0, number);
    return vd_onnx_put_constant(j->graph, stem, tensor, ret_value, j->error);
}

/* Nodes whose values lie within bounds of their own, so that nothing is left to be cut off. */
static bool is_bounded(const job *j, const vd_value *value)
{
    static const char *const bounded[] = {"Relu", "Clip", "Sigmoid", "Softmax", "HardSigmoid"};
    static const char *const moving[] = {"Identity",  "MaxPool", "Resize", "Reshape",
                                         "Transpose", "Slice",   "Split"};
    for (int depth = 0; value && value->producer >= 0 && depth < 16; depth++) {
        const Onnx__NodeProto *maker = j->done[value->producer];
        bool moves = false;
        for (size_t i = 0; i < sizeof bounded / sizeof *bounded; i++)
            if (vd_onnx_is(maker, bounded[i]))
                return true;
        for (size_t i = 0; i < sizeof moving / sizeof *moving; i++)
            moves = moves || vd_onnx_is(maker, moving[i]);
        if (!moves)
            return false;
        value = vd_onnx_input(j->graph, maker, 0);
    }
    return false;
}

/* Makes `node` a Clip of its input 0. */
static int make_clip(job *j, Onnx__NodeProto *node, double least, double most)
{
    vd_value *bounds[2] = {NULL, NULL};
    vd_onnx_keep_inputs(node, 1);
    vd_onnx_keep_settings(node, 0);
    if (vd_onnx_set_type(node, "Clip") != VD_OK)
        return out_of_memory(j);
    if (j->graph->opset < 11) {
        bool set = vd_onnx_set_float(node, "min", (float)least) == VD_OK &&
                   vd_onnx_set_float(node, "max", (float)most) == VD_OK;
        return set ? VD_OK : out_of_memory(j);
    }
    int code = new_number(j, node->output[0], least, &bounds[0]);
    if (code == VD_OK)
        code = new_number(j, node->output[0], most, &bounds[1]);
    for (size_t i = 0; code == VD_OK && i < 2; i++)
        if (vd_onnx_put_input(node, i + 1, bounds[i]->name) != VD_OK)
            code = out_of_memory(j);
    return code;
}

static int make_identity(job *j, Onnx__NodeProto *node)
{
    vd_onnx_keep_inputs(node, 1);
    vd_onnx_keep_settings(node, 0);
    return vd_onnx_set_type(node, "Identity") == VD_OK ? VD_OK : out_of_memory(j);
}

/* x, scale, zero point */
static int quantize(job *j, Onnx__NodeProto *node)
{
    const vd_value *x = input_of(j, node, 0);
    double least, most;
    bool cuts = x && !x->constant &&
                vd_onnx_quantised_range(input_of(j, node, 1), input_of(j, node, 2), &least, &most) &&
                least == 0 && !is_bounded(j, x);
    return cuts ? make_clip(j, node, least, most) : make_identity(j, node);
}

/* Makes input i the constant it stands for; a computed one has become its number already. */
static int dequantise_input(job *j, Onnx__NodeProto *node, size_t i, const vd_value *scale,
                            const vd_value *zero, int64_t axis)
{
    const vd_value *value = input_of(j, node, i);
    vd_value *numbers = NULL;
    if (!value || !value->constant || !is_eight_bit(value))
        return VD_OK;
    int code = vd_onnx_dequantise(j->graph, value, scale, zero, axis, &numbers, j->error);
    if (code == VD_OK && vd_onnx_put_input(node, i, numbers->name) != VD_OK)
        code = out_of_memory(j);
    return code;
}

/* x, scale, zero point */
static int dequantize(job *j, Onnx__NodeProto *node)
{
    int64_t axis = vd_onnx_attribute_int(node, "axis", 1);
    int code = dequantise_input(j, node, 0, input_of(j, node, 1), input_of(j, node, 2), axis);
    return code == VD_OK ? make_identity(j, node) : code;
}

/* x to y, its scale, its zero point */
static int dynamic_quantize(job *j, Onnx__NodeProto *node)
{
    vd_shape shape = {.rank = 0};
    for (size_t i = 1; i < node->n_output && i < 3; i++) {
        vd_value *value = vd_onnx_output(j->graph, node, i);
        if (!value)
            continue;
        Onnx__TensorProto *tensor =
            vd_onnx_fold_tensor(j->graph, i == 1 ? VD_ONNX_FLOAT : VD_ONNX_UINT8, &shape);
        if (!tensor)
            return out_of_memory(j);
        vd_onnx_tensor_set_number(tensor, 0, i == 1 ? 1 : 0);
        vd_onnx_tensor_free(value->constant);
        value->constant = tensor;
        value->shape = shape;
        value->type = tensor->data_type;
        value->producer = -1;
        tensor->name = strdup(value->name);
        if (!tensor->name)
            return out_of_memory(j);
    }
    while (node->n_output > 1)
        free(node->output[--node->n_output]);
    return make_identity(j, node);
}

static bool is_zero(const vd_value *value)
{
    if (!value)
        return true;
    for (size_t i = 0; value->constant && i < vd_onnx_tensor_count(value->constant); i++)
        if (vd_onnx_tensor_number(value->constant, i) != 0)
            return false;
    return value->constant != NULL;
}

/* x, w, zero point of x, zero point of w */
static int product_of_integers(job *j, Onnx__NodeProto *node, const char *op_type, int64_t axis)
{
    const vd_value *x = input_of(j, node, 0), *w = input_of(j, node, 1);
    const vd_value *zeros[2] = {input_of(j, node, 2), input_of(j, node, 3)};
    if (!x || !w || (!x->constant && !is_zero(zeros[0])) || (!w->constant && !is_zero(zeros[1])))
        return VD_OK; /* stays, and is refused as an operation that cannot be run */
    int code = dequantise_input(j, node, 0, NULL, zeros[0], -2);
    if (code == VD_OK)
        code = dequantise_input(j, node, 1, NULL, zeros[1], axis);
    vd_onnx_keep_inputs(node, 2);
    if (code == VD_OK && vd_onnx_set_type(node, op_type) != VD_OK)
        code = out_of_memory(j);
    return code;
}

static int conv_integer(job *j, Onnx__NodeProto *node)
{
    return product_of_integers(j, node, "Conv", 0);
}

static int matmul_integer(job *j, Onnx__NodeProto *node)
{
    return product_of_integers(j, node, "MatMul", -1);
}

/* The node's own output is what a Clip behind it makes, where its range cuts off. */
static int cut_output(job *j, Onnx__NodeProto *node, const vd_value *scale, const vd_value *zero,
                      Onnx__NodeProto **ret_clip)
{
    double least, most;
    vd_value *between = NULL;
    *ret_clip = NULL;
    if (!vd_onnx_quantised_range(scale, zero, &least, &most) || least != 0 || vd_onnx_is(node, "Sigmoid"))
        return VD_OK;
    Onnx__NodeProto *clip = vd_onnx_new_node("Clip", node->output[0]);
    int code = clip ? new_number(j, node->output[0], 0, &between) : out_of_memory(j);
    char *name = code == VD_OK ? strdup(between->name) : NULL;
    if (!name || vd_onnx_put_input(clip, 0, name) != VD_OK) {
        free(name);
        if (clip)
            onnx__node_proto__free_unpacked(clip, NULL);
        return code == VD_OK ? out_of_memory(j) : code;
    }
    vd_onnx_tensor_free(between->constant); /* only its name was wanted */
    between->constant = NULL;
    between->shape.rank = -1;
    free(node->output[0]);
    node->output[0] = name;
    *ret_clip = clip;
    return make_clip(j, clip, least, most);
}

/* Which inputs of an operation on quantised values are data, and what it is on numbers. */
typedef struct form {
    const char *op_type, *plain;
    size_t data[2];                 /* each is followed by its scale and zero point */
    size_t data_count, bias, scale; /* `scale` of the output, its zero point behind; bias 0: none */
    int64_t axis;                   /* of scales of data[1], if it is a constant */
} form;

static const form forms[] = {{"QLinearConv", "Conv", {0, 3}, 2, 8, 6, 0},
                             {"QLinearMatMul", "MatMul", {0, 3}, 2, 0, 6, -1},
                             {"QLinearAdd", "Add", {0, 3}, 2, 0, 6, -1},
                             {"QLinearMul", "Mul", {0, 3}, 2, 0, 6, -1},
                             {"QLinearSigmoid", "Sigmoid", {0}, 1, 0, 3, 0},
                             {"QLinearLeakyRelu", "LeakyRelu", {0}, 1, 0, 3, 0},
                             {"QLinearGlobalAveragePool", "GlobalAveragePool", {0}, 1, 0, 3, 0},
                             {"QLinearAveragePool", "AveragePool", {0}, 1, 0, 3, 0}};

/* The bias is kept as integers in steps of both scales together. */
static int dequantise_bias(job *j, Onnx__NodeProto *node, size_t i)
{
    const vd_value *x = input_of(j, node, 1), *w = input_of(j, node, 4);
    double least, most;
    vd_value *bias = NULL;
    if (!input_of(j, node, i) || input_of(j, node, i)->type != VD_ONNX_INT32)
        return VD_OK;
    if (!vd_onnx_quantised_range(x, NULL, &least, &most))
        return vd_error_set(j->error, VD_EFORMAT, j->graph->place,
                            "The network is quantised in a form that cannot be turned back to float32.");
    int code = dequantise_input(j, node, i, w, NULL, 0);
    if (code != VD_OK || input_of(j, node, i)->type != VD_ONNX_FLOAT || !input_of(j, node, i)->constant)
        return code;
    bias = vd_onnx_input(j->graph, node, i);
    for (size_t k = 0; k < vd_onnx_tensor_count(bias->constant); k++)
        vd_onnx_tensor_set_number(bias->constant, k,
                                  vd_onnx_tensor_number(bias->constant, k) *
                                      vd_onnx_tensor_number(x->constant, 0));
    return VD_OK;
}

static int linear(job *j, Onnx__NodeProto *node, const form *f, Onnx__NodeProto **ret_clip)
{
    const vd_value *scale = input_of(j, node, f->scale), *zero = input_of(j, node, f->scale + 1);
    if (node->n_input <= f->scale)
        return VD_OK; /* stays, and is refused as an operation that cannot be run */
    int code = f->bias > 0 ? dequantise_bias(j, node, f->bias) : VD_OK;
    for (size_t i = 0; code == VD_OK && i < f->data_count; i++)
        code = dequantise_input(j, node, f->data[i], input_of(j, node, f->data[i] + 1),
                                input_of(j, node, f->data[i] + 2), f->axis);
    for (size_t i = 0; code == VD_OK && i < f->data_count; i++)
        if (vd_onnx_put_input(node, i, node->input[f->data[i]]) != VD_OK)
            code = out_of_memory(j);
    size_t kept = f->data_count;
    if (code == VD_OK && f->bias > 0 && input_of(j, node, f->bias)) {
        if (vd_onnx_put_input(node, kept++, node->input[f->bias]) != VD_OK)
            code = out_of_memory(j);
    }
    vd_onnx_keep_inputs(node, kept);
    if (code == VD_OK && vd_onnx_set_type(node, f->plain) != VD_OK)
        code = out_of_memory(j);
    return code == VD_OK ? cut_output(j, node, scale, zero, ret_clip) : code;
}

/* Scale and zero point of the output, then each part with its own. */
static int concat(job *j, Onnx__NodeProto *node)
{
    size_t parts = node->n_input >= 2 ? (node->n_input - 2) / 3 : 0;
    int code = VD_OK;
    if (parts == 0)
        return VD_OK;
    for (size_t i = 0; code == VD_OK && i < parts; i++) {
        size_t at = 2 + 3 * i;
        code = dequantise_input(j, node, at, input_of(j, node, at + 1), input_of(j, node, at + 2), 0);
        if (code == VD_OK && vd_onnx_put_input(node, i, node->input[at]) != VD_OK)
            code = out_of_memory(j);
    }
    vd_onnx_keep_inputs(node, parts);
    if (code == VD_OK && vd_onnx_set_type(node, "Concat") != VD_OK)
        code = out_of_memory(j);
    return code;
}

static const struct {
    const char *op_type;
    rewrite *apply;
} rewrites[] = {{"QuantizeLinear", quantize},
                {"DequantizeLinear", dequantize},
                {"DynamicQuantizeLinear", dynamic_quantize},
                {"ConvInteger", conv_integer},
                {"MatMulInteger", matmul_integer},
                {"QLinearConcat", concat}};

static bool is_named(const Onnx__NodeProto *node, const char *op_type)
{
    bool extension = node->domain && strcmp(node->domain, "com.microsoft") == 0;
    return vd_onnx_is(node, op_type) || (extension && strcmp(node->op_type, op_type) == 0);
}

static const form *form_of(const Onnx__NodeProto *node)
{
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (is_named(node, forms[i].op_type))
            return &forms[i];
    return NULL;
}

static rewrite *rewrite_of(const Onnx__NodeProto *node)
{
    for (size_t i = 0; i < sizeof rewrites / sizeof *rewrites; i++)
        if (is_named(node, rewrites[i].op_type))
            return rewrites[i].apply;
    return NULL;
}

/* Takes the node over as the next one that is done, and computes it where it is constant. */
static int push(job *j, Onnx__NodeProto *node)
{
    bool folded;
    for (size_t i = 0; i < node->n_output; i++) {
        vd_value *out = vd_onnx_output(j->graph, node, i);
        if (out)
            out->producer = (int)j->count;
    }
    j->done[j->count++] = node;
    return vd_onnx_infer(j->graph, node) ? vd_onnx_fold(j->graph, node, &folded, j->error) : VD_OK;
}

static int visit(job *j, Onnx__NodeProto *node)
{
    const form *f = form_of(node);
    rewrite *apply = rewrite_of(node);
    Onnx__NodeProto *clip = NULL;
    int code = f ? linear(j, node, f, &clip) : apply ? apply(j, node) : VD_OK;
    j->graph->unquantised += f || apply;
    int pushed = push(j, node);
    int clipped = clip ? push(j, clip) : VD_OK;
    return code != VD_OK ? code : pushed != VD_OK ? pushed : clipped;
}

int vd_onnx_quantised(vd_onnx_graph *graph, vd_error *error)
{
    Onnx__GraphProto *proto = graph->proto;
    job j = {.graph = graph, .error = error};
    bool any = false;
    for (size_t i = 0; i < proto->n_node; i++)
        any = any || form_of(proto->node[i]) || rewrite_of(proto->node[i]);
    if (!any)
        return VD_OK;
    j.done = calloc(2 * proto->n_node, sizeof *j.done);
    if (!j.done)
        return vd_onnx_no_memory(graph, error);
    int code = VD_OK;
    for (size_t i = 0; i < proto->n_node; i++) {
        int visited = code == VD_OK ? visit(&j, proto->node[i]) : push(&j, proto->node[i]);
        code = code == VD_OK ? visited : code;
    }
    free(proto->node);
    proto->node = j.done;
    proto->n_node = j.count;
    return code;
}
