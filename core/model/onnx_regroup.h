/* Extents of a Reshape at another size of the picture. */
#ifndef VD_MODEL_ONNX_REGROUP_H
#define VD_MODEL_ONNX_REGROUP_H

#include "model/onnx_tensor.h"
#include "onnx.pb-c.h"

enum { VD_PAIRS = 64 };

/* Heights and widths of maps at the file's own size, and what they have become. */
typedef struct vd_pairs {
    int count;
    int64_t was[VD_PAIRS][2], is[VD_PAIRS][2];
} vd_pairs;

/* Takes up a map [n, c, h, w]; other shapes are left out. */
void vd_pairs_add(vd_pairs *pairs, const vd_shape *was, const vd_shape *is);
bool vd_pairs_find(const vd_pairs *pairs, const int64_t was[2], int64_t ret_is[2]);

/* A Reshape made `out` of `in`: what should it make of `is`, which has the same rank as `in`?
 *
 * Extents of `in` and `out` are matched from the left in the smallest groups of equal products. A group whose
 * product is another now passes the change on: to its only extent, to a map's height and width, or else to
 * its largest extent (the number of a picture's cells; heads, channels and areas are fewer). False when that
 * does not come out even. */
bool vd_regroup(const vd_shape *in, const vd_shape *out, const vd_shape *is, const vd_pairs *pairs,
                vd_shape *ret_shape);

#endif
