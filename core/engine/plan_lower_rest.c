/* Operations between two values, products, softmax, pooling, padding. */
#include <string.h>

#include "engine/plan_parts.h"

/* The extent and the stride of a value on axis `i` of VD_PLAN_RANK, counted from the end as NumPy does; a
 * stride of 0 where it is repeated. */
static void spread_axes(const vd_plan_value *value, int64_t strides[VD_PLAN_RANK])
{
    int64_t stride = 1;
    for (int i = VD_PLAN_RANK - 1, axis = value->rank - 1; i >= 0; i--, axis--) {
        int extent = axis >= 0 ? value->extents[axis] : 1;
        strides[i] = extent == 1 ? 0 : stride;
        stride *= extent;
    }
}

static void full_extents(const vd_plan_value *value, int64_t extents[VD_PLAN_RANK])
{
    for (int i = 0; i < VD_PLAN_RANK; i++) {
        int axis = i - (VD_PLAN_RANK - value->rank);
        extents[i] = axis >= 0 ? value->extents[axis] : 1;
    }
}

/* Whether a value spreads over `out` (rank 4) as one number for each channel, or one for all. */
static bool is_vector(const vd_plan_value *value, const vd_plan_value *out)
{
    int64_t have[VD_PLAN_RANK], want[VD_PLAN_RANK];
    if (value->rank > 4)
        return false;
    full_extents(value, have);
    full_extents(out, want);
    return have[5] == 1 && have[4] == 1 && (have[3] == 1 || have[3] == want[3]) &&
           (have[2] == 1 || have[2] == want[2]);
}

static int set_op(vd_lowering *l, const vd_plan_step *step, vd_plan_run_fn run, int a, int b, int out)
{
    vd_plan_op *op = vd_lower_op(l, run, a, b, out);
    op->kind = step->kind;
    l->made[l->plan->tensors[out].layout][step->out] = out;
    return VD_OK;
}

/* Both of the same shape, in the layout that one of them has. */
static int lower_same(vd_lowering *l, const vd_plan_step *step, vd_layout layout)
{
    int a = vd_lower_want(l, step->in[0], layout), b = a < 0 ? a : vd_lower_want(l, step->in[1], layout);
    if (b < 0)
        return b;
    vd_kernel_type type = l->plan->tensors[a].type;
    if (l->plan->tensors[b].type != type)
        return lower_same(l, step, VD_PLANAR);
    int out = vd_lower_tensor(l, &l->graph->values[step->out], layout, type);
    set_op(l, step, vd_op_same, a, b, out);
    if (step->kind == VD_PLAN_DIV)
        vd_lower_clear(l, out);
    return VD_OK;
}

/* A blocked value and a number for each channel; `second`: which operand is the vector. */
static int lower_vector(vd_lowering *l, const vd_plan_step *step, int second)
{
    const vd_plan_value *value = &l->graph->values[step->in[second]];
    int64_t strides[VD_PLAN_RANK];
    int x = vd_lower_want(l, step->in[1 - second], VD_BLOCKED);
    int vector = x < 0 ? x : vd_lower_want(l, step->in[second], VD_PLANAR);
    if (vector < 0)
        return vector;
    int out = vd_lower_tensor(l, &l->graph->values[step->out], VD_BLOCKED, l->plan->tensors[x].type);
    set_op(l, step, vd_op_vector, x, vector, out);
    spread_axes(value, strides);
    int64_t *n = l->plan->ops[l->plan->op_count - 1].n;
    n[0] = second == 0;
    n[1] = strides[3];
    n[2] = strides[2];
    return VD_OK;
}

static int lower_spread(vd_lowering *l, const vd_plan_step *step)
{
    int a = vd_lower_want(l, step->in[0], VD_PLANAR),
        b = a < 0 ? a : vd_lower_want(l, step->in[1], VD_PLANAR);
    if (b < 0)
        return b;
    const vd_plan_value *values = l->graph->values;
    int out = vd_lower_tensor(l, &values[step->out], VD_PLANAR, VD_KERNEL_F32);
    set_op(l, step, vd_op_spread, a, b, out);
    int64_t *n = l->plan->ops[l->plan->op_count - 1].n;
    full_extents(&values[step->out], n);
    spread_axes(&values[step->in[0]], n + VD_PLAN_RANK);
    spread_axes(&values[step->in[1]], n + 2 * VD_PLAN_RANK);
    return VD_OK;
}

int vd_lower_binary(vd_lowering *l, const vd_plan_step *step)
{
    const vd_plan_value *values = l->graph->values, *out = &values[step->out];
    bool same[2], blocked[2];
    for (int i = 0; i < 2; i++) {
        same[i] = vd_value_same(&values[step->in[i]], out);
        blocked[i] = out->rank == 4 && vd_lower_is_blocked(l, step->in[i]);
    }
    if (same[0] && same[1])
        return lower_same(l, step, blocked[0] || blocked[1] ? VD_BLOCKED : VD_PLANAR);
    for (int i = 0; i < 2; i++)
        if (same[1 - i] && blocked[1 - i] && is_vector(&values[step->in[i]], out))
            return lower_vector(l, step, i);
    return lower_spread(l, step);
}

