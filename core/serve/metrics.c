/* The figures of the service in Prometheus' text form (exposition format 0.0.4). */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "serve/handlers.h"
#include "serve/request.h"

static void describe(GString *out, const char *name, const char *type, const char *help)
{
    g_string_append_printf(out, "# HELP vedette_%s %s\n# TYPE vedette_%s %s\n", name, help, name, type);
}

/* labels  such as `reason="deadline"`; empty: none */
static void add(GString *out, const char *name, const char *labels, double value)
{
    char number[64];
    vd_text_number(number, sizeof number, value, value == (double)(int64_t)value ? 0 : 6);
    g_string_append_printf(out, "vedette_%s%s%s%s %s\n", name, *labels ? "{" : "", labels, *labels ? "}" : "",
                           number);
}

static void add_one(GString *out, const char *name, const char *type, const char *help, double value)
{
    describe(out, name, type, help);
    add(out, name, "", value);
}

static void add_frames(GString *out, const vd_session_stats *total)
{
    static const char *const reasons[] = {[VD_SKIP_FPS_LIMIT] = "reason=\"fps_limit\"",
                                          [VD_SKIP_QUEUE_FULL] = "reason=\"queue_full\"",
                                          [VD_SKIP_SUPERSEDED] = "reason=\"superseded\"",
                                          [VD_SKIP_DEADLINE] = "reason=\"deadline\""};
    add_one(out, "frames_total", "counter", "Frames that clients sent.", (double)total->frames);
    add_one(out, "results_total", "counter", "Frames answered with detections.", (double)total->results);
    add_one(out, "failed_total", "counter", "Frames answered with an error.", (double)total->failed);
    describe(out, "skipped_total", "counter", "Frames answered with skipped, by why.");
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        add(out, "skipped_total", reasons[i], (double)total->skipped[i]);
    add_one(out, "answers_dropped_total", "counter", "Answers that waited for a reader and gave way.",
            (double)total->answers_dropped);
    add_one(out, "frames_waiting", "gauge", "Frames that wait for a worker.", total->waiting);
    add_one(out, "frames_under_way", "gauge", "Frames being decoded or detected.", total->under_way);
}

static void add_latency(GString *out, const vd_serve *serve)
{
    describe(out, "latency_seconds", "histogram", "From a frame's arrival to its result.");
    uint64_t sum = 0;
    char labels[32], number[32];
    for (size_t i = 0; i < VD_LATENCY_BUCKETS; i++) {
        sum += serve->latency.counts[i];
        vd_text_number(number, sizeof number, vd_latency_bounds_s[i], 3);
        g_snprintf(labels, sizeof labels, "le=\"%s\"", number);
        add(out, "latency_seconds_bucket", labels, (double)sum);
    }
    add(out, "latency_seconds_bucket", "le=\"+Inf\"", (double)serve->latency.count);
    add(out, "latency_seconds_sum", "", serve->latency.sum_s);
    add(out, "latency_seconds_count", "", (double)serve->latency.count);
}

static void add_clients(GString *out, vd_serve *serve)
{
    static const char *const whys[VD_REFUSED_REASONS] = {[VD_REFUSED_CONNECTIONS] = "why=\"connections\"",
                                                         [VD_REFUSED_REQUESTS] = "why=\"requests\"",
                                                         [VD_REFUSED_SESSIONS] = "why=\"sessions\"",
                                                         [VD_REFUSED_TOKEN] = "why=\"token\"",
                                                         [VD_REFUSED_ORIGIN] = "why=\"origin\"",
                                                         [VD_REFUSED_SIZE] = "why=\"size\"",
                                                         [VD_REFUSED_SLOW] = "why=\"slow\"",
                                                         [VD_REFUSED_WRONG] = "why=\"wrong\""};
    const vd_serve_counts *counts = &serve->counts;
    add_one(out, "sessions", "gauge", "Sessions now.", (double)vd_sessions_count(serve->sessions));
    add_one(out, "sessions_total", "counter", "Sessions opened.", (double)counts->sessions);
    add_one(out, "connections", "gauge", "Connections now.", serve->link_count);
    add_one(out, "connections_total", "counter", "Connections accepted.", (double)counts->connections);
    add_one(out, "requests_total", "counter", "Requests read.", (double)counts->requests);
    add_one(out, "watchers", "gauge", "Connections that watch a camera.",
            vd_cameras_watchers(serve->cameras));
    add_one(out, "cut_off_total", "counter", "Clients that did not read and were cut off.",
            (double)counts->cut_off);
    describe(out, "refused_total", "counter", "Who was turned away, by why.");
    for (size_t i = 0; i < VD_REFUSED_REASONS; i++)
        add(out, "refused_total", whys[i], (double)counts->refused[i]);
}

