/* fuzz_seeds FOLDER MODEL…: what the fuzzer starts from. Of every model its skeleton (the large tensors lose
 * their values and keep their shapes, entry.h's VD_FUZZ_FILL) and windows of a few nodes, each a model of its
 * own whose inputs are what other nodes compute; windows of one node only where no other window did the same.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/entry.h"
#include "model/onnx_file.h"
#include "model/onnx_passes.h"
#include "model/onnx_size.h"
#include "model/verifier.h"
#include "unit/onnx_build.h"

enum { SMALL_BYTES = 128, MOST_SEEN = 4096, MOST_SEED_BYTES = 100000 };

typedef struct maker {
    const char *folder;
    int count;
    uint64_t seen[MOST_SEEN]; /* hashes of single nodes: operator and attributes */
    int seen_count;
} maker;

static void write_seed(maker *m, const Onnx__ModelProto *model, int flags, int size)
{
    char path[4096];
    uint8_t *bytes = NULL;
    size_t length = 0;
    if (vd_onnx_pack(model, &bytes, &length) != VD_OK || length > MOST_SEED_BYTES) {
        free(bytes);
        return;
    }
    snprintf(path, sizeof path, "%s/seed-%04d", m->folder, m->count++);
    FILE *file = fopen(path, "wb");
    if (!file || putc(flags, file) == EOF || putc(size, file) == EOF ||
        fwrite(bytes, 1, length, file) != length || fclose(file) != 0) {
        perror(path);
        exit(1);
    }
    free(bytes);
}

static void empty_tensor(Onnx__TensorProto *tensor)
{
    if (tensor->raw_data.len <= SMALL_BYTES)
        return;
    free(tensor->raw_data.data);
    tensor->raw_data = (ProtobufCBinaryData){0};
    tensor->has_raw_data = false;
}

static Onnx__ModelProto *parse(const uint8_t *bytes, size_t length)
{
    vd_error error;
    Onnx__ModelProto *model = NULL;
    return vd_onnx_parse(bytes, length, "seed", &model, &error) == VD_OK ? model : NULL;
}

static void write_skeleton(maker *m, const uint8_t *bytes, size_t length)
{
    vd_error error;
    Onnx__ModelProto *model = parse(bytes, length);
    if (!model)
        return;
    for (size_t i = 0; i < model->graph->n_initializer; i++) {
        Onnx__TensorProto *tensor = model->graph->initializer[i];
        if (vd_onnx_tensor_check(tensor, "seed", "seed", &error) == VD_OK)
            empty_tensor(tensor);
    }
    int reader = vd_verifier_is_named(vd_onnx_metadata(model, "vedette.task")) ? VD_FUZZ_VERIFIER : 0;
    write_seed(m, model, VD_FUZZ_FILL | reader, 0);
    write_seed(m, model, VD_FUZZ_FILL | reader, 1); /* 320 × 320 */
    onnx__model_proto__free_unpacked(model, NULL);
}

/* --- Windows */

static bool named(Onnx__ValueInfoProto *const *list, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i]->name, name) == 0)
            return true;
    return false;
}

static void add_constant(Onnx__ModelProto *window, const vd_value *value)
{
    Onnx__GraphProto *graph = window->graph;
    for (size_t i = 0; i < graph->n_initializer; i++)
        if (strcmp(graph->initializer[i]->name, value->name) == 0)
            return;
    size_t length = onnx__tensor_proto__get_packed_size(value->constant);
    uint8_t *bytes = malloc(length + 1);
    onnx__tensor_proto__pack(value->constant, bytes);
    Onnx__TensorProto *copy = onnx__tensor_proto__unpack(NULL, length, bytes);
    free(bytes);
    free(copy->name);
    copy->name = strdup(value->name);
    empty_tensor(copy);
    BUILD_APPEND(graph->initializer, graph->n_initializer, copy);
}

static void add_info(Onnx__ValueInfoProto ***list, size_t *count, const vd_value *value)
{
    if (named(*list, *count, value->name))
        return;
    int rank = value->shape.rank < 0 ? 0 : value->shape.rank;
    Onnx__ValueInfoProto *info =
        build_info(value->name, value->type > 0 ? value->type : VD_ONNX_FLOAT, value->shape.dims, rank);
    BUILD_APPEND(*list, *count, info);
}

static bool is_read(const Onnx__GraphProto *graph, const char *name)
{
    for (size_t i = 0; i < graph->n_node; i++)
        for (size_t k = 0; k < graph->node[i]->n_input; k++)
            if (strcmp(graph->node[i]->input[k], name) == 0)
                return true;
    return false;
}

