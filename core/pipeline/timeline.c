#include "pipeline/timeline.h"

#include <math.h>
#include <string.h>

void vd_timeline_init(vd_timeline *timeline, int capacity)
{
    memset(timeline, 0, sizeof *timeline);
    timeline->capacity = capacity;
    timeline->next_order = 1; /* 0: nothing submitted yet */
}

static void drop_results(vd_timeline *timeline)
{
    for (int i = 0; i < timeline->result_count; i++)
        vd_result_unref(&timeline->results[(timeline->result_head + i) % VD_TIMELINE_RESULTS].result);
    timeline->result_count = timeline->result_head = 0;
}

void vd_timeline_fini(vd_timeline *timeline)
{
    vd_timeline_flush(timeline);
    vd_frame_unref(&timeline->shown.frame);
    drop_results(timeline);
}

/* Boxes are measured in pixels: pictures of another size share none. */
static uint32_t serial_of(vd_timeline *timeline, const vd_frame *frame)
{
    const vd_image *image = &frame->image;
    if (frame->serial != timeline->source_serial || image->width != timeline->width ||
        image->height != timeline->height)
        timeline->serial++;
    timeline->source_serial = frame->serial;
    timeline->width = image->width;
    timeline->height = image->height;
    return timeline->serial;
}

void vd_timeline_push(vd_timeline *timeline, vd_frame *frame)
{
    int slot = (timeline->head + timeline->count++) % VD_TIMELINE_FRAMES;
    timeline->frames[slot] = (struct vd_timeline_entry){.at = {.order = timeline->next_order++,
                                                               .serial = serial_of(timeline, frame),
                                                               .time_s = frame->time_s},
                                                        .frame = frame};
}

const struct vd_timeline_entry *vd_timeline_peek(const vd_timeline *timeline, int i)
{
    return i < timeline->count ? &timeline->frames[(timeline->head + i) % VD_TIMELINE_FRAMES] : NULL;
}

static struct vd_timeline_entry pop(vd_timeline *timeline)
{
    struct vd_timeline_entry entry = timeline->frames[timeline->head];
    timeline->head = (timeline->head + 1) % VD_TIMELINE_FRAMES;
    timeline->count--;
    return entry;
}

void vd_timeline_drop(vd_timeline *timeline)
{
    struct vd_timeline_entry entry = pop(timeline);
    vd_frame_unref(&entry.frame);
}

void vd_timeline_show(vd_timeline *timeline)
{
    vd_frame_unref(&timeline->shown.frame);
    timeline->shown = pop(timeline);
}

void vd_timeline_flush(vd_timeline *timeline)
{
    while (timeline->count > 0)
        vd_timeline_drop(timeline);
    timeline->last_submitted = timeline->most_submitted = timeline->next_order - 1;
    timeline->ended = false;
}

void vd_timeline_forget_results(vd_timeline *timeline)
{
    drop_results(timeline);
    uint64_t oldest = timeline->shown.frame ? timeline->shown.at.order
                      : timeline->count > 0 ? vd_timeline_peek(timeline, 0)->at.order
                                            : timeline->next_order;
    if (timeline->last_submitted >= oldest)
        timeline->last_submitted = oldest - 1;
}

static const struct vd_timeline_result *result_at(const vd_timeline *timeline, int i)
{
    return &timeline->results[(timeline->result_head + i) % VD_TIMELINE_RESULTS];
}

void vd_timeline_add_result(vd_timeline *timeline, const vd_moment *at, vd_result *result)
{
    if (timeline->result_count == VD_TIMELINE_RESULTS) {
        vd_result_unref(&timeline->results[timeline->result_head].result);
        timeline->result_head = (timeline->result_head + 1) % VD_TIMELINE_RESULTS;
        timeline->result_count--;
    }
    int slot = (timeline->result_head + timeline->result_count++) % VD_TIMELINE_RESULTS;
    timeline->results[slot] = (struct vd_timeline_result){.at = *at, .result = result};
}

vd_result *vd_timeline_recall(const vd_timeline *timeline, const vd_moment *at)
{
    static const double same_time_s = 0.0005;
    for (int i = 0; i < timeline->result_count; i++) {
        const struct vd_timeline_result *entry = result_at(timeline, i);
        if (entry->at.serial != at->serial && entry->result &&
            fabs(entry->at.time_s - at->time_s) < same_time_s)
            return entry->result;
    }
    return NULL;
}

static bool is_submitted(const vd_timeline *timeline, const struct vd_timeline_entry *entry)
{
    return entry->at.order <= timeline->last_submitted;
}

const struct vd_timeline_entry *vd_timeline_next_live(const vd_timeline *timeline)
{
    const struct vd_timeline_entry *newest =
        timeline->count > 0 ? vd_timeline_peek(timeline, timeline->count - 1) : &timeline->shown;
    return newest->frame && !is_submitted(timeline, newest) ? newest : NULL;
}

