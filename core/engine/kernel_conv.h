/* A convolution and its candidates, between the files kernel_conv*.c. */
#ifndef VD_ENGINE_KERNEL_CONV_H
#define VD_ENGINE_KERNEL_CONV_H

#include "engine/kernel_choice.h"
#include "engine/kernel_dnnl.h"
#include "engine/kernel_here.h"

enum { VD_CONV_CANDIDATES = 16 };

/* How the picture gets to the primitive. */
typedef enum vd_conv_feed {
    VD_FEED_AS_IS,
    VD_FEED_NARROWED, /* planar float32, narrowed to planar bfloat16 in the scratch */
    VD_FEED_BLOCKED   /* planar float32, brought into blocks in the scratch */
} vd_conv_feed;

/* Weights in one of oneDNN's layouts; candidates of the same layout share them. */
typedef struct vd_conv_weights {
    dnnl_memory_t memory;
    int users;
} vd_conv_weights;

/* One way to compute the whole step: feed, primitive, and a pass for what the primitive does not do. */
typedef struct vd_candidate {
    dnnl_primitive_t primitive; /* NULL: our own Winograd, by wino_weights */
    float *wino_weights;
    dnnl_memory_t in, out, addend, scratch; /* without memory of their own */
    vd_conv_weights *weights;
    vd_conv_feed feed;
    vd_kernel_type made_type; /* of what the primitive writes */
    bool does_act, does_add;
    int addend_arg;
    size_t own_bytes, feed_bytes,
        made_bytes;            /* of the scratch: the primitive's, the fed picture's, its result's */
    char text[VD_CHOICE_TEXT]; /* tells it from the others of its convolution */
} vd_candidate;

struct vd_conv {
    vd_conv_shape shape;
    int threads; /* primitives are made for a number of threads */
    int block;
    int in_full, out_full; /* channels filled up to whole blocks */
    int groups;            /* of the primitive: groups that do not fit blocks are spread over a dense one */
    bool clears;           /* act(0) is not 0, so that the padding has to be cleared afterwards */
    vd_kernel_type out_type;
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    dnnl_memory_t bias;
    vd_conv_weights weights[VD_CONV_CANDIDATES];
    vd_candidate candidates[VD_CONV_CANDIDATES];
    int count;
    int chosen;
};

/* Weights as the file has them, for the primitive's channels and groups: zeros where the file has none.
 * [groups,] out, in, kh, kw. Allocated; NULL without memory. */
float *vd_conv_full_weights(const vd_conv *conv, int in_full, const float *weights);

/* Finds all of oneDNN's candidates, or the one whose text is `wanted` (NULL: all). dnnl_success also when
 * there is none. */
dnnl_status_t vd_conv_find(vd_conv *conv, const float *weights, const float *bias, const char *wanted);

/* Adds the candidate of kernel_wino.c where it can compute the shape; `wanted` as above. */
dnnl_status_t vd_wino_find(vd_conv *conv, const float *weights, const char *wanted);
void vd_wino_run(const vd_conv *conv, const vd_candidate *candidate, const void *in, void *out,
                 const void *addend, void *scratch);

void vd_candidate_fini(vd_candidate *candidate);

/* Times the candidates on memory of its own, keeps the fastest and frees the others. VD_OK or VD_ENOMEM. */
int vd_conv_tune(vd_conv *conv, vd_error *error);

int vd_candidate_run(const vd_conv *conv, const vd_candidate *candidate, const void *in, void *out,
                     const void *addend, void *scratch, vd_error *error);

/* Elements of the blocked output. */
size_t vd_conv_out_count(const vd_conv *conv);

int vd_conv_fail(vd_error *error, dnnl_status_t status);

#endif
