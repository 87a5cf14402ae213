#include "model/onnx_regroup.h"

void vd_pairs_add(vd_pairs *pairs, const vd_shape *was, const vd_shape *is)
{
    int64_t known[2];
    if (was->rank != 4 || is->rank != 4 || pairs->count >= VD_PAIRS ||
        vd_pairs_find(pairs, was->dims + 2, known))
        return;
    for (int i = 0; i < 2; i++) {
        pairs->was[pairs->count][i] = was->dims[2 + i];
        pairs->is[pairs->count][i] = is->dims[2 + i];
    }
    pairs->count++;
}

bool vd_pairs_find(const vd_pairs *pairs, const int64_t was[2], int64_t ret_is[2])
{
    for (int i = 0; i < pairs->count; i++) {
        if (pairs->was[i][0] != was[0] || pairs->was[i][1] != was[1])
            continue;
        ret_is[0] = pairs->is[i][0];
        ret_is[1] = pairs->is[i][1];
        return true;
    }
    return false;
}

/* A product of some of a shape's extents. */
static int64_t product(const vd_shape *shape, int from, int to)
{
    int64_t all = 1;
    for (int i = from; i < to; i++)
        all *= shape->dims[i];
    return all;
}

/* One group of `out`, from … to, whose product becomes `wanted`. */
static bool change(const vd_shape *out, int from, int to, int64_t wanted, const vd_pairs *pairs,
                   vd_shape *ret_shape)
{
    int64_t was = product(out, from, to), both[2];
    int largest = from;
    if (from == to) /* extents of 1 behind the last that `out` has */
        return wanted == 1;
    for (int i = from; i + 1 < to; i++) {
        if (!vd_pairs_find(pairs, out->dims + i, both) ||
            was / out->dims[i] / out->dims[i + 1] * both[0] * both[1] != wanted)
            continue;
        ret_shape->dims[i] = both[0];
        ret_shape->dims[i + 1] = both[1];
        return true;
    }
    if (was == wanted)
        return true;
    for (int i = from; i < to; i++)
        if (out->dims[i] >= out->dims[largest])
            largest = i;
    int64_t others = was / out->dims[largest];
    if (wanted % others != 0)
        return false;
    ret_shape->dims[largest] = wanted / others;
    return true;
}

bool vd_regroup(const vd_shape *in, const vd_shape *out, const vd_shape *is, const vd_pairs *pairs,
                vd_shape *ret_shape)
{
    vd_shape shape = *out;
    size_t count;
    int i = 0, k = 0;
    if (!vd_shape_count(in, VD_ONNX_MAX_ELEMENTS, &count) || count == 0 ||
        !vd_shape_count(is, VD_ONNX_MAX_ELEMENTS, &count) || count == 0 ||
        !vd_shape_count(out, VD_ONNX_MAX_ELEMENTS, &count) || count == 0 || in->rank != is->rank)
        return false;
    while (i < in->rank || k < out->rank) {
        int first_in = i, first_out = k;
        int64_t a = i < in->rank ? in->dims[i++] : 1, b = k < out->rank ? out->dims[k++] : 1;
        while (a != b) {
            if (a < b ? i == in->rank : k == out->rank)
                return false;
            if (a < b)
                a *= in->dims[i++];
            else
                b *= out->dims[k++];
        }
        if (!change(out, first_out, k, product(is, first_in, i), pairs, &shape))
            return false;
    }
    *ret_shape = shape;
    return true;
}
