/* The inside of a log of events, shared by the files that make it up.
 *
 * The log is a ring of slots in which an event's place follows from its id. Beside it stand the subjects, one
 * a track of the tracker and in its order, the places where something stood still when its track ended, and
 * of a stream whose times come again the trails of the events.
 *
 * Invariants
 * 1. Ids rise by one; event `id` is in slot (id - 1) % VD_EVENTS_MOST, or has left the log.
 * 2. Subjects are sorted by their track's serial, as the tracker's tracks are.
 * 3. An open event is `orphan` as soon as no subject stands for it.
 * 4. A subject that was `recalled` stands for a closed event, which it does not change; no two subjects stand
 *    for one event.
 * 5. No event but the newest VD_EVENT_THUMBNAILS has a picture. */
#ifndef VD_EVENT_LOG_STATE_H
#define VD_EVENT_LOG_STATE_H

#include "event/event_log.h"
#include "event/trail.h"

enum { VD_EVENT_PLACES = 64 };

/* In place of an event's id: the track had its event when this part of the stream was looked at before. */
#define VD_EVENT_HAD_ONE UINT64_MAX

struct vd_event_slot {
    vd_event event;
    uint64_t changed; /* revision of the log */
    vd_box last;      /* where it was seen last */
    bool orphan;
};

/* A track, and since when it has been standing where it stands. */
struct vd_event_subject {
    uint64_t serial;
    int track_id, class_id; /* the class when it began */
    int alias;              /* the id that it is shown under, of the event that was recalled; 0: its own */
    uint64_t event_id;      /* 0: none yet */
    bool recalled;          /* event_id is of the time before */
    vd_box first, anchor;
    double still_since_s, seen_s;
};

struct vd_event_place {
    vd_box box;
    double since_s, seen_s;
    bool used;
};

struct vd_event_log {
    uint64_t last_id, revision;
    size_t open;
    double time_s;
    bool begun;
    struct vd_event_subject *subjects, *next; /* of the last moment; of the one being taken in */
    size_t count, room;
    struct vd_event_place places[VD_EVENT_PLACES];
    struct vd_event_slot slots[VD_EVENTS_MOST];
    struct vd_event_trail trails[VD_EVENTS_MOST]; /* beside the slots; a live camera's are never touched */
};

/* The id that a track is shown under. */
static inline int vd_event_subject_id(const struct vd_event_subject *subject)
{
    return subject->alias > 0 ? subject->alias : subject->track_id;
}

/* NULL: the log has no such event. */
static inline struct vd_event_slot *vd_event_slot_of(const vd_event_log *log, uint64_t id)
{
    const struct vd_event_slot *slot = id > 0 ? &log->slots[(id - 1) % VD_EVENTS_MOST] : NULL;
    return slot && slot->event.id == id ? (struct vd_event_slot *)slot : NULL;
}

/* NULL as above. */
static inline struct vd_event_trail *vd_event_trail_of(const vd_event_log *log, uint64_t id)
{
    const struct vd_event_slot *slot = vd_event_slot_of(log, id);
    return slot ? (struct vd_event_trail *)&log->trails[slot - log->slots] : NULL;
}

/* It changed, and people would see it. */
static inline void vd_event_touch(vd_event_log *log, struct vd_event_slot *slot)
{
    slot->changed = ++log->revision;
    slot->event.revision++;
}

#endif
