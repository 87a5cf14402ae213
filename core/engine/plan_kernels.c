/* Operations that the kernels carry out, picture by picture. */
#include "engine/plan_parts.h"

/* out = conv(in[0]) [+ in[1]]. n: floats of a picture of a planar in[0] */
int vd_op_conv(const vd_plan *plan, const vd_plan_op *op, vd_error *error)
{
    bool planar = plan->tensors[op->in[0]].layout == VD_PLANAR;
    int code = VD_OK;
    for (int i = 0; code == VD_OK && i < plan->tensors[op->out].pictures; i++) {
        const char *in = vd_plan_at(plan, op->in[0], planar ? 0 : i);
        if (planar)
            in += (size_t)(i * op->n[0]) * sizeof(float);
        const void *addend = op->in[1] >= 0 ? vd_plan_at(plan, op->in[1], i) : NULL;
        code = vd_conv_run(op->conv, in, vd_plan_at(plan, op->out, i), addend, plan->scratch, error);
    }
    return code;
}

/* n: kernel h, w, stride h, w, pads top, left */
int vd_op_max_pool(const vd_plan *plan, const vd_plan_op *op, vd_error *error)
{
    (void)error;
    const vd_tensor *in = &plan->tensors[op->in[0]], *out = &plan->tensors[op->out];
    vd_pool_shape shape = {.channels = in->channels,
                           .in_height = in->height,
                           .in_width = in->width,
                           .out_height = out->height,
                           .out_width = out->width,
                           .kernel = {(int)op->n[0], (int)op->n[1]},
                           .stride = {(int)op->n[2], (int)op->n[3]},
                           .pads = {(int)op->n[4], (int)op->n[5]}};
    for (int i = 0; i < out->pictures; i++)
        vd_pass_max_pool(out->type, &shape, vd_plan_at(plan, op->in[0], i), vd_plan_at(plan, op->out, i));
    return VD_OK;
}

/* n: factor h, w */
int vd_op_nearest(const vd_plan *plan, const vd_plan_op *op, vd_error *error)
{
    (void)error;
    const vd_tensor *in = &plan->tensors[op->in[0]];
    const int factor[2] = {(int)op->n[0], (int)op->n[1]};
    for (int i = 0; i < in->pictures; i++)
        vd_pass_nearest(in->type, vd_plan_at(plan, op->in[0], i), vd_plan_at(plan, op->out, i), in->channels,
                        in->height, in->width, factor);
    return VD_OK;
}

/* Planar, a stack of products.
 * n: m, n, k, whether in[0] and in[1] are stored transposed, 4 extents of the stack, 4 strides of in[0] in
 * it, 4 of in[1] */
int vd_op_matmul(const vd_plan *plan, const vd_plan_op *op, vd_error *error)
{
    (void)error;
    const int64_t *n = op->n, *extents = n + 5, *as = n + 9, *bs = n + 13;
    const float *a = (const float *)vd_plan_at(plan, op->in[0], 0);
    const float *b = (const float *)vd_plan_at(plan, op->in[1], 0);
    float *c = (float *)vd_plan_at(plan, op->out, 0);
    int64_t count = extents[0] * extents[1] * extents[2] * extents[3];
    for (int64_t i = 0; i < count; i++, c += n[0] * n[1]) {
        int64_t rest = i, a_at = 0, b_at = 0;
        for (int axis = 3; axis >= 0; axis--) {
            a_at += rest % extents[axis] * as[axis];
            b_at += rest % extents[axis] * bs[axis];
            rest /= extents[axis];
        }
        vd_pass_matmul(n[3] != 0, n[4] != 0, (int)n[0], (int)n[1], (int)n[2], a + a_at, b + b_at, c);
    }
    return VD_OK;
}

enum { CHUNK = 64 };

/* The softmax of up to CHUNK columns side by side, along `length` rows that lie `inner` floats apart. */
static void softmax_columns(const float *in, float *out, int64_t length, int64_t inner, int64_t count)
{
    static const float no_args[2];
    float top[CHUNK], sum[CHUNK] = {0};
    for (int64_t i = 0; i < count; i++)
        top[i] = in[i];
    for (int64_t k = 1; k < length; k++)
        for (int64_t i = 0; i < count; i++)
            top[i] = in[k * inner + i] > top[i] ? in[k * inner + i] : top[i];
    for (int64_t k = 0; k < length; k++) {
        float *row = out + k * inner;
        for (int64_t i = 0; i < count; i++)
            row[i] = in[k * inner + i] - top[i];
        vd_planar_act(VD_ACT_EXP, no_args, row, row, (size_t)count);
        for (int64_t i = 0; i < count; i++)
            sum[i] += row[i];
    }
    for (int64_t i = 0; i < count; i++)
        sum[i] = 1 / sum[i];
    for (int64_t k = 0; k < length; k++)
        for (int64_t i = 0; i < count; i++)
            out[k * inner + i] *= sum[i];
}

/* Planar. n: elements before the axis, along it, after it */
int vd_op_softmax(const vd_plan *plan, const vd_plan_op *op, vd_error *error)
{
    (void)error;
    const float *in = (const float *)vd_plan_at(plan, op->in[0], 0);
    float *out = (float *)vd_plan_at(plan, op->out, 0);
    int64_t outer = op->n[0], length = op->n[1], inner = op->n[2];
    if (inner == 1) {
        vd_pass_softmax(in, out, (int)outer, (int)length);
        return VD_OK;
    }
    for (int64_t o = 0; o < outer; o++, in += length * inner, out += length * inner)
        for (int64_t i = 0; i < inner; i += CHUNK)
            softmax_columns(in + i, out + i, length, inner, inner - i < CHUNK ? inner - i : CHUNK);
    return VD_OK;
}
