/* Video streaming: detection over a whole source, frames in order.
 *
 * A thread of its own decodes into a bounded queue while the detector works on the frames before; the
 * caller's thread takes the results out in the frames' order. Files lose no frame: a full queue, a full
 * detector or a slow sink hold the decoder back. Live sources are never held back: the oldest waiting frame
 * is dropped and counted.
 *
 * Several sources: one vd_run a thread, all with one detector; its workers and its queue are shared. */
#ifndef VEDETTE_RUN_H
#define VEDETTE_RUN_H

#include <stdint.h>

#include "vedette/cancel.h"
#include "vedette/detector.h"
#include "vedette/frame.h"
#include "vedette/source.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct vd_run_options {
    const char *address; /* see vd_source_open */
    vd_source_options source;
    vd_detector *detector; /* borrowed; NULL: frames are delivered without a result */
    int stride;            /* every n-th frame, 1 to 1000, default 1 */
    int batch;          /* frames that are submitted together, 1 to 64, default 1; a live source's batch goes
                           out smaller rather than late */
    int64_t max_frames; /* of the source; 0: no limit */
    double max_seconds; /* of stream time; 0: no limit */
    vd_cancel *cancel;  /* may be NULL; one token may serve several runs */
} vd_run_options;

#define VD_RUN_OPTIONS_INIT                                                                                  \
    {                                                                                                        \
        .source = VD_SOURCE_OPTIONS_INIT, .stride = 1, .batch = 1                                            \
    }

/* Called in the frames' order on the thread that called vd_run. It may take as long as it likes.
 *
 * frame   borrowed; take a reference to keep it
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

/* Runs until the source ends, a limit is reached, the token is requested or the sink has enough. The detector
 * is left as it was; one whose worker remembers (vd_detector_ops.ordered) serves one source at a time, with
 * vd_detector_reset between two.
 *
 * Returns VD_OK at the end, at a limit, or when the source failed after its first frame (see source_error);
 * the source's code when it gave no frame at all; VD_EINVAL (error->text says which option); VD_ESHUTDOWN
 * (the detector ended); VD_ECANCELED; VD_ENOMEM; VD_EDEADLK from a continuation of the detector; or what the
 * sink returned. Any thread. */
VD_API int vd_run(const vd_run_options *options, vd_run_sink *sink, void *context,
                  vd_run_summary *ret_summary, vd_error *error);

#ifdef __cplusplus
}
#endif
#endif
