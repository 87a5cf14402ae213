/* Passes of our own, element by element: what the kernels' passes do not cover. */
#include <string.h>

#include "engine/plan_parts.h"

enum { MAX_BLOCK = 16 };

bool vd_act_lifts_zero(vd_plan_act act, const float args[2])
{
    switch (act) {
    case VD_ACT_SIGMOID:
    case VD_ACT_EXP:
        return true;
    case VD_ACT_HSIGMOID:
        return args[1] > 0;
    case VD_ACT_CLIP:
        return args[0] > 0 || args[1] < 0;
    default:
        return false;
    }
}

void vd_planar_act(vd_plan_act act, const float args[2], const float *in, float *out, size_t count)
{
    size_t whole = count / 8 * 8;
    if (whole > 0)
        vd_pass_act(VD_KERNEL_F32, act, args, in, out, whole);
    if (whole == count)
        return;
    _Alignas(VD_PLAN_ALIGN) float rest[8] = {0};
    memcpy(rest, in + whole, (count - whole) * sizeof(float));
    vd_pass_act(VD_KERNEL_F32, act, args, rest, rest, 8);
    memcpy(out + whole, rest, (count - whole) * sizeof(float));
}

void vd_planar_same(vd_plan_kind op, const float *a, const float *b, float *out, size_t count)
{
    size_t whole = count / 8 * 8;
    if (whole > 0)
        vd_pass_binary(VD_KERNEL_F32, op, a, b, out, whole);
    if (whole == count)
        return;
    _Alignas(VD_PLAN_ALIGN) float left[8] = {0}, right[8] = {1, 1, 1, 1, 1, 1, 1, 1};
    memcpy(left, a + whole, (count - whole) * sizeof(float));
    memcpy(right, b + whole, (count - whole) * sizeof(float));
    vd_pass_binary(VD_KERNEL_F32, op, left, right, left, 8);
    memcpy(out + whole, left, (count - whole) * sizeof(float));
}

/* out = act(in), either layout. */
int vd_op_act(const vd_plan *plan, const vd_plan_op *op, vd_error *error)
{
    (void)error;
    const vd_tensor *t = &plan->tensors[op->out];
    for (int i = 0; i < t->pictures; i++) {
        void *in = vd_plan_at(plan, op->in[0], i), *out = vd_plan_at(plan, op->out, i);
        if (t->layout == VD_PLANAR)
            vd_planar_act(op->act, op->args, in, out, vd_tensor_count(t));
        else
            vd_pass_act(t->type, op->act, op->args, in, out, vd_tensor_count(t));
    }
    return VD_OK;
}

/* out = in[0] (op) in[1], of the same shape, layout and type. */
int vd_op_same(const vd_plan *plan, const vd_plan_op *op, vd_error *error)
{
    (void)error;
    const vd_tensor *t = &plan->tensors[op->out];
    for (int i = 0; i < t->pictures; i++) {
        void *a = vd_plan_at(plan, op->in[0], i), *b = vd_plan_at(plan, op->in[1], i);
        void *out = vd_plan_at(plan, op->out, i);
        if (t->layout == VD_PLANAR)
            vd_planar_same(op->kind, a, b, out, vd_tensor_count(t));
        else
            vd_pass_binary(t->type, op->kind, a, b, out, vd_tensor_count(t));
    }
    return VD_OK;
}

static inline float apply(vd_plan_kind op, float a, float b)
{
    switch (op) {
    case VD_PLAN_ADD:
        return a + b;
    case VD_PLAN_SUB:
        return a - b;
    case VD_PLAN_MUL:
        return a * b;
    default:
        return a / b;
    }
}

/* A block of channels (op) a value for each channel, as out = scale · x + shift would be, where x is the
 * first operand or the second. `lanes` channels are real; the others become zero. */
typedef struct block_pass {
    vd_plan_kind op;
    bool turned;
    int block, lanes, plane;
    float vector[MAX_BLOCK];
} block_pass;

static inline __attribute__((always_inline)) void run_f32(const block_pass *p, vd_plan_kind op, bool turned,
                                                          const float *x, float *out)
{
    for (int i = 0; i < p->plane; i++, x += p->block, out += p->block) {
        for (int c = 0; c < p->block; c++)
            out[c] = turned ? apply(op, p->vector[c], x[c]) : apply(op, x[c], p->vector[c]);
        for (int c = p->lanes; c < p->block; c++)
            out[c] = 0;
    }
}

static void pass_f32(const block_pass *p, const float *x, float *out)
{
    if (p->op == VD_PLAN_MUL)
        run_f32(p, VD_PLAN_MUL, false, x, out);
    else if (p->op == VD_PLAN_ADD)
        run_f32(p, VD_PLAN_ADD, false, x, out);
    else
        run_f32(p, p->op, p->turned, x, out);
}

