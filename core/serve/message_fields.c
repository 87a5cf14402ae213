#include "serve/message_fields.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "serve/query.h"

/* The JSON text of a number, short where that is the very same number. */
static int write_number(const json_t *value, char *out, size_t size)
{
    static const size_t flags = JSON_COMPACT | JSON_ENCODE_ANY;
    size_t length = json_dumpb(value, out, size, flags | JSON_REAL_PRECISION(15));
    if (length > 0 && length < size && json_is_real(value)) {
        double number;
        out[length] = '\0';
        if (!vd_text_parse_number(out, &number) || number != json_real_value(value))
            length = json_dumpb(value, out, size, flags);
    }
    if (length == 0 || length >= size)
        length = 0;
    out[length] = '\0';
    return length > 0 ? VD_OK : VD_EINVAL;
}

int vd_message_write_scalar(const json_t *value, size_t most_bytes, char *out, size_t size)
{
    out[0] = '\0';
    if (json_is_number(value))
        return write_number(value, out, size);
    if (!json_is_string(value))
        return VD_EFORMAT;
    if (json_string_length(value) > most_bytes)
        return VD_EINVAL;
    size_t length = json_dumpb(value, out, size, JSON_COMPACT | JSON_ENCODE_ANY);
    if (length == 0 || length >= size)
        length = 0;
    out[length] = '\0';
    return length > 0 ? VD_OK : VD_EINVAL;
}

static int refuse(vd_message *message, int code, const char *field, const json_t *value, const char *range,
                  vd_error *error)
{
    vd_refusal *refusal = &message->refusal;
    vd_refusal_fill(refusal, field, value, range);
    return vd_error_set(error, code, field, "%s is %s; it must be %s.", field, refusal->value, range);
}

int vd_message_set_frame_id(vd_message *message, const json_t *value, vd_error *error)
{
    char range[96];
    if (!value || json_is_null(value))
        return VD_OK;
    int code = vd_message_write_scalar(value, VD_FRAME_ID_BYTES, message->frame_id, sizeof message->frame_id);
    if (code == VD_OK)
        return code;
    snprintf(range, sizeof range, "a number, or a text of at most %d bytes", VD_FRAME_ID_BYTES);
    return refuse(message, code, "frame_id", value, range, error);
}

int vd_message_set_timestamp(vd_message *message, const json_t *value, vd_error *error)
{
    if (!value || json_is_null(value))
        return VD_OK;
    if (!json_is_number(value) || !isfinite(json_number_value(value)))
        return refuse(message, VD_EFORMAT, "timestamp", value, "a number of seconds", error);
    message->timed = true;
    message->timestamp = json_number_value(value);
    return VD_OK;
}

/* --- Words of a query */

static int take(vd_message *message, json_t *value, vd_error *error,
                int (*set)(vd_message *, const json_t *, vd_error *))
{
    if (!value)
        return vd_error_set(error, VD_ENOMEM, NULL, "There is not enough memory.");
    int code = set(message, value, error);
    json_decref(value);
    return code;
}

int vd_message_set_frame_id_text(vd_message *message, const char *text, vd_error *error)
{
    size_t digits = strspn(text, "0123456789");
    bool is_number = digits > 0 && digits < 16 && text[digits] == '\0' && (text[0] != '0' || digits == 1);
    json_t *value = is_number ? json_integer(strtoll(text, NULL, 10)) : json_string(text);
    return take(message, value, error, vd_message_set_frame_id);
}

int vd_message_set_timestamp_text(vd_message *message, const char *text, vd_error *error)
{
    double number;
    bool is_number = vd_query_number(text, &number);
    return take(message, is_number ? json_real(number) : json_string(text), error, vd_message_set_timestamp);
}
