/* Passes of our own that only move: between layouts, along axes, among channels, borders. */
#include <string.h>

#include "engine/plan_parts.h"

/* Planar to blocked, picture by picture. */
int vd_op_block(const vd_plan *plan, const vd_plan_op *op, vd_error *error)
{
    (void)error;
    const vd_tensor *t = &plan->tensors[op->out];
    int plane = t->height * t->width;
    const float *in = (const float *)vd_plan_at(plan, op->in[0], 0);
    for (int i = 0; i < t->pictures; i++, in += (size_t)t->channels * (size_t)plane)
        vd_pass_block(t->type, in, vd_plan_at(plan, op->out, i), t->channels, plane);
    return VD_OK;
}

int vd_op_unblock(const vd_plan *plan, const vd_plan_op *op, vd_error *error)
{
    (void)error;
    const vd_tensor *t = &plan->tensors[op->in[0]];
    int plane = t->height * t->width;
    float *out = (float *)vd_plan_at(plan, op->out, 0);
    for (int i = 0; i < t->pictures; i++, out += (size_t)t->channels * (size_t)plane)
        vd_pass_unblock(t->type, vd_plan_at(plan, op->in[0], i), out, t->channels, plane);
    return VD_OK;
}

static void copy_row(const float *in, int64_t in_step, float *out, int64_t out_step, int64_t count)
{
    if (in_step == 1 && out_step == 1)
        memcpy(out, in, (size_t)count * sizeof(float));
    else if (in_step == 2 && out_step == 1)
        for (int64_t i = 0; i < count; i++)
            out[i] = in[2 * i];
    else
        for (int64_t i = 0; i < count; i++)
            out[i * out_step] = in[i * in_step];
}

/* in [columns][rows] with a step between columns, to out [rows][columns] with one between rows, by tiles that
 * the nearest cache holds. */
static void turn_plane(const float *in, int64_t in_step, float *out, int64_t out_step, int64_t rows,
                       int64_t columns)
{
    enum { TILE = 16 };
    for (int64_t y = 0; y < rows; y += TILE)
        for (int64_t x = 0; x < columns; x += TILE) {
            int64_t bottom = y + TILE < rows ? y + TILE : rows,
                    right = x + TILE < columns ? x + TILE : columns;
            for (int64_t i = y; i < bottom; i++)
                for (int64_t j = x; j < right; j++)
                    out[i * out_step + j] = in[j * in_step + i];
        }
}

enum { LAST_AXIS = VD_PLAN_RANK - 1 };

/* The axis that lies side by side in the input where the last one does so in the output alone; -1: there is
 * none. */
static int turned_axis(const int64_t *extents, const int64_t *is, const int64_t *os)
{
    if (is[LAST_AXIS] == 1 || os[LAST_AXIS] != 1)
        return -1;
    for (int i = 0; i < LAST_AXIS; i++)
        if (is[i] == 1 && extents[i] > 1)
            return i;
    return -1;
}

/* Planar, any axes in any order: transposes, slices with steps, joins.
 * n: 6 extents, 6 strides of in, 6 strides of out, the first element of in, of out */
int vd_op_copy(const vd_plan *plan, const vd_plan_op *op, vd_error *error)
{
    (void)error;
    const int64_t *is = op->n + VD_PLAN_RANK, *os = op->n + 2 * VD_PLAN_RANK;
    const float *in = (const float *)vd_plan_at(plan, op->in[0], 0) + op->n[3 * VD_PLAN_RANK];
    float *out = (float *)vd_plan_at(plan, op->out, 0) + op->n[3 * VD_PLAN_RANK + 1];
    int64_t extents[VD_PLAN_RANK], rows = 1, turned_rows = 1, at[VD_PLAN_RANK] = {0};
    int turned = turned_axis(op->n, is, os);
    memcpy(extents, op->n, sizeof extents);
    if (turned >= 0) {
        turned_rows = extents[turned];
        extents[turned] = 1;
    }
    for (int i = 0; i < LAST_AXIS; i++)
        rows *= extents[i];
    for (int64_t row = 0; row < rows; row++) {
        if (turned >= 0)
            turn_plane(in, is[LAST_AXIS], out, os[turned], turned_rows, extents[LAST_AXIS]);
        else
            copy_row(in, is[LAST_AXIS], out, os[LAST_AXIS], extents[LAST_AXIS]);
        for (int i = LAST_AXIS - 1; i >= 0; i--) {
            in += is[i];
            out += os[i];
            if (++at[i] < extents[i])
                break;
            in -= at[i] * is[i];
            out -= at[i] * os[i];
            at[i] = 0;
        }
    }
    return VD_OK;
}

