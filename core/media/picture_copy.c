/* Copies of pictures, reduced to what decoding needs. */
#include <string.h>

#include "media/picture_parts.h"

/* A progressive picture comes in some ten scans, each of which may pass over all blocks for a few bytes. */
enum { JPEG_COMPONENTS = 4, JPEG_SCANS = 64 };

struct copy {
    vd_picture_bytes in;
    uint8_t *out;
    size_t size; /* so far */
};

static void put(struct copy *copy, const void *bytes, size_t size)
{
    memcpy(copy->out + copy->size, bytes, size);
    copy->size += size;
}

static void skip(struct copy *copy, size_t size)
{
    copy->in.at += size;
    copy->in.left -= size;
}

/* Moves bytes from the front of the input to the copy. */
static void move(struct copy *copy, size_t size)
{
    put(copy, copy->in.at, size);
    skip(copy, size);
}

/* --- JPEG */

/* Which components the frame has, and which of them came in a scan. */
struct components {
    int count; /* 0: no frame header yet */
    uint8_t ids[JPEG_COMPONENTS];
    bool seen[JPEG_COMPONENTS];
    int scans;
    bool has_tables; /* of quantisation */
};

/* Lf P Y X Nf, then C H/V Tq of each. */
static bool note_frame(struct components *components, const uint8_t *segment, size_t size)
{
    int count = size >= 8 ? segment[7] : 0;
    if (components->count > 0 || count < 1 || count > JPEG_COMPONENTS || size < 8 + 3 * (size_t)count)
        return false;
    components->count = count;
    for (int i = 0; i < count; i++)
        components->ids[i] = segment[8 + 3 * i];
    return true;
}

/* Ls Ns, then Cs Td/Ta of each. */
static bool note_scan(struct components *components, const uint8_t *segment, size_t size)
{
    int count = size >= 3 ? segment[2] : 0;
    if (components->count == 0 || count < 1 || size < 3 + 2 * (size_t)count)
        return false;
    for (int i = 0; i < count; i++)
        for (int j = 0; j < components->count; j++)
            if (components->ids[j] == segment[3 + 2 * i])
                components->seen[j] = true;
    return ++components->scans <= JPEG_SCANS;
}

static bool is_complete(const struct components *components)
{
    for (int i = 0; i < components->count; i++)
        if (!components->seen[i])
            return false;
    return components->count > 0 && components->has_tables;
}

/* Entropy-coded data: up to the next marker that is none of its own. */
static void move_scan_data(struct copy *copy)
{
    size_t size = 0;
    for (;;) {
        const uint8_t *found =
            size < copy->in.left ? memchr(copy->in.at + size, 0xff, copy->in.left - size) : NULL;
        if (!found || (size_t)(found - copy->in.at) + 1 >= copy->in.left) {
            size = copy->in.left;
            break;
        }
        size = (size_t)(found - copy->in.at);
        if (found[1] != 0 && found[1] != 0xff && !(found[1] >= 0xd0 && found[1] <= 0xd7))
            break;
        size += found[1] == 0xff ? 1 : 2;
    }
    move(copy, size);
}

/* Of what applications add only Adobe's word about the colours matters. */
static bool is_idle_segment(int marker, const uint8_t *segment, size_t size)
{
    bool is_adobe = marker == 0xee && size >= 14 && memcmp(segment + 2, "Adobe", 5) == 0;
    return marker == 0xfe || (marker >= 0xe0 && marker <= 0xef && !is_adobe);
}

static int copy_jpeg(struct copy *copy, const vd_picture_info *info, vd_error *error)
{
    struct components components = {0};
    put(copy, "\xff\xd8", 2);
    for (int marker = vd_jpeg_next_marker(&copy->in); marker; marker = vd_jpeg_next_marker(&copy->in)) {
        const uint8_t head[] = {0xff, (uint8_t)marker};
        if (marker == 0xd9) {
            put(copy, head, 2);
            return is_complete(&components)
                       ? VD_OK
                       : vd_picture_refuse(info, "lacks tables or a part of its colours", error);
        }
        if (vd_jpeg_stands_alone(marker))
            continue;
        size_t size = vd_jpeg_segment(&copy->in);
        if (size == 0)
            break;
        if ((vd_jpeg_is_frame_header(marker) && !note_frame(&components, copy->in.at, size)) ||
            (marker == 0xda && !note_scan(&components, copy->in.at, size)))
            return vd_picture_refuse(info, "has a broken header, or too many scans", error);
        if (is_idle_segment(marker, copy->in.at, size)) {
            skip(copy, size);
            continue;
        }
        components.has_tables = components.has_tables || marker == 0xdb;
        put(copy, head, 2);
        move(copy, size);
        if (marker == 0xda)
            move_scan_data(copy);
    }
    return vd_picture_refuse(info, "is cut short", error);
}

