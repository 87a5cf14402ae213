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

int vd_onnx_bypass(vd_onnx_graph *graph, vd_error *error)
{
    for (size_t i = 0; i < graph->proto->n_node; i++) {
        Onnx__NodeProto *node = graph->proto->node[i];
        for (size_t k = 0; k < node->n_input; k++) {
            const vd_value *value = vd_onnx_input(graph, node, k);
            const Onnx__NodeProto *maker =
                value && value->producer >= 0 ? graph->proto->node[value->producer] : NULL;
            if (!maker || !changes_nothing(graph, maker) || vd_onnx_output(graph, maker, 0) != value)
                continue;
            /* nodes stand in order, so the maker's own input has been followed to its origin already */
            if (vd_onnx_set_input(node, k, maker->input[0]) != VD_OK)
                return vd_error_set(error, VD_ENOMEM, graph->place,
                                    "There is not enough memory to rewrite the model.");
        }
    }
    return VD_OK;
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
    static vd_onnx_pass *const passes[] = {vd_onnx_resolve, vd_onnx_bypass};
    return run_all(passes, sizeof passes / sizeof *passes, graph, error);
}

int vd_onnx_cure(vd_onnx_graph *graph, vd_error *error)
{
    static vd_onnx_pass *const passes[] = {vd_onnx_settings, vd_onnx_move_scales, vd_onnx_spread,
                                           vd_onnx_sweep, vd_onnx_check};
    return run_all(passes, sizeof passes / sizeof *passes, graph, error);
}

int vd_onnx_rewrite(vd_onnx_graph *graph, vd_error *error)
{
    int code = vd_onnx_normalise(graph, error);
    return code == VD_OK ? vd_onnx_cure(graph, error) : code;
}
