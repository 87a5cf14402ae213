#include "serve/heads.h"

#include <string.h>
#include <strings.h>

#include "serve/access.h"

enum {
    METHOD_MOST = 32,
    DIGITS_MOST = 18,
    HEX_DIGITS_MOST = 15,
    CHUNK_LINE_MOST = 100 /* libsoup gives up at 128 */
};

static bool refuse(vd_heads *heads, int status, const char *sentence)
{
    heads->place = VD_HEADS_WRONG;
    heads->status = status;
    heads->sentence = sentence;
    return false;
}

/* --- Letters */

static bool is_hex(uint8_t c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* Of a method or a header's name (RFC 9110, 5.6.2). */
static bool is_token_letter(uint8_t c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c));
}

static bool keep(vd_heads *heads, uint8_t byte)
{
    if (heads->have < sizeof heads->line - 1)
        heads->line[heads->have++] = (char)byte;
    else
        heads->too_long = true;
    return true;
}

/* What was kept, ended; the next part begins. */
static char *take_kept(vd_heads *heads, vd_heads_part next)
{
    heads->line[heads->have] = '\0';
    heads->have = 0;
    heads->head.part = next;
    return heads->line;
}

/* --- The request line */

static bool pass_method(vd_heads *heads, uint8_t byte)
{
    if (byte == ' ' && heads->have > 0) {
        const char *method = take_kept(heads, VD_HEADS_TARGET);
        return strcmp(method, "CONNECT") != 0 ||
               refuse(heads, 400, "CONNECT is for proxies, and this is none.");
    }
    if (!is_token_letter(byte) || heads->have == METHOD_MOST)
        return refuse(heads, 400, "A request begins with its method, such as GET, and one blank.");
    return keep(heads, byte);
}

static bool starts_with(const char *text, const char *begin)
{
    return strncasecmp(text, begin, strlen(begin)) == 0;
}

/* The host of a whole URL, which proxies ask for, is kept until the header Host comes. */
static bool end_target(vd_heads *heads)
{
    vd_head *head = &heads->head;
    const char *target = take_kept(heads, VD_HEADS_VERSION);
    const char *host = starts_with(target, "http://")    ? target + 7
                       : starts_with(target, "https://") ? target + 8
                                                         : NULL;
    heads->too_long = false;
    head->starred = strcmp(target, "*") == 0;
    if (target[0] == '/' || head->starred)
        return true;
    if (host) {
        size_t length = strcspn(host, "/?");
        memcpy(head->authority, host, length);
        head->authority[length] = '\0';
    }
    if (!host || !vd_access_is_authority(head->authority))
        return refuse(heads, 400, "The address of a request is a path, which begins with `/`.");
    return true;
}

static bool pass_target(vd_heads *heads, uint8_t byte)
{
    vd_head *head = &heads->head;
    if (head->percent > 0 && !is_hex(byte))
        return refuse(heads, 400,
                      "Behind a `%` of the address stand two hexadecimal digits; the sign itself is `%25`.");
    if (byte == ' ' && head->target > 0)
        return end_target(heads);
    if (byte <= ' ' || byte >= 0x7f || byte == '#')
        return refuse(heads, 400, "The address has a character in it that must be percent-encoded.");
    if (++head->target > VD_HEADS_TARGET_MOST)
        return refuse(heads, 414, "The address is longer than 8000 bytes.");
    head->percent = byte == '%' ? 2 : head->percent > 0 ? head->percent - 1 : 0;
    return keep(heads, byte);
}

static bool end_request_line(vd_heads *heads)
{
    bool too_long = heads->too_long;
    const char *version = take_kept(heads, VD_HEADS_NAME);
    bool is_one = !too_long && strlen(version) == 8 && strncmp(version, "HTTP/", 5) == 0 &&
                  version[6] == '.' && strspn(version + 5, "0123456789.") == 3 && version[5] != '.' &&
                  version[7] != '.';
    if (!is_one)
        return refuse(heads, 400, "Behind the address stand one blank and `HTTP/1.1`.");
    heads->head.old = strcmp(version, "HTTP/1.0") == 0;
    if (!heads->head.old && strcmp(version, "HTTP/1.1") != 0)
        return refuse(heads, 505, "The version of HTTP is 1.1, or 1.0.");
    if (heads->head.starred)
        return refuse(heads, 404, "There is nothing under this path.");
    return true;
}

/* --- Headers */

