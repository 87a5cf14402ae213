/* A camera's events: opened by tracks, kept for a while, told their verdicts. A state machine over values; no
 * threads, no clock: its owner (the camera) calls it under its own lock.
 *
 *   (track) -> OPEN   [confirmed, rules met, not parked, no event of it yet]
 *   OPEN    -> CLOSED [its track not seen for absence_s]
 *   A closed event stays in the log until VD_EVENTS_MOST newer ones have come.
 *
 * An event whose track ended goes on with a new track of its class that appears where it was seen last: an id
 * that changes is no new event.
 *
 * A file is wound back. At a time that was looked at before a track opens nothing: by the trail that every
 * event keeps of its boxes it is recognised on its first detection, and stands for the event of then, under
 * its id and with its verdict, for as long as it follows the trail. */
#ifndef VD_EVENT_EVENT_LOG_H
#define VD_EVENT_EVENT_LOG_H

#include "vedette/app/event.h"
#include "vedette/app/track.h"

/* Only the newest events keep their pictures. */
enum { VD_EVENTS_MOST = 500, VD_EVENT_THUMBNAILS = 64 };

typedef struct vd_event_log vd_event_log;

/* VD_OK or VD_ENOMEM. */
int vd_event_log_new(vd_event_log **ret_log);
void vd_event_log_free(vd_event_log **log); /* accepts NULL and sets it */

/* A moment of the source, as the tracker saw it. */
typedef struct vd_event_moment {
    double time_s;           /* of the stream; before the last one: as after vd_event_log_cut */
    int64_t frame_index;     /* of the source */
    int64_t unix_ms;         /* wall clock */
    const vd_track *tracks;  /* all that the tracker has, in its order */
    size_t count;            /* at most VD_TRACK_TRACKS */
    const vd_labels *labels; /* NULL: `class N` */
    bool comes_again;        /* a file, whose times may be looked at again: events keep trails */
    bool known;              /* looked at before, as after a seek back: opens nothing, then or later */
} vd_event_moment;

/* After every detected frame. Memory grows with the most tracks at once and with nothing else; without any
 * the moment is passed over.
 *
 * ret_opened  room for `room` ids of events that were opened by this frame; more wait for the next
 * Returns how many were. */
size_t vd_event_log_update(vd_event_log *log, const vd_event_rules *rules, const vd_event_moment *moment,
                           uint64_t *ret_opened, size_t room);

/* Forgets which tracks stand for which events, and what is parked where (a seek, another model); the events
 * stay, closed. */
void vd_event_log_cut(vd_event_log *log);

/* No event is recalled any more: the times that come are of another round, or another model looks. */
void vd_event_log_forget_trails(vd_event_log *log);

/* The ids that the tracks of the last moment are shown under: their own, or those that their objects had when
 * this time was looked at before. No two are the same.
 *
 * ret_ids  one for each track; 0: none yet */
void vd_event_log_ids(const vd_event_log *log, const vd_track *tracks, size_t count, int *ret_ids);

/* The request of an event; its verdict becomes PENDING. False when the log has no such event; so below. */
bool vd_event_log_set_request(vd_event_log *log, uint64_t id, uint64_t request, bool shadow);

/* What became of a request. False when no event of the log has it. */
bool vd_event_log_set_verdict(vd_event_log *log, uint64_t request, vd_verdict verdict, vd_verdict_cause cause,
                              float score, double after_s);

/* An event that could not even ask: UNVERIFIED at once. */
bool vd_event_log_set_unverified(vd_event_log *log, uint64_t id, vd_verdict_cause cause);

/* Takes the picture if true. False as well for an event that is not among the newest VD_EVENT_THUMBNAILS:
 * these alone have pictures, and the log gives an older one's back when a newer event opens. */
bool vd_event_log_set_thumbnail(vd_event_log *log, uint64_t id, struct vd_frame *thumbnail);
bool vd_event_log_judge(vd_event_log *log, uint64_t id, vd_judgement judgement);

/* Rises with every change that a person would see. What only goes on (seen_s, box) is none. */
uint64_t vd_event_log_revision(const vd_event_log *log);

/* The newest `room` events that changed after the revision `since` (0: all), newest first, with references of
 * their own. Returns their number. */
size_t vd_event_log_get(const vd_event_log *log, uint64_t since, vd_event *ret_events, size_t room);

/* The next event that changed after the revision `since`, oldest first; NULL: no more. Borrowed until the
 * next change.
 *
 * id  0 to begin; rises to the event's */
const vd_event *vd_event_log_next(const vd_event_log *log, uint64_t since, uint64_t *id);

/* One event; NULL: not in the log. Borrowed until the next change. */
const vd_event *vd_event_log_find(const vd_event_log *log, uint64_t id);

/* The event that a track stands for now; NULL: none. Borrowed until the next change.
 *
 * track_id  as vd_event_log_ids has it */
const vd_event *vd_event_log_of_track(const vd_event_log *log, int track_id);

/* Over the events in the log; `events` counts all that were ever opened. */
vd_event_figures vd_event_log_figures(const vd_event_log *log);
size_t vd_event_log_count_open(const vd_event_log *log);

#endif
