/* The streaming interface for a window: one service at a time, started, stopped and freed without a wait on
 * the main loop. The service wakes a bridge of its own. Main thread. */
#ifndef VD_UI_SERVING_H
#define VD_UI_SERVING_H

#include <stdbool.h>
#include <stdint.h>

#include "vedette/app/serve.h"

typedef struct vd_serving vd_serving;

/*   OFF -> STARTING [start]   STARTING -> ON, FAILED   ON, STARTING -> STOPPING [stop]   STOPPING -> OFF, or
 *   STARTING where it was started again meanwhile   ON -> FAILED   FAILED -> STARTING [start] */
typedef enum vd_serving_state {
    VD_SERVING_OFF,
    VD_SERVING_STARTING,
    VD_SERVING_ON,
    VD_SERVING_STOPPING,
    VD_SERVING_FAILED /* status.error says why */
} vd_serving_state;

typedef struct vd_serving_view {
    vd_serving_state state;
    bool wanted; /* it is to be on */
    vd_serve_status status;
} vd_serving_view;

vd_serving *vd_serving_new(void);

/* At the program's end: stops it and waits until it has ended; the main loop runs meanwhile. True when it
 * has; else the program must end without freeing. */
bool vd_serving_join(vd_serving *serving, int64_t timeout_us);

/* After vd_serving_join has returned true. Accepts NULL and sets it. */
void vd_serving_free(vd_serving **serving);

/* Who is told of changes; NULL: nobody. */
void vd_serving_follow(vd_serving *serving, void (*changed)(void *context), void *context);

/* As the settings say, with the environment over them. Failure shows in the view.
 *
 * model, labels  NULL: the settings' */
void vd_serving_start(vd_serving *serving, const vd_settings *settings, const char *model,
                      const char *labels);
void vd_serving_stop(vd_serving *serving);

/* The camera whose feed is served, now and whenever the service starts; NULL: none. To be called before the
 * camera is closed.
 *
 * verifier  of this camera, for the service's figures; NULL: stage 2 is off. Lives until the next call */
void vd_serving_set_camera(vd_serving *serving, const char *name, vd_camera *camera, vd_verifier *verifier);

/* As it was half a second ago at most. */
const vd_serving_view *vd_serving_get_view(const vd_serving *serving);

#endif
