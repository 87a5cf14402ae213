/* Gathering runs of nodes into plans (model/plan.h): what the parts of that pass share. */
#ifndef VD_MODEL_ONNX_PLAN_H
#define VD_MODEL_ONNX_PLAN_H

#include "model/onnx_graph.h"
#include "model/plan_rules.h"
#include "onnx.pb-c.h"

enum {
    VD_PLAN_WORTH = 4, /* convolutions: a smaller run stays with OpenCV */
    VD_PLAN_RUNS = 32  /* of one network; what would make more of them stays with OpenCV */
};

/* What a pass over a graph has gathered. */
typedef struct vd_plan_tally {
    int runs, gathered, left; /* nodes in runs, and nodes that OpenCV computes */
} vd_plan_tally;

/* A plan that grows step by step. The graph's values and the plan's stand for each other by `values_of`. */
typedef struct vd_planner {
    vd_onnx_graph *graph;
    vd_plan_graph plan;
    int value_room, step_room;
    int *index_of;        /* by value of the graph: index of the plan's value plus 1; 0: none yet */
    vd_value **values_of; /* by value of the plan: the graph's; NULL for values between steps */
    bool trial;           /* nothing is added to the graph */
    bool out_of_memory;
} vd_planner;

int vd_planner_init(vd_planner *planner, vd_onnx_graph *graph);
void vd_planner_fini(vd_planner *planner);

/* Forgets steps and values; keeps the memory. */
void vd_planner_reset(vd_planner *planner);

/* The plan's value for one of the graph's, made when it is not there yet: -1 when a plan cannot hold it. One
 * that no step has made is an input or a constant of the plan. */
int vd_planner_value(vd_planner *planner, vd_value *value);

/* A value between two steps. */
int vd_planner_between(vd_planner *planner, const vd_shape *shape);

/* A copy of `step`, once it is checked: false when its parts do not fit together. An index below 0 fails. */
bool vd_planner_add(vd_planner *planner, const vd_plan_step *step);

/* Adds what `node` computes: false when a plan cannot, and then the planner holds an unfinished part. */
bool vd_planner_node(vd_planner *planner, const Onnx__NodeProto *node);

/* Drops what no output needs, lets activations follow their convolutions and numbers the values anew.
 * outputs     by value of the graph: whether it is needed
 * ret_links   inputs, then constants, then outputs of the new graph, as values of the old; for the caller to
 *             free
 * VD_OK, VD_EFORMAT (nothing is left) or VD_ENOMEM; on VD_OK ret_plan is for vd_plan_clear. */
int vd_planner_finish(vd_planner *planner, const bool *outputs, vd_plan_graph *ret_plan,
                      vd_value ***ret_links);

/* Gathers in place. Shapes must be known (vd_onnx_resolve) and the graph swept; afterwards it is swept again.
 */
int vd_onnx_plan(vd_onnx_graph *graph, vd_plan_tally *ret_tally, vd_error *error);

/* The same for a file as vd_onnx_pack wrote it. *ret_bytes stays NULL when nothing was worth gathering; the
 * caller frees it. VD_OK, VD_EFORMAT or VD_ENOMEM. */
int vd_onnx_plan_file(const uint8_t *bytes, size_t length, const char *place, uint8_t **ret_bytes,
                      size_t *ret_length, vd_plan_tally *ret_tally, vd_error *error);

#endif
