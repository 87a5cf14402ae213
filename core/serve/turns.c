/* What the service does by itself between requests. */
#include <unistd.h>

#include <glib-unix.h>

#include "base/log.h"
#include "serve/audience.h"
#include "serve/channels.h"
#include "serve/server.h"

enum { TICK_MS = 250, MEASURE_MS = 500 };

const double vd_latency_bounds_s[VD_LATENCY_BUCKETS] = {0.01, 0.025, 0.05, 0.075, 0.1,
                                                        0.15, 0.25,  0.5,  1,     2.5};

static void count_latency(vd_latency *latency, double seconds)
{
    latency->count++;
    latency->sum_s += seconds;
    for (int i = 0; i < VD_LATENCY_BUCKETS; i++)
        if (seconds <= vd_latency_bounds_s[i]) {
            latency->counts[i]++;
            return;
        }
}

static void finish_jobs(vd_serve *serve)
{
    vd_job *job;
    while ((job = vd_work_take(serve->work))) {
        int64_t now_ns = vd_clock_now_ns();
        vd_session *session = vd_session_ref(job->session); /* it may end with its last job */
        if (job->code == VD_OK && !vd_session_ended(session))
            count_latency(&serve->latency, (double)(now_ns - job->received_ns) / 1e9);
        vd_session_finish(session, job, now_ns);
        vd_session_unref(&session);
    }
}

static gboolean pump(GSource *source, GSourceFunc callback, void *context)
{
    (void)callback;
    (void)context;
    vd_serve *serve = *(vd_serve **)(source + 1);
    int64_t next_ns = INT64_MAX;
    g_source_set_ready_time(source, -1);
    finish_jobs(serve);
    while (vd_work_room(serve->work) > 0) {
        vd_job *job = vd_sessions_start(serve->sessions, serve->level, vd_clock_now_ns(), &next_ns);
        if (!job)
            break;
        vd_work_submit(serve->work, job);
    }
    if (next_ns < INT64_MAX)
        g_source_set_ready_time(source, next_ns / 1000 + 1);
    return G_SOURCE_CONTINUE;
}

void vd_serve_pump(vd_serve *serve)
{
    g_source_set_ready_time(serve->pump, 0);
}

static gboolean wake_up(int fd, GIOCondition condition, void *context)
{
    (void)condition;
    vd_serve *serve = context;
    uint64_t count;
    if (read(fd, &count, sizeof count) == sizeof count) {
        vd_cameras_dispatch(serve->cameras);
        vd_serve_pump(serve);
    }
    return G_SOURCE_CONTINUE;
}

static void measure(vd_serve *serve, int64_t now_ns)
{
    vd_session_stats total = vd_sessions_total(serve->sessions, now_ns);
    uint64_t late = total.skipped[VD_SKIP_DEADLINE] + total.skipped[VD_SKIP_QUEUE_FULL];
    int level = vd_work_level(serve->work, (int)(late - serve->late), now_ns);
    if (level != serve->level)
        vd_log(VD_LOG_INFO, "serve", "Quality is at level %d of %d.", level, VD_QUALITY_LEVELS - 1);
    serve->late = late;
    serve->level = level;
    serve->measured_ns = now_ns;
    vd_serve_publish(serve);
    vd_serve_pump(serve);
}

static gboolean tick(void *context)
{
    vd_serve *serve = context;
    int64_t now_ns = vd_clock_now_ns();
    vd_links_tick(serve, now_ns);
    vd_channels_tick(serve, now_ns);
    if (vd_sessions_expire(serve->sessions, now_ns) > 0)
        vd_audiences_sweep(serve, VD_CLOSE_NORMAL, "The session timed out.");
    if (now_ns - serve->measured_ns >= (MEASURE_MS - TICK_MS / 2) * VD_NS_PER_MS)
        measure(serve, now_ns);
    return G_SOURCE_CONTINUE;
}

void vd_serve_begin_turns(vd_serve *serve)
{
    static GSourceFuncs pump_functions = {.dispatch = pump};
    serve->pump = g_source_new(&pump_functions, sizeof(GSource) + sizeof(vd_serve *));
    *(vd_serve **)(serve->pump + 1) = serve;
    serve->waker = g_unix_fd_source_new(serve->wake_fd, G_IO_IN);
    g_source_set_callback(serve->waker, G_SOURCE_FUNC(wake_up), serve, NULL);
    serve->tick = g_timeout_source_new(TICK_MS);
    g_source_set_callback(serve->tick, tick, serve, NULL);
    /* Before the connections: however many of those there are, results go out and time is kept. */
    g_source_set_priority(serve->pump, G_PRIORITY_HIGH);
    g_source_set_priority(serve->waker, G_PRIORITY_HIGH);
    g_source_set_priority(serve->tick, G_PRIORITY_HIGH);
    g_source_attach(serve->pump, serve->context);
    g_source_attach(serve->waker, serve->context);
    g_source_attach(serve->tick, serve->context);
    vd_cameras_dispatch(serve->cameras);
}

static void end_source(GSource **source)
{
    if (!*source)
        return;
    g_source_destroy(*source);
    g_source_unref(*source);
    *source = NULL;
}

void vd_serve_end_turns(vd_serve *serve)
{
    end_source(&serve->pump);
    end_source(&serve->waker);
    end_source(&serve->tick);
}
