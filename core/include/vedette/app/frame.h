/* Frames as programs see them: reference-counted pictures of a source, immutable. */
#ifndef VEDETTE_APP_FRAME_H
#define VEDETTE_APP_FRAME_H

#include <stdint.h>

#include "vedette/image.h"

typedef struct vd_frame vd_frame;

vd_frame *vd_frame_ref(vd_frame *frame);
void vd_frame_unref(vd_frame **frame); /* accepts NULL and sets it */

const vd_image *vd_frame_get_image(const vd_frame *frame); /* borrowed from the frame */
int64_t vd_frame_get_index(const vd_frame *frame);         /* in its source, from 0 */
double vd_frame_get_time_s(const vd_frame *frame);         /* of the stream, from its start */

#endif
