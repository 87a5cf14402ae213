#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The length a UTF-8 sequence should have by its first byte; 0 for a byte that cannot start one. */
static size_t sequence_length(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first >= 0xc2 && first < 0xe0)
        return 2;
    if (first >= 0xe0 && first < 0xf0)
        return 3;
    if (first >= 0xf0 && first < 0xf5)
        return 4;
    return 0;
}

void vd_text_trim_partial(char *text)
{
    size_t length = strlen(text), start = length;
    while (start > 0 && length - start < 4 && ((unsigned char)text[start - 1] & 0xc0) == 0x80)
        start--;
    if (start == 0)
        return;
    size_t wanted = sequence_length((unsigned char)text[start - 1]);
    if (wanted > 1 && length - (start - 1) < wanted)
        text[start - 1] = '\0';
}

void vd_text_copy(char *out, size_t size, const char *source)
{
    size_t length = strnlen(source, size - 1);
    memmove(out, source, length);
    out[length] = '\0';
    if (source[length] != '\0' || length == size - 1)
        vd_text_trim_partial(out);
}

/* The length of the valid sequence at `s`, 0 when there is none. */
static size_t valid_sequence(const unsigned char *s, size_t left)
{
    size_t length = sequence_length(s[0]);
    if (length == 0 || length > left)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) ||
        (s[0] == 0xf4 && s[1] > 0x8f))
        return 0; /* overlong, a surrogate, or beyond U+10FFFF */
    return length;
}

void vd_text_clean(char *out, size_t size, const char *bytes, size_t length)
{
    static const char replacement[] = "\xef\xbf\xbd";
    const unsigned char *s = (const unsigned char *)bytes;
    size_t used = 0;
    for (size_t i = 0; i < length;) {
        size_t take = valid_sequence(s + i, length - i);
        const char *from = take ? bytes + i : replacement;
        size_t put = take ? take : sizeof replacement - 1;
        if (take == 1 && iscntrl(s[i]))
            from = " ";
        if (used + put + 1 > size)
            break;
        memcpy(out + used, from, put);
        used += put;
        i += take ? take : 1;
    }
    out[used] = '\0';
}

static bool is_secret_key(const char *key, size_t length)
{
    static const char *const secrets[] = {"password",  "passwd",       "pass", "pwd", "token",
                                          "key",       "apikey",       "auth", "sig", "secret",
                                          "signature", "access_token", "user", "usr"};
    for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++)
        if (strlen(secrets[i]) == length && strncasecmp(key, secrets[i], length) == 0)
            return true;
    return false;
}

/* A bounded writer: what does not fit is left out. */
struct writer {
    char *out;
    size_t size, used;
};

static void put(struct writer *w, const char *text, size_t length)
{
    for (size_t i = 0; i < length && w->used + 1 < w->size; i++)
        w->out[w->used++] = text[i];
    w->out[w->used] = '\0';
}

void vd_text_mask_address(char *out, size_t size, const char *address)
{
    struct writer w = {out, size, 0};
    out[0] = '\0';
    const char *rest = strstr(address, "://");
    if (!rest) {
        vd_text_copy(out, size, address);
        return;
    }
    rest += 3;
    put(&w, address, (size_t)(rest - address));
    /* A password may itself hold '/', '?' or '@': the last '@' ahead of a plain host ends the user part. */
    const char *end = rest + strcspn(rest, "/?#");
    const char *at = memrchr(rest, '@', (size_t)(end - rest));
    if (!at) {
        const char *later = strrchr(end, '@');
        const char *colon = memchr(rest, ':', (size_t)(end - rest));
        bool port = colon && colon[1] != '\0' && strspn(colon + 1, "0123456789") == (size_t)(end - colon - 1);
        if (later && colon && !port)
            at = later;
    }
    if (at) {
        put(&w, "***", 3);
        rest = at;
    }
    const char *query = strchr(rest, '?');
    put(&w, rest, query ? (size_t)(query - rest) + 1 : strlen(rest));
    while (query && *query) {
        const char *key = query + 1;
        size_t key_length = strcspn(key, "=&#");
        size_t whole = strcspn(key, "&#");
        if (key[key_length] == '=' && is_secret_key(key, key_length)) {
            put(&w, key, key_length + 1);
            put(&w, "***", 3);
        } else {
            put(&w, key, whole);
        }
        query = key + whole;
        if (*query)
            put(&w, query, 1);
    }
    vd_text_trim_partial(out);
}

static locale_t plain_locale;

static void make_plain_locale(void)
{
    plain_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

/* Number formats are taken from the C locale, made once and kept for the life of the process. */
static locale_t c_locale(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_plain_locale);
    return plain_locale;
}

int vd_text_number(char *out, size_t size, double value, int decimals)
{
    locale_t before = uselocale(c_locale());
    int length = snprintf(out, size, "%.*f", decimals, value);
    uselocale(before);
    return length;
}

bool vd_text_parse_number(const char *text, double *ret_value)
{
    char *end;
    if (!text || *text == '\0' || isspace((unsigned char)*text))
        return false;
    double value = strtod_l(text, &end, c_locale());
    if (*end != '\0' || !isfinite(value))
        return false;
    *ret_value = value;
    return true;
}

const char *vd_text_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

bool vd_text_ends_with(const char *text, const char *tail)
{
    size_t length = strlen(text), wanted = strlen(tail);
    return length >= wanted && strcasecmp(text + length - wanted, tail) == 0;
}

char *vd_text_dup(const char *text)
{
    return text ? strdup(text) : NULL;
}
