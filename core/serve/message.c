#include "serve/message.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "serve/base64.h"
#include "serve/json_scan.h"
#include "serve/message_fields.h"
#include "vedette/app/nearest.h"

static const char *const kinds[] = {[VD_MESSAGE_FRAME] = "frame",
                                    [VD_MESSAGE_NEXT] = "next",
                                    [VD_MESSAGE_CONFIG] = "config",
                                    [VD_MESSAGE_PING] = "ping",
                                    [VD_MESSAGE_AUTH] = "auth"};
enum { KIND_COUNT = sizeof kinds / sizeof *kinds, NO_KIND = -1 };

/* --- JSON */

static int refuse_json(const json_error_t *why, size_t at, vd_error *error)
{
    switch (json_error_code(why)) {
    case json_error_out_of_memory:
        return vd_error_set(error, VD_ENOMEM, NULL, "There is not enough memory for the message.");
    case json_error_invalid_utf8:
        return vd_error_set(error, VD_EFORMAT, NULL, "The message is not valid UTF-8.");
    case json_error_duplicate_key:
        return vd_error_set(error, VD_EFORMAT, NULL, "The message has a field twice.");
    case json_error_numeric_overflow:
        return vd_error_set(error, VD_EFORMAT, NULL, "The message has a number that is too large.");
    case json_error_null_character:
    case json_error_null_byte_in_key:
        return vd_error_set(error, VD_EFORMAT, NULL, "The message has a text with a zero character in it.");
    default:
        return vd_error_set(error, VD_EFORMAT, NULL, "The message is not valid JSON (near byte %zu).", at);
    }
}

/* Parses what scanning found fit for it.
 *
 * before, left_out  where how many bytes were taken out of it, so that an error names its place */
static int parse(const char *text, size_t size, size_t before, size_t left_out, json_t **ret_object,
                 vd_error *error)
{
    json_error_t why;
    json_t *parsed = json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
    if (!parsed) {
        size_t at = why.position > 0 ? (size_t)why.position : 0;
        return refuse_json(&why, at > before ? at + left_out : at, error);
    }
    if (!json_is_object(parsed)) {
        json_decref(parsed);
        return vd_error_set(error, VD_EFORMAT, NULL, "The message is no JSON object.");
    }
    *ret_object = parsed;
    return VD_OK;
}

static int refuse_depth(vd_error *error)
{
    return vd_error_set(error, VD_EFORMAT, NULL, "The message is nested deeper than %d levels.",
                        VD_JSON_DEPTH);
}

int vd_json_read_object(const char *text, size_t size, json_t **ret_object, vd_error *error)
{
    vd_json_span picture;
    if (!vd_json_scan(text, size, VD_JSON_DEPTH, "", &picture))
        return refuse_depth(error);
    return parse(text, size, size, 0, ret_object, error);
}

/* Parses a message without its picture, which is decoded from where it stands: the parser would copy it byte
 * by byte, three times.
 *
 * ret_picture  the picture's text; empty when the parsed object has it */
static int parse_message(const char *text, size_t size, json_t **ret_object, vd_json_span *ret_picture,
                         vd_error *error)
{
    if (!vd_json_scan(text, size, VD_JSON_DEPTH, "image_data", ret_picture))
        return refuse_depth(error);
    if (ret_picture->size == 0)
        return parse(text, size, size, 0, ret_object, error);
    size_t before = (size_t)(ret_picture->start - text), behind = size - before - ret_picture->size;
    char *rest = malloc(before + behind);
    if (!rest)
        return vd_error_set(error, VD_ENOMEM, NULL, "There is not enough memory for the message.");
    memcpy(rest, text, before);
    memcpy(rest + before, ret_picture->start + ret_picture->size, behind);
    int code = parse(rest, before + behind, before, ret_picture->size, ret_object, error);
    free(rest);
    return code;
}

/* --- Fields */

/* What stands before the data of a `data:` URL; 0 when it is none. */
static size_t url_head(const char *text, size_t size)
{
    enum { LONGEST = 128 };
    char head[LONGEST + 1];
    size_t length = size < LONGEST ? size : LONGEST;
    memcpy(head, text, length);
    head[length] = '\0';
    char *comma = memchr(head, ',', length);
    if (!comma)
        return 0;
    *comma = '\0';
    size_t end = (size_t)(comma - head) + 1;
    char colon = length > 4 ? head[4] : '\0';
    if (colon != ':' || !vd_text_ends_with(head, ";base64"))
        return 0;
    head[4] = '\0';
    return vd_text_same(head, "data") ? end : 0;
}

