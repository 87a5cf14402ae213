/* Steps that move nothing where they can: joins whose members are written in place, slices and reshapes that
 * are views. Where a border falls within a block (or within 64 bytes), it is copied. */
#include <string.h>

#include "engine/plan_parts.h"

/* The strides of a value in C order, on the last axes of VD_PLAN_RANK; axes before have extent 1. */
static void fill_axes(const vd_plan_value *value, int64_t extents[VD_PLAN_RANK],
                      int64_t strides[VD_PLAN_RANK])
{
    int64_t stride = 1;
    for (int i = VD_PLAN_RANK - 1, axis = value->rank - 1; i >= 0; i--, axis--) {
        extents[i] = axis >= 0 ? value->extents[axis] : 1;
        strides[i] = stride;
        stride *= extents[i];
    }
}

/* Elements before an axis, and from it on. */
static void split_at(const vd_plan_value *value, int axis, size_t *ret_outer, size_t *ret_rest)
{
    *ret_outer = *ret_rest = 1;
    for (int i = 0; i < value->rank; i++)
        *(i < axis ? ret_outer : ret_rest) *= (size_t)value->extents[i];
}

/* --- Joins */
typedef struct member {
    int tensor;
    size_t offset; /* in a picture of the join, in bytes */
    int start;     /* on the axis, in elements */
} member;

/* How many members from `first` on are, one behind the other, all of the root of the first. 0: its root
 * cannot be put into the join, or is more than they are. */
static int members_of_root(const vd_plan *plan, const member *members, int first, int count, int join)
{
    size_t offset, covered = 0;
    int root_id = vd_plan_root(plan, members[first].tensor, &offset), end = first;
    const vd_tensor *root = &plan->tensors[root_id], *whole = &plan->tensors[join];
    if (root_id == join || root->fixed || root->base != 0 || root->layout != whole->layout ||
        root->pictures != whole->pictures || members[first].offset % VD_PLAN_ALIGN != 0)
        return 0;
    for (; end < count && covered < root->bytes; end++) {
        if (vd_plan_root(plan, members[end].tensor, &offset) != root_id || offset != covered)
            return 0;
        covered += plan->tensors[members[end].tensor].bytes;
    }
    return covered == root->bytes ? end - first : 0;
}

static void copy_blocked(vd_lowering *l, const member *m, int join)
{
    vd_plan_op *op = vd_lower_op(l, vd_op_channels, m->tensor, -1, join);
    op->n[1] = m->start;
    op->n[2] = l->plan->tensors[m->tensor].channels;
}

static void copy_planar(vd_lowering *l, const vd_plan_value *from, const vd_plan_value *to, int axis,
                        const member *m, int join)
{
    int64_t unused[VD_PLAN_RANK];
    vd_plan_op *op = vd_lower_op(l, vd_op_copy, m->tensor, -1, join);
    fill_axes(to, unused, op->n + 2 * VD_PLAN_RANK);
    fill_axes(from, op->n, op->n + VD_PLAN_RANK);
    op->n[3 * VD_PLAN_RANK + 1] = m->start * op->n[2 * VD_PLAN_RANK + VD_PLAN_RANK - to->rank + axis];
}

static void join_members(vd_lowering *l, const vd_plan_step *step, const member *members, int join,
                         bool views)
{
    const vd_plan_value *values = l->graph->values;
    for (int i = 0; i < step->in_count;) {
        int placed = views ? members_of_root(l->plan, members, i, step->in_count, join) : 0;
        if (placed > 0) {
            size_t offset;
            int root = vd_plan_root(l->plan, members[i].tensor, &offset);
            l->plan->tensors[root].parent = join;
            l->plan->tensors[root].offset = members[i].offset;
            i += placed;
            continue;
        }
        if (l->plan->tensors[join].layout == VD_BLOCKED)
            copy_blocked(l, &members[i], join);
        else
            copy_planar(l, &values[step->in[i]], &values[step->out], step->ints[0], &members[i], join);
        i++;
    }
}

