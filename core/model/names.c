#include "model/names.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"

enum { MAX_FILE_BYTES = 1 << 20 };

void vd_names_free(vd_names *names)
{
    for (int i = 0; i < names->count; i++)
        free(names->items[i]);
    free(names->items);
    *names = (vd_names){0};
}

/* Takes `name` whatever happens. */
static int put_name(vd_names *names, long at, char *name)
{
    int code = !name ? VD_ENOMEM : at < 0 || at >= VD_MAX_CLASSES ? VD_EFORMAT : VD_OK;
    if (code == VD_OK && at >= names->count) {
        char **longer = realloc(names->items, (size_t)(at + 1) * sizeof *longer);
        if (longer) {
            memset(longer + names->count, 0, (size_t)(at + 1 - names->count) * sizeof *longer);
            names->items = longer;
            names->count = (int)at + 1;
        } else {
            code = VD_ENOMEM;
        }
    }
    if (code == VD_OK && names->items[at])
        code = VD_EFORMAT;
    if (code != VD_OK) {
        free(name);
        return code;
    }
    names->items[at] = name;
    return VD_OK;
}

static const char *skip_blanks(const char *p)
{
    while (isspace((unsigned char)*p))
        p++;
    return p;
}

static char *put_utf8(char *out, unsigned long c)
{
    if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        c = 0xfffd;
    if (c < 0x80) {
        *out++ = (char)c;
    } else if (c < 0x800) {
        *out++ = (char)(0xc0 | c >> 6);
        *out++ = (char)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        *out++ = (char)(0xe0 | c >> 12);
        *out++ = (char)(0x80 | (c >> 6 & 0x3f));
        *out++ = (char)(0x80 | (c & 0x3f));
    } else {
        *out++ = (char)(0xf0 | c >> 18);
        *out++ = (char)(0x80 | (c >> 12 & 0x3f));
        *out++ = (char)(0x80 | (c >> 6 & 0x3f));
        *out++ = (char)(0x80 | (c & 0x3f));
    }
    return out;
}

/* A number of exactly `digits` digits; NULL when they are not there. */
static const char *read_digits(const char *p, int digits, unsigned base, unsigned long *ret_value)
{
    unsigned long value = 0;
    for (int i = 0; i < digits; i++, p++) {
        unsigned c = (unsigned char)*p;
        unsigned digit = isdigit((int)c)    ? c - '0'
                         : isxdigit((int)c) ? (unsigned)tolower((int)c) - 'a' + 10
                                            : 99;
        if (digit >= base)
            return NULL;
        value = value * base + digit;
    }
    *ret_value = value;
    return p;
}

/* What follows a backslash; an escape never makes more bytes than it takes. NULL when it is broken. */
static const char *read_escape(const char *p, char **out)
{
    static const char letters[] = "abfnrtv\\'\"", meanings[] = "\a\b\f\n\r\t\v\\'\"";
    unsigned long value = 0;
    const char *known = *p ? strchr(letters, *p) : NULL;
    if (known) {
        *(*out)++ = meanings[known - letters];
        return p + 1;
    }
    if (*p == '\n')
        return p + 1;
    if (*p >= '0' && *p <= '7') {
        int digits = 1;
        while (digits < 3 && p[digits] >= '0' && p[digits] <= '7')
            digits++;
        p = read_digits(p, digits, 8, &value);
    } else if (*p == 'x' || *p == 'u' || *p == 'U') {
        p = read_digits(p + 1, *p == 'x' ? 2 : *p == 'u' ? 4 : 8, 16, &value);
        if (!p)
            return NULL;
    } else {
        *(*out)++ = '\\'; /* as Python reads an escape it does not know */
        return p;
    }
    *out = put_utf8(*out, value);
    return p;
}

/* A quoted string at *p; moves *p behind it. NULL when it is broken or memory is used up (then *ret_code
 * says). */
static char *read_string(const char **p, int *ret_code)
{
    const char *at = *p;
    if (*at == 'u' || *at == 'r' || *at == 'b')
        at++;
    char quote = *at;
    *ret_code = VD_EFORMAT;
    if (quote != '\'' && quote != '"')
        return NULL;
    at++;
    /* an octal escape of one digit, \0, is the only one that grows: two bytes become three */
    char *text = malloc(strlen(at) * 2 + 4), *out = text;
    if (!text) {
        *ret_code = VD_ENOMEM;
        return NULL;
    }
    while (*at && *at != quote) {
        if (*at == '\\') {
            at = read_escape(at + 1, &out);
            if (!at)
                break;
        } else {
            *out++ = *at++;
        }
    }
    if (!at || *at != quote) {
        free(text);
        return NULL;
    }
    *out = '\0';
    *p = at + 1;
    *ret_code = VD_OK;
    char *shorter = vd_text_dup(text);
    free(text);
    if (!shorter)
        *ret_code = VD_ENOMEM;
    return shorter;
}

