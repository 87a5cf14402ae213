#include "model/darknet_text.h"

#include <ctype.h>
#include <string.h>

static bool is_blank(char c)
{
    return isspace((unsigned char)c);
}

/* A line without blanks at its sides; false at the end. */
static bool next_line(const char *text, size_t end, size_t *at, size_t *ret_start, size_t *ret_length)
{
    if (*at >= end)
        return false;
    const char *newline = memchr(text + *at, '\n', end - *at);
    size_t start = *at, stop = newline ? (size_t)(newline - text) : end;
    *at = newline ? stop + 1 : end;
    while (start < stop && is_blank(text[start]))
        start++;
    while (stop > start && is_blank(text[stop - 1]))
        stop--;
    *ret_start = start;
    *ret_length = stop - start;
    return true;
}

bool vd_darknet_next_section(const char *text, size_t length, size_t *at, vd_darknet_section *ret_section)
{
    size_t start, size, before;
    bool inside = false;
    while (before = *at, next_line(text, length, at, &start, &size)) {
        if (size == 0 || text[start] != '[')
            continue;
        if (inside) {
            *at = before;
            ret_section->end = before;
            return true;
        }
        size_t used = 0;
        for (size_t i = 1; i < size && text[start + i] != ']' && used + 1 < VD_DARKNET_NAME; i++)
            if (!is_blank(text[start + i]))
                ret_section->type[used++] = (char)tolower((unsigned char)text[start + i]);
        ret_section->type[used] = '\0';
        ret_section->start = *at;
        inside = true;
    }
    ret_section->end = length;
    return inside;
}

bool vd_darknet_find(const char *text, const vd_darknet_section *section, const char *key,
                     char ret_value[VD_DARKNET_VALUE], vd_pair_span *ret_span)
{
    size_t at = section->start, start, length, want = strlen(key);
    bool found = false;
    while (next_line(text, section->end, &at, &start, &length)) {
        const char *line = text + start, *equal = memchr(line, '=', length);
        if (!equal || *line == '#' || *line == ';')
            continue;
        size_t name = (size_t)(equal - line), from = name + 1, used = 0;
        while (name > 0 && is_blank(line[name - 1]))
            name--;
        if (name != want || memcmp(line, key, want) != 0)
            continue;
        while (from < length && is_blank(line[from]))
            from++;
        for (size_t i = from; i < length && used + 1 < VD_DARKNET_VALUE; i++)
            if (!is_blank(line[i]))
                ret_value[used++] = line[i];
        ret_value[used] = '\0';
        if (ret_span)
            *ret_span = (vd_pair_span){start + from, length - from};
        found = used > 0;
    }
    return found;
}