/* --- Products */

/* The planar tensor of an operand; where it is turned late, the one it is turned from. */
static int want_operand(vd_lowering *l, int value, int64_t *ret_turned)
{
    *ret_turned = l->late[value];
    return vd_lower_want(l, l->late[value] ? l->graph->steps[l->maker[value]].in[0] : value, VD_PLANAR);
}

int vd_lower_matmul(vd_lowering *l, const vd_plan_step *step)
{
    enum { STACK = VD_PLAN_RANK - 2 };
    const vd_plan_value *values = l->graph->values;
    const vd_plan_value *a = &values[step->in[0]], *b = &values[step->in[1]], *out = &values[step->out];
    int64_t turned[2], strides[2][VD_PLAN_RANK], extents[VD_PLAN_RANK];
    int left = want_operand(l, step->in[0], &turned[0]);
    int right = left < 0 ? left : want_operand(l, step->in[1], &turned[1]);
    if (right < 0)
        return right;
    int made = vd_lower_tensor(l, out, VD_PLANAR, VD_KERNEL_F32);
    vd_plan_op *op = vd_lower_op(l, vd_op_matmul, left, right, made);
    op->kernel = "product";
    int64_t *n = op->n;
    n[0] = a->extents[a->rank - 2];
    n[1] = b->extents[b->rank - 1];
    n[2] = a->extents[a->rank - 1];
    n[3] = turned[0];
    n[4] = turned[1];
    full_extents(out, extents);
    spread_axes(a, strides[0]);
    spread_axes(b, strides[1]);
    memcpy(n + 5, extents, STACK * sizeof *n);
    memcpy(n + 9, strides[0], STACK * sizeof *n);
    memcpy(n + 13, strides[1], STACK * sizeof *n);
    op->gflop = 2e-9 * (double)vd_plan_count(out) * (double)n[2];
    l->made[VD_PLANAR][step->out] = made;
    return VD_OK;
}

int vd_lower_softmax(vd_lowering *l, const vd_plan_step *step)
{
    const vd_plan_value *value = &l->graph->values[step->out];
    int in = vd_lower_want(l, step->in[0], VD_PLANAR);
    if (in < 0)
        return in;
    int out = vd_lower_tensor(l, value, VD_PLANAR, VD_KERNEL_F32);
    vd_plan_op *op = vd_lower_op(l, vd_op_softmax, in, -1, out);
    op->n[0] = op->n[1] = op->n[2] = 1;
    for (int i = 0; i < value->rank; i++)
        op->n[i < step->ints[0] ? 0 : i == step->ints[0] ? 1 : 2] *= value->extents[i];
    l->made[VD_PLANAR][step->out] = out;
    return VD_OK;
}

/* --- Windows and borders */
static int lower_pad(vd_lowering *l, const vd_plan_step *step)
{
    bool blocked = vd_lower_is_blocked(l, step->in[0]) && step->floats[0] == 0;
    vd_layout layout = blocked ? VD_BLOCKED : VD_PLANAR;
    int in = vd_lower_want(l, step->in[0], layout);
    if (in < 0)
        return in;
    vd_tensor t = l->plan->tensors[in];
    int out = vd_lower_tensor(l, &l->graph->values[step->out], layout, t.type);
    vd_plan_op *op = vd_lower_op(l, vd_op_pad, in, -1, out);
    const int *ints = step->ints;
    size_t pixel = blocked ? (size_t)vd_kernel_block() * vd_kernel_bytes(t.type) : sizeof(float);
    const int64_t n[] = {t.height, t.width, ints[0], ints[1], ints[2], ints[3], (int64_t)pixel};
    memcpy(op->n, n, sizeof n);
    op->n[7] = (int64_t)(t.bytes / (pixel * (size_t)t.height * (size_t)t.width));
    op->args[0] = step->floats[0];
    l->made[layout][step->out] = out;
    return VD_OK;
}

int vd_lower_pool(vd_lowering *l, const vd_plan_step *step)
{
    vd_plan_run_fn run = vd_op_max_pool;
    vd_layout to = VD_BLOCKED;
    if (step->kind == VD_PLAN_PAD)
        return lower_pad(l, step);
    if (step->kind == VD_PLAN_NEAREST)
        run = vd_op_nearest;
    if (step->kind == VD_PLAN_AVG_POOL)
        run = vd_op_avg_pool;
    if (step->kind == VD_PLAN_GLOBAL_AVG) {
        run = vd_op_global_avg;
        to = VD_PLANAR;
    }
    int in = vd_lower_want(l, step->in[0], VD_BLOCKED);
    if (in < 0)
        return in;
    vd_kernel_type type = to == VD_PLANAR ? VD_KERNEL_F32 : l->plan->tensors[in].type;
    int out = vd_lower_tensor(l, &l->graph->values[step->out], to, type);
    vd_plan_op *op = vd_lower_op(l, run, in, -1, out);
    for (int i = 0; i < VD_PLAN_INTS; i++)
        op->n[i] = step->ints[i];
    l->made[to][step->out] = out;
    return VD_OK;
}
