/* Recording what is seen: a thread of its own behind a bounded queue that drops the oldest and counts. */
#ifndef VEDETTE_APP_RECORDER_H
#define VEDETTE_APP_RECORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "vedette/app/draw.h"
#include "vedette/error.h"

typedef struct vd_recorder vd_recorder;
struct vd_frame;

typedef struct vd_recorder_options {
    const char *path;    /* the file; NULL: named in `folder` by `camera`, date and time */
    const char *folder;  /* NULL: $XDG_VIDEOS_DIR/Vedette, ~/Videos/Vedette without it */
    const char *camera;  /* for the name; masked, cleaned of '/' */
    double frames_per_s; /* nominal, 0 when unknown */
    int quality;         /* 10 to 40, default 23 */
    int queue_size;      /* frames, 2 to 256, default 8 */
    bool lossless; /* a full queue makes the writer wait instead of dropping: for files on the command line */
} vd_recorder_options;

#define VD_RECORDER_OPTIONS_INIT                                                                             \
    {                                                                                                        \
        .quality = 23, .queue_size = 8                                                                       \
    }

typedef enum vd_recorder_state {
    VD_RECORDER_RUNNING,
    VD_RECORDER_DONE,
    VD_RECORDER_FAILED
} vd_recorder_state;

typedef struct vd_recorder_status {
    vd_recorder_state state;
    char path[512];
    double seconds; /* written so far */
    uint64_t frames, dropped;
    vd_error error; /* when failed */
} vd_recorder_status;

/* Starts the thread; the file is made by it, with the first frame. VD_OK, VD_EINVAL or VD_ENOMEM. */
int vd_recorder_start(const vd_recorder_options *options, vd_recorder **ret_recorder, vd_error *error);

/* Hands a frame over, with what is drawn on it, shown at `time_ns` (monotonic or stream time, rising). Takes
 * its own reference; copies the drawing. Never waits unless `lossless`. */
int vd_recorder_write(vd_recorder *recorder, struct vd_frame *frame, const vd_drawing *drawing,
                      int64_t time_ns);

/* Asks it to write what is queued and end; returns at once. */
void vd_recorder_finish(vd_recorder *recorder);

/* Finishes and waits until the file has ended; the status is final then. One thread, once. */
void vd_recorder_wait(vd_recorder *recorder);

vd_recorder_status vd_recorder_get_status(vd_recorder *recorder);

/* Finishes, waits for the thread, frees. Accepts NULL and sets it. */
void vd_recorder_free(vd_recorder **recorder);

#endif
