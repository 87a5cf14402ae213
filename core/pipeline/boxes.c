/* From results to boxes to draw: the frame's own, interpolated between two, or moved on from the last two. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "frame/frame.h"
#include "vedette/app/camera.h"

enum { MOST = VD_MAX_DETECTIONS };
static const double longest_prediction_s = 1.0;
static const double same_moment_s = 1e-6;
static const float weakest = 0.1f; /* that tracks go on with */

struct found {
    vd_detection items[MOST];
    size_t count;
};

static const vd_view_track *track_of(const vd_view *view, int track_id)
{
    for (int i = 0; i < view->track_count && track_id > 0; i++)
        if (view->tracks[i].track.id == track_id)
            return &view->tracks[i];
    return NULL;
}

/* Detections from the threshold up, and weaker ones of tracks that reached it. */
static void select_from(const vd_view *view, const vd_result *result, const vd_thresholds *thresholds,
                        struct found *found)
{
    vd_thresholds used = *thresholds;
    if (used.max_detections > MOST)
        used.max_detections = MOST;
    if (view->track_count > 0)
        used.confidence = fminf(weakest, used.confidence);
    size_t count = result ? vd_result_select(result, &used, found->items) : 0;
    found->count = 0;
    for (size_t i = 0; i < count; i++) {
        const vd_detection *item = &found->items[i];
        const vd_view_track *track =
            item->score < thresholds->confidence ? track_of(view, item->track_id) : NULL;
        if (item->score >= thresholds->confidence || (track && track->best >= thresholds->confidence))
            found->items[found->count++] = *item;
    }
}

static void write_label(const vd_result *result, const vd_detection *detection, char *out, size_t size)
{
    char score[16], track[16] = "";
    vd_text_number(score, sizeof score, (double)detection->score, 2);
    if (detection->track_id > 0)
        snprintf(track, sizeof track, " #%d", detection->track_id);
    snprintf(out, size, "%.60s %s%s", vd_labels_name(result->labels, detection->class_id), score, track);
}

/* A trail leads to the box's own foot. */
static void write_trail(const vd_view_track *track, vd_draw_box *out)
{
    int count = track->trail_count < VD_VIEW_TRAIL ? track->trail_count : VD_VIEW_TRAIL;
    memcpy(out->trail, track->trail, (size_t)count * sizeof out->trail[0]);
    out->trail[count] = (vd_draw_point){(out->box.x1 + out->box.x2) / 2, out->box.y2};
    out->trail_count = count > 0 ? count + 1 : 0;
}

static void put(const vd_view *view, const vd_result *result, const vd_detection *detection,
                const vd_box *box, vd_box_style style, vd_draw_box *out)
{
    const vd_view_track *track = track_of(view, detection->track_id);
    *out = (vd_draw_box){.box = *box, .style = style, .color = detection->class_id};
    write_label(result, detection, out->label, sizeof out->label);
    if (!track)
        return;
    out->mark = track->mark;
    write_trail(track, out);
}

/* How well two detections of different moments go together: their overlap, less their distance in sizes. So
 * that fast objects that no longer overlap still find each other; -1 when they cannot be the same. */
static double affinity(const vd_detection *a, const vd_detection *b)
{
    if (a->class_id != b->class_id)
        return -1;
    double dx = (double)(a->box.x1 + a->box.x2 - b->box.x1 - b->box.x2) / 2;
    double dy = (double)(a->box.y1 + a->box.y2 - b->box.y1 - b->box.y2) / 2;
    double size = hypot((double)(a->box.x2 - a->box.x1), (double)(a->box.y2 - a->box.y1));
    double distance = size > 0 ? hypot(dx, dy) / size : 2;
    double overlap = (double)vd_box_iou(&a->box, &b->box);
    return overlap > 0 || distance < 1 ? overlap - distance / 2 : -1;
}

/* One track, whatever the boxes say. */
static int find_track(const struct found *found, int track_id)
{
    for (size_t i = 0; i < found->count && track_id > 0; i++)
        if (found->items[i].track_id == track_id)
            return (int)i;
    return -1;
}

/* How well two may go together that no track joins. */
static double loose_affinity(const vd_detection *a, const vd_detection *b)
{
    return a->track_id > 0 && b->track_id > 0 ? -1 : affinity(a, b);
}

/* Pairs the detections of one track; then each that is left of `a` with the best free one of `b`, in the
 * order of their scores. partner[i] is its index or -1. */
static void pair(const struct found *a, const struct found *b, int partner[MOST])
{
    bool taken[MOST] = {false};
    for (size_t i = 0; i < a->count; i++) {
        partner[i] = find_track(b, a->items[i].track_id);
        if (partner[i] >= 0)
            taken[partner[i]] = true;
    }
    for (size_t i = 0; i < a->count; i++) {
        double best = -1;
        if (partner[i] >= 0)
            continue;
        for (size_t j = 0; j < b->count; j++) {
            double value = taken[j] ? -1 : loose_affinity(&a->items[i], &b->items[j]);
            if (value > best) {
                best = value;
                partner[i] = (int)j;
            }
        }
        if (partner[i] >= 0)
            taken[partner[i]] = true;
    }
}

