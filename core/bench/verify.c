/* Stage 2 under load: rounds of clips on some workers, threads that submit. */
#include <stdlib.h>
#include <string.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/text.h"
#include "bench/verify_scene.h"
#include "frame/frame.h"
#include "model/verifier.h"
#include "vedette/app/bench.h"
#include "vedette/app/verify.h"

enum { SIDE = 320, MOST_CLIPS = 50, SUBMITS_PER_S = 2000 };
#define LOAD_NS (60 * VD_NS_PER_S)

struct vd_bench_verify {
    vd_verifier *verifier;
    vd_frame_pool *pool;
    vd_frame *frame;
    vd_verify_clip clip;
};

/* A clip of one picture with something in it, again and again. */
static int make_clip(vd_bench_verify *verify, const vd_verify_options *options)
{
    int code = vd_frame_pool_new(VD_PIXEL_BGRX, SIDE, SIDE, 1, &verify->pool);
    if (code == VD_OK)
        code = vd_frame_pool_take(verify->pool, &verify->frame);
    if (code != VD_OK)
        return code;
    const vd_image *image = &verify->frame->image;
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE * 4; x++)
            image->planes[0][y * image->strides[0] + x] = (uint8_t)(x * y / 16 + x);
    verify->clip.count = (size_t)options->temporal_size;
    for (size_t i = 0; i < verify->clip.count; i++) {
        verify->clip.frames[i] = verify->frame;
        verify->clip.boxes[i] = (vd_box){100, 100, 200, 180};
        verify->clip.times_s[i] = (double)i / 10;
        verify->clip.scores[i] = 0.5f;
    }
    return VD_OK;
}

int scene_verify_fit(const char *model, vd_verify_options *options, vd_error *error)
{
    vd_verifier_form form;
    vd_model *read = NULL;
    int code = vd_model_read_verifier(model, NULL, &form, &read, error);
    if (code != VD_OK)
        return code;
    vd_model_free(&read);
    options->input_width = form.width;
    options->input_height = form.height;
    options->temporal_size = form.frames;
    return VD_OK;
}

int scene_verify_wait(vd_verifier *verifier, int workers, vd_error *error)
{
    vd_cancel sleeper;
    int code = vd_cancel_init(&sleeper);
    int64_t limit_ns = vd_clock_now_ns() + LOAD_NS;
    vd_verify_stats stats = vd_verifier_get_stats(verifier);
    while (code == VD_OK && stats.workers < workers && !stats.degraded && vd_clock_now_ns() < limit_ns) {
        vd_cancel_sleep_until(&sleeper, vd_clock_now_ns() + VD_NS_PER_MS);
        stats = vd_verifier_get_stats(verifier);
    }
    if (code == VD_OK)
        vd_cancel_fini(&sleeper);
    if (stats.degraded)
        return vd_error_set(error, stats.degraded_why.code, stats.degraded_why.place, "%s",
                            stats.degraded_why.text);
    if (code == VD_OK && stats.workers >= workers)
        return VD_OK;
    return vd_error_set(error, VD_ETIMEOUT, NULL, "The workers did not load their model within a minute.");
}

int vd_bench_verify_new(const char *model, double sleep_s, int workers, vd_bench_verify **ret_verify,
                        vd_error *error)
{
    vd_verify_options options = VD_VERIFY_OPTIONS_INIT;
    vd_text_copy(options.model_path, sizeof options.model_path, model ? model : "");
    vd_text_copy(options.model_type, sizeof options.model_type, model ? "onnx" : "test:sleep");
    options.test_sleep_s = sleep_s;
    options.min_workers = options.max_workers = workers;
    int code = model ? scene_verify_fit(model, &options, error) : VD_OK;
    if (code != VD_OK)
        return code;
    vd_bench_verify *verify = calloc(1, sizeof *verify);
    if (!verify || make_clip(verify, &options) != VD_OK) {
        vd_bench_verify_free(&verify);
        return vd_error_set(error, VD_ENOMEM, NULL, "There is not enough memory.");
    }
    code = vd_verifier_new(&options, NULL, NULL, &verify->verifier, error);
    if (code == VD_OK)
        code = scene_verify_wait(verify->verifier, workers, error);
    if (code == VD_OK)
        *ret_verify = verify;
    else
        vd_bench_verify_free(&verify);
    return code;
}

void vd_bench_verify_free(vd_bench_verify **pointer)
{
    vd_bench_verify *verify = *pointer;
    *pointer = NULL;
    if (!verify)
        return;
    vd_verifier_free(&verify->verifier);
    vd_frame_unref(&verify->frame);
    vd_frame_pool_free(&verify->pool);
    free(verify);
}

