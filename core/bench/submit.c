/* Each thread has its own times, spread evenly, so that the submits of all together come at an even pace. A
 * thread that is late submits at once and does not catch up in a burst: it skips what it has missed. */
#include <stdlib.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/thread.h"
#include "vedette/app/bench.h"

enum { MOST_THREADS = 256, SIDE = 64 };

struct work {
    int64_t work_ns;
    vd_cancel sleeper; /* never requested */
};

struct lane {
    const struct bench *bench;
    vd_thread thread;
    int number;

    /* owned by its thread until it is joined */
    size_t accepted, refused;
    int64_t *samples_ns; /* accepted from the front, refused from the back */
    int code;
};

struct bench {
    const vd_bench_submit_options *options;
    vd_detector *detector;
    vd_input input;
    int64_t start_ns, step_ns; /* of one thread */
    size_t count;              /* submits of one thread */
    vd_cancel stop;
};

static int open_work(const void *config, void **ret_state, vd_labels **ret_labels, vd_error *error)
{
    (void)ret_labels;
    struct work *work = calloc(1, sizeof *work);
    if (!work || vd_cancel_init(&work->sleeper)) {
        free(work);
        return vd_error_set(error, VD_ENOMEM, NULL, "There is not enough memory.");
    }
    work->work_ns = *(const int64_t *)config;
    *ret_state = work;
    return VD_OK;
}

static int wait_instead(void *state, const vd_image *image, vd_result *result, vd_error *error)
{
    struct work *work = state;
    (void)image;
    (void)error;
    vd_cancel_sleep_until(&work->sleeper, vd_clock_now_ns() + work->work_ns);
    result->forward_ns = work->work_ns;
    return VD_OK;
}

static void close_work(void *state)
{
    struct work *work = state;
    vd_cancel_fini(&work->sleeper);
    free(work);
}

static const vd_detector_ops waiting_ops = {
    .open = open_work, .detect = wait_instead, .close = close_work, .name = "waiting"};

static void submit_one(struct lane *lane)
{
    const struct bench *bench = lane->bench;
    vd_future *future = NULL;
    vd_error error;
    int64_t began_ns = vd_clock_now_ns();
    int code = vd_detector_submit(bench->detector, &bench->input, &future, &error);
    int64_t took_ns = vd_clock_now_ns() - began_ns;
    vd_future_unref(&future);
    if (code == VD_OK)
        lane->samples_ns[lane->accepted++] = took_ns;
    else if (code == VD_EAGAIN)
        lane->samples_ns[bench->count - ++lane->refused] = took_ns;
    else
        lane->code = code;
}

static void run_lane(void *context)
{
    struct lane *lane = context;
    struct bench *bench = (struct bench *)lane->bench;
    int64_t due_ns = bench->start_ns + bench->step_ns * lane->number / bench->options->threads;
    int64_t end_ns = bench->start_ns + bench->step_ns * (int64_t)bench->count;
    for (; due_ns < end_ns && lane->code == VD_OK; due_ns += bench->step_ns) {
        if (vd_clock_now_ns() - due_ns > bench->step_ns)
            continue; /* missed */
        if (vd_cancel_sleep_until(&bench->stop, due_ns))
            break;
        submit_one(lane);
    }
}

static vd_bench_latency gather(const struct lane *lanes, int count, bool accepted, size_t most, int64_t *room)
{
    size_t gathered = 0;
    for (int i = 0; i < count; i++) {
        size_t from = accepted ? 0 : most - lanes[i].refused,
               n = accepted ? lanes[i].accepted : lanes[i].refused;
        for (size_t k = 0; k < n; k++)
            room[gathered++] = lanes[i].samples_ns[from + k];
    }
    return vd_bench_latency_of(room, gathered);
}

static int run_lanes(struct bench *bench, struct lane *lanes)
{
    int code = VD_OK, count = bench->options->threads;
    bench->start_ns = vd_clock_now_ns() + 50 * VD_NS_PER_MS; /* when all are there */
    for (int i = 0; i < count && code == VD_OK; i++)
        code = vd_thread_start(&lanes[i].thread, "vd-submit", run_lane, &lanes[i]);
    if (code)
        vd_cancel_request(&bench->stop);
    for (int i = 0; i < count; i++) {
        vd_thread_join(&lanes[i].thread);
        code = code ? code : lanes[i].code;
    }
    return code;
}

static int measure(struct bench *bench, struct lane *lanes, int64_t *samples,
                   vd_bench_submit_figures *ret_figures)
{
    int count = bench->options->threads;
    size_t all = (size_t)count * bench->count;
    for (int i = 0; i < count; i++)
        lanes[i] =
            (struct lane){.bench = bench, .number = i, .samples_ns = samples + (size_t)i * bench->count};
    int code = run_lanes(bench, lanes);
    if (code == VD_OK && vd_cancel_requested(&bench->stop))
        code = VD_ECANCELED;
    if (code)
        return code;
    ret_figures->accepted = gather(lanes, count, true, bench->count, samples + all);
    ret_figures->refused = gather(lanes, count, false, bench->count, samples + all);
    double seconds = (double)bench->step_ns * (double)bench->count / (double)VD_NS_PER_S;
    ret_figures->per_s = (double)(ret_figures->accepted.count + ret_figures->refused.count) / seconds;
    return VD_OK;
}

static int prepare(const vd_bench_submit_options *options, struct bench *bench, vd_error *error)
{
    static uint8_t grey[SIDE * SIDE];
    if (options->threads < 1 || options->threads > MOST_THREADS || !(options->per_s >= 1) ||
        !(options->per_s <= 1e6) || !(options->seconds > 0) || !(options->seconds <= 3600) ||
        options->work_ns < 0)
        return vd_error_set(error, VD_EINVAL, NULL, "1 to %d threads submit up to a million times a second.",
                            MOST_THREADS);
    bench->options = options;
    bench->step_ns = (int64_t)((double)options->threads * (double)VD_NS_PER_S / options->per_s);
    bench->count = (size_t)(options->seconds * options->per_s / options->threads) + 1;
    bench->input.image = (vd_image){
        .format = VD_PIXEL_GREY, .width = SIDE, .height = SIDE, .planes = {grey}, .strides = {SIDE}};
    vd_detector_options detector = VD_DETECTOR_OPTIONS_INIT;
    detector.ops = &waiting_ops;
    detector.config = &options->work_ns;
    detector.max_workers = options->workers;
    return vd_detector_new(&detector, &bench->detector, error);
}

int vd_bench_submit(const vd_bench_submit_options *options, vd_bench_submit_figures *ret_figures,
                    vd_error *error)
{
    struct bench bench = {0};
    int code = prepare(options, &bench, error);
    if (code)
        return code;
    size_t threads = (size_t)options->threads;
    struct lane *lanes = calloc(threads, sizeof *lanes);
    int64_t *samples = calloc(2 * threads * bench.count, sizeof *samples);
    bool can_stop = vd_cancel_init_child(&bench.stop, options->cancel) == VD_OK;
    code = VD_ENOMEM;
    if (lanes && samples && can_stop)
        code = measure(&bench, lanes, samples, ret_figures);
    if (can_stop)
        vd_cancel_fini(&bench.stop);
    vd_detector_free(&bench.detector);
    free(samples);
    free(lanes);
    return code ? vd_error_set(error, code, NULL, "The submits could not be measured (%s).",
                               vd_code_name(code))
                : VD_OK;
}
