#include "plan_chance.h"

#include <stdbool.h>
#include <string.h>

#include "seeded.h"

typedef struct chance {
    plan_case *c;
    int pool[CASE_VALUES], count; /* values of rank 4 to go on from */
} chance;

static int below(chance *r, int limit)
{
    return (int)seeded_below(&r->c->seed, (uint32_t)limit);
}

static int any_channels(chance *r)
{
    return below(r, 2) ? 16 * (1 + below(r, 3)) : 1 + below(r, 40);
}

static vd_plan_act any_act(chance *r)
{
    vd_plan_act act = (vd_plan_act)below(r, VD_ACT_END);
    return act == VD_ACT_EXP ? VD_ACT_SILU : act;
}

static int any_value(chance *r)
{
    return r->pool[below(r, r->count)];
}

/* Another value whose extents but that of the channels are those of x. */
static int like(chance *r, int x, bool channels_too)
{
    const int *want = r->c->values[x].extents;
    int start = below(r, r->count);
    for (int i = 0; i < r->count; i++) {
        int value = r->pool[(start + i) % r->count];
        const int *have = r->c->values[value].extents;
        if (have[0] == want[0] && have[2] == want[2] && have[3] == want[3] &&
            (!channels_too || have[1] == want[1]))
            return value;
    }
    return x;
}

static int any_conv(chance *r, int x)
{
    int channels = r->c->values[x].extents[1], kind = below(r, 6), kernel = 1 + 2 * below(r, 2);
    if (kind == 0)
        return case_window(r->c, x, channels, (const int[]){3, 3},
                           (const int[]){1, 1, 1, 1, 1, 1, 1, 1, channels}, any_act(r));
    if (kind == 1 && channels % 2 == 0)
        return case_window(r->c, x, 2 * any_channels(r), (const int[]){1, 3},
                           (const int[]){1, 1, 0, 1, 0, 1, 1, 1, 2}, any_act(r));
    int y = case_conv(r->c, x, below(r, 3) ? channels : any_channels(r), kernel, 1 + (below(r, 5) == 0),
                      any_act(r));
    if (kind == 2 && memcmp(r->c->values[x].extents, r->c->values[y].extents, 4 * sizeof(int)) == 0)
        y = case_binary(r->c, VD_PLAN_ADD, below(r, 2) ? x : y, below(r, 2) ? x : y);
    return y;
}

static int any_join(chance *r, int x)
{
    int members[4], count = 2 + below(r, 3), channels = 0;
    for (int i = 0; i < count; i++) {
        members[i] = i == 0 ? x : like(r, x, false);
        channels += r->c->values[members[i]].extents[1];
    }
    return channels <= 200 ? case_concat(r->c, 1, count, members) : x;
}

static int any_slice(chance *r, int x)
{
    int channels = r->c->values[x].extents[1], start = below(r, channels), block = start / 16 * 16;
    if (below(r, 2))
        return case_slice(r->c, x, 1, block, channels - block, 1);
    if (below(r, 2) && channels >= block + 16)
        return case_slice(r->c, x, 1, block, 16, 1);
    return case_slice(r->c, x, 1, start, 1 + below(r, channels - start), 1);
}

static int any_binary(chance *r, int x)
{
    const vd_plan_value v = r->c->values[x];
    vd_plan_kind kind = (vd_plan_kind)(VD_PLAN_ADD + below(r, 3));
    switch (below(r, 5)) {
    case 0:
        return case_binary(r->c, VD_PLAN_DIV, x, case_constant(r->c, 3, v.extents + 1, 1, 2));
    case 1:
        return case_binary(r->c, kind, case_constant(r->c, 3, (const int[]){v.extents[1], 1, 1}, -1, 1), x);
    case 2:
        return case_binary(r->c, kind, x, case_act(r->c, case_global(r->c, x), VD_ACT_TANH));
    case 3:
        return case_binary(r->c, kind, x, case_constant(r->c, 0, NULL, -1, 1));
    default:
        return case_binary(r->c, kind, x, like(r, x, true));
    }
}

/* Out of blocks and back. */
static int any_detour(chance *r, int x)
{
    const vd_plan_value v = r->c->values[x];
    int n = v.extents[0], channels = v.extents[1], plane = v.extents[2] * v.extents[3];
    int flat = case_reshape(r->c, x, 3, (const int[]){n, channels, plane});
    if (below(r, 2)) {
        int turned = case_transpose(r->c, flat, (const int[]){0, 2, 1});
        int mixed = case_softmax(r->c, case_matmul(r->c, flat, turned), 1 + below(r, 2));
        flat = case_matmul(r->c, mixed, flat);
    } else {
        flat = case_transpose(r->c, flat, (const int[]){0, 2, 1});
        flat = case_transpose(r->c, case_softmax(r->c, flat, below(r, 3)), (const int[]){0, 2, 1});
    }
    return case_reshape(r->c, flat, 4, v.extents);
}

static int any_window(chance *r, int x)
{
    const vd_plan_value v = r->c->values[x];
    bool small = v.extents[2] < 3 || v.extents[3]<3, large = v.extents[2]> 12 || v.extents[3] > 12;
    switch (below(r, 5)) {
    case 0:
        return large ? x : case_nearest(r->c, x, 2);
    case 1:
        return large ? x : case_pad(r->c, x, below(r, 2), below(r, 2), 1, below(r, 3), (float)below(r, 2));
    case 2:
        return small ? x
                     : case_pool(r->c, VD_PLAN_AVG_POOL, x, 2 + below(r, 2), 1 + below(r, 2), below(r, 2));
    case 3:
        return large ? x : case_deconv(r->c, x, any_channels(r), 2 + below(r, 2), 2, 0, 1, any_act(r));
    default:
        return small ? x : case_pool(r->c, VD_PLAN_MAX_POOL, x, 3, 1 + below(r, 2), below(r, 2));
    }
}

static int any_step(chance *r)
{
    int x = any_value(r);
    vd_plan_act act;
    switch (below(r, 10)) {
    case 0:
    case 1:
        return any_join(r, x);
    case 2:
        return any_slice(r, x);
    case 3:
        return any_binary(r, x);
    case 4:
        return any_detour(r, x);
    case 5:
        return any_window(r, x);
    case 6:
        act = any_act(r);
        return act ? case_act(r->c, x, act) : x;
    default:
        return any_conv(r, x);
    }
}

static bool is_output(const plan_case *c, int value)
{
    for (int i = 0; i < c->output_count; i++)
        if (c->outputs[i] == value)
            return true;
    return false;
}

void case_by_chance(plan_case *c, uint64_t seed)
{
    static chance r;
    r = (chance){.c = c};
    case_init(c, seed);
    int batch = below(&r, 4) == 0 ? 2 : 1;
    for (int i = below(&r, 2); i < 2; i++) {
        int extents[4] = {batch, any_channels(&r), 3 + below(&r, 7), 3 + below(&r, 7)};
        r.pool[r.count++] = case_input(c, 4, extents);
    }
    int steps = 4 + below(&r, 20);
    for (int i = 0; i < steps; i++) {
        int made = any_step(&r);
        r.pool[r.count++] = made;
    }
    case_output(c, any_conv(&r, r.pool[r.count - 1]));
    for (int i = 0; i < 3; i++) {
        int value = any_value(&r);
        if (c->values[value].input < 0 && !is_output(c, value))
            case_output(c, value);
    }
}
