/* Rules of nodes that slide a window over a picture, and of those that change its size. */
#include <math.h>
#include <string.h>

#include "model/onnx_rules.h"

enum { MAX_AXES = 3, MAX_SETTING = 1 << 20 };

/* The settings of a window along each of its axes. */
typedef struct window {
    int axes;
    int64_t kernel[MAX_AXES], stride[MAX_AXES], dilation[MAX_AXES], before[MAX_AXES], after[MAX_AXES];
    int64_t extra[MAX_AXES]; /* output_padding */
} window;

/* Reads a list with one value an axis; a list that is not there leaves `otherwise`. */
static bool read_list(const Onnx__NodeProto *node, const char *name, int axes, int64_t least,
                      int64_t otherwise, int64_t *out)
{
    int64_t ints[2 * VD_ONNX_RANK];
    int count = vd_onnx_attribute_ints(node, name, ints);
    if (!vd_onnx_attribute(node, name)) {
        for (int i = 0; i < axes; i++)
            out[i] = otherwise;
        return true;
    }
    if (count != axes)
        return false;
    for (int i = 0; i < axes; i++) {
        if (ints[i] < least || ints[i] > MAX_SETTING)
            return false;
        out[i] = ints[i];
    }
    return true;
}

static bool text_is(const Onnx__AttributeProto *attribute, const char *text)
{
    return attribute->s.len == strlen(text) && memcmp(attribute->s.data, text, attribute->s.len) == 0;
}

/* Padding as written, or the padding that keeps the size, as auto_pad asks for. */
static bool read_padding(const Onnx__NodeProto *node, const vd_shape *in, window *w)
{
    const Onnx__AttributeProto *automatic = vd_onnx_attribute(node, "auto_pad");
    int64_t pads[2 * MAX_AXES] = {0};
    if (!automatic || text_is(automatic, "NOTSET")) {
        if (!read_list(node, "pads", 2 * w->axes, 0, 0, pads))
            return false;
    } else if (text_is(automatic, "SAME_UPPER") || text_is(automatic, "SAME_LOWER")) {
        for (int i = 0; i < w->axes; i++) {
            int64_t out = (in->dims[i + 2] + w->stride[i] - 1) / w->stride[i];
            int64_t need =
                (out - 1) * w->stride[i] + (w->kernel[i] - 1) * w->dilation[i] + 1 - in->dims[i + 2];
            need = need > 0 ? need : 0;
            bool upper = text_is(automatic, "SAME_UPPER");
            pads[i] = upper ? need / 2 : need - need / 2;
            pads[i + w->axes] = need - pads[i];
        }
    } else if (!text_is(automatic, "VALID")) {
        return false;
    }
    for (int i = 0; i < w->axes; i++) {
        w->before[i] = pads[i];
        w->after[i] = pads[i + w->axes];
    }
    return true;
}

/* kernel  the weights' extents, or NULL: the kernel_shape setting says */
static bool read_window(const Onnx__NodeProto *node, const vd_shape *in, const int64_t *kernel, window *w)
{
    if (in->rank < 3 || in->rank > 2 + MAX_AXES)
        return false;
    for (int i = 0; i < in->rank; i++)
        if (in->dims[i] < 1 || in->dims[i] > MAX_SETTING)
            return false;
    *w = (window){.axes = in->rank - 2};
    if (!kernel && !vd_onnx_attribute(node, "kernel_shape"))
        return false;
    if (!read_list(node, "kernel_shape", w->axes, 1, 0, w->kernel))
        return false;
    for (int i = 0; kernel && i < w->axes; i++) {
        if (kernel[i] < 1 || kernel[i] > MAX_SETTING || (w->kernel[i] != 0 && w->kernel[i] != kernel[i]))
            return false;
        w->kernel[i] = kernel[i];
    }
    return read_list(node, "strides", w->axes, 1, 1, w->stride) &&
           read_list(node, "dilations", w->axes, 1, 1, w->dilation) &&
           read_list(node, "output_padding", w->axes, 0, 0, w->extra) && read_padding(node, in, w);
}

