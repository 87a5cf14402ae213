/* The feeds' own side: items that wait, and who is woken for them. */
#include "pipeline/feed.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/thread.h"

struct node {
    vd_feed_item item;
    struct node *next;
};

struct vd_feed {
    /* immutable */
    size_t room;
    void (*wake)(void *context);
    void *context;

    atomic_int references;

    /* guarded by wake_lock (VD_RANK_WAKE) */
    vd_mutex wake_lock;
    bool wake_closed;

    /* guarded by lock (VD_RANK_FEED) */
    vd_mutex lock;
    struct node *first, **last; /* oldest first */
    size_t count;
    uint64_t dropped;
    bool wants_detections, due, ended, closed;
};

void vd_feed_item_clear(vd_feed_item *item)
{
    vd_labels_unref(&item->labels);
    free(item->detections);
    item->detections = NULL;
    item->detection_count = 0;
}

static void free_node(struct node *node)
{
    vd_feed_item_clear(&node->item);
    free(node);
}

int vd_feed_new(size_t room, void (*wake)(void *context), void *context, vd_feed **ret_feed)
{
    vd_feed *feed = calloc(1, sizeof *feed);
    if (!feed)
        return VD_ENOMEM;
    if (vd_mutex_init(&feed->lock, VD_RANK_FEED)) {
        free(feed);
        return VD_ENOMEM;
    }
    if (vd_mutex_init(&feed->wake_lock, VD_RANK_WAKE)) {
        vd_mutex_fini(&feed->lock);
        free(feed);
        return VD_ENOMEM;
    }
    feed->room = room;
    feed->wake = wake;
    feed->context = context;
    feed->last = &feed->first;
    feed->wants_detections = true;
    atomic_init(&feed->references, 1);
    *ret_feed = feed;
    return VD_OK;
}

vd_feed *vd_feed_ref(vd_feed *feed)
{
    atomic_fetch_add_explicit(&feed->references, 1, memory_order_relaxed);
    return feed;
}

static void drop_all_locked(vd_feed *feed)
{
    for (struct node *next; feed->first; feed->first = next) {
        next = feed->first->next;
        free_node(feed->first);
    }
    feed->last = &feed->first;
    feed->count = 0;
}

void vd_feed_unref(vd_feed **pointer)
{
    vd_feed *feed = *pointer;
    *pointer = NULL;
    if (!feed || atomic_fetch_sub_explicit(&feed->references, 1, memory_order_acq_rel) > 1)
        return;
    drop_all_locked(feed);
    vd_mutex_fini(&feed->wake_lock);
    vd_mutex_fini(&feed->lock);
    free(feed);
}

static bool copy_item(vd_feed_item *copy, const vd_feed_item *item)
{
    *copy = *item;
    copy->detections = NULL;
    if (item->detection_count > 0) {
        copy->detections = malloc(item->detection_count * sizeof *copy->detections);
        if (!copy->detections)
            return false;
        memcpy(copy->detections, item->detections, item->detection_count * sizeof *copy->detections);
    }
    copy->labels = vd_labels_ref(item->labels);
    return true;
}

static struct node *find_event_locked(const vd_feed *feed, uint64_t id)
{
    for (struct node *node = feed->first; node; node = node->next)
        if (node->item.kind == VD_FEED_EVENT && node->item.event.id == id)
            return node;
    return NULL;
}

static void drop_oldest_locked(vd_feed *feed)
{
    struct node **link = &feed->first;
    while (*link && (*link)->item.kind != VD_FEED_DETECTIONS)
        link = &(*link)->next;
    if (!*link)
        link = &feed->first;
    struct node *node = *link;
    *link = node->next;
    if (feed->last == &node->next)
        feed->last = link;
    free_node(node);
    feed->count--;
    feed->dropped++;
}

static void append_locked(vd_feed *feed, const vd_feed_item *item)
{
    struct node *node = malloc(sizeof *node);
    if (!node || !copy_item(&node->item, item)) {
        free(node);
        feed->dropped++;
        return;
    }
    if (feed->count == feed->room)
        drop_oldest_locked(feed);
    node->next = NULL;
    *feed->last = node;
    feed->last = &node->next;
    feed->due = feed->due || feed->count == 0;
    feed->count++;
}

void vd_feed_push(vd_feed *feed, const vd_feed_item *item)
{
    vd_mutex_lock(&feed->lock);
    if (!feed->closed && !feed->ended && (item->kind != VD_FEED_DETECTIONS || feed->wants_detections)) {
        struct node *old = item->kind == VD_FEED_EVENT ? find_event_locked(feed, item->event.id) : NULL;
        if (old)
            old->item = *item; /* events own nothing */
        else
            append_locked(feed, item);
    }
    vd_mutex_unlock(&feed->lock);
}

void vd_feed_end(vd_feed *feed)
{
    vd_mutex_lock(&feed->lock);
    feed->ended = true;
    feed->due = true;
    vd_mutex_unlock(&feed->lock);
}

bool vd_feed_take_due(vd_feed *feed)
{
    vd_mutex_lock(&feed->lock);
    bool due = feed->due;
    feed->due = false;
    vd_mutex_unlock(&feed->lock);
    return due;
}

void vd_feed_wake(vd_feed *feed)
{
    vd_mutex_lock(&feed->wake_lock);
    if (!feed->wake_closed && feed->wake)
        feed->wake(feed->context);
    vd_mutex_unlock(&feed->wake_lock);
}

bool vd_feed_wants_detections(vd_feed *feed)
{
    vd_mutex_lock(&feed->lock);
    bool wants = feed->wants_detections && !feed->closed;
    vd_mutex_unlock(&feed->lock);
    return wants;
}

bool vd_feed_is_closed(vd_feed *feed)
{
    vd_mutex_lock(&feed->lock);
    bool closed = feed->closed;
    vd_mutex_unlock(&feed->lock);
    return closed;
}

/* --- The subscriber's */

void vd_feed_set_detections(vd_feed *feed, bool wanted)
{
    vd_mutex_lock(&feed->lock);
    feed->wants_detections = wanted;
    vd_mutex_unlock(&feed->lock);
}

int vd_feed_take(vd_feed *feed, vd_feed_item *ret_item)
{
    vd_mutex_lock(&feed->lock);
    struct node *node = feed->first;
    int code = feed->ended ? VD_EEND : VD_EAGAIN;
    if (node) {
        feed->first = node->next;
        if (!feed->first)
            feed->last = &feed->first;
        feed->count--;
        code = VD_OK;
    }
    vd_mutex_unlock(&feed->lock);
    if (node) {
        *ret_item = node->item;
        free(node);
    }
    return code;
}

uint64_t vd_feed_dropped(vd_feed *feed)
{
    vd_mutex_lock(&feed->lock);
    uint64_t dropped = feed->dropped;
    vd_mutex_unlock(&feed->lock);
    return dropped;
}

void vd_feed_close(vd_feed **pointer)
{
    vd_feed *feed = *pointer;
    if (!feed)
        return;
    vd_mutex_lock(&feed->wake_lock);
    feed->wake_closed = true;
    vd_mutex_unlock(&feed->wake_lock);
    vd_mutex_lock(&feed->lock);
    feed->closed = true; /* its camera lets go of it the next time it has something to tell */
    drop_all_locked(feed);
    vd_mutex_unlock(&feed->lock);
    vd_feed_unref(pointer);
}
