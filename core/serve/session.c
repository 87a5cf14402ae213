#include "serve/session.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "serve/session_state.h"

/* Seconds of an option; what is out of all proportion counts as a year. */
static int64_t ns_of(double seconds)
{
    static const double year_s = 365.0 * 86400;
    return seconds > 0 ? (int64_t)(fmin(seconds, year_s) * 1e9) : 0;
}

int vd_session_new(const vd_session_options *options, vd_session **ret_session)
{
    vd_session *session = calloc(1, sizeof *session);
    int queue_size = options->queue_size > 0 ? options->queue_size : 1;
    /* More than may wait: all frames can be answered before the first answer is sent. */
    int room = queue_size + VD_SESSION_UNDER_WAY + 2;
    vd_outgoing *outgoing = calloc((size_t)room, sizeof *outgoing);
    if (!session || !outgoing) {
        free(session);
        free(outgoing);
        return VD_ENOMEM;
    }
    session->references = 1;
    vd_text_copy(session->id, sizeof session->id, options->id);
    session->owner = options->owner;
    vd_text_copy(session->peer, sizeof session->peer, options->peer);
    session->config = options->config;
    session->queue_size = queue_size;
    session->max_fps = options->max_fps;
    session->timeout_ns = ns_of(options->timeout_s);
    session->deadline_ns = ns_of(options->deadline_s);
    session->stale_ns = ns_of(options->stale_s);
    session->opened_ns = session->touched_ns = session->now_ns = options->now_ns;
    session->outgoing = outgoing;
    session->outgoing_room = room;
    *ret_session = session;
    return VD_OK;
}

vd_session *vd_session_ref(vd_session *session)
{
    if (session)
        session->references++;
    return session;
}

/* What it still has is freed unanswered: whoever holds sessions ends them first. */
static void free_session(vd_session *session)
{
    for (vd_job *job = vd_session_take_unstarted(session); job; job = vd_session_take_unstarted(session))
        vd_job_free(&job);
    for (int i = 0; i < session->under_way; i++)
        if (session->started[i].back)
            vd_job_free(&session->started[i].job);
    for (int i = 0; i < session->outgoing_room; i++)
        free(session->outgoing[i].text);
    free(session->outgoing);
    vd_tracker_free(&session->tracker);
    explicit_bzero(session->id, sizeof session->id);
    free(session);
}

void vd_session_unref(vd_session **session)
{
    if (*session && --(*session)->references == 0)
        free_session(*session);
    *session = NULL;
}

void vd_session_end(vd_session *session, const char *sentence, int64_t now_ns)
{
    if (session->ended)
        return;
    vd_session *held = vd_session_ref(session);
    session->now_ns = now_ns;
    session->ended = true;
    vd_text_copy(session->sentence, sizeof session->sentence, sentence);
    vd_session_fail_started(session, session->sentence);
    for (vd_job *job = vd_session_take_unstarted(session); job; job = vd_session_take_unstarted(session))
        vd_session_fail(session, job, session->sentence);
    vd_session_flush(session);
    vd_session_unref(&held);
}

bool vd_session_ended(const vd_session *session)
{
    return session->ended;
}

void vd_session_touch(vd_session *session, int64_t now_ns)
{
    session->now_ns = session->touched_ns = now_ns;
}

bool vd_session_timed_out(const vd_session *session, int64_t now_ns)
{
    return !session->listened && now_ns - session->touched_ns > session->timeout_ns;
}

int vd_session_change(vd_session *session, const json_t *changes, vd_refusal *refusal, vd_error *error)
{
    int code = vd_session_config_change(&session->config, changes, session->max_fps, refusal, error);
    if (code == VD_OK)
        vd_session_retrack(session);
    return code;
}

vd_session_stats vd_session_get_stats(const vd_session *session, int64_t now_ns)
{
    vd_session_stats stats = {.frames = session->frames,
                              .results = session->results,
                              .failed = session->failed,
                              .waiting = session->due + (session->early != NULL),
                              .under_way = session->under_way,
                              .answers_waiting = session->outgoing_count,
                              .answers_dropped = session->dropped,
                              .results_per_s = vd_rate_per_s(&session->rate, now_ns),
                              .p50_ms = (double)vd_histogram_percentile_ns(&session->latency, 0.50) / 1e6,
                              .p95_ms = (double)vd_histogram_percentile_ns(&session->latency, 0.95) / 1e6,
                              .p99_ms = (double)vd_histogram_percentile_ns(&session->latency, 0.99) / 1e6,
                              .age_s = (double)(now_ns - session->opened_ns) / 1e9,
                              .tracks = session->tracks};
    memcpy(stats.skipped, session->skipped, sizeof stats.skipped);
    return stats;
}

const char *vd_session_id(const vd_session *session)
{
    return session->id;
}

int vd_session_owner(const vd_session *session)
{
    return session->owner;
}

const char *vd_session_peer(const vd_session *session)
{
    return session->peer;
}

const vd_session_config *vd_session_get_config(const vd_session *session)
{
    return &session->config;
}

bool vd_session_listened(const vd_session *session)
{
    return session->listened;
}

void vd_session_mask_id(const char *id, char out[16])
{
    snprintf(out, 16, "%.4s\xe2\x80\xa6", id);
}
