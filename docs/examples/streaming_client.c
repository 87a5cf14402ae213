/* A client of the streaming interface (docs/streaming.md), of nothing but libsoup and jansson: asks a running
 * service everything that it promises and says what it answered.
 *
 *   streaming_client [--token T | --token-file FILE] [--ca FILE] [--sessions N] [--fps N] [--seconds N]
 *                    URL PICTURE [CHECK…]
 *
 * URL is http://127.0.0.1:8765, PICTURE a JPEG file; --token-file is the file that the service has, --ca a
 * certificate to trust, such as one that the service signed itself. A CHECK is health, websocket, sse, errors
 * or bench, and without one all of them are done. Exit status 0: everything was as it should be; 1: something
 * was not; 2: the request was wrong. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "streaming_client.h"

enum { BURST = 20, ID = 64 };

bool check(struct client *client, bool fine, const char *what)
{
    printf("%s  %s\n", fine ? "ok  " : "FAIL", what);
    client->checked++;
    client->failed += !fine;
    return fine;
}

/* --- The checks */

static void check_health(struct client *client)
{
    json_t *answer = NULL;
    check(client, ask(client, "GET", "/stream/health", NULL, NULL, &answer) == 200 && answer,
          "health answers");
    json_decref(answer);
    check(client, ask(client, "GET", "/stream/stats", NULL, NULL, &answer) == 200 && answer,
          "so do the statistics");
    json_decref(answer);
    check(client, ask(client, "GET", "/metrics", NULL, NULL, NULL) == 200, "and the metrics");
    check(client,
          ask(client, "GET", "/openapi.json", NULL, NULL, &answer) == 200 &&
              *text_of(answer, "openapi") == '3',
          "the interface is described");
    json_decref(answer);
}

static char *frame_message(const struct client *client, const char *frame_id)
{
    gsize size;
    const guchar *bytes = g_bytes_get_data(client->picture, &size);
    char *base64 = g_base64_encode(bytes, size);
    char *text = g_strdup_printf(
        "{\"type\":\"frame\",\"image_data\":\"%s\",\"frame_id\":%s,\"timestamp\":1.5}", base64, frame_id);
    g_free(base64);
    return text;
}

static bool is_result(const json_t *message, json_t *wanted_id)
{
    const json_t *data = json_object_get(message, "data");
    bool fine = is_type(message, "detection_result") &&
                json_equal(json_object_get(data, "frame_id"), wanted_id) &&
                json_is_array(json_object_get(data, "detections")) &&
                json_integer_value(json_object_get(data, "width")) > 0;
    json_decref(wanted_id);
    return fine;
}

/* Many at once: each is answered, and once. */
static void check_burst(struct client *client, struct line *line)
{
    int seen[BURST] = {0}, results = 0, once = 0;
    for (int i = 0; i < BURST; i++) {
        char text[64];
        snprintf(text, sizeof text, "{\"type\":\"next\",\"frame_id\":%d}", i);
        line_send(line, text);
        line_send_picture(line, client->picture);
    }
    for (int i = 0; i < BURST; i++) {
        json_t *answer = line_next(line), *data = json_object_get(answer, "data");
        json_t *id = json_object_get(data ? data : answer, "frame_id");
        json_int_t number = json_is_integer(id) ? json_integer_value(id) : -1;
        if (number >= 0 && number < BURST &&
            (is_type(answer, "detection_result") || is_type(answer, "skipped")))
            seen[number]++;
        results += is_type(answer, "detection_result");
        json_decref(answer);
    }
    for (int i = 0; i < BURST; i++)
        once += seen[i] == 1;
    check(client, once == BURST && results > 0, "twenty pictures at once are each answered once");
}

static void check_resumed(struct client *client, const char *client_id)
{
    struct line line;
    char *path = g_strconcat("/stream/detection?client_id=", client_id, NULL);
    bool fine = false;
    if (line_open(client, &line, path)) {
        json_t *hello = line_next(&line);
        fine = is_type(hello, "config") && strcmp(text_of(hello, "client_id"), client_id) == 0 &&
               json_integer_value(json_object_get(json_object_get(hello, "config"), "fps_limit")) == 20;
        json_decref(hello);
    }
    check(client, fine, "the session is taken up again with its settings");
    line_close(&line);
    g_free(path);
}

