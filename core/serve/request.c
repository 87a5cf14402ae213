#include "serve/request.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"

static const char *request_key = "vd-request";

const char *vd_request_header(const vd_request *request, const char *name)
{
    return soup_message_headers_get_one(soup_server_message_get_request_headers(request->message), name);
}

bool vd_request_is_type(const vd_request *request, const char *type)
{
    const char *given = vd_request_header(request, "Content-Type");
    size_t length = strlen(type);
    return given && g_ascii_strncasecmp(given, type, length) == 0 &&
           (type[length - 1] == '/' || strchr("; \t", given[length]));
}

vd_session *vd_request_session(vd_request *request)
{
    vd_session *session = vd_sessions_find(request->serve->sessions, request->parameter, request->owner);
    if (!session) {
        request->serve->counts.refused[VD_REFUSED_WRONG]++;
        vd_reply_error(request, SOUP_STATUS_NOT_FOUND,
                       "There is no such session: it was never there, it ended, or "
                       "it was made under another token.");
    }
    return session;
}

/* --- Its head */

/* -1: it comes in chunks. */
static int64_t content_length(const vd_request *request)
{
    SoupMessageHeaders *headers = soup_server_message_get_request_headers(request->message);
    int64_t length = soup_message_headers_get_content_length(headers);
    switch (soup_message_headers_get_encoding(headers)) {
    case SOUP_ENCODING_CONTENT_LENGTH:
        return length < 0 ? INT64_MAX : length; /* libsoup takes what is too large for it for -1 */
    case SOUP_ENCODING_CHUNKED:
        return -1;
    default:
        return 0;
    }
}

/* Refused by its head: answered the usual way where little is left to read, else at once. libsoup takes an
 * answer to Expect for the end of the request, and what comes then for the next one: after that nothing is
 * read. */
static void turn_away(vd_request *request, int status, vd_refused why, const char *sentence)
{
    int64_t length = content_length(request);
    const char *allow =
        soup_message_headers_get_one(soup_server_message_get_response_headers(request->message), "Allow");
    char header[96] = "";
    request->serve->counts.refused[why]++;
    request->route = NULL;
    if (length >= 0 && length <= VD_BODY_JSON_MOST && !vd_request_header(request, "Expect")) {
        vd_reply_error(request, status, sentence);
        return;
    }
    if (status == SOUP_STATUS_UNAUTHORIZED)
        vd_text_copy(header, sizeof header, "WWW-Authenticate: Bearer\r\n");
    else if (status == VD_STATUS_TOO_MANY)
        vd_text_copy(header, sizeof header, "Retry-After: 1\r\n");
    else if (allow)
        g_snprintf(header, sizeof header, "Allow: %s\r\n", allow);
    vd_link_refuse(request->link, status, header, sentence);
}

/* What a page of a listed host may see, of answers of libsoup and of ours. */
static void set_cors(vd_request *request, const char *origin)
{
    SoupMessageHeaders *out = soup_server_message_get_response_headers(request->message);
    char *cors = request->link->cors;
    soup_message_headers_append(out, "Access-Control-Allow-Origin", origin);
    soup_message_headers_append(out, "Access-Control-Expose-Headers", "Retry-After");
    soup_message_headers_append(out, "Vary", "Origin");
    int size = g_snprintf(cors, sizeof request->link->cors,
                          "Access-Control-Allow-Origin: %s\r\nAccess-Control-Expose-Headers: Retry-After\r\n"
                          "Vary: Origin\r\n",
                          origin);
    if (size >= (int)sizeof request->link->cors)
        cors[0] = '\0';
}

