/* Windows that move over pictures: averages (blocked), and convolutions that no kernel takes (planar). Right
 * rather than fast: a convolution is gathered into columns and multiplied, its transpose multiplied and
 * scattered. */
#include <string.h>

#include "engine/plan_parts.h"

enum { MAX_BLOCK = 16 };

/* One axis of a window: where it starts and ends in the input for output `i`. */
typedef struct reach {
    int64_t from, to, full; /* full: the length with padding counted, none of it outside */
} reach;

static reach reach_of(int64_t i, int64_t kernel, int64_t stride, int64_t before, int64_t after,
                      int64_t extent)
{
    int64_t from = i * stride - before, to = from + kernel;
    int64_t full = (to < extent + after ? to : extent + after) - from;
    return (reach){from < 0 ? 0 : from, to > extent ? extent : to, full};
}

/* One block of channels at one place. */
static void average(const vd_tensor *in, const char *from, char *to, reach y, reach x, bool padded)
{
    int64_t block = vd_kernel_block(), count = padded ? y.full * x.full : (y.to - y.from) * (x.to - x.from);
    float sum[MAX_BLOCK] = {0};
    for (int64_t i = y.from; i < y.to; i++)
        for (int64_t j = x.from * block; j < x.to * block; j += block) {
            int64_t at = i * in->width * block + j;
            for (int64_t k = 0; k < block; k++)
                sum[k] += in->type == VD_KERNEL_BF16 ? vd_from_bf16(((const uint16_t *)from)[at + k])
                                                     : ((const float *)from)[at + k];
        }
    float scale = count > 0 ? 1 / (float)count : 0;
    for (int64_t k = 0; k < block; k++)
        if (in->type == VD_KERNEL_BF16)
            ((uint16_t *)to)[k] = vd_to_bf16(sum[k] * scale);
        else
            ((float *)to)[k] = sum[k] * scale;
}

/* Blocked. n: the step's ints (kernel h, w, stride h, w, pads top, left, bottom, right, whether padding
 * counts) */
int vd_op_avg_pool(const vd_plan *plan, const vd_plan_op *op, vd_error *error)
{
    (void)error;
    const vd_tensor *in = &plan->tensors[op->in[0]], *out = &plan->tensors[op->out];
    const int64_t *n = op->n;
    size_t pixel = (size_t)vd_kernel_block() * vd_kernel_bytes(in->type);
    size_t in_plane = (size_t)in->height * (size_t)in->width * pixel;
    for (int i = 0; i < in->pictures; i++) {
        const char *from = vd_plan_at(plan, op->in[0], i);
        char *to = vd_plan_at(plan, op->out, i);
        for (int c = 0; c < vd_tensor_blocks(in); c++, from += in_plane)
            for (int y = 0; y < out->height; y++) {
                reach rows = reach_of(y, n[0], n[2], n[4], n[6], in->height);
                for (int x = 0; x < out->width; x++, to += pixel)
                    average(in, from, to, rows, reach_of(x, n[1], n[3], n[5], n[7], in->width), n[8] != 0);
            }
    }
    return VD_OK;
}

/* Blocked to planar [n, c, 1, 1]. */
int vd_op_global_avg(const vd_plan *plan, const vd_plan_op *op, vd_error *error)
{
    (void)error;
    const vd_tensor *t = &plan->tensors[op->in[0]];
    size_t block = (size_t)vd_kernel_block(), plane = (size_t)t->height * (size_t)t->width;
    float *out = (float *)vd_plan_at(plan, op->out, 0);
    for (int i = 0; i < t->pictures; i++)
        for (size_t c = 0; c < (size_t)t->channels; c += block) {
            const char *in = vd_plan_at(plan, op->in[0], i) + c * plane * vd_kernel_bytes(t->type);
            float sum[MAX_BLOCK] = {0};
            for (size_t j = 0; j < plane * block; j += block)
                for (size_t k = 0; k < block; k++)
                    sum[k] += t->type == VD_KERNEL_BF16 ? vd_from_bf16(((const uint16_t *)in)[j + k])
                                                        : ((const float *)in)[j + k];
            for (size_t k = 0; k < block && c + k < (size_t)t->channels; k++)
                *out++ = sum[k] / (float)plane;
        }
    return VD_OK;
}

/* The geometry of a convolution, as an operation's numbers hold it. `big` is the side that the window moves
 * over: the input of a convolution, the output of its transpose. */
typedef struct window {
    int64_t groups, big_channels, big_height, big_width, small_channels, small_height, small_width;
    int64_t kernel[2], stride[2], dilation[2], top, left, pictures, bias;
} window;

