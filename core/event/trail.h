/* Where an event's object was: a sparse trail of boxes over time, so that a time that comes again finds it. A
 * plain value; no memory of its own. */
#ifndef VD_EVENT_TRAIL_H
#define VD_EVENT_TRAIL_H

#include <stdbool.h>

#include "vedette/detection.h"

enum { VD_EVENT_POINTS = 64 };

struct vd_event_point {
    float after_s; /* since the trail's first */
    int class_id;
    vd_box box; /* as detected */
};

struct vd_event_trail {
    double first_s; /* stream time */
    float step_s;   /* points are as far apart, the newest aside; doubled whenever the trail is full */
    int count;      /* 0: empty */
    struct vd_event_point points[VD_EVENT_POINTS];
};

/* Empties it. */
void vd_event_trail_begin(struct vd_event_trail *trail);

/* Another box, later than all of the trail; else it is left out. A full trail loses every second point. */
void vd_event_trail_add(struct vd_event_trail *trail, double time_s, const vd_box *box, int class_id);

/* Where it was, linear between two points, and the class of the nearer one. False where nothing is known:
 * before and after the trail, and in a gap of more than 1 s and more than the trail's own steps. A bit beyond
 * either end its box is held: other pictures may have been looked at the time before. */
bool vd_event_trail_at(const struct vd_event_trail *trail, double time_s, vd_box *ret_box, int *ret_class_id);

#endif
