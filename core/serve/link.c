#include "serve/link.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "serve/channels.h"
#include "serve/request.h"
#include "serve/server.h"
#include "serve/wire.h"

enum {
    HANDSHAKES = 4,          /* of a peer at once */
    SEND_BUFFER = 128 << 10, /* of the kernel: what waits is to be seen here */
    TURN_BYTES = 512 << 10,  /* read from one before others have their turn */
    FRAMES_PER_S = 5000      /* of a WebSocket, pings among them */
};

static const char *link_key = "vd-link"; /* of the address by which a request's connection is known */

/* --- What passes */

static vd_wire_turn may_read(void *context)
{
    vd_link *link = context;
    if (link->deaf)
        return VD_WIRE_NEVER;
    if (link->socket && link->blocked_ns)
        return VD_WIRE_UNTIL_WRITABLE; /* who does not read is not read */
    if (link->turn_bytes < TURN_BYTES)
        return VD_WIRE_READ;
    link->turn_bytes = 0;
    return VD_WIRE_LATER;
}

/* What of it libsoup is to see: all, but nothing that says how large something is that is too large, for it
 * would close without a word, or wait for it. */
static size_t read_frames(vd_link *link, const uint8_t *bytes, size_t size, int64_t now_ns)
{
    uint64_t ends = link->in.ends;
    size_t passed = vd_frames_pass(&link->in, bytes, size, link->most_message_bytes);
    if (vd_frames_between(&link->in))
        link->message_ns = 0;
    else if (link->message_ns == 0 || link->in.ends != ends) /* on a full line there is no pause to see */
        link->message_ns = now_ns;
    int second = (int)(now_ns / VD_NS_PER_S);
    if (second != link->second) {
        link->second = second;
        link->frames = link->in.frames;
    }
    link->serve->counts.refused[VD_REFUSED_SIZE] += link->in.over == VD_FRAMES_TOO_LARGE;
    link->serve->counts.refused[VD_REFUSED_WRONG] += link->in.over == VD_FRAMES_BROKEN;
    if (link->in.over != VD_FRAMES_GO_ON || link->in.frames - link->frames > FRAMES_PER_S)
        link->deaf = true; /* the tick says why and closes */
    return passed;
}

static gssize did_read(void *context, const uint8_t *bytes, size_t size)
{
    vd_link *link = context;
    int64_t now_ns = vd_clock_now_ns();
    link->read_ns = now_ns;
    link->turn_bytes += size;
    if (link->socket)
        return (gssize)read_frames(link, bytes, size, now_ns);
    if (link->state == VD_LINK_IDLE)
        vd_link_enter(link, VD_LINK_READING);
    if (vd_heads_pass(&link->heads, bytes, size))
        return (gssize)size;
    link->serve->counts.refused[VD_REFUSED_WRONG]++;
    if (link->state == VD_LINK_STREAMING) { /* there is no place for an answer any more */
        vd_link_drop(link);
        return -1;
    }
    link->cors[0] = '\0';
    vd_link_refuse(link, link->heads.status, "", link->heads.sentence);
    return -1;
}

static void did_write(void *context, const uint8_t *bytes, size_t size)
{
    vd_link *link = context;
    link->blocked_ns = 0;
    if (link->socket)
        vd_frames_pass(&link->out, bytes, size, UINT64_MAX);
}

static bool is_idle(void *context)
{
    const vd_link *link = context;
    return link->state == VD_LINK_IDLE ||
           (link->state == VD_LINK_READING && link->heads.place == VD_HEADS_HEAD);
}

static void blocked(void *context)
{
    vd_link *link = context;
    if (!link->blocked_ns)
        link->blocked_ns = vd_clock_now_ns();
}

/* --- From accept to close */

/* Who somebody is: networks of 64 bits are given to one customer. */
static void name_peer(GSocketAddress *address, char out[static 64])
{
    GInetAddress *inet = g_inet_socket_address_get_address(G_INET_SOCKET_ADDRESS(address));
    const guint8 *bytes = g_inet_address_to_bytes(inet);
    static const guint8 mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (g_inet_address_get_family(inet) == G_SOCKET_FAMILY_IPV4)
        g_snprintf(out, 64, "%d.%d.%d.%d", bytes[0], bytes[1], bytes[2], bytes[3]);
    else if (memcmp(bytes, mapped, sizeof mapped) == 0)
        g_snprintf(out, 64, "%d.%d.%d.%d", bytes[12], bytes[13], bytes[14], bytes[15]);
    else
        g_snprintf(out, 64, "%02x%02x:%02x%02x:%02x%02x:%02x%02x::/64", bytes[0], bytes[1], bytes[2],
                   bytes[3], bytes[4], bytes[5], bytes[6], bytes[7]);
}

static void unlist(vd_link *link)
{
    vd_serve *serve = link->serve;
    if (link->previous)
        link->previous->next = link->next;
    else
        serve->links = link->next;
    if (link->next)
        link->next->previous = link->previous;
    serve->link_count--;
}

void vd_link_free(vd_link *link)
{
    unlist(link);
    vd_channels_forget(link->serve, link);
    if (link->drain) {
        g_source_destroy(link->drain);
        g_source_unref(link->drain);
    }
    if (link->remote)
        g_object_set_data(G_OBJECT(link->remote), link_key, NULL);
    g_clear_object(&link->remote);
    g_clear_object(&link->handshake);
    g_io_stream_close(G_IO_STREAM(link->connection), NULL,
                      NULL); /* TLS's own goodbye could wait for the client */
    g_clear_object(&link->base);
    g_clear_object(&link->connection);
    g_free(link);
}

