/* A camera's events: opened by tracks, kept for a while, told their verdicts. A state machine over values; no
 * threads, no clock: its owner (the camera) calls it under its own lock.
 *
 *   (track) -> OPEN   [confirmed, rules met, not parked, no event of it yet]
 *   OPEN    -> CLOSED [its track not seen for absence_s]
 *   A closed event stays in the log until VD_EVENTS_MOST newer ones have come. */
#ifndef VD_EVENT_EVENT_LOG_H
#define VD_EVENT_EVENT_LOG_H

#include "track/track.h"
#include "vedette/app/event.h"

enum { VD_EVENTS_MOST = 500 };

typedef struct vd_event_log vd_event_log;

int vd_event_log_new(vd_event_log **ret_log);
void vd_event_log_free(vd_event_log **log);

/* After every detected frame.
 *
 * tracks        of this frame (confirmed ones may open events)
 * ret_opened    room for `room` ids of events that were opened by this frame
 * Returns how many were. */
size_t vd_event_log_update(vd_event_log *log, const vd_event_rules *rules, double time_s, int64_t frame_index,
                           const vd_track *tracks, size_t count, const vd_labels *labels,
                           uint64_t *ret_opened, size_t room);

/* Forgets which tracks stand for which events (a seek, another model); the events stay, closed. */
void vd_event_log_cut(vd_event_log *log);

/* Sets what became of a request; false when no event of the log has it. */
bool vd_event_log_set_verdict(vd_event_log *log, uint64_t request, vd_verdict verdict, vd_verdict_cause cause,
                              float score, double after_s);
/* The request of an event; its verdict becomes PENDING. */
bool vd_event_log_set_request(vd_event_log *log, uint64_t id, uint64_t request, bool shadow);
bool vd_event_log_set_thumbnail(vd_event_log *log, uint64_t id,
                                struct vd_frame *thumbnail); /* takes it if true */
bool vd_event_log_judge(vd_event_log *log, uint64_t id, vd_judgement judgement);

/* Rises with every change of anything. */
uint64_t vd_event_log_revision(const vd_event_log *log);

/* The newest `room` events, newest first, with references of their own. */
size_t vd_event_log_get(const vd_event_log *log, vd_event *ret_events, size_t room);

/* The event that a track stands for now; NULL: none. Borrowed. */
const vd_event *vd_event_log_of_track(const vd_event_log *log, int track_id);

vd_event_figures vd_event_log_figures(const vd_event_log *log);

#endif
