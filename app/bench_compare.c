/* Ratios: ours and the references by turns, so that what else the machine does hits both. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "cli.h"

enum { MOST_SIDES = 4, MOST_PAIRS = 99 };

extern char **environ;

static void print_ratio(bench_job *job, const bench_side *reference, double *our_values, double *values,
                        int pairs, const char *more)
{
    double ratios[MOST_PAIRS], least, most;
    char extra[512];
    for (int i = 0; i < pairs; i++)
        ratios[i] = values[i] > 0 ? our_values[i] / values[i] : 0;
    double ours_copy[MOST_PAIRS];
    memcpy(ours_copy, our_values, sizeof ours_copy[0] * (size_t)pairs);
    double ratio = vd_bench_median(ratios, (size_t)pairs); /* sorts */
    least = ratios[0];
    most = ratios[pairs - 1];
    snprintf(extra, sizeof extra, "\"pairs\":%d,\"ratio_min\":%.4f,\"ratio_max\":%.4f%s%s", pairs, least,
             most, more && *more ? "," : "", more ? more : "");
    bench_print(job, &(bench_line){.name = reference->name,
                                   .unit = "frames/s",
                                   .value = vd_bench_median(ours_copy, (size_t)pairs),
                                   .reference = reference->reference,
                                   .reference_value = vd_bench_median(values, (size_t)pairs),
                                   .ratio = ratio,
                                   .rule = reference->bound > 0 && pairs >= BENCH_LEAST_PAIRS
                                               ? BENCH_RATIO_AT_LEAST
                                               : BENCH_UNJUDGED,
                                   .bound = reference->bound,
                                   .more = extra});
}

int bench_compare(bench_job *job, const bench_side *ours, const bench_side *references, int count,
                  const char *more)
{
    double values[MOST_SIDES][MOST_PAIRS];
    const bench_side *sides[MOST_SIDES] = {ours};
    int pairs = (int)job->pairs, all = count + 1;
    for (int i = 0; i < count; i++)
        sides[i + 1] = &references[i];
    for (int pair = 0; pair < pairs; pair++) {
        for (int i = 0; i < all; i++) {
            int side = pair % 2 ? all - 1 - i : i;
            vd_error error = {0};
            int code = sides[side]->measure(sides[side]->context, &values[side][pair], &error);
            if (code || vd_interrupted())
                return bench_failed(code ? code : VD_ECANCELED, &error);
        }
    }
    for (int i = 0; i < count; i++)
        print_ratio(job, &references[i], values[0], values[i + 1], pairs, more);
    return CLI_DONE;
}

/* --- Our pipeline */

static int select_boxes(void *context, const vd_source_info *info, vd_frame *frame, vd_result *result,
                        const vd_error *error)
{
    static vd_detection detections[VD_MAX_DETECTIONS]; /* the main thread's */
    const vd_thresholds thresholds = VD_THRESHOLDS_INIT;
    (void)context;
    (void)info;
    (void)frame;
    (void)error;
    if (result)
        vd_result_select(result, &thresholds, detections);
    return VD_OK;
}

int bench_measure_pipeline(void *context, double *ret_value, vd_error *error)
{
    const bench_pipeline *pipeline = context;
    vd_run_options options = VD_RUN_OPTIONS_INIT;
    vd_run_summary summary;
    options.address = pipeline->job->clip;
    options.detector = pipeline->detector;
    options.max_frames = pipeline->max_frames;
    options.cancel = cli_cancel();
    if (pipeline->detector)
        vd_detector_reset(pipeline->detector);
    int code =
        vd_run(&options, pipeline->sink ? pipeline->sink : select_boxes, pipeline->context, &summary, error);
    if (code == VD_OK && summary.failed > 0)
        code =
            vd_error_set(error, VD_EFORMAT, pipeline->job->clip, "Detection failed in %lld of %lld frames.",
                         (long long)summary.failed, (long long)summary.frames);
    if (code == VD_OK)
        *ret_value = summary.seconds > 0 ? (double)summary.frames / summary.seconds : 0;
    return code;
}

/* --- Bare nets */

struct nets {
    vd_bench_nets *nets;
    double seconds;
};

static int measure_nets(void *context, double *ret_value, vd_error *error)
{
    const struct nets *nets = context;
    vd_bench_nets_figures figures;
    int code = vd_bench_nets_run(nets->nets, nets->seconds, &figures, error);
    if (code == VD_OK)
        *ret_value = figures.passes_per_s;
    return code;
}

/* As many frames as the nets make passes in the time; a clip may have fewer. */
static int choose_frames(bench_job *job, const struct nets *nets, bench_pipeline *pipeline, vd_error *error)
{
    vd_bench_nets_figures figures;
    int code = vd_bench_nets_run(nets->nets, job->seconds < 1 ? job->seconds : 1, &figures, error);
    if (code == VD_OK)
        pipeline->max_frames = (int64_t)(figures.passes_per_s * job->seconds) + 1;
    return code;
}

/* Both sides by OpenCV's own layers, which the bounds are about, or both by what is fastest here. */
struct against {
    int count;
    bool plain;
    double bound;
};

