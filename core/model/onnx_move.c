/* Rules of nodes that move values and compute none. */
#include <string.h>

#include "model/onnx_rules.h"

bool vd_rule_axis(int64_t axis, int rank, int *ret_axis)
{
    if (axis < -rank || axis >= rank)
        return false;
    *ret_axis = (int)(axis < 0 ? axis + rank : axis);
    return true;
}

/* Fills one extent of -1 so that the count comes out; false when it cannot. */
static bool fill_wildcard(vd_shape *shape, size_t total)
{
    int wild = -1;
    size_t known = 1;
    for (int i = 0; i < shape->rank; i++) {
        if (shape->dims[i] == -1 && wild < 0)
            wild = i;
        else if (shape->dims[i] < 0 || __builtin_mul_overflow(known, (size_t)shape->dims[i], &known))
            return false;
    }
    if (wild < 0)
        return known == total;
    if (known == 0 || total % known != 0)
        return false;
    shape->dims[wild] = (int64_t)(total / known);
    return true;
}

bool vd_rule_reshape(const vd_onnx_graph *graph, const Onnx__NodeProto *node)
{
    vd_shape in, out = {.rank = 0};
    int64_t wanted[2 * VD_ONNX_RANK];
    size_t total;
    int rank = node->n_input > 1 ? vd_onnx_value_ints(vd_onnx_input(graph, node, 1), wanted)
                                 : vd_onnx_attribute_ints(node, "shape", wanted);
    if (!vd_rule_shape(graph, node, 0, &in) || rank < 0 || rank > VD_ONNX_RANK ||
        !vd_shape_count(&in, VD_ONNX_MAX_ELEMENTS, &total))
        return false;
    bool copy_zero = vd_onnx_attribute_int(node, "allowzero", 0) == 0;
    out.rank = rank;
    for (int i = 0; i < rank; i++) {
        if (wanted[i] == 0 && copy_zero && i >= in.rank)
            return false;
        out.dims[i] = wanted[i] == 0 && copy_zero ? in.dims[i] : wanted[i];
    }
    return fill_wildcard(&out, total) && vd_rule_put_like(graph, node, &out);
}

bool vd_rule_flatten(const vd_onnx_graph *graph, const Onnx__NodeProto *node)
{
    vd_shape in, out = {.rank = 2, .dims = {1, 1}};
    size_t total;
    if (!vd_rule_shape(graph, node, 0, &in) || !vd_shape_count(&in, VD_ONNX_MAX_ELEMENTS, &total))
        return false;
    int64_t axis = vd_onnx_attribute_int(node, "axis", 1);
    if (axis < -in.rank || axis > in.rank)
        return false;
    axis = axis < 0 ? axis + in.rank : axis;
    for (int i = 0; i < in.rank; i++)
        out.dims[i < axis ? 0 : 1] *= in.dims[i];
    return vd_rule_put_like(graph, node, &out);
}

bool vd_rule_order(const Onnx__NodeProto *node, int rank, int ret_order[VD_ONNX_RANK])
{
    int64_t order[2 * VD_ONNX_RANK];
    bool seen[VD_ONNX_RANK] = {false};
    int count = vd_onnx_attribute_ints(node, "perm", order);
    if (count < 0 && !vd_onnx_attribute(node, "perm")) {
        for (int i = 0; i < rank; i++)
            ret_order[i] = rank - 1 - i;
        return true;
    }
    if (count != rank)
        return false;
    for (int i = 0; i < rank; i++) {
        if (!vd_rule_axis(order[i], rank, &ret_order[i]) || seen[ret_order[i]])
            return false;
        seen[ret_order[i]] = true;
    }
    return true;
}

bool vd_rule_transpose(const vd_onnx_graph *graph, const Onnx__NodeProto *node)
{
    vd_shape in, out;
    int order[VD_ONNX_RANK];
    if (!vd_rule_shape(graph, node, 0, &in) || !vd_rule_order(node, in.rank, order))
        return false;
    out = in;
    for (int i = 0; i < in.rank; i++)
        out.dims[i] = in.dims[order[i]];
    return vd_rule_put_like(graph, node, &out);
}

/* Integers that are an input since a certain version of the format and were an attribute before. */
static int setting_ints(const vd_onnx_graph *graph, const Onnx__NodeProto *node, size_t input,
                        const char *name, int64_t ret_ints[2 * VD_ONNX_RANK])
{
    if (vd_onnx_attribute(node, name))
        return vd_onnx_attribute_ints(node, name, ret_ints);
    return vd_onnx_value_ints(vd_onnx_input(graph, node, input), ret_ints);
}

static int64_t clamp(int64_t value, int64_t least, int64_t most)
{
    return value < least ? least : value > most ? most : value;
}

