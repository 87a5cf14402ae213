/* A session: its configuration, the frames that wait, the answers that wait, its tracks. Every frame that was
 * offered is answered exactly once, also when there is no memory left.
 *
 *   offered -> answered            [skipped: fps_limit, superseded; after the end: error]
 *   offered -> early               [sooner than the rate allows: the newest such frame waits]
 *   offered, early -> waiting      [it is due; queue_size of these]
 *   early, waiting -> answered     [skipped: fps_limit, superseded, queue_full, deadline; at the end: error]
 *   waiting -> started -> answered [result, error; at the end: error]
 *
 *   LISTENED <-> ALONE             [a connection comes or goes]
 *   ALONE -> ENDED                 [timeout, deleted]
 *
 * Owned by the service's thread; no locks, no clock (times are handed in), no GLib. A listener may call any
 * of these functions while it is called. */
#ifndef VD_SERVE_SESSION_H
#define VD_SERVE_SESSION_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "serve/config.h"
#include "serve/message.h"
#include "vedette/app/quality.h"
#include "vedette/detection.h"
#include "vedette/error.h"

enum { VD_SESSION_ID = 33 }; /* 128 random bits as hex digits */

typedef struct vd_session vd_session;

/* A frame on its way: made when it arrives, owned by the session, then by the work, then by the session
 * again. */
typedef struct vd_job {
    char frame_id[VD_FRAME_ID];
    bool timed;
    double timestamp;
    uint8_t *bytes; /* encoded, malloc */
    size_t size;
    int64_t received_ns; /* 0: when it is offered */
    int64_t due_ns;      /* when its turn came: it waits for a worker since */

    vd_session *session; /* set when started; a reference */
    vd_quality_mode mode;
    int level;
    double fps;
    int64_t started_ns;

    /* filled in by the work */
    int code; /* VD_OK, or why it failed … */
    vd_error error;
    vd_result *result;            /* a reference; NULL when it failed */
    int64_t decode_ns, detect_ns; /* how long each took, without waiting */
    int64_t finished_ns;          /* when; as all moments, of the monotonic clock */

    struct vd_job *next; /* of whoever owns it */
} vd_job;

vd_job *vd_job_new(void);       /* zeroed; NULL: no memory */
void vd_job_free(vd_job **job); /* with bytes, result and its reference; accepts NULL and sets it */

typedef struct vd_session_options {
    char id[VD_SESSION_ID];
    int owner; /* number of the token that made it; -1: none was needed */
    char peer[64];
    vd_session_config config;
    int queue_size, max_fps;
    double timeout_s;
    double deadline_s; /* how long a frame whose turn has come may wait to be started; 0: without end */
    double stale_s;    /* likewise, where a newer frame has come */
    int64_t now_ns;
} vd_session_options;

/* One reference. VD_OK or VD_ENOMEM. */
int vd_session_new(const vd_session_options *options, vd_session **ret_session);
vd_session *vd_session_ref(vd_session *session);
void vd_session_unref(vd_session **session); /* accepts NULL and sets it */

/* No more frames: all that were not answered are, with an error; also those started, which are only freed
 * when they return. Where there is no memory for that they are answered then, to whoever still listens. Twice
 * is once. */
void vd_session_end(vd_session *session, const char *sentence, int64_t now_ns);
bool vd_session_ended(const vd_session *session);

/* Takes the job. It may answer this or an older frame at once.
 *
 * Frames are admitted evenly, fps_limit a second (fewer at a lowered level): each has its slot, and one that
 * comes up to half an interval early or a quarter late takes it all the same. One that comes sooner waits as
 * the newest, until a newer takes its place or its slot is an eighth of an interval past. */
void vd_session_offer(vd_session *session, vd_job *job, int64_t now_ns);

/* A message that is no frame came, or a reader is there: the time-out begins anew. */
void vd_session_touch(vd_session *session, int64_t now_ns);
bool vd_session_timed_out(const vd_session *session, int64_t now_ns);

/* The next frame that may start at the service's level, with its session, level and rate filled in; NULL:
 * none now. At most VD_SESSION_UNDER_WAY are started and not finished. Frames that waited longer than
 * deadline_s, or than stale_s while a newer one has come, are answered `deadline` here; where the newer one
 * came too soon to have a slot, it then has the older one's. Where the level lowers the rate, a frame that
 * waits is superseded by the next one that is due.
 *
 * ret_next_ns  lowered to when the session is to be asked again (a frame becomes due, or late) */
