/* What one element of a value is made of.
 *
 * An element is followed backwards through layout and arithmetic to single elements of the last convolutions'
 * maps, by exact arithmetic on indices, and computed on made-up values of these. So nobody has to guess by
 * names or by order which channel becomes which row of an output, and what was done to it: a formula that
 * gives the same numbers is the formula of the network. Works on a graph that vd_onnx_normalise has run over.
 */
#ifndef VD_MODEL_ONNX_TRACE_H
#define VD_MODEL_ONNX_TRACE_H

#include "model/onnx_graph.h"
#include "onnx.pb-c.h"

/* Limits: of one element, and of all that one follower is asked for (real files take less than a tenth). */
enum { VD_TRACE_LEAVES = 320, VD_TRACE_STEPS = 20000, VD_TRACE_DEPTH = 64, VD_TRACE_ALL_STEPS = 3000000 };

/* An element of a map [n, channels, h, w]: the output of a convolution, with a bias added where that is a
 * node of its own. */
typedef struct vd_leaf {
    const vd_value *map;
    int64_t channel, y, x;
} vd_leaf;

/* One follower; zero it and set `graph`. */
typedef struct vd_trace {
    const vd_onnx_graph *graph; /* borrowed */
    vd_leaf leaves[VD_TRACE_LEAVES];
    int leaf_count; /* of the last element */
    int steps, depth, all_steps;
    const Onnx__NodeProto *softmax; /* whose sum over `line` is kept */
    int64_t line[VD_ONNX_RANK];
    double sum;
} vd_trace;

/* Follows one element. True when all of it could be followed: then trace->leaves are the elements that it is
 * made of, each once. False for elements that depend on the picture in another way, or on too many. */
bool vd_trace_element(vd_trace *trace, const vd_value *value, const int64_t index[VD_ONNX_RANK],
                      double *ret_number);

/* The made-up value of a map's element, -2.25 to 0.25; the same for the same place. */
double vd_trace_made_up(const vd_value *map, int64_t channel, int64_t y, int64_t x);

/* True when `found` is what the formula gives, but for rounding of single-precision constants. */
bool vd_trace_is(double found, double wanted);

double vd_trace_sigmoid(double x);

#endif
