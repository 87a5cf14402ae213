/* What each kind of step asks of its operands: for vd_plan_decode. */
#ifndef VD_MODEL_PLAN_RULES_H
#define VD_MODEL_PLAN_RULES_H

#include "model/plan.h"

#define VD_PLAN_MAX_ELEMENTS ((size_t)1 << 28) /* of one value: 1 GiB of floats */

/* The number of integers a kind has. */
int vd_plan_int_count(vd_plan_kind kind);

/* What is wrong with a step whose indices are all in range and whose values are of a sound size, as the end
 * of a sentence; NULL when its operands, settings and output fit together. */
const char *vd_plan_step_fault(const vd_plan_graph *graph, const vd_plan_step *step);

#endif