/* One axis of a slice; the format's rules for bounds that count from the end or lie outside. */
static void slice_axis(int64_t extent, int64_t from, int64_t to, int64_t step, int64_t *ret_start,
                       int64_t *ret_extent)
{
    from = from < 0 ? clamp(from, -extent, 0) + extent : from;
    if (from < 0)
        from = 0;
    bool wrapped = to < 0 && to >= -extent;
    to = wrapped ? to + extent : to;
    if (step > 0) {
        from = clamp(from, 0, extent);
        to = clamp(to, 0, extent);
        *ret_extent = to > from ? (to - from - 1) / step + 1 : 0;
    } else {
        from = clamp(from, 0, extent - 1);
        to = clamp(to, -1, extent - 1);
        *ret_extent = extent > 0 && from > to ? (from - to - 1) / -step + 1 : 0;
    }
    *ret_start = from;
}

bool vd_rule_slice_plan(const vd_onnx_graph *graph, const Onnx__NodeProto *node, int64_t start[VD_ONNX_RANK],
                        int64_t step[VD_ONNX_RANK], vd_shape *ret_shape)
{
    vd_shape shape;
    int64_t from[2 * VD_ONNX_RANK], to[2 * VD_ONNX_RANK], axes[2 * VD_ONNX_RANK], steps[2 * VD_ONNX_RANK];
    int count = setting_ints(graph, node, 1, "starts", from);
    int axis_count = setting_ints(graph, node, 3, "axes", axes);
    int step_count = setting_ints(graph, node, 4, "steps", steps);
    bool has_axes = vd_onnx_attribute(node, "axes") || vd_onnx_input(graph, node, 3);
    bool has_steps = vd_onnx_attribute(node, "steps") || vd_onnx_input(graph, node, 4);
    if (!vd_rule_shape(graph, node, 0, &shape) || count < 0 || count > shape.rank ||
        setting_ints(graph, node, 2, "ends", to) != count || (has_axes && axis_count != count) ||
        (has_steps && step_count != count))
        return false;
    for (int i = 0; i < shape.rank; i++) {
        start[i] = 0;
        step[i] = 1;
    }
    unsigned seen = 0;
    for (int i = 0; i < count; i++) {
        int axis = i;
        int64_t by = has_steps ? steps[i] : 1;
        if ((has_axes && !vd_rule_axis(axes[i], shape.rank, &axis)) || by == 0 || by < -INT32_MAX ||
            (seen & (1u << axis)))
            return false;
        seen |= 1u << axis;
        step[axis] = by;
        slice_axis(shape.dims[axis], from[i], to[i], by, &start[axis], &shape.dims[axis]);
    }
    *ret_shape = shape;
    return true;
}

bool vd_rule_slice(const vd_onnx_graph *graph, const Onnx__NodeProto *node)
{
    int64_t start[VD_ONNX_RANK], step[VD_ONNX_RANK];
    vd_shape out;
    return vd_rule_slice_plan(graph, node, start, step, &out) && vd_rule_put_like(graph, node, &out);
}

bool vd_rule_gather(const vd_onnx_graph *graph, const Onnx__NodeProto *node)
{
    vd_shape data, indices, out = {.rank = 0};
    int axis;
    if (!vd_rule_shape(graph, node, 0, &data) || !vd_rule_shape(graph, node, 1, &indices) ||
        !vd_rule_axis(vd_onnx_attribute_int(node, "axis", 0), data.rank, &axis) ||
        data.rank - 1 + indices.rank > VD_ONNX_RANK)
        return false;
    for (int i = 0; i < axis; i++)
        out.dims[out.rank++] = data.dims[i];
    for (int i = 0; i < indices.rank; i++)
        out.dims[out.rank++] = indices.dims[i];
    for (int i = axis + 1; i < data.rank; i++)
        out.dims[out.rank++] = data.dims[i];
    return vd_rule_put_like(graph, node, &out);
}

int vd_rule_axes(const vd_onnx_graph *graph, const Onnx__NodeProto *node, int64_t ret_axes[2 * VD_ONNX_RANK])
{
    return setting_ints(graph, node, 1, "axes", ret_axes);
}

bool vd_rule_squeeze(const vd_onnx_graph *graph, const Onnx__NodeProto *node)
{
    vd_shape in, out = {.rank = 0};
    int64_t axes[2 * VD_ONNX_RANK];
    bool listed = vd_onnx_attribute(node, "axes") || node->n_input > 1, drop[VD_ONNX_RANK] = {false};
    int count = vd_rule_axes(graph, node, axes);
    if (!vd_rule_shape(graph, node, 0, &in) || (listed && count < 0))
        return false;
    for (int i = 0; i < in.rank; i++)
        drop[i] = !listed && in.dims[i] == 1;
    for (int i = 0; listed && i < count; i++) {
        int axis;
        if (!vd_rule_axis(axes[i], in.rank, &axis) || in.dims[axis] != 1)
            return false;
        drop[axis] = true;
    }
    for (int i = 0; i < in.rank; i++)
        if (!drop[i])
            out.dims[out.rank++] = in.dims[i];
    return vd_rule_put_like(graph, node, &out);
}

