/* oneDNN 3: a primitive is described at once, and descriptions of memory are objects. */
#include "engine/kernel_dnnl.h"

#if DNNL_VERSION_MAJOR >= 3

bool vd_dnnl_can_act(vd_plan_act act)
{
    return act == VD_ACT_NONE || act == VD_ACT_RELU || act == VD_ACT_LEAKY || act == VD_ACT_CLIP ||
           act == VD_ACT_SIGMOID || act == VD_ACT_HSWISH;
}

int vd_dnnl_addend_arg(const vd_dnnl_conv *conv)
{
    return DNNL_ARG_ATTR_MULTIPLE_POST_OP(conv->act != VD_ACT_NONE) | DNNL_ARG_SRC_1;
}

static dnnl_status_t append_act(dnnl_post_ops_t ops, const vd_dnnl_conv *conv)
{
    switch (conv->act) {
    case VD_ACT_NONE:
        return dnnl_success;
    case VD_ACT_RELU:
        return dnnl_post_ops_append_eltwise(ops, dnnl_eltwise_relu, 0.0f, 0.0f);
    case VD_ACT_LEAKY:
        return dnnl_post_ops_append_eltwise(ops, dnnl_eltwise_relu, conv->args[0], 0.0f);
    case VD_ACT_CLIP:
        return dnnl_post_ops_append_eltwise(ops, dnnl_eltwise_clip, conv->args[0], conv->args[1]);
    case VD_ACT_SIGMOID:
        return dnnl_post_ops_append_eltwise(ops, dnnl_eltwise_logistic, 0.0f, 0.0f);
    case VD_ACT_HSWISH: /* x · clip(alpha · x + beta, 0, 1); version 2 had the constants built in */
        return dnnl_post_ops_append_eltwise(ops, dnnl_eltwise_hardswish, 1.0f / 6.0f, 0.5f);
    default:
        return dnnl_unimplemented;
    }
}

static dnnl_status_t describe(const vd_dnnl_tensor *tensor, dnnl_memory_desc_t *ret_md)
{
    return dnnl_memory_desc_create_with_tag(ret_md, tensor->rank, tensor->extents, tensor->type, tensor->tag);
}

static dnnl_status_t make_attr(const vd_dnnl_conv *conv, vd_dnnl_md out, dnnl_primitive_attr_t *attr)
{
    dnnl_post_ops_t ops = NULL;
    dnnl_status_t status = dnnl_primitive_attr_create(attr);
    if (status != dnnl_success)
        return status;
    status = dnnl_post_ops_create(&ops);
    if (status == dnnl_success)
        status = append_act(ops, conv);
    if (status == dnnl_success && conv->add)
        status = dnnl_post_ops_append_binary(ops, dnnl_binary_add, out);
    if (status == dnnl_success)
        status = dnnl_primitive_attr_set_post_ops(*attr, ops);
    if (status == dnnl_success)
        status = dnnl_primitive_attr_set_scratchpad_mode(*attr, dnnl_scratchpad_mode_user);
    if (ops)
        dnnl_post_ops_destroy(ops);
    if (status != dnnl_success)
        dnnl_primitive_attr_destroy(*attr);
    return status;
}

static dnnl_status_t walk(dnnl_primitive_desc_t found, vd_dnnl_take take, void *context)
{
    dnnl_status_t status = dnnl_success;
    while (status == dnnl_success && take(found, context))
        status = dnnl_primitive_desc_next_impl(found);
    return status == dnnl_out_of_memory ? status : dnnl_success;
}

/* in, weights, bias and out, as conv names them. */
static dnnl_status_t walk_described(const vd_dnnl_conv *conv, dnnl_memory_desc_t mds[4], dnnl_engine_t engine,
                                    vd_dnnl_take take, void *context)
{
    dnnl_primitive_attr_t attr;
    dnnl_status_t status = make_attr(conv, mds[3], &attr);
    if (status != dnnl_success)
        return status;
    dnnl_primitive_desc_t found = NULL;
    status = dnnl_convolution_forward_primitive_desc_create(
        &found, engine, dnnl_forward_inference,
        conv->winograd ? dnnl_convolution_winograd : dnnl_convolution_direct, mds[0], mds[1], mds[2], mds[3],
        conv->strides, conv->dilations, conv->pads_begin, conv->pads_end, attr);
    dnnl_primitive_attr_destroy(attr);
    if (status != dnnl_success)
        return status == dnnl_out_of_memory ? status : dnnl_success;
    status = walk(found, take, context);
    dnnl_primitive_desc_destroy(found);
    return status;
}

dnnl_status_t vd_dnnl_conv_each(const vd_dnnl_conv *conv, dnnl_engine_t engine, vd_dnnl_take take,
                                void *context)
{
    const vd_dnnl_tensor *tensors[4] = {&conv->in, &conv->weights, &conv->bias, &conv->out};
    dnnl_memory_desc_t mds[4] = {NULL, NULL, NULL, NULL};
    dnnl_status_t status = dnnl_success;
    for (int i = 0; i < 4 && status == dnnl_success; i++)
        status = describe(tensors[i], &mds[i]);
    if (status == dnnl_success)
        status = walk_described(conv, mds, engine, take, context);
    for (int i = 0; i < 4; i++)
        if (mds[i])
            dnnl_memory_desc_destroy(mds[i]);
    return status;
}

dnnl_status_t vd_dnnl_memory_new(const vd_dnnl_tensor *tensor, dnnl_engine_t engine, void *at,
                                 dnnl_memory_t *ret_memory)
{
    dnnl_memory_desc_t md;
    dnnl_status_t status = describe(tensor, &md);
    if (status != dnnl_success)
        return status;
    status = dnnl_memory_create(ret_memory, md, engine, at);
    dnnl_memory_desc_destroy(md);
    return status;
}

vd_dnnl_md vd_dnnl_memory_md(dnnl_memory_t memory)
{
    const_dnnl_memory_desc_t md = NULL;
    dnnl_memory_get_memory_desc(memory, &md);
    return md;
}

#endif
