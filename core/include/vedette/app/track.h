/* Tracks: detections of the same object at different moments under one id.
 *
 * A tracker takes the detections of one moment after another and tells which belong together, in two stages
 * as ByteTrack does (Zhang et al., ByteTrack: Multi-Object Tracking by Associating Every Detection Box, ECCV
 * 2022): those with a high score first, then those with a low one for tracks that found none. Everything is
 * reckoned in elapsed seconds, nothing in frames. It has no threads and no clock; one thread at a time.
 * Linked into our programs, no part of libvedette. */
#ifndef VEDETTE_APP_TRACK_H
#define VEDETTE_APP_TRACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vedette/detection.h"
#include "vedette/error.h"

enum { VD_TRACK_DETECTIONS = 1024, VD_TRACK_TRACKS = 1024 }; /* at one moment */

/* "Sizes" are means of a box's width and height, so that near and far objects are measured alike. */
typedef struct vd_track_options {
    float start_score;   /* 0 to 1, default 0.25: the least score that starts a track */
    float keep_score;    /* 0 to start_score, default 0.1: the least score that goes on with one */
    double lost_s;       /* 0.1 to 10, default 1.0: a track that is not seen for longer ends */
    double tentative_s;  /* 0.05 to lost_s, default 0.3: the same while it has one detection and no id */
    double confirm_s;    /* 0 to 10, default 0.3: the age at which it is established */
    double gap_s;        /* lost_s to 600, default 5: nothing is carried over a longer gap */
    double acceleration; /* sizes/s^1.5, 0.05 to 20, default 1.2: how freely objects change their speed */
    double speed;        /* sizes/s, 0.1 to 50, default 2: how fast new objects may be */
    double noise;        /* sizes, 0.005 to 0.5, default 0.06: how far detections lie beside their objects */
    double gate;         /* 2 to 50, default 13.3: a detection farther off, as a squared distance in standard
                            deviations over four dimensions, is another object; 1 in 100 is lost by it */
    double same_iou;     /* 0.5 to 1, default 0.7: detections of any class that overlap more are one object */
} vd_track_options;

#define VD_TRACK_OPTIONS_INIT                                                                                \
    {                                                                                                        \
        .start_score = 0.25f, .keep_score = 0.1f, .lost_s = 1.0, .tentative_s = 0.3, .confirm_s = 0.3,       \
        .gap_s = 5.0, .acceleration = 1.2, .speed = 2.0, .noise = 0.06, .gate = 13.3, .same_iou = 0.7        \
    }

/* Sets lost_s, and what is bound to it: a first sight lasts no longer, and what is carried over a gap is
 * carried at least so long. */
void vd_track_options_set_lost(vd_track_options *options, double lost_s);

/* VD_OK, or VD_EINVAL with the sentence that says which field is wrong. Any thread. */
int vd_track_options_validate(const vd_track_options *options, vd_error *error);

typedef enum vd_track_state {
    VD_TRACK_TENTATIVE, /* one detection so far; no id */
    VD_TRACK_CONFIRMED, /* two or more, and one of them at this moment */
    VD_TRACK_LOST       /* confirmed before, not seen at this moment */
} vd_track_state;

/* One coordinate of a moving box under a Kalman filter: value, speed, and how sure they are. */
typedef struct vd_track_axis {
    double value, speed;          /* pixels, pixels/s */
    double var, cross, speed_var; /* covariance */
} vd_track_axis;

/* A track at one moment: a plain value. */
typedef struct vd_track {
    uint64_t serial; /* from 1, of this tracker alone; never used again */
    int id;          /* from 1, never used again; 0 while tentative */
    vd_track_state state;
    int class_id;       /* what its detections say most, by their scores */
    vd_box box;         /* the filter's */
    vd_box detected;    /* as detected last */
    int detection;      /* index of this moment's detection; -1 when there is none */
    float score;        /* of the last detection */
    float confidence;   /* median of its scores, to 1/256 */
    double time_s;      /* the moment */
    double first_s;     /* first and … */
    double seen_s;      /* … last detection; its age is the difference */
    int hits;           /* detections */
    bool predicted;     /* `box` is foretold: nothing was detected at this moment */
    bool established;   /* old enough for an event to open */
    vd_track_axis x, y; /* centre */
    vd_track_axis width, height;
} vd_track;

