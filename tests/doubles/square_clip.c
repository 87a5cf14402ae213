/* The index stands in the top tenth of the picture: a row of 16 cells, the highest bit at the left, white for
 * one, and below it the same row inverted, so that a picture without an index is told from one with it. */
#include "doubles/square_clip.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include "vedette/app/encoder.h"

enum { BITS = 16, ROWS = 2, ROWS_IN_HEIGHT = 20 };

vd_box square_clip_box(const square_clip *clip, int64_t index)
{
    double share = (double)index / (clip->frames - 1);
    double side = round(clip->height * 0.2), top = clip->height * 0.25, margin = round(clip->width * 0.05);
    double x = margin + share * (clip->width - 2 * margin - side);
    double y = top + share * (clip->height * 0.95 - top - side);
    return (vd_box){(float)x, (float)y, (float)(x + side), (float)(y + side)};
}

static int clamp_byte(double value)
{
    return value < 0 ? 0 : value > 255 ? 255 : (int)lround(value);
}

/* How much of the pixel from `at` to `at` + 1 lies between two edges. */
static double overlap(double at, double from, double to)
{
    double share = fmin(at + 1, to) - fmax(at, from);
    return share > 0 ? share : 0;
}

static bool cell_is_white(const square_clip *clip, int64_t index, int x, int y)
{
    int cell = x * BITS / clip->width, row = y * ROWS_IN_HEIGHT / clip->height;
    bool bit = index >> (BITS - 1 - cell) & 1;
    return row == 0 ? bit : !bit;
}

int square_clip_render(const square_clip *clip, int64_t index, const vd_image *image)
{
    if (image->format != VD_PIXEL_BGRX || image->width != clip->width || image->height != clip->height ||
        index < 0 || index >= clip->frames || index >> BITS != 0)
        return VD_EINVAL;
    vd_box box = square_clip_box(clip, index);
    for (int y = 0; y < image->height; y++) {
        uint8_t *pixel = image->planes[0] + (ptrdiff_t)y * image->strides[0];
        for (int x = 0; x < image->width; x++, pixel += 4) {
            double ground = 70 + 40.0 * y / image->height;
            double cover = overlap(x, box.x1, box.x2) * overlap(y, box.y1, box.y2);
            if (y * ROWS_IN_HEIGHT / image->height < ROWS)
                ground = cell_is_white(clip, index, x, y) ? 255 : 0;
            pixel[0] = (uint8_t)clamp_byte(ground + cover * (235 - ground));
            pixel[1] = (uint8_t)clamp_byte(ground + cover * (240 - ground));
            pixel[2] = (uint8_t)clamp_byte(ground + cover * (250 - ground));
            pixel[3] = 255;
        }
    }
    return VD_OK;
}

static int write_frames(const square_clip *clip, const vd_image *image, vd_encoder *encoder, vd_error *error)
{
    for (int i = 0; i < clip->frames; i++) {
        int rc = square_clip_render(clip, i, image);
        if (rc != VD_OK)
            return vd_error_set(error, rc, NULL, "Frame %d of the clip cannot be drawn.", i);
        rc = vd_encoder_write(encoder, image, (int64_t)llround(i * 1e9 / clip->frames_per_s), error);
        if (rc != VD_OK)
            return rc;
    }
    return VD_OK;
}

int square_clip_write(const square_clip *clip, const char *path, vd_error *error)
{
    vd_encoder_options options = VD_ENCODER_OPTIONS_INIT;
    options.width = clip->width;
    options.height = clip->height;
    options.frames_per_s = clip->frames_per_s;
    vd_image image = {
        .format = VD_PIXEL_BGRX, .width = clip->width, .height = clip->height, .strides = {4 * clip->width}};
    image.planes[0] = malloc((size_t)image.strides[0] * (size_t)clip->height);
    vd_encoder *encoder = NULL;
    int rc = image.planes[0] ? vd_encoder_open(path, &options, &encoder, error)
                             : vd_error_set(error, VD_ENOMEM, path, "There is no memory for a picture.");
    if (rc == VD_OK) {
        rc = write_frames(clip, &image, encoder, error);
        int closed = vd_encoder_close(&encoder, rc == VD_OK ? error : NULL);
        rc = rc == VD_OK ? closed : rc;
    }
    free(image.planes[0]);
    return rc;
}

/* Brightness of one pixel; what is coloured does not matter here. */
static int brightness(const vd_image *image, int x, int y)
{
    const uint8_t *row = image->planes[0] + (ptrdiff_t)y * image->strides[0];
    switch (image->format) {
    case VD_PIXEL_BGRX:
        return row[4 * x + 1];
    case VD_PIXEL_BGR:
    case VD_PIXEL_RGB:
        return row[3 * x + 1];
    default:
        return row[x];
    }
}

/* The mean of the middle of a cell: 1 white, 0 black, -1 neither. */
static int read_cell(const vd_image *image, int cell, int row)
{
    double x = (cell + 0.5) * image->width / BITS, y = (row + 0.5) * image->height / ROWS_IN_HEIGHT;
    double half_x = image->width / (double)BITS / 5, half_y = image->height / (double)ROWS_IN_HEIGHT / 5;
    int sum = 0, count = 0;
    for (int j = (int)(y - half_y); j <= (int)(y + half_y); j++) {
        for (int i = (int)(x - half_x); i <= (int)(x + half_x); i++, count++)
            sum += brightness(image, i, j);
    }
    int mean = sum / count;
    return mean > 150 ? 1 : mean < 100 ? 0 : -1;
}

int64_t square_clip_read_index(const vd_image *image)
{
    if (vd_image_validate(image, NULL) != VD_OK || image->width < 64 || image->height < 48)
        return -1;
    int64_t index = 0;
    for (int cell = 0; cell < BITS; cell++) {
        int bit = read_cell(image, cell, 0), inverse = read_cell(image, cell, 1);
        if (bit < 0 || inverse < 0 || bit == inverse)
            return -1;
        index = index << 1 | bit;
    }
    return index;
}
