/* Events: what a track becomes once it meets a camera's rules, with the verdict of the second model and the
 * operator's own judgement. Plain values. */
#ifndef VEDETTE_APP_EVENT_H
#define VEDETTE_APP_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vedette/detection.h"
#include "vedette/error.h"

/* Of stage 2 (rows D4, D5, D7). */
typedef enum vd_verdict {
    VD_VERDICT_NONE,      /* stage 2 is off, or the event has not asked */
    VD_VERDICT_PENDING,   /* asked */
    VD_VERDICT_VERIFIED,  /* score at least the threshold */
    VD_VERDICT_REJECTED,  /* below */
    VD_VERDICT_UNVERIFIED /* no verdict came; the cause says why. Shown as an event all the same */
} vd_verdict;

typedef enum vd_verdict_cause {
    VD_CAUSE_NONE,
    VD_CAUSE_TIMED_OUT, /* worker_timeout_sec passed */
    VD_CAUSE_FAILED,    /* its worker crashed or answered rubbish, or the model could not */
    VD_CAUSE_DEGRADED,  /* no model */
    VD_CAUSE_DROPPED,   /* a queue was full, or waiting clips held all pictures: its request is counted as
                           dropped by stage 2, and only there; one never submitted in events_unasked */
    VD_CAUSE_STOPPED    /* shut down before its turn; counted in the same way */
} vd_verdict_cause;

/* The operator's (row D11). */
typedef enum vd_judgement {
    VD_JUDGEMENT_NONE,
    VD_JUDGEMENT_CONFIRMED,
    VD_JUDGEMENT_FALSE_ALARM
} vd_judgement;

/* `verified`, `unverified: timed out` … One phrase, never NULL. */
const char *vd_verdict_words(vd_verdict verdict, vd_verdict_cause cause);

/* Whether the simple score stands in for the second model's: UNVERIFIED because the model is missing, was
 * late or failed. */
bool vd_verdict_is_simple(vd_verdict verdict, vd_verdict_cause cause);

/* What a track must be to become an event. A plain value, swapped whole; acts on the next frame. */
typedef struct vd_event_rules {
    vd_thresholds thresholds; /* confidence: the least median over the track's history; classes: the wanted */
    double least_size_px;     /* the shorter side of the box in the source picture, default 0 */
    double confirm_s;         /* the least age of a track, default 0.3 */
    double absence_s;         /* an event closes after its track was not seen for so long, default 3 */
    double parked_s; /* what has not moved for so long opens no new event where it stands, default 60 */
} vd_event_rules;

#define VD_EVENT_RULES_INIT                                                                                  \
    {                                                                                                        \
        .thresholds = VD_THRESHOLDS_INIT, .confirm_s = 0.3, .absence_s = 3, .parked_s = 60                   \
    }

/* VD_OK or VD_EINVAL with the field, its value and the range. */
int vd_event_rules_validate(const vd_event_rules *rules, vd_error *error);

struct vd_frame;

typedef struct vd_event {
    uint64_t id; /* from 1, of its camera */
    int track_id;
    int class_id;
    char class_name[64];
    int64_t opened_frame;    /* of the source */
    double opened_s, seen_s; /* stream time: opened; track last seen */
    int64_t opened_unix_ms;  /* wall clock, for people */
    bool closed;
    float confidence; /* median over the track's history so far */
    vd_box box;       /* where it was seen most surely, in source pixels */
    float box_score;
    struct vd_frame
        *thumbnail;   /* BGRX, at most 160 pixels a side; NULL: none yet. One reference with the event */
    uint64_t request; /* of stage 2; 0: none */
    vd_verdict verdict;
    vd_verdict_cause cause;
    float score;            /* of the second model; where vd_verdict_is_simple, the simple one; 0 to 1 */
    double verdict_after_s; /* from the request to the verdict */
    bool shadow;            /* the verdict is measured, and changes nothing that the operator is told */
    vd_judgement judgement;
    uint32_t revision; /* rises with every change of this event */
} vd_event;

/* Gives back the thumbnail; the rest is plain. */
void vd_event_clear(vd_event *event);

/* Before and after stage 2 over the operator's judgements: all that were judged count before; those that were
 * not rejected count after. */
typedef struct vd_event_figures {
    uint64_t events, judged, confirmed;                     /* confirmed of judged: precision before */
    uint64_t passed, passed_confirmed;                      /* judged and not rejected; of them confirmed */
    double precision_before, precision_after, recall_after; /* 0 to 1; NAN while nothing was judged */
} vd_event_figures;

#endif
