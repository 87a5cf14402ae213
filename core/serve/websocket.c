/* WebSockets: a session's frames and answers, a camera's messages. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "serve/audience.h"
#include "serve/channels.h"
#include "serve/handlers.h"
#include "serve/message.h"
#include "serve/request.h"

enum { AUTH_S = 5 };

typedef struct talker {
    vd_serve *serve;
    vd_channel *channel; /* NULL before the protocol has changed */
    vd_audience audience;
    vd_session *session;       /* a reference */
    char camera[VD_PARAMETER]; /* empty: it is about a session */
    vd_query query;
    int owner; /* VD_ACCESS_DENIED: the token is still to come */
    char peer[64];
    char next_id[VD_FRAME_ID]; /* of the next picture; empty: none was announced */
    uint64_t pictures;         /* that came without an id */
} talker;

static void free_talker(void *data)
{
    talker *self = data;
    vd_session_unref(&self->session);
    g_free(self);
}

static void send_text(talker *self, char *text)
{
    if (text && !vd_channel_send(self->channel, text, strlen(text)))
        free(text);
}

/* --- Its session */

/* The query's other words are fields of the configuration. */
static int read_config(const talker *self, vd_session_config *config, vd_refusal *refusal, vd_error *error)
{
    for (int i = 0; i < self->query.count; i++) {
        const char *name = self->query.items[i].name, *value = self->query.items[i].value;
        if (strcmp(name, "client_id") == 0 || strcmp(name, "ticket") == 0)
            continue;
        int code = vd_session_config_change_text(config, name, value, self->serve->options.streaming.max_fps,
                                                 refusal, error);
        if (code != VD_OK)
            return code;
    }
    return VD_OK;
}

/* The session that the query names, or a new one. VD_OK; VD_EINVAL with `refusal`, VD_ENOTFOUND, VD_EAGAIN,
 * VD_ENOMEM. */
static int take_session(talker *self, vd_refusal *refusal, vd_error *error)
{
    const char *id = vd_query_get(&self->query, "client_id");
    vd_session *session = id ? vd_sessions_find(self->serve->sessions, id, self->owner) : NULL;
    if (id && !session)
        return vd_error_set(error, VD_ENOTFOUND, NULL,
                            "There is no such session: it was never there, it ended, "
                            "or it was made under another token.");
    vd_session_config config =
        session ? *vd_session_get_config(session) : vd_serve_default_config(self->serve);
    int code = read_config(self, &config, refusal, error);
    if (code == VD_OK && !session)
        code = vd_serve_open_session(self->serve, self->peer, self->owner, &config, &session, error);
    else if (code == VD_OK) {
        json_t *json = vd_session_config_to_json(&config);
        code = json ? vd_session_change(session, json, refusal, error)
                    : vd_error_set(error, VD_ENOMEM, NULL, "There is not enough memory.");
        json_decref(json);
    }
    if (code == VD_OK)
        self->session = vd_session_ref(session);
    return code;
}

/* --- What the client says */

static void offer(talker *self, const char *frame_id, uint8_t *bytes, size_t size, const vd_message *timing)
{
    vd_job *job = vd_job_new();
    int64_t now_ns = vd_clock_now_ns();
    if (!job) {
        free(bytes);
        send_text(self, vd_message_write_error("There is not enough memory.", frame_id, NULL));
        return;
    }
    vd_text_copy(job->frame_id, sizeof job->frame_id, frame_id);
    job->bytes = bytes;
    job->size = size;
    job->timed = timing && timing->timed;
    job->timestamp = timing ? timing->timestamp : 0;
    job->received_ns = now_ns;
    vd_session_offer(self->session, job, now_ns);
    vd_serve_pump(self->serve);
}

static void take_picture(talker *self, const void *bytes, size_t size)
{
    char frame_id[VD_FRAME_ID];
    if (self->next_id[0] != '\0')
        vd_text_copy(frame_id, sizeof frame_id, self->next_id);
    else
        snprintf(frame_id, sizeof frame_id, "%llu", (unsigned long long)++self->pictures);
    self->next_id[0] = '\0';
    uint8_t *copy = size > 0 ? malloc(size) : NULL;
    if (!copy) {
        send_text(self,
                  vd_message_write_error(size > 0 ? "There is not enough memory." : "The picture is empty.",
                                         frame_id, NULL));
        return;
    }
    memcpy(copy, bytes, size);
    offer(self, frame_id, copy, size, NULL);
}

