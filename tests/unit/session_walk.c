#include "session_walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session_case.h"

enum { MOST_SESSIONS = 5, HANDLES = 6, MOST_UNDER_WAY = 64, OWNERS = 2 };

/* What we know of a frame. */
typedef struct frame_fate {
    int handle;  /* whose it was */
    int started; /* the how-many-th that was started of its session; 0: not started */
    bool answered;
} frame_fate;

/* A session that we hold, closed or not. */
typedef struct handle {
    vd_session *session; /* a reference; NULL: free */
    int generation;
    bool listening, refusing;
    int meddling;          /* what the listener does when it is called next */
    int started, returned; /* frames started; the last of them that was answered */
    uint64_t delivered;    /* answers */
} handle;

typedef struct walk {
    const session_walk_source *source;
    vd_sessions *sessions;
    vd_result_pool *pool;
    handle handles[HANDLES];
    vd_job *under_way[MOST_UNDER_WAY];
    int under_way_count;
    frame_fate *frames;
    int frame_count, most_frames;
    uint64_t delivered, opened;
    uint64_t settled; /* frames of sessions that we gave up: answered, all of them */
    int64_t now_ns;
} walk;

static walk *current; /* listeners get a number of a handle; one walk at a time */

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "walk: line %d: %s\n", __LINE__, #condition);                                    \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

static uint32_t pick(const walk *w, uint32_t below)
{
    return w->source->below(w->source->context, below);
}

static handle *pick_handle(walk *w)
{
    return &w->handles[pick(w, HANDLES)];
}

/* --- The listener */

static void listen_to(walk *w, handle *h);

static void meddle(walk *w, handle *h)
{
    int what = h->meddling;
    h->meddling = 0;
    switch (what) {
    case 1:
        h->listening = false;
        vd_session_listen(h->session, NULL, w->now_ns);
        break;
    case 2:
        listen_to(w, h);
        break;
    case 3:
        if (w->sessions)
            vd_sessions_close(w->sessions, h->session, "Closed by its listener.", w->now_ns);
        break;
    case 4:
        if (w->sessions)
            vd_sessions_expire(w->sessions, w->now_ns);
        break;
    default:
        break;
    }
}

static void note_answer(walk *w, handle *h, const char *text)
{
    const char *id = strstr(text, "\"frame_id\":");
    CHECK(id != NULL);
    int frame = atoi(id + strlen("\"frame_id\":"));
    CHECK(frame >= 0 && frame < w->frame_count);
    frame_fate *fate = &w->frames[frame];
    CHECK(!fate->answered);
    fate->answered = true;
    h->delivered++;
    w->delivered++;
    if (fate->started == 0)
        return;
    CHECK(fate->started > h->returned); /* in the order in which they were started */
    h->returned = fate->started;
}

static bool take_answer(void *context, char *text, size_t size)
{
    handle *h = context;
    walk *w = current;
    CHECK(strlen(text) == size);
    CHECK(h->listening);
    if (h->refusing) {
        h->listening = false;
        meddle(w, h);
        return false;
    }
    note_answer(w, h, text);
    free(text);
    meddle(w, h);
    return true;
}

static void replaced(void *context)
{
    handle *h = context;
    CHECK(h->listening);
}

static void listen_to(walk *w, handle *h)
{
    vd_session_listener listener = {take_answer, replaced, h};
    h->listening = true;
    h->refusing = pick(w, 6) == 0;
    h->meddling = pick(w, 4) == 0 ? (int)pick(w, 5) : 0;
    vd_session_listen(h->session, &listener, w->now_ns);
}

/* --- Steps */

static void open_one(walk *w)
{
    vd_session_options options = case_options(1 + (int)pick(w, 30), 1 + (int)pick(w, 4));
    vd_error error;
    options.owner = (int)pick(w, OWNERS);
    options.timeout_s = 2;
    options.deadline_s = (double)pick(w, 3) * 0.3;
    options.stale_s = (double)pick(w, 3) * 0.1;
    options.now_ns = w->now_ns;
    options.config.quality_mode = (vd_quality_mode)pick(w, 3);
    options.config.enable_tracking = pick(w, 2);
    snprintf(options.peer, sizeof options.peer, "10.0.0.%d", (int)pick(w, 2));
    handle *h = pick_handle(w);
    if (h->session)
        return;
    vd_session *session;
    if (vd_sessions_open(w->sessions, &options, &session, &error)) {
        CHECK(error.code == VD_EAGAIN);
        return;
    }
    *h = (handle){.session = vd_session_ref(session)};
    w->opened++;
    CHECK(vd_sessions_find(w->sessions, vd_session_id(session), options.owner) == session);
    CHECK(vd_sessions_find(w->sessions, vd_session_id(session), options.owner + 1) == NULL);
}

