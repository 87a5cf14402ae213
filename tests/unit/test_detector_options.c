/* What a detector is made of: its options and presets, workers that cannot start, and tables of functions
 * that do wrong. */
#include <math.h>
#include <sched.h>
#include <string.h>

#include "base/cores.h"
#include "check_main.h"
#include "detector_case.h"

/* --- What detectors may do wrong */

START_TEST(rubbish_is_not_published)
{
    gate.habit = GATE_GIVES_RUBBISH;
    vd_detector *detector = case_make(&gate_ops, 1, 1);
    vd_future *future = case_must_submit(detector, 0);
    ck_assert_int_eq(vd_future_wait(future, -1), VD_OK);
    const vd_result *result = vd_future_value(future);
    ck_assert_uint_eq(result->count, 3);
    const vd_detection *first = &result->candidates[0];
    ck_assert_float_eq(first->score, 0.8f);
    ck_assert_float_eq(first->box.x1, -50); /* whole: selection cuts it */
    ck_assert_float_eq(first->box.x2, 200);
    static vd_detection selected[VD_MAX_DETECTIONS];
    const vd_thresholds thresholds = VD_THRESHOLDS_INIT;
    ck_assert_uint_eq(vd_result_select(result, &thresholds, selected), 3);
    ck_assert_float_eq(selected[0].box.x1, 0);
    ck_assert_float_eq(selected[0].box.x2, PICTURE_WIDTH);
    ck_assert_float_eq(selected[0].box.y2, PICTURE_HEIGHT);
    ck_assert_float_eq(result->candidates[1].box.x1, 1); /* equal scores keep their order */
    ck_assert_float_eq(result->candidates[2].box.x1, 7);
    ck_assert_int_eq(result->candidates[1].track_id, 0);
    vd_future_unref(&future);
    vd_detector_free(&detector);
}
END_TEST

START_TEST(boxes_of_nan_leave_an_empty_result)
{
    gate.habit = GATE_GIVES_NAN;
    vd_detector *detector = case_make(_i ? &gate_batch_ops : &gate_ops, 2, 4);
    vd_future *future = case_must_submit_batch(detector, 6, 3);
    ck_assert_int_eq(vd_future_wait(future, -1), VD_OK);
    const vd_batch *batch = vd_future_value(future);
    ck_assert_uint_eq(batch->successful, 6);
    for (int i = 0; i < 6; i++)
        ck_assert_uint_eq(batch->items[i].result->count, 0);
    vd_future_unref(&future);
    case_assert_ledger(detector, 6, 0, 0, 0);
    vd_detector_free(&detector);
}
END_TEST

START_TEST(a_failure_is_one_picture_s)
{
    gate.habit = GATE_FAILS_THIRD;
    vd_detector *detector = case_make(&gate_ops, 1, 16);
    for (int i = 1; i <= 9; i++) {
        vd_future *future = case_must_submit(detector, i);
        ck_assert_int_eq(vd_future_wait(future, -1), i % 3 ? VD_OK : VD_EIO);
        if (i == 6) {
            ck_assert_str_eq(vd_future_error(future)->text, "Each third call fails.");
            ck_assert_str_eq(vd_future_error(future)->place, "frame 6");
        }
        case_assert_ledger(detector, (unsigned)(i - i / 3), (unsigned)(i / 3), 0, 0);
        vd_future_unref(&future);
    }
    vd_detector_free(&detector);
}
END_TEST

START_TEST(a_failure_without_a_reason_gets_one)
{
    gate.habit = GATE_FAILS_MUTE;
    vd_detector *detector = case_make(&gate_ops, 1, 1);
    vd_future *future = case_must_submit(detector, 3);
    ck_assert_int_eq(vd_future_wait(future, -1), VD_EFORMAT);
    ck_assert_uint_gt(strlen(vd_future_error(future)->text), 10);
    ck_assert_str_eq(vd_future_error(future)->place, "frame 3");
    vd_future_unref(&future);
    case_assert_ledger(detector, 0, 1, 0, 0);
    vd_detector_free(&detector);
}
END_TEST

