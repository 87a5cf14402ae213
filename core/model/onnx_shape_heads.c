/* Rules of nodes that stand in detectors' last parts only: comparisons, choices, sums and sorting. They are
 * there to be understood and cut away; none of them is run. */
#include <string.h>

#include "model/onnx_rules.h"

static bool of_type(const vd_onnx_graph *graph, const Onnx__NodeProto *node, int type)
{
    vd_shape out;
    if (node->n_input < 1 || !vd_rule_shape(graph, node, 0, &out))
        return false;
    for (size_t i = 1; i < node->n_input; i++) {
        vd_shape next;
        if (!vd_rule_shape(graph, node, i, &next) || !vd_shape_broadcast(&out, &next, &out))
            return false;
    }
    return vd_rule_put(graph, node, 0, &out, type);
}

bool vd_rule_compare(const vd_onnx_graph *graph, const Onnx__NodeProto *node)
{
    return of_type(graph, node, VD_ONNX_BOOL);
}

bool vd_rule_spread(const vd_onnx_graph *graph, const Onnx__NodeProto *node)
{
    const vd_value *in = vd_onnx_input(graph, node, vd_onnx_is(node, "Where") ? 1 : 0);
    return in && of_type(graph, node, in->type);
}

/* Axes from the setting or, since version 13 or 18 of the format, from an input; without any, all of them. */
bool vd_rule_reduce(const vd_onnx_graph *graph, const Onnx__NodeProto *node)
{
    vd_shape in, out = {.rank = 0};
    int64_t axes[2 * VD_ONNX_RANK];
    bool gone[VD_ONNX_RANK] = {false}, listed = vd_onnx_attribute(node, "axes") || node->n_input > 1;
    int count = listed ? vd_rule_axes(graph, node, axes) : 0;
    if (!vd_rule_shape(graph, node, 0, &in) || count < 0)
        return false;
    bool keeps = vd_onnx_attribute_int(node, "keepdims", 1) != 0;
    bool none = listed && count == 0 && vd_onnx_attribute_int(node, "noop_with_empty_axes", 0) != 0;
    for (int i = 0; i < in.rank; i++)
        gone[i] = count == 0 && !none;
    for (int i = 0; i < count; i++) {
        int axis;
        if (!vd_rule_axis(axes[i], in.rank, &axis))
            return false;
        gone[axis] = true;
    }
    for (int i = 0; i < in.rank; i++)
        if (!gone[i] || keeps)
            out.dims[out.rank++] = gone[i] ? 1 : in.dims[i];
    return vd_rule_put_like(graph, node, &out);
}

bool vd_rule_arg(const vd_onnx_graph *graph, const Onnx__NodeProto *node)
{
    vd_shape in, out = {.rank = 0};
    int axis;
    if (!vd_rule_shape(graph, node, 0, &in) ||
        !vd_rule_axis(vd_onnx_attribute_int(node, "axis", 0), in.rank, &axis))
        return false;
    bool keeps = vd_onnx_attribute_int(node, "keepdims", 1) != 0;
    for (int i = 0; i < in.rank; i++)
        if (i != axis || keeps)
            out.dims[out.rank++] = i == axis ? 1 : in.dims[i];
    return vd_rule_put(graph, node, 0, &out, VD_ONNX_INT64);
}

bool vd_rule_top_k(const vd_onnx_graph *graph, const Onnx__NodeProto *node)
{
    vd_shape out;
    int64_t wanted[2 * VD_ONNX_RANK];
    int axis, count = node->n_input > 1 ? vd_onnx_value_ints(vd_onnx_input(graph, node, 1), wanted) : 1;
    if (node->n_input < 2)
        wanted[0] = vd_onnx_attribute_int(node, "k", -1);
    if (!vd_rule_shape(graph, node, 0, &out) || count != 1 ||
        !vd_rule_axis(vd_onnx_attribute_int(node, "axis", -1), out.rank, &axis) || wanted[0] < 0 ||
        wanted[0] > out.dims[axis])
        return false;
    out.dims[axis] = wanted[0];
    return vd_rule_put_like(graph, node, &out) && vd_rule_put(graph, node, 1, &out, VD_ONNX_INT64);
}

