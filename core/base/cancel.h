/* A cancel token: asks a blocking call to end, from any thread, and makes sleeping interruptible. */
#ifndef VD_BASE_CANCEL_H
#define VD_BASE_CANCEL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/thread.h"

typedef struct vd_cancel {
    atomic_bool requested; /* atomic: read by libav's interrupt callback without a lock */
    vd_mutex lock;
    vd_cond wake;
} vd_cancel;

int vd_cancel_init(vd_cancel *cancel);
void vd_cancel_fini(vd_cancel *cancel);

/* Asks; returns at once; may come often. Any thread. */
void vd_cancel_request(vd_cancel *cancel);

/* NULL is a token that is never requested. Any thread. */
bool vd_cancel_requested(const vd_cancel *cancel);

/* Sleeps until `deadline_ns`; true when it was cancelled meanwhile. */
bool vd_cancel_sleep_until(vd_cancel *cancel, int64_t deadline_ns);

#endif
