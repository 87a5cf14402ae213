#include "base/future.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/thread.h"

enum state { PENDING, RUNNING, DONE, FAILED, CANCELLED };

struct continuation {
    vd_continuation *run;
    void *context;
    struct continuation *next;
};

/* Enough for the provider's own continuation and one of whoever asked. */
enum { KEPT_CONTINUATIONS = 2 };

struct vd_future {
    /* immutable */
    void (*free_value)(void *value);
    void (*idle)(void *context); /* NULL: the last reference frees it */
    void *idle_context;

    /* atomic: references from any thread */
    atomic_int references;

    /* guarded by lock; value and error are immutable once complete */
    vd_mutex lock;
    vd_cond completed;
    enum state state;
    bool unwanted;
    void *value;
    vd_error error;
    struct continuation kept[KEPT_CONTINUATIONS]; /* the usual ones need no allocation */
    struct continuation *more;
};

int vd_future_new(void (*free_value)(void *value), vd_future **ret_future)
{
    vd_future *future = calloc(1, sizeof *future);
    if (!future)
        return VD_ENOMEM;
    future->free_value = free_value;
    atomic_init(&future->references, 1);
    if (vd_mutex_init(&future->lock, VD_RANK_FUTURE))
        goto no_lock;
    if (vd_cond_init(&future->completed))
        goto no_cond;
    *ret_future = future;
    return VD_OK;
no_cond:
    vd_mutex_fini(&future->lock);
no_lock:
    free(future);
    return VD_ENOMEM;
}

int vd_future_new_reusable(void (*free_value)(void *value), void (*idle)(void *context), void *context,
                           vd_future **ret_future)
{
    vd_future *future;
    int code = vd_future_new(free_value, &future);
    if (code)
        return code;
    future->idle = idle;
    future->idle_context = context;
    *ret_future = future;
    return VD_OK;
}

void vd_future_renew(vd_future *future)
{
    future->state = PENDING;
    future->unwanted = false;
    for (int i = 0; i < KEPT_CONTINUATIONS; i++)
        future->kept[i].run = NULL;
    atomic_store(&future->references, 1);
}

vd_future *vd_future_ref(vd_future *future)
{
    atomic_fetch_add_explicit(&future->references, 1, memory_order_relaxed);
    return future;
}

void vd_future_unref(vd_future **pointer)
{
    vd_future *future = *pointer;
    *pointer = NULL;
    if (!future || atomic_fetch_sub(&future->references, 1) != 1)
        return;
    if (future->value && future->free_value)
        future->free_value(future->value);
    future->value = NULL;
    while (future->more) {
        struct continuation *next = future->more->next;
        free(future->more);
        future->more = next;
    }
    if (future->idle)
        future->idle(future->idle_context);
    else
        vd_future_free_idle(&future);
}

void vd_future_free_idle(vd_future **pointer)
{
    vd_future *future = *pointer;
    *pointer = NULL;
    if (!future)
        return;
    vd_cond_fini(&future->completed);
    vd_mutex_fini(&future->lock);
    free(future);
}

static bool is_complete_locked(const vd_future *future)
{
    return future->state >= DONE;
}

/* Sets the final state and runs the continuations outside the lock. */
static void finish_locked(vd_future *future, enum state state)
{
    future->state = state;
    vd_cond_broadcast(&future->completed);
    struct continuation kept[KEPT_CONTINUATIONS], *more = future->more;
    memcpy(kept, future->kept, sizeof kept);
    future->more = NULL;
    vd_mutex_unlock(&future->lock);
    for (int i = 0; i < KEPT_CONTINUATIONS && kept[i].run; i++)
        kept[i].run(kept[i].context, future);
    while (more) {
        struct continuation *next = more->next;
        more->run(more->context, future);
        free(more);
        more = next;
    }
}

bool vd_future_begin(vd_future *future)
{
    vd_mutex_lock(&future->lock);
    bool begun = future->state == PENDING;
    if (begun)
        future->state = RUNNING;
    vd_mutex_unlock(&future->lock);
    return begun;
}

bool vd_future_is_unwanted(vd_future *future)
{
    vd_mutex_lock(&future->lock);
    bool unwanted = future->unwanted;
    vd_mutex_unlock(&future->lock);
    return unwanted;
}

void *vd_future_take_value(vd_future *future)
{
    vd_mutex_lock(&future->lock);
    void *value = future->state == DONE ? future->value : NULL;
    future->value = NULL;
    vd_mutex_unlock(&future->lock);
    return value;
}

void vd_future_complete(vd_future *future, void *value)
{
    vd_mutex_lock(&future->lock);
    if (is_complete_locked(future)) { /* failed meanwhile by a provider that shuts down */
        vd_mutex_unlock(&future->lock);
        if (value && future->free_value)
            future->free_value(value);
        return;
    }
    future->value = value;
    finish_locked(future, DONE);
}

bool vd_future_fail(vd_future *future, const vd_error *error)
{
    vd_mutex_lock(&future->lock);
    if (is_complete_locked(future)) {
        vd_mutex_unlock(&future->lock);
        return false;
    }
    future->error = *error;
    finish_locked(future, error->code == VD_ECANCELED ? CANCELLED : FAILED);
    return true;
}

bool vd_future_cancel(vd_future *future)
{
    vd_mutex_lock(&future->lock);
    if (future->state != PENDING) {
        future->unwanted = true;
        vd_mutex_unlock(&future->lock);
        return false;
    }
    vd_error_set(&future->error, VD_ECANCELED, NULL, "The request was cancelled before it began.");
    finish_locked(future, CANCELLED);
    return true;
}

int vd_future_wait(vd_future *future, int64_t timeout_ns)
{
    int64_t deadline = vd_clock_deadline_ns(timeout_ns);
    vd_mutex_lock(&future->lock);
    while (!is_complete_locked(future))
        if (!vd_cond_wait_until(&future->completed, &future->lock, deadline))
            break;
    int code = VD_ETIMEOUT;
    if (is_complete_locked(future))
        code = future->state == DONE ? VD_OK : future->error.code;
    vd_mutex_unlock(&future->lock);
    return code;
}

bool vd_future_is_complete(vd_future *future)
{
    vd_mutex_lock(&future->lock);
    bool complete = is_complete_locked(future);
    vd_mutex_unlock(&future->lock);
    return complete;
}

void *vd_future_value(vd_future *future)
{
    vd_mutex_lock(&future->lock);
    void *value = future->state == DONE ? future->value : NULL;
    vd_mutex_unlock(&future->lock);
    return value;
}

const vd_error *vd_future_error(vd_future *future)
{
    vd_mutex_lock(&future->lock);
    bool failed = future->state == FAILED || future->state == CANCELLED;
    vd_mutex_unlock(&future->lock);
    return failed ? &future->error : NULL;
}

int vd_future_then(vd_future *future, vd_continuation *run, void *context)
{
    vd_mutex_lock(&future->lock);
    if (is_complete_locked(future)) {
        vd_mutex_unlock(&future->lock);
        run(context, future);
        return VD_OK;
    }
    int code = VD_OK, used = 0;
    while (used < KEPT_CONTINUATIONS && future->kept[used].run)
        used++;
    if (used < KEPT_CONTINUATIONS) {
        future->kept[used] = (struct continuation){.run = run, .context = context};
    } else {
        struct continuation *added = malloc(sizeof *added), **last = &future->more;
        if (added) {
            *added = (struct continuation){.run = run, .context = context};
            while (*last)
                last = &(*last)->next;
            *last = added;
        } else {
            code = VD_ENOMEM;
        }
    }
    vd_mutex_unlock(&future->lock);
    return code;
}
