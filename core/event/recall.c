#include "event/recall.h"

/* With a trail's box: who is given its event, and who has left it. Between the two it is kept. */
static const float least_overlap = 0.5f, left_overlap = 0.2f;

enum { PAIRS = 256 }; /* what finds no room waits for the next moment */

struct pair {
    uint64_t event_id;
    size_t subject;
    float overlap;
};

struct pairs {
    struct pair items[PAIRS];
    size_t count;
};

static void let_go(const vd_event_log *log, const vd_event_moment *moment, struct vd_event_subject *subject,
                   const vd_track *track)
{
    vd_box box;
    int class_id;
    const struct vd_event_trail *trail = vd_event_trail_of(log, subject->event_id);
    if (!subject->recalled || track->detection < 0 || !trail ||
        !vd_event_trail_at(trail, moment->time_s, &box, &class_id) ||
        vd_box_iou(&box, &track->detected) >= left_overlap)
        return;
    subject->event_id = VD_EVENT_HAD_ONE;
    subject->recalled = false;
    if (subject->alias > 0)
        subject->track_id = 0; /* its own has not been shown yet */
    subject->alias = 0;
}

static bool is_taken(const struct vd_event_subject *subjects, size_t count, uint64_t event_id)
{
    for (size_t i = 0; i < count; i++)
        if (subjects[i].event_id == event_id)
            return true;
    return false;
}

static bool is_free(const struct vd_event_subject *subject)
{
    return subject->event_id == 0 || subject->event_id == VD_EVENT_HAD_ONE;
}

static void pair_event(const vd_event *event, const vd_box *box, int class_id, const vd_event_moment *moment,
                       const struct vd_event_subject *subjects, struct pairs *pairs)
{
    for (size_t i = 0; i < moment->count && pairs->count < PAIRS; i++) {
        const vd_track *track = &moment->tracks[i];
        bool fits = track->detection >= 0 && is_free(&subjects[i]) &&
                    (track->class_id == class_id || track->class_id == event->class_id);
        float overlap = fits ? vd_box_iou(box, &track->detected) : 0;
        if (overlap >= least_overlap)
            pairs->items[pairs->count++] = (struct pair){event->id, i, overlap};
    }
}

static void find_pairs(const vd_event_log *log, const vd_event_moment *moment,
                       const struct vd_event_subject *subjects, struct pairs *pairs)
{
    vd_box box;
    int class_id;
    for (size_t i = 0; i < VD_EVENTS_MOST; i++) {
        const vd_event *event = &log->slots[i].event;
        if (event->id > 0 && event->closed &&
            vd_event_trail_at(&log->trails[i], moment->time_s, &box, &class_id) &&
            !is_taken(subjects, moment->count, event->id))
            pair_event(event, &box, class_id, moment, subjects, pairs);
    }
}

/* The event's own id, unless the track has been shown under another one: ids do not jump. */
static void take(const vd_event_log *log, struct vd_event_subject *subject, uint64_t event_id)
{
    subject->event_id = event_id;
    subject->recalled = true;
    subject->alias = subject->track_id == 0 ? vd_event_slot_of(log, event_id)->event.track_id : 0;
}

void vd_event_recall(const vd_event_log *log, const vd_event_moment *moment,
                     struct vd_event_subject *subjects)
{
    struct pairs pairs;
    pairs.count = 0;
    for (size_t i = 0; i < moment->count; i++)
        let_go(log, moment, &subjects[i], &moment->tracks[i]);
    find_pairs(log, moment, subjects, &pairs);
    while (pairs.count > 0) {
        size_t best = 0, left = 0;
        for (size_t i = 1; i < pairs.count; i++)
            best = pairs.items[i].overlap > pairs.items[best].overlap ? i : best;
        struct pair chosen = pairs.items[best];
        take(log, &subjects[chosen.subject], chosen.event_id);
        for (size_t i = 0; i < pairs.count; i++)
            if (pairs.items[i].event_id != chosen.event_id && pairs.items[i].subject != chosen.subject)
                pairs.items[left++] = pairs.items[i];
        pairs.count = left;
    }
}
