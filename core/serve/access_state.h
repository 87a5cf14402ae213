/* What access.c, tokens.c and origin.c share. */
#ifndef VD_SERVE_ACCESS_STATE_H
#define VD_SERVE_ACCESS_STATE_H

#include <stddef.h>

#include "serve/access.h"

enum {
    VD_TOKEN_BYTES = 256,
    VD_TOKEN_LEAST = 16,
    VD_TOKENS = 256,
    VD_TICKETS = 1024,
    VD_PEERS = 4096,
    VD_NO_PEER = -1
};

/* --- tokens.c: the file */

typedef struct vd_token {
    char bytes[VD_TOKEN_BYTES]; /* zeros behind it, one at least */
} vd_token;

typedef struct vd_tokens {
    char path[512];
    vd_token *list;
    size_t count;
} vd_tokens;

/* Reads the tokens of a file (empty: `streaming-token` beside vedette.conf), which is made when it is
 * missing. The file must be a regular one of ours, of at most 64 KiB, that nobody else may read or write, and
 * no link. `list` is malloc, to be wiped and freed; `tokens` is untouched on failure. As vd_access_new. */
int vd_tokens_open(const char *path, vd_tokens *tokens, vd_error *error);

/* --- origin.c: scheme, host and port */

typedef struct vd_origin {
    char scheme[8], host[256]; /* small letters; a literal IPv6 address with its brackets */
    int port;                  /* the scheme's own when none is given */
} vd_origin;

/* `https://host[:port]`; false when it is anything else. */
bool vd_origin_read(const char *text, vd_origin *ret_origin);

/* --- access.c */

struct vd_ticket {
    char text[VD_TICKET]; /* empty: none */
    int owner;
    int64_t made_ns;
};

struct vd_peer {
    char name[64];
    int64_t began_ns, seen_ns; /* the second that is counted; the last request */
    int requests;
    int16_t next; /* of its chain */
};

typedef struct vd_peers {
    uint64_t seed;
    int16_t heads[VD_PEERS]; /* chains by hash */
    struct vd_peer list[VD_PEERS];
    size_t count;
} vd_peers;

void vd_peers_init(vd_peers *peers);

struct vd_access {
    bool loopback, needs_token;
    int most_requests;
    vd_tokens tokens;
    vd_origin origins[VD_MAX_ORIGINS];
    int origin_count;
    struct vd_ticket tickets[VD_TICKETS];
    vd_peers peers;
};

#endif
