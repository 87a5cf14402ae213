/* What the parts of streaming_client share. */
#ifndef STREAMING_CLIENT_H
#define STREAMING_CLIENT_H

#include <jansson.h>
#include <libsoup/soup.h>
#include <stdbool.h>

enum { ANSWER_MS = 10000 }; /* how long an answer may take */

struct client {
    SoupSession *http;
    const char *url, *ca; /* `ca`: certificates to trust, a PEM file; NULL: those of the system */
    char *token;
    GBytes *picture;
    int sessions, fps, seconds; /* of the benchmark */
    int checked, failed;
};

/* Counts and says what was found; gives `fine`. */
bool check(struct client *client, bool fine, const char *what);

/* --- Requests and WebSockets (streaming_client_io.c) */

/* A message with the token, one reference; ends the program when the address is none. */
SoupMessage *request(const struct client *client, const char *method, const char *path);

/* Whether the service answers and lets this client in; says what is wrong where it does not. */
bool reach(const struct client *client);

/* The status; 0: nobody answered. `ret_json` (may be NULL) gets the answer, NULL when it is no JSON. */
int ask(const struct client *client, const char *method, const char *path, const char *type, GBytes *body,
        json_t **ret_json);
int ask_text(const struct client *client, const char *method, const char *path, const char *json,
             json_t **ret_json);

/* Of a JSON object: a field's text, empty when there is none; whether it is a message of a type. */
const char *text_of(const json_t *object, const char *name);
bool is_type(const json_t *message, const char *type);

/* A WebSocket whose messages wait until they are asked for. */
struct line {
    SoupWebsocketConnection *socket;
    GError *error;
    GQueue messages; /* of json_t */
    bool opened, closed;
    void (*divert)(void *context, json_t *message); /* NULL: they go into the queue */
    void *divert_context;
};

/* What is sent on a line that is closed is lost, as on a real one; why it closed was said then. */
bool line_open(const struct client *client, struct line *line, const char *path);
void line_send(struct line *line, const char *text);
void line_send_picture(struct line *line, GBytes *picture);
json_t *line_next(struct line *line); /* one reference; an empty object when none came in time */
void line_close(struct line *line);   /* also of one that did not open */

/* From now on messages go there, not to line_next. */
void line_divert(struct line *line, void (*to)(void *context, json_t *message), void *context);

/* A source that is called back once, setting a flag. */
gboolean on_timeout(void *flag);

void check_bench(struct client *client); /* streaming_client_load.c */

#endif
