#include "frame/convert.h"

#include <stdbool.h>
#include <stdlib.h>

#include <libyuv.h>

#include "frame/linear.h"

enum { ALIGNMENT = 64 };

void vd_scratch_fini(vd_scratch *scratch)
{
    free(scratch->memory);
    *scratch = (vd_scratch){0};
}

uint8_t *vd_scratch_ensure(vd_scratch *scratch, size_t size)
{
    if (scratch->size >= size)
        return scratch->memory;
    vd_scratch_fini(scratch);
    size_t rounded = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    scratch->memory = aligned_alloc(ALIGNMENT, rounded);
    if (scratch->memory)
        scratch->size = rounded;
    return scratch->memory;
}

static int aligned_row(int bytes)
{
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static const struct YuvConstants *stock_constants(vd_yuv_color color)
{
    switch (color) {
    case VD_YUV_601_FULL:
        return &kYuvJPEGConstants;
    case VD_YUV_709_LIMITED:
        return &kYuvH709Constants;
    case VD_YUV_709_FULL:
        return &kYuvF709Constants;
    case VD_YUV_2020_LIMITED:
        return &kYuv2020Constants;
    case VD_YUV_2020_FULL:
        return &kYuvV2020Constants;
    case VD_YUV_601_LIMITED:
        break;
    }
    return &kYuvI601Constants;
}

/* libyuv's constants, with the share of U in blue as the recommendations have it: its own tables stop at
 * 128/64, which takes up to 13 levels from blue in limited range. */
static struct YuvConstants yuv_constants(vd_yuv_color color)
{
    struct YuvConstants constants = *stock_constants(color);
#ifdef __x86_64__
    int blue = color == VD_YUV_601_LIMITED    ? 129
               : color == VD_YUV_709_LIMITED  ? 135
               : color == VD_YUV_2020_LIMITED ? 137
                                              : constants.kUVToB[0];
    for (size_t i = 0; i < sizeof constants.kUVToB; i += 2)
        constants.kUVToB[i] = (uint8_t)blue;
#endif
    return constants;
}

static int result_of(int libyuv_code)
{
    return libyuv_code == 0 ? VD_OK : VD_EINVAL;
}

static int convert_i420(const vd_image *source, const vd_image *target)
{
    _Alignas(32) const struct YuvConstants constants = yuv_constants(source->color);
    return result_of(I420ToARGBMatrixFilter(source->planes[0], source->strides[0], source->planes[1],
                                            source->strides[1], source->planes[2], source->strides[2],
                                            target->planes[0], target->strides[0], &constants, source->width,
                                            source->height, kFilterBilinear));
}

/* To BGRX of the same size. */
static int convert(const vd_image *source, const vd_image *target)
{
    const uint8_t *from = source->planes[0];
    int stride = source->strides[0], to_stride = target->strides[0];
    uint8_t *to = target->planes[0];
    _Alignas(32) const struct YuvConstants constants = yuv_constants(source->color);
    switch (source->format) {
    case VD_PIXEL_BGRX:
        return result_of(ARGBCopy(from, stride, to, to_stride, source->width, source->height));
    case VD_PIXEL_BGR:
        return result_of(RGB24ToARGB(from, stride, to, to_stride, source->width, source->height));
    case VD_PIXEL_RGB:
        return result_of(RAWToARGB(from, stride, to, to_stride, source->width, source->height));
    case VD_PIXEL_GREY:
        return result_of(J400ToARGB(from, stride, to, to_stride, source->width, source->height));
    case VD_PIXEL_NV12:
        return result_of(NV12ToARGBMatrix(from, stride, source->planes[1], source->strides[1], to, to_stride,
                                          &constants, source->width, source->height));
    case VD_PIXEL_I420:
        return convert_i420(source, target);
    case VD_PIXEL_NONE:
        break;
    }
    return VD_EINVAL;
}

static bool is_yuv(vd_pixel_format format)
{
    return format == VD_PIXEL_I420 || format == VD_PIXEL_NV12;
}

static vd_plane plane_of(const vd_image *image, int plane)
{
    int half = plane ? 2 : 1, channels = 1;
    if (image->format == VD_PIXEL_BGRX)
        channels = 4;
    else if (image->format == VD_PIXEL_BGR || image->format == VD_PIXEL_RGB)
        channels = 3;
    else if (image->format == VD_PIXEL_NV12 && plane)
        channels = 2;
    return (vd_plane){.samples = image->planes[plane],
                      .stride = image->strides[plane],
                      .width = (image->width + half - 1) / half,
                      .height = (image->height + half - 1) / half,
                      .channels = channels,
                      .span_x = (double)image->width / half,
                      .span_y = (double)image->height / half};
}

/* Bytes of scratch for scaling with two taps: three planes of the target's size, for NV12 one of pairs, and
 * the working memory behind them. */
size_t vd_convert_scale_bytes(const vd_image *source, int width, int height)
{
    vd_plane plane = plane_of(source, is_yuv(source->format) ? 1 : 0);
    plane.width = source->width;
    size_t planes = source->format == VD_PIXEL_BGRX ? 0 : 5;
    return planes * (size_t)aligned_row(width) * (size_t)height + vd_linear_work_bytes(&plane, width);
}

static void scale_plane(const vd_image *source, int plane, const vd_image *target, void *work)
{
    vd_plane from = plane_of(source, plane),
             to = plane_of(target, target->format == VD_PIXEL_I420 ? plane : 0);
    vd_linear_scale(&from, to.width, to.height, target->planes[plane], target->strides[plane], work);
}

/* Brightness and colour are scaled to the target's size apart, then joined: no full-size copy in between. */
static int scale_yuv(const vd_image *source, uint8_t *memory, const vd_image *target)
{
    _Alignas(32) const struct YuvConstants constants = yuv_constants(source->color);
    int stride = aligned_row(target->width);
    size_t bytes = (size_t)stride * (size_t)target->height;
    vd_image scaled = {.format = VD_PIXEL_GREY, .width = target->width, .height = target->height};
    for (int p = 0; p < 3; p++) {
        scaled.planes[p] = memory + (size_t)p * bytes;
        scaled.strides[p] = stride;
    }
    void *work = memory + 5 * bytes;
    scale_plane(source, 0, &scaled, work);
    if (source->format == VD_PIXEL_I420) {
        scale_plane(source, 1, &scaled, work);
        scale_plane(source, 2, &scaled, work);
    } else {
        vd_plane pairs = plane_of(source, 1);
        uint8_t *joined = memory + 3 * bytes;
        vd_linear_scale(&pairs, target->width, target->height, joined, 2 * stride, work);
        SplitUVPlane(joined, 2 * stride, scaled.planes[1], stride, scaled.planes[2], stride, target->width,
                     target->height);
    }
    return result_of(I444ToARGBMatrix(scaled.planes[0], stride, scaled.planes[1], stride, scaled.planes[2],
                                      stride, target->planes[0], target->strides[0], &constants,
                                      target->width, target->height));
}

/* For eyes half of the colour's samples are enough. */
static int enlarge_i420(const vd_image *source, uint8_t *memory, const vd_image *target)
{
    int stride = aligned_row(target->width);
    size_t bytes = (size_t)stride * (size_t)target->height;
    vd_image scaled = {.format = VD_PIXEL_I420, .color = source->color, .width = target->width};
    scaled.height = target->height;
    for (int p = 0; p < 3; p++) {
        scaled.planes[p] = memory + (size_t)p * bytes;
        scaled.strides[p] = stride;
        scale_plane(source, p, &scaled, memory + 5 * bytes);
    }
    return convert_i420(&scaled, target);
}

static int scale_linear(const vd_image *source, vd_filter filter, vd_scratch *scratch, const vd_image *target)
{
    uint8_t *memory =
        vd_scratch_ensure(scratch, vd_convert_scale_bytes(source, target->width, target->height));
    if (!memory)
        return VD_ENOMEM;
    if (source->format == VD_PIXEL_I420 && filter == VD_FILTER_GOOD)
        return enlarge_i420(source, memory, target);
    if (is_yuv(source->format))
        return scale_yuv(source, memory, target);
    if (source->format == VD_PIXEL_BGRX) {
        scale_plane(source, 0, target, memory);
        return VD_OK;
    }
    vd_image scaled = *source;
    scaled.width = target->width;
    scaled.height = target->height;
    scaled.planes[0] = memory;
    scaled.strides[0] = 3 * aligned_row(target->width);
    vd_plane from = plane_of(source, 0);
    vd_linear_scale(&from, target->width, target->height, memory, scaled.strides[0],
                    memory + 5 * (size_t)aligned_row(target->width) * (size_t)target->height);
    return convert(&scaled, target);
}

static int shrink_i420(const vd_image *source, vd_scratch *scratch, const vd_image *target)
{
    _Alignas(32) const struct YuvConstants constants = yuv_constants(source->color);
    int stride = aligned_row(target->width);
    size_t bytes = (size_t)stride * (size_t)target->height;
    uint8_t *planes = vd_scratch_ensure(scratch, 3 * bytes);
    if (!planes)
        return VD_ENOMEM;
    for (int p = 0; p < 3; p++) {
        vd_plane from = plane_of(source, p);
        ScalePlane(from.samples, from.stride, from.width, from.height, planes + (size_t)p * bytes, stride,
                   target->width, target->height, kFilterBox);
    }
    return result_of(I444ToARGBMatrix(planes, stride, planes + bytes, stride, planes + 2 * bytes, stride,
                                      target->planes[0], target->strides[0], &constants, target->width,
                                      target->height));
}

/* The other formats go through a full-size BGRX copy. */
static int shrink_packed(const vd_image *source, vd_scratch *scratch, const vd_image *target)
{
    vd_image full = *source;
    if (source->format != VD_PIXEL_BGRX) {
        full = (vd_image){.format = VD_PIXEL_BGRX, .width = source->width, .height = source->height};
        full.strides[0] = aligned_row(4 * source->width);
        full.planes[0] = vd_scratch_ensure(scratch, (size_t)full.strides[0] * (size_t)full.height);
        if (!full.planes[0])
            return VD_ENOMEM;
        int code = convert(source, &full);
        if (code)
            return code;
    }
    return result_of(ARGBScale(full.planes[0], full.strides[0], full.width, full.height, target->planes[0],
                               target->strides[0], target->width, target->height, kFilterBox));
}

/* libyuv's box filter divides by a share of 65,536, which is too coarse for boxes of more pixels than these.
 */
enum { MOST_BOX = 400 };

static bool wants_box(const vd_image *source, const vd_image *target)
{
    int64_t area = (int64_t)source->width * source->height, to = (int64_t)target->width * target->height;
    return source->width >= target->width && source->height >= target->height && area <= MOST_BOX * to;
}

int vd_convert_scale(const vd_image *source, vd_filter filter, vd_scratch *scratch, const vd_image *target)
{
    if (vd_image_validate(source, NULL) || vd_image_validate(target, NULL) || target->format != VD_PIXEL_BGRX)
        return VD_EINVAL;
    if (source->width == target->width && source->height == target->height)
        return convert(source, target);
    if (filter == VD_FILTER_LINEAR || !wants_box(source, target))
        return scale_linear(source, filter, scratch, target);
    return source->format == VD_PIXEL_I420 ? shrink_i420(source, scratch, target)
                                           : shrink_packed(source, scratch, target);
}

int vd_convert_to_i420(const vd_image *source, const vd_image *target)
{
    if (vd_image_validate(source, NULL) || vd_image_validate(target, NULL) ||
        source->format != VD_PIXEL_BGRX || target->format != VD_PIXEL_I420 ||
        source->width != target->width || source->height != target->height)
        return VD_EINVAL;
    return result_of(ARGBToI420(source->planes[0], source->strides[0], target->planes[0], target->strides[0],
                                target->planes[1], target->strides[1], target->planes[2], target->strides[2],
                                source->width, source->height));
}

int vd_convert_rotate(const vd_image *source, int degrees, const vd_image *target)
{
    enum RotationMode mode = degrees == 90    ? kRotate90
                             : degrees == 180 ? kRotate180
                             : degrees == 270 ? kRotate270
                                              : kRotate0;
    int turned = degrees == 90 || degrees == 270;
    if (vd_image_validate(source, NULL) || vd_image_validate(target, NULL) || degrees % 90 || degrees < 0 ||
        degrees > 270)
        return VD_EINVAL;
    if (source->format != target->format || target->width != (turned ? source->height : source->width) ||
        target->height != (turned ? source->width : source->height))
        return VD_EINVAL;
    if (source->format == VD_PIXEL_BGRX)
        return result_of(ARGBRotate(source->planes[0], source->strides[0], target->planes[0],
                                    target->strides[0], source->width, source->height, mode));
    if (source->format != VD_PIXEL_I420)
        return VD_EINVAL;
    return result_of(I420Rotate(source->planes[0], source->strides[0], source->planes[1], source->strides[1],
                                source->planes[2], source->strides[2], target->planes[0], target->strides[0],
                                target->planes[1], target->strides[1], target->planes[2], target->strides[2],
                                source->width, source->height, mode));
}
