#include "pipeline/history.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* How long a track that ended is kept: a trail and what is read ahead. */
static const double keep_s = 4;
static const double trail_s = 2, trail_step_s = 0.125;
/* Sights are kept this far apart; a newer one takes the place of the last. */
static const double sight_step_s = 1.0 / 31;

void vd_history_fini(vd_history *history)
{
    for (size_t i = 0; i < history->count; i++)
        free(history->traces[i]);
    for (int i = 0; i < history->spare_count; i++)
        free(history->spare[i]);
    free(history->traces);
    *history = (vd_history){0};
}

static const struct vd_sight *sight_at(const struct vd_trace *trace, int i)
{
    return &trace->sights[(trace->head + i) % VD_SIGHTS];
}

static void add_sight(struct vd_trace *trace, const struct vd_sight *sight)
{
    if (trace->count >= 2 && sight->time_s - sight_at(trace, trace->count - 2)->time_s < sight_step_s) {
        trace->count--; /* too close to the one before the last: the last was not needed */
    } else if (trace->count == VD_SIGHTS) {
        trace->head = (trace->head + 1) % VD_SIGHTS;
        trace->count--;
    }
    trace->sights[(trace->head + trace->count++) % VD_SIGHTS] = *sight;
}

static struct vd_trace *add_trace(vd_history *history)
{
    if (history->count == history->room) {
        size_t room = history->room > 0 ? 2 * history->room : 16;
        struct vd_trace **traces = reallocarray(history->traces, room, sizeof(struct vd_trace *));
        if (!traces)
            return NULL;
        history->traces = traces;
        history->room = room;
    }
    struct vd_trace *trace =
        history->spare_count > 0 ? history->spare[--history->spare_count] : malloc(sizeof *trace);
    if (trace)
        history->traces[history->count++] = trace;
    return trace;
}

static void drop_trace(vd_history *history, struct vd_trace *trace)
{
    if (history->spare_count < (int)(sizeof history->spare / sizeof *history->spare))
        history->spare[history->spare_count++] = trace;
    else
        free(trace);
}

/* Traces of another place go with the second cut after them: by then no picture shows them. */
static void drop_old(vd_history *history, uint32_t place, double time_s)
{
    size_t left = 0;
    for (size_t i = 0; i < history->count; i++) {
        struct vd_trace *trace = history->traces[i];
        bool old = trace->place == place ? trace->gone && time_s - trace->track.seen_s > keep_s
                                         : place - trace->place > 1;
        if (old)
            drop_trace(history, trace);
        else
            history->traces[left++] = trace;
    }
    history->count = left;
}

static struct vd_trace *trace_of(const vd_history *history, uint32_t place, uint64_t serial)
{
    for (size_t i = history->count; i-- > 0;)
        if (history->traces[i]->track.serial == serial && history->traces[i]->place == place &&
            !history->traces[i]->gone)
            return history->traces[i];
    return NULL;
}

/* A tracker's tracks come in the order in which they began, as the traces do: one walk finds them all. */
void vd_history_update(vd_history *history, uint32_t place, double time_s, const vd_track *tracks,
                       const int *ids, size_t count, const vd_detection *detections)
{
    for (size_t i = 0, at = 0; i < history->count; i++) {
        struct vd_trace *trace = history->traces[i];
        while (at < count && tracks[at].serial < trace->track.serial)
            at++;
        trace->gone = trace->gone || at == count || tracks[at].serial != trace->track.serial;
    }
    drop_old(history, place, time_s);
    for (size_t i = 0; i < count; i++) {
        const vd_track *track = &tracks[i];
        struct vd_trace *trace = trace_of(history, place, track->serial);
        if (!trace) {
            trace = add_trace(history);
            if (!trace)
                return;
            trace->place = place;
            trace->best = 0;
            trace->gone = false;
            trace->head = trace->count = 0;
        }
        bool seen = track->detection >= 0;
        trace->track = *track;
        trace->shown_id = ids ? ids[i] : track->id;
        trace->best = fmaxf(trace->best, seen ? track->score : 0);
        add_sight(trace, &(struct vd_sight){.time_s = time_s,
                                            .box = seen ? track->detected : track->box,
                                            .class_id = seen ? detections[track->detection].class_id : -1,
                                            .score = seen ? track->score : 0});
    }
}

