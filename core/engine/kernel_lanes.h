/* The inner loops of the passes, compiled once for every vector width (kernel_lanes_body.inc) and chosen once
 * at run time: the program itself is built for the oldest processor of its architecture.
 *
 * No function here starts threads or allocates; kernel_pass.c divides the work among threads. */
#ifndef VD_ENGINE_KERNEL_LANES_H
#define VD_ENGINE_KERNEL_LANES_H

#include "engine/kernels.h"

/* out = act(in) [+ addend]; in and out may have different types, addend has out's. Any count. */
typedef struct vd_act_job {
    vd_kernel_type in_type, out_type;
    vd_plan_act act;
    float args[2];
    const void *in, *addend; /* addend may be NULL */
    void *out;
} vd_act_job;

typedef struct vd_binary_job {
    vd_kernel_type type;
    vd_plan_kind op;
    const void *a, *b;
    void *out;
} vd_binary_job;

/* Between planar float32 and blocked `type`; which of the two is read depends on the function. */
typedef struct vd_block_job {
    vd_kernel_type type;
    float *planar;
    void *blocked;
    int channels, plane;
} vd_block_job;

typedef struct vd_pool_job {
    vd_kernel_type type;
    const vd_pool_shape *shape;
    const void *in;
    void *out;
} vd_pool_job;

typedef struct vd_rows_job {
    const float *in;
    float *out;
    int columns;
} vd_rows_job;

/* A 3 × 3 convolution of stride 1 by Winograd's method, see kernel_wino.c. */
typedef struct vd_wino_job {
    vd_kernel_type type, out_type;
    vd_plan_act act;
    float args[2];
    const void *in, *addend; /* addend may be NULL */
    const float *weights, *bias;
    void *out;
    int in_full, out_full, in_height, in_width, out_height, out_width, pad_top, pad_left;
    int tiles_wide;
} vd_wino_job;

/* Each works on [begin, end) of its job: elements, blocks of channels, rows of all blocks' outputs, rows. */
typedef struct vd_lanes {
    int block; /* channels of a block */
    void (*act)(const vd_act_job *job, size_t begin, size_t end);
    void (*binary)(const vd_binary_job *job, size_t begin, size_t end);
    void (*block_in)(const vd_block_job *job, size_t begin, size_t end);
    void (*block_out)(const vd_block_job *job, size_t begin, size_t end);
    void (*max_pool)(const vd_pool_job *job, size_t begin, size_t end);
    void (*softmax)(const vd_rows_job *job, size_t begin, size_t end);
    /* `count` tiles from `first` on; `room` holds 36 · count · (in_full + 2 · block) floats. */
    void (*wino)(const vd_wino_job *job, int first, int count, float *room);
} vd_lanes;

extern const vd_lanes vd_lanes_plain;
#ifdef VD_LANES_X86
extern const vd_lanes vd_lanes_avx2;
extern const vd_lanes vd_lanes_avx512;
#endif

/* The widest that this processor has and that oneDNN uses here, so that both block channels alike. */
const vd_lanes *vd_lanes_here(void);

/* Bytes of an element. */
static inline size_t vd_type_bytes(vd_kernel_type type)
{
    return type == VD_KERNEL_BF16 ? 2 : 4;
}

#endif
