/* From libav's picture to a frame of the pool, upright. */
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

static bool is_sideways(vd_av_turn turn)
{
    return turn.degrees % 180 != 0;
}

int vd_av_prepare_pool(vd_av_source *source, const AVFrame *frame, vd_error *error)
{
    bool sideways = is_sideways(vd_av_turn_of(source, frame));
    int width = sideways ? frame->height : frame->width, height = sideways ? frame->width : frame->height;
    if (source->pool && vd_frame_pool_fits(source->pool, vd_av_target_of(frame), width, height))
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
    int code = vd_frame_pool_new(vd_av_target_of(frame), width, height, count, &source->pool);
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

static vd_av_picture_kind kind_of(const vd_av_source *source)
{
    if (source->info.is_image)
        return VD_AV_STILL;
    return source->decoder->codec_id == AV_CODEC_ID_MJPEG ? VD_AV_MOTION_JPEG : VD_AV_VIDEO;
}

/* Writes the picture, upside down if asked, into `target`, which has its size. */
static int convert(vd_av_source *source, const AVFrame *frame, bool mirrored, const vd_image *target,
                   vd_error *error)
{
    if (vd_av_convert(&source->converter, frame, kind_of(source), mirrored, target) == VD_OK)
        return VD_OK;
    const char *name = av_get_pix_fmt_name(frame->format);
    return vd_error_set(error, VD_EUNSUPPORTED, source->place,
                        "The pictures of '%s' have a pixel format (%s) that cannot be converted.",
                        source->info.name, name ? name : "unknown");
}

static int fill_image(vd_av_source *source, const AVFrame *picture, vd_av_turn turn, vd_image *image,
                      vd_error *error)
{
    image->color = vd_av_color_of(picture, kind_of(source));
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
