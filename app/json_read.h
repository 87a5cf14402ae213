/* A reader of JSON text, value by value, without a tree. Every function moves on only when it succeeds. */
#ifndef APP_JSON_READ_H
#define APP_JSON_READ_H

#include <stdbool.h>
#include <stddef.h>

typedef struct cli_json {
    const char *at; /* ends with a zero byte */
} cli_json;

/* Takes a character, blanks before it passed over; false when another comes. */
bool cli_json_take(cli_json *json, char wanted);

/* A string into `out`, cut to fit at a character's border; `size` at least 1. */
bool cli_json_read_text(cli_json *json, char *out, size_t size);

/* A number; NaN, Infinity and -Infinity, as Python writes them, as well. */
bool cli_json_read_number(cli_json *json, double *ret_number);

/* Passes over one value of any kind, nested at most 64 deep. */
bool cli_json_skip(cli_json *json);

/* Members of an object, items of an array, behind the opening bracket: true while there is another one, which
 * must be read next; at the end the closing bracket is taken. Where neither comes, *ret_wrong is set.
 *
 * end    '}' or ']'
 * first  true before the first */
bool cli_json_next(cli_json *json, char end, bool *first, bool *ret_wrong);

#endif
