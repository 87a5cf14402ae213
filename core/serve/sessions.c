/* All sessions: those that are open, by turns; those that are closed and have frames under way; the figures
 * of those that are gone. At every moment a session is counted in exactly one of the three. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "serve/random.h"
#include "serve/session_state.h"

typedef struct figures {
    vd_session_stats counts; /* the sums; the rest is not used */
    vd_histogram latency;
} figures;

struct vd_sessions {
    vd_sessions_options options;
    vd_session **list; /* a reference each, oldest first */
    size_t count;
    size_t turn;         /* who is asked first */
    vd_session *leaving; /* a reference each */
    figures gone;
};

int vd_sessions_new(const vd_sessions_options *options, vd_sessions **ret_sessions)
{
    vd_sessions *sessions = calloc(1, sizeof *sessions);
    size_t most = options->max_sessions > 0 ? (size_t)options->max_sessions : 1;
    vd_session **list = calloc(most, sizeof(vd_session *));
    if (!sessions || !list) {
        free(sessions);
        free(list);
        return VD_ENOMEM;
    }
    sessions->options = *options;
    sessions->options.max_sessions = (int)most;
    sessions->list = list;
    *ret_sessions = sessions;
    return VD_OK;
}

/* --- Figures */

static void add_histogram(vd_histogram *to, const vd_histogram *from)
{
    to->count += from->count;
    to->sum_ns += from->sum_ns;
    to->max_ns = from->max_ns > to->max_ns ? from->max_ns : to->max_ns;
    for (int i = 0; i < VD_HISTOGRAM_BUCKETS; i++)
        to->buckets[i] += from->buckets[i];
}

static void add_session(figures *to, const vd_session *session, int64_t now_ns)
{
    vd_session_stats *sum = &to->counts;
    sum->frames += session->frames;
    sum->results += session->results;
    sum->failed += session->failed;
    for (int i = 0; i < 4; i++)
        sum->skipped[i] += session->skipped[i];
    sum->waiting += session->due + (session->early != NULL);
    sum->under_way += session->under_way;
    sum->answers_waiting += session->outgoing_count;
    sum->answers_dropped += session->dropped;
    sum->results_per_s += vd_rate_per_s(&session->rate, now_ns);
    sum->tracks += session->tracks;
    add_histogram(&to->latency, &session->latency);
}

vd_session_stats vd_sessions_total(const vd_sessions *sessions, int64_t now_ns)
{
    figures total = sessions->gone;
    for (size_t i = 0; i < sessions->count; i++)
        add_session(&total, sessions->list[i], now_ns);
    for (const vd_session *session = sessions->leaving; session; session = session->next)
        add_session(&total, session, now_ns);
    total.counts.p50_ms = (double)vd_histogram_percentile_ns(&total.latency, 0.50) / 1e6;
    total.counts.p95_ms = (double)vd_histogram_percentile_ns(&total.latency, 0.95) / 1e6;
    total.counts.p99_ms = (double)vd_histogram_percentile_ns(&total.latency, 0.99) / 1e6;
    return total.counts;
}

/* --- Going */

/* Of the sums only those that stay: nothing of a session that is gone waits any more. */
static void count_gone(vd_sessions *sessions, const vd_session *session)
{
    add_session(&sessions->gone, session, session->now_ns);
    sessions->gone.counts.answers_dropped += (uint64_t)session->outgoing_count;
    sessions->gone.counts.answers_waiting = 0;
    sessions->gone.counts.results_per_s = 0;
    sessions->gone.counts.tracks = 0;
}

/* Those that are closed and have nothing under way any more. */
static void let_go(vd_sessions *sessions)
{
    for (vd_session **link = &sessions->leaving; *link;) {
        vd_session *session = *link;
        if (session->under_way > 0) {
            link = &session->next;
            continue;
        }
        *link = session->next;
        count_gone(sessions, session);
        vd_session_unref(&session);
    }
}

void vd_sessions_close(vd_sessions *sessions, vd_session *session, const char *sentence, int64_t now_ns)
{
    size_t place = 0;
    while (place < sessions->count && sessions->list[place] != session)
        place++;
    if (place == sessions->count)
        return;
    sessions->count--;
    memmove(&sessions->list[place], &sessions->list[place + 1],
            (sessions->count - place) * sizeof sessions->list[0]);
    if (sessions->turn > place)
        sessions->turn--;
    session->next = sessions->leaving;
    sessions->leaving = session;
    vd_session_end(session, sentence, now_ns);
    let_go(sessions);
}

