/* Computing what is constant: comparisons, choices, and functions that work element by element. */
#include <math.h>
#include <string.h>

#include "model/onnx_fold.h"
#include "model/onnx_rules.h"

/* One result of up to three numbers. */
typedef double element(const double *in, size_t count);

static double do_abs(const double *in, size_t count)
{
    (void)count;
    return fabs(in[0]);
}

static double do_neg(const double *in, size_t count)
{
    (void)count;
    return -in[0];
}

static double do_floor(const double *in, size_t count)
{
    (void)count;
    return floor(in[0]);
}

static double do_ceil(const double *in, size_t count)
{
    (void)count;
    return ceil(in[0]);
}

/* Halves go to the even neighbour, as nearbyint does it unless told otherwise. */
static double do_round(const double *in, size_t count)
{
    (void)count;
    return nearbyint(in[0]);
}

static double do_sqrt(const double *in, size_t count)
{
    (void)count;
    return sqrt(in[0]);
}

static double do_exp(const double *in, size_t count)
{
    (void)count;
    return exp(in[0]);
}

static double do_log(const double *in, size_t count)
{
    (void)count;
    return log(in[0]);
}

static double do_reciprocal(const double *in, size_t count)
{
    (void)count;
    return 1 / in[0];
}

static double do_pow(const double *in, size_t count)
{
    (void)count;
    return pow(in[0], in[1]);
}

static double do_min(const double *in, size_t count)
{
    double least = in[0];
    for (size_t i = 1; i < count; i++)
        least = in[i] < least ? in[i] : least;
    return least;
}

static double do_max(const double *in, size_t count)
{
    double most = in[0];
    for (size_t i = 1; i < count; i++)
        most = in[i] > most ? in[i] : most;
    return most;
}

static double do_not(const double *in, size_t count)
{
    (void)count;
    return in[0] == 0;
}

static double do_and(const double *in, size_t count)
{
    (void)count;
    return in[0] != 0 && in[1] != 0;
}

static double do_or(const double *in, size_t count)
{
    (void)count;
    return in[0] != 0 || in[1] != 0;
}

static double do_equal(const double *in, size_t count)
{
    (void)count;
    return in[0] == in[1];
}

static double do_less(const double *in, size_t count)
{
    (void)count;
    return in[0] < in[1];
}

static double do_less_or_equal(const double *in, size_t count)
{
    (void)count;
    return in[0] <= in[1];
}

static double do_greater(const double *in, size_t count)
{
    (void)count;
    return in[0] > in[1];
}

static double do_greater_or_equal(const double *in, size_t count)
{
    (void)count;
    return in[0] >= in[1];
}

static const struct {
    const char *op_type;
    element *compute;
    size_t least, most; /* inputs */
} elements[] = {{"Abs", do_abs, 1, 1},
                {"And", do_and, 2, 2},
                {"Ceil", do_ceil, 1, 1},
                {"Equal", do_equal, 2, 2},
                {"Exp", do_exp, 1, 1},
                {"Floor", do_floor, 1, 1},
                {"Greater", do_greater, 2, 2},
                {"GreaterOrEqual", do_greater_or_equal, 2, 2},
                {"Less", do_less, 2, 2},
                {"LessOrEqual", do_less_or_equal, 2, 2},
                {"Log", do_log, 1, 1},
                {"Max", do_max, 1, VD_FOLD_INPUTS},
                {"Min", do_min, 1, VD_FOLD_INPUTS},
                {"Neg", do_neg, 1, 1},
                {"Not", do_not, 1, 1},
                {"Or", do_or, 2, 2},
                {"Pow", do_pow, 2, 2},
                {"Reciprocal", do_reciprocal, 1, 1},
                {"Round", do_round, 1, 1},
                {"Sqrt", do_sqrt, 1, 1}};

static bool fold_elements(vd_fold *job)
{
    vd_fold_walk w;
    size_t count = vd_onnx_tensor_count(job->out), inputs = job->node->n_input, row = 0;
    while (!vd_onnx_is(job->node, elements[row].op_type))
        row++;
    if (inputs < elements[row].least || inputs > elements[row].most || !vd_fold_walk_inputs(job, &w))
        return false;
    for (size_t i = 0; i < count; i++, vd_fold_next(&w)) {
        double in[VD_FOLD_INPUTS];
        for (size_t k = 0; k < inputs; k++) {
            in[k] = vd_onnx_tensor_number(vd_fold_input(job, k), (size_t)w.offset[k]);
            /* beyond this a double does not hold every whole number */
            if (!vd_onnx_type_is_real(vd_fold_input(job, k)->data_type) && fabs(in[k]) > 9e15)
                return false;
        }
        vd_onnx_tensor_set_number(job->out, i, elements[row].compute(in, inputs));
    }
    return true;
}

