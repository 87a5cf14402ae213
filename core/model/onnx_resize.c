#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "model/onnx_edit.h"
#include "model/onnx_passes.h"
#include "model/onnx_regroup.h"
#include "model/onnx_rules.h"
#include "model/onnx_size.h"

enum { MAX_STRIDE = 256 };

/* What a node reads as integers, at the file's own size: input 1 of Reshape, 3 of Resize, 1 and 2 of Slice.
 */
typedef struct setting {
    int count[2]; /* -1: none */
    int64_t ints[2][2 * VD_ONNX_RANK];
} setting;

typedef struct job {
    vd_onnx_graph *graph;
    vd_shape *shapes;  /* by value: at the file's own size */
    setting *settings; /* by node */
    vd_pairs pairs;
    vd_error *error;
} job;

static const vd_value *picture(const vd_onnx_graph *graph)
{
    for (size_t i = 0; i < graph->proto->n_input; i++) {
        const vd_value *value = vd_onnx_find(graph, graph->proto->input[i]->name);
        if (!value->constant)
            return value;
    }
    return NULL;
}

int vd_onnx_largest_stride(const vd_onnx_graph *graph)
{
    const vd_value *input = picture(graph);
    int64_t largest = 1;
    if (!input || input->shape.rank != 4)
        return 1;
    for (size_t i = 0; i < graph->proto->n_node; i++) {
        const vd_value *map = vd_onnx_output(graph, graph->proto->node[i], 0);
        if (!vd_onnx_is(graph->proto->node[i], "Conv") || !map || map->shape.rank != 4 ||
            map->shape.dims[2] < 1 || map->shape.dims[3] < 1)
            continue;
        int64_t by = input->shape.dims[3] / map->shape.dims[3];
        bool even = by * map->shape.dims[3] == input->shape.dims[3] &&
                    by * map->shape.dims[2] == input->shape.dims[2];
        bool pooled = map->shape.dims[2] == 1 && map->shape.dims[3] == 1; /* over the whole picture */
        if (even && !pooled && by > largest && by <= MAX_STRIDE)
            largest = by;
    }
    return (int)largest;
}

static void read_ints(const job *j, const Onnx__NodeProto *node, size_t input, setting *s, int which)
{
    s->count[which] = vd_onnx_value_ints(vd_onnx_input(j->graph, node, input), s->ints[which]);
}

static setting settings_of(const job *j, const Onnx__NodeProto *node)
{
    setting s = {.count = {-1, -1}};
    if (vd_onnx_is(node, "Reshape"))
        read_ints(j, node, 1, &s, 0);
    else if (vd_onnx_is(node, "Resize"))
        read_ints(j, node, 3, &s, 0);
    if (vd_onnx_is(node, "Slice")) {
        read_ints(j, node, 1, &s, 0);
        read_ints(j, node, 2, &s, 1);
    }
    return s;
}

/* Keeps what is known at the file's own size, and forgets it where a node computes it. */
static void forget(job *j)
{
    vd_onnx_graph *graph = j->graph;
    for (size_t i = 0; i < graph->proto->n_node; i++)
        j->settings[i] = settings_of(j, graph->proto->node[i]);
    for (size_t i = 0; i < graph->value_count; i++) {
        vd_value *value = &graph->values[i];
        j->shapes[i] = value->shape;
        if (value->producer < 0)
            continue;
        if (value->constant && !value->initializer) {
            graph->folded_bytes -= value->constant->raw_data.len;
            vd_onnx_tensor_free(value->constant);
            value->constant = NULL;
        }
        if (!value->constant) {
            value->shape.rank = -1;
            value->type = 0;
        }
    }
}

/* Writes the size into the declared input, and forgets all other declared shapes. */
static void declare(vd_onnx_graph *graph, vd_value *input, int width, int height)
{
    input->shape.dims[2] = height;
    input->shape.dims[3] = width;
    for (size_t i = 0; i < graph->proto->n_input; i++) {
        Onnx__ValueInfoProto *info = graph->proto->input[i];
        for (size_t k = 2; strcmp(info->name, input->name) == 0 && k < 4; k++) {
            info->type->tensor_type->shape->dim[k]->has_dim_value = true;
            info->type->tensor_type->shape->dim[k]->dim_value = input->shape.dims[k];
        }
    }
    vd_onnx_forget_declared(graph->proto);
}

static vd_shape old_shape(const job *j, const vd_value *value)
{
    static const vd_shape unknown = {.rank = -1};
    size_t at = value ? (size_t)(value - j->graph->values) : 0;
    return value ? j->shapes[at] : unknown;
}

/* Replaces an input by a list of integers. */
static int put_ints(job *j, Onnx__NodeProto *node, size_t input, const int64_t *ints, int count)
{
    vd_shape shape = {.rank = 1, .dims = {count}};
    Onnx__TensorProto *tensor = vd_onnx_fold_tensor(j->graph, VD_ONNX_INT64, &shape);
    vd_value *value = NULL;
    for (int i = 0; tensor && i < count; i++)
        vd_onnx_tensor_set_integer(tensor, (size_t)i, ints[i]);
    int code = vd_onnx_put_constant(j->graph, node->output[0], tensor, &value, j->error);
    if (code == VD_OK && vd_onnx_put_input(node, input, value->name) != VD_OK)
        code = vd_onnx_no_memory(j->graph, j->error);
    return code;
}

