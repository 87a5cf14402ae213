#include "vedette/app/picture.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavutil/imgutils.h>

#include "media/av_convert.h"
#include "media/av_source.h"
#include "media/picture_parts.h"

struct vd_picture {
    AVFrame *frame;
    vd_image image; /* of the frame's memory */
};

struct vd_picture_decoder {
    AVPacket *packet;
    vd_av_converter converter;
};

int vd_picture_decoder_new(vd_picture_decoder **ret_decoder)
{
    vd_picture_decoder *decoder = calloc(1, sizeof *decoder);
    if (decoder)
        decoder->packet = av_packet_alloc();
    if (!decoder || !decoder->packet) {
        free(decoder);
        return VD_ENOMEM;
    }
    vd_av_init();
    *ret_decoder = decoder;
    return VD_OK;
}

void vd_picture_decoder_free(vd_picture_decoder **pointer)
{
    vd_picture_decoder *decoder = *pointer;
    *pointer = NULL;
    if (!decoder)
        return;
    av_packet_free(&decoder->packet);
    vd_av_converter_fini(&decoder->converter);
    free(decoder);
}

const vd_image *vd_picture_get_image(const vd_picture *picture)
{
    return &picture->image;
}

void vd_picture_free(vd_picture **pointer)
{
    vd_picture *picture = *pointer;
    *pointer = NULL;
    if (!picture)
        return;
    av_frame_free(&picture->frame);
    free(picture);
}

static int no_memory(vd_error *error)
{
    return vd_error_set(error, VD_ENOMEM, NULL, "There is not enough memory to decode the picture.");
}

/* --- Decoding */

static int fill_packet(vd_picture_decoder *decoder, const vd_picture_info *info, const void *bytes,
                       size_t size, vd_error *error)
{
    size_t used = 0;
    if (size > INT32_MAX / 2 || av_new_packet(decoder->packet, (int)size + 1) < 0)
        return no_memory(error);
    int code = vd_picture_copy(info, bytes, size, decoder->packet->data, &used, error);
    if (code == VD_OK)
        av_shrink_packet(decoder->packet, (int)used);
    decoder->packet->flags |= AV_PKT_FLAG_KEY;
    return code;
}

/* A context for each picture: what one sender's picture leaves in it (tables, dimensions) is not to reach the
 * next. */
static AVCodecContext *open_codec(const vd_picture_info *info, const vd_picture_limits *limits)
{
    enum AVCodecID id = info->format[0] == 'j'   ? AV_CODEC_ID_MJPEG
                        : info->format[0] == 'p' ? AV_CODEC_ID_PNG
                                                 : AV_CODEC_ID_WEBP;
    const AVCodec *codec = avcodec_find_decoder(id);
    AVCodecContext *context = codec ? avcodec_alloc_context3(codec) : NULL;
    if (!context)
        return NULL;
    context->thread_count = 1;
    context->max_pixels = limits->pixels;
    context->err_recognition = AV_EF_CRCCHECK | AV_EF_EXPLODE;
    if (avcodec_open2(context, codec, NULL) < 0)
        avcodec_free_context(&context);
    return context;
}

static uint8_t *last_row(const AVFrame *frame, size_t *ret_size)
{
    *ret_size = (size_t)av_image_get_linesize(frame->format, frame->width, 0);
    return frame->data[0] + (ptrdiff_t)(frame->height - 1) * frame->linesize[0];
}

/* What there is to say of the memory for the pixels. */
struct canvas {
    bool is_png, no_memory;
    uint8_t fill;
};

/* libav's PNG decoder says nothing when pixels are missing. So the last row gets a value beforehand, and one
 * that still has it all over was not written. */
static int get_canvas(AVCodecContext *context, AVFrame *frame, int flags)
{
    struct canvas *canvas = context->opaque;
    int code = avcodec_default_get_buffer2(context, frame, flags);
    canvas->no_memory = canvas->no_memory || code == AVERROR(ENOMEM);
    if (code >= 0 && canvas->is_png) {
        size_t size;
        uint8_t *row = last_row(frame, &size);
        memset(row, canvas->fill, size);
    }
    return code;
}

static bool lacks_rows(const AVFrame *frame, uint8_t fill)
{
    size_t size, same = 0;
    const uint8_t *row = last_row(frame, &size);
    while (same < size && row[same] == fill)
        same++;
    return same == size;
}

static int decode_once(const vd_picture_info *info, const vd_picture_limits *limits, const AVPacket *packet,
                       struct canvas *canvas, AVFrame *frame)
{
    AVCodecContext *context = open_codec(info, limits);
    if (!context)
        return AVERROR(ENOMEM);
    context->opaque = canvas;
    context->get_buffer2 = get_canvas;
    int code = avcodec_send_packet(context, packet);
    if (code >= 0)
        code = avcodec_receive_frame(context, frame);
    if (code == AVERROR(EAGAIN)) {
        avcodec_send_packet(context, NULL);
        code = avcodec_receive_frame(context, frame);
    }
    avcodec_free_context(&context);
    return code < 0 && canvas->no_memory ? AVERROR(ENOMEM) : code;
}

