#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "streaming_client.h"

/* --- Requests */

SoupMessage *request(const struct client *client, const char *method, const char *path)
{
    char *url = g_strconcat(client->url, path, NULL);
    SoupMessage *message = soup_message_new(method, url);
    if (!message) {
        fprintf(stderr, "streaming_client: %s is no address\n", url);
        exit(2);
    }
    if (client->token) {
        char *value = g_strconcat("Bearer ", client->token, NULL);
        soup_message_headers_replace(soup_message_get_request_headers(message), "Authorization", value);
        g_free(value);
    }
    g_free(url);
    return message;
}

int ask(const struct client *client, const char *method, const char *path, const char *type, GBytes *body,
        json_t **ret_json)
{
    SoupMessage *message = request(client, method, path);
    GError *error = NULL;
    if (body)
        soup_message_set_request_body_from_bytes(message, type, body);
    GBytes *answer = soup_session_send_and_read(client->http, message, NULL, &error);
    int status = answer ? (int)soup_message_get_status(message) : 0;
    if (error)
        fprintf(stderr, "streaming_client: %s%s\n", error->message,
                error->domain == G_TLS_ERROR ? " (--ca FILE names one to trust)" : "");
    if (ret_json) {
        gsize size = 0;
        const char *text = answer ? g_bytes_get_data(answer, &size) : NULL;
        *ret_json = text ? json_loadb(text, size, 0, NULL) : NULL;
    }
    g_clear_error(&error);
    g_clear_pointer(&answer, g_bytes_unref);
    g_object_unref(message);
    return status;
}

int ask_text(const struct client *client, const char *method, const char *path, const char *json,
             json_t **ret_json)
{
    GBytes *body = json ? g_bytes_new_static(json, strlen(json)) : NULL;
    int status = ask(client, method, path, "application/json", body, ret_json);
    g_clear_pointer(&body, g_bytes_unref);
    return status;
}

const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

bool is_type(const json_t *message, const char *type)
{
    return strcmp(text_of(message, "type"), type) == 0;
}

bool reach(const struct client *client)
{
    json_t *answer = NULL;
    int status = ask(client, "GET", "/stream/stats", NULL, NULL, &answer);
    if (status && status != 200)
        fprintf(stderr, "streaming_client: %s answers %d: %s\n", client->url, status,
                text_of(answer, "error"));
    if (status == 401)
        fprintf(stderr, "streaming_client: %s\n",
                client->token ? "This is not its token."
                              : "Its token is missing: --token-file FILE or --token T.");
    json_decref(answer);
    return status == 200;
}

/* --- WebSockets */

static void on_message(SoupWebsocketConnection *socket, int type, GBytes *bytes, void *context)
{
    struct line *line = context;
    gsize size;
    const char *text = g_bytes_get_data(bytes, &size);
    json_t *message = json_loadb(text, size, 0, NULL);
    (void)socket, (void)type;
    if (!message)
        message = json_object();
    if (line->divert)
        line->divert(line->divert_context, message);
    else
        g_queue_push_tail(&line->messages, json_incref(message));
    json_decref(message);
}

static void on_closed(SoupWebsocketConnection *socket, void *context)
{
    struct line *line = context;
    int code = soup_websocket_connection_get_close_code(socket);
    const char *reason = soup_websocket_connection_get_close_data(socket);
    line->closed = true;
    if (code != SOUP_WEBSOCKET_CLOSE_NORMAL)
        fprintf(stderr, "streaming_client: the WebSocket was closed (%d): %s\n", code,
                reason && *reason ? reason : "no reason was given");
}

static void on_open(GObject *http, GAsyncResult *result, void *context)
{
    struct line *line = context;
    line->socket = soup_session_websocket_connect_finish(SOUP_SESSION(http), result, &line->error);
    line->opened = true;
    line->closed = !line->socket;
    if (!line->socket)
        return;
    soup_websocket_connection_set_max_incoming_payload_size(line->socket, 1 << 20);
    g_signal_connect(line->socket, "message", G_CALLBACK(on_message), line);
    g_signal_connect(line->socket, "closed", G_CALLBACK(on_closed), line);
}

gboolean on_timeout(void *context)
{
    *(bool *)context = true;
    return G_SOURCE_REMOVE;
}

bool line_open(const struct client *client, struct line *line, const char *path)
{
    SoupMessage *message = request(client, "GET", path);
    *line = (struct line){.messages = G_QUEUE_INIT};
    soup_session_websocket_connect_async(client->http, message, NULL, NULL, G_PRIORITY_DEFAULT, NULL, on_open,
                                         line);
    while (!line->opened)
        g_main_context_iteration(NULL, TRUE);
    if (line->error)
        fprintf(stderr, "streaming_client: %s: %s\n", path, line->error->message);
    g_object_unref(message);
    return line->socket != NULL;
}

/* A socket that is closing takes nothing any more, before it says that it is closed. */
static bool is_open(const struct line *line)
{
    return line->socket && soup_websocket_connection_get_state(line->socket) == SOUP_WEBSOCKET_STATE_OPEN;
}

void line_send(struct line *line, const char *text)
{
    if (is_open(line))
        soup_websocket_connection_send_text(line->socket, text);
}

void line_send_picture(struct line *line, GBytes *picture)
{
    if (is_open(line))
        soup_websocket_connection_send_message(line->socket, SOUP_WEBSOCKET_DATA_BINARY, picture);
}

json_t *line_next(struct line *line)
{
    bool late = false;
    guint timer = g_timeout_add(ANSWER_MS, on_timeout, &late);
    while (g_queue_is_empty(&line->messages) && !line->closed && !late)
        g_main_context_iteration(NULL, TRUE);
    if (!late)
        g_source_remove(timer);
    json_t *message = g_queue_pop_head(&line->messages);
    return message ? message : json_object();
}

void line_close(struct line *line)
{
    if (is_open(line))
        soup_websocket_connection_close(line->socket, SOUP_WEBSOCKET_CLOSE_NORMAL, NULL);
    bool late = false;
    guint timer = g_timeout_add(ANSWER_MS, on_timeout, &late);
    while (line->socket && !line->closed && !late)
        g_main_context_iteration(NULL, TRUE);
    if (!late)
        g_source_remove(timer);
    if (line->socket)
        g_signal_handlers_disconnect_by_data(line->socket, line);
    g_queue_clear_full(&line->messages, (GDestroyNotify)json_decref);
    g_clear_object(&line->socket);
    g_clear_error(&line->error);
}

void line_divert(struct line *line, void (*to)(void *context, json_t *message), void *context)
{
    line->divert = to;
    line->divert_context = context;
}
