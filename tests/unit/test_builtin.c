/* builtin:motion on rendered pictures whose truth is known, and what both built-in detectors have in common.
 */
#include <stdio.h>
#include <string.h>

#include "check_main.h"
#include "engine/engine.h"
#include "frame/frame.h"
#include "vedette/app/detector_frame.h"

enum { WIDTH = 640, HEIGHT = 360, CAR_WIDTH = 90, CAR_HEIGHT = 50 };

static uint32_t seed = 7;

static int noise(int most)
{
    seed = seed * 1664525u + 1013904223u;
    return (int)(seed >> 16) % (2 * most + 1) - most;
}

static uint8_t clamp(int level)
{
    return (uint8_t)(level < 0 ? 0 : level > 255 ? 255 : level);
}

/* A still scene of stripes with a sensor's noise, `light` brighter, and a car at `car` where it has a width.
 */
static void render(const vd_image *image, int light, vd_box car)
{
    for (int y = 0; y < image->height; y++) {
        uint8_t *row = image->planes[0] + (size_t)y * (size_t)image->strides[0];
        for (int x = 0; x < image->width; x++) {
            bool in_car = (float)x >= car.x1 && (float)x < car.x2 && (float)y >= car.y1 && (float)y < car.y2;
            bool window = in_car && (float)y < car.y1 + 15 && x / 20 % 2;
            int base = window ? 40 : in_car ? 190 : 80 + 20 * (x / 40 % 2) + 10 * (y / 30 % 2);
            for (int c = 0; c < 3; c++)
                row[4 * x + c] = clamp(base + light + (in_car ? 10 * c : 0) + noise(6));
        }
    }
}

static vd_frame_pool *pool;
static vd_detector *detector;
static int64_t next_index;

static void start(const char *model, int width, int height)
{
    vd_engine_set_threads(1);
    vd_detector_options options = VD_DETECTOR_OPTIONS_INIT;
    options.model = model;
    vd_error error = {0};
    ck_assert_msg(vd_detector_new(&options, &detector, &error) == VD_OK, "%s", error.text);
    ck_assert_int_eq(vd_frame_pool_new(VD_PIXEL_BGRX, width, height, 2, &pool), VD_OK);
    next_index = 0;
}

static void stop(void)
{
    ck_assert_int_eq(vd_detector_free(&detector), VD_OK);
    vd_frame_pool_free(&pool);
}

/* Renders and detects one picture; the future's value is the result. */
static vd_future *show(int light, vd_box car)
{
    vd_frame *frame = NULL;
    vd_future *future = NULL;
    ck_assert_int_eq(vd_frame_pool_take(pool, &frame), VD_OK);
    frame->index = next_index++;
    render(&frame->image, light, car);
    ck_assert_int_eq(vd_detector_submit_frame(detector, frame, VD_PRIORITY_INTERACTIVE, &future), VD_OK);
    vd_frame_unref(&frame);
    ck_assert_msg(vd_future_wait(future, -1) == VD_OK, "%s", vd_future_error(future)->text);
    return future;
}

static size_t count_shown(int light, vd_box car)
{
    vd_future *future = show(light, car);
    size_t count = ((vd_result *)vd_future_value(future))->count;
    vd_future_unref(&future);
    return count;
}

static const vd_box nowhere;

static vd_box car_at(int step)
{
    float x = (float)(20 + 5 * step);
    return (vd_box){x, 150, x + CAR_WIDTH, 150 + CAR_HEIGHT};
}

START_TEST(what_moves_is_boxed)
{
    start("builtin:motion", WIDTH, HEIGHT);
    for (int i = 0; i < 15; i++)
        ck_assert_uint_eq(count_shown(0, nowhere), 0);
    float worst = 1;
    for (int i = 0; i < 90; i++) {
        vd_box truth = car_at(i);
        vd_future *future = show(0, truth);
        const vd_result *result = vd_future_value(future);
        ck_assert_uint_eq(result->count, 1);
        const vd_detection *found = &result->candidates[0];
        float iou = vd_box_iou(&found->box, &truth);
        worst = iou < worst ? iou : worst;
        ck_assert_msg(iou > 0.5f, "picture %d: IoU %.2f, box %.0f %.0f %.0f %.0f", i, (double)iou,
                      (double)found->box.x1, (double)found->box.y1, (double)found->box.x2,
                      (double)found->box.y2);
        ck_assert_float_gt(found->score, 0.5f);
        ck_assert_str_eq(vd_labels_name(result->labels, found->class_id), "motion");
        ck_assert_int_eq(result->input_width, 480);
        ck_assert_int_eq(result->input_height, 270);
        ck_assert_int_gt(result->forward_ns, 0);
        ck_assert_int_gt(result->preprocess_ns, 0);
        vd_future_unref(&future);
    }
    printf("builtin:motion: worst IoU %.2f\n", (double)worst);
    stop();
}
END_TEST

