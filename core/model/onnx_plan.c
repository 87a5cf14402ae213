/* Gathering: which nodes go together into a run, and the node that stands for it.
 *
 * Every node gets a depth: the number of times that the longest way to it changes between nodes which a plan
 * computes (even depths) and nodes which it does not (odd depths). Nodes of one depth make one run: a way
 * that leaves it comes back deeper, so no run waits for itself, and the depths in their order are an order in
 * which all can be computed. */
#include "model/onnx_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "model/onnx_file.h"
#include "model/onnx_passes.h"

enum { ATTRIBUTE_INT = 2, ATTRIBUTE_INTS = 7 }; /* AttributeProto.type in the file format */

/* What the pass works with. */
typedef struct gathering {
    vd_onnx_graph *graph;
    vd_planner planner;
    int *depth; /* by node */
    int deepest;
    size_t *order;          /* nodes by depth */
    bool *outside;          /* by value: read by a node that is not in the run, or an output */
    Onnx__NodeProto **list; /* the nodes that the graph will have */
    size_t count;
    vd_plan_tally tally;
} gathering;

static int no_memory(const gathering *g, vd_error *error)
{
    return vd_error_set(error, VD_ENOMEM, g->graph->place, "There is not enough memory to plan the network.");
}

/* --- Which nodes go together */

static bool fits_plan(gathering *g, const Onnx__NodeProto *node)
{
    vd_planner_reset(&g->planner);
    g->planner.trial = true;
    return vd_planner_node(&g->planner, node);
}

static void find_depths(gathering *g)
{
    const Onnx__GraphProto *proto = g->graph->proto;
    for (size_t i = 0; i < proto->n_node; i++) {
        int odd = fits_plan(g, proto->node[i]) ? 0 : 1, depth = odd;
        for (size_t k = 0; k < proto->node[i]->n_input; k++) {
            const vd_value *value = vd_onnx_input(g->graph, proto->node[i], k);
            int before = value && !value->constant && value->producer >= 0 ? g->depth[value->producer] : 0;
            before += (before & 1) != odd;
            depth = before > depth ? before : depth;
        }
        g->depth[i] = depth;
        g->deepest = depth > g->deepest ? depth : g->deepest;
    }
}

/* Nodes by depth, those of one depth as they stood: counted, then put in their places. */
static bool sort_nodes(gathering *g)
{
    size_t count = g->graph->proto->n_node, *first = calloc((size_t)g->deepest + 2, sizeof *first);
    if (!first)
        return false;
    for (size_t i = 0; i < count; i++)
        first[g->depth[i] + 1]++;
    for (int d = 0; d < g->deepest; d++)
        first[d + 1] += first[d];
    for (size_t i = 0; i < count; i++)
        g->order[first[g->depth[i]]++] = i;
    free(first);
    return true;
}

/* --- The node of a run */

static void mark_outside(gathering *g, int depth)
{
    const Onnx__GraphProto *proto = g->graph->proto;
    memset(g->outside, 0, g->graph->value_room * sizeof *g->outside);
    for (size_t i = 0; i < proto->n_node; i++) {
        for (size_t k = 0; g->depth[i] != depth && k < proto->node[i]->n_input; k++) {
            const vd_value *value = vd_onnx_input(g->graph, proto->node[i], k);
            if (value)
                g->outside[value - g->graph->values] = true;
        }
    }
    for (size_t i = 0; i < proto->n_output; i++)
        g->outside[vd_onnx_find(g->graph, proto->output[i]->name) - g->graph->values] = true;
}

/* OpenCV knows no tensors of less than two axes. */
static bool links_are_sound(const vd_plan_graph *plan, vd_value *const *links)
{
    for (int i = 0; i < plan->input_count; i++)
        if (links[i]->shape.rank < 2)
            return false;
    for (int i = 0; i < plan->output_count; i++)
        if (links[plan->input_count + plan->constant_count + i]->shape.rank < 2)
            return false;
    return plan->input_count + plan->constant_count <= VD_ONNX_MAX_LINKS &&
           plan->output_count <= VD_ONNX_MAX_LINKS;
}

static char **copy_names(vd_value *const *values, int count)
{
    char **names = calloc((size_t)count + 1, sizeof *names);
    for (int i = 0; names && i < count; i++) {
        names[i] = vd_text_dup(values[i]->name);
        if (names[i])
            continue;
        while (i > 0)
            free(names[--i]);
        free(names);
        names = NULL;
    }
    return names;
}

static Onnx__AttributeProto *new_attribute(const char *name, int type)
{
    Onnx__AttributeProto *attribute = malloc(sizeof *attribute);
    if (!attribute)
        return NULL;
    onnx__attribute_proto__init(attribute);
    attribute->has_type = true;
    attribute->type = type;
    attribute->name = vd_text_dup(name);
    if (attribute->name)
        return attribute;
    onnx__attribute_proto__free_unpacked(attribute, NULL);
    return NULL;
}

