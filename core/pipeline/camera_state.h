/* The inside of a camera, shared by the files that run its threads (docs/threads.md).
 *
 *   reader     opens the source, reads, seeks            reader.c
 *   presenter  decides what is shown when, scales         presenter.c
 *   keeper     loads models, ends recordings              keeper.c
 *   workers    of the detector: bring results             detection.c, tracking.c
 *   events     asks stage 2 about events                  events.c
 *   any        tells the camera's feeds                   tell.c, feed.c
 *
 * Invariants
 * 1. The window's thread takes the lock only for moments: nothing is opened, decoded, scaled or joined under
 * it.
 * 2. `wake` is called without the camera's lock, under wake_lock, and never after vd_camera_close has
 * returned.
 * 3. One detection is under way for each worker at most; its job slot names the frame and the detector's
 * turn. */
#ifndef VD_PIPELINE_CAMERA_STATE_H
#define VD_PIPELINE_CAMERA_STATE_H

#include <stdatomic.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/thread.h"
#include "event/event_log.h"
#include "frame/convert.h"
#include "frame/result.h"
#include "pipeline/clip_ring.h"
#include "pipeline/history.h"
#include "pipeline/spans.h"
#include "pipeline/timeline.h"
#include "vedette/app/camera.h"

enum {
    VD_CAMERA_JOBS = 8,
    VD_CAMERA_LATENCIES = 64,
    VD_FILE_READ_AHEAD = 32,  /* frames; about a second */
    VD_LIVE_READ_AHEAD = 16,  /* frames that may wait for their boxes */
    VD_FRAMES_UNDER_WAY = 12, /* beyond those that wait: shown, detected, recorded */
    VD_DISPLAY_PICTURES = 4,
    VD_CAMERA_FINISHING = 4, /* recordings that may wait for the keeper, which may be loading a model */
    VD_THUMBNAIL_WIDTH = 128,
    VD_THUMBNAIL_HEIGHT = 96,
    VD_CAMERA_FEEDS = 16,
    VD_CAMERA_ASKED = 256 /* events that wait for their clip or their verdict */
};

/* The longest that a picture is held back for its boxes (row F2). */
#define VD_HOLD_NS (250 * VD_NS_PER_MS)

struct vd_job {
    bool busy;
    vd_camera *camera;
    vd_frame *frame; /* one reference: thumbnails are cut from it */
    vd_moment at;
    uint32_t turn; /* which detector */
    int64_t submitted_ns;
};

/* An event on its way through stage 2. */
struct vd_asked {
    uint64_t event, request; /* request 0: its clip is not whole yet */
    int track_id;
    int64_t asked_ns; /* when the request was submitted, or the event opened */
};

struct vd_camera {
    /* immutable */
    vd_camera_options options; /* its texts are copies */
    char address[1024], name[96], recording_folder[512], device[32];
    bool is_live;
    vd_cancel cancel;          /* the source's */
    vd_frame_pool *thumbnails; /* of events: 3 MiB, all made before the first frame */
    vd_thread reader, presenter, keeper, asker;
    vd_mutex wake_lock; /* guards wake_closed and the call of wake */
    bool wake_closed;
    vd_camera *next_closed; /* guarded by the reaper's lock */

    /* owned by the presenter */
    vd_scratch scratch;
    vd_frame_pool *pictures;
    vd_frame *picture; /* of the frame shown */
    uint64_t picture_order;

    /* guarded by lock */
    vd_mutex lock;
    vd_cond changed; /* anything below changed */
    bool stopping;
    vd_timeline timeline;
    vd_camera_status status; /* rates and percentiles are filled in when asked */
    vd_rate captured, shown_rate, detected_rate;
    vd_thresholds thresholds;

    bool playing, seek_wanted, show_next; /* show_next: the first frame after a seek is shown at once */
    double seek_s;
    int steps;      /* frames to show although paused */
    bool may_reuse; /* since a seek: what was detected before need not be again; not for a new round */

    bool clock_running;       /* files: stream time passes */
    int64_t anchor_ns;        /* monotonic time at which … */
    double anchor_s;          /* … this stream time is on screen */
    int64_t held_since_ns;    /* a frame is due and waits for its boxes; 0: none */
    int64_t waiting_since_ns; /* the clock is stopped and could start but for detection; 0: it is not */
    int64_t delay_ns;         /* live, exact: from arrival to display */

    vd_detector *detector;
    uint32_t turn;
    uint32_t place; /* serial of the frame submitted last */
    struct vd_job jobs[VD_CAMERA_JOBS];
    int under_way;
    int64_t latencies[VD_CAMERA_LATENCIES];
    int latency_count;
    char *wanted_model, *wanted_labels; /* for the keeper; NULL: nothing to load */
    bool model_wanted;

