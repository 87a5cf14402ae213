/* vedette-cli bench: figures, each beside its reference, a JSON line a case. */
#include <string.h>

#include "bench.h"
#include "cli.h"
#include "options.h"
#include "vedette/app/nearest.h"
#include "vedette/app/sources.h"

static const struct part {
    const char *name;
    int (*run)(bench_job *job);
} parts[] = {
    {"sync", bench_sync},           {"async", bench_async_workers},   {"batch", bench_batches},
    {"video", bench_video},         {"pipeline", bench_against_nets}, {"overhead", bench_overhead},
    {"peers", bench_against_peers}, {"submit", bench_submits},        {"five_sources", bench_five_sources},
};

enum { PARTS = sizeof parts / sizeof *parts };

static const char help_text[] =
    "Measures the detector and the video pipeline. Prints one JSON line a case, the machine's first. A case "
    "with a\n"
    "bound says whether it holds; one that compares measures both sides by turns, and is judged from 7 pairs "
    "up.\n\n"
    "Without --model: builtin:people, which leaves out what compares with bare networks. Without --clip: a "
    "rendered\n"
    "one. Parts for --cases: sync, async, batch, video, pipeline, overhead, peers, submit, five_sources.\n\n"
    "Exit status: 0 all bounds that were judged hold, 1 one does not or the work failed.\n";

bool bench_is_listed(const char *list, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = list; at && *at; at += strcspn(at, ","), at += *at == ',')
        if (strncmp(at, name, length) == 0 && (at[length] == ',' || at[length] == '\0'))
            return true;
    return !list;
}

int bench_check_cases(const char *list, const char *const *names, int count)
{
    for (const char *at = list; at && *at; at += strcspn(at, ","), at += *at == ',') {
        char word[32];
        bool known = false;
        snprintf(word, sizeof word, "%.*s", (int)strcspn(at, ","), at);
        for (int i = 0; i < count; i++)
            known = known || strcmp(word, names[i]) == 0;
        const char *nearest = known ? NULL : vd_nearest_word(word, names, (size_t)count);
        if (!known) {
            cli_complain("--cases has no part \"%s\"%s%s%s", word, nearest ? "; did you mean " : ".",
                         nearest ? nearest : "", nearest ? "?" : "");
            return CLI_WRONG;
        }
    }
    return CLI_DONE;
}

static int run_parts(bench_job *job)
{
    const char *names[PARTS];
    for (int i = 0; i < PARTS; i++)
        names[i] = parts[i].name;
    int status = bench_check_cases(job->cases, names, PARTS);
    if (status != CLI_DONE)
        return status;
    if (vd_monitor_new(&job->monitor) != VD_OK) {
        cli_complain("There is not enough memory.");
        return CLI_FAILED;
    }
    bench_print_machine();
    for (int i = 0; i < PARTS && status != CLI_WRONG && !vd_interrupted(); i++)
        if (bench_is_listed(job->cases, parts[i].name))
            status = cli_worse(status, parts[i].run(job));
    bench_clear(job);
    if (vd_interrupted())
        return CLI_INTERRUPTED;
    return cli_worse(status, job->missed ? CLI_FAILED : CLI_DONE);
}

static int bench_async(int argc, char **argv)
{
    static bench_job job = {.model = "builtin:people", .seconds = 6, .pairs = BENCH_LEAST_PAIRS};
    const cli_option options[] = {
        {"model", CLI_TEXT, &job.model, 0, 0, "M", "a model file, builtin:people or demo"},
        {"clip", CLI_TEXT, &job.clip, 0, 0, "C", "a video file"},
        {"peers", CLI_TEXT, &job.peers, 0, 0, "DIR", "the folder with the scripts of what we compare with"},
        {"seconds", CLI_NUMBER, &job.seconds, 0.1, 600, "N", "of one measurement, 0.1 to 600 (6)"},
        {"pairs", CLI_COUNT, &job.pairs, 1, 99, "N", "measurements of each side, 1 to 99 (7)"},
        {"cases", CLI_TEXT, &job.cases, 0, 0, "A,B", "only these parts"},
        {"frames", CLI_COUNT, &job.frames, 10, 1e9, "N", "of five_sources together, from 10 (1000)"},
        {"full", CLI_FLAG, &job.full, 0, 0, NULL, "10,000 frames for five_sources"},
    };
    const cli_usage usage = {.command = "bench async",
                             .operands = "",
                             .text = help_text,
                             .options = options,
                             .option_count = sizeof options / sizeof *options};
    int operands, status = cli_parse(&usage, argc, argv, &operands);
    if (status != CLI_DONE)
        return status == CLI_HELPED ? CLI_DONE : status;
    if (job.frames == 0)
        job.frames = job.full ? 10000 : 1000;
    cli_progress_disable();
    vd_sources_register();
    status = bench_find_model(&job);
    return status == CLI_DONE ? run_parts(&job) : status;
}

int cmd_bench(int argc, char **argv)
{
    if (argc >= 2 && strcmp(argv[1], "async") == 0)
        return bench_async(argc - 1, argv + 1);
    if (argc >= 2 && strcmp(argv[1], "engine") == 0)
        return bench_engine(argc - 1, argv + 1);
    if (argc >= 2 && strcmp(argv[1], "scene") == 0)
        return bench_scene(argc - 1, argv + 1);
    if (argc >= 2 && strcmp(argv[1], "track") == 0)
        return bench_track(argc - 1, argv + 1);
    if (argc >= 2 && strcmp(argv[1], "verify") == 0)
        return bench_verify(argc - 1, argv + 1);
    if (argc >= 2 && strcmp(argv[1], "serve") == 0)
        return bench_serve(argc - 1, argv + 1);
    bool help = argc >= 2 && strcmp(argv[1], "--help") == 0;
    if (argc >= 2 && !help)
        cli_complain("There is no benchmark `%s`; there are `async`, `engine`, `scene`, `serve`, `track` and "
                     "`verify`.",
                     argv[1]);
    fprintf(help ? stdout : stderr, "Usage: vedette-cli bench NAME [OPTIONS]\n\n"
                                    "  async   the detector, the video pipeline and what they cost\n"
                                    "  engine  a network's passes, by layer and beside others\n"
                                    "  scene   the demonstration's models on scenes that they never saw\n"
                                    "  serve   the streaming interface\n"
                                    "  track   the tracker\n"
                                    "  verify  the second model's workers\n\n"
                                    "vedette-cli bench NAME --help tells the options.\n");
    return help ? CLI_DONE : CLI_WRONG;
}
