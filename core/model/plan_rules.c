#include "model/plan_rules.h"

#include <math.h>
#include <stdbool.h>

enum { MAX_SETTING = 1 << 15 };

typedef bool step_rule(const vd_plan_graph *graph, const vd_plan_step *step);

static const vd_plan_value *in_of(const vd_plan_graph *graph, const vd_plan_step *step, int i)
{
    return &graph->values[step->in[i]];
}

static const vd_plan_value *out_of(const vd_plan_graph *graph, const vd_plan_step *step)
{
    return &graph->values[step->out];
}

static bool same_shape(const vd_plan_value *a, const vd_plan_value *b)
{
    if (a->rank != b->rank)
        return false;
    for (int i = 0; i < a->rank; i++)
        if (a->extents[i] != b->extents[i])
            return false;
    return true;
}

/* True when the shapes are the same but for the axes from `first` to before `end`. */
static bool same_beside(const vd_plan_value *a, const vd_plan_value *b, int first, int end)
{
    if (a->rank != b->rank)
        return false;
    for (int i = 0; i < a->rank; i++)
        if ((i < first || i >= end) && a->extents[i] != b->extents[i])
            return false;
    return true;
}

static bool in_range(const int *ints, int count, int least)
{
    for (int i = 0; i < count; i++)
        if (ints[i] < least || ints[i] > MAX_SETTING)
            return false;
    return true;
}

/* Weights and bias; `out` is the number of channels that come out. */
static bool weights_fit(const vd_plan_graph *graph, const vd_plan_step *step, int out)
{
    const vd_plan_value *weights = in_of(graph, step, 1);
    if (weights->constant < 0 || out_of(graph, step)->extents[1] != out)
        return false;
    if (step->in_count < 3)
        return true;
    const vd_plan_value *bias = in_of(graph, step, 2);
    return bias->constant >= 0 && bias->rank == 1 && bias->extents[0] == out;
}

static bool rule_conv(const vd_plan_graph *graph, const vd_plan_step *step)
{
    const vd_plan_value *x = in_of(graph, step, 0), *w = in_of(graph, step, 1), *y = out_of(graph, step);
    const int *ints = step->ints, groups = ints[8];
    if (x->rank != 4 || w->rank != 4 || !same_beside(x, y, 1, 4) || !in_range(ints, 2, 1) ||
        !in_range(ints + 2, 4, 0) || !in_range(ints + 6, 3, 1) || x->extents[1] % groups != 0 ||
        w->extents[0] % groups != 0 || w->extents[1] != x->extents[1] / groups)
        return false;
    for (int i = 0; i < 2; i++) {
        int64_t reach = ((int64_t)w->extents[2 + i] - 1) * ints[6 + i] + 1;
        int64_t span = (int64_t)x->extents[2 + i] + ints[2 + i] + ints[4 + i] - reach;
        if (span < 0 || y->extents[2 + i] != span / ints[i] + 1)
            return false;
    }
    return weights_fit(graph, step, w->extents[0]);
}

static bool rule_deconv(const vd_plan_graph *graph, const vd_plan_step *step)
{
    const vd_plan_value *x = in_of(graph, step, 0), *w = in_of(graph, step, 1), *y = out_of(graph, step);
    const int *ints = step->ints, groups = ints[8];
    if (x->rank != 4 || w->rank != 4 || !same_beside(x, y, 1, 4) || !in_range(ints, 2, 1) ||
        !in_range(ints + 2, 4, 0) || !in_range(ints + 6, 3, 1) || !in_range(ints + 9, 2, 0) ||
        x->extents[1] % groups != 0 || w->extents[0] != x->extents[1] ||
        (int64_t)w->extents[1] * groups > (int64_t)VD_PLAN_MAX_ELEMENTS)
        return false;
    for (int i = 0; i < 2; i++) {
        int64_t size = ((int64_t)x->extents[2 + i] - 1) * ints[i] +
                       ((int64_t)w->extents[2 + i] - 1) * ints[6 + i] + 1 + ints[9 + i] - ints[2 + i] -
                       ints[4 + i];
        if (size < 1 || y->extents[2 + i] != size)
            return false;
    }
    return weights_fit(graph, step, w->extents[1] * groups);
}

static bool rule_act(const vd_plan_graph *graph, const vd_plan_step *step)
{
    return step->act != VD_ACT_NONE && same_shape(in_of(graph, step, 0), out_of(graph, step));
}

/* The extent of axis `i` counted from the end; 1 beyond the rank. */
static int from_end(const vd_plan_value *value, int i)
{
    return i < value->rank ? value->extents[value->rank - 1 - i] : 1;
}

