/* Nodes that slide a window over a picture, or change its size, as steps of a plan. Settings are read as they
 * stand; whether they give the shape that the rules inferred is vd_plan_step_fault's to say. */
#include <string.h>

#include "model/onnx_plan_steps.h"
#include "model/onnx_rules.h"

enum { MAX_SETTING = 1 << 15 };

/* Two (or four) numbers of a list setting into ints; `otherwise` where it is missing. */
static bool read_list(const Onnx__NodeProto *node, const char *name, int count, int otherwise, int *ints)
{
    int64_t list[2 * VD_ONNX_RANK];
    int found = vd_onnx_attribute_ints(node, name, list);
    if (vd_onnx_attribute(node, name) && found != count)
        return false;
    for (int i = 0; i < count; i++) {
        if (found == count && (list[i] < 0 || list[i] > MAX_SETTING))
            return false;
        ints[i] = found == count ? (int)list[i] : otherwise;
    }
    return true;
}

static bool text_is(const Onnx__AttributeProto *attribute, const char *text)
{
    return attribute->s.len == strlen(text) && memcmp(attribute->s.data, text, attribute->s.len) == 0;
}

/* A text setting is missing or one of two. */
static bool text_among(const Onnx__NodeProto *node, const char *name, const char *one, const char *other)
{
    const Onnx__AttributeProto *attribute = vd_onnx_attribute(node, name);
    return !attribute || text_is(attribute, one) || text_is(attribute, other);
}

/* Pads top, left, bottom, right. With SAME they follow from what goes in and comes out.
 * reach  the extents that a window covers */
static bool read_pads(const Onnx__NodeProto *node, const vd_shape *in, const vd_shape *out,
                      const int64_t reach[2], const int stride[2], int *pads)
{
    const Onnx__AttributeProto *automatic = vd_onnx_attribute(node, "auto_pad");
    if (!automatic || text_is(automatic, "NOTSET"))
        return read_list(node, "pads", 4, 0, pads);
    bool upper = text_is(automatic, "SAME_UPPER"), lower = text_is(automatic, "SAME_LOWER");
    for (int i = 0; i < 2; i++) {
        int64_t need = (out->dims[2 + i] - 1) * stride[i] + reach[i] - in->dims[2 + i];
        need = need < 0 || !(upper || lower) ? 0 : need;
        if (need > MAX_SETTING)
            return false;
        pads[i] = (int)(upper ? need / 2 : need - need / 2);
        pads[2 + i] = (int)need - pads[i];
    }
    return upper || lower || text_is(automatic, "VALID");
}

bool vd_plan_put_conv(vd_planner *p, const Onnx__NodeProto *node)
{
    const vd_value *x = vd_onnx_input(p->graph, node, 0), *y = vd_onnx_output(p->graph, node, 0);
    vd_value *weights = vd_onnx_input(p->graph, node, 1), *bias = vd_onnx_input(p->graph, node, 2);
    bool turned = vd_onnx_is(node, "ConvTranspose");
    int64_t group = vd_onnx_attribute_int(node, "group", 1), reach[2];
    vd_plan_step step = vd_plan_unary(p, node, turned ? VD_PLAN_DECONV : VD_PLAN_CONV);
    int *ints = step.ints;
    if (!x || !y || !weights || x->shape.rank != 4 || weights->shape.rank != 4 || group < 1 ||
        group > MAX_SETTING || (turned && vd_onnx_attribute(node, "output_shape")) ||
        !read_list(node, "strides", 2, 1, ints) || !read_list(node, "dilations", 2, 1, ints + 6))
        return false;
    for (int i = 0; i < 2; i++)
        reach[i] = (weights->shape.dims[2 + i] - 1) * ints[6 + i] + 1;
    if (!read_pads(node, &x->shape, &y->shape, reach, ints, ints + 2) ||
        (turned && !read_list(node, "output_padding", 2, 0, ints + 9)))
        return false;
    ints[8] = (int)group;
    step.in[step.in_count++] = vd_planner_value(p, weights);
    if (bias)
        step.in[step.in_count++] = vd_planner_value(p, bias);
    return vd_planner_add(p, &step);
}

/* A window more than fits, as rounding up asks for, is written as padding behind; false where that would
 * count in an average. */
static bool widen_pads(const vd_shape *in, const vd_shape *out, int *ints, bool counts)
{
    for (int i = 0; i < 2; i++) {
        int64_t need = (out->dims[2 + i] - 1) * ints[2 + i] + ints[i] - in->dims[2 + i] - ints[4 + i];
        if (need <= ints[6 + i])
            continue;
        if (counts || need > MAX_SETTING)
            return false;
        ints[6 + i] = (int)need;
    }
    return true;
}

