#include "vedette/image.h"

#include <stddef.h>

/* Bytes that a row of a plane takes; 0 when the format has no such plane. */
static int row_bytes(vd_pixel_format format, int plane, int width)
{
    int half = (width + 1) / 2;
    switch (format) {
    case VD_PIXEL_BGRX:
        return plane == 0 ? 4 * width : 0;
    case VD_PIXEL_BGR:
    case VD_PIXEL_RGB:
        return plane == 0 ? 3 * width : 0;
    case VD_PIXEL_GREY:
        return plane == 0 ? width : 0;
    case VD_PIXEL_I420:
        return plane == 0 ? width : half;
    case VD_PIXEL_NV12:
        return plane == 0 ? width : plane == 1 ? 2 * half : 0;
    case VD_PIXEL_NONE:
        break;
    }
    return 0;
}

int vd_image_validate(const vd_image *image, vd_error *error)
{
    if (!image)
        return vd_error_set(error, VD_EINVAL, NULL, "There is no picture: the pointer is NULL.");
    if (row_bytes(image->format, 0, 1) == 0)
        return vd_error_set(error, VD_EINVAL, NULL,
                            "Pixel format %d is not known; use one of vd_pixel_format.", (int)image->format);
    if (image->width < 1 || image->height < 1 || image->width > VD_IMAGE_MAX_SIDE ||
        image->height > VD_IMAGE_MAX_SIDE)
        return vd_error_set(error, VD_EINVAL, NULL,
                            "A picture of %d × %d pixels cannot be used; each side may be 1 to %d.",
                            image->width, image->height, VD_IMAGE_MAX_SIDE);
    for (int plane = 0; plane < 3; plane++) {
        int least = row_bytes(image->format, plane, image->width);
        if (least == 0)
            continue;
        if (!image->planes[plane])
            return vd_error_set(error, VD_EINVAL, NULL, "Plane %d of the picture is NULL.", plane);
        if (image->strides[plane] < least)
            return vd_error_set(error, VD_EINVAL, NULL,
                                "Plane %d has a stride of %d bytes; a row takes at least %d.", plane,
                                image->strides[plane], least);
    }
    return VD_OK;
}
