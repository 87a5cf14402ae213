/* From libav's picture to a frame of the pool: planes are copied where the layout is ours already, swscale
 * does the rest. YUV stays YUV (its matrix and range travel with the picture), everything else becomes BGRX.
 */
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/display.h>
#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>

#include "base/clock.h"
#include "frame/convert.h"
#include "media/av_source.h"

/* A photograph may have a hundred megapixels, and nobody plays it. */
enum { FRAMES_OF_A_STILL = 4 };

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

static bool is_full_range(const vd_av_source *source, const AVFrame *frame)
{
    if (frame->color_range != AVCOL_RANGE_UNSPECIFIED)
        return frame->color_range == AVCOL_RANGE_JPEG;
    if (without_range(frame->format) != (enum AVPixelFormat)frame->format)
        return true;
    /* Grey PNG, TIFF or JPEG says nothing and means 0 to 255; grey video means what video always means. */
    return is_grey(frame->format) && source->info.is_image;
}

static vd_yuv_color color_of(const vd_av_source *source, const AVFrame *frame)
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
        if (source->info.is_image || source->decoder->codec_id == AV_CODEC_ID_MJPEG)
            limited = VD_YUV_601_LIMITED; /* still pictures of every size */
        break;
    }
    return is_full_range(source, frame) ? limited + 1 : limited;
}

/* Turning by the EXIF orientation, which this libav leaves among the picture's texts. */
static vd_av_turn turn_by_exif(const AVFrame *frame)
{
    static const vd_av_turn turns[9] = {
        [2] = {180, true}, [3] = {180, false}, [4] = {0, true},   [5] = {90, true},
        [6] = {90, false}, [7] = {270, true},  [8] = {270, false}};
    const AVDictionaryEntry *entry = av_dict_get(frame->metadata, "Orientation", NULL, 0);
    long value = entry ? strtol(entry->value, NULL, 10) : 0;
    return value >= 0 && value < 9 ? turns[value] : turns[0];
}

static vd_av_turn turn_by_matrix(const int32_t matrix[9])
{
    int32_t upright[9];
    memcpy(upright, matrix, sizeof upright);
    double a = matrix[0], b = matrix[1], c = matrix[3], d = matrix[4];
    vd_av_turn turn = {.mirrored = a * d - b * c < 0};
    if (turn.mirrored)
        upright[3] = -upright[3],
        upright[4] = -upright[4];                    /* undo the mirroring of rows, which comes first */
    double angle = av_display_rotation_get(upright); /* counter-clockwise */
    if (isnan(angle))
        return (vd_av_turn){0};
    turn.degrees = (((int)lround(-angle / 90) % 4) + 4) % 4 * 90;
    return turn;
}

static const int32_t *stream_matrix(const vd_av_source *source)
{
    const AVStream *stream = vd_av_stream(source);
#if LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(60, 31, 102)
    const AVPacketSideData *data = av_packet_side_data_get(
        stream->codecpar->coded_side_data, stream->codecpar->nb_coded_side_data, AV_PKT_DATA_DISPLAYMATRIX);
    return data && data->size >= 9 * sizeof(int32_t) ? (const int32_t *)data->data : NULL;
#else
    size_t size = 0;
    const uint8_t *data = av_stream_get_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, &size);
    return data && size >= 9 * sizeof(int32_t) ? (const int32_t *)data : NULL;
#endif
}

vd_av_turn vd_av_turn_of(const vd_av_source *source, const AVFrame *frame)
{
    const AVFrameSideData *data = av_frame_get_side_data(frame, AV_FRAME_DATA_DISPLAYMATRIX);
    if (data && data->size >= 9 * sizeof(int32_t))
        return turn_by_matrix((const int32_t *)data->data);
    const int32_t *matrix = stream_matrix(source);
    return matrix ? turn_by_matrix(matrix) : turn_by_exif(frame);
}

static vd_pixel_format target_format(const AVFrame *frame)
{
    return is_rgb(frame->format) ? VD_PIXEL_BGRX : VD_PIXEL_I420;
}

static bool is_sideways(vd_av_turn turn)
{
    return turn.degrees % 180 != 0;
}

int vd_av_prepare_pool(vd_av_source *source, const AVFrame *frame, vd_error *error)
{
    bool sideways = is_sideways(vd_av_turn_of(source, frame));
    int width = sideways ? frame->height : frame->width, height = sideways ? frame->width : frame->height;
    if (source->pool && vd_frame_pool_fits(source->pool, target_format(frame), width, height))
        return VD_OK;
    if (source->pool) {
        vd_frame_pool_stats old = vd_frame_pool_get_stats(source->pool);
        source->stats.pool_exhausted += old.exhausted;
        if (old.peak > source->stats.pool_peak)
            source->stats.pool_peak = old.peak;
        vd_frame_pool_free(&source->pool);
    }
    int count = source->options.pool_frames;
    if (source->info.is_image && count > FRAMES_OF_A_STILL)
        count = FRAMES_OF_A_STILL;
    int code = vd_frame_pool_new(target_format(frame), width, height, count, &source->pool);
    if (code)
        return vd_error_set(error, code, source->place,
                            "There is not enough memory for %d pictures of %d × %d pixels.", count, width,
                            height);
    return VD_OK;
}

static int take_frame(vd_av_source *source, vd_frame **ret_frame, vd_error *error)
{
    static const int64_t slice_ns = 100 * VD_NS_PER_MS;
    if (source->info.is_live)
        return vd_frame_pool_take(source->pool, ret_frame);
    for (;;) {
        if (vd_cancel_requested(source->cancel))
            return vd_av_refuse(source, AVERROR_EXIT, error);
        int code = vd_frame_pool_wait(source->pool, vd_clock_now_ns() + slice_ns, ret_frame);
        if (code != VD_ETIMEOUT)
            return code;
    }
}

