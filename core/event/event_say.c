/* What others say of an event, and what the log says of itself. */
#include <math.h>

#include "event/log_state.h"
#include "frame/frame.h"

bool vd_event_log_set_request(vd_event_log *log, uint64_t id, uint64_t request, bool shadow)
{
    struct vd_event_slot *slot = vd_event_slot_of(log, id);
    if (!slot)
        return false;
    slot->event.request = request;
    slot->event.shadow = shadow;
    slot->event.verdict = VD_VERDICT_PENDING;
    vd_event_touch(log, slot);
    return true;
}

bool vd_event_log_set_verdict(vd_event_log *log, uint64_t request, vd_verdict verdict, vd_verdict_cause cause,
                              float score, double after_s)
{
    for (size_t i = 0; i < VD_EVENTS_MOST && request > 0; i++) {
        struct vd_event_slot *slot = &log->slots[i];
        if (slot->event.id == 0 || slot->event.request != request)
            continue;
        slot->event.verdict = verdict;
        slot->event.cause = cause;
        slot->event.score = score;
        slot->event.verdict_after_s = after_s;
        vd_event_touch(log, slot);
        return true;
    }
    return false;
}

bool vd_event_log_set_unverified(vd_event_log *log, uint64_t id, vd_verdict_cause cause)
{
    struct vd_event_slot *slot = vd_event_slot_of(log, id);
    if (!slot)
        return false;
    slot->event.verdict = VD_VERDICT_UNVERIFIED;
    slot->event.cause = cause;
    vd_event_touch(log, slot);
    return true;
}

bool vd_event_log_set_thumbnail(vd_event_log *log, uint64_t id, struct vd_frame *thumbnail)
{
    struct vd_event_slot *slot = vd_event_slot_of(log, id);
    if (!slot || id + VD_EVENT_THUMBNAILS <= log->last_id)
        return false;
    vd_frame_unref(&slot->event.thumbnail);
    slot->event.thumbnail = thumbnail;
    vd_event_touch(log, slot);
    return true;
}

bool vd_event_log_judge(vd_event_log *log, uint64_t id, vd_judgement judgement)
{
    struct vd_event_slot *slot = vd_event_slot_of(log, id);
    if (!slot)
        return false;
    slot->event.judgement = judgement;
    vd_event_touch(log, slot);
    return true;
}

/* --- What it says */

uint64_t vd_event_log_revision(const vd_event_log *log)
{
    return log->revision;
}

size_t vd_event_log_get(const vd_event_log *log, uint64_t since, vd_event *ret_events, size_t room)
{
    size_t count = 0;
    uint64_t oldest = log->last_id > VD_EVENTS_MOST ? log->last_id - VD_EVENTS_MOST : 0;
    for (uint64_t id = log->last_id; id > oldest && count < room; id--) {
        const struct vd_event_slot *slot = vd_event_slot_of(log, id);
        if (!slot || slot->changed <= since)
            continue;
        ret_events[count] = slot->event;
        if (slot->event.thumbnail)
            vd_frame_ref(slot->event.thumbnail);
        count++;
    }
    return count;
}

const vd_event *vd_event_log_next(const vd_event_log *log, uint64_t since, uint64_t *id)
{
    uint64_t oldest = log->last_id > VD_EVENTS_MOST ? log->last_id - VD_EVENTS_MOST : 0;
    for (*id = *id > oldest ? *id + 1 : oldest + 1; *id <= log->last_id; (*id)++) {
        const struct vd_event_slot *slot = vd_event_slot_of(log, *id);
        if (slot && slot->changed > since)
            return &slot->event;
    }
    return NULL;
}

const vd_event *vd_event_log_find(const vd_event_log *log, uint64_t id)
{
    const struct vd_event_slot *slot = vd_event_slot_of(log, id);
    return slot ? &slot->event : NULL;
}

const vd_event *vd_event_log_of_track(const vd_event_log *log, int track_id)
{
    for (size_t i = 0; i < log->count && track_id > 0; i++)
        if (vd_event_subject_id(&log->subjects[i]) == track_id)
            return vd_event_log_find(log, log->subjects[i].event_id);
    return NULL;
}

size_t vd_event_log_count_open(const vd_event_log *log)
{
    return log->open;
}

static double share(uint64_t part, uint64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : NAN;
}

vd_event_figures vd_event_log_figures(const vd_event_log *log)
{
    vd_event_figures figures = {.events = log->last_id};
    for (size_t i = 0; i < VD_EVENTS_MOST; i++) {
        const vd_event *event = &log->slots[i].event;
        if (event->id == 0 || event->judgement == VD_JUDGEMENT_NONE)
            continue;
        bool confirmed = event->judgement == VD_JUDGEMENT_CONFIRMED;
        bool passed = event->verdict != VD_VERDICT_REJECTED;
        figures.judged++;
        figures.confirmed += confirmed;
        figures.passed += passed;
        figures.passed_confirmed += passed && confirmed;
    }
    figures.precision_before = share(figures.confirmed, figures.judged);
    figures.precision_after = share(figures.passed_confirmed, figures.passed);
    figures.recall_after = share(figures.passed_confirmed, figures.confirmed);
    return figures;
}
