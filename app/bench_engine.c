/* vedette-cli bench engine: a network's passes, with box decoding, by the gathered layers and by OpenCV's
 * own, beside what others take for the same file; and where the time goes, layer by layer. */
#include "bench_engine.h"

#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "cli.h"
#include "json_line.h"
#include "options.h"
#include "request.h"
#include "vedette/app/model_info.h"
#include "vedette/app/sources.h"

enum { MOST_PAIRS = 99, MOST_PASSES = 1000, REFERENCES = 1 + BENCH_ENGINE_PEERS, LAYER_PASSES = 20 };

static int64_t samples_ns[MOST_PAIRS * MOST_PASSES];

struct job {
    bench_job base; /* model, peers, pairs, pictures */
    cli_request request;
    int64_t threads, passes;

    vd_bench_engine *ours, *plain;
    char name[160];  /* of the case */
    char opencv[96]; /* the reference that is always there */
    bench_peer peers[BENCH_ENGINE_PEERS];
    bool has_peers;

    /* measured, a value a round, ms */
    double our_ms[MOST_PAIRS], forward_ms[MOST_PAIRS], decode_ms[MOST_PAIRS], ms[REFERENCES][MOST_PAIRS];
    size_t samples;
};

static const char help_text[] =
    "Measures forward passes of a network, one after another, boxes decoded: by the layers that are gathered "
    "into runs\n"
    "and by OpenCV's own layers on the same rewritten graph, by turns, and judged from 7 pairs up. Then a "
    "line for each\n"
    "gathered layer (engine_layer). With --peers: peer_cv2.py and peer_ort.js of that folder in the same "
    "turns, on the\n"
    "untouched file; NODE_PATH tells where ONNX Runtime is.\n\n"
    "Exit status: 0 all bounds that were judged hold, 1 one does not or the work failed.\n";

/* --- Measuring */

/* Some passes: medians in ms. `keep`: the times are kept for the percentiles. */
static int run_passes(struct job *job, vd_bench_engine *engine, bool keep, double *ret_ms,
                      double *ret_forward_ms, double *ret_decode_ms, vd_error *error)
{
    static double all[MOST_PASSES], forward[MOST_PASSES], decode[MOST_PASSES];
    size_t count = (size_t)job->passes;
    for (size_t i = 0; i < count; i++) {
        int64_t forward_ns, decode_ns;
        int code = vd_bench_engine_pass(engine, &forward_ns, &decode_ns, error);
        if (code || vd_interrupted())
            return code ? code : VD_ECANCELED;
        if (keep)
            samples_ns[job->samples++] = forward_ns + decode_ns;
        all[i] = (double)(forward_ns + decode_ns) / 1e6;
        forward[i] = (double)forward_ns / 1e6;
        decode[i] = (double)decode_ns / 1e6;
    }
    *ret_ms = vd_bench_median(all, count);
    *ret_forward_ms = vd_bench_median(forward, count);
    *ret_decode_ms = vd_bench_median(decode, count);
    return VD_OK;
}

/* side  0: ours; 1: OpenCV's own layers; from 2: the peers */
static int measure_side(struct job *job, int side, int pair, vd_error *error)
{
    double unused;
    if (side == 0)
        return run_passes(job, job->ours, true, &job->our_ms[pair], &job->forward_ms[pair],
                          &job->decode_ms[pair], error);
    if (side == 1)
        return run_passes(job, job->plain, false, &job->ms[0][pair], &unused, &unused, error);
    bench_peer *peer = &job->peers[side - 2];
    if (job->has_peers && peer->note[0] == '\0')
        job->ms[side - 1][pair] = bench_ask_peer(peer, job->base.model, (int)job->threads, (int)job->passes);
    return vd_interrupted() ? VD_ECANCELED : VD_OK;
}

static int measure(struct job *job)
{
    for (int pair = 0; pair < job->base.pairs; pair++)
        for (int i = 0; i <= REFERENCES; i++) {
            vd_error error = {0};
            int code = measure_side(job, pair % 2 ? REFERENCES - i : i, pair, &error);
            if (code)
                return bench_failed(code, &error);
        }
    return CLI_DONE;
}

/* --- Telling */

static double median_of(const double *values, int64_t count)
{
    double copy[MOST_PAIRS];
    memcpy(copy, values, (size_t)count * sizeof *copy);
    return vd_bench_median(copy, (size_t)count);
}

