/* Batches: chunks, order, partial failure, cancelling, and the blocking form. */
#include <string.h>

#include "base/clock.h"
#include "check_main.h"
#include "detector_case.h"

enum { HUNDRED = 100, SIXTEEN = 16 };

static const int worker_counts[] = {1, 2, 4};

static const vd_batch *must_value(vd_future *future)
{
    ck_assert_int_eq(vd_future_wait(future, -1), VD_OK);
    const vd_batch *batch = vd_future_value(future);
    ck_assert_ptr_nonnull(batch);
    size_t successful = 0;
    for (size_t i = 0; i < batch->total; i++) {
        successful += batch->items[i].result != NULL;
        ck_assert_int_eq(batch->items[i].result != NULL, batch->items[i].error.code == VD_OK);
        if (batch->items[i].result)
            case_assert_shapes(batch->items[i].result, (int)i);
        else
            ck_assert_uint_gt(strlen(batch->items[i].error.text), 9);
    }
    ck_assert_uint_eq(batch->successful, successful);
    return batch;
}

/* Puts one picture inside, so that what follows has to wait. */
static vd_future *occupy(vd_detector *detector)
{
    gate_close(&gate);
    vd_future *future = case_must_submit(detector, HUNDRED);
    ck_assert(gate_await_inside(&gate, 1));
    return future;
}

/* --- Chunks */

START_TEST(a_hundred_by_sixteen_are_seven_passes)
{
    vd_detector *detector = case_make(&gate_batch_ops, worker_counts[_i], 1);
    vd_future *future = case_must_submit_batch(detector, HUNDRED, SIXTEEN);
    const vd_batch *batch = must_value(future);
    ck_assert_uint_eq(batch->total, HUNDRED);
    ck_assert_uint_eq(batch->successful, HUNDRED);
    ck_assert_uint_eq(case_settle(detector).passes, 7);
    ck_assert_int_eq(gate.batch_calls, 7);
    ck_assert_int_eq(gate.largest_batch, SIXTEEN);
    case_assert_ledger(detector, HUNDRED, 0, 0, 0);
    vd_detector_free(&detector);
    case_assert_shapes(batch->items[99].result, 99); /* lives as long as the future */
    vd_future_unref(&future);
}
END_TEST

START_TEST(chunks_follow_what_is_smaller)
{
    static const struct {
        int max_batch, preset, batch_size, count, passes, largest;
    } cases[] = {
        {5, VD_PRESET_NONE, 16, 32, 7, 5},       {64, VD_PRESET_NONE, 16, 32, 2, 16},
        {0, VD_PRESET_LOW_LATENCY, 0, 30, 8, 4}, {0, VD_PRESET_HIGH_THROUGHPUT, 0, 64, 2, 32},
        {0, VD_PRESET_NONE, 1024, 100, 1, 100},  {0, VD_PRESET_NONE, 1, 10, 10, 0},
        {1, VD_PRESET_NONE, 16, 10, 10, 0},      {0, VD_PRESET_NONE, 3, 1, 1, 0},
        {9, VD_PRESET_BALANCED, 0, 17, 2, 9},
    };
    vd_detector_ops ops = gate_batch_ops;
    vd_detector_options options = VD_DETECTOR_OPTIONS_INIT;
    ops.max_batch = cases[_i].max_batch;
    options.preset = (vd_preset)cases[_i].preset;
    options.max_workers = 2;
    options.ops = &ops;
    options.config = &gate;
    vd_detector *detector = NULL;
    ck_assert_int_eq(vd_detector_new(&options, &detector, NULL), VD_OK);
    vd_future *future = case_must_submit_batch(detector, (size_t)cases[_i].count, cases[_i].batch_size);
    ck_assert_uint_eq(must_value(future)->successful, (size_t)cases[_i].count);
    ck_assert_uint_eq(case_settle(detector).passes, (unsigned)cases[_i].passes);
    ck_assert_int_eq(gate.largest_batch, cases[_i].largest);
    ck_assert_int_eq(gate.calls, cases[_i].passes);
    vd_future_unref(&future);
    vd_detector_free(&detector);
}
END_TEST

