/* The same pictures give the same detections, however many workers there are, in whatever batches they come,
 * and with every stride: those of one picture after another. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "check_main.h"
#include "detector_case.h"
#include "frame/frame.h"
#include "vedette/cancel.h"
#include "vedette/source.h"

enum { MOST_STRIDE = 3, CLIP_FRAMES = 12, SKIPPED = 60 };

static const int worker_counts[] = {1, 2, 4}, batch_sizes[] = {1, 4, 16};

struct pictures {
    vd_image images[MOST_PICTURES];
    vd_result *alone[MOST_PICTURES]; /* what one picture after another gives */
    int count;
    size_t boxes;
};

static void detect_alone(vd_detector *detector, struct pictures *its)
{
    for (int i = 0; i < its->count; i++) {
        vd_error error = {0};
        ck_assert_msg(vd_detector_detect(detector, &its->images[i], &its->alone[i], &error) == VD_OK, "%s",
                      error.text);
        its->boxes += its->alone[i]->count;
    }
}

static void assert_same(const vd_result *one, const vd_result *other, int picture)
{
    ck_assert_uint_eq(one->count, other->count);
    ck_assert_msg(memcmp(one->candidates, other->candidates, one->count * sizeof *one->candidates) == 0,
                  "picture %d gave other boxes", picture);
    ck_assert_int_eq(one->width, other->width);
    ck_assert_int_eq(one->input_width, other->input_width);
    ck_assert_int_eq(one->nms_done, other->nms_done);
    ck_assert_str_eq(one->model, other->model);
}

/* Each stride-th picture as one batch. */
static void compare_batch(vd_detector *detector, const struct pictures *its, int batch_size, int stride)
{
    vd_input inputs[MOST_PICTURES] = {{.image = {0}}};
    vd_future *future = NULL;
    size_t count = 0;
    for (int i = 0; i < its->count; i += stride)
        inputs[count++] = (vd_input){.image = its->images[i], .frame_index = i, .time_s = i / 25.0};
    ck_assert_int_eq(vd_detector_submit_batch(detector, inputs, count, batch_size, &future, NULL), VD_OK);
    ck_assert_int_eq(vd_future_wait(future, -1), VD_OK);
    const vd_batch *batch = vd_future_value(future);
    ck_assert_uint_eq(batch->total, count);
    ck_assert_uint_eq(batch->successful, count);
    for (size_t i = 0; i < count; i++) {
        ck_assert_int_eq(batch->items[i].result->frame_index, (int64_t)i * stride);
        assert_same(its->alone[i * (size_t)stride], batch->items[i].result, (int)i * stride);
    }
    vd_future_unref(&future);
}

/* The same, each picture a request of its own. */
static void compare_singles(vd_detector *detector, const struct pictures *its, int stride)
{
    vd_future *futures[MOST_PICTURES];
    int count = 0;
    for (int i = 0; i < its->count; i += stride) {
        vd_input input = {.image = its->images[i], .frame_index = i};
        ck_assert_int_eq(vd_detector_submit_wait(detector, &input, -1, &futures[count++], NULL), VD_OK);
    }
    for (int i = 0; i < count; i++) {
        ck_assert_int_eq(vd_future_wait(futures[i], -1), VD_OK);
        assert_same(its->alone[i * stride], vd_future_value(futures[i]), i * stride);
    }
    case_unref_all(futures, count);
}

static void forget(struct pictures *its)
{
    for (int i = 0; i < its->count; i++)
        vd_result_unref(&its->alone[i]);
}