/* Sets the headers that browsers want to see. NULL, or why a stranger's page or name is refused. */
static const char *check_origin(vd_request *request)
{
    SoupMessageHeaders *out = soup_server_message_get_response_headers(request->message);
    const char *origin = vd_request_header(request, "Origin"), *host = vd_request_header(request, "Host");
    soup_message_headers_append(out, "X-Content-Type-Options", "nosniff");
    soup_message_headers_append(out, "Cache-Control", "no-store");
    soup_message_headers_append(out, "Referrer-Policy", "no-referrer");
    if (origin && vd_access_origin_is_listed(request->serve->access, origin))
        set_cors(request, origin);
    if (!vd_access_host_is_fine(request->serve->access, host))
        return vd_access_needs_token(request->serve->access)
                   ? "The header Host is neither a name nor an address."
                   : "The header Host names neither 127.0.0.1 nor localhost; other names are let in only "
                     "where "
                     "a token is needed (`token_file` of the group `streaming`).";
    if (!vd_access_origin_is_fine(request->serve->access, origin, request->link->tls ? "https" : "http",
                                  host))
        return "The header Origin names a page of another host; those that may ask are listed in `origins` "
               "of "
               "the group `streaming`.";
    return NULL;
}

/* A browser asks what a page of another host may ask for. */
static bool is_preflight(vd_request *request, const char *methods)
{
    const char *origin = vd_request_header(request, "Origin");
    SoupMessageHeaders *out = soup_server_message_get_response_headers(request->message);
    if (strcmp(soup_server_message_get_method(request->message), "OPTIONS") != 0 || !origin ||
        !vd_access_origin_is_listed(request->serve->access, origin))
        return false;
    soup_message_headers_append(out, "Access-Control-Allow-Methods", methods);
    soup_message_headers_append(out, "Access-Control-Allow-Headers", "Authorization, Content-Type");
    soup_message_headers_append(out, "Access-Control-Max-Age", "600");
    if (vd_request_header(request, "Expect")) /* as in turn_away */
        soup_message_headers_append(out, "Connection", "close");
    vd_reply_empty(request, SOUP_STATUS_NO_CONTENT);
    return true;
}

static bool find_route(vd_request *request)
{
    GUri *uri = soup_server_message_get_uri(request->message);
    char methods[64], sentence[128];
    vd_error error = {0};
    int status = vd_route_find(soup_server_message_get_method(request->message), g_uri_get_path(uri),
                               &request->route, request->parameter, methods);
    if (status == 400)
        vd_text_copy(
            error.text, sizeof error.text,
            "The path is not understood: what is percent-encoded in it must be UTF-8, without control "
            "characters.");
    else if (status == 200 && vd_query_read(g_uri_get_query(uri), &request->query, &error) != VD_OK)
        status = 400;
    if (status == 200 || (status == 405 && is_preflight(request, methods)))
        return status == 200;
    if (status == 405)
        soup_message_headers_replace(soup_server_message_get_response_headers(request->message), "Allow",
                                     methods);
    g_snprintf(sentence, sizeof sentence, "This path does not know the method; it knows %s.", methods);
    turn_away(request, status, VD_REFUSED_WRONG,
              status == 404   ? "There is nothing under this path."
              : status == 405 ? sentence
                              : error.text);
    return false;
}

static bool check_token(vd_request *request)
{
    vd_access *access = request->serve->access;
    const vd_route *route = request->route;
    const char *ticket = vd_query_get(&request->query, "ticket");
    const char *authorization = vd_request_header(request, "Authorization");
    request->owner = VD_ACCESS_OPEN;
    if (!route->token || !vd_access_needs_token(access))
        return true;
    if (route->kind != VD_ROUTE_PLAIN && ticket)
        request->owner = vd_access_take_ticket(access, ticket, vd_clock_now_ns());
    else
        request->owner = vd_access_check_header(access, authorization);
    if (request->owner != VD_ACCESS_DENIED || (route->kind == VD_ROUTE_SOCKET && !ticket && !authorization))
        return true;
    turn_away(request, SOUP_STATUS_UNAUTHORIZED, VD_REFUSED_TOKEN,
              "This needs a token that the service knows: `Authorization: Bearer …`.");
    return false;
}

