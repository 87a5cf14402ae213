/* What is done to a graph before OpenCV's importer reads it. Each pass stands alone; vd_onnx_rewrite runs
 * them in their order. All return VD_OK, VD_EFORMAT or VD_ENOMEM. */
#ifndef VD_MODEL_ONNX_PASSES_H
#define VD_MODEL_ONNX_PASSES_H

#include "model/onnx_graph.h"
#include "onnx.pb-c.h"

#define VD_ONNX_FOLD_BYTES ((size_t)64 << 20)        /* of one folded or spread tensor */
#define VD_ONNX_FOLD_TOTAL_BYTES ((size_t)512 << 20) /* of all of them together */

/* Sets the shapes and types of what `node` makes; false when its shape rule cannot tell. */
bool vd_onnx_infer(const vd_onnx_graph *graph, const Onnx__NodeProto *node);

/* True when the node's operator is one that can be run. There are rules for some more, which stand in the
 * parts of detectors that are cut away. */
bool vd_onnx_is_known(const Onnx__NodeProto *node);

/* Computes a node whose inputs are all constant, and whose shapes vd_onnx_infer has set. *ret_folded says
 * whether its output became a constant; operators without a rule, and results above the limits, are left
 * alone. */
int vd_onnx_fold(vd_onnx_graph *graph, const Onnx__NodeProto *node, bool *ret_folded, vd_error *error);

/* A zeroed tensor within the limits of folding, which it is counted against; NULL beyond them. */
Onnx__TensorProto *vd_onnx_fold_tensor(vd_onnx_graph *graph, int type, const vd_shape *shape);

/* float16 and bfloat16 become float32: constants, settings, declared inputs and outputs. A Cast between
 * floats then changes nothing. */
int vd_onnx_half(vd_onnx_graph *graph, vd_error *error);

/* 8-bit networks become float32 ones: QuantizeLinear and DequantizeLinear, DynamicQuantizeLinear with
 * ConvInteger and MatMulInteger, QLinearConv and its relatives. VD_EFORMAT for a form that cannot be turned
 * back. */
int vd_onnx_quantised(vd_onnx_graph *graph, vd_error *error);

/* Infers and folds every node, in order. */
int vd_onnx_resolve(vd_onnx_graph *graph, vd_error *error);

/* BatchNormalization and factors or offsets a channel behind a convolution go into its weights and bias. */
int vd_onnx_absorb(vd_onnx_graph *graph, vd_error *error);

/* Replaces uses of Identity (and Dropout) by what it is the identity of. */
int vd_onnx_bypass(vd_onnx_graph *graph, vd_error *error);

/* Split and Squeeze take their sizes and axes as attributes: OpenCV 4.6 does not read them from an input, and
 * divides equally. */
int vd_onnx_settings(vd_onnx_graph *graph, vd_error *error);

/* Operations that OpenCV 4.6 lacks or gets wrong as others that it does right: squares and roots written as
 * Pow, averages over padding that counts, padding that keeps the size (auto_pad); bounds
 * of Clip and sizes of windows written where it looks for them. */
int vd_onnx_replace(vd_onnx_graph *graph, vd_error *error);

/* Moves the factor behind a product of two computed matrices to the first of them: OpenCV 4.6 drops it in
 * fusion. */
int vd_onnx_move_scales(vd_onnx_graph *graph, vd_error *error);

/* Spreads element-wise constants to the full shape of what they meet: OpenCV 4.6 takes constants of lower
 * rank for a factor a channel. */
int vd_onnx_spread(vd_onnx_graph *graph, vd_error *error);

/* Removes nodes and constants that no output needs, writes folded constants into the model, and fills in what
 * the declared shapes of inputs and outputs leave open. */
int vd_onnx_sweep(vd_onnx_graph *graph, vd_error *error);

/* Gives every node a name of its own, its output's where it has none or shares one: OpenCV refuses two layers
 * of one name. After vd_onnx_sweep. */
int vd_onnx_name(vd_onnx_graph *graph, vd_error *error);

/* Refuses what is left and cannot be run, or would give wrong numbers without saying so. */
int vd_onnx_check(const vd_onnx_graph *graph, vd_error *error);

/* The first half: the graph as plain float32 nodes with known shapes, whatever form it was exported in. What
 * is cut or gathered afterwards sees one form alone. Nodes that nothing needs are still there, and nodes
 * without a rule are no error yet. */
int vd_onnx_normalise(vd_onnx_graph *graph, vd_error *error);

/* The second half, after any cut: what OpenCV 4.6 cannot take is cured, what nothing needs swept away, and
 * the rest checked. */
int vd_onnx_cure(vd_onnx_graph *graph, vd_error *error);

/* Both, with nothing in between. */
int vd_onnx_rewrite(vd_onnx_graph *graph, vd_error *error);

#endif
