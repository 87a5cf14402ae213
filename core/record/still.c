#include "vedette/app/still.h"

#include <stdlib.h>

#include "frame/convert.h"
#include "vedette/app/encoder.h"

static int draw_and_write(const char *path, const vd_image *canvas, const vd_drawing *drawing,
                          vd_error *error)
{
    if (drawing && drawing->count > 0) {
        vd_painter *painter = NULL;
        int code = vd_painter_new(&painter);
        if (code == VD_OK)
            code = vd_painter_draw_image(painter, canvas, drawing);
        vd_painter_free(&painter);
        if (code != VD_OK)
            return vd_error_set(error, code, path, "The boxes could not be drawn on the picture.");
    }
    return vd_image_write(path, canvas, error);
}

int vd_still_write(const char *path, const vd_frame *frame, const vd_drawing *drawing, vd_error *error)
{
    const vd_image *image = vd_frame_get_image(frame);
    vd_image canvas = {.format = VD_PIXEL_BGRX, .width = image->width, .height = image->height};
    canvas.strides[0] = (image->width * 4 + 63) / 64 * 64;
    canvas.planes[0] = aligned_alloc(64, (size_t)canvas.strides[0] * (size_t)image->height);
    if (!canvas.planes[0])
        return vd_error_set(error, VD_ENOMEM, path,
                            "There is not enough memory for a picture of %d × %d pixels.", image->width,
                            image->height);
    vd_scratch scratch = {0};
    int code = vd_convert_scale(image, VD_FILTER_LINEAR, &scratch, &canvas);
    if (code == VD_OK)
        code = draw_and_write(path, &canvas, drawing, error);
    else
        vd_error_set(error, code, path, "The picture could not be converted for writing.");
    vd_scratch_fini(&scratch);
    free(canvas.planes[0]);
    return code;
}
