/* A run of layers that the engine computes in one go: the border between the rewriter and core/engine.
 *
 * The rewriter replaces the nodes of a run by one node of type VD_PLAN_OP. Its inputs are first what the run
 * reads (tensors that others compute, float32, planar), then the run's constants (float32); its outputs what
 * others read. The attribute VD_PLAN_CODE holds the graph below as 32-bit integers. Shapes are those of the
 * file, known when it is written; in which layout and precision the engine keeps a value is its own affair.
 *
 * Nothing in a code is trusted: vd_plan_decode checks every index and every size, so that whoever walks a
 * decoded graph need not. */
#ifndef VD_MODEL_PLAN_H
#define VD_MODEL_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "vedette/error.h"

#ifdef __cplusplus
extern "C" {
#endif

#define VD_PLAN_OP "VedettePlan"
#define VD_PLAN_CODE "code"
#define VD_PLAN_WHOLE                                                                                        \
    "whole" /* 1: the node is the whole network, its outputs are the network's in their order */

enum {
    VD_PLAN_RANK = 6,
    VD_PLAN_LINKS = 16, /* inputs or outputs of one step */
    VD_PLAN_INTS = 16,
    VD_PLAN_MAX_VALUES = 16384,
    VD_PLAN_MAX_STEPS = 8192
};

/* What a step does. Axes count from 0 and are never negative. Constants stand as weights and bias, or as one
 * operand of ADD to DIV and MATMUL; nowhere else. All windows of a pool begin inside the picture and reach
 * into it; its rounding is written into the pads at the bottom right. */
typedef enum vd_plan_kind {
    VD_PLAN_CONV = 1, /* x, weights [out, in / groups, kh, kw], bias [out] (may be missing); ints: stride h,
                         w, pads top, left, bottom, right, dilation h, w, groups */
    VD_PLAN_DECONV, /* ConvTranspose: x, weights [in, out / groups, kh, kw], bias; ints as VD_PLAN_CONV, then
                       output padding h, w */
    VD_PLAN_ACT,    /* x: the step's activation alone */
    VD_PLAN_ADD,    /* a, b: as ONNX broadcasts them; either may be a constant */
    VD_PLAN_SUB,
    VD_PLAN_MUL,
    VD_PLAN_DIV,
    VD_PLAN_CONCAT,     /* ints: axis */
    VD_PLAN_SLICE,      /* x; ints: axis, start, length, step (positive) */
    VD_PLAN_MAX_POOL,   /* x; ints: kernel h, w, stride h, w, pads top, left, bottom, right */
    VD_PLAN_AVG_POOL,   /* the same, then 1 when padding counts */
    VD_PLAN_GLOBAL_AVG, /* x [n, c, h, w] to [n, c, 1, 1] */
    VD_PLAN_NEAREST,    /* x; ints: factor h, w: each value repeated */
    VD_PLAN_PAD,        /* x [n, c, h, w]; ints: top, left, bottom, right; floats: the value */
    VD_PLAN_RESHAPE,    /* x; the shape is the output's */
    VD_PLAN_TRANSPOSE,  /* x; ints: perm */
    VD_PLAN_MATMUL,     /* a, b as NumPy's matmul, neither of rank 1 */
    VD_PLAN_SOFTMAX,    /* x; ints: axis */
    VD_PLAN_KIND_END
} vd_plan_kind;

/* The function that follows a step (bias included); of VD_PLAN_CONV, VD_PLAN_DECONV and VD_PLAN_ACT alone. */
typedef enum vd_plan_act {
    VD_ACT_NONE,
    VD_ACT_SILU, /* x · sigmoid(x) */
    VD_ACT_RELU,
    VD_ACT_LEAKY, /* floats[0]: the slope below 0 */
    VD_ACT_CLIP,  /* floats[0] to floats[1] */
    VD_ACT_SIGMOID,
    VD_ACT_HSWISH,   /* x · clip(x / 6 + 0.5, 0, 1) */
    VD_ACT_HSIGMOID, /* clip(floats[0] · x + floats[1], 0, 1) */
    VD_ACT_TANH,
    VD_ACT_EXP,
    VD_ACT_GELU,
    VD_ACT_END
} vd_plan_act;

typedef struct vd_plan_value {
    int rank;
    int extents[VD_PLAN_RANK];
    int input;    /* index among the node's computed inputs; -1 when it is none */
    int constant; /* index among the node's constants; -1 when it is none */
} vd_plan_value;

typedef struct vd_plan_step {
    vd_plan_kind kind;
    vd_plan_act act;
    int in_count, in[VD_PLAN_LINKS]; /* indices of values */
    int out;                         /* the value it makes; each is made once, before it is read */
    int ints[VD_PLAN_INTS];
    float floats[2];
} vd_plan_step;

typedef struct vd_plan_graph {
    int input_count, constant_count, output_count;
    int *outputs; /* values that others read, in the order of the node's outputs */
    vd_plan_value *values;
    int value_count;
    vd_plan_step *steps; /* in an order in which they can be carried out */
    int step_count;
} vd_plan_graph;

/* The number of elements of a value. */
size_t vd_plan_count(const vd_plan_value *value);

/* Both allocate; release with free and vd_plan_clear. VD_OK, VD_EFORMAT (what is wrong with the code) or
 * VD_ENOMEM. Any thread. */
int vd_plan_encode(const vd_plan_graph *graph, int32_t **ret_code, size_t *ret_length);
int vd_plan_decode(const int32_t *code, size_t length, vd_plan_graph *ret_graph, vd_error *error);

/* Frees what the graph holds. Accepts one that is zeroed. */
void vd_plan_clear(vd_plan_graph *graph);

#ifdef __cplusplus
}
#endif
#endif
