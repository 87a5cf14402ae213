#include "serve/channel.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "serve/channels.h"
#include "serve/message.h"
#include "serve/server.h"

enum {
    WAITING_MOST = 1 << 20, /* bytes that a client has not read yet */
    CLOSING_S = 2,          /* until a closing is answered */
    EVENTS_ALIVE_S = 15,
    PING_S = 30,
    MESSAGES_PER_S = 500,  /* of a WebSocket */
    STRANGER_BYTES = 4096, /* of a message, before it is known whose it is */
    SPARE_BYTES = 1024     /* libsoup's own limit is above ours: it would close without a word */
};

struct vd_channel {
    vd_serve *serve;
    struct vd_channel *next, *previous;
    vd_link *link; /* NULL: the connection is gone */
    vd_channel_user user;

    SoupWebsocketConnection *socket; /* one of these two */
    SoupServerMessage *events;
    uint64_t queued;  /* bytes of messages handed to libsoup */
    uint64_t written; /* EVENTS: of these, to the connection */

    int64_t second; /* in which messages are counted */
    int messages;
    char name[16]; /* for the log: a session's masked id, a camera's name */

    bool closing;
    int64_t closing_ns; /* since when */
    bool cut;
    int64_t alive_ns; /* EVENTS: when something was sent last */
    int64_t leave_ns; /* 0: it stays */
    char leave_sentence[128];
};

/* --- The list */

static vd_channel *add_channel(vd_link *link)
{
    vd_channel *channel = g_new0(vd_channel, 1);
    vd_serve *serve = link->serve;
    channel->serve = serve;
    channel->link = link;
    channel->alive_ns = vd_clock_now_ns();
    channel->next = serve->channels;
    if (channel->next)
        channel->next->previous = channel;
    serve->channels = channel;
    serve->channel_count++;
    return channel;
}

static void remove_channel(vd_channel *channel)
{
    if (channel->previous)
        channel->previous->next = channel->next;
    else
        channel->serve->channels = channel->next;
    if (channel->next)
        channel->next->previous = channel->previous;
    channel->serve->channel_count--;
}

static void end_channel(vd_channel *channel)
{
    remove_channel(channel);
    vd_channel_user user = channel->user;
    if (user.closed)
        user.closed(user.context);
    g_clear_object(&channel->socket);
    g_free(channel);
}

/* --- WebSockets */

static bool is_too_often(vd_channel *channel)
{
    int64_t second = vd_clock_now_ns() / VD_NS_PER_S;
    if (second != channel->second)
        channel->messages = 0;
    channel->second = second;
    return ++channel->messages > MESSAGES_PER_S;
}

static void on_socket_message(SoupWebsocketConnection *socket, int type, GBytes *message, void *context)
{
    (void)socket;
    vd_channel *channel = context;
    if (channel->closing || !channel->link || !channel->user.message)
        return;
    gsize size;
    const void *bytes = g_bytes_get_data(message, &size);
    if (!is_too_often(channel)) {
        channel->user.message(channel->user.context, type == SOUP_WEBSOCKET_DATA_TEXT, bytes, size);
        return;
    }
    channel->serve->counts.refused[VD_REFUSED_REQUESTS]++;
    vd_channel_end(channel, VD_CLOSE_POLICY, "Too many messages a second.");
}

/* libsoup is about to close: before it does it can be said why. */
static void on_socket_error(SoupWebsocketConnection *socket, GError *error, void *context)
{
    (void)socket;
    vd_channel *channel = context;
    bool is_text = g_error_matches(error, SOUP_WEBSOCKET_ERROR, SOUP_WEBSOCKET_CLOSE_BAD_DATA);
    if (!channel->link ||
        !(is_text || g_error_matches(error, SOUP_WEBSOCKET_ERROR, SOUP_WEBSOCKET_CLOSE_PROTOCOL_ERROR)))
        return;
    channel->serve->counts.refused[VD_REFUSED_WRONG]++;
    vd_link_deafen(channel->link);
    if (is_text)
        vd_channel_end(channel, VD_CLOSE_BAD_TEXT, "The message is not valid UTF-8.");
    else
        vd_channel_end(channel, VD_CLOSE_PROTOCOL, VD_NO_FRAME);
}

static void on_socket_closed(SoupWebsocketConnection *socket, void *context)
{
    (void)socket;
    vd_channel *channel = context;
    g_signal_handlers_disconnect_by_data(channel->socket, channel);
    end_channel(channel);
}

