#include "serve/random.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>

bool vd_random_hex(char *out, size_t digits)
{
    static const char hex[] = "0123456789abcdef";
    uint8_t bytes[32];
    ssize_t got;
    out[0] = '\0';
    do /* up to 256 bytes come whole or not at all */
        got = getrandom(bytes, digits / 2, 0);
    while (got < 0 && errno == EINTR);
    if (got != (ssize_t)(digits / 2))
        return false;
    for (size_t i = 0; i < digits; i++)
        out[i] = hex[i % 2 ? bytes[i / 2] & 15 : bytes[i / 2] >> 4];
    out[digits] = '\0';
    explicit_bzero(bytes, sizeof bytes);
    return true;
}

bool vd_same_secret(const char *a, const char *b, size_t size)
{
    uint8_t different = 0;
    for (size_t i = 0; i < size; i++) {
        different |= (uint8_t)(a[i] ^ b[i]);
        __asm__ volatile("" : "+r"(different)); /* no leaving early, however clever the compiler is */
    }
    return different == 0;
}
