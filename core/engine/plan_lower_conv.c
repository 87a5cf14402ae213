/* Convolutions and their transposes. An addition behind a convolution goes into it. */
#include <string.h>

#include "engine/plan_parts.h"

enum { PLANAR_CHANNELS = 3 }; /* of a picture: fewer than fill a block, and what first convolutions have */

/* Which addition can be carried out by the convolution `number`: the step, or -1. *ret_addend is the value
 * that is added, which must be there before the convolution. */
static int find_addition(const vd_lowering *l, int number, int *ret_addend)
{
    const vd_plan_graph *graph = l->graph;
    int made = graph->steps[number].out;
    if (l->readers[made] != 1)
        return -1;
    for (int i = number + 1; i < graph->step_count; i++) {
        const vd_plan_step *step = &graph->steps[i];
        for (int k = 0; k < step->in_count; k++) {
            if (!l->live[i] || step->in[k] != made)
                continue;
            int other = step->in[1 - (k != 0)];
            if (step->kind != VD_PLAN_ADD || graph->values[other].constant >= 0 || other == made ||
                l->maker[other] > number || !vd_value_same(&graph->values[other], &graph->values[made]))
                return -1;
            *ret_addend = other;
            return i;
        }
    }
    return -1;
}

static vd_conv_shape shape_of(const vd_lowering *l, const vd_plan_step *step)
{
    const vd_plan_value *x = &l->graph->values[step->in[0]], *w = &l->graph->values[step->in[1]];
    const vd_plan_value *y = &l->graph->values[step->out];
    const int *ints = step->ints;
    vd_conv_shape shape = {.in = x->extents[1],
                           .out = y->extents[1],
                           .in_height = x->extents[2],
                           .in_width = x->extents[3],
                           .out_height = y->extents[2],
                           .out_width = y->extents[3],
                           .kernel = {w->extents[2], w->extents[3]},
                           .stride = {ints[0], ints[1]},
                           .dilation = {ints[6], ints[7]},
                           .pads = {ints[2], ints[3], ints[4], ints[5]},
                           .groups = ints[8],
                           .type = l->plan->type,
                           .act = step->act,
                           .act_args = {step->floats[0], step->floats[1]}};
    return shape;
}

static const float *constant_of(const vd_lowering *l, const vd_plan_step *step, int i)
{
    return i < step->in_count ? l->constants[l->graph->values[step->in[i]].constant] : NULL;
}

/* Whether the convolution may read its picture planar as it is: nobody has it blocked, and every picture
 * begins where buffers begin. */
static bool may_read_planar(const vd_lowering *l, const vd_plan_step *step)
{
    const vd_plan_value *x = &l->graph->values[step->in[0]];
    size_t bytes = vd_plan_count(x) / (size_t)x->extents[0] * sizeof(float);
    return x->extents[1] <= PLANAR_CHANNELS && step->ints[8] == 1 && l->made[VD_PLANAR][step->in[0]] >= 0 &&
           !vd_lower_is_blocked(l, step->in[0]) && (x->extents[0] == 1 || bytes % VD_PLAN_ALIGN == 0);
}

/* Builds the convolution in the first form that a kernel takes: from planar, with float32 out, plainly. */
static int build(vd_lowering *l, const vd_plan_step *step, vd_conv_shape *shape, bool planar, bool wide,
                 vd_conv **ret_conv)
{
    vd_error error;
    int code = VD_EFORMAT;
    for (int form = 0; code == VD_EFORMAT && form < 4; form++) {
        shape->planar_in = form < 2;
        shape->float_out = form % 2 == 0;
        if ((shape->planar_in && !planar) || (shape->float_out && !wide))
            continue;
        code = vd_conv_new(shape, constant_of(l, step, 1), constant_of(l, step, 2), ret_conv, &error);
    }
    return code == VD_OK || code == VD_EFORMAT ? code
                                               : vd_error_set(l->error, code, error.place, "%s", error.text);
}

static double gflop_of(const vd_plan_graph *graph, const vd_plan_step *step)
{
    const vd_plan_value *w = &graph->values[step->in[1]];
    int from = step->kind == VD_PLAN_CONV ? step->out : step->in[0];
    return 2e-9 * (double)vd_plan_count(&graph->values[from]) * (double)vd_plan_count(w) /
           (double)w->extents[0];
}

