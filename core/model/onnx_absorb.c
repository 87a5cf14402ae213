/* Factors and offsets behind a convolution go into its weights and bias.
 *
 * Exports of unfused networks have a BatchNormalization there, and networks that were 8-bit ones a factor and
 * a bias of their own. Where several readers share weights, each convolution gets its own. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/onnx_edit.h"
#include "model/onnx_passes.h"

/* What is done to each channel of a convolution's output: y = factor · x + offset. */
typedef struct change {
    int64_t channels;
    double *factor, *offset;
} change;

static int64_t channels_of(const Onnx__NodeProto *conv, const vd_value *weights)
{
    return weights->shape.dims[vd_onnx_is(conv, "Conv") ? 0 : 1];
}

/* The convolution that alone makes what the node's k-th input is, past nodes that change nothing. */
static Onnx__NodeProto *convolution_before(const vd_onnx_graph *graph, const Onnx__NodeProto *node, size_t k)
{
    const vd_value *value = vd_onnx_input(graph, node, k);
    for (int depth = 0; depth < 8; depth++) {
        if (!value || value->constant || value->producer < 0 || value->uses != 1)
            return NULL;
        Onnx__NodeProto *maker = graph->proto->node[value->producer];
        if (vd_onnx_is(maker, "Identity") || (vd_onnx_is(maker, "Cast") && vd_onnx_input(graph, maker, 0) &&
                                              vd_onnx_input(graph, maker, 0)->type == value->type)) {
            value = vd_onnx_input(graph, maker, 0);
            continue;
        }
        const vd_value *weights = vd_onnx_input(graph, maker, 1), *bias = vd_onnx_input(graph, maker, 2);
        bool fits = (vd_onnx_is(maker, "Conv") ||
                     (vd_onnx_is(maker, "ConvTranspose") && vd_onnx_attribute_int(maker, "group", 1) == 1)) &&
                    weights && weights->constant && weights->type == VD_ONNX_FLOAT &&
                    weights->shape.rank == 4 && value->shape.rank == 4 &&
                    (!bias || (bias->constant && bias->type == VD_ONNX_FLOAT &&
                               (int64_t)vd_onnx_tensor_count(bias->constant) == channels_of(maker, weights)));
        return fits ? maker : NULL;
    }
    return NULL;
}

/* One number for all channels, or one for each: [1, c, 1, 1] or [c, 1, 1]. */
static bool is_per_channel(const vd_value *value, int64_t channels)
{
    if (!value || !value->constant || value->type != VD_ONNX_FLOAT || value->shape.rank > 4)
        return false;
    size_t count = vd_onnx_tensor_count(value->constant);
    int at = value->shape.rank - 3;
    return count == 1 || ((int64_t)count == channels && at >= 0 && value->shape.dims[at] == channels);
}

static double number_at(const vd_value *value, int64_t channel)
{
    return vd_onnx_tensor_number(value->constant,
                                 vd_onnx_tensor_count(value->constant) == 1 ? 0 : (size_t)channel);
}

/* scale, bias, mean, variance: one for each channel */
static bool read_normalisation(const vd_onnx_graph *graph, const Onnx__NodeProto *node, change *c)
{
    const Onnx__AttributeProto *epsilon = vd_onnx_attribute(node, "epsilon");
    const vd_value *row[4];
    for (size_t i = 0; i < 4; i++) {
        row[i] = vd_onnx_input(graph, node, i + 1);
        if (!row[i] || !row[i]->constant || row[i]->type != VD_ONNX_FLOAT ||
            (int64_t)vd_onnx_tensor_count(row[i]->constant) != c->channels)
            return false;
    }
    if (node->n_output != 1 || vd_onnx_attribute_int(node, "training_mode", 0) != 0)
        return false;
    for (int64_t i = 0; i < c->channels; i++) {
        double spread = sqrt(number_at(row[3], i) + (epsilon ? (double)epsilon->f : 1e-5));
        c->factor[i] = number_at(row[0], i) / spread;
        c->offset[i] = number_at(row[1], i) - number_at(row[2], i) * c->factor[i];
    }
    return true;
}

/* The node as a change of its input `computed`. */
static bool read_change(const vd_onnx_graph *graph, const Onnx__NodeProto *node, size_t computed, change *c)
{
    if (vd_onnx_is(node, "BatchNormalization"))
        return read_normalisation(graph, node, c);
    const vd_value *value = vd_onnx_input(graph, node, 1 - computed);
    bool is_mul = vd_onnx_is(node, "Mul"), is_div = vd_onnx_is(node, "Div"), is_sub = vd_onnx_is(node, "Sub");
    if (!is_per_channel(value, c->channels) || (is_div && computed != 0))
        return false;
    for (int64_t i = 0; i < c->channels; i++) {
        double number = number_at(value, i);
        c->factor[i] = is_mul ? number : is_div ? 1 / number : is_sub && computed == 1 ? -1 : 1;
        c->offset[i] = is_mul || is_div ? 0 : is_sub && computed == 0 ? -number : number;
    }
    return true;
}

/* The tensor to change: the weights themselves where nobody else reads them, else a new one of their shape.
 */
