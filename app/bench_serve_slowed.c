/* vedette-cli bench serve: a detector that becomes four times as slow while ten sessions send, and fast
 * again. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bench_serve.h"
#include "cli.h"

/* One worker, unless more are asked for: decoding and the ten clients, which send from the same machine, need
 * cores too, or full quality would not fit even where nothing is slowed. */
enum { SESSIONS = 10, WORKERS = 1, SAMPLES = 15, MORE = 512 };
#define FACTOR 4
#define NORMAL_LOAD 0.36 /* of the detector at its own pace: slowed it is asked for 1.4 times what it can */
#define LEAST_OVERLOAD 1.3
#define AFTER_S 12 /* how long it is watched afterwards */
#define BEFORE_S 4

struct slowed {
    bench_serve_job *job;
    vd_bench_slowed *detector;
    double detect_ms, rate;
    int workers;
    bench_load_figures before, during, after;
};

/* What the real detector takes for a picture, at the median, alone. */
static int time_detector(struct slowed *slowed, vd_error *error)
{
    const vd_image *picture = vd_frame_get_image(slowed->job->pictures.first);
    vd_detector *detector = NULL;
    double ms[SAMPLES];
    int code = vd_bench_slowed_open(slowed->detector, 0, 0, &detector, error);
    for (int i = 0; i < SAMPLES && code == VD_OK; i++) {
        vd_result *result;
        int64_t began_ns = bench_now_ns();
        code = vd_detector_detect(detector, picture, &result, error);
        ms[i] = (double)(bench_now_ns() - began_ns) / 1e6;
        if (code == VD_OK)
            vd_result_unref(&result);
    }
    vd_detector_free(&detector);
    if (code == VD_OK)
        slowed->detect_ms = vd_bench_median(ms, SAMPLES);
    return code;
}

/* What is asked of the slowed detector, as a share of what it can do at full quality. */
static double overload_of(const struct slowed *slowed)
{
    return SESSIONS * slowed->rate * FACTOR * slowed->detect_ms / 1e3 / slowed->workers;
}

/* The rate that keeps the detector busy for NORMAL_LOAD of its time, as far as sessions may send so many. */
static void choose_rate(struct slowed *slowed)
{
    double rate = NORMAL_LOAD * slowed->workers / (SESSIONS * slowed->detect_ms / 1e3);
    slowed->rate = fmin(30, fmax(1, floor(10 * rate) / 10));
}

static int run_load(struct slowed *slowed, int port, vd_error *error)
{
    bench_serve_job *job = slowed->job;
    bench_load *load = NULL;
    double longest_s = fmax(job->base.seconds, AFTER_S) + 2;
    uint64_t unanswered = 0, doubled = 0;
    bench_load_options options = {.port = port,
                                  .sessions = SESSIONS,
                                  .rate = slowed->rate,
                                  .pictures = &job->pictures,
                                  .accurate = 5,
                                  .capacity = (int)(SESSIONS * slowed->rate * longest_s) + 100};
    int code = bench_load_new(&options, &load, error);
    if (code == VD_OK)
        code = bench_load_run(load, BEFORE_S, &slowed->before, error);
    vd_bench_slowed_set(slowed->detector, FACTOR);
    if (code == VD_OK)
        code = bench_load_run(load, job->base.seconds, &slowed->during, error);
    vd_bench_slowed_set(slowed->detector, 1);
    if (code == VD_OK)
        code = bench_load_run(load, AFTER_S, &slowed->after, error);
    if (code == VD_OK)
        code = bench_load_finish(load, 5, &unanswered, &doubled, error);
    job->unanswered += unanswered;
    job->doubled += doubled;
    job->sent += slowed->before.sent + slowed->during.sent + slowed->after.sent;
    bench_load_free(&load);
    return code;
}

