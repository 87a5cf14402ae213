/* Memory and threads that run out: the n-th allocation and the n-th thread of a detector's whole life fail,
 * for every n until none does. Allocations of workers count as well, so which call meets the n-th may differ
 * from run to run, what holds must not. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "check_main.h"
#include "detector_case.h"
#include "doubles/shortage.h"

/* --- A life in which each call may find no memory */

static bool may_be(int code)
{
    return code == VD_OK || code == VD_ENOMEM;
}

static void count_run(void *context, vd_future *future)
{
    (void)future;
    atomic_fetch_add((atomic_int *)context, 1);
}

enum { SINGLES = 14, BATCH = 10 };

struct life {
    vd_detector *detector;
    vd_future *futures[SINGLES], *batch, *all, *any;
    int submitted, continued;
    atomic_int runs;
};

static void submit_singles(struct life *life)
{
    for (int i = 0; i < SINGLES; i++) {
        vd_error error = {0};
        vd_future *future = NULL;
        int code = vd_detector_submit(life->detector, &pictures[i].input, &future, &error);
        expect(may_be(code) && (code == VD_OK) == (future != NULL) && error.code == code);
        if (code)
            continue;
        case_accepted(i);
        for (int n = 0; n < 4; n++) { /* more than a future has room for by itself */
            code = vd_future_then(future, count_run, &life->runs);
            expect(may_be(code));
            life->continued += code == VD_OK;
        }
        life->futures[life->submitted++] = future;
    }
}

static void submit_batch(struct life *life)
{
    vd_error error = {0};
    int code = vd_detector_submit_batch(life->detector, case_inputs(BATCH), BATCH, 4, &life->batch, &error);
    expect(may_be(code) && (code == VD_OK) == (life->batch != NULL) && error.code == code);
    for (int i = 0; i < BATCH && code == VD_OK; i++)
        case_accepted(i);
}

static void group(struct life *life)
{
    if (life->submitted == 0)
        return;
    int code = vd_future_all(life->futures, (size_t)life->submitted, &life->all);
    expect(may_be(code) && (code == VD_OK) == (life->all != NULL));
    code = vd_future_any(life->futures, (size_t)life->submitted, &life->any);
    expect(may_be(code) && (code == VD_OK) == (life->any != NULL));
}

static void await(struct life *life)
{
    for (int i = 0; i < life->submitted; i++)
        expect(may_be(vd_future_wait(life->futures[i], 20 * VD_NS_PER_S)));
    if (life->batch) {
        expect(vd_future_wait(life->batch, 20 * VD_NS_PER_S) == VD_OK);
        const vd_batch *batch = vd_future_value(life->batch);
        for (size_t i = 0; batch && i < batch->total; i++)
            expect(may_be(batch->items[i].error.code) &&
                   (batch->items[i].error.code == VD_OK) == (batch->items[i].result != NULL));
    }
    if (life->all)
        expect(may_be(vd_future_wait(life->all, 20 * VD_NS_PER_S)));
    if (life->any)
        expect(may_be(vd_future_wait(life->any, 20 * VD_NS_PER_S)));
}

static void block(struct life *life)
{
    vd_result *result = NULL;
    vd_batch *batch = NULL;
    vd_image images[3] = {pictures[0].input.image, pictures[1].input.image, pictures[2].input.image};
    int code = vd_detector_detect(life->detector, &images[0], &result, NULL);
    expect(may_be(code) && (code == VD_OK) == (result != NULL));
    code = vd_detector_detect_batch(life->detector, images, 3, 2, &batch, NULL);
    expect(may_be(code) && (code == VD_OK) == (batch != NULL));
    vd_result_unref(&result);
    vd_batch_free(&batch);
}

static void end(struct life *life)
{
    expect(vd_detector_shutdown(life->detector, VD_SHUTDOWN_WAIT) == VD_OK);
    vd_detector_stats stats = vd_detector_get_stats(life->detector);
    expect(stats.pending == 0 && stats.submitted == stats.succeeded + stats.failed + stats.cancelled);
    expect(stats.submitted >= (uint64_t)life->submitted && stats.queued == 0 && stats.in_flight == 0);
    expect(atomic_load(&life->runs) == life->continued);
    expect(vd_detector_free(&life->detector) == VD_OK);
    for (int i = 0; i < life->submitted; i++)
        vd_future_unref(&life->futures[i]);
    vd_future_unref(&life->batch);
    vd_future_unref(&life->all);
    vd_future_unref(&life->any);
}