static vd_heads_name name_of(const char *text)
{
    static const char *const names[] = {[VD_HEADS_LENGTH] = "Content-Length",
                                        [VD_HEADS_ENCODING] = "Transfer-Encoding",
                                        [VD_HEADS_HOST] = "Host",
                                        [VD_HEADS_ORIGIN] = "Origin",
                                        [VD_HEADS_EXPECT] = "Expect",
                                        [VD_HEADS_CONNECTION] = "Connection"};
    for (int i = VD_HEADS_LENGTH; i <= VD_HEADS_CONNECTION; i++)
        if (strcasecmp(text, names[i]) == 0)
            return (vd_heads_name)i;
    return VD_HEADS_OTHER;
}

static bool pass_name(vd_heads *heads, uint8_t byte)
{
    bool empty = heads->have == 0;
    if (empty && (byte == ' ' || byte == '\t'))
        return refuse(heads, 400, "A header stands on one line; this one goes on on the next.");
    if (byte == ':' && !empty) {
        heads->head.name = heads->too_long ? VD_HEADS_OTHER : name_of(take_kept(heads, VD_HEADS_VALUE));
        heads->head.part = VD_HEADS_VALUE;
        heads->have = 0;
        heads->too_long = false;
        return true;
    }
    if (!is_token_letter(byte))
        return refuse(heads, 400, "A header is a name, a colon right behind it, and a value.");
    return keep(heads, byte);
}

static bool take_length(vd_heads *heads, const char *value)
{
    vd_head *head = &heads->head;
    size_t digits = strspn(value, "0123456789");
    if (head->sized || head->in_chunks || digits == 0 || digits > DIGITS_MOST || value[digits] != '\0')
        return refuse(heads, 400,
                      "The length of the request is not understood: Content-Length comes once, in digits.");
    head->sized = true;
    for (; *value; value++)
        head->size = head->size * 10 + (uint64_t)(*value - '0');
    return true;
}

static bool take_encoding(vd_heads *heads, const char *value)
{
    vd_head *head = &heads->head;
    if (head->sized || head->in_chunks || head->old || strcasecmp(value, "chunked") != 0)
        return refuse(
            heads, 400,
            "The length of the request is not understood: Transfer-Encoding is `chunked`, comes once, "
            "without Content-Length, and not with HTTP/1.0.");
    head->in_chunks = true;
    return true;
}

static bool take_host(vd_heads *heads, const char *value)
{
    vd_head *head = &heads->head;
    if (head->host)
        return refuse(heads, 400, "The header Host stands there twice.");
    head->host = true;
    if (!vd_access_is_authority(value))
        return refuse(heads, 400, "The header Host is neither a name nor an address.");
    if (head->authority[0] != '\0' && strcasecmp(value, head->authority) != 0)
        return refuse(heads, 400, "The address names another host than the header Host.");
    return true;
}

static bool take_expect(vd_heads *heads, const char *value)
{
    vd_head *head = &heads->head;
    if (head->expect || head->old || strcasecmp(value, "100-continue") != 0)
        return refuse(heads, 417, "The header Expect is `100-continue`, comes once, and not with HTTP/1.0.");
    head->expect = true;
    return true;
}

/* The value that was kept, without the blanks around it. What does not fit is wrong for all of those names.
 */
static const char *take_value(vd_heads *heads)
{
    bool too_long = heads->too_long;
    char *value = take_kept(heads, VD_HEADS_NAME);
    value += strspn(value, " \t");
    for (size_t end = strlen(value); end > 0 && (value[end - 1] == ' ' || value[end - 1] == '\t'); end--)
        value[end - 1] = '\0';
    return too_long ? "?" : value;
}

/* Of HTTP/1.0 libsoup takes headers away that Connection names. */
static bool take_header(vd_heads *heads)
{
    vd_head *head = &heads->head;
    const char *value = take_value(heads);
    switch (head->name) {
    case VD_HEADS_LENGTH:
        return take_length(heads, value);
    case VD_HEADS_ENCODING:
        return take_encoding(heads, value);
    case VD_HEADS_HOST:
        return take_host(heads, value);
    case VD_HEADS_ORIGIN:
        if (head->origin)
            return refuse(heads, 403, "The header Origin stands there twice.");
        head->origin = true;
        return true;
    case VD_HEADS_EXPECT:
        return take_expect(heads, value);
    case VD_HEADS_CONNECTION:
        if (head->old && strcasecmp(value, "close") != 0 && strcasecmp(value, "keep-alive") != 0)
            return refuse(heads, 400, "With HTTP/1.0 the header Connection is `close` or `keep-alive`.");
        return true;
    default:
        return true;
    }
}