/* A key: a whole number, bare or in quotes. False when there is none. */
static bool read_key(const char **p, long *ret_key)
{
    const char *at = *p;
    char quote = *at == '\'' || *at == '"' ? *at++ : '\0';
    char *end;
    if (!isdigit((unsigned char)*at))
        return false;
    errno = 0;
    *ret_key = strtol(at, &end, 10);
    if (errno != 0 || (quote && *end != quote))
        return false;
    *p = skip_blanks(end + (quote ? 1 : 0));
    return true;
}

static int parse_items(const char *p, char close, vd_names *names)
{
    for (long next = 0;; next++) {
        p = skip_blanks(p);
        if (*p == close)
            return *skip_blanks(p + 1) ? VD_EFORMAT : VD_OK;
        long key = next;
        if (close == '}') {
            if (!read_key(&p, &key) || *p != ':')
                return VD_EFORMAT;
            p = skip_blanks(p + 1);
        }
        int code;
        char *name = read_string(&p, &code);
        if (code == VD_OK)
            code = put_name(names, key, name);
        if (code != VD_OK)
            return code;
        p = skip_blanks(p);
        if (*p == ',')
            p++;
        else if (*p != close)
            return VD_EFORMAT;
    }
}

int vd_names_parse(const char *text, vd_names *ret_names)
{
    vd_names names = {0};
    if (strnlen(text, MAX_FILE_BYTES) >= MAX_FILE_BYTES)
        return VD_EFORMAT;
    const char *p = skip_blanks(text);
    int code = *p == '{'   ? parse_items(p + 1, '}', &names)
               : *p == '[' ? parse_items(p + 1, ']', &names)
                           : VD_EFORMAT;
    if (code != VD_OK) {
        vd_names_free(&names);
        return code;
    }
    *ret_names = names;
    return VD_OK;
}

static char *trimmed(const char *from, size_t length)
{
    while (length > 0 && isspace((unsigned char)from[length - 1]))
        length--;
    while (length > 0 && isspace((unsigned char)*from)) {
        from++;
        length--;
    }
    return strndup(from, length);
}

static int split_lines(const char *text, vd_names *names)
{
    long line = 0, filled = 0;
    if (strncmp(text, "\xef\xbb\xbf", 3) == 0)
        text += 3;
    while (*text) {
        size_t length = strcspn(text, "\n");
        char *name = trimmed(text, length);
        if (name && *name)
            filled = line + 1;
        int code =
            line < VD_MAX_CLASSES || !name || *name ? put_name(names, line, name) : (free(name), VD_OK);
        if (code != VD_OK)
            return code;
        line++;
        text += length + (text[length] == '\n');
    }
    while (names->count > filled)
        free(names->items[--names->count]);
    return VD_OK;
}

static int read_text(const char *path, const char *place, char **ret_text, vd_error *error)
{
    struct stat info;
    if (stat(path, &info) != 0)
        return vd_error_set(error, errno == ENOENT || errno == ENOTDIR ? VD_ENOTFOUND : VD_EIO, place,
                            "The file with the class names cannot be opened: %s.", strerror(errno));
    if (!S_ISREG(info.st_mode) || info.st_size > MAX_FILE_BYTES)
        return vd_error_set(error, VD_EFORMAT, place,
                            "This is no file of class names: it must be a text file with one name a line.");
    FILE *file = fopen(path, "re");
    if (!file)
        return vd_error_set(error, VD_EIO, place, "The file with the class names cannot be opened: %s.",
                            strerror(errno));
    char *text = calloc((size_t)info.st_size + 1, 1);
    size_t got = text ? fread(text, 1, (size_t)info.st_size, file) : 0;
    bool binary = text && strlen(text) < got;
    fclose(file);
    if (!text)
        return vd_error_set(error, VD_ENOMEM, place, "There is not enough memory to read the class names.");
    if (binary) {
        free(text);
        return vd_error_set(error, VD_EFORMAT, place,
                            "This is no file of class names: it must be a text file with one name a line.");
    }
    *ret_text = text;
    return VD_OK;
}

int vd_names_read_file(const char *path, vd_names *ret_names, vd_error *error)
{
    char place[192], *text = NULL;
    vd_names names = {0};
    vd_text_mask_address(place, sizeof place, path);
    int code = read_text(path, place, &text, error);
    if (code != VD_OK)
        return code;
    code = split_lines(text, &names);
    free(text);
    if (code == VD_OK && names.count == 0)
        code = VD_EFORMAT;
    if (code != VD_OK) {
        vd_names_free(&names);
        if (code == VD_ENOMEM)
            return vd_error_set(error, code, place, "There is not enough memory to read the class names.");
        return vd_error_set(error, code, place, "The file must hold 1 to %d class names, one a line.",
                            VD_MAX_CLASSES);
    }
    *ret_names = names;
    return VD_OK;
}
