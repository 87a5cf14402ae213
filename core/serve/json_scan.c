#include "serve/json_scan.h"

#include <string.h>

enum { WORTH_BYTES = 1024 };

typedef struct scanner {
    const char *at, *end;
    const char *name;
    int depth;
    vd_json_span last;  /* the last text of the outermost object, … */
    bool behind, colon; /* … when nothing but blanks, or a colon, came since */
} scanner;

/* The closing quote of a text, or the end; whether there is a backslash in it. */
static const char *end_of_text(const char *at, const char *end, bool *ret_escaped)
{
    const char *quote = memchr(at, '"', (size_t)(end - at));
    const char *most = quote ? quote : end;
    const char *slash = memchr(at, '\\', (size_t)(most - at));
    *ret_escaped = slash != NULL;
    if (!slash)
        return most;
    for (at = slash; at < end && *at != '"'; at++)
        at += *at == '\\' && at + 1 < end;
    return at;
}

static void scan_text(scanner *s, vd_json_span *found)
{
    bool escaped;
    const char *start = s->at + 1, *end = end_of_text(start, s->end, &escaped);
    vd_json_span text = {start, (size_t)(end - start)};
    bool named =
        s->colon && s->last.size == strlen(s->name) && memcmp(s->last.start, s->name, s->last.size) == 0;
    if (s->depth == 1 && named && found->start == NULL && end < s->end) {
        *found = text;
        if (escaped || text.size < WORTH_BYTES)
            found->size = 0;
    }
    s->last = text;
    s->behind = s->depth == 1;
    s->colon = false;
    s->at = end;
}

bool vd_json_scan(const char *text, size_t size, int depth, const char *name, vd_json_span *ret_text)
{
    scanner s = {.at = text, .end = text + size, .name = name};
    *ret_text = (vd_json_span){0};
    for (; s.at < s.end; s.at++) {
        char c = *s.at;
        if (c == '"') {
            scan_text(&s, ret_text);
            continue;
        }
        if (c == ' ' || c == '\t' || c == '\n' || c == '\r')
            continue;
        s.colon = s.behind && c == ':';
        s.behind = false;
        if (c == '{' || c == '[') {
            if (++s.depth > depth)
                return false;
        } else if (c == '}' || c == ']') {
            s.depth--;
        }
    }
    return true;
}
