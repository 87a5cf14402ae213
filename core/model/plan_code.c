/* A plan as integers: [version, counts, outputs, values, steps], each value [rank, extents, input, constant],
 * each step [kind, act, number of operands, operands, output, integers of the kind, two floats bit by bit].
 */
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "model/plan_rules.h"

enum { VERSION = 1, HEAD = 6 };

size_t vd_plan_count(const vd_plan_value *value)
{
    size_t count = 1;
    for (int i = 0; i < value->rank; i++)
        count *= (size_t)value->extents[i];
    return count;
}

void vd_plan_clear(vd_plan_graph *graph)
{
    free(graph->outputs);
    free(graph->values);
    free(graph->steps);
    *graph = (vd_plan_graph){0};
}

static size_t code_length(const vd_plan_graph *graph)
{
    size_t length = HEAD + (size_t)graph->output_count;
    for (int i = 0; i < graph->value_count; i++)
        length += 3 + (size_t)graph->values[i].rank;
    for (int i = 0; i < graph->step_count; i++) {
        const vd_plan_step *step = &graph->steps[i];
        length += 6 + (size_t)step->in_count + (size_t)vd_plan_int_count(step->kind);
    }
    return length;
}

static int32_t *put_ints(int32_t *at, const int *ints, int count)
{
    for (int i = 0; i < count; i++)
        *at++ = ints[i];
    return at;
}

static int32_t *put_step(int32_t *at, const vd_plan_step *step)
{
    *at++ = (int32_t)step->kind;
    *at++ = (int32_t)step->act;
    *at++ = step->in_count;
    at = put_ints(at, step->in, step->in_count);
    *at++ = step->out;
    at = put_ints(at, step->ints, vd_plan_int_count(step->kind));
    memcpy(at, step->floats, sizeof step->floats);
    return at + 2;
}

int vd_plan_encode(const vd_plan_graph *graph, int32_t **ret_code, size_t *ret_length)
{
    size_t length = code_length(graph);
    int32_t *code = malloc(length * sizeof *code), *at = code;
    if (!code)
        return VD_ENOMEM;
    const int head[HEAD] = {
        VERSION,          graph->input_count, graph->constant_count, graph->output_count, graph->value_count,
        graph->step_count};
    at = put_ints(at, head, HEAD);
    at = put_ints(at, graph->outputs, graph->output_count);
    for (int i = 0; i < graph->value_count; i++) {
        const vd_plan_value *value = &graph->values[i];
        *at++ = value->rank;
        at = put_ints(at, value->extents, value->rank);
        *at++ = value->input;
        *at++ = value->constant;
    }
    for (int i = 0; i < graph->step_count; i++)
        at = put_step(at, &graph->steps[i]);
    *ret_code = code;
    *ret_length = length;
    return VD_OK;
}

/* What is being read, and what is known of it. */
typedef struct reader {
    const int32_t *at, *end;
    vd_plan_graph *graph;
    bool *inputs, *constants; /* by index: a value stands for it */
    bool *made;               /* by value */
    vd_error *error;
} reader;

static int damaged(const reader *r, int step, const char *fault)
{
    if (step >= 0)
        return vd_error_set(r->error, VD_EFORMAT, NULL, "The gathered layers are damaged: step %d %s.", step,
                            fault);
    return vd_error_set(r->error, VD_EFORMAT, NULL, "The gathered layers are damaged: %s.", fault);
}

static bool take(reader *r, int *ret_ints, int count)
{
    if (r->end - r->at < count)
        return false;
    for (int i = 0; i < count; i++)
        ret_ints[i] = *r->at++;
    return true;
}

static int read_head(reader *r)
{
    int head[HEAD];
    vd_plan_graph *graph = r->graph;
    if (!take(r, head, HEAD) || head[0] != VERSION)
        return damaged(r, -1, "they are of another version");
    for (int i = 1; i < 5; i++)
        if (head[i] < 0 || head[i] > VD_PLAN_MAX_VALUES)
            return damaged(r, -1, "a number of values makes no sense");
    if (head[1] < 1 || head[3] < 1 || head[1] + head[2] + head[3] > head[4] || head[5] < 1 ||
        head[5] > VD_PLAN_MAX_STEPS || head[5] != head[4] - head[1] - head[2])
        return damaged(r, -1, "numbers of values and steps do not fit together");
    graph->input_count = head[1];
    graph->constant_count = head[2];
    graph->output_count = head[3];
    graph->value_count = head[4];
    graph->step_count = head[5];
    graph->outputs = calloc((size_t)head[3], sizeof *graph->outputs);
    graph->values = calloc((size_t)head[4], sizeof *graph->values);
    graph->steps = calloc((size_t)head[5], sizeof *graph->steps);
    r->inputs = calloc((size_t)head[1], sizeof *r->inputs);
    r->constants = calloc((size_t)head[2] + 1, sizeof *r->constants);
    r->made = calloc((size_t)head[4], sizeof *r->made);
    if (!graph->outputs || !graph->values || !graph->steps || !r->inputs || !r->constants || !r->made)
        return vd_error_set(r->error, VD_ENOMEM, NULL, "There is not enough memory to plan the network.");
    return take(r, graph->outputs, head[3]) ? VD_OK : damaged(r, -1, "they end too early");
}

