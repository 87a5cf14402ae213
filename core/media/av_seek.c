/* Winding to an exact picture: from the key frame before it where the stream's clock can be trusted, else
 * from the start of the file. Pictures on the way are decoded but take no frame of the pool. */
#include <math.h>

#include "base/clock.h"
#include "media/av_source.h"

static void empty(vd_av_picture *picture)
{
    av_frame_unref(picture->frame);
    picture->full = false;
}

static void swap(vd_av_source *source)
{
    vd_av_picture first = source->next[0];
    source->next[0] = source->next[1];
    source->next[1] = first;
}

/* How far a stamp may lie behind the wanted time and still be meant: containers round to a millisecond. */
static double tolerance_s(const vd_av_source *source)
{
    double step_s = source->info.frames_per_s > 0 ? 1 / source->info.frames_per_s : 0.04;
    return fmin(0.001, step_s / 4);
}

/* Decodes until next[0] is the picture shown at `time_s`; next[0] holds one at or before it. */
static int go_forward(vd_av_source *source, double time_s, vd_error *error)
{
    double tolerance = tolerance_s(source);
    while (source->next[0].time_s < time_s - tolerance) {
        int code = vd_av_decode(source, &source->next[1], error);
        if (code == VD_EEND)
            return VD_OK; /* beyond the end: the last picture */
        if (code)
            return code;
        if (source->next[1].time_s > time_s + tolerance)
            return VD_OK;
        swap(source);
        empty(&source->next[1]);
    }
    return VD_OK;
}

static bool can_use_stamps(const vd_av_source *source)
{
    return !source->info.is_image && !source->use_arrival && source->clock.started && !source->clock.jumped &&
           !isnan(source->clock.origin_s) && source->info.frames_per_s > 0 &&
           !(source->format->iformat->flags & AVFMT_NOTIMESTAMPS);
}

/* True when the stream now stands at or before `time_s`, its picture in next[0]. The search by stamps may
 * land behind the wanted picture (reordered pictures, no key frame there): then it starts further ahead. */
static bool go_to_key_frame(vd_av_source *source, double time_s)
{
    double time_base_s = av_q2d(vd_av_stream(source)->time_base);
    for (double back_s = 0;; back_s = 2 * back_s + 1) {
        double wanted_s = fmax(0, time_s - back_s) + source->clock.origin_s + tolerance_s(source);
        if (av_seek_frame(source->format, source->stream, (int64_t)floor(wanted_s / time_base_s),
                          AVSEEK_FLAG_BACKWARD) < 0)
            return false;
        avcodec_flush_buffers(source->decoder);
        source->drained = false;
        source->packet_dts = AV_NOPTS_VALUE;
        source->clock.relocate = true;
        int code = vd_av_decode(source, &source->next[0], NULL);
        if (code == VD_OK && !source->clock.relocate &&
            source->next[0].time_s <= time_s + tolerance_s(source))
            return true;
        empty(&source->next[0]);
        if ((code && code != VD_EEND) || back_s >= time_s)
            return false;
    }
}

static int go_to_start(vd_av_source *source, vd_error *error)
{
    bool jumped = source->clock.jumped; /* once seen, the stamps of this file are not used again */
    vd_av_close_stream(source);
    vd_av_clock_reset(&source->clock);
    source->clock.jumped = jumped;
    source->opened_at_ns = vd_clock_now_ns();
    source->deadline_ns = source->opened_at_ns + source->options.open_timeout_ns;
    int code = vd_av_open_stream(source, error);
    return code ? code : vd_av_decode(source, &source->next[0], error);
}

int vd_av_seek(void *state, double time_s, vd_error *error)
{
    vd_av_source *source = state;
    empty(&source->next[0]);
    empty(&source->next[1]);
    source->serial++;
    if (!(time_s > 0))
        time_s = 0;
    if (!source->format || !can_use_stamps(source) || !go_to_key_frame(source, time_s)) {
        if (vd_cancel_requested(source->cancel))
            return vd_error_set(error, VD_ECANCELED, source->place, "Winding %s was cancelled.",
                                source->place);
        int code = go_to_start(source, error);
        if (code)
            return code;
    }
    return go_forward(source, time_s, error);
}
