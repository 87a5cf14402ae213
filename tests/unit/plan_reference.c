#include "plan_reference.h"

#include <math.h>
#include <string.h>

typedef struct operands {
    const vd_plan_step *step;
    const vd_plan_value *x, *y; /* the first operand, and what is made */
    const vd_plan_value *values;
    float *const *data;
    const float *in;
    float *out;
} operands;

static double clip(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

static double act_of(const vd_plan_step *step, double x)
{
    const float *f = step->floats;
    switch (step->act) {
    case VD_ACT_SILU:
        return x / (1 + exp(-x));
    case VD_ACT_RELU:
        return fmax(x, 0);
    case VD_ACT_LEAKY:
        return x < 0 ? f[0] * x : x;
    case VD_ACT_CLIP:
        return clip(x, f[0], f[1]);
    case VD_ACT_SIGMOID:
        return 1 / (1 + exp(-x));
    case VD_ACT_HSWISH:
        return x * clip(x / 6 + 0.5, 0, 1);
    case VD_ACT_HSIGMOID:
        return clip(f[0] * x + f[1], 0, 1);
    case VD_ACT_TANH:
        return tanh(x);
    case VD_ACT_EXP:
        return exp(x);
    case VD_ACT_GELU:
        return x / 2 * (1 + erf(x / sqrt(2)));
    default:
        return x;
    }
}

/* Element i of a value of shape y as indices, and indices as an element of a value that spreads over y. */
static void index_of(const vd_plan_value *y, size_t i, int *at)
{
    for (int axis = y->rank - 1; axis >= 0; axis--) {
        at[axis] = (int)(i % (size_t)y->extents[axis]);
        i /= (size_t)y->extents[axis];
    }
}

static size_t element_of(const vd_plan_value *x, const int *at, int at_rank)
{
    size_t i = 0;
    for (int axis = 0; axis < x->rank; axis++) {
        int index = at[at_rank - x->rank + axis];
        i = i * (size_t)x->extents[axis] + (size_t)(x->extents[axis] == 1 ? 0 : index);
    }
    return i;
}

static double conv_at(const operands *o, const int *at)
{
    const vd_plan_value *w = &o->values[o->step->in[1]];
    const int *ints = o->step->ints, *in = o->x->extents;
    int depth = w->extents[1], group = at[1] / (o->y->extents[1] / ints[8]);
    double sum = o->step->in_count > 2 ? (double)o->data[o->step->in[2]][at[1]] : 0;
    for (int c = 0; c < depth; c++)
        for (int ky = 0; ky < w->extents[2]; ky++)
            for (int kx = 0; kx < w->extents[3]; kx++) {
                int y = at[2] * ints[0] + ky * ints[6] - ints[2],
                    x = at[3] * ints[1] + kx * ints[7] - ints[3];
                if (y < 0 || y >= in[2] || x < 0 || x >= in[3])
                    continue;
                int from[4] = {at[0], group * depth + c, y, x}, of[4] = {at[1], c, ky, kx};
                sum += (double)o->in[element_of(o->x, from, 4)] *
                       (double)o->data[o->step->in[1]][element_of(w, of, 4)];
            }
    return sum;
}

static double deconv_at(const operands *o, const int *at)
{
    const vd_plan_value *w = &o->values[o->step->in[1]];
    const int *ints = o->step->ints, *in = o->x->extents;
    int wide = w->extents[1], group = at[1] / wide, depth = in[1] / ints[8];
    double sum = o->step->in_count > 2 ? (double)o->data[o->step->in[2]][at[1]] : 0;
    for (int c = 0; c < depth; c++)
        for (int ky = 0; ky < w->extents[2]; ky++)
            for (int kx = 0; kx < w->extents[3]; kx++) {
                int y = at[2] + ints[2] - ky * ints[6], x = at[3] + ints[3] - kx * ints[7];
                if (y < 0 || y % ints[0] || y / ints[0] >= in[2] || x < 0 || x % ints[1] ||
                    x / ints[1] >= in[3])
                    continue;
                int from[4] = {at[0], group * depth + c, y / ints[0], x / ints[1]};
                int of[4] = {group * depth + c, at[1] % wide, ky, kx};
                sum += (double)o->in[element_of(o->x, from, 4)] *
                       (double)o->data[o->step->in[1]][element_of(w, of, 4)];
            }
    return sum;
}

static double pool_at(const operands *o, const int *at)
{
    const int *ints = o->step->ints, *in = o->x->extents;
    double top = -INFINITY, sum = 0;
    int count = 0;
    for (int ky = 0; ky < ints[0]; ky++)
        for (int kx = 0; kx < ints[1]; kx++) {
            int y = at[2] * ints[2] + ky - ints[4], x = at[3] * ints[3] + kx - ints[5];
            if (y < 0 || y >= in[2] || x < 0 || x >= in[3])
                continue;
            double value = o->in[element_of(o->x, (const int[]){at[0], at[1], y, x}, 4)];
            top = fmax(top, value);
            sum += value;
            count++;
        }
    if (o->step->kind == VD_PLAN_MAX_POOL)
        return top;
    return sum / (o->step->ints[8] ? ints[0] * ints[1] : count);
}

static double global_at(const operands *o, const int *at)
{
    size_t plane = (size_t)o->x->extents[2] * (size_t)o->x->extents[3];
    const float *in = o->in + ((size_t)at[0] * (size_t)o->x->extents[1] + (size_t)at[1]) * plane;
    double sum = 0;
    for (size_t i = 0; i < plane; i++)
        sum += in[i];
    return sum / (double)plane;
}

static double binary_at(const operands *o, const int *at)
{
    const vd_plan_step *step = o->step;
    double a = o->in[element_of(o->x, at, o->y->rank)];
    double b = o->data[step->in[1]][element_of(&o->values[step->in[1]], at, o->y->rank)];
    return step->kind == VD_PLAN_ADD   ? a + b
           : step->kind == VD_PLAN_SUB ? a - b
           : step->kind == VD_PLAN_MUL ? a * b
                                       : a / b;
}

static double concat_at(const operands *o, const int *at)
{
    int axis = o->step->ints[0], from[VD_PLAN_RANK], i = 0;
    memcpy(from, at, sizeof from);
    while (from[axis] >= o->values[o->step->in[i]].extents[axis])
        from[axis] -= o->values[o->step->in[i++]].extents[axis];
    return o->data[o->step->in[i]][element_of(&o->values[o->step->in[i]], from, o->y->rank)];
}

static double moved_at(const operands *o, const int *at)
{
    const int *ints = o->step->ints;
    int from[VD_PLAN_RANK];
    memcpy(from, at, sizeof from);
    if (o->step->kind == VD_PLAN_SLICE)
        from[ints[0]] = ints[1] + at[ints[0]] * ints[3];
    for (int i = 0; o->step->kind == VD_PLAN_NEAREST && i < 2; i++)
        from[2 + i] = at[2 + i] / ints[i];
    for (int i = 0; o->step->kind == VD_PLAN_TRANSPOSE && i < o->y->rank; i++)
        from[ints[i]] = at[i];
    for (int i = 0; o->step->kind == VD_PLAN_PAD && i < 2; i++) {
        from[2 + i] = at[2 + i] - ints[i];
        if (from[2 + i] < 0 || from[2 + i] >= o->x->extents[2 + i])
            return o->step->floats[0];
    }
    return o->in[element_of(o->x, from, o->x->rank)];
}

static double matmul_at(const operands *o, const int *at)
{
    const vd_plan_value *b = &o->values[o->step->in[1]];
    int rank = o->y->rank, left[VD_PLAN_RANK], right[VD_PLAN_RANK];
    double sum = 0;
    memcpy(left, at, sizeof left);
    memcpy(right, at, sizeof right);
    for (int k = 0; k < o->x->extents[o->x->rank - 1]; k++) {
        left[rank - 1] = right[rank - 2] = k;
        sum += (double)o->in[element_of(o->x, left, rank)] *
               (double)o->data[o->step->in[1]][element_of(b, right, rank)];
    }
    return sum;
}

static double softmax_at(const operands *o, const int *at)
{
    int axis = o->step->ints[0], from[VD_PLAN_RANK];
    double own = o->in[element_of(o->x, at, o->y->rank)], sum = 0;
    memcpy(from, at, sizeof from);
    for (from[axis] = 0; from[axis] < o->x->extents[axis]; from[axis]++)
        sum += exp((double)o->in[element_of(o->x, from, o->y->rank)] - own);
    return 1 / sum;
}

static double value_at(const operands *o, size_t i, const int *at)
{
    switch (o->step->kind) {
    case VD_PLAN_CONV:
        return conv_at(o, at);
    case VD_PLAN_DECONV:
        return deconv_at(o, at);
    case VD_PLAN_ADD:
    case VD_PLAN_SUB:
    case VD_PLAN_MUL:
    case VD_PLAN_DIV:
        return binary_at(o, at);
    case VD_PLAN_CONCAT:
        return concat_at(o, at);
    case VD_PLAN_MAX_POOL:
    case VD_PLAN_AVG_POOL:
        return pool_at(o, at);
    case VD_PLAN_GLOBAL_AVG:
        return global_at(o, at);
    case VD_PLAN_MATMUL:
        return matmul_at(o, at);
    case VD_PLAN_SOFTMAX:
        return softmax_at(o, at);
    case VD_PLAN_ACT:
    case VD_PLAN_RESHAPE:
        return o->in[i];
    default:
        return moved_at(o, at);
    }
}

void reference_step(const vd_plan_value *values, const vd_plan_step *step, float *const *data)
{
    const operands o = {step, &values[step->in[0]], &values[step->out], values,
                        data, data[step->in[0]],    data[step->out]};
    size_t count = vd_plan_count(o.y);
    int at[VD_PLAN_RANK] = {0};
    for (size_t i = 0; i < count; i++) {
        index_of(o.y, i, at);
        o.out[i] = (float)act_of(step, value_at(&o, i, at));
    }
}
