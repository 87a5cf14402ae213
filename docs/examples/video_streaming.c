/* A whole clip or camera through a detector, frames in order, nothing lost.
 *
 *   video_streaming [SOURCE [MODEL.onnx]]     without a source: a clip that is written first; without a
 * model: builtin:motion
 *
 * SOURCE is a file, /dev/video0, rtsp://… or http://…; a camera is watched for ten seconds. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vedette/vedette.h>

enum { FRAMES = 150, WIDTH = 320, HEIGHT = 240, SIDE = 48 };

struct tally {
    int64_t next, gaps, boxes;
};

/* Called in the frames' order on the thread that called vd_run. While it works the workers go on, and so does
 * the decoder until the bounded queue is full. */
static int on_frame(void *context, const vd_source_info *info, vd_frame *frame, vd_result *result,
                    const vd_error *error)
{
    struct tally *tally = context;
    vd_thresholds thresholds = VD_THRESHOLDS_INIT;
    vd_detection found[VD_MAX_DETECTIONS];
    int64_t index = vd_frame_get_index(frame);
    (void)info;
    tally->gaps += index - tally->next;
    tally->next = index + 1;
    if (error)
        fprintf(stderr, "frame %" PRId64 ": %s\n", index, error->text);
    if (result)
        tally->boxes += (int64_t)vd_result_select(result, &thresholds, found);
    return VD_OK; /* anything else ends the run */
}

/* Writes a clip without compression (YUV4MPEG): a bright square goes over a grey ground. */
static int write_clip(const char *path)
{
    static uint8_t picture[WIDTH * HEIGHT * 3 / 2];
    FILE *file = fopen(path, "wb");
    if (!file)
        return VD_EIO;
    fprintf(file, "YUV4MPEG2 W%d H%d F25:1 Ip A1:1 C420mpeg2\n", WIDTH, HEIGHT);
    for (int i = 0; i < FRAMES; i++) {
        memset(picture, 80, WIDTH * HEIGHT);
        memset(picture + WIDTH * HEIGHT, 128, WIDTH * HEIGHT / 2);
        for (int y = 96; y < 96 + SIDE; y++)
            memset(picture + y * WIDTH + i * (WIDTH - SIDE) / FRAMES, 220, SIDE);
        fputs("FRAME\n", file);
        fwrite(picture, 1, sizeof picture, file);
    }
    int failed = ferror(file);
    return fclose(file) || failed ? VD_EIO : VD_OK;
}

static void print_summary(const vd_run_summary *summary, const struct tally *tally)
{
    printf("%s: %dx%d, %" PRId64 " frames in %.2f s, %.0f a second\n", summary->source.name,
           summary->source.width, summary->source.height, summary->frames, summary->seconds,
           summary->seconds > 0 ? (double)summary->frames / summary->seconds : 0.0);
    printf("detected %" PRId64 ", failed %" PRId64 ", dropped %" PRId64 ", boxes %" PRId64 "\n",
           summary->detected, summary->failed, summary->dropped, tally->boxes);
    printf("frames of the pool: %d, of them at most %d at once in use; the decoder waited for one %" PRIu64
           " times\n",
           summary->source_stats.pool_capacity, summary->source_stats.pool_peak,
           summary->source_stats.pool_exhausted);
    if (summary->source_error.code)
        fprintf(stderr, "the source ended early: %s\n", summary->source_error.text);
}

static int stream(const char *source, const char *model, vd_run_summary *summary, struct tally *tally,
                  vd_error *error)
{
    vd_detector *detector = NULL;
    vd_detector_options options = VD_DETECTOR_OPTIONS_INIT;
    options.model = model;
    int code = vd_detector_new(&options, &detector, error);
    if (code)
        return code;
    vd_run_options run = VD_RUN_OPTIONS_INIT;
    run.address = source;
    run.detector = detector;
    run.batch = 4; /* a model that takes batches gets four frames in one pass, others four workers one each */
    run.max_seconds = vd_source_address_is_live(source) ? 10 : 0;
    code = vd_run(&run, on_frame, tally, summary, error);
    vd_detector_free(&detector);
    return code;
}

int main(int argc, char **argv)
{
    char written[] = "/tmp/video_streaming-XXXXXX";
    const char *source = argc > 1 ? argv[1] : written, *model = argc > 2 ? argv[2] : "builtin:motion";
    struct tally tally = {0};
    vd_run_summary summary = {0};
    vd_error error = {0};
    int code = VD_OK;
    if (argc == 1) {
        int descriptor = mkstemp(written);
        code = descriptor < 0 || close(descriptor) ? VD_EIO : write_clip(written);
    }
    if (code == VD_OK)
        code = stream(source, model, &summary, &tally, &error);
    if (argc == 1)
        unlink(written);
    if (code) {
        fprintf(stderr, "video_streaming: %s %s\n", vd_code_name(code), error.text);
        return 1;
    }
    print_summary(&summary, &tally);
    if (summary.failed > 0 || summary.source_error.code)
        return 1;
    if (!summary.source.is_live && (summary.dropped > 0 || tally.gaps > 0))
        return 1; /* files lose no frame */
    return argc == 1 && (summary.frames != FRAMES || tally.boxes == 0);
}
