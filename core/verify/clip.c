#include "verify/clip.h"

#include <math.h>
#include <string.h>

#include "frame/frame.h"
#include "verify/crop.h"

int vd_clip_validate(const vd_verify_clip *clip, vd_error *error)
{
    if (clip->count < 1 || clip->count > VD_CLIP_MOST)
        return vd_error_set(error, VD_EINVAL, "clip", "A clip has %zu frames; it must have 1 to %d.",
                            clip->count, (int)VD_CLIP_MOST);
    for (size_t i = 0; i < clip->count; i++) {
        if (!clip->frames[i])
            return vd_error_set(error, VD_EINVAL, "clip", "Frame %zu of the clip is missing.", i);
        if (!isfinite(clip->times_s[i]) || (i > 0 && clip->times_s[i] < clip->times_s[i - 1]))
            return vd_error_set(error, VD_EINVAL, "clip", "The times of the clip's frames do not rise.");
    }
    return VD_OK;
}

float vd_clip_simple_score(const vd_verify_clip *clip)
{
    size_t best = 0;
    double sum = 0;
    for (size_t i = 0; i < clip->count; i++) {
        size_t alike = 0;
        double scores = 0;
        for (size_t k = 0; k < clip->count && clip->labels[i] >= 0; k++)
            if (clip->labels[k] == clip->labels[i]) {
                alike++;
                scores += isfinite(clip->scores[k]) ? (double)clip->scores[k] : 0;
            }
        if (alike > best || (alike == best && scores > sum)) {
            best = alike;
            sum = scores;
        }
    }
    /* share × mean = (best / count) × (sum / best) */
    return clip->count ? (float)fmin(fmax(sum / (double)clip->count, 0), 1) : 0;
}

/* A frame as crops are taken from it, and its size against the frame's. */
static int reduce(const vd_image *image, vd_scratch *scratch, vd_image *ret_picture)
{
    int width, height;
    vd_crop_frame_size(image->width, image->height, &width, &height);
    bool is_rgb =
        image->format == VD_PIXEL_BGRX || image->format == VD_PIXEL_BGR || image->format == VD_PIXEL_RGB;
    if (is_rgb && width == image->width && height == image->height) {
        *ret_picture = *image;
        return VD_OK;
    }
    uint8_t *memory = vd_scratch_ensure(&scratch[0], (size_t)width * (size_t)height * 4);
    if (!memory)
        return VD_ENOMEM;
    *ret_picture = (vd_image){.format = VD_PIXEL_BGRX,
                              .width = width,
                              .height = height,
                              .planes = {memory},
                              .strides = {width * 4}};
    return vd_convert_scale(image, VD_FILTER_LINEAR, &scratch[1], ret_picture);
}

/* The boxes in pixels of the reduced frames, smoothed along the track. */
static int find_path(const vd_verify_clip *clip, vd_box ret_boxes[VD_CLIP_MOST])
{
    vd_crop_seen seen[VD_CLIP_MOST];
    for (size_t i = 0; i < clip->count; i++) {
        const vd_image *image = &clip->frames[i]->image;
        int width, height;
        vd_crop_frame_size(image->width, image->height, &width, &height);
        float x = (float)width / (float)image->width, y = (float)height / (float)image->height;
        const vd_box *box = &clip->boxes[i];
        seen[i] = (vd_crop_seen){clip->times_s[i], {box->x1 * x, box->y1 * y, box->x2 * x, box->y2 * y}};
    }
    return vd_crop_path(seen, clip->count, clip->times_s, clip->count, ret_boxes);
}

/* A square picture as one of another shape. */
static int stretch(const uint8_t *square, int side, const vd_verify_options *options, vd_scratch *scratch,
                   uint8_t *ret_rgb)
{
    int width = options->input_width, height = options->input_height;
    size_t pixels = (size_t)width * (size_t)height;
    uint8_t *memory = vd_scratch_ensure(&scratch[0], pixels * 4);
    if (!memory)
        return VD_ENOMEM;
    const vd_image from = {.format = VD_PIXEL_RGB,
                           .width = side,
                           .height = side,
                           .planes = {(uint8_t *)square},
                           .strides = {side * 3}};
    const vd_image to = {.format = VD_PIXEL_BGRX,
                         .width = width,
                         .height = height,
                         .planes = {memory},
                         .strides = {width * 4}};
    int code = vd_convert_scale(&from, VD_FILTER_LINEAR, &scratch[1], &to);
    for (size_t i = 0; i < pixels && code == VD_OK; i++)
        for (int c = 0; c < 3; c++)
            ret_rgb[i * 3 + (size_t)c] = memory[i * 4 + (size_t)(2 - c)];
    return code;
}

static int take(const vd_image *frame, const vd_box *box, double side, const vd_verify_options *options,
                vd_scratch scratch[3], uint8_t *ret_rgb)
{
    vd_image picture;
    double x = ((double)box->x1 + box->x2) / 2, y = ((double)box->y1 + box->y2) / 2;
    int width = options->input_width, height = options->input_height, size = width > height ? width : height;
    int code = reduce(frame, scratch, &picture);
    if (code != VD_OK || width == height)
        return code == VD_OK ? vd_crop_take(&picture, x, y, side, size, ret_rgb) : code;
    uint8_t *square = vd_scratch_ensure(&scratch[2], (size_t)size * (size_t)size * 3);
    code = square ? vd_crop_take(&picture, x, y, side, size, square) : VD_ENOMEM;
    return code == VD_OK ? stretch(square, size, options, scratch, ret_rgb) : code;
}

int vd_clip_cut(const vd_verify_clip *clip, const vd_verify_options *options, vd_scratch scratch[3],
                uint8_t *ret_rgb, vd_error *error)
{
    vd_box boxes[VD_CLIP_MOST];
    size_t frames = (size_t)options->temporal_size, count = clip->count, before = SIZE_MAX;
    size_t bytes = (size_t)options->input_width * (size_t)options->input_height * 3;
    int code = find_path(clip, boxes);
    double side = code == VD_OK ? vd_crop_side(boxes, count) : 0;
    for (size_t i = 0; i < frames && code == VD_OK; i++) {
        size_t at = count > frames ? (i * (count - 1) + (frames - 1) / 2) / (frames - 1)
                    : i < count    ? i
                                   : count - 1;
        if (at == before)
            memcpy(ret_rgb + i * bytes, ret_rgb + (i - 1) * bytes, bytes);
        else
            code = take(&clip->frames[at]->image, &boxes[at], side, options, scratch, ret_rgb + i * bytes);
        before = at;
    }
    if (code == VD_OK)
        return VD_OK;
    return vd_error_set(error, code, NULL, "The event's pictures could not be cut out (%s).",
                        vd_code_name(code));
}
