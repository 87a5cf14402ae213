/* Detection over a whole source, every frame in order: what the command line does. Decoding and detection
 * overlap; files lose no frame (back-pressure), live sources drop the oldest and count. */
#ifndef VEDETTE_APP_RUN_H
#define VEDETTE_APP_RUN_H

#include <stdint.h>

#include "vedette/app/cancel.h"
#include "vedette/app/frame.h"
#include "vedette/app/source.h"
#include "vedette/detector.h"

typedef struct vd_run_options {
    const char *address;
    vd_source_options source;
    vd_detector *detector; /* NULL: frames are delivered without a result */
    int stride;            /* every n-th frame, 1 to 1000, default 1 */
    int batch;          /* frames that are submitted together, 1 to 64, default 1; a live source's batch goes
                           out smaller rather than late */
    int64_t max_frames; /* of the source; 0: no limit */
    double max_seconds; /* of stream time; 0: no limit */
    vd_cancel *cancel;  /* may be NULL */
} vd_run_options;

#define VD_RUN_OPTIONS_INIT                                                                                  \
    {                                                                                                        \
        .source = VD_SOURCE_OPTIONS_INIT, .stride = 1, .batch = 1                                            \
    }

/* Called in the frames' order on the thread that called vd_run.
 *
 * result  what was found, borrowed; NULL without a detector or when detection of this frame failed
 * error   why it failed, else NULL
 * A code other than VD_OK ends the run with that code. */
typedef int vd_run_sink(void *context, const vd_source_info *info, vd_frame *frame, vd_result *result,
                        const vd_error *error);

typedef struct vd_run_summary {
    vd_source_info source;
    vd_source_stats source_stats;
    int64_t frames, detected, failed, dropped; /* delivered; with a result; without; live only: too slow */
    double seconds;                            /* wall time from the first frame to the last */
    vd_error source_error; /* a source that failed after its first frame; code 0 when none */
} vd_run_summary;

/* Returns VD_OK at the end, at a limit, or when the source failed after its first frame (see source_error);
 * the source's code when it gave no frame at all; VD_ECANCELED; or what the sink returned. */
int vd_run(const vd_run_options *options, vd_run_sink *sink, void *context, vd_run_summary *ret_summary,
           vd_error *error);

#endif
