#include "media/av_convert.h"

#include <string.h>

#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>

/* The name without the range, which is told apart. */
static enum AVPixelFormat without_range(enum AVPixelFormat format)
{
    switch (format) {
    case AV_PIX_FMT_YUVJ420P:
        return AV_PIX_FMT_YUV420P;
    case AV_PIX_FMT_YUVJ422P:
        return AV_PIX_FMT_YUV422P;
    case AV_PIX_FMT_YUVJ444P:
        return AV_PIX_FMT_YUV444P;
    case AV_PIX_FMT_YUVJ440P:
        return AV_PIX_FMT_YUV440P;
    case AV_PIX_FMT_YUVJ411P:
        return AV_PIX_FMT_YUV411P;
    default:
        return format;
    }
}

static bool is_rgb(enum AVPixelFormat format)
{
    const AVPixFmtDescriptor *description = av_pix_fmt_desc_get(format);
    return description && (description->flags & (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL));
}

static bool is_grey(enum AVPixelFormat format)
{
    const AVPixFmtDescriptor *description = av_pix_fmt_desc_get(format);
    return description && description->nb_components <= 2 && !is_rgb(format);
}

static bool is_full_range(const AVFrame *frame, vd_av_picture_kind kind)
{
    if (frame->color_range != AVCOL_RANGE_UNSPECIFIED)
        return frame->color_range == AVCOL_RANGE_JPEG;
    if (without_range(frame->format) != (enum AVPixelFormat)frame->format)
        return true;
    /* Grey PNG, TIFF or JPEG says nothing and means 0 to 255; grey video means what video always means. */
    return is_grey(frame->format) && kind == VD_AV_STILL;
}

vd_yuv_color vd_av_color_of(const AVFrame *frame, vd_av_picture_kind kind)
{
    vd_yuv_color limited = frame->height < 720 ? VD_YUV_601_LIMITED : VD_YUV_709_LIMITED;
    switch (frame->colorspace) {
    case AVCOL_SPC_BT709:
    case AVCOL_SPC_SMPTE240M:
        limited = VD_YUV_709_LIMITED;
        break;
    case AVCOL_SPC_BT470BG:
    case AVCOL_SPC_SMPTE170M:
    case AVCOL_SPC_FCC:
        limited = VD_YUV_601_LIMITED;
        break;
    case AVCOL_SPC_BT2020_NCL:
    case AVCOL_SPC_BT2020_CL:
        limited = VD_YUV_2020_LIMITED;
        break;
    default:
        if (kind != VD_AV_VIDEO)
            limited = VD_YUV_601_LIMITED; /* still pictures of every size */
        break;
    }
    return is_full_range(frame, kind) ? limited + 1 : limited;
}

vd_pixel_format vd_av_target_of(const AVFrame *frame)
{
    return is_rgb(frame->format) ? VD_PIXEL_BGRX : VD_PIXEL_I420;
}

void vd_av_converter_fini(vd_av_converter *converter)
{
    sws_freeContext(converter->sws);
    *converter = (vd_av_converter){0};
}

static int prepare_sws(vd_av_converter *converter, const AVFrame *frame, int range, enum AVPixelFormat target)
{
    enum AVPixelFormat format = without_range(frame->format);
    if (converter->sws && converter->made_for.format == format && converter->made_for.width == frame->width &&
        converter->made_for.height == frame->height && converter->made_for.target == target &&
        converter->made_for.range == range)
        return VD_OK;
    sws_freeContext(converter->sws);
    converter->sws = sws_getContext(frame->width, frame->height, format, frame->width, frame->height, target,
                                    SWS_BILINEAR | SWS_ACCURATE_RND, NULL, NULL, NULL);
    if (!converter->sws)
        return VD_EUNSUPPORTED;
    const int *matrix = sws_getCoefficients(SWS_CS_DEFAULT);
    sws_setColorspaceDetails(converter->sws, matrix, range, matrix, range, 0, 1 << 16, 1 << 16);
    converter->made_for.format = format;
    converter->made_for.width = frame->width;
    converter->made_for.height = frame->height;
    converter->made_for.target = target;
    converter->made_for.range = range;
    return VD_OK;
}

static void copy_planes(const AVFrame *frame, uint8_t *const data[4], const int strides[4],
                        const vd_image *target)
{
    int half_width = (target->width + 1) / 2, half_height = (target->height + 1) / 2;
    av_image_copy_plane(target->planes[0], target->strides[0], data[0], strides[0], target->width,
                        target->height);
    for (int i = 1; i < 3; i++) {
        if (frame->format == AV_PIX_FMT_GRAY8)
            memset(target->planes[i], 128, (size_t)target->strides[i] * (size_t)half_height);
        else
            av_image_copy_plane(target->planes[i], target->strides[i], data[i], strides[i], half_width,
                                half_height);
    }
}

int vd_av_convert(vd_av_converter *converter, const AVFrame *frame, vd_av_picture_kind kind, bool mirrored,
                  const vd_image *target)
{
    uint8_t *data[4];
    int strides[4];
    const AVPixFmtDescriptor *description = av_pix_fmt_desc_get(frame->format);
    for (int i = 0; i < 4; i++) {
        data[i] = frame->data[i];
        strides[i] = frame->linesize[i];
        if (!mirrored || !data[i] || (i > 0 && (description->flags & AV_PIX_FMT_FLAG_PAL)))
            continue;
        int shift = i == 1 || i == 2 ? description->log2_chroma_h : 0;
        data[i] += (ptrdiff_t)(AV_CEIL_RSHIFT(frame->height, shift) - 1) * strides[i];
        strides[i] = -strides[i];
    }
    enum AVPixelFormat format = without_range(frame->format);
    if (format == AV_PIX_FMT_YUV420P || format == AV_PIX_FMT_YUVA420P || format == AV_PIX_FMT_GRAY8) {
        copy_planes(frame, data, strides, target);
        return VD_OK;
    }
    bool rgb = target->format == VD_PIXEL_BGRX;
    bool is_full = is_full_range(frame, kind);
    /* Of grey with transparency swscale believes the range only where the format's name says it. */
    enum AVPixelFormat yuv = is_full && is_grey(frame->format) ? AV_PIX_FMT_YUVJ420P : AV_PIX_FMT_YUV420P;
    int code = prepare_sws(converter, frame, is_full, rgb ? AV_PIX_FMT_BGR0 : yuv);
    if (code)
        return code;
    uint8_t *planes[4] = {target->planes[0], target->planes[1], target->planes[2], NULL};
    int target_strides[4] = {target->strides[0], target->strides[1], target->strides[2], 0};
    sws_scale(converter->sws, (const uint8_t *const *)data, strides, 0, frame->height, planes,
              target_strides);
    return VD_OK;
}
