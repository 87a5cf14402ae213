/* Base64 with the standard alphabet (RFC 4648, section 4). */
#ifndef VD_SERVE_BASE64_H
#define VD_SERVE_BASE64_H

#include <stddef.h>
#include <stdint.h>

#include "vedette/error.h"

/* The most bytes that so many characters stand for. */
size_t vd_base64_room(size_t length);

/* Decodes strictly: nothing but the 64 letters, padding only where it belongs (it may be missing), no bits
 * behind the last byte.
 *
 * out  room for vd_base64_room(length)
 * VD_OK, or VD_EFORMAT with `ret_at` the first character that is wrong (the length when some are missing). */
int vd_base64_decode(const char *text, size_t length, uint8_t *out, size_t *ret_size, size_t *ret_at);

#endif
