/* Convolutions in a program that was built without oneDNN: there are none. */
#include "engine/kernels.h"

int vd_conv_new(const vd_conv_shape *shape, const float *weights, const float *bias, vd_conv **ret_conv,
                vd_error *error)
{
    (void)shape, (void)weights, (void)bias, (void)ret_conv;
    return vd_error_set(error, VD_EFORMAT, NULL, "this program was built without oneDNN");
}

int vd_conv_new_all(const vd_conv_shape *shape, const float *weights, const float *bias, vd_conv **ret_conv,
                    vd_error *error)
{
    return vd_conv_new(shape, weights, bias, ret_conv, error);
}

void vd_conv_free(vd_conv **conv)
{
    *conv = NULL;
}

size_t vd_conv_scratch_bytes(const vd_conv *conv)
{
    (void)conv;
    return 0;
}

int vd_conv_run(const vd_conv *conv, const void *in, void *out, const void *addend, void *scratch,
                vd_error *error)
{
    (void)conv, (void)in, (void)out, (void)addend, (void)scratch;
    return vd_error_set(error, VD_EFORMAT, NULL, "this program was built without oneDNN");
}

int vd_conv_candidates(const vd_conv *conv)
{
    (void)conv;
    return 0;
}

void vd_conv_choose(vd_conv *conv, int candidate)
{
    (void)conv, (void)candidate;
}

const char *vd_conv_text(const vd_conv *conv)
{
    (void)conv;
    return "";
}
