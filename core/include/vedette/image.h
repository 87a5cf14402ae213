/* Pictures as views (pointers into somebody's memory) and boxes in them. Plain values; nothing is copied. */
#ifndef VEDETTE_IMAGE_H
#define VEDETTE_IMAGE_H

#include <stdint.h>

#include "vedette/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* 8 bits a sample. */
typedef enum vd_pixel_format {
    VD_PIXEL_NONE = 0,
    VD_PIXEL_BGRX, /* 4 bytes a pixel: blue, green, red, ignored (cairo's RGB24, libyuv's ARGB) */
    VD_PIXEL_I420, /* planar YUV 4:2:0: planes Y, U, V; chroma (w+1)/2 × (h+1)/2 */
    VD_PIXEL_BGR,  /* 3 bytes a pixel, as cv::imread gives it */
    VD_PIXEL_RGB,  /* 3 bytes a pixel */
    VD_PIXEL_GREY, /* 1 byte a pixel */
    VD_PIXEL_NV12  /* YUV 4:2:0: planes Y and interleaved UV */
} vd_pixel_format;

/* How YUV samples stand for colours (ITU-R BT.601, BT.709; limited 16–235 or full range 0–255). */
typedef enum vd_yuv_color {
    VD_YUV_601_LIMITED = 0,
    VD_YUV_601_FULL,
    VD_YUV_709_LIMITED,
    VD_YUV_709_FULL,
    VD_YUV_2020_LIMITED,
    VD_YUV_2020_FULL
} vd_yuv_color;

enum { VD_IMAGE_MAX_SIDE = 16384 }; /* wider or higher pictures are refused everywhere */

/* A view of a picture. The memory is the owner's and must outlive the view's use. */
typedef struct vd_image {
    vd_pixel_format format;
    vd_yuv_color color; /* of YUV formats only */
    int width, height;  /* pixels, 1 to VD_IMAGE_MAX_SIDE */
    uint8_t *planes[3]; /* as many as the format has */
    int strides[3];     /* bytes a row, at least the row's length */
} vd_image;

/* VD_OK, or VD_EINVAL with the sentence that says which field is wrong. Any thread. */
VD_API int vd_image_validate(const vd_image *image, vd_error *error);

/* A box in pixels of the picture, origin at the top left, x2 and y2 exclusive. */
typedef struct vd_box {
    float x1, y1, x2, y2;
} vd_box;

/* Intersection over union of two boxes, 0 to 1; 0 where one of them is empty or not a number. */
VD_API float vd_box_iou(const vd_box *a, const vd_box *b);

#ifdef __cplusplus
}
#endif
#endif
