#include <math.h>
#include <stdlib.h>

#include "vedette/app/bench.h"

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static double percentile_us(const int64_t *sorted, size_t count, double share)
{
    size_t at = (size_t)ceil(share * (double)count);
    return (double)sorted[at > 0 ? at - 1 : 0] / 1000.0;
}

vd_bench_latency vd_bench_latency_of(int64_t *samples_ns, size_t count)
{
    if (count == 0)
        return (vd_bench_latency){0};
    qsort(samples_ns, count, sizeof *samples_ns, compare);
    return (vd_bench_latency){.count = count,
                              .p50_us = percentile_us(samples_ns, count, 0.50),
                              .p95_us = percentile_us(samples_ns, count, 0.95),
                              .p99_us = percentile_us(samples_ns, count, 0.99),
                              .max_us = percentile_us(samples_ns, count, 1)};
}

static int compare_numbers(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double vd_bench_median(double *values, size_t count)
{
    if (count == 0)
        return 0;
    qsort(values, count, sizeof *values, compare_numbers);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}
