/* A submitted clip: as the pictures that a model looks at, and as the simple classification sees it. */
#ifndef VD_VERIFY_CLIP_H
#define VD_VERIFY_CLIP_H

#include "frame/convert.h"
#include "vedette/app/verify.h"

/* VD_OK or VD_EINVAL with what is wrong. Any thread. */
int vd_clip_validate(const vd_verify_clip *clip, vd_error *error);

/* The share of the clip's frames whose labels agree, times the mean confidence of these. */
float vd_clip_simple_score(const vd_verify_clip *clip);

/* Writes temporal_size pictures of input_width × input_height, RGB, without gaps: squares around the track's
 * smoothed way, all of one side (verify/crop.h). Frames wider than VD_CROP_FRAME_WIDTH and those in YUV are
 * reduced first. More frames than pictures: evenly chosen; fewer: the last is repeated.
 *
 * scratch  three that the caller keeps
 * ret_rgb  temporal_size × input_height × input_width × 3 bytes
 * VD_OK, VD_EINVAL (boxes that are none) or VD_ENOMEM. One thread an object. */
int vd_clip_cut(const vd_verify_clip *clip, const vd_verify_options *options, vd_scratch scratch[3],
                uint8_t *ret_rgb, vd_error *error);

#endif
