/* Which parts of a file were looked at: a bounded list of spans of stream time. Plain state. */
#ifndef VD_PIPELINE_SPANS_H
#define VD_PIPELINE_SPANS_H

#include <stdbool.h>

enum { VD_SPANS = 32 }; /* more: the smallest gap is closed */

struct vd_span {
    double from_s, to_s;
};

struct vd_spans {
    struct vd_span items[VD_SPANS]; /* rising, apart */
    int count;
};

/* A moment is looked at; true when it had been before.
 *
 * before_s  the moment before, where `joined`: what lies between counts as looked at as well */
bool vd_spans_look(struct vd_spans *spans, double time_s, double before_s, bool joined);

void vd_spans_clear(struct vd_spans *spans);

#endif
