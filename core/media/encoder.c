/* H.264 in fragmented MP4.
 *
 * 1. A fragment starts with a key picture and is handed to the system whole: as soon as the next picture is
 * expected to lie beyond the fragment's greatest length, not when it has come, so that a kill never costs
 * more.
 * 2. Nothing is held back: no look-ahead, no reordered pictures, no index at the end.
 * 3. The file is called PATH.part until its first fragment is whole. After a failure it is cut at the last
 * whole fragment. */
#include "vedette/app/encoder.h"

#include <stdlib.h>
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/imgutils.h>
#include <libavutil/opt.h>

#include "base/clock.h"
#include "frame/convert.h"
#include "media/av_source.h"
#include "media/part_file.h"

enum { TIME_BASE = 90000, LEAST_GAP = TIME_BASE / 1000, IO_BUFFER_BYTES = 64 * 1024 };

/* Owned by the thread that writes. */
struct vd_encoder {
    vd_part_file file;
    vd_encoder_options options;
    int width, height; /* even */

    AVFormatContext *format;
    AVCodecContext *codec;
    AVFrame *frame;
    AVPacket *packet;
    vd_image scaled; /* BGRX, where a picture's YUV is not BT.601 limited */
    vd_scratch scratch;

    bool failed;
    vd_error failure;
    int64_t last_pts;     /* -1 before the first picture */
    int64_t gap;          /* between the last two pictures, 1/90000 s */
    int64_t fragment_pts; /* where the fragment under way begins */
    bool ends_fragment; /* the picture under way; nobody knows how long it is shown, and the muxer would move
                           the next one behind the end it is told */
    bool fragment_is_new;  /* the muxer must take its first picture's time as it is, not go on from the last's
                              end */
    int fragment_pictures; /* in the fragment under way */
};

static int fail(vd_encoder *encoder, int code, vd_error *error, const char *what)
{
    if (!encoder->failed) {
        encoder->failed = true;
        const char *why = encoder->file.failed_errno ? strerror(encoder->file.failed_errno) : what;
        vd_error_set(&encoder->failure, code, encoder->file.path, "The recording '%s' stopped: %s.",
                     encoder->file.path, why);
    }
    if (error)
        *error = encoder->failure;
    return encoder->failure.code;
}

/* FFmpeg 7 hands them over as constants. */
#if LIBAVFORMAT_VERSION_MAJOR >= 61
typedef const uint8_t written_byte;
#else
typedef uint8_t written_byte;
#endif

static int write_bytes(void *context, written_byte *bytes, int count)
{
    vd_encoder *encoder = context;
    int failure = vd_part_file_write(&encoder->file, bytes, count);
    return failure ? AVERROR(failure) : count;
}

static int open_codec(vd_encoder *encoder, vd_error *error)
{
    const vd_encoder_options *options = &encoder->options;
    const AVCodec *x264 = avcodec_find_encoder_by_name("libx264");
    if (!x264)
        return vd_error_set(error, VD_EUNSUPPORTED, encoder->file.path,
                            "Recording needs the H.264 encoder libx264, which is not installed.");
    AVCodecContext *codec = encoder->codec = avcodec_alloc_context3(x264);
    if (!codec)
        return vd_error_set(error, VD_ENOMEM, encoder->file.path, "There is not enough memory to record.");
    codec->width = encoder->width;
    codec->height = encoder->height;
    codec->pix_fmt = AV_PIX_FMT_YUV420P;
    codec->time_base = (AVRational){1, TIME_BASE};
    codec->framerate = av_d2q(options->frames_per_s, 100000);
    codec->sample_aspect_ratio = (AVRational){options->aspect_num, options->aspect_den};
    codec->color_range = AVCOL_RANGE_MPEG;
    codec->colorspace = AVCOL_SPC_SMPTE170M;
    codec->color_primaries = AVCOL_PRI_SMPTE170M;
    codec->color_trc = AVCOL_TRC_SMPTE170M;
    codec->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    codec->max_b_frames = 0;
    codec->gop_size = 100000; /* key pictures are asked for by time, not by count */
    codec->thread_count = encoder->height >= 720 ? 2 : 1;
    AVDictionary *settings = NULL;
    av_dict_set(&settings, "preset", "veryfast", 0);
    av_dict_set(&settings, "tune", "zerolatency", 0);
    av_dict_set(&settings, "forced-idr", "1", 0);
    av_dict_set_int(&settings, "crf", options->quality, 0);
    av_dict_set_int(&settings, "sc_threshold", 0, 0);
    int av_code = avcodec_open2(codec, x264, &settings);
    av_dict_free(&settings);
    if (av_code < 0)
        return vd_error_set(error, VD_EINVAL, encoder->file.path,
                            "Pictures of %d × %d pixels cannot be recorded.", encoder->width,
                            encoder->height);
    return VD_OK;
}

