/* Stills: one picture through libav's PNG or JPEG encoder, written beside the file and then put in its place.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libavcodec/avcodec.h>
#include <libswscale/swscale.h>

#include "base/text.h"
#include "media/av_source.h"
#include "vedette/app/encoder.h"

/* libav's scale of quantizers: 1 is best, 31 worst; 3 shows no blocks around drawn letters. */
enum { JPEG_QUANTIZER = 3 };

static enum AVCodecID codec_for(const char *path)
{
    if (vd_text_ends_with(path, ".png"))
        return AV_CODEC_ID_PNG;
    if (vd_text_ends_with(path, ".jpg") || vd_text_ends_with(path, ".jpeg"))
        return AV_CODEC_ID_MJPEG;
    return AV_CODEC_ID_NONE;
}

static AVFrame *convert(const vd_image *image, enum AVPixelFormat format)
{
    AVFrame *frame = av_frame_alloc();
    /* The full-range name would only be warned about; the range is set by the details below. */
    enum AVPixelFormat plain = format == AV_PIX_FMT_YUVJ444P ? AV_PIX_FMT_YUV444P : format;
    struct SwsContext *sws =
        sws_getContext(image->width, image->height, AV_PIX_FMT_BGR0, image->width, image->height, plain,
                       SWS_BILINEAR | SWS_ACCURATE_RND, NULL, NULL, NULL);
    if (frame) {
        frame->format = format;
        frame->width = image->width;
        frame->height = image->height;
    }
    if (!frame || !sws || av_frame_get_buffer(frame, 0) < 0) {
        av_frame_free(&frame);
        sws_freeContext(sws);
        return NULL;
    }
    const int *matrix = sws_getCoefficients(SWS_CS_ITU601);
    sws_setColorspaceDetails(sws, matrix, 1, matrix, 1, 0, 1 << 16, 1 << 16);
    const uint8_t *planes[4] = {image->planes[0]};
    int strides[4] = {image->strides[0]};
    sws_scale(sws, planes, strides, 0, image->height, frame->data, frame->linesize);
    sws_freeContext(sws);
    return frame;
}

/* The picture as a file's bytes. NULL when it cannot be coded. */
static AVPacket *encode(const vd_image *image, enum AVCodecID id)
{
    const AVCodec *codec = avcodec_find_encoder(id);
    enum AVPixelFormat format = id == AV_CODEC_ID_PNG ? AV_PIX_FMT_RGB24 : AV_PIX_FMT_YUVJ444P;
    AVCodecContext *context = codec ? avcodec_alloc_context3(codec) : NULL;
    AVFrame *frame = context ? convert(image, format) : NULL;
    AVPacket *packet = frame ? av_packet_alloc() : NULL;
    int av_code = AVERROR(ENOMEM);
    if (packet) {
        context->width = image->width;
        context->height = image->height;
        context->pix_fmt = format;
        context->time_base = (AVRational){1, 25};
        context->thread_count = 1;
        context->color_range = AVCOL_RANGE_JPEG;
        context->flags |= AV_CODEC_FLAG_QSCALE;
        context->global_quality = JPEG_QUANTIZER * FF_QP2LAMBDA;
        frame->quality = context->global_quality;
        av_code = avcodec_open2(context, codec, NULL);
    }
    if (av_code >= 0)
        av_code = avcodec_send_frame(context, frame);
    if (av_code >= 0)
        avcodec_send_frame(context, NULL);
    if (av_code >= 0)
        av_code = avcodec_receive_packet(context, packet);
    if (av_code < 0)
        av_packet_free(&packet);
    av_frame_free(&frame);
    avcodec_free_context(&context);
    return packet;
}

static int write_file(const char *path, const AVPacket *packet, vd_error *error)
{
    char *part = NULL;
    if (asprintf(&part, "%s.part", path) < 0)
        return vd_error_set(error, VD_ENOMEM, path, "There is not enough memory to write '%s'.", path);
    FILE *file = fopen(part, "wbe");
    bool good = file && fwrite(packet->data, 1, (size_t)packet->size, file) == (size_t)packet->size;
    int failure = good ? 0 : errno;
    if (file && fclose(file) != 0 && good) {
        good = false;
        failure = errno;
    }
    if (good && rename(part, path) != 0) {
        good = false;
        failure = errno;
    }
    if (!good && file)
        unlink(part);
    free(part);
    if (good)
        return VD_OK;
    return vd_error_set(error, VD_EIO, path, "'%s' cannot be written: %s.", path, strerror(failure));
}

int vd_image_write(const char *path, const vd_image *image, vd_error *error)
{
    vd_av_init();
    int code = vd_image_validate(image, error);
    if (code)
        return code;
    enum AVCodecID id = path ? codec_for(path) : AV_CODEC_ID_NONE;
    if (id == AV_CODEC_ID_NONE)
        return vd_error_set(error, VD_EINVAL, path, "A picture's name must end in .png, .jpg or .jpeg.");
    if (image->format != VD_PIXEL_BGRX)
        return vd_error_set(error, VD_EINVAL, path, "Only BGRX pictures can be written as files.");
    AVPacket *packet = encode(image, id);
    if (!packet)
        return vd_error_set(error, VD_EIO, path, "A picture of %d × %d pixels cannot be coded as '%s'.",
                            image->width, image->height, path);
    code = write_file(path, packet, error);
    av_packet_free(&packet);
    return code;
}
