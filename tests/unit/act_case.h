/* Activations in double precision. */
#ifndef VD_TESTS_ACT_CASE_H
#define VD_TESTS_ACT_CASE_H

#include <math.h>

#include "model/plan.h"

static inline double act_of(vd_plan_act act, const float args[2], double x)
{
    double a = (double)args[0], b = (double)args[1];
    switch (act) {
    case VD_ACT_SILU:
        return x / (1 + exp(-x));
    case VD_ACT_RELU:
        return fmax(x, 0);
    case VD_ACT_LEAKY:
        return x < 0 ? a * x : x;
    case VD_ACT_CLIP:
        return fmin(fmax(x, a), b);
    case VD_ACT_SIGMOID:
        return 1 / (1 + exp(-x));
    case VD_ACT_HSWISH:
        return x * fmin(fmax(x / 6 + 0.5, 0), 1);
    case VD_ACT_HSIGMOID:
        return fmin(fmax(a * x + b, 0), 1);
    case VD_ACT_TANH:
        return tanh(x);
    case VD_ACT_EXP:
        return exp(x);
    case VD_ACT_GELU:
        return 0.5 * x * (1 + erf(x / sqrt(2)));
    default:
        return x;
    }
}

#endif