static int join_blocked(vd_lowering *l, const vd_plan_step *step)
{
    member members[VD_PLAN_LINKS] = {0};
    const vd_plan_value *out = &l->graph->values[step->out];
    vd_kernel_type type = VD_KERNEL_F32;
    bool views = true, ends_clean = true;
    size_t plane = (size_t)out->extents[2] * (size_t)out->extents[3];
    for (int i = 0, start = 0; i < step->in_count; i++) {
        int tensor = vd_lower_want(l, step->in[i], VD_BLOCKED);
        if (tensor < 0)
            return tensor;
        type = l->plan->tensors[tensor].type;
        members[i] = (member){tensor, (size_t)start * plane * vd_kernel_bytes(type), start};
        views = views && start % vd_kernel_block() == 0;
        start += l->plan->tensors[tensor].channels;
        ends_clean = start % vd_kernel_block() == 0;
    }
    int join = vd_lower_tensor(l, out, VD_BLOCKED, type);
    join_members(l, step, members, join, views);
    if (!ends_clean)
        vd_lower_clear(l, join);
    l->made[VD_BLOCKED][step->out] = join;
    return VD_OK;
}

/* Whether the members are best joined blocked: one of them is, they agree on the precision, and somebody
 * wants it so, or nothing is copied. */
static bool joins_blocked(const vd_lowering *l, const vd_plan_step *step)
{
    const vd_plan_value *out = &l->graph->values[step->out];
    bool blocked = false, borders = true;
    vd_kernel_type type = l->plan->type;
    if (out->rank != 4 || step->ints[0] != 1)
        return false;
    for (int i = 0; i < step->in_count; i++) {
        int tensor = l->made[VD_BLOCKED][step->in[i]];
        if (i + 1 < step->in_count && l->graph->values[step->in[i]].extents[1] % vd_kernel_block() != 0)
            borders = false;
        if (tensor >= 0) {
            if (blocked && l->plan->tensors[tensor].type != type)
                return false;
            type = l->plan->tensors[tensor].type;
            blocked = true;
        }
    }
    for (int i = 0; i < step->in_count; i++)
        if (blocked && l->made[VD_BLOCKED][step->in[i]] < 0 && type != l->plan->type)
            return false;
    return blocked && (borders || !l->planar_only[step->out]);
}

int vd_lower_concat(vd_lowering *l, const vd_plan_step *step)
{
    if (joins_blocked(l, step))
        return join_blocked(l, step);
    member members[VD_PLAN_LINKS] = {0};
    size_t outer, rest, offset = 0;
    int axis = step->ints[0];
    for (int i = 0, start = 0; i < step->in_count; i++) {
        const vd_plan_value *value = &l->graph->values[step->in[i]];
        int tensor = vd_lower_want(l, step->in[i], VD_PLANAR);
        if (tensor < 0)
            return tensor;
        members[i] = (member){tensor, offset, start};
        start += value->extents[axis];
        offset += l->plan->tensors[tensor].bytes;
    }
    const vd_plan_value *out = &l->graph->values[step->out];
    int join = vd_lower_tensor(l, out, VD_PLANAR, VD_KERNEL_F32);
    split_at(out, axis, &outer, &rest);
    join_members(l, step, members, join, outer == 1);
    l->made[VD_PLANAR][step->out] = join;
    return VD_OK;
}

