/* A future: the result of work that another thread does, completed exactly once.
 *
 *   PENDING -> RUNNING   [the worker begins]
 *   PENDING -> CANCELLED [vd_future_cancel, or the provider shuts down]
 *   RUNNING -> DONE      [the worker succeeds]
 *   RUNNING -> FAILED    [the worker fails]
 */
#ifndef VEDETTE_FUTURE_H
#define VEDETTE_FUTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vedette/error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct vd_future vd_future;

/* Called once, with the completed future: on the thread that completed it, or on the caller of
 * vd_future_then when it was complete already. It must not block; the future is borrowed. */
typedef void vd_continuation(void *context, vd_future *future);

/* References count from 1; the last unref frees the result. Any thread. */
VD_API vd_future *vd_future_ref(vd_future *future);
VD_API void vd_future_unref(vd_future **future);

/* Waits for completion, at most `timeout_ns` (0 polls, negative waits without end).
 * Returns VD_OK when it succeeded, VD_ETIMEOUT while it is not complete, VD_ECANCELED, VD_ESHUTDOWN, or the
 * code of the failure. Any thread but one that completes futures of the same provider. */
VD_API int vd_future_wait(vd_future *future, int64_t timeout_ns);

VD_API bool vd_future_is_complete(vd_future *future);

/* The result of a future that succeeded: borrowed, lives as long as the future; else NULL. Any thread. */
VD_API void *vd_future_value(vd_future *future);

/* Why it failed, or NULL while it has not. Borrowed. Any thread. */
VD_API const vd_error *vd_future_error(vd_future *future);

/* Adds a continuation. VD_OK or VD_ENOMEM. Any thread. */
VD_API int vd_future_then(vd_future *future, vd_continuation *run, void *context);

/* Cancels work that has not begun; true when this call did it. A batch that has begun is asked to leave out
 * the rest, and false is returned. May come often. Any thread. */
VD_API bool vd_future_cancel(vd_future *future);

/* A future that succeeds when all of `count` futures have (its value is NULL), or fails, once all are
 * complete, with the error of the first in the list that failed. References are taken; they may be released
 * at once. Cancelling it cancels nobody but itself. VD_OK, VD_EINVAL (none given) or VD_ENOMEM. Any thread.
 */
VD_API int vd_future_all(vd_future *const *futures, size_t count, vd_future **ret_future);

/* A future that succeeds with the first of `count` futures that does: its value is that vd_future, borrowed
 * from the one returned. Fails with the last error when all have failed. Otherwise as vd_future_all. */
VD_API int vd_future_any(vd_future *const *futures, size_t count, vd_future **ret_future);

#ifdef __cplusplus
}
#endif
#endif
