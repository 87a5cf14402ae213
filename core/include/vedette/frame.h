/* Frames: reference-counted pictures of a source, immutable. */
#ifndef VEDETTE_FRAME_H
#define VEDETTE_FRAME_H

#include <stdint.h>

#include "vedette/error.h"
#include "vedette/image.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Its memory belongs to its source's pool: a file's source waits, and a live one drops frames, while too many
 * are held. A frame may outlive its source. */
typedef struct vd_frame vd_frame;

/* Any thread; vd_frame_unref accepts NULL and sets it. */
VD_API vd_frame *vd_frame_ref(vd_frame *frame);
VD_API void vd_frame_unref(vd_frame **frame);

VD_API const vd_image *vd_frame_get_image(const vd_frame *frame); /* borrowed from the frame */
VD_API int64_t vd_frame_get_index(const vd_frame *frame);         /* in its source, from 0 */
VD_API double vd_frame_get_time_s(const vd_frame *frame);         /* of the stream, from its start */

#ifdef __cplusplus
}
#endif
#endif
