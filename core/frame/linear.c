/* Fixed point, chosen so that a row of sums fits 16 bits and the loops over rows become vectors. Shrinking
 * blends rows first (few are needed), enlarging spreads columns first (each row is used several times). */
#include "frame/linear.h"

#include <math.h>

enum { COLUMN_ONE = 2048, ROW_ONE = 256, FINE_ROW_ONE = 32767 };

/* Two neighbours and the share of the second. */
struct tap {
    uint32_t at; /* index of the first one's first sample */
    uint32_t share;
};

struct taps {
    struct tap *list;
    int count, channels;
    uint32_t next; /* from the first neighbour to the second; 0 where there is but one */
};

static int larger(int a, int b)
{
    return a > b ? a : b;
}

size_t vd_linear_work_bytes(const vd_plane *from, int width)
{
    size_t samples = (size_t)larger(from->width, 2 * width) * (size_t)from->channels;
    return (size_t)width * sizeof(struct tap) + (samples * sizeof(uint16_t) + 7) / 8 * 8;
}

static struct tap place(int at, double span, int from, int to, int one)
{
    double where = (at + 0.5) * span / to - 0.5;
    where = where < 0 ? 0 : where > from - 1 ? from - 1 : where;
    int low = (int)where;
    if (low == from - 1 && low > 0)
        low--;
    return (struct tap){(uint32_t)low, (uint32_t)lround((where - low) * one)};
}

static void fill_taps(const vd_plane *from, struct taps *taps)
{
    for (int x = 0; x < taps->count; x++) {
        taps->list[x] = place(x, from->span_x, from->width, taps->count, COLUMN_ONE);
        taps->list[x].at *= (uint32_t)from->channels;
    }
}

/* The two rows of a tap and the share of the second. */
struct rows {
    const uint8_t *upper, *lower;
    uint32_t share;
};

static struct rows rows_at(const vd_plane *from, int y, int height, int one)
{
    struct tap tap = place(y, from->span_y, from->height, height, one);
    const uint8_t *upper = from->samples + (size_t)tap.at * (size_t)from->stride;
    return (struct rows){upper, from->height > 1 ? upper + from->stride : upper, tap.share};
}

/* One multiplication each: upper + (lower - upper) * share. In blend_bytes all of it is modulo 65,536, where
 * the sum itself fits. */
static void blend_bytes(const uint8_t *restrict upper, const uint8_t *restrict lower, uint32_t share,
                        size_t count, uint16_t *restrict sums)
{
    uint16_t part = (uint16_t)share;
    for (size_t i = 0; i < count; i++)
        sums[i] = (uint16_t)(upper[i] * ROW_ONE + (lower[i] - upper[i]) * part);
}

/* Sums of 1/64 and a share of 1/32,768: all of it fits 16 bits with a sign. */
static void blend_sums(const int16_t *restrict upper, const int16_t *restrict lower, int share, size_t count,
                       uint8_t *restrict to)
{
    const int16_t part = (int16_t)share;
    for (size_t i = 0; i < count; i++) {
        int16_t step = (int16_t)((int16_t)(lower[i] - upper[i]) * part >> 16);
        to[i] = (uint8_t)((int16_t)(upper[i] + 2 * step + 32) >> 6);
    }
}

static inline void spread_sums(const uint16_t *restrict sums, const struct taps *taps, int channels,
                               uint8_t *restrict to)
{
    const uint32_t next = taps->next;
    for (int x = 0; x < taps->count; x++) {
        const uint16_t *first = sums + taps->list[x].at, *second = first + next;
        const int share = (int)taps->list[x].share;
        for (int c = 0; c < channels; c++)
            *to++ = (uint8_t)((first[c] * COLUMN_ONE + (second[c] - first[c]) * share + 262144) >> 19);
    }
}

static inline void spread_bytes(const uint8_t *restrict row, const struct taps *taps, int channels,
                                int16_t *restrict sums)
{
    const uint32_t next = taps->next;
    for (int x = 0; x < taps->count; x++) {
        const uint8_t *first = row + taps->list[x].at, *second = first + next;
        const int share = (int)taps->list[x].share;
        for (int c = 0; c < channels; c++)
            *sums++ = (int16_t)((first[c] * COLUMN_ONE + (second[c] - first[c]) * share + 16) >> 5);
    }
}

/* Constants for the number of channels let the compiler unroll. */
static void spread_sums_any(const uint16_t *sums, const struct taps *taps, uint8_t *to)
{
    if (taps->channels == 1)
        spread_sums(sums, taps, 1, to);
    else if (taps->channels == 4)
        spread_sums(sums, taps, 4, to);
    else
        spread_sums(sums, taps, taps->channels, to);
}

static void spread_bytes_any(const uint8_t *row, const struct taps *taps, int16_t *sums)
{
    if (taps->channels == 1)
        spread_bytes(row, taps, 1, sums);
    else if (taps->channels == 4)
        spread_bytes(row, taps, 4, sums);
    else
        spread_bytes(row, taps, taps->channels, sums);
}

static void scale_rows_first(const vd_plane *from, const struct taps *taps, int height, uint8_t *to,
                             int to_stride, uint16_t *sums)
{
    size_t count = (size_t)from->width * (size_t)from->channels;
    for (int y = 0; y < height; y++) {
        struct rows rows = rows_at(from, y, height, ROW_ONE);
        blend_bytes(rows.upper, rows.lower, rows.share, count, sums);
        spread_sums_any(sums, taps, to + (size_t)y * (size_t)to_stride);
    }
}

static void scale_columns_first(const vd_plane *from, const struct taps *taps, int height, uint8_t *to,
                                int to_stride, int16_t *sums)
{
    size_t count = (size_t)taps->count * (size_t)taps->channels;
    int16_t *spread[2] = {sums, sums + count};
    const uint8_t *spread_from[2] = {NULL, NULL};
    for (int y = 0; y < height; y++) {
        struct rows rows = rows_at(from, y, height, FINE_ROW_ONE);
        if (spread_from[1] == rows.upper) { /* one row further: what was the lower one is the upper one now */
            int16_t *reused = spread[0];
            spread[0] = spread[1];
            spread[1] = reused;
            spread_from[0] = rows.upper;
            spread_from[1] = NULL;
        }
        if (spread_from[0] != rows.upper)
            spread_bytes_any(rows.upper, taps, spread[0]);
        if (spread_from[1] != rows.lower)
            spread_bytes_any(rows.lower, taps, spread[1]);
        spread_from[0] = rows.upper;
        spread_from[1] = rows.lower;
        blend_sums(spread[0], spread[1], (int)rows.share, count, to + (size_t)y * (size_t)to_stride);
    }
}

void vd_linear_scale(const vd_plane *from, int width, int height, uint8_t *to, int to_stride, void *work)
{
    struct taps taps = {.list = work, .count = width, .channels = from->channels};
    taps.next = from->width > 1 ? (uint32_t)from->channels : 0;
    fill_taps(from, &taps);
    void *sums = taps.list + width;
    if (height < from->height)
        scale_rows_first(from, &taps, height, to, to_stride, sums);
    else
        scale_columns_first(from, &taps, height, to, to_stride, sums);
}
