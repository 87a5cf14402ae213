/* One step of a plan's graph by plain loops over planar values. */
#ifndef TESTS_UNIT_PLAN_REFERENCE_H
#define TESTS_UNIT_PLAN_REFERENCE_H

#include "model/plan.h"

/* data: of every value, by its index; data[step->out] is written. */
void reference_step(const vd_plan_value *values, const vd_plan_step *step, float *const *data);

#endif