vd_channel *vd_channel_open_socket(vd_link *link, SoupServerMessage *message, GIOStream *stream)
{
    vd_channel *channel = add_channel(link);
    vd_link_begin_frames(link, STRANGER_BYTES);
    channel->socket = soup_websocket_connection_new(stream, soup_server_message_get_uri(message),
                                                    SOUP_WEBSOCKET_CONNECTION_SERVER, NULL, NULL, NULL);
    soup_websocket_connection_set_max_incoming_payload_size(channel->socket, STRANGER_BYTES + SPARE_BYTES);
    soup_websocket_connection_set_keepalive_interval(channel->socket, PING_S);
    g_signal_connect(channel->socket, "message", G_CALLBACK(on_socket_message), channel);
    g_signal_connect(channel->socket, "error", G_CALLBACK(on_socket_error), channel);
    g_signal_connect(channel->socket, "closed", G_CALLBACK(on_socket_closed), channel);
    return channel;
}

void vd_channel_allow(vd_channel *channel, uint64_t most_message_bytes)
{
    if (channel->link)
        channel->link->most_message_bytes = most_message_bytes;
    soup_websocket_connection_set_max_incoming_payload_size(channel->socket,
                                                            most_message_bytes + SPARE_BYTES);
}

static bool send_to_socket(vd_channel *channel, char *text, size_t size)
{
    if (soup_websocket_connection_get_state(channel->socket) != SOUP_WEBSOCKET_STATE_OPEN)
        return false;
    GBytes *bytes = g_bytes_new_with_free_func(text, size, free, text);
    channel->queued += size;
    soup_websocket_connection_send_message(channel->socket, SOUP_WEBSOCKET_DATA_TEXT, bytes);
    g_bytes_unref(bytes);
    return true;
}

/* --- Server-sent events */

static void on_events_written(SoupServerMessage *message, unsigned size, void *context)
{
    (void)message;
    ((vd_channel *)context)->written += size;
}

static void on_events_finished(SoupServerMessage *message, void *context)
{
    vd_channel *channel = context;
    g_signal_handlers_disconnect_by_data(message, channel);
    channel->events = NULL;
    end_channel(channel);
}

vd_channel *vd_channel_open_events(vd_link *link, SoupServerMessage *message)
{
    vd_channel *channel = add_channel(link);
    channel->events = message;
    vd_link_enter(link, VD_LINK_STREAMING);
    SoupMessageHeaders *headers = soup_server_message_get_response_headers(message);
    soup_message_headers_replace(headers, "Content-Type", "text/event-stream");
    soup_message_headers_replace(headers, "Cache-Control", "no-store");
    soup_message_headers_replace(headers, "Connection", "close");
    /* Ended by the connection's end, not in chunks: the last of those libsoup writes on a thread of GLib's
     * pool. */
    soup_message_headers_set_encoding(headers, SOUP_ENCODING_EOF);
    soup_message_body_set_accumulate(soup_server_message_get_response_body(message), FALSE);
    soup_server_message_set_status(message, SOUP_STATUS_OK, NULL);
    g_signal_connect(message, "wrote-body-data", G_CALLBACK(on_events_written), channel);
    g_signal_connect(message, "finished", G_CALLBACK(on_events_finished), channel);
    return channel;
}

static void append_events(vd_channel *channel, const char *text, size_t size)
{
    soup_message_body_append(soup_server_message_get_response_body(channel->events), SOUP_MEMORY_COPY, text,
                             size);
    channel->queued += size;
    channel->alive_ns = vd_clock_now_ns();
    soup_server_message_unpause(channel->events);
}

static bool send_as_event(vd_channel *channel, char *text, size_t size)
{
    char *event = malloc(size + 8);
    if (!event)
        return false;
    memcpy(event, "data: ", 6);
    memcpy(event + 6, text, size);
    memcpy(event + 6 + size, "\n\n", 2);
    append_events(channel, event, size + 8);
    free(event);
    free(text);
    return true;
}

static void end_events(vd_channel *channel)
{
    soup_message_body_complete(soup_server_message_get_response_body(channel->events));
    soup_server_message_unpause(channel->events);
}