/* length: negative or INT64_MAX where it is not known */
static void refuse_size(vd_request *request, int64_t length)
{
    char sentence[160];
    const char *setting = request->route->body != VD_BODY_PICTURE ? ""
                          : request->most == vd_serve_most_picture(request->serve)
                              ? " (streaming.max_image_mb)"
                              : " (streaming.max_image_mb as Base64)";
    if (request->most == 0)
        g_snprintf(sentence, sizeof sentence, "This path takes no body with this method.");
    else if (length >= 0 && length < INT64_MAX)
        g_snprintf(sentence, sizeof sentence, "The body has %lld bytes; at most %zu are taken%s.",
                   (long long)length, request->most, setting);
    else
        g_snprintf(sentence, sizeof sentence, "At most %zu bytes are taken%s.", request->most, setting);
    request->route = NULL;
    request->serve->counts.refused[VD_REFUSED_SIZE]++;
    vd_link_refuse(request->link, SOUP_STATUS_REQUEST_ENTITY_TOO_LARGE, "", sentence);
}

static bool check_size(vd_request *request)
{
    bool json =
        !vd_request_header(request, "Content-Type") || vd_request_is_type(request, "application/json");
    switch (request->route->body) {
    case VD_BODY_NONE:
        request->most = 0;
        break;
    case VD_BODY_JSON:
        request->most = VD_BODY_JSON_MOST;
        break;
    case VD_BODY_PICTURE:
        request->most = json ? vd_serve_most_message(request->serve) : vd_serve_most_picture(request->serve);
        break;
    }
    int64_t length = content_length(request);
    if (length <= (int64_t)request->most)
        return true;
    refuse_size(request, length);
    return false;
}

static void check_head(vd_request *request)
{
    vd_serve *serve = request->serve;
    serve->counts.requests++;
    bool counted = vd_access_count_request(serve->access, request->link->peer, vd_clock_now_ns());
    const char *foreign = check_origin(request);
    if (!counted)
        turn_away(request, VD_STATUS_TOO_MANY, VD_REFUSED_REQUESTS, "Too many requests a second.");
    else if (foreign)
        turn_away(request, SOUP_STATUS_FORBIDDEN, VD_REFUSED_ORIGIN, foreign);
    else if (find_route(request) && check_token(request) && check_size(request))
        request->body = g_byte_array_new();
}

/* --- From libsoup */

static void on_chunk(SoupServerMessage *message, GBytes *chunk, vd_request *request)
{
    (void)message;
    gsize size;
    const guint8 *bytes = g_bytes_get_data(chunk, &size);
    if (!request->body || !request->route)
        return;
    if (request->body->len + size <= request->most) {
        g_byte_array_append(request->body, bytes, (guint)size);
        return;
    }
    refuse_size(request, -1);
}

static void on_body(SoupServerMessage *message, vd_request *request)
{
    (void)message;
    if (request->link->state == VD_LINK_READING)
        vd_link_enter(request->link, VD_LINK_ANSWERING);
}

static void on_finished(SoupServerMessage *message, void *context)
{
    (void)context;
    vd_link *link = vd_link_of(message);
    if (link && (link->state == VD_LINK_ANSWERING || link->state == VD_LINK_READING))
        vd_link_enter(link, VD_LINK_IDLE);
}

static void free_request(void *data)
{
    vd_request *request = data;
    if (request->body)
        g_byte_array_unref(request->body);
    g_free(request);
}

/* Whether libsoup took the head for what it was when it passed: a body of another length, or a request more,
 * would be somebody else's. */
static bool is_as_it_passed(const vd_request *request)
{
    const vd_link *link = request->link;
    if (link->taken < link->heads.ends) /* more have passed already */
        return true;
    return link->taken == link->heads.ends && content_length(request) == link->heads.told;
}

