#include "plan_case.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check_main.h"
#include "plan_reference.h"
#include "seeded.h"

void case_init(plan_case *c, uint64_t seed)
{
    memset(c, 0, sizeof *c);
    c->seed = seed * 0x9e3779b97f4a7c15u + 1;
    for (int i = 0; i < 8; i++)
        seeded_below(&c->seed, 2);
}

void case_fini(plan_case *c)
{
    for (int i = 0; i < c->value_count; i++)
        free(c->data[i]);
}

static int add_value(plan_case *c, int rank, const int *extents)
{
    ck_assert_int_lt(c->value_count, CASE_VALUES);
    vd_plan_value *value = &c->values[c->value_count];
    *value = (vd_plan_value){.rank = rank, .input = -1, .constant = -1};
    for (int i = 0; i < rank; i++)
        value->extents[i] = extents[i];
    return c->value_count++;
}

static void fill(plan_case *c, int value, float low, float high)
{
    size_t count = vd_plan_count(&c->values[value]);
    c->data[value] = malloc(count * sizeof(float));
    for (size_t i = 0; i < count; i++)
        c->data[value][i] = low + (high - low) * (float)seeded_below(&c->seed, 10001) / 10000;
}

int case_input(plan_case *c, int rank, const int *extents)
{
    int value = add_value(c, rank, extents);
    c->values[value].input = c->input_count++;
    fill(c, value, -1, 1);
    return value;
}

int case_picture(plan_case *c, int channels, int height, int width)
{
    return case_input(c, 4, (const int[]){1, channels, height, width});
}

int case_constant(plan_case *c, int rank, const int *extents, float low, float high)
{
    int value = add_value(c, rank, extents);
    c->values[value].constant = c->constant_count++;
    fill(c, value, low, high);
    return value;
}

void case_output(plan_case *c, int value)
{
    c->outputs[c->output_count++] = value;
}

static vd_plan_step *add_step(plan_case *c, vd_plan_kind kind, int in_count, const int *in, int out)
{
    ck_assert_int_lt(c->step_count, CASE_STEPS);
    vd_plan_step *step = &c->steps[c->step_count++];
    *step = (vd_plan_step){.kind = kind, .in_count = in_count, .out = out};
    memcpy(step->in, in, (size_t)in_count * sizeof *in);
    return step;
}

static void set_act(vd_plan_step *step, vd_plan_act act)
{
    step->act = act;
    if (act == VD_ACT_LEAKY)
        step->floats[0] = 0.1f;
    if (act == VD_ACT_CLIP) {
        step->floats[0] = 0.1f;
        step->floats[1] = 0.7f;
    }
    if (act == VD_ACT_HSIGMOID) {
        step->floats[0] = 0.2f;
        step->floats[1] = 0.5f;
    }
}

int case_window(plan_case *c, int x, int out, const int kernel[2], const int ints[9], vd_plan_act act)
{
    const vd_plan_value v = c->values[x];
    int extents[4] = {v.extents[0], out}, depth = v.extents[1] / ints[8];
    float most = sqrtf(3.0f / (float)(depth * kernel[0] * kernel[1]));
    for (int i = 0; i < 2; i++)
        extents[2 + i] =
            (v.extents[2 + i] + ints[2 + i] + ints[4 + i] - (kernel[i] - 1) * ints[6 + i] - 1) / ints[i] + 1;
    int w = case_constant(c, 4, (const int[]){out, depth, kernel[0], kernel[1]}, -most, most);
    int b = case_constant(c, 1, &out, -0.3f, 0.3f);
    int y = add_value(c, 4, extents);
    vd_plan_step *step = add_step(c, VD_PLAN_CONV, 3, (const int[]){x, w, b}, y);
    memcpy(step->ints, ints, 9 * sizeof *ints);
    set_act(step, act);
    return y;
}

int case_conv(plan_case *c, int x, int out, int kernel, int stride, vd_plan_act act)
{
    int p = kernel / 2;
    return case_window(c, x, out, (const int[]){kernel, kernel},
                       (const int[]){stride, stride, p, p, p, p, 1, 1, 1}, act);
}

int case_deconv(plan_case *c, int x, int out, int kernel, int stride, int pad, int groups, vd_plan_act act)
{
    const vd_plan_value v = c->values[x];
    int extents[4] = {v.extents[0], out};
    for (int i = 2; i < 4; i++)
        extents[i] = (v.extents[i] - 1) * stride + kernel - 2 * pad;
    float most = sqrtf(3.0f * (float)groups / (float)v.extents[1]);
    int w = case_constant(c, 4, (const int[]){v.extents[1], out / groups, kernel, kernel}, -most, most);
    int b = case_constant(c, 1, &out, -0.3f, 0.3f);
    int y = add_value(c, 4, extents);
    vd_plan_step *step = add_step(c, VD_PLAN_DECONV, 3, (const int[]){x, w, b}, y);
    memcpy(step->ints, (const int[]){stride, stride, pad, pad, pad, pad, 1, 1, groups, 0, 0},
           11 * sizeof(int));
    set_act(step, act);
    return y;
}