/* Pictures where the detector takes no batch, chunks where it does. */
START_TEST(a_batch_is_spread_over_the_workers)
{
    const vd_detector_ops *ops = _i ? &gate_batch_ops : &gate_ops;
    vd_detector *detector = case_make(ops, 4, 4);
    gate_close(&gate);
    vd_future *future = case_must_submit_batch(detector, 32, 8);
    ck_assert(gate_await_inside(&gate, 4));
    vd_detector_stats stats = vd_detector_get_stats(detector);
    ck_assert_int_eq(stats.active, 4);
    ck_assert_uint_eq(stats.in_flight, _i ? 32 : 4);
    ck_assert_uint_eq(stats.pending, 32);
    gate_open(&gate);
    ck_assert_uint_eq(must_value(future)->successful, 32);
    ck_assert_uint_eq(case_settle(detector).passes, _i ? 4 : 32);
    ck_assert_int_eq(gate.most_inside, 4);
    vd_future_unref(&future);
    vd_detector_free(&detector);
}
END_TEST

START_TEST(a_batch_is_one_request)
{
    vd_detector *detector = case_make(&gate_batch_ops, 1, 1);
    vd_future *inside = occupy(detector), *refused = NULL;
    vd_future *future = case_must_submit_batch(detector, HUNDRED, SIXTEEN);
    ck_assert_uint_eq(vd_detector_get_stats(detector).queued, 1);
    ck_assert_int_eq(case_submit_batch(detector, 30, 0, &refused), VD_EAGAIN);
    ck_assert_int_eq(case_submit(detector, 1, &refused), VD_EAGAIN);
    ck_assert_ptr_null(refused);
    ck_assert_uint_eq(vd_detector_get_stats(detector).refused, 31);
    gate_open(&gate);
    must_value(future);
    case_assert_ledger(detector, HUNDRED + 1, 0, 0, 0);
    vd_future_unref(&future);
    vd_future_unref(&inside);
    vd_detector_free(&detector);
}
END_TEST

START_TEST(interactive_pictures_pass_between_chunks)
{
    char notes[128];
    vd_detector *detector = case_make(&gate_batch_ops, 1, 4);
    vd_future *batch = NULL;
    vd_input *inputs = case_inputs(8);
    inputs[0].priority = VD_PRIORITY_BACKGROUND; /* the others follow the first */
    gate_close(&gate);
    ck_assert_int_eq(vd_detector_submit_batch(detector, inputs, 8, 4, &batch, NULL), VD_OK);
    for (int i = 0; i < 8; i++)
        case_accepted(i);
    ck_assert(gate_await_inside(&gate, 1));
    vd_future *picture = case_must_submit(detector, 50);
    gate_open(&gate);
    must_value(batch);
    ck_assert_int_eq(vd_future_wait(picture, 0), VD_OK);
    gate_tell_notes(&gate, notes, sizeof notes);
    ck_assert_str_eq(notes, "0 1 2 3 50 4 5 6 7");
    vd_future_unref(&batch);
    vd_future_unref(&picture);
    vd_detector_free(&detector);
}
END_TEST

/* --- Partial failure */

static void spoil(vd_input *inputs)
{
    inputs[0].image.planes[0] = NULL;
    inputs[17].image.height = 0;
    inputs[99].image.strides[0] = PICTURE_WIDTH - 1;
}

START_TEST(bad_pictures_fail_alone)
{
    const vd_detector_ops *ops = _i % 2 ? &gate_batch_ops : &gate_ops;
    vd_detector *detector = case_make(ops, worker_counts[_i / 2], 4);
    vd_input *inputs = case_inputs(HUNDRED);
    vd_future *future = NULL;
    spoil(inputs);
    ck_assert_int_eq(vd_detector_submit_batch(detector, inputs, HUNDRED, SIXTEEN, &future, NULL), VD_OK);
    for (int i = 0; i < HUNDRED; i++)
        case_accepted(i);
    const vd_batch *batch = must_value(future);
    ck_assert_uint_eq(batch->successful, 97);
    static const struct {
        int at;
        const char *says, *place;
    } bad[] = {{0, "NULL", "frame 0"}, {17, "64 × 0", "frame 17"}, {99, "stride of 63", "frame 99"}};
    for (int i = 0; i < 3; i++) {
        const vd_error *error = &batch->items[bad[i].at].error;
        ck_assert_int_eq(error->code, VD_EINVAL);
        ck_assert_msg(strstr(error->text, bad[i].says) != NULL, "%s", error->text);
        ck_assert_str_eq(error->place, bad[i].place);
    }
    case_assert_ledger(detector, 97, 3, 0, 0);
    ck_assert_uint_eq(case_settle(detector).passes, _i % 2 ? 7 : 97);
    vd_future_unref(&future);
    vd_detector_free(&detector);
}
END_TEST

