/* vedette-cli bench verify: detection beside stage 2, and what stage 2 makes of the demonstration's events.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench_verify.h"
#include "cli.h"

enum { MORE = 768, WORKERS = 2 };

/* --- Detection beside stage 2 */

/* Of one model: by turns without workers and with them. */
static int compare_rates(bench_verify_job *job, vd_detector *detector, const char *model, double sleep_s,
                         double bound)
{
    static double with[BENCH_VERIFY_PAIRS], without[BENCH_VERIFY_PAIRS], ratios[BENCH_VERIFY_PAIRS];
    size_t pairs = (size_t)job->base.pairs;
    vd_error error = {0};
    char more[256];
    int code = VD_OK;
    for (size_t i = 0; i < 2 * pairs && code == VD_OK; i++) {
        vd_bench_verify *verify = NULL;
        bool with_turn = (i + i / 2) % 2 == 0;
        if (with_turn)
            code = vd_bench_verify_new(model, sleep_s, WORKERS, &verify, &error);
        if (code == VD_OK)
            code =
                vd_bench_verify_frame_rate(detector, &job->base.pictures[0], verify, job->base.seconds,
                                           cli_cancel(), with_turn ? &with[i / 2] : &without[i / 2], &error);
        vd_bench_verify_free(&verify);
    }
    if (code != VD_OK)
        return bench_failed(code, &error);
    for (size_t i = 0; i < pairs; i++)
        ratios[i] = with[i] / without[i];
    double ratio = vd_bench_median(ratios, pairs); /* sorts */
    snprintf(more, sizeof more, "\"pairs\":%zu,\"ratio_min\":%.4f,\"ratio_max\":%.4f,\"workers\":%d", pairs,
             ratios[0], ratios[pairs - 1], WORKERS);
    bench_print(
        &job->base,
        &(bench_line){.bench = "verify",
                      .name = model ? "detection, model" : "detection",
                      .unit = "frames/s",
                      .value = vd_bench_median(with, pairs),
                      .reference = "without stage 2",
                      .reference_value = vd_bench_median(without, pairs),
                      .ratio = ratio,
                      .rule = bound > 0 && pairs >= BENCH_LEAST_PAIRS ? BENCH_RATIO_AT_LEAST : BENCH_UNJUDGED,
                      .bound = bound,
                      .more = more});
    return CLI_DONE;
}

int bench_verify_frame_rate(bench_verify_job *job, double sleep_s)
{
    vd_detector *detector = NULL;
    int status = bench_need_pictures(&job->base);
    if (status == CLI_DONE)
        status = bench_detector(&job->base, 1, &detector);
    if (status == CLI_DONE)
        status = compare_rates(job, detector, NULL, sleep_s, 0.97);
    if (status == CLI_DONE && job->verifier)
        status = compare_rates(job, detector, job->verifier, sleep_s, 0);
    vd_detector_free(&detector);
    return status;
}

/* --- Events */

static void print_share(bench_verify_job *job, const char *name, vd_bench_share share, const char *more)
{
    char all[MORE];
    snprintf(all, sizeof all, "\"count\":%" PRId64 ",\"of\":%" PRId64 "%s%s", share.count, share.of,
             more ? "," : "", more ? more : "");
    bench_print(&job->base, &(bench_line){.bench = "verify_scene",
                                          .name = name,
                                          .unit = "share",
                                          .value = share.of > 0 ? (double)share.count / (double)share.of : 0,
                                          .more = all});
}

static void print_decoys(bench_verify_job *job, const vd_bench_verify_figures *figures)
{
    vd_bench_share all = {0};
    char more[MORE] = "";
    for (int kind = VD_SCENE_SHADOW; kind < VD_SCENE_KINDS; kind++) {
        vd_bench_share share = figures->decoys_rejected[kind];
        size_t length = strlen(more);
        all.count += share.count;
        all.of += share.of;
        snprintf(more + length, sizeof more - length, "%s\"%s\":[%" PRId64 ",%" PRId64 "]", length ? "," : "",
                 vd_scene_kind_name((vd_scene_kind)kind), share.count, share.of);
    }
    print_share(job, "decoys rejected", all, more);
}