/* How many places a window takes along axis i; below 1 when it does not fit at all. */
static int64_t places(const window *w, int i, int64_t extent, bool round_up)
{
    int64_t reach = (w->kernel[i] - 1) * w->dilation[i] + 1;
    int64_t span = extent + w->before[i] + w->after[i] - reach;
    if (span < 0)
        return 0;
    int64_t count = (span + (round_up ? w->stride[i] - 1 : 0)) / w->stride[i] + 1;
    if (round_up && (count - 1) * w->stride[i] >= extent + w->before[i])
        count--; /* a window that would begin in the padding behind is not counted */
    return count;
}

bool vd_rule_conv(const vd_onnx_graph *graph, const Onnx__NodeProto *node)
{
    vd_shape in, weights;
    window w;
    int64_t group = vd_onnx_attribute_int(node, "group", 1);
    if (!vd_rule_shape(graph, node, 0, &in) || !vd_rule_shape(graph, node, 1, &weights) ||
        weights.rank != in.rank || in.rank < 3 || !read_window(node, &in, weights.dims + 2, &w) ||
        group < 1 || in.dims[1] % group != 0 || weights.dims[1] != in.dims[1] / group ||
        weights.dims[0] % group != 0)
        return false;
    in.dims[1] = weights.dims[0];
    for (int i = 0; i < w.axes; i++) {
        in.dims[i + 2] = places(&w, i, in.dims[i + 2], false);
        if (in.dims[i + 2] < 1)
            return false;
    }
    return vd_rule_put_like(graph, node, &in);
}

bool vd_rule_same_padding(const vd_onnx_graph *graph, const Onnx__NodeProto *node, int *ret_axes,
                          int64_t ret_pads[2 * VD_ONNX_RANK])
{
    vd_shape in, weights;
    window w;
    const Onnx__AttributeProto *automatic = vd_onnx_attribute(node, "auto_pad");
    bool conv = vd_onnx_is(node, "Conv");
    if (!automatic || (!text_is(automatic, "SAME_UPPER") && !text_is(automatic, "SAME_LOWER")) ||
        (!conv && !vd_onnx_is(node, "MaxPool") && !vd_onnx_is(node, "AveragePool")) ||
        !vd_rule_shape(graph, node, 0, &in) ||
        (conv && (!vd_rule_shape(graph, node, 1, &weights) || weights.rank != in.rank)) ||
        !read_window(node, &in, conv ? weights.dims + 2 : NULL, &w))
        return false;
    for (int i = 0; i < w.axes; i++) {
        ret_pads[i] = w.before[i];
        ret_pads[i + w.axes] = w.after[i];
    }
    *ret_axes = w.axes;
    return true;
}

bool vd_rule_conv_transpose(const vd_onnx_graph *graph, const Onnx__NodeProto *node)
{
    vd_shape in, weights;
    window w;
    int64_t group = vd_onnx_attribute_int(node, "group", 1);
    const Onnx__AttributeProto *automatic = vd_onnx_attribute(node, "auto_pad");
    if (!vd_rule_shape(graph, node, 0, &in) || !vd_rule_shape(graph, node, 1, &weights) ||
        weights.rank != in.rank || in.rank < 3 || vd_onnx_attribute(node, "output_shape") ||
        (automatic && !text_is(automatic, "NOTSET")) || !read_window(node, &in, weights.dims + 2, &w) ||
        group < 1 || weights.dims[0] != in.dims[1] || in.dims[1] % group != 0 ||
        weights.dims[1] > MAX_SETTING)
        return false;
    in.dims[1] = weights.dims[1] * group;
    for (int i = 0; i < w.axes; i++) {
        in.dims[i + 2] = (in.dims[i + 2] - 1) * w.stride[i] + (w.kernel[i] - 1) * w.dilation[i] + 1 +
                         w.extra[i] - w.before[i] - w.after[i];
        if (in.dims[i + 2] < 1)
            return false;
    }
    return vd_rule_put_like(graph, node, &in);
}

