/* vedette-cli bench verify: stage 2 on one worker and on several, and what submitting costs. */
#include <stdio.h>

#include "bench_scene.h"
#include "bench_verify.h"
#include "cli.h"
#include "options.h"

enum { CLIPS = 3, MODEL_CLIPS = 12, SUBMITTERS = 8 };
#define SLEEP_S 0.5

static const char help_text[] =
    "Measures the second model's worker processes: three clips at once on one worker and on several, by\n"
    "turns, with a double that waits for half a second and, with --verifier, with that model; how long it\n"
    "takes to submit a clip; and how many frames a second are detected while the queue is full, by turns\n"
    "with detection alone.\n\n"
    "--scene looks at events instead: the demonstration with detector, tracker and second model "
    "(--verifier,\n"
    "else the one that comes with the program), on scenes that training never saw, beside the truth.\n"
    "Precision is the share of events that stand for a crack or pothole, recall that of cracks and potholes\n"
    "in sight for a second that have an event; before and after what stage 2 rejects.\n\n"
    "Exit status: 0 all bounds that were judged hold, 1 one does not or the work failed.\n";

/* The time of `clips` on several workers as a share of that on one; medians of turns. */
static int compare(bench_verify_job *job, const char *model, int clips, const char *name, double bound)
{
    static double shares[BENCH_VERIFY_PAIRS], several_s[BENCH_VERIFY_PAIRS], one_s[BENCH_VERIFY_PAIRS],
        clip_s[BENCH_VERIFY_PAIRS];
    size_t pairs = (size_t)job->base.pairs;
    vd_bench_verify *one = NULL, *several = NULL;
    vd_error error = {0};
    char more[256];
    int code = vd_bench_verify_new(model, SLEEP_S, 1, &one, &error);
    if (code == VD_OK)
        code = vd_bench_verify_new(model, SLEEP_S, (int)job->workers, &several, &error);
    for (size_t i = 0; i < 2 * pairs && code == VD_OK; i++) {
        bool ones_turn = (i + i / 2) % 2 == 0;
        code = ones_turn ? vd_bench_verify_round(one, clips, &one_s[i / 2], &clip_s[i / 2], &error)
                         : vd_bench_verify_round(several, clips, &several_s[i / 2], NULL, &error);
        shares[i / 2] = one_s[i / 2] > 0 ? several_s[i / 2] / one_s[i / 2] : 0;
        code = vd_interrupted() ? VD_ECANCELED : code;
    }
    vd_bench_verify_free(&one);
    vd_bench_verify_free(&several);
    if (code != VD_OK)
        return bench_failed(code, &error);
    double share = vd_bench_median(shares, pairs); /* sorts */
    snprintf(more, sizeof more,
             "\"pairs\":%d,\"least\":%.4f,\"most\":%.4f,\"clips\":%d,\"workers\":%d,\"seconds\":%.4f,"
             "\"one_worker_s\":%.4f,\"clip_ms\":%.3f",
             (int)pairs, shares[0], shares[pairs - 1], clips, (int)job->workers,
             vd_bench_median(several_s, pairs), vd_bench_median(one_s, pairs),
             vd_bench_median(clip_s, pairs) * 1e3);
    bool judged = bound > 0 && pairs >= BENCH_LEAST_PAIRS && job->workers >= CLIPS;
    bench_print(&job->base, &(bench_line){.bench = "verify",
                                          .name = name,
                                          .unit = "of one worker's time",
                                          .value = share,
                                          .rule = judged ? BENCH_VALUE_AT_MOST : BENCH_UNJUDGED,
                                          .bound = bound,
                                          .more = more});
    return CLI_DONE;
}

static int submit(bench_verify_job *job)
{
    vd_bench_verify *verify = NULL;
    vd_bench_latency latency;
    vd_error error = {0};
    char more[96];
    int code = vd_bench_verify_new(NULL, 0.01, (int)job->workers, &verify, &error);
    if (code == VD_OK)
        code = vd_bench_verify_submit(verify, SUBMITTERS, job->base.seconds, cli_cancel(), &latency, &error);
    vd_bench_verify_free(&verify);
    if (code != VD_OK)
        return bench_failed(code, &error);
    snprintf(more, sizeof more, "\"calls\":%llu,\"max\":%.6g,\"threads\":%d",
             (unsigned long long)latency.count, latency.max_us, SUBMITTERS);
    bench_print(&job->base, &(bench_line){.bench = "verify",
                                          .name = "submit",
                                          .unit = "us",
                                          .value = latency.p99_us,
                                          .latency = &latency,
                                          .rule = latency.count >= 100 ? BENCH_VALUE_AT_MOST : BENCH_UNJUDGED,
                                          .bound = 50,
                                          .more = more});
    return CLI_DONE;
}