/* Takes the beginning of a picture's text, which may be megabytes, or of anything else. */
static void refuse_picture(vd_message *message, const json_t *value, const char *text, size_t size)
{
    char clean[sizeof message->refusal.value];
    json_t *begun = NULL;
    if (text) {
        vd_text_clean(clean, sizeof clean, text, size < sizeof clean ? size : sizeof clean);
        begun = json_string(clean);
    }
    vd_refusal_fill(&message->refusal, "image_data", begun ? begun : value,
                    "a JPEG, PNG or WebP picture in Base64");
    json_decref(begun);
}

static int decode_picture(const char *text, size_t size, size_t most_bytes, vd_message *message,
                          vd_error *error)
{
    size_t head = url_head(text, size), at;
    size_t room = vd_base64_room(size - head);
    if (size == head)
        return vd_error_set(error, VD_EFORMAT, "image_data", "image_data is empty.");
    if (room > most_bytes && room - most_bytes > 2) /* padding; exactly below */
        return vd_error_set(error, VD_EINVAL, "image_data",
                            "The picture has %zu bytes; at most %zu are taken (streaming.max_image_mb).",
                            room, most_bytes);
    uint8_t *bytes = malloc(room > 0 ? room : 1);
    if (!bytes)
        return vd_error_set(error, VD_ENOMEM, NULL, "There is not enough memory for the picture.");
    int code = vd_base64_decode(text + head, size - head, bytes, &message->size, &at);
    if (code)
        vd_error_set(error, code, "image_data", "image_data is not valid Base64 (character %zu of %zu).",
                     head + at < size ? head + at + 1 : size, size);
    else if (message->size > most_bytes)
        code = vd_error_set(error, VD_EINVAL, "image_data",
                            "The picture has %zu bytes; at most %zu are taken (streaming.max_image_mb).",
                            message->size, most_bytes);
    if (code) {
        free(bytes);
        message->size = 0;
        return code;
    }
    message->bytes = bytes;
    return VD_OK;
}

static int read_picture(const json_t *object, const vd_json_span *cut, size_t most_bytes, vd_message *message,
                        vd_error *error)
{
    const json_t *value = json_object_get(object, "image_data");
    if (!json_is_string(value))
        refuse_picture(message, value, NULL, 0);
    if (!value)
        return vd_error_set(error, VD_EFORMAT, "image_data",
                            "A frame needs image_data: a JPEG, PNG or WebP picture in Base64.");
    if (!json_is_string(value))
        return vd_error_set(error, VD_EFORMAT, "image_data", "image_data must be a text in Base64.");
    const char *text = cut->size > 0 ? cut->start : json_string_value(value);
    size_t size = cut->size > 0 ? cut->size : json_string_length(value);
    int code = decode_picture(text, size, most_bytes, message, error);
    if (code == VD_EFORMAT)
        refuse_picture(message, value, text, size);
    return code;
}

static int read_config(json_t *object, vd_message *message, vd_error *error)
{
    json_t *config = json_object_get(object, "config");
    if (config && !json_is_object(config))
        return vd_error_set(error, VD_EFORMAT, "config", "config must be an object of fields.");
    if (config) {
        message->config = json_incref(config);
        return VD_OK;
    }
    json_object_del(object, "type");
    message->config = json_incref(object);
    return VD_OK;
}

static int read_stamp(const json_t *object, vd_message *message, vd_error *error)
{
    const json_t *value = json_object_get(object, "timestamp");
    if (value && !json_is_null(value)) {
        if (vd_message_write_scalar(value, VD_STAMP_BYTES, message->stamp, sizeof message->stamp))
            return vd_error_set(error, VD_EFORMAT, "timestamp",
                                "The timestamp of a ping must be a number or a text of at most %d bytes.",
                                VD_STAMP_BYTES);
        return VD_OK;
    }
    snprintf(message->stamp, sizeof message->stamp, "null");
    return VD_OK;
}

static int read_token(const json_t *object, vd_message *message, vd_error *error)
{
    json_t *value = json_object_get(object, "token");
    size_t length = json_string_length(value);
    if (!json_is_string(value) || length >= sizeof message->token)
        return vd_error_set(error, VD_EFORMAT, "token", "token must be a text of at most %zu bytes.",
                            sizeof message->token - 1);
    memcpy(message->token, json_string_value(value), length + 1);
    explicit_bzero((char *)json_string_value(value), length);
    return VD_OK;
}

