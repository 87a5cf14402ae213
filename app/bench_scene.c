/* vedette-cli bench scene: the demonstration's models on scenes that training never saw, their passes beside
 * another network's, and how fast scenes are rendered. */
#include "bench_scene.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "json_line.h"
#include "options.h"
#include "request.h"
#include "vedette/app/sources.h"

enum { MOST_PAIRS = 99, MOST_PASSES = 1000, ENGINES = 3, RENDER_SEEDS = 3, RENDER_FRAMES = 100 };
enum { DETECTOR, VERIFIER, MEASURE };

struct job {
    bench_job base; /* cases, pairs */
    const char *detector, *verifier, *against, *seeds;
    const char *detections_path, *truth_path;
    int64_t passes;
    bool sparse;
    char detector_file[VD_MODEL_PATH], verifier_file[VD_MODEL_PATH];

    int64_t first_seed, seed_count;
    FILE *detections, *truth; /* NULL: not wanted */

    vd_bench_engine *engines[ENGINES];
    double ms[ENGINES][MOST_PAIRS];
};

static const char help_text[] =
    "Measures the demonstration's models. `models`: windows of 1.6 s of scenes that training never saw (a "
    "seed each,\n"
    "vehicle and pole, day and night by turns), detection on every frame, and the verifier on a clip around "
    "whatever\n"
    "was detected long enough. `forward`: passes of both on one thread, by turns with the network of "
    "--against, and\n"
    "judged from 7 pairs up. `render`: rendering 1280 × 720 on one core.\n\n"
    "--detections and --truth write every frame, in the common schema, frames numbered through.\n\n"
    "Exit status: 0 all bounds that were judged hold, 1 one does not or the work failed.\n";

/* --- Models */

static int take_frame(void *context, const vd_bench_scene_frame *frame)
{
    struct job *job = context;
    const vd_result *result = frame->result;
    if (job->detections) {
        const cli_frame_line line = {.source = frame->source,
                                     .frame = frame->number,
                                     .time_s = frame->time_s,
                                     .width = result->width,
                                     .height = result->height,
                                     .model = result->model,
                                     .result = result,
                                     .detections = frame->detections,
                                     .count = frame->detection_count};
        cli_json_frame(job->detections, &line);
    }
    if (job->truth) {
        const cli_truth_line line = {.source = frame->source,
                                     .frame = frame->number,
                                     .time_s = frame->time_s,
                                     .width = result->width,
                                     .height = result->height,
                                     .objects = frame->objects,
                                     .count = frame->object_count};
        cli_json_truth(job->truth, &line);
    }
    return VD_OK;
}

static int refused(int code, const vd_error *error)
{
    if (code == VD_ECANCELED)
        return CLI_INTERRUPTED;
    cli_complain_error(error);
    return code == VD_ENOTFOUND || code == VD_EFORMAT || code == VD_EINVAL ? CLI_WRONG : CLI_FAILED;
}

static int run_models(struct job *job)
{
    static vd_bench_scene_figures figures;
    vd_error error = {0};
    int status = CLI_DONE;
    const vd_bench_scene_options options = {.detector = job->detector_file,
                                            .verifier = job->verifier_file,
                                            .first_seed = job->first_seed,
                                            .seeds = (int)job->seed_count,
                                            .sparse = job->sparse,
                                            .take = take_frame,
                                            .context = job,
                                            .cancel = cli_cancel()};
    if (job->detections_path)
        status = cli_open_output(job->detections_path, &job->detections);
    if (status == CLI_DONE && job->truth_path)
        status = cli_open_output(job->truth_path, &job->truth);
    int code = status == CLI_DONE ? vd_bench_scene(&options, &figures, &error) : VD_OK;
    status = code ? refused(code, &error) : status;
    status = cli_close_output(job->detections, job->detections_path, status);
    status = cli_close_output(job->truth, job->truth_path, status);
    if (status == CLI_DONE)
        bench_scene_print(&job->base, &figures, job->first_seed, (int)job->seed_count);
    return status;
}

/* --- Forward passes */

static int make_engines(struct job *job, vd_error *error)
{
    const char *const models[ENGINES] = {job->detector_file, job->verifier_file, job->against};
    int code = VD_OK;
    for (int i = 0; i < ENGINES && models[i] && code == VD_OK; i++) {
        const vd_bench_engine_options options = {.model = models[i], .threads = 1, .verifier = i == VERIFIER};
        code = vd_bench_engine_new(&options, &job->base.pictures[0], &job->engines[i], error);
    }
    return code;
}

