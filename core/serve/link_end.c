/* How connections end: by refusal, by limits of time, with the service. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "serve/channels.h"
#include "serve/link.h"
#include "serve/request.h"
#include "serve/server.h"
#include "serve/wire.h"

enum {
    HANDSHAKE_S = 5,
    IDLE_S = 30,
    REQUEST_S = 10, /* from the first byte to the last */
    ANSWER_S = 10,
    BLOCKED_S = 5,  /* a stream that is not read */
    MESSAGE_S = 10, /* a WebSocket message from its first byte to its last */
    SILENT_S = 100, /* a WebSocket that answers no ping */
    LINGER_S = 2,
    DRAIN_BYTES = 16 << 20 /* thrown away of a request that was refused */
};

/* --- Closing */

void vd_link_drop(vd_link *link)
{
    if (link->handshake)
        g_cancellable_cancel(link->handshake);
    g_socket_shutdown(g_socket_connection_get_socket(link->connection), TRUE, TRUE, NULL);
    if (link->deaf && link->wire)
        vd_wire_break(link->wire); /* libsoup does not listen, and would learn of it late */
}

static gboolean drain(GSocket *socket, GIOCondition condition, void *context)
{
    (void)condition;
    vd_link *link = context;
    char bytes[16384];
    gssize count = g_socket_receive_with_blocking(socket, bytes, sizeof bytes, FALSE, NULL, NULL);
    link->drained += count > 0 ? (size_t)count : 0;
    if (count > 0 && link->drained < DRAIN_BYTES)
        return G_SOURCE_CONTINUE;
    link->since_ns = 0; /* it is over, */
    if (!link->wire)    /* and libsoup knows that */
        vd_link_free(link);
    return G_SOURCE_REMOVE;
}

static void begin_drain(vd_link *link)
{
    link->drain = g_socket_create_source(g_socket_connection_get_socket(link->connection), G_IO_IN, NULL);
    g_source_set_callback(link->drain, G_SOURCE_FUNC(drain), link, NULL);
    g_source_attach(link->drain, link->serve->context);
}

/* Closing with unread bytes would reset the connection, and the client might never see the answer: what it
 * still sends is thrown away for a while. Our side of reading stays open: shut down, it would open its window
 * no more, and a client that sends before it reads would wait until the kernel forgot the connection. */
static void linger(vd_link *link)
{
    GSocket *socket = g_socket_connection_get_socket(link->connection);
    vd_link_enter(link, VD_LINK_LINGERING);
    if (link->wire)
        vd_wire_break(link->wire);
    g_socket_shutdown(socket, FALSE, TRUE, NULL);
    begin_drain(link);
}

void vd_link_refuse(vd_link *link, int status, const char *headers, const char *sentence)
{
    char text[2048];
    json_t *json = json_pack("{s:s}", "error", sentence);
    char *body = json ? json_dumps(json, JSON_COMPACT) : NULL;
    int length = body ? (int)strlen(body) + 1 : 0;
    int size = g_snprintf(text, sizeof text,
                          "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
                          "Connection: close\r\n%s%s\r\n%s%s",
                          status, vd_status_phrase(status), length, headers, link->cors, body ? body : "",
                          body ? "\n" : "");
    free(body);
    json_decref(json);
    size = size < (int)sizeof text ? size : (int)sizeof text - 1;
    GPollableOutputStream *out = G_POLLABLE_OUTPUT_STREAM(g_io_stream_get_output_stream(link->base));
    g_pollable_output_stream_write_nonblocking(out, text, (gsize)size, NULL, NULL);
    linger(link);
}

/* --- Time */

void vd_link_deafen(vd_link *link)
{
    link->deaf = true;
    if (!link->drain) /* what it still sends is thrown away, so that it gets as far as our answer */
        begin_drain(link);
}

static void end_too_large(vd_link *link)
{
    char sentence[121];
    bool is_setting = link->in.most == vd_serve_most_message(link->serve);
    g_snprintf(sentence, sizeof sentence,
               "The message has more than %" G_GUINT64_FORMAT " bytes, the most that is taken %s.",
               link->in.most, is_setting ? "(streaming.max_image_mb)" : "here");
    vd_channels_end(link->serve, link, VD_CLOSE_TOO_BIG, sentence);
}

/* The channel's last words may find the connection broken: the link is gone after them. */
static void tick_stream(vd_link *link, int64_t now_ns)
{
    int64_t s = VD_NS_PER_S;
    bool is_late = link->socket && link->message_ns && now_ns - link->message_ns > MESSAGE_S * s;
    link->deaf = link->deaf || is_late;
    if (link->socket && link->deaf)
        vd_link_deafen(link);
    if (link->blocked_ns && now_ns - link->blocked_ns > BLOCKED_S * s)
        vd_channels_cut(link->serve, link, "it does not read");
    else if (link->socket && link->in.over == VD_FRAMES_TOO_LARGE)
        end_too_large(link);
    else if (link->socket && link->in.over == VD_FRAMES_BROKEN)
        vd_channels_end(link->serve, link, VD_CLOSE_PROTOCOL, VD_NO_FRAME);
    else if (is_late)
        vd_channels_end(link->serve, link, VD_CLOSE_POLICY, "A message took too long to arrive.");
    else if (link->socket && link->deaf)
        vd_channels_end(link->serve, link, VD_CLOSE_POLICY, "Too many frames a second.");
    else if (link->socket && now_ns - link->read_ns > SILENT_S * s)
        vd_channels_cut(link->serve, link, "it does not answer");
}

static void tick_link(vd_link *link, int64_t now_ns)
{
    static const int limits_s[] = {
        [VD_LINK_HANDSHAKE] = HANDSHAKE_S, [VD_LINK_IDLE] = IDLE_S, [VD_LINK_READING] = REQUEST_S,
        [VD_LINK_ANSWERING] = ANSWER_S,    [VD_LINK_STREAMING] = 0, [VD_LINK_LINGERING] = LINGER_S};
    if (link->state == VD_LINK_STREAMING) {
        tick_stream(link, now_ns);
        return;
    }
    if (now_ns - link->since_ns <= limits_s[link->state] * VD_NS_PER_S)
        return;
    if (link->state == VD_LINK_READING) {
        link->serve->counts.refused[VD_REFUSED_SLOW]++;
        vd_link_refuse(link, SOUP_STATUS_REQUEST_TIMEOUT, "", "The request took too long to arrive.");
    } else if (link->state == VD_LINK_LINGERING && !link->wire)
        vd_link_free(link);
    else if (link->state == VD_LINK_HANDSHAKE && !link->handshake)
        vd_link_free(link);
    else
        vd_link_drop(link);
}

void vd_links_tick(vd_serve *serve, int64_t now_ns)
{
    for (vd_link *link = serve->links, *next; link; link = next) {
        next = link->next;
        tick_link(link, now_ns);
    }
}

void vd_links_drop(vd_serve *serve)
{
    for (vd_link *link = serve->links, *next; link; link = next) {
        next = link->next;
        bool ours = (link->state == VD_LINK_LINGERING && !link->wire) ||
                    (link->state == VD_LINK_HANDSHAKE && !link->handshake);
        if (ours) /* nobody else would let go of it */
            vd_link_free(link);
        else
            vd_link_drop(link);
    }
}
