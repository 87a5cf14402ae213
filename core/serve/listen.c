#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "serve/certificate.h"
#include "serve/request.h"
#include "serve/server.h"

enum { BACKLOG = 128, ACCEPTED_A_TURN = 64, ACCEPTED_MOST = 256, USHERED_A_TURN = 4 };

/* --- The address */

static GInetAddress *find_address(const char *address)
{
    return g_inet_address_new_from_string(strcmp(address, "localhost") == 0 ? "127.0.0.1" : address);
}

/* Where the page is: every address of a machine is reached through its loopback too. */
static void write_url(const vd_serve *serve, int port, char *out, size_t size)
{
    GInetAddress *address = find_address(serve->options.streaming.address);
    bool six = g_inet_address_get_family(address) == G_SOCKET_FAMILY_IPV6;
    char *text = g_inet_address_get_is_any(address) ? g_strdup(six ? "::1" : "127.0.0.1")
                                                    : g_inet_address_to_string(address);
    snprintf(out, size, "%s://%s%s%s:%d/", serve->certificate ? "https" : "http", six ? "[" : "", text,
             six ? "]" : "", port);
    g_free(text);
    g_object_unref(address);
}

static int bind_address(vd_serve *serve, GInetAddress *address, GError **reason)
{
    GSocketFamily family = g_inet_address_get_family(address);
    GSocketAddress *place = g_inet_socket_address_new(address, (guint16)serve->options.streaming.port);
    serve->socket = g_socket_new(family, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, reason);
    bool bound = serve->socket && g_socket_bind(serve->socket, place, TRUE, reason);
    g_object_unref(place);
    return bound ? VD_OK : VD_EIO;
}

/* A port that is taken may be free the next time; the rest is wrong in itself. */
static int refuse_port(const vd_streaming_settings *settings, const GError *reason, vd_error *error)
{
    if (g_error_matches(reason, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE))
        return vd_error_set(
            error, VD_EIO, NULL,
            "Another program listens on port %d of %s already. Close the other program, or choose another "
            "port (`port` of the group `streaming` in vedette.conf).",
            settings->port, settings->address);
    if (g_error_matches(reason, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED))
        return vd_error_set(error, VD_EINVAL, NULL,
                            "Port %d of %s is not ours to use; choose one from 1024 up (`port` of the group "
                            "`streaming` in vedette.conf).",
                            settings->port, settings->address);
    return vd_error_set(error, VD_EINVAL, NULL, "Port %d of %s cannot be used: %s.", settings->port,
                        settings->address, reason ? reason->message : "no socket");
}

int vd_serve_bind(vd_serve *serve, vd_error *error)
{
    const vd_streaming_settings *settings = &serve->options.streaming;
    int code = vd_certificate_read(settings, &serve->certificate, error);
    if (code != VD_OK)
        return code;
    GInetAddress *address = find_address(settings->address);
    if (!address)
        return vd_error_set(
            error, VD_EINVAL, NULL,
            "The address to listen on is \"%s\"; it must be localhost or an address in figures, "
            "such as 127.0.0.1 or 0.0.0.0.",
            settings->address);
    GError *reason = NULL;
    code = bind_address(serve, address, &reason);
    g_object_unref(address);
    if (code != VD_OK)
        code = refuse_port(settings, reason, error);
    g_clear_error(&reason);
    return code;
}

/* --- Connections
 *
 * Accepting goes before everything else, for the sake of libsoup's own listening; so nothing more than that
 * is done there. What a connection asks for is read and answered when it is the turn of connections, or else
 * whoever opens one after the other would keep all others from theirs. */

static gboolean usher(GSource *source, GSourceFunc callback, void *context)
{
    (void)callback;
    (void)context;
    vd_serve *serve = *(vd_serve **)(source + 1);
    GSocket *socket;
    for (int i = 0; i < USHERED_A_TURN && (socket = g_queue_pop_head(&serve->accepted)); i++) {
        vd_link_accept(serve, socket);
        g_object_unref(socket);
    }
    if (g_queue_is_empty(&serve->accepted))
        g_source_set_ready_time(source, -1);
    return G_SOURCE_CONTINUE;
}