static int open_format(vd_encoder *encoder, vd_error *error)
{
    uint8_t *buffer = NULL;
    AVStream *stream = NULL;
    if (avformat_alloc_output_context2(&encoder->format, NULL, "mp4", NULL) >= 0)
        stream = avformat_new_stream(encoder->format, NULL);
    if (stream)
        buffer = av_malloc(IO_BUFFER_BYTES);
    if (buffer) {
        encoder->format->pb =
            avio_alloc_context(buffer, IO_BUFFER_BYTES, 1, encoder, NULL, write_bytes, NULL);
        if (!encoder->format->pb)
            av_free(buffer);
    }
    encoder->frame = av_frame_alloc();
    encoder->packet = av_packet_alloc();
    if (!stream || !encoder->format->pb || !encoder->frame || !encoder->packet)
        return vd_error_set(error, VD_ENOMEM, encoder->file.path, "There is not enough memory to record.");
    encoder->frame->format = AV_PIX_FMT_YUV420P;
    encoder->frame->width = encoder->width;
    encoder->frame->height = encoder->height;
    stream->time_base = encoder->codec->time_base;
    stream->avg_frame_rate = encoder->codec->framerate;
    stream->sample_aspect_ratio = encoder->codec->sample_aspect_ratio;
    if (av_frame_get_buffer(encoder->frame, 0) < 0 ||
        avcodec_parameters_from_context(stream->codecpar, encoder->codec) < 0)
        return vd_error_set(error, VD_ENOMEM, encoder->file.path, "There is not enough memory to record.");
    AVDictionary *settings = NULL;
    /* frag_custom: fragments end where flush_fragment says, at the same places as the key pictures */
    av_dict_set(&settings, "movflags", "frag_custom+empty_moov+default_base_moof", 0);
    av_dict_set_int(&settings, "video_track_timescale", TIME_BASE, 0);
    int av_code = avformat_write_header(encoder->format, &settings);
    av_dict_free(&settings);
    avio_flush(encoder->format->pb);
    if (av_code < 0 || encoder->file.failed_errno)
        return fail(encoder, VD_EIO, error, "its beginning could not be written");
    return VD_OK;
}

static int check_options(const char *path, const vd_encoder_options *options, vd_error *error)
{
    if (!path || *path == '\0' || !options)
        return vd_error_set(error, VD_EINVAL, NULL, "A recording needs a file name and the pictures' size.");
    if (options->width < 2 || options->height < 2 || options->width > VD_IMAGE_MAX_SIDE ||
        options->height > VD_IMAGE_MAX_SIDE)
        return vd_error_set(error, VD_EINVAL, path,
                            "Pictures of %d × %d pixels cannot be recorded; each side may be 2 to %d.",
                            options->width, options->height, VD_IMAGE_MAX_SIDE);
    if (options->quality < 10 || options->quality > 40)
        return vd_error_set(error, VD_EINVAL, path, "A quality of %d cannot be used; it may be 10 to 40.",
                            options->quality);
    return VD_OK;
}

static void set_options(vd_encoder *encoder, const vd_encoder_options *options)
{
    vd_encoder_options *kept = &encoder->options;
    *kept = *options;
    if (!(kept->frames_per_s > 0.01 && kept->frames_per_s <= 1000))
        kept->frames_per_s = 25;
    if (kept->fragment_ns < 10 * VD_NS_PER_MS || kept->fragment_ns > 10 * VD_NS_PER_S)
        kept->fragment_ns = VD_NS_PER_S / 2;
    if (kept->aspect_num < 1 || kept->aspect_den < 1)
        kept->aspect_num = kept->aspect_den = 1;
    encoder->width = options->width & ~1;
    encoder->height = options->height & ~1;
    encoder->gap = (int64_t)(TIME_BASE / kept->frames_per_s);
    encoder->last_pts = -1;
}

