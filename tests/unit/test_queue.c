#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/queue.h"
#include "base/thread.h"
#include "check_main.h"
#include "vedette/error.h"

/* Items are pointers into this array, so that what became of each can be counted. */
enum { ITEMS = 12000 };
static atomic_int freed[ITEMS], taken[ITEMS], kept[ITEMS];

static void *item(int number)
{
    return &freed[number];
}

static int number_of(void *an_item)
{
    return (int)((atomic_int *)an_item - freed);
}

static void free_item(void *an_item)
{
    atomic_fetch_add((atomic_int *)an_item, 1);
}

static vd_queue *make_queue(size_t capacity, vd_queue_policy policy)
{
    vd_queue *queue = NULL;
    ck_assert_int_eq(vd_queue_new(capacity, policy, free_item, &queue), VD_OK);
    return queue;
}

static int64_t far_deadline(void)
{
    return vd_clock_deadline_ns(60 * VD_NS_PER_S);
}

static int take_number(vd_queue *queue)
{
    void *got = NULL;
    int code = vd_queue_take(queue, 0, &got);
    return code ? code : number_of(got);
}

START_TEST(wrong_arguments_are_refused)
{
    vd_queue *queue = NULL;
    ck_assert_int_eq(vd_queue_new(0, VD_QUEUE_BLOCK, free_item, &queue), VD_EINVAL);
    ck_assert_int_eq(vd_queue_new(SIZE_MAX, VD_QUEUE_BLOCK, free_item, &queue), VD_EINVAL);
    ck_assert_int_eq(vd_queue_new(SIZE_MAX / 8, VD_QUEUE_BLOCK, free_item, &queue), VD_EINVAL);
    ck_assert_int_eq(vd_queue_new(4, VD_QUEUE_BLOCK, NULL, &queue), VD_EINVAL);
    ck_assert_ptr_null(queue);
    vd_queue_free(&queue);
}
END_TEST

START_TEST(items_come_out_in_order_around_the_ring)
{
    vd_queue *queue = make_queue(3, VD_QUEUE_REFUSE);
    int in = 0, out = 0;
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < 3; i++)
            ck_assert_int_eq(vd_queue_push(queue, item(in++), 0), VD_OK);
        ck_assert_int_eq(vd_queue_push(queue, item(in), 0), VD_EAGAIN);
        for (int i = 0; i < 2 + round % 2; i++, out++)
            ck_assert_int_eq(take_number(queue), out);
        while (out < in)
            ck_assert_int_eq(take_number(queue), out++);
        ck_assert_int_eq(take_number(queue), VD_ETIMEOUT);
    }
    vd_queue_counts counts = vd_queue_get_counts(queue);
    ck_assert_uint_eq(counts.pushed, 30);
    ck_assert_uint_eq(counts.taken, 30);
    ck_assert_uint_eq(counts.refused, 10);
    ck_assert_uint_eq(counts.dropped, 0);
    ck_assert_uint_eq(counts.peak, 3);
    ck_assert_uint_eq(counts.capacity, 3);
    ck_assert_int_eq(atomic_load(&freed[in]), 0); /* a refused item is the caller's */
    vd_queue_free(&queue);
    ck_assert_ptr_null(queue);
}
END_TEST

START_TEST(the_oldest_is_dropped)
{
    vd_queue *queue = make_queue(2, VD_QUEUE_DROP_OLDEST);
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(vd_queue_push(queue, item(i), 0), VD_OK);
    vd_queue_counts counts = vd_queue_get_counts(queue);
    ck_assert_uint_eq(counts.dropped, 3);
    ck_assert_uint_eq(counts.length, 2);
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(atomic_load(&freed[i]), i < 3);
    ck_assert_int_eq(take_number(queue), 3);
    ck_assert_int_eq(take_number(queue), 4);
    vd_queue_free(&queue);
}
END_TEST

