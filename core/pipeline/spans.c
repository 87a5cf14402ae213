#include "pipeline/spans.h"

#include <math.h>
#include <string.h>

static const double same_s = 0.0005; /* a time that comes back from a seek */

static void remove_at(struct vd_spans *spans, int i)
{
    memmove(&spans->items[i], &spans->items[i + 1], (size_t)(--spans->count - i) * sizeof spans->items[0]);
}

static void close_smallest_gap(struct vd_spans *spans)
{
    int best = 0;
    for (int i = 1; i + 1 < spans->count; i++)
        if (spans->items[i + 1].from_s - spans->items[i].to_s <
            spans->items[best + 1].from_s - spans->items[best].to_s)
            best = i;
    spans->items[best].to_s = spans->items[best + 1].to_s;
    remove_at(spans, best + 1);
}

static void add(struct vd_spans *spans, double from_s, double to_s)
{
    int i = 0;
    while (i < spans->count && spans->items[i].to_s < from_s - same_s)
        i++;
    while (i < spans->count && spans->items[i].from_s <= to_s + same_s) {
        from_s = fmin(from_s, spans->items[i].from_s);
        to_s = fmax(to_s, spans->items[i].to_s);
        remove_at(spans, i);
    }
    if (spans->count == VD_SPANS) {
        close_smallest_gap(spans);
        add(spans, from_s, to_s);
        return;
    }
    memmove(&spans->items[i + 1], &spans->items[i], (size_t)(spans->count - i) * sizeof spans->items[0]);
    spans->items[i] = (struct vd_span){from_s, to_s};
    spans->count++;
}

bool vd_spans_look(struct vd_spans *spans, double time_s, double before_s, bool joined)
{
    bool known = false;
    for (int i = 0; i < spans->count; i++)
        known =
            known || (time_s >= spans->items[i].from_s - same_s && time_s <= spans->items[i].to_s + same_s);
    bool forward = joined && before_s <= time_s;
    add(spans, forward ? before_s : time_s, time_s);
    return known;
}

void vd_spans_clear(struct vd_spans *spans)
{
    spans->count = 0;
}
