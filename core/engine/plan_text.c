/* What a line of a measurement says: the window, the channels, the size, the activation. */
#include <stdio.h>
#include <string.h>

#include "engine/plan_parts.h"

static const char *act_name(vd_plan_act act)
{
    static const char *const names[VD_ACT_END] = {
        [VD_ACT_NONE] = "",          [VD_ACT_SILU] = " silu",
        [VD_ACT_RELU] = " relu",     [VD_ACT_LEAKY] = " leaky relu",
        [VD_ACT_CLIP] = " clip",     [VD_ACT_SIGMOID] = " sigmoid",
        [VD_ACT_HSWISH] = " hswish", [VD_ACT_HSIGMOID] = " hsigmoid",
        [VD_ACT_TANH] = " tanh",     [VD_ACT_EXP] = " exp",
        [VD_ACT_GELU] = " gelu",
    };
    return act > VD_ACT_NONE && act < VD_ACT_END ? names[act] : "";
}

static const char *op_name(vd_plan_run_fn run)
{
    static const struct {
        vd_plan_run_fn run;
        const char *name;
    } rows[] = {
        {vd_op_block, "to blocks"},
        {vd_op_unblock, "from blocks"},
        {vd_op_act, "activation"},
        {vd_op_clear, "clear channels"},
        {vd_op_copy, "copy"},
        {vd_op_channels, "copy channels"},
        {vd_op_max_pool, "max pool"},
        {vd_op_avg_pool, "avg pool"},
        {vd_op_global_avg, "global average"},
        {vd_op_nearest, "nearest"},
        {vd_op_pad, "pad"},
        {vd_op_softmax, "softmax"},
        {vd_op_matmul, "product"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].run == run)
            return rows[i].name;
    return NULL;
}

static const char *kind_name(vd_plan_kind kind)
{
    return kind == VD_PLAN_ADD   ? "add"
           : kind == VD_PLAN_SUB ? "subtract"
           : kind == VD_PLAN_MUL ? "multiply"
                                 : "divide";
}

static void put_extents(char *text, size_t room, const vd_plan_value *value)
{
    size_t used = 0;
    text[0] = '\0';
    for (int i = 0; i < value->rank && used < room; i++)
        used += (size_t)snprintf(text + used, room - used, "%s%d", i ? "×" : "", value->extents[i]);
}

static void describe_conv(const vd_lowering *l, const vd_plan_step *step, vd_plan_op *op)
{
    const vd_plan_value *w = &l->graph->values[step->in[1]];
    const vd_plan_value *x = &l->graph->values[step->in[0]], *y = &l->graph->values[step->out];
    char groups[24] = "";
    if (step->ints[8] > 1)
        snprintf(groups, sizeof groups, " /%d", step->ints[8]);
    snprintf(op->text, sizeof op->text, "%s%dx%d/%d%s %d→%d %d×%d%s%s",
             step->kind == VD_PLAN_DECONV ? "up " : "", w->extents[2], w->extents[3], step->ints[0], groups,
             x->extents[1], y->extents[1], y->extents[2], y->extents[3], act_name(step->act),
             op->in[1] >= 0 && op->run == vd_op_conv ? " + add" : "");
}

void vd_plan_describe(const vd_lowering *l, vd_plan_op *op)
{
    const vd_tensor *t = &l->plan->tensors[op->out];
    const vd_plan_step *step = l->step >= 0 ? &l->graph->steps[l->step] : NULL;
    const char *name = op_name(op->run);
    char extents[64] = "";
    if (step && !name && (step->kind == VD_PLAN_CONV || step->kind == VD_PLAN_DECONV)) {
        describe_conv(l, step, op);
        return;
    }
    if (t->height > 0)
        snprintf(extents, sizeof extents, "%d %d×%d", t->channels, t->height, t->width);
    else if (step)
        put_extents(extents, sizeof extents, &l->graph->values[step->out]);
    bool with_act = step && op->run == vd_op_act;
    snprintf(op->text, sizeof op->text, "%s %s%s",
             name   ? name
             : step ? kind_name(step->kind)
                    : "pass",
             extents, with_act ? act_name(step->act) : "");
}