static void change(talker *self, const json_t *changes)
{
    vd_refusal refusal = {0};
    vd_error error = {0};
    int code = vd_session_change(self->session, changes, &refusal, &error);
    if (code == VD_OK)
        send_text(self, vd_message_write_config(vd_session_id(self->session),
                                                vd_session_get_config(self->session)));
    else
        send_text(self, vd_message_write_error(error.text, NULL, code == VD_EINVAL ? &refusal : NULL));
}

static void take_message(talker *self, vd_message *message)
{
    switch (message->kind) {
    case VD_MESSAGE_FRAME:
        offer(self, message->frame_id, message->bytes, message->size, message);
        message->bytes = NULL;
        return;
    case VD_MESSAGE_NEXT:
        vd_text_copy(self->next_id, sizeof self->next_id, message->frame_id);
        break;
    case VD_MESSAGE_CONFIG:
        change(self, message->config);
        break;
    case VD_MESSAGE_PING:
        send_text(self, vd_message_write_ping(message->stamp));
        break;
    case VD_MESSAGE_AUTH:
        break; /* who is in already needs none */
    }
    vd_session_touch(self->session, vd_clock_now_ns());
}

/* --- Coming in */

static void welcome_to_session(talker *self)
{
    send_text(self,
              vd_message_write_config(vd_session_id(self->session), vd_session_get_config(self->session)));
    vd_audience_join_session(&self->audience, self->serve, self->channel, self->session);
    vd_serve_pump(self->serve);
}

static void welcome(talker *self)
{
    vd_refusal refusal = {0};
    vd_error error = {0};
    int code = VD_OK;
    if (self->camera[0] == '\0')
        vd_channel_allow(self->channel, vd_serve_most_message(self->serve));
    if (self->camera[0] != '\0')
        code = vd_audience_join_camera(&self->audience, self->serve, self->channel, self->camera, &error);
    else if (!self->session)
        code = take_session(self, &refusal, &error);
    if (code == VD_OK && self->session)
        welcome_to_session(self);
    if (code == VD_OK)
        return;
    if (code == VD_EINVAL) /* said once, as what it is */
        send_text(self, vd_message_write_error(error.text, NULL, &refusal));
    else
        send_text(self, vd_message_write_error(error.text, NULL, NULL));
    vd_channel_close(self->channel, VD_CLOSE_POLICY, error.text);
}

static void take_token(talker *self, const vd_message *message)
{
    vd_access *access = self->serve->access;
    if (message->kind == VD_MESSAGE_AUTH)
        self->owner = vd_access_check_token(access, message->token);
    if (self->owner == VD_ACCESS_DENIED) {
        self->serve->counts.refused[VD_REFUSED_TOKEN]++;
        vd_channel_end(
            self->channel, VD_CLOSE_POLICY,
            "The first message has to be {\"type\":\"auth\",\"token\":…} with a token that is known.");
        return;
    }
    vd_channel_stay(self->channel);
    welcome(self);
}

static void on_text(talker *self, const void *bytes, size_t size)
{
    vd_message message = {0};
    vd_error error = {0};
    int code = vd_message_read(bytes, size, vd_serve_most_picture(self->serve), &message, &error);
    if (self->owner == VD_ACCESS_DENIED)
        take_token(self, code == VD_OK ? &message : &(vd_message){.kind = VD_MESSAGE_PING});
    else if (code != VD_OK)
        send_text(self, vd_message_write_error(error.text, message.frame_id, NULL));
    else if (self->session)
        take_message(self, &message);
    else if (message.kind == VD_MESSAGE_PING)
        send_text(self, vd_message_write_ping(message.stamp));
    else if (message.kind != VD_MESSAGE_AUTH)
        send_text(self,
                  vd_message_write_error("A camera's messages are to be read only.", message.frame_id, NULL));
    if (code == VD_OK)
        vd_message_clear(&message);
}

static void on_message(void *context, bool text, const void *bytes, size_t size)
{
    talker *self = context;
    if (text)
        on_text(self, bytes, size);
    else if (self->owner == VD_ACCESS_DENIED)
        take_token(self, &(vd_message){.kind = VD_MESSAGE_PING});
    else if (self->session)
        take_picture(self, bytes, size);
    else
        send_text(self, vd_message_write_error("A camera's messages are to be read only.", NULL, NULL));
}

