#include "settings/scan.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The end of the string or comment that begins at `at`; `at` itself where none begins. */
static const char *skip_quiet(const char *at)
{
    if (*at == '"') {
        for (at++; *at && *at != '"'; at++)
            if (*at == '\\' && at[1])
                at++;
        return *at ? at + 1 : at;
    }
    if (at[0] == '/' && at[1] == '*') {
        const char *end = strstr(at + 2, "*/");
        return end ? end + 2 : at + strlen(at);
    }
    if (*at == '#' || (at[0] == '/' && at[1] == '/'))
        return at + strcspn(at, "\n");
    return at;
}

static bool is_word_byte(char byte)
{
    return isalnum((unsigned char)byte) || byte == '_' || byte == '-' || byte == '+' || byte == '.' ||
           byte == '*';
}

static bool is_too_large(const char *word, size_t length)
{
    char copy[32];
    size_t digits = strspn(word, "+-");
    if (!isdigit((unsigned char)word[digits]))
        return false;
    bool hex = word[digits] == '0' && (word[digits + 1] == 'x' || word[digits + 1] == 'X');
    size_t end = digits + (hex ? 2 : 0);
    end += strspn(word + end, hex ? "0123456789abcdefABCDEF" : "0123456789");
    if (end < length && word[end] != 'L')
        return false; /* a float */
    if (end >= sizeof copy)
        return true;
    memcpy(copy, word, end);
    copy[end] = '\0';
    errno = 0;
    long long value = strtoll(copy, NULL, hex ? 16 : 10);
    return errno != 0 || value > (hex ? (long long)UINT32_MAX : INT32_MAX) || value < INT32_MIN;
}

static int count_lines(const char *from, const char *to)
{
    int lines = 0;
    for (; from < to; from++)
        lines += *from == '\n';
    return lines;
}

vd_scan_finding vd_scan_text(const char *text, int *ret_line)
{
    *ret_line = 1;
    for (const char *at = text; *at;) {
        const char *next = skip_quiet(at);
        if (next == at) {
            while (is_word_byte(*next))
                next++;
            if (next > at && is_too_large(at, (size_t)(next - at)))
                return VD_SCAN_NUMBER;
            if (strncmp(at, "@include", 8) == 0)
                return VD_SCAN_INCLUDE;
            if (next == at)
                next++;
        }
        *ret_line += count_lines(at, next);
        at = next;
    }
    return VD_SCAN_CLEAN;
}
