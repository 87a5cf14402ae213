/* Shape rules: what comes out of a node when the shapes of what goes in are known.
 *
 * A rule sets shape and type of the node's outputs and returns true, or returns false and sets nothing when
 * an input's shape is unknown, a setting is missing or the sizes do not fit together. */
#ifndef VD_MODEL_ONNX_RULES_H
#define VD_MODEL_ONNX_RULES_H

#include "model/onnx_graph.h"
#include "onnx.pb-c.h"

typedef bool vd_onnx_rule(const vd_onnx_graph *graph, const Onnx__NodeProto *node);

vd_onnx_rule vd_rule_conv, vd_rule_conv_transpose, vd_rule_pool, vd_rule_global_pool, vd_rule_resize,
    vd_rule_pad;
vd_onnx_rule vd_rule_reshape, vd_rule_transpose, vd_rule_slice, vd_rule_gather, vd_rule_squeeze,
    vd_rule_unsqueeze, vd_rule_split, vd_rule_concat, vd_rule_expand, vd_rule_flatten;

/* Of nodes that stand in detectors' last parts (onnx_shape_heads.c). */
vd_onnx_rule vd_rule_compare, vd_rule_spread, vd_rule_reduce, vd_rule_arg, vd_rule_top_k,
    vd_rule_gather_elements, vd_rule_gather_nd, vd_rule_tile, vd_rule_size, vd_rule_gemm, vd_rule_blocks;

/* The shape of a node's i-th input, when it is known. */
bool vd_rule_shape(const vd_onnx_graph *graph, const Onnx__NodeProto *node, size_t i, vd_shape *ret_shape);

/* Sets a node's i-th output; an output that is left out is fine. False when the shape is too large. */
bool vd_rule_put(const vd_onnx_graph *graph, const Onnx__NodeProto *node, size_t i, const vd_shape *shape,
                 int type);

/* As vd_rule_put for output 0, with the type of input 0. */
bool vd_rule_put_like(const vd_onnx_graph *graph, const Onnx__NodeProto *node, const vd_shape *shape);

/* An axis that may count from the end; false outside of 0 … rank - 1. */
bool vd_rule_axis(int64_t axis, int rank, int *ret_axis);

/* Two shapes spread over each other as the format says; false when they do not fit. */
bool vd_shape_broadcast(const vd_shape *a, const vd_shape *b, vd_shape *ret_shape);

/* Axes of Squeeze, Unsqueeze: from the attribute or the second input. -1 when unknown. */
int vd_rule_axes(const vd_onnx_graph *graph, const Onnx__NodeProto *node, int64_t ret_axes[2 * VD_ONNX_RANK]);

/* A Slice node as first index and step along every axis, and the shape of what it takes. */
bool vd_rule_slice_plan(const vd_onnx_graph *graph, const Onnx__NodeProto *node, int64_t start[VD_ONNX_RANK],
                        int64_t step[VD_ONNX_RANK], vd_shape *ret_shape);

/* Which extents a Shape node gives of so many: their number, and the first of them. */
int vd_rule_shape_part(const Onnx__NodeProto *node, int rank, int *ret_first);

/* The padding that auto_pad asks for at a convolution or pooling of known shape: *ret_axes values before, as
 * many behind. False when the node does not ask for it. */
bool vd_rule_same_padding(const vd_onnx_graph *graph, const Onnx__NodeProto *node, int *ret_axes,
                          int64_t ret_pads[2 * VD_ONNX_RANK]);

/* The order of axes of a Transpose node over `rank` axes. */
bool vd_rule_order(const Onnx__NodeProto *node, int rank, int ret_order[VD_ONNX_RANK]);

/* The sizes of a Split node's parts along *ret_axis; at most `room`. Returns their number, -1 when unknown.
 */
int vd_rule_split_sizes(const vd_onnx_graph *graph, const Onnx__NodeProto *node, int *ret_axis,
                        int64_t ret_sizes[2 * VD_ONNX_RANK]);

#endif