static int three_at_once(bench_verify_job *job)
{
    int status = compare(job, NULL, CLIPS, "three_at_once", 0.45);
    if (status == CLI_DONE && job->verifier)
        status = compare(job, job->verifier, MODEL_CLIPS, "model", 0);
    return status;
}

static int detection(bench_verify_job *job)
{
    return bench_verify_frame_rate(job, SLEEP_S);
}

static const struct part {
    const char *name;
    int (*run)(bench_verify_job *job);
} parts[] = {{"three_at_once", three_at_once}, {"submit", submit}, {"detection", detection}};

enum { PARTS = sizeof parts / sizeof *parts };

static int run_parts(bench_verify_job *job)
{
    int status = CLI_DONE;
    for (int i = 0; i < PARTS && status == CLI_DONE; i++)
        if (bench_is_listed(job->base.cases, parts[i].name))
            status = parts[i].run(job);
    return status;
}

static int check_words(bench_verify_job *job)
{
    const char *names[PARTS];
    for (int i = 0; i < PARTS; i++)
        names[i] = parts[i].name;
    int status = bench_check_cases(job->base.cases, names, PARTS);
    return status == CLI_DONE ? bench_read_seeds(job->seeds, &job->first_seed, &job->seed_count) : status;
}

/* The models' files: of a verifier where one is asked for; without a detector whatever suits the scene. */
static int find_models(bench_verify_job *job)
{
    static char verifier[VD_MODEL_PATH];
    vd_error error = {0};
    if (!job->base.model)
        job->base.model = vd_model_default("demo:");
    int status = bench_find_model(&job->base);
    if (!job->verifier && job->scene)
        job->verifier = VD_MODEL_DEMO;
    if (status != CLI_DONE || !job->verifier)
        return status;
    if (vd_model_find_verifier(job->verifier, verifier, &error) != VD_OK) {
        cli_complain_error(&error);
        return CLI_WRONG;
    }
    job->verifier = verifier;
    return CLI_DONE;
}

static int run(bench_verify_job *job)
{
    int status = check_words(job);
    if (status == CLI_DONE)
        status = find_models(job);
    if (status != CLI_DONE)
        return status;
    cli_progress_disable();
    bench_print_machine();
    status = job->scene ? bench_verify_events(job) : run_parts(job);
    bench_clear(&job->base);
    if (vd_interrupted())
        return CLI_INTERRUPTED;
    return cli_worse(status, job->base.missed ? CLI_FAILED : CLI_DONE);
}

int bench_verify(int argc, char **argv)
{
    static bench_verify_job job = {.base = {.seconds = 3, .pairs = BENCH_LEAST_PAIRS},
                                   .seeds = "2000000:4",
                                   .workers = CLIPS,
                                   .scene_s = 20};
    const cli_option options[] = {
        {"scene", CLI_FLAG, &job.scene, 0, 0, NULL, "events of the demonstration instead"},
        {"verifier", CLI_TEXT, &job.verifier, 0, 0, "M", "a stage-2 model file or demo"},
        {"detector", CLI_TEXT, &job.base.model, 0, 0, "M", "a model file or demo (what suits the scene)"},
        {"workers", CLI_COUNT, &job.workers, 1, 8, "N", "of the many, 1 to 8 (3)"},
        {"seconds", CLI_NUMBER, &job.base.seconds, 0.1, 600, "N",
         "of submitting, and of a turn of detection, 0.1 to 600 (3)"},
        {"pairs", CLI_COUNT, &job.base.pairs, 1, BENCH_VERIFY_PAIRS, "N",
         "measurements of each side, 1 to 99 (7)"},
        {"cases", CLI_TEXT, &job.base.cases, 0, 0, "A,B", "only these of three_at_once, submit, detection"},
        {"seeds", CLI_TEXT, &job.seeds, 0, 0, "FIRST:COUNT", "scenes of --scene (2000000:4)"},
        {"scene-seconds", CLI_NUMBER, &job.scene_s, 1, 300, "N", "of each of them, 1 to 300 (20)"},
    };
    const cli_usage usage = {.command = "bench verify",
                             .operands = "",
                             .text = help_text,
                             .options = options,
                             .option_count = sizeof options / sizeof *options};
    int operands, status = cli_parse(&usage, argc, argv, &operands);
    if (status != CLI_DONE)
        return status == CLI_HELPED ? CLI_DONE : status;
    return run(&job);
}
