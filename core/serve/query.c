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
static bool decode(const char *text, size_t length, bool plus, bool may_cut, char *out, size_t size)
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
        if (byte < 0x20 || byte == 0x7f || (cut && !may_cut))
            return false;
        if (!cut)
            out[used++] = (char)byte;
    }
    out[cut ? size - sizeof end : used] = '\0';
    if (cut) {
        vd_text_trim_partial(out);
        strcat(out, end);
    }
    return g_utf8_validate(out, -1, NULL);
}

bool vd_query_decode(const char *text, size_t length, bool plus, char *out, size_t size)
{
    return decode(text, length, plus, false, out, size);
}

static bool read_item(const char *text, size_t length, vd_query *query)
{
    const char *equals = memchr(text, '=', length);
    size_t name_length = equals ? (size_t)(equals - text) : length;
    if (query->count == VD_QUERY_MOST)
        return false;
    char *name = query->items[query->count].name, *value = query->items[query->count].value;
    *value = '\0';
    if (!vd_query_decode(text, name_length, true, name, VD_QUERY_NAME) || *name == '\0' ||
        vd_query_get(query, name))
        return false;
    if (equals && !decode(equals + 1, length - name_length - 1, true, true, value, VD_QUERY_VALUE))
        return false;
    query->count++;
    return true;
}

bool vd_query_read(const char *text, vd_query *ret_query)
{
    ret_query->count = 0;
    for (text = text ? text : ""; *text != '\0';) {
        size_t length = strcspn(text, "&");
        if (length > 0 && !read_item(text, length, ret_query))
            return false;
        text += length;
        text += *text == '&';
    }
    return true;
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
