/* The inside of a tracker, shared by the files that make it up. */
#ifndef VD_TRACK_TRACKER_H
#define VD_TRACK_TRACKER_H

#include "vedette/app/track.h"

enum { VD_TRACK_SCORES = 257, VD_TRACK_VOTES = 4 };

/* What a track remembers beyond its own value. */
struct vd_track_memory {
    uint32_t scores[VD_TRACK_SCORES]; /* how often each score came, by 1/256 */
    struct {
        int class_id;
        double sum; /* of scores */
    } votes[VD_TRACK_VOTES];
    int vote_count;
};

struct vd_tracker {
    vd_track_options options;
    double time_s; /* of the last moment */
    bool begun;
    uint64_t last_serial;
    int last_id;

    vd_track *tracks; /* oldest first */
    struct vd_track_memory *memories;
    size_t count, room;

    /* of one update */
    int *match;          /* a track: index of its detection or -1 */
    int *owner;          /* a detection: index of its track, or one of enum vd_owner */
    int *rows, *columns; /* tracks and detections of a stage */
    int *pairs;          /* what was assigned */
    double *costs;
    void *scratch;
    size_t track_room, detection_room; /* what all of these have room for */
};

enum vd_owner {
    VD_OWNER_NONE = -1,    /* free */
    VD_OWNER_UNUSABLE = -2 /* to be passed over */
};

/* Fills match and owner: which detection belongs to which track at this moment. Tracks have been moved on to
 * it; owner tells what is unusable. */
void vd_tracker_associate(vd_tracker *tracker, const vd_detection *detections, size_t count);

#endif