/* What nodes of the window read and do not make; what they make and none of them reads. */
static void add_borders(const vd_onnx_graph *graph, Onnx__ModelProto *window, size_t first, size_t count)
{
    for (size_t i = first; i < first + count; i++) {
        const Onnx__NodeProto *node = graph->proto->node[i];
        for (size_t k = 0; k < node->n_input; k++) {
            const vd_value *value = vd_onnx_input(graph, node, k);
            if (value && value->constant && value->producer < (int)first)
                add_constant(window, value);
            else if (value && value->producer < (int)first)
                add_info(&window->graph->input, &window->graph->n_input, value);
        }
        for (size_t k = 0; k < node->n_output; k++) {
            const vd_value *value = vd_onnx_output(graph, node, k);
            if (value && !is_read(window->graph, value->name))
                add_info(&window->graph->output, &window->graph->n_output, value);
        }
    }
}

static void write_window(maker *m, const vd_onnx_graph *graph, size_t first, size_t count)
{
    Onnx__ModelProto *window = build_model(graph->opset);
    for (size_t i = first; i < first + count; i++) {
        size_t length = onnx__node_proto__get_packed_size(graph->proto->node[i]);
        uint8_t *bytes = malloc(length + 1);
        onnx__node_proto__pack(graph->proto->node[i], bytes);
        BUILD_APPEND(window->graph->node, window->graph->n_node,
                     onnx__node_proto__unpack(NULL, length, bytes));
        free(bytes);
    }
    add_borders(graph, window, first, count);
    write_seed(m, window, VD_FUZZ_FILL | VD_FUZZ_PASSES, 0);
    onnx__model_proto__free_unpacked(window, NULL);
}

static uint64_t hash_text(uint64_t hash, const char *text)
{
    for (; text && *text; text++)
        hash = (hash ^ (uint8_t)*text) * 1099511628211u;
    return hash * 31;
}

static bool is_new(maker *m, const Onnx__NodeProto *node)
{
    uint64_t hash = hash_text(14695981039346656037u, node->op_type) + node->n_input;
    for (size_t i = 0; i < node->n_attribute; i++)
        hash = hash_text(hash, node->attribute[i]->name);
    for (int i = 0; i < m->seen_count; i++)
        if (m->seen[i] == hash)
            return false;
    if (m->seen_count < MOST_SEEN)
        m->seen[m->seen_count++] = hash;
    return true;
}

static void write_windows(maker *m, const uint8_t *bytes, size_t length)
{
    static const size_t lengths[] = {6, 24};
    vd_onnx_graph graph;
    vd_error error;
    vd_onnx_size wish = {0};
    bool was_free;
    Onnx__ModelProto *model = parse(bytes, length);
    if (!model)
        return;
    if (vd_onnx_fix_input(model, &wish, 320, "seed", &was_free, &error) == VD_OK &&
        vd_onnx_graph_init(&graph, model, "seed", &error) == VD_OK) {
        size_t nodes = graph.proto->n_node;
        if (vd_onnx_resolve(&graph, &error) == VD_OK) {
            for (size_t i = 0; i < nodes; i++)
                if (is_new(m, graph.proto->node[i]))
                    write_window(m, &graph, i, 1);
            for (size_t l = 0; l < 2; l++) /* of the last nodes all, for there the heads are */
                for (size_t i = l * 7, step = 0; i + lengths[l] <= nodes; i += step) {
                    write_window(m, &graph, i, lengths[l]);
                    step = i + 100 < nodes ? 3 * lengths[l] : lengths[l] / 2;
                }
        }
        vd_onnx_graph_fini(&graph);
    }
    onnx__model_proto__free_unpacked(model, NULL);
}

int main(int argc, char **argv)
{
    maker m = {.folder = argc > 1 ? argv[1] : "."};
    for (int i = 2; i < argc; i++) {
        uint8_t *bytes = NULL;
        size_t length = 0;
        vd_error error;
        if (vd_onnx_load(argv[i], argv[i], VD_ONNX_MAX_BYTES, &bytes, &length, &error) != VD_OK)
            continue; /* some are there to be refused */
        write_skeleton(&m, bytes, length);
        write_windows(&m, bytes, length);
        free(bytes);
    }
    printf("%d seeds\n", m.count);
    return m.count > 0 ? 0 : 1;
}