/* The weights and behind them the bias, for the passes of our own. */
static int own_weights(vd_lowering *l, const vd_plan_step *step)
{
    const vd_plan_value *w = &l->graph->values[step->in[1]];
    size_t count = vd_plan_count(w), out = (size_t)l->graph->values[step->out].extents[1];
    int id = vd_lower_tensor(l, w, VD_PLANAR, VD_KERNEL_F32);
    float *memory = vd_lower_own(l, (count + out) * sizeof(float));
    if (!memory)
        return VD_ENOMEM;
    memcpy(memory, constant_of(l, step, 1), count * sizeof(float));
    if (step->in_count > 2)
        memcpy(memory + count, constant_of(l, step, 2), out * sizeof(float));
    l->plan->tensors[id].fixed = (char *)memory;
    return id;
}

/* What no kernel takes. `big` is the value that the window moves over, `small` the other. */
static int lower_planar(vd_lowering *l, const vd_plan_step *step, vd_plan_run_fn run, int big_value,
                        int small_value)
{
    const vd_plan_value *big = &l->graph->values[big_value], *small = &l->graph->values[small_value];
    const vd_plan_value *w = &l->graph->values[step->in[1]];
    const int *ints = step->ints;
    int in = vd_lower_want(l, step->in[0], VD_PLANAR);
    int weights = in < 0 ? in : own_weights(l, step);
    if (weights < 0)
        return weights;
    int out = vd_lower_tensor(l, &l->graph->values[step->out], VD_PLANAR, VD_KERNEL_F32);
    size_t depth = (size_t)(big->extents[1] / ints[8]) * (size_t)w->extents[2] * (size_t)w->extents[3];
    int temp =
        vd_lower_temp(l, depth * (size_t)small->extents[2] * (size_t)small->extents[3] * sizeof(float));
    vd_plan_op *op = vd_lower_op(l, run, in, weights, out);
    op->temp = temp;
    op->kernel = "product of columns";
    op->gflop = gflop_of(l->graph, step);
    const int64_t n[] = {ints[8],           big->extents[1],   big->extents[2],   big->extents[3],
                         small->extents[1], small->extents[2], small->extents[3], w->extents[2],
                         w->extents[3],     ints[0],           ints[1],           ints[6],
                         ints[7],           ints[2],           ints[3],           big->extents[0],
                         step->in_count > 2};
    memcpy(op->n, n, sizeof n);
    vd_lower_act(l, step->act, step->floats, out, out);
    l->made[VD_PLANAR][step->out] = out;
    return VD_OK;
}

static int emit_conv(vd_lowering *l, const vd_plan_step *step, const vd_conv_shape *shape, vd_conv *conv,
                     int addend, int out_value)
{
    vd_plan *plan = l->plan;
    vd_kernel_type type = shape->float_out ? VD_KERNEL_F32 : plan->type;
    int in = vd_lower_want(l, step->in[0], shape->planar_in ? VD_PLANAR : VD_BLOCKED);
    if (in < 0) {
        vd_conv_free(&conv);
        return in;
    }
    int out = vd_lower_tensor(l, &l->graph->values[out_value], VD_BLOCKED, type);
    vd_plan_op *op = vd_lower_op(l, vd_op_conv, in, addend, out);
    op->conv = conv;
    op->gflop = gflop_of(l->graph, step);
    op->n[0] = (int64_t)shape->in * shape->in_height * shape->in_width;
    if (vd_act_lifts_zero(step->act, step->floats))
        vd_lower_clear(l, out);
    l->made[VD_BLOCKED][out_value] = out;
    return VD_OK;
}

int vd_lower_conv(vd_lowering *l, const vd_plan_step *step)
{
    int addend_value = -1, addition = find_addition(l, l->step, &addend_value), addend = -1;
    vd_conv_shape shape = shape_of(l, step);
    vd_conv *conv = NULL;
    int code = VD_EFORMAT, out_value = step->out;
    bool wide = l->plan->type == VD_KERNEL_BF16 && l->planar_only[step->out];
    if (addition >= 0) {
        addend = vd_lower_want(l, addend_value, VD_BLOCKED);
        if (addend < 0)
            return addend;
        shape.add = l->plan->tensors[addend].type == l->plan->type;
        if (shape.add)
            code = build(l, step, &shape, may_read_planar(l, step), false, &conv);
    }
    if (code == VD_OK) {
        l->live[addition] = false;
        out_value = l->graph->steps[addition].out;
    } else if (code == VD_EFORMAT) {
        addend = -1;
        shape.add = false;
        code = build(l, step, &shape, may_read_planar(l, step), wide, &conv);
    }
    if (code == VD_EFORMAT)
        return lower_planar(l, step, vd_op_planar_conv, step->in[0], step->out);
    return code == VD_OK ? emit_conv(l, step, &shape, conv, addend, out_value) : code;
}

int vd_lower_deconv(vd_lowering *l, const vd_plan_step *step)
{
    return lower_planar(l, step, vd_op_planar_deconv, step->out, step->in[0]);
}
