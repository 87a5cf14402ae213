/* Where a page comes from (RFC 6454) and where a request goes to (RFC 9110, section 7.2). */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "serve/access_state.h"

/* 1 to 65535 in digits alone, and nothing behind; 0 when it is none. */
static int read_port(const char *text)
{
    int port = 0;
    if (*text == '\0')
        return 0;
    for (; *text; text++) {
        if (*text < '0' || *text > '9' || port > 6553)
            return 0;
        port = port * 10 + (*text - '0');
    }
    return port <= 65535 ? port : 0;
}

static bool is_host_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
}

/* The length of a host's name or of an address in brackets; 0 when there is none. */
static size_t host_length(const char *text)
{
    if (*text == '[') {
        size_t length = strspn(text + 1, "0123456789abcdefABCDEF:.");
        return length > 0 && text[1 + length] == ']' ? length + 2 : 0;
    }
    size_t length = 0;
    while (is_host_letter(text[length]))
        length++;
    return length;
}

/* `host[:port]` into an origin whose scheme is known. */
static bool read_authority(const char *text, vd_origin *origin)
{
    size_t length = host_length(text);
    if (length == 0 || length >= sizeof origin->host)
        return false;
    for (size_t i = 0; i < length; i++)
        origin->host[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 32 : text[i]);
    origin->host[length] = '\0';
    origin->port = strcmp(origin->scheme, "https") == 0 ? 443 : 80;
    if (text[length] == '\0')
        return true;
    origin->port = text[length] == ':' ? read_port(text + length + 1) : 0;
    return origin->port > 0;
}

bool vd_origin_read(const char *text, vd_origin *ret_origin)
{
    vd_origin origin = {0};
    const char *colon = strstr(text, "://");
    size_t length = colon ? (size_t)(colon - text) : 0;
    if (length == 0 || length >= sizeof origin.scheme)
        return false;
    memcpy(origin.scheme, text, length);
    if (vd_text_same(origin.scheme, "http"))
        memcpy(origin.scheme, "http", 5);
    else if (vd_text_same(origin.scheme, "https"))
        memcpy(origin.scheme, "https", 6);
    else
        return false;
    if (!read_authority(colon + 3, &origin))
        return false;
    *ret_origin = origin;
    return true;
}

static bool same_origin(const vd_origin *a, const vd_origin *b)
{
    return strcmp(a->scheme, b->scheme) == 0 && strcmp(a->host, b->host) == 0 && a->port == b->port;
}

static bool is_listed(const vd_access *access, const vd_origin *origin)
{
    for (int i = 0; i < access->origin_count; i++)
        if (same_origin(&access->origins[i], origin))
            return true;
    return false;
}

bool vd_access_origin_is_listed(const vd_access *access, const char *origin)
{
    vd_origin asked;
    return origin && vd_origin_read(origin, &asked) && is_listed(access, &asked);
}

bool vd_access_origin_is_fine(const vd_access *access, const char *origin, const char *scheme,
                              const char *host)
{
    vd_origin asked, own = {0};
    if (!origin)
        return true;
    if (!vd_origin_read(origin, &asked))
        return false; /* `null` too: a page from nowhere */
    vd_text_copy(own.scheme, sizeof own.scheme, scheme);
    if (host && read_authority(host, &own) && same_origin(&asked, &own))
        return true;
    return is_listed(access, &asked);
}

bool vd_access_is_loopback(const char *address)
{
    struct in_addr four;
    struct in6_addr six;
    if (vd_text_same(address, "localhost"))
        return true;
    if (inet_pton(AF_INET, address, &four) == 1)
        return ntohl(four.s_addr) >> 24 == 127;
    if (inet_pton(AF_INET6, address, &six) != 1)
        return false;
    return IN6_IS_ADDR_LOOPBACK(&six) || (IN6_IS_ADDR_V4MAPPED(&six) && six.s6_addr[12] == 127);
}

bool vd_access_is_authority(const char *text)
{
    vd_origin read = {.scheme = "http"};
    struct in6_addr six;
    if (!read_authority(text, &read))
        return false;
    if (read.host[0] != '[')
        return true;
    read.host[strlen(read.host) - 1] = '\0';
    return inet_pton(AF_INET6, read.host + 1, &six) == 1;
}

bool vd_access_host_is_fine(const vd_access *access, const char *host)
{
    vd_origin asked = {.scheme = "http"};
    if (!host || !read_authority(host, &asked))
        return false;
    if (access->needs_token)
        return true; /* what does not have the token learns nothing */
    size_t length = strlen(asked.host);
    if (asked.host[0] == '[') {
        asked.host[length - 1] = '\0';
        return vd_access_is_loopback(asked.host + 1);
    }
    return vd_access_is_loopback(asked.host) || vd_text_ends_with(asked.host, ".localhost");
}