/* Whether `a` and `b` spread over each other give `y`, without the last `skipped` axes. */
static bool spreads(const vd_plan_value *a, const vd_plan_value *b, const vd_plan_value *y, int skipped)
{
    int rank = a->rank > b->rank ? a->rank : b->rank;
    if (y->rank != rank)
        return false;
    for (int i = skipped; i < rank; i++) {
        int p = from_end(a, i), q = from_end(b, i);
        if ((p != q && p != 1 && q != 1) || from_end(y, i) != (p == 1 ? q : p))
            return false;
    }
    return true;
}

static bool rule_binary(const vd_plan_graph *graph, const vd_plan_step *step)
{
    return spreads(in_of(graph, step, 0), in_of(graph, step, 1), out_of(graph, step), 0);
}

static bool rule_concat(const vd_plan_graph *graph, const vd_plan_step *step)
{
    const vd_plan_value *y = out_of(graph, step);
    int axis = step->ints[0];
    int64_t extent = 0;
    if (axis < 0 || axis >= y->rank)
        return false;
    for (int i = 0; i < step->in_count; i++) {
        const vd_plan_value *x = in_of(graph, step, i);
        if (!same_beside(x, y, axis, axis + 1))
            return false;
        extent += x->extents[axis];
    }
    return extent == y->extents[axis];
}

static bool rule_slice(const vd_plan_graph *graph, const vd_plan_step *step)
{
    const vd_plan_value *x = in_of(graph, step, 0), *y = out_of(graph, step);
    int axis = step->ints[0], start = step->ints[1], length = step->ints[2], stride = step->ints[3];
    return axis >= 0 && axis < x->rank && start >= 0 && length >= 1 && stride >= 1 &&
           start + ((int64_t)length - 1) * stride < x->extents[axis] && y->rank == x->rank &&
           y->extents[axis] == length && same_beside(x, y, axis, axis + 1);
}

/* Every window begins before the picture's end and reaches into it. */
static bool rule_pool(const vd_plan_graph *graph, const vd_plan_step *step)
{
    const vd_plan_value *x = in_of(graph, step, 0), *y = out_of(graph, step);
    const int *ints = step->ints;
    if (x->rank != 4 || !same_beside(x, y, 2, 4) || !in_range(ints, 4, 1) || !in_range(ints + 4, 4, 0) ||
        (step->kind == VD_PLAN_AVG_POOL && !(ints[8] == 0 || ints[8] == 1)))
        return false;
    for (int i = 0; i < 2; i++) {
        int64_t span = (int64_t)x->extents[2 + i] + ints[4 + i] + ints[6 + i] - ints[i];
        if (span < 0 || y->extents[2 + i] != span / ints[2 + i] + 1 || ints[4 + i] >= ints[i] ||
            ((int64_t)y->extents[2 + i] - 1) * ints[2 + i] - ints[4 + i] >= x->extents[2 + i])
            return false;
    }
    return true;
}

static bool rule_global_avg(const vd_plan_graph *graph, const vd_plan_step *step)
{
    const vd_plan_value *x = in_of(graph, step, 0), *y = out_of(graph, step);
    return x->rank == 4 && same_beside(x, y, 2, 4) && y->extents[2] == 1 && y->extents[3] == 1;
}

static bool rule_nearest(const vd_plan_graph *graph, const vd_plan_step *step)
{
    const vd_plan_value *x = in_of(graph, step, 0), *y = out_of(graph, step);
    if (x->rank != 4 || !same_beside(x, y, 2, 4) || !in_range(step->ints, 2, 1))
        return false;
    return y->extents[2] == (int64_t)x->extents[2] * step->ints[0] &&
           y->extents[3] == (int64_t)x->extents[3] * step->ints[1];
}

static bool rule_pad(const vd_plan_graph *graph, const vd_plan_step *step)
{
    const vd_plan_value *x = in_of(graph, step, 0), *y = out_of(graph, step);
    const int *ints = step->ints;
    return x->rank == 4 && same_beside(x, y, 2, 4) && in_range(ints, 4, 0) &&
           y->extents[2] == (int64_t)x->extents[2] + ints[0] + ints[2] &&
           y->extents[3] == (int64_t)x->extents[3] + ints[1] + ints[3];
}

static bool rule_reshape(const vd_plan_graph *graph, const vd_plan_step *step)
{
    return vd_plan_count(in_of(graph, step, 0)) == vd_plan_count(out_of(graph, step));
}

