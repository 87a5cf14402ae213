/* Many pictures at once: submit them all, hear of each by a continuation, wait for the first and for all.
 *
 *   async_detection [MODEL.onnx]     without a model: builtin:motion
 *
 * The pictures are rendered: a bright square that moves over a grey ground. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vedette/vedette.h>

enum { PICTURES = 40, WIDTH = 320, HEIGHT = 240, SIDE = 60, STEP = 6 };

/* What the continuations write; they run on the detector's threads. */
struct progress {
    atomic_int succeeded, failed, boxes;
};

static void render(int index, uint8_t *pixels, vd_image *image)
{
    memset(pixels, 70, (size_t)WIDTH * HEIGHT * 3);
    for (int y = 80; y < 80 + SIDE; y++)
        memset(pixels + ((size_t)y * WIDTH + (size_t)(index * STEP)) * 3, 230, SIDE * 3);
    *image = (vd_image){
        .format = VD_PIXEL_BGR, .width = WIDTH, .height = HEIGHT, .planes = {pixels}, .strides = {WIDTH * 3}};
}

/* Must not block: the worker that completed the future is running it. */
static void on_complete(void *context, vd_future *future)
{
    struct progress *progress = context;
    const vd_result *result = vd_future_value(future);
    vd_thresholds thresholds = VD_THRESHOLDS_INIT;
    vd_detection found[VD_MAX_DETECTIONS];
    if (result)
        atomic_fetch_add(&progress->boxes, (int)vd_result_select(result, &thresholds, found));
    atomic_fetch_add(result ? &progress->succeeded : &progress->failed, 1);
}

/* The pictures lie in `memory` until everything is complete, so no release function is needed. */
static int submit_all(vd_detector *detector, uint8_t *memory, vd_future **futures, struct progress *progress,
                      vd_error *error)
{
    for (int i = 0; i < PICTURES; i++) {
        vd_input input = {.frame_index = i};
        render(i, memory + (size_t)i * WIDTH * HEIGHT * 3, &input.image);
        int code = vd_detector_submit(detector, &input, &futures[i], error);
        if (code == VD_EAGAIN) /* the queue is full: this form waits for room */
            code = vd_detector_submit_wait(detector, &input, -1, &futures[i], error);
        if (code == VD_OK)
            code = vd_future_then(futures[i], on_complete, progress);
        if (code)
            return code;
    }
    return VD_OK;
}

static int wait_for(vd_future *const *futures, vd_error *error)
{
    vd_future *first = NULL, *all = NULL;
    int code = vd_future_any(futures, PICTURES, &first);
    if (code == VD_OK)
        code = vd_future_all(futures, PICTURES, &all);
    if (code == VD_OK && (code = vd_future_wait(first, -1)) == VD_OK) {
        const vd_result *result =
            vd_future_value(vd_future_value(first)); /* its value is the future that won */
        printf("picture %d was the first, after %.1f ms\n", (int)result->frame_index,
               (double)(result->queue_ns + result->preprocess_ns + result->forward_ns + result->decode_ns) /
                   1e6);
    }
    if (code == VD_OK && (code = vd_future_wait(all, 60 * INT64_C(1000000000))))
        *error = vd_future_error(all) ? *vd_future_error(all) : *error;
    vd_future_unref(&first);
    vd_future_unref(&all);
    return code;
}

int main(int argc, char **argv)
{
    struct progress progress = {0};
    vd_future *futures[PICTURES] = {0};
    vd_detector *detector = NULL;
    vd_error error = {0};
    vd_detector_options options = VD_DETECTOR_OPTIONS_INIT;
    options.model = argc > 1 ? argv[1] : "builtin:motion";
    options.preset = VD_PRESET_HIGH_THROUGHPUT;
    uint8_t *memory = malloc((size_t)PICTURES * WIDTH * HEIGHT * 3);
    int code = memory ? vd_detector_new(&options, &detector, &error) : VD_ENOMEM;
    if (code == VD_OK)
        code = submit_all(detector, memory, futures, &progress, &error);
    if (code == VD_OK)
        code = wait_for(futures, &error);
    if (detector) /* joins the workers: no continuation runs after this, and nobody reads the pictures */
        vd_detector_shutdown(detector, code ? VD_SHUTDOWN_CANCEL : VD_SHUTDOWN_WAIT);
    if (code == VD_OK) {
        vd_detector_stats stats = vd_detector_get_stats(detector);
        printf("%s, %d workers: %d pictures, %d failed, %d boxes; p50 %.1f ms, p99 %.1f ms\n",
               vd_detector_name(detector), stats.workers, progress.succeeded, progress.failed, progress.boxes,
               (double)stats.p50_ns / 1e6, (double)stats.p99_ns / 1e6);
    } else {
        fprintf(stderr, "async_detection: %s %s\n", vd_code_name(code), error.text);
    }
    for (int i = 0; i < PICTURES; i++)
        vd_future_unref(&futures[i]);
    vd_detector_free(&detector);
    free(memory);
    if (code || progress.succeeded != PICTURES)
        return 1;
    return argc == 1 && progress.boxes == 0; /* what moves must be found */
}
