/* Where tensors lie: roots by the time they are alive in one arena (greedy, largest first, each at the lowest
 * gap that fits best), views within their roots. */
#include <stdlib.h>
#include <string.h>

#include "engine/plan_parts.h"

#define MOST_BYTES ((size_t)4 << 30) /* of the arena: more is no network that anybody runs */

typedef struct packing {
    vd_plan *plan;
    int *order; /* roots of the arena, largest first */
    int count;
    int *placed; /* those that have a place, by rising place */
    int placed_count;
} packing;

static size_t aligned(size_t bytes)
{
    return (bytes + VD_PLAN_ALIGN - 1) / VD_PLAN_ALIGN * VD_PLAN_ALIGN;
}

void *vd_plan_alloc(size_t bytes)
{
    size_t rounded = aligned(bytes ? bytes : 1);
    if (rounded < bytes)
        return NULL;
    void *memory = aligned_alloc(VD_PLAN_ALIGN, rounded);
    if (memory)
        memset(memory, 0, rounded);
    return memory;
}

static size_t root_bytes(const vd_tensor *root)
{
    return aligned(root->bytes) * (size_t)root->pictures;
}

static void touch(vd_plan *plan, int id, int op)
{
    size_t offset;
    if (id < 0)
        return;
    vd_tensor *root = &plan->tensors[vd_plan_root(plan, id, &offset)];
    if (root->first < 0)
        root->first = op;
    root->last = op;
}

static void find_lives(vd_plan *plan)
{
    for (int i = 0; i < plan->op_count; i++) {
        const vd_plan_op *op = &plan->ops[i];
        touch(plan, op->in[0], i);
        touch(plan, op->in[1], i);
        touch(plan, op->temp, i);
        touch(plan, op->out, i);
    }
}

/* The best gap for a root among those that are placed already and alive at the same time. */
static size_t find_gap(const packing *p, const vd_tensor *root, size_t bytes)
{
    size_t end = 0, best = SIZE_MAX, best_gap = SIZE_MAX;
    for (int i = 0; i < p->placed_count; i++) {
        const vd_tensor *other = &p->plan->tensors[p->placed[i]];
        if (other->first > root->last || root->first > other->last)
            continue;
        size_t gap = other->place > end ? other->place - end : 0,
               other_end = other->place + root_bytes(other);
        if (gap >= bytes && gap < best_gap) {
            best = end;
            best_gap = gap;
        }
        end = other_end > end ? other_end : end;
    }
    return best == SIZE_MAX ? end : best;
}

/* Keeps `placed` in the order of places. */
static void insert(packing *p, int id)
{
    int at = p->placed_count++;
    for (; at > 0 && p->plan->tensors[p->placed[at - 1]].place > p->plan->tensors[id].place; at--)
        p->placed[at] = p->placed[at - 1];
    p->placed[at] = id;
}

typedef struct sized {
    size_t bytes;
    int id;
} sized;

static int by_size(const void *a, const void *b)
{
    const sized *x = a, *y = b;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? 1 : -1;
    return x->id - y->id;
}

static int collect_roots(packing *p)
{
    sized *all = calloc((size_t)p->plan->tensor_count + 1, sizeof *all);
    if (!all)
        return VD_ENOMEM;
    for (int i = 0; i < p->plan->tensor_count; i++) {
        const vd_tensor *t = &p->plan->tensors[i];
        if (t->parent < 0 && !t->fixed && t->base == 0 && t->first >= 0)
            all[p->count++] = (sized){root_bytes(t), i};
    }
    qsort(all, (size_t)p->count, sizeof *all, by_size);
    for (int i = 0; i < p->count; i++)
        p->order[i] = all[i].id;
    free(all);
    return VD_OK;
}

static void pack(packing *p)
{
    for (int i = 0; i < p->count; i++) {
        vd_tensor *root = &p->plan->tensors[p->order[i]];
        size_t bytes = root_bytes(root);
        root->place = find_gap(p, root, bytes);
        insert(p, p->order[i]);
        if (root->place + bytes > p->plan->arena_bytes)
            p->plan->arena_bytes = root->place + bytes;
    }
}

static void place_views(vd_plan *plan)
{
    for (int i = 0; i < plan->tensor_count; i++) {
        size_t offset;
        const vd_tensor *root = &plan->tensors[vd_plan_root(plan, i, &offset)];
        plan->tensors[i].stride = aligned(root->bytes);
        if (plan->tensors[i].parent < 0)
            continue;
        plan->tensors[i].place = root->place + offset;
        plan->tensors[i].fixed = root->fixed;
        plan->tensors[i].base = root->base;
    }
}

int vd_plan_place(vd_plan *plan)
{
    packing p = {.plan = plan};
    p.order = calloc((size_t)plan->tensor_count + 1, sizeof *p.order);
    p.placed = calloc((size_t)plan->tensor_count + 1, sizeof *p.placed);
    int code = p.order && p.placed ? VD_OK : VD_ENOMEM;
    find_lives(plan);
    if (code == VD_OK)
        code = collect_roots(&p);
    if (code == VD_OK) {
        pack(&p);
        place_views(plan);
        plan->arena = plan->arena_bytes <= MOST_BYTES ? vd_plan_alloc(plan->arena_bytes) : NULL;
        code = plan->arena ? VD_OK : VD_ENOMEM;
    }
    free(p.order);
    free(p.placed);
    return code;
}
