/* A bounded queue of pointers between threads. It ends on both sides, states its policy and counts
 * everything.
 *
 * Invariants
 * 1. pushed = taken + dropped + length at every moment under the lock; refused pushes are counted apart.
 * 2. An item whose push failed is untouched and still the caller's.
 * 3. After close_push, takers get what is left and then VD_EEND. After close_take, pushers get VD_ESHUTDOWN.
 */
#ifndef VD_BASE_QUEUE_H
#define VD_BASE_QUEUE_H

#include <stddef.h>
#include <stdint.h>

typedef struct vd_queue vd_queue;

typedef enum vd_queue_policy {
    VD_QUEUE_BLOCK,       /* a push to a full queue waits for room */
    VD_QUEUE_DROP_OLDEST, /* a push to a full queue frees the oldest item and counts it as dropped */
    VD_QUEUE_REFUSE       /* a push to a full queue fails with VD_EAGAIN and is counted as refused */
} vd_queue_policy;

typedef struct vd_queue_counts {
    uint64_t pushed, taken, dropped, refused;
    size_t length, capacity, peak;
} vd_queue_counts;

/* capacity      at least 1
 * free_item     releases an item that is dropped or left over at the end; must not call the queue
 * Returns VD_OK, VD_EINVAL or VD_ENOMEM. */
int vd_queue_new(size_t capacity, vd_queue_policy policy, void (*free_item)(void *item),
                 vd_queue **ret_queue);

/* Frees what is left in it. No thread may still use it. Accepts NULL and sets it. */
void vd_queue_free(vd_queue **queue);

/* Moves `item` into the queue.
 *
 * deadline_ns  how long BLOCK may wait; ignored by the other policies
 * Returns VD_OK, VD_EAGAIN (REFUSE and full), VD_ETIMEOUT or VD_ESHUTDOWN; on failure the caller keeps it. */
int vd_queue_push(vd_queue *queue, void *item, int64_t deadline_ns);

/* Moves the oldest item out.
 *
 * deadline_ns  0 polls
 * Returns VD_OK, VD_ETIMEOUT or VD_EEND (closed for pushing and empty, or closed for taking). */
int vd_queue_take(vd_queue *queue, int64_t deadline_ns, void **ret_item);

/* No more pushes: the end marker. Takers drain what is left. */
void vd_queue_close_push(vd_queue *queue);

/* No more takes: frees what is left (counted as dropped) and makes pushes fail, so that a producer ends too.
 */
void vd_queue_close_take(vd_queue *queue);

/* Drops everything in it, counted; the queue stays open. */
void vd_queue_clear(vd_queue *queue);

vd_queue_counts vd_queue_get_counts(vd_queue *queue);

#endif
