/* Stream time: from 0 at the first picture, always rising, whatever the stream's own clock does (33-bit
 * wraps, restarts, missing stamps). A jump shifts everything that follows, so that times go on by one
 * picture's duration. */
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "media/av_source.h"

/* Longer silences in streams whose clock may be set anew are taken as a new clock. */
static const double greatest_gap_s = 10;

enum { MAX_SEEN = 1 << 20 };

void vd_av_clock_reset(vd_av_clock *clock)
{
    *clock = (vd_av_clock){.origin_s = NAN, .constant_rate = true};
}

double vd_av_clock_raw(const vd_av_source *source, const AVFrame *frame)
{
    if (frame->best_effort_timestamp == AV_NOPTS_VALUE)
        return NAN;
    return (double)frame->best_effort_timestamp * av_q2d(vd_av_stream(source)->time_base);
}

static int64_t frame_duration(const AVFrame *frame)
{
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(57, 30, 100)
    return frame->duration;
#else
    return frame->pkt_duration;
#endif
}

static double nominal_step_s(const vd_av_source *source)
{
    if (source->info.frames_per_s > 0)
        return 1 / source->info.frames_per_s;
    return source->clock.step_s > 0 ? source->clock.step_s : 0.04;
}

/* The number of pictures shown before the one that was read first after winding, by the container's own
 * index; -1 when that index is not complete. */
static int64_t count_before(const vd_av_source *source)
{
    AVStream *stream = source->format->streams[source->stream];
    int entries = avformat_index_get_entries_count(stream);
    if (entries < 1 || entries < stream->nb_frames || stream->nb_frames < 1 ||
        source->packet_dts == AV_NOPTS_VALUE)
        return -1;
    int64_t shown = 0;
    for (int i = 0; i < entries; i++) {
        const AVIndexEntry *entry = avformat_index_get_entry(stream, i);
        if (entry->timestamp >= source->packet_dts)
            return shown;
        if (!(entry->flags & AVINDEX_DISCARD_FRAME))
            shown++;
    }
    return -1;
}

/* Remembers when pictures are shown, so that one can be numbered again after winding: eleven hours at 25 a
 * second. */
static void remember(vd_av_source *source, const vd_av_picture *picture)
{
    if (source->info.is_live || picture->index != source->seen_count || picture->index >= MAX_SEEN)
        return;
    if (source->seen_count == source->seen_room) {
        int64_t room = source->seen_room ? 2 * source->seen_room : 1024;
        double *longer = realloc(source->seen_s, (size_t)room * sizeof *longer);
        if (!longer)
            return;
        source->seen_s = longer;
        source->seen_room = room;
    }
    source->seen_s[source->seen_count++] = picture->time_s;
}

/* The number of the picture that was shown at `time_s`; -1 when none is remembered. */
static int64_t recall(const vd_av_source *source, double time_s)
{
    static const double tolerance_s = 0.0005;
    int64_t low = 0, high = source->seen_count;
    while (low < high) {
        int64_t middle = (low + high) / 2;
        if (source->seen_s[middle] < time_s - tolerance_s)
            low = middle + 1;
        else
            high = middle;
    }
    return low < source->seen_count && source->seen_s[low] <= time_s + tolerance_s ? low : -1;
}

static void relocate(vd_av_source *source, double raw_s)
{
    vd_av_clock *clock = &source->clock;
    clock->last_s = fmax(0, raw_s - clock->origin_s);
    clock->shift_s = -clock->origin_s;
    int64_t counted = clock->constant_rate ? -1 : recall(source, clock->last_s);
    if (counted < 0 && !clock->constant_rate)
        counted = count_before(source);
    clock->index = counted >= 0 ? counted : llround(clock->last_s * source->info.frames_per_s);
    clock->relocate = false;
}

static void go_on(vd_av_source *source, double raw_s)
{
    vd_av_clock *clock = &source->clock;
    double next_s = clock->last_s + nominal_step_s(source);
    double time_s = raw_s + clock->shift_s;
    if (isnan(raw_s)) {
        clock->jumped = true;
        time_s = next_s;
    } else if (isnan(clock->origin_s)) {
        clock->origin_s = raw_s - next_s;
        clock->shift_s = -clock->origin_s;
        time_s = next_s;
    } else {
        bool may_restart = source->info.is_live || (source->format->iformat->flags & AVFMT_TS_DISCONT);
        if (time_s <= clock->last_s || (may_restart && time_s - clock->last_s > greatest_gap_s)) {
            clock->jumped = true;
            clock->shift_s = next_s - raw_s;
            time_s = next_s;
        }
    }
    clock->step_s = time_s - clock->last_s;
    clock->last_s = time_s;
}

void vd_av_clock_place(vd_av_source *source, vd_av_picture *picture)
{
    vd_av_clock *clock = &source->clock;
    double raw_s = vd_av_clock_raw(source, picture->frame);
    if (source->first_arrival_ns == 0)
        source->first_arrival_ns = picture->arrived_ns;
    if (source->use_arrival)
        raw_s = (double)(picture->arrived_ns - source->first_arrival_ns) / VD_NS_PER_S;

    if (!clock->started) {
        clock->started = true;
        clock->origin_s = raw_s;
        clock->shift_s = isnan(raw_s) ? 0 : -raw_s;
        clock->last_s = 0;
    } else if (clock->relocate && !isnan(raw_s)) {
        relocate(source, raw_s);
    } else {
        go_on(source, raw_s);
    }

    picture->time_s = clock->last_s;
    picture->index = clock->index++;
    double position = picture->time_s * source->info.frames_per_s;
    if (source->info.frames_per_s <= 0 || fabs(position - (double)picture->index) > 0.3)
        clock->constant_rate = false;
    double duration_s = (double)frame_duration(picture->frame) * av_q2d(vd_av_stream(source)->time_base);
    remember(source, picture);
    bool stated = duration_s > 0 && !source->use_arrival && !clock->constant_rate;
    picture->duration_s = stated ? duration_s : nominal_step_s(source);
}
