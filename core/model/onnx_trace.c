#include "model/onnx_trace.h"

#include <math.h>
#include <string.h>

#include "model/onnx_rules.h"

enum { MOST_TERMS = 64 }; /* of a sum of products: bins of a distance */

static bool follow(vd_trace *trace, const vd_value *value, const int64_t *index, double *ret_number);

double vd_trace_sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

bool vd_trace_is(double found, double wanted)
{
    return fabs(found - wanted) <= 1e-3 + 1e-3 * fabs(wanted);
}

/* Any spread of values would do that no simple relation between neighbours survives (a multiplicative hash).
 */
double vd_trace_made_up(const vd_value *map, int64_t channel, int64_t y, int64_t x)
{
    uint64_t hash = (uint64_t)(map->producer + 1) * 0x9e3779b97f4a7c15u;
    hash = (hash ^ (uint64_t)channel) * 0xbf58476d1ce4e5b9u;
    hash = (hash ^ (hash >> 29) ^ (uint64_t)y) * 0x94d049bb133111ebu;
    hash = (hash ^ (hash >> 31) ^ (uint64_t)x) * 0x9e3779b97f4a7c15u;
    return (double)(hash >> 40) * 2.5 / (double)(1 << 24) - 2.25;
}

static size_t offset_in(const vd_shape *shape, const int64_t *index)
{
    size_t offset = 0;
    for (int i = 0; i < shape->rank; i++)
        offset = offset * (size_t)shape->dims[i] + (size_t)index[i];
    return offset;
}

static void index_of(const vd_shape *shape, size_t offset, int64_t *ret_index)
{
    for (int i = shape->rank; i-- > 0; offset /= (size_t)shape->dims[i])
        ret_index[i] = (int64_t)(offset % (size_t)shape->dims[i]);
}

static const Onnx__NodeProto *maker_of(const vd_trace *trace, const vd_value *value)
{
    return value->producer < 0 ? NULL : trace->graph->proto->node[value->producer];
}

/* 0, 1, 2, …: the bins of a distance. */
static bool counts_up(const Onnx__TensorProto *tensor)
{
    size_t count = vd_onnx_tensor_count(tensor);
    if (count < 2 || count > MOST_TERMS)
        return false;
    for (size_t i = 0; i < count; i++)
        if (vd_onnx_tensor_number(tensor, i) != (double)i)
            return false;
    return true;
}

/* A convolution that takes the mean of a distribution over bins is arithmetic, not the network's last layer.
 */
static bool is_mean_of_bins(const vd_trace *trace, const Onnx__NodeProto *node)
{
    const vd_value *weights = vd_onnx_input(trace->graph, node, 1);
    return weights && weights->constant && weights->shape.rank == 4 && weights->shape.dims[0] == 1 &&
           weights->shape.dims[2] == 1 && weights->shape.dims[3] == 1 && counts_up(weights->constant) &&
           !vd_onnx_input(trace->graph, node, 2);
}

static bool is_bias(const vd_value *value, const vd_shape *map)
{
    size_t count;
    if (!value || !value->constant || value->shape.rank > 4 || value->shape.rank < 3 ||
        !vd_shape_count(&value->shape, VD_ONNX_MAX_ELEMENTS, &count))
        return false;
    return count == (size_t)map->dims[1] && value->shape.dims[value->shape.rank - 3] == map->dims[1];
}

static bool is_map(const vd_trace *trace, const vd_value *value)
{
    const Onnx__NodeProto *node = maker_of(trace, value);
    if (!node || value->shape.rank != 4)
        return false;
    if (vd_onnx_is(node, "Conv"))
        return !is_mean_of_bins(trace, node);
    if (!vd_onnx_is(node, "Add"))
        return false;
    for (size_t i = 0; i < 2; i++) {
        const vd_value *in = vd_onnx_input(trace->graph, node, i);
        const Onnx__NodeProto *conv = in ? maker_of(trace, in) : NULL;
        if (conv && vd_onnx_is(conv, "Conv") &&
            is_bias(vd_onnx_input(trace->graph, node, 1 - i), &value->shape))
            return true;
    }
    return false;
}

