/* What session.c, session_frames.c, session_answers.c, session_tracks.c and sessions.c share. */
#ifndef VD_SERVE_SESSION_STATE_H
#define VD_SERVE_SESSION_STATE_H

#include "base/clock.h"
#include "base/histogram.h"
#include "serve/session.h"
#include "vedette/app/track.h"

typedef struct vd_outgoing {
    char *text; /* malloc */
    size_t size;
} vd_outgoing;

struct vd_session {
    int references;
    char id[VD_SESSION_ID];
    int owner;
    char peer[64];
    vd_session_config config;
    int queue_size, max_fps;
    int64_t timeout_ns, deadline_ns, stale_ns; /* the latter two 0: none */
    int64_t opened_ns, touched_ns;
    int64_t now_ns; /* the latest that was handed in */
    bool ended;
    char sentence[200]; /* why it ended */

    /* Frames: session_frames.c */
    int level;
    bool admitted;
    int64_t slot_ns;      /* of the frame that was admitted last; … */
    int64_t full_slot_ns; /* … that would have been without a level */
    int64_t tidied_ns;    /* when we were asked last what is due */
    vd_job *early;        /* the newest that came too soon */
    bool early_lowered;   /* … for the lowered rate alone */
    vd_job *first, *last; /* those that are due */
    int due;
    struct {
        vd_job *job;
        bool back; /* the job is ours again, and waits for an earlier one */
    } started[VD_SESSION_UNDER_WAY];
    int under_way;

    /* Answers: session_answers.c */
    vd_session_listener listener;
    bool listened;
    uint32_t listener_serial;
    bool sending;
    vd_outgoing *outgoing; /* a ring */
    int outgoing_room, outgoing_first, outgoing_count;

    /* Tracks: session_tracks.c */
    vd_tracker *tracker; /* NULL: none was needed yet */
    bool tracked;
    double tracked_s, step_s; /* the tracker's time; how far it went last */
    bool stamped;             /* the last frame had a timestamp, … */
    double stamp;             /* … this one */
    int64_t tracked_ns;       /* when the last frame came */
    int tracks;

    /* Figures */
    uint64_t frames, results, failed, skipped[4], dropped;
    vd_rate rate;
    vd_histogram latency;

    vd_session *next; /* of the registry's that are closed */
};

/* --- session_frames.c */

/* What became due goes to those that wait; what waited too long is answered. Sends nothing. */
void vd_session_tidy(vd_session *session, int64_t now_ns);

/* The frames that were not started, oldest first, out of the session; NULL: none left. */
vd_job *vd_session_take_unstarted(vd_session *session);

/* --- session_answers.c: each takes the job and counts; nothing is sent before vd_session_flush */

void vd_session_skip(vd_session *session, vd_job *job, vd_skip_reason reason);
void vd_session_fail(vd_session *session, vd_job *job, const char *sentence);

/* Those under way, which are not ours: answered, and forgotten; without memory for that they are kept. */
void vd_session_fail_started(vd_session *session, const char *sentence);

/* Sends what waits, to whom listens; calls out. */
void vd_session_flush(vd_session *session);

/* --- session_tracks.c */

/* Detections of a result that are to be reported, with their tracks.
 *
 * ret_detections  room for VD_MAX_DETECTIONS */
size_t vd_session_detect(vd_session *session, const vd_job *job, vd_detection *ret_detections);

/* Tracking went off, or the threshold changed. */
void vd_session_retrack(vd_session *session);

#endif
