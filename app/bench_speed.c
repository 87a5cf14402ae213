/* How fast and how late: one picture after another, several under way, batches, a clip. */
#include <stdlib.h>

#include "bench.h"
#include "cli.h"

enum { MOST_SAMPLES = 1 << 17, MOST_UNDER_WAY = 32, MOST_BATCH = 32 };

static int64_t samples_ns[MOST_SAMPLES];

struct tally {
    int64_t pictures, failed;
    size_t samples;
};

static void note(struct tally *tally, int64_t took_ns, int64_t pictures)
{
    if (tally->samples < MOST_SAMPLES)
        samples_ns[tally->samples++] = took_ns;
    tally->pictures += pictures;
}

/* From submit to the end of the work, as the result tells. */
static int64_t latency_of(const vd_result *result)
{
    return result->queue_ns + result->preprocess_ns + result->forward_ns + result->decode_ns;
}

static const vd_image *next_picture(bench_job *job, int64_t number)
{
    return &job->pictures[number % job->picture_count];
}

/* One way of asking, for some seconds. */
typedef int asking(bench_job *job, vd_detector *detector, int count, struct tally *tally, vd_error *error);

static int64_t end_of(const bench_job *job)
{
    return bench_now_ns() + (int64_t)(job->seconds * 1e9);
}

static int ask_one_by_one(bench_job *job, vd_detector *detector, int count, struct tally *tally,
                          vd_error *error)
{
    (void)count;
    int code = VD_OK;
    for (int64_t end = end_of(job); code == VD_OK && bench_now_ns() < end && !vd_interrupted();) {
        vd_result *result = NULL;
        int64_t began_ns = bench_now_ns();
        code = vd_detector_detect(detector, next_picture(job, tally->pictures), &result, error);
        note(tally, bench_now_ns() - began_ns, 1);
        vd_result_unref(&result);
    }
    return code;
}

/* Keeps two pictures a worker under way, and takes them in their order. */
static int ask_ahead(bench_job *job, vd_detector *detector, int workers, struct tally *tally, vd_error *error)
{
    vd_future *under_way[MOST_UNDER_WAY];
    int most = 2 * workers, count = 0, head = 0, code = VD_OK;
    int64_t asked = 0, end = end_of(job);
    bool more = true;
    while (more || count > 0) {
        more = more && code == VD_OK && bench_now_ns() < end && !vd_interrupted();
        if (more && count < most) {
            vd_input input = {.image = *next_picture(job, asked++)};
            code = vd_detector_submit(detector, &input, &under_way[(head + count) % most], error);
            count += code == VD_OK;
            continue;
        }
        if (count == 0)
            break;
        vd_future *oldest = under_way[head];
        int failed = vd_future_wait(oldest, -1);
        if (failed && code == VD_OK && error)
            *error = *vd_future_error(oldest);
        code = code ? code : failed;
        if (failed == VD_OK)
            note(tally, latency_of(vd_future_value(oldest)), 1);
        vd_future_unref(&oldest);
        head = (head + 1) % most;
        count--;
    }
    return code;
}

static int ask_in_batches(bench_job *job, vd_detector *detector, int size, struct tally *tally,
                          vd_error *error)
{
    vd_image images[MOST_BATCH];
    int code = VD_OK;
    for (int64_t end = end_of(job); code == VD_OK && bench_now_ns() < end && !vd_interrupted();) {
        vd_batch *batch = NULL;
        for (int i = 0; i < size; i++)
            images[i] = *next_picture(job, tally->pictures + i);
        int64_t began_ns = bench_now_ns();
        code = vd_detector_detect_batch(detector, images, (size_t)size, size, &batch, error);
        note(tally, bench_now_ns() - began_ns, size);
        tally->failed += batch ? (int64_t)(batch->total - batch->successful) : 0;
        vd_batch_free(&batch);
    }
    return code;
}

