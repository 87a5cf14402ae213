#include "base/queue.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/thread.h"
#include "vedette/error.h"

struct vd_queue {
    /* immutable */
    vd_queue_policy policy;
    void (*free_item)(void *item);

    /* guarded by lock */
    vd_mutex lock;
    vd_cond room, items;
    vd_queue_counts counts;
    size_t head;
    bool push_closed, take_closed;
    void *slots[];
};

int vd_queue_new(size_t capacity, vd_queue_policy policy, void (*free_item)(void *item), vd_queue **ret_queue)
{
    if (capacity == 0 || capacity > SIZE_MAX / sizeof(void *) / 2 || !free_item)
        return VD_EINVAL;
    vd_queue *queue = calloc(1, sizeof *queue + capacity * sizeof(void *));
    if (!queue)
        return VD_ENOMEM;
    queue->policy = policy;
    queue->free_item = free_item;
    queue->counts.capacity = capacity;
    if (vd_mutex_init(&queue->lock, VD_RANK_QUEUE))
        goto no_lock;
    if (vd_cond_init(&queue->room))
        goto no_room;
    if (vd_cond_init(&queue->items))
        goto no_items;
    *ret_queue = queue;
    return VD_OK;
no_items:
    vd_cond_fini(&queue->room);
no_room:
    vd_mutex_fini(&queue->lock);
no_lock:
    free(queue);
    return VD_ENOMEM;
}

void vd_queue_free(vd_queue **queue)
{
    if (!*queue)
        return;
    vd_queue_clear(*queue);
    vd_cond_fini(&(*queue)->items);
    vd_cond_fini(&(*queue)->room);
    vd_mutex_fini(&(*queue)->lock);
    free(*queue);
    *queue = NULL;
}

static void *take_head_locked(vd_queue *queue)
{
    void *item = queue->slots[queue->head];
    queue->head = (queue->head + 1) % queue->counts.capacity;
    queue->counts.length--;
    return item;
}

int vd_queue_push(vd_queue *queue, void *item, int64_t deadline_ns)
{
    void *oldest = NULL;
    bool dropped = false;
    int code = VD_OK;
    vd_mutex_lock(&queue->lock);
    while (queue->policy == VD_QUEUE_BLOCK && !queue->push_closed && !queue->take_closed &&
           queue->counts.length == queue->counts.capacity && code == VD_OK)
        if (!vd_cond_wait_until(&queue->room, &queue->lock, deadline_ns))
            code = VD_ETIMEOUT;
    bool full = queue->counts.length == queue->counts.capacity;
    if (queue->push_closed || queue->take_closed) {
        code = VD_ESHUTDOWN;
    } else if (full && queue->policy == VD_QUEUE_REFUSE) {
        queue->counts.refused++;
        code = VD_EAGAIN;
    } else if (full && queue->policy == VD_QUEUE_DROP_OLDEST) {
        oldest = take_head_locked(queue);
        dropped = true;
        queue->counts.dropped++;
    } else if (!full) {
        code = VD_OK; /* room came together with the deadline */
    }
    if (code == VD_OK) {
        queue->slots[(queue->head + queue->counts.length) % queue->counts.capacity] = item;
        queue->counts.length++;
        queue->counts.pushed++;
        if (queue->counts.length > queue->counts.peak)
            queue->counts.peak = queue->counts.length;
        vd_cond_signal(&queue->items);
    }
    vd_mutex_unlock(&queue->lock);
    if (dropped)
        queue->free_item(oldest);
    return code;
}

int vd_queue_take(vd_queue *queue, int64_t deadline_ns, void **ret_item)
{
    int code = VD_OK;
    vd_mutex_lock(&queue->lock);
    while (queue->counts.length == 0 && !queue->push_closed && !queue->take_closed && code == VD_OK)
        if (deadline_ns == 0 || !vd_cond_wait_until(&queue->items, &queue->lock, deadline_ns))
            code = VD_ETIMEOUT;
    if (queue->counts.length > 0 && !queue->take_closed) {
        *ret_item = take_head_locked(queue);
        queue->counts.taken++;
        vd_cond_signal(&queue->room);
        code = VD_OK;
    } else if (queue->push_closed || queue->take_closed) {
        code = VD_EEND;
    }
    vd_mutex_unlock(&queue->lock);
    return code;
}

void vd_queue_close_push(vd_queue *queue)
{
    vd_mutex_lock(&queue->lock);
    queue->push_closed = true;
    vd_cond_broadcast(&queue->items);
    vd_cond_broadcast(&queue->room);
    vd_mutex_unlock(&queue->lock);
}

void vd_queue_close_take(vd_queue *queue)
{
    vd_mutex_lock(&queue->lock);
    queue->take_closed = true;
    vd_cond_broadcast(&queue->items);
    vd_cond_broadcast(&queue->room);
    vd_mutex_unlock(&queue->lock);
    vd_queue_clear(queue);
}

/* Only what is in it now: producers that wait for room must not keep it busy for ever. */
void vd_queue_clear(vd_queue *queue)
{
    for (size_t left = vd_queue_get_counts(queue).length; left > 0; left--) {
        vd_mutex_lock(&queue->lock);
        bool found = queue->counts.length > 0;
        void *item = found ? take_head_locked(queue) : NULL;
        if (found) {
            queue->counts.dropped++;
            vd_cond_signal(&queue->room);
        }
        vd_mutex_unlock(&queue->lock);
        if (!found)
            return;
        queue->free_item(item);
    }
}

vd_queue_counts vd_queue_get_counts(vd_queue *queue)
{
    vd_mutex_lock(&queue->lock);
    vd_queue_counts counts = queue->counts;
    vd_mutex_unlock(&queue->lock);
    return counts;
}
