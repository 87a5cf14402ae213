/* Who may do what: tokens, one-time tickets, the Origin and Host headers, how much a peer may ask for. Pure
 * functions over values and times; owned by the service's thread. */
#ifndef VD_SERVE_ACCESS_H
#define VD_SERVE_ACCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "vedette/app/settings.h"
#include "vedette/error.h"

typedef struct vd_access vd_access;

enum { VD_ACCESS_OPEN = -1, VD_ACCESS_DENIED = -2, VD_TICKET = 65 };

/* Reads the tokens: one a line, 16 to 255 plain characters without blanks, at most 256 of them; # begins a
 * comment. Where the file is needed and missing it is made, mode 0600, with one token of 256 random bits,
 * whole at once, however many start at the same time. One that others may use, that is not ours, that is a
 * link or no file, or that has more than 64 KiB is refused. A token is needed on every address that is not
 * loopback, and wherever a file is named; without a name it is `streaming-token` beside vedette.conf. VD_OK,
 * VD_EINVAL (the file, or an origin, cannot be used or is not what it must be), VD_ENOMEM. */
int vd_access_new(const vd_streaming_settings *settings, vd_access **ret_access, vd_error *error);
void vd_access_free(vd_access **access); /* wipes the tokens; accepts NULL and sets it */

/* 127.0.0.0/8, ::1, and the name `localhost`. */
bool vd_access_is_loopback(const char *address);
/* Whether it is `name[:port]` or `address[:port]`, as a Host header may have it. */
bool vd_access_is_authority(const char *text);
bool vd_access_needs_token(const vd_access *access);
const char *vd_access_token_file(const vd_access *access); /* empty when none is needed */

/* The number of a token; VD_ACCESS_OPEN when none is needed, VD_ACCESS_DENIED when it is none. Compares with
 * every token in constant time. */
int vd_access_check_token(const vd_access *access, const char *token);
int vd_access_check_header(const vd_access *access, const char *authorization); /* `Bearer …`; NULL: none */

/* A ticket for one connection within 30 s, standing for a token; at most 1024 are out (then the oldest goes).
 * Empty, and good for nothing, where the system gives no random numbers. */
void vd_access_make_ticket(vd_access *access, int owner, int64_t now_ns, char ret_ticket[static VD_TICKET]);
int vd_access_take_ticket(vd_access *access, const char *ticket, int64_t now_ns); /* the owner, or DENIED */

/* Whether a page of this origin may speak with us: none (no browser), the service's own (scheme and Host), or
 * a listed one. NULL: the header is missing. The service's own is only as good as its Host header: ask
 * vd_access_host_is_fine too. */
bool vd_access_origin_is_fine(const vd_access *access, const char *origin, const char *scheme,
                              const char *host);
bool vd_access_origin_is_listed(const vd_access *access, const char *origin); /* for CORS */

/* Whether the Host header names this service: on loopback without a token only loopback names and addresses,
 * against names of strangers that lead here (DNS rebinding). A broken or missing one (NULL) never does. */
bool vd_access_host_is_fine(const vd_access *access, const char *host);

/* Counts a request of a peer; false when it has had its requests of this second, which begins with its first.
 * Remembers 4096 peers, the stalest gives way. */
bool vd_access_count_request(vd_access *access, const char *peer, int64_t now_ns);

#endif
