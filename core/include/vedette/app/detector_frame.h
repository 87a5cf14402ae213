/* The detector for frames of our own sources. */
#ifndef VEDETTE_APP_DETECTOR_FRAME_H
#define VEDETTE_APP_DETECTOR_FRAME_H

#include "vedette/detector.h"
#include "vedette/frame.h"

/* Submits a frame; takes its own reference until the detector has read it. As vd_detector_submit. */
int vd_detector_submit_frame(vd_detector *detector, vd_frame *frame, vd_priority priority,
                             vd_future **ret_future);

enum { VD_MAX_FRAME_BATCH = 64 };

/* The same for 1 to VD_MAX_FRAME_BATCH frames as one batch. As vd_detector_submit_batch. */
int vd_detector_submit_frames(vd_detector *detector, vd_frame *const *frames, size_t count,
                              vd_priority priority, vd_future **ret_future);

#endif
