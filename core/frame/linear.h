/* Scaling with two taps a direction and half-pixel centres, as OpenCV's INTER_LINEAR does it: what detectors
 * were trained with. libyuv's own linear filter places enlarged pixels elsewhere and takes short cuts at 3/4
 * and 3/8. */
#ifndef VD_FRAME_LINEAR_H
#define VD_FRAME_LINEAR_H

#include <stddef.h>
#include <stdint.h>

/* A plane to read: rows of pixels of 1 to 4 interleaved samples. */
typedef struct vd_plane {
    const uint8_t *samples;
    int stride;        /* bytes */
    int width, height; /* pixels, at least 1 */
    int channels;      /* 1 to 4 */
    double span_x,
        span_y; /* how much of it the picture covers, in its pixels: chroma of odd sizes ends in half a one */
} vd_plane;

/* Bytes of working memory, aligned to 8, that scaling takes. */
size_t vd_linear_work_bytes(const vd_plane *from, int width);

/* Writes the plane scaled to `width` × `height` pixels of as many channels, each sample right to one level.
 */
void vd_linear_scale(const vd_plane *from, int width, int height, uint8_t *to, int to_stride, void *work);

#endif
