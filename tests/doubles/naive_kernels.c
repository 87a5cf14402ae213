/* core/engine/kernels.h in plain loops, 16 channels to a block: so that plans are tested where oneDNN is
 * missing, and under sanitizers. It checks what the header promises: aligned buffers, zeros in channels that
 * fill up. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/kernels.h"
#include "engine/plan_parts.h"

enum { BLOCK = 16, SCRATCH = 256 };

/* As assert, in every build. */
#define MUST(what)                                                                                           \
    do {                                                                                                     \
        if (!(what)) {                                                                                       \
            fprintf(stderr, "%s:%d: %s: it must be that %s\n", __FILE__, __LINE__, __func__, #what);         \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

struct vd_conv {
    vd_conv_shape shape;
    float *weights, *bias;
};

bool vd_kernel_here(void)
{
    return true;
}

bool vd_kernel_has_bf16(void)
{
    return true;
}

const char *vd_kernel_version(void)
{
    return "plain loops";
}

int vd_kernel_block(void)
{
    return BLOCK;
}

void vd_kernel_set_threads(int threads)
{
    (void)threads;
}

static float get(vd_kernel_type type, const void *memory, size_t i)
{
    return type == VD_KERNEL_BF16 ? vd_from_bf16(((const uint16_t *)memory)[i]) : ((const float *)memory)[i];
}

static void put(vd_kernel_type type, void *memory, size_t i, float value)
{
    if (type == VD_KERNEL_BF16)
        ((uint16_t *)memory)[i] = vd_to_bf16(value);
    else
        ((float *)memory)[i] = value;
}

static size_t at(int c, int plane, int i)
{
    return ((size_t)(c / BLOCK) * (size_t)plane + (size_t)i) * BLOCK + (size_t)(c % BLOCK);
}

static int padded(int channels)
{
    return (channels + BLOCK - 1) / BLOCK * BLOCK;
}

static void check_aligned(const void *memory)
{
    MUST((uintptr_t)memory % 64 == 0);
}

/* A blocked picture whose last channels are no zeros has been forgotten by somebody. */
static void check_clean(vd_kernel_type type, const void *memory, int channels, int plane)
{
    check_aligned(memory);
    for (int c = channels; c < padded(channels); c++)
        for (int i = 0; i < plane; i++)
            MUST(get(type, memory, at(c, plane, i)) == 0);
}

static float clip(float x, float low, float high)
{
    return x < low ? low : x > high ? high : x;
}

static float act_of(vd_plan_act act, const float args[2], float x)
{
    switch (act) {
    case VD_ACT_SILU:
        return x / (1 + expf(-x));
    case VD_ACT_RELU:
        return x > 0 ? x : 0;
    case VD_ACT_LEAKY:
        return x > 0 ? x : x * args[0];
    case VD_ACT_CLIP:
        return clip(x, args[0], args[1]);
    case VD_ACT_SIGMOID:
        return 1 / (1 + expf(-x));
    case VD_ACT_HSWISH:
        return x * clip(x / 6 + 0.5f, 0, 1);
    case VD_ACT_HSIGMOID:
        return clip(args[0] * x + args[1], 0, 1);
    case VD_ACT_TANH:
        return tanhf(x);
    case VD_ACT_EXP:
        return expf(x);
    case VD_ACT_GELU:
        return 0.5f * x * (1 + erff(x * 0.70710678f));
    default:
        return x;
    }
}

/* Groups that cut blocks are refused, as a real kernel may: the plan has its own way for them. */
int vd_conv_new(const vd_conv_shape *shape, const float *weights, const float *bias, vd_conv **ret_conv,
                vd_error *error)
{
    bool depthwise = shape->groups == shape->in && shape->groups == shape->out;
    if (shape->groups > 1 && !depthwise && shape->in / shape->groups % BLOCK != 0)
        return vd_error_set(error, VD_EFORMAT, NULL, "These groups are not for this kernel.");
    vd_conv *conv = calloc(1, sizeof *conv);
    size_t count =
        (size_t)shape->out * (size_t)(shape->in / shape->groups * shape->kernel[0] * shape->kernel[1]);
    conv->shape = *shape;
    conv->weights = malloc(count * sizeof(float));
    conv->bias = calloc((size_t)shape->out, sizeof(float));
    memcpy(conv->weights, weights, count * sizeof(float));
    if (bias)
        memcpy(conv->bias, bias, (size_t)shape->out * sizeof(float));
    *ret_conv = conv;
    return VD_OK;
}

void vd_conv_free(vd_conv **conv)
{
    if (*conv) {
        free((*conv)->weights);
        free((*conv)->bias);
        free(*conv);
    }
    *conv = NULL;
}

size_t vd_conv_scratch_bytes(const vd_conv *conv)
{
    (void)conv;
    return SCRATCH;
}

static float pixel(const vd_conv *conv, const void *in, int o, int y, int x)
{
    const vd_conv_shape *s = &conv->shape;
    int depth = s->in / s->groups, first = o / (s->out / s->groups) * depth,
        plane = s->in_height * s->in_width;
    const float *w = conv->weights + (size_t)(o * depth * s->kernel[0] * s->kernel[1]);
    float sum = conv->bias[o];
    for (int c = first; c < first + depth; c++)
        for (int ky = 0; ky < s->kernel[0]; ky++)
            for (int kx = 0; kx < s->kernel[1]; kx++, w++) {
                int row = y * s->stride[0] + ky * s->dilation[0] - s->pads[0];
                int column = x * s->stride[1] + kx * s->dilation[1] - s->pads[1];
                if (row < 0 || row >= s->in_height || column < 0 || column >= s->in_width)
                    continue;
                int i = row * s->in_width + column;
                sum += *w * (s->planar_in ? ((const float *)in)[c * plane + i]
                                          : get(s->type, in, at(c, plane, i)));
            }
    return sum;
}

int vd_conv_run(const vd_conv *conv, const void *in, void *out, const void *addend, void *scratch,
                vd_error *error)
{
    const vd_conv_shape *s = &conv->shape;
    vd_kernel_type to = s->float_out ? VD_KERNEL_F32 : s->type;
    int plane = s->out_height * s->out_width;
    (void)error;
    check_aligned(out);
    check_aligned(in);
    MUST((addend != NULL) == s->add);
    if (!s->planar_in)
        check_clean(s->type, in, s->in, s->in_height * s->in_width);
    if (addend)
        check_clean(s->type, addend, s->out, plane);
    memset(scratch, 0x7f, SCRATCH);
    for (int c = 0; c < padded(s->out); c++)
        for (int i = 0; i < plane; i++) {
            float sum = c < s->out ? pixel(conv, in, c, i / s->out_width, i % s->out_width) : 0;
            sum = act_of(s->act, s->act_args, sum);
            put(to, out, at(c, plane, i), sum + (addend ? get(s->type, addend, at(c, plane, i)) : 0));
        }
    return VD_OK;
}

const char *vd_conv_text(const vd_conv *conv)
{
    (void)conv;
    return "plain loops";
}

void vd_pass_act(vd_kernel_type type, vd_plan_act act, const float act_args[2], const void *in, void *out,
                 size_t count)
{
    MUST(count % 8 == 0);
    for (size_t i = 0; i < count; i++)
        put(type, out, i, act_of(act, act_args, get(type, in, i)));
}

void vd_pass_act_add(vd_kernel_type type, vd_plan_act act, const float act_args[2], const void *in,
                     const void *addend, void *out, size_t count)
{
    MUST(count % 8 == 0);
    for (size_t i = 0; i < count; i++)
        put(type, out, i, act_of(act, act_args, get(type, in, i)) + get(type, addend, i));
}

void vd_pass_binary(vd_kernel_type type, vd_plan_kind op, const void *a, const void *b, void *out,
                    size_t count)
{
    MUST(count % 8 == 0);
    for (size_t i = 0; i < count; i++) {
        float x = get(type, a, i), y = get(type, b, i);
        put(type, out, i,
            op == VD_PLAN_ADD   ? x + y
            : op == VD_PLAN_SUB ? x - y
            : op == VD_PLAN_MUL ? x * y
                                : x / y);
    }
}

void vd_pass_block(vd_kernel_type type, const float *in, void *out, int channels, int plane)
{
    check_aligned(out);
    for (int c = 0; c < padded(channels); c++)
        for (int i = 0; i < plane; i++)
            put(type, out, at(c, plane, i), c < channels ? in[(size_t)c * (size_t)plane + (size_t)i] : 0);
}

void vd_pass_unblock(vd_kernel_type type, const void *in, float *out, int channels, int plane)
{
    check_clean(type, in, channels, plane);
    for (int c = 0; c < channels; c++)
        for (int i = 0; i < plane; i++)
            out[(size_t)c * (size_t)plane + (size_t)i] = get(type, in, at(c, plane, i));
}

void vd_pass_max_pool(vd_kernel_type type, const vd_pool_shape *s, const void *in, void *out)
{
    int in_plane = s->in_height * s->in_width, out_plane = s->out_height * s->out_width;
    check_clean(type, in, s->channels, in_plane);
    check_aligned(out);
    for (int c = 0; c < padded(s->channels); c++)
        for (int i = 0; i < out_plane; i++) {
            float top = -INFINITY;
            for (int k = 0; k < s->kernel[0] * s->kernel[1]; k++) {
                int y = i / s->out_width * s->stride[0] - s->pads[0] + k / s->kernel[1];
                int x = i % s->out_width * s->stride[1] - s->pads[1] + k % s->kernel[1];
                if (y >= 0 && y < s->in_height && x >= 0 && x < s->in_width)
                    top = fmaxf(top, get(type, in, at(c, in_plane, y * s->in_width + x)));
            }
            put(type, out, at(c, out_plane, i), top);
        }
}

void vd_pass_nearest(vd_kernel_type type, const void *in, void *out, int channels, int height, int width,
                     const int factor[2])
{
    int wide = width * factor[1], plane = height * factor[0] * wide;
    check_clean(type, in, channels, height * width);
    check_aligned(out);
    for (int c = 0; c < padded(channels); c++)
        for (int i = 0; i < plane; i++)
            put(type, out, at(c, plane, i),
                get(type, in, at(c, height * width, i / wide / factor[0] * width + i % wide / factor[1])));
}

void vd_pass_softmax(const float *in, float *out, int rows, int columns)
{
    for (int r = 0; r < rows; r++, in += columns, out += columns) {
        float top = -INFINITY, sum = 0;
        for (int i = 0; i < columns; i++)
            top = fmaxf(top, in[i]);
        for (int i = 0; i < columns; i++)
            sum += out[i] = expf(in[i] - top);
        for (int i = 0; i < columns; i++)
            out[i] /= sum;
    }
}

void vd_pass_matmul(bool a_turned, bool b_turned, int m, int n, int k, const float *a, const float *b,
                    float *c)
{
    for (int i = 0; i < m; i++)
        for (int j = 0; j < n; j++) {
            float sum = 0;
            for (int l = 0; l < k; l++)
                sum +=
                    (a_turned ? a[(size_t)l * (size_t)m + (size_t)i] : a[(size_t)i * (size_t)k + (size_t)l]) *
                    (b_turned ? b[(size_t)j * (size_t)k + (size_t)l] : b[(size_t)l * (size_t)n + (size_t)j]);
            c[(size_t)i * (size_t)n + (size_t)j] = sum;
        }
}