    int view_width, view_height; /* 0: as large as the source */
    bool refresh;                /* show the same frame again: another size, or its boxes came late */
    vd_view published;
    uint64_t sequence, taken_sequence;

    vd_tracker *tracker;
    vd_event_log *events;
    vd_event_rules rules; /* thresholds aside */
    bool shadow;
    uint32_t track_place; /* serial of the timeline that the tracks belong to */
    double tracked_s;     /* stream time of the newest result */
    int64_t tracked_ns;   /* when it came */
    bool tracked;         /* since the last cut */
    vd_history history;
    vd_result_pool *copies; /* of results that are remembered across a seek */
    struct vd_spans spans;  /* of a file, that were looked at in this round */
    vd_clip_ring clips;
    bool reducing; /* somebody makes pictures for clips */
    struct vd_asked asked[VD_CAMERA_ASKED];
    int asked_count;

    vd_recorder *recorder;                       /* runs */
    vd_recorder *finishing[VD_CAMERA_FINISHING]; /* end, oldest first; the keeper frees them */
    int finishing_count;

    struct vd_feed *feeds[VD_CAMERA_FEEDS]; /* a reference each */
    atomic_int feed_count;                  /* atomic: without feeds nobody takes the lock for them */
    uint64_t told_revision;                 /* of the events, to all feeds */
    vd_camera_state told_state;
    char told_reason[200];
};

/* camera.c */
void vd_camera_wake(vd_camera *camera);
void vd_camera_set_state_locked(vd_camera *camera);
void vd_camera_end_recording_locked(vd_camera *camera); /* the one that runs goes to the keeper */

/* reader.c, presenter.c, keeper.c: what the threads run */
void vd_camera_read(void *camera);
void vd_camera_present(void *camera);
void vd_camera_keep(void *camera);

/* detection.c */
void vd_camera_feed(vd_camera *camera); /* submits what should be detected next; called without the lock */
double vd_camera_latency_s_locked(const vd_camera *camera);
int64_t vd_camera_latency_percentile_locked(const vd_camera *camera, double share);
void vd_camera_choose_sync_locked(vd_camera *camera);

/* tracking.c */
int vd_camera_make_tracks(vd_camera *camera, vd_error *error); /* tracker, log; before the threads */
void vd_camera_free_tracks(vd_camera *camera);

/* Puts a result's detections into tracks and writes their ids into it; opens events. The result must not be
 * shared yet. The lock is held.
 *
 * ret_opened  room for VD_CAMERA_OPENED ids of events that it opened; returns how many */
enum { VD_CAMERA_OPENED = 16 };
size_t vd_camera_track_locked(vd_camera *camera, const vd_moment *at, vd_result *result,
                              uint64_t *ret_opened);
void vd_camera_cut_tracks_locked(vd_camera *camera);
void vd_camera_forget_times_locked(vd_camera *camera); /* as if nothing of the file had been looked at */
void vd_camera_set_scores_locked(vd_camera *camera);   /* the thresholds changed */
void vd_camera_show_tracks_locked(const vd_camera *camera, const vd_moment *at, vd_view *view);
int64_t vd_camera_unix_ms(void);                                              /* wall clock */
vd_result *vd_camera_copy_result(vd_camera *camera, const vd_result *result); /* NULL without memory */

/* events.c */
void vd_camera_ask(void *camera); /* the thread */
void vd_camera_want_verdicts_locked(vd_camera *camera, const uint64_t *events, size_t count);
void vd_camera_cut_thumbnails(vd_camera *camera, const vd_frame *frame, const uint64_t *events, size_t count);
void vd_camera_reduce(vd_camera *camera); /* keeps pictures for clips; without the lock */

/* tell.c: the camera's feeds. Without any they cost an atomic read. */
void vd_camera_tell_result_locked(vd_camera *camera, const vd_result *result, double latency_ms);
void vd_camera_tell(vd_camera *camera); /* what changed of state and events; then wakes; without the lock */
void vd_camera_end_feeds(vd_camera *camera); /* the camera closes; without the lock */

/* Stream time that is on screen now (files). */
static inline double vd_camera_now_s_locked(const vd_camera *camera, int64_t now_ns)
{
    return camera->clock_running ? camera->anchor_s + (double)(now_ns - camera->anchor_ns) /
                                                          (double)VD_NS_PER_S * camera->status.speed
                                 : camera->anchor_s;
}

#endif
