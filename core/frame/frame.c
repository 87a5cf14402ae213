/* The frame pool: one size, one format, one allocation a frame, all before the first frame.
 *
 * A pool lives until its owner has given it up and the last frame is back, so that a frame may outlive its
 * source.
 *
 * Invariants
 * 1. capacity = available + in use, under the lock.
 * 2. A frame in the free list has no references. */
#include "frame/frame.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/thread.h"

enum { ROW_ALIGNMENT = 64 };

struct vd_frame_pool {
    /* immutable */
    vd_pixel_format format;
    int width, height;
    int strides[3];
    size_t offsets[3], bytes;
    int first_count;

    /* guarded by lock */
    vd_mutex lock;
    vd_cond returned;
    vd_frame *free;
    vd_frame_pool_stats stats;
    bool abandoned;
};

static size_t align_up(size_t value)
{
    return (value + ROW_ALIGNMENT - 1) / ROW_ALIGNMENT * ROW_ALIGNMENT;
}

static void lay_out(vd_frame_pool *pool)
{
    bool planar = pool->format == VD_PIXEL_I420;
    for (int plane = 0; plane < (planar ? 3 : 1); plane++) {
        size_t width = (size_t)pool->width, rows = (size_t)pool->height;
        size_t row = planar ? (plane ? (width + 1) / 2 : width) : 4 * width;
        pool->strides[plane] = (int)align_up(row);
        pool->offsets[plane] = pool->bytes;
        pool->bytes += (size_t)pool->strides[plane] * (plane ? (rows + 1) / 2 : rows);
    }
    pool->bytes = align_up(pool->bytes + ROW_ALIGNMENT); /* vector code may read a little past the end */
}

static bool add_frame_locked(vd_frame_pool *pool)
{
    vd_frame *frame = calloc(1, sizeof *frame);
    if (!frame)
        return false;
    frame->memory = aligned_alloc(ROW_ALIGNMENT, pool->bytes);
    if (!frame->memory) {
        free(frame);
        return false;
    }
    memset(frame->memory, 0, pool->bytes); /* touched now: memory does not grow while running */
    frame->pool = pool;
    frame->image = (vd_image){.format = pool->format, .width = pool->width, .height = pool->height};
    for (int plane = 0; plane < 3 && pool->strides[plane]; plane++) {
        frame->image.planes[plane] = (uint8_t *)frame->memory + pool->offsets[plane];
        frame->image.strides[plane] = pool->strides[plane];
    }
    frame->next_free = pool->free;
    pool->free = frame;
    pool->stats.capacity++;
    pool->stats.available++;
    return true;
}

static void destroy_pool(vd_frame_pool *pool)
{
    while (pool->free) {
        vd_frame *next = pool->free->next_free;
        free(pool->free->memory);
        free(pool->free);
        pool->free = next;
    }
    vd_cond_fini(&pool->returned);
    vd_mutex_fini(&pool->lock);
    free(pool);
}

int vd_frame_pool_new(vd_pixel_format format, int width, int height, int count, vd_frame_pool **ret_pool)
{
    if ((format != VD_PIXEL_BGRX && format != VD_PIXEL_I420) || width < 1 || height < 1 || count < 1 ||
        width > VD_IMAGE_MAX_SIDE || height > VD_IMAGE_MAX_SIDE)
        return VD_EINVAL;
    vd_frame_pool *pool = calloc(1, sizeof *pool);
    if (!pool)
        return VD_ENOMEM;
    pool->format = format;
    pool->width = width;
    pool->height = height;
    pool->first_count = count;
    lay_out(pool);
    if (vd_mutex_init(&pool->lock, VD_RANK_POOL))
        goto no_lock;
    if (vd_cond_init(&pool->returned))
        goto no_cond;
    for (int i = 0; i < count; i++)
        if (!add_frame_locked(pool)) {
            destroy_pool(pool);
            return VD_ENOMEM;
        }
    *ret_pool = pool;
    return VD_OK;
no_cond:
    vd_mutex_fini(&pool->lock);
no_lock:
    free(pool);
    return VD_ENOMEM;
}

