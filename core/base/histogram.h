/* A latency histogram with fixed memory: 8 buckets an octave from 1 µs, so a percentile is right to 9 %.
 * Not thread-safe: its owner locks. */
#ifndef VD_BASE_HISTOGRAM_H
#define VD_BASE_HISTOGRAM_H

#include <stdint.h>

enum { VD_HISTOGRAM_BUCKETS = 256 };

typedef struct vd_histogram {
    uint64_t count;
    int64_t max_ns, sum_ns;
    uint32_t buckets[VD_HISTOGRAM_BUCKETS];
} vd_histogram;

void vd_histogram_add(vd_histogram *histogram, int64_t value_ns);

/* The value below which `share` (0 to 1) of the samples lie; 0 without samples. */
int64_t vd_histogram_percentile_ns(const vd_histogram *histogram, double share);

#endif
