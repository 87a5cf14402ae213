/* Tensors and operations while a plan is built: how they come to be, and a value in the layout that is
 * wanted. */
#include <stdlib.h>
#include <string.h>

#include "engine/plan_parts.h"

size_t vd_kernel_bytes(vd_kernel_type type)
{
    return type == VD_KERNEL_BF16 ? 2 : 4;
}

int vd_tensor_blocks(const vd_tensor *tensor)
{
    int block = vd_kernel_block();
    return (tensor->channels + block - 1) / block;
}

size_t vd_tensor_count(const vd_tensor *tensor)
{
    return tensor->bytes / vd_kernel_bytes(tensor->type);
}

int vd_plan_root(const vd_plan *plan, int id, size_t *ret_offset)
{
    size_t offset = 0;
    while (plan->tensors[id].parent >= 0) {
        offset += plan->tensors[id].offset;
        id = plan->tensors[id].parent;
    }
    *ret_offset = offset;
    return id;
}

bool vd_value_same(const vd_plan_value *a, const vd_plan_value *b)
{
    return a->rank == b->rank && memcmp(a->extents, b->extents, (size_t)a->rank * sizeof a->extents[0]) == 0;
}

static int add_tensor(vd_plan *plan, const vd_tensor *tensor)
{
    plan->tensors[plan->tensor_count] = *tensor;
    return plan->tensor_count++;
}

int vd_lower_tensor(vd_lowering *l, const vd_plan_value *value, vd_layout layout, vd_kernel_type type)
{
    vd_tensor tensor = {.layout = layout, .type = type, .parent = -1, .first = -1, .last = -1, .pictures = 1};
    if (layout == VD_BLOCKED)
        tensor.pictures = value->extents[0];
    if (value->rank == 4) {
        tensor.channels = value->extents[1];
        tensor.height = value->extents[2];
        tensor.width = value->extents[3];
    }
    tensor.bytes = vd_plan_count(value) * sizeof(float);
    if (layout == VD_BLOCKED)
        tensor.bytes = (size_t)vd_tensor_blocks(&tensor) * (size_t)vd_kernel_block() * (size_t)tensor.height *
                       (size_t)tensor.width * vd_kernel_bytes(type);
    return add_tensor(l->plan, &tensor);
}

int vd_lower_view(vd_lowering *l, const vd_plan_value *value, int parent, size_t offset)
{
    const vd_tensor *of = &l->plan->tensors[parent];
    int id = vd_lower_tensor(l, value, of->layout, of->type);
    l->plan->tensors[id].parent = parent;
    l->plan->tensors[id].offset = offset;
    return id;
}

int vd_lower_temp(vd_lowering *l, size_t bytes)
{
    vd_tensor tensor = {.parent = -1, .first = -1, .last = -1, .pictures = 1, .bytes = bytes};
    return add_tensor(l->plan, &tensor);
}

void *vd_lower_own(vd_lowering *l, size_t bytes)
{
    void *memory = vd_plan_alloc(bytes);
    if (memory)
        l->plan->owned[l->plan->owned_count++] = memory;
    return memory;
}

vd_plan_op *vd_lower_op(vd_lowering *l, vd_plan_run_fn run, int in, int other, int out)
{
    vd_plan_op *op = &l->plan->ops[l->plan->op_count++];
    *op = (vd_plan_op){.run = run, .in = {in, other}, .out = out, .temp = -1, .kernel = "pass"};
    vd_plan_describe(l, op);
    return op;
}

bool vd_lower_is_blocked(const vd_lowering *l, int value)
{
    return l->made[VD_BLOCKED][value] >= 0;
}

void vd_lower_clear(vd_lowering *l, int tensor)
{
    const vd_tensor *t = &l->plan->tensors[tensor];
    if (t->layout == VD_BLOCKED && t->channels % vd_kernel_block() != 0)
        vd_lower_op(l, vd_op_clear, -1, -1, tensor);
}

/* A constant gets memory of the plan's own, in the layout that is wanted. */
static int own_constant(vd_lowering *l, int value, vd_layout layout)
{
    const vd_plan_value *v = &l->graph->values[value];
    const float *from = l->constants[v->constant];
    int id = vd_lower_tensor(l, v, layout, layout == VD_BLOCKED ? l->plan->type : VD_KERNEL_F32);
    vd_tensor *tensor = &l->plan->tensors[id];
    size_t stride = (tensor->bytes + VD_PLAN_ALIGN - 1) / VD_PLAN_ALIGN * VD_PLAN_ALIGN;
    tensor->fixed = vd_lower_own(l, stride * (size_t)tensor->pictures);
    if (!tensor->fixed)
        return VD_ENOMEM;
    if (layout == VD_PLANAR) {
        memcpy(tensor->fixed, from, tensor->bytes);
        return id;
    }
    int plane = tensor->height * tensor->width;
    for (int i = 0; i < tensor->pictures; i++)
        vd_pass_block(tensor->type, from + (size_t)i * (size_t)tensor->channels * (size_t)plane,
                      tensor->fixed + (size_t)i * stride, tensor->channels, plane);
    return id;
}

int vd_lower_want(vd_lowering *l, int value, vd_layout layout)
{
    const vd_plan_value *v = &l->graph->values[value];
    if (l->made[layout][value] >= 0)
        return l->made[layout][value];
    if (v->constant >= 0)
        return l->made[layout][value] = own_constant(l, value, layout);
    if (l->late[value]) {
        l->late[value] = false;
        int code = vd_lower_step(l, l->maker[value]);
        return code ? code : vd_lower_want(l, value, layout);
    }
    int from = l->made[layout == VD_PLANAR ? VD_BLOCKED : VD_PLANAR][value];
    if (from < 0)
        return vd_error_set(l->error, VD_EFORMAT, "plan", "Value %d is read before it is made.", value);
    int to = vd_lower_tensor(l, v, layout, layout == VD_BLOCKED ? l->plan->type : VD_KERNEL_F32);
    vd_lower_op(l, layout == VD_BLOCKED ? vd_op_block : vd_op_unblock, from, -1, to);
    return l->made[layout][value] = to;
}