START_TEST(a_batch_may_fail_wholly_picture_by_picture)
{
    vd_detector *detector = case_make(&gate_batch_ops, 2, 4);
    vd_input *inputs = case_inputs(20);
    vd_future *future = NULL;
    for (int i = 0; i < 20; i++)
        inputs[i].image.format = VD_PIXEL_NONE;
    ck_assert_int_eq(vd_detector_submit_batch(detector, inputs, 20, 8, &future, NULL), VD_OK);
    for (int i = 0; i < 20; i++)
        case_accepted(i);
    ck_assert_uint_eq(must_value(future)->successful, 0);
    case_assert_ledger(detector, 0, 20, 0, 0);
    ck_assert_int_eq(gate.calls, 0);
    vd_future_unref(&future);
    vd_detector_free(&detector);
}
END_TEST

/* The chunk's first try has already put boxes into some results: they must not be there twice. */
START_TEST(a_chunk_that_fails_is_tried_picture_by_picture)
{
    gate.poison = 20;
    gate.poison_is_mortal = _i == 1;
    vd_detector *detector = case_make(&gate_batch_ops, 2, 4);
    vd_future *future = case_must_submit_batch(detector, HUNDRED, SIXTEEN);
    const vd_batch *batch = must_value(future);
    ck_assert_uint_eq(batch->successful, (size_t)(HUNDRED - _i));
    ck_assert_int_eq(gate.batch_calls, 7);
    ck_assert_int_eq(gate.calls, 7 + SIXTEEN);
    if (_i == 1) {
        ck_assert_int_eq(batch->items[20].error.code, VD_EIO);
        ck_assert_str_eq(batch->items[20].error.text, "This picture is poison.");
        ck_assert_str_eq(batch->items[20].error.place, "frame 20");
    }
    case_assert_ledger(detector, (unsigned)(HUNDRED - _i), (unsigned)_i, 0, 0);
    vd_future_unref(&future);
    vd_detector_free(&detector);
}
END_TEST

START_TEST(each_third_picture_of_a_batch_fails)
{
    gate.habit = GATE_FAILS_THIRD;
    vd_detector *detector = case_make(&gate_ops, 1, 4);
    vd_future *future = case_must_submit_batch(detector, 30, 8);
    const vd_batch *batch = must_value(future);
    for (int i = 0; i < 30; i++)
        ck_assert_int_eq(batch->items[i].error.code, i % 3 == 2 ? VD_EIO : VD_OK);
    case_assert_ledger(detector, 20, 10, 0, 0);
    vd_future_unref(&future);
    vd_detector_free(&detector);
}
END_TEST

/* --- Cancelling */

START_TEST(a_batch_is_cancelled_before_it_begins)
{
    vd_detector *detector = case_make(_i ? &gate_batch_ops : &gate_ops, 1, 4);
    vd_future *inside = occupy(detector);
    vd_future *future = case_must_submit_batch(detector, HUNDRED, SIXTEEN);
    ck_assert(vd_future_cancel(future));
    case_assert_ledger(detector, 0, 0, HUNDRED, 1);
    for (int i = 0; i < HUNDRED; i++)
        ck_assert_int_eq(atomic_load(&pictures[i].releases), 1); /* at once */
    ck_assert_int_eq(vd_future_wait(future, 0), VD_ECANCELED);
    ck_assert_ptr_null(vd_future_value(future));
    ck_assert_uint_eq(vd_detector_get_stats(detector).queued, 0);
    gate_open(&gate);
    ck_assert_int_eq(vd_future_wait(inside, -1), VD_OK);
    ck_assert_int_eq(gate.calls, 1);
    case_assert_ledger(detector, 1, 0, HUNDRED, 0);
    vd_future_unref(&future);
    vd_future_unref(&inside);
    vd_detector_free(&detector);
}
END_TEST

