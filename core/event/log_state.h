/* The inside of a log of events, shared by the files that make it up.
 *
 * The log is a ring of slots in which an event's place follows from its id. Beside it stand the subjects, one
 * a track of the tracker and in its order, and the places where something stood still when its track ended.
 *
 * Invariants
 * 1. Ids rise by one; event `id` is in slot (id - 1) % VD_EVENTS_MOST, or has left the log.
 * 2. Subjects are sorted by their track's serial, as the tracker's tracks are.
 * 3. An open event is `orphan` as soon as no subject stands for it.
 * 4. No event but the newest VD_EVENT_THUMBNAILS has a picture. */
#ifndef VD_EVENT_LOG_STATE_H
#define VD_EVENT_LOG_STATE_H

#include "event/event_log.h"

enum { VD_EVENT_PLACES = 64 };

struct vd_event_slot {
    vd_event event;
    uint64_t changed; /* revision of the log */
    vd_box last;      /* where it was seen last */
    bool orphan;
};

/* A track, and since when it has been standing where it stands. */
struct vd_event_subject {
    uint64_t serial;
    int track_id;
    uint64_t event_id; /* 0: none yet */
    vd_box anchor;
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
};

/* NULL: the log has no such event. */
static inline struct vd_event_slot *vd_event_slot_of(const vd_event_log *log, uint64_t id)
{
    const struct vd_event_slot *slot = id > 0 ? &log->slots[(id - 1) % VD_EVENTS_MOST] : NULL;
    return slot && slot->event.id == id ? (struct vd_event_slot *)slot : NULL;
}

/* It changed, and people would see it. */
static inline void vd_event_touch(vd_event_log *log, struct vd_event_slot *slot)
{
    slot->changed = ++log->revision;
    slot->event.revision++;
}

#endif
