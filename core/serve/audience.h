/* Who gets what a session or a camera says: the tie between it and a channel. */
#ifndef VD_SERVE_AUDIENCE_H
#define VD_SERVE_AUDIENCE_H

#include <stdint.h>

#include "serve/channel.h"
#include "serve/server.h"

/* Zeroed to start; lives until vd_audience_leave. */
typedef struct vd_audience {
    vd_serve *serve;
    vd_channel *channel;
    vd_session *session; /* a reference; NULL: of no session */
    bool listens;
    vd_watcher *watcher; /* NULL: of no camera */
    struct vd_audience *next, *previous;
} vd_audience;

/* The channel gets the session's answers from now on, those that waited first; who had them before is told
 * and closed. */
void vd_audience_join_session(vd_audience *audience, vd_serve *serve, vd_channel *channel,
                              vd_session *session);

/* The channel gets the camera's messages from now on. As vd_watcher_attach. */
int vd_audience_join_camera(vd_audience *audience, vd_serve *serve, vd_channel *channel, const char *name,
                            vd_error *error);

/* Nothing comes any more. Twice is once. */
void vd_audience_leave(vd_audience *audience);

/* Tells and closes the channels of sessions that have ended. */
void vd_audiences_sweep(vd_serve *serve, int code, const char *sentence);

#endif