/* --- Messages */

static int read_kind(const json_t *object, vd_error *error)
{
    const json_t *value = json_object_get(object, "type");
    char clean[40];
    if (!json_is_string(value)) {
        vd_error_set(error, VD_EFORMAT, "type", "A message needs a type: frame, next, config, ping or auth.");
        return NO_KIND;
    }
    for (int i = 0; i < KIND_COUNT; i++)
        if (strcmp(json_string_value(value), kinds[i]) == 0)
            return i;
    vd_text_clean(clean, sizeof clean, json_string_value(value), json_string_length(value));
    const char *nearest = vd_nearest_word(clean, kinds, KIND_COUNT);
    if (nearest)
        vd_error_set(error, VD_EFORMAT, "type", "There is no type `%s`; did you mean `%s`?", clean, nearest);
    else
        vd_error_set(error, VD_EFORMAT, "type",
                     "There is no type `%s`; there are frame, next, config, ping and auth.", clean);
    return NO_KIND;
}

static int read_kind_of_frame(const json_t *object, vd_refusal *refusal, vd_error *error)
{
    if (!json_object_get(object, "type"))
        return VD_MESSAGE_FRAME;
    int kind = read_kind(object, error);
    if (kind != NO_KIND && kind != VD_MESSAGE_FRAME)
        vd_error_set(error, VD_EFORMAT, "type", "The type is `%s`; it must be `frame` here.", kinds[kind]);
    if (kind != VD_MESSAGE_FRAME)
        vd_refusal_fill(refusal, "type", json_object_get(object, "type"), "\"frame\", or nothing");
    return kind == VD_MESSAGE_FRAME ? kind : NO_KIND;
}

static int read_fields(json_t *object, const vd_json_span *picture, size_t most_bytes, vd_message *message,
                       vd_error *error)
{
    int code;
    switch (message->kind) {
    case VD_MESSAGE_FRAME:
        code = vd_message_set_timestamp(message, json_object_get(object, "timestamp"), error);
        return code ? code : read_picture(object, picture, most_bytes, message, error);
    case VD_MESSAGE_NEXT:
        if (message->frame_id[0] == '\0')
            return vd_error_set(error, VD_EFORMAT, "frame_id", "A message of type next needs a frame_id.");
        return VD_OK;
    case VD_MESSAGE_CONFIG:
        return read_config(object, message, error);
    case VD_MESSAGE_PING:
        return read_stamp(object, message, error);
    case VD_MESSAGE_AUTH:
        return read_token(object, message, error);
    }
    return VD_EFORMAT;
}

static int read_object(json_t *object, const vd_json_span *picture, size_t most_bytes, bool only_frame,
                       vd_message *message, vd_error *error)
{
    int code = vd_message_set_frame_id(message, json_object_get(object, "frame_id"), error);
    if (code)
        return code;
    int kind = only_frame ? read_kind_of_frame(object, &message->refusal, error) : read_kind(object, error);
    if (kind == NO_KIND)
        return VD_EFORMAT;
    message->kind = (vd_message_kind)kind;
    return read_fields(object, picture, most_bytes, message, error);
}

static int read_message(const char *text, size_t size, size_t most_bytes, bool only_frame,
                        vd_message *ret_message, vd_error *error)
{
    vd_message message = {0};
    vd_json_span picture;
    json_t *object;
    *ret_message = (vd_message){0};
    int code = parse_message(text, size, &object, &picture, error);
    if (code)
        return code;
    code = read_object(object, &picture, most_bytes, only_frame, &message, error);
    json_decref(object);
    if (code) {
        memcpy(ret_message->frame_id, message.frame_id, sizeof message.frame_id);
        ret_message->refusal = message.refusal;
    } else
        *ret_message = message;
    return code;
}

int vd_message_read(const char *text, size_t size, size_t most_bytes, vd_message *ret_message,
                    vd_error *error)
{
    return read_message(text, size, most_bytes, false, ret_message, error);
}

int vd_message_read_frame(const char *text, size_t size, size_t most_bytes, vd_message *ret_message,
                          vd_error *error)
{
    return read_message(text, size, most_bytes, true, ret_message, error);
}

void vd_message_clear(vd_message *message)
{
    free(message->bytes);
    json_decref(message->config);
    explicit_bzero(message, sizeof *message);
}
