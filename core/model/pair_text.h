/* Protobuf's text form, as .prototxt and .pbtxt are written: `key: value` and `key { … }`. */
#ifndef VD_MODEL_PAIR_TEXT_H
#define VD_MODEL_PAIR_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* A value, or the beginning of a message. */
typedef struct vd_text_field {
    const char *path;  /* the names that lead to it, "layer/input_param/shape/dim" */
    const char *value; /* without quotes, cut at 255 bytes; NULL at the beginning of a message */
    size_t at, length; /* the value as it is written, bytes of the text */
} vd_text_field;

/* Is told each field in turn; false ends the walk. */
typedef bool (*vd_text_visit)(void *context, const vd_text_field *field);

/* Walks a text, which may hold anything: nesting is bounded, lists in brackets are taken apart, comments left
 * out. Linear in `length`.
 * Returns 0, or the number of the line (from 1) at which it follows the grammar no longer. Any thread. */
int vd_text_walk(const char *text, size_t length, vd_text_visit visit, void *context);

#endif
