/* The detector, one picture at a time: asking, waiting for room, cancelling, order, and
 * what it says of itself. */
#include <string.h>

#include "base/clock.h"
#include "check_main.h"
#include "detector_case.h"
#include "frame/frame.h"
#include "vedette/app/detector_frame.h"

START_TEST(a_picture_becomes_a_result)
{
    vd_detector *detector = case_make(&gate_ops, 1, 4);
    vd_future *future = case_must_submit(detector, 7);
    ck_assert_int_eq(vd_future_wait(future, -1), VD_OK);
    const vd_result *result = vd_future_value(future);
    case_assert_shapes(result, 7);
    ck_assert_int_eq(result->width, PICTURE_WIDTH);
    ck_assert_int_eq(result->height, PICTURE_HEIGHT);
    ck_assert_int_eq(result->input_width, PICTURE_WIDTH);
    ck_assert_str_eq(result->model, "double");
    ck_assert_str_eq(vd_labels_name(result->labels, 1), "bright");
    ck_assert_float_eq(result->floor, 0.05f);
    ck_assert_int_ge(result->queue_ns, 0);
    case_assert_ledger(detector, 1, 0, 0, 0);
    vd_detector_stats stats = vd_detector_get_stats(detector);
    ck_assert_int_eq(stats.workers, 1);
    ck_assert_int_eq(stats.loaded, 1);
    ck_assert_int_eq(stats.shut_down, 0);
    ck_assert_uint_eq(stats.passes, 1);
    ck_assert_int_gt(stats.p50_ns, 0);
    ck_assert_int_ge(stats.p95_ns, stats.p50_ns);
    ck_assert_int_ge(stats.p99_ns, stats.p95_ns);
    ck_assert_int_ge(stats.max_ns, 1);
    ck_assert_int_gt(stats.forward_p50_ns, 2 * VD_NS_PER_MS);
    ck_assert_str_eq(vd_detector_name(detector), "double");
    ck_assert_int_eq(vd_labels_count(vd_detector_labels(detector)), 3);
    ck_assert_int_eq(vd_detector_free(&detector), VD_OK);
    /* Results outlive the detector. */
    case_assert_shapes(result, 7);
    ck_assert_str_eq(vd_labels_name(result->labels, 0), "dim");
    vd_future_unref(&future);
}
END_TEST

START_TEST(a_picture_is_back_before_its_future_completes)
{
    vd_detector *detector = case_make(&gate_ops, 1, 4);
    for (int i = 1; i <= 20; i++) {
        vd_future *future = case_must_submit(detector, 0);
        ck_assert_int_eq(vd_future_wait(future, -1), VD_OK);
        ck_assert_int_eq(atomic_load(&pictures[0].releases), i);
        vd_future_unref(&future);
    }
    vd_detector_free(&detector);
}
END_TEST

START_TEST(a_frame_goes_back_to_its_pool)
{
    vd_frame_pool *pool = NULL;
    vd_frame *frame = NULL;
    vd_future *futures[3] = {NULL};
    ck_assert_int_eq(vd_frame_pool_new(VD_PIXEL_BGRX, PICTURE_WIDTH, PICTURE_HEIGHT, 4, &pool), VD_OK);
    vd_detector *detector = case_make(&gate_ops, 1, 1);
    gate_close(&gate);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(vd_frame_pool_take(pool, &frame), VD_OK);
        frame->index = i;
        int code = vd_detector_submit_frame(detector, frame, VD_PRIORITY_INTERACTIVE, &futures[i]);
        ck_assert_int_eq(code, i < 2 ? VD_OK : VD_EAGAIN);
        vd_frame_unref(&frame);
        ck_assert(gate_await_inside(&gate, 1));
    }
    ck_assert_int_eq(vd_frame_pool_get_stats(pool).available, 2); /* the refused one is back */
    gate_open(&gate);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(vd_future_wait(futures[i], -1), VD_OK);
    ck_assert_int_eq(vd_frame_pool_get_stats(pool).available, 4);
    case_unref_all(futures, 2);
    vd_detector_free(&detector);
    vd_frame_pool_free(&pool);
}
END_TEST

/* --- Asking */