static bool take_leaf(vd_trace *trace, const vd_value *map, const int64_t *index, double *ret_number)
{
    vd_leaf leaf = {.map = map, .channel = index[1], .y = index[2], .x = index[3]};
    int i = 0;
    while (i < trace->leaf_count &&
           (trace->leaves[i].map != map || trace->leaves[i].channel != leaf.channel ||
            trace->leaves[i].y != leaf.y || trace->leaves[i].x != leaf.x))
        i++;
    if (i == VD_TRACE_LEAVES || index[0] != 0)
        return false;
    trace->leaves[i] = leaf;
    trace->leaf_count = i == trace->leaf_count ? i + 1 : trace->leaf_count;
    *ret_number = vd_trace_made_up(map, leaf.channel, leaf.y, leaf.x);
    return true;
}

/* --- Layout: an element of the output is one of an input */

static bool follow_same(vd_trace *trace, const Onnx__NodeProto *node, const vd_value *out,
                        const int64_t *index, double *ret_number)
{
    vd_shape in;
    size_t count, wanted;
    int64_t at[VD_ONNX_RANK] = {0};
    if (!vd_rule_shape(trace->graph, node, 0, &in) || !vd_shape_count(&in, VD_ONNX_MAX_ELEMENTS, &count) ||
        !vd_shape_count(&out->shape, VD_ONNX_MAX_ELEMENTS, &wanted) || count != wanted || count == 0)
        return false;
    index_of(&in, offset_in(&out->shape, index), at);
    return follow(trace, vd_onnx_input(trace->graph, node, 0), at, ret_number);
}

static bool follow_transpose(vd_trace *trace, const Onnx__NodeProto *node, const vd_value *out,
                             const int64_t *index, double *ret_number)
{
    int order[VD_ONNX_RANK];
    int64_t at[VD_ONNX_RANK] = {0};
    if (!vd_rule_order(node, out->shape.rank, order))
        return false;
    for (int i = 0; i < out->shape.rank; i++)
        at[order[i]] = index[i];
    return follow(trace, vd_onnx_input(trace->graph, node, 0), at, ret_number);
}

static bool follow_concat(vd_trace *trace, const Onnx__NodeProto *node, const vd_value *out,
                          const int64_t *index, double *ret_number)
{
    int axis;
    int64_t at[VD_ONNX_RANK];
    if (!vd_rule_axis(vd_onnx_attribute_int(node, "axis", 1), out->shape.rank, &axis))
        return false;
    memcpy(at, index, sizeof at);
    for (size_t i = 0; i < node->n_input; i++) {
        vd_shape in;
        if (!vd_rule_shape(trace->graph, node, i, &in) || in.rank != out->shape.rank)
            return false;
        if (at[axis] < in.dims[axis])
            return follow(trace, vd_onnx_input(trace->graph, node, i), at, ret_number);
        at[axis] -= in.dims[axis];
    }
    return false;
}

static bool follow_split(vd_trace *trace, const Onnx__NodeProto *node, const vd_value *out,
                         const int64_t *index, double *ret_number)
{
    int axis;
    int64_t at[VD_ONNX_RANK], sizes[2 * VD_ONNX_RANK];
    int count = vd_rule_split_sizes(trace->graph, node, &axis, sizes);
    memcpy(at, index, sizeof at);
    for (int i = 0; i < count && (size_t)i < node->n_output; i++) {
        if (vd_onnx_output(trace->graph, node, (size_t)i) == out)
            return follow(trace, vd_onnx_input(trace->graph, node, 0), at, ret_number);
        at[axis] += sizes[i];
    }
    return false;
}

static bool follow_slice(vd_trace *trace, const Onnx__NodeProto *node, const vd_value *out,
                         const int64_t *index, double *ret_number)
{
    int64_t start[VD_ONNX_RANK], step[VD_ONNX_RANK], at[VD_ONNX_RANK] = {0};
    vd_shape shape;
    if (!vd_rule_slice_plan(trace->graph, node, start, step, &shape))
        return false;
    for (int i = 0; i < out->shape.rank; i++)
        at[i] = start[i] + index[i] * step[i];
    return follow(trace, vd_onnx_input(trace->graph, node, 0), at, ret_number);
}