vd_job *vd_session_start(vd_session *session, int level, int64_t now_ns, int64_t *ret_next_ns);
enum { VD_SESSION_UNDER_WAY = 2 };

/* A started frame is back: takes the job, tracks, selects, answers, in the order in which they were started.
 * One that was answered as the session ended is freed.
 *
 * What reaches confidence_threshold is reported, never more than max_detections. Tracks go on with weaker
 * detections too (from 0.1), which are not reported. A track's time is the frames' timestamps where they are
 * given and rise, else their arrival; an object has an id from its second detection on. */
void vd_session_finish(vd_session *session, vd_job *job, int64_t now_ns);

/* As vd_session_config_change, with the service's max_fps; acts at once, also on frames that wait. */
int vd_session_change(vd_session *session, const json_t *changes, vd_refusal *refusal, vd_error *error);

/* Answers go to the listener as they come; without one they wait (queue_size of them, then the oldest is
 * dropped and counted), and are handed to the next. The listener takes the text (malloc).
 *
 * send     false: cannot take it; the answer then waits and the listener counts as gone
 * replaced called when another takes its place, before this returns; NULL as `send` ends listening */
typedef struct vd_session_listener {
    bool (*send)(void *context, char *text, size_t size);
    void (*replaced)(void *context);
    void *context;
} vd_session_listener;
void vd_session_listen(vd_session *session, const vd_session_listener *listener, int64_t now_ns);

/* At every moment frames = results + failed + the skipped + waiting + under_way. */
typedef struct vd_session_stats {
    uint64_t frames; /* offered */
    uint64_t results, failed;
    uint64_t skipped[4];    /* by vd_skip_reason */
    int waiting, under_way; /* under_way: also those that are back before an earlier one */
    int answers_waiting;
    uint64_t answers_dropped;                     /* nobody fetched them in time */
    double results_per_s, p50_ms, p95_ms, p99_ms; /* from arrival to answer */
    double age_s;
    int tracks;
} vd_session_stats;

vd_session_stats vd_session_get_stats(const vd_session *session, int64_t now_ns);
const char *vd_session_id(const vd_session *session);
int vd_session_owner(const vd_session *session);
const char *vd_session_peer(const vd_session *session);
const vd_session_config *vd_session_get_config(const vd_session *session);
bool vd_session_listened(const vd_session *session);

/* `ab12…`: as logs and /stream/stats show an id. */
void vd_session_mask_id(const char *id, char out[16]);

/* --- All sessions of a service */

typedef struct vd_sessions vd_sessions;

typedef struct vd_sessions_options {
    int max_sessions, max_per_peer;
} vd_sessions_options;

int vd_sessions_new(const vd_sessions_options *options, vd_sessions **ret_sessions); /* VD_OK or VD_ENOMEM */
void vd_sessions_free(vd_sessions **sessions); /* ends them all; accepts NULL and sets it */

/* Makes a session with an unguessable id (getrandom); `options->id` is ignored. Borrowed from the registry.
 * VD_OK, VD_EAGAIN (too many sessions, or of this peer: the sentence says which) or VD_ENOMEM. */
int vd_sessions_open(vd_sessions *sessions, const vd_session_options *options, vd_session **ret_session,
                     vd_error *error);

/* NULL for an unknown, ended or altered id and for one of another owner; takes the same time for all of them.
 */
vd_session *vd_sessions_find(vd_sessions *sessions, const char *id, int owner);

/* Takes it out and ends it: all its frames are answered. Twice is once. */
void vd_sessions_close(vd_sessions *sessions, vd_session *session, const char *sentence, int64_t now_ns);
void vd_sessions_close_all(vd_sessions *sessions, const char *sentence, int64_t now_ns);

/* Ends what has timed out; how many. Frames that waited too long are answered here too. */
int vd_sessions_expire(vd_sessions *sessions, int64_t now_ns);

/* The next frame that may start, the sessions by turns. As vd_session_start; `ret_next_ns` is whole once NULL
 * is returned. */
vd_job *vd_sessions_start(vd_sessions *sessions, int level, int64_t now_ns, int64_t *ret_next_ns);

size_t vd_sessions_count(const vd_sessions *sessions);
vd_session *vd_sessions_at(const vd_sessions *sessions, size_t i); /* borrowed */

/* Figures of all that ever were, for /stream/stats and /metrics. */
vd_session_stats vd_sessions_total(const vd_sessions *sessions, int64_t now_ns);

#endif
