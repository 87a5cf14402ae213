/* What OpenCV at hand can compute with, as a list to be shown. */
#ifndef VD_ENGINE_DEVICE_H
#define VD_ENGINE_DEVICE_H

#include <stddef.h>

#include "engine/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A pair that OpenCV offers for networks. */
typedef struct vd_engine_target {
    char backend[24]; /* "OpenCV", "CUDA", "OpenVINO", …; "backend 12" for one that came after this was
                         written */
    char target[24];  /* "CPU", "OpenCL", … */
} vd_engine_target;

/* Lists the backends that were built into OpenCV with the targets that they find here. It is OpenCV's word:
 * only a pass on it (vd_net_new) shows that one works.
 *
 * ret_targets  `room` of them at most
 * Any thread; the first call may take a second where it loads a driver. */
int vd_engine_list_targets(vd_engine_target *ret_targets, size_t room, size_t *ret_count, vd_error *error);

#ifdef __cplusplus
}
#endif
#endif
