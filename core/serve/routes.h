/* What can be asked for: one table of method, path and handler. Pure, but for the handlers it names. */
#ifndef VD_SERVE_ROUTES_H
#define VD_SERVE_ROUTES_H

#include <stdbool.h>
#include <stddef.h>

typedef struct vd_request vd_request;

typedef enum vd_route_body {
    VD_BODY_NONE,
    VD_BODY_JSON,   /* at most VD_BODY_JSON_MOST bytes */
    VD_BODY_PICTURE /* a frame message or an encoded picture */
} vd_route_body;

enum { VD_BODY_JSON_MOST = 64 << 10, VD_PARAMETER = 96 };

typedef enum vd_route_kind {
    VD_ROUTE_PLAIN,
    VD_ROUTE_EVENTS, /* a ticket serves as well as a token */
    VD_ROUTE_SOCKET  /* that too, or the token in the first message */
} vd_route_kind;

typedef struct vd_route {
    const char *method;
    const char *path; /* `{…}` stands for one part, which is handed to the handler decoded */
    bool token;       /* needs one, where the service needs any */
    vd_route_kind kind;
    vd_route_body body;
    void (*run)(vd_request *request);
    const char *words; /* of the query, `a, b`; NULL: the handler judges them itself */
} vd_route;

/* Finds what a request is for. 200, 400 (broken percent-encoding), 404 (also what is too long to be there),
 * or 405.
 *
 * path           as it came, percent-encoded
 * ret_parameter  what stands for `{…}`; empty without it
 * ret_allow      of 405, and of OPTIONS: the methods of this path, for the header Allow */
int vd_route_find(const char *method, const char *path, const vd_route **ret_route,
                  char ret_parameter[static VD_PARAMETER], char ret_allow[static 64]);

/* Whether a word of the query means something to the route. */
bool vd_route_takes(const vd_route *route, const char *word);

/* The table, for tests. */
const vd_route *vd_routes_at(size_t i); /* NULL behind the last */

#endif