START_TEST(rendered_pictures_give_the_same_boxes)
{
    const vd_detector_ops *ops = _i % 2 ? &gate_batch_ops : &gate_ops;
    static struct pictures its;
    for (its.count = 0; its.count < 50; its.count++)
        its.images[its.count] = pictures[its.count].input.image;
    vd_detector *detector = case_make(&gate_ops, 1, 1);
    detect_alone(detector, &its);
    ck_assert_uint_eq(its.boxes, 150);
    vd_detector_free(&detector);
    detector = case_make(ops, worker_counts[_i / 2], 8);
    for (int stride = 1; stride <= MOST_STRIDE; stride++) {
        compare_singles(detector, &its, stride);
        for (size_t b = 0; b < sizeof batch_sizes / sizeof *batch_sizes; b++)
            compare_batch(detector, &its, batch_sizes[b], stride);
    }
    vd_detector_stats stats = case_settle(detector);
    ck_assert_uint_eq(stats.succeeded, 4 * (50 + 25 + 17));
    ck_assert_uint_eq(stats.failed, 0);
    if (_i % 2) /* singles, batches by 1, 4 and 16 */
        ck_assert_uint_eq(stats.passes, 2 * (50 + 25 + 17) + 13 + 7 + 5 + 4 + 2 + 2);
    vd_detector_free(&detector);
    forget(&its);
}
END_TEST

/* --- A real model on a real clip */

static const char *shared(const char *name, char path[512])
{
    const char *folder = getenv("VEDETTE_SHARED"), *required = getenv("VEDETTE_REQUIRE_SHARED");
    snprintf(path, 512, "%s/%s", folder ? folder : "../shared", name);
    if (access(path, R_OK) == 0)
        return path;
    ck_assert_msg(!required || strcmp(required, "1") != 0, "%s is required", path);
    printf("waits for shared: %s\n", name);
    return NULL;
}

/* Frames from some way into the clip, where there is something to see. */
static void read_frames(const char *path, vd_frame *frames[CLIP_FRAMES])
{
    vd_source_options options = VD_SOURCE_OPTIONS_INIT;
    vd_cancel *cancel = NULL;
    vd_source *source = NULL;
    vd_error error = {0};
    options.pool_frames = CLIP_FRAMES + 4;
    ck_assert_int_eq(vd_cancel_new(&cancel), VD_OK);
    ck_assert_msg(vd_source_open(path, &options, cancel, &source, &error) == VD_OK, "%s", error.text);
    for (int i = 0; i < SKIPPED + CLIP_FRAMES; i++) {
        vd_frame *frame = NULL;
        ck_assert_msg(vd_source_read(source, &frame, &error) == VD_OK, "%s", error.text);
        if (i < SKIPPED)
            vd_frame_unref(&frame);
        else
            frames[i - SKIPPED] = frame;
    }
    vd_source_close(&source);
    vd_cancel_free(&cancel);
}

static vd_detector *open_model(const char *path, int workers)
{
    vd_detector_options options = VD_DETECTOR_OPTIONS_INIT;
    vd_detector *detector = NULL;
    vd_error error = {0};
    options.model = path;
    options.max_workers = workers;
    ck_assert_msg(vd_detector_new(&options, &detector, &error) == VD_OK, "%s", error.text);
    ck_assert_int_eq(vd_detector_get_stats(detector).workers, workers);
    return detector;
}

/* Each number of workers, each batch size and each stride, once: this model takes its pictures one by one. */
START_TEST(a_clip_gives_the_same_boxes)
{
    char model[512], clip[512];
    vd_frame *frames[CLIP_FRAMES] = {NULL};
    static struct pictures its;
    if (!shared("models/yolov8n-320.onnx", model) || !shared("clips/car-detection.mp4", clip))
        return;
    read_frames(clip, frames);
    for (its.count = 0; its.count < CLIP_FRAMES; its.count++)
        its.images[its.count] = frames[its.count]->image;
    for (int w = 0; w < 3; w++) {
        vd_detector *detector = open_model(model, worker_counts[w]);
        if (w == 0)
            detect_alone(detector, &its);
        compare_batch(detector, &its, batch_sizes[w], 1 + (w + 1) % MOST_STRIDE);
        case_settle(detector);
        vd_detector_free(&detector);
    }
    printf("car-detection.mp4: %zu candidates in %d frames\n", its.boxes, its.count);
    ck_assert_uint_gt(its.boxes, CLIP_FRAMES);
    forget(&its);
    for (int i = 0; i < CLIP_FRAMES; i++)
        vd_frame_unref(&frames[i]);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("detector same");
    TCase *tests = tcase_create("same");
    tcase_add_checked_fixture(tests, case_set_up, case_tear_down);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, rendered_pictures_give_the_same_boxes, 0, 6);
    tcase_add_test(tests, a_clip_gives_the_same_boxes);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(make_suite)
