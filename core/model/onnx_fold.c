/* Computing what is constant: nodes whose inputs are all known before the first picture comes. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/onnx_fold.h"
#include "model/onnx_passes.h"
#include "model/onnx_rules.h"

/* Copies the elements that w->offset[0] walks over. */
static bool copy_walk(vd_fold *job, const Onnx__TensorProto *in, vd_fold_walk *w)
{
    size_t width = vd_onnx_type_bytes(in->data_type), count = vd_onnx_tensor_count(job->out);
    for (size_t i = 0; i < count; i++, vd_fold_next(w))
        memcpy(job->out->raw_data.data + i * width, in->raw_data.data + (size_t)w->offset[0] * width, width);
    return true;
}

static bool fold_copy(vd_fold *job)
{
    const Onnx__TensorProto *in = vd_fold_input(job, 0);
    if (in->raw_data.len != job->out->raw_data.len)
        return false;
    if (in->raw_data.len > 0)
        memcpy(job->out->raw_data.data, in->raw_data.data, in->raw_data.len);
    return true;
}

static bool fold_transpose(vd_fold *job)
{
    const Onnx__TensorProto *in = vd_fold_input(job, 0);
    vd_shape shape = vd_onnx_tensor_shape(in);
    vd_fold_walk w = {.shape = job->shape};
    int order[VD_ONNX_RANK];
    int64_t dense[VD_ONNX_RANK];
    if (!vd_rule_order(job->node, shape.rank, order))
        return false;
    vd_fold_dense(&shape, dense);
    for (int i = 0; i < shape.rank; i++)
        w.stride[0][i] = dense[order[i]];
    return copy_walk(job, in, &w);
}

static bool fold_slice(vd_fold *job)
{
    const Onnx__TensorProto *in = vd_fold_input(job, 0);
    vd_shape shape = vd_onnx_tensor_shape(in);
    vd_fold_walk w = {.shape = job->shape};
    int64_t start[VD_ONNX_RANK], step[VD_ONNX_RANK], dense[VD_ONNX_RANK];
    if (!vd_rule_slice_plan(job->graph, job->node, start, step, &w.shape))
        return false;
    vd_fold_dense(&shape, dense);
    for (int i = 0; i < shape.rank; i++) {
        w.offset[0] += start[i] * dense[i];
        /* an axis of one element is never stepped along, however large its step was written */
        w.stride[0][i] = w.shape.dims[i] > 1 ? step[i] * dense[i] : 0;
    }
    return copy_walk(job, in, &w);
}

static bool fold_expand(vd_fold *job)
{
    const Onnx__TensorProto *in = vd_fold_input(job, 0);
    vd_shape shape = vd_onnx_tensor_shape(in);
    vd_fold_walk w = {.shape = job->shape};
    vd_fold_spread(&shape, &job->shape, w.stride[0]);
    return copy_walk(job, in, &w);
}

static bool fold_gather(vd_fold *job)
{
    const Onnx__TensorProto *data = vd_fold_input(job, 0), *indices = vd_fold_input(job, 1);
    vd_shape shape = vd_onnx_tensor_shape(data);
    size_t inner = vd_onnx_type_bytes(data->data_type), outer = 1, count = vd_onnx_tensor_count(indices);
    int axis;
    if (vd_onnx_type_is_real(indices->data_type) ||
        !vd_rule_axis(vd_onnx_attribute_int(job->node, "axis", 0), shape.rank, &axis))
        return false;
    for (int i = 0; i < shape.rank; i++) {
        if (i < axis)
            outer *= (size_t)shape.dims[i];
        else if (i > axis)
            inner *= (size_t)shape.dims[i];
    }
    int64_t extent = shape.dims[axis];
    uint8_t *to = job->out->raw_data.data;
    for (size_t o = 0; o < outer; o++) {
        for (size_t k = 0; k < count; k++, to += inner) {
            int64_t at = vd_onnx_tensor_integer(indices, k);
            if (at < -extent || at >= extent)
                return false;
            at = at < 0 ? at + extent : at;
            memcpy(to, data->raw_data.data + (o * (size_t)extent + (size_t)at) * inner, inner);
        }
    }
    return true;
}

static bool fold_concat(vd_fold *job)
{
    size_t width = vd_onnx_type_bytes(job->out->data_type), outer = 1, filled = 0;
    int axis;
    if (!vd_rule_axis(vd_onnx_attribute_int(job->node, "axis", 1), job->shape.rank, &axis))
        return false;
    for (int i = 0; i < axis; i++)
        outer *= (size_t)job->shape.dims[i];
    for (size_t i = 0; i < job->node->n_input; i++)
        if (vd_fold_input(job, i)->data_type != job->out->data_type)
            return false;
    if (job->out->raw_data.len == 0)
        return true;
    size_t row = job->out->raw_data.len / outer;
    for (size_t i = 0; i < job->node->n_input; i++) {
        const Onnx__TensorProto *in = vd_fold_input(job, i);
        size_t part = in->raw_data.len / outer;
        for (size_t o = 0; o < outer && part > 0; o++)
            memcpy(job->out->raw_data.data + o * row + filled, in->raw_data.data + o * part, part);
        filled += part;
    }
    return width > 0 && filled == row;
}

