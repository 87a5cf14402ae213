/* The provider's side of a future. */
#ifndef VD_BASE_FUTURE_H
#define VD_BASE_FUTURE_H

#include "vedette/future.h"

/* A pending future with one reference.
 * free_value  releases the value when the last reference goes. VD_OK or VD_ENOMEM. */
int vd_future_new(void (*free_value)(void *value), vd_future **ret_future);

/* The same for a provider that uses futures again and again: with its last reference it is not freed but
 * idle. Then `idle(context)` is called, on any thread; it renews the future, keeps it for later or frees it.
 */
int vd_future_new_reusable(void (*free_value)(void *value), void (*idle)(void *context), void *context,
                           vd_future **ret_future);

/* Makes an idle future pending again, with one reference. */
void vd_future_renew(vd_future *future);

/* Frees an idle future. Accepts NULL and sets it. */
void vd_future_free_idle(vd_future **future);

/* The worker takes the job up: false when it was cancelled before, then the worker leaves it alone. */
bool vd_future_begin(vd_future *future);

/* Whether somebody has tried to cancel it since it began. */
bool vd_future_is_unwanted(vd_future *future);

/* Moves the value out of a future that succeeded; NULL when it did not. Nobody else may use the value. */
void *vd_future_take_value(vd_future *future);

/* Completes a future that has begun. Takes `value`, and frees it when the future was failed meanwhile. Runs
 * continuations on this thread. */
void vd_future_complete(vd_future *future, void *value);

/* Completes it with an error, begun or not (a provider that shuts down fails what is pending); does nothing
 * when it is complete. True when this call completed it. */
bool vd_future_fail(vd_future *future, const vd_error *error);

#endif
