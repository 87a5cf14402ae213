/* Packets in, pictures out. Damage is counted and stepped over; only what ends the stream is an error. */
#include <libavutil/imgutils.h>

#include "base/clock.h"
#include "media/av_source.h"

enum { MAX_FAILURES = 32 };

/* A camera that does not block is asked again after this long. */
static const int64_t camera_pause_ns = 3 * VD_NS_PER_MS;

static void set_deadline(vd_av_source *source)
{
    if (source->opening)
        return;
    bool patient = source->kind == VD_AV_FILE;
    source->deadline_ns = patient ? INT64_MAX : vd_clock_now_ns() + source->options.stall_timeout_ns;
}

/* A packet came. While opening, the first key picture may still take as long again: some cameras send one
 * only every ten seconds. */
static void extend_deadline(vd_av_source *source)
{
    if (source->opening)
        source->deadline_ns = source->opened_at_ns + 2 * source->options.open_timeout_ns;
    else
        set_deadline(source);
}

static bool interrupted(const vd_av_source *source)
{
    return vd_cancel_requested(source->cancel) || vd_clock_now_ns() >= source->deadline_ns;
}

/* Damage is worth another try; a device or network that failed is not. */
static bool is_damage(const vd_av_source *source, int av_code)
{
    return av_code == AVERROR_INVALIDDATA || (source->kind == VD_AV_FILE && av_code == AVERROR_PATCHWELCOME);
}

/* The next packet of our stream. 0 or libav's code. */
static int read_packet(vd_av_source *source)
{
    for (;;) {
        int av_code = av_read_frame(source->format, source->packet);
        if (interrupted(source)) { /* what came may be half a packet */
            av_packet_unref(source->packet);
            return AVERROR_EXIT;
        }
        if (av_code == 0 && source->packet->stream_index == source->stream) {
            source->failures = 0;
            if (source->packet_dts == AV_NOPTS_VALUE)
                source->packet_dts = source->packet->dts;
            extend_deadline(source);
            return 0;
        }
        if (av_code == 0) {
            av_packet_unref(source->packet);
        } else if (av_code == AVERROR(EAGAIN)) {
            vd_cancel_sleep_until(source->cancel, vd_clock_now_ns() + camera_pause_ns);
        } else if (is_damage(source, av_code) && ++source->failures < MAX_FAILURES) {
            source->stats.broken++;
        } else if (is_damage(source, av_code) && !source->opening) {
            return AVERROR_EOF; /* what came has been shown; nothing more can be read */
        } else {
            return av_code;
        }
    }
}

/* Gives the decoder its next packet, or the end. VD_OK or an error. */
static int feed(vd_av_source *source, vd_error *error)
{
    int av_code = read_packet(source);
    if (av_code == AVERROR_EOF) {
        source->drained = true;
        avcodec_send_packet(source->decoder, NULL);
        return VD_OK;
    }
    if (av_code < 0)
        return vd_av_refuse(source, av_code, error);
    av_code = avcodec_send_packet(source->decoder, source->packet);
    av_packet_unref(source->packet);
    if (av_code == AVERROR(ENOMEM))
        return vd_av_refuse(source, av_code, error);
    if (av_code < 0)
        source->stats.broken++;
    return VD_OK;
}

static bool is_usable(const AVFrame *frame)
{
    return frame->width >= 1 && frame->height >= 1 && frame->width <= VD_IMAGE_MAX_SIDE &&
           frame->height <= VD_IMAGE_MAX_SIDE && (int64_t)frame->width * frame->height <= VD_AV_MAX_PIXELS &&
           frame->data[0];
}

static void keep(vd_av_source *source, vd_av_picture *picture)
{
    av_frame_unref(picture->frame);
    av_frame_move_ref(picture->frame, source->scratch);
    if (picture->frame->decode_error_flags || (picture->frame->flags & AV_FRAME_FLAG_CORRUPT))
        source->stats.broken++;
    picture->arrived_ns = vd_clock_now_ns();
    picture->full = true;
    vd_av_clock_place(source, picture);
}

int vd_av_decode(vd_av_source *source, vd_av_picture *picture, vd_error *error)
{
    set_deadline(source);
    for (;;) {
        if (vd_cancel_requested(source->cancel))
            return vd_av_refuse(source, AVERROR_EXIT, error);
        int av_code = avcodec_receive_frame(source->decoder, source->scratch);
        if (av_code == 0 && is_usable(source->scratch)) {
            keep(source, picture);
            return VD_OK;
        }
        if (av_code == AVERROR_EOF || (av_code < 0 && av_code != AVERROR(EAGAIN) && source->drained))
            return vd_av_refuse(source, AVERROR_EOF, error);
        if (av_code == AVERROR(ENOMEM))
            return vd_av_refuse(source, av_code, error);
        if (av_code != AVERROR(EAGAIN)) {
            source->stats.broken++;
            av_frame_unref(source->scratch);
            continue;
        }
        int code = feed(source, error);
        if (code)
            return code;
    }
}
