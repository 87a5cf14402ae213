#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "check_main.h"
#include "seeded.h"
#include "verify/crop.h"

enum { MOST_BYTES = 700 * 700 * 4 };

static uint8_t samples[MOST_BYTES], taken[VD_CROP_MOST_SIZE * VD_CROP_MOST_SIZE * 3];

/* Smooth enough that neighbours differ by less than 60, rough enough that a wrong one is told. */
static vd_image make_picture(vd_pixel_format format, int width, int height)
{
    int channels = format == VD_PIXEL_BGRX ? 4 : 3;
    uint64_t state = 7;
    for (int i = 0; i < width * height * channels; i++)
        samples[i] = (uint8_t)(i / channels % width * 5 % 200 + (int)seeded_below(&state, 56));
    return (vd_image){.format = format,
                      .width = width,
                      .height = height,
                      .planes = {samples},
                      .strides = {width * channels}};
}

static double sample(const vd_image *picture, int x, int y, int channel)
{
    int channels = picture->format == VD_PIXEL_BGRX ? 4 : 3;
    x = x < 0 ? 0 : x >= picture->width ? picture->width - 1 : x;
    y = y < 0 ? 0 : y >= picture->height ? picture->height - 1 : y;
    int at = picture->format == VD_PIXEL_RGB ? channel : 2 - channel;
    return picture->planes[0][y * picture->strides[0] + x * channels + at];
}

/* The weight of pixel `at` in output pixel `to`, by the definition: linear, or the share of the area. */
static double weight(double left, double step, int to, int at)
{
    if (step <= 1)
        return fmax(0, 1 - fabs(left + (to + 0.5) * step - 0.5 - at));
    double from = fmax(left + to * step, at), end = fmin(left + (to + 1) * step, at + 1);
    return fmax(0, end - from) / step;
}

static double expected(const vd_image *picture, double left, double top, double step, int x, int y,
                       int channel)
{
    double sum = 0;
    int x0 = (int)floor(left + x * step) - 2, y0 = (int)floor(top + y * step) - 2, reach = (int)step + 6;
    for (int j = y0; j < y0 + reach; j++)
        for (int i = x0; i < x0 + reach; i++)
            sum += weight(left, step, x, i) * weight(top, step, y, j) * sample(picture, i, j, channel);
    return sum;
}

static void check_crop(const vd_image *picture, double x, double y, double side, int size, double bound)
{
    ck_assert_int_eq(vd_crop_take(picture, x, y, side, size, taken), VD_OK);
    double worst = 0;
    for (int i = 0; i < size * size; i += 13)
        for (int c = 0; c < 3; c++) {
            double value = expected(picture, x - side / 2, y - side / 2, side / size, i % size, i / size, c);
            worst = fmax(worst, fabs(value - taken[i * 3 + c]));
        }
    ck_assert_msg(worst <= bound, "side %g to %d: off by %g", side, size, worst);
}

START_TEST(squares_are_as_defined)
{
    static const vd_pixel_format formats[] = {VD_PIXEL_BGRX, VD_PIXEL_BGR, VD_PIXEL_RGB};
    for (int f = 0; f < 3; f++) {
        vd_image picture = make_picture(formats[f], 300, 200);
        check_crop(&picture, 150.3, 100.8, 96, 224, 1.01);
        check_crop(&picture, 150, 100, 112, 112, 1.01);
        check_crop(&picture, 140.7, 90.1, 170, 112, 1.6);
        check_crop(&picture, 140.7, 90.1, 336, 112, 1.6);
        check_crop(&picture, 140.7, 90.1, 500, 64, 1.6);
    }
}
END_TEST

START_TEST(border_goes_on)
{
    vd_image picture = make_picture(VD_PIXEL_BGR, 120, 90);
    static const double centers[][2] = {{0, 0}, {119, 89}, {-40, 20}, {60, 130}, {-300, -300}, {1e9, 45}};
    for (int i = 0; i < 6; i++) {
        check_crop(&picture, centers[i][0], centers[i][1], 97, 64, 1.6);
        check_crop(&picture, centers[i][0], centers[i][1], 97, 224, 1.01);
    }
    vd_image dot = make_picture(VD_PIXEL_BGRX, 1, 1);
    check_crop(&dot, 0.5, 0.5, 2000, 30, 1.01);
}
END_TEST

