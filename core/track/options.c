#include <math.h>

#include "vedette/app/track.h"

struct rule {
    const char *name;
    double value, least, most;
};

void vd_track_options_set_lost(vd_track_options *options, double lost_s)
{
    options->lost_s = lost_s;
    options->tentative_s = fmin(options->tentative_s, lost_s);
    options->gap_s = fmax(options->gap_s, lost_s);
}

int vd_track_options_validate(const vd_track_options *options, vd_error *error)
{
    const struct rule rules[] = {
        {"start_score", (double)options->start_score, 0, 1},
        {"keep_score", (double)options->keep_score, 0, (double)options->start_score},
        {"lost_s", options->lost_s, 0.1, 10},
        {"tentative_s", options->tentative_s, 0.05, options->lost_s},
        {"confirm_s", options->confirm_s, 0, 10},
        {"gap_s", options->gap_s, options->lost_s, 600},
        {"acceleration", options->acceleration, 0.05, 20},
        {"speed", options->speed, 0.1, 50},
        {"noise", options->noise, 0.005, 0.5},
        {"gate", options->gate, 2, 50},
        {"same_iou", options->same_iou, 0.5, 1},
    };
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (!(rules[i].value >= rules[i].least && rules[i].value <= rules[i].most))
            return vd_error_set(error, VD_EINVAL, NULL, "Tracking's %s is %g; it must be %g to %g.",
                                rules[i].name, rules[i].value, rules[i].least, rules[i].most);
    return VD_OK;
}
