/* An index over a model's graph: each named value with its shape, type and, where it is constant, its tensor.
 *
 * The passes of onnx_passes.h work on it in place. The model is borrowed and changes under it; nobody else
 * may touch the model until vd_onnx_graph_fini. One thread at a time.
 *
 * Invariants
 * 1. Nodes stand in order: what a node reads was named by an input, an initialiser or an earlier node.
 * 2. Every tensor in reach of a value has passed vd_onnx_tensor_check.
 * 3. Pointers to values stay valid until vd_onnx_graph_fini. */
#ifndef VD_MODEL_ONNX_GRAPH_H
#define VD_MODEL_ONNX_GRAPH_H

#include "model/onnx_tensor.h"
#include "onnx.pb-c.h"

enum {
    VD_ONNX_MAX_NODES = 65536,
    VD_ONNX_MAX_VALUES = 262144,
    VD_ONNX_MAX_LINKS = 1024 /* inputs or outputs of one node */
};

typedef struct vd_value {
    char *name;
    vd_shape shape;
    int type;                    /* vd_onnx_type; 0: not known */
    int producer;                /* index of the node that computes it; -1 for inputs and initialisers */
    Onnx__TensorProto *constant; /* NULL while it is computed */
    bool initializer;            /* the model owns `constant` */
    size_t uses;                 /* as vd_onnx_count_uses left it */
} vd_value;

typedef struct vd_onnx_graph {
    Onnx__ModelProto *model; /* borrowed */
    Onnx__GraphProto *proto; /* model->graph */
    const char *place;       /* of errors; borrowed */
    int opset;
    vd_value *values;
    size_t value_count, value_room;
    uint32_t *slots; /* hash of names: index + 1 */
    size_t slot_count;
    size_t folded_bytes;
    size_t named; /* constants that the passes added, for their names */
    /* what the passes did */
    int folded_nodes, spread_constants, rewritten_nodes, moved_scales;
    int widened;     /* values in half precision that became float32 */
    int unquantised; /* nodes on 8-bit integers that became float32 */
    int absorbed;    /* factors and offsets that went into the convolution before */
    int replaced;    /* operations that became others */
} vd_onnx_graph;

/* Builds the index. VD_OK, VD_EFORMAT or VD_ENOMEM; on failure nothing is left to free. */
int vd_onnx_graph_init(vd_onnx_graph *graph, Onnx__ModelProto *model, const char *place, vd_error *error);
void vd_onnx_graph_fini(vd_onnx_graph *graph);

/* The value of that name; NULL when there is none or `name` is NULL or empty. */
vd_value *vd_onnx_find(const vd_onnx_graph *graph, const char *name);

/* A node's i-th input or output; NULL when it is left out. */
vd_value *vd_onnx_input(const vd_onnx_graph *graph, const Onnx__NodeProto *node, size_t i);
vd_value *vd_onnx_output(const vd_onnx_graph *graph, const Onnx__NodeProto *node, size_t i);

/* A new value with a constant tensor under a name derived from `stem`. Takes `tensor` on success; on failure
 * the caller keeps it. VD_OK or VD_ENOMEM. */
int vd_onnx_add_constant(vd_onnx_graph *graph, const char *stem, Onnx__TensorProto *tensor,
                         vd_value **ret_value);

/* Counts anew how often each value is read by nodes and by the graph's outputs. */
void vd_onnx_count_uses(vd_onnx_graph *graph);
bool vd_onnx_is_output(const vd_onnx_graph *graph, const char *name);

/* Makes a node's i-th input another name; `i` below n_input. VD_OK or VD_ENOMEM. */
int vd_onnx_set_input(Onnx__NodeProto *node, size_t i, const char *name);

bool vd_onnx_is(const Onnx__NodeProto *node, const char *op_type);
const Onnx__AttributeProto *vd_onnx_attribute(const Onnx__NodeProto *node, const char *name);
int64_t vd_onnx_attribute_int(const Onnx__NodeProto *node, const char *name, int64_t otherwise);

/* Integers of an attribute: VD_ONNX_RANK * 2 at most. Returns their number, -1 when the attribute is not
 * there or has too many. */
int vd_onnx_attribute_ints(const Onnx__NodeProto *node, const char *name, int64_t ret_ints[2 * VD_ONNX_RANK]);

/* Integers of a constant value, likewise. */
int vd_onnx_value_ints(const vd_value *value, int64_t ret_ints[2 * VD_ONNX_RANK]);

/* A node by name for people: its name, else its first output, cleaned to one line. */
void vd_onnx_node_text(const Onnx__NodeProto *node, char *out, size_t size);

/* The shape a file declares of an input or output: unknown extents are -1; rank -1 when it declares none. */
vd_shape vd_onnx_declared_shape(const Onnx__ValueInfoProto *info);
int vd_onnx_declared_type(const Onnx__ValueInfoProto *info);

#endif
