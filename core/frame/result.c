/* Results and their pool. A pool and its results live until both the owner has given the pool up and the last
 * result is back.
 *
 * Invariants
 * 1. made = free + in use, under the lock.
 * 2. A result in the free list has no references and no labels. */
#include "frame/result.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/thread.h"

struct entry {
    atomic_int references; /* atomic: shared by readers on any thread */
    vd_result_pool *pool;  /* immutable */
    struct entry *next;    /* guarded by the pool's lock */
    vd_result result;      /* written by who took it, immutable once shared */
};

struct vd_result_pool {
    vd_mutex lock;
    /* guarded by lock */
    struct entry *free;
    int in_use;
    bool abandoned;
};

static struct entry *entry_of(vd_result *result)
{
    return (struct entry *)((char *)result - offsetof(struct entry, result));
}

static struct entry *make_entry(vd_result_pool *pool)
{
    struct entry *entry = malloc(sizeof *entry);
    if (!entry)
        return NULL;
    memset(entry, 0, sizeof *entry); /* touched now, so that memory does not grow while running */
    entry->pool = pool;
    return entry;
}

static void destroy_pool(vd_result_pool *pool)
{
    while (pool->free) {
        struct entry *next = pool->free->next;
        free(pool->free);
        pool->free = next;
    }
    vd_mutex_fini(&pool->lock);
    free(pool);
}

int vd_result_pool_new(int count, vd_result_pool **ret_pool)
{
    vd_result_pool *pool = calloc(1, sizeof *pool);
    if (!pool)
        return VD_ENOMEM;
    if (vd_mutex_init(&pool->lock, VD_RANK_POOL)) {
        free(pool);
        return VD_ENOMEM;
    }
    for (int i = 0; i < count; i++) {
        struct entry *entry = make_entry(pool);
        if (!entry) {
            destroy_pool(pool);
            return VD_ENOMEM;
        }
        entry->next = pool->free;
        pool->free = entry;
    }
    *ret_pool = pool;
    return VD_OK;
}

void vd_result_pool_free(vd_result_pool **pointer)
{
    vd_result_pool *pool = *pointer;
    *pointer = NULL;
    if (!pool)
        return;
    vd_mutex_lock(&pool->lock);
    pool->abandoned = true;
    bool last = pool->in_use == 0;
    vd_mutex_unlock(&pool->lock);
    if (last)
        destroy_pool(pool);
}

int vd_result_pool_take(vd_result_pool *pool, vd_result **ret_result)
{
    vd_mutex_lock(&pool->lock);
    struct entry *entry = pool->free;
    if (entry)
        pool->free = entry->next;
    else
        entry = make_entry(pool);
    if (entry)
        pool->in_use++;
    vd_mutex_unlock(&pool->lock);
    if (!entry)
        return VD_ENOMEM;
    memset(&entry->result, 0, offsetof(vd_result, candidates));
    atomic_store(&entry->references, 1);
    *ret_result = &entry->result;
    return VD_OK;
}

vd_result *vd_result_ref(vd_result *result)
{
    atomic_fetch_add_explicit(&entry_of(result)->references, 1, memory_order_relaxed);
    return result;
}

void vd_result_unref(vd_result **pointer)
{
    vd_result *result = *pointer;
    *pointer = NULL;
    if (!result || atomic_fetch_sub(&entry_of(result)->references, 1) != 1)
        return;
    struct entry *entry = entry_of(result);
    vd_result_pool *pool = entry->pool;
    vd_labels_unref(&result->labels);
    vd_mutex_lock(&pool->lock);
    entry->next = pool->free;
    pool->free = entry;
    bool last = --pool->in_use == 0 && pool->abandoned;
    vd_mutex_unlock(&pool->lock);
    if (last)
        destroy_pool(pool);
}