/* Makes source->sws fit. */
static int prepare_sws(vd_av_source *source, const AVFrame *frame, enum AVPixelFormat target, vd_error *error)
{
    enum AVPixelFormat format = without_range(frame->format);
    int range = is_full_range(source, frame);
    if (source->sws && source->sws_for.format == format && source->sws_for.width == frame->width &&
        source->sws_for.height == frame->height && source->sws_for.target == target &&
        source->sws_for.range == range)
        return VD_OK;
    sws_freeContext(source->sws);
    source->sws = sws_getContext(frame->width, frame->height, format, frame->width, frame->height, target,
                                 SWS_BILINEAR | SWS_ACCURATE_RND, NULL, NULL, NULL);
    if (!source->sws) {
        const char *name = av_get_pix_fmt_name(frame->format);
        return vd_error_set(error, VD_EUNSUPPORTED, source->place,
                            "The pictures of '%s' have a pixel format (%s) that cannot be converted.",
                            source->info.name, name ? name : "unknown");
    }
    const int *matrix = sws_getCoefficients(SWS_CS_DEFAULT);
    sws_setColorspaceDetails(source->sws, matrix, range, matrix, range, 0, 1 << 16, 1 << 16);
    source->sws_for.format = format;
    source->sws_for.width = frame->width;
    source->sws_for.height = frame->height;
    source->sws_for.target = target;
    source->sws_for.range = range;
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

/* Writes the picture, upside down if asked, into `target`, which has its size. */
static int convert(vd_av_source *source, const AVFrame *frame, bool mirrored, const vd_image *target,
                   vd_error *error)
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
    int code = prepare_sws(source, frame, rgb ? AV_PIX_FMT_BGR0 : AV_PIX_FMT_YUV420P, error);
    if (code)
        return code;
    uint8_t *planes[4] = {target->planes[0], target->planes[1], target->planes[2], NULL};
    int target_strides[4] = {target->strides[0], target->strides[1], target->strides[2], 0};
    sws_scale(source->sws, (const uint8_t *const *)data, strides, 0, frame->height, planes, target_strides);
    return VD_OK;
}

/* A picture in turn_memory of the same format as `like`, in the size before turning. */
static int prepare_unturned(vd_av_source *source, const vd_image *like, int width, int height,
                            vd_image *ret_image)
{
    enum AVPixelFormat format = like->format == VD_PIXEL_BGRX ? AV_PIX_FMT_BGR0 : AV_PIX_FMT_YUV420P;
    int size = av_image_get_buffer_size(format, width, height, 64);
    if (size < 0)
        return VD_ENOMEM;
    if ((size_t)size > source->turn_size) {
        av_freep(&source->turn_memory);
        source->turn_size = 0;
        source->turn_memory = av_malloc((size_t)size + 64);
        if (!source->turn_memory)
            return VD_ENOMEM;
        source->turn_size = (size_t)size;
    }
    uint8_t *planes[4];
    int strides[4];
    av_image_fill_arrays(planes, strides, source->turn_memory, format, width, height, 64);
    *ret_image = (vd_image){.format = like->format, .color = like->color, .width = width, .height = height};
    for (int i = 0; i < 3; i++) {
        ret_image->planes[i] = planes[i];
        ret_image->strides[i] = strides[i];
    }
    return VD_OK;
}

static int fill_image(vd_av_source *source, const AVFrame *picture, vd_av_turn turn, vd_image *image,
                      vd_error *error)
{
    image->color = color_of(source, picture);
    if (turn.degrees == 0)
        return convert(source, picture, turn.mirrored, image, error);
    vd_image unturned;
    int code = prepare_unturned(source, image, picture->width, picture->height, &unturned);
    if (code)
        return vd_error_set(error, code, source->place, "There is not enough memory to turn a picture.");
    code = convert(source, picture, turn.mirrored, &unturned, error);
    return code ? code : vd_convert_rotate(&unturned, turn.degrees, image);
}

static void set_aspect(const vd_av_source *source, const AVFrame *picture, bool sideways, vd_frame *frame)
{
    AVRational aspect = picture->sample_aspect_ratio;
    if (aspect.num <= 0 || aspect.den <= 0)
        aspect = vd_av_stream(source)->sample_aspect_ratio;
    if (aspect.num <= 0 || aspect.den <= 0)
        aspect = (AVRational){1, 1};
    av_reduce(&aspect.num, &aspect.den, aspect.num, aspect.den, INT_MAX);
    frame->aspect_num = sideways ? aspect.den : aspect.num;
    frame->aspect_den = sideways ? aspect.num : aspect.den;
}

int vd_av_make_frame(vd_av_source *source, vd_av_picture *picture, vd_frame **ret_frame, vd_error *error)
{
    vd_frame *frame = NULL;
    int code = vd_av_prepare_pool(source, picture->frame, error);
    if (code == VD_OK)
        code = take_frame(source, &frame, error);
    if (code)
        return code;
    vd_av_turn turn = vd_av_turn_of(source, picture->frame);
    code = fill_image(source, picture->frame, turn, &frame->image, error);
    if (code) {
        vd_frame_unref(&frame);
        return code;
    }
    set_aspect(source, picture->frame, is_sideways(turn), frame);
    frame->index = picture->index;
    frame->time_s = picture->time_s;
    frame->duration_s = picture->duration_s;
    frame->arrived_ns = picture->arrived_ns;
    frame->serial = source->serial;
    *ret_frame = frame;
    return VD_OK;
}
