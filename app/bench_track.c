/* vedette-cli bench track: what a moment costs. */
#include <math.h>
#include <stdlib.h>

#include "bench.h"
#include "cli.h"
#include "options.h"
#include "vedette/app/track.h"

enum { OBJECTS = 100, WARM_UP = 30, MOMENTS = 3000 };

static const char help_text[] =
    "Measures the tracker: a hundred objects that cross each other, a hundred detections at every moment, "
    "prediction,\nassignment and all. Prints the machine's line and one JSON line; its value is the 95th of "
    "a "
    "hundred moments.\n\nExit status: 0 it is below its bound, 1 it is not or the work failed.\n";

/* Objects on a picture of 1920 × 1080 that go up and down, each at its own pace; in one corner of it they
 * often hide each other, so that the assignment is not the same as the nearest. */
static void place(int moment, vd_detection detections[OBJECTS])
{
    for (int i = 0; i < OBJECTS; i++) {
        double t = moment * 0.04, phase = i * 2.399963;
        double x = 960 + 800 * sin(0.21 * t + phase), y = 540 + 420 * sin((0.13 + 0.002 * i) * t + 2 * phase);
        double width = 50 + i % 7 * 6, height = 2 * width;
        detections[i] = (vd_detection){.box = {(float)(x - width / 2), (float)(y - height / 2),
                                               (float)(x + width / 2), (float)(y + height / 2)},
                                       .score = 0.9f};
    }
}

static int measure(vd_tracker *tracker, int64_t samples_ns[MOMENTS], size_t *ret_tracks, vd_error *error)
{
    vd_detection detections[OBJECTS];
    for (int moment = 0; moment < WARM_UP + MOMENTS; moment++) {
        if (vd_interrupted())
            return VD_ECANCELED;
        place(moment, detections);
        int64_t began = bench_now_ns();
        int code = vd_tracker_update(tracker, moment * 0.04, detections, OBJECTS, error);
        if (code)
            return code;
        if (moment >= WARM_UP)
            samples_ns[moment - WARM_UP] = bench_now_ns() - began;
    }
    vd_tracker_tracks(tracker, ret_tracks);
    return VD_OK;
}

static int run(bench_job *job)
{
    const vd_track_options options = VD_TRACK_OPTIONS_INIT;
    static int64_t samples_ns[MOMENTS];
    vd_tracker *tracker = NULL;
    vd_error error = {0};
    size_t tracks = 0;
    char more[80];
    int code = vd_tracker_new(&options, &tracker, &error);
    if (code == VD_OK)
        code = measure(tracker, samples_ns, &tracks, &error);
    vd_tracker_free(&tracker);
    if (code)
        return bench_failed(code, &error);
    bench_print_machine();
    vd_bench_latency latency = vd_bench_latency_of(samples_ns, MOMENTS);
    snprintf(more, sizeof more, "\"max\":%.6g,\"moments\":%d,\"tracks\":%zu", latency.max_us, MOMENTS,
             tracks);
    bench_print(job, &(bench_line){.bench = "track",
                                   .name = "100 tracks, 100 detections",
                                   .unit = "us",
                                   .value = latency.p95_us,
                                   .latency = &latency,
                                   .rule = BENCH_VALUE_AT_MOST,
                                   .bound = 1000,
                                   .more = more});
    return job->missed ? CLI_FAILED : CLI_DONE;
}

int bench_track(int argc, char **argv)
{
    static bench_job job;
    const cli_usage usage = {.command = "bench track", .operands = "", .text = help_text};
    int operands, status = cli_parse(&usage, argc, argv, &operands);
    if (status != CLI_DONE)
        return status == CLI_HELPED ? CLI_DONE : status;
    return run(&job);
}
