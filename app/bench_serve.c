/* vedette-cli bench serve: clients of the streaming interface, and what they get. */
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "bench_serve.h"
#include "cli.h"
#include "options.h"
#include "vedette/app/settings.h"
#include "vedette/app/sources.h"

enum { MORE = 640, SESSIONS_MOST = 64 };

static const char help_text[] =
    "Measures the streaming interface: sessions that send JPEG pictures of 640 × 480 over WebSockets, all "
    "from "
    "one\n"
    "thread of this process, to a service of its own on a free port of loopback. Times are from send to "
    "result; memory\n"
    "is what the process has at most while so many sessions send, less what it had before, clients "
    "included.\n"
    "The case `slowed` makes the detector four times as slow while ten sessions send at a rate that it then "
    "cannot\n"
    "follow, and fast again: what is told and how long it takes.\n\n"
    "Exit status: 0 all bounds that were judged hold, 1 one does not or the work failed.\n";

/* --- The service */

static void wake(void *context)
{
    const uint64_t one = 1;
    ssize_t written = write(((bench_service *)context)->wake, &one, sizeof one);
    (void)written; /* it is full of wakes already */
}

static int wait_until_listening(bench_service *service, vd_error *error)
{
    vd_serve_status status;
    int64_t deadline_ns = bench_now_ns() + INT64_C(60000000000);
    for (;;) {
        uint64_t count;
        struct pollfd wait = {.fd = service->wake, .events = POLLIN};
        vd_serve_get_status(service->serve, &status);
        const char *port = strrchr(status.url, ':');
        if (status.state == VD_SERVE_LISTENING && port) {
            service->port = atoi(port + 1);
            return VD_OK;
        }
        if (status.state == VD_SERVE_FAILED || status.state == VD_SERVE_STOPPED) {
            *error = status.error;
            return status.error.code ? status.error.code : VD_EIO;
        }
        if (vd_interrupted())
            return VD_ECANCELED;
        if (bench_now_ns() > deadline_ns)
            return vd_error_set(error, VD_ETIMEOUT, NULL, "The service did not start within a minute.");
        if (poll(&wait, 1, 100) == 1 && read(service->wake, &count, sizeof count) < 0)
            continue;
    }
}