static void print_ratio(struct job *job, const char *reference, const double *theirs, double bound)
{
    double ratios[MOST_PAIRS];
    char more[512];
    int64_t pairs = job->base.pairs;
    vd_bench_latency latency = vd_bench_latency_of(samples_ns, job->samples);
    for (int i = 0; i < pairs; i++)
        ratios[i] = job->our_ms[i] > 0 ? theirs[i] / job->our_ms[i] : 0;
    double ratio = vd_bench_median(ratios, (size_t)pairs); /* sorts */
    snprintf(more, sizeof more,
             "\"pairs\":%d,\"ratio_min\":%.4f,\"ratio_max\":%.4f,\"forward_ms\":%.4f,\"decode_ms\":%.4f",
             (int)pairs, ratios[0], ratios[pairs - 1], median_of(job->forward_ms, pairs),
             median_of(job->decode_ms, pairs));
    bool judged = bound > 0 && pairs >= BENCH_LEAST_PAIRS;
    bench_print(&job->base, &(bench_line){.bench = "engine",
                                          .name = job->name,
                                          .unit = "ms",
                                          .value = median_of(job->our_ms, pairs),
                                          .latency = &latency,
                                          .reference = reference,
                                          .reference_value = median_of(theirs, pairs),
                                          .ratio = ratio,
                                          .rule = judged ? BENCH_RATIO_AT_LEAST : BENCH_UNJUDGED,
                                          .bound = bound,
                                          .more = more});
}

static void print_peers(struct job *job)
{
    for (int i = 0; i < BENCH_ENGINE_PEERS; i++) {
        const bench_peer *peer = &job->peers[i];
        char reference[160];
        snprintf(reference, sizeof reference, "%s%s%s", peer->name, *peer->version ? " " : "", peer->version);
        if (*peer->note)
            bench_print_note("engine", job->name, reference, peer->note);
        else
            print_ratio(job, reference, job->ms[i + 1], peer->bound);
    }
}

static int print_layers(struct job *job)
{
    vd_bench_layer *layers = NULL;
    size_t count = 0;
    double all = 0;
    vd_error error = {0};
    int code = vd_bench_engine_layers(job->ours, LAYER_PASSES, &layers, &count, &error);
    if (code)
        return bench_failed(code, &error);
    for (size_t i = 0; i < count; i++)
        all += layers[i].ms;
    for (size_t i = 0; i < count; i++) {
        const vd_bench_layer *layer = &layers[i];
        printf("{\"bench\":\"engine_layer\",\"case\":");
        cli_json_text(stdout, job->name);
        printf(",\"layer\":%zu,\"text\":", i);
        cli_json_text(stdout, layer->text);
        printf(",\"kernel\":");
        cli_json_text(stdout, layer->kernel);
        printf(",\"value\":%.4f,\"unit\":\"ms\",\"share\":%.4f", layer->ms, all > 0 ? layer->ms / all : 0);
        if (layer->gflop > 0 && layer->ms > 0)
            printf(",\"gflop\":%.5f,\"gflop_per_s\":%.1f", layer->gflop, layer->gflop / layer->ms * 1e3);
        puts("}");
    }
    free(layers);
    return CLI_DONE;
}

static int report(struct job *job)
{
    print_ratio(job, job->opencv, job->ms[0], 0);
    if (job->has_peers)
        print_peers(job);
    return print_layers(job);
}

/* --- Making ready */

static int refused(int code, const vd_error *error)
{
    cli_complain_error(error);
    return code == VD_ENOMEM ? CLI_FAILED : CLI_WRONG;
}

static int make_engines(struct job *job)
{
    vd_error error = {0};
    const vd_detector_options *network = &job->request.network;
    vd_bench_engine_options options = {.model = job->base.model,
                                       .threads = (int)job->threads,
                                       .input_width = network->input_width,
                                       .input_height = network->input_height,
                                       .precision = network->precision};
    int code = vd_bench_engine_new(&options, &job->base.pictures[0], &job->ours, &error);
    options.plain = 1;
    options.precision = VD_PRECISION_FP32;
    if (code == VD_OK)
        code = vd_bench_engine_new(&options, &job->base.pictures[0], &job->plain, &error);
    return code ? refused(code, &error) : CLI_DONE;
}