static bool fold_where(vd_fold *job)
{
    vd_fold_walk w;
    size_t width = vd_onnx_type_bytes(job->out->data_type), count = vd_onnx_tensor_count(job->out);
    if (job->node->n_input != 3 || !vd_fold_walk_inputs(job, &w))
        return false;
    for (size_t i = 0; i < count; i++, vd_fold_next(&w)) {
        size_t from = vd_onnx_tensor_integer(vd_fold_input(job, 0), (size_t)w.offset[0]) != 0 ? 1 : 2;
        memcpy(job->out->raw_data.data + i * width,
               vd_fold_input(job, from)->raw_data.data + (size_t)w.offset[from] * width, width);
    }
    return true;
}

/* The rest has the divisor's sign, unless fmod asks for the dividend's. */
static bool fold_mod(vd_fold *job)
{
    vd_fold_walk w;
    size_t count = vd_onnx_tensor_count(job->out);
    bool real = vd_onnx_type_is_real(job->out->data_type);
    bool as_c = vd_onnx_attribute_int(job->node, "fmod", 0) != 0;
    if (job->node->n_input != 2 || (real && !as_c) || !vd_fold_walk_inputs(job, &w))
        return false;
    for (size_t i = 0; i < count; i++, vd_fold_next(&w)) {
        const Onnx__TensorProto *a = vd_fold_input(job, 0), *b = vd_fold_input(job, 1);
        if (real) {
            double rest = fmod(vd_onnx_tensor_number(a, (size_t)w.offset[0]),
                               vd_onnx_tensor_number(b, (size_t)w.offset[1]));
            vd_onnx_tensor_set_number(job->out, i, rest);
            continue;
        }
        int64_t by = vd_onnx_tensor_integer(b, (size_t)w.offset[1]);
        if (by == 0)
            return false;
        int64_t rest = by == -1 ? 0 : vd_onnx_tensor_integer(a, (size_t)w.offset[0]) % by;
        vd_onnx_tensor_set_integer(job->out, i,
                                   !as_c && rest != 0 && (rest < 0) != (by < 0) ? rest + by : rest);
    }
    return true;
}

static bool fold_tile(vd_fold *job)
{
    const Onnx__TensorProto *in = vd_fold_input(job, 0);
    vd_shape shape = vd_onnx_tensor_shape(in);
    size_t width = vd_onnx_type_bytes(in->data_type), count = vd_onnx_tensor_count(job->out);
    for (size_t i = 0; i < count; i++) {
        size_t rest = i, at = 0, stride = 1;
        for (int axis = shape.rank - 1; axis >= 0; axis--) {
            at += rest % (size_t)job->shape.dims[axis] % (size_t)shape.dims[axis] * stride;
            rest /= (size_t)job->shape.dims[axis];
            stride *= (size_t)shape.dims[axis];
        }
        memcpy(job->out->raw_data.data + i * width, in->raw_data.data + at * width, width);
    }
    return true;
}

static bool fold_size(vd_fold *job)
{
    size_t count;
    if (!vd_shape_count(&vd_onnx_input(job->graph, job->node, 0)->shape, VD_ONNX_MAX_ELEMENTS, &count))
        return false;
    vd_onnx_tensor_set_integer(job->out, 0, (int64_t)count);
    return true;
}

vd_fold_rule *vd_fold_logic_rule(const Onnx__NodeProto *node)
{
    static const struct {
        const char *op_type;
        vd_fold_rule *rule;
    } rules[] = {{"Mod", fold_mod}, {"Size", fold_size}, {"Tile", fold_tile}, {"Where", fold_where}};
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (vd_onnx_is(node, rules[i].op_type))
            return rules[i].rule;
    for (size_t i = 0; i < sizeof elements / sizeof *elements; i++)
        if (vd_onnx_is(node, elements[i].op_type))
            return fold_elements;
    return NULL;
}
