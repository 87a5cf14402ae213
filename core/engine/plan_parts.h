/* What a plan is made of: shared by core/engine/plan*.c and by nobody else.
 *
 * Building has two parts. Lowering (plan_lower*.c, plan_views.c) walks the graph's steps once and leaves
 * operations over tensors, with conversions where a reader wants the other layout. Memory (plan_memory.c)
 * gives tensors their place: in the arena, in a constant, in a buffer of the caller. Running is a walk over
 * the operations. */
#ifndef VD_ENGINE_PLAN_PARTS_H
#define VD_ENGINE_PLAN_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/kernels.h"
#include "engine/plan.h"
#include "model/plan.h"

enum { VD_PLAN_ALIGN = 64, VD_PLAN_NUMBERS = 32 };

typedef enum vd_layout { VD_PLANAR, VD_BLOCKED, VD_LAYOUTS } vd_layout;

/* A value in one layout. Blocked: `pictures` pictures, a view lies at the same offset in each of its parent.
 * Planar: one run of floats, `pictures` is 1. */
typedef struct vd_tensor {
    vd_layout layout;
    vd_kernel_type type; /* planar: VD_KERNEL_F32 */
    int pictures, channels, height, width;
    size_t bytes;  /* of a picture */
    int parent;    /* the tensor it lies in; -1: it has memory of its own, and is called a root */
    size_t offset; /* in a picture of the parent, in bytes */

    /* Root, until its memory is known: */
    char *fixed;     /* memory of a constant; else NULL */
    int base;        /* index into vd_plan.bases: 0 the arena, then the caller's inputs, then his outputs */
    int first, last; /* the operations that touch it first and last; -1: none does */

    /* Set by vd_plan_place: */
    size_t place;  /* from `fixed` or the base */
    size_t stride; /* from picture to picture */
} vd_tensor;

typedef struct vd_plan_op vd_plan_op;
typedef int (*vd_plan_run_fn)(const vd_plan *plan, const vd_plan_op *op, vd_error *error);

struct vd_plan_op {
    vd_plan_run_fn run;
    int in[2], out, temp; /* tensors; -1: none */
    vd_conv *conv;        /* owned */
    vd_plan_act act;
    float args[2];
    vd_plan_kind kind;          /* of an operation between two: ADD to DIV */
    int64_t n[VD_PLAN_NUMBERS]; /* what `run` says they are */
    double gflop;
    const char *kernel; /* what computes it where there is no conv; static */
    char text[96];
};

struct vd_plan {
    vd_kernel_type type;
    vd_tensor *tensors;
    int tensor_count, tensor_room;
    vd_plan_op *ops;
    int op_count, op_room;
    void **owned; /* constants as the operations want them */
    int owned_count, owned_room;
    char *arena, *scratch;
    size_t arena_bytes, scratch_bytes;
    int input_count, output_count;
    size_t *bytes; /* of inputs, then outputs */
    char **own;    /* memory of our own for each input, then each output */
    char **bases;  /* of this run: the arena, inputs, outputs */
};

/* The graph while it is lowered. */
typedef struct vd_lowering {
    vd_plan *plan;
    const vd_plan_graph *graph;
    const float *const *constants;
    int *made[VD_LAYOUTS]; /* a value: its tensor in that layout; -1: there is none yet */
    int *maker;            /* a value: the step that makes it; -1: none */
    int *readers;          /* a value: how many read it, the run's outputs included */
    bool *planar_only;     /* a value: nobody wants it blocked */
    bool *late;            /* a value: its step waits until somebody wants it */
    bool *live;            /* a step: somebody needs what it makes, and no other step has made it */
    int step;              /* the one at work, for texts */
    vd_error *error;
} vd_lowering;

/* --- plan_tensors.c */

/* Blocks of a blocked tensor, elements of one picture of any tensor. */
int vd_tensor_blocks(const vd_tensor *tensor);
size_t vd_tensor_count(const vd_tensor *tensor);
size_t vd_kernel_bytes(vd_kernel_type type);

/* Where a tensor's picture is in this run. */
static inline char *vd_plan_at(const vd_plan *plan, int id, int picture)
{
    const vd_tensor *tensor = &plan->tensors[id];
    char *start = tensor->fixed ? tensor->fixed : plan->bases[tensor->base];
    return start + tensor->place + (size_t)picture * tensor->stride;
}

/* The tensor that a tensor lies in in the end, and where. */
int vd_plan_root(const vd_plan *plan, int id, size_t *ret_offset);

/* New tensors of a value's shape: one with memory of its own, and a view at `offset` of `parent`. A tensor is
 * an index into plan->tensors; there is always room (vd_plan_new reserves for the worst case). */
int vd_lower_tensor(vd_lowering *l, const vd_plan_value *value, vd_layout layout, vd_kernel_type type);
int vd_lower_view(vd_lowering *l, const vd_plan_value *value, int parent, size_t offset);

/* Working memory of one operation. */
int vd_lower_temp(vd_lowering *l, size_t bytes);

/* Memory that lives as long as the plan; NULL: there is none. */
void *vd_lower_own(vd_lowering *l, size_t bytes);

