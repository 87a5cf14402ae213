/* The one place where core wakes the window: any number of wake-ups from any thread become at most one
 * pending call on the main loop. */
#ifndef VD_UI_BRIDGE_H
#define VD_UI_BRIDGE_H

typedef struct vd_bridge vd_bridge;

/* `run` is called on the main loop, before drawing, with `context`. Main thread. */
vd_bridge *vd_bridge_new(void (*run)(void *context), void *context);

/* Fits vd_camera_options.wake: `bridge` is a vd_bridge. Any thread; never waits. */
void vd_bridge_wake(void *bridge);

/* Drops a pending call. Nobody may wake it any more. Main thread; accepts NULL and sets it. */
void vd_bridge_free(vd_bridge **bridge);

#endif