/* Sends one message and looks at what comes back. */
static json_t *exchange(struct line *line, const char *text)
{
    line_send(line, text);
    return line_next(line);
}

static void check_websocket(struct client *client)
{
    struct line line;
    char client_id[ID] = "";
    if (check(client, line_open(client, &line, "/stream/detection?fps_limit=30"), "a WebSocket opens")) {
        json_t *answer = line_next(&line);
        const json_t *config = json_object_get(answer, "config");
        snprintf(client_id, sizeof client_id, "%s", text_of(answer, "client_id"));
        check(client, *client_id && json_integer_value(json_object_get(config, "fps_limit")) == 30,
              "it says its id and its settings");
        json_decref(answer);
        answer = exchange(&line, "{\"type\":\"ping\",\"timestamp\":1.25}");
        check(client,
              is_type(answer, "ping") && json_real_value(json_object_get(answer, "timestamp")) == 1.25,
              "a ping comes back");
        json_decref(answer);
        char *frame = frame_message(client, "\"first\"");
        answer = exchange(&line, frame);
        check(client, is_result(answer, json_string("first")), "a picture in Base64 has its result");
        json_decref(answer);
        line_send(&line, "{\"type\":\"next\",\"frame_id\":7}");
        line_send_picture(&line, client->picture);
        answer = line_next(&line);
        check(client, is_result(answer, json_integer(7)), "a picture as it is has its result");
        json_decref(answer);
        check_burst(client, &line);
        answer = exchange(&line, "{\"type\":\"config\",\"config\":{\"fps_limit\":20}}");
        check(client, is_type(answer, "config"), "the settings can be changed");
        json_decref(answer);
        g_free(frame);
    }
    line_close(&line);
    check_resumed(client, client_id);
}

/* The next `data:` of a stream of events, one reference; NULL at its end. */
static json_t *next_event(GDataInputStream *stream)
{
    for (;;) {
        char *text = g_data_input_stream_read_line(stream, NULL, NULL, NULL);
        if (!text)
            return NULL;
        json_t *message = strncmp(text, "data:", 5) == 0 ? json_loads(text + 5, 0, NULL) : NULL;
        g_free(text);
        if (message)
            return message;
    }
}

static json_t *next_answer(GDataInputStream *stream)
{
    json_t *message = next_event(stream);
    while (message && !is_type(message, "detection_result") && !is_type(message, "error")) {
        json_decref(message);
        message = next_event(stream);
    }
    return message ? message : json_object();
}

static void check_processed(struct client *client, const char *client_id, GDataInputStream *stream)
{
    json_t *answer = NULL;
    char *path = g_strdup_printf("/stream/process/%s?frame_id=3", client_id);
    check(client, ask(client, "POST", path, "image/jpeg", client->picture, &answer) == 202,
          "a picture is taken");
    json_decref(answer);
    g_free(path);
    answer = next_answer(stream);
    check(client, is_result(answer, json_integer(3)), "its result is an event");
    json_decref(answer);
    char *frame = frame_message(client, "\"by post\"");
    path = g_strdup_printf("/stream/process/%s", client_id);
    check(client, ask_text(client, "POST", path, frame, &answer) == 202, "one in Base64 is taken");
    json_decref(answer);
    answer = next_answer(stream);
    check(client, is_result(answer, json_string("by post")), "its result is an event too");
    json_decref(answer);
    g_free(path);
    g_free(frame);
}

static void check_session(struct client *client, const char *client_id)
{
    json_t *answer = NULL;
    char *session = g_strdup_printf("/stream/sessions/%s", client_id);
    char *stats = g_strconcat(session, "/stats", NULL), *config = g_strconcat(session, "/config", NULL);
    check(client, ask(client, "GET", stats, NULL, NULL, &answer) == 200, "the session has statistics");
    json_decref(answer);
    check(client, ask_text(client, "PATCH", config, "{\"max_detections\":5}", &answer) == 200,
          "and settings");
    json_decref(answer);
    int status = ask(client, "DELETE", session, NULL, NULL, NULL);
    check(client, status >= 200 && status < 300, "it can be ended");
    check(client, ask(client, "GET", stats, NULL, NULL, NULL) == 404, "then it is unknown");
    g_free(session);
    g_free(stats);
    g_free(config);
}

