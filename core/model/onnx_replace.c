/* Operations that OpenCV 4.6 lacks, or gets wrong, as others that it does right. */
#include <string.h>

#include "model/onnx_edit.h"
#include "model/onnx_passes.h"
#include "model/onnx_rules.h"

/* x² as x · x, √x, x itself. */
static int replace_pow(vd_onnx_graph *graph, Onnx__NodeProto *node, bool *ret_done)
{
    const vd_value *x = vd_onnx_input(graph, node, 0), *power = vd_onnx_input(graph, node, 1);
    const vd_value *out = vd_onnx_output(graph, node, 0);
    if (!x || x->constant || !power || !power->constant || vd_onnx_tensor_count(power->constant) != 1 ||
        !out || !vd_shape_equal(&x->shape, &out->shape))
        return VD_OK;
    double number = vd_onnx_tensor_number(power->constant, 0);
    const char *type = number == 2 ? "Mul" : number == 0.5 ? "Sqrt" : number == 1 ? "Identity" : NULL;
    if (!type)
        return VD_OK;
    *ret_done = true;
    if (number == 2 ? vd_onnx_set_input(node, 1, node->input[0]) != VD_OK : false)
        return VD_ENOMEM;
    vd_onnx_keep_inputs(node, number == 2 ? 2 : 1);
    return vd_onnx_set_type(node, type);
}

/* An average whose padding counts is a convolution by one and the same weight. */
static int replace_average(vd_onnx_graph *graph, Onnx__NodeProto *node, bool *ret_done, vd_error *error)
{
    int64_t kernel[2 * VD_ONNX_RANK], pads[2 * VD_ONNX_RANK], strides[2 * VD_ONNX_RANK] = {1, 1};
    const vd_value *in = vd_onnx_input(graph, node, 0);
    int listed = vd_onnx_attribute_ints(node, "strides", strides);
    if (vd_onnx_attribute_int(node, "count_include_pad", 0) == 0 || !in || in->shape.rank != 4 ||
        vd_onnx_attribute_ints(node, "kernel_shape", kernel) != 2 ||
        vd_onnx_attribute_ints(node, "pads", pads) != 4 || (listed >= 0 && listed != 2) ||
        vd_onnx_attribute_int(node, "ceil_mode", 0) != 0 || vd_onnx_attribute(node, "auto_pad"))
        return VD_OK;
    vd_shape shape = {.rank = 4, .dims = {in->shape.dims[1], 1, kernel[0], kernel[1]}};
    Onnx__TensorProto *weights = vd_onnx_fold_tensor(graph, VD_ONNX_FLOAT, &shape);
    vd_value *value = NULL;
    for (size_t i = 0; weights && i < vd_onnx_tensor_count(weights); i++)
        vd_onnx_tensor_set_number(weights, i, 1 / ((double)kernel[0] * (double)kernel[1]));
    int code = vd_onnx_put_constant(graph, node->output[0], weights, &value, error);
    if (code != VD_OK)
        return code;
    vd_onnx_keep_settings(node, 0);
    *ret_done = true;
    bool set = vd_onnx_put_input(node, 1, value->name) == VD_OK &&
               vd_onnx_set_ints(node, "kernel_shape", kernel, 2) == VD_OK &&
               vd_onnx_set_ints(node, "pads", pads, 4) == VD_OK &&
               vd_onnx_set_ints(node, "strides", strides, 2) == VD_OK &&
               vd_onnx_set_int(node, "group", shape.dims[0]) == VD_OK &&
               vd_onnx_set_type(node, "Conv") == VD_OK;
    return set ? VD_OK : vd_onnx_no_memory(graph, error);
}

/* Padding that keeps the size, in numbers: OpenCV 4.6 always puts the odd one behind. */
static int replace_padding(vd_onnx_graph *graph, Onnx__NodeProto *node, bool *ret_done)
{
    int64_t pads[2 * VD_ONNX_RANK];
    int axes = 0;
    if (!vd_rule_same_padding(graph, node, &axes, pads))
        return VD_OK;
    *ret_done = true;
    vd_onnx_drop_setting(node, "auto_pad");
    return vd_onnx_set_ints(node, "pads", pads, 2 * axes);
}

/* Bounds of Clip as settings, as they were before version 11 of the format: OpenCV 4.6 refuses them as
 * inputs. */
static int replace_bounds(vd_onnx_graph *graph, Onnx__NodeProto *node, bool *ret_done)
{
    const char *const names[] = {NULL, "min", "max"};
    if (!vd_onnx_is(node, "Clip") || node->n_input < 2 || node->n_input > 3)
        return VD_OK;
    for (size_t i = 1; i < node->n_input; i++) {
        const vd_value *bound = vd_onnx_input(graph, node, i);
        if (*node->input[i] && (!bound || !bound->constant || vd_onnx_tensor_count(bound->constant) != 1))
            return VD_OK;
    }
    for (size_t i = 1; i < node->n_input; i++) {
        const vd_value *bound = vd_onnx_input(graph, node, i);
        if (bound &&
            vd_onnx_set_float(node, names[i], (float)vd_onnx_tensor_number(bound->constant, 0)) != VD_OK)
            return VD_ENOMEM;
    }
    vd_onnx_keep_inputs(node, 1);
    *ret_done = true;
    return VD_OK;
}

/* A convolution's kernel_shape may be left out, and OpenCV 4.6 wants it. */
static int replace_kernel(vd_onnx_graph *graph, Onnx__NodeProto *node, bool *ret_done)
{
    const vd_value *weights = vd_onnx_input(graph, node, 1);
    if ((!vd_onnx_is(node, "Conv") && !vd_onnx_is(node, "ConvTranspose")) || !weights ||
        weights->shape.rank < 3 || vd_onnx_attribute(node, "kernel_shape"))
        return VD_OK;
    *ret_done = true;
    return vd_onnx_set_ints(node, "kernel_shape", weights->shape.dims + 2, weights->shape.rank - 2);
}

int vd_onnx_replace(vd_onnx_graph *graph, vd_error *error)
{
    int code = VD_OK;
    for (size_t i = 0; code == VD_OK && i < graph->proto->n_node; i++) {
        Onnx__NodeProto *node = graph->proto->node[i];
        bool done = false;
        if (replace_padding(graph, node, &done) != VD_OK || replace_bounds(graph, node, &done) != VD_OK ||
            replace_kernel(graph, node, &done) != VD_OK)
            return vd_onnx_no_memory(graph, error);
        if (vd_onnx_is(node, "Pow")) {
            if (replace_pow(graph, node, &done) != VD_OK)
                code = vd_onnx_no_memory(graph, error);
        } else if (vd_onnx_is(node, "AveragePool")) {
            code = replace_average(graph, node, &done, error);
        }
        graph->replaced += done;
    }
    return code;
}