int case_act(plan_case *c, int x, vd_plan_act act)
{
    const vd_plan_value v = c->values[x];
    int y = add_value(c, v.rank, v.extents);
    set_act(add_step(c, VD_PLAN_ACT, 1, &x, y), act);
    return y;
}

/* The last axes of what a and b spread to. */
static int spread_value(plan_case *c, int a, int b, int skipped, const int *last)
{
    const vd_plan_value u = c->values[a], v = c->values[b];
    int rank = u.rank > v.rank ? u.rank : v.rank, extents[VD_PLAN_RANK];
    for (int i = 0; i < rank; i++) {
        int p = i < u.rank ? u.extents[u.rank - 1 - i] : 1, q = i < v.rank ? v.extents[v.rank - 1 - i] : 1;
        extents[rank - 1 - i] = i < skipped ? last[skipped - 1 - i] : p == 1 ? q : p;
    }
    return add_value(c, rank, extents);
}

int case_binary(plan_case *c, vd_plan_kind kind, int a, int b)
{
    int y = spread_value(c, a, b, 0, NULL);
    add_step(c, kind, 2, (const int[]){a, b}, y);
    return y;
}

int case_concat(plan_case *c, int axis, int count, const int *members)
{
    vd_plan_value v = c->values[members[0]];
    for (int i = 1; i < count; i++)
        v.extents[axis] += c->values[members[i]].extents[axis];
    int y = add_value(c, v.rank, v.extents);
    add_step(c, VD_PLAN_CONCAT, count, members, y)->ints[0] = axis;
    return y;
}

int case_slice(plan_case *c, int x, int axis, int start, int length, int stride)
{
    vd_plan_value v = c->values[x];
    v.extents[axis] = length;
    int y = add_value(c, v.rank, v.extents);
    memcpy(add_step(c, VD_PLAN_SLICE, 1, &x, y)->ints, (const int[]){axis, start, length, stride},
           4 * sizeof(int));
    return y;
}

int case_pool(plan_case *c, vd_plan_kind kind, int x, int kernel, int stride, int pad)
{
    vd_plan_value v = c->values[x];
    for (int i = 2; i < 4; i++)
        v.extents[i] = (v.extents[i] + 2 * pad - kernel) / stride + 1;
    int y = add_value(c, v.rank, v.extents);
    memcpy(add_step(c, kind, 1, &x, y)->ints,
           (const int[]){kernel, kernel, stride, stride, pad, pad, pad, pad, 0}, 9 * sizeof(int));
    return y;
}

int case_global(plan_case *c, int x)
{
    int y = add_value(c, 4, (const int[]){c->values[x].extents[0], c->values[x].extents[1], 1, 1});
    add_step(c, VD_PLAN_GLOBAL_AVG, 1, &x, y);
    return y;
}

int case_nearest(plan_case *c, int x, int factor)
{
    vd_plan_value v = c->values[x];
    int y = add_value(
        c, 4, (const int[]){v.extents[0], v.extents[1], v.extents[2] * factor, v.extents[3] * factor});
    memcpy(add_step(c, VD_PLAN_NEAREST, 1, &x, y)->ints, (const int[]){factor, factor}, 2 * sizeof(int));
    return y;
}

int case_pad(plan_case *c, int x, int top, int left, int bottom, int right, float value)
{
    vd_plan_value v = c->values[x];
    v.extents[2] += top + bottom;
    v.extents[3] += left + right;
    int y = add_value(c, 4, v.extents);
    vd_plan_step *step = add_step(c, VD_PLAN_PAD, 1, &x, y);
    memcpy(step->ints, (const int[]){top, left, bottom, right}, 4 * sizeof(int));
    step->floats[0] = value;
    return y;
}

int case_reshape(plan_case *c, int x, int rank, const int *extents)
{
    int y = add_value(c, rank, extents);
    add_step(c, VD_PLAN_RESHAPE, 1, &x, y);
    return y;
}

int case_transpose(plan_case *c, int x, const int *perm)
{
    const vd_plan_value v = c->values[x];
    int extents[VD_PLAN_RANK];
    for (int i = 0; i < v.rank; i++)
        extents[i] = v.extents[perm[i]];
    int y = add_value(c, v.rank, extents);
    memcpy(add_step(c, VD_PLAN_TRANSPOSE, 1, &x, y)->ints, perm, (size_t)v.rank * sizeof *perm);
    return y;
}

int case_matmul(plan_case *c, int a, int b)
{
    const vd_plan_value *u = &c->values[a], *v = &c->values[b];
    int y = spread_value(c, a, b, 2, (const int[]){u->extents[u->rank - 2], v->extents[v->rank - 1]});
    add_step(c, VD_PLAN_MATMUL, 2, (const int[]){a, b}, y);
    return y;
}

