#include "event/trail.h"

#include <math.h>

static const float first_step_s = 0.1f;
static const float longest_gap_s = 1;
static const float gap_steps = 2.5f; /* after thinning the newest points lie up to two steps apart */
static const float held_s = 0.15f;

void vd_event_trail_begin(struct vd_event_trail *trail)
{
    trail->count = 0;
    trail->step_s = first_step_s;
}

static void thin(struct vd_event_trail *trail)
{
    for (int i = 0; i < VD_EVENT_POINTS / 2; i++)
        trail->points[i] = trail->points[2 * i];
    trail->count = VD_EVENT_POINTS / 2;
    trail->step_s *= 2;
}

void vd_event_trail_add(struct vd_event_trail *trail, double time_s, const vd_box *box, int class_id)
{
    const struct vd_event_point *points = trail->points;
    if (trail->count == 0)
        trail->first_s = time_s;
    float after_s = (float)(time_s - trail->first_s);
    if (trail->count > 0 && !(after_s > points[trail->count - 1].after_s))
        return;
    if (trail->count >= 2 && after_s - points[trail->count - 2].after_s < trail->step_s)
        trail->count--; /* too close to the one before the last: the last was not needed */
    else if (trail->count == VD_EVENT_POINTS)
        thin(trail);
    trail->points[trail->count++] =
        (struct vd_event_point){.after_s = after_s, .class_id = class_id, .box = *box};
}

static float between(float a, float b, double share)
{
    return (float)((double)a + ((double)b - (double)a) * share);
}

static vd_box box_between(const vd_box *a, const vd_box *b, double share)
{
    return (vd_box){between(a->x1, b->x1, share), between(a->y1, b->y1, share), between(a->x2, b->x2, share),
                    between(a->y2, b->y2, share)};
}

/* The box of a point that stands alone there; false when it is too far away. */
static bool hold(const struct vd_event_point *point, float after_s, vd_box *ret_box, int *ret_class_id)
{
    if (fabsf(point->after_s - after_s) > held_s)
        return false;
    *ret_box = point->box;
    *ret_class_id = point->class_id;
    return true;
}

bool vd_event_trail_at(const struct vd_event_trail *trail, double time_s, vd_box *ret_box, int *ret_class_id)
{
    const struct vd_event_point *points = trail->points;
    float after_s = (float)(time_s - trail->first_s);
    int next = 0;
    if (trail->count == 0 || after_s < -held_s || after_s > points[trail->count - 1].after_s + held_s)
        return false;
    while (next < trail->count && points[next].after_s <= after_s)
        next++;
    if (next == 0 || next == trail->count)
        return hold(&points[next == 0 ? 0 : next - 1], after_s, ret_box, ret_class_id);
    const struct vd_event_point *before = &points[next - 1], *after = &points[next];
    float length_s = after->after_s - before->after_s;
    if (length_s > fmaxf(longest_gap_s, gap_steps * trail->step_s))
        return hold(before, after_s, ret_box, ret_class_id) || hold(after, after_s, ret_box, ret_class_id);
    double share = (double)(after_s - before->after_s) / (double)length_s;
    *ret_box = box_between(&before->box, &after->box, share);
    *ret_class_id = share < 0.5 ? before->class_id : after->class_id;
    return true;
}
