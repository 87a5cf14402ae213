/* For tests: makes the next entry of the engine on this thread throw, so that each can be seen to catch. */
#ifndef VD_ENGINE_FAULT_H
#define VD_ENGINE_FAULT_H

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

#ifdef __cplusplus
}
#endif
#endif