static void free_encoder(vd_encoder *encoder)
{
    avcodec_free_context(&encoder->codec);
    if (encoder->format && encoder->format->pb) {
        av_freep(&encoder->format->pb->buffer);
        avio_context_free(&encoder->format->pb);
    }
    avformat_free_context(encoder->format);
    av_frame_free(&encoder->frame);
    av_packet_free(&encoder->packet);
    free(encoder->scaled.planes[0]);
    vd_scratch_fini(&encoder->scratch);
    vd_part_file_close(&encoder->file, false);
    free(encoder);
}

int vd_encoder_open(const char *path, const vd_encoder_options *options, vd_encoder **ret_encoder,
                    vd_error *error)
{
    vd_av_init();
    int code = check_options(path, options, error);
    if (code)
        return code;
    vd_encoder *encoder = calloc(1, sizeof *encoder);
    if (!encoder)
        return vd_error_set(error, VD_ENOMEM, path, "There is not enough memory to record.");
    set_options(encoder, options);
    code = vd_part_file_create(&encoder->file, path, error);
    if (code == VD_OK)
        code = open_codec(encoder, error);
    if (code == VD_OK)
        code = open_format(encoder, error);
    if (code) {
        free_encoder(encoder);
        return code;
    }
    *ret_encoder = encoder;
    return VD_OK;
}

/* Ends the fragment under way and hands it to the system. */
static int flush_fragment(vd_encoder *encoder, vd_error *error)
{
    int av_code = av_write_frame(encoder->format, NULL);
    avio_flush(encoder->format->pb);
    if (av_code < 0 || encoder->file.failed_errno)
        return fail(encoder, VD_EIO, error, "a fragment could not be written");
    encoder->fragment_pictures = 0;
    encoder->fragment_is_new = true;
    if (vd_part_file_settle(&encoder->file))
        return fail(encoder, VD_EIO, error, "its name was taken by another file");
    return VD_OK;
}

/* Takes what the encoder has ready. */
static int drain(vd_encoder *encoder, vd_error *error)
{
    for (;;) {
        int av_code = avcodec_receive_packet(encoder->codec, encoder->packet);
        if (av_code == AVERROR(EAGAIN) || av_code == AVERROR_EOF)
            return VD_OK;
        if (av_code < 0)
            return fail(encoder, VD_EIO, error, "a picture could not be encoded");
        encoder->packet->stream_index = 0;
        encoder->packet->duration = encoder->ends_fragment ? LEAST_GAP : encoder->gap;
        av_packet_rescale_ts(encoder->packet, encoder->codec->time_base,
                             encoder->format->streams[0]->time_base);
        if (encoder->fragment_is_new)
            av_opt_set(encoder->format->priv_data, "movflags", "+frag_discont", 0);
        encoder->fragment_is_new = false;
        av_code = av_write_frame(encoder->format, encoder->packet);
        av_packet_unref(encoder->packet);
        if (av_code < 0 || encoder->file.failed_errno)
            return fail(encoder, VD_EIO, error, "a picture could not be written");
    }
}

static vd_image frame_image(const AVFrame *frame)
{
    return (vd_image){.format = VD_PIXEL_I420,
                      .color = VD_YUV_601_LIMITED,
                      .width = frame->width,
                      .height = frame->height,
                      .planes = {frame->data[0], frame->data[1], frame->data[2]},
                      .strides = {frame->linesize[0], frame->linesize[1], frame->linesize[2]}};
}

/* I420 in other colours goes by way of BGRX: players trust one kind of tag more than six. */
static int recolor(vd_encoder *encoder, const vd_image *image, const vd_image *target)
{
    vd_image *between = &encoder->scaled;
    if (!between->planes[0]) {
        int stride = encoder->options.width * 4;
        uint8_t *memory = malloc((size_t)stride * (size_t)encoder->options.height);
        if (!memory)
            return VD_ENOMEM;
        *between = (vd_image){.format = VD_PIXEL_BGRX,
                              .width = encoder->options.width,
                              .height = encoder->options.height,
                              .planes = {memory},
                              .strides = {stride}};
    }
    int code = vd_convert_scale(image, VD_FILTER_LINEAR, &encoder->scratch, between);
    if (code)
        return code;
    vd_image even = *between;
    even.width = encoder->width;
    even.height = encoder->height;
    return vd_convert_to_i420(&even, target);
}

