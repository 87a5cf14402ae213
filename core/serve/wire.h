/* A stream between a client and libsoup that is watched: who reads and writes how much and when. libsoup
 * itself tells neither when a request's first byte came nor how much of what it was given waits to be sent.
 * Used on the service's thread alone. */
#ifndef VD_SERVE_WIRE_H
#define VD_SERVE_WIRE_H

#include <gio/gio.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum vd_wire_turn {
    VD_WIRE_READ,           /* libsoup may read */
    VD_WIRE_LATER,          /* when others have had their turn */
    VD_WIRE_UNTIL_WRITABLE, /* when the client takes what was written */
    VD_WIRE_NEVER
} vd_wire_turn;

typedef struct vd_wire_watch {
    vd_wire_turn (*may_read)(void *context);
    /* How many of them libsoup is to see; negative: none, but something that it refuses. */
    gssize (*did_read)(void *context, const uint8_t *bytes, size_t size);
    void (*did_write)(void *context, const uint8_t *bytes, size_t size);
    /* Whether the client is between two requests or within a head; asked when it has gone. */
    bool (*is_idle)(void *context);
    void (*blocked)(void *context); /* the client does not take more for now */
    void (*closed)(void *context);  /* once; nothing else is called after it */
    void *context;
} vd_wire_watch;

/* A stream over `base`, which is not closed with it: the watcher does that. Polled, never read with
 * waiting.
 *
 * base  its streams can be polled; one reference is taken
 * One reference; the context must live until `closed`. */
GIOStream *vd_wire_new(GIOStream *base, const vd_wire_watch *watch);

/* From now on reading and writing fail, so that libsoup gives the stream up; `closed` follows from there. */
void vd_wire_break(GIOStream *wire);

#endif