typedef struct vd_tracker vd_tracker;

/* VD_OK, VD_EINVAL or VD_ENOMEM. */
int vd_tracker_new(const vd_track_options *options, vd_tracker **ret_tracker, vd_error *error);
void vd_tracker_free(vd_tracker **tracker); /* accepts NULL and sets it */

/* Ends every track (a seek, another source). Ids go on rising. */
void vd_tracker_reset(vd_tracker *tracker);

/* Another value of the options; acts on the next moment, tracks live on. VD_OK or VD_EINVAL. */
int vd_tracker_set_options(vd_tracker *tracker, const vd_track_options *options, vd_error *error);

/* Takes the detections of one moment. Those that are not finite, empty, turned inside out, farther than a
 * million pixels away or below keep_score are passed over. A time before the last one, or a gap longer than
 * gap_s, ends every track first. Memory grows with the most tracks and detections at once and with nothing
 * else.
 *
 * time_s      of the stream, finite
 * detections  in any order; at most VD_TRACK_DETECTIONS
 * Returns VD_OK, VD_EINVAL or VD_ENOMEM (both leave the tracks as they were). */
int vd_tracker_update(vd_tracker *tracker, double time_s, const vd_detection *detections, size_t count,
                      vd_error *error);

/* The tracks of the last moment, oldest first: tentative, confirmed and lost. Borrowed until the next call
 * that changes the tracker. */
const vd_track *vd_tracker_tracks(const vd_tracker *tracker, size_t *ret_count);

/* Where a track is foretold to be at a time: for pictures newer than their detections. At its own moment that
 * is `box`; before it, too. Any thread. */
vd_box vd_track_predict(const vd_track *track, double time_s);

/* A track between two of its moments, as detected there: linear in time; exact at both ends, held beyond
 * them. Any thread. */
vd_box vd_track_interpolate(const vd_track *before, const vd_track *after, double time_s);

/* --- Where the future is known: moments are handed out once it is certain which of their detections belong
 * to a track, so that its id stands from its first detection on, and whether a track that was missing comes
 * back, so that its box is there in between */

typedef struct vd_track_backfill vd_track_backfill;

/* VD_OK, VD_EINVAL or VD_ENOMEM. */
int vd_track_backfill_new(const vd_track_options *options, vd_track_backfill **ret_backfill, vd_error *error);
void vd_track_backfill_free(vd_track_backfill **backfill); /* accepts NULL and sets it */

/* Takes a moment into the tracker, and keeps it and its detections. As vd_tracker_update.
 *
 * index  the caller's, given back with the moment */
int vd_track_backfill_push(vd_track_backfill *backfill, int64_t index, double time_s,
                           const vd_detection *detections, size_t count, vd_error *error);

/* The oldest moment, when nothing about it is open any more, or at the end (`all`) whatever is known. Of its
 * detections those that belong to a track with an id, which stands in track_id, and those from start_score
 * up; then, for each track that was seen before and after and not at this moment, the box in between.
 *
 * ret_detections  *ret_count of them, borrowed until the next call
 * ret_filled      how many of them, the last ones, are in between
 * VD_OK, VD_EAGAIN when there is none, or VD_ENOMEM. */
int vd_track_backfill_take(vd_track_backfill *backfill, bool all, int64_t *ret_index,
                           const vd_detection **ret_detections, size_t *ret_count, size_t *ret_filled);

/* As vd_tracker_set_options. */
int vd_track_backfill_set_options(vd_track_backfill *backfill, const vd_track_options *options,
                                  vd_error *error);

/* Ends every track, for another source: what was pushed before keeps the ids it has, and ids go on rising. */
void vd_track_backfill_reset(vd_track_backfill *backfill);

/* Its tracker, to look at; the same rules. */
const vd_tracker *vd_track_backfill_tracker(const vd_track_backfill *backfill);

#endif
