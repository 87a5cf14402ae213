/* What is connected to this machine, and what its hardware decodes, as lists to be shown. */
#ifndef VD_MEDIA_AV_DEVICES_H
#define VD_MEDIA_AV_DEVICES_H

#include <stdbool.h>
#include <stddef.h>

typedef struct vd_av_camera {
    char path[32];     /* "/dev/video0" */
    char name[64];     /* as its driver calls it, UTF-8 */
    bool may_not_open; /* the user lacks the right: what it is stays unknown */
} vd_av_camera;

typedef struct vd_av_hardware {
    char name[24]; /* as libavutil calls it: "vaapi", "cuda", … */
    bool works;    /* it could be opened */
} vd_av_hardware;

/* Lists the devices below /dev that give pictures (V4L2), by rising number. A camera's second device, for
 * metadata, is left out.
 *
 * ret_cameras  `room` of them at most. Returns their number. Any thread. */
size_t vd_av_list_cameras(vd_av_camera *ret_cameras, size_t room);

/* Lists the ways to decode on hardware that libavutil was built with, and tries each: up to seconds.
 *
 * ret_hardware  `room` of them at most. Returns their number. Any thread. */
size_t vd_av_list_hardware(vd_av_hardware *ret_hardware, size_t room);

#endif