static void check_sse(struct client *client)
{
    json_t *made = NULL;
    GError *error = NULL;
    bool fine = ask_text(client, "POST", "/stream/sessions", "{\"fps_limit\":30}", &made) == 201;
    char *client_id = g_strdup(text_of(made, "client_id"));
    char *path = g_strconcat("/stream/events/", client_id, NULL);
    if (check(client, fine && *client_id, "a session is made")) {
        SoupMessage *message = request(client, "GET", path);
        GInputStream *body = soup_session_send(client->http, message, NULL, &error);
        if (check(client, body && soup_message_get_status(message) == 200, "its events are a stream")) {
            GDataInputStream *stream = g_data_input_stream_new(body);
            check_processed(client, client_id, stream);
            check_session(client, client_id);
            g_object_unref(stream);
        }
        g_clear_object(&body);
        g_object_unref(message);
    }
    g_clear_error(&error);
    json_decref(made);
    g_free(client_id);
    g_free(path);
}

/* What must be refused, and how. */
static void check_refused(struct client *client)
{
    static const struct {
        const char *method, *path, *body;
        int status;
    } cases[] = {
        {"GET", "/stream/nothing", NULL, 404},
        {"PUT", "/stream/sessions", "{}", 405},
        {"POST", "/stream/sessions", "{\"fps_limit\":99}", 422},
        {"POST", "/stream/sessions", "{\"fps_limt\":9}", 422},
        {"GET", "/stream/sessions/00000000000000000000000000000000/stats", NULL, 404},
        {"POST", "/stream/process/00000000000000000000000000000000", "{}", 404},
        {"GET", "/stream/events/%2e%2e%2fetc%2fpasswd", NULL, 404},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *answer = NULL;
        int status = ask_text(client, cases[i].method, cases[i].path, cases[i].body, &answer);
        char *what = g_strdup_printf("%s %s is %d: %s", cases[i].method, cases[i].path, status,
                                     text_of(answer, "error"));
        check(client, status == cases[i].status && *text_of(answer, "error"), what);
        g_free(what);
        json_decref(answer);
    }
}

static void check_errors(struct client *client)
{
    static const char *const messages[] = {
        "{\"type\":\"frame\",\"frame_id\":4,\"image_data\":\"no Base64!\"}",
        "{\"type\":\"frame\",\"frame_id\":4,\"image_data\":\"bm8gcGljdHVyZQ==\"}",
        "{\"type\":\"frame\",\"frame_id\":4}",
        "{\"type\":\"config\",\"config\":{\"iou_threshold\":7}}",
        "{\"type\":\"riddle\"}",
        "{\"type\":",
        "[[[[[[[[[[[[[[]]]]]]]]]]]]]]",
    };
    struct line line;
    check_refused(client);
    if (!check(client, line_open(client, &line, "/stream/detection"), "a WebSocket opens"))
        return;
    json_decref(line_next(&line));
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
        json_t *answer = exchange(&line, messages[i]);
        char *what = g_strdup_printf("%s: %s", messages[i], text_of(answer, "error"));
        check(client, is_type(answer, "error") && *text_of(answer, "error"), what);
        g_free(what);
        json_decref(answer);
    }
    line_send_picture(&line, client->picture);
    json_t *answer = line_next(&line);
    check(client, is_type(answer, "detection_result"), "after all that a picture has its result");
    json_decref(answer);
    line_close(&line);
}

/* --- The command line */

static const struct {
    const char *name;
    void (*run)(struct client *client);
} checks[] = {
    {"health", check_health}, {"websocket", check_websocket}, {"sse", check_sse},
    {"errors", check_errors}, {"bench", check_bench},
};
enum { CHECKS = sizeof checks / sizeof *checks };

static bool run_check(struct client *client, const char *name)
{
    bool found = false;
    for (size_t i = 0; i < CHECKS; i++) {
        if (name && strcmp(name, checks[i].name) != 0)
            continue;
        printf("%s%s\n", client->checked ? "\n" : "", checks[i].name);
        checks[i].run(client);
        found = true;
    }
    if (!found)
        fprintf(stderr, "streaming_client: there is no check called %s\n", name);
    return found;
}

