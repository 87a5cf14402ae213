/* What the rules that compute constants share. */
#ifndef VD_MODEL_ONNX_FOLD_H
#define VD_MODEL_ONNX_FOLD_H

#include "model/onnx_graph.h"
#include "onnx.pb-c.h"

typedef struct vd_fold {
    vd_onnx_graph *graph;
    const Onnx__NodeProto *node;
    Onnx__TensorProto *out; /* of the inferred shape and type, zeroed */
    vd_shape shape;         /* of out */
} vd_fold;

/* Fills job->out; false when it cannot, and the node is left alone. All inputs that are there are constant.
 */
typedef bool vd_fold_rule(vd_fold *job);

enum { VD_FOLD_INPUTS = 3 };

/* Steps through every index of a shape and keeps offsets, in elements, into up to three tensors. */
typedef struct vd_fold_walk {
    vd_shape shape;
    int64_t index[VD_ONNX_RANK], stride[VD_FOLD_INPUTS][VD_ONNX_RANK];
    int64_t offset[VD_FOLD_INPUTS];
} vd_fold_walk;

void vd_fold_next(vd_fold_walk *walk);

/* The i-th input; NULL when it is left out. */
const Onnx__TensorProto *vd_fold_input(const vd_fold *job, size_t i);

/* Strides of a dense tensor, and of `shape` seen as the larger `out`: 0 along axes over which it is spread.
 */
void vd_fold_dense(const vd_shape *shape, int64_t ret_strides[VD_ONNX_RANK]);
void vd_fold_spread(const vd_shape *shape, const vd_shape *out, int64_t ret_strides[VD_ONNX_RANK]);

/* A walk over the output with each input spread to its shape; false when there are too many or one is left
 * out. */
bool vd_fold_walk_inputs(const vd_fold *job, vd_fold_walk *ret_walk);

/* Rules of comparisons, choices and functions of one or two values; NULL when there is none for the node. */
vd_fold_rule *vd_fold_logic_rule(const Onnx__NodeProto *node);

#endif