/* Returns what vd_detector_new returned. */
static int live(const vd_detector_ops *ops, int workers)
{
    struct life life = {0};
    vd_detector_options options = VD_DETECTOR_OPTIONS_INIT;
    vd_error error = {0};
    options.max_workers = workers;
    options.ops = ops;
    options.config = &gate;
    int code = vd_detector_new(&options, &life.detector, &error);
    expect(may_be(code) && (code == VD_OK) == (life.detector != NULL) && error.code == code);
    expect(code == VD_OK || error.text[0] != '\0');
    if (code)
        return code;
    submit_singles(&life);
    submit_batch(&life);
    group(&life);
    await(&life);
    block(&life);
    end(&life);
    return VD_OK;
}

START_TEST(any_allocation_may_fail)
{
    const vd_detector_ops *ops = _i % 2 ? &gate_batch_ops : &gate_ops;
    bool lasting = _i / 2;
    int code = VD_ENOMEM, n = 1, failures_of_new = 0;
    for (; n < 1000; n++) {
        shortage_begin(&short_memory, n, lasting);
        code = live(ops, 2);
        shortage_end(&short_memory);
        ck_assert_msg(broken == 0, "%d promises are broken when allocation %d fails", broken, n);
        ck_assert_int_eq(gate.opened, gate.ended);
        failures_of_new += code != VD_OK;
        if (atomic_load(&short_memory.failed) == 0)
            break;
    }
    ck_assert_int_eq(code, VD_OK);
    ck_assert_int_gt(n, 40); /* there were that many to fail */
    ck_assert_int_gt(failures_of_new, 3);
}
END_TEST

/* --- Threads */

START_TEST(any_thread_may_fail)
{
    enum { WORKERS = 4 };
    bool lasting = _i;
    for (int n = 1; n <= WORKERS + 1; n++) {
        vd_detector_options options = VD_DETECTOR_OPTIONS_INIT;
        vd_detector *detector = NULL;
        vd_error error = {0};
        options.max_workers = WORKERS;
        options.ops = &gate_ops;
        options.config = &gate;
        shortage_begin(&short_threads, n, lasting);
        int code = vd_detector_new(&options, &detector, &error);
        shortage_end(&short_threads);
        if (lasting && n == 1) {
            ck_assert_int_eq(code, VD_ENOMEM);
            ck_assert_int_eq(error.code, VD_ENOMEM);
            ck_assert_ptr_nonnull(strstr(error.text, "thread"));
            ck_assert_ptr_null(detector);
            continue;
        }
        ck_assert_int_eq(code, VD_OK);
        int missing = n > WORKERS ? 0 : lasting ? WORKERS - n + 1 : 1;
        ck_assert_int_eq(atomic_load(&short_threads.failed), missing);
        ck_assert_int_eq(vd_detector_get_stats(detector).workers, WORKERS - missing);
        for (int i = 0; i < WORKERS; i++) {
            bool lacks = lasting ? i >= n - 1 : i == n - 1;
            const vd_error *why = vd_detector_worker_error(detector, i);
            ck_assert_int_eq(why->code, lacks ? VD_ENOMEM : VD_OK);
            ck_assert_int_eq(why->text[0] != '\0', lacks);
        }
        vd_future *future = case_must_submit_batch(detector, 20, 4);
        ck_assert_int_eq(vd_future_wait(future, -1), VD_OK);
        ck_assert_uint_eq(((vd_batch *)vd_future_value(future))->successful, 20);
        case_assert_ledger(detector, 20, 0, 0, 0);
        vd_future_unref(&future);
        vd_detector_free(&detector);
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("detector short of memory");
    TCase *tests = tcase_create("short");
    tcase_add_checked_fixture(tests, case_set_up, case_tear_down);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, any_allocation_may_fail, 0, 4);
    tcase_add_loop_test(tests, any_thread_may_fail, 0, 2);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(make_suite)
