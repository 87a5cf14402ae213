/* The streaming interface (docs/streaming.md): other programs send pictures over HTTP or WebSocket and get
 * detections, or watch this machine's cameras.
 *
 * A service has a thread of its own with a main context of its own; nothing here waits, so the window's
 * thread may call it. Linked into our programs, no part of libvedette. */
#ifndef VEDETTE_APP_SERVE_H
#define VEDETTE_APP_SERVE_H

#include <stdbool.h>
#include <stdint.h>

#include "vedette/app/camera.h"
#include "vedette/app/settings.h"
#include "vedette/app/verify.h"
#include "vedette/detector.h"
#include "vedette/error.h"

typedef struct vd_serve vd_serve;

typedef struct vd_serve_options {
    vd_streaming_settings streaming; /* address, port, limits, defaults of sessions: the group `streaming` */
    const char *model;               /* as users name it; NULL or empty: `demo` if it is there, else
                                        builtin:people */
    const char *labels;              /* NULL, or a file */
    vd_precision precision;
    const char *device;
    int max_workers;          /* of the detector; 0: as many as cores, at most 4 */
    vd_thresholds thresholds; /* of new sessions; a 0 in them: what suits the model; no classes */

    /* NULL, or what makes the detector of an input size (0: the model's own) in place of `model`: for doubles
     * and benchmarks. Called on the service's thread. As vd_detector_new. */
    int (*open_detector)(void *context, int input_width, int input_height, vd_detector **ret_detector,
                         vd_error *error);
    void *context;

    void (*wake)(void *context); /* NULL, or: the status changed; any thread; must only post a call */
    void *wake_context;
} vd_serve_options;

/* Defaults, and what the settings say: thresholds, model, precision, the group `streaming`. The texts are
 * borrowed from `settings`. */
void vd_serve_options_from_settings(const vd_settings *settings, vd_serve_options *ret_options);

typedef enum vd_serve_state {
    VD_SERVE_STARTING, /* the model loads */
    VD_SERVE_LISTENING,
    VD_SERVE_STOPPING,
    VD_SERVE_STOPPED,
    VD_SERVE_FAILED /* the port is taken, the model or a file cannot be used: `error` says which */
} vd_serve_state;

typedef struct vd_serve_status {
    vd_serve_state state;
    vd_error error;
    char url[300];        /* where the page is: http://127.0.0.1:8765/ */
    char token_file[512]; /* empty when no token is needed */
    char model[64];
    int sessions, connections, watchers; /* now; watchers of cameras */
    int level;                           /* of quality: 0 is full */
    double results_per_s;                /* over 2 s */
    uint64_t frames, results, skipped, failed;
} vd_serve_status;

/* Checks the options, starts the thread and returns; the rest comes by vd_serve_get_status. VD_OK, VD_EINVAL
 * or VD_ENOMEM. */
int vd_serve_start(const vd_serve_options *options, vd_serve **ret_serve, vd_error *error);

/* Never waits. Any thread. */
void vd_serve_get_status(vd_serve *serve, vd_serve_status *ret_status);

/* Asks it to end: clients are told, work under way is given up. Returns at once; STOPPED follows. Any thread.
 */
void vd_serve_stop(vd_serve *serve);

/* Stops, joins and frees: at once after STOPPED or FAILED, else after the forward passes under way. Accepts
 * NULL and sets it. */
void vd_serve_free(vd_serve **serve);

/* Makes a camera's feed reachable under a name (`/stream/cameras/{name}`), until it is closed or removed. A
 * name that is there already is replaced. VD_OK, VD_EINVAL or VD_ENOMEM. Any thread. */
int vd_serve_add_camera(vd_serve *serve, const char *name, vd_camera *camera, vd_error *error);
void vd_serve_remove_camera(vd_serve *serve, const char *name);

/* The stage 2 of the cameras that are served: its figures stand in `/stream/stats` and `/metrics`, once,
 * however many cameras share it. Borrowed until another is set, or the service freed; NULL: none, as at
 * first. Once this has returned the one before is not asked any more, and may be freed. Any thread. */
void vd_serve_set_verifier(vd_serve *serve, vd_verifier *verifier);

#endif
