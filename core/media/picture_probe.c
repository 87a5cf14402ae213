/* Headers of pictures. JPEG: ITU-T T.81 (ISO/IEC 10918-1) Annex B. PNG: W3C Recommendation "Portable Network
 * Graphics", 5.2 and 11.2. WebP: RFC 9649 section 2, of the bitstreams RFC 6386 9.1 (VP8) and RFC 9649 3.4
 * (VP8L). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "media/picture_parts.h"

int vd_picture_refuse(const vd_picture_info *info, const char *what, vd_error *error)
{
    const char *name = info->format[0] == 'j' ? "JPEG" : info->format[0] == 'p' ? "PNG" : "WebP";
    return vd_error_set(error, VD_EFORMAT, NULL, "The %s picture %s.", name, what);
}

/* --- JPEG */

int vd_jpeg_next_marker(vd_picture_bytes *bytes)
{
    while (bytes->left > 1) {
        const uint8_t *found = memchr(bytes->at, 0xff, bytes->left - 1);
        if (!found)
            break;
        int marker = found[1];
        size_t used = (size_t)(found - bytes->at) + (marker == 0xff ? 1 : 2);
        bytes->at += used;
        bytes->left -= used;
        if (marker != 0xff && marker != 0)
            return marker;
    }
    return 0;
}

size_t vd_jpeg_segment(const vd_picture_bytes *bytes)
{
    size_t size = bytes->left >= 2 ? vd_be16(bytes->at) : 0;
    return size >= 2 && size <= bytes->left ? size : 0;
}

bool vd_jpeg_is_frame_header(int marker)
{
    return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
}

bool vd_jpeg_stands_alone(int marker)
{
    return marker == 0x01 || (marker >= 0xd0 && marker <= 0xd9);
}

/* Baseline, extended and progressive with Huffman codes are what is met with and what libav decodes. */
static int read_frame_header(int marker, const uint8_t *segment, size_t size, vd_picture_info *info,
                             vd_error *error)
{
    if (size < 8)
        return vd_picture_refuse(info, "has a broken header", error);
    if (marker > 0xc2 || segment[2] != 8)
        return vd_picture_refuse(info,
                                 "is of a rare kind (lossless, arithmetic or not of 8 bits); save it as "
                                 "baseline or progressive JPEG",
                                 error);
    info->height = (int)vd_be16(segment + 3);
    info->width = (int)vd_be16(segment + 5);
    if (info->width == 0 || info->height == 0)
        return vd_picture_refuse(info, "does not say its size", error);
    return VD_OK;
}

static int read_jpeg(vd_picture_bytes bytes, vd_picture_info *info, vd_error *error)
{
    for (int marker = vd_jpeg_next_marker(&bytes); marker; marker = vd_jpeg_next_marker(&bytes)) {
        if (marker == 0xd9 || marker == 0xda)
            return vd_picture_refuse(info, "has no header that says its size", error);
        if (vd_jpeg_stands_alone(marker))
            continue;
        size_t size = vd_jpeg_segment(&bytes);
        if (size == 0)
            break;
        if (vd_jpeg_is_frame_header(marker))
            return read_frame_header(marker, bytes.at, size, info, error);
        bytes.at += size;
        bytes.left -= size;
    }
    return vd_picture_refuse(info, "is cut short", error);
}

/* --- PNG */

static int read_png(vd_picture_bytes bytes, vd_picture_info *info, vd_error *error)
{
    if (bytes.left < 33)
        return vd_picture_refuse(info, "is cut short", error);
    uint32_t width = vd_be32(bytes.at + 16), height = vd_be32(bytes.at + 20);
    if (vd_be32(bytes.at + 8) != 13 || memcmp(bytes.at + 12, "IHDR", 4) != 0 || width == 0 || height == 0 ||
        width > INT32_MAX || height > INT32_MAX)
        return vd_picture_refuse(info, "has a broken header", error);
    info->width = (int)width;
    info->height = (int)height;
    return VD_OK;
}

/* --- WebP */

bool vd_webp_read_size(const uint8_t *name, vd_picture_bytes content, int *ret_width, int *ret_height)
{
    static const uint8_t start[] = {0x9d, 0x01, 0x2a};
    const uint8_t *at = content.at;
    if (memcmp(name, "VP8 ", 4) == 0 && content.left >= 10 && !(at[0] & 1) && !memcmp(at + 3, start, 3)) {
        *ret_width = (at[7] << 8 | at[6]) & 0x3fff;
        *ret_height = (at[9] << 8 | at[8]) & 0x3fff;
        return *ret_width > 0 && *ret_height > 0;
    }
    if (memcmp(name, "VP8L", 4) == 0 && content.left >= 5 && at[0] == 0x2f) {
        uint32_t bits = vd_le32(at + 1);
        *ret_width = (int)(bits & 0x3fff) + 1;
        *ret_height = (int)(bits >> 14 & 0x3fff) + 1;
        return true;
    }
    return false;
}

