/* Cures for what OpenCV 4.6 reads wrongly: sizes of Split, factors behind a product of computed matrices. */
#include "model/onnx_edit.h"
#include "model/onnx_passes.h"
#include "model/onnx_rules.h"

int vd_onnx_settings(vd_onnx_graph *graph, vd_error *error)
{
    for (size_t i = 0; i < graph->proto->n_node; i++) {
        Onnx__NodeProto *node = graph->proto->node[i];
        int64_t ints[2 * VD_ONNX_RANK];
        int axis, count = 0;
        const char *name = vd_onnx_is(node, "Split") ? "split" : "axes";
        if (vd_onnx_attribute(node, name))
            continue;
        if (vd_onnx_is(node, "Split"))
            count = vd_rule_split_sizes(graph, node, &axis, ints);
        else if (vd_onnx_is(node, "Squeeze") && node->n_input > 1)
            count = vd_rule_axes(graph, node, ints);
        if (count < 1)
            continue; /* nothing to write, or no shape either: then vd_onnx_check refuses it */
        if (vd_onnx_set_ints(node, name, ints, count) != VD_OK)
            return vd_onnx_no_memory(graph, error);
        vd_onnx_keep_inputs(node, 1);
        graph->rewritten_nodes++;
    }
    return VD_OK;
}

static bool is_factor(const vd_value *value, int rank)
{
    return value && value->constant && value->shape.rank <= rank &&
           vd_onnx_tensor_count(value->constant) == 1;
}

/* The product of computed matrices that `node` alone scales by one number; *ret_factor is that number's
 * input. */
static Onnx__NodeProto *scaled_product(const vd_onnx_graph *graph, const Onnx__NodeProto *node,
                                       size_t *ret_factor)
{
    bool is_div = vd_onnx_is(node, "Div");
    if (node->n_input != 2 || (!is_div && !vd_onnx_is(node, "Mul")))
        return NULL;
    for (size_t k = 0; k < (is_div ? 1 : 2); k++) {
        const vd_value *product = vd_onnx_input(graph, node, k), *factor = vd_onnx_input(graph, node, 1 - k);
        if (!product || product->producer < 0 || product->uses != 1 ||
            !is_factor(factor, product->shape.rank))
            continue;
        Onnx__NodeProto *maker = graph->proto->node[product->producer];
        const vd_value *a = vd_onnx_input(graph, maker, 0), *b = vd_onnx_input(graph, maker, 1);
        if (vd_onnx_is(maker, "MatMul") && a && b && !a->constant && !b->constant &&
            a->shape.rank >= factor->shape.rank) {
            *ret_factor = 1 - k;
            return maker;
        }
    }
    return NULL;
}

static void swap_text(char **a, char **b)
{
    char *kept = *a;
    *a = *b;
    *b = kept;
}

/* (A × B) · s becomes (A · s) × B: the two nodes exchange their operation and one input. */
static void exchange(const vd_onnx_graph *graph, Onnx__NodeProto *product, Onnx__NodeProto *scale,
                     size_t factor)
{
    vd_value *between = vd_onnx_output(graph, product, 0);
    swap_text(&product->op_type, &scale->op_type);
    swap_text(&product->domain, &scale->domain);
    swap_text(&product->input[1], &scale->input[factor]);
    if (factor == 0)
        swap_text(&scale->input[0], &scale->input[1]);
    between->shape = vd_onnx_input(graph, product, 0)->shape;
}

int vd_onnx_move_scales(vd_onnx_graph *graph, vd_error *error)
{
    (void)error;
    vd_onnx_count_uses(graph);
    for (size_t i = 0; i < graph->proto->n_node; i++) {
        size_t factor;
        Onnx__NodeProto *product = scaled_product(graph, graph->proto->node[i], &factor);
        if (!product)
            continue;
        exchange(graph, product, graph->proto->node[i], factor);
        graph->moved_scales++;
    }
    return VD_OK;
}
