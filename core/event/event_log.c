/* From tracks to events: what stands still where, which event a track stands for, when one opens and closes.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "event/recall.h"
#include "frame/frame.h"

/* Boxes that overlap less than this are at another place: what is parked shakes, and is not seen whole. */
static const float same_place = 0.5f;
/* What stood for less than this before its track ended was only passing. */
static const double least_stay_s = 2;
/* An event's trail leads back to where its track began, unless that is longer ago. */
static const double longest_start_s = 1;

int vd_event_log_new(vd_event_log **ret_log)
{
    vd_event_log *log = calloc(1, sizeof *log);
    if (!log)
        return VD_ENOMEM;
    *ret_log = log;
    return VD_OK;
}

void vd_event_log_free(vd_event_log **pointer)
{
    vd_event_log *log = *pointer;
    *pointer = NULL;
    if (!log)
        return;
    for (size_t i = 0; i < VD_EVENTS_MOST; i++)
        vd_event_clear(&log->slots[i].event);
    free(log->subjects);
    free(log->next);
    free(log);
}

static void close_event(vd_event_log *log, struct vd_event_slot *slot)
{
    slot->event.closed = true;
    log->open--;
    vd_event_touch(log, slot);
}

/* --- Places where something stands */

static void remember_place(vd_event_log *log, const struct vd_event_subject *subject)
{
    struct vd_event_place *oldest = &log->places[0];
    for (size_t i = 0; i < VD_EVENT_PLACES && oldest->used; i++)
        if (!log->places[i].used || log->places[i].seen_s < oldest->seen_s)
            oldest = &log->places[i];
    *oldest = (struct vd_event_place){
        .box = subject->anchor, .since_s = subject->still_since_s, .seen_s = subject->seen_s, .used = true};
}

/* Since when something has been standing where this track appeared; it takes the place over. */
static double since_when(vd_event_log *log, const vd_track *track, double longest_s)
{
    double since_s = track->first_s;
    for (size_t i = 0; i < VD_EVENT_PLACES; i++) {
        struct vd_event_place *place = &log->places[i];
        if (place->used && track->first_s - place->seen_s > longest_s)
            place->used = false; /* it has left */
        if (!place->used || vd_box_iou(&place->box, &track->detected) < same_place)
            continue;
        since_s = fmin(since_s, place->since_s);
        place->used = false;
    }
    return since_s;
}

/* --- Subjects */

static bool reserve(vd_event_log *log, size_t count)
{
    size_t room = log->room > 0 ? log->room : 16;
    while (room < count)
        room *= 2;
    if (room == log->room)
        return true;
    struct vd_event_subject *subjects = reallocarray(log->subjects, room, sizeof *subjects);
    if (subjects)
        log->subjects = subjects;
    struct vd_event_subject *next = subjects ? reallocarray(log->next, room, sizeof *next) : NULL;
    if (!next)
        return false;
    log->next = next;
    log->room = room;
    return true;
}

static void end_subject(vd_event_log *log, const struct vd_event_subject *subject)
{
    struct vd_event_slot *slot = vd_event_slot_of(log, subject->event_id);
    if (slot && slot->event.track_id == subject->track_id)
        slot->orphan = true;
    if (subject->seen_s - subject->still_since_s >= least_stay_s)
        remember_place(log, subject);
}

static struct vd_event_subject begin_subject(vd_event_log *log, const vd_track *track, double longest_s)
{
    return (struct vd_event_subject){.serial = track->serial,
                                     .class_id = track->class_id,
                                     .first = track->detected,
                                     .anchor = track->detected,
                                     .still_since_s = since_when(log, track, longest_s),
                                     .seen_s = track->seen_s};
}

static void follow(struct vd_event_subject *subject, const vd_track *track)
{
    subject->track_id = track->id;
    if (track->detection < 0)
        return;
    subject->seen_s = track->seen_s;
    if (vd_box_iou(&subject->anchor, &track->box) >= same_place)
        return;
    subject->anchor = track->box;
    subject->still_since_s = track->seen_s;
}

/* --- From tracks to events */

static bool is_wanted(const vd_thresholds *thresholds, int class_id)
{
    uint64_t any = 0;
    for (int i = 0; i < 16; i++)
        any |= thresholds->classes[i];
    return any == 0 ||
           (class_id >= 0 && class_id < 1024 && (thresholds->classes[class_id / 64] >> (class_id % 64) & 1));
}

