/* For tests: makes the next entry of the engine on this thread throw, so that each can be seen to catch. */
#ifndef VD_ENGINE_FAULT_H
#define VD_ENGINE_FAULT_H

#include "engine/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum vd_engine_fault {
    VD_FAULT_NONE,
    VD_FAULT_OPENCV,   /* cv::Exception */
    VD_FAULT_MEMORY,   /* std::bad_alloc */
    VD_FAULT_STANDARD, /* std::runtime_error */
    VD_FAULT_OTHER     /* an int */
} vd_engine_fault;

/* Holds for one call on the calling thread. */
void vd_engine_throw_next(vd_engine_fault fault);

/* From now on, for the whole process, the device counts as one that is there, and each network made on it
 * throws in its first pass, as with a broken driver. VD_NET_CPU ends it. */
void vd_engine_break_device(vd_net_device device);

#ifdef __cplusplus
}
#endif
#endif