/* --- Arithmetic */

static bool follow_two(vd_trace *trace, const Onnx__NodeProto *node, const vd_value *out,
                       const int64_t *index, double ret_numbers[2])
{
    for (size_t i = 0; i < 2; i++) {
        vd_shape in;
        int64_t at[VD_ONNX_RANK] = {0};
        if (!vd_rule_shape(trace->graph, node, i, &in) || in.rank > out->shape.rank)
            return false;
        for (int k = 0; k < in.rank; k++)
            at[k] = in.dims[k] == 1 ? 0 : index[out->shape.rank - in.rank + k];
        if (!follow(trace, vd_onnx_input(trace->graph, node, i), at, &ret_numbers[i]))
            return false;
    }
    return true;
}

static bool follow_arithmetic(vd_trace *trace, const Onnx__NodeProto *node, const vd_value *out,
                              const int64_t *index, double *ret_number)
{
    double n[2];
    if (!follow_two(trace, node, out, index, n))
        return false;
    *ret_number = vd_onnx_is(node, "Add")   ? n[0] + n[1]
                  : vd_onnx_is(node, "Sub") ? n[0] - n[1]
                  : vd_onnx_is(node, "Mul") ? n[0] * n[1]
                  : vd_onnx_is(node, "Div") ? n[0] / n[1]
                                            : pow(n[0], n[1]);
    return true;
}

static bool follow_function(vd_trace *trace, const Onnx__NodeProto *node, const vd_value *out,
                            const int64_t *index, double *ret_number)
{
    double x;
    (void)out;
    if (!follow(trace, vd_onnx_input(trace->graph, node, 0), index, &x))
        return false;
    *ret_number = vd_onnx_is(node, "Sigmoid") ? vd_trace_sigmoid(x)
                  : vd_onnx_is(node, "Exp")   ? exp(x)
                  : vd_onnx_is(node, "Cos")   ? cos(x)
                  : vd_onnx_is(node, "Sin")   ? sin(x)
                                              : -x;
    return true;
}

static bool sum_of_line(vd_trace *trace, const Onnx__NodeProto *node, const vd_value *in, int axis,
                        const int64_t *index)
{
    int64_t at[VD_ONNX_RANK];
    double sum = 0;
    memcpy(at, index, sizeof at);
    at[axis] = 0;
    if (trace->softmax == node && memcmp(at, trace->line, sizeof at) == 0)
        return true;
    for (; at[axis] < in->shape.dims[axis]; at[axis]++) {
        double x;
        if (!follow(trace, in, at, &x))
            return false;
        sum += exp(x);
    }
    at[axis] = 0;
    trace->softmax = node;
    memcpy(trace->line, at, sizeof at);
    trace->sum = sum;
    return true;
}

static bool follow_softmax(vd_trace *trace, const Onnx__NodeProto *node, const vd_value *out,
                           const int64_t *index, double *ret_number)
{
    const vd_value *in = vd_onnx_input(trace->graph, node, 0);
    int axis;
    double x;
    bool spans_rest = trace->graph->opset < 13;
    if (!vd_rule_axis(vd_onnx_attribute_int(node, "axis", spans_rest ? 1 : -1), out->shape.rank, &axis))
        return false;
    for (int i = axis + 1; spans_rest && i < out->shape.rank; i++)
        if (out->shape.dims[i] != 1)
            return false;
    if (!in || !vd_shape_equal(&in->shape, &out->shape) || !sum_of_line(trace, node, in, axis, index) ||
        !follow(trace, in, index, &x))
        return false;
    *ret_number = exp(x) / trace->sum;
    return true;
}

/* A sum of products with constants: along `axis` of the first input. */
static bool follow_sum(vd_trace *trace, const Onnx__NodeProto *node, int axis, const int64_t *index,
                       size_t first, size_t step, double *ret_number)
{
    const vd_value *in = vd_onnx_input(trace->graph, node, 0),
                   *factors = vd_onnx_input(trace->graph, node, 1);
    int64_t at[VD_ONNX_RANK];
    double sum = 0;
    memcpy(at, index, sizeof at);
    for (at[axis] = 0; at[axis] < in->shape.dims[axis]; at[axis]++) {
        double x;
        if (!follow(trace, in, at, &x))
            return false;
        sum += x * vd_onnx_tensor_number(factors->constant, first + (size_t)at[axis] * step);
    }
    *ret_number = sum;
    return true;
}