/* One channel after the other, of blocked tensors whose blocks do not match. */
static void copy_channel(const char *in, int from, char *out, int to, size_t plane, size_t element)
{
    size_t block = (size_t)vd_kernel_block();
    in += ((size_t)from / block * plane * block + (size_t)from % block) * element;
    out += ((size_t)to / block * plane * block + (size_t)to % block) * element;
    if (element == 4) {
        for (size_t i = 0; i < plane; i++)
            memcpy(out + i * block * 4, in + i * block * 4, 4);
    } else {
        for (size_t i = 0; i < plane; i++)
            memcpy(out + i * block * 2, in + i * block * 2, 2);
    }
}

/* Some channels from a blocked tensor into another of the same plane and type.
 * n: the first channel in `in`, in `out`, how many. The rest of out's last block is left to vd_op_clear. */
int vd_op_channels(const vd_plan *plan, const vd_plan_op *op, vd_error *error)
{
    (void)error;
    const vd_tensor *t = &plan->tensors[op->out];
    size_t block = (size_t)vd_kernel_block(), element = vd_kernel_bytes(t->type);
    size_t plane = (size_t)t->height * (size_t)t->width;
    size_t from = (size_t)op->n[0], to = (size_t)op->n[1], count = (size_t)op->n[2];
    size_t whole = from % block == 0 && to % block == 0 ? count / block * block : 0;
    for (int i = 0; i < t->pictures; i++) {
        const char *in = vd_plan_at(plan, op->in[0], i);
        char *out = vd_plan_at(plan, op->out, i);
        if (whole > 0)
            memcpy(out + to * plane * element, in + from * plane * element, whole * plane * element);
        for (size_t c = whole; c < count; c++)
            copy_channel(in, (int)(from + c), out, (int)(to + c), plane, element);
    }
    return VD_OK;
}

static void fill(char *out, size_t pixels, size_t pixel, float value)
{
    if (value == 0) {
        memset(out, 0, pixels * pixel);
        return;
    }
    for (size_t i = 0; i < pixels * pixel / sizeof value; i++)
        memcpy(out + i * sizeof value, &value, sizeof value);
}

static void pad_plane(const char *in, char *out, const int64_t n[8], float value)
{
    size_t height = (size_t)n[0], width = (size_t)n[1], top = (size_t)n[2], left = (size_t)n[3];
    size_t bottom = (size_t)n[4], right = (size_t)n[5], pixel = (size_t)n[6], wide = left + width + right;
    fill(out, top * wide, pixel, value);
    out += top * wide * pixel;
    for (size_t y = 0; y < height; y++, in += width * pixel, out += wide * pixel) {
        fill(out, left, pixel, value);
        memcpy(out + left * pixel, in, width * pixel);
        fill(out + (left + width) * pixel, right, pixel, value);
    }
    fill(out, bottom * wide, pixel, value);
}

/* A border around each plane; args[0] is its value (0 where blocked, so that filled up channels stay 0).
 * n: height, width, top, left, bottom, right, bytes of a pixel, planes of a picture */
int vd_op_pad(const vd_plan *plan, const vd_plan_op *op, vd_error *error)
{
    (void)error;
    const int64_t *n = op->n;
    size_t in_bytes = (size_t)(n[0] * n[1] * n[6]);
    size_t out_bytes = (size_t)((n[2] + n[0] + n[4]) * (n[3] + n[1] + n[5]) * n[6]);
    for (int i = 0; i < plan->tensors[op->out].pictures; i++)
        for (size_t c = 0; c < (size_t)n[7]; c++)
            pad_plane(vd_plan_at(plan, op->in[0], i) + c * in_bytes,
                      vd_plan_at(plan, op->out, i) + c * out_bytes, n, op->args[0]);
    return VD_OK;
}