static void pass_bf16(const block_pass *p, const uint16_t *x, uint16_t *out)
{
    for (int i = 0; i < p->plane; i++, x += p->block, out += p->block) {
        for (int c = 0; c < p->lanes; c++) {
            float value = vd_from_bf16(x[c]);
            float left = p->turned ? p->vector[c] : value, right = p->turned ? value : p->vector[c];
            out[c] = vd_to_bf16(apply(p->op, left, right));
        }
        for (int c = p->lanes; c < p->block; c++)
            out[c] = 0;
    }
}

/* out = in[0] (op) in[1]: blocked, and a planar value for each channel.
 * n: whether the second comes first; elements from channel to channel and from picture to picture in it */
int vd_op_vector(const vd_plan *plan, const vd_plan_op *op, vd_error *error)
{
    (void)error;
    const vd_tensor *t = &plan->tensors[op->out];
    block_pass p = {
        .op = op->kind, .turned = op->n[0] != 0, .block = vd_kernel_block(), .plane = t->height * t->width};
    size_t bytes = (size_t)p.block * (size_t)p.plane * vd_kernel_bytes(t->type);
    for (int i = 0; i < t->pictures; i++) {
        const float *vector = (const float *)vd_plan_at(plan, op->in[1], 0) + i * op->n[2];
        for (int first = 0; first < t->channels; first += p.block) {
            const char *x = vd_plan_at(plan, op->in[0], i) + (size_t)(first / p.block) * bytes;
            char *out = vd_plan_at(plan, op->out, i) + (size_t)(first / p.block) * bytes;
            p.lanes = t->channels - first < p.block ? t->channels - first : p.block;
            for (int c = 0; c < p.block; c++)
                p.vector[c] = c < p.lanes ? vector[(first + c) * op->n[1]] : 1;
            if (t->type == VD_KERNEL_BF16)
                pass_bf16(&p, (const uint16_t *)x, (uint16_t *)out);
            else
                pass_f32(&p, (const float *)x, (float *)out);
        }
    }
    return VD_OK;
}

static void spread_row(vd_plan_kind op, const float *a, int64_t a_step, const float *b, int64_t b_step,
                       float *out, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        out[i] = apply(op, a[i * a_step], b[i * b_step]);
}

/* out = in[0] (op) in[1], planar, with operands repeated along axes.
 * n: 6 extents of out, 6 strides of in[0] (0 where it is repeated), 6 of in[1] */
int vd_op_spread(const vd_plan *plan, const vd_plan_op *op, vd_error *error)
{
    (void)error;
    const int64_t *extents = op->n, *as = op->n + VD_PLAN_RANK, *bs = op->n + 2 * VD_PLAN_RANK;
    const float *a = (const float *)vd_plan_at(plan, op->in[0], 0);
    const float *b = (const float *)vd_plan_at(plan, op->in[1], 0);
    float *out = (float *)vd_plan_at(plan, op->out, 0);
    int64_t rows = 1, at[VD_PLAN_RANK] = {0};
    for (int i = 0; i < VD_PLAN_RANK - 1; i++)
        rows *= extents[i];
    for (int64_t row = 0; row < rows; row++, out += extents[VD_PLAN_RANK - 1]) {
        const float *from_a = a, *from_b = b;
        for (int i = 0; i < VD_PLAN_RANK - 1; i++) {
            from_a += at[i] * as[i];
            from_b += at[i] * bs[i];
        }
        spread_row(op->kind, from_a, as[VD_PLAN_RANK - 1], from_b, bs[VD_PLAN_RANK - 1], out,
                   extents[VD_PLAN_RANK - 1]);
        for (int i = VD_PLAN_RANK - 2; i >= 0 && ++at[i] == extents[i]; i--)
            at[i] = 0;
    }
    return VD_OK;
}

/* Zeroes the channels of out that fill up its last block. */
int vd_op_clear(const vd_plan *plan, const vd_plan_op *op, vd_error *error)
{
    (void)error;
    const vd_tensor *t = &plan->tensors[op->out];
    size_t block = (size_t)vd_kernel_block(), element = vd_kernel_bytes(t->type);
    size_t plane = (size_t)t->height * (size_t)t->width, lanes = (size_t)t->channels % block;
    for (int i = 0; i < t->pictures; i++) {
        char *last =
            vd_plan_at(plan, op->out, i) + (size_t)(vd_tensor_blocks(t) - 1) * plane * block * element;
        for (size_t j = 0; j < plane; j++)
            memset(last + (j * block + lanes) * element, 0, (block - lanes) * element);
    }
    return VD_OK;
}
