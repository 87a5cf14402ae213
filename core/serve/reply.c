#include <stdlib.h>
#include <string.h>

#include "serve/request.h"

static SoupMessageHeaders *headers_of(vd_request *request)
{
    return soup_server_message_get_response_headers(request->message);
}

const char *vd_status_phrase(int status)
{
    switch (status) {
    case VD_STATUS_UPGRADE_REQUIRED:
        return "Upgrade Required";
    case VD_STATUS_TOO_MANY:
        return "Too Many Requests";
    case VD_STATUS_HEADERS_TOO_LARGE:
        return "Request Header Fields Too Large";
    default:
        return soup_status_get_phrase((guint)status);
    }
}

static void set_status(vd_request *request, int status)
{
    soup_server_message_set_status(request->message, (guint)status, vd_status_phrase(status));
}

void vd_reply_text(vd_request *request, int status, const char *type, char *text, size_t size)
{
    if (!text) {
        set_status(request, SOUP_STATUS_SERVICE_UNAVAILABLE);
        return;
    }
    set_status(request, status);
    soup_server_message_set_response(request->message, type, SOUP_MEMORY_COPY, text, size);
    free(text);
}

void vd_reply_json(vd_request *request, int status, json_t *json)
{
    char *text = json ? json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL;
    size_t size = text ? strlen(text) : 0;
    json_decref(json);
    if (text)
        text[size++] = '\n'; /* for terminals; in place of the zero byte, which nobody needs */
    vd_reply_text(request, status, "application/json", text, size);
}

void vd_reply_empty(vd_request *request, int status)
{
    set_status(request, status);
}

void vd_reply_error(vd_request *request, int status, const char *sentence)
{
    if (status == SOUP_STATUS_UNAUTHORIZED)
        soup_message_headers_replace(headers_of(request), "WWW-Authenticate", "Bearer");
    if (status == VD_STATUS_TOO_MANY || status == SOUP_STATUS_SERVICE_UNAVAILABLE)
        soup_message_headers_replace(headers_of(request), "Retry-After", "1");
    vd_reply_json(request, status, json_pack("{s:s}", "error", sentence));
}

void vd_reply_refusal(vd_request *request, const char *sentence, const vd_refusal *refusal)
{
    json_t *value = json_loads(refusal->value, JSON_DECODE_ANY, NULL);
    if (!value) /* it was cut */
        value = json_string(refusal->value);
    vd_reply_json(request, SOUP_STATUS_UNPROCESSABLE_ENTITY,
                  json_pack("{s:s,s:s,s:o,s:s}", "error", sentence, "field", refusal->field, "value", value,
                            "range", refusal->range));
}

void vd_reply_failure(vd_request *request, const vd_error *error)
{
    int status = error->code == VD_EAGAIN      ? VD_STATUS_TOO_MANY
                 : error->code == VD_ENOTFOUND ? SOUP_STATUS_NOT_FOUND
                 : error->code == VD_EINVAL    ? SOUP_STATUS_REQUEST_ENTITY_TOO_LARGE
                 : error->code == VD_EFORMAT   ? SOUP_STATUS_BAD_REQUEST
                                               : SOUP_STATUS_SERVICE_UNAVAILABLE;
    vd_reply_error(request, status, error->text);
}
