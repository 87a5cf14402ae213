/* A convolution by oneDNN: its life and its run. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/kernel_conv.h"

int vd_conv_fail(vd_error *error, dnnl_status_t status)
{
    if (status == dnnl_out_of_memory)
        return vd_error_set(error, VD_ENOMEM, NULL, "there is not enough memory for a convolution");
    return vd_error_set(error, VD_EFORMAT, NULL, "oneDNN could not compute a convolution (status %d)",
                        (int)status);
}

size_t vd_conv_out_count(const vd_conv *conv)
{
    return (size_t)conv->out_full * (size_t)conv->shape.out_height * (size_t)conv->shape.out_width;
}

static int rounded_up(int channels, int block)
{
    return (channels + block - 1) / block * block;
}

/* Whether oneDNN can be given the groups as they are: one channel each, or whole blocks. */
static bool keeps_groups(const vd_conv_shape *shape, int block)
{
    bool depthwise = shape->groups == shape->in && shape->groups == shape->out;
    return depthwise || (shape->in / shape->groups % block == 0 && shape->out / shape->groups % block == 0);
}

static bool is_zero_at_zero(const vd_conv_shape *shape)
{
    vd_act_job job = {.act = shape->act};
    float zero[1] = {0}, made[1] = {0};
    memcpy(job.args, shape->act_args, sizeof job.args);
    job.in = zero;
    job.out = made;
    vd_lanes_here()->act(&job, 0, 1);
    return made[0] == 0.0f;
}

static bool is_sound(const vd_conv_shape *shape)
{
    enum { LIMIT = 1 << 20 };
    const int positive[] = {shape->in,         shape->out,       shape->in_height,   shape->in_width,
                            shape->out_height, shape->out_width, shape->kernel[0],   shape->kernel[1],
                            shape->stride[0],  shape->stride[1], shape->dilation[0], shape->dilation[1],
                            shape->groups};
    for (size_t i = 0; i < sizeof positive / sizeof *positive; i++)
        if (positive[i] < 1 || positive[i] > LIMIT)
            return false;
    for (int i = 0; i < 4; i++)
        if (shape->pads[i] < 0 || shape->pads[i] > LIMIT)
            return false;
    return shape->in % shape->groups == 0 && shape->out % shape->groups == 0 &&
           (shape->type != VD_KERNEL_BF16 || vd_kernel_has_bf16());
}

static vd_conv *make(const vd_conv_shape *shape)
{
    vd_conv *conv = calloc(1, sizeof *conv);
    if (!conv)
        return NULL;
    conv->shape = *shape;
    conv->threads = vd_kernel_threads();
    conv->block = vd_kernel_block();
    conv->in_full = rounded_up(shape->in, conv->block);
    conv->out_full = rounded_up(shape->out, conv->block);
    bool depthwise = shape->groups > 1 && shape->groups == shape->in && shape->groups == shape->out;
    conv->groups = depthwise ? conv->in_full : keeps_groups(shape, conv->block) ? shape->groups : 1;
    conv->out_type = shape->float_out ? VD_KERNEL_F32 : shape->type;
    conv->clears = conv->out_full != shape->out && !is_zero_at_zero(shape);
    return conv;
}

/* A convolution without candidates. */
static int begin(const vd_conv_shape *shape, vd_conv **ret_conv, vd_error *error)
{
    if (!vd_kernel_here() || !is_sound(shape))
        return vd_error_set(error, VD_EFORMAT, NULL, "no kernel computes a convolution of this shape here");
    vd_conv *conv = make(shape);
    if (!conv)
        return vd_conv_fail(error, dnnl_out_of_memory);
    dnnl_status_t status = dnnl_engine_create(&conv->engine, dnnl_cpu, 0);
    if (status == dnnl_success)
        status = dnnl_stream_create(&conv->stream, conv->engine, dnnl_stream_default_flags);
    if (status != dnnl_success) {
        vd_conv_free(&conv);
        return vd_conv_fail(error, status);
    }
    *ret_conv = conv;
    return VD_OK;
}

