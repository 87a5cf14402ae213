/* The page and the description of the interface, out of the program itself: no path of a request ever becomes
 * one of the file system. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "serve/handlers.h"
#include "serve/request.h"

/* Made by glib-compile-resources out of resources/serve. */
GResource *vd_serve_resources_get_resource(void);
void vd_serve_resources_register_resource(void);

static vd_once registered = VD_ONCE_INIT;

static const char folder[] = "/org/vedette/serve/";

static const char *type_of(const char *name)
{
    static const char *const types[][2] = {{".html", "text/html; charset=utf-8"},
                                           {".js", "text/javascript; charset=utf-8"},
                                           {".css", "text/css; charset=utf-8"},
                                           {".json", "application/json"},
                                           {".svg", "image/svg+xml"}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (vd_text_ends_with(name, types[i][0]))
            return types[i][1];
    return "application/octet-stream";
}

static void send_file(vd_request *request, const char *name)
{
    char path[sizeof folder + VD_PARAMETER];
    vd_once_run(&registered, vd_serve_resources_register_resource);
    g_snprintf(path, sizeof path, "%s%s", folder, name);
    GBytes *bytes = strchr(name, '/') ? NULL
                                      : g_resource_lookup_data(vd_serve_resources_get_resource(), path,
                                                               G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
    if (!bytes) {
        request->serve->counts.refused[VD_REFUSED_WRONG]++;
        vd_reply_error(request, SOUP_STATUS_NOT_FOUND, "There is nothing under this path.");
        return;
    }
    SoupMessageHeaders *headers = soup_server_message_get_response_headers(request->message);
    soup_message_headers_replace(headers, "Content-Type", type_of(name));
    soup_message_headers_replace(headers, "Content-Security-Policy",
                                 "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
                                 "base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
    soup_server_message_set_status(request->message, SOUP_STATUS_OK, NULL);
    if (g_bytes_get_size(bytes) > 0)
        soup_message_body_append_bytes(soup_server_message_get_response_body(request->message), bytes);
    g_bytes_unref(bytes);
}

void vd_pages_index(vd_request *request)
{
    send_file(request, "index.html");
}

void vd_pages_get(vd_request *request)
{
    send_file(request, request->parameter);
}
