/* Names of nodes: the format leaves them to the exporter, and OpenCV's importer wants one a node. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "model/onnx_edit.h"
#include "model/onnx_passes.h"

static int compare_names(const void *a, const void *b)
{
    const Onnx__NodeProto *const *left = a, *const *right = b;
    return strcmp((*left)->name, (*right)->name);
}

static bool is_named(const Onnx__NodeProto *node)
{
    return node->name && *node->name;
}

/* Its first output that has a name, which no other value has; NULL when there is none. */
static const char *output_name(const Onnx__NodeProto *node)
{
    for (size_t i = 0; i < node->n_output; i++)
        if (*node->output[i])
            return node->output[i];
    return NULL;
}

static bool rename_node(Onnx__NodeProto *node)
{
    char *name = vd_text_dup(output_name(node) ? output_name(node) : "");
    if (!name)
        return false;
    free(node->name);
    node->name = name;
    return true;
}

/* Takes away the names that several nodes have; `named` has room for all nodes. */
static void drop_doubles(const Onnx__GraphProto *proto, Onnx__NodeProto **named)
{
    size_t count = 0;
    for (size_t i = 0; i < proto->n_node; i++)
        if (is_named(proto->node[i]))
            named[count++] = proto->node[i];
    if (count > 1)
        qsort(named, count, sizeof(Onnx__NodeProto *), compare_names);
    for (size_t first = 0, end; first < count; first = end) {
        for (end = first + 1; end < count && strcmp(named[end]->name, named[first]->name) == 0; end++)
            named[end]->name[0] = '\0';
        if (end > first + 1)
            named[first]->name[0] = '\0';
    }
}

int vd_onnx_name(vd_onnx_graph *graph, vd_error *error)
{
    const Onnx__GraphProto *proto = graph->proto;
    Onnx__NodeProto **named = calloc(proto->n_node + 1, sizeof(Onnx__NodeProto *));
    if (!named)
        return vd_onnx_no_memory(graph, error);
    drop_doubles(proto, named);
    free(named);
    for (size_t i = 0; i < proto->n_node; i++) {
        Onnx__NodeProto *node = proto->node[i];
        /* a name that another node's output has could be that node's next */
        const vd_value *same = is_named(node) ? vd_onnx_find(graph, node->name) : NULL;
        bool foreign = same && same->producer != (int)i;
        if ((!is_named(node) || foreign) && !rename_node(node))
            return vd_onnx_no_memory(graph, error);
    }
    return VD_OK;
}
