/* A plan in the making: values, steps, and what is tidied up at its end. */
#include <stdlib.h>
#include <string.h>

#include "model/onnx_plan.h"

int vd_planner_init(vd_planner *planner, vd_onnx_graph *graph)
{
    *planner = (vd_planner){.graph = graph};
    planner->index_of = calloc(graph->value_room + 1, sizeof *planner->index_of);
    return planner->index_of ? VD_OK : VD_ENOMEM;
}

void vd_planner_fini(vd_planner *planner)
{
    vd_plan_clear(&planner->plan);
    free(planner->index_of);
    free(planner->values_of);
    *planner = (vd_planner){0};
}

void vd_planner_reset(vd_planner *planner)
{
    for (int i = 0; i < planner->plan.value_count; i++)
        if (planner->values_of[i])
            planner->index_of[planner->values_of[i] - planner->graph->values] = 0;
    planner->plan.value_count = planner->plan.step_count = 0;
}

/* One more value; false when there is no room or no memory. */
static bool make_room(vd_planner *planner)
{
    if (planner->plan.value_count < planner->value_room)
        return true;
    int room = planner->value_room ? 2 * planner->value_room : 64;
    if (planner->plan.value_count >= VD_PLAN_MAX_VALUES)
        return false;
    vd_plan_value *values = realloc(planner->plan.values, (size_t)room * sizeof *values);
    if (values)
        planner->plan.values = values;
    vd_value **values_of = realloc(planner->values_of, (size_t)room * sizeof(vd_value *));
    if (values_of)
        planner->values_of = values_of;
    planner->out_of_memory = planner->out_of_memory || !values || !values_of;
    if (!values || !values_of)
        return false;
    planner->value_room = room;
    return true;
}

static int add_value(vd_planner *planner, const vd_shape *shape)
{
    size_t count;
    if (shape->rank > VD_PLAN_RANK || !vd_shape_count(shape, VD_PLAN_MAX_ELEMENTS, &count) || count == 0 ||
        !make_room(planner))
        return -1;
    vd_plan_value *value = &planner->plan.values[planner->plan.value_count];
    *value = (vd_plan_value){.rank = shape->rank, .input = -1, .constant = -1};
    for (int i = 0; i < shape->rank; i++)
        value->extents[i] = (int)shape->dims[i];
    planner->values_of[planner->plan.value_count] = NULL;
    return planner->plan.value_count++;
}

int vd_planner_value(vd_planner *planner, vd_value *value)
{
    if (!value || value->type != VD_ONNX_FLOAT)
        return -1;
    int *index = &planner->index_of[value - planner->graph->values];
    if (*index > 0)
        return *index - 1;
    int made = add_value(planner, &value->shape);
    if (made < 0)
        return -1;
    *index = made + 1;
    planner->values_of[made] = value;
    if (value->constant)
        planner->plan.values[made].constant = 0; /* numbered at the end */
    return made;
}

int vd_planner_between(vd_planner *planner, const vd_shape *shape)
{
    return add_value(planner, shape);
}

bool vd_planner_add(vd_planner *planner, const vd_plan_step *step)
{
    vd_plan_graph *plan = &planner->plan;
    for (int i = 0; i < step->in_count; i++)
        if (step->in[i] < 0)
            return false;
    if (step->out < 0 || plan->step_count >= VD_PLAN_MAX_STEPS || vd_plan_step_fault(plan, step))
        return false;
    if (plan->step_count >= planner->step_room) {
        int room = planner->step_room ? 2 * planner->step_room : 64;
        vd_plan_step *steps = realloc(plan->steps, (size_t)room * sizeof *steps);
        planner->out_of_memory = planner->out_of_memory || !steps;
        if (!steps)
            return false;
        plan->steps = steps;
        planner->step_room = room;
    }
    plan->steps[plan->step_count++] = *step;
    return true;
}

/* What vd_planner_finish works with: by value, whether a step in use reads it, and the step that makes it. */
typedef struct tidying {
    vd_planner *planner;
    const bool *outputs; /* by value of the graph */
    int *uses, *maker;   /* by value of the plan; the maker counts from 1 */
    int *renamed;        /* by value of the plan: its new number plus 1 */
    bool *dead;          /* by step */
    vd_plan_graph made;
    vd_value **links;
} tidying;

static bool is_output(const tidying *t, int value)
{
    const vd_value *of = t->planner->values_of[value];
    return of && !of->constant && t->outputs[of - t->planner->graph->values];
}

/* From the last step to the first: one that nobody reads is dead. */
static void count_uses(tidying *t)
{
    const vd_plan_graph *plan = &t->planner->plan;
    for (int i = 0; i < plan->value_count; i++)
        t->uses[i] = is_output(t, i) ? 1 : 0;
    for (int i = plan->step_count - 1; i >= 0; i--) {
        const vd_plan_step *step = &plan->steps[i];
        t->dead[i] = t->uses[step->out] == 0;
        t->maker[step->out] = i + 1;
        for (int k = 0; !t->dead[i] && k < step->in_count; k++)
            t->uses[step->in[k]]++;
    }
}

