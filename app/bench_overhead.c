/* Processor time a frame beyond the forward pass, part by part.
 *
 *   decode     the process over a run without a detector, divided by its frames
 *   hand_over  the process over a run whose detector finds nothing at once, less the one above
 *   letterbox, boxes  what the worker notes of each frame around its passes (one worker): medians, so that a
 * frame in which the system took the core away does not count nms        the thread's own clock around
 * thresholds and suppression, likewise
 *
 * The first two are medians of interleaved runs. For comparison the same sum is printed by subtraction: the
 * process over a run, less the processor time of as many bare passes. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench.h"
#include "cli.h"

enum { MOST_FRAMES = 4096, MOST_RUNS = 99 };

struct parts {
    int64_t letterbox_ns[MOST_FRAMES], boxes_ns[MOST_FRAMES], nms_ns[MOST_FRAMES];
    size_t count;
    double letterbox, boxes, nms, decode, hand_over, all; /* ms a frame */
};

static int64_t thread_cpu_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

/* --- A detector that finds nothing, at once */

static int open_nothing(const void *config, void **ret_state, vd_labels **ret_labels, vd_error *error)
{
    static char state;
    (void)config;
    (void)ret_labels;
    (void)error;
    *ret_state = &state;
    return VD_OK;
}

static int find_nothing(void *state, const vd_image *image, vd_result *result, vd_error *error)
{
    (void)state;
    (void)image;
    (void)error;
    result->count = 0;
    return VD_OK;
}

static void close_nothing(void *state)
{
    (void)state;
}

static const vd_detector_ops nothing_ops = {
    .open = open_nothing, .detect = find_nothing, .close = close_nothing, .name = "nothing"};

/* --- Measuring */

static int count_frame(void *context, const vd_source_info *info, vd_frame *frame, vd_result *result,
                       const vd_error *error)
{
    (void)info;
    (void)frame;
    (void)result;
    (void)error;
    ++*(int64_t *)context;
    return VD_OK;
}

/* Processor time of the process a frame, milliseconds. */
static int measure_cpu(bench_job *job, vd_detector *detector, double *ret_ms, vd_error *error)
{
    int64_t frames = 0, before_ns = vd_monitor_cpu_ns();
    double rate;
    bench_pipeline pipeline = {.job = job, .detector = detector, .sink = count_frame, .context = &frames};
    int code = bench_measure_pipeline(&pipeline, &rate, error);
    if (code == VD_OK)
        *ret_ms = (double)(vd_monitor_cpu_ns() - before_ns) / 1e6 / (double)(frames > 0 ? frames : 1);
    return code;
}

static int measure_ends(bench_job *job, struct parts *parts, vd_error *error)
{
    double decode[MOST_RUNS], nothing[MOST_RUNS];
    vd_detector_options options = VD_DETECTOR_OPTIONS_INIT;
    vd_detector *detector;
    options.ops = &nothing_ops;
    options.max_workers = 1;
    int code = vd_detector_new(&options, &detector, error), runs = (int)job->pairs;
    for (int i = 0; i < runs && code == VD_OK; i++) {
        code = measure_cpu(job, NULL, &decode[i], error);
        if (code == VD_OK)
            code = measure_cpu(job, detector, &nothing[i], error);
    }
    vd_detector_free(&detector);
    if (code)
        return code;
    parts->decode = vd_bench_median(decode, (size_t)runs);
    double more = vd_bench_median(nothing, (size_t)runs) - parts->decode;
    parts->hand_over = more > 0 ? more : 0;
    return VD_OK;
}

static int note_frame(void *context, const vd_source_info *info, vd_frame *frame, vd_result *result,
                      const vd_error *error)
{
    static vd_detection detections[VD_MAX_DETECTIONS];
    const vd_thresholds thresholds = VD_THRESHOLDS_INIT;
    struct parts *parts = context;
    (void)info;
    (void)frame;
    (void)error;
    if (!result || parts->count == MOST_FRAMES)
        return VD_OK;
    int64_t before_ns = thread_cpu_ns();
    vd_result_select(result, &thresholds, detections);
    parts->nms_ns[parts->count] = thread_cpu_ns() - before_ns;
    parts->letterbox_ns[parts->count] = result->preprocess_ns;
    parts->boxes_ns[parts->count++] = result->decode_ns;
    return VD_OK;
}

/* One worker over the clip, as it is used. */
static int measure_work(bench_job *job, vd_detector *detector, struct parts *parts, vd_error *error)
{
    bench_pipeline pipeline = {.job = job, .detector = detector, .sink = note_frame, .context = parts};
    double rate;
    int64_t before_ns = vd_monitor_cpu_ns();
    int code = bench_measure_pipeline(&pipeline, &rate, error);
    size_t frames = parts->count > 0 ? parts->count : 1;
    parts->all = (double)(vd_monitor_cpu_ns() - before_ns) / 1e6 / (double)frames;
    parts->letterbox = vd_bench_latency_of(parts->letterbox_ns, parts->count).p50_us / 1e3;
    parts->boxes = vd_bench_latency_of(parts->boxes_ns, parts->count).p50_us / 1e3;
    parts->nms = vd_bench_latency_of(parts->nms_ns, parts->count).p50_us / 1e3;
    return code;
}

static void print_part(bench_job *job, const char *name, double ms)
{
    bench_print(job, &(bench_line){.bench = "async_part", .name = name, .unit = "ms", .value = ms});
}

static void print_parts(bench_job *job, const struct parts *parts, double bare_ms)
{
    double sum = parts->decode + parts->letterbox + parts->boxes + parts->nms + parts->hand_over;
    print_part(job, "decode", parts->decode);
    print_part(job, "letterbox", parts->letterbox);
    print_part(job, "boxes", parts->boxes);
    print_part(job, "nms", parts->nms);
    print_part(job, "hand_over", parts->hand_over);
    if (bare_ms > 0) {
        print_part(job, "bare_pass", bare_ms);
        print_part(job, "rest_by_subtraction", parts->all - bare_ms);
    }
    bench_print(job,
                &(bench_line){.name = "overhead",
                              .unit = "ms",
                              .value = sum,
                              .rule = job->pairs >= BENCH_LEAST_PAIRS ? BENCH_VALUE_AT_MOST : BENCH_UNJUDGED,
                              .bound = 1.5});
}

static int measure_bare(bench_job *job, double *ret_ms, vd_error *error)
{
    vd_bench_nets *nets = NULL;
    vd_bench_nets_figures figures;
    int code = vd_bench_nets_new(job->model, 1, 1, false, &job->pictures[0], &nets, error);
    if (code == VD_OK)
        code = vd_bench_nets_run(nets, job->seconds, &figures, error);
    if (code == VD_OK)
        *ret_ms = figures.cpu_ms;
    vd_bench_nets_free(&nets);
    return code;
}

int bench_overhead(bench_job *job)
{
    static struct parts parts;
    vd_detector *detector = NULL;
    vd_error error = {0};
    double bare_ms = 0;
    int status = bench_need_pictures(job);
    if (status == CLI_DONE)
        status = bench_detector(job, 1, &detector);
    if (status != CLI_DONE)
        return status;
    int code = measure_ends(job, &parts, &error);
    if (code == VD_OK)
        code = measure_work(job, detector, &parts, &error);
    if (code == VD_OK && bench_has_net(job))
        code = measure_bare(job, &bare_ms, &error);
    vd_detector_free(&detector);
    if (code)
        return bench_failed(code, &error);
    print_parts(job, &parts, bare_ms);
    return CLI_DONE;
}