static int run_against(bench_job *job, const struct against *with, bench_pipeline *pipeline)
{
    struct nets nets = {.seconds = job->seconds};
    vd_error error = {0};
    char name[32], reference[64];
    snprintf(name, sizeof name, "pipeline_%d%s", with->count, with->plain ? "" : "_fastest");
    snprintf(reference, sizeof reference, "%d bare net%s%s", with->count, with->count > 1 ? "s at once" : "",
             with->plain ? ", OpenCV's own layers" : "");
    int code =
        vd_bench_nets_new(job->model, with->count, 1, with->plain, &job->pictures[0], &nets.nets, &error);
    if (code == VD_OK)
        code = choose_frames(job, &nets, pipeline, &error);
    const bench_side ours = {.measure = bench_measure_pipeline, .context = pipeline};
    const bench_side bare = {.name = name,
                             .reference = reference,
                             .measure = measure_nets,
                             .context = &nets,
                             .bound = with->bound};
    int status = code ? bench_failed(code, &error) : bench_compare(job, &ours, &bare, 1, NULL);
    vd_bench_nets_free(&nets.nets);
    return status;
}

static int against_nets(bench_job *job, const struct against *with)
{
    bench_pipeline pipeline = {.job = job};
    vd_bench_detector *plain = NULL;
    vd_detector *fastest = NULL;
    vd_error error = {0};
    int status = CLI_DONE, code = VD_OK;
    if (with->plain)
        code = vd_bench_detector_new(job->model, with->count, &plain, &error);
    else
        status = bench_detector(job, with->count, &fastest);
    if (code)
        status = bench_failed(code, &error);
    pipeline.detector = plain ? vd_bench_detector_of(plain) : fastest;
    if (status == CLI_DONE)
        status = run_against(job, with, &pipeline);
    vd_bench_detector_free(&plain);
    vd_detector_free(&fastest);
    return status;
}

int bench_against_nets(bench_job *job)
{
    static const struct against cases[] = {{1, true, 0.97}, {2, true, 0.95}, {1, false, 0}, {2, false, 0}};
    if (!bench_has_net(job)) {
        cli_complain("pipeline: %s is no network; give --model FILE.", job->model);
        return CLI_DONE;
    }
    int status = bench_need_pictures(job);
    for (size_t i = 0; i < sizeof cases / sizeof *cases && status == CLI_DONE && !vd_interrupted(); i++)
        status = against_nets(job, &cases[i]);
    return status;
}

/* --- Peers */

struct peer {
    const bench_job *job;
    const char *mode;
};

int bench_run_script(const char *const *words, char *out, size_t size)
{
    int ends[2], state = 0;
    pid_t child;
    posix_spawn_file_actions_t actions;
    size_t length = 0;
    ssize_t got = 0;
    out[0] = '\0';
    if (pipe2(ends, O_CLOEXEC))
        return -1;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    int failed = posix_spawnp(&child, words[0], &actions, NULL, (char *const *)words, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    while (!failed && length + 1 < size &&
           ((got = read(ends[0], out + length, size - 1 - length)) > 0 || (got < 0 && errno == EINTR)))
        length += got > 0 ? (size_t)got : 0;
    out[length] = '\0';
    close(ends[0]);
    while (!failed && waitpid(child, &state, 0) < 0 && errno == EINTR)
        continue;
    return failed ? -1 : state;
}

static int measure_peer(void *context, double *ret_value, vd_error *error)
{
    const struct peer *peer = context;
    char script[PATH_MAX], out[4096];
    snprintf(script, sizeof script, "%s/peer_cv2.py", peer->job->peers);
    const char *words[] = {"/usr/bin/python3", script,          peer->mode,  "--model", peer->job->model,
                           "--clip",           peer->job->clip, "--workers", "2",       NULL};
    int state = bench_run_script(words, out, sizeof out);
    const char *rate = strstr(out, "\"fps\":");
    *ret_value = rate ? strtod(rate + strlen("\"fps\":"), NULL) : 0;
    if (state == 0 && *ret_value > 0)
        return VD_OK;
    return vd_error_set(error, VD_EIO, script, "The peer gave no figure.");
}

/* Whether it is worth trying seven times. */
static bool can_run(const struct peer *peer)
{
    double rate;
    vd_error error = {0};
    if (measure_peer((void *)peer, &rate, &error) == VD_OK)
        return true;
    if (!vd_interrupted())
        cli_complain("peers: %s gave no figure; it needs python3-opencv, python3-numpy and python3-onnx.",
                     error.place);
    return false;
}

int bench_against_peers(bench_job *job)
{
    if (!job->peers)
        return CLI_DONE;
    if (!bench_has_net(job)) {
        cli_complain("peers: %s is no network; give --model FILE.", job->model);
        return CLI_DONE;
    }
    bench_pipeline pipeline = {.job = job};
    struct peer pool = {job, "pool"}, locked = {job, "locked"};
    int status = bench_need_clips(job, false);
    if (status == CLI_DONE && !can_run(&pool))
        return vd_interrupted() ? CLI_INTERRUPTED : CLI_DONE;
    if (status == CLI_DONE)
        status = bench_detector(job, 2, &pipeline.detector);
    if (status != CLI_DONE)
        return status;
    const bench_side ours = {.measure = bench_measure_pipeline, .context = &pipeline};
    const bench_side peers[] = {{.name = "peers_pool",
                                 .reference = "peer_cv2.py pool",
                                 .measure = measure_peer,
                                 .context = &pool,
                                 .bound = 1.0},
                                {.name = "peers_locked",
                                 .reference = "peer_cv2.py locked",
                                 .measure = measure_peer,
                                 .context = &locked,
                                 .bound = 1.7}};
    status = bench_compare(job, &ours, peers, 2, NULL);
    vd_detector_free(&pipeline.detector);
    return status;
}
