/* One camera (or file) as the window sees it: pictures with their own boxes, tracks, events and their
 * verdicts, states, playing, tuning, recording.
 *
 * Every function returns at once and may be called from the window's thread; opening, decoding, detection,
 * scaling and writing happen on the camera's own threads (docs/threads.md). Calls go down; upwards there is
 * only `wake`, after which the window asks for the newest view and status. */
#ifndef VEDETTE_APP_CAMERA_H
#define VEDETTE_APP_CAMERA_H

#include <stdbool.h>
#include <stdint.h>

#include "vedette/app/draw.h"
#include "vedette/app/event.h"
#include "vedette/app/recorder.h"
#include "vedette/app/settings.h"
#include "vedette/app/track.h"
#include "vedette/app/verify.h"
#include "vedette/detection.h"
#include "vedette/detector.h"
#include "vedette/error.h"
#include "vedette/source.h"

typedef struct vd_camera vd_camera;

typedef struct vd_camera_options {
    const char *address; /* see vd_source_open */
    const char *name;    /* NULL: taken from the address */
    const char *model;   /* file, `builtin:people`, `builtin:motion`, `demo`, or NULL: vd_model_default */
    const char *labels;  /* NULL, or a labels file */
    const vd_detector_ops *ops; /* NULL, or a detector of the caller's own instead of `model` */
    const void *config;
    int input_width, input_height; /* of networks, pixels; 0: the model's own */
    vd_precision precision;
    const char *device; /* as in vd_detector_options */
    vd_thresholds thresholds;
    vd_overlay_sync sync;
    bool loop;   /* files start again at their end */
    bool paused; /* files wait on their first frame */
    vd_source_options source;
    const char *recording_folder; /* NULL or empty: the default one */
    int recording_quality;
    vd_track_options tracking; /* its scores are ignored: a track starts at thresholds.confidence and goes on
                                  from 0.1 up */
    vd_event_rules rules;      /* its thresholds are ignored: those above hold */
    vd_verifier *verifier; /* NULL: stage 2 is off. Shared by cameras; lives until vd_camera_join_closed */
    int temporal_size;     /* pictures of a clip, 2 to VD_CLIP_MOST, default 16: as the verifier's */
    bool shadow;           /* verdicts are measured and shown, and change nothing else (row D11) */
    void (*wake)(
        void *context); /* something changed; any thread; must only set a flag or post an idle call */
    void *wake_context;
} vd_camera_options;

#define VD_CAMERA_OPTIONS_INIT                                                                               \
    {                                                                                                        \
        .thresholds = VD_THRESHOLDS_INIT, .source = VD_SOURCE_OPTIONS_INIT, .recording_quality = 23,         \
        .tracking = VD_TRACK_OPTIONS_INIT, .rules = VD_EVENT_RULES_INIT, .temporal_size = 16                 \
    }

/* What the settings say of tracking and events goes into `options`; of stage 2 its clips and shadow mode. The
 * verifier is the caller's to make (vd_verify_options_from_settings). */
void vd_camera_options_from_settings(const vd_settings *settings, vd_camera_options *options);

/* The group `step2` as options, its preset unfolded; of the model `demo` the file (vd_model_find_verifier),
 * or the name itself where that is missing. False when stage 2 is off. */
bool vd_verify_options_from_settings(const vd_settings *settings, vd_verify_options *ret_options);

/* Starts the camera's threads and returns; connecting, failure and success come by vd_camera_get_status.
 * VD_OK, VD_EINVAL or VD_ENOMEM. */
int vd_camera_open(const vd_camera_options *options, vd_camera **ret_camera, vd_error *error);

/* Cancels everything and hands the camera to a thread that joins and frees it; sets the pointer to NULL.
 * `wake` is not called any more once this has returned. */
void vd_camera_close(vd_camera **camera);

/* Waits for the cameras that were closed, at most `timeout_ns`: true when all are gone. At the program's end.
 */
bool vd_camera_join_closed(int64_t timeout_ns);