/* The first line of the file that is neither empty nor a comment; NULL, said why, without one. */
static char *read_token(const char *path)
{
    char *text = NULL, *token = NULL;
    GError *error = NULL;
    if (!g_file_get_contents(path, &text, NULL, &error)) {
        fprintf(stderr, "streaming_client: %s\n", error->message);
        g_clear_error(&error);
        return NULL;
    }
    char **lines = g_strsplit(text, "\n", -1);
    for (int i = 0; lines[i] && !token; i++)
        if (*g_strstrip(lines[i]) && *lines[i] != '#')
            token = g_strdup(lines[i]);
    if (!token)
        fprintf(stderr, "streaming_client: there is no token in %s\n", path);
    g_strfreev(lines);
    g_free(text);
    return token;
}

static bool take_token(struct client *client, const char *option, const char *value)
{
    if (strcmp(option, "--token") != 0 && strcmp(option, "--token-file") != 0)
        return false;
    g_free(client->token);
    client->token = strcmp(option, "--token") == 0 ? g_strdup(value) : read_token(value);
    return client->token != NULL;
}

static bool read_options(int argc, char **argv, struct client *client, int *ret_next)
{
    int i = 1;
    for (; i + 1 < argc && strncmp(argv[i], "--", 2) == 0; i += 2) {
        int *number = strcmp(argv[i], "--sessions") == 0  ? &client->sessions
                      : strcmp(argv[i], "--fps") == 0     ? &client->fps
                      : strcmp(argv[i], "--seconds") == 0 ? &client->seconds
                                                          : NULL;
        if (number)
            *number = atoi(argv[i + 1]);
        else if (strcmp(argv[i], "--ca") == 0)
            client->ca = argv[i + 1];
        else if (!take_token(client, argv[i], argv[i + 1]))
            return false;
    }
    *ret_next = i;
    return i + 1 < argc && client->sessions > 0 && client->sessions <= 1000 && client->fps > 0 &&
           client->fps <= 30 && client->seconds > 0 && client->seconds <= 3600;
}

/* NULL, said why, where the certificates cannot be read. */
static SoupSession *make_http(const char *ca)
{
    SoupSession *http = soup_session_new_with_options("max-conns", 2000, "max-conns-per-host", 2000,
                                                      "timeout", ANSWER_MS / 1000, NULL);
    if (!ca)
        return http;
    GError *error = NULL;
    char *path = g_canonicalize_filename(ca, NULL);
    GTlsDatabase *trusted = g_tls_file_database_new(path, &error);
    if (trusted) {
        soup_session_set_tls_database(http, trusted);
        g_object_unref(trusted);
    } else {
        fprintf(stderr, "streaming_client: %s: %s\n", ca, error->message);
        g_clear_error(&error);
        g_clear_object(&http);
    }
    g_free(path);
    return http;
}

static bool run_checks(struct client *client, int count, char **names)
{
    bool known = true;
    if (count == 0)
        run_check(client, NULL);
    for (int i = 0; i < count && known; i++)
        known = run_check(client, names[i]);
    printf("\n%d of %d as they should be\n", client->checked - client->failed, client->checked);
    return known;
}

int main(int argc, char **argv)
{
    struct client client = {.sessions = 2, .fps = 10, .seconds = 2};
    int next;
    char *bytes;
    gsize size;
    if (!read_options(argc, argv, &client, &next) ||
        !g_file_get_contents(argv[next + 1], &bytes, &size, NULL)) {
        fprintf(stderr,
                "streaming_client [--token T | --token-file FILE] [--ca FILE] [--sessions N] [--fps N] "
                "[--seconds N] URL PICTURE [CHECK…]\n");
        g_free(client.token);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    char *url = g_strdup(argv[next]);
    if (g_str_has_suffix(url, "/"))
        url[strlen(url) - 1] = '\0';
    client.url = url;
    client.picture = g_bytes_new_take(bytes, size);
    client.http = make_http(client.ca);
    int status = 2;
    if (client.http && !reach(&client))
        status = 1;
    else if (client.http && run_checks(&client, argc - next - 2, argv + next + 2))
        status = client.failed > 0;
    g_clear_object(&client.http);
    g_bytes_unref(client.picture);
    g_free(client.token);
    g_free(url);
    return status;
}
