/* Constants of quantised networks as the numbers they stand for. */
#ifndef VD_MODEL_ONNX_DEQUANTISE_H
#define VD_MODEL_ONNX_DEQUANTISE_H

#include "model/onnx_graph.h"
#include "onnx.pb-c.h"

/* (value − zero) · scale as a new float32 constant.
 *
 * scale  NULL: 1. One number, or a row of one for each place along `axis`, counted from the end when negative
 * zero   NULL: 0; as `scale`
 * VD_OK, VD_ENOMEM, or VD_EFORMAT when a scale is computed or does not fit. */
int vd_onnx_dequantise(vd_onnx_graph *graph, const vd_value *value, const vd_value *scale,
                       const vd_value *zero, int64_t axis, vd_value **ret_value, vd_error *error);

/* The range that 8-bit numbers with that scale and zero stand for; false when it is not one known number. */
bool vd_onnx_quantised_range(const vd_value *scale, const vd_value *zero, double *ret_least,
                             double *ret_most);

#endif