static void on_closed(void *context)
{
    talker *self = context;
    vd_audience_leave(&self->audience);
    free_talker(self);
}

/* --- The change of protocol */

static const char *talker_key = "vd-talker";

static void on_switched(SoupServerMessage *message, void *context)
{
    (void)context;
    vd_link *link = vd_link_of(message);
    talker *self = g_object_steal_data(G_OBJECT(message), talker_key);
    g_object_ref(message); /* stealing lets go of it */
    GIOStream *stream = soup_server_message_steal_connection(message);
    self->channel = vd_channel_open_socket(link, message, stream);
    g_object_unref(stream);
    g_object_unref(message);
    vd_channel_user user = {on_message, on_closed, self};
    vd_channel_use(self->channel, &user);
    if (self->owner == VD_ACCESS_DENIED)
        vd_channel_leave_at(self->channel, vd_clock_now_ns() + AUTH_S * VD_NS_PER_S,
                            "No token came within 5 s.");
    else
        welcome(self);
}

static void switch_protocol(vd_request *request, talker *self)
{
    g_object_set_data_full(G_OBJECT(request->message), talker_key, self, free_talker);
    soup_message_headers_remove(soup_server_message_get_request_headers(request->message),
                                "Sec-WebSocket-Extensions"); /* none: what is unpacked could be of any size */
    if (soup_websocket_server_process_handshake(request->message, NULL, NULL, NULL, NULL))
        g_signal_connect(request->message, "wrote-informational", G_CALLBACK(on_switched), NULL);
}

/* Frames that come before the answer (RFC 6455, 4.1 forbids them) pass before frames are followed: the limits
 * of messages could be walked around. */
static void refuse_haste(vd_request *request)
{
    soup_message_headers_replace(soup_server_message_get_response_headers(request->message), "Connection",
                                 "close");
    vd_reply_error(request, SOUP_STATUS_BAD_REQUEST,
                   "A client that asks for a WebSocket sends nothing more before the answer.");
}

/* True when the client asks for a WebSocket rightly; else it is answered. */
static bool wants_socket(vd_request *request)
{
    SoupMessageHeaders *headers = soup_server_message_get_request_headers(request->message);
    GError *error = NULL;
    if (vd_link_is_ahead(request->link)) {
        refuse_haste(request);
        return false;
    }
    if (!soup_message_headers_header_contains(headers, "Upgrade", "websocket")) {
        soup_message_headers_replace(soup_server_message_get_response_headers(request->message), "Upgrade",
                                     "websocket");
        vd_reply_error(request, VD_STATUS_UPGRADE_REQUIRED, "This path is for WebSockets.");
        return false;
    }
    if (soup_websocket_server_check_handshake(request->message, NULL, NULL, NULL, &error))
        return true;
    vd_reply_error(request, SOUP_STATUS_BAD_REQUEST, error->message);
    g_error_free(error);
    return false;
}

static talker *new_talker(vd_request *request)
{
    talker *self = g_new0(talker, 1);
    self->serve = request->serve;
    self->query = request->query;
    self->owner = request->owner;
    vd_text_copy(self->camera, sizeof self->camera, request->parameter);
    vd_text_copy(self->peer, sizeof self->peer, request->link->peer);
    return self;
}

void vd_socket_session(vd_request *request)
{
    vd_refusal refusal = {0};
    vd_error error = {0};
    if (!wants_socket(request))
        return;
    talker *self = new_talker(request);
    int code = self->owner == VD_ACCESS_DENIED ? VD_OK : take_session(self, &refusal, &error);
    if (code == VD_OK)
        switch_protocol(request, self);
    else if (code == VD_EINVAL)
        vd_reply_refusal(request, error.text, &refusal);
    else
        vd_reply_failure(request, &error);
    if (code != VD_OK)
        free_talker(self);
}

void vd_socket_camera(vd_request *request)
{
    if (!wants_socket(request))
        return;
    if (request->owner != VD_ACCESS_DENIED && !vd_serve_has_camera(request->serve, request->parameter))
        vd_reply_error(request, SOUP_STATUS_NOT_FOUND, "There is no camera of this name.");
    else
        switch_protocol(request, new_talker(request));
}