/*   CONNECTING -> PLAYING [first frame]        PLAYING <-> PAUSED [vd_camera_set_playing]
 *   CONNECTING -> FAILED  [the source refuses] PLAYING -> ENDED   [a file's end]  ENDED -> PLAYING [play,
 * seek] PLAYING -> FAILED [the source fails; what came stays on screen, marked] */
typedef enum vd_camera_state {
    VD_CAMERA_CONNECTING,
    VD_CAMERA_PLAYING,
    VD_CAMERA_PAUSED,
    VD_CAMERA_ENDED,
    VD_CAMERA_FAILED
} vd_camera_state;

typedef enum vd_model_state { VD_MODEL_LOADING, VD_MODEL_READY, VD_MODEL_FAILED } vd_model_state;

typedef struct vd_camera_status {
    vd_camera_state state;
    int64_t since_ns;      /* monotonic: when this state began */
    vd_error error;        /* of FAILED, or of a source that ended in a failure (code 0 when none) */
    vd_source_info source; /* filled once connected */

    vd_model_state model_state; /* of the model asked for last */
    char model[64];             /* the one that runs; empty while none does */
    vd_error model_error;       /* why the last one was refused; a model that ran before runs on */
    uint32_t model_serial;      /* rises with every model that became ready: labels may have changed */
    char engine[160];           /* what computes it (vd_detector_engine); empty without a network */
    float confidence, iou;      /* the thresholds that suit it; 0 while none runs */

    bool exact;           /* how the overlay is synchronised right now */
    vd_overlay_sync sync; /* what was asked for */
    char sync_note[160];  /* why exact was given up, one sentence; empty otherwise */

    double captured_per_s, shown_per_s, detected_per_s; /* over 2 s */
    double picture_age_ms; /* from decoding (live) to display, of the newest picture shown */
    double detection_p50_ms, detection_p95_ms; /* from submit to result */
    uint64_t frames, shown, detected;
    uint64_t dropped_source;    /* decoded, no room in the pool */
    uint64_t dropped_display;   /* a newer picture came before it could be shown, or its time had passed */
    uint64_t skipped_detection; /* not detected: the detector was busy with others */
    uint64_t failed_detection;
    uint64_t replaced_detection; /* asked of a model that another has replaced meanwhile */
    uint64_t asked_detection;    /* = detected + failed + replaced + pending, at every moment */
    uint64_t pending_detection;
    uint64_t broken; /* packets or frames that could not be decoded */

    int tracks;               /* with an id, at the newest result */
    uint64_t events;          /* opened so far */
    int events_open;          /* of them open */
    uint64_t events_unasked;  /* of them unverified because stage 2 was never asked: no picture was left, too
                                 many waited, or it had been stopped; in no figure of the verifier's */
    int clips_waiting;        /* events whose clip is not whole yet, or whose verdict has not come */
    uint64_t clips_forgotten; /* pictures for clips that found no room */
    uint64_t events_revision; /* rises with every change of an event: vd_camera_get_events has news */

    double position_s, duration_s;
    bool playing;
    double speed; /* files: 1 as they were made */

    bool recording;
    vd_recorder_status recorder; /* of the recording that runs, or of the last one (path empty: none yet) */
} vd_camera_status;

void vd_camera_get_status(vd_camera *camera, vd_camera_status *ret_status);

enum { VD_VIEW_TRACKS = 100, VD_VIEW_TRAIL = VD_TRAIL_POINTS - 1 };

/* A track as a picture shows it. */
typedef struct vd_view_track {
    vd_track track;    /* at the newest result: where it is foretold to be (vd_track_predict). Its id is the
                          one that is shown: at a time of a file that was looked at before that of its event */
    float best;        /* its highest score so far: below the threshold it is not shown */
    vd_draw_mark mark; /* of its event */
    int trail_count;   /* where its foot was over the 2 s before the picture, oldest first */
    vd_draw_point trail[VD_VIEW_TRAIL];
} vd_view_track;