START_TEST(two_that_move_are_two)
{
    start("builtin:motion", WIDTH, HEIGHT);
    for (int i = 0; i < 15; i++)
        count_shown(0, nowhere);
    for (int i = 0; i < 20; i++) {
        vd_frame *frame = NULL;
        vd_future *future = NULL;
        ck_assert_int_eq(vd_frame_pool_take(pool, &frame), VD_OK);
        render(&frame->image, 0, car_at(i));
        /* A second one below, of half the size. */
        for (int y = 280; y < 300; y++)
            memset(frame->image.planes[0] + y * frame->image.strides[0] + 4 * (500 - 6 * i), 230, 4 * 40);
        ck_assert_int_eq(vd_detector_submit_frame(detector, frame, VD_PRIORITY_INTERACTIVE, &future), VD_OK);
        vd_frame_unref(&frame);
        ck_assert_int_eq(vd_future_wait(future, -1), VD_OK);
        ck_assert_uint_eq(((vd_result *)vd_future_value(future))->count, 2);
        vd_future_unref(&future);
    }
    stop();
}
END_TEST

START_TEST(a_still_picture_holds_no_motion)
{
    start("builtin:motion", WIDTH, HEIGHT);
    for (int i = 0; i < 60; i++)
        ck_assert_uint_eq(count_shown(0, nowhere), 0);
    stop();
}
END_TEST

START_TEST(another_light_is_no_motion)
{
    start("builtin:motion", WIDTH, HEIGHT);
    for (int i = 0; i < 20; i++)
        ck_assert_uint_eq(count_shown(0, nowhere), 0);
    for (int i = 0; i < 20; i++)
        ck_assert_uint_eq(count_shown(70, nowhere), 0);
    /* The background is learnt anew: what moves under the new light is found. */
    size_t found = 0;
    for (int i = 0; i < 10; i++)
        found += count_shown(70, car_at(i));
    ck_assert_uint_eq(found, 10);
    for (int i = 0; i < 10; i++)
        ck_assert_uint_eq(count_shown(0, nowhere), 0);
    stop();
}
END_TEST

START_TEST(a_reset_forgets_the_background)
{
    start("builtin:motion", WIDTH, HEIGHT);
    for (int i = 0; i < 20; i++)
        count_shown(0, nowhere);
    vd_detector_reset(detector);
    for (int i = 0; i < 5; i++)
        ck_assert_uint_eq(count_shown(0, car_at(i)), 0);
    stop();
}
END_TEST

START_TEST(small_pictures_are_not_enlarged)
{
    const char *const models[] = {"builtin:motion", "builtin:people"};
    for (int i = 0; i < 2; i++) {
        start(models[i], 200, 151);
        vd_future *future = show(0, nowhere);
        const vd_result *result = vd_future_value(future);
        ck_assert_int_eq(result->input_width, 200);
        ck_assert_int_eq(result->input_height, 151);
        ck_assert_str_eq(result->model, models[i]);
        ck_assert_str_eq(vd_detector_name(detector), models[i]);
        vd_future_unref(&future);
        stop();
    }
}
END_TEST

START_TEST(tall_and_wide_pictures_are_taken)
{
    const int sizes[][2] = {{1, 1}, {4096, 2}, {2, 4096}, {481, 480}};
    const char *const models[] = {"builtin:motion", "builtin:people"};
    for (int m = 0; m < 2; m++) {
        for (int i = 0; i < 4; i++) {
            start(models[m], sizes[i][0], sizes[i][1]);
            for (int k = 0; k < 7; k++)
                ck_assert_uint_eq(count_shown(0, nowhere), 0);
            stop();
        }
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("builtin");
    TCase *tests = tcase_create("builtin");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, what_moves_is_boxed);
    tcase_add_test(tests, two_that_move_are_two);
    tcase_add_test(tests, a_still_picture_holds_no_motion);
    tcase_add_test(tests, another_light_is_no_motion);
    tcase_add_test(tests, a_reset_forgets_the_background);
    tcase_add_test(tests, small_pictures_are_not_enlarged);
    tcase_add_test(tests, tall_and_wide_pictures_are_taken);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(make_suite)
