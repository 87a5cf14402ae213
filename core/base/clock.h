/* The monotonic clock, in nanoseconds, and rates over a sliding window. */
#ifndef VD_BASE_CLOCK_H
#define VD_BASE_CLOCK_H

#include <stdint.h>

#define VD_NS_PER_US INT64_C(1000)
#define VD_NS_PER_MS INT64_C(1000000)
#define VD_NS_PER_S INT64_C(1000000000)

/* Nanoseconds of CLOCK_MONOTONIC. Every deadline in the program is a value of this clock. */
int64_t vd_clock_now_ns(void);

/* A deadline `timeout_ns` from now; INT64_MAX for a negative timeout, which means: wait without end. */
int64_t vd_clock_deadline_ns(int64_t timeout_ns);

/* Events a second over the last 2 s, in 20 slots of 100 ms. Not thread-safe: its owner locks. */
typedef struct vd_rate {
    int64_t slot;  /* number of the newest slot since the clock's origin */
    int64_t first; /* slot of the first event; rates before a full window are honest about their length */
    uint32_t counts[20];
} vd_rate;

void vd_rate_add(vd_rate *rate, int64_t now_ns);
double vd_rate_per_s(const vd_rate *rate, int64_t now_ns);

#endif