static void add_work(GString *out, vd_serve *serve)
{
    vd_work_stats work = vd_work_get_stats(serve->work);
    add_one(out, "detector_workers", "gauge", "Workers of the detector.", work.workers);
    add_one(out, "detector_busy", "gauge", "Workers that have a picture now.", work.detector.active);
    add_one(out, "detector_queue", "gauge", "Pictures that wait for a worker of the detector.",
            (double)work.detector.queued);
    add_one(out, "detector_load", "gauge", "Share of the workers' time that was busy.", work.load);
    add_one(out, "quality_level", "gauge", "Level of quality: 0 is full, 4 the least.", work.level);
    add_one(out, "quality_lowered_total", "counter", "Times that quality was lowered.", (double)work.lowered);
    add_one(out, "quality_raised_total", "counter", "Times that quality was raised.", (double)work.raised);
}

/* An answer that nobody took in time becomes a dropped one, so what has become of them can fall: a gauge. */
static void add_step2_requests(GString *out, const vd_verify_stats *stats)
{
    describe(out, "step2_requests", "gauge", "Clips handed to the second model, by what has become of them.");
    add(out, "step2_requests", "state=\"verified\"", (double)stats->verified);
    add(out, "step2_requests", "state=\"rejected\"", (double)stats->rejected);
    add(out, "step2_requests", "state=\"unverified\"", (double)stats->unverified);
    add(out, "step2_requests", "state=\"dropped\"", (double)stats->dropped);
    add(out, "step2_requests", "state=\"pending\"", stats->pending_requests);
}

/* Nothing where no camera has stage 2. */
static void add_step2(GString *out, vd_serve *serve)
{
    vd_verify_stats stats;
    if (!vd_serve_get_step2(serve, &stats))
        return;
    add_one(out, "step2_submitted_total", "counter", "Clips handed to the second model.",
            (double)stats.submitted);
    add_step2_requests(out, &stats);
    add_one(out, "step2_oldest_seconds", "gauge", "Age of the oldest that is pending.", stats.oldest_s);
    add_one(out, "step2_avg_processing_seconds", "gauge", "What a worker takes for a verdict, on average.",
            stats.avg_processing_s);
    add_one(out, "step2_workers_active", "gauge", "Workers that have a clip now.", stats.workers_active);
    add_one(out, "step2_workers", "gauge", "Workers that have the model loaded.", stats.workers);
    add_one(out, "step2_max_workers", "gauge", "As many workers as there may be.", stats.max_workers);
    add_one(out, "step2_timeouts_total", "counter", "Clips that had no verdict in time.",
            (double)stats.timeouts);
    add_one(out, "step2_crashes_total", "counter", "Workers that crashed.", (double)stats.crashes);
    add_one(out, "step2_rubbish_total", "counter", "Answers that made no sense.", (double)stats.rubbish);
    add_one(out, "step2_restarts_total", "counter", "Workers that were replaced.", (double)stats.restarts);
    add_one(out, "step2_degraded", "gauge", "1 while the model cannot be run, or keeps failing.",
            stats.degraded);
}

static void add_process(GString *out, vd_serve *serve)
{
    vd_monitor_sample sample;
    vd_monitor_take(serve->monitor, &sample);
    add_one(out, "process_cpu_seconds_total", "counter", "Processor time, all threads.",
            sample.process_cpu_s);
    add_one(out, "process_resident_bytes", "gauge", "Memory in use.", (double)sample.resident_bytes);
    add_one(out, "process_threads", "gauge", "Threads.", sample.threads);
    add_one(out, "uptime_seconds", "gauge", "Since the service began to listen.",
            (double)(vd_clock_now_ns() - serve->began_ns) / 1e9);
}

void vd_metrics_get(vd_request *request)
{
    vd_serve *serve = request->serve;
    vd_session_stats total = vd_sessions_total(serve->sessions, vd_clock_now_ns());
    GString *out = g_string_new(NULL);
    add_frames(out, &total);
    add_latency(out, serve);
    add_clients(out, serve);
    add_work(out, serve);
    add_step2(out, serve);
    add_process(out, serve);
    gsize size = out->len;
    vd_reply_text(request, SOUP_STATUS_OK, "text/plain; version=0.0.4; charset=utf-8",
                  g_string_free(out, FALSE), size);
}
