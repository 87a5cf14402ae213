#include "base/histogram.h"

#include <math.h>

enum { PER_OCTAVE = 8 };

static int bucket_of(int64_t value_ns)
{
    double us = (double)value_ns / 1000.0;
    if (us < 1.0)
        return 0;
    int bucket = 1 + (int)(log2(us) * PER_OCTAVE);
    return bucket < VD_HISTOGRAM_BUCKETS ? bucket : VD_HISTOGRAM_BUCKETS - 1;
}

static int64_t upper_edge_ns(int bucket)
{
    return (int64_t)(1000.0 * exp2((double)bucket / PER_OCTAVE));
}

void vd_histogram_add(vd_histogram *histogram, int64_t value_ns)
{
    histogram->count++;
    histogram->sum_ns += value_ns;
    if (value_ns > histogram->max_ns)
        histogram->max_ns = value_ns;
    histogram->buckets[bucket_of(value_ns)]++;
}

int64_t vd_histogram_percentile_ns(const vd_histogram *histogram, double share)
{
    if (histogram->count == 0)
        return 0;
    share = share > 0 ? fmin(share, 1) : 0; /* not a number counts as 0 */
    uint64_t wanted = (uint64_t)ceil(share * (double)histogram->count), seen = 0;
    for (int b = 0; b < VD_HISTOGRAM_BUCKETS - 1; b++) { /* the last one has no upper edge */
        seen += histogram->buckets[b];
        if (seen >= wanted && seen > 0) {
            int64_t edge = upper_edge_ns(b);
            return edge < histogram->max_ns ? edge : histogram->max_ns;
        }
    }
    return histogram->max_ns;
}