/* A convolution read by an activation alone makes what the activation made, at the same place in the order.
 */
static void join_activations(tidying *t)
{
    const vd_plan_graph *plan = &t->planner->plan;
    for (int i = 0; i < plan->step_count; i++) {
        vd_plan_step *act = &plan->steps[i];
        if (t->dead[i] || act->kind != VD_PLAN_ACT || t->maker[act->in[0]] == 0 || t->uses[act->in[0]] != 1 ||
            is_output(t, act->in[0]))
            continue;
        vd_plan_step *maker = &plan->steps[t->maker[act->in[0]] - 1];
        if ((maker->kind != VD_PLAN_CONV && maker->kind != VD_PLAN_DECONV) || maker->act != VD_ACT_NONE)
            continue;
        maker->act = act->act;
        memcpy(maker->floats, act->floats, sizeof act->floats);
        maker->out = act->out;
        t->dead[i] = true;
    }
}

/* Gives a value its new number, in the order of calls. */
static void rename_value(tidying *t, int value)
{
    if (t->renamed[value])
        return;
    t->made.values[t->made.value_count] = t->planner->plan.values[value];
    t->renamed[value] = ++t->made.value_count;
}

/* Inputs and constants that steps in use read, then what the steps make. */
static void rename_values(tidying *t)
{
    const vd_plan_graph *plan = &t->planner->plan;
    for (int constants = 0; constants < 2; constants++) {
        for (int i = 0; i < plan->step_count; i++) {
            for (int k = 0; !t->dead[i] && k < plan->steps[i].in_count; k++) {
                int value = plan->steps[i].in[k];
                bool is_constant = plan->values[value].constant >= 0;
                if (t->renamed[value] || t->maker[value] > 0 || is_constant != (constants == 1))
                    continue;
                rename_value(t, value);
                vd_plan_value *made = &t->made.values[t->made.value_count - 1];
                made->input = is_constant ? -1 : t->made.input_count++;
                made->constant = is_constant ? t->made.constant_count++ : -1;
                t->links[t->made.value_count - 1] = t->planner->values_of[value];
            }
        }
    }
}

static void copy_steps(tidying *t)
{
    const vd_plan_graph *plan = &t->planner->plan;
    int links = t->made.value_count;
    for (int i = 0; i < plan->step_count; i++) {
        if (t->dead[i])
            continue;
        vd_plan_step *step = &t->made.steps[t->made.step_count++];
        *step = plan->steps[i];
        rename_value(t, step->out);
        for (int k = 0; k < step->in_count; k++)
            step->in[k] = t->renamed[step->in[k]] - 1;
        step->out = t->renamed[step->out] - 1;
    }
    for (int i = 0; i < plan->value_count; i++) {
        if (!is_output(t, i) || t->maker[i] == 0)
            continue;
        t->links[links++] = t->planner->values_of[i];
        t->made.outputs[t->made.output_count++] = t->renamed[i] - 1;
    }
}

static bool make_tidying(tidying *t)
{
    size_t values = (size_t)t->planner->plan.value_count + 1, steps = (size_t)t->planner->plan.step_count + 1;
    t->uses = calloc(values, sizeof *t->uses);
    t->maker = calloc(values, sizeof *t->maker);
    t->renamed = calloc(values, sizeof *t->renamed);
    t->dead = calloc(steps, sizeof *t->dead);
    t->made.values = calloc(values, sizeof *t->made.values);
    t->made.steps = calloc(steps, sizeof *t->made.steps);
    t->made.outputs = calloc(values, sizeof *t->made.outputs);
    t->links = calloc(2 * values, sizeof *t->links);
    return t->uses && t->maker && t->renamed && t->dead && t->made.values && t->made.steps &&
           t->made.outputs && t->links;
}

int vd_planner_finish(vd_planner *planner, const bool *outputs, vd_plan_graph *ret_plan,
                      vd_value ***ret_links)
{
    tidying t = {.planner = planner, .outputs = outputs};
    int code = make_tidying(&t) ? VD_OK : VD_ENOMEM;
    if (code == VD_OK) {
        count_uses(&t);
        join_activations(&t);
        rename_values(&t);
        copy_steps(&t);
        if (t.made.output_count == 0 || t.made.input_count == 0)
            code = VD_EFORMAT;
    }
    free(t.uses);
    free(t.maker);
    free(t.renamed);
    free(t.dead);
    if (code != VD_OK) {
        vd_plan_clear(&t.made);
        free(t.links);
        return code;
    }
    *ret_plan = t.made;
    *ret_links = t.links;
    return VD_OK;
}
