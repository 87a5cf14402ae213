#include "serve/frames.h"

enum { CONTROL_MOST = 125 };

static void end_frame(vd_frames *frames)
{
    frames->have = 0;
    if (!frames->control && frames->last) {
        frames->in_message = false;
        frames->message_bytes = 0;
    }
    frames->ends += !frames->in_message;
}

/* Bytes of the header that say how long the payload is, behind the first two. */
static int more_of_length(const uint8_t *header)
{
    uint8_t length = header[1] & 0x7f;
    return length == 127 ? 8 : length == 126 ? 2 : 0;
}

/* The first two bytes say how long the header is. */
static uint8_t header_size(const uint8_t *header)
{
    return (uint8_t)(2 + more_of_length(header) + ((header[1] & 0x80) ? 4 : 0));
}

/* Of the payload, once the header has its length. */
static uint64_t payload_size(const uint8_t *header)
{
    int more = more_of_length(header);
    uint64_t size = more ? 0 : header[1] & 0x7f;
    for (int i = 0; i < more; i++)
        size = size << 8 | header[2 + i];
    return size;
}

/* How large the message is with the frame whose header has its length. */
static uint64_t message_size(const vd_frames *frames)
{
    uint64_t size = payload_size(frames->header);
    return size > UINT64_MAX - frames->message_bytes ? UINT64_MAX : frames->message_bytes + size;
}

static void begin_payload(vd_frames *frames)
{
    const uint8_t *header = frames->header;
    frames->left = payload_size(header);
    frames->control = header[0] & 0x08;
    frames->last = header[0] & 0x80;
    frames->frames++;
    if (!frames->control) {
        frames->in_message = true;
        frames->message_bytes = message_size(frames);
    }
    if (frames->left == 0)
        end_frame(frames);
}

/* Whether the length that a header gives is one too large. */
static vd_frames_over judge(const vd_frames *frames, uint64_t most_message_bytes)
{
    bool control = frames->header[0] & 0x08;
    if (control)
        return payload_size(frames->header) > CONTROL_MOST ? VD_FRAMES_BROKEN : VD_FRAMES_GO_ON;
    return message_size(frames) > most_message_bytes ? VD_FRAMES_TOO_LARGE : VD_FRAMES_GO_ON;
}

/* A byte of a header. False: with it its length is there, and it is over. */
static bool pass_header(vd_frames *frames, uint8_t byte, uint64_t most_message_bytes)
{
    frames->header[frames->have++] = byte;
    if (frames->have < 2)
        return true;
    if (frames->have == 2)
        frames->need = header_size(frames->header);
    if (frames->have == 2 + more_of_length(frames->header))
        frames->over = judge(frames, most_message_bytes);
    frames->most = most_message_bytes;
    if (frames->over != VD_FRAMES_GO_ON)
        return false;
    if (frames->have == frames->need)
        begin_payload(frames);
    return true;
}

size_t vd_frames_pass(vd_frames *frames, const uint8_t *bytes, size_t size, uint64_t most_message_bytes)
{
    if (frames->over != VD_FRAMES_GO_ON)
        return 0;
    for (size_t at = 0; at < size;) {
        if (frames->left == 0) {
            if (!pass_header(frames, bytes[at], most_message_bytes))
                return at;
            at++;
            continue;
        }
        size_t part = size - at;
        if (part > frames->left)
            part = (size_t)frames->left;
        at += part;
        frames->left -= part;
        if (!frames->control)
            frames->data_bytes += part;
        if (frames->left == 0)
            end_frame(frames);
    }
    return size;
}

bool vd_frames_between(const vd_frames *frames)
{
    return frames->have == 0 && frames->left == 0 && !frames->in_message;
}