/* A new operation. in, other, out: tensors or -1. */
vd_plan_op *vd_lower_op(vd_lowering *l, vd_plan_run_fn run, int in, int other, int out);

/* The tensor of a value in a layout, converted when it is there in the other one only. A tensor (0 or more),
 * or a negative error. */
int vd_lower_want(vd_lowering *l, int value, vd_layout layout);

/* Whether a value is blocked already, or made late, or a constant. */
bool vd_lower_is_blocked(const vd_lowering *l, int value);

/* The channels that fill up the last block are zero again. Nothing to do where there are none. */
void vd_lower_clear(vd_lowering *l, int tensor);

/* --- Lowering, by kinds of steps: VD_OK, VD_ENOMEM, or VD_EFORMAT */
int vd_lower_graph(vd_lowering *l);
int vd_lower_step(vd_lowering *l, int step);
int vd_lower_conv(vd_lowering *l, const vd_plan_step *step);
int vd_lower_deconv(vd_lowering *l, const vd_plan_step *step);
int vd_lower_binary(vd_lowering *l, const vd_plan_step *step);
int vd_lower_concat(vd_lowering *l, const vd_plan_step *step);
int vd_lower_slice(vd_lowering *l, const vd_plan_step *step);
int vd_lower_reshape(vd_lowering *l, const vd_plan_step *step);
int vd_lower_transpose(vd_lowering *l, const vd_plan_step *step);
int vd_lower_matmul(vd_lowering *l, const vd_plan_step *step);
int vd_lower_softmax(vd_lowering *l, const vd_plan_step *step);
int vd_lower_pool(vd_lowering *l, const vd_plan_step *step); /* and global average, nearest, padding */

/* out = act(in), after a step; `out` may be `in`. */
void vd_lower_act(vd_lowering *l, vd_plan_act act, const float args[2], int in, int out);

/* Whether act(0) is something else than 0. */
bool vd_act_lifts_zero(vd_plan_act act, const float args[2]);

bool vd_value_same(const vd_plan_value *a, const vd_plan_value *b); /* the same extents */

/* --- plan_memory.c: roots, lives, the arena. VD_OK or VD_ENOMEM. */
int vd_plan_place(vd_plan *plan);
void *vd_plan_alloc(size_t bytes); /* aligned and zeroed; release with free */

/* --- plan_text.c: what a line of a measurement says about an operation. */
void vd_plan_describe(const vd_lowering *l, vd_plan_op *op);

/* --- Operations. Numbers of n[] are told where each is defined. */
int vd_op_conv(const vd_plan *plan, const vd_plan_op *op, vd_error *error);
int vd_op_block(const vd_plan *plan, const vd_plan_op *op, vd_error *error);
int vd_op_unblock(const vd_plan *plan, const vd_plan_op *op, vd_error *error);
int vd_op_act(const vd_plan *plan, const vd_plan_op *op, vd_error *error);
int vd_op_same(const vd_plan *plan, const vd_plan_op *op, vd_error *error);
int vd_op_vector(const vd_plan *plan, const vd_plan_op *op, vd_error *error);
int vd_op_spread(const vd_plan *plan, const vd_plan_op *op, vd_error *error);
int vd_op_clear(const vd_plan *plan, const vd_plan_op *op, vd_error *error);
int vd_op_copy(const vd_plan *plan, const vd_plan_op *op, vd_error *error);
int vd_op_channels(const vd_plan *plan, const vd_plan_op *op, vd_error *error);
int vd_op_max_pool(const vd_plan *plan, const vd_plan_op *op, vd_error *error);
int vd_op_avg_pool(const vd_plan *plan, const vd_plan_op *op, vd_error *error);
int vd_op_global_avg(const vd_plan *plan, const vd_plan_op *op, vd_error *error);
int vd_op_nearest(const vd_plan *plan, const vd_plan_op *op, vd_error *error);
int vd_op_pad(const vd_plan *plan, const vd_plan_op *op, vd_error *error);
int vd_op_softmax(const vd_plan *plan, const vd_plan_op *op, vd_error *error);
int vd_op_matmul(const vd_plan *plan, const vd_plan_op *op, vd_error *error);
int vd_op_planar_conv(const vd_plan *plan, const vd_plan_op *op, vd_error *error);
int vd_op_planar_deconv(const vd_plan *plan, const vd_plan_op *op, vd_error *error);

/* Planar act and operation between two of any count: the kernels' passes take multiples of 8. */
void vd_planar_act(vd_plan_act act, const float args[2], const float *in, float *out, size_t count);
void vd_planar_same(vd_plan_kind op, const float *a, const float *b, float *out, size_t count);

/* bfloat16, rounded to the nearest even. */
static inline float vd_from_bf16(uint16_t half)
{
    union {
        uint32_t bits;
        float value;
    } both = {.bits = (uint32_t)half << 16};
    return both.value;
}

static inline uint16_t vd_to_bf16(float value)
{
    union {
        float value;
        uint32_t bits;
    } both = {.value = value};
    if (value != value)
        return 0x7fc0;
    return (uint16_t)((both.bits + 0x7fff + (both.bits >> 16 & 1)) >> 16);
}

#endif
