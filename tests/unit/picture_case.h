/* PNG pictures written by tests: data in stored blocks, nothing is compressed. */
#ifndef TESTS_UNIT_PICTURE_CASE_H
#define TESTS_UNIT_PICTURE_CASE_H

#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "png_bytes.h"

struct bytes {
    uint8_t *at;
    size_t size, room;
};

static inline void put(struct bytes *bytes, const void *from, size_t size)
{
    if (bytes->size + size > bytes->room) {
        bytes->room = 2 * (bytes->size + size) + 1024;
        bytes->at = realloc(bytes->at, bytes->room);
        ck_assert_ptr_nonnull(bytes->at);
    }
    if (size > 0)
        memcpy(bytes->at + bytes->size, from, size);
    bytes->size += size;
}

static inline void put_be32(struct bytes *bytes, uint32_t value)
{
    uint8_t four[4];
    png_write_be32(four, value);
    put(bytes, four, sizeof four);
}

static inline void put_chunk(struct bytes *bytes, const char *name, const void *content, size_t size)
{
    put_be32(bytes, (uint32_t)size);
    size_t begin = bytes->size;
    put(bytes, name, 4);
    put(bytes, content, size);
    put_be32(bytes, png_crc(bytes->at + begin, bytes->size - begin));
}

static inline struct bytes deflate_stored(const uint8_t *from, size_t size)
{
    struct bytes out = {0};
    uint32_t a = 1, b = 0;
    put(&out, "\x78\x01", 2);
    for (size_t i = 0; i < size; i++) {
        a = (a + from[i]) % 65521;
        b = (b + a) % 65521;
    }
    for (size_t done = 0; done < size;) {
        size_t part = size - done < 65535 ? size - done : 65535;
        const uint8_t head[] = {done + part == size, (uint8_t)part, (uint8_t)(part >> 8), (uint8_t)~part,
                                (uint8_t)(~part >> 8)};
        put(&out, head, 5);
        put(&out, from + done, part);
        done += part;
    }
    put_be32(&out, b << 16 | a);
    return out;
}

static inline void begin_png(struct bytes *png, uint32_t width, uint32_t height, int depth, int kind)
{
    struct bytes header = {0};
    const uint8_t rest[] = {(uint8_t)depth, (uint8_t)kind, 0, 0, 0};
    put_be32(&header, width);
    put_be32(&header, height);
    put(&header, rest, sizeof rest);
    put(png, "\x89PNG\r\n\x1a\n", 8);
    put_chunk(png, "IHDR", header.at, header.size);
    free(header.at);
}

/* A whole grey picture, `pixels` row by row. */
static inline struct bytes make_grey_png(const uint8_t *pixels, int width, int height)
{
    struct bytes raw = {0}, png = {0};
    for (int y = 0; y < height; y++) {
        put(&raw, "", 1);
        put(&raw, pixels + (size_t)y * (size_t)width, (size_t)width);
    }
    struct bytes data = deflate_stored(raw.at, raw.size);
    begin_png(&png, (uint32_t)width, (uint32_t)height, 8, 0);
    put_chunk(&png, "IDAT", data.at, data.size);
    put_chunk(&png, "IEND", NULL, 0);
    free(raw.at);
    free(data.at);
    return png;
}

#endif