static Onnx__AttributeProto *whole_attribute(bool whole)
{
    Onnx__AttributeProto *attribute = new_attribute(VD_PLAN_WHOLE, ATTRIBUTE_INT);
    if (attribute) {
        attribute->has_i = true;
        attribute->i = whole;
    }
    return attribute;
}

/* The code as a list of integers. */
static Onnx__AttributeProto *code_attribute(const vd_plan_graph *plan)
{
    int32_t *code = NULL;
    size_t length = 0;
    Onnx__AttributeProto *attribute = new_attribute(VD_PLAN_CODE, ATTRIBUTE_INTS);
    if (attribute && vd_plan_encode(plan, &code, &length) == VD_OK)
        attribute->ints = calloc(length, sizeof *attribute->ints);
    if (attribute && !attribute->ints) {
        onnx__attribute_proto__free_unpacked(attribute, NULL);
        attribute = NULL;
    }
    for (size_t i = 0; attribute && i < length; i++)
        attribute->ints[i] = code[i];
    if (attribute)
        attribute->n_ints = length;
    free(code);
    return attribute;
}

static Onnx__NodeProto *run_node(const vd_plan_graph *plan, vd_value *const *links, int number, bool whole)
{
    int in_count = plan->input_count + plan->constant_count;
    char name[64];
    Onnx__NodeProto *node = malloc(sizeof *node);
    if (!node)
        return NULL;
    onnx__node_proto__init(node);
    snprintf(name, sizeof name, "vedette/plan/%d", number);
    node->name = vd_text_dup(name);
    node->op_type = vd_text_dup(VD_PLAN_OP);
    node->input = copy_names(links, in_count);
    node->n_input = node->input ? (size_t)in_count : 0;
    node->output = copy_names(links + in_count, plan->output_count);
    node->n_output = node->output ? (size_t)plan->output_count : 0;
    node->attribute = calloc(2, sizeof *node->attribute);
    if (node->attribute && (node->attribute[0] = code_attribute(plan)))
        node->n_attribute = 1;
    if (node->n_attribute == 1 && (node->attribute[1] = whole_attribute(whole)))
        node->n_attribute = 2;
    if (!node->name || !node->op_type || !node->input || !node->output || node->n_attribute < 2) {
        onnx__node_proto__free_unpacked(node, NULL);
        return NULL;
    }
    return node;
}

/* Puts the outputs into the order of the graph's. False when they are others, or something else is left. */
static bool order_outputs(const gathering *g, vd_plan_graph *plan, vd_value **links, size_t nodes)
{
    const Onnx__GraphProto *proto = g->graph->proto;
    vd_value **outputs = links + plan->input_count + plan->constant_count;
    if (nodes != proto->n_node || plan->input_count != 1 || (size_t)plan->output_count != proto->n_output)
        return false;
    for (int i = 0; i < plan->output_count; i++) {
        const vd_value *wanted = vd_onnx_find(g->graph, proto->output[i]->name);
        int k = i;
        while (k < plan->output_count && outputs[k] != wanted)
            k++;
        if (k == plan->output_count)
            return false;
        vd_value *link = outputs[i];
        int output = plan->outputs[i];
        outputs[i] = outputs[k];
        plan->outputs[i] = plan->outputs[k];
        outputs[k] = link;
        plan->outputs[k] = output;
    }
    return true;
}

static int count_convolutions(const vd_plan_graph *plan)
{
    int count = 0;
    for (int i = 0; i < plan->step_count; i++)
        count += plan->steps[i].kind == VD_PLAN_CONV || plan->steps[i].kind == VD_PLAN_DECONV;
    return count;
}

/* The node for order[first] to before order[end]; *ret_node stays NULL when it is not worth it. */
static int make_run(gathering *g, size_t first, size_t end, Onnx__NodeProto **ret_node)
{
    vd_plan_graph plan;
    vd_value **links;
    vd_planner_reset(&g->planner);
    g->planner.trial = false;
    for (size_t i = first; i < end; i++)
        if (!vd_planner_node(&g->planner, g->graph->proto->node[g->order[i]]))
            return g->planner.out_of_memory ? VD_ENOMEM : VD_OK;
    mark_outside(g, g->depth[g->order[first]]);
    int code = vd_planner_finish(&g->planner, g->outside, &plan, &links);
    if (code != VD_OK)
        return code == VD_ENOMEM ? code : VD_OK;
    if (count_convolutions(&plan) >= VD_PLAN_WORTH && links_are_sound(&plan, links)) {
        bool whole = order_outputs(g, &plan, links, end - first);
        *ret_node = run_node(&plan, links, g->tally.runs, whole);
        code = *ret_node ? VD_OK : VD_ENOMEM;
    }
    vd_plan_clear(&plan);
    free(links);
    return code;
}

/* --- The pass */

static bool has_convolutions(const gathering *g, size_t first, size_t end)
{
    int count = 0;
    for (size_t i = first; i < end; i++) {
        const Onnx__NodeProto *node = g->graph->proto->node[g->order[i]];
        count += vd_onnx_is(node, "Conv") || vd_onnx_is(node, "ConvTranspose");
    }
    return count >= VD_PLAN_WORTH;
}