static bool end_head(vd_heads *heads)
{
    const vd_head *head = &heads->head;
    if (!head->host && !head->old)
        return refuse(heads, 400, "The header Host is missing.");
    heads->behind = false;
    heads->ends++;
    heads->left = head->sized ? head->size : 0;
    heads->told = head->in_chunks ? -1 : (int64_t)heads->left;
    heads->place = head->in_chunks ? VD_HEADS_CHUNK : heads->left > 0 ? VD_HEADS_BODY : VD_HEADS_HEAD;
    heads->head = (vd_head){0};
    return true;
}

/* --- Lines */

static bool pass_head(vd_heads *heads, uint8_t byte)
{
    switch (heads->head.part) {
    case VD_HEADS_METHOD:
        return pass_method(heads, byte);
    case VD_HEADS_TARGET:
        return pass_target(heads, byte);
    case VD_HEADS_NAME:
        return pass_name(heads, byte);
    default:
        return keep(heads, byte);
    }
}

static bool end_head_line(vd_heads *heads)
{
    vd_head *head = &heads->head;
    bool empty = heads->have == 0;
    switch (head->part) {
    case VD_HEADS_METHOD: /* one empty line before a request is passed over (RFC 9112, 2.2) */
        if (!empty || head->blank)
            return refuse(heads, 400, "A request begins with a line such as `GET / HTTP/1.1`.");
        head->blank = true;
        return true;
    case VD_HEADS_TARGET:
        return refuse(heads, 400, "Behind the address stand one blank and `HTTP/1.1`.");
    case VD_HEADS_VERSION:
        return end_request_line(heads);
    case VD_HEADS_NAME:
        return empty ? end_head(heads)
                     : refuse(heads, 400, "A header is a name, a colon right behind it, and a value.");
    default:
        return take_header(heads);
    }
}

static bool take_chunk(vd_heads *heads)
{
    size_t digits = strspn(heads->line, "0123456789abcdefABCDEF");
    if (digits == 0 || digits > HEX_DIGITS_MOST || !strchr("; \t", heads->line[digits]))
        return refuse(heads, 400,
                      "The length of a chunk is not understood: it stands on a line, in hexadecimal digits.");
    heads->left = 0;
    for (size_t i = 0; i < digits; i++) {
        char c = heads->line[i];
        heads->left = heads->left * 16 + (uint64_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    heads->place = heads->left > 0 ? VD_HEADS_CHUNK_BODY : VD_HEADS_TRAILERS;
    return true;
}

static bool end_line(vd_heads *heads)
{
    bool empty = heads->have == 0, fine;
    heads->line[heads->have] = '\0';
    switch (heads->place) {
    case VD_HEADS_HEAD:
        fine = end_head_line(heads);
        break;
    case VD_HEADS_CHUNK:
        fine = take_chunk(heads);
        break;
    case VD_HEADS_CHUNK_END:
        heads->place = VD_HEADS_CHUNK;
        fine = empty || refuse(heads, 400, "A chunk is longer than it says.");
        break;
    default:
        heads->place = VD_HEADS_HEAD;
        fine = empty || refuse(heads, 400, "Trailers behind a chunked body are not taken.");
        break;
    }
    heads->have = 0;
    heads->too_long = heads->cr = false;
    return fine;
}

static bool pass_line(vd_heads *heads, uint8_t byte)
{
    bool in_head = heads->place == VD_HEADS_HEAD;
    if (in_head && ++heads->head.bytes > VD_HEADS_HEAD_MOST)
        return refuse(heads, 431, "The headers have more than 65536 bytes together.");
    if (heads->cr != (byte == '\n'))
        return refuse(heads, 400, "A line of a request ends with CR and LF, and neither stands alone.");
    if (byte == '\n')
        return end_line(heads);
    if (byte == '\r') {
        heads->cr = true;
        return true;
    }
    if ((byte < ' ' && byte != '\t') || byte == 0x7f)
        return refuse(heads, 400, "The head of the request has a control character in it.");
    if (!in_head && heads->have == CHUNK_LINE_MOST)
        return refuse(heads, 400, "A line between chunks has more than 100 bytes.");
    return in_head ? pass_head(heads, byte) : keep(heads, byte);
}

bool vd_heads_pass(vd_heads *heads, const uint8_t *bytes, size_t size)
{
    for (size_t at = 0; at < size && heads->place != VD_HEADS_WRONG;) {
        heads->behind = true;
        if (heads->place != VD_HEADS_BODY && heads->place != VD_HEADS_CHUNK_BODY) {
            pass_line(heads, bytes[at++]);
            continue;
        }
        size_t part = size - at < heads->left ? size - at : (size_t)heads->left;
        at += part;
        heads->left -= part;
        if (heads->left == 0)
            heads->place = heads->place == VD_HEADS_BODY ? VD_HEADS_HEAD : VD_HEADS_CHUNK_END;
    }
    return heads->place != VD_HEADS_WRONG;
}
