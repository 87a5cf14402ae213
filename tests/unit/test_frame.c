#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/thread.h"
#include "check_main.h"
#include "frame/frame.h"
#include "frame/result.h"
#include "seeded.h"
#include "vedette/detection.h"

static vd_frame_pool *make_pool(int count)
{
    vd_frame_pool *pool = NULL;
    ck_assert_int_eq(vd_frame_pool_new(VD_PIXEL_BGRX, 16, 8, count, &pool), VD_OK);
    return pool;
}

static int64_t far_deadline(void)
{
    return vd_clock_deadline_ns(60 * VD_NS_PER_S);
}

START_TEST(wrong_sizes_are_refused)
{
    vd_frame_pool *pool = NULL;
    ck_assert_int_eq(vd_frame_pool_new(VD_PIXEL_BGRX, 0, 8, 1, &pool), VD_EINVAL);
    ck_assert_int_eq(vd_frame_pool_new(VD_PIXEL_BGRX, 8, -1, 1, &pool), VD_EINVAL);
    ck_assert_int_eq(vd_frame_pool_new(VD_PIXEL_BGRX, VD_IMAGE_MAX_SIDE + 1, 8, 1, &pool), VD_EINVAL);
    ck_assert_int_eq(vd_frame_pool_new(VD_PIXEL_I420, 8, VD_IMAGE_MAX_SIDE + 1, 1, &pool), VD_EINVAL);
    ck_assert_int_eq(vd_frame_pool_new(VD_PIXEL_I420, 8, 8, 0, &pool), VD_EINVAL);
    ck_assert_int_eq(vd_frame_pool_new(VD_PIXEL_BGR, 8, 8, 1, &pool), VD_EINVAL);
    ck_assert_ptr_null(pool);
    vd_frame_pool_free(&pool);
}
END_TEST

/* Every byte of every plane belongs to the frame, rows begin aligned, and a frame is as new when it comes
 * back. */
static void check_memory(vd_pixel_format format, int width, int height)
{
    vd_frame_pool *pool = NULL;
    vd_frame *frame = NULL;
    ck_assert_int_eq(vd_frame_pool_new(format, width, height, 1, &pool), VD_OK);
    for (int round = 0; round < 2; round++) {
        ck_assert_int_eq(vd_frame_pool_take(pool, &frame), VD_OK);
        const vd_image *image = vd_frame_get_image(frame);
        ck_assert_int_eq(vd_image_validate(image, NULL), VD_OK);
        for (int p = 0; p < (format == VD_PIXEL_I420 ? 3 : 1); p++) {
            ck_assert_uint_eq((uintptr_t)image->planes[p] % 64, 0);
            ck_assert_int_eq(image->strides[p] % 64, 0);
            int rows = p ? (height + 1) / 2 : height;
            memset(image->planes[p], 0x40 + p, (size_t)image->strides[p] * (size_t)rows);
        }
        if (format == VD_PIXEL_I420) {
            ck_assert_int_eq(image->planes[0][0], 0x40);
            ck_assert_int_eq(image->planes[1][0], 0x41);
        }
        ck_assert_int_eq(vd_frame_get_index(frame), 0);
        ck_assert_double_eq(vd_frame_get_time_s(frame), 0);
        ck_assert_int_eq(image->color, VD_YUV_601_LIMITED);
        ck_assert_int_eq(frame->aspect_num, 1);
        frame->index = 7;
        frame->time_s = 3;
        frame->serial = 2;
        frame->aspect_num = 4;
        frame->image.color = VD_YUV_709_FULL;
        vd_frame_unref(&frame);
        ck_assert_ptr_null(frame);
    }
    ck_assert(vd_frame_pool_fits(pool, format, width, height));
    ck_assert(!vd_frame_pool_fits(pool, format, width + 1, height));
    vd_frame_pool_free(&pool);
}

START_TEST(frames_have_the_memory_they_say)
{
    static const int sizes[][2] = {{1, 1}, {1, 9}, {9, 1}, {64, 64}, {65, 63}, {321, 241}, {1920, 1080}};
    check_memory(VD_PIXEL_BGRX, sizes[_i][0], sizes[_i][1]);
    check_memory(VD_PIXEL_I420, sizes[_i][0], sizes[_i][1]);
}
END_TEST

