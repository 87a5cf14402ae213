#include "model/onnx_dequantise.h"

#include <math.h>

#include "model/onnx_edit.h"
#include "model/onnx_passes.h"
#include "model/onnx_rules.h"

/* Which of a setting's numbers holds: all the same, or one for each place along an axis. */
typedef struct row {
    const Onnx__TensorProto *numbers; /* NULL: none */
    size_t count;
} row;

static bool read_row(const vd_value *value, int64_t extent, row *ret_row)
{
    *ret_row = (row){NULL, 0};
    if (!value)
        return true;
    if (!value->constant)
        return false;
    *ret_row = (row){value->constant, vd_onnx_tensor_count(value->constant)};
    return ret_row->count == 1 || (extent > 0 && ret_row->count == (size_t)extent);
}

static double number_at(const row *r, size_t place, double otherwise)
{
    return !r->numbers ? otherwise : vd_onnx_tensor_number(r->numbers, r->count == 1 ? 0 : place);
}

int vd_onnx_dequantise(vd_onnx_graph *graph, const vd_value *value, const vd_value *scale,
                       const vd_value *zero, int64_t axis, vd_value **ret_value, vd_error *error)
{
    vd_shape shape = vd_onnx_tensor_shape(value->constant);
    size_t count = vd_onnx_tensor_count(value->constant), inner = 1;
    int at = 0;
    row scales, zeros;
    bool has_axis = vd_rule_axis(axis, shape.rank, &at);
    int64_t extent = has_axis ? shape.dims[at] : 0;
    if (!read_row(scale, extent, &scales) || !read_row(zero, extent, &zeros))
        return vd_error_set(error, VD_EFORMAT, graph->place,
                            "The network is quantised in a form that cannot be turned back to float32.");
    Onnx__TensorProto *out = vd_onnx_fold_tensor(graph, VD_ONNX_FLOAT, &shape);
    if (!out)
        return vd_onnx_no_memory(graph, error);
    for (int i = at + 1; has_axis && i < shape.rank; i++)
        inner *= (size_t)shape.dims[i];
    for (size_t i = 0; i < count; i++) {
        size_t place = extent > 0 ? i / inner % (size_t)extent : 0;
        double number = vd_onnx_tensor_number(value->constant, i) - number_at(&zeros, place, 0);
        vd_onnx_tensor_set_number(out, i, number * number_at(&scales, place, 1));
    }
    return vd_onnx_put_constant(graph, value->name, out, ret_value, error);
}

bool vd_onnx_quantised_range(const vd_value *scale, const vd_value *zero, double *ret_least, double *ret_most)
{
    if (!scale || !scale->constant || vd_onnx_tensor_count(scale->constant) != 1 ||
        (zero && (!zero->constant || vd_onnx_tensor_count(zero->constant) != 1)))
        return false;
    bool is_signed = zero && zero->type == VD_ONNX_INT8;
    if (zero && !is_signed && zero->type != VD_ONNX_UINT8)
        return false;
    double middle = zero ? vd_onnx_tensor_number(zero->constant, 0) : 0;
    double step = vd_onnx_tensor_number(scale->constant, 0);
    *ret_least = ((is_signed ? INT8_MIN : 0) - middle) * step;
    *ret_most = ((is_signed ? INT8_MAX : UINT8_MAX) - middle) * step;
    return isfinite(*ret_least) && isfinite(*ret_most) && step > 0;
}