void vd_sessions_close_all(vd_sessions *sessions, const char *sentence, int64_t now_ns)
{
    while (sessions->count > 0)
        vd_sessions_close(sessions, sessions->list[sessions->count - 1], sentence, now_ns);
}

int vd_sessions_expire(vd_sessions *sessions, int64_t now_ns)
{
    int expired = 0;
    for (size_t i = sessions->count; i-- > 0;) {
        if (i >= sessions->count)
            continue; /* a listener closed some */
        vd_session *session = sessions->list[i], *held = vd_session_ref(session);
        if (vd_session_timed_out(session, now_ns)) {
            vd_sessions_close(sessions, session, "The session timed out.", now_ns);
            expired++;
        } else {
            vd_session_tidy(session, now_ns);
            vd_session_flush(session);
        }
        vd_session_unref(&held);
    }
    let_go(sessions);
    return expired;
}

void vd_sessions_free(vd_sessions **sessions)
{
    vd_sessions *all = *sessions;
    if (!all)
        return;
    while (all->count > 0)
        vd_sessions_close(all, all->list[all->count - 1], "The service stops.",
                          all->list[all->count - 1]->now_ns);
    while (all->leaving) { /* the frames under way hold references of their own */
        vd_session *session = all->leaving;
        all->leaving = session->next;
        vd_session_unref(&session);
    }
    free(all->list);
    free(all);
    *sessions = NULL;
}

/* --- Coming */

static int count_peer(const vd_sessions *sessions, const char *peer)
{
    char name[sizeof((vd_session *)0)->peer];
    int count = 0;
    vd_text_copy(name, sizeof name, peer);
    for (size_t i = 0; i < sessions->count; i++)
        count += strcmp(sessions->list[i]->peer, name) == 0;
    return count;
}

int vd_sessions_open(vd_sessions *sessions, const vd_session_options *options, vd_session **ret_session,
                     vd_error *error)
{
    vd_session_options named = *options;
    vd_session *session;
    if (sessions->count >= (size_t)sessions->options.max_sessions)
        return vd_error_set(error, VD_EAGAIN, NULL,
                            "There are %zu sessions; more are not allowed. Try again later.",
                            sessions->count);
    if (count_peer(sessions, options->peer) >= sessions->options.max_per_peer)
        return vd_error_set(error, VD_EAGAIN, NULL,
                            "You have %d sessions; more are not allowed. End one, or try again later.",
                            sessions->options.max_per_peer);
    if (!vd_random_hex(named.id, VD_SESSION_ID - 1))
        return vd_error_set(error, VD_ENOMEM, NULL, "The system gives no random numbers for a session's id.");
    int code = vd_session_new(&named, &session);
    explicit_bzero(named.id, sizeof named.id);
    if (code)
        return vd_error_set(error, code, NULL, "There is not enough memory for a session.");
    sessions->list[sessions->count++] = session;
    let_go(sessions);
    *ret_session = session;
    return VD_OK;
}

vd_session *vd_sessions_find(vd_sessions *sessions, const char *id, int owner)
{
    char padded[VD_SESSION_ID] = {0};
    vd_session *found = NULL;
    size_t length = id ? strnlen(id, VD_SESSION_ID) : 0;
    bool possible = length == VD_SESSION_ID - 1; /* its length is no secret */
    if (possible)
        memcpy(padded, id, length);
    for (size_t i = 0; i < sessions->count; i++) {
        vd_session *session = sessions->list[i];
        bool same = vd_same_secret(padded, session->id, sizeof padded);
        if (same & (session->owner == owner) & possible)
            found = session;
    }
    return found;
}

/* --- Turns */

vd_job *vd_sessions_start(vd_sessions *sessions, int level, int64_t now_ns, int64_t *ret_next_ns)
{
    for (size_t asked = sessions->count; asked > 0 && sessions->count > 0; asked--) {
        size_t place = sessions->turn % sessions->count;
        vd_session *session = sessions->list[place];
        sessions->turn = place + 1;
        vd_job *job = vd_session_start(session, level, now_ns, ret_next_ns);
        if (job)
            return job;
    }
    return NULL;
}

size_t vd_sessions_count(const vd_sessions *sessions)
{
    return sessions->count;
}

vd_session *vd_sessions_at(const vd_sessions *sessions, size_t i)
{
    return sessions->list[i];
}
