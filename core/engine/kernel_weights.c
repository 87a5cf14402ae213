/* Weights for whole blocks of channels. */
#include <stdlib.h>
#include <string.h>

#include "engine/kernel_conv.h"

/* One filter's weights for `in` channels of the file, to their place among those of the primitive. */
static void copy_filter(const vd_conv_shape *shape, const float *from, float *to)
{
    size_t area = (size_t)shape->kernel[0] * (size_t)shape->kernel[1];
    memcpy(to, from, (size_t)(shape->in / shape->groups) * area * sizeof *to);
}

float *vd_conv_full_weights(const vd_conv *conv, int in_full, const float *weights)
{
    const vd_conv_shape *shape = &conv->shape;
    size_t area = (size_t)shape->kernel[0] * (size_t)shape->kernel[1];
    size_t in_each = (size_t)(in_full / conv->groups), file_in_each = (size_t)(shape->in / shape->groups);
    size_t out_each = (size_t)(shape->out / shape->groups);
    float *full = calloc((size_t)conv->out_full * in_each * area, sizeof *full);
    if (!full)
        return NULL;
    for (size_t o = 0; o < (size_t)shape->out; o++) {
        /* A group of the file that is none of the primitive's reads its own part of all channels. */
        size_t shift = conv->groups == 1 ? o / out_each * file_in_each : 0;
        copy_filter(shape, weights + o * file_in_each * area, full + (o * in_each + shift) * area);
    }
    return full;
}