START_TEST(a_wrong_picture_is_refused_with_its_reason)
{
    const vd_image right = pictures[0].input.image;
    struct {
        vd_image image;
        const char *says;
    } cases[] = {{right, "NULL"},   {right, "0 × 48"},    {right, "64 × -1"},  {right, "16385"},
                 {right, "stride"}, {right, "not known"}, {right, "not known"}};
    cases[0].image.planes[0] = NULL;
    cases[1].image.width = 0;
    cases[2].image.height = -1;
    cases[3].image.width = VD_IMAGE_MAX_SIDE + 1;
    cases[4].image.strides[0] = PICTURE_WIDTH - 1;
    cases[5].image.format = VD_PIXEL_NONE;
    cases[6].image.format = (vd_pixel_format)99;
    vd_detector *detector = case_make(&gate_ops, 1, 4);
    gate_close(&gate);
    vd_future *other = case_must_submit(detector, 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vd_input input = pictures[0].input;
        vd_future *future = NULL;
        vd_result *result = NULL;
        vd_error error = {0};
        input.image = cases[i].image;
        ck_assert_int_eq(vd_detector_submit(detector, &input, &future, &error), VD_EINVAL);
        ck_assert_msg(error.code == VD_EINVAL && strstr(error.text, cases[i].says), "%zu: %s", i, error.text);
        ck_assert_int_eq(vd_detector_submit_wait(detector, &input, -1, &future, NULL), VD_EINVAL);
        ck_assert_int_eq(vd_detector_detect(detector, &input.image, &result, NULL), VD_EINVAL);
        ck_assert_ptr_null(future);
        ck_assert_ptr_null(result);
    }
    vd_future *none = NULL;
    vd_result *nothing = NULL;
    ck_assert_int_eq(vd_detector_submit(detector, NULL, &none, NULL), VD_EINVAL);
    ck_assert_int_eq(vd_detector_submit_wait(detector, NULL, 0, &none, NULL), VD_EINVAL);
    ck_assert_int_eq(vd_detector_detect(detector, NULL, &nothing, NULL), VD_EINVAL);
    case_assert_ledger(detector, 0, 0, 0, 1);
    ck_assert_uint_eq(vd_detector_get_stats(detector).refused, 0);
    gate_open(&gate);
    ck_assert_int_eq(vd_future_wait(other, -1), VD_OK);
    vd_future_unref(&other);
    vd_detector_free(&detector);
}
END_TEST

START_TEST(a_full_queue_refuses)
{
    vd_future *futures[4] = {NULL};
    vd_error error = {0};
    vd_detector *detector = case_make(&gate_ops, 1, 2);
    gate_close(&gate);
    futures[0] = case_must_submit(detector, 0);
    ck_assert(gate_await_inside(&gate, 1));
    futures[1] = case_must_submit(detector, 1);
    futures[2] = case_must_submit(detector, 2);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(vd_detector_submit(detector, &pictures[3].input, &futures[3], &error), VD_EAGAIN);
        ck_assert_ptr_nonnull(strstr(error.text, "full"));
        ck_assert_ptr_null(futures[3]);
    }
    case_assert_ledger(detector, 0, 0, 0, 3);
    vd_detector_stats stats = vd_detector_get_stats(detector);
    ck_assert_uint_eq(stats.refused, 3);
    ck_assert_uint_eq(stats.queued, 2);
    ck_assert_uint_eq(stats.in_flight, 1);
    ck_assert_int_eq(stats.active, 1);
    gate_open(&gate);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(vd_future_wait(futures[i], -1), VD_OK);
    case_unref_all(futures, 3);
    case_assert_ledger(detector, 3, 0, 0, 0);
    vd_detector_free(&detector);
}
END_TEST

struct waiter {
    vd_detector *detector;
    vd_future *future;
    int code;
};

static void submit_and_wait(void *context)
{
    struct waiter *waiter = context;
    waiter->code = vd_detector_submit_wait(waiter->detector, &pictures[9].input, -1, &waiter->future, NULL);
    if (waiter->code == VD_OK)
        case_accepted(9);
}

/* Fills a worker and a queue of one: futures[0] is inside, futures[1] waits. */
static vd_detector *make_full(vd_future *futures[2])
{
    vd_detector *detector = case_make(&gate_ops, 1, 1);
    gate_close(&gate);
    futures[0] = case_must_submit(detector, 0);
    ck_assert(gate_await_inside(&gate, 1));
    futures[1] = case_must_submit(detector, 1);
    return detector;
}

START_TEST(waiting_for_room_has_a_deadline)
{
    vd_future *futures[2], *refused = NULL;
    vd_error error = {0};
    vd_detector *detector = make_full(futures);
    static const int64_t timeouts_ns[] = {0, 5 * VD_NS_PER_MS};
    for (int i = 0; i < 2; i++) {
        int64_t began_ns = vd_clock_now_ns();
        int code = vd_detector_submit_wait(detector, &pictures[2].input, timeouts_ns[i], &refused, &error);
        ck_assert_int_eq(code, VD_ETIMEOUT);
        ck_assert_int_eq(error.code, VD_ETIMEOUT);
        ck_assert_ptr_null(refused);
        ck_assert_int_ge(vd_clock_now_ns() - began_ns, timeouts_ns[i]);
    }
    case_assert_ledger(detector, 0, 0, 0, 2);
    ck_assert_uint_eq(vd_detector_get_stats(detector).refused, 2);
    gate_open(&gate);
    ck_assert_int_eq(vd_future_wait(futures[1], -1), VD_OK);
    ck_assert_int_eq(vd_detector_submit_wait(detector, &pictures[2].input, 0, &refused, NULL), VD_OK);
    case_accepted(2);
    ck_assert_int_eq(vd_future_wait(refused, -1), VD_OK);
    vd_future_unref(&refused);
    case_unref_all(futures, 2);
    vd_detector_free(&detector);
}
END_TEST