/* --- Workers that cannot start */

START_TEST(a_worker_that_cannot_start_is_left_out)
{
    vd_future *futures[3];
    gate.closed_workers = 1u << 1 | 1u << 4;
    vd_detector *detector = case_make(&gate_ops, 5, 8);
    ck_assert_int_eq(vd_detector_get_stats(detector).workers, 3);
    for (int i = -1; i < 7; i++) {
        const vd_error *error = vd_detector_worker_error(detector, i);
        ck_assert_int_eq(error->code, i == 1 || i == 4 ? VD_EFORMAT : VD_OK);
        if (i == 4)
            ck_assert_str_eq(error->text, "Worker 4 was told not to start.");
    }
    gate_close(&gate);
    for (int i = 0; i < 3; i++)
        futures[i] = case_must_submit(detector, i);
    ck_assert(gate_await_inside(&gate, 3)); /* all three work at once */
    gate_open(&gate);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(vd_future_wait(futures[i], -1), VD_OK);
    case_unref_all(futures, 3);
    case_assert_ledger(detector, 3, 0, 0, 0);
    vd_detector_free(&detector);
}
END_TEST

static int open_mute(const void *config, void **ret_state, vd_labels **ret_labels, vd_error *error)
{
    (void)config;
    (void)ret_state;
    (void)ret_labels;
    (void)error;
    return 3;
}

START_TEST(no_worker_is_an_error)
{
    vd_detector_options options = VD_DETECTOR_OPTIONS_INIT;
    vd_detector_ops mute = gate_ops;
    vd_detector *detector = NULL;
    vd_error error = {0};
    mute.open = open_mute;
    options.max_workers = 3;
    options.config = &gate;
    options.ops = _i ? &mute : &gate_ops;
    gate.closed_workers = 7;
    ck_assert_int_eq(vd_detector_new(&options, &detector, &error), VD_EFORMAT);
    ck_assert_ptr_null(detector);
    ck_assert_int_eq(error.code, VD_EFORMAT);
    ck_assert_uint_gt(strlen(error.text), 20);
    if (_i == 0)
        ck_assert_str_eq(error.text, "Worker 0 was told not to start.");
    ck_assert_int_eq(vd_detector_new(&options, &detector, NULL), VD_EFORMAT);
}
END_TEST

/* --- Options */