/* True while the node's integers are what they were at the file's own size. */
static bool is_literal(const job *j, const Onnx__NodeProto *node, const setting *s)
{
    setting now = settings_of(j, node);
    for (int which = 0; which < 2; which++) {
        if (now.count[which] != s->count[which])
            return false;
        for (int i = 0; i < now.count[which]; i++)
            if (now.ints[which][i] != s->ints[which][i])
                return false;
    }
    return s->count[0] >= 0;
}

static int resize_reshape(job *j, Onnx__NodeProto *node, const vd_shape *was, const vd_shape *is)
{
    vd_shape made = old_shape(j, vd_onnx_output(j->graph, node, 0)), wanted;
    const vd_value *out = vd_onnx_output(j->graph, node, 0);
    if (made.rank < 0 || !vd_regroup(was, &made, is, &j->pairs, &wanted))
        return VD_OK;
    if (vd_onnx_infer(j->graph, node) && vd_shape_equal(&out->shape, &wanted))
        return VD_OK;
    return put_ints(j, node, 1, wanted.dims, wanted.rank);
}

static int resize_resize(job *j, Onnx__NodeProto *node, const setting *s, const vd_shape *was,
                         const vd_shape *is)
{
    int64_t sizes[2 * VD_ONNX_RANK];
    vd_shape made = old_shape(j, vd_onnx_output(j->graph, node, 0));
    if (s->count[0] != is->rank || made.rank != is->rank)
        return VD_OK;
    bool paired = is->rank == 4 && vd_pairs_find(&j->pairs, made.dims + 2, sizes + 2);
    for (int i = 0; i < is->rank; i++) {
        if (paired && i >= 2)
            continue;
        if (was->dims[i] < 1 || made.dims[i] * is->dims[i] % was->dims[i] != 0)
            return VD_OK; /* no even factor: the sizes stay, and do not fit */
        sizes[i] = made.dims[i] * is->dims[i] / was->dims[i];
    }
    return put_ints(j, node, 3, sizes, is->rank);
}

/* A bound that was the end stays the end, one that was a share of the extent stays that share. */
static int64_t scale_bound(int64_t bound, int64_t was, int64_t is)
{
    if (was == is || bound <= 0 || bound > INT32_MAX)
        return bound;
    if (bound >= was)
        return INT32_MAX;
    return bound * is % was == 0 ? bound * is / was : bound;
}

static int resize_slice(job *j, Onnx__NodeProto *node, const setting *s, const vd_shape *was,
                        const vd_shape *is)
{
    int64_t bounds[2][2 * VD_ONNX_RANK], axes[2 * VD_ONNX_RANK];
    int listed = vd_onnx_value_ints(vd_onnx_input(j->graph, node, 3), axes), code = VD_OK;
    if (s->count[1] != s->count[0] || (listed >= 0 && listed != s->count[0]))
        return VD_OK;
    for (int i = 0; i < s->count[0]; i++) {
        int axis = i;
        if ((listed >= 0 && !vd_rule_axis(axes[i], is->rank, &axis)) || axis >= is->rank)
            return VD_OK;
        for (int which = 0; which < 2; which++)
            bounds[which][i] = scale_bound(s->ints[which][i], was->dims[axis], is->dims[axis]);
    }
    for (size_t which = 0; code == VD_OK && which < 2; which++)
        if (memcmp(bounds[which], s->ints[which], (size_t)s->count[0] * sizeof(int64_t)) != 0)
            code = put_ints(j, node, 1 + which, bounds[which], s->count[0]);
    return code;
}

/* A window over the whole map stays one. */
static int resize_pool(job *j, Onnx__NodeProto *node, const vd_shape *was)
{
    int64_t kernel[2 * VD_ONNX_RANK];
    vd_shape made = old_shape(j, vd_onnx_output(j->graph, node, 0));
    int axes = vd_onnx_attribute_ints(node, "kernel_shape", kernel);
    if (axes != was->rank - 2 || made.rank != was->rank)
        return VD_OK;
    for (int i = 0; i < axes; i++)
        if (kernel[i] != was->dims[i + 2] || made.dims[i + 2] != 1)
            return VD_OK;
    bool averages = vd_onnx_is(node, "AveragePool");
    vd_onnx_keep_settings(node, 0);
    return vd_onnx_set_type(node, averages ? "GlobalAveragePool" : "GlobalMaxPool") == VD_OK
               ? VD_OK
               : vd_onnx_no_memory(j->graph, j->error);
}

