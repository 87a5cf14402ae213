#include "serve/figures.h"

#include <math.h>
#include <stdio.h>

#include "base/text.h"
#include "vedette/version.h"

/* Two decimals are enough for people. */
static double rounded(double value)
{
    return round(value * 100) / 100;
}

json_t *vd_figures_ledger(const vd_session_stats *stats)
{
    json_t *skipped =
        json_pack("{s:I,s:I,s:I,s:I}", "fps_limit", (json_int_t)stats->skipped[VD_SKIP_FPS_LIMIT],
                  "queue_full", (json_int_t)stats->skipped[VD_SKIP_QUEUE_FULL], "superseded",
                  (json_int_t)stats->skipped[VD_SKIP_SUPERSEDED], "deadline",
                  (json_int_t)stats->skipped[VD_SKIP_DEADLINE]);
    return json_pack("{s:I,s:I,s:I,s:o,s:i,s:i,s:f,s:{s:f,s:f,s:f}}", "frames", (json_int_t)stats->frames,
                     "results", (json_int_t)stats->results, "failed", (json_int_t)stats->failed, "skipped",
                     skipped, "waiting", stats->waiting, "under_way", stats->under_way, "results_per_s",
                     rounded(stats->results_per_s), "latency_ms", "p50", rounded(stats->p50_ms), "p95",
                     rounded(stats->p95_ms), "p99", rounded(stats->p99_ms));
}

json_t *vd_figures_session(const vd_session *session, int64_t now_ns)
{
    vd_session_stats stats = vd_session_get_stats(session, now_ns);
    json_t *json = vd_figures_ledger(&stats);
    if (!json)
        return NULL;
    json_object_set_new(json, "connected", json_boolean(vd_session_listened(session)));
    json_object_set_new(json, "answers_waiting", json_integer(stats.answers_waiting));
    json_object_set_new(json, "answers_dropped", json_integer((json_int_t)stats.answers_dropped));
    json_object_set_new(json, "tracks", json_integer(stats.tracks));
    json_object_set_new(json, "age_s", json_real(rounded(stats.age_s)));
    return json;
}

static json_t *list_sessions(const vd_serve *serve, int64_t now_ns)
{
    json_t *list = json_array();
    for (size_t i = 0; i < vd_sessions_count(serve->sessions); i++) {
        const vd_session *session = vd_sessions_at(serve->sessions, i);
        char masked[16];
        vd_session_mask_id(vd_session_id(session), masked);
        json_t *json = vd_figures_session(session, now_ns);
        json_object_set_new(json, "client", json_string(masked));
        json_object_set_new(json, "config", vd_session_config_to_json(vd_session_get_config(session)));
        json_array_append_new(list, json);
    }
    return list;
}

static json_t *list_inputs(const vd_work_stats *work)
{
    json_t *list = json_array();
    for (int i = 0; i < work->sizes; i++)
        json_array_append_new(list, json_pack("[i,i]", work->inputs[i].width, work->inputs[i].height));
    return list;
}

static json_t *describe_load(const vd_work_stats *work)
{
    return json_pack("{s:i,s:f,s:f,s:i,s:i,s:I,s:I,s:o}", "level", work->level, "load", rounded(work->load),
                     "wait_p95_ms", rounded(work->wait_p95_ms), "workers", work->workers, "under_way",
                     work->under_way, "lowered", (json_int_t)work->lowered, "raised",
                     (json_int_t)work->raised, "inputs", list_inputs(work));
}

/* Why it is degraded, after the file that it is about: its name will do for those who watch from afar. */
static json_t *describe_error(const vd_error *error)
{
    char text[sizeof error->place + sizeof error->text + 2];
    const char *name = vd_text_base_name(error->place);
    snprintf(text, sizeof text, "%s%s%s", name, *name ? ": " : "", error->text);
    return json_string(text);
}

/* null where no camera has stage 2. */
static json_t *describe_step2(vd_serve *serve)
{
    vd_verify_stats stats;
    if (!vd_serve_get_step2(serve, &stats))
        return json_null();
    json_t *json = json_pack(
        "{s:s,s:I,s:I,s:I,s:I,s:I,s:i,s:f,s:f,s:i,s:i,s:i,s:i,s:I,s:I,s:I,s:I,s:b}", "model", stats.model,
        "submitted", (json_int_t)stats.submitted, "verified", (json_int_t)stats.verified, "rejected",
        (json_int_t)stats.rejected, "unverified", (json_int_t)stats.unverified, "dropped",
        (json_int_t)stats.dropped, "pending_requests", stats.pending_requests, "oldest_s",
        rounded(stats.oldest_s), "avg_processing_time", round(stats.avg_processing_s * 1000) / 1000,
        "workers_active", stats.workers_active, "workers", stats.workers, "min_workers", stats.min_workers,
        "max_workers", stats.max_workers, "timeouts", (json_int_t)stats.timeouts, "crashes",
        (json_int_t)stats.crashes, "rubbish", (json_int_t)stats.rubbish, "restarts",
        (json_int_t)stats.restarts, "degraded", stats.degraded);
    if (stats.degraded)
        json_object_set_new(json, "degraded_why", describe_error(&stats.degraded_why));
    return json;
}

json_t *vd_figures_limits(const vd_serve *serve)
{
    const vd_streaming_settings *settings = &serve->options.streaming;
    return json_pack("{s:i,s:I,s:i}", "max_fps", settings->max_fps, "max_image_bytes",
                     (json_int_t)vd_serve_most_picture(serve), "max_image_megapixels",
                     settings->max_image_megapixels);
}

json_t *vd_figures_service(vd_serve *serve, int64_t now_ns)
{
    vd_session_stats total = vd_sessions_total(serve->sessions, now_ns);
    vd_work_stats work = vd_work_get_stats(serve->work);
    vd_monitor_sample sample;
    vd_monitor_take(serve->monitor, &sample);
    return json_pack("{s:s,s:s,s:s,s:f,s:i,s:i,s:i,s:I,s:o,s:o,s:o,s:o,s:{s:f,s:I,s:i},s:o}", "version",
                     vd_version(), "model", work.model, "engine", work.engine, "uptime_s",
                     rounded((double)(now_ns - serve->began_ns) / 1e9), "connections", serve->link_count,
                     "sessions_now", (int)vd_sessions_count(serve->sessions), "watchers",
                     vd_cameras_watchers(serve->cameras), "cut_off", (json_int_t)serve->counts.cut_off,
                     "total", vd_figures_ledger(&total), "quality", describe_load(&work), "step2",
                     describe_step2(serve), "limits", vd_figures_limits(serve), "process", "cpu_s",
                     rounded(sample.process_cpu_s), "resident_bytes", (json_int_t)sample.resident_bytes,
                     "threads", sample.threads, "sessions", list_sessions(serve, now_ns));
}
