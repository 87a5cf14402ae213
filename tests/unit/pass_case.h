/* Values and buffers of either type for tests of the passes. */
#ifndef VD_TESTS_PASS_CASE_H
#define VD_TESTS_PASS_CASE_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "check_main.h"
#include "engine/kernels.h"
#include "seeded.h"

static const float no_args[2];

static inline float noise(float size)
{
    static uint64_t seed = 20240612;
    return ((float)seeded_below(&seed, 20001) / 10000.0f - 1.0f) * size;
}

static inline float float_of(uint16_t half)
{
    uint32_t bits = (uint32_t)half << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* To the nearest, ties to even, by comparing the two neighbours. */
static inline uint16_t half_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint16_t low = (uint16_t)(bits >> 16), high = (uint16_t)(low + 1);
    double below = fabs((double)value - (double)float_of(low)),
           above = fabs((double)float_of(high) - (double)value);
    return below < above || (below == above && low % 2 == 0) ? low : high;
}

/* Buffers end where the memory does, so that a sanitizer sees what goes beyond. */
static inline void *buffer(size_t bytes)
{
    void *memory = aligned_alloc(64, bytes + (64 - bytes % 64) % 64);
    ck_assert_ptr_nonnull(memory);
    return memory;
}

static inline size_t bytes_of(vd_kernel_type type)
{
    return type == VD_KERNEL_BF16 ? 2 : 4;
}

static inline float get(vd_kernel_type type, const void *all, size_t i)
{
    return type == VD_KERNEL_BF16 ? float_of(((const uint16_t *)all)[i]) : ((const float *)all)[i];
}

static inline void set(vd_kernel_type type, void *all, size_t i, float value)
{
    if (type == VD_KERNEL_BF16)
        ((uint16_t *)all)[i] = half_of(value);
    else
        ((float *)all)[i] = value;
}

#endif