static void keep_accepted(vd_serve *serve, GSocket *socket)
{
    if (g_queue_get_length(&serve->accepted) == ACCEPTED_MOST) {
        serve->counts.refused[VD_REFUSED_CONNECTIONS]++;
        g_object_unref(socket); /* closes it */
        return;
    }
    g_queue_push_tail(&serve->accepted, socket);
    g_source_set_ready_time(serve->usher, 0);
}

/* Out of descriptors: one is given up for a moment, so that whoever waits is turned away and not kept. */
static void turn_one_away(vd_serve *serve)
{
    if (serve->spare_fd >= 0)
        close(serve->spare_fd);
    GSocket *socket = g_socket_accept(serve->socket, NULL, NULL);
    g_clear_object(&socket);
    serve->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    serve->counts.refused[VD_REFUSED_CONNECTIONS]++;
}

static gboolean accept_some(GSocket *listener, GIOCondition condition, void *context)
{
    (void)condition;
    vd_serve *serve = context;
    for (int i = 0; i < ACCEPTED_A_TURN; i++) {
        GError *error = NULL;
        GSocket *socket = g_socket_accept(listener, NULL, &error);
        if (socket)
            keep_accepted(serve, socket);
        bool full = g_error_matches(error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES);
        bool done = error != NULL;
        g_clear_error(&error);
        if (full)
            turn_one_away(serve);
        if (done)
            break;
    }
    return G_SOURCE_CONTINUE;
}

static void begin_ushering(vd_serve *serve)
{
    static GSourceFuncs functions = {.dispatch = usher};
    g_queue_init(&serve->accepted);
    serve->usher = g_source_new(&functions, sizeof(GSource) + sizeof(vd_serve *));
    *(vd_serve **)(serve->usher + 1) = serve;
    g_source_attach(serve->usher, serve->context);
}

int vd_serve_listen(vd_serve *serve, vd_error *error)
{
    GError *reason = NULL;
    serve->soup = soup_server_new("raw-paths", TRUE, NULL);
    g_socket_set_listen_backlog(serve->socket, BACKLOG);
    g_socket_set_blocking(serve->socket, FALSE);
    /* libsoup keeps connections alive only where it listens itself. Ours comes first, and leaves it none. */
    if (!g_socket_listen(serve->socket, &reason) ||
        !soup_server_listen_socket(serve->soup, serve->socket, 0, &reason)) {
        vd_error_set(error, VD_EIO, NULL, "Port %d of %s cannot be used: %s", serve->options.streaming.port,
                     serve->options.streaming.address, reason->message);
        g_error_free(reason);
        return VD_EIO;
    }
    vd_request_serve(serve);
    serve->acceptor = g_socket_create_source(serve->socket, G_IO_IN, NULL);
    g_source_set_priority(serve->acceptor, G_PRIORITY_HIGH);
    g_source_set_callback(serve->acceptor, G_SOURCE_FUNC(accept_some), serve, NULL);
    g_source_attach(serve->acceptor, serve->context);
    begin_ushering(serve);
    GSocketAddress *local = g_socket_get_local_address(serve->socket, NULL);
    int port = local ? g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(local)) : 0;
    g_clear_object(&local);
    vd_mutex_lock(&serve->lock);
    write_url(serve, port, serve->status.url, sizeof serve->status.url);
    vd_mutex_unlock(&serve->lock);
    return VD_OK;
}

void vd_serve_stop_listening(vd_serve *serve)
{
    if (!serve->acceptor)
        return;
    g_source_destroy(serve->acceptor);
    g_source_unref(serve->acceptor);
    serve->acceptor = NULL;
    g_source_destroy(serve->usher);
    g_source_unref(serve->usher);
    serve->usher = NULL;
    g_queue_clear_full(&serve->accepted, g_object_unref);
    soup_server_disconnect(serve->soup); /* closes the socket too, and what is idle */
}