/* libsoup is done with it. */
static void wire_closed(void *context)
{
    vd_link *link = context;
    link->wire = NULL;
    if (link->state != VD_LINK_LINGERING || link->since_ns == 0)
        vd_link_free(link);
}

static void hand_to_soup(vd_link *link)
{
    vd_wire_watch watch = {may_read, did_read, did_write, is_idle, blocked, wire_closed, link};
    GSocketAddress *local = g_socket_connection_get_local_address(link->connection, NULL);
    link->remote = g_socket_connection_get_remote_address(link->connection, NULL);
    if (!local || !link->remote) {
        g_clear_object(&local);
        vd_link_free(link);
        return;
    }
    vd_link_enter(link, VD_LINK_IDLE);
    g_object_set_data(G_OBJECT(link->remote), link_key, link);
    GIOStream *wire = vd_wire_new(link->base, &watch);
    link->wire = wire;
    soup_server_accept_iostream(link->serve->soup, wire, local, link->remote, NULL);
    g_object_unref(wire); /* may be the last reference: the link is gone then */
    g_object_unref(local);
}

static void begin_handshakes(vd_serve *serve, const char *peer);

static void handshake_done(GObject *source, GAsyncResult *result, void *context)
{
    vd_link *link = context;
    vd_serve *serve = link->serve;
    char peer[sizeof link->peer];
    GError *error = NULL;
    vd_text_copy(peer, sizeof peer, link->peer);
    bool shaken = g_tls_connection_handshake_finish(G_TLS_CONNECTION(source), result, &error);
    if (!shaken)
        vd_log(VD_LOG_DEBUG, "serve", "A connection did not get as far as TLS: %s", error->message);
    g_clear_error(&error);
    if (shaken && !g_cancellable_is_cancelled(link->handshake))
        hand_to_soup(link);
    else
        vd_link_free(link);
    begin_handshakes(serve, peer);
}

static void begin_handshake(vd_link *link)
{
    static const char *protocols[] = {"http/1.1", NULL};
    GTlsConnection *tls = G_TLS_CONNECTION(link->base);
    link->handshake = g_cancellable_new();
    g_tls_connection_set_require_close_notify(tls, FALSE);
    g_tls_connection_set_advertised_protocols(tls, protocols);
    g_tls_connection_handshake_async(tls, G_PRIORITY_DEFAULT, link->handshake, handshake_done, link);
}

/* Each takes a thread of GLib's pool until it is done: nobody gets them all. */
static void begin_handshakes(vd_serve *serve, const char *peer)
{
    int begun = 0;
    vd_link *oldest = NULL;
    for (vd_link *link = serve->links; link; link = link->next)
        if (link->state == VD_LINK_HANDSHAKE && strcmp(link->peer, peer) == 0) {
            begun += link->handshake != NULL;
            oldest = link->handshake ? oldest : link;
        }
    if (oldest && begun < HANDSHAKES)
        begin_handshake(oldest);
}

static void begin_tls(vd_link *link)
{
    GIOStream *tls =
        g_tls_server_connection_new(G_IO_STREAM(link->connection), link->serve->certificate, NULL);
    if (!tls) {
        vd_link_free(link);
        return;
    }
    g_object_unref(link->base);
    link->base = tls;
    begin_handshakes(link->serve, link->peer);
}

static bool is_one_too_many(vd_serve *serve, const char *peer)
{
    int same = 0;
    for (vd_link *link = serve->links; link; link = link->next)
        same += strcmp(link->peer, peer) == 0;
    return serve->link_count >= VD_LINKS_MOST || same >= VD_LINKS_PER_PEER;
}

void vd_link_accept(vd_serve *serve, GSocket *socket)
{
    char peer[64];
    GSocketAddress *address = g_socket_get_remote_address(socket, NULL);
    if (!address || !G_IS_INET_SOCKET_ADDRESS(address)) {
        g_clear_object(&address);
        return;
    }
    name_peer(address, peer);
    g_object_unref(address);
    if (is_one_too_many(serve, peer)) {
        serve->counts.refused[VD_REFUSED_CONNECTIONS]++;
        return; /* the socket closes with its last reference */
    }
    vd_link *link = g_new0(vd_link, 1);
    link->serve = serve;
    vd_text_copy(link->peer, sizeof link->peer, peer);
    g_socket_set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1, NULL);
    g_socket_set_option(socket, SOL_SOCKET, SO_SNDBUF, SEND_BUFFER, NULL);
    link->connection = g_socket_connection_factory_create_connection(socket);
    link->base = G_IO_STREAM(g_object_ref(link->connection));
    link->tls = serve->certificate != NULL;
    link->next = serve->links;
    if (link->next)
        link->next->previous = link;
    serve->links = link;
    serve->link_count++;
    serve->counts.connections++;
    link->read_ns = vd_clock_now_ns();
    vd_link_enter(link, VD_LINK_HANDSHAKE);
    if (link->tls)
        begin_tls(link);
    else
        hand_to_soup(link);
}

vd_link *vd_link_of(SoupServerMessage *message)
{
    GSocketAddress *remote = soup_server_message_get_remote_address(message);
    return remote ? g_object_get_data(G_OBJECT(remote), link_key) : NULL;
}

void vd_link_enter(vd_link *link, vd_link_state state)
{
    link->state = state;
    link->since_ns = vd_clock_now_ns();
    if (state == VD_LINK_IDLE)
        link->cors[0] = '\0';
}

bool vd_link_is_ahead(const vd_link *link)
{
    return link->heads.ends != link->taken || link->heads.behind;
}

void vd_link_begin_frames(vd_link *link, uint64_t most_message_bytes)
{
    vd_link_enter(link, VD_LINK_STREAMING);
    link->socket = true;
    link->most_message_bytes = most_message_bytes;
}