static void print_delay(bench_verify_job *job, const char *name, const vd_bench_latency *latency)
{
    char more[64];
    snprintf(more, sizeof more, "\"verdicts\":%" PRIu64 ",\"max\":%.6g", latency->count,
             latency->max_us / 1e3);
    bench_print(&job->base, &(bench_line){.bench = "verify_scene",
                                          .name = name,
                                          .unit = "ms",
                                          .value = latency->p50_us / 1e3,
                                          .latency = latency,
                                          .more = more});
}

/* Every request is in one place and in one alone. */
static void print_ledger(bench_verify_job *job, const vd_verify_stats *stats)
{
    char more[MORE];
    uint64_t sum = stats->verified + stats->rejected + stats->unverified + stats->dropped +
                   (uint64_t)stats->pending_requests;
    snprintf(more, sizeof more,
             "\"submitted\":%" PRIu64 ",\"verified\":%" PRIu64 ",\"rejected\":%" PRIu64
             ",\"unverified\":%" PRIu64 ",\"dropped\":%" PRIu64 ",\"pending\":%d,\"timeouts\":%" PRIu64
             ",\"crashes\":%" PRIu64,
             stats->submitted, stats->verified, stats->rejected, stats->unverified, stats->dropped,
             stats->pending_requests, stats->timeouts, stats->crashes);
    bench_print(&job->base, &(bench_line){.bench = "verify_scene",
                                          .name = "ledger",
                                          .unit = "requests missing",
                                          .value = (double)llabs((int64_t)(stats->submitted - sum)),
                                          .rule = BENCH_VALUE_AT_MOST,
                                          .bound = 0,
                                          .more = more});
}

static void print_figures(bench_verify_job *job, const vd_bench_verify_figures *figures)
{
    char more[MORE];
    snprintf(more, sizeof more,
             "\"seeds\":\"%s\",\"frames\":%" PRId64 ",\"scene_s\":%.1f,\"real_s\":%.1f,\"workers\":%" PRId64,
             job->seeds, figures->frames, figures->stream_s, figures->real_s, job->workers);
    print_share(job, "precision before stage 2", figures->events, more);
    print_share(job, "precision after stage 2", figures->kept, NULL);
    print_share(job, "recall before stage 2", figures->found, NULL);
    print_share(job, "recall after stage 2", figures->found_kept, NULL);
    print_share(job, "hazards verified", figures->hazards_verified, NULL);
    print_decoys(job, figures);
    print_share(job, "events of nothing rejected", figures->nothing_rejected, NULL);
    print_delay(job, "delay from the request", &figures->request);
    print_delay(job, "delay from the event", &figures->opened);
    snprintf(more, sizeof more, "\"busy_s\":%.3f,\"of_real\":%.4f", figures->busy_s,
             figures->busy_s / (figures->real_s * (double)job->workers));
    bench_print(&job->base, &(bench_line){.bench = "verify_scene",
                                          .name = "time spent by stage 2",
                                          .unit = "s a scene second",
                                          .value = figures->busy_s / figures->stream_s,
                                          .more = more});
    print_ledger(job, &figures->stats);
}

int bench_verify_events(bench_verify_job *job)
{
    static vd_bench_verify_figures figures;
    vd_error error = {0};
    const vd_bench_verify_scene_options options = {.detector = job->base.model,
                                                   .verifier = job->verifier,
                                                   .first_seed = job->first_seed,
                                                   .seeds = (int)job->seed_count,
                                                   .seconds = job->scene_s,
                                                   .workers = (int)job->workers,
                                                   .cancel = cli_cancel()};
    int code = vd_bench_verify_scene(&options, &figures, &error);
    if (code == VD_ENOTFOUND || code == VD_EFORMAT || code == VD_EINVAL) {
        cli_complain_error(&error);
        return CLI_WRONG;
    }
    if (code != VD_OK)
        return bench_failed(code, &error);
    print_figures(job, &figures);
    return CLI_DONE;
}