/* The box at `share` of the way from a (0) to b (1); beyond 1 it goes on. In double: exact for linear
 * movement. */
static vd_box move(const vd_box *a, const vd_box *b, double share)
{
    return (vd_box){(float)((double)a->x1 + ((double)b->x1 - (double)a->x1) * share),
                    (float)((double)a->y1 + ((double)b->y1 - (double)a->y1) * share),
                    (float)((double)a->x2 + ((double)b->x2 - (double)a->x2) * share),
                    (float)((double)a->y2 + ((double)b->y2 - (double)a->y2) * share)};
}

static size_t own_boxes(const vd_view *view, const vd_result *result, const vd_thresholds *thresholds,
                        vd_box_style style, vd_draw_box *boxes, size_t room)
{
    struct found found;
    select_from(view, result, thresholds, &found);
    size_t count = found.count < room ? found.count : room;
    for (size_t i = 0; i < count; i++)
        put(view, result, &found.items[i], &found.items[i].box, style, &boxes[i]);
    return count;
}

static size_t boxes_between(const vd_view *view, const vd_thresholds *thresholds, double share,
                            vd_draw_box *boxes, size_t room)
{
    struct found before, after;
    int partner[MOST];
    bool paired[MOST] = {false};
    size_t count = 0;
    select_from(view, view->before, thresholds, &before);
    select_from(view, view->after, thresholds, &after);
    pair(&before, &after, partner);
    for (size_t i = 0; i < before.count && count < room; i++) {
        const vd_detection *a = &before.items[i];
        if (partner[i] >= 0) {
            const vd_detection *b = &after.items[partner[i]];
            vd_box box = move(&a->box, &b->box, share);
            paired[partner[i]] = true;
            put(view, share < 0.5 ? view->before : view->after, share < 0.5 ? a : b, &box, VD_BOX_DETECTED,
                &boxes[count++]);
        } else if (share < 0.5) {
            put(view, view->before, a, &a->box, VD_BOX_PREDICTED,
                &boxes[count++]); /* it was here a moment ago */
        }
    }
    for (size_t j = 0; j < after.count && count < room; j++)
        if (!paired[j] && share >= 0.5)
            put(view, view->after, &after.items[j], &after.items[j].box, VD_BOX_PREDICTED, &boxes[count++]);
    return count;
}

/* A detection of the last result moved on as its track foretells; false when no track does. */
static bool foretell(const vd_view *view, const vd_detection *detection, vd_box *ret_box)
{
    const vd_view_track *shown = track_of(view, detection->track_id);
    if (!shown || fabs(shown->track.time_s - view->after_s) >= same_moment_s || shown->track.hits < 3)
        return false;
    vd_box then = vd_track_predict(&shown->track, view->time_s), now = shown->track.box;
    vd_box moved = {detection->box.x1 + then.x1 - now.x1, detection->box.y1 + then.y1 - now.y1,
                    detection->box.x2 + then.x2 - now.x2, detection->box.y2 + then.y2 - now.y2};
    if (!(moved.x1 < moved.x2) || !(moved.y1 < moved.y2))
        return false;
    *ret_box = moved;
    return true;
}

/* Beyond the last result: each of its boxes goes on as its track foretells, else as it went since the one
 * before. */
static size_t boxes_beyond(const vd_view *view, const vd_thresholds *thresholds, double share,
                           vd_draw_box *boxes, size_t room)
{
    struct found before, after;
    int partner[MOST];
    size_t count = 0;
    select_from(view, view->before, thresholds, &before);
    select_from(view, view->after, thresholds, &after);
    pair(&after, &before, partner);
    for (size_t j = 0; j < after.count && count < room; j++) {
        const vd_detection *b = &after.items[j];
        vd_box box = partner[j] >= 0 ? move(&before.items[partner[j]].box, &b->box, share) : b->box;
        foretell(view, b, &box);
        put(view, view->after, b, &box, VD_BOX_PREDICTED, &boxes[count++]);
    }
    return count;
}

size_t vd_view_get_boxes(const vd_view *view, const vd_thresholds *thresholds, vd_draw_box *ret_boxes,
                         size_t room)
{
    if (!view->after)
        return 0;
    if (fabs(view->time_s - view->after_s) < same_moment_s)
        return own_boxes(view, view->after, thresholds, VD_BOX_DETECTED, ret_boxes, room);
    if (view->time_s > view->after_s + longest_prediction_s)
        return 0;
    double span = view->after_s - view->before_s;
    if (!view->before || view->before == view->after || span < same_moment_s)
        return view->time_s > view->after_s
                   ? own_boxes(view, view->after, thresholds, VD_BOX_PREDICTED, ret_boxes, room)
                   : 0;
    double share = (view->time_s - view->before_s) / span;
    if (view->time_s < view->after_s)
        return boxes_between(view, thresholds, share, ret_boxes, room);
    return boxes_beyond(view, thresholds, share, ret_boxes, room);
}

void vd_view_clear(vd_view *view)
{
    vd_frame_unref(&view->picture);
    vd_result_unref(&view->before);
    vd_result_unref(&view->after);
    *view = (vd_view){0};
}
