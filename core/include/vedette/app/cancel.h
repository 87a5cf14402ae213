/* Cancel tokens for programs: ask a blocking call to end. */
#ifndef VEDETTE_APP_CANCEL_H
#define VEDETTE_APP_CANCEL_H

#include <stdbool.h>

typedef struct vd_cancel vd_cancel;

/* VD_OK or VD_ENOMEM. */
int vd_cancel_new(vd_cancel **ret_cancel);
void vd_cancel_free(vd_cancel **cancel); /* accepts NULL and sets it */
void vd_cancel_request(vd_cancel *cancel);
bool vd_cancel_requested(const vd_cancel *cancel);

/* Turns SIGINT and SIGTERM into a request, by a thread that waits for them. Call it before any other thread
 * is started, once; a second signal ends the process at once with status 130. `cancel` must live until
 * vd_interrupt_stop. VD_OK or VD_ENOMEM. */
int vd_interrupt_start(vd_cancel *cancel);
void vd_interrupt_stop(void);

/* True once a signal came. */
bool vd_interrupted(void);

#endif