/* The picture to show, scaled to the size asked for, and what was found in it. Owned by who took it. */
typedef struct vd_view {
    struct vd_frame *picture; /* owns `image` */
    vd_image image; /* BGRX, at most the size of vd_camera_set_view_size, the picture's true aspect */
    int64_t frame_index;
    double time_s;
    int width, height; /* of the source picture: what boxes are measured in */
    vd_result *before,
        *after; /* results around this frame; the same one twice when it is of this very frame */
    double before_s, after_s; /* their frames' times */
    uint64_t sequence;        /* rises with every picture */
    int track_count;
    vd_view_track tracks[VD_VIEW_TRACKS];
} vd_view;

/* Takes the newest picture when it is newer than `view` holds; true then. Replaces what `view` held. */
bool vd_camera_take_view(vd_camera *camera, vd_view *view);
void vd_view_clear(vd_view *view);

/* The boxes of a view under some thresholds: a pure function, so that a slider changes the boxes of the very
 * frame on screen without a forward pass. On a frame of its own result: that. Between two: interpolated
 * linearly by time along their tracks; what has no track is paired by class and IoU. After the last: foretold
 * by the track, else moved on by the last two, dashed, for at most 1 s. Of a track whose best score reaches
 * the threshold weaker detections, from 0.1 up, are shown as well. Trails and marks come with the boxes.
 *
 * room  boxes that fit into ret_boxes. Returns their number. */
size_t vd_view_get_boxes(const vd_view *view, const vd_thresholds *thresholds, vd_draw_box *ret_boxes,
                         size_t room);

/* The size in device pixels of the area the picture is shown in; pictures come scaled to fit it. */
void vd_camera_set_view_size(vd_camera *camera, int width, int height);

/* Thresholds are one value, swapped whole; they act on the next picture and on recordings. */
void vd_camera_set_thresholds(vd_camera *camera, const vd_thresholds *thresholds);
void vd_camera_set_sync(vd_camera *camera, vd_overlay_sync sync);

/* Loads a model in the background; the old one runs until the new one is ready, and on when it is refused.
 * No picture is lost by it: the one on show and those that wait are asked of the new model. */
void vd_camera_set_model(vd_camera *camera, const char *model, const char *labels);

/* The class names of the model that runs; one reference for the caller (vd_labels_unref), NULL while none
 * runs. */
vd_labels *vd_camera_get_labels(vd_camera *camera);

/* Files: play (again from the start when ended), pause, move by frames while paused (any count, both ways),
 * seek. */
void vd_camera_set_playing(vd_camera *camera, bool playing);
void vd_camera_step(vd_camera *camera, int frames);
void vd_camera_seek(vd_camera *camera, double time_s);

/* How fast files play: 0.1 to 16, 1 as they were made. Values outside are brought to the nearest end. */
void vd_camera_set_speed(vd_camera *camera, double speed);

/* Starts recording what is seen, or ends it. The file's name stands in the status. */
void vd_camera_set_recording(vd_camera *camera, bool recording);

/* What a track must be to become an event; its thresholds are ignored: vd_camera_set_thresholds has them.
 * Swapped whole, acts on the next frame. VD_OK or VD_EINVAL. */
int vd_camera_set_rules(vd_camera *camera, const vd_event_rules *rules, vd_error *error);
void vd_camera_set_shadow(vd_camera *camera, bool shadow); /* for events from now on */

/* The newest `room` events that changed after the revision `since` (0: all), newest first, each with a
 * reference to its thumbnail (vd_event_clear gives it back). An event keeps its id: what came before is
 * replaced by it, its thumbnail too: only the newest 64 have one, and who holds more gets none for the next.
 *
 * ret_revision  to ask with the next time; NULL: not wanted
 * Returns their number. */
size_t vd_camera_get_events(vd_camera *camera, uint64_t since, uint64_t *ret_revision, vd_event *ret_events,
                            size_t room);

/* What the operator says of an event. False when the camera has it no more. */
bool vd_camera_judge(vd_camera *camera, uint64_t id, vd_judgement judgement);
vd_event_figures vd_camera_get_event_figures(vd_camera *camera);

#endif
