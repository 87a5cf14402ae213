/* Tracks of a time that was looked at before, and the events that their objects had then. Of the log's own
 * inside. */
#ifndef VD_EVENT_RECALL_H
#define VD_EVENT_RECALL_H

#include "event/log_state.h"

/* Gives tracks that are detected at a known moment and stand for no event the closed event whose trail is
 * where they are: of the same class, the best overlaps first, one event for one track. Takes it from those
 * that have left its trail. Nothing is allocated, and no event changes.
 *
 * subjects  beside moment->tracks, one each */
void vd_event_recall(const vd_event_log *log, const vd_event_moment *moment,
                     struct vd_event_subject *subjects);

#endif