int case_softmax(plan_case *c, int x, int axis)
{
    const vd_plan_value v = c->values[x];
    int y = add_value(c, v.rank, v.extents);
    add_step(c, VD_PLAN_SOFTMAX, 1, &x, y)->ints[0] = axis;
    return y;
}

void case_evaluate(plan_case *c)
{
    for (int i = 0; i < c->step_count; i++) {
        const vd_plan_step *step = &c->steps[i];
        if (!c->data[step->out])
            c->data[step->out] = calloc(vd_plan_count(&c->values[step->out]), sizeof(float));
        reference_step(c->values, step, c->data);
    }
}

void case_graph(const plan_case *c, vd_plan_graph *ret_graph)
{
    vd_plan_graph graph = {c->input_count,
                           c->constant_count,
                           c->output_count,
                           (int *)c->outputs,
                           (vd_plan_value *)c->values,
                           c->value_count,
                           (vd_plan_step *)c->steps,
                           c->step_count};
    int32_t *code = NULL;
    size_t length = 0;
    vd_error error = {0};
    ck_assert_int_eq(vd_plan_encode(&graph, &code, &length), VD_OK);
    int result = vd_plan_decode(code, length, ret_graph, &error);
    ck_assert_msg(result == VD_OK, "%s", error.text);
    free(code);
}

static void run_once(const plan_case *c, vd_plan *plan, float **results, size_t shift)
{
    const float *inputs[CASE_VALUES];
    float *outputs[CASE_VALUES], *starts[2 * CASE_VALUES];
    int count = 0;
    for (int i = 0; i < c->value_count; i++)
        if (c->values[i].input >= 0) {
            size_t bytes = vd_plan_count(&c->values[i]) * sizeof(float);
            float *copy = aligned_alloc(64, (bytes + 127) / 64 * 64);
            starts[count++] = copy;
            memcpy(copy + shift, c->data[i], bytes);
            inputs[c->values[i].input] = copy + shift;
        }
    for (int i = 0; i < c->output_count; i++) {
        size_t bytes = vd_plan_count(&c->values[c->outputs[i]]) * sizeof(float);
        starts[count++] = aligned_alloc(64, (bytes + 127) / 64 * 64);
        outputs[i] = starts[count - 1] + shift;
        memset(starts[count - 1], 0xff, bytes);
    }
    vd_error error = {0};
    int code = vd_plan_run(plan, inputs, outputs, &error);
    ck_assert_msg(code == VD_OK, "%s", error.text);
    for (int i = 0; i < c->output_count; i++)
        memcpy(results[i], outputs[i], vd_plan_count(&c->values[c->outputs[i]]) * sizeof(float));
    while (count > 0)
        free(starts[--count]);
}

static void compare(const plan_case *c, int output, const float *got, double limit)
{
    int value = c->outputs[output];
    const float *want = c->data[value];
    size_t count = vd_plan_count(&c->values[value]);
    double largest = 1e-6, worst = 0;
    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, fabs((double)want[i]));
    for (size_t i = 0; i < count; i++) {
        double off = fabs((double)got[i] - (double)want[i]);
        worst = off <= worst ? worst : off; /* not a number counts */
    }
    ck_assert_msg(worst <= limit * largest, "output %d is off by %g of %g", output, worst, largest);
}

vd_plan *case_check(plan_case *c, vd_kernel_type type, double limit)
{
    const float *constants[CASE_VALUES];
    float *first[CASE_VALUES], *second[CASE_VALUES];
    vd_plan_graph graph;
    vd_plan *plan = NULL;
    vd_error error = {0};
    case_graph(c, &graph);
    case_evaluate(c);
    for (int i = 0; i < c->value_count; i++)
        if (c->values[i].constant >= 0)
            constants[c->values[i].constant] = c->data[i];
    int code = vd_plan_new(&graph, constants, type, &plan, &error);
    ck_assert_msg(code == VD_OK, "%s", error.text);
    ck_assert_ptr_null(graph.values);
    for (int i = 0; i < c->output_count; i++) {
        size_t bytes = vd_plan_count(&c->values[c->outputs[i]]) * sizeof(float);
        first[i] = malloc(bytes);
        second[i] = malloc(bytes);
    }
    run_once(c, plan, first, 0);
    run_once(c, plan, second, 1);
    for (int i = 0; i < c->output_count; i++) {
        compare(c, i, first[i], limit);
        size_t bytes = vd_plan_count(&c->values[c->outputs[i]]) * sizeof(float);
        ck_assert_msg(memcmp(first[i], second[i], bytes) == 0, "output %d differs when run again", i);
        free(first[i]);
        free(second[i]);
    }
    return plan;
}