/* Every candidate, or the one that is wanted. */
static int find(vd_conv *conv, const float *weights, const float *bias, const char *wanted, vd_error *error)
{
    dnnl_status_t status = vd_conv_find(conv, weights, bias, wanted);
    if (status == dnnl_success)
        status = vd_wino_find(conv, weights, wanted);
    if (status == dnnl_out_of_memory)
        return vd_conv_fail(error, status);
    if (status != dnnl_success || !conv->count)
        return vd_error_set(error, VD_EFORMAT, NULL,
                            "oneDNN has no fast kernel for a convolution of %d to %d channels",
                            conv->shape.in, conv->shape.out);
    return VD_OK;
}

/* The fastest, by the clock for the first of its shape, and by what was chosen then for all others. */
static int find_fastest(vd_conv *conv, const float *weights, const float *bias, vd_error *error)
{
    vd_choice_key key;
    char wanted[VD_CHOICE_TEXT];
    int code = VD_OK;
    vd_choice_key_of(&conv->shape, conv->threads, conv->block, &key);
    vd_choice_lock();
    bool known = vd_choice_find(&key, wanted);
    if (!known) {
        code = find(conv, weights, bias, NULL, error);
        if (!code)
            code = vd_conv_tune(conv, error);
        if (!code)
            vd_choice_keep(&key, conv->candidates[0].text);
    }
    vd_choice_unlock();
    return known ? find(conv, weights, bias, wanted, error) : code;
}

int vd_conv_new(const vd_conv_shape *shape, const float *weights, const float *bias, vd_conv **ret_conv,
                vd_error *error)
{
    vd_conv *conv = NULL;
    int code = begin(shape, &conv, error);
    if (!code)
        code = find_fastest(conv, weights, bias, error);
    if (code)
        vd_conv_free(&conv);
    else
        *ret_conv = conv;
    return code;
}

int vd_conv_new_all(const vd_conv_shape *shape, const float *weights, const float *bias, vd_conv **ret_conv,
                    vd_error *error)
{
    vd_conv *conv = NULL;
    int code = begin(shape, &conv, error);
    if (!code)
        code = find(conv, weights, bias, NULL, error);
    if (code)
        vd_conv_free(&conv);
    else
        *ret_conv = conv;
    return code;
}

void vd_candidate_fini(vd_candidate *candidate)
{
    free(candidate->wino_weights);
    if (candidate->primitive)
        dnnl_primitive_destroy(candidate->primitive);
    const dnnl_memory_t memories[] = {candidate->in, candidate->out, candidate->addend, candidate->scratch};
    for (size_t i = 0; i < sizeof memories / sizeof *memories; i++)
        if (memories[i])
            dnnl_memory_destroy(memories[i]);
    if (candidate->weights && --candidate->weights->users == 0) {
        dnnl_memory_destroy(candidate->weights->memory);
        candidate->weights->memory = NULL;
    }
    *candidate = (vd_candidate){0};
}

void vd_conv_free(vd_conv **conv)
{
    vd_conv *it = *conv;
    if (!it)
        return;
    for (int i = 0; i < it->count; i++)
        vd_candidate_fini(&it->candidates[i]);
    if (it->bias)
        dnnl_memory_destroy(it->bias);
    if (it->stream)
        dnnl_stream_destroy(it->stream);
    if (it->engine)
        dnnl_engine_destroy(it->engine);
    free(it);
    *conv = NULL;
}

size_t vd_conv_scratch_bytes(const vd_conv *conv)
{
    size_t most = 0;
    for (int i = 0; i < conv->count; i++) {
        const vd_candidate *candidate = &conv->candidates[i];
        size_t bytes = candidate->own_bytes + candidate->feed_bytes + candidate->made_bytes;
        most = bytes > most ? bytes : most;
    }
    return most;
}

int vd_conv_candidates(const vd_conv *conv)
{
    return conv->count;
}

void vd_conv_choose(vd_conv *conv, int candidate)
{
    conv->chosen = candidate;
}

const char *vd_conv_text(const vd_conv *conv)
{
    return conv->candidates[conv->chosen].text;
}

