/* libav's pictures in the formats of vd_image: planes are copied where the layout is ours already, swscale
 * does the rest. YUV stays YUV (its matrix and range travel with the picture), everything else becomes BGRX.
 */
#ifndef VD_MEDIA_AV_CONVERT_H
#define VD_MEDIA_AV_CONVERT_H

#include <stdbool.h>

#include <libavutil/frame.h>
#include <libswscale/swscale.h>

#include "vedette/image.h"

/* What a picture that says nothing of its colours is taken for. */
typedef enum vd_av_picture_kind { VD_AV_VIDEO, VD_AV_MOTION_JPEG, VD_AV_STILL } vd_av_picture_kind;

/* Keeps what one conversion leaves for the next. Zeroed to start; owned by one thread. */
typedef struct vd_av_converter {
    struct SwsContext *sws;
    struct {
        int format, width, height, target, range;
    } made_for;
} vd_av_converter;

void vd_av_converter_fini(vd_av_converter *converter);

/* VD_PIXEL_BGRX for what has colours in RGB or a palette, else VD_PIXEL_I420. */
vd_pixel_format vd_av_target_of(const AVFrame *frame);

vd_yuv_color vd_av_color_of(const AVFrame *frame, vd_av_picture_kind kind);

/* Writes the picture, upside down if `mirrored`, into `target`, which has its size and one of the formats of
 * vd_av_target_of. VD_OK, or VD_EUNSUPPORTED: its pixel format cannot be converted. */
int vd_av_convert(vd_av_converter *converter, const AVFrame *frame, vd_av_picture_kind kind, bool mirrored,
                  const vd_image *target);

#endif