bool vd_rule_gather_elements(const vd_onnx_graph *graph, const Onnx__NodeProto *node)
{
    vd_shape data, out;
    return vd_rule_shape(graph, node, 0, &data) && vd_rule_shape(graph, node, 1, &out) &&
           data.rank == out.rank && vd_rule_put_like(graph, node, &out);
}

bool vd_rule_gather_nd(const vd_onnx_graph *graph, const Onnx__NodeProto *node)
{
    vd_shape data, indices, out = {.rank = 0};
    int64_t batch = vd_onnx_attribute_int(node, "batch_dims", 0);
    if (!vd_rule_shape(graph, node, 0, &data) || !vd_rule_shape(graph, node, 1, &indices) ||
        indices.rank < 1 || batch < 0 || batch >= indices.rank)
        return false;
    int64_t depth = indices.dims[indices.rank - 1], from = batch + depth;
    if (depth < 1 || from > data.rank || indices.rank - 1 + data.rank - from > VD_ONNX_RANK)
        return false;
    for (int i = 0; i < indices.rank - 1; i++)
        out.dims[out.rank++] = indices.dims[i];
    for (int64_t i = from; i < data.rank; i++)
        out.dims[out.rank++] = data.dims[i];
    return vd_rule_put_like(graph, node, &out);
}

bool vd_rule_tile(const vd_onnx_graph *graph, const Onnx__NodeProto *node)
{
    vd_shape out;
    int64_t repeats[2 * VD_ONNX_RANK];
    if (!vd_rule_shape(graph, node, 0, &out) ||
        vd_onnx_value_ints(vd_onnx_input(graph, node, 1), repeats) != out.rank)
        return false;
    for (int i = 0; i < out.rank; i++)
        if (repeats[i] < 0 || __builtin_mul_overflow(out.dims[i], repeats[i], &out.dims[i]))
            return false;
    return vd_rule_put_like(graph, node, &out);
}

bool vd_rule_size(const vd_onnx_graph *graph, const Onnx__NodeProto *node)
{
    vd_shape in, out = {.rank = 0};
    return vd_rule_shape(graph, node, 0, &in) && vd_rule_put(graph, node, 0, &out, VD_ONNX_INT64);
}

bool vd_rule_gemm(const vd_onnx_graph *graph, const Onnx__NodeProto *node)
{
    vd_shape a, b, out = {.rank = 2};
    if (!vd_rule_shape(graph, node, 0, &a) || !vd_rule_shape(graph, node, 1, &b) || a.rank != 2 ||
        b.rank != 2)
        return false;
    bool turn_a = vd_onnx_attribute_int(node, "transA", 0) != 0;
    bool turn_b = vd_onnx_attribute_int(node, "transB", 0) != 0;
    if (a.dims[turn_a ? 0 : 1] != b.dims[turn_b ? 1 : 0])
        return false;
    out.dims[0] = a.dims[turn_a ? 1 : 0];
    out.dims[1] = b.dims[turn_b ? 0 : 1];
    return vd_rule_put_like(graph, node, &out);
}

/* DepthToSpace and SpaceToDepth. */
bool vd_rule_blocks(const vd_onnx_graph *graph, const Onnx__NodeProto *node)
{
    vd_shape out;
    int64_t block = vd_onnx_attribute_int(node, "blocksize", 0);
    if (!vd_rule_shape(graph, node, 0, &out) || out.rank != 4 || block < 1 || block > 64)
        return false;
    bool spreads = vd_onnx_is(node, "DepthToSpace");
    if (spreads ? out.dims[1] % (block * block) != 0 : out.dims[2] % block != 0 || out.dims[3] % block != 0)
        return false;
    out.dims[1] = spreads ? out.dims[1] / (block * block) : out.dims[1] * block * block;
    for (int i = 2; i < 4; i++)
        out.dims[i] = spreads ? out.dims[i] * block : out.dims[i] / block;
    return vd_rule_put_like(graph, node, &out);
}