static int fill_frame(vd_encoder *encoder, const vd_image *image)
{
    if (av_frame_make_writable(encoder->frame) < 0)
        return VD_ENOMEM;
    vd_image target = frame_image(encoder->frame);
    vd_image even = *image;
    even.width = encoder->width;
    even.height = encoder->height;
    if (image->format == VD_PIXEL_BGRX)
        return vd_convert_to_i420(&even, &target);
    if (image->color != VD_YUV_601_LIMITED)
        return recolor(encoder, image, &target);
    for (int i = 0; i < 3; i++)
        av_image_copy_plane(target.planes[i], target.strides[i], image->planes[i], image->strides[i],
                            i ? even.width / 2 : even.width, i ? even.height / 2 : even.height);
    return VD_OK;
}

static int check_image(const vd_encoder *encoder, const vd_image *image, vd_error *error)
{
    int code = vd_image_validate(image, error);
    if (code)
        return code;
    if (image->format != VD_PIXEL_BGRX && image->format != VD_PIXEL_I420)
        return vd_error_set(error, VD_EINVAL, encoder->file.path,
                            "Only BGRX and I420 pictures can be recorded.");
    if (image->width != encoder->options.width || image->height != encoder->options.height)
        return vd_error_set(error, VD_EINVAL, encoder->file.path,
                            "A picture of %d × %d pixels does not fit this recording of %d × %d.",
                            image->width, image->height, encoder->options.width, encoder->options.height);
    return VD_OK;
}

int vd_encoder_write(vd_encoder *encoder, const vd_image *image, int64_t time_ns, vd_error *error)
{
    if (encoder->failed)
        return fail(encoder, VD_EIO, error, NULL);
    int code = check_image(encoder, image, error);
    if (code)
        return code;
    int64_t fragment = av_rescale(encoder->options.fragment_ns, TIME_BASE, VD_NS_PER_S);
    int64_t pts = av_rescale(time_ns, TIME_BASE, VD_NS_PER_S);
    if (pts < 0)
        pts = 0;
    if (encoder->last_pts >= 0 && pts <= encoder->last_pts)
        pts = encoder->last_pts + LEAST_GAP;
    if (encoder->last_pts >= 0)
        encoder->gap = pts - encoder->last_pts;
    /* The stream paused, or pictures come slower than expected: what was there is whole as it is. */
    if (encoder->fragment_pictures > 0 && pts - encoder->fragment_pts >= fragment)
        code = flush_fragment(encoder, error);
    if (code)
        return code;
    code = fill_frame(encoder, image);
    if (code)
        return vd_error_set(error, code, encoder->file.path,
                            "There is not enough memory to record a picture.");

    bool first = encoder->fragment_pictures == 0;
    encoder->frame->pts = encoder->last_pts = pts;
    encoder->frame->pict_type = first ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
    if (first)
        encoder->fragment_pts = pts;
    encoder->fragment_pictures++;
    if (avcodec_send_frame(encoder->codec, encoder->frame) < 0)
        return fail(encoder, VD_EIO, error, "a picture could not be encoded");
    encoder->ends_fragment = pts + encoder->gap - encoder->fragment_pts >= fragment;
    code = drain(encoder, error);
    if (code == VD_OK && encoder->ends_fragment)
        code = flush_fragment(encoder, error);
    return code;
}

static int finish(vd_encoder *encoder, vd_error *error)
{
    if (encoder->failed)
        return fail(encoder, VD_EIO, error, NULL);
    if (encoder->last_pts < 0)
        return fail(encoder, VD_EIO, error, "no picture came, so there is no file");
    avcodec_send_frame(encoder->codec, NULL);
    int code = drain(encoder, error);
    if (code == VD_OK && encoder->fragment_pictures > 0)
        code = flush_fragment(encoder, error);
    if (code)
        return code;
    int av_code = av_write_trailer(encoder->format);
    avio_flush(encoder->format->pb);
    if (av_code < 0 || encoder->file.failed_errno)
        return fail(encoder, VD_EIO, error, "its end could not be written");
    return VD_OK;
}

int vd_encoder_close(vd_encoder **encoder, vd_error *error)
{
    vd_encoder *closing = *encoder;
    if (!closing)
        return VD_OK;
    *encoder = NULL;
    int code = finish(closing, error);
    int failure = vd_part_file_close(&closing->file, code == VD_OK);
    if (failure && code == VD_OK)
        code =
            vd_error_set(error, VD_EIO, NULL, "The recording could not be finished: %s.", strerror(failure));
    free_encoder(closing);
    return code;
}
