#include "model/pair_text.h"

#include <ctype.h>
#include <string.h>

enum { DEPTH = 24, PATH_BYTES = 512, VALUE_BYTES = 256 };

typedef struct walker {
    const char *text;
    size_t length, at;
    vd_text_visit visit;
    void *context;
    char path[PATH_BYTES];
    size_t ends[DEPTH]; /* where the path ended outside each message */
    int depth;
    char value[VALUE_BYTES];
    bool stopped;
} walker;

static char here(const walker *w)
{
    return w->at < w->length ? w->text[w->at] : '\0';
}

static void skip_blanks(walker *w)
{
    for (; w->at < w->length; w->at++) {
        char c = w->text[w->at];
        if (c == '#')
            while (w->at + 1 < w->length && w->text[w->at + 1] != '\n')
                w->at++;
        else if (!isspace((unsigned char)c) && c != ',' && c != ';')
            return;
    }
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '+' || c == '.';
}

/* Appends a name to the path; false when it is none or too long. */
static bool enter_name(walker *w, size_t *ret_end)
{
    size_t start = w->at, end = strlen(w->path);
    while (is_word(here(w)))
        w->at++;
    size_t length = w->at - start;
    if (length == 0 || end + length + 2 > sizeof w->path)
        return false;
    *ret_end = end;
    if (end > 0)
        w->path[end++] = '/';
    memcpy(w->path + end, w->text + start, length);
    w->path[end + length] = '\0';
    return true;
}

static void tell(walker *w, const char *value, size_t at)
{
    const vd_text_field field = {w->path, value, at, w->at - at};
    w->stopped = !w->visit(w->context, &field);
}

static bool read_quoted(walker *w)
{
    size_t used = 0, start = w->at;
    char quote = w->text[w->at++];
    for (; here(w) != quote; w->at++) {
        if (w->at >= w->length || here(w) == '\n')
            return false;
        if (here(w) == '\\' && w->at + 1 < w->length)
            w->at++;
        if (used + 1 < sizeof w->value)
            w->value[used++] = here(w);
    }
    w->at++;
    w->value[used] = '\0';
    tell(w, w->value, start);
    return true;
}

static bool read_value(walker *w)
{
    size_t start = w->at;
    if (here(w) == '"' || here(w) == '\'')
        return read_quoted(w);
    while (is_word(here(w)))
        w->at++;
    size_t length = w->at - start;
    if (length == 0)
        return false;
    length = length < sizeof w->value ? length : sizeof w->value - 1;
    memcpy(w->value, w->text + start, length);
    w->value[length] = '\0';
    tell(w, w->value, start);
    return true;
}

static bool read_list(walker *w)
{
    w->at++;
    for (;;) {
        skip_blanks(w);
        if (here(w) == ']' || w->stopped)
            break;
        if (!read_value(w))
            return false;
    }
    w->at++;
    return true;
}

static bool read_field(walker *w)
{
    size_t end;
    if (!enter_name(w, &end))
        return false;
    skip_blanks(w);
    bool colon = here(w) == ':';
    if (colon) {
        w->at++;
        skip_blanks(w);
    }
    if (here(w) == '{') {
        if (w->depth >= DEPTH)
            return false;
        w->ends[w->depth++] = end;
        tell(w, NULL, w->at);
        w->at++;
        return true;
    }
    bool good = colon && (here(w) == '[' ? read_list(w) : read_value(w));
    w->path[end] = '\0';
    return good;
}

static int line_of(const walker *w)
{
    int line = 1;
    for (size_t i = 0; i < w->at && i < w->length; i++)
        line += w->text[i] == '\n';
    return line;
}

int vd_text_walk(const char *text, size_t length, vd_text_visit visit, void *context)
{
    walker w = {.text = text, .length = length, .visit = visit, .context = context};
    if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        w.at = 3;
    for (;;) {
        skip_blanks(&w);
        if (w.stopped || (w.at >= w.length && w.depth == 0))
            return 0;
        if (here(&w) == '}' && w.depth > 0) {
            w.path[w.ends[--w.depth]] = '\0';
            w.at++;
        } else if (!read_field(&w)) {
            return line_of(&w);
        }
    }
}