static int measure(struct job *job, int which, int pair, vd_error *error)
{
    static double all[MOST_PASSES];
    for (int i = 0; i < job->passes; i++) {
        int64_t forward_ns, decode_ns;
        int code = vd_bench_engine_pass(job->engines[which], &forward_ns, &decode_ns, error);
        if (code || vd_interrupted())
            return code ? code : VD_ECANCELED;
        all[i] = (double)forward_ns / 1e6;
    }
    job->ms[which][pair] = vd_bench_median(all, (size_t)job->passes);
    return VD_OK;
}

static double median_of(const double *values, int64_t count)
{
    double copy[MOST_PAIRS];
    memcpy(copy, values, (size_t)count * sizeof *copy);
    return vd_bench_median(copy, (size_t)count);
}

/* share  of the other network's time, at most */
static void print_forward(struct job *job, int which, const char *name, double share)
{
    double ratios[MOST_PAIRS];
    char more[512];
    int64_t pairs = job->base.pairs;
    bool compared = job->engines[MEASURE] != NULL;
    bench_line line = {
        .bench = "scene", .name = name, .unit = "ms", .value = median_of(job->ms[which], pairs)};
    int length = snprintf(more, sizeof more, "\"pairs\":%d,\"engine\":\"%s\"", (int)pairs,
                          vd_bench_engine_text(job->engines[which]));
    for (int i = 0; i < pairs && compared; i++)
        ratios[i] = job->ms[MEASURE][i] / job->ms[which][i];
    if (compared) {
        line.reference = vd_bench_engine_model(job->engines[MEASURE]);
        line.reference_value = median_of(job->ms[MEASURE], pairs);
        line.ratio = vd_bench_median(ratios, (size_t)pairs); /* sorts */
        line.rule = pairs >= BENCH_LEAST_PAIRS ? BENCH_RATIO_AT_LEAST : BENCH_UNJUDGED;
        line.bound = 1 / share;
        snprintf(more + length, sizeof more - (size_t)length,
                 ",\"ratio_min\":%.4f,\"ratio_max\":%.4f,\"share\":%.4f,\"share_at_most\":%.4g", ratios[0],
                 ratios[pairs - 1], 1 / line.ratio, share);
    }
    line.more = more;
    bench_print(&job->base, &line);
}

static int run_forward(struct job *job)
{
    vd_error error = {0};
    int status = bench_need_pictures(&job->base);
    int code = status == CLI_DONE ? make_engines(job, &error) : VD_OK;
    for (int pair = 0; pair < job->base.pairs && status == CLI_DONE && code == VD_OK; pair++)
        for (int i = 0; i < ENGINES && code == VD_OK; i++) {
            int which = pair % 2 ? ENGINES - 1 - i : i;
            if (job->engines[which])
                code = measure(job, which, pair, &error);
        }
    status = code ? refused(code, &error) : status;
    if (status == CLI_DONE) {
        print_forward(job, DETECTOR, "detector forward threads=1", BENCH_SCENE_DETECTOR);
        print_forward(job, VERIFIER, "verifier forward threads=1", BENCH_SCENE_VERIFIER);
        if (!job->against)
            bench_print_note("scene", "forward", "yolov8n-320",
                             "not compared: --against names the network that is the measure");
    }
    for (int i = 0; i < ENGINES; i++)
        vd_bench_engine_free(&job->engines[i]);
    return status;
}

/* --- Rendering */

static int run_render(struct job *job)
{
    static const char *const names[] = {"render vehicle, day", "render vehicle, night", "render pole, day"};
    for (int i = 0; i < 3; i++) {
        vd_bench_render_figures figures;
        vd_error error = {0};
        char more[160];
        vd_scene_options options = VD_SCENE_OPTIONS_INIT;
        options.seed = (unsigned)job->first_seed;
        options.night = i == 1;
        options.from_pole = i == 2;
        int code = vd_bench_render(&options, RENDER_SEEDS, RENDER_FRAMES, cli_cancel(), &figures, &error);
        if (code)
            return refused(code, &error);
        snprintf(more, sizeof more, "\"frames\":%" PRId64 ",\"seeds\":%d,\"cpu_ms\":%.3f,\"start_ms\":%.1f",
                 figures.frames, RENDER_SEEDS, figures.cpu_ms, figures.start_ms);
        bench_print(&job->base, &(bench_line){.bench = "scene",
                                              .name = names[i],
                                              .unit = "frames/s",
                                              .value = figures.frames_per_s,
                                              .latency = &figures.latency,
                                              .rule = BENCH_VALUE_AT_LEAST,
                                              .bound = BENCH_SCENE_FRAMES_PER_S,
                                              .more = more});
    }
    return CLI_DONE;
}