static int decode_frame(vd_picture_decoder *decoder, const vd_picture_info *info,
                        const vd_picture_limits *limits, AVFrame *frame, vd_error *error)
{
    bool is_png = info->format[0] == 'p', is_whole = false;
    for (int i = 0; i < 2 && !is_whole; i++) { /* a picture may have the one value, not both */
        struct canvas canvas = {.is_png = is_png, .fill = i == 0 ? 0xa5 : 0x5a};
        av_frame_unref(frame);
        int code = decode_once(info, limits, decoder->packet, &canvas, frame);
        if (code == AVERROR(ENOMEM))
            return no_memory(error);
        if (code < 0 || frame->width != info->width || frame->height != info->height ||
            (frame->flags & AV_FRAME_FLAG_CORRUPT) || frame->decode_error_flags)
            return vd_picture_refuse(info, "is broken", error);
        is_whole = !is_png || !lacks_rows(frame, canvas.fill);
    }
    return is_whole ? VD_OK : vd_picture_refuse(info, "is cut short", error);
}

/* --- The view */

static vd_pixel_format view_format(const AVFrame *frame)
{
    switch (frame->format) {
    case AV_PIX_FMT_YUV420P:
    case AV_PIX_FMT_YUVJ420P:
    case AV_PIX_FMT_YUVA420P:
        return VD_PIXEL_I420;
    case AV_PIX_FMT_GRAY8:
        return VD_PIXEL_GREY;
    case AV_PIX_FMT_RGB24:
        return VD_PIXEL_RGB;
    case AV_PIX_FMT_BGR24:
        return VD_PIXEL_BGR;
    case AV_PIX_FMT_BGR0:
    case AV_PIX_FMT_BGRA:
        return VD_PIXEL_BGRX;
    default:
        return VD_PIXEL_NONE;
    }
}

static vd_image view(const AVFrame *frame, vd_pixel_format format, vd_yuv_color color)
{
    vd_image image = {.format = format, .color = color, .width = frame->width, .height = frame->height};
    for (int i = 0; i < (format == VD_PIXEL_I420 ? 3 : 1); i++) {
        image.planes[i] = frame->data[i];
        image.strides[i] = frame->linesize[i];
    }
    return image;
}

/* In place of `frame` one of a format that vd_image has. */
static int convert(vd_picture_decoder *decoder, AVFrame *frame, vd_image *ret_image, vd_error *error)
{
    vd_pixel_format format = vd_av_target_of(frame);
    AVFrame *target = av_frame_alloc();
    if (target) {
        target->format = format == VD_PIXEL_BGRX ? AV_PIX_FMT_BGR0 : AV_PIX_FMT_YUV420P;
        target->width = frame->width;
        target->height = frame->height;
    }
    if (!target || av_frame_get_buffer(target, 64) < 0) {
        av_frame_free(&target);
        return no_memory(error);
    }
    vd_image image = view(target, format, vd_av_color_of(frame, VD_AV_STILL));
    int code = vd_av_convert(&decoder->converter, frame, VD_AV_STILL, false, &image);
    if (code == VD_OK) {
        av_frame_unref(frame);
        av_frame_move_ref(frame, target);
        *ret_image = image;
    }
    av_frame_free(&target);
    if (code)
        return vd_error_set(error, VD_EFORMAT, NULL, "The picture's kind of pixels cannot be converted.");
    return VD_OK;
}

static int make_view(vd_picture_decoder *decoder, vd_picture *picture, vd_error *error)
{
    vd_pixel_format format = view_format(picture->frame);
    if (format == VD_PIXEL_NONE)
        return convert(decoder, picture->frame, &picture->image, error);
    picture->image = view(picture->frame, format, vd_av_color_of(picture->frame, VD_AV_STILL));
    return VD_OK;
}

int vd_picture_decode(vd_picture_decoder *decoder, const void *bytes, size_t size,
                      const vd_picture_limits *limits, vd_picture **ret_picture, vd_error *error)
{
    vd_picture_info info;
    int code = vd_picture_probe(bytes, size, limits, &info, error);
    if (code)
        return code;
    vd_picture *picture = calloc(1, sizeof *picture);
    if (picture)
        picture->frame = av_frame_alloc();
    code = picture && picture->frame ? fill_packet(decoder, &info, bytes, size, error) : no_memory(error);
    if (code == VD_OK)
        code = decode_frame(decoder, &info, limits, picture->frame, error);
    av_packet_unref(decoder->packet);
    if (code == VD_OK)
        code = make_view(decoder, picture, error);
    if (code)
        vd_picture_free(&picture);
    else
        *ret_picture = picture;
    return code;
}
