/* Pictures that carry their number, and clips of them, for tests of sources and of the encoder. */
#ifndef TESTS_UNIT_MEDIA_CLIP_H
#define TESTS_UNIT_MEDIA_CLIP_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "frame/frame.h"
#include "vedette/app/encoder.h"
#include "vedette/source.h"

enum { CLIP_BITS = 12, CLIP_CELL = 16, CLIP_WIDTH = CLIP_BITS * CLIP_CELL, CLIP_HEIGHT = 96 };

/* A folder of this test's own; left behind when the test fails. */
static inline const char *clip_folder(void)
{
    static char folder[64];
    if (folder[0] == '\0') {
        snprintf(folder, sizeof folder, "/tmp/vedette-test-XXXXXX");
        if (!mkdtemp(folder))
            abort();
    }
    return folder;
}

static inline void clip_path(char *out, size_t size, const char *name)
{
    snprintf(out, size, "%s/%s", clip_folder(), name);
}

static inline void clip_remove_folder(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", clip_folder());
    if (system(command) != 0)
        fprintf(stderr, "%s failed\n", command);
}

/* A BGRX picture on the heap, all black. */
static inline vd_image clip_new_image(int width, int height)
{
    return (vd_image){.format = VD_PIXEL_BGRX,
                      .width = width,
                      .height = height,
                      .planes = {calloc((size_t)width * (size_t)height, 4)},
                      .strides = {4 * width}};
}

/* The number in white and black cells along the top, and a bar that moves below. */
static inline void clip_draw(const vd_image *image, int number)
{
    for (int y = 0; y < image->height; y++) {
        uint8_t *row = image->planes[0] + (size_t)y * (size_t)image->strides[0];
        for (int x = 0; x < image->width; x++) {
            int bit = x / CLIP_CELL;
            int value = y < CLIP_CELL * 2 ? (bit < CLIP_BITS && (number >> bit & 1) ? 255 : 0)
                                          : ((x + 3 * number) / 24 % 2 ? 160 : 60);
            memset(row + 4 * x, value, 4);
        }
    }
}

/* The number that a picture carries. */
static inline int clip_number(const vd_image *image)
{
    int number = 0, step = image->format == VD_PIXEL_BGRX ? 4 : 1;
    for (int bit = 0; bit < CLIP_BITS; bit++) {
        int x = bit * CLIP_CELL + CLIP_CELL / 2;
        number |= (image->planes[0][CLIP_CELL * image->strides[0] + x * step] > 128) << bit;
    }
    return number;
}

/* Writes `count` numbered pictures, number i shown from time_of(i). Returns the encoder's code. */
static inline int clip_write(const char *path, int count, int64_t (*time_of)(int))
{
    vd_encoder_options options = VD_ENCODER_OPTIONS_INIT;
    options.width = CLIP_WIDTH;
    options.height = CLIP_HEIGHT;
    vd_encoder *encoder = NULL;
    int code = vd_encoder_open(path, &options, &encoder, NULL);
    vd_image image = clip_new_image(CLIP_WIDTH, CLIP_HEIGHT);
    for (int i = 0; i < count && code == VD_OK; i++) {
        clip_draw(&image, i);
        code = vd_encoder_write(encoder, &image, time_of(i), NULL);
    }
    free(image.planes[0]);
    int closed = vd_encoder_close(&encoder, NULL);
    return code ? code : closed;
}

static inline int64_t clip_steady(int i) /* 25 a second */
{
    return i * 40 * VD_NS_PER_MS;
}

static inline int64_t clip_uneven(int i) /* 25, then 4, then 12.5 a second */
{
    if (i < 25)
        return clip_steady(i);
    return clip_steady(25) + (i < 35 ? (i - 25) * 250 : 2500 + (i - 35) * 80) * VD_NS_PER_MS;
}

#endif
