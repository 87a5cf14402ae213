/* Convolutions with all that they read, and what loops in double precision make of it. */
#ifndef VD_TESTS_CONV_CASE_H
#define VD_TESTS_CONV_CASE_H

#include <stddef.h>

#include "engine/kernels.h"

/* A convolution with everything it reads and writes; blocked tensors of the kernel's type. */
typedef struct conv_case {
    vd_conv_shape shape;
    float *in, *weights, *bias, *addend; /* planar, as the file has them, rounded to the kernel's type */
    double *wanted;                      /* planar */
    void *fed, *out, *added, *scratch;
} conv_case;

/* A case with values by chance. Where the shape has none, the output's extents, dilations and groups are
 * filled in. */
conv_case conv_case_make(vd_conv_shape shape);
void conv_case_free(conv_case *it);

/* Compares `out` with what is wanted: off by at most `tolerance` of the largest value, zeros in the padding.
 */
void conv_case_check(const conv_case *it, double tolerance, const char *what);

/* Memory that begins where buffers do, filled with large numbers; and the elements of a blocked tensor. */
void *conv_case_lines(size_t bytes);
size_t conv_case_blocked(int channels, int height, int width);

#endif