static bool fold_shape(vd_fold *job)
{
    const vd_value *in = vd_onnx_input(job->graph, job->node, 0);
    int first, count = vd_rule_shape_part(job->node, in->shape.rank, &first);
    for (int i = 0; i < count; i++)
        vd_onnx_tensor_set_integer(job->out, (size_t)i, in->shape.dims[first + i]);
    return true;
}

static bool fold_constant(vd_fold *job)
{
    const Onnx__AttributeProto *value = vd_onnx_attribute(job->node, "value");
    const Onnx__AttributeProto *list = vd_onnx_attribute(job->node, "value_ints");
    const Onnx__AttributeProto *floats = vd_onnx_attribute(job->node, "value_floats");
    size_t count = vd_onnx_tensor_count(job->out);
    if (value && value->t) {
        if (count > 0)
            memcpy(job->out->raw_data.data, value->t->raw_data.data, job->out->raw_data.len);
        return true;
    }
    for (size_t i = 0; i < count; i++) {
        if (list)
            vd_onnx_tensor_set_integer(job->out, i, list->ints[i]);
        else if (floats)
            vd_onnx_tensor_set_number(job->out, i, (double)floats->floats[i]);
        else if (vd_onnx_attribute(job->node, "value_int"))
            vd_onnx_tensor_set_integer(job->out, i, vd_onnx_attribute(job->node, "value_int")->i);
        else
            vd_onnx_tensor_set_number(job->out, i, (double)vd_onnx_attribute(job->node, "value_float")->f);
    }
    return true;
}

static bool fold_constant_of_shape(vd_fold *job)
{
    const Onnx__AttributeProto *value = vd_onnx_attribute(job->node, "value");
    size_t width = vd_onnx_type_bytes(job->out->data_type), count = vd_onnx_tensor_count(job->out);
    for (size_t i = 0; value && i < count; i++)
        memcpy(job->out->raw_data.data + i * width, value->t->raw_data.data, width);
    return true;
}

static bool fold_range(vd_fold *job)
{
    const Onnx__TensorProto *start = vd_fold_input(job, 0), *step = vd_fold_input(job, 2);
    size_t count = vd_onnx_tensor_count(job->out);
    for (size_t i = 0; i < count; i++) {
        double at = vd_onnx_tensor_number(start, 0) + (double)i * vd_onnx_tensor_number(step, 0);
        vd_onnx_tensor_set_number(job->out, i, at);
    }
    return true;
}

static bool fold_cast(vd_fold *job)
{
    const Onnx__TensorProto *in = vd_fold_input(job, 0);
    size_t count = vd_onnx_tensor_count(job->out);
    if (in->data_type == VD_ONNX_FLOAT16 || in->data_type == VD_ONNX_BFLOAT16 ||
        job->out->data_type == VD_ONNX_FLOAT16 || job->out->data_type == VD_ONNX_BFLOAT16)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (vd_onnx_type_is_real(in->data_type))
            vd_onnx_tensor_set_number(job->out, i, vd_onnx_tensor_number(in, i));
        else
            vd_onnx_tensor_set_integer(job->out, i, vd_onnx_tensor_integer(in, i));
    }
    return true;
}

/* Integer arithmetic wraps as the format's runtimes do, except that there is no division by zero. */
static bool compute_integer(char op, int64_t a, int64_t b, int64_t *ret)
{
    switch (op) {
    case '+':
        *ret = (int64_t)((uint64_t)a + (uint64_t)b);
        return true;
    case '-':
        *ret = (int64_t)((uint64_t)a - (uint64_t)b);
        return true;
    case '*':
        *ret = (int64_t)((uint64_t)a * (uint64_t)b);
        return true;
    default:
        if (b == 0 || (a == INT64_MIN && b == -1))
            return false;
        *ret = a / b;
        return true;
    }
}

/* In double, then rounded once: for one operation on floats that gives what float arithmetic gives. */
static double compute_number(char op, double a, double b)
{
    switch (op) {
    case '+':
        return a + b;
    case '-':
        return a - b;
    case '*':
        return a * b;
    default:
        return a / b;
    }
}

static char operator_of(const Onnx__NodeProto *node)
{
    return vd_onnx_is(node, "Add")   ? '+'
           : vd_onnx_is(node, "Sub") ? '-'
           : vd_onnx_is(node, "Mul") ? '*'
                                     : '/';
}

