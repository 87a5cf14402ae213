#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/entry.h"
#include "serve/access.h"
#include "serve/base64.h"
#include "serve/config.h"
#include "serve/heads.h"
#include "serve/message.h"
#include "serve/message_fields.h"
#include "unit/session_walk.h"

enum { MOST_BYTES = 65536, MOST_STEPS = 3000 };

static const char token[] = "0123456789abcdef0123456789abcdef";

static void must(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz: %s\n", what);
    abort();
}

/* --- Messages */

/* What we write is one JSON object with what it was made of. Takes the text. */
static json_t *parse_own(char *text)
{
    json_error_t why;
    json_t *parsed = text ? json_loads(text, JSON_REJECT_DUPLICATES, &why) : NULL;
    must(json_is_object(parsed), text ? text : "a message was not written");
    free(text);
    return parsed;
}

static void check_id(const char *frame_id)
{
    must(strlen(frame_id) < VD_FRAME_ID, "a frame_id has no end");
    json_t *answer = parse_own(vd_message_write_error("It is wrong.", frame_id, NULL));
    json_t *id = json_object_get(answer, "frame_id");
    must(frame_id[0] == '\0' ? json_is_null(id) : json_is_string(id) || json_is_number(id),
         "a frame_id is no JSON");
    json_decref(answer);
}

static void check_refusal(const vd_error *error, const vd_refusal *refusal)
{
    json_decref(parse_own(vd_message_write_error(error->text, NULL, refusal)));
    must(refusal->field[0] && refusal->value[0] && refusal->range[0], "a refusal does not say what is wrong");
}

static void check_config(const vd_session_config *config)
{
    must(config->fps_limit >= 1 && config->fps_limit <= 30 && config->max_detections >= 1 &&
             config->max_detections <= VD_MAX_DETECTIONS && config->confidence_threshold >= 0 &&
             config->confidence_threshold <= 1 && config->iou_threshold >= 0 && config->iou_threshold <= 1 &&
             vd_quality_mode_name(config->quality_mode)[0],
         "a configuration is out of its ranges");
    json_t *told = vd_session_config_to_json(config);
    vd_session_config again = {0};
    must(vd_session_config_change(&again, told, 30, NULL, NULL) == VD_OK,
         "what is told cannot be given again");
    json_decref(told);
}

static const vd_session_config plain = {.fps_limit = 10, .iou_threshold = 0.45, .max_detections = 100};

static void check_changes(const json_t *changes)
{
    vd_session_config config = plain;
    vd_refusal refusal;
    vd_error error;
    if (vd_session_config_change(&config, changes, 30, &refusal, &error) != VD_OK)
        check_refusal(&error, &refusal);
    check_config(&config);
}

static void check_message(vd_message *message)
{
    check_id(message->frame_id);
    if (message->kind == VD_MESSAGE_FRAME)
        must(message->bytes && message->size <= MOST_BYTES, "a frame without a picture");
    if (message->kind == VD_MESSAGE_PING)
        json_decref(parse_own(vd_message_write_ping(message->stamp)));
    if (message->kind == VD_MESSAGE_CONFIG)
        check_changes(message->config);
    must(strnlen(message->token, VD_TOKEN_MOST) < VD_TOKEN_MOST, "a token has no end");
    vd_message_clear(message);
}

static void read_message(const char *text, size_t size, bool body)
{
    vd_message message;
    vd_error error;
    int code = body ? vd_message_read_frame(text, size, MOST_BYTES, &message, &error)
                    : vd_message_read(text, size, MOST_BYTES, &message, &error);
    if (code == VD_OK) {
        check_message(&message);
        return;
    }
    must(error.text[0] != '\0' && error.code == code, "a refusal without a sentence");
    must(!message.bytes && !message.config, "a refusal leaves something behind");
    check_id(message.frame_id);
    if (message.refusal.field[0])
        check_refusal(&error, &message.refusal);
    json_decref(parse_own(vd_message_write_error(error.text, message.frame_id, NULL)));
}

static void read_words(const char *name, const char *value)
{
    vd_message message = {0};
    vd_error error;
    bool is_time = strcmp(name, "timestamp") == 0;
    int code = is_time ? vd_message_set_timestamp_text(&message, value, &error)
                       : vd_message_set_frame_id_text(&message, value, &error);
    check_id(message.frame_id);
    must(code == VD_OK || message.frame_id[0] == '\0', "a frame_id that cannot be is kept");
    if (code != VD_OK && message.refusal.field[0])
        check_refusal(&error, &message.refusal);
}

/* name=value&name=value */
static void read_query(char *query)
{
    vd_session_config config = plain;
    vd_refusal refusal;
    vd_error error;
    for (char *rest = NULL, *part = strtok_r(query, "&", &rest); part; part = strtok_r(NULL, "&", &rest)) {
        char *value = strchr(part, '=');
        if (value)
            *value++ = '\0';
        if (vd_session_config_change_text(&config, part, value ? value : "", 30, &refusal, &error) != VD_OK)
            check_refusal(&error, &refusal);
        check_config(&config);
        read_words(part, value ? value : "");
    }
}