bool vd_rule_pool(const vd_onnx_graph *graph, const Onnx__NodeProto *node)
{
    vd_shape in;
    window w;
    bool round_up = vd_onnx_attribute_int(node, "ceil_mode", 0) != 0;
    if (node->n_output != 1 || !vd_rule_shape(graph, node, 0, &in) || !read_window(node, &in, NULL, &w))
        return false;
    for (int i = 0; i < w.axes; i++) {
        in.dims[i + 2] = places(&w, i, in.dims[i + 2], round_up);
        if (in.dims[i + 2] < 1 || w.dilation[i] != 1) /* OpenCV 4.6 does not spread a pooling window */
            return false;
    }
    return vd_rule_put_like(graph, node, &in);
}

bool vd_rule_global_pool(const vd_onnx_graph *graph, const Onnx__NodeProto *node)
{
    vd_shape in;
    if (!vd_rule_shape(graph, node, 0, &in) || in.rank < 3)
        return false;
    for (int i = 2; i < in.rank; i++)
        in.dims[i] = 1;
    return vd_rule_put_like(graph, node, &in);
}

/* Resize and Upsample: sizes, or factors that are cut down to whole pixels. */
bool vd_rule_resize(const vd_onnx_graph *graph, const Onnx__NodeProto *node)
{
    vd_shape in;
    int64_t sizes[2 * VD_ONNX_RANK];
    bool old_form = node->n_input == 2;
    const vd_value *factors = vd_onnx_input(graph, node, old_form ? 1 : 2);
    const Onnx__AttributeProto *policy = vd_onnx_attribute(node, "keep_aspect_ratio_policy");
    if (!vd_rule_shape(graph, node, 0, &in) || vd_onnx_attribute(node, "axes") ||
        (policy && !text_is(policy, "stretch")) || vd_onnx_attribute_int(node, "antialias", 0) != 0)
        return false;
    if (vd_onnx_input(graph, node, 3)) {
        if (vd_onnx_value_ints(vd_onnx_input(graph, node, 3), sizes) != in.rank)
            return false;
    } else {
        if (!factors || !factors->constant || !vd_onnx_type_is_real(factors->type) ||
            vd_onnx_tensor_count(factors->constant) != (size_t)in.rank)
            return false;
        for (int i = 0; i < in.rank; i++) {
            double size = floor((double)in.dims[i] * vd_onnx_tensor_number(factors->constant, (size_t)i));
            if (!(size >= 1 && size <= MAX_SETTING))
                return false;
            sizes[i] = (int64_t)size;
        }
    }
    for (int i = 0; i < in.rank; i++) {
        if (sizes[i] < 1 || sizes[i] > MAX_SETTING)
            return false;
        in.dims[i] = sizes[i];
    }
    return vd_rule_put_like(graph, node, &in);
}

bool vd_rule_pad(const vd_onnx_graph *graph, const Onnx__NodeProto *node)
{
    vd_shape in;
    int64_t pads[2 * VD_ONNX_RANK];
    int count = vd_onnx_attribute(node, "pads") ? vd_onnx_attribute_ints(node, "pads", pads)
                                                : vd_onnx_value_ints(vd_onnx_input(graph, node, 1), pads);
    if (!vd_rule_shape(graph, node, 0, &in) || count != 2 * in.rank || vd_onnx_input(graph, node, 3))
        return false;
    for (int i = 0; i < in.rank; i++) {
        if (pads[i] < 0 || pads[i] > MAX_SETTING || pads[i + in.rank] < 0 || pads[i + in.rank] > MAX_SETTING)
            return false;
        in.dims[i] += pads[i] + pads[i + in.rank];
    }
    return vd_rule_put_like(graph, node, &in);
}