static void name_case(struct job *job, const vd_model_info *file)
{
    int width, height;
    char size[32] = "";
    vd_bench_engine_input(job->ours, &width, &height);
    if (width != file->input_width || height != file->input_height)
        snprintf(size, sizeof size, " at %dx%d", width, height);
    snprintf(job->name, sizeof job->name, "%s%s threads=%d %s", file->name, size, (int)job->threads,
             job->request.network.precision == VD_PRECISION_BF16 ? "bf16" : "fp32");
    snprintf(job->opencv, sizeof job->opencv, "OpenCV %s, its own layers", vd_bench_opencv_version());
    job->has_peers = job->base.peers != NULL;
    if (!job->has_peers)
        return;
    if (*size) {
        bench_print_note("engine", job->name, "peers", "they run the file at its own size only");
        job->has_peers = false;
        return;
    }
    bench_find_peers(job->base.peers, job->base.model, file->name, (int)job->threads,
                     job->request.network.precision, job->peers);
}

static int make_ready(struct job *job)
{
    static vd_model_info file;
    vd_error error = {0};
    int code = vd_model_describe(job->base.model, NULL, 0, 0, &file, &error);
    if (code)
        return refused(code, &error);
    int status = bench_need_pictures(&job->base);
    if (status == CLI_DONE)
        status = make_engines(job);
    if (status == CLI_DONE)
        name_case(job, &file);
    vd_model_info_clear(&file);
    return vd_interrupted() ? CLI_INTERRUPTED : status;
}

/* The engine's own words, once. */
static void print_engine(const struct job *job)
{
    bench_print_note("engine_text", job->name, NULL, vd_bench_engine_text(job->ours));
}

static int run(struct job *job)
{
    int status = cli_request_prepare_plain(&job->request);
    if (status != CLI_DONE)
        return status;
    bench_print_machine();
    if (!vd_bench_has_precision(job->request.network.precision)) {
        bench_print_note("engine", job->base.model, NULL, "bf16: this processor has no instructions for it");
        return CLI_DONE;
    }
    status = make_ready(job);
    if (status != CLI_DONE)
        return status;
    print_engine(job);
    status = measure(job);
    if (status == CLI_DONE)
        status = report(job);
    return cli_worse(status, job->base.missed ? CLI_FAILED : CLI_DONE);
}

int bench_engine(int argc, char **argv)
{
    static struct job job = {
        .base = {.pairs = BENCH_LEAST_PAIRS}, .request = CLI_REQUEST_INIT, .threads = 1, .passes = 30};
    const cli_option options[] = {
        {"model", CLI_TEXT, &job.base.model, 0, 0, "M", "a model file or demo; required"},
        {"threads", CLI_COUNT, &job.threads, 1, 64, "T", "within a pass, 1 to 64 (1)"},
        {"input", CLI_TEXT, &job.request.input, 0, 0, "N|WxH", "pixels that the network looks at"},
        {"precision", CLI_TEXT, &job.request.precision, 0, 0, "P", "fp32 or bf16 (fp32)"},
        {"clip", CLI_TEXT, &job.base.clip, 0, 0, "C", "a video file whose first picture is looked at"},
        {"peers", CLI_TEXT, &job.base.peers, 0, 0, "DIR",
         "the folder with the scripts of what we compare with"},
        {"pairs", CLI_COUNT, &job.base.pairs, 1, MOST_PAIRS, "N", "turns, 1 to 99 (7)"},
        {"passes", CLI_COUNT, &job.passes, 1, MOST_PASSES, "N", "of each side in a turn, 1 to 1000 (30)"},
    };
    const cli_usage usage = {.command = "bench engine",
                             .operands = "",
                             .text = help_text,
                             .options = options,
                             .option_count = sizeof options / sizeof *options};
    int operands, status = cli_parse(&usage, argc, argv, &operands);
    if (status != CLI_DONE)
        return status == CLI_HELPED ? CLI_DONE : status;
    if (!job.base.model || !bench_has_net(&job.base)) {
        cli_complain("`bench engine` needs --model M, a model file: only networks have layers.");
        return CLI_WRONG;
    }
    status = bench_find_model(&job.base);
    if (status != CLI_DONE)
        return status;
    cli_progress_disable();
    vd_sources_register();
    status = run(&job);
    vd_bench_engine_free(&job.ours);
    vd_bench_engine_free(&job.plain);
    bench_clear(&job.base);
    return status;
}
