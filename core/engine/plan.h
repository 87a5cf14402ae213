/* A run of layers carried out in one go: layouts, memory and order of what model/plan.h describes.
 *
 * Built once for a shape. Every value gets a layout (blocked where convolutions want it, planar elsewhere),
 * values share one arena by the time they are alive, concatenations and splits at block borders are views,
 * and an addition behind a convolution goes into it. */
#ifndef VD_ENGINE_PLAN_H
#define VD_ENGINE_PLAN_H

#include "engine/kernels.h"
#include "model/plan.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct vd_plan vd_plan;

/* graph      taken: cleared on success and on failure
 * constants  planar float32, graph->constant_count of them, borrowed until this returns
 * Returns VD_OK, VD_EFORMAT (a step cannot be carried out here; the sentence names it) or VD_ENOMEM. */
int vd_plan_new(vd_plan_graph *graph, const float *const *constants, vd_kernel_type type, vd_plan **ret_plan,
                vd_error *error);
void vd_plan_free(vd_plan **plan); /* accepts NULL and sets it */

/* The planar float32 memory of the run's input i, so that whoever fills it need not copy; owned by the plan.
 */
float *vd_plan_input(const vd_plan *plan, int i);

/* Carries the run out.
 * inputs   planar float32; one that is vd_plan_input itself is not copied
 * outputs  planar float32, written */
int vd_plan_run(vd_plan *plan, const float *const *inputs, float *const *outputs, vd_error *error);

/* Number of steps, arena bytes and, after vd_plan_measure, what each costs. */
typedef struct vd_plan_line {
    char text[96];   /* "3x3/1 64→64 40×40 silu" */
    char kernel[64]; /* what computes it */
    int64_t median_ns;
    double gflop; /* of one pass */
} vd_plan_line;
int vd_plan_line_count(const vd_plan *plan);
size_t vd_plan_arena_bytes(const vd_plan *plan);

/* Runs `passes` passes and times every step. ret_lines  room for vd_plan_line_count. */
int vd_plan_measure(vd_plan *plan, int passes, vd_plan_line *ret_lines, vd_error *error);

#ifdef __cplusplus
}
#endif
#endif
