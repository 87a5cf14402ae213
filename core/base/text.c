#include "base/text.h"

#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static locale_t plain_locale;

static void make_plain_locale(void)
{
    plain_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

/* Numbers and the case of letters follow the C locale (in Turkish, `I` is not the capital of `i`), made once
 * and kept for the life of the process. */
static locale_t c_locale(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_plain_locale);
    return plain_locale;
}

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
        size_t wide = take ? take : sizeof replacement - 1;
        if ((take == 1 && (s[i] < 0x20 || s[i] == 0x7f)) || (take == 2 && s[i] == 0xc2 && s[i + 1] < 0xa0)) {
            from = " ";
            wide = 1;
        }
        if (used + wide + 1 > size)
            break;
        memcpy(out + used, from, wide);
        used += wide;
        i += take ? take : 1;
    }
    out[used] = '\0';
}

static bool is_secret_key(const char *key, size_t length)
{
    static const char *const parts[] = {"pas",  "pw",  "psw",  "token", "key",    "auth",   "sig",
                                        "cred", "usr", "user", "login", "secret", "session"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        for (size_t at = 0; at + strlen(parts[i]) <= length; at++)
            if (strncasecmp_l(key + at, parts[i], strlen(parts[i]), c_locale()) == 0)
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

/* Whether `at` lies in the value of a parameter that carries a secret. */
static bool is_in_secret(const char *text, const char *at)
{
    while (text < at) {
        size_t key = strcspn(text, "=/?&;#");
        bool secret = text[key] == '=' && is_secret_key(text, key);
        text += key + strcspn(text + key, secret ? "&" : "/?&;#");
        if (secret && at < text)
            return true;
        if (*text)
            text++;
    }
    return false;
}

/* The '@' behind the user name and password, or NULL. Passwords are often written as they are, with '/', '?',
 * '#' or '@' in them, so that behind a ':' the last '@' counts, wherever it is: rather a host too few than a
 * part of a password too much. */
static const char *end_of_user(const char *rest)
{
    const char *last = strrchr(rest, '@');
    if (last && memchr(rest, ':', (size_t)(last - rest)))
        return last;
    return memrchr(rest, '@', strcspn(rest, "/?#"));
}

static void put_masking_parameters(struct writer *w, const char *text)
{
    while (*text) {
        size_t key = strcspn(text, "=/?&;#"), whole = key + strcspn(text + key, "/?&;#");
        if (text[key] == '=' && is_secret_key(text, key)) {
            put(w, text, key + 1);
            put(w, "***", 3);
            whole = key + strcspn(text + key, "&");
        } else {
            put(w, text, whole);
        }
        text += whole;
        if (*text)
            put(w, text++, 1);
    }
}

void vd_text_mask_address(char *out, size_t size, const char *address)
{
    struct writer w = {out, size, 0};
    const char *rest = strstr(address, "://");
    if (!rest || strncasecmp_l(address, "file://", 7, c_locale()) == 0) {
        vd_text_copy(out, size, address);
        return;
    }
    rest += 3;
    put(&w, address, (size_t)(rest - address));
    const char *at = end_of_user(rest);
    if (at)
        put(&w, "***", 3);
    if (!at || !is_in_secret(rest, at))
        put_masking_parameters(&w, at ? at : rest);
    vd_text_trim_partial(out);
}

int vd_text_number(char *out, size_t size, double value, int decimals)
{
    locale_t before = uselocale(c_locale());
    int length = snprintf(out, size, "%.*f", decimals, value);
    uselocale(before);
    return length < (int)size ? length : (int)size - 1;
}

bool vd_text_parse_number(const char *text, double *ret_value)
{
    char *end;
    if (!text || *text == '\0' || strchr(" \t\n\v\f\r", *text))
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

bool vd_text_same(const char *a, const char *b)
{
    return strcasecmp_l(a, b, c_locale()) == 0;
}

bool vd_text_ends_with(const char *text, const char *tail)
{
    size_t length = strlen(text), wanted = strlen(tail);
    return length >= wanted && vd_text_same(text + length - wanted, tail);
}

char *vd_text_dup(const char *text)
{
    return text ? strdup(text) : NULL;
}
