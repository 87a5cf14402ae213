/* Frames until they are started: evenly admitted, queued, given up. Nothing here calls out before
 * vd_session_flush, which comes last: a listener may call back. */
#include <math.h>

#include "serve/session_state.h"

static double lowered_rate(const vd_session *session)
{
    return vd_quality_step_of(session->config.quality_mode, session->level).rate;
}

/* Nanoseconds between two frames at fps_limit. */
static int64_t full_interval(const vd_session *session)
{
    return VD_NS_PER_S / session->config.fps_limit;
}

static int64_t interval(const vd_session *session)
{
    return (int64_t)((double)full_interval(session) / lowered_rate(session));
}

/* Whether a frame that comes now may have the slot that is `interval_ns` after the last one. */
static bool may_have_slot(const vd_session *session, int64_t interval_ns, int64_t now_ns)
{
    return !session->admitted || now_ns >= session->slot_ns + interval_ns - full_interval(session) / 2;
}

/* The slot that it then has. A late frame does not move the slots behind it, if it is little: the next is on
 * time again. */
static int64_t slot_of(const vd_session *session, int64_t last_ns, int64_t interval_ns, int64_t now_ns)
{
    int64_t slot_ns = last_ns + interval_ns, least_ns = now_ns - full_interval(session) / 4;
    if (!session->admitted)
        return now_ns;
    return slot_ns > least_ns ? slot_ns : least_ns;
}

/* Whether a frame that comes now would have a slot at fps_limit, whatever the level: counted beside the true
 * slots, to tell a client's own haste from ours. */
static bool has_full_slot(vd_session *session, int64_t now_ns)
{
    int64_t full_ns = full_interval(session);
    if (session->admitted && now_ns < session->full_slot_ns + full_ns / 2)
        return false;
    session->full_slot_ns = slot_of(session, session->full_slot_ns, full_ns, now_ns);
    return true;
}

/* When a frame that came too soon is due: a newer one that is about to come is worth waiting for a little. */
static int64_t early_due(const vd_session *session)
{
    return session->slot_ns + interval(session) + full_interval(session) / 8;
}

static vd_job *pop_due(vd_session *session)
{
    vd_job *job = session->first;
    session->first = job->next;
    if (!session->first)
        session->last = NULL;
    session->due--;
    job->next = NULL;
    return job;
}

static void push_due(vd_session *session, vd_job *job, int64_t due_ns)
{
    while (session->due >= session->queue_size)
        vd_session_skip(session, pop_due(session), VD_SKIP_QUEUE_FULL);
    job->due_ns = due_ns;
    job->next = NULL;
    if (session->last)
        session->last->next = job;
    else
        session->first = job;
    session->last = job;
    session->due++;
}

static void admit(vd_session *session, vd_job *job, int64_t now_ns)
{
    session->slot_ns = slot_of(session, session->slot_ns, interval(session), now_ns);
    session->admitted = true;
    push_due(session, job, now_ns);
}

static vd_job *take_early(vd_session *session)
{
    vd_job *job = session->early;
    session->early = NULL;
    return job;
}

static void give_up_early(vd_session *session)
{
    vd_job *early = take_early(session);
    if (early)
        vd_session_skip(session, early, session->early_lowered ? VD_SKIP_SUPERSEDED : VD_SKIP_FPS_LIMIT);
}

/* At a lowered rate there is no sense in working off what is old. */
static void supersede(vd_session *session)
{
    while (session->due > 1 && lowered_rate(session) < 1)
        vd_session_skip(session, pop_due(session), VD_SKIP_SUPERSEDED);
}

/* The one that came too soon behind a frame that was given up: that one never ran, and so its slot is free.
 * Where a level makes slots long this could come at the end of one, and the next right behind it: then the
 * slot moves. */
static void take_slot(vd_session *session)
{
    vd_job *job = take_early(session);
    int64_t least_ns = job->received_ns - interval(session) / 2;
    if (session->slot_ns < least_ns)
        session->slot_ns = least_ns;
    push_due(session, job, job->received_ns);
}

/* When the frame that is due first will have waited too long; INT64_MAX: never. The only one of a session
 * waits longer: whoever sends seldom has nothing newer to be served instead. */
static int64_t too_late(const vd_session *session)
{
    int64_t last_ns = INT64_MAX, due_ns = session->first ? session->first->due_ns : 0;
    bool is_newest = session->due < 2 && !session->early;
    if (session->first && session->deadline_ns > 0)
        last_ns = due_ns + session->deadline_ns;
    if (session->first && !is_newest && session->stale_ns > 0 && due_ns + session->stale_ns < last_ns)
        last_ns = due_ns + session->stale_ns;
    return last_ns;
}

/* What became due since we were asked last did so then, and not now; not before, for rates change. */
static int64_t became_due(const vd_session *session)
{
    int64_t due_ns = early_due(session);
    return due_ns > session->tidied_ns ? due_ns : session->tidied_ns;
}

void vd_session_tidy(vd_session *session, int64_t now_ns)
{
    if (session->early && now_ns >= early_due(session))
        admit(session, take_early(session), became_due(session));
    session->tidied_ns = now_ns;
    supersede(session);
    while (now_ns > too_late(session)) {
        vd_session_skip(session, pop_due(session), VD_SKIP_DEADLINE);
        if (session->early && session->due == 0)
            take_slot(session);
    }
}

static void take_frame(vd_session *session, vd_job *job, int64_t now_ns)
{
    vd_session_tidy(session, now_ns);
    give_up_early(session); /* this one is newer */
    bool had_full_slot = has_full_slot(session, now_ns);
    if (may_have_slot(session, interval(session), now_ns)) {
        admit(session, job, now_ns);
        supersede(session);
        return;
    }
    session->early = job;
    session->early_lowered = had_full_slot && lowered_rate(session) < 1;
}

void vd_session_offer(vd_session *session, vd_job *job, int64_t now_ns)
{
    vd_session *held = vd_session_ref(session);
    session->now_ns = now_ns;
    session->touched_ns = now_ns;
    session->frames++;
    if (job->received_ns == 0)
        job->received_ns = now_ns;
    if (session->ended)
        vd_session_fail(session, job, session->sentence);
    else
        take_frame(session, job, now_ns);
    vd_session_flush(session);
    vd_session_unref(&held);
}

static vd_job *start_first(vd_session *session, int64_t now_ns)
{
    vd_job *job = pop_due(session);
    job->session = vd_session_ref(session);
    job->mode = session->config.quality_mode;
    job->level = session->level;
    job->fps = session->config.fps_limit * lowered_rate(session);
    job->started_ns = now_ns;
    session->started[session->under_way].job = job;
    session->started[session->under_way++].back = false;
    return job;
}

static void note_next(const vd_session *session, int64_t *ret_next_ns)
{
    if (session->early && early_due(session) < *ret_next_ns)
        *ret_next_ns = early_due(session);
    if (too_late(session) < *ret_next_ns)
        *ret_next_ns = too_late(session) + 1;
}

vd_job *vd_session_start(vd_session *session, int level, int64_t now_ns, int64_t *ret_next_ns)
{
    vd_session *held = vd_session_ref(session);
    vd_job *job = NULL;
    session->now_ns = now_ns;
    session->level = level;
    vd_session_tidy(session, now_ns);
    if (session->first && session->under_way < VD_SESSION_UNDER_WAY)
        job = start_first(session, now_ns);
    note_next(session, ret_next_ns);
    vd_session_flush(session);
    vd_session_unref(&held);
    return job;
}

vd_job *vd_session_take_unstarted(vd_session *session)
{
    return session->first ? pop_due(session) : take_early(session);
}
