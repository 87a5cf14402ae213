/* Opening: what an address stands for, the options each kind needs, the choice of stream and decoder.
 *
 * Formats are told by content, not by name: files are opened here and handed to libav as an open stream, so
 * that a name with a '%' or a ':' in it is only a name. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/avstring.h>

#include "base/clock.h"
#include "base/text.h"
#include "media/av_source.h"

static bool begins_with(const char *text, const char *beginning)
{
    return strncmp(text, beginning, strlen(beginning)) == 0;
}

/* A scheme is letters, digits and +-. in front of "://". */
static bool has_scheme(const char *address)
{
    size_t length = strspn(address, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");
    return length > 1 && begins_with(address + length, "://");
}

vd_av_kind vd_av_kind_of(const char *address)
{
    if (begins_with(address, "file:"))
        return VD_AV_FILE;
    if (begins_with(address, "/dev/video"))
        return VD_AV_CAMERA;
    if (begins_with(address, "rtsp://") || begins_with(address, "rtsps://"))
        return VD_AV_RTSP;
    if (begins_with(address, "http://") || begins_with(address, "https://"))
        return VD_AV_HTTP;
    return has_scheme(address) ? VD_AV_UNKNOWN : VD_AV_FILE;
}

static int interrupt(void *context)
{
    const vd_av_source *source = context;
    return vd_cancel_requested(source->cancel) || vd_clock_now_ns() >= source->deadline_ns;
}

const AVStream *vd_av_stream(const vd_av_source *source)
{
    return source->format->streams[source->stream];
}

static void set_number(AVDictionary **options, const char *key, int64_t value)
{
    av_dict_set_int(options, key, value, 0);
}

static int open_file(vd_av_source *source)
{
    AVIOInterruptCB callback = {interrupt, source};
    AVDictionary *options = NULL;
    char *url = av_asprintf("file:%s", source->path);
    if (!url)
        return AVERROR(ENOMEM);
    int av_code = avio_open2(&source->io, url, AVIO_FLAG_READ, &callback, NULL);
    av_free(url);
    if (av_code < 0)
        return av_code;
    source->format->pb = source->io;
    av_dict_set(&options, "protocol_whitelist", "file,crypto,data",
                0); /* a file must not reach the network */
    av_code = avformat_open_input(&source->format, NULL, NULL, &options);
    av_dict_free(&options);
    return av_code;
}

static int open_camera(vd_av_source *source)
{
    const AVInputFormat *v4l2 = av_find_input_format("v4l2");
    if (!v4l2)
        return AVERROR_DEMUXER_NOT_FOUND;
    /* A camera that says nothing would block in the driver, where nobody asks whether to go on. */
    source->format->flags |= AVFMT_FLAG_NONBLOCK;
    AVDictionary *options = NULL;
    av_dict_set(&options, "framerate", "30", 0); /* some drivers stand at 5 */
    int av_code = avformat_open_input(&source->format, source->address, v4l2, &options);
    av_dict_free(&options);
    if (av_code != AVERROR(EINVAL))
        return av_code;
    source->format = avformat_alloc_context();
    if (!source->format)
        return AVERROR(ENOMEM);
    source->format->interrupt_callback = (AVIOInterruptCB){interrupt, source};
    source->format->flags |= AVFMT_FLAG_NONBLOCK;
    return avformat_open_input(&source->format, source->address, v4l2, NULL);
}

/* The deadline is ours, by the interrupt callback; libav's own time-out only backs it up. */
static int64_t backup_us(const vd_av_source *source)
{
    return (source->options.open_timeout_ns + VD_NS_PER_S) / VD_NS_PER_US;
}

static int open_rtsp(vd_av_source *source)
{
    AVDictionary *options = NULL;
    const char *transport = source->options.rtsp_transport;
    av_dict_set(&options, "rtsp_transport", transport ? transport : "tcp", 0);
    av_dict_set(&options, "allowed_media_types", "video", 0);
    set_number(&options, "timeout", backup_us(source));
    int av_code = avformat_open_input(&source->format, source->address, NULL, &options);
    av_dict_free(&options);
    return av_code;
}

/* The connection comes first, so that what is sent counts for more than how the address ends: cameras send
 * streams from addresses like /video.jpg. */
static int open_http(vd_av_source *source)
{
    AVIOInterruptCB callback = {interrupt, source};
    AVDictionary *options = NULL;
    set_number(&options, "rw_timeout", backup_us(source));
    int av_code = avio_open2(&source->io, source->address, AVIO_FLAG_READ, &callback, &options);
    av_dict_free(&options);
    if (av_code < 0)
        return av_code;
    source->format->pb = source->io;
    source->format->fps_probe_size = 0; /* the rate is not worth waiting for */
    source->format->max_analyze_duration = 2 * AV_TIME_BASE;
    return avformat_open_input(&source->format, source->address, NULL, NULL);
}

static bool is_one_of(const char *name, const char *const *names)
{
    for (; *names; names++)
        if (strcmp(name, *names) == 0)
            return true;
    return false;
}

static bool has_known_video(const AVFormatContext *format)
{
    for (unsigned i = 0; i < format->nb_streams; i++)
        if (format->streams[i]->codecpar->codec_type == AVMEDIA_TYPE_VIDEO &&
            format->streams[i]->codecpar->codec_id != AV_CODEC_ID_NONE)
            return true;
    return false;
}

/* Reads ahead to learn about the streams, where that is needed: RTSP has said all in its SDP, cameras and
 * motion JPEG need nothing, and each would only lose time to the first picture. */
static int look_into(vd_av_source *source)
{
    static const char *const clockless[] = {"mpjpeg", "mjpeg", NULL};
    AVFormatContext *format = source->format;
    if (source->kind == VD_AV_HTTP && is_one_of(format->iformat->name, clockless)) {
        source->use_arrival = true;
        return 0;
    }
    if (source->kind == VD_AV_CAMERA || (source->kind == VD_AV_RTSP && has_known_video(format)))
        return 0;
    unsigned count = format->nb_streams;
    AVDictionary **options = av_calloc(count ? count : 1, sizeof *options);
    if (!options)
        return AVERROR(ENOMEM);
    for (unsigned i = 0; i < count; i++)
        set_number(&options[i], "max_pixels", VD_AV_MAX_PIXELS);
    int av_code = avformat_find_stream_info(format, count ? options : NULL);
    for (unsigned i = 0; i < count; i++)
        av_dict_free(&options[i]);
    av_free(options);
    return av_code;
}

/* The first stream of pictures that can be decoded; covers of sound files are none. */
static int choose_stream(vd_av_source *source, const AVCodec **ret_codec, vd_error *error)
{
    AVFormatContext *format = source->format;
    const AVStream *unknown = NULL;
    source->stream = -1;
    for (unsigned i = 0; i < format->nb_streams; i++) {
        AVStream *stream = format->streams[i];
        bool picture = stream->codecpar->codec_type == AVMEDIA_TYPE_VIDEO &&
                       !(stream->disposition & AV_DISPOSITION_ATTACHED_PIC) && source->stream < 0;
        const AVCodec *codec = picture ? avcodec_find_decoder(stream->codecpar->codec_id) : NULL;
        if (codec) {
            source->stream = (int)i;
            *ret_codec = codec;
        } else {
            stream->discard = AVDISCARD_ALL;
            unknown = picture ? stream : unknown;
        }
    }
    if (source->stream >= 0)
        return VD_OK;
    if (unknown && unknown->codecpar->codec_id != AV_CODEC_ID_NONE)
        return vd_error_set(error, VD_EUNSUPPORTED, source->place,
                            "'%s' is coded as %s, for which no decoder is installed.", source->info.name,
                            avcodec_get_name(unknown->codecpar->codec_id));
    return vd_av_refuse_content(source, error);
}

/* One thread decodes: the cores are for detection, and threads by frames would hold pictures back. Only
 * pictures larger than 1920 × 1088 get two, live ones by slices, which wait for nothing. */
static void set_threads(const vd_av_source *source, AVCodecContext *decoder)
{
    bool large = (int64_t)decoder->width * decoder->height > 1920 * 1088;
    decoder->thread_count = large ? 2 : 1;
    decoder->thread_type = source->kind == VD_AV_FILE ? FF_THREAD_FRAME : FF_THREAD_SLICE;
    if (source->kind != VD_AV_FILE)
        decoder->flags |= AV_CODEC_FLAG_LOW_DELAY;
}

static int open_decoder(vd_av_source *source, const AVCodec *codec, vd_error *error)
{
    const AVStream *stream = vd_av_stream(source);
    source->decoder = avcodec_alloc_context3(codec);
    if (!source->decoder || avcodec_parameters_to_context(source->decoder, stream->codecpar) < 0)
        return vd_error_set(error, VD_ENOMEM, source->place, "There is not enough memory to decode '%s'.",
                            source->info.name);
    source->decoder->pkt_timebase = stream->time_base;
    source->decoder->max_pixels = VD_AV_MAX_PIXELS;
    set_threads(source, source->decoder);
    int av_code = avcodec_open2(source->decoder, codec, NULL);
    return av_code < 0 ? vd_av_refuse_content(source, error) : VD_OK;
}

static int open_format(vd_av_source *source)
{
    source->format = avformat_alloc_context();
    if (!source->format)
        return AVERROR(ENOMEM);
    source->format->interrupt_callback = (AVIOInterruptCB){interrupt, source};
    switch (source->kind) {
    case VD_AV_FILE:
        return open_file(source);
    case VD_AV_CAMERA:
        return open_camera(source);
    case VD_AV_RTSP:
        return open_rtsp(source);
    default:
        return open_http(source);
    }
}

int vd_av_open_stream(vd_av_source *source, vd_error *error)
{
    vd_av_log_reset();
    source->drained = false;
    source->failures = 0;
    source->packet_dts = AV_NOPTS_VALUE;
    source->use_arrival = false;
    int code = source->kind == VD_AV_FILE ? vd_av_check_file(source, error) : VD_OK;
    if (code)
        return code;
    int av_code = open_format(source);
    if (av_code >= 0)
        av_code = look_into(source);
    if (av_code >= 0 && interrupt(source))
        av_code = AVERROR_EXIT; /* looking into a stream ends without an error when it is interrupted */
    const AVCodec *codec = NULL;
    if (av_code < 0)
        code = vd_av_refuse(source, av_code, error);
    else
        code = choose_stream(source, &codec, error);
    if (code == VD_OK)
        code = open_decoder(source, codec, error);
    if (code)
        vd_av_close_stream(source);
    return code;
}

void vd_av_close_stream(vd_av_source *source)
{
    avcodec_free_context(&source->decoder);
    avformat_close_input(&source->format);
    avio_closep(&source->io);
}