START_TEST(wrong_options_are_refused)
{
    static const struct {
        const char *model;
        int preset, workers, batch, threads, queue;
        float floor;
        int code;
        const char *says;
    } cases[] = {
        {NULL, 0, 1, 0, 1, 16, 0.05f, VD_EINVAL, "No model"},
        {"", 0, 1, 0, 1, 16, 0.05f, VD_EINVAL, "No model"},
        {"builtin:motion", -1, 1, 0, 1, 16, 0.05f, VD_EINVAL, "preset is -1"},
        {"builtin:motion", 4, 1, 0, 1, 16, 0.05f, VD_EINVAL, "preset is 4"},
        {"builtin:motion", 0, -1, 0, 1, 16, 0.05f, VD_EINVAL, "max_workers is -1"},
        {"builtin:motion", 0, 65, 0, 1, 16, 0.05f, VD_EINVAL, "1 to 64"},
        {"builtin:motion", 0, 1, -1, 1, 16, 0.05f, VD_EINVAL, "default_batch_size"},
        {"builtin:motion", 0, 1, 1025, 1, 16, 0.05f, VD_EINVAL, "1 to 1024"},
        {"builtin:motion", 0, 1, 0, -1, 16, 0.05f, VD_EINVAL, "threads"},
        {"builtin:motion", 0, 1, 0, 65, 16, 0.05f, VD_EINVAL, "threads"},
        {"builtin:motion", 0, 1, 0, 1, 0, 0.05f, VD_EINVAL, "queue_size"},
        {"builtin:motion", 0, 1, 0, 1, 4097, 0.05f, VD_EINVAL, "1 to 4096"},
        {"builtin:motion", 0, 1, 0, 1, 16, 0, VD_EINVAL, "floor"},
        {"builtin:motion", 0, 1, 0, 1, 16, 1.01f, VD_EINVAL, "floor"},
        {"builtin:motion", 0, 1, 0, 1, 16, NAN, VD_EINVAL, "floor"},
        {"builtin:cats", 0, 1, 0, 1, 16, 0.05f, VD_ENOTFOUND, "builtin:people and builtin:motion"},
        {"/no/such/model.onnx", 0, 1, 0, 1, 16, 0.05f, VD_ENOTFOUND, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vd_detector_options options = VD_DETECTOR_OPTIONS_INIT;
        options.model = cases[i].model;
        options.preset = (vd_preset)cases[i].preset;
        options.max_workers = cases[i].workers;
        options.default_batch_size = cases[i].batch;
        options.threads = cases[i].threads;
        options.queue_size = cases[i].queue;
        options.floor = cases[i].floor;
        vd_detector *detector = NULL;
        vd_error error = {0};
        ck_assert_int_eq(vd_detector_new(&options, &detector, &error), cases[i].code);
        ck_assert_ptr_null(detector);
        ck_assert_msg(strstr(error.text, cases[i].says) != NULL, "case %zu: %s", i, error.text);
        ck_assert_int_eq(error.code, cases[i].code);
        ck_assert_int_eq(vd_detector_new(&options, &detector, NULL), cases[i].code);
    }
}
END_TEST

START_TEST(wrong_networks_are_refused)
{
    static const struct {
        int width, height, precision;
        const char *device, *says;
    } cases[] = {{31, 0, 0, NULL, "input_width is 31; it must be 32 to 4096"},
                 {-32, 0, 0, NULL, "input_width is -32"},
                 {0, 4097, 0, NULL, "input_height is 4097; it must be 32 to 4096"},
                 {320, 320, 2, NULL, "precision is 2; it must be 0 to 1"},
                 {320, 320, -1, "cpu", "precision is -1"},
                 {320, 320, 0, "gpu", "device is \"gpu\"; it must be cpu, opencl, cuda or openvino"},
                 {0, 0, 0, "", "device is \"\""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vd_detector_options options = VD_DETECTOR_OPTIONS_INIT;
        vd_detector *detector = NULL;
        vd_error error = {0};
        options.model = "builtin:motion";
        options.input_width = cases[i].width;
        options.input_height = cases[i].height;
        options.precision = (vd_precision)cases[i].precision;
        options.device = cases[i].device;
        ck_assert_int_eq(vd_detector_new(&options, &detector, &error), VD_EINVAL);
        ck_assert_ptr_null(detector);
        ck_assert_msg(strstr(error.text, cases[i].says) != NULL, "case %zu: %s", i, error.text);
    }
}
END_TEST

START_TEST(without_a_network_nothing_is_said_of_one)
{
    vd_detector *detector = case_make(&gate_ops, 1, 1);
    ck_assert_str_eq(vd_detector_engine(detector), "");
    const vd_thresholds usual = VD_THRESHOLDS_INIT, thresholds = vd_detector_thresholds(detector);
    ck_assert_float_eq(thresholds.confidence, usual.confidence);
    ck_assert_float_eq(thresholds.iou, usual.iou);
    ck_assert_int_eq(thresholds.max_detections, usual.max_detections);
    vd_detector_free(&detector);
}
END_TEST

START_TEST(a_table_needs_its_functions)
{
    for (int i = 0; i < 3; i++) {
        vd_detector_ops ops = gate_ops;
        vd_detector_options options = VD_DETECTOR_OPTIONS_INIT;
        vd_detector *detector = NULL;
        vd_error error = {0};
        options.ops = &ops;
        if (i == 0)
            ops.open = NULL;
        else if (i == 1)
            ops.detect = NULL;
        else
            ops.close = NULL;
        ck_assert_int_eq(vd_detector_new(&options, &detector, &error), VD_EINVAL);
        ck_assert_ptr_nonnull(strstr(error.text, "open, detect and close"));
    }
}
END_TEST

START_TEST(the_least_table_works)
{
    vd_detector_ops least = {.open = gate_ops.open, .detect = gate_ops.detect, .close = gate_ops.close};
    vd_detector *detector = case_make(&least, 1, 1);
    vd_detector_reset(detector);
    vd_future *future = case_must_submit(detector, 1);
    ck_assert_int_eq(vd_future_wait(future, -1), VD_OK);
    case_assert_shapes(vd_future_value(future), 1);
    ck_assert_uint_gt(strlen(vd_detector_name(detector)), 0);
    vd_future_unref(&future);
    vd_detector_free(&detector);
}
END_TEST

static int least_of(int a, int b)
{
    return a < b ? a : b;
}

static void assert_preset(vd_preset preset, int workers, int batch, int want_workers, int want_batch)
{
    vd_detector_options options = VD_DETECTOR_OPTIONS_INIT;
    vd_detector *detector = NULL;
    options.preset = preset;
    options.max_workers = workers;
    options.default_batch_size = batch;
    options.ops = &gate_ops;
    options.config = &gate;
    ck_assert_int_eq(vd_detector_new(&options, &detector, NULL), VD_OK);
    vd_detector_stats stats = vd_detector_get_stats(detector);
    ck_assert_int_eq(stats.workers, want_workers);
    ck_assert_int_eq(stats.default_batch_size, want_batch);
    vd_detector_free(&detector);
}

/* With all cores of the machine, and with one. */
START_TEST(presets_follow_the_machine)
{
    if (_i) {
        cpu_set_t all, one;
        int first = 0;
        ck_assert_int_eq(sched_getaffinity(0, sizeof all, &all), 0);
        while (!CPU_ISSET(first, &all))
            first++;
        CPU_ZERO(&one);
        CPU_SET(first, &one);
        ck_assert_int_eq(sched_setaffinity(0, sizeof one, &one), 0);
        ck_assert_int_eq(vd_cores_usable(), 1);
    }
    int cores = vd_cores_usable();
    assert_preset(VD_PRESET_NONE, 0, 0, least_of(4, cores), 16);
    assert_preset(VD_PRESET_LOW_LATENCY, 0, 0, least_of(2, cores), 4);
    assert_preset(VD_PRESET_BALANCED, 0, 0, least_of(4, cores), 16);
    assert_preset(VD_PRESET_HIGH_THROUGHPUT, 0, 0, least_of(8, cores), 32);
    /* What is set wins. */
    assert_preset(VD_PRESET_LOW_LATENCY, 3, 0, 3, 4);
    assert_preset(VD_PRESET_HIGH_THROUGHPUT, 1, 7, 1, 7);
    assert_preset(VD_PRESET_NONE, 64, 1024, 64, 1024);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("detector options");
    TCase *wrong = tcase_create("wrong"), *options = tcase_create("options");
    tcase_add_checked_fixture(wrong, case_set_up, case_tear_down);
    tcase_set_timeout(wrong, 30);
    tcase_add_test(wrong, rubbish_is_not_published);
    tcase_add_loop_test(wrong, boxes_of_nan_leave_an_empty_result, 0, 2);
    tcase_add_test(wrong, a_failure_is_one_picture_s);
    tcase_add_test(wrong, a_failure_without_a_reason_gets_one);
    tcase_add_test(wrong, a_worker_that_cannot_start_is_left_out);
    tcase_add_loop_test(wrong, no_worker_is_an_error, 0, 2);
    suite_add_tcase(suite, wrong);
    tcase_add_checked_fixture(options, case_set_up, case_tear_down);
    tcase_set_timeout(options, 30);
    tcase_add_test(options, wrong_options_are_refused);
    tcase_add_test(options, wrong_networks_are_refused);
    tcase_add_test(options, without_a_network_nothing_is_said_of_one);
    tcase_add_test(options, a_table_needs_its_functions);
    tcase_add_test(options, the_least_table_works);
    tcase_add_loop_test(options, presets_follow_the_machine, 0, 2);
    suite_add_tcase(suite, options);
    return suite;
}

TEST_MAIN(make_suite)
