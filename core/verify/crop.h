/* The pictures of a stage-2 clip: squares around a track's box, all of one side, taken from frames that are
 * reduced to at most VD_CROP_FRAME_WIDTH. The program that verifies and the one that renders clips for
 * training call the same functions, so a network sees what it was trained on. Pure functions; any thread. */
#ifndef VD_VERIFY_CROP_H
#define VD_VERIFY_CROP_H

#include <stddef.h>
#include <stdint.h>

#include "vedette/image.h"

enum {
    VD_CROP_FRAME_WIDTH = 640, /* pixels; wider frames are reduced before they are kept */
    VD_CROP_LEAST_SIDE = 96,   /* pixels of the reduced frame */
    VD_CROP_MOST_SIDE = 2048,
    VD_CROP_MOST_SIZE = 512 /* pixels of what is written */
};

/* The size of a frame as it is kept: of the same shape, at most VD_CROP_FRAME_WIDTH wide, never enlarged,
 * each side at least 1. vd_convert_scale with VD_FILTER_LINEAR makes it: at 2 to 1 that is the plain mean of
 * four pixels. */
void vd_crop_frame_size(int width, int height, int *ret_width, int *ret_height);

/* A track's box at a moment. */
typedef struct vd_crop_seen {
    double time_s;
    vd_box box; /* pixels of the reduced frame */
} vd_crop_seen;

/* The boxes at `at_count` moments, smoothed over all that was seen: the centre moves along the least-squares
 * parabola over time, width and height along the least-squares line (both at least 1). That takes a
 * detector's shake out of a clip and fills frames without a box. What was not seen is not guessed: before
 * the first box and after the last one the moment counts as theirs. Boxes or times that are not finite are
 * left out; fewer than 3 moments: a line, fewer than 2: the mean.
 *
 * ret_boxes  room for at_count; untouched when there is nothing to go by
 * Returns VD_OK, or VD_EINVAL when no box is left.
 * The parabola is the usual fit by normal equations, about the mean time, with orthogonal polynomials. */
int vd_crop_path(const vd_crop_seen *seen, size_t count, const double *at_s, size_t at_count,
                 vd_box *ret_boxes);

/* The side of a clip's squares: 1.4 times the longest side that its boxes have, VD_CROP_LEAST_SIDE to
 * VD_CROP_MOST_SIDE; the least one when there is none. */
double vd_crop_side(const vd_box *boxes, size_t count);

/* Writes the square around (center_x, center_y) as size × size pixels RGB, 3 bytes a pixel, rows without
 * gaps. Enlarged it is linear between pixels' centres, reduced it is the mean over the area of each pixel;
 * right to one level, reduced to two. Beyond the picture its border goes on.
 *
 * picture           BGRX, BGR or RGB
 * center_x, center_y, side  pixels of the picture; the side 1 to VD_CROP_MOST_SIDE
 * size              1 to VD_CROP_MOST_SIZE
 * Returns VD_OK, or VD_EINVAL with nothing written. No allocation; 30 kB of stack. */
int vd_crop_take(const vd_image *picture, double center_x, double center_y, double side, int size,
                 uint8_t *ret_rgb);

#endif
