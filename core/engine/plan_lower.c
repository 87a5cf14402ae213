/* From the graph's steps to operations: what is needed, who wants what, and each kind in its turn. */
#include <stdlib.h>
#include <string.h>

#include "engine/plan_parts.h"

/* Whether a step reads its operand `i` planar whatever it is offered. */
static bool reads_planar(const vd_lowering *l, const vd_plan_step *step)
{
    const vd_plan_value *out = &l->graph->values[step->out];
    switch (step->kind) {
    case VD_PLAN_DECONV:
    case VD_PLAN_TRANSPOSE:
    case VD_PLAN_MATMUL:
    case VD_PLAN_SOFTMAX:
        return true;
    case VD_PLAN_RESHAPE:
        return !vd_value_same(&l->graph->values[step->in[0]], out);
    case VD_PLAN_CONCAT:
        return out->rank != 4 || step->ints[0] != 1 || l->planar_only[step->out];
    case VD_PLAN_SLICE:
        return out->rank != 4 || step->ints[0] != 1;
    default:
        return false;
    }
}

/* Backwards from the outputs: which steps are needed, how often each value is read, and how. */
static void find_needs(vd_lowering *l)
{
    const vd_plan_graph *graph = l->graph;
    for (int i = 0; i < graph->value_count; i++) {
        l->maker[i] = l->made[VD_PLANAR][i] = l->made[VD_BLOCKED][i] = -1;
        l->planar_only[i] = true;
    }
    for (int i = 0; i < graph->output_count; i++)
        l->readers[graph->outputs[i]]++;
    for (int i = graph->step_count - 1; i >= 0; i--) {
        const vd_plan_step *step = &graph->steps[i];
        l->maker[step->out] = i;
        l->live[i] = l->readers[step->out] > 0;
        for (int k = 0; l->live[i] && k < step->in_count; k++) {
            l->readers[step->in[k]]++;
            if (!reads_planar(l, step))
                l->planar_only[step->in[k]] = false;
        }
    }
}

static int lower_act(vd_lowering *l, const vd_plan_step *step)
{
    const vd_plan_value *value = &l->graph->values[step->out];
    vd_layout layout = vd_lower_is_blocked(l, step->in[0]) ? VD_BLOCKED : VD_PLANAR;
    int in = vd_lower_want(l, step->in[0], layout);
    if (in < 0)
        return in;
    int out = vd_lower_tensor(l, value, layout, l->plan->tensors[in].type);
    vd_lower_act(l, step->act, step->floats, in, out);
    l->made[layout][step->out] = out;
    return VD_OK;
}

void vd_lower_act(vd_lowering *l, vd_plan_act act, const float args[2], int in, int out)
{
    if (act == VD_ACT_NONE)
        return;
    vd_plan_op *op = vd_lower_op(l, vd_op_act, in, -1, out);
    op->act = act;
    memcpy(op->args, args, sizeof op->args);
    if (vd_act_lifts_zero(act, args))
        vd_lower_clear(l, out);
}

static int (*const lowerers[VD_PLAN_KIND_END])(vd_lowering *l, const vd_plan_step *step) = {
    [VD_PLAN_CONV] = vd_lower_conv,
    [VD_PLAN_DECONV] = vd_lower_deconv,
    [VD_PLAN_ACT] = lower_act,
    [VD_PLAN_ADD] = vd_lower_binary,
    [VD_PLAN_SUB] = vd_lower_binary,
    [VD_PLAN_MUL] = vd_lower_binary,
    [VD_PLAN_DIV] = vd_lower_binary,
    [VD_PLAN_CONCAT] = vd_lower_concat,
    [VD_PLAN_SLICE] = vd_lower_slice,
    [VD_PLAN_MAX_POOL] = vd_lower_pool,
    [VD_PLAN_AVG_POOL] = vd_lower_pool,
    [VD_PLAN_GLOBAL_AVG] = vd_lower_pool,
    [VD_PLAN_NEAREST] = vd_lower_pool,
    [VD_PLAN_PAD] = vd_lower_pool,
    [VD_PLAN_RESHAPE] = vd_lower_reshape,
    [VD_PLAN_TRANSPOSE] = vd_lower_transpose,
    [VD_PLAN_MATMUL] = vd_lower_matmul,
    [VD_PLAN_SOFTMAX] = vd_lower_softmax,
};

int vd_lower_step(vd_lowering *l, int number)
{
    const vd_plan_step *step = &l->graph->steps[number];
    int before = l->step;
    l->step = number;
    int code = lowerers[step->kind](l, step);
    l->step = before;
    return code;
}

/* A transpose of the last two axes waits: a product takes its operand turned. */
static bool may_wait(const vd_lowering *l, const vd_plan_step *step)
{
    int rank = l->graph->values[step->out].rank;
    if (step->kind != VD_PLAN_TRANSPOSE || rank < 2)
        return false;
    for (int i = 0; i < rank - 2; i++)
        if (step->ints[i] != i)
            return false;
    return step->ints[rank - 1] == rank - 2;
}

/* The planar tensor of output i, in the caller's memory: where it is made, or copied there. */
static int lower_output(vd_lowering *l, int i)
{
    vd_plan *plan = l->plan;
    int value = l->graph->outputs[i], base = 1 + plan->input_count + i;
    int from = vd_lower_want(l, value, VD_PLANAR);
    if (from < 0)
        return from;
    size_t offset, bytes = plan->tensors[from].bytes;
    vd_tensor *root = &plan->tensors[vd_plan_root(plan, from, &offset)];
    if (root->base == 0 && !root->fixed && offset == 0 && root->bytes == bytes && root->layout == VD_PLANAR) {
        root->base = base;
        return VD_OK;
    }
    int to = vd_lower_tensor(l, &l->graph->values[value], VD_PLANAR, VD_KERNEL_F32);
    plan->tensors[to].base = base;
    vd_plan_op *op = vd_lower_op(l, vd_op_copy, from, -1, to);
    for (int k = 0; k < 3 * VD_PLAN_RANK; k++)
        op->n[k] = 1;
    op->n[VD_PLAN_RANK - 1] = (int64_t)(bytes / sizeof(float));
    return VD_OK;
}

int vd_lower_graph(vd_lowering *l)
{
    const vd_plan_graph *graph = l->graph;
    int code = VD_OK;
    find_needs(l);
    for (int i = 0; i < graph->value_count; i++)
        if (graph->values[i].input >= 0) {
            int id = vd_lower_tensor(l, &graph->values[i], VD_PLANAR, VD_KERNEL_F32);
            l->plan->tensors[id].base = 1 + graph->values[i].input;
            l->made[VD_PLANAR][i] = id;
        }
    for (int i = 0; code == VD_OK && i < graph->step_count; i++) {
        const vd_plan_step *step = &graph->steps[i];
        if (!l->live[i])
            continue;
        if (may_wait(l, step))
            l->late[step->out] = true;
        else
            code = vd_lower_step(l, i);
    }
    for (int i = 0; code >= 0 && i < graph->output_count; i++)
        code = lower_output(l, i);
    return code < 0 ? code : VD_OK;
}