static void offer_one(walk *w)
{
    handle *h = pick_handle(w);
    if (!h->session || w->frame_count == w->most_frames)
        return;
    vd_job *job = case_job(w->frame_count);
    w->frames[w->frame_count++] = (frame_fate){.handle = (int)(h - w->handles)};
    job->timed = pick(w, 2);
    job->timestamp = (double)pick(w, 1000) / 10;
    vd_session_offer(h->session, job, w->now_ns);
}

static void start_some(walk *w)
{
    int level = (int)pick(w, VD_QUALITY_LEVELS);
    for (int i = (int)pick(w, 4); i >= 0 && w->under_way_count < MOST_UNDER_WAY; i--) {
        int64_t next_ns = INT64_MAX;
        vd_job *job = vd_sessions_start(w->sessions, level, w->now_ns, &next_ns);
        CHECK(job || next_ns > w->now_ns);
        if (!job)
            return;
        frame_fate *fate = &w->frames[atoi(job->frame_id)];
        handle *h = &w->handles[fate->handle];
        CHECK(job->session == h->session && !fate->answered && fate->started == 0);
        CHECK(job->level == level && job->fps > 0 && job->started_ns == w->now_ns);
        fate->started = ++h->started;
        w->under_way[w->under_way_count++] = job;
    }
}

static void finish_one(walk *w)
{
    if (w->under_way_count == 0)
        return;
    int place = (int)pick(w, (uint32_t)w->under_way_count);
    vd_job *job = w->under_way[place];
    w->under_way[place] = w->under_way[--w->under_way_count];
    uint32_t how = pick(w, 6);
    vd_detection detections[3];
    for (int i = 0; i < 3; i++) {
        float x = (float)pick(w, 600);
        detections[i] = (vd_detection){{x, 10, x + 30, 50}, 0.9f - 0.3f * (float)i, i, 0};
    }
    if (how > 0)
        case_detect(job, w->pool, detections, how % 4, w->now_ns);
    if (how < 2)
        job->code = vd_error_set(&job->error, VD_EFORMAT, NULL, "It is no picture.");
    vd_session_finish(job->session, job, w->now_ns);
}

static void change_one(walk *w)
{
    static const char *const changes[] = {"{\"fps_limit\":1}",          "{\"fps_limit\":30}",
                                          "{\"fps_limit\":31}",         "{\"enable_tracking\":false}",
                                          "{\"enable_tracking\":true}", "{\"confidence_threshold\":0.5}",
                                          "{\"max_detections\":1}",     "{\"quality_mode\":\"accurate\"}"};
    handle *h = pick_handle(w);
    json_t *object = json_loads(changes[pick(w, 8)], 0, NULL);
    if (h->session)
        vd_session_change(h->session, object, NULL, NULL);
    json_decref(object);
}

static void listen_one(walk *w)
{
    handle *h = pick_handle(w);
    if (!h->session)
        return;
    if (pick(w, 3) > 0) {
        listen_to(w, h);
        return;
    }
    h->listening = false;
    vd_session_listen(h->session, NULL, w->now_ns);
}

static void end_one(walk *w)
{
    handle *h = pick_handle(w);
    if (!h->session)
        return;
    if (pick(w, 3) > 0)
        vd_sessions_close(w->sessions, h->session, "It was deleted.", w->now_ns);
    else
        vd_session_end(h->session, "It ended.", w->now_ns);
}

static uint64_t answered(const vd_session_stats *stats)
{
    uint64_t sum = stats->results + stats->failed;
    for (int i = 0; i < 4; i++)
        sum += stats->skipped[i];
    return sum;
}

