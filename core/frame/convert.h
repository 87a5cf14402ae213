/* Colour conversion and scaling: one routine for what the operator sees and what the detector gets.
 * libyuv converts and averages, frame/linear.h does linear scaling; YUV follows the view's colour. */
#ifndef VD_FRAME_CONVERT_H
#define VD_FRAME_CONVERT_H

#include <stddef.h>

#include "vedette/image.h"

/* How a picture is made smaller or larger. */
typedef enum vd_filter {
    VD_FILTER_LINEAR, /* two taps, as OpenCV's INTER_LINEAR: what detectors were trained with */
    VD_FILTER_GOOD    /* for eyes: I420 by averages when shrinking, up to 20 to 1, else linear */
} vd_filter;

/* Working memory that grows to what is needed and is then reused. Zeroed to start; owned by one thread. */
typedef struct vd_scratch {
    uint8_t *memory;
    size_t size;
} vd_scratch;

void vd_scratch_fini(vd_scratch *scratch);

/* Scales `source` (I420, BGRX, BGR, RGB, GREY or NV12) to the size of `target` (BGRX).
 * Returns VD_OK, VD_EINVAL for formats that it cannot take, or VD_ENOMEM. */
int vd_convert_scale(const vd_image *source, vd_filter filter, vd_scratch *scratch, const vd_image *target);

/* BGRX to I420 of the same size, BT.601 limited range: for the encoder. */
int vd_convert_to_i420(const vd_image *source, const vd_image *target);

/* Where a letterboxed picture lies in a network's input: scale, and the left and top margins in pixels.
 * Geometry and rounding as Ultralytics' LetterBox (ultralytics/data/augment.py): centred, the odd pixel to
 * the right and bottom. */
typedef struct vd_letterbox {
    double scale;
    int left, top, width, height; /* of the picture inside the input */
} vd_letterbox;

vd_letterbox vd_letterbox_fit(int picture_width, int picture_height, int input_width, int input_height);

/* Writes the letterboxed picture as planar float RGB, value / 255, margins 114 / 255.
 *
 * ret_tensor  3 × input_height × input_width floats
 * Returns VD_OK, VD_EINVAL or VD_ENOMEM. */
int vd_convert_letterbox(const vd_image *source, int input_width, int input_height, vd_scratch *scratch,
                         float *ret_tensor, vd_letterbox *ret_letterbox);

/* Turns a picture by 0, 90, 180 or 270 degrees clockwise: I420 or BGRX, `target` of the turned size. */
int vd_convert_rotate(const vd_image *source, int degrees, const vd_image *target);

#endif
