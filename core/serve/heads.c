#include "serve/heads.h"

#include <string.h>
#include <strings.h>

enum { DIGITS_MOST = 18, HEX_DIGITS_MOST = 15 };

/* The value behind a header's name, without the blanks around it, ended in place; NULL for another header. */
static char *value_of(char *line, const char *name)
{
    size_t length = strlen(name);
    if (strncasecmp(line, name, length) != 0 || line[length] != ':')
        return NULL;
    char *value = line + length + 1;
    value += strspn(value, " \t");
    size_t end = strlen(value);
    while (end > 0 && strchr(" \t", value[end - 1]))
        end--;
    value[end] = '\0';
    return value;
}

static bool take_length(vd_heads *heads, const char *value)
{
    size_t digits = strspn(value, "0123456789");
    if (heads->too_long || heads->sized || heads->in_chunks || digits == 0 || digits > DIGITS_MOST ||
        value[digits] != '\0')
        return false;
    heads->sized = true;
    heads->size = 0;
    for (; *value; value++)
        heads->size = heads->size * 10 + (uint64_t)(*value - '0');
    return true;
}

static bool take_header(vd_heads *heads)
{
    bool goes_on = heads->line[0] == ' ' || heads->line[0] == '\t';
    if (goes_on)
        return !heads->of_length;
    char *length = value_of(heads->line, "Content-Length");
    char *encoding = length ? NULL : value_of(heads->line, "Transfer-Encoding");
    heads->of_length = length || encoding;
    if (length)
        return take_length(heads, length);
    if (!encoding)
        return true;
    if (heads->too_long || heads->sized || heads->in_chunks || strcasecmp(encoding, "chunked") != 0)
        return false;
    heads->in_chunks = true;
    return true;
}

static void end_head(vd_heads *heads)
{
    heads->begun = heads->of_length = heads->behind = false;
    heads->ends++;
    heads->left = heads->sized ? heads->size : 0;
    heads->place = heads->in_chunks ? VD_HEADS_CHUNK : heads->left > 0 ? VD_HEADS_BODY : VD_HEADS_HEAD;
    heads->sized = heads->in_chunks = false;
}

static bool take_chunk(vd_heads *heads)
{
    size_t digits = strspn(heads->line, "0123456789abcdefABCDEF");
    if (digits == 0 || digits > HEX_DIGITS_MOST || !strchr("; \t", heads->line[digits]))
        return false;
    heads->left = 0;
    for (size_t i = 0; i < digits; i++) {
        char c = heads->line[i];
        heads->left = heads->left * 16 + (uint64_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    heads->place = heads->left > 0 ? VD_HEADS_CHUNK_BODY : VD_HEADS_TRAILERS;
    return true;
}

/* A line is whole, without its end. */
static bool take_line(vd_heads *heads)
{
    bool empty = heads->have == 0;
    switch (heads->place) {
    case VD_HEADS_HEAD:
        if (!heads->begun) { /* empty lines before a request are passed over */
            heads->begun = !empty;
            return true;
        }
        if (!empty)
            return take_header(heads);
        end_head(heads);
        return true;
    case VD_HEADS_CHUNK:
        return take_chunk(heads);
    case VD_HEADS_CHUNK_END:
        heads->place = VD_HEADS_CHUNK;
        return empty;
    default: /* trailers */
        if (empty)
            heads->place = VD_HEADS_HEAD;
        return true;
    }
}

static bool pass_line(vd_heads *heads, uint8_t byte)
{
    if (byte != '\n') {
        bool fits = heads->have < sizeof heads->line - 1;
        if (fits)
            heads->line[heads->have++] = (char)byte;
        heads->too_long = heads->too_long || !fits;
        return true;
    }
    if (heads->have > 0 && heads->line[heads->have - 1] == '\r')
        heads->have--;
    heads->line[heads->have] = '\0';
    bool fine = take_line(heads);
    heads->have = 0;
    heads->too_long = false;
    return fine;
}

bool vd_heads_pass(vd_heads *heads, const uint8_t *bytes, size_t size)
{
    for (size_t at = 0; at < size && heads->place != VD_HEADS_WRONG;) {
        heads->behind = true;
        if (heads->place != VD_HEADS_BODY && heads->place != VD_HEADS_CHUNK_BODY) {
            if (!pass_line(heads, bytes[at++]))
                heads->place = VD_HEADS_WRONG;
            continue;
        }
        size_t part = size - at < heads->left ? size - at : (size_t)heads->left;
        at += part;
        heads->left -= part;
        if (heads->left == 0)
            heads->place = heads->place == VD_HEADS_BODY ? VD_HEADS_HEAD : VD_HEADS_CHUNK_END;
    }
    return heads->place != VD_HEADS_WRONG;
}