static bool fold_arithmetic(vd_fold *job)
{
    const Onnx__TensorProto *a = vd_fold_input(job, 0), *b = vd_fold_input(job, 1);
    vd_shape shape_a = vd_onnx_tensor_shape(a), shape_b = vd_onnx_tensor_shape(b);
    vd_fold_walk w = {.shape = job->shape};
    char op = operator_of(job->node);
    size_t count = vd_onnx_tensor_count(job->out);
    int type = job->out->data_type;
    if (type != VD_ONNX_INT32 && type != VD_ONNX_INT64 && !vd_onnx_type_is_real(type))
        return false;
    vd_fold_spread(&shape_a, &job->shape, w.stride[0]);
    vd_fold_spread(&shape_b, &job->shape, w.stride[1]);
    for (size_t i = 0; i < count; i++, vd_fold_next(&w)) {
        size_t at_a = (size_t)w.offset[0], at_b = (size_t)w.offset[1];
        int64_t result;
        if (vd_onnx_type_is_real(type))
            vd_onnx_tensor_set_number(
                job->out, i,
                compute_number(op, vd_onnx_tensor_number(a, at_a), vd_onnx_tensor_number(b, at_b)));
        else if (compute_integer(op, vd_onnx_tensor_integer(a, at_a), vd_onnx_tensor_integer(b, at_b),
                                 &result))
            vd_onnx_tensor_set_integer(job->out, i, result);
        else
            return false;
    }
    return true;
}

typedef struct fold_row {
    const char *op_type;
    vd_fold_rule *rule;
} fold_row;

static const fold_row rules[] = {{"Add", fold_arithmetic},
                                 {"Cast", fold_cast},
                                 {"Concat", fold_concat},
                                 {"Constant", fold_constant},
                                 {"ConstantOfShape", fold_constant_of_shape},
                                 {"Div", fold_arithmetic},
                                 {"Expand", fold_expand},
                                 {"Flatten", fold_copy},
                                 {"Gather", fold_gather},
                                 {"Identity", fold_copy},
                                 {"Mul", fold_arithmetic},
                                 {"Range", fold_range},
                                 {"Reshape", fold_copy},
                                 {"Shape", fold_shape},
                                 {"Slice", fold_slice},
                                 {"Squeeze", fold_copy},
                                 {"Sub", fold_arithmetic},
                                 {"Transpose", fold_transpose},
                                 {"Unsqueeze", fold_copy}};

static vd_fold_rule *rule_of(const Onnx__NodeProto *node)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (vd_onnx_is(node, rules[i].op_type))
            return rules[i].rule;
    return vd_fold_logic_rule(node);
}

/* Shape and Size need no values, only the shape of what it is asked about. */
static bool inputs_are_constant(const vd_onnx_graph *graph, const Onnx__NodeProto *node)
{
    if (vd_onnx_is(node, "Shape") || vd_onnx_is(node, "Size"))
        return true;
    for (size_t i = 0; i < node->n_input; i++) {
        const vd_value *value = vd_onnx_input(graph, node, i);
        if (*node->input[i] && (!value || !value->constant))
            return false;
    }
    return true;
}

Onnx__TensorProto *vd_onnx_fold_tensor(vd_onnx_graph *graph, int type, const vd_shape *shape)
{
    size_t left = VD_ONNX_FOLD_TOTAL_BYTES - graph->folded_bytes;
    Onnx__TensorProto *tensor =
        vd_onnx_tensor_new(type, shape, left < VD_ONNX_FOLD_BYTES ? left : VD_ONNX_FOLD_BYTES);
    if (tensor)
        graph->folded_bytes += tensor->raw_data.len;
    return tensor;
}

int vd_onnx_fold(vd_onnx_graph *graph, const Onnx__NodeProto *node, bool *ret_folded, vd_error *error)
{
    vd_value *value = vd_onnx_output(graph, node, 0);
    vd_fold_rule *rule = rule_of(node);
    *ret_folded = false;
    if (!rule || !value || value->constant || value->shape.rank < 0 || node->n_output != 1 ||
        !inputs_are_constant(graph, node))
        return VD_OK;
    vd_fold job = {.graph = graph, .node = node, .shape = value->shape};
    job.out = vd_onnx_fold_tensor(graph, value->type, &value->shape);
    if (!job.out)
        return VD_OK;
    if (!rule(&job)) {
        graph->folded_bytes -= job.out->raw_data.len;
        vd_onnx_tensor_free(job.out);
        return VD_OK;
    }
    free(job.out->name);
    job.out->name = strdup(value->name);
    if (!job.out->name) {
        vd_onnx_tensor_free(job.out);
        return vd_error_set(error, VD_ENOMEM, graph->place,
                            "There is not enough memory to rewrite the model.");
    }
    value->constant = job.out;
    graph->folded_nodes++;
    *ret_folded = true;
    return VD_OK;
}
