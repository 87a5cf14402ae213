#include "serve/certificate.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HANDSHAKE_S = 10 };

/* Says of both files which cannot be read: GLib's words tell of the first alone. */
static int check_files(const vd_streaming_settings *settings, vd_error *error)
{
    const char *certificate = settings->tls_certificate, *key = settings->tls_key;
    int no_certificate = access(certificate, R_OK) == 0 ? 0 : errno;
    int no_key = access(key, R_OK) == 0 ? 0 : errno;
    if (no_certificate && no_key)
        return vd_error_set(error, VD_EINVAL, NULL,
                            "Neither the certificate %s nor its key %s can be read: %s.", certificate, key,
                            g_strerror(no_certificate));
    if (no_certificate)
        return vd_error_set(error, VD_EINVAL, NULL, "The certificate %s of the key %s cannot be read: %s.",
                            certificate, key, g_strerror(no_certificate));
    if (no_key)
        return vd_error_set(error, VD_EINVAL, NULL, "The key %s of the certificate %s cannot be read: %s.",
                            key, certificate, g_strerror(no_key));
    return VD_OK;
}

/* --- Whether they belong together: GLib reads a certificate with any key, and a client is the first to find
 * out. So both ends of a handshake are played through here. */

static GIOStream *stream_over(int file)
{
    GSocket *socket = g_socket_new_from_fd(file, NULL);
    if (!socket) {
        close(file);
        return NULL;
    }
    g_socket_set_timeout(socket, HANDSHAKE_S);
    GSocketConnection *connection = g_socket_connection_factory_create_connection(socket);
    g_object_unref(socket);
    return G_IO_STREAM(connection);
}

static gboolean accept_any(GTlsConnection *connection, GTlsCertificate *certificate,
                           GTlsCertificateFlags flaws, gpointer context)
{
    (void)connection;
    (void)certificate;
    (void)flaws;
    (void)context;
    return TRUE; /* whom it is for, and how long, are not ours to judge */
}

static gpointer shake_as_server(gpointer connection)
{
    return GINT_TO_POINTER(g_tls_connection_handshake(connection, NULL, NULL));
}

static bool shake(GIOStream *server_end, GIOStream *client_end, GTlsCertificate *certificate)
{
    GIOStream *server = g_tls_server_connection_new(server_end, certificate, NULL);
    GIOStream *client = g_tls_client_connection_new(client_end, NULL, NULL);
    GThread *thread =
        server && client ? g_thread_try_new("vd-serve-tls", shake_as_server, server, NULL) : NULL;
    bool shaken = false;
    if (thread) {
        g_signal_connect(client, "accept-certificate", G_CALLBACK(accept_any), NULL);
        shaken = g_tls_connection_handshake(G_TLS_CONNECTION(client), NULL, NULL);
        if (!shaken)
            g_io_stream_close(client_end, NULL, NULL); /* the other end is to end, too */
        shaken = GPOINTER_TO_INT(g_thread_join(thread)) && shaken;
    }
    g_clear_object(&client);
    g_clear_object(&server);
    return shaken;
}

static bool belong_together(GTlsCertificate *certificate)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return false;
    GIOStream *server_end = stream_over(ends[0]), *client_end = stream_over(ends[1]);
    bool together = server_end && client_end && shake(server_end, client_end, certificate);
    g_clear_object(&server_end);
    g_clear_object(&client_end);
    return together;
}

int vd_certificate_read(const vd_streaming_settings *settings, GTlsCertificate **ret_certificate,
                        vd_error *error)
{
    GError *reason = NULL;
    *ret_certificate = NULL;
    if (settings->tls_certificate[0] == '\0')
        return VD_OK;
    if (!g_tls_backend_supports_tls(g_tls_backend_get_default()))
        return vd_error_set(error, VD_EUNSUPPORTED, NULL,
                            "TLS needs GLib's networking module: install glib-networking.");
    int code = check_files(settings, error);
    if (code != VD_OK)
        return code;
    GTlsCertificate *certificate =
        g_tls_certificate_new_from_files(settings->tls_certificate, settings->tls_key, &reason);
    if (!certificate) {
        code =
            vd_error_set(error, VD_EINVAL, NULL, "%s and %s are no certificate and its key in PEM form: %s",
                         settings->tls_certificate, settings->tls_key, reason->message);
        g_error_free(reason);
        return code;
    }
    if (!belong_together(certificate)) {
        g_object_unref(certificate);
        return vd_error_set(error, VD_EINVAL, NULL,
                            "The key %s does not belong to the certificate %s: no TLS connection comes about "
                            "with the two.",
                            settings->tls_key, settings->tls_certificate);
    }
    *ret_certificate = certificate;
    return VD_OK;
}
