#include "base/cancel.h"

#include <stdlib.h>

#include "base/clock.h"
#include "vedette/error.h"

static int init_with_rank(vd_cancel *cancel, int rank)
{
    cancel->parent = cancel->children = cancel->sibling = NULL;
    atomic_init(&cancel->requested, false);
    int code = vd_mutex_init(&cancel->lock, rank);
    if (code)
        return code;
    code = vd_cond_init(&cancel->wake);
    if (code)
        vd_mutex_fini(&cancel->lock);
    return code;
}

int vd_cancel_init(vd_cancel *cancel)
{
    return init_with_rank(cancel, VD_RANK_CANCEL);
}

int vd_cancel_init_child(vd_cancel *cancel, vd_cancel *parent)
{
    if (parent && parent->parent)
        return VD_EINVAL;
    int code = init_with_rank(cancel, VD_RANK_CANCEL_CHILD);
    if (code || !parent)
        return code;
    vd_mutex_lock(&parent->lock);
    cancel->parent = parent;
    cancel->sibling = parent->children;
    parent->children = cancel;
    atomic_store(&cancel->requested, atomic_load(&parent->requested));
    vd_mutex_unlock(&parent->lock);
    return VD_OK;
}

void vd_cancel_fini(vd_cancel *cancel)
{
    if (cancel->parent) {
        vd_mutex_lock(&cancel->parent->lock);
        vd_cancel **link = &cancel->parent->children;
        while (*link != cancel)
            link = &(*link)->sibling;
        *link = cancel->sibling;
        vd_mutex_unlock(&cancel->parent->lock);
    }
    vd_cond_fini(&cancel->wake);
    vd_mutex_fini(&cancel->lock);
}

int vd_cancel_new(vd_cancel **ret_cancel)
{
    vd_cancel *cancel = calloc(1, sizeof *cancel);
    if (!cancel)
        return VD_ENOMEM;
    int code = vd_cancel_init(cancel);
    if (code) {
        free(cancel);
        return code;
    }
    *ret_cancel = cancel;
    return VD_OK;
}

void vd_cancel_free(vd_cancel **cancel)
{
    if (!*cancel)
        return;
    vd_cancel_fini(*cancel);
    free(*cancel);
    *cancel = NULL;
}

void vd_cancel_request(vd_cancel *cancel)
{
    vd_mutex_lock(&cancel->lock);
    atomic_store(&cancel->requested, true);
    vd_cond_broadcast(&cancel->wake);
    for (vd_cancel *child = cancel->children; child; child = child->sibling)
        vd_cancel_request(child);
    vd_mutex_unlock(&cancel->lock);
}

bool vd_cancel_requested(const vd_cancel *cancel)
{
    return cancel && atomic_load(&cancel->requested);
}

bool vd_cancel_sleep_until(vd_cancel *cancel, int64_t deadline_ns)
{
    vd_mutex_lock(&cancel->lock);
    while (!atomic_load(&cancel->requested) && vd_clock_now_ns() < deadline_ns)
        vd_cond_wait_until(&cancel->wake, &cancel->lock, deadline_ns);
    bool requested = atomic_load(&cancel->requested);
    vd_mutex_unlock(&cancel->lock);
    return requested;
}
