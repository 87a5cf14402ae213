/* Secrets that nobody can guess. */
#ifndef VD_SERVE_RANDOM_H
#define VD_SERVE_RANDOM_H

#include <stdbool.h>
#include <stddef.h>

/* `digits` (even, at most 64) random hex digits and a zero byte, from the system's source (getrandom). False
 * when it gives none; `out` is then empty. */
bool vd_random_hex(char *out, size_t digits);

/* Whether two buffers are the same, in a time that does not depend on their bytes. */
bool vd_same_secret(const char *a, const char *b, size_t size);

#endif
