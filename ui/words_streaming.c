#include "ui/words_streaming.h"

#include <glib.h>

#include "vedette/app/quality.h"

void vd_words_clients(char *out, size_t size, const vd_serve_status *status)
{
    char sessions[40] = "", watchers[48] = "";
    if (status->sessions > 0)
        g_snprintf(sessions, sizeof sessions, "%d session%s", status->sessions,
                   status->sessions == 1 ? "" : "s");
    if (status->watchers > 0)
        g_snprintf(watchers, sizeof watchers, "%d program%s the camera", status->watchers,
                   status->watchers == 1 ? " watches" : "s watch");
    if (!*sessions && !*watchers)
        g_snprintf(out, size, "Nobody is connected");
    else
        g_snprintf(out, size, "%s%s%s", sessions, *sessions && *watchers ? ", " : "", watchers);
}

void vd_words_results(char *out, size_t size, const vd_serve_status *status)
{
    if (status->sessions > 0)
        g_snprintf(out, size, "%.1f a second", status->results_per_s);
    else
        g_snprintf(out, size, "%s", "");
}

void vd_words_quality(char *out, size_t size, const vd_serve_status *status)
{
    if (status->level <= 0)
        g_snprintf(out, size, "Full");
    else
        g_snprintf(out, size, "Lowered by %d of %d steps: there is more to do than can be done",
                   status->level, VD_QUALITY_LEVELS - 1);
}
