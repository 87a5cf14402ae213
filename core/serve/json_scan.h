/* A first look at JSON text, before anything is parsed or copied. */
#ifndef VD_SERVE_JSON_SCAN_H
#define VD_SERVE_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>

typedef struct vd_json_span {
    const char *start; /* borrowed from the text */
    size_t size;
} vd_json_span;

/* Whether arrays and objects are nested at most `depth` deep: what a parser that calls itself needs to know
 * first. Says nothing about whether the text is JSON.
 *
 * name      of a field of the outermost object
 * ret_text  what stands between the quotes of that field's first text, where that has no escapes and is worth
 *           leaving out of parsing; else empty */
bool vd_json_scan(const char *text, size_t size, int depth, const char *name, vd_json_span *ret_text);

#endif
