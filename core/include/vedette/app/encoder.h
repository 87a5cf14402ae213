/* Writing video and pictures: H.264 in fragmented MP4 that survives a power cut, PNG and JPEG stills. */
#ifndef VEDETTE_APP_ENCODER_H
#define VEDETTE_APP_ENCODER_H

#include <stdint.h>

#include "vedette/error.h"
#include "vedette/image.h"

typedef struct vd_encoder vd_encoder;

typedef struct vd_encoder_options {
    int width, height;          /* pixels of the picture; an odd last row or column is left out */
    double frames_per_s;        /* nominal, default 25: a hint for rate control; times come with the frames */
    int quality;                /* x264's constant rate factor, 10 to 40, default 23 */
    int64_t fragment_ns;        /* a fragment's greatest length, default 0.5 s */
    int aspect_num, aspect_den; /* shape of a pixel, default 1:1 */
} vd_encoder_options;

#define VD_ENCODER_OPTIONS_INIT                                                                              \
    {                                                                                                        \
        .frames_per_s = 25, .quality = 23, .fragment_ns = INT64_C(500000000), .aspect_num = 1,               \
        .aspect_den = 1                                                                                      \
    }

/* Creates the file (folders too; refuses to overwrite). Until the first fragment is whole it is called
 * `PATH.part`; then it takes its name, so that no file claims to be a recording that cannot play.
 * Returns VD_OK, VD_EINVAL, VD_EIO, VD_EUNSUPPORTED (no H.264 encoder). One thread. */
int vd_encoder_open(const char *path, const vd_encoder_options *options, vd_encoder **ret_encoder,
                    vd_error *error);

/* Adds a picture (I420 or BGRX, of the size given at opening) shown from `time_ns`, counted from 0 and
 * rising; one that does not rise is moved up by a millisecond. */
int vd_encoder_write(vd_encoder *encoder, const vd_image *image, int64_t time_ns, vd_error *error);

/* Ends the file properly. Sets the pointer to NULL whatever happens. VD_OK or VD_EIO (what was written before
 * the failure plays). */
int vd_encoder_close(vd_encoder **encoder, vd_error *error);

/* Writes a BGRX picture; the ending chooses: .png, .jpg or .jpeg. VD_OK, VD_EINVAL or VD_EIO. */
int vd_image_write(const char *path, const vd_image *image, vd_error *error);

#endif
