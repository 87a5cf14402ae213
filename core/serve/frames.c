#include "serve/frames.h"

static void end_frame(vd_frames *frames)
{
    frames->have = 0;
    if (!frames->control && frames->last) {
        frames->in_message = false;
        frames->message_bytes = 0;
    }
    frames->ends += !frames->in_message;
}

/* The first two bytes say how long the header is. */
static uint8_t header_size(const uint8_t *header)
{
    uint8_t length = header[1] & 0x7f, masked = (header[1] & 0x80) ? 4 : 0;
    return (uint8_t)(2 + (length == 127 ? 8 : length == 126 ? 2 : 0) + masked);
}

static void begin_payload(vd_frames *frames)
{
    const uint8_t *header = frames->header;
    uint8_t length = header[1] & 0x7f;
    int more = length == 127 ? 8 : length == 126 ? 2 : 0;
    frames->left = more ? 0 : length;
    for (int i = 0; i < more; i++)
        frames->left = frames->left << 8 | header[2 + i];
    frames->control = header[0] & 0x08;
    frames->last = header[0] & 0x80;
    frames->frames++;
    if (!frames->control) {
        frames->in_message = true;
        frames->message_bytes = frames->left > UINT64_MAX - frames->message_bytes
                                    ? UINT64_MAX
                                    : frames->message_bytes + frames->left;
    }
    if (frames->left == 0)
        end_frame(frames);
}

/* True when the header is whole. */
static bool pass_header(vd_frames *frames, uint8_t byte)
{
    frames->header[frames->have++] = byte;
    if (frames->have < 2)
        return false;
    if (frames->have == 2)
        frames->need = header_size(frames->header);
    return frames->have == frames->need;
}

void vd_frames_pass(vd_frames *frames, const uint8_t *bytes, size_t size)
{
    for (size_t at = 0; at < size;) {
        if (frames->left == 0) {
            if (pass_header(frames, bytes[at++]))
                begin_payload(frames);
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
}

bool vd_frames_between(const vd_frames *frames)
{
    return frames->have == 0 && frames->left == 0 && !frames->in_message;
}