/* Nodes of one depth go on the list, as one node or as they are. */
static int list_depth(gathering *g, size_t first, size_t end)
{
    Onnx__NodeProto *run = NULL, **nodes = g->graph->proto->node;
    bool even = (g->depth[g->order[first]] & 1) == 0;
    int code = even && g->tally.runs < VD_PLAN_RUNS && has_convolutions(g, first, end)
                   ? make_run(g, first, end, &run)
                   : VD_OK;
    if (code != VD_OK)
        return code;
    if (run) {
        g->tally.runs++;
        g->tally.gathered += (int)(end - first);
        g->list[g->count++] = run;
        return VD_OK;
    }
    g->tally.left += (int)(end - first);
    for (size_t i = first; i < end; i++)
        g->list[g->count++] = nodes[g->order[i]];
    return VD_OK;
}

static bool is_run(const Onnx__NodeProto *node)
{
    return vd_onnx_is(node, VD_PLAN_OP);
}

/* Puts the list in the place of the graph's nodes; what went into runs is freed. */
static void take_list(gathering *g)
{
    Onnx__GraphProto *proto = g->graph->proto;
    for (size_t i = 0; i < g->count; i++)
        for (size_t k = 0; k < g->list[i]->n_output; k++) {
            vd_value *value = vd_onnx_output(g->graph, g->list[i], k);
            if (value)
                value->producer = -2 - (int)i; /* where it will be made */
        }
    for (size_t i = 0; i < proto->n_node; i++) {
        bool kept = false;
        for (size_t k = 0; k < proto->node[i]->n_output && !kept; k++) {
            const vd_value *value = vd_onnx_output(g->graph, proto->node[i], k);
            kept = value && value->producer <= -2 && g->list[-2 - value->producer] == proto->node[i];
        }
        if (!kept)
            onnx__node_proto__free_unpacked(proto->node[i], NULL);
    }
    memcpy(proto->node, g->list, g->count * sizeof(Onnx__NodeProto *));
    proto->n_node = g->count;
    for (size_t i = 0; i < g->graph->value_count; i++)
        if (g->graph->values[i].producer <= -2)
            g->graph->values[i].producer = -2 - g->graph->values[i].producer;
}

static int gather(gathering *g)
{
    size_t count = g->graph->proto->n_node;
    int code = VD_OK;
    find_depths(g);
    if (g->planner.out_of_memory || !sort_nodes(g))
        return VD_ENOMEM;
    for (size_t first = 0, end; code == VD_OK && first < count; first = end) {
        for (end = first + 1; end < count && g->depth[g->order[end]] == g->depth[g->order[first]]; end++)
            ;
        code = list_depth(g, first, end);
    }
    if (code == VD_OK) {
        take_list(g);
        return VD_OK;
    }
    for (size_t i = 0; i < g->count; i++)
        if (is_run(g->list[i]))
            onnx__node_proto__free_unpacked(g->list[i], NULL);
    return code;
}

int vd_onnx_plan(vd_onnx_graph *graph, vd_plan_tally *ret_tally, vd_error *error)
{
    gathering g = {.graph = graph};
    size_t nodes = graph->proto->n_node + 1;
    int code = vd_planner_init(&g.planner, graph);
    g.depth = calloc(nodes, sizeof *g.depth);
    g.order = calloc(nodes, sizeof *g.order);
    g.list = calloc(nodes, sizeof(Onnx__NodeProto *));
    g.outside = calloc(graph->value_room + 1, sizeof *g.outside);
    if (code == VD_OK)
        code = g.depth && g.order && g.list && g.outside ? gather(&g) : VD_ENOMEM;
    if (code == VD_ENOMEM)
        no_memory(&g, error);
    vd_planner_fini(&g.planner);
    free(g.depth);
    free(g.order);
    free(g.list);
    free(g.outside);
    if (code == VD_OK)
        code = vd_onnx_sweep(graph, error);
    if (code == VD_OK)
        *ret_tally = g.tally;
    return code;
}

int vd_onnx_plan_file(const uint8_t *bytes, size_t length, const char *place, uint8_t **ret_bytes,
                      size_t *ret_length, vd_plan_tally *ret_tally, vd_error *error)
{
    Onnx__ModelProto *proto = NULL;
    vd_onnx_graph graph;
    vd_plan_tally tally = {0};
    int code = vd_onnx_parse(bytes, length, place, &proto, error);
    if (code != VD_OK)
        return code;
    code = vd_onnx_graph_init(&graph, proto, place, error);
    if (code == VD_OK) {
        code = vd_onnx_resolve(&graph, error);
        if (code == VD_OK)
            code = vd_onnx_plan(&graph, &tally, error);
        vd_onnx_graph_fini(&graph);
    }
    if (code == VD_OK && tally.runs > 0 && vd_onnx_pack(proto, ret_bytes, ret_length) != VD_OK)
        code = vd_error_set(error, VD_ENOMEM, place, "There is not enough memory to plan the network.");
    onnx__model_proto__free_unpacked(proto, NULL);
    if (code == VD_OK)
        *ret_tally = tally;
    return code;
}
