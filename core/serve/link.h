/* A connection from outside, from accept to close: TLS, how long it may take for what, answers that need no
 * libsoup, and how much is on its way.
 *
 *   HANDSHAKE -> IDLE <-> READING -> ANSWERING -> IDLE      [a request; kept alive in between]
 *                             READING -> LINGERING -> gone  [refused before it was read]
 *                             ANSWERING -> STREAMING        [a WebSocket, server-sent events]
 *
 * The service's thread alone. */
#ifndef VD_SERVE_LINK_H
#define VD_SERVE_LINK_H

#include <libsoup/soup.h>
#include <stdbool.h>
#include <stdint.h>

#include "serve/frames.h"
#include "serve/heads.h"
#include "vedette/app/serve.h"

typedef enum vd_link_state {
    VD_LINK_HANDSHAKE,
    VD_LINK_IDLE,
    VD_LINK_READING,
    VD_LINK_ANSWERING,
    VD_LINK_STREAMING,
    VD_LINK_LINGERING
} vd_link_state;

typedef struct vd_link {
    vd_serve *serve;
    struct vd_link *next, *previous; /* of vd_serve.links */
    char peer[64];                   /* who it is: an address, of IPv6 the network */
    bool tls;
    GSocketConnection *connection;
    GIOStream *base; /* the connection, or TLS over it */
    GIOStream *wire; /* borrowed; NULL when libsoup has let go of it */
    GSocketAddress *remote;
    GCancellable *handshake; /* NULL: it has not begun, or there is none */

    vd_link_state state;
    int64_t since_ns;   /* of the state */
    int64_t blocked_ns; /* since when the client takes nothing; 0: it does */
    int64_t read_ns;    /* when it last sent something */
    int64_t message_ns; /* since when a WebSocket message is on its way; 0: none is */
    size_t turn_bytes;  /* read since others had their turn */
    size_t drained;
    GSource *drain;

    vd_heads heads; /* of requests */
    uint64_t taken; /* of these, by libsoup */
    char cors[640]; /* headers of every answer to the request under way; may be empty */
    bool socket;    /* a WebSocket: the frames are followed */
    vd_frames in, out;
    uint64_t most_message_bytes;
    bool deaf;       /* nothing more is read from it */
    int second;      /* number of the second in which frames were counted last */
    uint64_t frames; /* that had passed before it */
} vd_link;

/* The most connections in all and of one peer. */
enum { VD_LINKS_MOST = 256, VD_LINKS_PER_PEER = 64 };

/* Takes a connection that was accepted and hands it to libsoup; closes it when there are too many. */
void vd_link_accept(vd_serve *serve, GSocket *socket);

/* The link of a request; NULL for one that did not come through vd_link_accept. */
vd_link *vd_link_of(SoupServerMessage *message);

void vd_link_enter(vd_link *link, vd_link_state state);

/* Whether something came behind the head that libsoup took last: it has it already. */
bool vd_link_is_ahead(const vd_link *link);

/* From now on frames of a WebSocket pass. */
void vd_link_begin_frames(vd_link *link, uint64_t most_message_bytes);

/* Nothing that the client of a WebSocket sends is listened to any more: it is to read why, and to be closed.
 */
void vd_link_deafen(vd_link *link);

/* Answers at once, past libsoup, and closes when the client has had time to read it: for requests that are
 * not to be read to their end.
 *
 * headers  more of them, each with its \\r\\n; may be empty */
void vd_link_refuse(vd_link *link, int status, const char *headers, const char *sentence);

/* Closes without a word. libsoup, which has the stream, learns of it from the main loop. */
void vd_link_drop(vd_link *link);

/* Enforces the limits of time, of all links. */
void vd_links_tick(vd_serve *serve, int64_t now_ns);

/* Takes it out of the list, closes and frees it: when libsoup has let go of its stream, or never had it. */
void vd_link_free(vd_link *link);

/* Drops them all. */
void vd_links_drop(vd_serve *serve);

#endif