/* --- All */

static const struct part {
    const char *name;
    int (*run)(struct job *job);
} parts[] = {{"models", run_models}, {"forward", run_forward}, {"render", run_render}};

enum { PARTS = sizeof parts / sizeof *parts };

int bench_read_seeds(const char *text, int64_t *ret_first, int64_t *ret_count)
{
    char *end = NULL;
    int64_t first = strtoll(text, &end, 10), count = *end == ':' ? strtoll(end + 1, &end, 10) : 0;
    if (*end == '\0' && first >= VD_BENCH_SCENE_FIRST && first <= UINT32_MAX - 100000 && count >= 1 &&
        count <= 100000) {
        *ret_first = first;
        *ret_count = count;
        return CLI_DONE;
    }
    cli_complain("--seeds is FIRST:COUNT, from %d (training looked at those below), and 1 to 100000 of them.",
                 VD_BENCH_SCENE_FIRST);
    return CLI_WRONG;
}

static int find_models(struct job *job)
{
    vd_error error = {0};
    int status = cli_find_model(job->detector, job->detector_file);
    if (status == CLI_DONE && vd_model_find_verifier(job->verifier, job->verifier_file, &error) != VD_OK) {
        cli_complain_error(&error);
        status = CLI_WRONG;
    }
    return status;
}

static int prepare(struct job *job)
{
    const char *names[PARTS];
    for (int i = 0; i < PARTS; i++)
        names[i] = parts[i].name;
    int status = bench_check_cases(job->base.cases, names, PARTS);
    bool wants_models =
        bench_is_listed(job->base.cases, "models") || bench_is_listed(job->base.cases, "forward");
    if (status == CLI_DONE && job->seeds)
        status = bench_read_seeds(job->seeds, &job->first_seed, &job->seed_count);
    return status == CLI_DONE && wants_models ? find_models(job) : status;
}

static int run(struct job *job)
{
    int status = prepare(job);
    if (status != CLI_DONE)
        return status;
    cli_progress_disable();
    vd_sources_register();
    bench_print_machine();
    for (int i = 0; i < PARTS && status != CLI_WRONG && !vd_interrupted(); i++)
        if (bench_is_listed(job->base.cases, parts[i].name))
            status = cli_worse(status, parts[i].run(job));
    bench_clear(&job->base);
    if (vd_interrupted())
        return CLI_INTERRUPTED;
    return cli_worse(status, job->base.missed ? CLI_FAILED : CLI_DONE);
}

int bench_scene(int argc, char **argv)
{
    static struct job job = {.base = {.pairs = BENCH_LEAST_PAIRS},
                             .detector = VD_MODEL_DEMO,
                             .verifier = VD_MODEL_DEMO,
                             .first_seed = VD_BENCH_SCENE_FIRST,
                             .seed_count = 48,
                             .passes = 20};
    const cli_option options[] = {
        {"detector", CLI_TEXT, &job.detector, 0, 0, "M", "a model file or demo (demo)"},
        {"verifier", CLI_TEXT, &job.verifier, 0, 0, "M", "a stage-2 model file or demo (demo)"},
        {"seeds", CLI_TEXT, &job.seeds, 0, 0, "FIRST:COUNT", "scenes to look at (2000000:48)"},
        {"sparse", CLI_FLAG, &job.sparse, 0, 0, NULL, "16 frames of a window instead of all 49"},
        {"against", CLI_TEXT, &job.against, 0, 0, "M", "the network whose pass is the measure"},
        {"detections", CLI_TEXT, &job.detections_path, 0, 0, "F", "writes what was detected"},
        {"truth", CLI_TEXT, &job.truth_path, 0, 0, "F", "writes what was there"},
        {"pairs", CLI_COUNT, &job.base.pairs, 1, MOST_PAIRS, "N", "turns of `forward`, 1 to 99 (7)"},
        {"passes", CLI_COUNT, &job.passes, 1, MOST_PASSES, "N", "of each side in a turn, 1 to 1000 (20)"},
        {"cases", CLI_TEXT, &job.base.cases, 0, 0, "A,B", "only these of models, forward, render"},
    };
    const cli_usage usage = {.command = "bench scene",
                             .operands = "",
                             .text = help_text,
                             .options = options,
                             .option_count = sizeof options / sizeof *options};
    int operands, status = cli_parse(&usage, argc, argv, &operands);
    if (status != CLI_DONE)
        return status == CLI_HELPED ? CLI_DONE : status;
    return run(&job);
}