/* Room comes from a worker, from somebody who cancels, or never: by the end of the detector. */
START_TEST(who_waits_for_room_is_woken)
{
    vd_future *futures[2];
    vd_thread thread = {0};
    vd_detector *detector = make_full(futures);
    struct waiter waiter = {.detector = detector};
    ck_assert_int_eq(vd_thread_start(&thread, "waits", submit_and_wait, &waiter), VD_OK);
    if (_i == 0) {
        gate_open(&gate);
    } else if (_i == 1) {
        ck_assert(vd_future_cancel(futures[1]));
    } else {
        vd_thread stopper = {0};
        ck_assert_int_eq(vd_thread_start(&stopper, "stops", case_free, &detector), VD_OK);
        vd_thread_join(&thread); /* while the worker still stands at its gate */
        gate_open(&gate);
        vd_thread_join(&stopper);
    }
    vd_thread_join(&thread);
    gate_open(&gate);
    ck_assert_int_eq(waiter.code, _i == 2 ? VD_ESHUTDOWN : VD_OK);
    if (_i < 2)
        ck_assert_int_eq(vd_future_wait(waiter.future, -1), VD_OK);
    vd_future_unref(&waiter.future);
    case_unref_all(futures, 2);
    if (_i < 2)
        case_settle(detector);
    vd_detector_free(&detector);
}
END_TEST

static void ask(vd_detector *detector, int n, vd_priority priority, vd_future **ret_future)
{
    vd_input input = pictures[n].input;
    input.priority = priority;
    ck_assert_int_eq(vd_detector_submit(detector, &input, ret_future, NULL), VD_OK);
    case_accepted(n);
}

START_TEST(whoever_waits_goes_first)
{
    static const vd_priority order[] = {
        VD_PRIORITY_BACKGROUND,  VD_PRIORITY_BACKGROUND,  VD_PRIORITY_INTERACTIVE, VD_PRIORITY_BACKGROUND,
        VD_PRIORITY_INTERACTIVE, VD_PRIORITY_INTERACTIVE, VD_PRIORITY_BACKGROUND};
    vd_future *futures[7];
    char notes[64];
    vd_detector *detector = case_make(&gate_ops, 1, 16);
    gate_close(&gate);
    for (int i = 0; i < 7; i++) {
        ask(detector, i, order[i], &futures[i]);
        if (i == 0)
            ck_assert(gate_await_inside(&gate, 1));
    }
    gate_open(&gate);
    for (int i = 0; i < 7; i++)
        ck_assert_int_eq(vd_future_wait(futures[i], -1), VD_OK);
    gate_tell_notes(&gate, notes, sizeof notes);
    ck_assert_str_eq(notes, "0 2 4 5 1 3 6");
    case_unref_all(futures, 7);
    vd_detector_free(&detector);
}
END_TEST

START_TEST(cancelling_takes_what_has_not_begun)
{
    vd_detector *detector = case_make(&gate_ops, 1, 2);
    gate_close(&gate);
    vd_future *running = case_must_submit(detector, 0);
    ck_assert(gate_await_inside(&gate, 1));
    vd_future *waiting = case_must_submit(detector, 1), *last = case_must_submit(detector, 2);
    ck_assert(!vd_future_cancel(running));
    ck_assert(vd_future_cancel(waiting));
    ck_assert(!vd_future_cancel(waiting));
    case_assert_ledger(detector, 0, 0, 1, 2);
    ck_assert_int_eq(atomic_load(&pictures[1].releases), 1); /* its picture is back at once */
    ck_assert_int_eq(vd_future_wait(waiting, 0), VD_ECANCELED);
    ck_assert_ptr_null(vd_future_value(waiting));
    ck_assert_int_eq(vd_future_error(waiting)->code, VD_ECANCELED);
    vd_future_unref(&waiting);
    waiting = case_must_submit(detector, 1); /* its place in the queue is free */
    gate_open(&gate);
    ck_assert_int_eq(vd_future_wait(running, -1), VD_OK);
    ck_assert_int_eq(vd_future_wait(last, -1), VD_OK);
    ck_assert_int_eq(vd_future_wait(waiting, -1), VD_OK);
    case_assert_shapes(vd_future_value(waiting), 1);
    ck_assert_int_eq(gate.calls, 3);
    case_assert_ledger(detector, 3, 0, 1, 0);
    vd_detector_free(&detector);
    vd_future_unref(&running);
    vd_future_unref(&waiting);
    vd_future_unref(&last);
}
END_TEST

