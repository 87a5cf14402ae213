/* SHA-256 (FIPS 180-4), by which a model file is known whatever its name. */
#ifndef VD_MODEL_DIGEST_H
#define VD_MODEL_DIGEST_H

#include <stddef.h>

/* Writes the digest of `bytes` as 64 hexadecimal digits. Any thread. */
void vd_digest_sha256(const void *bytes, size_t length, char ret_hex[65]);

#endif
