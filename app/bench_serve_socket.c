/* A WebSocket client of one process' own making, so that what is measured is the service and not a client. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench_serve.h"

enum {
    HEAD_MOST = 14,
    OPCODE_TEXT = 1,
    OPCODE_CLOSE = 8,
    OPCODE_PING = 9,
    OPCODE_PONG = 10,
    PONG_MOST = 131
};
#define HANDSHAKE_NS INT64_C(5000000000)
#define INCOMING_MOST ((size_t)1 << 22)

struct bench_socket {
    int fd;
    struct {
        const uint8_t *bytes;
        size_t size;
    } waiting[BENCH_SOCKET_WAITING]; /* a ring */
    int first, count;
    size_t written; /* of the first */
    uint8_t pong[PONG_MOST];
    bool pongs;        /* it waits to be written; a ping that comes meanwhile is answered by it too */
    uint8_t *incoming; /* with room for a zero byte behind it */
    size_t have, room;
};

/* The mask is there so that no proxy on the way takes the bytes for something else; there is none here, so
 * that one mask serves every message. */
static size_t write_head(uint8_t *out, int opcode, size_t size, const uint8_t mask[4])
{
    size_t at = 0;
    out[at++] = (uint8_t)(0x80 | opcode);
    if (size < 126) {
        out[at++] = (uint8_t)(0x80 | size);
    } else {
        int bytes = size < 65536 ? 2 : 8;
        out[at++] = (uint8_t)(0x80 | (bytes == 2 ? 126 : 127));
        for (int i = bytes - 1; i >= 0; i--)
            out[at++] = (uint8_t)((uint64_t)size >> (8 * i));
    }
    memcpy(out + at, mask, 4);
    return at + 4;
}

static size_t wrap(uint8_t *out, int opcode, const uint8_t *bytes, size_t size)
{
    static const uint8_t mask[4] = {0x5a, 0xc3, 0x17, 0x8e};
    size_t at = write_head(out, opcode, size, mask);
    for (size_t i = 0; i < size; i++)
        out[at + i] = bytes[i] ^ mask[i % 4];
    return at + size;
}

uint8_t *bench_socket_wrap(const void *bytes, size_t size, size_t *ret_size)
{
    uint8_t *message = malloc(size + HEAD_MOST);
    if (message)
        *ret_size = wrap(message, 2, bytes, size);
    return message;
}

static int broken(vd_error *error, const char *what)
{
    return vd_error_set(error, VD_EIO, NULL, "The connection to the service %s: %s.", what,
                        errno ? strerrordesc_np(errno) : "it ended");
}

/* --- Opening */

static int wait_for(int fd, short events, int64_t deadline_ns, vd_error *error)
{
    struct pollfd wait = {.fd = fd, .events = events};
    int64_t left_ms = (deadline_ns - bench_now_ns()) / 1000000;
    if (left_ms <= 0 || poll(&wait, 1, (int)left_ms) == 0)
        return vd_error_set(error, VD_ETIMEOUT, NULL, "The service did not answer a WebSocket within 5 s.");
    return VD_OK;
}

/* All of the answer's head: true once its empty line is there; what follows it stays. */
static bool take_head(bench_socket *socket, bool *ret_fine, char line[100])
{
    char *text = (char *)socket->incoming;
    text[socket->have] = '\0';
    char *end = strstr(text, "\r\n\r\n");
    if (!end)
        return false;
    snprintf(line, 100, "%.*s", (int)strcspn(text, "\r\n"), text);
    *ret_fine = strncmp(text, "HTTP/1.1 101 ", 13) == 0;
    size_t head = (size_t)(end + 4 - text);
    socket->have -= head;
    memmove(socket->incoming, socket->incoming + head, socket->have);
    return true;
}

static int shake_hands(bench_socket *socket, int port, const char *path, vd_error *error)
{
    char request[512], line[100] = "";
    bool fine = false;
    int64_t deadline_ns = bench_now_ns() + HANDSHAKE_NS;
    int length =
        snprintf(request, sizeof request,
                 "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
                 path, port);
    if (send(socket->fd, request, (size_t)length, MSG_NOSIGNAL) != length)
        return broken(error, "could not be opened");
    while (!take_head(socket, &fine, line)) {
        if (socket->have == socket->room)
            return vd_error_set(error, VD_EIO, NULL, "The service answers a WebSocket without end.");
        int code = wait_for(socket->fd, POLLIN, deadline_ns, error);
        if (code)
            return code;
        errno = 0;
        ssize_t got = recv(socket->fd, socket->incoming + socket->have, socket->room - socket->have, 0);
        if (got <= 0)
            return broken(error, "was cut while it was opened");
        socket->have += (size_t)got;
    }
    return fine ? VD_OK : vd_error_set(error, VD_EIO, NULL, "The service refused a WebSocket: %s", line);
}

static int connect_to(int fd, int port, vd_error *error)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int yes = 1;
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address))
        return broken(error, "could not be opened");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return VD_OK;
}

int bench_socket_open(int port, const char *path, bench_socket **ret_socket, vd_error *error)
{
    bench_socket *made = calloc(1, sizeof *made);
    if (made) {
        made->room = 16384;
        made->incoming = malloc(made->room + 1);
        made->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    }
    if (!made || !made->incoming) {
        bench_socket_free(&made);
        return vd_error_set(error, VD_ENOMEM, NULL, "There is not enough memory for a connection.");
    }
    int code = connect_to(made->fd, port, error);
    if (code == VD_OK)
        code = shake_hands(made, port, path, error);
    if (code) {
        bench_socket_free(&made);
        return code;
    }
    fcntl(made->fd, F_SETFL, fcntl(made->fd, F_GETFL) | O_NONBLOCK);
    *ret_socket = made;
    return VD_OK;
}

