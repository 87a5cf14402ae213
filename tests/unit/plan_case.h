/* Graphs for tests of plans, with seeded constants, and what they must give by plain loops over planar
 * values. */
#ifndef TESTS_UNIT_PLAN_CASE_H
#define TESTS_UNIT_PLAN_CASE_H

#include "engine/plan.h"
#include "model/plan.h"

enum { CASE_VALUES = 256, CASE_STEPS = 128 };

typedef struct plan_case {
    uint64_t seed;
    vd_plan_value values[CASE_VALUES];
    float *data[CASE_VALUES]; /* inputs and constants from the start, the rest by case_evaluate */
    vd_plan_step steps[CASE_STEPS];
    int outputs[CASE_VALUES];
    int value_count, step_count, input_count, constant_count, output_count;
} plan_case;

void case_init(plan_case *c, uint64_t seed);
void case_fini(plan_case *c);

/* Values. What follows returns the index of the one it makes. */
int case_input(plan_case *c, int rank, const int *extents);
int case_picture(plan_case *c, int channels, int height, int width); /* an input of one picture */
int case_constant(plan_case *c, int rank, const int *extents, float low, float high);
void case_output(plan_case *c, int value);

/* Steps */
int case_conv(plan_case *c, int x, int out, int kernel, int stride, vd_plan_act act);
int case_window(plan_case *c, int x, int out, const int kernel[2], const int ints[9], vd_plan_act act);
int case_deconv(plan_case *c, int x, int out, int kernel, int stride, int pad, int groups, vd_plan_act act);
int case_act(plan_case *c, int x, vd_plan_act act);
int case_binary(plan_case *c, vd_plan_kind kind, int a, int b);
int case_concat(plan_case *c, int axis, int count, const int *members);
int case_slice(plan_case *c, int x, int axis, int start, int length, int stride);
int case_pool(plan_case *c, vd_plan_kind kind, int x, int kernel, int stride, int pad);
int case_global(plan_case *c, int x);
int case_nearest(plan_case *c, int x, int factor);
int case_pad(plan_case *c, int x, int top, int left, int bottom, int right, float value);
int case_reshape(plan_case *c, int x, int rank, const int *extents);
int case_transpose(plan_case *c, int x, const int *perm);
int case_matmul(plan_case *c, int a, int b);
int case_softmax(plan_case *c, int x, int axis);

/* Every value by plain loops. */
void case_evaluate(plan_case *c);

/* The graph as the engine gets it: written as a code and read again. */
void case_graph(const plan_case *c, vd_plan_graph *ret_graph);

/* The plan; what it gives for the case's inputs must be within `limit` of what plain loops give, relative to
 * the largest value of an output, twice. Returns the plan for more questions; free it. */
vd_plan *case_check(plan_case *c, vd_kernel_type type, double limit);

#endif
