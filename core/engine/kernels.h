/* What a plan is carried out with: convolutions by oneDNN with tensors in blocked layout, and passes of our
 * own.
 *
 * The plan (engine/plan.h) knows graph, memory and order; a kernel knows how one step is computed fastest
 * here. Several candidates may compute the same step: the first of its shape in the process has them timed,
 * and the fastest computes all of that shape.
 *
 * Blocked layout: one picture [c, h, w] as [ceil(c / B), h, w, B], B = vd_kernel_block() channels side by
 * side (16 with AVX-512, 8 with AVX2). Channels that fill up the last block hold zeros, in every tensor and
 * always: a kernel that writes a blocked tensor writes those zeros too, or leaves them as zero. A slice of
 * channels that begins and ends at a multiple of B is contiguous memory, so concatenation and splitting of
 * such are views. Every buffer starts at a multiple of 64 bytes. A picture at a time: pictures of a batch
 * come one after another.
 *
 * Nothing here allocates while it runs. An object belongs to one thread at a time. */
#ifndef VD_ENGINE_KERNELS_H
#define VD_ENGINE_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/plan.h"
#include "vedette/error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum vd_kernel_type { VD_KERNEL_F32, VD_KERNEL_BF16 } vd_kernel_type;

/* Whether this program and this processor have what plans need (oneDNN, AVX2 or more), and bfloat16. */
bool vd_kernel_here(void);
bool vd_kernel_has_bf16(void);

/* "oneDNN 2.6.3" as found at run time; NULL when the program was built without. */
const char *vd_kernel_version(void);

/* Channels of a block: 16 or 8. */
int vd_kernel_block(void);

/* Threads of a kernel called from this thread (OpenMP); 1 to 64. */
void vd_kernel_set_threads(int threads);

/* --- Convolutions */
typedef struct vd_conv vd_conv;

typedef struct vd_conv_shape {
    int in, out; /* channels of the picture, as in the file */
    int in_height, in_width, out_height, out_width;
    int kernel[2], stride[2], dilation[2]; /* height, width */
    int pads[4];                           /* top, left, bottom, right */
    int groups;                            /* 1, or in (= out: depthwise), or any divisor */
    bool planar_in; /* reads planar float32 (the network's input); else blocked `type` */
    bool float_out; /* writes float32 though `type` is bf16 */
    vd_kernel_type type;
    vd_plan_act act;
    float act_args[2];
    bool add; /* adds a tensor of the output's shape after the activation: x + silu(conv(x)) */
} vd_conv_shape;

/* Builds what computes the shape fastest here. The first of a shape (with this number of threads) builds
 * every candidate and times them, which takes some tens of milliseconds; all others in the process compute
 * with what was chosen then, and so give the same to the last bit. Any thread; one at a time chooses.
 *
 * weights  [out, in / groups, kh, kw] planar float32; bias [out] or NULL; both borrowed until this returns
 * Returns VD_OK; VD_EFORMAT when nothing here but reference code could compute it (the plan leaves it to
 * OpenCV); VD_ENOMEM. */
int vd_conv_new(const vd_conv_shape *shape, const float *weights, const float *bias, vd_conv **ret_conv,
                vd_error *error);

/* Every candidate, none timed: for tests and measurements, which go on with vd_conv_choose. */
int vd_conv_new_all(const vd_conv_shape *shape, const float *weights, const float *bias, vd_conv **ret_conv,
                    vd_error *error);
void vd_conv_free(vd_conv **conv); /* accepts NULL and sets it */

/* Bytes of working memory that a run needs; one for all steps of a plan will do. */
size_t vd_conv_scratch_bytes(const vd_conv *conv);

/* out = act(conv(in) + bias) [+ addend]. `addend` may be `out` itself, or NULL without shape.add. */
int vd_conv_run(const vd_conv *conv, const void *in, void *out, const void *addend, void *scratch,
                vd_error *error);

/* How many candidates there are, and which of them runs; of vd_conv_new one. */
int vd_conv_candidates(const vd_conv *conv);
void vd_conv_choose(vd_conv *conv, int candidate);

/* What computes it, such as "jit_fp32_wino_2x3 + silu pass". Borrowed from conv. */
const char *vd_conv_text(const vd_conv *conv);

/* --- Passes over memory. `count` is in elements, a multiple of 8; buffers may be the same. */

/* out = act(in), F32 or BF16 blocked or planar alike (padding channels are kept zero where act(0) = 0; the
 * plan clears them where it is not). */
void vd_pass_act(vd_kernel_type type, vd_plan_act act, const float act_args[2], const void *in, void *out,
                 size_t count);

/* out = act(in) + addend. */
void vd_pass_act_add(vd_kernel_type type, vd_plan_act act, const float act_args[2], const void *in,
                     const void *addend, void *out, size_t count);

/* out = a (op) b, element by element: VD_PLAN_ADD, SUB, MUL or DIV. */
void vd_pass_binary(vd_kernel_type type, vd_plan_kind op, const void *a, const void *b, void *out,
                    size_t count);

/* Planar float32 [c, h, w] to blocked, and back. `plane` is h · w. */
void vd_pass_block(vd_kernel_type type, const float *in, void *out, int channels, int plane);
void vd_pass_unblock(vd_kernel_type type, const void *in, float *out, int channels, int plane);

/* Blocked pooling, k × k with pads on the top left, any stride; outside counts as minus infinity. */
typedef struct vd_pool_shape {
    int channels, in_height, in_width, out_height, out_width;
    int kernel[2], stride[2], pads[2]; /* top, left */
} vd_pool_shape;
void vd_pass_max_pool(vd_kernel_type type, const vd_pool_shape *shape, const void *in, void *out);

/* Blocked nearest neighbour: each value repeated factor[0] × factor[1] times. */
void vd_pass_nearest(vd_kernel_type type, const void *in, void *out, int channels, int height, int width,
                     const int factor[2]);

/* Planar float32: out[rows, columns] = softmax over the columns. */
void vd_pass_softmax(const float *in, float *out, int rows, int columns);

/* Planar float32 row-major product: c[m, n] = a[m, k] · b[k, n]; `turned` operands are stored transposed. */
void vd_pass_matmul(bool a_turned, bool b_turned, int m, int n, int k, const float *a, const float *b,
                    float *c);

#ifdef __cplusplus
}
#endif
#endif