/* What has begun is finished, the rest is left out, and the future succeeds with what there is. */
START_TEST(a_batch_is_cancelled_after_it_has_begun)
{
    int workers = worker_counts[_i / 2], chunk = _i % 2 ? SIXTEEN : 1, done = workers * chunk;
    vd_detector *detector = case_make(_i % 2 ? &gate_batch_ops : &gate_ops, workers, 4);
    gate_close(&gate);
    vd_future *future = case_must_submit_batch(detector, HUNDRED, SIXTEEN);
    ck_assert(gate_await_inside(&gate, workers));
    for (int i = 0; i < 3; i++)
        ck_assert(!vd_future_cancel(future));
    gate_open(&gate);
    const vd_batch *batch = must_value(future);
    ck_assert_uint_eq(batch->total, HUNDRED);
    ck_assert_uint_eq(batch->successful, (size_t)done);
    for (int i = 0; i < HUNDRED; i++)
        ck_assert_int_eq(batch->items[i].error.code, i < done ? VD_OK : VD_ECANCELED);
    case_assert_ledger(detector, (unsigned)done, 0, (unsigned)(HUNDRED - done), 0);
    case_settle(detector);
    vd_future_unref(&future);
    vd_detector_free(&detector);
}
END_TEST

START_TEST(cancelling_comes_too_late_for_what_is_given)
{
    vd_detector *detector = case_make(&gate_batch_ops, 2, 4);
    gate_close(&gate);
    vd_future *future = case_must_submit_batch(detector, 8, 4);
    ck_assert(gate_await_inside(&gate, 2));
    ck_assert(!vd_future_cancel(future));
    gate_open(&gate);
    ck_assert_uint_eq(must_value(future)->successful, 8);
    ck_assert(!vd_future_cancel(future));
    case_assert_ledger(detector, 8, 0, 0, 0);
    vd_future_unref(&future);
    vd_detector_free(&detector);
}
END_TEST

START_TEST(a_batch_that_nobody_waits_for_runs)
{
    vd_detector *detector = case_make(&gate_batch_ops, 2, 4);
    for (int i = 0; i < 4; i++) {
        vd_future *future = case_must_submit_batch(detector, 10, 4);
        vd_future_unref(&future);
    }
    case_settle(detector);
    case_assert_ledger(detector, 40, 0, 0, 0);
    vd_detector_free(&detector);
}
END_TEST

/* --- The calls themselves */

