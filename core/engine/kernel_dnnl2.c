/* oneDNN 2: a primitive is described by an operation first, and descriptions of memory are plain structs. */
#include "engine/kernel_dnnl.h"

#if DNNL_VERSION_MAJOR == 2

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
        return dnnl_post_ops_append_eltwise(ops, 1.0f, dnnl_eltwise_relu, 0.0f, 0.0f);
    case VD_ACT_LEAKY:
        return dnnl_post_ops_append_eltwise(ops, 1.0f, dnnl_eltwise_relu, conv->args[0], 0.0f);
    case VD_ACT_CLIP:
        return dnnl_post_ops_append_eltwise(ops, 1.0f, dnnl_eltwise_clip, conv->args[0], conv->args[1]);
    case VD_ACT_SIGMOID:
        return dnnl_post_ops_append_eltwise(ops, 1.0f, dnnl_eltwise_logistic, 0.0f, 0.0f);
    case VD_ACT_HSWISH:
        return dnnl_post_ops_append_eltwise(ops, 1.0f, dnnl_eltwise_hardswish, 0.0f, 0.0f);
    default:
        return dnnl_unimplemented;
    }
}

static dnnl_status_t describe(const vd_dnnl_tensor *tensor, dnnl_memory_desc_t *md)
{
    return dnnl_memory_desc_init_by_tag(md, tensor->rank, tensor->extents, tensor->type, tensor->tag);
}

static dnnl_status_t make_attr(const vd_dnnl_conv *conv, const dnnl_memory_desc_t *out,
                               dnnl_primitive_attr_t *attr)
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

static dnnl_status_t walk(dnnl_primitive_desc_iterator_t iterator, vd_dnnl_take take, void *context)
{
    dnnl_status_t status;
    do {
        dnnl_primitive_desc_t found = dnnl_primitive_desc_iterator_fetch(iterator);
        if (!found)
            return dnnl_out_of_memory;
        bool more = take(found, context);
        dnnl_primitive_desc_destroy(found);
        if (!more)
            return dnnl_success;
        status = dnnl_primitive_desc_iterator_next(iterator);
    } while (status == dnnl_success);
    return status == dnnl_out_of_memory ? status : dnnl_success;
}

dnnl_status_t vd_dnnl_conv_each(const vd_dnnl_conv *conv, dnnl_engine_t engine, vd_dnnl_take take,
                                void *context)
{
    dnnl_memory_desc_t in, weights, bias, out;
    dnnl_status_t status = describe(&conv->in, &in);
    if (status == dnnl_success)
        status = describe(&conv->weights, &weights);
    if (status == dnnl_success)
        status = describe(&conv->bias, &bias);
    if (status == dnnl_success)
        status = describe(&conv->out, &out);
    dnnl_convolution_desc_t operation;
    if (status == dnnl_success)
        status = dnnl_dilated_convolution_forward_desc_init(
            &operation, dnnl_forward_inference,
            conv->winograd ? dnnl_convolution_winograd : dnnl_convolution_direct, &in, &weights, &bias, &out,
            conv->strides, conv->dilations, conv->pads_begin, conv->pads_end);
    dnnl_primitive_attr_t attr;
    if (status == dnnl_success)
        status = make_attr(conv, &out, &attr);
    if (status != dnnl_success)
        return status;
    dnnl_primitive_desc_iterator_t iterator;
    status = dnnl_primitive_desc_iterator_create(&iterator, &operation, attr, engine, NULL);
    dnnl_primitive_attr_destroy(attr);
    if (status != dnnl_success)
        return status == dnnl_out_of_memory ? status : dnnl_success;
    status = walk(iterator, take, context);
    dnnl_primitive_desc_iterator_destroy(iterator);
    return status;
}

dnnl_status_t vd_dnnl_memory_new(const vd_dnnl_tensor *tensor, dnnl_engine_t engine, void *at,
                                 dnnl_memory_t *ret_memory)
{
    dnnl_memory_desc_t md;
    dnnl_status_t status = describe(tensor, &md);
    return status == dnnl_success ? dnnl_memory_create(ret_memory, &md, engine, at) : status;
}

vd_dnnl_md vd_dnnl_memory_md(dnnl_memory_t memory)
{
    const dnnl_memory_desc_t *md = NULL;
    dnnl_memory_get_memory_desc(memory, &md);
    return md;
}

#endif