void vd_history_cut(vd_history *history)
{
    for (size_t i = 0; i < history->count; i++)
        history->traces[i]->gone = true;
}

const struct vd_trace *vd_history_find(const vd_history *history, int track_id)
{
    for (size_t i = history->count; i-- > 0 && track_id > 0;)
        if (history->traces[i]->track.id == track_id)
            return history->traces[i];
    return NULL;
}

static double between(float a, float b, double share)
{
    return (double)a + ((double)b - (double)a) * share;
}

static vd_box box_between(const struct vd_sight *a, const struct vd_sight *b, double time_s)
{
    double share = (time_s - a->time_s) / (b->time_s - a->time_s);
    return (vd_box){(float)between(a->box.x1, b->box.x1, share), (float)between(a->box.y1, b->box.y1, share),
                    (float)between(a->box.x2, b->box.x2, share), (float)between(a->box.y2, b->box.y2, share)};
}

struct vd_sight vd_trace_at(const struct vd_trace *trace, double time_s)
{
    const struct vd_sight *before = NULL, *after = NULL, *nearest = sight_at(trace, 0);
    for (int i = 0; i < trace->count; i++) {
        const struct vd_sight *sight = sight_at(trace, i);
        if (fabs(sight->time_s - time_s) <= fabs(nearest->time_s - time_s))
            nearest = sight;
        if (sight->class_id < 0)
            continue;
        if (sight->time_s <= time_s)
            before = sight;
        else if (!after)
            after = sight;
    }
    struct vd_sight found = *nearest;
    found.time_s = time_s;
    if (before && after)
        found.box = box_between(before, after, time_s);
    else if (before || after)
        found.box = before ? before->box : after->box;
    return found;
}

double vd_trace_first_s(const struct vd_trace *trace)
{
    return trace->track.first_s;
}

double vd_trace_last_s(const struct vd_trace *trace)
{
    return trace->track.seen_s;
}

static vd_draw_point foot_of(const vd_box *box)
{
    return (vd_draw_point){(box->x1 + box->x2) / 2, box->y2};
}

/* From the newest sight that is not after the picture backwards, then turned round. */
static int fill_trail(const struct vd_trace *trace, double time_s, vd_draw_point *trail)
{
    int count = 0;
    double last_s = INFINITY;
    for (int i = trace->count; i-- > 0 && count < VD_VIEW_TRAIL;) {
        const struct vd_sight *sight = sight_at(trace, i);
        if (sight->time_s > time_s || sight->time_s < time_s - trail_s || sight->class_id < 0 ||
            sight->time_s > last_s - trail_step_s)
            continue;
        last_s = sight->time_s;
        trail[count++] = foot_of(&sight->box);
    }
    for (int i = 0; i < count / 2; i++) {
        vd_draw_point point = trail[i];
        trail[i] = trail[count - 1 - i];
        trail[count - 1 - i] = point;
    }
    return count;
}

int vd_history_show(const vd_history *history, uint32_t place, double time_s, vd_view_track *ret_tracks,
                    int room)
{
    int count = 0;
    for (size_t i = history->count; i-- > 0 && count < room;) { /* the newest, where there are too many */
        const struct vd_trace *trace = history->traces[i];
        if (trace->place != place || trace->shown_id == 0)
            continue;
        vd_view_track *shown = &ret_tracks[count++];
        shown->track = trace->track;
        shown->track.id = trace->shown_id;
        shown->best = trace->best;
        shown->mark = VD_MARK_NONE;
        shown->trail_count = fill_trail(trace, time_s, shown->trail);
    }
    return count;
}
