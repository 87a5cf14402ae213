/* A cancel token: asks a blocking call to end, from any thread, and makes sleeping interruptible. */
#ifndef VD_BASE_CANCEL_H
#define VD_BASE_CANCEL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/thread.h"
#include "vedette/app/cancel.h"

struct vd_cancel {
    atomic_bool requested; /* atomic: read by libav's interrupt callback without a lock */
    vd_mutex lock;
    vd_cond wake;
    vd_cancel *parent; /* immutable; NULL for a token of its own */
    vd_cancel *child;  /* guarded by lock */
};

int vd_cancel_init(vd_cancel *cancel);
void vd_cancel_fini(vd_cancel *cancel);

/* A token that is also requested whenever `parent` is (NULL: as vd_cancel_init). The parent must outlive it
 * and has one child at a time; children have none. VD_OK, VD_EINVAL (there is a child already) or VD_ENOMEM.
 */
int vd_cancel_init_child(vd_cancel *cancel, vd_cancel *parent);

/* vd_cancel_request returns at once and may come often; vd_cancel_requested takes NULL as a token that is
 * never requested. Both from any thread. */

/* Sleeps until `deadline_ns`; true when it was cancelled meanwhile. */
bool vd_cancel_sleep_until(vd_cancel *cancel, int64_t deadline_ns);

#endif
