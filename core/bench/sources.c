/* Memory is looked at while all sources run: none ends before the last sample is taken. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/thread.h"
#include "bench/loop.h"
#include "vedette/app/bench.h"
#include "vedette/app/monitor.h"
#include "vedette/run.h"

enum { MOST_SOURCES = 16, MOST_SAMPLES = 4096, WARM_SHARE = 5 /* of the frames: one fifth */ };

struct lane {
    struct bench *bench;
    vd_thread thread;
    char address[1024];

    /* owned by its thread until it is joined */
    int code;
    int64_t failed;
    vd_error error;
};

struct sample {
    int64_t frames, resident_bytes;
};

struct bench {
    const vd_bench_sources_options *options;
    vd_cancel stop;      /* of the runs; no child of the caller's, as each run has a child of it */
    atomic_llong frames; /* atomic: delivered, by all */
    atomic_int ended;    /* atomic: sources that ended, which none should */
    struct lane lanes[MOST_SOURCES];

    /* owned by the caller's thread */
    struct sample samples[MOST_SAMPLES];
    size_t sample_count;
    double scratch[MOST_SAMPLES];
};

static int count_frame(void *context, const vd_source_info *info, vd_frame *frame, vd_result *result,
                       const vd_error *error)
{
    struct lane *lane = context;
    (void)info;
    (void)frame;
    (void)error;
    lane->failed += result == NULL;
    atomic_fetch_add(&lane->bench->frames, 1);
    return VD_OK;
}

static void run_lane(void *context)
{
    struct lane *lane = context;
    vd_run_options options = VD_RUN_OPTIONS_INIT;
    vd_run_summary summary;
    options.address = lane->address;
    options.detector = lane->bench->options->detector;
    options.cancel = &lane->bench->stop;
    lane->code = vd_run(&options, count_frame, lane, &summary, &lane->error);
    if (lane->code == VD_OK && summary.source_error.code) {
        lane->code = summary.source_error.code;
        lane->error = summary.source_error;
    }
    atomic_fetch_add(&lane->bench->ended, 1);
}

/* Samples until all have delivered what was asked. */
static void watch(struct bench *bench, vd_monitor *monitor)
{
    const vd_bench_sources_options *options = bench->options;
    int64_t every = options->frames / 500 + 1, next = 0, frames;
    while ((frames = atomic_load(&bench->frames)) < options->frames && atomic_load(&bench->ended) == 0) {
        if (frames >= next && bench->sample_count < MOST_SAMPLES) {
            vd_monitor_sample sample;
            vd_monitor_take(monitor, &sample);
            bench->samples[bench->sample_count++] = (struct sample){frames, sample.resident_bytes};
            next = frames + every;
        }
        if (vd_cancel_requested(options->cancel))
            break;
        vd_cancel_sleep_until(&bench->stop, vd_clock_now_ns() + 10 * VD_NS_PER_MS);
    }
}

/* The median of samples [from, to). */
static int64_t median_resident(struct bench *bench, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        bench->scratch[i - from] = (double)bench->samples[i].resident_bytes;
    return (int64_t)vd_bench_median(bench->scratch, to - from);
}

static double slope(const struct sample *samples, size_t count)
{
    double mean_x = 0, mean_y = 0, xy = 0, xx = 0;
    for (size_t i = 0; i < count; i++) {
        mean_x += (double)samples[i].frames / (double)count;
        mean_y += (double)samples[i].resident_bytes / (double)count;
    }
    for (size_t i = 0; i < count; i++) {
        double x = (double)samples[i].frames - mean_x;
        xy += x * ((double)samples[i].resident_bytes - mean_y);
        xx += x * x;
    }
    return xx > 0 ? xy / xx : 0;
}

static void conclude(struct bench *bench, vd_bench_sources_figures *figures)
{
    size_t warm = 0, count = bench->sample_count;
    figures->warm_frames = bench->options->frames / WARM_SHARE;
    while (warm < count && bench->samples[warm].frames < figures->warm_frames)
        warm++;
    size_t tenth = (count - warm) / 10;
    if (tenth == 0)
        tenth = count > warm;
    figures->first_bytes = median_resident(bench, warm, warm + tenth);
    figures->last_bytes = median_resident(bench, count - tenth, count);
    figures->bytes_per_frame = slope(bench->samples + warm, count - warm);
}

static int run_lanes(struct bench *bench, vd_monitor *monitor, vd_bench_sources_figures *figures,
                     vd_error *error)
{
    const vd_bench_sources_options *options = bench->options;
    int code = VD_OK;
    int64_t began_ns = vd_clock_now_ns();
    for (int i = 0; i < options->count && code == VD_OK; i++) {
        struct lane *lane = &bench->lanes[i];
        lane->bench = bench;
        snprintf(lane->address, sizeof lane->address, "loop:%s", options->clips[i]);
        code = vd_thread_start(&lane->thread, "vd-bench-run", run_lane, lane);
    }
    if (code == VD_OK)
        watch(bench, monitor);
    bool interrupted = vd_cancel_requested(options->cancel);
    figures->frames = atomic_load(&bench->frames);
    figures->seconds = (double)(vd_clock_now_ns() - began_ns) / (double)VD_NS_PER_S;
    vd_cancel_request(&bench->stop);
    for (int i = 0; i < options->count; i++) {
        struct lane *lane = &bench->lanes[i];
        vd_thread_join(&lane->thread);
        figures->failed += lane->failed;
        if (code == VD_OK && lane->code != VD_ECANCELED && !interrupted) {
            code = lane->code ? lane->code : VD_EEND;
            if (error)
                *error = lane->error;
        }
    }
    return code == VD_OK && interrupted ? VD_ECANCELED : code;
}

static int measure(struct bench *bench, vd_bench_sources_figures *ret_figures, vd_error *error)
{
    vd_monitor *monitor;
    vd_monitor_sample last;
    vd_bench_sources_figures figures = {0};
    if (vd_monitor_new(&monitor))
        return vd_error_set(error, VD_ENOMEM, NULL, "There is not enough memory.");
    vd_monitor_reset_peak();
    int code = run_lanes(bench, monitor, &figures, error);
    vd_monitor_take(monitor, &last);
    vd_monitor_free(&monitor);
    figures.peak_bytes = last.peak_bytes;
    if (code)
        return code;
    conclude(bench, &figures);
    *ret_figures = figures;
    return VD_OK;
}

int vd_bench_sources(const vd_bench_sources_options *options, vd_bench_sources_figures *ret_figures,
                     vd_error *error)
{
    if (options->count < 1 || options->count > MOST_SOURCES || options->frames < 1)
        return vd_error_set(error, VD_EINVAL, NULL, "1 to %d sources give at least one frame.", MOST_SOURCES);
    vd_bench_loop_register();
    struct bench *bench = calloc(1, sizeof *bench);
    if (!bench || vd_cancel_init(&bench->stop)) {
        free(bench);
        return vd_error_set(error, VD_ENOMEM, NULL, "There is not enough memory for the sources.");
    }
    bench->options = options;
    int code = measure(bench, ret_figures, error);
    vd_cancel_fini(&bench->stop);
    free(bench);
    return code;
}
