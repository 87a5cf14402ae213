/* A way down to one client that messages take: a WebSocket or a stream of server-sent events. One that does
 * not read is cut off: what waits for it is bounded in bytes and in time. The service's thread alone. */
#ifndef VD_SERVE_CHANNEL_H
#define VD_SERVE_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>

typedef struct vd_channel vd_channel;

/* Who stands behind a channel. */
typedef struct vd_channel_user {
    /* A message of the client (WebSocket alone); NULL: they are passed over. May close the channel. */
    void (*message)(void *context, bool text, const void *bytes, size_t size);
    /* The channel is gone: once, last, also after vd_channel_close. */
    void (*closed)(void *context);
    void *context;
} vd_channel_user;

/* Sets or (all NULL) takes away the user; `closed` of the one before is not called. */
void vd_channel_use(vd_channel *channel, const vd_channel_user *user);

/* Sends one message: a line of JSON (malloc), which it takes.
 * False: the client is gone, or did not read in time and was cut off; `closed` follows from the main loop,
 * and the text is still the caller's. */
bool vd_channel_send(vd_channel *channel, char *text, size_t size);

/* Tells the client and ends the channel; `closed` follows from the main loop. Twice is once.
 *
 * code      of a WebSocket's closing: VD_CLOSE_…
 * sentence  at most 120 bytes */
void vd_channel_close(vd_channel *channel, int code, const char *sentence);

/* The same, with the sentence as an error message before. */
void vd_channel_end(vd_channel *channel, int code, const char *sentence);

#define VD_NO_FRAME "What came is no frame of a WebSocket (RFC 6455, 5)."

enum {
    VD_CLOSE_NORMAL = 1000, /* deleted */
    VD_CLOSE_AWAY = 1001,   /* the service stops */
    VD_CLOSE_PROTOCOL = 1002,
    VD_CLOSE_BAD_TEXT = 1007, /* no UTF-8 */
    VD_CLOSE_POLICY = 1008,   /* not authorised, too many messages, too slow */
    VD_CLOSE_TOO_BIG = 1009,  /* a message */
    VD_CLOSE_REPLACED = 4001  /* another connection has taken the session over */
};

#endif
