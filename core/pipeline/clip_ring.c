#include "pipeline/clip_ring.h"

#include <math.h>

#include "verify/crop.h"

enum { MOST_FRAMES = 72 };

static void drop_oldest(vd_clip_ring *ring)
{
    vd_frame_unref(&ring->entries[ring->head].frame);
    ring->head = (ring->head + 1) % VD_CLIP_RING_FRAMES;
    ring->count--;
}

static void drop_all(vd_clip_ring *ring)
{
    while (ring->count > 0)
        drop_oldest(ring);
}

void vd_clip_ring_fini(vd_clip_ring *ring)
{
    drop_all(ring);
    vd_frame_pool_free(&ring->pool);
    vd_scratch_fini(&ring->scratch);
}

bool vd_clip_ring_wants(const vd_clip_ring *ring, const vd_moment *at)
{
    static const double early_s =
        0.005; /* a frame that is almost due is taken: the next is a whole one later */
    if (at->serial != ring->last.serial)
        return true;
    return at->order > ring->last.order && at->time_s >= ring->last.time_s + VD_CLIP_STEP_S - early_s;
}

static int least(const vd_clip_ring *ring)
{
    int most = ring->capacity * 3 / 4;
    return most < VD_CLIP_RING_LEAST ? most : VD_CLIP_RING_LEAST;
}

void vd_clip_ring_make_room(vd_clip_ring *ring, const vd_moment *at, const vd_frame *frame)
{
    if (frame->image.width != ring->width || frame->image.height != ring->height)
        drop_all(ring);
    ring->width = frame->image.width;
    ring->height = frame->image.height;
    ring->last = *at;
    if (ring->count == VD_CLIP_RING_FRAMES)
        drop_oldest(ring);
    /* Clips that wait for their verdict hold pictures as well; the pool is not to grow. */
    while (ring->count > least(ring) && vd_frame_pool_get_stats(ring->pool).available == 0)
        drop_oldest(ring);
}

static bool fits(const vd_clip_ring *ring, const vd_frame *frame, int *ret_width, int *ret_height)
{
    vd_crop_frame_size(frame->image.width, frame->image.height, ret_width, ret_height);
    return ring->pool && vd_frame_pool_fits(ring->pool, VD_PIXEL_BGRX, *ret_width, *ret_height);
}

bool vd_clip_ring_is_short(const vd_clip_ring *ring, const vd_frame *frame)
{
    int width, height; /* of another size there are new ones */
    return fits(ring, frame, &width, &height) && vd_frame_pool_get_stats(ring->pool).available == 0;
}

bool vd_clip_ring_give_up(vd_clip_ring *ring)
{
    if (ring->count == 0)
        return false;
    drop_oldest(ring);
    return true;
}

int64_t vd_clip_ring_first(const vd_clip_ring *ring)
{
    return ring->count > 0 ? ring->entries[ring->head].frame->index : INT64_MAX;
}

static bool make_pool(vd_clip_ring *ring, int width, int height)
{
    int fits = (int)(VD_CLIP_RING_BYTES / ((int64_t)width * height * 4));
    vd_frame_pool_free(&ring->pool);
    ring->capacity = fits < 2 ? 2 : fits > MOST_FRAMES ? MOST_FRAMES : fits;
    return vd_frame_pool_new(VD_PIXEL_BGRX, width, height, ring->capacity, &ring->pool) == VD_OK;
}

vd_frame *vd_clip_ring_reduce(vd_clip_ring *ring, const vd_frame *frame)
{
    int width, height;
    vd_frame *reduced = NULL;
    if (!fits(ring, frame, &width, &height) && !make_pool(ring, width, height))
        return NULL;
    if (vd_frame_pool_get_stats(ring->pool).available == 0 || vd_frame_pool_take(ring->pool, &reduced))
        return NULL;
    if (vd_convert_scale(&frame->image, VD_FILTER_LINEAR, &ring->scratch, &reduced->image))
        vd_frame_unref(&reduced);
    return reduced;
}

void vd_clip_ring_keep(vd_clip_ring *ring, const vd_moment *at, const vd_frame *source, vd_frame *reduced)
{
    if (!reduced) {
        ring->forgotten++;
        return;
    }
    ring->kept++;
    reduced->index = (int64_t)at->order;
    ring->scale_x = (double)reduced->image.width / source->image.width;
    ring->scale_y = (double)reduced->image.height / source->image.height;
    int slot = (ring->head + ring->count++) % VD_CLIP_RING_FRAMES;
    ring->entries[slot].at = *at;
    ring->entries[slot].frame = reduced;
}

/* The picture nearest to a time within the track's life; -1: there is none. */
static int nearest(const vd_clip_ring *ring, uint32_t place, double from_s, double to_s, double time_s)
{
    int best = -1;
    double least_s = INFINITY;
    for (int i = 0; i < ring->count; i++) {
        int slot = (ring->head + i) % VD_CLIP_RING_FRAMES;
        const vd_moment *at = &ring->entries[slot].at;
        if (at->serial != place || at->time_s < from_s || at->time_s > to_s ||
            fabs(at->time_s - time_s) >= least_s)
            continue;
        least_s = fabs(at->time_s - time_s);
        best = slot;
    }
    return best;
}

static vd_box scaled(const vd_clip_ring *ring, const vd_box *box)
{
    return (vd_box){(float)((double)box->x1 * ring->scale_x), (float)((double)box->y1 * ring->scale_y),
                    (float)((double)box->x2 * ring->scale_x), (float)((double)box->y2 * ring->scale_y)};
}

bool vd_clip_ring_cut(const vd_clip_ring *ring, const struct vd_trace *trace, int count,
                      vd_verify_clip *ret_clip)
{
    double end_s = vd_trace_last_s(trace), begin_s = fmax(vd_trace_first_s(trace), end_s - VD_CLIP_SPAN_S);
    /* Half a step of room: a track of a few detections may lie between two pictures. */
    double from_s = begin_s - VD_CLIP_STEP_S / 2, to_s = end_s + VD_CLIP_STEP_S / 2;
    ret_clip->count = 0;
    for (int i = 0; i < count && i < VD_CLIP_MOST; i++) {
        double time_s = count > 1 ? fmin(begin_s + VD_CLIP_SPAN_S * i / (count - 1), end_s) : end_s;
        int slot = nearest(ring, trace->place, from_s, to_s, time_s);
        if (slot < 0)
            break;
        struct vd_sight sight = vd_trace_at(trace, ring->entries[slot].at.time_s);
        size_t n = ret_clip->count++;
        ret_clip->frames[n] = vd_frame_ref(ring->entries[slot].frame);
        ret_clip->boxes[n] = scaled(ring, &sight.box);
        ret_clip->times_s[n] = sight.time_s;
        ret_clip->labels[n] = sight.class_id;
        ret_clip->scores[n] = sight.score;
    }
    return ret_clip->count > 0;
}

void vd_clip_clear(vd_verify_clip *clip)
{
    for (size_t i = 0; i < clip->count; i++)
        vd_frame_unref(&clip->frames[i]);
    clip->count = 0;
}