static window window_of(const int64_t *n)
{
    return (window){.groups = n[0],
                    .big_channels = n[1],
                    .big_height = n[2],
                    .big_width = n[3],
                    .small_channels = n[4],
                    .small_height = n[5],
                    .small_width = n[6],
                    .kernel = {n[7], n[8]},
                    .stride = {n[9], n[10]},
                    .dilation = {n[11], n[12]},
                    .top = n[13],
                    .left = n[14],
                    .pictures = n[15],
                    .bias = n[16]};
}

/* Row y of the window's element: `small` of them, at `big` with a step; nothing where it is outside. */
static void move_row(const window *w, float *big, float *small, int64_t first, bool gather)
{
    for (int64_t x = 0; x < w->small_width; x++) {
        int64_t at = first + x * w->stride[1];
        bool inside = at >= 0 && at < w->big_width;
        if (gather)
            small[x] = inside ? big[at] : 0;
        else if (inside)
            big[at] += small[x];
    }
}

/* Gathers the channels of a group into columns [channels · kh · kw, small plane], or adds the columns back.
 */
static void move_columns(const window *w, float *big, float *columns, bool gather)
{
    int64_t channels = w->big_channels / w->groups;
    for (int64_t c = 0; c < channels; c++, big += w->big_height * w->big_width)
        for (int64_t ky = 0; ky < w->kernel[0]; ky++)
            for (int64_t kx = 0; kx < w->kernel[1]; kx++)
                for (int64_t y = 0; y < w->small_height; y++, columns += w->small_width) {
                    int64_t row = y * w->stride[0] + ky * w->dilation[0] - w->top;
                    if (row >= 0 && row < w->big_height)
                        move_row(w, big + row * w->big_width, columns, kx * w->dilation[1] - w->left, gather);
                    else if (gather)
                        memset(columns, 0, (size_t)w->small_width * sizeof *columns);
                }
}

static void add_bias(float *out, const float *bias, int64_t channels, int64_t plane)
{
    for (int64_t c = 0; c < channels; c++)
        for (int64_t i = 0; i < plane; i++)
            out[c * plane + i] += bias[c];
}

/* in[1]: the weights as in the file, then the bias. temp: the columns of a group.
 * n: groups, channels, height, width of the side that the window moves over, of the other side, kernel h, w,
 * stride h, w, dilation h, w, pads top, left, pictures, 1 where there is a bias */
int vd_op_planar_conv(const vd_plan *plan, const vd_plan_op *op, vd_error *error)
{
    (void)error;
    window w = window_of(op->n);
    int64_t plane = w.small_height * w.small_width, rows = w.small_channels / w.groups;
    int64_t depth = w.big_channels / w.groups * w.kernel[0] * w.kernel[1];
    float *in = (float *)vd_plan_at(plan, op->in[0], 0), *out = (float *)vd_plan_at(plan, op->out, 0);
    const float *weights = (const float *)vd_plan_at(plan, op->in[1], 0);
    float *columns = (float *)vd_plan_at(plan, op->temp, 0);
    for (int64_t i = 0; i < w.pictures; i++, out += w.small_channels * plane) {
        for (int64_t g = 0; g < w.groups; g++, in += w.big_channels / w.groups * w.big_height * w.big_width) {
            move_columns(&w, in, columns, true);
            vd_pass_matmul(false, false, (int)rows, (int)plane, (int)depth, weights + g * rows * depth,
                           columns, out + g * rows * plane);
        }
        if (w.bias)
            add_bias(out, weights + w.small_channels * depth, w.small_channels, plane);
    }
    return VD_OK;
}

int vd_op_planar_deconv(const vd_plan *plan, const vd_plan_op *op, vd_error *error)
{
    (void)error;
    window w = window_of(op->n);
    int64_t plane = w.small_height * w.small_width, depth = w.small_channels / w.groups;
    int64_t big_plane = w.big_height * w.big_width, big_group = w.big_channels / w.groups;
    int64_t rows = big_group * w.kernel[0] * w.kernel[1];
    const float *in = (const float *)vd_plan_at(plan, op->in[0], 0);
    float *out = (float *)vd_plan_at(plan, op->out, 0);
    const float *weights = (const float *)vd_plan_at(plan, op->in[1], 0);
    float *columns = (float *)vd_plan_at(plan, op->temp, 0);
    for (int64_t i = 0; i < w.pictures; i++, out += w.big_channels * big_plane) {
        memset(out, 0, (size_t)(w.big_channels * big_plane) * sizeof *out);
        for (int64_t g = 0; g < w.groups; g++, in += depth * plane) {
            vd_pass_matmul(true, false, (int)rows, (int)plane, (int)depth, weights + g * rows * depth, in,
                           columns);
            move_columns(&w, out + g * big_group * big_plane, columns, false);
        }
        if (w.bias)
            add_bias(out, weights + w.small_channels * rows, w.big_channels, big_plane);
    }
    return VD_OK;
}
