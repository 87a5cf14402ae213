/* Memory that runs out: the n-th allocation of each constructor fails, for every n until it succeeds. What
 * is left behind is found by counting, and by LeakSanitizer. */
#include <stdint.h>
#include <stdlib.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/future.h"
#include "base/queue.h"
#include "base/thread.h"
#include "check_main.h"
#include "doubles/shortage.h"
#include "frame/convert.h"
#include "frame/frame.h"
#include "frame/result.h"
#include "vedette/detection.h"

static void drop(void *item)
{
    (void)item;
}

static int try_queue(void)
{
    vd_queue *queue = NULL;
    int code = vd_queue_new(100, VD_QUEUE_BLOCK, drop, &queue);
    expect((code == VD_OK) == (queue != NULL));
    vd_queue_free(&queue);
    return code;
}

static void ignore(void *context, vd_future *future)
{
    (void)context;
    (void)future;
}

static int try_future(void)
{
    vd_future *future = NULL;
    int code = vd_future_new(free, &future);
    expect((code == VD_OK) == (future != NULL));
    for (int i = 0; i < 4 && !code; i++)
        code = vd_future_then(future, ignore, NULL);
    if (future) {
        vd_future_begin(future);
        vd_future_complete(future, NULL);
    }
    vd_future_unref(&future);
    return code;
}

static int try_cancel(void)
{
    vd_cancel *cancel = NULL;
    int code = vd_cancel_new(&cancel);
    expect((code == VD_OK) == (cancel != NULL));
    vd_cancel_free(&cancel);
    return code;
}

static int try_thread(void)
{
    vd_thread thread = {0};
    int code = vd_thread_start(&thread, "short", drop, NULL);
    expect((code == VD_OK) == (thread.running));
    vd_thread_join(&thread);
    return code;
}

static int try_frame_pool(void)
{
    vd_frame_pool *pool = NULL;
    int code = vd_frame_pool_new(VD_PIXEL_I420, 33, 17, 4, &pool);
    expect((code == VD_OK) == (pool != NULL));
    vd_frame_pool_free(&pool);
    return code;
}

static int try_result_pool(void)
{
    vd_result_pool *pool = NULL;
    vd_result *results[4] = {0};
    int code = vd_result_pool_new(2, &pool);
    expect((code == VD_OK) == (pool != NULL));
    for (int i = 0; i < 4 && !code; i++)
        code = vd_result_pool_take(pool, &results[i]);
    for (int i = 0; i < 4; i++)
        vd_result_unref(&results[i]);
    vd_result_pool_free(&pool);
    return code;
}

static int try_labels(void)
{
    const char *const names[] = {"person", NULL};
    vd_labels *labels = NULL;
    int code = vd_labels_new(names, 2, &labels);
    expect((code == VD_OK) == (labels != NULL));
    vd_labels_unref(&labels);
    return code;
}

static const vd_feed feed = {.width = 32, .height = 32, .pad = 114, .scale = {1, 1, 1}};

static int try_feed(void)
{
    static uint8_t pixels[3 * 40 * 30];
    static float tensor[3 * 32 * 32];
    vd_image image = {
        .format = VD_PIXEL_BGR, .width = 40, .height = 30, .planes = {pixels}, .strides = {120}};
    vd_scratch scratch = {0};
    vd_letterbox box;
    int code = vd_convert_feed(&image, &feed, &scratch, tensor, &box);
    expect((code == VD_OK) == (scratch.memory != NULL));
    vd_scratch_fini(&scratch);
    return code;
}

static const struct {
    int (*attempt)(void);
    int least; /* allocations that it makes at least */
} constructors[] = {{try_queue, 1},      {try_future, 3},      {try_cancel, 1}, {try_thread, 1},
                    {try_frame_pool, 9}, {try_result_pool, 5}, {try_labels, 1}, {try_feed, 1}};