START_TEST(nonsense_is_refused)
{
    vd_image picture = make_picture(VD_PIXEL_BGR, 64, 64), grey = picture;
    grey.format = VD_PIXEL_GREY;
    memset(taken, 7, 3);
    ck_assert_int_eq(vd_crop_take(&grey, 9, 9, 96, 32, taken), VD_EINVAL);
    ck_assert_int_eq(vd_crop_take(&picture, NAN, 9, 96, 32, taken), VD_EINVAL);
    ck_assert_int_eq(vd_crop_take(&picture, 9, INFINITY, 96, 32, taken), VD_EINVAL);
    ck_assert_int_eq(vd_crop_take(&picture, 9, 9, NAN, 32, taken), VD_EINVAL);
    ck_assert_int_eq(vd_crop_take(&picture, 9, 9, 0.5, 32, taken), VD_EINVAL);
    ck_assert_int_eq(vd_crop_take(&picture, 9, 9, VD_CROP_MOST_SIDE + 1, 32, taken), VD_EINVAL);
    ck_assert_int_eq(vd_crop_take(&picture, 9, 9, 96, 0, taken), VD_EINVAL);
    ck_assert_int_eq(vd_crop_take(&picture, 9, 9, 96, VD_CROP_MOST_SIZE + 1, taken), VD_EINVAL);
    ck_assert_uint_eq(taken[0], 7);
    ck_assert_int_eq(vd_crop_take(&picture, 9, 9, VD_CROP_MOST_SIDE, VD_CROP_MOST_SIZE, taken), VD_OK);
    ck_assert_int_eq(vd_crop_take(&picture, 9, 9, VD_CROP_MOST_SIDE, 1, taken), VD_OK);
}
END_TEST

START_TEST(sides_and_sizes)
{
    vd_box boxes[] = {{10, 10, 60, 30}, {10, 10, 40, 110}};
    ck_assert_double_eq_tol(vd_crop_side(boxes, 2), 140, 1e-9);
    ck_assert_double_eq_tol(vd_crop_side(boxes, 1), 96, 1e-9);
    ck_assert_double_eq_tol(vd_crop_side(NULL, 0), 96, 1e-9);
    vd_box huge = {0, 0, 1e7f, 5}, broken = {NAN, NAN, NAN, NAN};
    ck_assert_double_eq_tol(vd_crop_side(&huge, 1), VD_CROP_MOST_SIDE, 1e-9);
    ck_assert_double_eq_tol(vd_crop_side(&broken, 1), 96, 1e-9);
    static const int sizes[][4] = {{1280, 720, 640, 360},
                                   {640, 480, 640, 480},
                                   {320, 700, 320, 700},
                                   {1281, 721, 640, 360},
                                   {16384, 1, 640, 1}};
    for (int i = 0; i < 5; i++) {
        int width, height;
        vd_crop_frame_size(sizes[i][0], sizes[i][1], &width, &height);
        ck_assert_int_eq(width, sizes[i][2]);
        ck_assert_int_eq(height, sizes[i][3]);
    }
}
END_TEST

/* A parabola for the centre, a line for the size: what such a path gives back exactly. */
static vd_box on_path(double t)
{
    double x = 100 + 30 * t - 12 * t * t, y = 50 - 9 * t + 20 * t * t, wide = 20 + 6 * t, high = 30 - 4 * t;
    return (vd_box){(float)(x - wide / 2), (float)(y - high / 2), (float)(x + wide / 2),
                    (float)(y + high / 2)};
}

static void check_box(const vd_box *is, const vd_box *should, double bound)
{
    ck_assert_double_eq_tol(is->x1, should->x1, bound);
    ck_assert_double_eq_tol(is->y1, should->y1, bound);
    ck_assert_double_eq_tol(is->x2, should->x2, bound);
    ck_assert_double_eq_tol(is->y2, should->y2, bound);
}

START_TEST(path_fills_gaps_and_ends)
{
    static const double times[] = {0, 0.1, 0.3, 0.9, 1.2, 1.6};
    vd_crop_seen seen[7];
    for (int i = 0; i < 6; i++)
        seen[i] = (vd_crop_seen){5000 + times[i], on_path(times[i])};
    seen[6] = (vd_crop_seen){5000.5, {NAN, 0, 1, 1}};
    double at[] = {4990, 5000.6, 5001.6, 5099};
    vd_box boxes[4], start = on_path(0), middle = on_path(0.6), end = on_path(1.6);
    ck_assert_int_eq(vd_crop_path(seen, 7, at, 4, boxes), VD_OK);
    check_box(&boxes[0], &start, 1e-3);
    check_box(&boxes[1], &middle, 1e-3);
    check_box(&boxes[2], &end, 1e-3);
    check_box(&boxes[3], &end, 1e-3);
}
END_TEST

