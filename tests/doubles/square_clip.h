/* A rendered clip whose truth is a formula: a square that moves in a straight line at a constant speed, and
 * the frame's index in the picture itself, so that whoever has only the pixels (a detector double, a
 * screenshot) knows which frame they are. */
#ifndef TESTS_DOUBLES_SQUARE_CLIP_H
#define TESTS_DOUBLES_SQUARE_CLIP_H

#include <stdint.h>

#include "vedette/image.h"

typedef struct square_clip {
    int width, height;   /* pixels, even, at least 96 × 64 */
    int frames;          /* 2 to 65536 */
    double frames_per_s; /* above 0 */
} square_clip;

#define SQUARE_CLIP_INIT                                                                                     \
    {                                                                                                        \
        .width = 640, .height = 360, .frames = 250, .frames_per_s = 25                                       \
    }

/* The square in frame `index` (0 to frames - 1), exact to a fraction of a pixel: it goes from the left to the
 * right and a little down, always whole in the picture and below the cells of the index. */
vd_box square_clip_box(const square_clip *clip, int64_t index);

/* Paints a frame into a BGRX picture of the clip's size. VD_OK or VD_EINVAL. */
int square_clip_render(const square_clip *clip, int64_t index, const vd_image *image);

/* Writes the clip to an .mp4 that is not there yet. VD_OK or the encoder's error. */
int square_clip_write(const square_clip *clip, const char *path, vd_error *error);

/* The index in a picture of the clip: any format of vd_image, after lossy compression, at any size from 64
 * × 48. -1 when there is none to be read. */
int64_t square_clip_read_index(const vd_image *image);

#endif