static void print_speed(bench_job *job, const char *name, const struct tally *tally, double seconds,
                        int workers, const char *figures)
{
    char more[512];
    vd_bench_latency latency = vd_bench_latency_of(samples_ns, tally->samples);
    snprintf(more, sizeof more, "\"workers\":%d,\"pictures\":%lld,\"failed\":%lld,%s", workers,
             (long long)tally->pictures, (long long)tally->failed, figures);
    bench_print(job, &(bench_line){.name = name,
                                   .unit = "frames/s",
                                   .value = seconds > 0 ? (double)tally->pictures / seconds : 0,
                                   .latency = &latency,
                                   .more = more});
}

/* One case with a detector of its own, whose memory is in the figure.
 *
 * workers  0: the detector's default
 * count    handed to `ask` */
static int measure(bench_job *job, const char *name, int workers, asking *ask, int count)
{
    vd_detector *detector = NULL;
    struct tally tally = {0};
    vd_error error = {0};
    char figures[384];
    int status = bench_need_pictures(job);
    bench_watch_begin(job);
    if (status == CLI_DONE)
        status = bench_detector(job, workers, &detector);
    if (status != CLI_DONE)
        return status;
    vd_monitor_sample loaded;
    vd_monitor_take(job->monitor, &loaded); /* processor time is of the work, not of the loading */
    int64_t began_ns = bench_now_ns();
    int code = ask(job, detector, count, &tally, &error);
    double seconds = (double)(bench_now_ns() - began_ns) / 1e9;
    bench_watch_end(job, figures, sizeof figures);
    if (code == VD_OK && !vd_interrupted())
        print_speed(job, name, &tally, seconds, vd_detector_get_stats(detector).workers, figures);
    vd_detector_free(&detector);
    return code ? bench_failed(code, &error) : CLI_DONE;
}

int bench_sync(bench_job *job)
{
    return measure(job, "sync", 1, ask_one_by_one, 1);
}

int bench_async_workers(bench_job *job)
{
    int status = CLI_DONE;
    for (int workers = 1; workers <= 8 && status == CLI_DONE && !vd_interrupted(); workers *= 2) {
        char name[sizeof "async_" + 3 * sizeof workers];
        snprintf(name, sizeof name, "async_%d", workers);
        status = measure(job, name, workers, ask_ahead, workers);
    }
    return status;
}

int bench_batches(bench_job *job)
{
    static const int sizes[] = {1, 4, 16, 32};
    int status = CLI_DONE;
    for (int i = 0; i < 4 && status == CLI_DONE && !vd_interrupted(); i++) {
        char name[16];
        snprintf(name, sizeof name, "batch_%d", sizes[i]);
        status = measure(job, name, 0, ask_in_batches, sizes[i]);
    }
    return status;
}

/* --- A clip */

static int take_frame(void *context, const vd_source_info *info, vd_frame *frame, vd_result *result,
                      const vd_error *error)
{
    struct tally *tally = context;
    (void)info;
    (void)frame;
    (void)error;
    if (result)
        note(tally, latency_of(result), 1);
    else
        tally->failed++;
    return VD_OK;
}

int bench_video(bench_job *job)
{
    vd_detector *detector = NULL;
    struct tally tally = {0};
    vd_error error = {0};
    char figures[384];
    double rate = 0;
    int status = bench_need_clips(job, false);
    bench_watch_begin(job);
    if (status == CLI_DONE)
        status = bench_detector(job, 0, &detector);
    if (status != CLI_DONE)
        return status;
    vd_monitor_sample loaded;
    vd_monitor_take(job->monitor, &loaded);
    bench_pipeline pipeline = {.job = job, .detector = detector, .sink = take_frame, .context = &tally};
    int code = bench_measure_pipeline(&pipeline, &rate, &error);
    bench_watch_end(job, figures, sizeof figures);
    if (code == VD_OK)
        print_speed(job, "video", &tally, rate > 0 ? (double)tally.pictures / rate : 0,
                    vd_detector_get_stats(detector).workers, figures);
    vd_detector_free(&detector);
    return code ? bench_failed(code, &error) : CLI_DONE;
}