int vd_bench_verify_round(vd_bench_verify *verify, int clips, double *ret_seconds, double *ret_clip_s,
                          vd_error *error)
{
    uint64_t ids[MOST_CLIPS];
    double clip_s[MOST_CLIPS];
    int64_t began_ns = vd_clock_now_ns();
    for (int i = 0; i < clips && i < MOST_CLIPS; i++) {
        int code = vd_verifier_submit(verify->verifier, &verify->clip, 0.5f, &ids[i], error);
        if (code != VD_OK)
            return code;
    }
    for (int i = 0; i < clips && i < MOST_CLIPS; i++) {
        vd_verify_result result = {0};
        if (vd_verifier_take(verify->verifier, ids[i], INT64_MAX, &result) != VD_OK ||
            result.verdict == VD_VERDICT_UNVERIFIED)
            return vd_error_set(error, VD_EFORMAT, NULL, "A clip got no verdict: %s", result.error.text);
        clip_s[i] = result.processing_s;
    }
    *ret_seconds = (double)(vd_clock_now_ns() - began_ns) / (double)VD_NS_PER_S;
    if (ret_clip_s)
        *ret_clip_s = vd_bench_median(clip_s, (size_t)clips);
    return VD_OK;
}

/* Submits clips until the queue has no room left. */
static int fill_queue(vd_bench_verify *verify, vd_error *error)
{
    uint64_t id;
    vd_verify_stats stats = vd_verifier_get_stats(verify->verifier);
    int code = VD_OK;
    for (int i = stats.queue_length; i < stats.queue_size && code == VD_OK; i++)
        code = vd_verifier_submit(verify->verifier, &verify->clip, 0.5f, &id, error);
    return code;
}

int vd_bench_verify_frame_rate(vd_detector *detector, const vd_image *picture, vd_bench_verify *verify,
                               double seconds, vd_cancel *cancel, double *ret_frames_per_s, vd_error *error)
{
    uint64_t frames = 0;
    int code = verify ? fill_queue(verify, error) : VD_OK;
    int64_t began_ns = vd_clock_now_ns(), now_ns = began_ns;
    while (code == VD_OK && now_ns < began_ns + (int64_t)(seconds * (double)VD_NS_PER_S)) {
        vd_result *result = NULL;
        code = verify ? fill_queue(verify, error) : VD_OK;
        if (code == VD_OK)
            code = vd_detector_detect(detector, picture, &result, error);
        vd_result_unref(&result);
        if (code == VD_OK && vd_cancel_requested(cancel))
            code = vd_error_set(error, VD_ECANCELED, NULL, "Cancelled.");
        frames++;
        now_ns = vd_clock_now_ns();
    }
    if (code == VD_OK)
        *ret_frames_per_s = (double)frames * (double)VD_NS_PER_S / (double)(now_ns - began_ns);
    return code;
}

/* --- Submitting */

struct lane {
    vd_thread thread;
    vd_bench_verify *verify;
    vd_cancel *stop;
    int64_t first_ns, step_ns, *samples_ns;
    size_t count, done;
};

static void run_lane(void *context)
{
    struct lane *lane = context;
    for (size_t i = 0; i < lane->count; i++) {
        uint64_t id;
        if (vd_cancel_sleep_until(lane->stop, lane->first_ns + (int64_t)i * lane->step_ns))
            return;
        int64_t began_ns = vd_clock_now_ns();
        if (vd_verifier_submit(lane->verify->verifier, &lane->verify->clip, 0.5f, &id, NULL) != VD_OK)
            return;
        lane->samples_ns[lane->done++] = vd_clock_now_ns() - began_ns;
    }
}

int vd_bench_verify_submit(vd_bench_verify *verify, int threads, double seconds, vd_cancel *cancel,
                           vd_bench_latency *ret_latency, vd_error *error)
{
    size_t each = (size_t)(seconds * SUBMITS_PER_S / threads) + 1, lanes_count = (size_t)threads,
           gathered = 0;
    struct lane *lanes = calloc(lanes_count, sizeof *lanes);
    int64_t *samples = calloc(lanes_count * each, sizeof *samples);
    vd_cancel stop;
    int code = vd_cancel_init_child(&stop, cancel);
    bool can_stop = code == VD_OK;
    int64_t step_ns = VD_NS_PER_S * threads / SUBMITS_PER_S, now_ns = vd_clock_now_ns() + 50 * VD_NS_PER_MS;
    if (!lanes || !samples)
        code = VD_ENOMEM;
    for (size_t i = 0; i < lanes_count && code == VD_OK; i++) {
        lanes[i] = (struct lane){.verify = verify,
                                 .stop = &stop,
                                 .first_ns = now_ns + step_ns * (int64_t)i / threads,
                                 .step_ns = step_ns,
                                 .samples_ns = samples + i * each,
                                 .count = each};
        code = vd_thread_start(&lanes[i].thread, "vd-submit", run_lane, &lanes[i]);
    }
    if (code != VD_OK && can_stop)
        vd_cancel_request(&stop);
    for (size_t i = 0; lanes && i < lanes_count; i++) {
        vd_thread_join(&lanes[i].thread);
        memmove(samples + gathered, lanes[i].samples_ns ? lanes[i].samples_ns : samples,
                lanes[i].done * sizeof *samples);
        gathered += lanes[i].done;
    }
    if (code == VD_OK && vd_cancel_requested(&stop))
        code = VD_ECANCELED;
    if (can_stop)
        vd_cancel_fini(&stop);
    if (code == VD_OK)
        *ret_latency = vd_bench_latency_of(samples, gathered);
    free(samples);
    free(lanes);
    return code ? vd_error_set(error, code, NULL, "The submits could not be measured (%s).",
                               vd_code_name(code))
                : VD_OK;
}
