#include "serve/json_text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { FIRST_BYTES = 512, STRING_BYTES = 1024 };

/* Room for so many bytes more, and the zero behind them. */
static bool make_room(vd_json_text *text, size_t more)
{
    if (text->failed)
        return false;
    if (text->size + more < text->room)
        return true;
    size_t room = text->room > 0 ? text->room * 2 : FIRST_BYTES;
    while (room <= text->size + more)
        room *= 2;
    char *bytes = realloc(text->bytes, room);
    text->failed = bytes == NULL;
    if (!bytes)
        return false;
    text->bytes = bytes;
    text->room = room;
    return true;
}

static void add_bytes(vd_json_text *text, const char *bytes, size_t size)
{
    if (!make_room(text, size))
        return;
    memcpy(text->bytes + text->size, bytes, size);
    text->size += size;
    text->bytes[text->size] = '\0';
}

void vd_json_add(vd_json_text *text, const char *bytes)
{
    add_bytes(text, bytes, strlen(bytes));
}

void vd_json_add_format(vd_json_text *text, const char *format, ...)
{
    char line[256];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= sizeof line)
        text->failed = true;
    else
        add_bytes(text, line, (size_t)length);
}

void vd_json_add_number(vd_json_text *text, double value, int decimals)
{
    char number[400];
    if (!isfinite(value) || fabs(value) < 0.5 * pow(10, -decimals))
        value = 0;
    vd_text_number(number, sizeof number, value, decimals);
    vd_json_add(text, number);
}

void vd_json_add_string(vd_json_text *text, const char *bytes)
{
    char clean[STRING_BYTES];
    vd_text_clean(clean, sizeof clean, bytes, strlen(bytes));
    vd_json_add(text, "\"");
    for (const char *at = clean; *at;) {
        size_t plain = strcspn(at, "\"\\");
        add_bytes(text, at, plain);
        at += plain;
        if (*at)
            vd_json_add(text, *at++ == '"' ? "\\\"" : "\\\\");
    }
    vd_json_add(text, "\"");
}

char *vd_json_finish(vd_json_text *text)
{
    char *bytes = text->bytes;
    if (text->failed) {
        free(bytes);
        bytes = NULL;
    }
    *text = (vd_json_text){0};
    return bytes;
}