START_TEST(the_blocking_form_gives_the_result_away)
{
    vd_detector *detector = case_make(&gate_ops, 2, 1);
    vd_result *result = NULL;
    vd_error error = {0};
    ck_assert_int_eq(vd_detector_detect(detector, &pictures[0].input.image, &result, &error), VD_OK);
    vd_detector_free(&detector);
    case_assert_shapes(result, 0);
    vd_result_unref(&result);
    gate.habit = GATE_FAILS_MUTE;
    detector = case_make(&gate_ops, 1, 1);
    ck_assert_int_eq(vd_detector_detect(detector, &pictures[0].input.image, &result, &error), VD_EFORMAT);
    ck_assert_ptr_null(result);
    ck_assert_int_eq(error.code, VD_EFORMAT);
    vd_detector_shutdown(detector, VD_SHUTDOWN_WAIT);
    ck_assert_int_eq(vd_detector_detect(detector, &pictures[0].input.image, &result, &error), VD_ESHUTDOWN);
    ck_assert_int_eq(error.code, VD_ESHUTDOWN);
    case_assert_ledger(detector, 0, 1, 0, 0);
    vd_detector_free(&detector);
}
END_TEST

/* --- Resets */

START_TEST(a_reset_comes_in_order_with_the_pictures)
{
    vd_future *futures[6];
    char notes[64];
    vd_detector *detector = case_make(&gate_ops, 1, 8);
    gate_close(&gate);
    for (int i = 0; i < 6; i++) {
        if (i == 2 || i == 5)
            vd_detector_reset(detector);
        if (i == 5)
            vd_detector_reset(detector);
        futures[i] = case_must_submit(detector, i);
    }
    gate_open(&gate);
    for (int i = 0; i < 6; i++)
        ck_assert_int_eq(vd_future_wait(futures[i], -1), VD_OK);
    case_unref_all(futures, 6);
    vd_detector_free(&detector);
    gate_tell_notes(&gate, notes, sizeof notes);
    ck_assert_str_eq(notes, "0 1 R 2 3 4 R 5");
}
END_TEST

START_TEST(a_reset_reaches_each_worker)
{
    vd_future *futures[6];
    vd_detector *detector = case_make(&gate_ops, 3, 8);
    for (int round = 0; round < 2; round++) {
        gate_close(&gate);
        for (int i = 0; i < 3; i++)
            futures[3 * round + i] = case_must_submit(detector, i);
        ck_assert(gate_await_inside(&gate, 3));
        gate_open(&gate);
        for (int i = 0; i < 3; i++)
            ck_assert_int_eq(vd_future_wait(futures[3 * round + i], -1), VD_OK);
        vd_detector_reset(detector);
    }
    ck_assert_int_eq(gate_read(&gate, &gate.resets), 3);
    case_unref_all(futures, 6);
    vd_detector_free(&detector);
}
END_TEST

START_TEST(pictures_in_order_need_one_worker)
{
    vd_detector_ops ordered = gate_ops;
    ordered.ordered = 1;
    vd_detector *detector = case_make(&ordered, 8, 4);
    ck_assert_int_eq(vd_detector_get_stats(detector).workers, 1);
    vd_detector_free(&detector);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("detector");
    TCase *asking = tcase_create("asking");
    tcase_add_checked_fixture(asking, case_set_up, case_tear_down);
    tcase_set_timeout(asking, 30);
    tcase_add_test(asking, a_picture_becomes_a_result);
    tcase_add_test(asking, a_picture_is_back_before_its_future_completes);
    tcase_add_test(asking, a_frame_goes_back_to_its_pool);
    tcase_add_test(asking, a_wrong_picture_is_refused_with_its_reason);
    tcase_add_test(asking, a_full_queue_refuses);
    tcase_add_test(asking, waiting_for_room_has_a_deadline);
    tcase_add_loop_test(asking, who_waits_for_room_is_woken, 0, 3);
    tcase_add_test(asking, whoever_waits_goes_first);
    tcase_add_test(asking, cancelling_takes_what_has_not_begun);
    tcase_add_test(asking, the_blocking_form_gives_the_result_away);
    tcase_add_test(asking, a_reset_comes_in_order_with_the_pictures);
    tcase_add_test(asking, a_reset_reaches_each_worker);
    tcase_add_test(asking, pictures_in_order_need_one_worker);
    suite_add_tcase(suite, asking);
    return suite;
}

TEST_MAIN(make_suite)
