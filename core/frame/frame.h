/* Frames: reference-counted pictures from a pool that is allocated before the first frame (rows B1, B2).
 *
 * A frame is written by the thread that took it and immutable once anybody else has a reference. */
#ifndef VD_FRAME_FRAME_H
#define VD_FRAME_FRAME_H

#include <stdatomic.h>
#include <stdint.h>

#include "vedette/frame.h"
#include "vedette/image.h"

typedef struct vd_frame_pool vd_frame_pool;

struct vd_frame {
    vd_image image;             /* memory of the pool; rows start at multiples of 64 bytes */
    int64_t index;              /* in its source, from 0 */
    double time_s;              /* stream time, seconds from the source's start */
    int64_t arrived_ns;         /* monotonic: when it was decoded */
    double duration_s;          /* until the next one as far as known, else 0 */
    int aspect_num, aspect_den; /* shape of a pixel, 1:1 for square */
    uint32_t serial;            /* rises with every seek: frames of before and after are not neighbours */

    /* the pool's own */
    atomic_int references;
    vd_frame_pool *pool;
    struct vd_frame *next_free;
    void *memory;
};

typedef struct vd_frame_pool_stats {
    int capacity;       /* frames that exist */
    int available;      /* of them free */
    int peak;           /* most in use at once */
    uint64_t taken;     /* frames handed out */
    uint64_t exhausted; /* times that none was free */
    int grown;          /* 1 once it has grown to 1.5 × */
} vd_frame_pool_stats;

/* Allocates `count` frames of one size and format at once.
 *
 * format  VD_PIXEL_BGRX or VD_PIXEL_I420
 * Returns VD_OK, VD_EINVAL (size out of 1 … VD_IMAGE_MAX_SIDE) or VD_ENOMEM. */
int vd_frame_pool_new(vd_pixel_format format, int width, int height, int count, vd_frame_pool **ret_pool);

/* Gives the pool up; its memory goes when the last frame is back. Accepts NULL and sets it. */
void vd_frame_pool_free(vd_frame_pool **pool);

/* A free frame with one reference. When none is free the pool grows once to 1.5 × its size; after that it
 * returns VD_EAGAIN, counted. Never blocks. Any thread. */
int vd_frame_pool_take(vd_frame_pool *pool, vd_frame **ret_frame);

/* The same, but waits until `deadline_ns` for a frame to come back: VD_OK or VD_ETIMEOUT. */
int vd_frame_pool_wait(vd_frame_pool *pool, int64_t deadline_ns, vd_frame **ret_frame);

vd_frame_pool_stats vd_frame_pool_get_stats(vd_frame_pool *pool);

/* Whether the pool makes frames of this format and size. */
int vd_frame_pool_fits(const vd_frame_pool *pool, vd_pixel_format format, int width, int height);

#endif
