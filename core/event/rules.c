/* What the values of events mean: rules and their ranges, verdicts in words, references given back. */
#include "frame/frame.h"
#include "vedette/app/event.h"

const char *vd_verdict_words(vd_verdict verdict, vd_verdict_cause cause)
{
    static const char *const causes[] = {
        [VD_CAUSE_NONE] = "unverified",
        [VD_CAUSE_TIMED_OUT] = "unverified: timed out",
        [VD_CAUSE_FAILED] = "unverified: failed",
        [VD_CAUSE_DEGRADED] = "unverified: degraded",
        [VD_CAUSE_DROPPED] = "unverified: dropped",
        [VD_CAUSE_STOPPED] = "unverified: stopped",
    };
    switch (verdict) {
    case VD_VERDICT_NONE:
        return "not verified";
    case VD_VERDICT_PENDING:
        return "pending";
    case VD_VERDICT_VERIFIED:
        return "verified";
    case VD_VERDICT_REJECTED:
        return "rejected";
    case VD_VERDICT_UNVERIFIED:
        break;
    }
    return (size_t)cause < sizeof causes / sizeof *causes ? causes[cause] : causes[VD_CAUSE_NONE];
}

bool vd_verdict_is_simple(vd_verdict verdict, vd_verdict_cause cause)
{
    return verdict == VD_VERDICT_UNVERIFIED &&
           (cause == VD_CAUSE_TIMED_OUT || cause == VD_CAUSE_FAILED || cause == VD_CAUSE_DEGRADED);
}

struct range {
    const char *name;
    double value, least, most;
};

int vd_event_rules_validate(const vd_event_rules *rules, vd_error *error)
{
    const struct range ranges[] = {
        {"confidence", (double)rules->thresholds.confidence, 0, 1},
        {"least_size_px", rules->least_size_px, 0, VD_IMAGE_MAX_SIDE},
        {"confirm_s", rules->confirm_s, 0, 10},
        {"absence_s", rules->absence_s, 0.1, 600},
        {"parked_s", rules->parked_s, 1, 86400},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (!(ranges[i].value >= ranges[i].least && ranges[i].value <= ranges[i].most))
            return vd_error_set(error, VD_EINVAL, NULL, "The events' %s is %g; it must be %g to %g.",
                                ranges[i].name, ranges[i].value, ranges[i].least, ranges[i].most);
    return VD_OK;
}

void vd_event_clear(vd_event *event)
{
    vd_frame_unref(&event->thumbnail);
    *event = (vd_event){0};
}
