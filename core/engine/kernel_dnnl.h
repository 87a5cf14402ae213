/* The little of oneDNN's interface that its versions 2 and 3 do not share: how a convolution is described and
 * its implementations are listed. kernel_dnnl2.c and kernel_dnnl3.c; only one of them is compiled to
 * anything. */
#ifndef VD_ENGINE_KERNEL_DNNL_H
#define VD_ENGINE_KERNEL_DNNL_H

#include <dnnl.h>
#include <stdbool.h>

#include "model/plan.h"

/* A description of memory as it is handed about: a handle, or a pointer to the struct it was once. */
#if DNNL_VERSION_MAJOR >= 3
typedef const_dnnl_memory_desc_t vd_dnnl_md;
#else
typedef const dnnl_memory_desc_t *vd_dnnl_md;
#endif

typedef struct vd_dnnl_tensor {
    int rank;
    dnnl_dims_t extents;
    dnnl_data_type_t type;
    dnnl_format_tag_t tag;
} vd_dnnl_tensor;

typedef struct vd_dnnl_conv {
    vd_dnnl_tensor in, weights, bias, out;
    dnnl_dims_t strides, dilations, pads_begin, pads_end; /* height, width; a dilation of 0 is none */
    bool winograd;
    vd_plan_act act; /* what the primitive itself applies; see vd_dnnl_can_act */
    float args[2];
    bool add; /* then adds a tensor like out, given at run time as vd_dnnl_addend_arg() */
} vd_dnnl_conv;

/* Whether oneDNN can apply the activation at the end of a primitive in good time: its swish takes longer than
 * a pass of our own over the result. */
bool vd_dnnl_can_act(vd_plan_act act);

/* Under which number the addend is given to a primitive of this description. */
int vd_dnnl_addend_arg(const vd_dnnl_conv *conv);

/* Called with one implementation after another, in oneDNN's order; borrowed for the call. False: stop. */
typedef bool (*vd_dnnl_take)(dnnl_primitive_desc_t found, void *context);

/* dnnl_success also when there is none. Scratchpads are the caller's in what it finds. */
dnnl_status_t vd_dnnl_conv_each(const vd_dnnl_conv *conv, dnnl_engine_t engine, vd_dnnl_take take,
                                void *context);

/* Memory that lies at `at`, or is allocated for DNNL_MEMORY_ALLOCATE. */
dnnl_status_t vd_dnnl_memory_new(const vd_dnnl_tensor *tensor, dnnl_engine_t engine, void *at,
                                 dnnl_memory_t *ret_memory);

/* Borrowed from the memory. */
vd_dnnl_md vd_dnnl_memory_md(dnnl_memory_t memory);

#endif