/* The client sends nothing more after its request: what can be read is its end. */
static bool has_left(vd_link *link)
{
    GSocket *socket = g_socket_connection_get_socket(link->connection);
    char byte;
    return g_socket_condition_check(socket, G_IO_IN | G_IO_HUP) != 0 &&
           recv(g_socket_get_fd(socket), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/* --- Both */

void vd_channel_use(vd_channel *channel, const vd_channel_user *user)
{
    channel->user = *user;
}

static void cut(vd_channel *channel, const char *why)
{
    if (channel->cut || !channel->link)
        return;
    channel->cut = channel->closing = true;
    channel->closing_ns = vd_clock_now_ns();
    channel->serve->counts.cut_off++;
    vd_log(VD_LOG_INFO, "serve", "A client at %s (%s) is cut off: %s.", channel->link->peer, channel->name,
           why);
    vd_link_drop(channel->link);
    if (channel->events)
        end_events(channel);
}

bool vd_channel_send(vd_channel *channel, char *text, size_t size)
{
    if (!text || channel->closing || !channel->link)
        return false;
    uint64_t gone = channel->socket ? channel->link->out.data_bytes : channel->written;
    if (channel->queued + size - gone > WAITING_MOST) {
        cut(channel, "it does not read what is sent");
        return false;
    }
    return channel->socket ? send_to_socket(channel, text, size) : send_as_event(channel, text, size);
}

void vd_channel_close(vd_channel *channel, int code, const char *sentence)
{
    if (channel->closing)
        return;
    channel->closing = true;
    channel->closing_ns = vd_clock_now_ns();
    char reason[121]; /* libsoup takes a longer one for a broken protocol */
    vd_text_copy(reason, sizeof reason, sentence);
    if (channel->events)
        end_events(channel);
    else if (soup_websocket_connection_get_state(channel->socket) == SOUP_WEBSOCKET_STATE_OPEN)
        soup_websocket_connection_close(channel->socket, (gushort)code, reason);
}

void vd_channel_end(vd_channel *channel, int code, const char *sentence)
{
    if (channel->closing)
        return;
    char *text = vd_message_write_error(sentence, NULL, NULL);
    if (text && !vd_channel_send(channel, text, strlen(text)))
        free(text);
    vd_channel_close(channel, code, sentence);
}

void vd_channel_name(vd_channel *channel, const char *name)
{
    vd_text_copy(channel->name, sizeof channel->name, name);
}

void vd_channel_leave_at(vd_channel *channel, int64_t deadline_ns, const char *sentence)
{
    channel->leave_ns = deadline_ns;
    vd_text_copy(channel->leave_sentence, sizeof channel->leave_sentence, sentence);
}

void vd_channel_stay(vd_channel *channel)
{
    channel->leave_ns = 0;
}

/* --- All of them */

static vd_channel *find_channel(vd_serve *serve, const vd_link *link)
{
    for (vd_channel *channel = serve->channels; channel; channel = channel->next)
        if (channel->link == link)
            return channel;
    return NULL;
}

void vd_channels_forget(vd_serve *serve, const vd_link *link)
{
    vd_channel *channel = find_channel(serve, link);
    if (channel)
        channel->link = NULL;
}

void vd_channels_cut(vd_serve *serve, vd_link *link, const char *why)
{
    vd_channel *channel = find_channel(serve, link);
    if (channel)
        cut(channel, why);
}

void vd_channels_end(vd_serve *serve, vd_link *link, int code, const char *sentence)
{
    vd_channel *channel = find_channel(serve, link);
    if (channel && !channel->closing)
        vd_channel_end(channel, code, sentence);
}

void vd_channels_end_all(vd_serve *serve, int code, const char *sentence)
{
    for (vd_channel *channel = serve->channels; channel; channel = channel->next)
        if (!channel->closing)
            vd_channel_end(channel, code, sentence);
}

static void tick_channel(vd_channel *channel, int64_t now_ns)
{
    if (!channel->link)
        return;
    if (channel->closing && channel->closing_ns && now_ns - channel->closing_ns > CLOSING_S * VD_NS_PER_S)
        vd_link_drop(channel->link);
    else if (channel->closing)
        return;
    else if (channel->leave_ns && now_ns > channel->leave_ns)
        vd_channel_end(channel, VD_CLOSE_POLICY, channel->leave_sentence);
    else if (channel->events && has_left(channel->link))
        vd_channel_close(channel, VD_CLOSE_AWAY, "");
    else if (channel->events && now_ns - channel->alive_ns > EVENTS_ALIVE_S * VD_NS_PER_S)
        append_events(channel, ":\n\n", 3);
}

void vd_channels_tick(vd_serve *serve, int64_t now_ns)
{
    for (vd_channel *channel = serve->channels, *next; channel; channel = next) {
        next = channel->next;
        tick_channel(channel, now_ns);
    }
}

void vd_channels_abandon(vd_serve *serve)
{
    while (serve->channels) {
        vd_channel *channel = serve->channels;
        g_signal_handlers_disconnect_by_data(channel->socket ? (void *)channel->socket : channel->events,
                                             channel);
        end_channel(channel);
    }
}
