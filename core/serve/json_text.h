/* A growing line of JSON. What could not be added, for want of memory, makes the whole fail in the end. */
#ifndef VD_SERVE_JSON_TEXT_H
#define VD_SERVE_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Zeroed to start. */
typedef struct vd_json_text {
    char *bytes;
    size_t size, room;
    bool failed;
} vd_json_text;

void vd_json_add(vd_json_text *text, const char *bytes);
void vd_json_add_format(vd_json_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* With a decimal point in every locale, at most 15 decimals; what is not finite as 0, what rounds to zero
 * without a sign. */
void vd_json_add_number(vd_json_text *text, double value, int decimals);

/* A JSON string of any bytes: what is not UTF-8 becomes U+FFFD, control characters blanks; cut at 1 KB. */
void vd_json_add_string(vd_json_text *text, const char *bytes);

/* The line, malloc; NULL when something could not be added. The text is empty again. */
char *vd_json_finish(vd_json_text *text);

#endif
