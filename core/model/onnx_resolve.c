#include <stdlib.h>

#include "model/onnx_edit.h"
#include "model/onnx_passes.h"

int vd_onnx_resolve(vd_onnx_graph *graph, vd_error *error)
{
    for (size_t i = 0; i < graph->proto->n_node; i++) {
        const Onnx__NodeProto *node = graph->proto->node[i];
        bool folded;
        if (!vd_onnx_infer(graph, node))
            continue; /* vd_onnx_check refuses it, if anything needs it */
        int code = vd_onnx_fold(graph, node, &folded, error);
        if (code != VD_OK)
            return code;
    }
    return VD_OK;
}

/* Nodes whose output is their first input. */
static bool changes_nothing(const vd_onnx_graph *graph, const Onnx__NodeProto *node)
{
    const vd_value *in = vd_onnx_input(graph, node, 0);
    if (!in || in->constant)
        return false;
    if (vd_onnx_is(node, "Cast"))
        return in->type != 0 && in->type == vd_onnx_attribute_int(node, "to", 0);
    return vd_onnx_is(node, "Identity") || (vd_onnx_is(node, "Dropout") && node->n_input < 3);
}

/* The node that makes `value` and changes nothing; NULL when there is none. */
static Onnx__NodeProto *idle_maker(const vd_onnx_graph *graph, const vd_value *value)
{
    Onnx__NodeProto *maker = value && value->producer >= 0 ? graph->proto->node[value->producer] : NULL;
    bool idle = maker && changes_nothing(graph, maker) && vd_onnx_output(graph, maker, 0) == value;
    return idle ? maker : NULL;
}

/* Everyone who reads a value that stands in `instead` (by value) reads what stands there. */
static int read_instead(vd_onnx_graph *graph, vd_value *const *instead)
{
    for (size_t i = 0; i < graph->proto->n_node; i++) {
        Onnx__NodeProto *node = graph->proto->node[i];
        for (size_t k = 0; k < node->n_input; k++) {
            const vd_value *in = vd_onnx_input(graph, node, k);
            const vd_value *other = in ? instead[in - graph->values] : NULL;
            if (other && vd_onnx_set_input(node, k, other->name) != VD_OK)
                return VD_ENOMEM;
        }
    }
    return VD_OK;
}

/* An output keeps its name: who computes what the idle node passes on computes it under that name, and the
 * idle node gives the old one to nobody. Those who read the old one are seen to afterwards, by `instead`. */
static void bypass_output(vd_onnx_graph *graph, vd_value *output, vd_value **instead)
{
    Onnx__NodeProto *idle = idle_maker(graph, output);
    vd_value *origin = idle ? vd_onnx_input(graph, idle, 0) : NULL;
    if (!origin || origin->producer < 0 || instead[origin - graph->values] ||
        vd_onnx_is_output(graph, origin->name))
        return;
    Onnx__NodeProto *maker = graph->proto->node[origin->producer];
    char **name = NULL;
    for (size_t i = 0; i < maker->n_output; i++)
        if (vd_onnx_output(graph, maker, i) == origin)
            name = &maker->output[i];
    if (!name)
        return;
    char *kept = *name;
    *name = idle->output[0];
    idle->output[0] = kept;
    int swapped = output->producer;
    output->producer = origin->producer;
    origin->producer = swapped;
    instead[origin - graph->values] = output;
}

static int bypass_outputs(vd_onnx_graph *graph)
{
    vd_value **instead = calloc(graph->value_count + 1, sizeof *instead);
    if (!instead)
        return VD_ENOMEM;
    for (size_t i = 0; i < graph->proto->n_output; i++)
        bypass_output(graph, vd_onnx_find(graph, graph->proto->output[i]->name), instead);
    int code = read_instead(graph, instead);
    free(instead);
    return code;
}

int vd_onnx_bypass(vd_onnx_graph *graph, vd_error *error)
{
    int code = VD_OK;
    for (size_t i = 0; code == VD_OK && i < graph->proto->n_node; i++) {
        Onnx__NodeProto *node = graph->proto->node[i];
        for (size_t k = 0; code == VD_OK && k < node->n_input; k++) {
            /* nodes stand in order, so the maker's own input has been followed to its origin already */
            const Onnx__NodeProto *maker = idle_maker(graph, vd_onnx_input(graph, node, k));
            if (maker)
                code = vd_onnx_set_input(node, k, maker->input[0]);
        }
    }
    if (code == VD_OK)
        code = bypass_outputs(graph);
    return code == VD_OK ? VD_OK : vd_onnx_no_memory(graph, error);
}

typedef int vd_onnx_pass(vd_onnx_graph *graph, vd_error *error);

static int run_all(vd_onnx_pass *const *passes, size_t count, vd_onnx_graph *graph, vd_error *error)
{
    for (size_t i = 0; i < count; i++) {
        int code = passes[i](graph, error);
        if (code != VD_OK)
            return code;
    }
    return VD_OK;
}

int vd_onnx_normalise(vd_onnx_graph *graph, vd_error *error)
{
    static vd_onnx_pass *const passes[] = {vd_onnx_half, vd_onnx_quantised, vd_onnx_resolve, vd_onnx_absorb,
                                           vd_onnx_bypass};
    return run_all(passes, sizeof passes / sizeof *passes, graph, error);
}

int vd_onnx_cure(vd_onnx_graph *graph, vd_error *error)
{
    static vd_onnx_pass *const passes[] = {vd_onnx_settings, vd_onnx_replace, vd_onnx_move_scales,
                                           vd_onnx_spread,   vd_onnx_sweep,   vd_onnx_name};
    int code = run_all(passes, sizeof passes / sizeof *passes, graph, error);
    return code == VD_OK ? vd_onnx_check(graph, error) : code;
}

int vd_onnx_rewrite(vd_onnx_graph *graph, vd_error *error)
{
    int code = vd_onnx_normalise(graph, error);
    return code == VD_OK ? vd_onnx_cure(graph, error) : code;
}