/* --- Slices */
static int slice_blocked(vd_lowering *l, const vd_plan_step *step)
{
    const vd_plan_value *out = &l->graph->values[step->out];
    int in = vd_lower_want(l, step->in[0], VD_BLOCKED), block = vd_kernel_block();
    if (in < 0)
        return in;
    const vd_tensor *t = &l->plan->tensors[in];
    int start = step->ints[1], end = start + step->ints[2];
    size_t offset = (size_t)start * (size_t)t->height * (size_t)t->width * vd_kernel_bytes(t->type);
    int made;
    if (start % block == 0 && (end % block == 0 || end == t->channels) && offset % VD_PLAN_ALIGN == 0) {
        made = vd_lower_view(l, out, in, offset);
    } else {
        made = vd_lower_tensor(l, out, VD_BLOCKED, t->type);
        vd_plan_op *op = vd_lower_op(l, vd_op_channels, in, -1, made);
        op->n[0] = start;
        op->n[2] = out->extents[1];
        vd_lower_clear(l, made);
    }
    l->made[VD_BLOCKED][step->out] = made;
    return VD_OK;
}

int vd_lower_slice(vd_lowering *l, const vd_plan_step *step)
{
    const vd_plan_value *value = &l->graph->values[step->in[0]], *out = &l->graph->values[step->out];
    int axis = step->ints[0], stride = step->ints[3];
    if (value->rank == 4 && axis == 1 && stride == 1 && vd_lower_is_blocked(l, step->in[0]))
        return slice_blocked(l, step);
    int in = vd_lower_want(l, step->in[0], VD_PLANAR);
    if (in < 0)
        return in;
    int64_t extents[VD_PLAN_RANK], strides[VD_PLAN_RANK];
    size_t outer, rest;
    int at = VD_PLAN_RANK - value->rank + axis;
    split_at(value, axis, &outer, &rest);
    fill_axes(value, extents, strides);
    int64_t first = step->ints[1] * strides[at];
    if (outer == 1 && stride == 1 && (size_t)first * sizeof(float) % VD_PLAN_ALIGN == 0) {
        l->made[VD_PLANAR][step->out] = vd_lower_view(l, out, in, (size_t)first * sizeof(float));
        return VD_OK;
    }
    int made = vd_lower_tensor(l, out, VD_PLANAR, VD_KERNEL_F32);
    vd_plan_op *op = vd_lower_op(l, vd_op_copy, in, -1, made);
    fill_axes(out, op->n, op->n + 2 * VD_PLAN_RANK);
    memcpy(op->n + VD_PLAN_RANK, strides, sizeof strides);
    op->n[VD_PLAN_RANK + at] *= stride;
    op->n[3 * VD_PLAN_RANK] = first;
    l->made[VD_PLANAR][step->out] = made;
    return VD_OK;
}

/* --- Shapes and axes */
int vd_lower_reshape(vd_lowering *l, const vd_plan_step *step)
{
    const vd_plan_value *out = &l->graph->values[step->out];
    bool same = vd_value_same(&l->graph->values[step->in[0]], out);
    vd_layout layout = same && vd_lower_is_blocked(l, step->in[0]) ? VD_BLOCKED : VD_PLANAR;
    int in = vd_lower_want(l, step->in[0], layout);
    if (in < 0)
        return in;
    int view = vd_lower_view(l, out, in, 0);
    l->made[layout][step->out] = view;
    return VD_OK;
}

int vd_lower_transpose(vd_lowering *l, const vd_plan_step *step)
{
    const vd_plan_value *value = &l->graph->values[step->in[0]], *out = &l->graph->values[step->out];
    int64_t extents[VD_PLAN_RANK], strides[VD_PLAN_RANK];
    int in = vd_lower_want(l, step->in[0], VD_PLANAR);
    if (in < 0)
        return in;
    int made = vd_lower_tensor(l, out, VD_PLANAR, VD_KERNEL_F32), skipped = VD_PLAN_RANK - value->rank;
    vd_plan_op *op = vd_lower_op(l, vd_op_copy, in, -1, made);
    fill_axes(value, extents, strides);
    fill_axes(out, op->n, op->n + 2 * VD_PLAN_RANK);
    for (int i = 0; i < VD_PLAN_RANK; i++)
        op->n[VD_PLAN_RANK + i] = i < skipped ? 0 : strides[skipped + step->ints[i - skipped]];
    l->made[VD_PLANAR][step->out] = made;
    return VD_OK;
}