/* The books of a session: every frame is somewhere, every answer as well. */
static void check_handle(const walk *w, const handle *h)
{
    vd_session_stats stats = vd_session_get_stats(h->session, w->now_ns);
    CHECK(case_ledger_holds(&stats));
    CHECK(answered(&stats) == h->delivered + (uint64_t)stats.answers_waiting + stats.answers_dropped);
    CHECK(stats.waiting >= 0 && stats.under_way >= 0 && stats.under_way <= VD_SESSION_UNDER_WAY);
    CHECK(vd_session_listened(h->session) == h->listening);
    CHECK(!vd_session_ended(h->session) || stats.waiting == 0);
}

static void check_books(const walk *w)
{
    vd_session_stats total = vd_sessions_total(w->sessions, w->now_ns);
    int under_way = 0, waiting = 0;
    for (int i = 0; i < HANDLES; i++) {
        if (!w->handles[i].session)
            continue;
        check_handle(w, &w->handles[i]);
        vd_session_stats stats = vd_session_get_stats(w->handles[i].session, w->now_ns);
        under_way += stats.under_way;
        waiting += stats.waiting;
    }
    CHECK(case_ledger_holds(&total));
    CHECK(total.under_way == under_way && total.waiting == waiting);
    CHECK(vd_sessions_count(w->sessions) <= MOST_SESSIONS);
}

/* Gives up a session; what it never sent is lost with it. */
static void give_up(walk *w, handle *h)
{
    vd_session_stats stats = vd_session_get_stats(h->session, w->now_ns);
    CHECK(case_ledger_holds(&stats));
    CHECK(stats.waiting == 0 && stats.under_way == 0);
    w->settled += answered(&stats);
    vd_session_listen(h->session, NULL, w->now_ns);
    vd_session_unref(&h->session);
}

static void let_go(walk *w)
{
    handle *h = pick_handle(w);
    if (!h->session || !vd_session_ended(h->session))
        return;
    vd_sessions_close(w->sessions, h->session, "Over.", w->now_ns);
    if (vd_session_get_stats(h->session, w->now_ns).under_way == 0)
        give_up(w, h);
}

static void step(walk *w)
{
    switch (pick(w, 16)) {
    case 0:
        open_one(w);
        break;
    case 1:
    case 2:
        w->now_ns += (int64_t)pick(w, 120) * VD_NS_PER_MS;
        break;
    case 3:
        w->now_ns += (int64_t)pick(w, 1500) * VD_NS_PER_MS;
        vd_sessions_expire(w->sessions, w->now_ns);
        break;
    case 4:
    case 5:
        finish_one(w);
        break;
    case 6:
    case 7:
        start_some(w);
        break;
    case 8:
        change_one(w);
        break;
    case 9:
        listen_one(w);
        break;
    case 10:
        if (pick(w, 4) == 0)
            end_one(w);
        break;
    case 11:
        let_go(w);
        break;
    default:
        offer_one(w);
        break;
    }
    check_books(w);
}

static void end_all(walk *w, session_walk_figures *figures)
{
    vd_sessions_free(&w->sessions);
    while (w->under_way_count > 0)
        finish_one(w);
    for (int i = 0; i < HANDLES; i++)
        if (w->handles[i].session)
            give_up(w, &w->handles[i]);
    CHECK(w->settled == (uint64_t)w->frame_count);
    figures->frames = (uint64_t)w->frame_count;
    figures->delivered = w->delivered;
    figures->sessions = w->opened;
}

void session_walk(const session_walk_source *source, int steps, session_walk_figures *ret_figures)
{
    vd_sessions_options options = {.max_sessions = MOST_SESSIONS, .max_per_peer = 3};
    walk w = {.source = source, .now_ns = VD_NS_PER_S};
    w.most_frames = steps + 1;
    w.frames = calloc((size_t)w.most_frames, sizeof *w.frames);
    CHECK(w.frames && vd_sessions_new(&options, &w.sessions) == VD_OK);
    CHECK(vd_result_pool_new(0, &w.pool) == VD_OK);
    *ret_figures = (session_walk_figures){0};
    current = &w;
    for (int i = 0; i < steps; i++)
        step(&w);
    vd_session_stats total = vd_sessions_total(w.sessions, w.now_ns);
    ret_figures->results = total.results;
    ret_figures->failed = total.failed;
    memcpy(ret_figures->skipped, total.skipped, sizeof total.skipped);
    ret_figures->dropped = total.answers_dropped;
    end_all(&w, ret_figures);
    vd_result_pool_free(&w.pool);
    free(w.frames);
}
