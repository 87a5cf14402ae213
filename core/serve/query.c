#include "serve/query.h"

#include <glib.h>
#include <string.h>

#include "base/text.h"

/* -1: no hexadecimal digits. */
static int byte_of(const char *digits)
{
    int high = g_ascii_xdigit_value(digits[0]);
    int low = high < 0 ? -1 : g_ascii_xdigit_value(digits[1]);
    return low < 0 ? -1 : high << 4 | low;
}

/* As vd_query_decode; what is too long is cut, where that may be, and ends in `…`. */
static int decode(const char *text, size_t length, bool plus, bool may_cut, char *out, size_t size)
{
    static const char end[] = "\xe2\x80\xa6";
    size_t used = 0;
    bool cut = false;
    for (size_t i = 0; i < length; i++) {
        int byte = (unsigned char)text[i];
        if (byte == '%') {
            byte = length - i > 2 ? byte_of(text + i + 1) : -1;
            i += 2;
        } else if (byte == '+' && plus)
            byte = ' ';
        cut = cut || used + 1 >= size;
        if (byte < 0x20 || byte == 0x7f)
            return VD_EFORMAT;
        if (cut && !may_cut)
            return VD_EINVAL;
        if (!cut)
            out[used++] = (char)byte;
    }
    out[cut ? size - sizeof end : used] = '\0';
    if (cut) {
        vd_text_trim_partial(out);
        strcat(out, end);
    }
    return g_utf8_validate(out, -1, NULL) ? VD_OK : VD_EFORMAT;
}

int vd_query_decode(const char *text, size_t length, bool plus, char *out, size_t size)
{
    return decode(text, length, plus, false, out, size);
}

static int refuse_text(vd_error *error)
{
    return vd_error_set(error, VD_EFORMAT, NULL,
                        "The query is not understood: what is percent-encoded in it must be UTF-8, without "
                        "control characters, and each word has a name.");
}

static int read_name(const char *text, size_t length, vd_query *query, vd_error *error)
{
    char *name = query->items[query->count].name;
    int code = vd_query_decode(text, length, true, name, VD_QUERY_NAME);
    if (code == VD_EINVAL)
        return vd_error_set(error, VD_EFORMAT, NULL, "A word of the query is longer than %d bytes.",
                            VD_QUERY_NAME - 1);
    if (code != VD_OK || *name == '\0')
        return refuse_text(error);
    if (vd_query_get(query, name))
        return vd_error_set(error, VD_EFORMAT, name, "`%s` stands twice in the query.", name);
    return VD_OK;
}

static int read_item(const char *text, size_t length, vd_query *query, vd_error *error)
{
    const char *equals = memchr(text, '=', length);
    size_t name_length = equals ? (size_t)(equals - text) : length;
    if (query->count == VD_QUERY_MOST)
        return vd_error_set(error, VD_EFORMAT, NULL, "The query has more than %d words.", VD_QUERY_MOST);
    char *value = query->items[query->count].value;
    int code = read_name(text, name_length, query, error);
    if (code != VD_OK)
        return code;
    *value = '\0';
    if (equals && decode(equals + 1, length - name_length - 1, true, true, value, VD_QUERY_VALUE) != VD_OK)
        return refuse_text(error);
    query->count++;
    return VD_OK;
}

int vd_query_read(const char *text, vd_query *ret_query, vd_error *error)
{
    ret_query->count = 0;
    for (text = text ? text : ""; *text != '\0';) {
        size_t length = strcspn(text, "&");
        int code = length > 0 ? read_item(text, length, ret_query, error) : VD_OK;
        if (code != VD_OK)
            return code;
        text += length;
        text += *text == '&';
    }
    return VD_OK;
}

const char *vd_query_get(const vd_query *query, const char *name)
{
    for (int i = 0; i < query->count; i++)
        if (strcmp(query->items[i].name, name) == 0)
            return query->items[i].value;
    return NULL;
}

bool vd_query_number(const char *text, double *ret_number)
{
    return strpbrk(text, "xXpP") == NULL && vd_text_parse_number(text, ret_number);
}
