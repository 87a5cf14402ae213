/* What the camera remembers of its tracks: where each was over the last seconds. Trails on the picture, boxes
 * of clips and predictions come from it. Plain state; the camera holds its lock around every call. */
#ifndef VD_PIPELINE_HISTORY_H
#define VD_PIPELINE_HISTORY_H

#include "vedette/app/camera.h"
#include "vedette/app/track.h"
#include "vedette/app/verify.h"

enum { VD_SIGHTS = 96 }; /* at most 30 a second: what is read ahead, and a trail behind the picture */

/* A track at a moment at which there was a detection result. */
struct vd_sight {
    double time_s;
    vd_box box;   /* as detected, or foretold where it was not */
    int class_id; /* of the detection; -1: not detected */
    float score;
};

struct vd_trace {
    uint32_t place; /* serial of the timeline: of another round or place nothing is joined */
    vd_track track; /* its newest value */
    int shown_id;   /* what it is called on the picture; 0: nothing yet */
    float best;     /* the highest score so far */
    bool gone;      /* the tracker has it no more */
    struct vd_sight sights[VD_SIGHTS]; /* ring, oldest first */
    int head, count;
};

typedef struct vd_history {
    struct vd_trace **traces; /* oldest first */
    size_t count, room;
    struct vd_trace *spare[16]; /* ended ones, to be used again */
    int spare_count;
} vd_history;

/* Zeroed to start. */
void vd_history_fini(vd_history *history);

/* Takes in the tracks of a moment. Memory grows with the most tracks at once; a track for which there is none
 * is left out.
 *
 * ids         what they are called on the picture (vd_event_log_ids); NULL: by their own ids
 * detections  what was given to the tracker */
void vd_history_update(vd_history *history, uint32_t place, double time_s, const vd_track *tracks,
                       const int *ids, size_t count, const vd_detection *detections);

/* The tracks belong to the past (a seek, another model): they stay for the pictures that still show them. */
void vd_history_cut(vd_history *history);

/* By the track's own id; NULL: not remembered. Borrowed until the next update. */
const struct vd_trace *vd_history_find(const vd_history *history, int track_id);

/* What a trace says about a time: its box, linear between two detections and held beyond the first and the
 * last; its class and score there, -1 and 0 where it was not detected. */
struct vd_sight vd_trace_at(const struct vd_trace *trace, double time_s);

double vd_trace_first_s(const struct vd_trace *trace);
double vd_trace_last_s(const struct vd_trace *trace); /* of the last detection */

/* Fills in what a picture at that place and time shows of the tracks: ids, trails, predictions. The verdicts
 * are left. Returns how many. */
int vd_history_show(const vd_history *history, uint32_t place, double time_s, vd_view_track *ret_tracks,
                    int room);

#endif
