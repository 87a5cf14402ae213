/* A request on its way: checked when its head is there, read within its limits, answered by its handler. */
#ifndef VD_SERVE_REQUEST_H
#define VD_SERVE_REQUEST_H

#include <jansson.h>
#include <libsoup/soup.h>
#include <stdbool.h>
#include <stddef.h>

#include "serve/config.h"
#include "serve/link.h"
#include "serve/query.h"
#include "serve/routes.h"
#include "serve/server.h"
#include "vedette/error.h"

/* What libsoup has no names for. */
enum { VD_STATUS_UPGRADE_REQUIRED = 426, VD_STATUS_TOO_MANY = 429, VD_STATUS_HEADERS_TOO_LARGE = 431 };

struct vd_request {
    vd_serve *serve;
    vd_link *link; /* lives as long as the request is handled */
    SoupServerMessage *message;
    const vd_route *route; /* NULL: refused by its head */
    char parameter[VD_PARAMETER];
    vd_query query;
    int owner; /* VD_ACCESS_DENIED: a WebSocket whose first message is to bring the token */
    GByteArray *body;
    size_t most; /* bytes of it */
};

/* Requests of libsoup come here from now on. */
void vd_request_serve(vd_serve *serve);

/* A header as it came; NULL when it is missing. */
const char *vd_request_header(const vd_request *request, const char *name);

/* Whether its header Content-Type names this media type, with whatever parameters; false when it is missing.
 *
 * type  such as `application/json`, or `image/` for all of a kind */
bool vd_request_is_type(const vd_request *request, const char *type);

/* The session that the path names, when it is the asker's; else it answers 404 and gives NULL. */
vd_session *vd_request_session(vd_request *request);

/* `Not Found`. Never NULL. */
const char *vd_status_phrase(int status);

/* The answers. Text is taken (malloc; NULL answers 503); json is a reference, taken. */
void vd_reply_text(vd_request *request, int status, const char *type, char *text, size_t size);
void vd_reply_json(vd_request *request, int status, json_t *json);
void vd_reply_empty(vd_request *request, int status);
void vd_reply_error(vd_request *request, int status, const char *sentence);
void vd_reply_refusal(vd_request *request, const char *sentence, const vd_refusal *refusal); /* 422 */

/* VD_EAGAIN: 429, VD_ENOMEM: 503, and so on. */
void vd_reply_failure(vd_request *request, const vd_error *error);

#endif
