#include <string.h>

#include "base/clock.h"
#include "check_main.h"
#include "vedette/app/bench.h"

enum { WIDTH = 640, HEIGHT = 480 };

static uint8_t pixels[WIDTH * HEIGHT];

static vd_image picture(int shift)
{
    memset(pixels, 60, sizeof pixels);
    for (int y = 100; y < 300; y++)
        memset(pixels + y * WIDTH + 100 + shift, 200, 150);
    return (vd_image){
        .format = VD_PIXEL_GREY, .width = WIDTH, .height = HEIGHT, .planes = {pixels}, .strides = {WIDTH}};
}

static double seconds_of(vd_detector *detector, vd_result **ret_result)
{
    vd_image image = picture(0);
    vd_error error = {0};
    int64_t began_ns = vd_clock_now_ns();
    ck_assert_msg(vd_detector_detect(detector, &image, ret_result, &error) == VD_OK, "%s", error.text);
    return (double)(vd_clock_now_ns() - began_ns) / VD_NS_PER_S;
}

START_TEST(as_slow_as_it_is_told)
{
    vd_bench_slowed *slowed = NULL;
    vd_detector *detector = NULL;
    vd_result *result = NULL;
    vd_error error = {0};
    double fast_s = 1e9;
    ck_assert_int_eq(vd_bench_slowed_new("builtin:motion", 1, &slowed, &error), VD_OK);
    ck_assert_msg(vd_bench_slowed_open(slowed, 0, 0, &detector, &error) == VD_OK, "%s", error.text);
    for (int i = 0; i < 5; i++) {
        double took_s = seconds_of(detector, &result);
        fast_s = took_s < fast_s ? took_s : fast_s;
        vd_result_unref(&result);
    }
    vd_bench_slowed_set(slowed, 40);
    double slow_s = seconds_of(detector, &result);
    ck_assert_msg(slow_s > 4 * fast_s, "%.4f s after %.4f s", slow_s, fast_s);
    ck_assert_double_gt((double)result->forward_ns / VD_NS_PER_S, slow_s / 2);
    ck_assert_double_le((double)result->forward_ns / VD_NS_PER_S, slow_s);
    vd_result_unref(&result);
    vd_detector_free(&detector);
    vd_bench_slowed_free(&slowed);
    vd_bench_slowed_free(&slowed);
}
END_TEST

/* Whoever looks at the results sees no difference. */
START_TEST(results_are_the_real_ones)
{
    vd_detector_options options = VD_DETECTOR_OPTIONS_INIT;
    vd_bench_slowed *slowed = NULL;
    vd_detector *detectors[2] = {0};
    vd_error error = {0};
    options.model = "builtin:motion";
    options.max_workers = 1;
    ck_assert_int_eq(vd_detector_new(&options, &detectors[0], &error), VD_OK);
    ck_assert_int_eq(vd_bench_slowed_new("builtin:motion", 1, &slowed, &error), VD_OK);
    ck_assert_int_eq(vd_bench_slowed_open(slowed, 0, 0, &detectors[1], &error), VD_OK);
    size_t found = 0;
    for (int i = 0; i < 12; i++) {
        vd_result *results[2];
        vd_image image = picture(i * 20);
        for (int k = 0; k < 2; k++)
            ck_assert_int_eq(vd_detector_detect(detectors[k], &image, &results[k], &error), VD_OK);
        ck_assert_uint_eq(results[0]->count, results[1]->count);
        ck_assert_str_eq(results[0]->model, results[1]->model);
        ck_assert_str_eq(vd_labels_name(results[1]->labels, 0), "motion");
        ck_assert_int_eq(results[0]->input_width, results[1]->input_width);
        for (size_t j = 0; j < results[0]->count; j++)
            ck_assert_float_eq(results[0]->candidates[j].box.x1, results[1]->candidates[j].box.x1);
        found += results[0]->count;
        for (int k = 0; k < 2; k++)
            vd_result_unref(&results[k]);
    }
    ck_assert_uint_gt(found, 0);
    for (int k = 0; k < 2; k++)
        vd_detector_free(&detectors[k]);
    vd_bench_slowed_free(&slowed);
}
END_TEST

START_TEST(a_model_that_is_not_there)
{
    vd_bench_slowed *slowed = NULL;
    vd_detector *detector = NULL;
    vd_error error = {0};
    ck_assert_int_eq(vd_bench_slowed_new("/no/such.onnx", 1, &slowed, &error), VD_OK);
    ck_assert_int_eq(vd_bench_slowed_open(slowed, 0, 0, &detector, &error), VD_ENOTFOUND);
    ck_assert_ptr_null(detector);
    ck_assert_int_ne(error.text[0], 0);
    vd_bench_slowed_free(&slowed);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("slowed");
    TCase *tests = tcase_create("slowed");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, as_slow_as_it_is_told);
    tcase_add_test(tests, results_are_the_real_ones);
    tcase_add_test(tests, a_model_that_is_not_there);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(make_suite)
