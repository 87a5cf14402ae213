/* A run delivers every frame in order, with its own result. */
#include <string.h>

#include "base/clock.h"
#include "base/thread.h"
#include "check_main.h"
#include "doubles/fake_source.h"
#include "vedette/run.h"

static vd_detector *detector;
static int queue_size;

static void open_detector(const struct fake_detector_config *config, int workers)
{
    vd_detector_options options = VD_DETECTOR_OPTIONS_INIT;
    options.ops = &fake_detector_ops;
    options.config = config;
    options.max_workers = workers;
    options.queue_size = queue_size;
    ck_assert_int_eq(vd_detector_new(&options, &detector, NULL), VD_OK);
}

static void setup(void)
{
    fake_source_register();
    queue_size = 4;
}

static void teardown(void)
{
    ck_assert_int_eq(vd_detector_free(&detector), VD_OK);
}

struct delivered {
    int count, failed;
    int64_t last;
    int stop_at;
};

static int on_frame(void *context, const vd_source_info *info, vd_frame *frame, vd_result *result,
                    const vd_error *error)
{
    struct delivered *delivered = context;
    int64_t index = vd_frame_get_index(frame);
    ck_assert_str_eq(info->name, "fake");
    ck_assert_int_gt(index, delivered->last);
    delivered->last = index;
    delivered->count++;
    delivered->failed += error != NULL;
    ck_assert((result != NULL) != (error != NULL));
    if (result)
        ck_assert_float_eq_tol(result->candidates[0].box.x1, fake_source_box(index).x1, 1e-4f);
    return delivered->count == delivered->stop_at ? VD_EIO : VD_OK;
}

START_TEST(files_lose_no_frame)
{
    static const struct fake_detector_config config = {.delay_ms = 1, .fail_every = 7};
    vd_run_options options = VD_RUN_OPTIONS_INIT;
    struct delivered delivered = {.last = -1};
    vd_run_summary summary;
    open_detector(&config, 1 + _i);
    options.address = "fake:frames=120";
    options.detector = detector;
    ck_assert_int_eq(vd_run(&options, on_frame, &delivered, &summary, NULL), VD_OK);
    ck_assert_int_eq(delivered.count, 120);
    ck_assert_int_eq(summary.frames, 120);
    ck_assert_int_eq(summary.detected + summary.failed, 120);
    ck_assert_int_eq(summary.failed, delivered.failed);
    ck_assert_int_gt(summary.failed, 10);
    ck_assert_int_eq(summary.dropped, 0);
}
END_TEST

START_TEST(limits_and_strides_count_source_frames)
{
    static const struct fake_detector_config config = {0};
    vd_run_options options = VD_RUN_OPTIONS_INIT;
    struct delivered delivered = {.last = -1};
    vd_run_summary summary;
    open_detector(&config, 1);
    options.address = "fake:frames=1000";
    options.detector = detector;
    options.stride = 3;
    options.max_frames = 30;
    ck_assert_int_eq(vd_run(&options, on_frame, &delivered, &summary, NULL), VD_OK);
    ck_assert_int_eq(delivered.count, 10);
    ck_assert_int_eq(delivered.last, 27);
    delivered = (struct delivered){.last = -1};
    options.max_frames = 0;
    options.stride = 1;
    options.max_seconds = 0.4;
    ck_assert_int_eq(vd_run(&options, on_frame, &delivered, &summary, NULL), VD_OK);
    ck_assert_int_eq(delivered.count, 10);
    options.stride = 0;
    vd_error error = {0};
    ck_assert_int_eq(vd_run(&options, on_frame, &delivered, &summary, &error), VD_EINVAL);
    ck_assert_ptr_nonnull(strstr(error.text, "1 to 1000"));
}
END_TEST

START_TEST(the_sink_can_end_it)
{
    static const struct fake_detector_config config = {.delay_ms = 1};
    vd_run_options options = VD_RUN_OPTIONS_INIT;
    struct delivered delivered = {.last = -1, .stop_at = 5};
    vd_run_summary summary;
    open_detector(&config, 2);
    options.address = "fake:frames=1000";
    options.detector = detector;
    ck_assert_int_eq(vd_run(&options, on_frame, &delivered, &summary, NULL), VD_EIO);
    ck_assert_int_eq(delivered.count, 5);
    vd_detector_stats stats = vd_detector_get_stats(detector);
    ck_assert_uint_eq(stats.submitted, stats.succeeded + stats.failed + stats.cancelled + stats.pending);
}
END_TEST

START_TEST(what_the_sink_refuses_is_not_blamed_on_the_detector)
{
    static const struct fake_detector_config config = {.delay_ms = 20};
    vd_run_options options = VD_RUN_OPTIONS_INIT;
    struct delivered delivered = {.last = -1, .stop_at = 1};
    vd_run_summary summary;
    vd_error error = {0};
    open_detector(&config, 8); /* more frames under way than its queue of 4 holds at once */
    options.address = "fake:frames=1000";
    options.detector = detector;
    ck_assert_int_eq(vd_run(&options, on_frame, &delivered, &summary, &error), VD_EIO);
    ck_assert_str_eq(error.text, "");
    ck_assert_int_eq(summary.dropped, 0); /* a file: what was read ahead was not lost */
}
END_TEST

START_TEST(a_source_that_breaks_later_is_a_warning_and_at_once_an_error)
{
    static const struct fake_detector_config config = {0};
    vd_run_options options = VD_RUN_OPTIONS_INIT;
    struct delivered delivered = {.last = -1};
    vd_run_summary summary;
    vd_error error = {0};
    open_detector(&config, 1);
    options.address = "fake:break=10";
    options.detector = detector;
    ck_assert_int_eq(vd_run(&options, on_frame, &delivered, &summary, &error), VD_OK);
    ck_assert_int_eq(delivered.count, 10);
    ck_assert_int_eq(summary.source_error.code, VD_EIO);
    options.address = "fake:break=0";
    ck_assert_int_eq(vd_run(&options, on_frame, &delivered, &summary, &error), VD_EIO);
    ck_assert_ptr_nonnull(strstr(error.text, "cable"));
}
END_TEST

