#include "conv_case.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "act_case.h"
#include "check_main.h"
#include "seeded.h"

static uint64_t seed = 20240611;

static float noise(void)
{
    return (float)seeded_below(&seed, 20001) / 10000.0f - 1.0f;
}

/* bfloat16 by truncation: such values the type holds without loss. */
static float rounded(vd_kernel_type type, float value)
{
    if (type == VD_KERNEL_F32)
        return value;
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    bits &= 0xffff0000;
    memcpy(&value, &bits, sizeof bits);
    return value;
}

static float *noises(size_t count, vd_kernel_type type, float size)
{
    float *values = malloc(count * sizeof *values);
    ck_assert_ptr_nonnull(values);
    for (size_t i = 0; i < count; i++)
        values[i] = rounded(type, noise() * size);
    return values;
}

void *conv_case_lines(size_t bytes)
{
    void *memory = aligned_alloc(64, (bytes + 127) & ~(size_t)63);
    ck_assert_ptr_nonnull(memory);
    memset(memory, 0x7f,
           (bytes + 127) & ~(size_t)63); /* 3.4e38 and the like, so that what is not written shows */
    return memory;
}

size_t conv_case_blocked(int channels, int height, int width)
{
    int block = vd_kernel_block();
    return (size_t)((channels + block - 1) / block * block) * (size_t)height * (size_t)width;
}

static int out_extent(const vd_conv_shape *shape, int in, int axis)
{
    return (in + shape->pads[axis] + shape->pads[axis + 2] -
            shape->dilation[axis] * (shape->kernel[axis] - 1) - 1) /
               shape->stride[axis] +
           1;
}

static double sum_of(const conv_case *it, int o, int oy, int ox)
{
    const vd_conv_shape *shape = &it->shape;
    int in_each = shape->in / shape->groups, first = o / (shape->out / shape->groups) * in_each;
    double sum = it->bias ? (double)it->bias[o] : 0;
    for (int c = 0; c < in_each; c++)
        for (int ky = 0; ky < shape->kernel[0]; ky++)
            for (int kx = 0; kx < shape->kernel[1]; kx++) {
                int y = oy * shape->stride[0] + ky * shape->dilation[0] - shape->pads[0];
                int x = ox * shape->stride[1] + kx * shape->dilation[1] - shape->pads[1];
                if (y < 0 || x < 0 || y >= shape->in_height || x >= shape->in_width)
                    continue;
                size_t weight =
                    (((size_t)o * (size_t)in_each + (size_t)c) * (size_t)shape->kernel[0] + (size_t)ky) *
                        (size_t)shape->kernel[1] +
                    (size_t)kx;
                size_t pixel =
                    ((size_t)(first + c) * (size_t)shape->in_height + (size_t)y) * (size_t)shape->in_width +
                    (size_t)x;
                sum += (double)it->weights[weight] * (double)it->in[pixel];
            }
    return sum;
}

static void compute_wanted(conv_case *it)
{
    const vd_conv_shape *shape = &it->shape;
    size_t i = 0;
    for (int o = 0; o < shape->out; o++)
        for (int y = 0; y < shape->out_height; y++)
            for (int x = 0; x < shape->out_width; x++, i++)
                it->wanted[i] = act_of(shape->act, shape->act_args, sum_of(it, o, y, x)) +
                                (shape->add ? (double)it->addend[i] : 0);
}

conv_case conv_case_make(vd_conv_shape shape)
{
    for (int axis = 0; axis < 2; axis++)
        shape.dilation[axis] = shape.dilation[axis] ? shape.dilation[axis] : 1;
    shape.groups = shape.groups ? shape.groups : 1;
    shape.out_height = out_extent(&shape, shape.in_height, 0);
    shape.out_width = out_extent(&shape, shape.in_width, 1);
    conv_case it = {.shape = shape};
    int in_plane = shape.in_height * shape.in_width, out_plane = shape.out_height * shape.out_width;
    size_t depth = (size_t)(shape.in / shape.groups * shape.kernel[0] * shape.kernel[1]);
    size_t out_count = (size_t)shape.out * (size_t)out_plane;
    vd_kernel_type out_type = shape.float_out ? VD_KERNEL_F32 : shape.type;
    it.in = noises((size_t)shape.in * (size_t)in_plane, shape.type, 1);
    it.weights = noises((size_t)shape.out * depth, shape.type, 2 / sqrtf((float)depth));
    it.bias = seeded_below(&seed, 4) ? noises((size_t)shape.out, VD_KERNEL_F32, 1) : NULL;
    it.wanted = malloc(out_count * sizeof *it.wanted);
    size_t in_full = conv_case_blocked(shape.in, shape.in_height, shape.in_width);
    size_t out_full = conv_case_blocked(shape.out, shape.out_height, shape.out_width);
    it.fed = conv_case_lines(in_full * sizeof(float));
    it.out = conv_case_lines(out_full * sizeof(float));
    if (shape.planar_in)
        memcpy(it.fed, it.in, (size_t)shape.in * (size_t)in_plane * sizeof *it.in);
    else
        vd_pass_block(shape.type, it.in, it.fed, shape.in, in_plane);
    if (shape.add) {
        it.addend = noises(out_count, out_type, 1);
        it.added = conv_case_lines(out_full * sizeof(float));
        vd_pass_block(out_type, it.addend, it.added, shape.out, out_plane);
    }
    compute_wanted(&it);
    return it;
}

void conv_case_free(conv_case *it)
{
    free(it->in), free(it->weights), free(it->bias), free(it->addend), free(it->wanted);
    free(it->fed), free(it->out), free(it->added), free(it->scratch);
}

/* Padding channels are zero, of either type: all bits, but for the sign. */
static void check_padding(const conv_case *it, const char *what)
{
    const vd_conv_shape *shape = &it->shape;
    size_t block = (size_t)vd_kernel_block(), plane = (size_t)shape->out_height * (size_t)shape->out_width;
    size_t used = (size_t)shape->out % block, first = (size_t)shape->out / block * plane * block;
    if (!used)
        return;
    bool wide = shape->type == VD_KERNEL_F32 || shape->float_out;
    for (size_t i = first; i < first + plane * block; i++)
        if (i % block >= used) {
            uint32_t bits = wide ? ((uint32_t *)it->out)[i] << 1 : (uint32_t)((uint16_t *)it->out)[i] << 17;
            ck_assert_msg(bits == 0, "%s: padding channel %zu is not zero", what, i % block);
        }
}

void conv_case_check(const conv_case *it, double tolerance, const char *what)
{
    const vd_conv_shape *shape = &it->shape;
    int plane = shape->out_height * shape->out_width;
    size_t count = (size_t)shape->out * (size_t)plane;
    float *got = malloc(count * sizeof *got);
    vd_pass_unblock(shape->float_out ? VD_KERNEL_F32 : shape->type, it->out, got, shape->out, plane);
    double largest = 0.1, worst = 0;
    for (size_t i = 0; i < count; i++) {
        double error = fabs((double)got[i] - it->wanted[i]);
        ck_assert_msg(isfinite(got[i]), "%s: element %zu is not finite", what, i);
        largest = fmax(largest, fabs(it->wanted[i]));
        worst = fmax(worst, error);
    }
    free(got);
    ck_assert_msg(worst <= tolerance * largest, "%s: off by %g of %g", what, worst, largest);
    check_padding(it, what);
}
