/* What ThreadSanitizer must be told: GLib is not instrumented, so data that passes through its queues and
 * tasks looks unguarded. Nothing in other builds. */
#ifndef VD_UI_HANDOVER_H
#define VD_UI_HANDOVER_H

#if defined(__SANITIZE_THREAD__)
#define VD_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define VD_TSAN 1
#endif
#endif

#ifdef VD_TSAN
#include <sanitizer/tsan_interface.h>
#define VD_HAND_OVER(pointer) __tsan_release(pointer)
#define VD_TAKE_OVER(pointer) __tsan_acquire(pointer)
#else
#define VD_HAND_OVER(pointer) ((void)(pointer)) /* before GLib gets it */
#define VD_TAKE_OVER(pointer) ((void)(pointer)) /* first thing on the other side */
#endif

#endif
