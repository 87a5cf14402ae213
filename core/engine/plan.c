#include "engine/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "engine/plan_parts.h"

/* --- Building */
static void count_rooms(vd_plan *plan, const vd_plan_graph *graph)
{
    int links = 0;
    for (int i = 0; i < graph->step_count; i++)
        links += graph->steps[i].in_count + 8;
    plan->op_room = 2 * graph->value_count + links + graph->output_count;
    plan->tensor_room = 3 * graph->value_count + links + graph->output_count;
    plan->owned_room = 2 * graph->value_count + graph->step_count;
}

static int reserve(vd_plan *plan, const vd_plan_graph *graph)
{
    count_rooms(plan, graph);
    plan->input_count = graph->input_count;
    plan->output_count = graph->output_count;
    size_t ends = (size_t)graph->input_count + (size_t)graph->output_count;
    plan->ops = calloc((size_t)plan->op_room + 1, sizeof *plan->ops);
    plan->tensors = calloc((size_t)plan->tensor_room + 1, sizeof *plan->tensors);
    plan->owned = calloc((size_t)plan->owned_room + 1, sizeof *plan->owned);
    plan->bytes = calloc(ends, sizeof *plan->bytes);
    plan->own = calloc(ends, sizeof *plan->own);
    plan->bases = calloc(ends + 1, sizeof *plan->bases);
    bool all = plan->ops && plan->tensors && plan->owned && plan->bytes && plan->own && plan->bases;
    return all ? VD_OK : VD_ENOMEM;
}

static int lower(vd_plan *plan, const vd_plan_graph *graph, const float *const *constants, vd_error *error)
{
    vd_lowering l = {.plan = plan, .graph = graph, .constants = constants, .step = -1, .error = error};
    size_t values = (size_t)graph->value_count;
    l.made[VD_PLANAR] = calloc(values, sizeof(int));
    l.made[VD_BLOCKED] = calloc(values, sizeof(int));
    l.maker = calloc(values, sizeof(int));
    l.readers = calloc(values, sizeof(int));
    l.planar_only = calloc(values, sizeof(bool));
    l.late = calloc(values, sizeof(bool));
    l.live = calloc((size_t)graph->step_count, sizeof(bool));
    bool all =
        l.made[VD_PLANAR] && l.made[VD_BLOCKED] && l.maker && l.readers && l.planar_only && l.late && l.live;
    int code = all ? vd_lower_graph(&l) : VD_ENOMEM;
    free(l.made[VD_PLANAR]);
    free(l.made[VD_BLOCKED]);
    free(l.maker);
    free(l.readers);
    free(l.planar_only);
    free(l.late);
    free(l.live);
    return code;
}

/* Memory for the run's inputs and outputs, for callers that have none that is aligned. */
static int own_ends(vd_plan *plan, const vd_plan_graph *graph)
{
    for (int i = 0; i < graph->value_count; i++)
        if (graph->values[i].input >= 0)
            plan->bytes[graph->values[i].input] = vd_plan_count(&graph->values[i]) * sizeof(float);
    for (int i = 0; i < graph->output_count; i++)
        plan->bytes[plan->input_count + i] = vd_plan_count(&graph->values[graph->outputs[i]]) * sizeof(float);
    for (int i = 0; i < plan->input_count + plan->output_count; i++) {
        plan->own[i] = vd_plan_alloc(plan->bytes[i]);
        if (!plan->own[i])
            return VD_ENOMEM;
    }
    return VD_OK;
}

static void use_own_ends(vd_plan *plan)
{
    plan->bases[0] = plan->arena;
    for (int i = 0; i < plan->input_count + plan->output_count; i++)
        plan->bases[1 + i] = plan->own[i];
}

/* One for all convolutions. */
static int make_scratch(vd_plan *plan)
{
    for (int i = 0; i < plan->op_count; i++)
        if (plan->ops[i].conv && vd_conv_scratch_bytes(plan->ops[i].conv) > plan->scratch_bytes)
            plan->scratch_bytes = vd_conv_scratch_bytes(plan->ops[i].conv);
    plan->scratch = vd_plan_alloc(plan->scratch_bytes);
    return plan->scratch ? VD_OK : VD_ENOMEM;
}

static int build(vd_plan *plan, const vd_plan_graph *graph, const float *const *constants, vd_error *error)
{
    int code = reserve(plan, graph);
    if (code == VD_OK)
        code = lower(plan, graph, constants, error);
    if (code == VD_OK)
        code = own_ends(plan, graph);
    if (code == VD_OK)
        code = vd_plan_place(plan);
    if (code == VD_OK)
        code = make_scratch(plan);
    if (code == VD_ENOMEM)
        vd_error_set(error, code, "plan", "There is not enough memory to plan the network.");
    return code;
}

