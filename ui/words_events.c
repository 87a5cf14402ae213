#include "ui/words_events.h"

#include <glib.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "ui/words.h"

/* Cut at a character's border, which snprintf does not do. */
static void G_GNUC_PRINTF(3, 4) append(char *out, size_t size, const char *format, ...)
{
    va_list args;
    const char *end;
    size_t used = strlen(out);
    va_start(args, format);
    char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_strlcpy(out + used, text, size - used);
    if (!g_utf8_validate(out + used, -1, &end))
        out[end - out] = '\0';
    g_free(text);
}

void vd_words_event_time(char *out, size_t size, const vd_event *event, unsigned terms)
{
    if (terms & VD_EVENT_OF_FILE) {
        vd_words_time(out, size, event->opened_s);
        return;
    }
    GDateTime *time = g_date_time_new_from_unix_local(event->opened_unix_ms / 1000);
    char *text = time ? g_date_time_format(time, "%H:%M:%S") : NULL;
    g_strlcpy(out, text ? text : "", size);
    g_free(text);
    if (time)
        g_date_time_unref(time);
}

static const char *sign_of(vd_verdict verdict)
{
    switch (verdict) {
    case VD_VERDICT_VERIFIED:
        return "✓";
    case VD_VERDICT_REJECTED:
        return "✕";
    case VD_VERDICT_UNVERIFIED:
        return "?";
    case VD_VERDICT_PENDING:
    case VD_VERDICT_NONE:
        break;
    }
    return "…";
}

void vd_words_verdict(char *out, size_t size, const vd_event *event, unsigned terms)
{
    /* Before it is asked about, its clip is being made. */
    vd_verdict verdict =
        event->verdict == VD_VERDICT_NONE && terms & VD_EVENT_STAGE2 ? VD_VERDICT_PENDING : event->verdict;
    *out = '\0';
    if (verdict == VD_VERDICT_NONE)
        return;
    append(out, size, "%s %s", sign_of(verdict), vd_verdict_words(verdict, event->cause));
    if (event->verdict == VD_VERDICT_VERIFIED || event->verdict == VD_VERDICT_REJECTED)
        append(out, size, " %.2f", (double)event->score);
    else if (vd_verdict_is_simple(event->verdict, event->cause))
        append(out, size, " (%.2f)", (double)event->score);
    if (event->shadow)
        append(out, size, " · shadow");
}

const char *vd_words_judgement(vd_judgement judgement)
{
    return judgement == VD_JUDGEMENT_CONFIRMED     ? "Confirmed"
           : judgement == VD_JUDGEMENT_FALSE_ALARM ? "False alarm"
                                                   : "";
}

void vd_words_event(char *out, size_t size, const vd_event *event, unsigned terms)
{
    char time[16], verdict[96];
    vd_words_event_time(time, sizeof time, event, terms);
    vd_words_verdict(verdict, sizeof verdict, event, terms);
    *out = '\0';
    append(out, size, "%s, %s, confidence %.2f", event->class_name, time, (double)event->confidence);
    if (*verdict)
        append(out, size, ", %s", verdict);
    if (vd_verdict_is_simple(event->verdict, event->cause))
        append(out, size, ": how well its detections agree");
    if (event->judgement != VD_JUDGEMENT_NONE)
        append(out, size, ", %s", event->judgement == VD_JUDGEMENT_CONFIRMED ? "confirmed" : "false alarm");
}

void vd_words_events(char *out, size_t size, const vd_event_figures *figures)
{
    *out = '\0';
    append(out, size, "%" G_GUINT64_FORMAT " event%s · %" G_GUINT64_FORMAT " judged", figures->events,
           figures->events == 1 ? "" : "s", figures->judged);
}

static void append_share(char *out, size_t size, double share)
{
    if (isnan(share))
        append(out, size, "–");
    else
        append(out, size, "%.2f", share);
}

void vd_words_precision(char *out, size_t size, const vd_event_figures *figures, bool stage2)
{
    *out = '\0';
    if (figures->judged == 0) {
        append(out, size, "C confirms the chosen event, X marks a false alarm");
        return;
    }
    append(out, size, "Precision ");
    append_share(out, size, figures->precision_before);
    if (!stage2)
        return;
    append(out, size, " → ");
    append_share(out, size, figures->precision_after);
    append(out, size, " · recall ");
    append_share(out, size, figures->recall_after);
}

void vd_words_stage2(char *out, size_t size, const vd_verify_stats *stats, const vd_camera_status *status)
{
    *out = '\0';
    if (stats->degraded)
        append(out, size, "Not verifying, degraded");
    else
        append(out, size, "Verifying %d", stats->pending_requests);
    if (stats->pending_requests > 0)
        append(out, size, " · oldest %.1f s", stats->oldest_s);
    if (stats->dropped > 0)
        append(out, size, " · %" G_GUINT64_FORMAT " dropped", stats->dropped);
    if (status->events_unasked > 0)
        append(out, size, " · %" G_GUINT64_FORMAT " never asked", status->events_unasked);
    if (stats->timeouts > 0)
        append(out, size, " · %" G_GUINT64_FORMAT " timed out", stats->timeouts);
    append(out, size, " · workers %d/%d", stats->workers, stats->max_workers);
}

void vd_words_stage2_full(char *out, size_t size, const vd_verify_stats *stats,
                          const vd_camera_status *status)
{
    *out = '\0';
    append(out, size, "Second model: %s\n", *stats->model ? stats->model : "none that runs");
    append(out, size,
           "Verified %" G_GUINT64_FORMAT ", rejected %" G_GUINT64_FORMAT ", unverified %" G_GUINT64_FORMAT
           ", dropped %" G_GUINT64_FORMAT "\n",
           stats->verified, stats->rejected, stats->unverified, stats->dropped);
    append(out, size, "Waiting %d of at most %d, running %d\n", stats->queue_length, stats->queue_size,
           stats->workers_active);
    append(out, size, "Workers %d, at least %d, at most %d; %" G_GUINT64_FORMAT " replaced\n", stats->workers,
           stats->min_workers, stats->max_workers, stats->restarts);
    append(out, size,
           "Timed out %" G_GUINT64_FORMAT ", crashed %" G_GUINT64_FORMAT
           ", answered rubbish %" G_GUINT64_FORMAT,
           stats->timeouts, stats->crashes, stats->rubbish);
    append(out, size,
           "\nEvents of this source without a verdict yet %d; pictures for clips that found no room "
           "%" G_GUINT64_FORMAT "; events never asked about %" G_GUINT64_FORMAT,
           status->clips_waiting, status->clips_forgotten, status->events_unasked);
    if (stats->verified + stats->rejected > 0)
        append(out, size,
               "\nA verdict takes %.0f ms, 99 of 100 are there in %.0f ms; a worker is at it for %.0f ms on "
               "average",
               stats->p50_s * 1000, stats->p99_s * 1000, stats->avg_processing_s * 1000);
}

void vd_words_degraded(char *out, size_t size, const vd_verify_stats *stats, bool brief)
{
    char why[512];
    const vd_error *error = &stats->degraded_why;
    *out = '\0';
    if (!stats->degraded)
        return;
    if (brief) {
        char *name = *error->place ? g_path_get_basename(error->place) : NULL;
        append(out, size, "Stage 2 is degraded. %s%s%s", name ? name : "", name ? ": " : "", error->text);
        g_free(name);
        return;
    }
    vd_words_error(why, sizeof why, error);
    append(out, size, "Stage 2 is degraded, so events stay unverified. ");
    append(out, size, "%s%sIt is tried again by itself.", why, *why ? " " : "");
}