/* --- PNG */

/* Texts and colour profiles are compressed, and may be a thousand times their size: critical chunks alone. */
static int copy_png(struct copy *copy, const vd_picture_info *info, vd_error *error)
{
    bool has_data = false, has_header = false;
    move(copy, 8);
    while (copy->in.left >= 12) {
        uint32_t length = vd_be32(copy->in.at);
        const uint8_t *name = copy->in.at + 4;
        size_t size = 12 + (size_t)length;
        if (size > copy->in.left)
            break;
        bool is_end = memcmp(name, "IEND", 4) == 0, is_header = memcmp(name, "IHDR", 4) == 0;
        if (is_header && has_header)
            return vd_picture_refuse(info, "has two headers", error);
        has_header = has_header || is_header;
        has_data = has_data || memcmp(name, "IDAT", 4) == 0;
        if (is_end || is_header || memcmp(name, "IDAT", 4) == 0 || memcmp(name, "PLTE", 4) == 0)
            move(copy, size);
        else
            skip(copy, size);
        if (is_end)
            return has_data ? VD_OK : vd_picture_refuse(info, "has no pixels", error);
    }
    return vd_picture_refuse(info, "is cut short", error);
}

/* --- WebP */

/* A chunk at the front: its content; false when it is cut short. */
static bool open_chunk(const vd_picture_bytes *in, vd_picture_bytes *ret_content)
{
    if (in->left < 8 || vd_le32(in->at + 4) > in->left - 8)
        return false;
    *ret_content = (vd_picture_bytes){in->at + 8, vd_le32(in->at + 4)};
    return true;
}

static void put_webp(struct copy *copy, const uint8_t *name, vd_picture_bytes content)
{
    size_t padded = content.left + (content.left & 1), size = padded + 12;
    const uint8_t head[] = {
        'R', 'I', 'F', 'F', (uint8_t)size, (uint8_t)(size >> 8), (uint8_t)(size >> 16), (uint8_t)(size >> 24),
        'W', 'E', 'B', 'P'};
    const uint8_t length[] = {(uint8_t)content.left, (uint8_t)(content.left >> 8),
                              (uint8_t)(content.left >> 16), (uint8_t)(content.left >> 24)};
    put(copy, head, sizeof head);
    put(copy, name, 4);
    put(copy, length, sizeof length);
    put(copy, content.at, content.left);
    if (padded > content.left)
        put(copy, "", 1);
}

/* Where the chunks of the first picture of an animation are; false when it does not fill the canvas, or is
 * broken. ANMF: X, Y, width - 1, height - 1, duration (24 bits each), flags. */
static bool enter_animation(vd_picture_bytes *content, const vd_picture_info *info)
{
    const uint8_t *at = content->at;
    if (content->left < 16 || vd_le24(at) || vd_le24(at + 3) || (int)vd_le24(at + 6) + 1 != info->width ||
        (int)vd_le24(at + 9) + 1 != info->height)
        return false;
    content->at += 16;
    content->left -= 16;
    return true;
}

static int copy_webp(struct copy *copy, const vd_picture_info *info, vd_error *error)
{
    uint32_t size = vd_le32(copy->in.at + 4);
    if (size < 4 || size > copy->in.left - 8)
        return vd_picture_refuse(info, "is cut short", error);
    copy->in = (vd_picture_bytes){copy->in.at + 12, size - 4};
    vd_picture_bytes content;
    while (open_chunk(&copy->in, &content)) {
        const uint8_t *name = copy->in.at;
        int width, height;
        if (memcmp(name, "VP8 ", 4) == 0 || memcmp(name, "VP8L", 4) == 0) {
            if (!vd_webp_read_size(name, content, &width, &height) || width != info->width ||
                height != info->height)
                return vd_picture_refuse(info, "says two sizes, or none", error);
            put_webp(copy, name, content);
            return VD_OK;
        }
        if (memcmp(name, "ANMF", 4) == 0) {
            if (!enter_animation(&content, info))
                return vd_picture_refuse(info, "begins with less than a whole picture; send a still one",
                                         error);
            copy->in = content;
            continue;
        }
        size_t used = 8 + content.left + (content.left & 1);
        skip(copy, used < copy->in.left ? used : copy->in.left);
    }
    return vd_picture_refuse(info, "is cut short", error);
}

int vd_picture_copy(const vd_picture_info *info, const void *bytes, size_t size, uint8_t *out,
                    size_t *ret_size, vd_error *error)
{
    struct copy copy = {.in = {bytes, size}, .out = out};
    int code = info->format[0] == 'j'   ? copy_jpeg(&copy, info, error)
               : info->format[0] == 'p' ? copy_png(&copy, info, error)
                                        : copy_webp(&copy, info, error);
    if (code == VD_OK)
        *ret_size = copy.size;
    return code;
}
