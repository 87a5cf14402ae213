/* Encoded pictures in memory (JPEG, PNG, WebP) that strangers sent: looked at before they are decoded. */
#ifndef VEDETTE_APP_PICTURE_H
#define VEDETTE_APP_PICTURE_H

#include <stddef.h>
#include <stdint.h>

#include "vedette/error.h"
#include "vedette/image.h"

typedef struct vd_picture_limits {
    int64_t bytes;  /* of the encoded picture */
    int64_t pixels; /* width × height; sides are limited to VD_IMAGE_MAX_SIDE besides */
} vd_picture_limits;

typedef struct vd_picture_info {
    char format[8]; /* "jpeg", "png", "webp" */
    int width, height;
} vd_picture_info;

/* Reads the header alone: no pixel is decoded and nothing is allocated. VD_OK, VD_EFORMAT (no such picture;
 * the sentence says what it looks like and what would be right) or VD_EINVAL (too large: says how large and
 * what is allowed). Any thread. */
int vd_picture_probe(const void *bytes, size_t size, const vd_picture_limits *limits,
                     vd_picture_info *ret_info, vd_error *error);

/* Decodes one picture after another; one thread at a time. */
typedef struct vd_picture_decoder vd_picture_decoder;

int vd_picture_decoder_new(vd_picture_decoder **ret_decoder); /* VD_OK or VD_ENOMEM */
void vd_picture_decoder_free(vd_picture_decoder **decoder);   /* accepts NULL and sets it */

/* A decoded picture; immutable; may outlive its decoder. */
typedef struct vd_picture vd_picture;

const vd_image *vd_picture_get_image(const vd_picture *picture); /* borrowed from the picture */
void vd_picture_free(vd_picture **picture);                      /* any thread; accepts NULL and sets it */

/* Probes and decodes. Turned as stored: an orientation tag is not followed, boxes are in stored pixels.
 * Transparency, colour profiles and texts are passed over; of an animation the first picture is taken. What
 * is cut short or contradicts itself is an error; damage within the data of a JPEG or WebP that still can be
 * decoded is not seen.
 *
 * bytes  need no padding; not used after the call
 * VD_OK, VD_EFORMAT (broken), VD_EINVAL (beyond the limits) or VD_ENOMEM. */
int vd_picture_decode(vd_picture_decoder *decoder, const void *bytes, size_t size,
                      const vd_picture_limits *limits, vd_picture **ret_picture, vd_error *error);

#endif