/* The picture as the primitive reads it. */
static const void *feed(const vd_conv *conv, const vd_candidate *candidate, const void *in, void *room)
{
    const vd_conv_shape *shape = &conv->shape;
    int plane = shape->in_height * shape->in_width;
    if (candidate->feed == VD_FEED_AS_IS)
        return in;
    if (candidate->feed == VD_FEED_BLOCKED) {
        vd_pass_block(shape->type, in, room, shape->in, plane);
        return room;
    }
    vd_act_job job = {.in_type = VD_KERNEL_F32, .out_type = VD_KERNEL_BF16, .in = in, .out = room};
    vd_pass_act_mixed(&job, (size_t)shape->in * (size_t)plane);
    return room;
}

static dnnl_status_t execute(const vd_conv *conv, const vd_candidate *candidate, const void *in, void *out,
                             const void *addend, void *scratch)
{
    const dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, candidate->in},
                                    {DNNL_ARG_WEIGHTS, candidate->weights->memory},
                                    {DNNL_ARG_BIAS, conv->bias},
                                    {DNNL_ARG_DST, candidate->out},
                                    {DNNL_ARG_SCRATCHPAD, candidate->scratch},
                                    {candidate->addend_arg, candidate->addend}};
    dnnl_status_t status = dnnl_memory_set_data_handle(candidate->in, (void *)in);
    if (status == dnnl_success)
        status = dnnl_memory_set_data_handle(candidate->out, out);
    if (status == dnnl_success)
        status = dnnl_memory_set_data_handle(candidate->scratch, scratch);
    if (status == dnnl_success && candidate->does_add)
        status = dnnl_memory_set_data_handle(candidate->addend, (void *)addend);
    if (status == dnnl_success)
        status =
            dnnl_primitive_execute(candidate->primitive, conv->stream, candidate->does_add ? 6 : 5, args);
    return status == dnnl_success ? dnnl_stream_wait(conv->stream) : status;
}

/* Zeros in the channels that fill up the last block. */
static void clear_padding(const vd_conv *conv, void *out)
{
    size_t bytes = vd_type_bytes(conv->out_type), block = (size_t)conv->block * bytes;
    size_t plane = (size_t)conv->shape.out_height * (size_t)conv->shape.out_width;
    size_t used = (size_t)(conv->shape.out % conv->block) * bytes;
    char *last = (char *)out + (size_t)(conv->out_full / conv->block - 1) * plane * block;
    for (size_t i = 0; i < plane; i++)
        memset(last + i * block + used, 0, block - used);
}

int vd_candidate_run(const vd_conv *conv, const vd_candidate *candidate, const void *in, void *out,
                     const void *addend, void *scratch, vd_error *error)
{
    if (candidate->wino_weights) {
        vd_wino_run(conv, candidate, in, out, addend, scratch);
        if (conv->clears)
            clear_padding(conv, out);
        return VD_OK;
    }
    const vd_conv_shape *shape = &conv->shape;
    char *fed = (char *)scratch + candidate->own_bytes, *made = fed + candidate->feed_bytes;
    /* What would overwrite the addend before it is added goes to the scratch first. */
    bool aside = candidate->made_type != conv->out_type || (shape->add && addend == out);
    void *to = aside ? made : out;
    in = feed(conv, candidate, in, fed);
    dnnl_status_t status = execute(conv, candidate, in, to, addend, scratch);
    if (status != dnnl_success)
        return vd_conv_fail(error, status);
    vd_act_job job = {.in_type = candidate->made_type, .out_type = conv->out_type, .in = to, .out = out};
    job.act = candidate->does_act ? VD_ACT_NONE : shape->act;
    job.addend = shape->add && !candidate->does_add ? addend : NULL;
    memcpy(job.args, shape->act_args, sizeof job.args);
    if (aside || job.act != VD_ACT_NONE || job.addend)
        vd_pass_act_mixed(&job, vd_conv_out_count(conv));
    if (conv->clears)
        clear_padding(conv, out);
    return VD_OK;
}

int vd_conv_run(const vd_conv *conv, const void *in, void *out, const void *addend, void *scratch,
                vd_error *error)
{
    if (vd_kernel_threads() != conv->threads)
        vd_kernel_set_threads(conv->threads);
    return vd_candidate_run(conv, &conv->candidates[conv->chosen], in, out, addend, scratch, error);
}