static bool size_is_sound(const vd_plan_value *value)
{
    size_t count = 1;
    for (int i = 0; i < value->rank; i++) {
        if (value->extents[i] < 1 || (size_t)value->extents[i] > VD_PLAN_MAX_ELEMENTS / count)
            return false;
        count *= (size_t)value->extents[i];
    }
    return true;
}

/* Marks `index` as taken: false when it is out of range or taken twice. */
static bool claim(bool *taken, int count, int index)
{
    if (index >= count || taken[index])
        return false;
    taken[index] = true;
    return true;
}

static int read_values(reader *r)
{
    vd_plan_graph *graph = r->graph;
    for (int i = 0; i < graph->value_count; i++) {
        vd_plan_value *value = &graph->values[i];
        if (!take(r, &value->rank, 1) || value->rank < 0 || value->rank > VD_PLAN_RANK ||
            !take(r, value->extents, value->rank) || !take(r, &value->input, 1) ||
            !take(r, &value->constant, 1))
            return damaged(r, -1, "a value has no sound description");
        if (!size_is_sound(value))
            return damaged(r, -1, "a value has a size that makes no sense");
        if (value->input < -1 || value->constant < -1 || (value->input >= 0 && value->constant >= 0) ||
            (value->input >= 0 && !claim(r->inputs, graph->input_count, value->input)) ||
            (value->constant >= 0 && !claim(r->constants, graph->constant_count, value->constant)))
            return damaged(r, -1, "a value comes from nowhere");
        r->made[i] = value->input >= 0 || value->constant >= 0;
    }
    return VD_OK;
}

static bool take_step(reader *r, vd_plan_step *step)
{
    int head[3];
    if (!take(r, head, 3) || head[0] < VD_PLAN_CONV || head[0] >= VD_PLAN_KIND_END || head[1] < VD_ACT_NONE ||
        head[1] >= VD_ACT_END || head[2] < 1 || head[2] > VD_PLAN_LINKS)
        return false;
    step->kind = (vd_plan_kind)head[0];
    step->act = (vd_plan_act)head[1];
    step->in_count = head[2];
    if (!take(r, step->in, head[2]) || !take(r, &step->out, 1) ||
        !take(r, step->ints, vd_plan_int_count(step->kind)) || r->end - r->at < 2)
        return false;
    memcpy(step->floats, r->at, sizeof step->floats);
    r->at += 2;
    return true;
}

static int read_steps(reader *r)
{
    vd_plan_graph *graph = r->graph;
    for (int i = 0; i < graph->step_count; i++) {
        vd_plan_step *step = &graph->steps[i];
        if (!take_step(r, step))
            return damaged(r, i, "has no sound description");
        for (int k = 0; k < step->in_count; k++)
            if (step->in[k] < 0 || step->in[k] >= graph->value_count || !r->made[step->in[k]])
                return damaged(r, i, "reads what is not there");
        if (step->out < 0 || step->out >= graph->value_count || r->made[step->out])
            return damaged(r, i, "writes what is there already");
        const char *fault = vd_plan_step_fault(graph, step);
        if (fault)
            return damaged(r, i, fault);
        r->made[step->out] = true;
    }
    return VD_OK;
}

/* Each output is a value of its own that a step makes. As there are as many steps as such values, and each
 * makes another one, all of them are made. */
static int check_outputs(reader *r)
{
    vd_plan_graph *graph = r->graph;
    memset(r->made, 0, (size_t)graph->value_count * sizeof *r->made);
    for (int i = 0; i < graph->output_count; i++) {
        int index = graph->outputs[i];
        if (index < 0 || !claim(r->made, graph->value_count, index) || graph->values[index].input >= 0 ||
            graph->values[index].constant >= 0)
            return damaged(r, -1, "an output is no value of a step");
    }
    return r->at == r->end ? VD_OK : damaged(r, -1, "they end too late");
}

int vd_plan_decode(const int32_t *code, size_t length, vd_plan_graph *ret_graph, vd_error *error)
{
    vd_plan_graph graph = {0};
    reader r = {.at = code, .end = code + length, .graph = &graph, .error = error};
    int result = read_head(&r);
    if (result == VD_OK)
        result = read_values(&r);
    if (result == VD_OK)
        result = read_steps(&r);
    if (result == VD_OK)
        result = check_outputs(&r);
    free(r.inputs);
    free(r.constants);
    free(r.made);
    if (result == VD_OK)
        *ret_graph = graph;
    else
        vd_plan_clear(&graph);
    return result;
}
