/* What a PNG file is made of, for those that write one and those that put one right. */
#ifndef TESTS_PNG_BYTES_H
#define TESTS_PNG_BYTES_H

#include <stddef.h>
#include <stdint.h>

static inline void png_write_be32(uint8_t at[4], uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (24 - 8 * i));
}

static inline uint32_t png_read_be32(const uint8_t at[4])
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* The check sum of a chunk's name and content. */
static inline uint32_t png_crc(const uint8_t *from, size_t size)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < size; i++) {
        crc ^= from[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc;
}

#endif