static int own_weights(vd_onnx_graph *graph, Onnx__NodeProto *conv, Onnx__TensorProto **ret_tensor,
                       vd_error *error)
{
    vd_value *weights = vd_onnx_input(graph, conv, 1), *fresh = NULL;
    *ret_tensor = weights->constant;
    if (weights->uses == 1 && weights->producer < 0)
        return VD_OK;
    Onnx__TensorProto *copy = vd_onnx_fold_tensor(graph, VD_ONNX_FLOAT, &weights->shape);
    if (copy && copy->raw_data.len > 0)
        memcpy(copy->raw_data.data, weights->constant->raw_data.data, copy->raw_data.len);
    int code = vd_onnx_put_constant(graph, weights->name, copy, &fresh, error);
    if (code != VD_OK)
        return code;
    *ret_tensor = copy;
    fresh->uses = 1;
    weights->uses--;
    return vd_onnx_put_input(conv, 1, fresh->name) == VD_OK ? VD_OK : vd_onnx_no_memory(graph, error);
}

static int change_weights(vd_onnx_graph *graph, Onnx__NodeProto *conv, const change *c, vd_error *error)
{
    Onnx__TensorProto *weights = NULL;
    int code = own_weights(graph, conv, &weights, error);
    size_t count = code == VD_OK ? vd_onnx_tensor_count(weights) : 0, inner = count / (size_t)c->channels;
    if (count > 0 && vd_onnx_is(conv, "ConvTranspose"))
        inner /= (size_t)weights->dims[0];
    for (size_t i = 0; i < count; i++)
        vd_onnx_tensor_set_number(
            weights, i, vd_onnx_tensor_number(weights, i) * c->factor[i / inner % (size_t)c->channels]);
    return code;
}

static int change_bias(vd_onnx_graph *graph, Onnx__NodeProto *conv, const change *c, vd_error *error)
{
    const vd_value *bias = vd_onnx_input(graph, conv, 2);
    vd_shape shape = {.rank = 1, .dims = {c->channels}};
    Onnx__TensorProto *out = vd_onnx_fold_tensor(graph, VD_ONNX_FLOAT, &shape);
    vd_value *fresh = NULL;
    for (int64_t i = 0; out && i < c->channels; i++) {
        double was = bias ? vd_onnx_tensor_number(bias->constant, (size_t)i) : 0;
        vd_onnx_tensor_set_number(out, (size_t)i, was * c->factor[i] + c->offset[i]);
    }
    int code = vd_onnx_put_constant(graph, conv->output[0], out, &fresh, error);
    if (code == VD_OK && vd_onnx_put_input(conv, 2, fresh->name) != VD_OK)
        code = vd_onnx_no_memory(graph, error);
    return code;
}

static int absorb(vd_onnx_graph *graph, Onnx__NodeProto *conv, Onnx__NodeProto *node, size_t computed,
                  vd_error *error)
{
    const vd_value *weights = vd_onnx_input(graph, conv, 1);
    change c = {.channels = channels_of(conv, weights)};
    if (c.channels < 1)
        return VD_OK;
    c.factor = calloc((size_t)c.channels, sizeof *c.factor);
    c.offset = calloc((size_t)c.channels, sizeof *c.offset);
    int code = c.factor && c.offset ? VD_OK : vd_onnx_no_memory(graph, error);
    if (code == VD_OK && read_change(graph, node, computed, &c)) {
        code = change_weights(graph, conv, &c, error);
        if (code == VD_OK)
            code = change_bias(graph, conv, &c, error);
        if (code == VD_OK && computed == 1 && vd_onnx_set_input(node, 0, node->input[1]) != VD_OK)
            code = vd_onnx_no_memory(graph, error);
        if (code == VD_OK && vd_onnx_set_type(node, "Identity") != VD_OK)
            code = vd_onnx_no_memory(graph, error);
        vd_onnx_keep_inputs(node, 1);
        vd_onnx_keep_settings(node, 0);
        graph->absorbed++;
    }
    free(c.factor);
    free(c.offset);
    return code;
}

int vd_onnx_absorb(vd_onnx_graph *graph, vd_error *error)
{
    static const char *const names[] = {"Add", "BatchNormalization", "Div", "Mul", "Sub"};
    int code = VD_OK;
    vd_onnx_count_uses(graph);
    for (size_t i = 0; code == VD_OK && i < graph->proto->n_node; i++) {
        Onnx__NodeProto *node = graph->proto->node[i];
        const vd_value *out = vd_onnx_output(graph, node, 0);
        bool fits = false;
        for (size_t k = 0; k < sizeof names / sizeof *names; k++)
            fits = fits || vd_onnx_is(node, names[k]);
        for (size_t k = 0; fits && code == VD_OK && k < node->n_input && k < 2; k++) {
            Onnx__NodeProto *conv = convolution_before(graph, node, k);
            const vd_value *in = vd_onnx_input(graph, node, k);
            if (!conv || (k == 1 && vd_onnx_is(node, "BatchNormalization")) ||
                !vd_shape_equal(&in->shape, &out->shape))
                continue;
            code = absorb(graph, conv, node, k, error);
            break;
        }
    }
    return code;
}