void vd_frame_pool_free(vd_frame_pool **pointer)
{
    vd_frame_pool *pool = *pointer;
    *pointer = NULL;
    if (!pool)
        return;
    vd_mutex_lock(&pool->lock);
    pool->abandoned = true;
    bool last = pool->stats.available == pool->stats.capacity;
    vd_mutex_unlock(&pool->lock);
    if (last)
        destroy_pool(pool);
}

/* Grows once, to 1.5 times the first size. */
static void grow_locked(vd_frame_pool *pool)
{
    pool->stats.grown = 1;
    for (int more = (pool->first_count + 1) / 2; more > 0; more--)
        if (!add_frame_locked(pool))
            return;
}

static vd_frame *take_locked(vd_frame_pool *pool)
{
    vd_frame *frame = pool->free;
    pool->free = frame->next_free;
    pool->stats.available--;
    pool->stats.taken++;
    int in_use = pool->stats.capacity - pool->stats.available;
    if (in_use > pool->stats.peak)
        pool->stats.peak = in_use;
    return frame;
}

static vd_frame *reset(vd_frame *frame)
{
    frame->next_free = NULL;
    frame->index = 0;
    frame->time_s = frame->duration_s = 0;
    frame->arrived_ns = 0;
    frame->aspect_num = frame->aspect_den = 1;
    frame->serial = 0;
    frame->image.color = VD_YUV_601_LIMITED;
    atomic_store(&frame->references, 1);
    return frame;
}

int vd_frame_pool_wait(vd_frame_pool *pool, int64_t deadline_ns, vd_frame **ret_frame)
{
    vd_frame *frame = NULL;
    vd_mutex_lock(&pool->lock);
    if (!pool->free) {
        pool->stats.exhausted++;
        if (!pool->stats.grown)
            grow_locked(pool);
    }
    while (!pool->free && deadline_ns != 0)
        if (!vd_cond_wait_until(&pool->returned, &pool->lock, deadline_ns))
            break;
    if (pool->free)
        frame = take_locked(pool);
    vd_mutex_unlock(&pool->lock);
    if (!frame)
        return deadline_ns == 0 ? VD_EAGAIN : VD_ETIMEOUT;
    *ret_frame = reset(frame);
    return VD_OK;
}

int vd_frame_pool_take(vd_frame_pool *pool, vd_frame **ret_frame)
{
    return vd_frame_pool_wait(pool, 0, ret_frame);
}

vd_frame_pool_stats vd_frame_pool_get_stats(vd_frame_pool *pool)
{
    vd_mutex_lock(&pool->lock);
    vd_frame_pool_stats stats = pool->stats;
    vd_mutex_unlock(&pool->lock);
    return stats;
}

int vd_frame_pool_fits(const vd_frame_pool *pool, vd_pixel_format format, int width, int height)
{
    return pool->format == format && pool->width == width && pool->height == height;
}

vd_frame *vd_frame_ref(vd_frame *frame)
{
    atomic_fetch_add_explicit(&frame->references, 1, memory_order_relaxed);
    return frame;
}

void vd_frame_unref(vd_frame **pointer)
{
    vd_frame *frame = *pointer;
    *pointer = NULL;
    if (!frame || atomic_fetch_sub(&frame->references, 1) != 1)
        return;
    vd_frame_pool *pool = frame->pool;
    vd_mutex_lock(&pool->lock);
    frame->next_free = pool->free;
    pool->free = frame;
    pool->stats.available++;
    bool last = pool->abandoned && pool->stats.available == pool->stats.capacity;
    vd_cond_signal(&pool->returned);
    vd_mutex_unlock(&pool->lock);
    if (last)
        destroy_pool(pool);
}

const vd_image *vd_frame_get_image(const vd_frame *frame)
{
    return &frame->image;
}

int64_t vd_frame_get_index(const vd_frame *frame)
{
    return frame->index;
}

double vd_frame_get_time_s(const vd_frame *frame)
{
    return frame->time_s;
}
