/* What a camera knows of its frames: those read and not yet shown, the one on screen, and the results around
 * it. Plain state and decisions, no threads, no clock of its own: the camera holds its lock around every
 * call.
 *
 * Frames are numbered by `order` as they come. A serial marks frames that belong together: a seek, a file's
 * new round or another picture size begins another. */
#ifndef VD_PIPELINE_TIMELINE_H
#define VD_PIPELINE_TIMELINE_H

#include <stdbool.h>
#include <stdint.h>

#include "frame/frame.h"
#include "vedette/detection.h"

enum { VD_TIMELINE_FRAMES = 64, VD_TIMELINE_RESULTS = 64 };

typedef struct vd_moment {
    uint64_t order;
    uint32_t serial;
    double time_s;
} vd_moment;

struct vd_timeline_entry {
    vd_moment at;
    vd_frame *frame; /* one reference */
};

struct vd_timeline_result {
    vd_moment at;
    vd_result *result; /* one reference; NULL: detection of this frame failed */
};

typedef struct vd_timeline {
    int capacity; /* frames that may wait, 2 to VD_TIMELINE_FRAMES */
    bool ended;   /* the source has no more frames for now */
    uint64_t next_order;
    uint32_t serial;         /* of the frame pushed last */
    uint32_t source_serial;  /* what its source called it, */
    int width, height;       /* and its size */
    uint64_t last_submitted; /* falls when another model asks anew */
    uint64_t most_submitted; /* never falls: what was passed over is counted once */
    uint64_t skipped;        /* frames that were passed over for detection */

    struct vd_timeline_entry frames[VD_TIMELINE_FRAMES]; /* ring, oldest first */
    int head, count;
    struct vd_timeline_entry shown; /* frame NULL before the first */

    struct vd_timeline_result results[VD_TIMELINE_RESULTS]; /* ring, in order */
    int result_head, result_count;
} vd_timeline;

void vd_timeline_init(vd_timeline *timeline, int capacity);
void vd_timeline_fini(vd_timeline *timeline);

static inline bool vd_timeline_is_full(const vd_timeline *timeline)
{
    return timeline->count >= timeline->capacity;
}

/* Adds a frame; takes the reference. There must be room. */
void vd_timeline_push(vd_timeline *timeline, vd_frame *frame);

/* The i-th frame that waits, 0 the oldest. Borrowed. */
const struct vd_timeline_entry *vd_timeline_peek(const vd_timeline *timeline, int i);

/* Drops the oldest waiting frame without showing it. */
void vd_timeline_drop(vd_timeline *timeline);

/* The oldest waiting frame becomes the one shown. */
void vd_timeline_show(vd_timeline *timeline);

/* Forgets the waiting frames (a seek); the shown one and its results stay. */
void vd_timeline_flush(vd_timeline *timeline);

/* Forgets every result and asks for the shown frame and the waiting ones anew (another model). */
void vd_timeline_forget_results(vd_timeline *timeline);

/* Adds what detection of a frame gave; takes the reference; NULL when it failed. Results come in order. */
void vd_timeline_add_result(vd_timeline *timeline, const vd_moment *at, vd_result *result);

/* A result of the same picture from before a seek: the one of another serial at the same stream time.
 * Borrowed; NULL when it is not remembered. */
vd_result *vd_timeline_recall(const vd_timeline *timeline, const vd_moment *at);

/* The frame a live source should have detected next: the newest, unless it was submitted. Borrowed or NULL.
 */
const struct vd_timeline_entry *vd_timeline_next_live(const vd_timeline *timeline);

/* The frame a file should have detected next, so that frames between two detections are never shown before
 * both are there: the next one while detection keeps up, else one far enough ahead.
 *
 * now_s      stream time of the picture on screen (or about to be), in the round of the one shown
 * latency_s  how long a detection takes; 0 while nothing is known
 * Borrowed; NULL when the right one has not been read yet, or all are submitted. */
const struct vd_timeline_entry *vd_timeline_next_of_file(const vd_timeline *timeline, double now_s,
                                                         double latency_s);

/* Marks it as submitted and counts what was passed over. */
void vd_timeline_mark_submitted(vd_timeline *timeline, const struct vd_timeline_entry *entry);

/* Whether the boxes of this moment are known: its own, failed, or between two results. */
bool vd_timeline_is_covered(const vd_timeline *timeline, const vd_moment *at);

/* Stream time up to which every frame from `at` on is covered; at->time_s when not even the next is. */
double vd_timeline_covered_until_s(const vd_timeline *timeline, const vd_moment *at);

/* The results to draw a frame with: its own twice; or the ones before and after; or, with nothing after, the
 * last two. Borrowed; NULL where there is none. */
void vd_timeline_around(const vd_timeline *timeline, const vd_moment *at,
                        const struct vd_timeline_result **ret_before,
                        const struct vd_timeline_result **ret_after);

#endif