static bool rule_transpose(const vd_plan_graph *graph, const vd_plan_step *step)
{
    const vd_plan_value *x = in_of(graph, step, 0), *y = out_of(graph, step);
    unsigned seen = 0;
    if (x->rank != y->rank)
        return false;
    for (int i = 0; i < x->rank; i++) {
        int from = step->ints[i];
        if (from < 0 || from >= x->rank || seen & 1u << from || y->extents[i] != x->extents[from])
            return false;
        seen |= 1u << from;
    }
    return true;
}

static bool rule_matmul(const vd_plan_graph *graph, const vd_plan_step *step)
{
    const vd_plan_value *a = in_of(graph, step, 0), *b = in_of(graph, step, 1), *y = out_of(graph, step);
    return a->rank >= 2 && b->rank >= 2 && spreads(a, b, y, 2) && from_end(a, 0) == from_end(b, 1) &&
           from_end(y, 1) == from_end(a, 1) && from_end(y, 0) == from_end(b, 0);
}

static bool rule_softmax(const vd_plan_graph *graph, const vd_plan_step *step)
{
    const vd_plan_value *x = in_of(graph, step, 0);
    return step->ints[0] >= 0 && step->ints[0] < x->rank && same_shape(x, out_of(graph, step));
}

typedef struct kind_row {
    step_rule *rule;
    int least, most; /* inputs */
    int ints;
} kind_row;

static const kind_row kinds[VD_PLAN_KIND_END] = {
    [VD_PLAN_CONV] = {rule_conv, 2, 3, 9},       [VD_PLAN_DECONV] = {rule_deconv, 2, 3, 11},
    [VD_PLAN_ACT] = {rule_act, 1, 1, 0},         [VD_PLAN_ADD] = {rule_binary, 2, 2, 0},
    [VD_PLAN_SUB] = {rule_binary, 2, 2, 0},      [VD_PLAN_MUL] = {rule_binary, 2, 2, 0},
    [VD_PLAN_DIV] = {rule_binary, 2, 2, 0},      [VD_PLAN_CONCAT] = {rule_concat, 1, VD_PLAN_LINKS, 1},
    [VD_PLAN_SLICE] = {rule_slice, 1, 1, 4},     [VD_PLAN_MAX_POOL] = {rule_pool, 1, 1, 8},
    [VD_PLAN_AVG_POOL] = {rule_pool, 1, 1, 9},   [VD_PLAN_GLOBAL_AVG] = {rule_global_avg, 1, 1, 0},
    [VD_PLAN_NEAREST] = {rule_nearest, 1, 1, 2}, [VD_PLAN_PAD] = {rule_pad, 1, 1, 4},
    [VD_PLAN_RESHAPE] = {rule_reshape, 1, 1, 0}, [VD_PLAN_TRANSPOSE] = {rule_transpose, 1, 1, VD_PLAN_RANK},
    [VD_PLAN_MATMUL] = {rule_matmul, 2, 2, 0},   [VD_PLAN_SOFTMAX] = {rule_softmax, 1, 1, 1},
};

int vd_plan_int_count(vd_plan_kind kind)
{
    return kinds[kind].ints;
}

/* Constants stand where plan.h allows them: as weights and bias, or as one of two operands. */
static bool constants_fit(const vd_plan_graph *graph, const vd_plan_step *step)
{
    bool binary = (step->kind >= VD_PLAN_ADD && step->kind <= VD_PLAN_DIV) || step->kind == VD_PLAN_MATMUL;
    bool weights = step->kind == VD_PLAN_CONV || step->kind == VD_PLAN_DECONV;
    int constants = 0;
    for (int i = weights ? 1 : 0; i < step->in_count; i++)
        constants += in_of(graph, step, i)->constant >= 0;
    if (weights)
        return in_of(graph, step, 0)->constant < 0 && constants == step->in_count - 1;
    return constants == 0 || (binary && constants == 1);
}

const char *vd_plan_step_fault(const vd_plan_graph *graph, const vd_plan_step *step)
{
    const kind_row *row = &kinds[step->kind];
    bool acts = step->kind == VD_PLAN_CONV || step->kind == VD_PLAN_DECONV || step->kind == VD_PLAN_ACT;
    if (step->in_count < row->least || step->in_count > row->most)
        return "has a wrong number of operands";
    if (!constants_fit(graph, step))
        return "has a constant at a wrong place";
    if ((step->act != VD_ACT_NONE && !acts) || !isfinite(step->floats[0]) || !isfinite(step->floats[1]))
        return "has a wrong activation";
    return row->rule(graph, step) ? NULL : "has shapes or settings that do not fit together";
}
