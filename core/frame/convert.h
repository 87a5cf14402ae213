/* Colour conversion and scaling: one routine for what the operator sees and what the detector gets.
 * libyuv converts and averages, frame/linear.h does linear scaling; YUV follows the view's colour. */
#ifndef VD_FRAME_CONVERT_H
#define VD_FRAME_CONVERT_H

#include <stddef.h>
#include <stdint.h>

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

/* Bytes of scratch that vd_convert_scale takes with VD_FILTER_LINEAR. */
size_t vd_convert_scale_bytes(const vd_image *source, int width, int height);

/* At least `size` bytes, aligned to 64; what was in them is lost when it grows. NULL without memory. */
uint8_t *vd_scratch_ensure(vd_scratch *scratch, size_t size);

/* How a network wants its pictures. */
typedef enum vd_feed_fit {
    VD_FEED_CENTRE,   /* scaled to fit, padding on all sides, the odd pixel to the right and bottom */
    VD_FEED_TOP_LEFT, /* scaled to fit, padding to the right and below */
    VD_FEED_STRETCH   /* each side scaled on its own */
} vd_feed_fit;

typedef enum vd_feed_channels { VD_FEED_RGB, VD_FEED_BGR, VD_FEED_GREY } vd_feed_channels;

typedef struct vd_feed {
    int width, height; /* of the network's input, pixels */
    vd_feed_fit fit;
    vd_feed_channels channels;
    float pad;               /* the padding's value, 0 to 255, before mean and scale */
    float mean[3], scale[3]; /* (value - mean) * scale, in the order of the channels */
} vd_feed;

/* Where a picture lies in a network's input: scales, and the left and top margins in pixels. Geometry and
 * rounding as Ultralytics' LetterBox (ultralytics/data/augment.py); at the top left without its margins. */
typedef struct vd_letterbox {
    double scale_x, scale_y;      /* pixels of the input for one of the picture */
    int left, top, width, height; /* of the picture inside the input */
} vd_letterbox;

vd_letterbox vd_letterbox_fit(int picture_width, int picture_height, const vd_feed *feed);

/* Writes the picture as planes of floats, as the feed says. Grey is OpenCV's: 0.299 R + 0.587 G + 0.114 B.
 *
 * ret_tensor  channels × height × width floats
 * Returns VD_OK, VD_EINVAL or VD_ENOMEM. */
int vd_convert_feed(const vd_image *source, const vd_feed *feed, vd_scratch *scratch, float *ret_tensor,
                    vd_letterbox *ret_letterbox);

/* Turns a picture by 0, 90, 180 or 270 degrees clockwise: I420 or BGRX, `target` of the turned size. */
int vd_convert_rotate(const vd_image *source, int degrees, const vd_image *target);

#endif
