/* The last seconds of a camera as reduced pictures, for clips of its events. As many as a number of bytes
 * allows, all allocated before the first one is kept. Plain state; who calls is said below. */
#ifndef VD_PIPELINE_CLIP_RING_H
#define VD_PIPELINE_CLIP_RING_H

#include "frame/convert.h"
#include "pipeline/history.h"
#include "pipeline/timeline.h"

enum {
    VD_CLIP_RING_FRAMES = 30,
    VD_CLIP_RING_LEAST =
        24, /* a clip's, and those of the third of a second that an event may wait beyond it */
    VD_CLIP_RING_BYTES = 48 << 20
};

/* Details of a clip: the last 1.6 s of a track; pictures are kept 12 times a second. */
#define VD_CLIP_SPAN_S 1.6
#define VD_CLIP_STEP_S (1.0 / 12)

typedef struct vd_clip_ring {
    /* of the one thread that reduces at a time */
    vd_scratch scratch;
    vd_frame_pool *pool;
    int capacity; /* pictures of the pool */

    /* guarded by the camera's lock */
    struct {
        vd_moment at;
        vd_frame *frame;            /* one reference */
    } entries[VD_CLIP_RING_FRAMES]; /* ring, oldest first */
    int head, count;
    vd_moment last;           /* kept, or given up, last */
    int width, height;        /* of the source's pictures, in all that are kept */
    double scale_x, scale_y;  /* pixels of a reduced picture for one of the source */
    uint64_t kept, forgotten; /* forgotten: no picture was free, or no memory */
} vd_clip_ring;

/* Zeroed to start. */
void vd_clip_ring_fini(vd_clip_ring *ring);

/* Whether a frame's turn has come. Under the lock. */
bool vd_clip_ring_wants(const vd_clip_ring *ring, const vd_moment *at);

/* Makes room for a picture of this frame: of another size all are forgotten, else the oldest where it must
 * be. Of those that clips need, VD_CLIP_RING_LEAST or three quarters of a small pool, none; pictures of the
 * place before (a seek, a round's end) count as well: its last events have yet to ask. Under the lock. */
void vd_clip_ring_make_room(vd_clip_ring *ring, const vd_moment *at, const vd_frame *frame);

/* Whether no picture is free for a frame after that: clips that wait for their verdict hold too many. Without
 * the lock, by who reduces. */
bool vd_clip_ring_is_short(const vd_clip_ring *ring, const vd_frame *frame);

/* Forgets the oldest picture, whoever needs it; false: there is none. Under the lock. */
bool vd_clip_ring_give_up(vd_clip_ring *ring);

/* The index of the oldest picture (vd_clip_ring_keep): what holds an older one holds what the ring has not.
 * No picture: INT64_MAX. Under the lock. */
int64_t vd_clip_ring_first(const vd_clip_ring *ring);

/* A reduced copy with one reference: at most 640 wide, BGRX. NULL: none is free. Without the lock, by one
 * thread at a time, after vd_clip_ring_make_room. */
vd_frame *vd_clip_ring_reduce(vd_clip_ring *ring, const vd_frame *frame);

/* Keeps what vd_clip_ring_reduce gave, with the frame's order as its index; takes the reference. Under the
 * lock. */
void vd_clip_ring_keep(vd_clip_ring *ring, const vd_moment *at, const vd_frame *source, vd_frame *reduced);

/* The clip of a track as it is now: `count` pictures evenly spaced over its last 1.6 s, with references of
 * their own. Of a shorter track they lie as far apart and the last one is repeated, so that what moves
 * between two pictures means the same in every clip. Under the lock. False when no picture of it is left. */
bool vd_clip_ring_cut(const vd_clip_ring *ring, const struct vd_trace *trace, int count,
                      vd_verify_clip *ret_clip);

/* Gives the references back. */
void vd_clip_clear(vd_verify_clip *clip);

#endif