static int read_webp(vd_picture_bytes bytes, vd_picture_info *info, vd_error *error)
{
    if (bytes.left < 30)
        return vd_picture_refuse(info, "is cut short", error);
    const uint8_t *name = bytes.at + 12;
    vd_picture_bytes content = {bytes.at + 20, bytes.left - 20};
    if (memcmp(name, "VP8X", 4) == 0) {
        info->width = (int)vd_le24(content.at + 4) + 1;
        info->height = (int)vd_le24(content.at + 7) + 1;
        return VD_OK;
    }
    if (!vd_webp_read_size(name, content, &info->width, &info->height))
        return vd_picture_refuse(info, "has a broken header", error);
    return VD_OK;
}

/* --- What it is */

static const struct {
    const char *begin;
    size_t size, offset;
    const char *name; /* NULL: it is one of ours */
    int (*read)(vd_picture_bytes bytes, vd_picture_info *info, vd_error *error);
} kinds[] = {
    {"\xff\xd8\xff", 3, 0, "jpeg", read_jpeg},
    {"\x89PNG\r\n\x1a\n", 8, 0, "png", read_png},
    {"WEBP", 4, 8, "webp", read_webp},
    {"GIF8", 4, 0, "a GIF picture", NULL},
    {"BM", 2, 0, "a BMP picture", NULL},
    {"II*\0", 4, 0, "a TIFF picture", NULL},
    {"MM\0*", 4, 0, "a TIFF picture", NULL},
    {"ftypavif", 8, 4, "an AVIF picture", NULL},
    {"ftyphei", 7, 4, "a HEIC picture", NULL},
    {"ftypmif1", 8, 4, "a HEIC picture", NULL},
    {"ftyp", 4, 4, "an MP4 video", NULL},
    {"\x1a\x45\xdf\xa3", 4, 0, "a Matroska or WebM video", NULL},
    {"%PDF", 4, 0, "a PDF document", NULL},
    {"\0\0\0\x0cJXL ", 8, 0, "a JPEG XL picture", NULL},
    {"\0\0\0\x0cjP  ", 8, 0, "a JPEG 2000 picture", NULL},
    {"data:", 5, 0, "the text of a data URL and no picture", NULL},
    {"/9j/", 4, 0, "base64 text and no picture", NULL},
    {"iVBORw0KGgo", 11, 0, "base64 text and no picture", NULL},
    {"UklGR", 5, 0, "base64 text and no picture", NULL},
    {"{", 1, 0, "JSON and no picture", NULL},
    {"<", 1, 0, "HTML or XML and no picture", NULL},
};

static int refuse_kind(const char *name, size_t size, vd_error *error)
{
    if (size == 0)
        return vd_error_set(error, VD_EFORMAT, NULL,
                            "There is no picture, not one byte; JPEG, PNG and WebP are taken.");
    if (!name)
        return vd_error_set(error, VD_EFORMAT, NULL,
                            "These bytes are no picture that is known here; JPEG, PNG and WebP are taken.");
    return vd_error_set(error, VD_EFORMAT, NULL, "This is %s; JPEG, PNG and WebP are taken.", name);
}

static int read_head(vd_picture_bytes bytes, vd_picture_info *info, vd_error *error)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t offset = kinds[i].offset;
        if (bytes.left < offset + kinds[i].size ||
            memcmp(bytes.at + offset, kinds[i].begin, kinds[i].size) != 0)
            continue;
        if (!kinds[i].read)
            return refuse_kind(kinds[i].name, bytes.left, error);
        vd_text_copy(info->format, sizeof info->format, kinds[i].name);
        return kinds[i].read(bytes, info, error);
    }
    return refuse_kind(NULL, bytes.left, error);
}

static int check_size(const vd_picture_info *info, const vd_picture_limits *limits, vd_error *error)
{
    enum { MEGA = 1000000 };
    char most[48];
    if ((int64_t)info->width * info->height > limits->pixels) {
        if (limits->pixels > MEGA && limits->pixels % MEGA == 0)
            snprintf(most, sizeof most, "%lld megapixels", (long long)limits->pixels / MEGA);
        else
            snprintf(most, sizeof most, "%lld pixels", (long long)limits->pixels);
        return vd_error_set(error, VD_EINVAL, NULL, "The picture has %d × %d pixels; at most %s are taken.",
                            info->width, info->height, most);
    }
    if (info->width > VD_IMAGE_MAX_SIDE || info->height > VD_IMAGE_MAX_SIDE)
        return vd_error_set(error, VD_EINVAL, NULL,
                            "The picture has %d × %d pixels; no side may be longer than %d.", info->width,
                            info->height, (int)VD_IMAGE_MAX_SIDE);
    return VD_OK;
}

int vd_picture_probe(const void *bytes, size_t size, const vd_picture_limits *limits,
                     vd_picture_info *ret_info, vd_error *error)
{
    vd_picture_info info = {0};
    if ((uint64_t)size > (uint64_t)limits->bytes)
        return vd_error_set(error, VD_EINVAL, NULL, "The picture has %zu bytes; at most %lld are taken.",
                            size, (long long)limits->bytes);
    int code = read_head((vd_picture_bytes){bytes, size}, &info, error);
    if (code == VD_OK)
        code = check_size(&info, limits, error);
    if (code == VD_OK)
        *ret_info = info;
    return code;
}
