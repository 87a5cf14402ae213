/* Follows the requests of a connection (RFC 9112) as they pass, before libsoup sees them, and refuses what
 * the two could read otherwise: where a request ends must be one thing for us, for libsoup 3.2 and for a
 * proxy before us, or the body of one becomes the next. It also answers in words what libsoup would refuse
 * without one, and keeps from it requests without a length, whose path it never frees.
 *
 * Stricter than the RFC must be: lines end with CR LF, a header is not folded, a chunked body has no trailers
 * (libsoup 3.2 takes the first line of them for their end). Pure; no allocation. */
#ifndef VD_SERVE_HEADS_H
#define VD_SERVE_HEADS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The most bytes of an address and of a head in all; libsoup ends connections without a word beyond 100 KiB.
 */
enum { VD_HEADS_TARGET_MOST = 8000, VD_HEADS_HEAD_MOST = 64 << 10, VD_HEADS_LINE = 300 };

typedef enum vd_heads_place {
    VD_HEADS_HEAD, /* request line and headers */
    VD_HEADS_BODY,
    VD_HEADS_CHUNK, /* the line that says how long a chunk is */
    VD_HEADS_CHUNK_BODY,
    VD_HEADS_CHUNK_END,
    VD_HEADS_TRAILERS,
    VD_HEADS_WRONG
} vd_heads_place;

typedef enum vd_heads_part { /* of a head */
                             VD_HEADS_METHOD,
                             VD_HEADS_TARGET,
                             VD_HEADS_VERSION,
                             VD_HEADS_NAME,
                             VD_HEADS_VALUE
} vd_heads_part;

typedef enum vd_heads_name { /* of the headers that matter here */
                             VD_HEADS_OTHER,
                             VD_HEADS_LENGTH,
                             VD_HEADS_ENCODING,
                             VD_HEADS_HOST,
                             VD_HEADS_ORIGIN,
                             VD_HEADS_EXPECT,
                             VD_HEADS_CONNECTION
} vd_heads_name;

/* What the head under way has told. */
typedef struct vd_head {
    vd_heads_part part;
    vd_heads_name name;
    uint32_t bytes, target;        /* in all, and of the address */
    uint8_t percent;               /* digits that are still to come behind a `%` */
    bool blank;                    /* an empty line came before it */
    bool old;                      /* HTTP/1.0 */
    bool starred;                  /* the address is `*` */
    bool host, origin, expect;     /* came */
    bool sized, in_chunks;         /* came */
    uint64_t size;                 /* where sized */
    char authority[VD_HEADS_LINE]; /* the host that a whole URL names; else empty */
} vd_head;

/* Zeroed to start. */
typedef struct vd_heads {
    vd_heads_place place;
    vd_head head;
    char line[VD_HEADS_LINE]; /* the part of a line that is under way, as far as it fits */
    uint16_t have;
    bool too_long; /* it does not fit */
    bool cr;       /* a line is about to end */
    uint64_t left; /* of the body or chunk */
    uint64_t ends; /* of heads, ever */
    int64_t told;  /* by the last of them: bytes of its body; -1: in chunks */
    bool behind;   /* something passed since the last of them */
    int status;    /* of what is wrong: how it is to be answered */
    const char *sentence;
} vd_heads;

/* What passed next. False from what is wrong on: `status` and `sentence` then say what. */
bool vd_heads_pass(vd_heads *heads, const uint8_t *bytes, size_t size);

#endif