/* Mends the sizes that the file has of its own, then infers the node. */
static int visit(job *j, size_t index)
{
    Onnx__NodeProto *node = j->graph->proto->node[index];
    const setting *s = &j->settings[index];
    const vd_value *in = vd_onnx_input(j->graph, node, 0);
    vd_shape was = old_shape(j, in);
    int code = VD_OK;
    bool folded, changes = in && !in->constant && was.rank >= 0 && in->shape.rank == was.rank &&
                           !vd_shape_equal(&was, &in->shape);
    if (changes && (vd_onnx_is(node, "AveragePool") || vd_onnx_is(node, "MaxPool")))
        code = resize_pool(j, node, &was);
    else if (changes && is_literal(j, node, s)) {
        vd_shape is = in->shape;
        code = vd_onnx_is(node, "Reshape")  ? resize_reshape(j, node, &was, &is)
               : vd_onnx_is(node, "Resize") ? resize_resize(j, node, s, &was, &is)
                                            : resize_slice(j, node, s, &was, &is);
    }
    if (code != VD_OK || !vd_onnx_infer(j->graph, node))
        return code;
    const vd_value *out = vd_onnx_output(j->graph, node, 0);
    if (out) {
        was = old_shape(j, out);
        vd_pairs_add(&j->pairs, &was, &out->shape);
    }
    return vd_onnx_fold(j->graph, node, &folded, j->error);
}

/* The first node that an output needs and that does not come out; NULL when all is well. */
static const Onnx__NodeProto *misfit(const vd_onnx_graph *graph, bool *needed)
{
    const Onnx__NodeProto *found = NULL;
    for (size_t i = 0; i < graph->proto->n_output; i++)
        needed[vd_onnx_find(graph, graph->proto->output[i]->name) - graph->values] = true;
    for (size_t i = graph->proto->n_node; i-- > 0;) {
        const Onnx__NodeProto *node = graph->proto->node[i];
        bool wanted = false;
        for (size_t k = 0; k < node->n_output; k++) {
            const vd_value *out = vd_onnx_output(graph, node, k);
            bool counts = out && !out->constant && needed[out - graph->values];
            wanted = wanted || counts;
            if (counts && out->shape.rank < 0)
                found = node;
        }
        for (size_t k = 0; wanted && k < node->n_input; k++) {
            const vd_value *in = vd_onnx_input(graph, node, k);
            if (in)
                needed[in - graph->values] = true;
        }
    }
    return found;
}

static int check_fit(job *j, int width, int height)
{
    char name[96], op[48];
    bool *needed = calloc(j->graph->value_count + 1, sizeof *needed);
    if (!needed)
        return vd_onnx_no_memory(j->graph, j->error);
    const Onnx__NodeProto *node = misfit(j->graph, needed);
    free(needed);
    if (!node)
        return VD_OK;
    vd_onnx_node_text(node, name, sizeof name);
    vd_text_clean(op, sizeof op, node->op_type, strlen(node->op_type));
    return vd_error_set(j->error, VD_EINVAL, j->graph->place,
                        "The network cannot run at %d × %d: its node %s (%s) has a size of its own.", width,
                        height, name, op);
}

static int check_size(const vd_onnx_graph *graph, int width, int height, vd_error *error)
{
    int stride = vd_onnx_largest_stride(graph);
    stride = stride < VD_ONNX_MIN_SIDE ? VD_ONNX_MIN_SIDE : stride;
    bool inside = width >= VD_ONNX_MIN_SIDE && width <= VD_ONNX_MAX_SIDE && height >= VD_ONNX_MIN_SIDE &&
                  height <= VD_ONNX_MAX_SIDE;
    if (inside && width % stride == 0 && height % stride == 0)
        return VD_OK;
    return vd_error_set(error, VD_EINVAL, graph->place,
                        "The network cannot run at %d × %d: both sides must be multiples of %d, %d to %d.",
                        width, height, stride, stride, VD_ONNX_MAX_SIDE / stride * stride);
}

int vd_onnx_resize(vd_onnx_graph *graph, int width, int height, vd_error *error)
{
    const vd_value *found = picture(graph);
    vd_value *input = found ? vd_onnx_find(graph, found->name) : NULL;
    job j = {.graph = graph, .error = error};
    if (!input || input->shape.rank != 4)
        return vd_error_set(error, VD_EFORMAT, graph->place, "The network's input is not a picture.");
    if (input->shape.dims[2] == height && input->shape.dims[3] == width)
        return VD_OK;
    int code = check_size(graph, width, height, error);
    if (code != VD_OK)
        return code;
    size_t room = graph->value_room; /* values that are added on the way have no old shape */
    j.shapes = malloc((room + 1) * sizeof *j.shapes);
    j.settings = calloc(graph->proto->n_node + 1, sizeof *j.settings);
    if (!j.shapes || !j.settings) {
        code = vd_onnx_no_memory(graph, error);
    } else {
        for (size_t i = 0; i < room; i++)
            j.shapes[i].rank = -1;
        forget(&j);
        vd_shape was = input->shape;
        declare(graph, input, width, height);
        vd_pairs_add(&j.pairs, &was, &input->shape);
        for (size_t i = 0; code == VD_OK && i < graph->proto->n_node; i++)
            code = visit(&j, i);
        if (code == VD_OK)
            code = check_fit(&j, width, height);
    }
    free(j.shapes);
    free(j.settings);
    return code;
}