int vd_plan_new(vd_plan_graph *graph, const float *const *constants, vd_kernel_type type, vd_plan **ret_plan,
                vd_error *error)
{
    vd_plan *plan = calloc(1, sizeof *plan);
    int code = VD_OK;
    if (!plan)
        code = vd_error_set(error, VD_ENOMEM, "plan", "There is not enough memory to plan the network.");
    else if (!vd_kernel_here() || (type == VD_KERNEL_BF16 && !vd_kernel_has_bf16()))
        code = vd_error_set(error, VD_EFORMAT, "plan",
                            "This machine cannot compute plans in the precision wanted.");
    if (code == VD_OK) {
        plan->type = type;
        code = build(plan, graph, constants, error);
    }
    vd_plan_clear(graph);
    if (code == VD_OK)
        *ret_plan = plan;
    else
        vd_plan_free(&plan);
    return code;
}

void vd_plan_free(vd_plan **plan)
{
    vd_plan *p = *plan;
    if (!p)
        return;
    for (int i = 0; i < p->op_count; i++)
        vd_conv_free(&p->ops[i].conv);
    for (int i = 0; i < p->owned_count; i++)
        free(p->owned[i]);
    for (int i = 0; p->own && i < p->input_count + p->output_count; i++)
        free(p->own[i]);
    free(p->ops);
    free(p->tensors);
    free(p->owned);
    free(p->bytes);
    free(p->own);
    free(p->bases);
    free(p->arena);
    free(p->scratch);
    free(p);
    *plan = NULL;
}

/* --- Running */
float *vd_plan_input(const vd_plan *plan, int i)
{
    return (float *)plan->own[i];
}

static bool is_aligned(const void *pointer)
{
    return (uintptr_t)pointer % VD_PLAN_ALIGN == 0;
}

/* The caller's buffers where they begin as buffers must, else ours. */
static void bind_ends(vd_plan *plan, const float *const *inputs, float *const *outputs)
{
    use_own_ends(plan);
    for (int i = 0; i < plan->input_count; i++)
        if (is_aligned(inputs[i]))
            plan->bases[1 + i] = (char *)inputs[i];
        else
            memcpy(plan->own[i], inputs[i], plan->bytes[i]);
    for (int i = 0; i < plan->output_count; i++)
        if (is_aligned(outputs[i]))
            plan->bases[1 + plan->input_count + i] = (char *)outputs[i];
}

static int run_op(vd_plan *plan, int i, vd_error *error)
{
    const vd_plan_op *op = &plan->ops[i];
    return op->run(plan, op, error);
}

int vd_plan_run(vd_plan *plan, const float *const *inputs, float *const *outputs, vd_error *error)
{
    int code = VD_OK;
    bind_ends(plan, inputs, outputs);
    for (int i = 0; code == VD_OK && i < plan->op_count; i++)
        code = run_op(plan, i, error);
    for (int i = 0; code == VD_OK && i < plan->output_count; i++)
        if (!is_aligned(outputs[i]))
            memcpy(outputs[i], plan->own[plan->input_count + i], plan->bytes[plan->input_count + i]);
    return code;
}

/* --- Measuring */
int vd_plan_line_count(const vd_plan *plan)
{
    return plan->op_count;
}

size_t vd_plan_arena_bytes(const vd_plan *plan)
{
    return plan->arena_bytes;
}

static int by_time(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* One pass; times[op · passes + pass]. */
static int time_pass(vd_plan *plan, int pass, int passes, int64_t *times, vd_error *error)
{
    int code = VD_OK;
    int64_t before = vd_clock_now_ns();
    for (int i = 0; code == VD_OK && i < plan->op_count; i++) {
        code = run_op(plan, i, error);
        int64_t after = vd_clock_now_ns();
        times[(size_t)i * (size_t)passes + (size_t)pass] = after - before;
        before = after;
    }
    return code;
}

int vd_plan_measure(vd_plan *plan, int passes, vd_plan_line *ret_lines, vd_error *error)
{
    if (passes < 1)
        return vd_error_set(error, VD_EINVAL, "passes", "At least one pass is needed to measure.");
    int64_t *times = calloc((size_t)plan->op_count * (size_t)passes + 1, sizeof *times);
    int code = VD_OK;
    if (!times)
        return vd_error_set(error, VD_ENOMEM, "plan", "There is not enough memory to measure the network.");
    use_own_ends(plan);
    for (int pass = 0; code == VD_OK && pass < passes; pass++)
        code = time_pass(plan, pass, passes, times, error);
    for (int i = 0; code == VD_OK && i < plan->op_count; i++) {
        const vd_plan_op *op = &plan->ops[i];
        int64_t *mine = times + (size_t)i * (size_t)passes;
        qsort(mine, (size_t)passes, sizeof *mine, by_time);
        vd_plan_line *line = &ret_lines[i];
        *line = (vd_plan_line){.median_ns = mine[passes / 2], .gflop = op->gflop};
        snprintf(line->text, sizeof line->text, "%s", op->text);
        snprintf(line->kernel, sizeof line->kernel, "%s", op->conv ? vd_conv_text(op->conv) : op->kernel);
    }
    free(times);
    return code;
}