static bool may_open(const vd_event_rules *rules, const struct vd_event_subject *subject,
                     const vd_track *track)
{
    static const double rounding_s = 1e-6;
    double side = fmin((double)track->detected.x2 - (double)track->detected.x1,
                       (double)track->detected.y2 - (double)track->detected.y1);
    return track->state == VD_TRACK_CONFIRMED &&
           track->seen_s - track->first_s >= rules->confirm_s - rounding_s &&
           track->confidence >= rules->thresholds.confidence && side >= rules->least_size_px &&
           is_wanted(&rules->thresholds, track->class_id) &&
           track->seen_s - subject->still_since_s < rules->parked_s;
}

static bool shows_the_same(float a, float b)
{
    return lroundf(a * 100) == lroundf(b * 100);
}

static void set_class(vd_event *event, int class_id, const vd_labels *labels)
{
    event->class_id = class_id;
    vd_text_copy(event->class_name, sizeof event->class_name, vd_labels_name(labels, class_id));
}

static void refresh(vd_event_log *log, struct vd_event_slot *slot, const vd_track *track,
                    const vd_labels *labels)
{
    vd_event *event = &slot->event;
    if (track->detection < 0 || event->closed)
        return;
    bool changed = !shows_the_same(event->confidence, track->confidence);
    event->seen_s = track->seen_s;
    event->confidence = track->confidence;
    slot->last = track->detected;
    if (track->score > event->box_score) {
        event->box = track->detected;
        event->box_score = track->score;
    }
    if (track->class_id != event->class_id) {
        set_class(event, track->class_id, labels);
        changed = true;
    }
    if (changed)
        vd_event_touch(log, slot);
}

static void begin_trail(vd_event_log *log, uint64_t id, const struct vd_event_subject *subject,
                        const vd_track *track)
{
    struct vd_event_trail *trail = vd_event_trail_of(log, id);
    vd_event_trail_begin(trail);
    if (track->seen_s - track->first_s <= longest_start_s)
        vd_event_trail_add(trail, track->first_s, &subject->first, subject->class_id);
    vd_event_trail_add(trail, track->seen_s, &track->detected, track->class_id);
}

/* An event that was recalled goes on as well, where its track leads beyond what is known. */
static void go_on_with_trail(vd_event_log *log, uint64_t id, const vd_track *track)
{
    struct vd_event_trail *trail = vd_event_trail_of(log, id);
    if (trail && track->detection >= 0 && trail->count > 0)
        vd_event_trail_add(trail, track->seen_s, &track->detected, track->class_id);
}

/* Of the event that is not among the newest any more: each comes past here once, whether or not those after
 * it got pictures of their own. */
static void give_picture_back(vd_event_log *log, uint64_t id)
{
    struct vd_event_slot *slot = vd_event_slot_of(log, id);
    if (!slot || !slot->event.thumbnail)
        return;
    vd_frame_unref(&slot->event.thumbnail);
    vd_event_touch(log, slot);
}

static uint64_t open_event(vd_event_log *log, const vd_track *track, const vd_event_moment *moment)
{
    uint64_t id = ++log->last_id;
    struct vd_event_slot *slot = &log->slots[(id - 1) % VD_EVENTS_MOST];
    if (slot->event.id > 0 && !slot->event.closed)
        log->open--; /* the oldest leaves, open as it is */
    vd_event_clear(&slot->event);
    slot->event = (vd_event){.id = id,
                             .track_id = track->id,
                             .opened_frame = moment->frame_index,
                             .opened_s = moment->time_s,
                             .seen_s = track->seen_s,
                             .opened_unix_ms = moment->unix_ms,
                             .confidence = track->confidence,
                             .box = track->detected,
                             .box_score = track->score};
    set_class(&slot->event, track->class_id, moment->labels);
    slot->last = track->detected;
    slot->orphan = false;
    log->open++;
    vd_event_touch(log, slot);
    give_picture_back(log, id > VD_EVENT_THUMBNAILS ? id - VD_EVENT_THUMBNAILS : 0);
    return id;
}

/* The open event of a track that ended where this one appeared, or 0. */
static uint64_t adopt(vd_event_log *log, const vd_track *track)
{
    uint64_t oldest = log->last_id > VD_EVENTS_MOST ? log->last_id - VD_EVENTS_MOST : 0;
    for (uint64_t id = log->last_id; log->open > 0 && id > oldest; id--) {
        struct vd_event_slot *slot = vd_event_slot_of(log, id);
        if (!slot || slot->event.closed || !slot->orphan || slot->event.class_id != track->class_id ||
            vd_box_iou(&slot->last, &track->detected) < same_place)
            continue;
        slot->orphan = false;
        slot->event.track_id = track->id;
        vd_event_touch(log, slot);
        return id;
    }
    return 0;
}