START_TEST(a_full_queue_blocks_until_the_deadline)
{
    vd_queue *queue = make_queue(1, VD_QUEUE_BLOCK);
    ck_assert_int_eq(vd_queue_push(queue, item(0), far_deadline()), VD_OK);
    ck_assert_int_eq(vd_queue_push(queue, item(1), 0), VD_ETIMEOUT);
    int64_t deadline = vd_clock_now_ns() + 20 * VD_NS_PER_MS;
    ck_assert_int_eq(vd_queue_push(queue, item(1), deadline), VD_ETIMEOUT);
    ck_assert_int_ge(vd_clock_now_ns(), deadline);
    ck_assert_int_eq(take_number(queue), 0);
    ck_assert_int_eq(vd_queue_push(queue, item(1), 0), VD_OK);
    ck_assert_int_eq(take_number(queue), 1);
    void *got = NULL;
    deadline = vd_clock_now_ns() + 20 * VD_NS_PER_MS;
    ck_assert_int_eq(vd_queue_take(queue, deadline, &got), VD_ETIMEOUT);
    ck_assert_int_ge(vd_clock_now_ns(), deadline);
    ck_assert_ptr_null(got);
    vd_queue_free(&queue);
}
END_TEST

START_TEST(after_the_end_marker_takers_drain)
{
    vd_queue *queue = make_queue(4, (vd_queue_policy)_i);
    vd_queue_push(queue, item(0), 0);
    vd_queue_push(queue, item(1), 0);
    vd_queue_close_push(queue);
    vd_queue_close_push(queue);
    ck_assert_int_eq(vd_queue_push(queue, item(2), far_deadline()), VD_ESHUTDOWN);
    ck_assert_int_eq(take_number(queue), 0);
    ck_assert_int_eq(take_number(queue), 1);
    ck_assert_int_eq(take_number(queue), VD_EEND);
    void *got = NULL;
    ck_assert_int_eq(vd_queue_take(queue, far_deadline(), &got), VD_EEND);
    ck_assert_int_eq(atomic_load(&freed[2]), 0);
    vd_queue_free(&queue);
}
END_TEST

START_TEST(without_takers_everything_is_freed)
{
    vd_queue *queue = make_queue(4, (vd_queue_policy)_i);
    vd_queue_push(queue, item(0), 0);
    vd_queue_push(queue, item(1), 0);
    vd_queue_close_take(queue);
    ck_assert_int_eq(atomic_load(&freed[0]) + atomic_load(&freed[1]), 2);
    ck_assert_int_eq(vd_queue_push(queue, item(2), far_deadline()), VD_ESHUTDOWN);
    ck_assert_int_eq(take_number(queue), VD_EEND);
    vd_queue_counts counts = vd_queue_get_counts(queue);
    ck_assert_uint_eq(counts.pushed, 2);
    ck_assert_uint_eq(counts.dropped, 2);
    ck_assert_uint_eq(counts.length, 0);
    vd_queue_free(&queue);
    ck_assert_int_eq(atomic_load(&freed[2]), 0);
}
END_TEST

START_TEST(a_cleared_queue_stays_open)
{
    vd_queue *queue = make_queue(3, VD_QUEUE_BLOCK);
    for (int i = 0; i < 3; i++)
        vd_queue_push(queue, item(i), 0);
    vd_queue_clear(queue);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(atomic_load(&freed[i]), 1);
    ck_assert_int_eq(vd_queue_push(queue, item(3), 0), VD_OK);
    ck_assert_int_eq(take_number(queue), 3);
    vd_queue_push(queue, item(4), 0);
    vd_queue_free(&queue);
    ck_assert_int_eq(atomic_load(&freed[4]), 1); /* what is left over is freed */
}
END_TEST

static int nothings_freed;

static void free_nothing(void *an_item)
{
    ck_assert_ptr_null(an_item);
    nothings_freed++;
}

START_TEST(an_item_may_be_null)
{
    vd_queue *queue = NULL;
    ck_assert_int_eq(vd_queue_new(2, VD_QUEUE_DROP_OLDEST, free_nothing, &queue), VD_OK);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(vd_queue_push(queue, NULL, 0), VD_OK);
    ck_assert_int_eq(nothings_freed, 2);
    vd_queue_clear(queue);
    ck_assert_int_eq(nothings_freed, 4);
    ck_assert_uint_eq(vd_queue_get_counts(queue).length, 0);
    vd_queue_free(&queue);
}
END_TEST

struct waiter {
    vd_queue *queue;
    atomic_int code;
};

static void wait_to_take(void *context)
{
    struct waiter *w = context;
    void *got;
    atomic_store(&w->code, vd_queue_take(w->queue, far_deadline(), &got));
}

static void wait_to_push(void *context)
{
    struct waiter *w = context;
    atomic_store(&w->code, vd_queue_push(w->queue, item(1), far_deadline()));
}