bool vd_rule_unsqueeze(const vd_onnx_graph *graph, const Onnx__NodeProto *node)
{
    vd_shape in, out = {.rank = 0};
    int64_t axes[2 * VD_ONNX_RANK];
    bool fresh[VD_ONNX_RANK] = {false};
    int count = vd_rule_axes(graph, node, axes), from = 0;
    if (!vd_rule_shape(graph, node, 0, &in) || count < 0 || in.rank + count > VD_ONNX_RANK)
        return false;
    out.rank = in.rank + count;
    for (int i = 0; i < count; i++) {
        int axis;
        if (!vd_rule_axis(axes[i], out.rank, &axis) || fresh[axis])
            return false;
        fresh[axis] = true;
    }
    for (int i = 0; i < out.rank; i++)
        out.dims[i] = fresh[i] ? 1 : in.dims[from++];
    return vd_rule_put_like(graph, node, &out);
}

/* Sizes that are not written down: equal parts, the last one smaller where the extent does not divide. */
static int equal_parts(const Onnx__NodeProto *node, int64_t extent, int64_t ret_sizes[2 * VD_ONNX_RANK])
{
    int64_t parts = (int64_t)node->n_output, each = (extent + parts - 1) / parts;
    if (parts > 2 * VD_ONNX_RANK || each * (parts - 1) > extent)
        return -1;
    for (int i = 0; i < parts; i++)
        ret_sizes[i] = i < parts - 1 ? each : extent - each * (parts - 1);
    return (int)parts;
}

int vd_rule_split_sizes(const vd_onnx_graph *graph, const Onnx__NodeProto *node, int *ret_axis,
                        int64_t ret_sizes[2 * VD_ONNX_RANK])
{
    vd_shape in;
    int axis, count;
    if (!vd_rule_shape(graph, node, 0, &in) ||
        !vd_rule_axis(vd_onnx_attribute_int(node, "axis", 0), in.rank, &axis))
        return -1;
    if (vd_onnx_attribute(node, "split") || vd_onnx_input(graph, node, 1))
        count = setting_ints(graph, node, 1, "split", ret_sizes);
    else
        count = equal_parts(node, in.dims[axis], ret_sizes);
    if (count != (int)node->n_output)
        return -1;
    int64_t left = in.dims[axis];
    for (int i = 0; i < count; i++) {
        if (ret_sizes[i] < 0 || ret_sizes[i] > left)
            return -1;
        left -= ret_sizes[i];
    }
    *ret_axis = axis;
    return left == 0 ? count : -1;
}

bool vd_rule_split(const vd_onnx_graph *graph, const Onnx__NodeProto *node)
{
    int64_t sizes[2 * VD_ONNX_RANK];
    int axis = 0, count = vd_rule_split_sizes(graph, node, &axis, sizes);
    const vd_value *in = vd_onnx_input(graph, node, 0);
    for (int i = 0; i < count; i++) {
        vd_shape out = in->shape;
        out.dims[axis] = sizes[i];
        if (!vd_rule_put(graph, node, (size_t)i, &out, in->type))
            return false;
    }
    return count > 0;
}

bool vd_rule_concat(const vd_onnx_graph *graph, const Onnx__NodeProto *node)
{
    vd_shape out, next;
    int axis;
    if (!vd_rule_shape(graph, node, 0, &out) ||
        !vd_rule_axis(vd_onnx_attribute_int(node, "axis", 1), out.rank, &axis))
        return false;
    for (size_t i = 1; i < node->n_input; i++) {
        if (!vd_rule_shape(graph, node, i, &next) || next.rank != out.rank)
            return false;
        int64_t together;
        if (__builtin_add_overflow(out.dims[axis], next.dims[axis], &together))
            return false;
        next.dims[axis] = out.dims[axis];
        if (!vd_shape_equal(&next, &out))
            return false;
        out.dims[axis] = together;
    }
    return vd_rule_put_like(graph, node, &out);
}

bool vd_rule_expand(const vd_onnx_graph *graph, const Onnx__NodeProto *node)
{
    vd_shape in, target, out;
    int64_t wanted[2 * VD_ONNX_RANK];
    int rank = vd_onnx_value_ints(vd_onnx_input(graph, node, 1), wanted);
    if (!vd_rule_shape(graph, node, 0, &in) || rank < 0 || rank > VD_ONNX_RANK)
        return false;
    target.rank = rank;
    memcpy(target.dims, wanted, (size_t)rank * sizeof *wanted);
    return vd_shape_broadcast(&in, &target, &out) && vd_rule_put_like(graph, node, &out);
}
