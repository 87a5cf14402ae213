/* Cancel tokens: ask a blocking call to end, from any thread. */
#ifndef VEDETTE_CANCEL_H
#define VEDETTE_CANCEL_H

#include <stdbool.h>

#include "vedette/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A token is requested once and stays so. Several calls may use one at the same time. */
typedef struct vd_cancel vd_cancel;

/* VD_OK or VD_ENOMEM. */
VD_API int vd_cancel_new(vd_cancel **ret_cancel);

/* Accepts NULL and sets it. No call may still use the token. */
VD_API void vd_cancel_free(vd_cancel **cancel);

/* Returns at once; may come often. Any thread, but no signal handler. */
VD_API void vd_cancel_request(vd_cancel *cancel);

/* NULL is a token that is never requested. Any thread. */
VD_API bool vd_cancel_requested(const vd_cancel *cancel);

#ifdef __cplusplus
}
#endif
#endif