START_TEST(a_pool_grows_once_by_half)
{
    static const int grown_to[] = {0, 2, 3, 5, 6, 8, 9, 11, 12};
    enum { MOST = 16 };
    int count = _i;
    vd_frame_pool *pool = make_pool(count);
    vd_frame *frames[MOST] = {0}, *none = NULL;
    for (int i = 0; i < grown_to[count]; i++) {
        ck_assert_int_eq(vd_frame_pool_take(pool, &frames[i]), VD_OK);
        vd_frame_pool_stats stats = vd_frame_pool_get_stats(pool);
        ck_assert_int_eq(stats.grown, i >= count);
        ck_assert_int_eq(stats.capacity, i < count ? count : grown_to[count]);
        ck_assert_int_eq(stats.available, stats.capacity - i - 1);
        ck_assert_int_eq(stats.peak, i + 1);
        ck_assert_uint_eq(stats.exhausted, i >= count);
    }
    ck_assert_int_eq(vd_frame_pool_take(pool, &none), VD_EAGAIN);
    ck_assert_int_eq(vd_frame_pool_wait(pool, vd_clock_now_ns() + VD_NS_PER_MS, &none), VD_ETIMEOUT);
    ck_assert_ptr_null(none);
    ck_assert_uint_eq(vd_frame_pool_get_stats(pool).exhausted, 3);
    vd_frame_unref(&frames[0]);
    ck_assert_int_eq(vd_frame_pool_take(pool, &frames[0]), VD_OK);
    ck_assert_uint_eq(vd_frame_pool_get_stats(pool).taken, (uint64_t)grown_to[count] + 1);
    for (int i = 0; i < MOST; i++)
        vd_frame_unref(&frames[i]);
    vd_frame_pool_stats stats = vd_frame_pool_get_stats(pool);
    ck_assert_int_eq(stats.available, stats.capacity);
    ck_assert_int_eq(stats.peak, grown_to[count]);
    vd_frame_pool_free(&pool);
}
END_TEST

START_TEST(frames_outlive_their_pool)
{
    vd_frame_pool *pool = make_pool(2);
    vd_frame *frames[3] = {0}, *again;
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(vd_frame_pool_take(pool, &frames[i]), VD_OK);
    again = vd_frame_ref(frames[1]);
    vd_frame_unref(&frames[0]);
    vd_frame_pool_free(&pool);
    ck_assert_ptr_null(pool);
    vd_frame_unref(&frames[1]);
    vd_frame_unref(&frames[2]);
    memset(again->image.planes[0], 1, (size_t)again->image.strides[0] * 8);
    vd_frame_unref(&again);
}
END_TEST

struct waiter {
    vd_frame_pool *pool;
    atomic_int got;
};

static void wait_for_frame(void *context)
{
    struct waiter *w = context;
    vd_frame *frame = NULL;
    if (vd_frame_pool_wait(w->pool, far_deadline(), &frame) == VD_OK)
        atomic_fetch_add(&w->got, 1);
    vd_frame_unref(&frame);
}

START_TEST(a_returned_frame_wakes_who_waits)
{
    enum { WAITERS = 5 };
    struct waiter w = {.pool = make_pool(1)};
    vd_frame *frames[2] = {0};
    vd_thread threads[WAITERS] = {0};
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(vd_frame_pool_take(w.pool, &frames[i]), VD_OK);
    for (int i = 0; i < WAITERS; i++)
        ck_assert_int_eq(vd_thread_start(&threads[i], "waits", wait_for_frame, &w), VD_OK);
    while (vd_frame_pool_get_stats(w.pool).exhausted < 1 + WAITERS)
        ; /* until all of them have found it empty */
    ck_assert_int_eq(atomic_load(&w.got), 0);
    vd_frame_unref(&frames[0]); /* one frame goes from hand to hand */
    for (int i = 0; i < WAITERS; i++)
        vd_thread_join(&threads[i]);
    ck_assert_int_eq(atomic_load(&w.got), WAITERS);
    vd_frame_unref(&frames[1]);
    vd_frame_pool_free(&w.pool);
}
END_TEST

