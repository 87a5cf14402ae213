/* Encoded pictures, taken apart: what vd_picture_decode hands to libav. */
#ifndef VD_MEDIA_PICTURE_PARTS_H
#define VD_MEDIA_PICTURE_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vedette/app/picture.h"

/* Bytes that are read from the front. */
typedef struct vd_picture_bytes {
    const uint8_t *at;
    size_t left;
} vd_picture_bytes;

static inline uint32_t vd_be16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

static inline uint32_t vd_be32(const uint8_t *at)
{
    return vd_be16(at) << 16 | vd_be16(at + 2);
}

static inline uint32_t vd_le24(const uint8_t *at)
{
    return (uint32_t)at[2] << 16 | (uint32_t)at[1] << 8 | at[0];
}

static inline uint32_t vd_le32(const uint8_t *at)
{
    return (uint32_t)at[3] << 24 | vd_le24(at);
}

/* VD_EFORMAT: `The JPEG picture is cut short.` */
int vd_picture_refuse(const vd_picture_info *info, const char *what, vd_error *error);

/* JPEG, ITU-T T.81 Annex B. Goes to the next marker and past it, over fill bytes and whatever stands before
 * it; 0 at the end of the bytes. */
int vd_jpeg_next_marker(vd_picture_bytes *bytes);
/* The segment that follows a marker, with its two bytes of length; 0 when it is cut short. */
size_t vd_jpeg_segment(const vd_picture_bytes *bytes);
bool vd_jpeg_is_frame_header(int marker); /* SOF0 to SOF15 */
bool vd_jpeg_stands_alone(int marker);    /* no segment follows: SOI, EOI, TEM, RST0 to RST7 */

/* WebP, RFC 9649. The size of the picture in a `VP8 ` or `VP8L` chunk; false when it is neither or broken.
 */
bool vd_webp_read_size(const uint8_t *name, vd_picture_bytes content, int *ret_width, int *ret_height);

/* Copies what is needed to decode the (first) picture and nothing else: no colour profiles, texts,
 * thumbnails, no transparency, no further pictures, which could only cost time or memory. `out` has room for
 * size + 1 bytes.
 *
 * VD_OK or VD_EFORMAT: cut short, or its parts contradict each other. */
int vd_picture_copy(const vd_picture_info *info, const void *bytes, size_t size, uint8_t *out,
                    size_t *ret_size, vd_error *error);

#endif