START_TEST(closing_wakes_who_waits)
{
    bool pushing = _i & 1, close_push = _i & 2;
    enum { WAITERS = 4 };
    vd_thread threads[WAITERS] = {0};
    struct waiter w = {.queue = make_queue(1, VD_QUEUE_BLOCK)};
    if (pushing)
        vd_queue_push(w.queue, item(0), 0);
    for (int i = 0; i < WAITERS; i++)
        ck_assert_int_eq(vd_thread_start(&threads[i], "waits", pushing ? wait_to_push : wait_to_take, &w),
                         VD_OK);
    if (close_push)
        vd_queue_close_push(w.queue);
    else
        vd_queue_close_take(w.queue);
    for (int i = 0; i < WAITERS; i++)
        vd_thread_join(&threads[i]);
    ck_assert_int_eq(atomic_load(&w.code), pushing ? VD_ESHUTDOWN : VD_EEND);
    vd_queue_free(&w.queue);
}
END_TEST

static atomic_int freeing, may_go_on;

static void free_slowly(void *an_item)
{
    (void)an_item;
    atomic_store(&freeing, 1);
    while (!atomic_load(&may_go_on))
        ; /* until the test has looked */
}

static void close_take(void *context)
{
    vd_queue_close_take(context);
}

START_TEST(nothing_is_taken_while_the_rest_is_freed)
{
    vd_queue *queue = NULL;
    vd_thread thread = {0};
    ck_assert_int_eq(vd_queue_new(3, VD_QUEUE_BLOCK, free_slowly, &queue), VD_OK);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(vd_queue_push(queue, item(i), 0), VD_OK);
    ck_assert_int_eq(vd_thread_start(&thread, "closes", close_take, queue), VD_OK);
    while (!atomic_load(&freeing))
        ;
    ck_assert_uint_eq(vd_queue_get_counts(queue).length, 2);
    ck_assert_int_eq(take_number(queue), VD_EEND);
    atomic_store(&may_go_on, 1);
    vd_thread_join(&thread);
    ck_assert_uint_eq(vd_queue_get_counts(queue).dropped, 3);
    vd_queue_free(&queue);
}
END_TEST

/* Producers and takers on one queue; afterwards each item must have exactly one fate. */
enum { PRODUCERS = 6, TAKERS = 4, PER_PRODUCER = ITEMS / PRODUCERS };

struct crowd {
    vd_queue *queue;
    atomic_int next_producer, out_of_order;
    int64_t patience_ns;
};

static void produce(void *context)
{
    struct crowd *crowd = context;
    int first = PER_PRODUCER * atomic_fetch_add(&crowd->next_producer, 1);
    for (int i = first; i < first + PER_PRODUCER; i++)
        if (vd_queue_push(crowd->queue, item(i), vd_clock_deadline_ns(crowd->patience_ns)))
            atomic_fetch_add(&kept[i], 1);
}

static void take_all(void *context)
{
    struct crowd *crowd = context;
    int last[PRODUCERS], code;
    void *got;
    for (int i = 0; i < PRODUCERS; i++)
        last[i] = -1;
    while ((code = vd_queue_take(crowd->queue, vd_clock_deadline_ns(crowd->patience_ns), &got)) != VD_EEND) {
        if (code == VD_ETIMEOUT)
            continue;
        int number = number_of(got);
        atomic_fetch_add(&taken[number], 1);
        if (number <= last[number / PER_PRODUCER]) /* each producer's items stay in order */
            atomic_fetch_add(&crowd->out_of_order, 1);
        last[number / PER_PRODUCER] = number;
    }
}

static void check_ledger(vd_queue *queue)
{
    uint64_t all_taken = 0, all_freed = 0, all_kept = 0;
    for (int i = 0; i < PRODUCERS * PER_PRODUCER; i++) {
        if (atomic_load(&taken[i]) + atomic_load(&freed[i]) + atomic_load(&kept[i]) != 1)
            ck_abort_msg("item %d was taken %d, freed %d, kept %d times", i, atomic_load(&taken[i]),
                         atomic_load(&freed[i]), atomic_load(&kept[i]));
        all_taken += (uint64_t)atomic_load(&taken[i]);
        all_freed += (uint64_t)atomic_load(&freed[i]);
        all_kept += (uint64_t)atomic_load(&kept[i]);
    }
    vd_queue_counts counts = vd_queue_get_counts(queue);
    ck_assert_uint_eq(counts.length, 0);
    ck_assert_uint_eq(counts.pushed, counts.taken + counts.dropped);
    ck_assert_uint_eq(counts.taken, all_taken);
    ck_assert_uint_eq(counts.dropped, all_freed);
    ck_assert_uint_eq(counts.pushed + all_kept, (uint64_t)PRODUCERS * PER_PRODUCER);
    ck_assert_uint_le(counts.refused, all_kept);
    ck_assert_uint_le(counts.peak, counts.capacity);
}