/* Several threads take, share and return frames; no frame may be with two of them at once. */
enum { WORKERS = 6, ROUNDS = 4000 };

struct crowd {
    vd_frame_pool *pool;
    atomic_int taken, refused, wrong, number;
    vd_frame *left_over[WORKERS];
};

static void work(void *context)
{
    struct crowd *crowd = context;
    int me = atomic_fetch_add(&crowd->number, 1) + 1;
    uint64_t seed = (uint64_t)me;
    vd_frame *frame = NULL, *shared = NULL;
    for (int round = 0; round < ROUNDS; round++) {
        int code = seeded_below(&seed, 2)
                       ? vd_frame_pool_take(crowd->pool, &frame)
                       : vd_frame_pool_wait(crowd->pool, vd_clock_now_ns() + VD_NS_PER_MS, &frame);
        if (code) {
            atomic_fetch_add(&crowd->refused, 1);
            vd_frame_unref(&shared);
            continue;
        }
        atomic_fetch_add(&crowd->taken, 1);
        memset(frame->image.planes[0], me, 64);
        vd_frame_unref(&shared);
        shared = vd_frame_ref(frame);
        vd_frame_unref(&frame);
        for (int i = 0; i < 64; i++)
            if (shared->image.planes[0][i] != me)
                atomic_fetch_add(&crowd->wrong, 1);
    }
    crowd->left_over[me - 1] = shared;
}

START_TEST(frames_go_round_many_threads)
{
    struct crowd crowd = {.pool = make_pool(4)};
    vd_thread threads[WORKERS] = {0};
    for (int i = 0; i < WORKERS; i++)
        ck_assert_int_eq(vd_thread_start(&threads[i], "works", work, &crowd), VD_OK);
    for (int i = 0; i < WORKERS; i++)
        vd_thread_join(&threads[i]);
    vd_frame_pool_stats stats = vd_frame_pool_get_stats(crowd.pool);
    ck_assert_int_eq(atomic_load(&crowd.wrong), 0);
    ck_assert_uint_eq(stats.taken, (uint64_t)atomic_load(&crowd.taken));
    ck_assert_int_eq(atomic_load(&crowd.taken) + atomic_load(&crowd.refused), WORKERS * ROUNDS);
    ck_assert_int_le(stats.capacity, 6);
    ck_assert_int_le(stats.peak, stats.capacity);
    vd_frame_pool_free(&crowd.pool);
    for (int i = 0; i < WORKERS; i++)
        vd_frame_unref(&crowd.left_over[i]);
}
END_TEST

static void unref_frame(void *context)
{
    vd_frame *frame = context;
    vd_frame_unref(&frame);
}

START_TEST(a_pool_may_be_given_up_while_frames_return)
{
    for (int round = 0; round < 300; round++) {
        vd_frame_pool *pool = make_pool(2);
        vd_frame *frames[2] = {0};
        vd_thread threads[2] = {0};
        for (int i = 0; i < 2; i++)
            ck_assert_int_eq(vd_frame_pool_take(pool, &frames[i]), VD_OK);
        for (int i = 0; i < 2; i++)
            ck_assert_int_eq(vd_thread_start(&threads[i], "returns", unref_frame, frames[i]), VD_OK);
        vd_frame_pool_free(&pool);
        for (int i = 0; i < 2; i++)
            vd_thread_join(&threads[i]);
    }
}
END_TEST

START_TEST(results_come_back_empty)
{
    const char *const names[] = {"bus"};
    vd_result_pool *pool = NULL;
    vd_labels *labels = NULL;
    ck_assert_int_eq(vd_labels_new(names, 1, &labels), VD_OK);
    ck_assert_int_eq(vd_result_pool_new(1, &pool), VD_OK);
    vd_result *first = NULL, *second = NULL, *kept;
    ck_assert_int_eq(vd_result_pool_take(pool, &first), VD_OK);
    ck_assert_int_eq(vd_result_pool_take(pool, &second), VD_OK); /* the pool grows */
    first->labels = vd_labels_ref(labels);
    vd_labels_unref(&labels);
    first->count = 5;
    first->nms_done = 1;
    kept = vd_result_ref(first);
    vd_result_unref(&first);
    ck_assert_str_eq(vd_labels_name(kept->labels, 0), "bus");
    vd_result_unref(&kept); /* and with it the labels, or the leak is found */
    ck_assert_int_eq(vd_result_pool_take(pool, &first), VD_OK);
    ck_assert_uint_eq(first->count, 0);
    ck_assert_int_eq(first->nms_done, 0);
    ck_assert_ptr_null(first->labels);
    vd_result_pool_free(&pool);
    vd_result_unref(&first);
    second->candidates[VD_MAX_CANDIDATES - 1].class_id = 3;
    vd_result_unref(&second);
    vd_result_unref(&second);
}
END_TEST

