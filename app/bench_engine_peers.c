#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "bench_engine.h"
#include "cli.h"

/* What is demanded, for the networks that it was measured with. */
static const struct bound {
    const char *model;
    bool of_node; /* ONNX Runtime; else OpenCV in Python */
    int threads;
    vd_precision precision;
    double ratio;
} bounds[] = {
    {"yolov8n-320", false, 1, VD_PRECISION_FP32, 3},   {"yolo11n-320", false, 1, VD_PRECISION_FP32, 3},
    {"yolov8n-320", true, 1, VD_PRECISION_FP32, 1.35}, {"yolo11n-320", true, 1, VD_PRECISION_FP32, 1.2},
    {"yolov8n-320", true, 1, VD_PRECISION_BF16, 1.8},  {"yolo11n-320", true, 1, VD_PRECISION_BF16, 1.8},
    {"yolov8n-320", true, 2, VD_PRECISION_FP32, 1.2},  {"yolo11n-320", true, 2, VD_PRECISION_FP32, 1.2},
    {"yolov8n-320", true, 2, VD_PRECISION_BF16, 1.6},  {"yolo11n-320", true, 2, VD_PRECISION_BF16, 1.6},
};

static double bound_of(const bench_peer *peer, const char *model, int threads, vd_precision precision)
{
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++)
        if (strcmp(bounds[i].model, model) == 0 && bounds[i].of_node == peer->is_script_of_node &&
            bounds[i].threads == threads && bounds[i].precision == precision)
            return bounds[i].ratio;
    return 0;
}

/* The text behind `"key":`, with or without a blank. */
static const char *value_of(const char *json, const char *key)
{
    char quoted[32];
    snprintf(quoted, sizeof quoted, "\"%s\":", key);
    const char *at = strstr(json, quoted);
    if (!at)
        return NULL;
    at += strlen(quoted);
    return at + strspn(at, " ");
}

static void keep_version(bench_peer *peer, const char *json)
{
    const char *version = value_of(json, "version");
    if (version && *version == '"')
        snprintf(peer->version, sizeof peer->version, "%.*s", (int)strcspn(version + 1, "\""), version + 1);
}

double bench_ask_peer(bench_peer *peer, const char *model, int threads, int passes)
{
    char out[4096], asked[16], runs[16];
    snprintf(asked, sizeof asked, "%d", threads);
    snprintf(runs, sizeof runs, "%d", passes);
    const char *words[] = {peer->is_script_of_node ? "node" : "/usr/bin/python3",
                           peer->script,
                           "engine",
                           "--model",
                           model,
                           "--threads",
                           asked,
                           "--runs",
                           runs,
                           NULL};
    int state = bench_run_script(words, out, sizeof out);
    const char *opened = value_of(out, "opened"), *median = value_of(out, "ms_median");
    double ms = median ? strtod(median, NULL) : 0;
    if (state == 0 && ms > 0) {
        keep_version(peer, out);
        return ms;
    }
    if (state == 0 && opened && strncmp(opened, "false", 5) == 0)
        snprintf(peer->note, sizeof peer->note, "%s does not open this model", peer->name);
    else if (peer->is_script_of_node)
        snprintf(peer->note, sizeof peer->note,
                 "%s gave no figure; it needs node, and NODE_PATH must name the node_modules with "
                 "onnxruntime-node",
                 peer->name);
    else
        snprintf(peer->note, sizeof peer->note,
                 "%s gave no figure; it needs python3-opencv, python3-numpy and python3-onnx", peer->name);
    return 0;
}

static void find_peer(bench_peer *peer, const char *folder, const char *script, const char *model,
                      int threads)
{
    snprintf(peer->script, sizeof peer->script, "%s/%s", folder, script);
    if (access(peer->script, R_OK) != 0)
        snprintf(peer->note, sizeof peer->note, "there is no %.180s", peer->script);
    else if (strlen(model) < 5 || strcmp(model + strlen(model) - 5, ".onnx") != 0)
        snprintf(peer->note, sizeof peer->note, "%s is compared on ONNX files only", peer->name);
    else
        bench_ask_peer(peer, model, threads, 3);
}

void bench_find_peers(const char *folder, const char *model, const char *name, int threads,
                      vd_precision precision, bench_peer ret_peers[BENCH_ENGINE_PEERS])
{
    ret_peers[0] = (bench_peer){.name = "opencv-python"};
    ret_peers[1] = (bench_peer){.name = "onnxruntime", .is_script_of_node = true};
    find_peer(&ret_peers[0], folder, "peer_cv2.py", model, threads);
    find_peer(&ret_peers[1], folder, "peer_ort.js", model, threads);
    for (int i = 0; i < BENCH_ENGINE_PEERS; i++)
        ret_peers[i].bound = bound_of(&ret_peers[i], name, threads, precision);
}