static void wait_for_traffic(vd_queue *queue)
{
    vd_queue_counts counts;
    do
        counts = vd_queue_get_counts(queue);
    while (counts.pushed + counts.refused < ITEMS / 10);
}

static void run_crowd(vd_queue_policy policy, size_t capacity, int64_t patience_ns, bool leave_early)
{
    struct crowd crowd = {.queue = make_queue(capacity, policy), .patience_ns = patience_ns};
    vd_thread producers[PRODUCERS] = {0}, takers[TAKERS] = {0};
    for (int i = 0; i < TAKERS; i++)
        ck_assert_int_eq(vd_thread_start(&takers[i], "takes", take_all, &crowd), VD_OK);
    for (int i = 0; i < PRODUCERS; i++)
        ck_assert_int_eq(vd_thread_start(&producers[i], "pushes", produce, &crowd), VD_OK);
    if (leave_early) {
        wait_for_traffic(crowd.queue);
        vd_queue_clear(crowd.queue);
        vd_queue_close_take(crowd.queue);
    }
    for (int i = 0; i < PRODUCERS; i++)
        vd_thread_join(&producers[i]);
    vd_queue_close_push(crowd.queue);
    for (int i = 0; i < TAKERS; i++)
        vd_thread_join(&takers[i]);
    ck_assert_int_eq(atomic_load(&crowd.out_of_order), 0);
    check_ledger(crowd.queue);
    if (policy == VD_QUEUE_BLOCK && !leave_early && patience_ns < 0)
        ck_assert_uint_eq(vd_queue_get_counts(crowd.queue).taken, (uint64_t)PRODUCERS * PER_PRODUCER);
    vd_queue_free(&crowd.queue);
}

START_TEST(every_item_has_one_fate)
{
    run_crowd((vd_queue_policy)(_i % 3), _i < 3 ? 1 : 16, -1, false);
}
END_TEST

START_TEST(every_item_has_one_fate_when_the_takers_leave)
{
    run_crowd((vd_queue_policy)_i, 8, -1, true);
}
END_TEST

START_TEST(every_item_has_one_fate_under_short_deadlines)
{
    run_crowd(VD_QUEUE_BLOCK, 2, 2 * VD_NS_PER_US, false);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("queue");
    TCase *alone = tcase_create("one thread");
    tcase_add_test(alone, wrong_arguments_are_refused);
    tcase_add_test(alone, items_come_out_in_order_around_the_ring);
    tcase_add_test(alone, the_oldest_is_dropped);
    tcase_add_test(alone, a_full_queue_blocks_until_the_deadline);
    tcase_add_loop_test(alone, after_the_end_marker_takers_drain, VD_QUEUE_BLOCK, VD_QUEUE_REFUSE + 1);
    tcase_add_loop_test(alone, without_takers_everything_is_freed, VD_QUEUE_BLOCK, VD_QUEUE_REFUSE + 1);
    tcase_add_test(alone, a_cleared_queue_stays_open);
    tcase_add_test(alone, an_item_may_be_null);
    suite_add_tcase(suite, alone);
    TCase *many = tcase_create("many threads");
    tcase_set_timeout(many, 60);
    tcase_add_loop_test(many, closing_wakes_who_waits, 0, 4);
    tcase_add_test(many, nothing_is_taken_while_the_rest_is_freed);
    tcase_add_loop_test(many, every_item_has_one_fate, 0, 6);
    tcase_add_loop_test(many, every_item_has_one_fate_when_the_takers_leave, VD_QUEUE_BLOCK,
                        VD_QUEUE_REFUSE + 1);
    tcase_add_test(many, every_item_has_one_fate_under_short_deadlines);
    suite_add_tcase(suite, many);
    return suite;
}

TEST_MAIN(make_suite)
