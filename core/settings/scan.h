/* What libconfig accepts and we do not: a look over the text before it is parsed. */
#ifndef VD_SETTINGS_SCAN_H
#define VD_SETTINGS_SCAN_H

#include <stddef.h>

typedef enum vd_scan_finding {
    VD_SCAN_CLEAN,
    VD_SCAN_INCLUDE, /* @include, outside strings and comments */
    VD_SCAN_NUMBER   /* a whole number beyond 32 bits, of which libconfig 1.5 would keep the low ones */
} vd_scan_finding;

/* Stops at the first finding and gives its line, from 1. Any thread. */
vd_scan_finding vd_scan_text(const char *text, int *ret_line);

#endif
