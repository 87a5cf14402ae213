/* SIGINT and SIGTERM as cancel requests. */
#ifndef VEDETTE_APP_INTERRUPT_H
#define VEDETTE_APP_INTERRUPT_H

#include <stdbool.h>

#include "vedette/cancel.h"

/* Turns SIGINT and SIGTERM into a request, by a thread that waits for them. Call it before any other thread
 * is started, once; a second signal ends the process at once with status 130. `cancel` must live until
 * vd_interrupt_stop. VD_OK or VD_ENOMEM. */
int vd_interrupt_start(vd_cancel *cancel);
void vd_interrupt_stop(void);

/* True once a signal came. */
bool vd_interrupted(void);

#endif