START_TEST(wrong_batches_are_refused)
{
    vd_detector *detector = case_make(&gate_ops, 1, 4);
    vd_input *inputs = case_inputs(4);
    vd_future *future = NULL;
    vd_batch *batch = NULL;
    vd_error error = {0};
    static const struct {
        size_t count;
        int batch_size;
        const char *says;
    } cases[] = {
        {0, 4, "0 pictures"}, {4, -1, "batch_size"}, {4, 1025, "1 to 1024"}, {(1u << 20) + 1, 4, "1048577"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t count = cases[i].count;
        ck_assert_int_eq(
            vd_detector_submit_batch(detector, inputs, count, cases[i].batch_size, &future, &error),
            VD_EINVAL);
        ck_assert_msg(error.code == VD_EINVAL && strstr(error.text, cases[i].says), "%s", error.text);
        if (count <= 4)
            ck_assert_int_eq(vd_detector_detect_batch(detector, &inputs[0].image, count, cases[i].batch_size,
                                                      &batch, NULL),
                             VD_EINVAL);
    }
    ck_assert_int_eq(vd_detector_submit_batch(detector, NULL, 4, 4, &future, &error), VD_EINVAL);
    ck_assert_int_eq(vd_detector_detect_batch(detector, NULL, 4, 4, &batch, &error), VD_EINVAL);
    vd_detector_shutdown(detector, VD_SHUTDOWN_WAIT);
    ck_assert_int_eq(vd_detector_submit_batch(detector, inputs, 4, 4, &future, &error), VD_ESHUTDOWN);
    ck_assert_int_eq(vd_detector_detect_batch(detector, &inputs[0].image, 1, 4, &batch, &error),
                     VD_ESHUTDOWN);
    ck_assert_ptr_null(future);
    ck_assert_ptr_null(batch);
    case_assert_ledger(detector, 0, 0, 0, 0);
    vd_detector_free(&detector);
    vd_batch_free(&batch);
}
END_TEST

struct gathering {
    vd_detector *detector;
    vd_image images[HUNDRED];
    size_t count;
    vd_batch *batch;
    int code;
};

static void gather(void *context)
{
    struct gathering *gathering = context;
    gathering->code = vd_detector_detect_batch(gathering->detector, gathering->images, gathering->count, 8,
                                               &gathering->batch, NULL);
}

static void assert_gathered(const struct gathering *gathering, int first)
{
    ck_assert_int_eq(gathering->code, VD_OK);
    ck_assert_uint_eq(gathering->batch->total, gathering->count);
    ck_assert_uint_eq(gathering->batch->successful, gathering->count);
    for (size_t i = 0; i < gathering->count; i++) {
        vd_result *result = gathering->batch->items[i].result;
        ck_assert_int_eq(result->frame_index, (int64_t)i);
        result->frame_index = first + (int64_t)i;
        result->time_s = (double)result->frame_index / 25.0;
        case_assert_shapes(result, first + (int)i);
    }
}

START_TEST(gathering_keeps_the_order)
{
    enum { GATHERERS = 6, EACH = 20 };
    static struct gathering all[GATHERERS];
    vd_thread threads[GATHERERS] = {0};
    /* A queue of one: those who find it full wait for room. */
    vd_detector *detector = case_make(_i % 2 ? &gate_batch_ops : &gate_ops, worker_counts[_i / 2], 1);
    for (int g = 0; g < GATHERERS; g++) {
        all[g].detector = detector;
        all[g].count = EACH;
        for (int i = 0; i < EACH; i++)
            all[g].images[i] = pictures[g * 10 + i].input.image;
        ck_assert_int_eq(vd_thread_start(&threads[g], "gathers", gather, &all[g]), VD_OK);
    }
    for (int g = 0; g < GATHERERS; g++)
        vd_thread_join(&threads[g]);
    case_assert_ledger(detector, GATHERERS * EACH, 0, 0, 0);
    vd_detector_free(&detector);
    for (int g = 0; g < GATHERERS; g++) {
        assert_gathered(&all[g], g * 10);
        vd_batch_free(&all[g].batch);
        ck_assert_ptr_null(all[g].batch);
    }
}
END_TEST

START_TEST(gathering_waits_for_room)
{
    static struct gathering gathering;
    vd_thread thread = {0};
    vd_detector *detector = case_make(&gate_batch_ops, 1, 1);
    vd_future *inside = occupy(detector), *waiting = case_must_submit(detector, 1);
    gathering = (struct gathering){.detector = detector, .count = 3};
    for (int i = 0; i < 3; i++)
        gathering.images[i] = pictures[i].input.image;
    ck_assert_int_eq(vd_thread_start(&thread, "gathers", gather, &gathering), VD_OK);
    gate_open(&gate);
    vd_thread_join(&thread);
    assert_gathered(&gathering, 0);
    ck_assert_uint_eq(vd_detector_get_stats(detector).refused, 0);
    vd_batch_free(&gathering.batch);
    vd_future_unref(&inside);
    vd_future_unref(&waiting);
    vd_detector_free(&detector);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("detector batches");
    TCase *tests = tcase_create("batch");
    tcase_add_checked_fixture(tests, case_set_up, case_tear_down);
    tcase_set_timeout(tests, 30);
    tcase_add_loop_test(tests, a_hundred_by_sixteen_are_seven_passes, 0, 3);
    tcase_add_loop_test(tests, chunks_follow_what_is_smaller, 0, 9);
    tcase_add_loop_test(tests, a_batch_is_spread_over_the_workers, 0, 2);
    tcase_add_test(tests, a_batch_is_one_request);
    tcase_add_test(tests, interactive_pictures_pass_between_chunks);
    tcase_add_loop_test(tests, bad_pictures_fail_alone, 0, 6);
    tcase_add_test(tests, a_batch_may_fail_wholly_picture_by_picture);
    tcase_add_loop_test(tests, a_chunk_that_fails_is_tried_picture_by_picture, 0, 2);
    tcase_add_test(tests, each_third_picture_of_a_batch_fails);
    tcase_add_loop_test(tests, a_batch_is_cancelled_before_it_begins, 0, 2);
    tcase_add_loop_test(tests, a_batch_is_cancelled_after_it_has_begun, 0, 6);
    tcase_add_test(tests, cancelling_comes_too_late_for_what_is_given);
    tcase_add_test(tests, a_batch_that_nobody_waits_for_runs);
    tcase_add_test(tests, wrong_batches_are_refused);
    tcase_add_loop_test(tests, gathering_keeps_the_order, 0, 6);
    tcase_add_test(tests, gathering_waits_for_room);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(make_suite)
