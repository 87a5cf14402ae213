#include "model/onnx_fold.h"
#include "model/onnx_rules.h"

const Onnx__TensorProto *vd_fold_input(const vd_fold *job, size_t i)
{
    const vd_value *value = vd_onnx_input(job->graph, job->node, i);
    return value ? value->constant : NULL;
}

void vd_fold_dense(const vd_shape *shape, int64_t ret_strides[VD_ONNX_RANK])
{
    int64_t stride = 1;
    for (int i = shape->rank - 1; i >= 0; i--) {
        ret_strides[i] = stride;
        stride *= shape->dims[i];
    }
}

void vd_fold_spread(const vd_shape *shape, const vd_shape *out, int64_t ret_strides[VD_ONNX_RANK])
{
    int64_t dense[VD_ONNX_RANK];
    vd_fold_dense(shape, dense);
    for (int i = 0; i < out->rank; i++) {
        int from = i - (out->rank - shape->rank);
        ret_strides[i] = from < 0 || shape->dims[from] == 1 ? 0 : dense[from];
    }
}

void vd_fold_next(vd_fold_walk *walk)
{
    for (int i = walk->shape.rank - 1; i >= 0; i--) {
        for (int k = 0; k < VD_FOLD_INPUTS; k++)
            walk->offset[k] += walk->stride[k][i];
        if (++walk->index[i] < walk->shape.dims[i])
            return;
        for (int k = 0; k < VD_FOLD_INPUTS; k++)
            walk->offset[k] -= walk->stride[k][i] * walk->index[i];
        walk->index[i] = 0;
    }
}

bool vd_fold_walk_inputs(const vd_fold *job, vd_fold_walk *ret_walk)
{
    *ret_walk = (vd_fold_walk){.shape = job->shape};
    if (job->node->n_input > VD_FOLD_INPUTS)
        return false;
    for (size_t i = 0; i < job->node->n_input; i++) {
        const Onnx__TensorProto *in = vd_fold_input(job, i);
        if (!in)
            return false;
        vd_shape shape = vd_onnx_tensor_shape(in), together;
        if (!vd_shape_broadcast(&shape, &job->shape, &together) || !vd_shape_equal(&together, &job->shape))
            return false;
        vd_fold_spread(&shape, &job->shape, ret_walk->stride[i]);
    }
    return true;
}