bool vd_plan_put_pool(vd_planner *p, const Onnx__NodeProto *node)
{
    const vd_value *x = vd_onnx_input(p->graph, node, 0), *y = vd_onnx_output(p->graph, node, 0);
    bool average = vd_onnx_is(node, "AveragePool");
    bool counts = average && vd_onnx_attribute_int(node, "count_include_pad", 0) != 0;
    int dilation[2];
    vd_plan_step step = vd_plan_unary(p, node, average ? VD_PLAN_AVG_POOL : VD_PLAN_MAX_POOL);
    int *ints = step.ints;
    if (!x || !y || node->n_output != 1 || x->shape.rank != 4 || !vd_onnx_attribute(node, "kernel_shape") ||
        !read_list(node, "kernel_shape", 2, 1, ints) || !read_list(node, "strides", 2, 1, ints + 2) ||
        !read_list(node, "dilations", 2, 1, dilation) || dilation[0] != 1 || dilation[1] != 1)
        return false;
    const int64_t reach[2] = {ints[0], ints[1]};
    if (!read_pads(node, &x->shape, &y->shape, reach, ints + 2, ints + 4) ||
        !widen_pads(&x->shape, &y->shape, ints, counts))
        return false;
    ints[8] = average && counts;
    return vd_planner_add(p, &step);
}

bool vd_plan_put_global(vd_planner *p, const Onnx__NodeProto *node)
{
    vd_plan_step step = vd_plan_unary(p, node, VD_PLAN_GLOBAL_AVG);
    return vd_planner_add(p, &step);
}

bool vd_plan_put_pad(vd_planner *p, const Onnx__NodeProto *node)
{
    int64_t pads[2 * VD_ONNX_RANK];
    bool listed = vd_onnx_attribute(node, "pads") != NULL;
    const vd_value *fill = vd_onnx_input(p->graph, node, 2);
    int count = listed ? vd_onnx_attribute_ints(node, "pads", pads)
                       : vd_onnx_value_ints(vd_onnx_input(p->graph, node, 1), pads);
    vd_plan_step step = vd_plan_unary(p, node, VD_PLAN_PAD);
    if (count != 8 || vd_onnx_input(p->graph, node, 3) || !text_among(node, "mode", "constant", "constant") ||
        pads[0] || pads[1] || pads[4] || pads[5] ||
        (fill && (!fill->constant || vd_onnx_tensor_count(fill->constant) != 1)))
        return false;
    for (int i = 0; i < 2; i++) {
        if (pads[2 + i] < 0 || pads[2 + i] > MAX_SETTING || pads[6 + i] < 0 || pads[6 + i] > MAX_SETTING)
            return false;
        step.ints[i] = (int)pads[2 + i];
        step.ints[2 + i] = (int)pads[6 + i];
    }
    step.floats[0] =
        fill ? (float)vd_onnx_tensor_number(fill->constant, 0) : vd_plan_setting(node, "value", 0);
    return vd_planner_add(p, &step);
}

/* Whether each value is simply repeated. With a whole factor f, output i stands for place (i + 0.5) / f - 0.5
 * (pixels by their centres), which is never further than 0.5 from i / f rounded down, or for place i / f
 * (asymmetric), which must be rounded down; by 2 the nearest with ties downwards is that as well. */
static bool repeats(const vd_planner *p, const Onnx__NodeProto *node, const int factor[2])
{
    const Onnx__AttributeProto *mode = vd_onnx_attribute(node, "mode");
    const Onnx__AttributeProto *places = vd_onnx_attribute(node, "coordinate_transformation_mode");
    const Onnx__AttributeProto *rounding = vd_onnx_attribute(node, "nearest_mode");
    if (mode && !text_is(mode, "nearest"))
        return false;
    if (vd_onnx_is(node, "Upsample") || p->graph->opset < 11)
        return true;
    bool nearest = !rounding || text_is(rounding, "round_prefer_floor");
    if (!places || text_is(places, "half_pixel") || text_is(places, "pytorch_half_pixel"))
        return nearest || text_is(rounding, "round_prefer_ceil");
    return text_is(places, "asymmetric") &&
           (nearest ? factor[0] <= 2 && factor[1] <= 2 : text_is(rounding, "floor"));
}

bool vd_plan_put_nearest(vd_planner *p, const Onnx__NodeProto *node)
{
    const vd_value *x = vd_onnx_input(p->graph, node, 0), *y = vd_onnx_output(p->graph, node, 0);
    vd_plan_step step = vd_plan_unary(p, node, VD_PLAN_NEAREST);
    if (!x || !y || x->shape.rank != 4 || y->shape.rank != 4)
        return false;
    for (int i = 0; i < 2; i++) {
        int64_t in = x->shape.dims[2 + i], out = y->shape.dims[2 + i];
        if (in < 1 || out % in != 0 || out / in > MAX_SETTING)
            return false;
        step.ints[i] = (int)(out / in);
    }
    return repeats(p, node, step.ints) && vd_planner_add(p, &step);
}