static void read_base64(const char *text, size_t size)
{
    size_t length, at;
    uint8_t *bytes = malloc(vd_base64_room(size) + 1);
    int code = vd_base64_decode(text, size, bytes, &length, &at);
    if (code == VD_OK)
        must(length <= vd_base64_room(size), "more bytes than there is room for");
    else
        must(at <= size, "an error beyond the end");
    free(bytes);
}

/* --- Headers */

static vd_access *open_access(bool with_token)
{
    vd_streaming_settings settings = {.address = "127.0.0.1", .max_requests_per_s = 2, .origin_count = 1};
    vd_access *access = NULL;
    vd_error error;
    char file[] = "/tmp/vedette-fuzz-XXXXXX";
    snprintf(settings.origins[0], sizeof settings.origins[0], "https://shop.example");
    if (with_token) {
        int out = mkstemp(file);
        FILE *stream = out >= 0 ? fdopen(out, "w") : NULL;
        must(stream && fputs(token, stream) >= 0 && fclose(stream) == 0, "no token file");
        snprintf(settings.token_file, sizeof settings.token_file, "%s", file);
    }
    must(vd_access_new(&settings, &access, &error) == VD_OK, error.text);
    if (with_token)
        remove(file);
    return access;
}

/* Up to four lines: authorization, origin, host, peer. */
static void read_headers(char *text)
{
    static vd_access *access[2]; /* for the life of the program */
    static int64_t now_ns = 1;
    char *lines[4] = {NULL, NULL, NULL, NULL}, *rest = NULL;
    for (int i = 0; i < 4; i++)
        lines[i] = strtok_r(i ? NULL : text, "\n", &rest);
    for (int i = 0; i < 2; i++) {
        if (!access[i])
            access[i] = open_access(i == 1);
        int owner = vd_access_check_header(access[i], lines[0]);
        must(owner == (i == 0 ? VD_ACCESS_OPEN : VD_ACCESS_DENIED) || (lines[0] && strstr(lines[0], token)),
             "a wrong token is taken");
        must(vd_access_take_ticket(access[i], lines[0], now_ns) == VD_ACCESS_DENIED, "a ticket is guessed");
        bool own = vd_access_origin_is_fine(access[i], lines[1], "http", lines[2]);
        bool listed = vd_access_origin_is_listed(access[i], lines[1]);
        must(!listed || own, "a listed origin is not fine");
        must(!own || !lines[1] || lines[2] || listed, "an origin is fine without a host");
        if (vd_access_host_is_fine(access[i], lines[2]) && i == 0)
            must(strstr(lines[2], "127") || strchr(lines[2], ':') || strcasestr(lines[2], "localhost"),
                 "a strange host is fine");
        for (int k = 0; lines[3] && k < 4; k++)
            must(vd_access_count_request(access[i], lines[3], now_ns) == (k < 2), "requests are not counted");
    }
    now_ns += INT64_C(1000000000);
}

/* --- Requests */

/* Whatever pieces they come in, the same is read; what passed stands before what is refused. */
static void read_requests(const uint8_t *data, size_t size)
{
    vd_heads whole = {0}, slow = {0};
    bool fine = vd_heads_pass(&whole, data, size);
    uint64_t ends = 0;
    for (size_t i = 0; i < size; i++) {
        bool passed = vd_heads_pass(&slow, data + i, 1);
        must(passed == (slow.status == 0) && passed == (slow.sentence == NULL),
             "a refusal does not say what is wrong");
        must(slow.ends == ends || (slow.ends == ends + 1 && data[i] == '\n' && i > 2 && data[i - 2] == '\n'),
             "a head ends without an empty line");
        must(slow.told >= -1, "a length is none");
        ends = slow.ends;
    }
    must(fine == (slow.place != VD_HEADS_WRONG) && whole.ends == slow.ends && whole.told == slow.told &&
             whole.left == slow.left && whole.status == slow.status,
         "in pieces a request is another one");
}

/* --- Sessions */

typedef struct bytes_left {
    const uint8_t *at, *end;
} bytes_left;

static uint32_t next_below(void *context, uint32_t below)
{
    bytes_left *left = context;
    if (left->at == left->end)
        return 0;
    uint32_t number = *left->at++;
    if (below > 256 && left->at < left->end)
        number = number << 8 | *left->at++;
    return number % below;
}

static void walk(const uint8_t *data, size_t size)
{
    bytes_left left = {data, data + size};
    session_walk_source source = {next_below, &left};
    session_walk_figures figures;
    session_walk(&source, size < MOST_STEPS ? (int)size : MOST_STEPS, &figures);
}

void vd_fuzz_serve(const uint8_t *data, size_t size)
{
    if (size == 0)
        return;
    char *text = malloc(size); /* as long as it is, so that reading beyond is seen */
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    switch (data[0]) {
    case 'm':
    case 'f': {
        char *exact = malloc(size);
        memcpy(exact, text, size - 1);
        exact = realloc(exact, size > 1 ? size - 1 : 1);
        read_message(exact, size - 1, data[0] == 'f');
        free(exact);
        break;
    }
    case 'q':
        read_query(text);
        break;
    case 'b':
        read_base64(text, size - 1);
        break;
    case 'h':
        read_headers(text);
        break;
    case 'r':
        read_requests(data + 1, size - 1);
        break;
    default:
        walk(data + 1, size - 1);
        break;
    }
    free(text);
}
