/* Follows the requests of a connection (RFC 9112, 6) as they pass, and finds those whose length is none:
 * libsoup 3.2 answers them too, but never frees their path, so that strangers could fill the memory. Pure; no
 * allocation. */
#ifndef VD_SERVE_HEADS_H
#define VD_SERVE_HEADS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum vd_heads_place {
    VD_HEADS_HEAD, /* request line and headers */
    VD_HEADS_BODY,
    VD_HEADS_CHUNK, /* the line that says how long a chunk is */
    VD_HEADS_CHUNK_BODY,
    VD_HEADS_CHUNK_END,
    VD_HEADS_TRAILERS,
    VD_HEADS_WRONG
} vd_heads_place;

/* Zeroed to start. */
typedef struct vd_heads {
    vd_heads_place place;
    char line[64]; /* the line under way, as far as it fits */
    uint8_t have;
    bool too_long;         /* it does not fit */
    bool begun;            /* the request line has passed */
    bool of_length;        /* the line before told the length: it must not go on */
    bool sized, in_chunks; /* what the head has told */
    uint64_t size, left;
    uint64_t ends; /* of heads, ever */
    bool behind;   /* something passed since the last of them */
} vd_heads;

/* What passed next. False from a Content-Length on that is no number or comes twice, from a Transfer-Encoding
 * other than `chunked`, from a chunk without a length. */
bool vd_heads_pass(vd_heads *heads, const uint8_t *bytes, size_t size);

#endif
