/* Many at once: threads that submit, files that play. */
#include "bench.h"
#include "cli.h"

static void print_submit(bench_job *job, const char *name, const vd_bench_latency *latency, double per_s,
                         const vd_bench_submit_options *options)
{
    char more[256];
    snprintf(more, sizeof more, "\"calls\":%llu,\"max\":%.6g,\"threads\":%d,\"submits_per_s\":%.0f",
             (unsigned long long)latency->count, latency->max_us, options->threads, per_s);
    bench_print(job, &(bench_line){.name = name,
                                   .unit = "us",
                                   .value = latency->p99_us,
                                   .latency = latency,
                                   .rule = latency->count >= 100 ? BENCH_VALUE_AT_MOST : BENCH_UNJUDGED,
                                   .bound = 50,
                                   .more = more});
}

int bench_submits(bench_job *job)
{
    vd_bench_submit_options options = VD_BENCH_SUBMIT_OPTIONS_INIT;
    vd_bench_submit_figures figures;
    vd_error error = {0};
    options.seconds = job->seconds;
    options.cancel = cli_cancel();
    int code = vd_bench_submit(&options, &figures, &error);
    if (code)
        return bench_failed(code, &error);
    print_submit(job, "submit", &figures.accepted, figures.per_s, &options);
    print_submit(job, "submit_refused", &figures.refused, figures.per_s, &options);
    return CLI_DONE;
}

static void print_sources(bench_job *job, const vd_bench_sources_figures *figures)
{
    char more[384];
    double growth = (double)(figures->last_bytes - figures->first_bytes) / 1e6;
    snprintf(more, sizeof more,
             "\"sources\":%d,\"frames\":%lld,\"failed\":%lld,\"frames_per_s\":%.2f,\"rss_mb\":%.2f",
             BENCH_CLIPS, (long long)figures->frames, (long long)figures->failed,
             (double)figures->frames / (figures->seconds > 0 ? figures->seconds : 1),
             (double)figures->last_bytes / 1e6);
    bench_print(job, &(bench_line){.name = "five_sources",
                                   .unit = "MB",
                                   .value = (double)figures->peak_bytes / 1e6,
                                   .rule = BENCH_VALUE_AT_MOST,
                                   .bound = 500,
                                   .more = more});
    snprintf(more, sizeof more, "\"from_frame\":%lld,\"frames\":%lld,\"slope_bytes_per_frame\":%.2f",
             (long long)figures->warm_frames, (long long)figures->frames, figures->bytes_per_frame);
    bench_print(job, &(bench_line){.name = "five_sources_growth",
                                   .unit = "MB",
                                   .value = growth,
                                   .rule = job->frames >= 10000 ? BENCH_VALUE_AT_MOST : BENCH_UNJUDGED,
                                   .bound = 1,
                                   .more = more});
}

int bench_five_sources(bench_job *job)
{
    vd_detector *detector = NULL;
    vd_bench_sources_figures figures;
    vd_error error = {0};
    const char *clips[BENCH_CLIPS];
    int status = bench_need_clips(job, true);
    bench_watch_begin(job);
    if (status == CLI_DONE)
        status = bench_detector(job, 0, &detector);
    if (status != CLI_DONE || vd_interrupted()) {
        vd_detector_free(&detector);
        return status;
    }
    for (int i = 0; i < BENCH_CLIPS; i++)
        clips[i] = job->clips[i];
    vd_bench_sources_options options = {.clips = clips,
                                        .count = BENCH_CLIPS,
                                        .detector = detector,
                                        .frames = job->frames,
                                        .cancel = cli_cancel()};
    int code = vd_bench_sources(&options, &figures, &error);
    vd_detector_free(&detector);
    if (code)
        return bench_failed(code, &error);
    print_sources(job, &figures);
    return CLI_DONE;
}