/* The frame from which the search starts: the first that was not submitted, the shown one included. */
static int first_open(const vd_timeline *timeline)
{
    int i = 0;
    while (i < timeline->count && is_submitted(timeline, vd_timeline_peek(timeline, i)))
        i++;
    return i;
}

static const struct vd_timeline_entry *entry_before(const vd_timeline *timeline, int i)
{
    return i > 0 ? vd_timeline_peek(timeline, i - 1) : &timeline->shown;
}

/* What now_s, a time of the shown frame's round, is in the round of the i-th frame: as long before its first
 * frame as the rounds ahead of it still take. */
static double now_in_round_of(const vd_timeline *timeline, int i, double now_s)
{
    for (int k = 0; k <= i; k++) {
        const struct vd_timeline_entry *entry = vd_timeline_peek(timeline, k);
        const struct vd_timeline_entry *before = entry_before(timeline, k);
        if (entry->at.serial != before->at.serial)
            now_s += entry->at.time_s - (before->at.time_s + before->frame->duration_s);
    }
    return now_s;
}

const struct vd_timeline_entry *vd_timeline_next_of_file(const vd_timeline *timeline, double now_s,
                                                         double latency_s)
{
    if (timeline->shown.frame && !is_submitted(timeline, &timeline->shown))
        return &timeline->shown;
    int first = first_open(timeline);
    const struct vd_timeline_entry *next = vd_timeline_peek(timeline, first);
    if (!next)
        return NULL;
    bool opens_round = !timeline->shown.frame || entry_before(timeline, first)->at.serial != next->at.serial;
    if (opens_round || latency_s <= 0)
        return next;
    /* While this one is detected and then the one after it, nothing may come on screen that is not covered.
     */
    now_s = now_in_round_of(timeline, first, now_s);
    double covered_s = now_s + 2.2 * latency_s;
    const struct vd_timeline_entry *following = vd_timeline_peek(timeline, first + 1);
    if (following && following->at.time_s >= covered_s)
        return next;
    const struct vd_timeline_entry *last = next;
    for (int i = first; i < timeline->count; i++) {
        const struct vd_timeline_entry *entry = vd_timeline_peek(timeline, i);
        if (entry->at.serial != next->at.serial)
            return last; /* the round's last frame closes the span */
        last = entry;
        if (following && entry->at.time_s >= covered_s)
            return entry;
    }
    bool is_due = next->at.time_s <= now_s; /* waiting for the reader would only hold it up */
    return timeline->ended || vd_timeline_is_full(timeline) || is_due ? last : NULL;
}

void vd_timeline_mark_submitted(vd_timeline *timeline, const struct vd_timeline_entry *entry)
{
    if (entry->at.order > timeline->most_submitted) {
        timeline->skipped += entry->at.order - timeline->most_submitted - 1;
        timeline->most_submitted = entry->at.order;
    }
    timeline->last_submitted = entry->at.order;
}

void vd_timeline_around(const vd_timeline *timeline, const vd_moment *at,
                        const struct vd_timeline_result **ret_before,
                        const struct vd_timeline_result **ret_after)
{
    const struct vd_timeline_result *earlier = NULL, *before = NULL, *after = NULL;
    for (int i = 0; i < timeline->result_count && !after; i++) {
        const struct vd_timeline_result *entry = result_at(timeline, i);
        if (entry->at.serial != at->serial || !entry->result)
            continue;
        if (entry->at.order == at->order) {
            *ret_before = *ret_after = entry;
            return;
        }
        if (entry->at.order > at->order) {
            after = entry;
        } else {
            earlier = before;
            before = entry;
        }
    }
    if (after) {
        *ret_before = before;
        *ret_after = after;
    } else {
        *ret_before = earlier ? earlier : before;
        *ret_after = before;
    }
}

/* Invariant of the ring: results are in order, so the last one of a serial bounds what is covered. */
bool vd_timeline_is_covered(const vd_timeline *timeline, const vd_moment *at)
{
    bool before = false;
    for (int i = 0; i < timeline->result_count; i++) {
        const struct vd_timeline_result *entry = result_at(timeline, i);
        if (entry->at.serial != at->serial)
            continue;
        if (entry->at.order == at->order || (before && entry->at.order > at->order))
            return true;
        before = before || entry->at.order < at->order;
    }
    return false;
}

double vd_timeline_covered_until_s(const vd_timeline *timeline, const vd_moment *at)
{
    double until = at->time_s;
    if (!vd_timeline_is_covered(timeline, at))
        return until;
    for (int i = 0; i < timeline->result_count; i++) {
        const struct vd_timeline_result *entry = result_at(timeline, i);
        if (entry->at.serial == at->serial && entry->at.time_s > until)
            until = entry->at.time_s;
    }
    return until;
}