static bool follow_mean(vd_trace *trace, const Onnx__NodeProto *node, const vd_value *out,
                        const int64_t *index, double *ret_number)
{
    vd_shape in;
    (void)out;
    return is_mean_of_bins(trace, node) && vd_rule_shape(trace->graph, node, 0, &in) && in.rank == 4 &&
           (size_t)in.dims[1] == vd_onnx_tensor_count(vd_onnx_input(trace->graph, node, 1)->constant) &&
           follow_sum(trace, node, 1, index, 0, 1, ret_number);
}

static bool follow_product(vd_trace *trace, const Onnx__NodeProto *node, const vd_value *out,
                           const int64_t *index, double *ret_number)
{
    const vd_value *factors = vd_onnx_input(trace->graph, node, 1);
    vd_shape in;
    int last = out->shape.rank - 1;
    if (!factors || !factors->constant || factors->shape.rank != 2 ||
        !vd_rule_shape(trace->graph, node, 0, &in) || in.rank != out->shape.rank || in.rank < 2 ||
        in.dims[last] != factors->shape.dims[0] || in.dims[last] > MOST_TERMS ||
        index[last] >= factors->shape.dims[1])
        return false;
    return follow_sum(trace, node, last, index, (size_t)index[last], (size_t)factors->shape.dims[1],
                      ret_number);
}

typedef bool follower(vd_trace *trace, const Onnx__NodeProto *node, const vd_value *out, const int64_t *index,
                      double *ret_number);

static follower *follower_of(const Onnx__NodeProto *node)
{
    static const struct {
        const char *op;
        follower *follow;
    } table[] = {
        {"Reshape", follow_same},   {"Flatten", follow_same},    {"Squeeze", follow_same},
        {"Unsqueeze", follow_same}, {"Identity", follow_same},   {"Transpose", follow_transpose},
        {"Concat", follow_concat},  {"Split", follow_split},     {"Slice", follow_slice},
        {"Add", follow_arithmetic}, {"Sub", follow_arithmetic},  {"Mul", follow_arithmetic},
        {"Div", follow_arithmetic}, {"Pow", follow_arithmetic},  {"Sigmoid", follow_function},
        {"Exp", follow_function},   {"Cos", follow_function},    {"Sin", follow_function},
        {"Neg", follow_function},   {"Softmax", follow_softmax}, {"Conv", follow_mean},
        {"MatMul", follow_product},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (vd_onnx_is(node, table[i].op))
            return table[i].follow;
    return NULL;
}

static bool follow(vd_trace *trace, const vd_value *value, const int64_t *index, double *ret_number)
{
    if (!value || value->shape.rank < 0 || ++trace->steps > VD_TRACE_STEPS ||
        ++trace->all_steps > VD_TRACE_ALL_STEPS || trace->depth > VD_TRACE_DEPTH)
        return false;
    for (int i = 0; i < value->shape.rank; i++)
        if (index[i] < 0 || index[i] >= value->shape.dims[i])
            return false;
    if (value->constant) {
        *ret_number = vd_onnx_tensor_number(value->constant, offset_in(&value->shape, index));
        return true;
    }
    if (is_map(trace, value))
        return take_leaf(trace, value, index, ret_number);
    const Onnx__NodeProto *node = maker_of(trace, value);
    follower *way = node ? follower_of(node) : NULL;
    if (!way)
        return false;
    trace->depth++;
    bool whole = way(trace, node, value, index, ret_number);
    trace->depth--;
    return whole;
}

bool vd_trace_element(vd_trace *trace, const vd_value *value, const int64_t index[VD_ONNX_RANK],
                      double *ret_number)
{
    trace->leaf_count = 0;
    trace->steps = 0;
    trace->depth = 0;
    trace->softmax = NULL;
    return follow(trace, value, index, ret_number) && isfinite(*ret_number);
}