START_TEST(any_allocation_may_fail)
{
    int code = VD_ENOMEM, n = 1;
    for (; n < 100; n++) {
        shortage_begin(&short_memory, n, false);
        code = constructors[_i].attempt();
        shortage_end(&short_memory);
        ck_assert_int_eq(broken, 0);
        if (atomic_load(&short_memory.failed) == 0)
            break;
        ck_assert_int_eq(code, VD_ENOMEM);
    }
    ck_assert_int_eq(code, VD_OK);
    ck_assert_int_gt(n, constructors[_i].least);
}
END_TEST

START_TEST(a_pool_that_cannot_grow_says_so)
{
    vd_frame_pool *pool = NULL;
    vd_frame *frames[6] = {0};
    ck_assert_int_eq(vd_frame_pool_new(VD_PIXEL_BGRX, 8, 8, 4, &pool), VD_OK);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(vd_frame_pool_take(pool, &frames[i]), VD_OK);
    shortage_begin(&short_memory, _i, false); /* frame and pixels of the fifth, then of the sixth */
    int code = vd_frame_pool_take(pool, &frames[4]);
    shortage_end(&short_memory);
    ck_assert_int_eq(code, _i <= 2 ? VD_EAGAIN : VD_OK);
    ck_assert_int_eq(vd_frame_pool_take(pool, &frames[5]), _i <= 4 ? VD_EAGAIN : VD_OK);
    vd_frame_pool_stats stats = vd_frame_pool_get_stats(pool);
    ck_assert_int_eq(stats.capacity, 4 + (_i > 2) + (_i > 4));
    ck_assert_int_eq(stats.available, 0);
    vd_frame_unref(&frames[0]);
    ck_assert_int_eq(vd_frame_pool_wait(pool, vd_clock_deadline_ns(VD_NS_PER_S), &frames[0]), VD_OK);
    for (int i = 0; i < 6; i++)
        vd_frame_unref(&frames[i]);
    vd_frame_pool_free(&pool);
}
END_TEST

START_TEST(running_makes_no_allocation)
{
    static uint8_t pixels[40 * 30 * 3 / 2];
    static float tensor[3 * 32 * 32];
    vd_image image = {.format = VD_PIXEL_I420,
                      .width = 40,
                      .height = 30,
                      .planes = {pixels, pixels + 1200, pixels + 1500},
                      .strides = {40, 20, 20}};
    vd_scratch scratch = {0};
    vd_letterbox box;
    vd_frame_pool *pool = NULL;
    vd_result_pool *results = NULL;
    vd_queue *queue = NULL;
    void *got;
    ck_assert_int_eq(vd_frame_pool_new(VD_PIXEL_BGRX, 8, 8, 1, &pool), VD_OK);
    ck_assert_int_eq(vd_result_pool_new(1, &results), VD_OK);
    ck_assert_int_eq(vd_queue_new(2, VD_QUEUE_DROP_OLDEST, drop, &queue), VD_OK);
    ck_assert_int_eq(vd_convert_feed(&image, &feed, &scratch, tensor, &box), VD_OK);
    int wrong = 0;
    for (int i = 0; i < 100; i++) {
        vd_frame *frame = NULL;
        vd_result *result = NULL;
        shortage_begin(&short_memory, 1, false);
        wrong += vd_frame_pool_take(pool, &frame) || vd_result_pool_take(results, &result) ||
                 vd_queue_push(queue, frame, 0) || vd_queue_take(queue, 0, &got) ||
                 vd_convert_feed(&image, &feed, &scratch, tensor, &box);
        vd_result_unref(&result);
        vd_frame_unref(&frame);
        wrong += atomic_load(&short_memory.calls) != 0;
        shortage_end(&short_memory);
    }
    ck_assert_int_eq(wrong, 0);
    vd_queue_free(&queue);
    vd_result_pool_free(&results);
    vd_frame_pool_free(&pool);
    vd_scratch_fini(&scratch);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("alloc");
    TCase *failures = tcase_create("failures");
    tcase_add_loop_test(failures, any_allocation_may_fail, 0, sizeof constructors / sizeof *constructors);
    tcase_add_loop_test(failures, a_pool_that_cannot_grow_says_so, 1, 6);
    tcase_add_test(failures, running_makes_no_allocation);
    suite_add_tcase(suite, failures);
    return suite;
}

TEST_MAIN(make_suite)