static void take_results(void *context)
{
    for (int i = 0; i < ROUNDS; i++) {
        vd_result *result = NULL;
        if (vd_result_pool_take(context, &result))
            return;
        result->candidates[0].class_id = i;
        vd_result *shared = vd_result_ref(result);
        vd_result_unref(&result);
        vd_result_unref(&shared);
    }
}

START_TEST(results_go_round_many_threads)
{
    vd_result_pool *pool = NULL;
    vd_thread threads[WORKERS] = {0};
    ck_assert_int_eq(vd_result_pool_new(2, &pool), VD_OK);
    for (int i = 0; i < WORKERS; i++)
        ck_assert_int_eq(vd_thread_start(&threads[i], "takes", take_results, pool), VD_OK);
    for (int i = 0; i < WORKERS; i++)
        vd_thread_join(&threads[i]);
    vd_result_pool_free(&pool);
}
END_TEST

START_TEST(images_are_checked_field_by_field)
{
    uint8_t memory[64];
    vd_error error;
    vd_image good = {.format = VD_PIXEL_I420,
                     .width = 5,
                     .height = 3,
                     .planes = {memory, memory, memory},
                     .strides = {5, 3, 3}};
    ck_assert_int_eq(vd_image_validate(&good, &error), VD_OK);
    ck_assert_int_eq(vd_image_validate(NULL, &error), VD_EINVAL);
    for (int wrong = 0; wrong < 8; wrong++) {
        vd_image image = good;
        static const char *const words[] = {"format",      "0 × 3",       "5 × 16385",   "Plane 2",
                                            "stride of 4", "stride of 2", "stride of 5", "stride of 19"};
        if (wrong == 0)
            image.format = (vd_pixel_format)99;
        else if (wrong == 1)
            image.width = 0;
        else if (wrong == 2)
            image.height = VD_IMAGE_MAX_SIDE + 1;
        else if (wrong == 3)
            image.planes[2] = NULL;
        else if (wrong == 4)
            image.strides[0] = 4;
        else if (wrong == 5)
            image.strides[1] = 2;
        else if (wrong == 6)
            image.format = VD_PIXEL_NV12, image.strides[1] = 5;
        else
            image.format = VD_PIXEL_BGRX, image.strides[0] = 19;
        ck_assert_int_eq(vd_image_validate(&image, &error), VD_EINVAL);
        ck_assert_msg(strstr(error.text, words[wrong]) != NULL, "%s", error.text);
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("frame");
    TCase *pools = tcase_create("pool");
    tcase_add_test(pools, wrong_sizes_are_refused);
    tcase_add_loop_test(pools, frames_have_the_memory_they_say, 0, 7);
    tcase_add_loop_test(pools, a_pool_grows_once_by_half, 1, 9);
    tcase_add_test(pools, frames_outlive_their_pool);
    tcase_add_test(pools, images_are_checked_field_by_field);
    suite_add_tcase(suite, pools);
    TCase *many = tcase_create("many threads");
    tcase_set_timeout(many, 60);
    tcase_add_test(many, a_returned_frame_wakes_who_waits);
    tcase_add_test(many, frames_go_round_many_threads);
    tcase_add_test(many, a_pool_may_be_given_up_while_frames_return);
    suite_add_tcase(suite, many);
    TCase *results = tcase_create("results");
    tcase_set_timeout(results, 60);
    tcase_add_test(results, results_come_back_empty);
    tcase_add_test(results, results_go_round_many_threads);
    suite_add_tcase(suite, results);
    return suite;
}

TEST_MAIN(make_suite)