static void close_unseen(vd_event_log *log, double time_s, double absence_s)
{
    for (size_t i = 0; i < VD_EVENTS_MOST && log->open > 0; i++) {
        struct vd_event_slot *slot = &log->slots[i];
        if (slot->event.id > 0 && !slot->event.closed && time_s - slot->event.seen_s > absence_s)
            close_event(log, slot);
    }
}

/* Takes one track in; the id of an event that it opened, or 0. */
static uint64_t take_track(vd_event_log *log, const vd_event_rules *rules, const vd_event_moment *moment,
                           const vd_track *track, struct vd_event_subject *subject, bool room)
{
    follow(subject, track);
    if (subject->event_id == 0 && track->state == VD_TRACK_CONFIRMED)
        subject->event_id = adopt(log, track);
    struct vd_event_slot *slot = vd_event_slot_of(log, subject->event_id);
    if (slot)
        refresh(log, slot, track, moment->labels);
    if (moment->comes_again && !moment->known)
        go_on_with_trail(log, subject->event_id, track);
    if (subject->event_id > 0 || !room || !may_open(rules, subject, track))
        return 0;
    if (moment->known) {
        subject->event_id = VD_EVENT_HAD_ONE;
        return 0;
    }
    subject->event_id = open_event(log, track, moment);
    if (moment->comes_again)
        begin_trail(log, subject->event_id, subject, track);
    return subject->event_id;
}

/* The ended ones leave their places and events to those that begin. */
static void end_unfollowed(vd_event_log *log, const vd_event_moment *moment)
{
    for (size_t i = 0, at = 0; i < log->count; i++) {
        while (at < moment->count && moment->tracks[at].serial < log->subjects[i].serial)
            at++;
        if (at == moment->count || moment->tracks[at].serial != log->subjects[i].serial)
            end_subject(log, &log->subjects[i]);
    }
}

/* The subjects of this moment, in log->next. */
static void find_subjects(vd_event_log *log, const vd_event_moment *moment, double longest_s)
{
    for (size_t i = 0, old = 0; i < moment->count; i++) {
        const vd_track *track = &moment->tracks[i];
        while (old < log->count && log->subjects[old].serial < track->serial)
            old++;
        bool is_known = old < log->count && log->subjects[old].serial == track->serial;
        log->next[i] = is_known ? log->subjects[old] : begin_subject(log, track, longest_s);
    }
}

size_t vd_event_log_update(vd_event_log *log, const vd_event_rules *rules, const vd_event_moment *moment,
                           uint64_t *ret_opened, size_t room)
{
    size_t opened = 0;
    if (log->begun && moment->time_s < log->time_s)
        vd_event_log_cut(log);
    if (!reserve(log, moment->count))
        return 0;
    log->begun = true;
    log->time_s = moment->time_s;
    end_unfollowed(log, moment);
    find_subjects(log, moment, rules->parked_s);
    if (moment->known)
        vd_event_recall(log, moment, log->next);
    for (size_t i = 0; i < moment->count; i++) {
        uint64_t id = take_track(log, rules, moment, &moment->tracks[i], &log->next[i], opened < room);
        if (id > 0)
            ret_opened[opened++] = id;
    }
    struct vd_event_subject *spare = log->subjects;
    log->subjects = log->next;
    log->next = spare;
    log->count = moment->count;
    close_unseen(log, moment->time_s, rules->absence_s);
    return opened;
}

void vd_event_log_cut(vd_event_log *log)
{
    for (size_t i = 0; i < VD_EVENTS_MOST && log->open > 0; i++)
        if (log->slots[i].event.id > 0 && !log->slots[i].event.closed)
            close_event(log, &log->slots[i]);
    memset(log->places, 0, sizeof log->places);
    log->count = 0;
    log->begun = false;
}

void vd_event_log_forget_trails(vd_event_log *log)
{
    for (size_t i = 0; i < VD_EVENTS_MOST; i++)
        if (log->trails[i].count > 0)
            log->trails[i].count = 0;
}

void vd_event_log_ids(const vd_event_log *log, const vd_track *tracks, size_t count, int *ret_ids)
{
    for (size_t i = 0, at = 0; i < count; i++) {
        while (at < log->count && log->subjects[at].serial < tracks[i].serial)
            at++;
        bool is_known = at < log->count && log->subjects[at].serial == tracks[i].serial;
        ret_ids[i] = is_known ? vd_event_subject_id(&log->subjects[at]) : tracks[i].id;
    }
}