void bench_socket_free(bench_socket **pointer)
{
    bench_socket *socket = *pointer;
    *pointer = NULL;
    if (!socket)
        return;
    if (socket->fd >= 0)
        close(socket->fd);
    free(socket->incoming);
    free(socket);
}

int bench_socket_fd(const bench_socket *socket)
{
    return socket->fd;
}

bool bench_socket_has_more(const bench_socket *socket)
{
    return socket->count > 0;
}

/* --- Writing */

bool bench_socket_send(bench_socket *socket, const uint8_t *message, size_t size)
{
    if (socket->count == BENCH_SOCKET_WAITING)
        return false;
    int last = (socket->first + socket->count++) % BENCH_SOCKET_WAITING;
    socket->waiting[last].bytes = message;
    socket->waiting[last].size = size;
    return true;
}

static int write_waiting(bench_socket *socket, vd_error *error)
{
    while (socket->count > 0) {
        const uint8_t *bytes = socket->waiting[socket->first].bytes;
        size_t size = socket->waiting[socket->first].size;
        ssize_t sent = send(socket->fd, bytes + socket->written, size - socket->written, MSG_NOSIGNAL);
        if (sent < 0)
            return errno == EAGAIN || errno == EINTR ? VD_OK : broken(error, "was cut");
        socket->written += (size_t)sent;
        if (socket->written < size)
            return VD_OK;
        socket->pongs = socket->pongs && bytes != socket->pong;
        socket->written = 0;
        socket->first = (socket->first + 1) % BENCH_SOCKET_WAITING;
        socket->count--;
    }
    return VD_OK;
}

/* --- Reading */

/* Where the first frame's payload begins and how long it is; 0 when its head is not all there. */
static size_t read_head(const bench_socket *socket, uint64_t *ret_size)
{
    const uint8_t *at = socket->incoming;
    if (socket->have < 2)
        return 0;
    int more = (at[1] & 0x7f) == 126 ? 2 : (at[1] & 0x7f) == 127 ? 8 : 0;
    if (socket->have < 2 + (size_t)more)
        return 0;
    *ret_size = more ? 0 : at[1] & 0x7f;
    for (int i = 0; i < more; i++)
        *ret_size = *ret_size << 8 | at[2 + i];
    return 2 + (size_t)more;
}

static int take_control(bench_socket *socket, int opcode, const uint8_t *payload, size_t size,
                        vd_error *error)
{
    if (opcode == OPCODE_CLOSE)
        return vd_error_set(error, VD_EIO, NULL, "The service closed a connection, code %d: %.*s",
                            size >= 2 ? payload[0] << 8 | payload[1] : 0, size > 2 ? (int)size - 2 : 0,
                            size > 2 ? (const char *)payload + 2 : "");
    if (opcode == OPCODE_PING && size < 126 && !socket->pongs)
        socket->pongs =
            bench_socket_send(socket, socket->pong, wrap(socket->pong, OPCODE_PONG, payload, size));
    return VD_OK;
}

/* Hands over the frames that are whole. */
static int take_frames(bench_socket *socket, void (*take)(void *context, const char *text), void *context,
                       vd_error *error)
{
    uint64_t size = 0;
    size_t head;
    while ((head = read_head(socket, &size)) > 0) {
        if (size > INCOMING_MOST || !(socket->incoming[0] & 0x80) || socket->incoming[1] & 0x80)
            return vd_error_set(error, VD_EIO, NULL,
                                "The service sent a frame that it should not have sent.");
        if (socket->have < head + size)
            break;
        uint8_t *payload = socket->incoming + head, kept = payload[size];
        int opcode = socket->incoming[0] & 0xf, code = VD_OK;
        payload[size] = '\0';
        if (opcode == OPCODE_TEXT)
            take(context, (const char *)payload);
        else
            code = take_control(socket, opcode, payload, (size_t)size, error);
        payload[size] = kept;
        if (code)
            return code;
        socket->have -= head + (size_t)size;
        memmove(socket->incoming, payload + size, socket->have);
    }
    return VD_OK;
}

static bool make_room(bench_socket *socket)
{
    if (socket->have < socket->room)
        return true;
    uint8_t *larger = realloc(socket->incoming, socket->room * 2 + 1);
    if (!larger)
        return false;
    socket->incoming = larger;
    socket->room *= 2;
    return true;
}

int bench_socket_work(bench_socket *socket, void (*take)(void *context, const char *text), void *context,
                      vd_error *error)
{
    int code = take_frames(socket, take, context, error); /* what came with the answer's head */
    while (code == VD_OK) {
        if (!make_room(socket))
            return vd_error_set(error, VD_ENOMEM, NULL, "There is not enough memory for an answer.");
        errno = 0;
        ssize_t got = recv(socket->fd, socket->incoming + socket->have, socket->room - socket->have, 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            break;
        if (got <= 0)
            return broken(error, "was cut");
        socket->have += (size_t)got;
        code = take_frames(socket, take, context, error);
    }
    return code == VD_OK ? write_waiting(socket, error) : code;
}