START_TEST(a_live_source_that_is_too_fast_drops_and_counts)
{
    static const struct fake_detector_config config = {.delay_ms = 30};
    vd_run_options options = VD_RUN_OPTIONS_INIT;
    struct delivered delivered = {.last = -1};
    vd_run_summary summary;
    open_detector(&config, 1);
    options.address = "fake:frames=100,fps=200,live=1";
    options.detector = detector;
    ck_assert_int_eq(vd_run(&options, on_frame, &delivered, &summary, NULL), VD_OK);
    ck_assert_int_gt(summary.dropped, 20);
    ck_assert_int_eq(summary.frames + summary.dropped, 100);
}
END_TEST

struct shared_run {
    vd_thread thread;
    vd_run_options options;
    struct delivered delivered;
    vd_run_summary summary;
    int code;
};

static void run_one(void *context)
{
    struct shared_run *run = context;
    run->code = vd_run(&run->options, on_frame, &run->delivered, &run->summary, NULL);
}

enum { RUNS = 3 };

static void start_runs(struct shared_run *runs, const char *address, int batch, vd_cancel *cancel)
{
    for (int i = 0; i < RUNS; i++) {
        vd_run_options options = VD_RUN_OPTIONS_INIT;
        options.address = address;
        options.detector = detector;
        options.batch = batch;
        options.cancel = cancel;
        runs[i] = (struct shared_run){.options = options, .delivered = {.last = -1}};
        ck_assert_int_eq(vd_thread_start(&runs[i].thread, "runs", run_one, &runs[i]), VD_OK);
    }
}

/* The queue takes one request: most of the time another source's stands in it. */
START_TEST(sources_share_a_detector_and_lose_no_frame)
{
    static const struct fake_detector_config config = {.delay_ms = 1};
    struct shared_run runs[RUNS];
    queue_size = 1;
    open_detector(&config, 1);
    start_runs(runs, "fake:frames=50", 1 + 7 * _i, NULL);
    for (int i = 0; i < RUNS; i++) {
        vd_thread_join(&runs[i].thread);
        ck_assert_int_eq(runs[i].code, VD_OK);
        ck_assert_int_eq(runs[i].delivered.count, 50);
        ck_assert_int_eq(runs[i].summary.detected, 50);
    }
}
END_TEST

START_TEST(one_token_ends_all_runs)
{
    static const struct fake_detector_config config = {0};
    struct shared_run runs[RUNS];
    vd_cancel *cancel;
    ck_assert_int_eq(vd_cancel_new(&cancel), VD_OK);
    open_detector(&config, 1);
    start_runs(runs, "fake:silent=1", 1, cancel);
    vd_cancel_request(cancel);
    for (int i = 0; i < RUNS; i++) {
        vd_thread_join(&runs[i].thread);
        ck_assert_int_eq(runs[i].code, VD_ECANCELED);
    }
    vd_cancel_free(&cancel);
}
END_TEST

static void run_within(void *context, vd_future *future)
{
    struct shared_run *run = context;
    (void)future;
    run_one(run);
}

START_TEST(wrong_requests_are_refused)
{
    static const struct fake_detector_config config = {.delay_ms = 20};
    static uint8_t pixels[64 * 64];
    vd_input input = {
        .image = {.format = VD_PIXEL_GREY, .width = 64, .height = 64, .planes = {pixels}, .strides = {64}}};
    struct shared_run run = {.options = VD_RUN_OPTIONS_INIT, .delivered = {.last = -1}};
    vd_future *future;
    open_detector(&config, 1);
    run.options.address = "fake:frames=3";
    run.options.detector = detector;
    ck_assert_int_eq(vd_run(&run.options, NULL, NULL, &run.summary, NULL), VD_EINVAL);
    ck_assert_int_eq(vd_run(&run.options, on_frame, &run.delivered, NULL, NULL), VD_EINVAL);
    ck_assert_int_eq(vd_run(NULL, on_frame, &run.delivered, &run.summary, NULL), VD_EINVAL);
    ck_assert_int_eq(vd_detector_submit(detector, &input, &future, NULL), VD_OK);
    vd_future_then(future, run_within, &run);
    ck_assert_int_eq(vd_detector_shutdown(detector, VD_SHUTDOWN_WAIT), VD_OK);
    /* On the worker it is refused; where the future was complete already, it ran here. */
    ck_assert(run.code == VD_EDEADLK || (run.code == VD_OK && run.delivered.count == 3));
    vd_future_unref(&future);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("run");
    TCase *tests = tcase_create("run");
    tcase_set_timeout(tests, 20);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, files_lose_no_frame, 0, 4);
    tcase_add_test(tests, limits_and_strides_count_source_frames);
    tcase_add_test(tests, the_sink_can_end_it);
    tcase_add_test(tests, what_the_sink_refuses_is_not_blamed_on_the_detector);
    tcase_add_test(tests, a_source_that_breaks_later_is_a_warning_and_at_once_an_error);
    tcase_add_test(tests, a_live_source_that_is_too_fast_drops_and_counts);
    tcase_add_loop_test(tests, sources_share_a_detector_and_lose_no_frame, 0, 2);
    tcase_add_test(tests, one_token_ends_all_runs);
    tcase_add_test(tests, wrong_requests_are_refused);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(make_suite)