static int measure(struct slowed *slowed, vd_error *error)
{
    vd_serve_options options = {.model = slowed->job->base.model,
                                .max_workers = slowed->workers,
                                .open_detector = vd_bench_slowed_open,
                                .context = slowed->detector};
    bench_service service;
    int code = bench_service_start(&options, &service, error);
    if (code)
        return code;
    code = run_load(slowed, service.port, error);
    bench_service_stop(&service);
    return code;
}

static void print_part(struct slowed *slowed, const char *name, const bench_load_figures *figures,
                       double bound_ms)
{
    char more[MORE];
    snprintf(
        more, sizeof more,
        "\"sessions\":%d,\"rate\":%g,\"workers\":%d,\"detect_ms\":%.2f,\"asked_of_slowed\":%.2f,"
        "\"results_per_s\":%.2f,\"least\":%llu,\"most\":%llu,\"skipped\":%llu,\"failed\":%llu,\"level\":%d,"
        "\"input\":[%d,%d],\"fps\":[%g,%g]",
        SESSIONS, slowed->rate, slowed->workers, slowed->detect_ms, overload_of(slowed),
        (double)figures->results / figures->seconds, (unsigned long long)figures->least,
        (unsigned long long)figures->most, (unsigned long long)figures->skipped,
        (unsigned long long)figures->failed, figures->level, figures->least_width, figures->most_width,
        figures->least_fps, figures->most_fps);
    bench_print(&slowed->job->base, &(bench_line){.bench = "serve",
                                                  .name = name,
                                                  .unit = "ms",
                                                  .value = figures->latency.p99_us / 1e3,
                                                  .latency = &figures->latency,
                                                  .rule = bound_ms > 0 ? BENCH_VALUE_AT_MOST : BENCH_UNJUDGED,
                                                  .bound = bound_ms,
                                                  .more = more});
}

static void print_judged(struct slowed *slowed, const char *name, const char *unit, double value,
                         bench_rule rule, double bound)
{
    bench_print(
        &slowed->job->base,
        &(bench_line){
            .bench = "serve", .name = name, .unit = unit, .value = value, .rule = rule, .bound = bound});
}

static void print_slowed(struct slowed *slowed)
{
    const bench_load_figures *during = &slowed->during, *after = &slowed->after;
    double width = slowed->before.most_width > 0 ? slowed->before.most_width : 1;
    double fps = slowed->before.most_fps > 0 ? slowed->before.most_fps : 1;
    bool enough = overload_of(slowed) >= LEAST_OVERLOAD && slowed->job->base.seconds >= 3;
    bool full =
        after->at_end >= (uint64_t)(SESSIONS * slowed->rate); /* a second of results, all at level 0 */
    bench_rule at_most = enough ? BENCH_VALUE_AT_MOST : BENCH_UNJUDGED;
    print_part(slowed, "slowed_before", &slowed->before, 0);
    print_part(slowed, "slowed", during, 250);
    print_judged(slowed, "slowed_size", "of full width", during->least_width / width, at_most, 0.75);
    print_judged(slowed, "slowed_rate", "of what was asked for", during->least_fps / fps, at_most, 0.5);
    print_part(slowed, "slowed_after", after, 0);
    print_judged(slowed, "slowed_full_again", "s", full ? after->lowered_s : AFTER_S, BENCH_VALUE_AT_MOST,
                 10);
}

int bench_serve_slowed(bench_serve_job *job)
{
    struct slowed slowed = {.job = job, .workers = job->workers > 0 ? (int)job->workers : WORKERS};
    vd_error error = {0};
    int code = vd_bench_slowed_new(job->base.model, slowed.workers, &slowed.detector, &error);
    if (code == VD_OK)
        code = time_detector(&slowed, &error);
    if (code == VD_OK) {
        choose_rate(&slowed);
        code = measure(&slowed, &error);
    }
    vd_bench_slowed_free(&slowed.detector);
    if (code)
        return bench_serve_failed(code, &error);
    print_slowed(&slowed);
    return CLI_DONE;
}
