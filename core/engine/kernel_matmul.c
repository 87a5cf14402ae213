/* The matrix product of attention: oneDNN's where there is one, else loops in the order of memory. */
#include <string.h>

#include "engine/kernel_here.h"
#ifdef VD_ENGINE_DNNL
#include <dnnl.h>
#endif

/* c += a[row, i] · b[i, …], with b as it lies or turned. */
static void multiply_row(bool a_turned, bool b_turned, int row, int m, int n, int k, const float *a,
                         const float *b, float *c)
{
    for (int i = 0; i < k; i++) {
        float factor =
            a_turned ? a[(size_t)i * (size_t)m + (size_t)row] : a[(size_t)row * (size_t)k + (size_t)i];
        if (b_turned)
            for (int j = 0; j < n; j++)
                c[j] += factor * b[(size_t)j * (size_t)k + (size_t)i];
        else
            for (int j = 0; j < n; j++)
                c[j] += factor * b[(size_t)i * (size_t)n + (size_t)j];
    }
}

void vd_pass_matmul(bool a_turned, bool b_turned, int m, int n, int k, const float *a, const float *b,
                    float *c)
{
    enum { SMALL = 4096 }; /* products; below, the library's own preparations take longer than these */
#ifdef VD_ENGINE_DNNL
    if (vd_kernel_threads() > 0 && (size_t)m * (size_t)n * (size_t)k > SMALL &&
        dnnl_sgemm(a_turned ? 'T' : 'N', b_turned ? 'T' : 'N', m, n, k, 1.0f, a, a_turned ? m : k, b,
                   b_turned ? k : n, 0.0f, c, n) == dnnl_success)
        return;
#else
    (void)SMALL;
#endif
    memset(c, 0, (size_t)m * (size_t)n * sizeof *c);
    for (int row = 0; row < m; row++)
        multiply_row(a_turned, b_turned, row, m, n, k, a, b, c + (size_t)row * (size_t)n);
}
