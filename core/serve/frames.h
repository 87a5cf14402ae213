/* Follows the frames of a WebSocket (RFC 6455, 5.2) as they pass: how large the message under way is, and
 * when it began. libsoup 3.2 limits a frame, but not a message of many frames. Pure; no allocation. */
#ifndef VD_SERVE_FRAMES_H
#define VD_SERVE_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum vd_frames_over {
    VD_FRAMES_GO_ON,
    VD_FRAMES_TOO_LARGE, /* the message under way */
    VD_FRAMES_BROKEN     /* a ping, pong or close with more than 125 bytes */
} vd_frames_over;

/* Zeroed to start. */
typedef struct vd_frames {
    uint8_t header[14];
    uint8_t have, need;     /* bytes of the header */
    bool control, last;     /* the frame under way */
    uint64_t left;          /* of its payload */
    bool in_message;        /* a message has begun and not ended */
    uint64_t message_bytes; /* its payload so far, with what the frame under way will bring */
    uint64_t data_bytes;    /* payload of data frames that passed, ever */
    uint64_t frames;        /* whose header passed, ever */
    uint64_t ends;          /* after which nothing was half done, ever */
    vd_frames_over over;    /* no more is followed */
    uint64_t most;          /* TOO_LARGE: what was allowed */
} vd_frames;

/* What passed next. Returns how much of it did: all, or, where a header makes it `over`, what stands before
 * the last byte of the length that it gives. */
size_t vd_frames_pass(vd_frames *frames, const uint8_t *bytes, size_t size, uint64_t most_message_bytes);

/* Nothing is half done. */
bool vd_frames_between(const vd_frames *frames);

#endif
