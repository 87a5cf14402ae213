#include "serve/routes.h"

#include <string.h>

#include "base/text.h"
#include "serve/handlers.h"
#include "serve/query.h"

/* tests/flow/serve_security.py reads this table and wants to know the answer to every row. */
static const vd_route routes[] = {
    {"POST", "/stream/sessions", true, VD_ROUTE_PLAIN, VD_BODY_JSON, vd_rest_open, NULL},
    {"GET", "/stream/sessions/{client_id}", true, VD_ROUTE_PLAIN, VD_BODY_NONE, vd_rest_get, ""},
    {"DELETE", "/stream/sessions/{client_id}", true, VD_ROUTE_PLAIN, VD_BODY_NONE, vd_rest_delete, ""},
    {"GET", "/stream/sessions/{client_id}/stats", true, VD_ROUTE_PLAIN, VD_BODY_NONE, vd_rest_stats, ""},
    {"GET", "/stream/sessions/{client_id}/config", true, VD_ROUTE_PLAIN, VD_BODY_NONE, vd_rest_config, ""},
    {"PATCH", "/stream/sessions/{client_id}/config", true, VD_ROUTE_PLAIN, VD_BODY_JSON, vd_rest_change, ""},
    {"POST", "/stream/process/{client_id}", true, VD_ROUTE_PLAIN, VD_BODY_PICTURE, vd_rest_process,
     "frame_id, timestamp"},
    {"GET", "/stream/events/{client_id}", true, VD_ROUTE_EVENTS, VD_BODY_NONE, vd_events_session, "ticket"},
    {"GET", "/stream/detection", true, VD_ROUTE_SOCKET, VD_BODY_NONE, vd_socket_session, NULL},
    {"POST", "/stream/ticket", true, VD_ROUTE_PLAIN, VD_BODY_JSON, vd_rest_ticket, ""},
    {"GET", "/stream/health", false, VD_ROUTE_PLAIN, VD_BODY_NONE, vd_rest_health, ""},
    {"GET", "/stream/stats", true, VD_ROUTE_PLAIN, VD_BODY_NONE, vd_rest_service, ""},
    {"GET", "/stream/cameras", true, VD_ROUTE_PLAIN, VD_BODY_NONE, vd_rest_cameras, ""},
    {"GET", "/stream/cameras/{name}", true, VD_ROUTE_SOCKET, VD_BODY_NONE, vd_socket_camera, "ticket"},
    {"GET", "/stream/cameras/{name}/events", true, VD_ROUTE_EVENTS, VD_BODY_NONE, vd_events_camera, "ticket"},
    {"GET", "/metrics", true, VD_ROUTE_PLAIN, VD_BODY_NONE, vd_metrics_get, ""},
    {"GET", "/", false, VD_ROUTE_PLAIN, VD_BODY_NONE, vd_pages_index, ""},
    {"GET", "/{file}", false, VD_ROUTE_PLAIN, VD_BODY_NONE, vd_pages_get, ""},
};

enum { ROUTES = sizeof routes / sizeof *routes };

const vd_route *vd_routes_at(size_t i)
{
    return i < ROUTES ? &routes[i] : NULL;
}

/* Whether a path has a route's form; *parameter then points at what stands for `{…}`. */
static bool has_form(const char *form, const char *path, const char **parameter, size_t *length)
{
    for (; *form != '\0'; form++) {
        if (*form != '{') {
            if (*form != *path++)
                return false;
            continue;
        }
        *parameter = path;
        *length = strcspn(path, "/");
        if (*length == 0)
            return false;
        path += *length;
        form = strchr(form, '}');
    }
    return *path == '\0';
}

/* HEAD is a GET without its body. */
static bool is_method(const vd_route *route, const char *method)
{
    return strcmp(route->method, method) == 0 ||
           (strcmp(method, "HEAD") == 0 && route->kind == VD_ROUTE_PLAIN &&
            strcmp(route->method, "GET") == 0);
}

/* No method's name is a part of another's. */
static void allow(char *list, const char *method)
{
    size_t used = strlen(list);
    if (strstr(list, method)) /* two forms fit the path */
        return;
    if (used > 0)
        vd_text_copy(list + used, 64 - used, ", ");
    used = strlen(list);
    vd_text_copy(list + used, 64 - used, method);
}

bool vd_route_takes(const vd_route *route, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = route->words; at && *at != '\0'; at += strspn(at, ", ")) {
        size_t one = strcspn(at, ",");
        if (one == length && memcmp(at, word, length) == 0)
            return true;
        at += one;
    }
    return !route->words;
}

int vd_route_find(const char *method, const char *path, const vd_route **ret_route,
                  char ret_parameter[static VD_PARAMETER], char ret_allow[static 64])
{
    bool known = false;
    ret_allow[0] = '\0';
    for (size_t i = 0; i < ROUTES; i++) {
        const char *parameter = "";
        size_t length = 0;
        if (!has_form(routes[i].path, path, &parameter, &length))
            continue;
        int code = vd_query_decode(parameter, length, false, ret_parameter, VD_PARAMETER);
        if (code == VD_EINVAL)
            continue; /* nothing has a name as long as that */
        if (code != VD_OK)
            return 400;
        if (is_method(&routes[i], method)) {
            *ret_route = &routes[i];
            return 200;
        }
        known = true;
        allow(ret_allow, routes[i].method);
        if (strcmp(routes[i].method, "GET") == 0 && routes[i].kind == VD_ROUTE_PLAIN)
            allow(ret_allow, "HEAD");
    }
    return known ? 405 : 404;
}
