#include "json_read.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { DEEPEST = 64, LONGEST_NUMBER = 64 };

static const char *behind_blanks(const char *at)
{
    return at + strspn(at, " \t\r\n");
}

bool cli_json_take(cli_json *json, char wanted)
{
    const char *at = behind_blanks(json->at);
    if (*at != wanted || wanted == '\0')
        return false;
    json->at = at + 1;
    return true;
}

/* --- Strings */

static bool read_hex(const char *at, uint32_t *ret_value)
{
    *ret_value = 0;
    for (int i = 0; i < 4; i++) {
        static const char digits[] = "0123456789abcdefABCDEF";
        const char *digit = at[i] ? strchr(digits, at[i]) : NULL;
        if (!digit)
            return false;
        ptrdiff_t value = digit - digits;
        *ret_value = *ret_value * 16 + (uint32_t)(value > 15 ? value - 6 : value);
    }
    return true;
}

/* The character behind `\u`; half of a pair alone becomes U+FFFD. */
static const char *read_escape(const char *at, uint32_t *ret_code)
{
    uint32_t low;
    if (!read_hex(at, ret_code))
        return NULL;
    at += 4;
    bool high = *ret_code >= 0xd800 && *ret_code < 0xdc00;
    if (high && at[0] == '\\' && at[1] == 'u' && read_hex(at + 2, &low) && low >= 0xdc00 && low < 0xe000) {
        *ret_code = 0x10000 + ((*ret_code - 0xd800) << 10) + (low - 0xdc00);
        return at + 6;
    }
    if ((*ret_code >= 0xd800 && *ret_code < 0xe000) || *ret_code == 0)
        *ret_code = 0xfffd;
    return at;
}

static size_t write_code(uint32_t code, char out[4])
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    size_t length = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char marks[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = length - 1; i > 0; i--, code >>= 6)
        out[i] = (char)(0x80 | (code & 0x3f));
    out[0] = (char)(marks[length] | code);
    return length;
}

/* One character of a string, escaped or a byte as it stands; where it ends, or NULL. */
static const char *read_character(const char *at, char out[4], size_t *ret_length)
{
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    uint32_t code;
    *ret_length = 1;
    out[0] = *at;
    if (*at != '\\')
        return (unsigned char)*at < 0x20 ? NULL : at + 1;
    if (at[1] == 'u') {
        at = read_escape(at + 2, &code);
        *ret_length = at ? write_code(code, out) : 0;
        return at;
    }
    const char *letter = at[1] ? strchr(letters, at[1]) : NULL;
    if (!letter)
        return NULL;
    out[0] = meanings[letter - letters];
    return at + 2;
}

/* Bytes that are not UTF-8 are passed on; what is cut is cut before a character, as far as bytes show it. */
bool cli_json_read_text(cli_json *json, char *out, size_t size)
{
    const char *at = behind_blanks(json->at);
    size_t used = 0;
    if (*at++ != '"')
        return false;
    while (*at != '"') {
        char bytes[4];
        size_t length;
        at = read_character(at, bytes, &length);
        if (!at)
            return false;
        if (used + length < size) {
            memcpy(out + used, bytes, length);
            used += length;
        }
    }
    out[used] = '\0';
    json->at = at + 1;
    return true;
}

/* --- Numbers and the rest */

static bool take_word(cli_json *json, const char *word)
{
    const char *at = behind_blanks(json->at);
    size_t length = strlen(word);
    if (strncmp(at, word, length) != 0)
        return false;
    json->at = at + length;
    return true;
}

bool cli_json_read_number(cli_json *json, double *ret_number)
{
    char text[LONGEST_NUMBER + 1], *end;
    const char *at = behind_blanks(json->at);
    size_t length = strspn(at, "+-.0123456789eE");
    if (length == 0 || length > LONGEST_NUMBER || (length == 1 && *at == '-')) {
        const struct {
            const char *word;
            double value;
        } words[] = {{"NaN", (double)NAN}, {"Infinity", (double)INFINITY}, {"-Infinity", -(double)INFINITY}};
        for (size_t i = 0; i < sizeof words / sizeof *words; i++)
            if (take_word(json, words[i].word)) {
                *ret_number = words[i].value;
                return true;
            }
        return false;
    }
    memcpy(text, at, length);
    text[length] = '\0';
    double number = strtod(text, &end);
    if (*end != '\0')
        return false;
    *ret_number = number;
    json->at = at + length;
    return true;
}

bool cli_json_next(cli_json *json, char end, bool *first, bool *ret_wrong)
{
    if (*first ? cli_json_take(json, end) : !cli_json_take(json, ',')) {
        *ret_wrong = *ret_wrong || (!*first && !cli_json_take(json, end));
        return false;
    }
    *first = false;
    return true;
}

static bool skip_value(cli_json *json, int depth);

static bool skip_items(cli_json *json, char end, int depth)
{
    char name[1];
    bool first = true, wrong = false;
    while (cli_json_next(json, end, &first, &wrong)) {
        if (end == '}' && (!cli_json_read_text(json, name, sizeof name) || !cli_json_take(json, ':')))
            return false;
        if (!skip_value(json, depth + 1))
            return false;
    }
    return !wrong;
}

static bool skip_value(cli_json *json, int depth)
{
    char text[1];
    double number;
    if (depth > DEEPEST)
        return false;
    if (cli_json_take(json, '{'))
        return skip_items(json, '}', depth);
    if (cli_json_take(json, '['))
        return skip_items(json, ']', depth);
    return cli_json_read_text(json, text, sizeof text) || take_word(json, "true") ||
           take_word(json, "false") || take_word(json, "null") || cli_json_read_number(json, &number);
}

bool cli_json_skip(cli_json *json)
{
    cli_json copy = *json;
    if (!skip_value(&copy, 0))
        return false;
    *json = copy;
    return true;
}
