/* Futures of several futures. A group lives until its last member is complete; the future it gives out may be
 * dropped long before or kept long after.
 *
 * Invariant: each member's continuation runs once, so `remaining` reaches 0 once, and whoever takes it there
 * frees. */
#include <stdatomic.h>
#include <stdlib.h>

#include "base/future.h"

struct group {
    vd_future *whole;
    bool any;
    size_t count;
    atomic_size_t remaining;          /* atomic: members complete on any thread */
    _Atomic(vd_future *) last_failed; /* atomic: likewise; one of the members, or NULL */
    vd_future *members[];
};

static void free_member(void *value)
{
    vd_future *member = value;
    vd_future_unref(&member);
}

static const vd_error *first_error(const struct group *group)
{
    const vd_error *error = NULL;
    for (size_t i = 0; i < group->count && !error; i++)
        error = vd_future_error(group->members[i]);
    return error;
}

static void finish(struct group *group)
{
    vd_future *last = atomic_load(&group->last_failed);
    const vd_error *error = !group->any ? first_error(group) : last ? vd_future_error(last) : NULL;
    if (error)
        vd_future_fail(group->whole, error); /* nothing happens where one of `any` has succeeded */
    else if (vd_future_begin(group->whole))
        vd_future_complete(group->whole, NULL);
    for (size_t i = 0; i < group->count; i++)
        vd_future_unref(&group->members[i]);
    vd_future_unref(&group->whole);
    free(group);
}

static void on_member(void *context, vd_future *member)
{
    struct group *group = context;
    if (vd_future_error(member))
        atomic_store(&group->last_failed, member);
    else if (group->any && vd_future_begin(group->whole))
        vd_future_complete(group->whole, vd_future_ref(member));
    if (atomic_fetch_sub(&group->remaining, 1) == 1)
        finish(group);
}

static int make_group(vd_future *const *futures, size_t count, bool any, vd_future **ret_future)
{
    if (count == 0)
        return VD_EINVAL;
    struct group *group = calloc(1, sizeof *group + count * sizeof group->members[0]);
    if (!group)
        return VD_ENOMEM;
    if (vd_future_new(free_member, &group->whole)) {
        free(group);
        return VD_ENOMEM;
    }
    group->any = any;
    group->count = count;
    atomic_init(&group->remaining, count + 1); /* one for this function: members may complete meanwhile */
    for (size_t i = 0; i < count; i++)
        group->members[i] = vd_future_ref(futures[i]);
    vd_future *whole = vd_future_ref(group->whole);
    int code = VD_OK;
    size_t added = 0;
    while (added < count && code == VD_OK) {
        code = vd_future_then(group->members[added], on_member, group);
        added += code == VD_OK;
    }
    /* The members that were not reached will not report: this function stands in for them. */
    size_t missing = count - added;
    if (code)
        vd_future_cancel(whole);
    if (atomic_fetch_sub(&group->remaining, missing + 1) == missing + 1)
        finish(group);
    if (code) {
        vd_future_unref(&whole);
        return code;
    }
    *ret_future = whole;
    return VD_OK;
}

int vd_future_all(vd_future *const *futures, size_t count, vd_future **ret_future)
{
    return make_group(futures, count, false, ret_future);
}

int vd_future_any(vd_future *const *futures, size_t count, vd_future **ret_future)
{
    return make_group(futures, count, true, ret_future);
}