START_TEST(path_smooths_shake)
{
    vd_crop_seen seen[49];
    double at[49], worst = 0;
    uint64_t state = 11;
    vd_box boxes[49];
    for (int i = 0; i < 49; i++) {
        at[i] = i / 30.0;
        vd_box box = on_path(at[i]);
        float x = (float)seeded_below(&state, 1000) / 250 - 2,
              y = (float)seeded_below(&state, 1000) / 250 - 2;
        seen[i] = (vd_crop_seen){at[i], {box.x1 + x, box.y1 + y, box.x2 + x, box.y2 + y}};
    }
    ck_assert_int_eq(vd_crop_path(seen, 49, at, 49, boxes), VD_OK);
    for (int i = 0; i < 49; i++)
        worst = fmax(worst, fabs(boxes[i].x1 - on_path(at[i]).x1));
    ck_assert_msg(worst < 0.9, "shake of 2 pixels comes through by %g", worst);
}
END_TEST

START_TEST(path_of_few)
{
    vd_crop_seen seen[] = {{2, {0, 0, 10, 10}}, {3, {10, 10, 30, 20}}, {3, {12, 10, 32, 20}}};
    double at[] = {1, 2.5, 9};
    vd_box boxes[3] = {{7, 7, 7, 7}};
    ck_assert_int_eq(vd_crop_path(seen, 0, at, 3, boxes), VD_EINVAL);
    vd_crop_seen broken = {NAN, {0, 0, 1, 1}};
    ck_assert_int_eq(vd_crop_path(&broken, 1, at, 3, boxes), VD_EINVAL);
    ck_assert_float_eq(boxes[0].x1, 7);
    ck_assert_int_eq(vd_crop_path(seen, 1, at, 3, boxes), VD_OK);
    for (int i = 0; i < 3; i++)
        check_box(&boxes[i], &seen[0].box, 1e-4);
    ck_assert_int_eq(vd_crop_path(seen, 2, at, 3, boxes), VD_OK);
    check_box(&boxes[0], &seen[0].box, 1e-4);
    check_box(&boxes[1], &(vd_box){5, 5, 20, 15}, 1e-4);
    check_box(&boxes[2], &seen[1].box, 1e-4);
    ck_assert_int_eq(vd_crop_path(seen, 3, at, 3, boxes), VD_OK);
    check_box(&boxes[2], &(vd_box){11, 10, 31, 20}, 1e-4);
}
END_TEST

#if defined __OPTIMIZE__ && !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__
enum { MOST_US = 300 };
#else
enum { MOST_US = 1000000 }; /* without optimisation the time says nothing */
#endif

/* Of this thread, so that what else the machine does counts little. */
static int64_t own_time_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * VD_NS_PER_S + now.tv_nsec;
}

START_TEST(a_crop_takes_little_time)
{
    vd_image picture = make_picture(VD_PIXEL_BGRX, 640, 360);
    static const double sides[] = {96, 200, 300, 440};
    for (int s = 0; s < 4; s++) {
        int64_t best = INT64_MAX;
        for (int i = 0; i < 30; i++) {
            int64_t began = own_time_ns();
            ck_assert_int_eq(vd_crop_take(&picture, 300.3 + i, 180, sides[s], 224, taken), VD_OK);
            int64_t took = own_time_ns() - began;
            best = took < best ? took : best;
        }
        printf("a square of %3.0f to 224: %.3f ms\n", sides[s], (double)best / 1e6);
        ck_assert_int_lt(best, MOST_US * VD_NS_PER_US);
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("crop");
    TCase *tests = tcase_create("crop");
    tcase_add_test(tests, squares_are_as_defined);
    tcase_add_test(tests, border_goes_on);
    tcase_add_test(tests, nonsense_is_refused);
    tcase_add_test(tests, sides_and_sizes);
    tcase_add_test(tests, path_fills_gaps_and_ends);
    tcase_add_test(tests, path_smooths_shake);
    tcase_add_test(tests, path_of_few);
    tcase_add_test(tests, a_crop_takes_little_time);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(make_suite)
