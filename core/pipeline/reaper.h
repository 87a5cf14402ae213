/* One thread that joins and frees closed cameras, so that nobody who must not wait does. It lives while there
 * is something to do. */
#ifndef VD_PIPELINE_REAPER_H
#define VD_PIPELINE_REAPER_H

#include "vedette/app/camera.h"

/* Takes the camera; `destroy` runs on the reaper's thread, or here when it cannot be started. Any thread. */
void vd_reaper_take(vd_camera *camera, void (*destroy)(vd_camera *camera));

#endif