static void on_head(SoupServer *soup, SoupServerMessage *message, const char *path, GHashTable *query,
                    void *context)
{
    (void)soup;
    (void)path;
    (void)query; /* read anew, strictly */
    vd_link *link = vd_link_of(message);
    if (!link) { /* libsoup took it past us */
        soup_server_message_set_status(message, SOUP_STATUS_SERVICE_UNAVAILABLE, NULL);
        return;
    }
    link->taken++;
    if (link->state == VD_LINK_IDLE) /* it came together with the one before */
        vd_link_enter(link, VD_LINK_READING);
    vd_request *request = g_new0(vd_request, 1);
    request->serve = context;
    request->link = link;
    request->message = message;
    g_object_set_data_full(G_OBJECT(message), request_key, request, free_request);
    g_signal_connect(message, "got-chunk", G_CALLBACK(on_chunk), request);
    g_signal_connect(message, "got-body", G_CALLBACK(on_body), request);
    g_signal_connect(message, "finished", G_CALLBACK(on_finished), NULL);
    soup_message_body_set_accumulate(soup_server_message_get_request_body(message), FALSE);
    soup_message_headers_remove(soup_server_message_get_request_headers(message), "Range");
    if (is_as_it_passed(request)) {
        check_head(request);
        return;
    }
    vd_log(VD_LOG_ERROR, "serve",
           "A request was not read by libsoup as it passed; its connection is closed.");
    vd_link_refuse(link, SOUP_STATUS_BAD_REQUEST, "", "The length of the request is not understood.");
}

/* A word of the query that the route does not take is a mistake, and not to be passed over. */
static bool check_words(vd_request *request)
{
    const vd_route *route = request->route;
    vd_refusal refusal;
    char sentence[256];
    int i = 0;
    while (i < request->query.count && vd_route_takes(route, request->query.items[i].name))
        i++;
    if (i == request->query.count)
        return true;
    const char *name = request->query.items[i].name;
    vd_text_clean(refusal.field, sizeof refusal.field, name, strlen(name));
    vd_text_copy(refusal.value, sizeof refusal.value, request->query.items[i].value);
    vd_text_copy(refusal.range, sizeof refusal.range, route->words[0] != '\0' ? route->words : "no query");
    if (route->words[0] == '\0')
        g_snprintf(sentence, sizeof sentence, "This path takes no query; `%s` stands in it.", refusal.field);
    else
        g_snprintf(sentence, sizeof sentence, "The query of this path knows no `%s`; it knows %s.",
                   refusal.field, route->words);
    request->serve->counts.refused[VD_REFUSED_WRONG]++;
    vd_reply_refusal(request, sentence, &refusal);
    return false;
}

/* An empty body is of any type, and one without a type JSON. */
static bool check_type(vd_request *request)
{
    if (request->route->body != VD_BODY_JSON || request->body->len == 0 ||
        !vd_request_header(request, "Content-Type") || vd_request_is_type(request, "application/json"))
        return true;
    request->serve->counts.refused[VD_REFUSED_WRONG]++;
    vd_reply_error(request, SOUP_STATUS_UNSUPPORTED_MEDIA_TYPE, "Content-Type must be application/json.");
    return false;
}

static void on_request(SoupServer *soup, SoupServerMessage *message, const char *path, GHashTable *query,
                       void *context)
{
    (void)soup;
    (void)path;
    (void)query;
    (void)context;
    vd_request *request = g_object_get_data(G_OBJECT(message), request_key);
    if (!request || !request->route) {
        soup_server_message_set_status(message, SOUP_STATUS_SERVICE_UNAVAILABLE, NULL);
        return;
    }
    if (request->serve->ending && request->route->token)
        vd_reply_error(request, SOUP_STATUS_SERVICE_UNAVAILABLE, "The service stops.");
    else if (check_words(request) && check_type(request))
        request->route->run(request);
}

void vd_request_serve(vd_serve *serve)
{
    soup_server_add_early_handler(serve->soup, NULL, on_head, serve, NULL);
    soup_server_add_handler(serve->soup, NULL, on_request, serve, NULL);
}
