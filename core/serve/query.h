/* The query of a request's address, read strictly. Pure. */
#ifndef VD_SERVE_QUERY_H
#define VD_SERVE_QUERY_H

#include <stdbool.h>
#include <stddef.h>

#include "vedette/error.h"

enum { VD_QUERY_MOST = 16, VD_QUERY_NAME = 48, VD_QUERY_VALUE = 192 };

typedef struct vd_query {
    int count;
    struct {
        char name[VD_QUERY_NAME], value[VD_QUERY_VALUE];
    } items[VD_QUERY_MOST];
} vd_query;

/* `a=1&b=x%20y`, NULL for none. A value that is too long is cut and ends in `…`: it is one that nobody takes.
 * VD_OK, VD_EFORMAT: broken percent-encoding, no UTF-8, a control character, a name twice or too long, too
 * many. */
int vd_query_read(const char *text, vd_query *ret_query, vd_error *error);

/* Borrowed; NULL when the name is missing. */
const char *vd_query_get(const vd_query *query, const char *name);

/* A number as a word may have it: a finite decimal one, nothing hexadecimal. False when it is none. */
bool vd_query_number(const char *text, double *ret_number);

/* Turns %XX back, and with `plus` a + into a blank. VD_OK, VD_EFORMAT as above, VD_EINVAL: it does not fit.
 */
int vd_query_decode(const char *text, size_t length, bool plus, char *out, size_t size);

#endif