int bench_service_start(vd_serve_options *options, bench_service *ret_service, vd_error *error)
{
    static vd_settings settings;
    vd_settings_init(&settings);
    options->streaming = settings.streaming;
    options->streaming.port = 0;
    options->streaming.max_sessions_per_peer = options->streaming.max_sessions;
    options->wake = wake;
    options->wake_context = ret_service;
    *ret_service = (bench_service){.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    int code = vd_serve_start(options, &ret_service->serve, error);
    if (code == VD_OK)
        code = wait_until_listening(ret_service, error);
    if (code)
        bench_service_stop(ret_service);
    return code;
}

void bench_service_stop(bench_service *service)
{
    vd_serve_free(&service->serve);
    close(service->wake);
}

int bench_serve_failed(int code, const vd_error *error)
{
    int status = bench_failed(code, error);
    return code == VD_ENOTFOUND || code == VD_EFORMAT || code == VD_EUNSUPPORTED ? CLI_WRONG : status;
}

/* --- Sessions at an ordinary rate */

struct measured {
    bench_load_figures figures;
    double before_mb, session_mb;
    uint64_t sent, unanswered, doubled; /* with those of warming up */
    char watched[80];                   /* members of JSON */
};

static void print_sessions(bench_serve_job *job, int sessions, const struct measured *measured)
{
    const bench_load_figures *figures = &measured->figures;
    char name[32], more[MORE];
    snprintf(name, sizeof name, "sessions_%d", sessions);
    snprintf(
        more, sizeof more,
        "\"sessions\":%d,\"rate\":%g,\"picture_kb\":%.1f,\"results_per_s\":%.2f,\"least\":%llu,\"most\":%llu,"
        "\"skipped\":%llu,\"failed\":%llu,\"level\":%d,\"session_mb\":%.2f,\"before_mb\":%.1f,%s",
        sessions, job->rate, (double)job->pictures.bytes / job->pictures.count / 1e3,
        (double)figures->results / figures->seconds, (unsigned long long)figures->least,
        (unsigned long long)figures->most, (unsigned long long)figures->skipped,
        (unsigned long long)figures->failed, figures->level, measured->session_mb, measured->before_mb,
        measured->watched);
    bench_print(&job->base, &(bench_line){.bench = "serve",
                                          .name = name,
                                          .unit = "ms",
                                          .value = figures->latency.p99_us / 1e3,
                                          .latency = &figures->latency,
                                          .rule = sessions == 1 ? BENCH_VALUE_AT_MOST : BENCH_UNJUDGED,
                                          .bound = 100,
                                          .more = more});
}

static void print_share(bench_serve_job *job, const struct measured *measured)
{
    const bench_load_figures *figures = &measured->figures;
    bench_print(&job->base,
                &(bench_line){.bench = "serve",
                              .name = "sessions_10_alike",
                              .unit = "of the most",
                              .value = figures->most > 0 ? (double)figures->least / (double)figures->most : 0,
                              .rule = BENCH_VALUE_AT_LEAST,
                              .bound = 0.9});
    bench_print(&job->base, &(bench_line){.bench = "serve",
                                          .name = "sessions_10_memory",
                                          .unit = "MB a session",
                                          .value = measured->session_mb,
                                          .rule = BENCH_VALUE_AT_MOST,
                                          .bound = 150});
}

static int measure_load(bench_serve_job *job, const bench_load_options *options, struct measured *measured,
                        vd_error *error)
{
    bench_load *load = NULL;
    bench_load_figures warm_up = {0};
    int code = bench_load_new(options, &load, error);
    if (code == VD_OK)
        code = bench_load_run(load, 1, &warm_up, error);
    if (code == VD_OK)
        code = bench_load_run(load, job->base.seconds, &measured->figures, error);
    if (code == VD_OK)
        code = bench_load_finish(load, 5, &measured->unanswered, &measured->doubled, error);
    measured->sent = warm_up.sent + measured->figures.sent;
    bench_load_free(&load);
    return code;
}

/* A service of its own for each number of sessions: none finds what another left behind. */
static int measure_sessions(bench_serve_job *job, int sessions, struct measured *measured, vd_error *error)
{
    vd_serve_options options = {.model = job->base.model, .max_workers = (int)job->workers};
    bench_service service;
    vd_monitor_sample before, after;
    int code = bench_service_start(&options, &service, error);
    if (code)
        return code;
    bench_load_options load = {.port = service.port,
                               .sessions = sessions,
                               .rate = job->rate,
                               .pictures = &job->pictures,
                               .capacity = (int)(sessions * job->rate * (job->base.seconds + 2)) + 100};
    bench_watch_begin(&job->base);
    vd_monitor_take(job->base.monitor, &before);
    code = measure_load(job, &load, measured, error);
    vd_monitor_take(job->base.monitor, &after);
    snprintf(measured->watched, sizeof measured->watched,
             "\"cpu\":%.2f,\"machine_cpu\":%.2f,\"peak_mb\":%.1f", after.process_cpu, after.machine_cpu,
             (double)after.peak_bytes / 1e6);
    measured->before_mb = (double)before.resident_bytes / 1e6;
    measured->session_mb = (double)(after.peak_bytes - before.resident_bytes) / 1e6 / sessions;
    bench_service_stop(&service);
    return code;
}

static int run_sessions(bench_serve_job *job)
{
    for (const char *at = job->sessions; *at; at += strcspn(at, ","), at += *at == ',') {
        struct measured measured = {0};
        vd_error error = {0};
        int sessions = atoi(at), code = measure_sessions(job, sessions, &measured, &error);
        if (code)
            return bench_serve_failed(code, &error);
        print_sessions(job, sessions, &measured);
        if (sessions == 10)
            print_share(job, &measured);
        job->unanswered += measured.unanswered;
        job->doubled += measured.doubled;
        job->sent += measured.sent;
    }
    return CLI_DONE;
}

/* --- The command */

static const struct part {
    const char *name;
    int (*run)(bench_serve_job *job);
} parts[] = {{"sessions", run_sessions}, {"slowed", bench_serve_slowed}};

enum { PARTS = sizeof parts / sizeof *parts };

static void print_answered(bench_serve_job *job)
{
    char more[128];
    snprintf(more, sizeof more, "\"frames\":%llu,\"unanswered\":%llu,\"doubled\":%llu",
             (unsigned long long)job->sent, (unsigned long long)job->unanswered,
             (unsigned long long)job->doubled);
    bench_print(&job->base, &(bench_line){.bench = "serve",
                                          .name = "answered_once",
                                          .unit = "frames that were not",
                                          .value = (double)(job->unanswered + job->doubled),
                                          .rule = BENCH_VALUE_AT_MOST,
                                          .bound = 0,
                                          .more = more});
}

static int check_words(const bench_serve_job *job)
{
    const char *names[PARTS];
    for (int i = 0; i < PARTS; i++)
        names[i] = parts[i].name;
    for (const char *at = job->sessions; *at; at += strcspn(at, ","), at += *at == ',') {
        char *end;
        long sessions = strtol(at, &end, 10);
        if (end == at || (*end != ',' && *end != '\0') || sessions < 1 || sessions > SESSIONS_MOST) {
            cli_complain("--sessions takes whole numbers from 1 to %d, such as 1,10; \"%s\" is none.",
                         SESSIONS_MOST, job->sessions);
            return CLI_WRONG;
        }
    }
    return bench_check_cases(job->base.cases, names, PARTS);
}

static int run_parts(bench_serve_job *job)
{
    if (vd_monitor_new(&job->base.monitor) != VD_OK)
        return CLI_FAILED;
    bench_print_machine();
    int status = bench_serve_make_pictures(&job->base, &job->pictures);
    for (int i = 0; i < PARTS && status == CLI_DONE; i++)
        if (bench_is_listed(job->base.cases, parts[i].name))
            status = parts[i].run(job);
    if (status == CLI_DONE)
        print_answered(job);
    bench_serve_clear_pictures(&job->pictures);
    return status;
}

static int run(bench_serve_job *job)
{
    int status = check_words(job);
    if (!job->base.model)
        job->base.model = VD_MODEL_DEMO;
    if (status == CLI_DONE)
        status = bench_find_model(&job->base);
    if (status != CLI_DONE)
        return status;
    cli_progress_disable();
    vd_sources_register();
    status = run_parts(job);
    bench_clear(&job->base);
    if (vd_interrupted())
        return CLI_INTERRUPTED;
    return cli_worse(status, job->base.missed ? CLI_FAILED : CLI_DONE);
}

int bench_serve(int argc, char **argv)
{
    static bench_serve_job job = {.base = {.seconds = 10}, .sessions = "1,5,10,20", .rate = 10};
    const cli_option options[] = {
        {"model", CLI_TEXT, &job.base.model, 0, 0, "M",
         "a model file, builtin:people, builtin:motion or demo (demo)"},
        {"sessions", CLI_TEXT, &job.sessions, 0, 0, "A,B",
         "how many at once, one case after another (1,5,10,20)"},
        {"rate", CLI_NUMBER, &job.rate, 1, 30, "N", "frames a second of each, 1 to 30 (10)"},
        {"workers", CLI_COUNT, &job.workers, 1, 64, "N",
         "of the detector, 1 to 64 (as many as cores, at most 4)"},
        {"seconds", CLI_NUMBER, &job.base.seconds, 0.1, 600, "N", "of one measurement, 0.1 to 600 (10)"},
        {"cases", CLI_TEXT, &job.base.cases, 0, 0, "A,B", "only these of sessions, slowed"},
    };
    const cli_usage usage = {.command = "bench serve",
                             .operands = "",
                             .text = help_text,
                             .options = options,
                             .option_count = sizeof options / sizeof *options};
    int operands, status = cli_parse(&usage, argc, argv, &operands);
    if (status != CLI_DONE)
        return status == CLI_HELPED ? CLI_DONE : status;
    return run(&job);
}
