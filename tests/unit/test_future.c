#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/future.h"
#include "base/thread.h"
#include "check_main.h"

static atomic_int values_made, values_freed;
static atomic_int wrong; /* counted on threads, where Check's own assertions have no place */

static void free_value(void *value)
{
    atomic_fetch_add(&values_freed, 1);
    free(value);
}

static void *make_value(int number)
{
    int *value = malloc(sizeof *value);
    *value = number;
    atomic_fetch_add(&values_made, 1);
    return value;
}

static vd_future *make_future(void)
{
    vd_future *future = NULL;
    ck_assert_int_eq(vd_future_new(free_value, &future), VD_OK);
    return future;
}

static vd_error failure(int code)
{
    vd_error error;
    vd_error_set(&error, code, "frame 7", "It failed.");
    return error;
}

struct note {
    int calls, state;
    char order[32];
};

static void take_note(void *context, vd_future *future)
{
    struct note *note = context;
    note->calls++;
    note->state = vd_future_wait(future, 0);
}

START_TEST(work_that_succeeds)
{
    struct note note = {0};
    vd_future *future = make_future();
    ck_assert_int_eq(vd_future_then(future, take_note, &note), VD_OK);
    ck_assert(!vd_future_is_complete(future));
    ck_assert_int_eq(vd_future_wait(future, 0), VD_ETIMEOUT);
    ck_assert_ptr_null(vd_future_value(future));
    ck_assert_ptr_null(vd_future_error(future));
    ck_assert(vd_future_begin(future));
    ck_assert(!vd_future_begin(future));
    ck_assert(!vd_future_cancel(future));
    ck_assert_int_eq(note.calls, 0);
    vd_future_complete(future, make_value(5));
    ck_assert_int_eq(note.calls, 1);
    ck_assert_int_eq(note.state, VD_OK);
    ck_assert_int_eq(vd_future_wait(future, -1), VD_OK);
    ck_assert_int_eq(*(int *)vd_future_value(future), 5);
    ck_assert_ptr_null(vd_future_error(future));
    ck_assert(!vd_future_cancel(future));
    vd_error late = failure(VD_ESHUTDOWN);
    ck_assert(!vd_future_fail(future, &late));
    ck_assert_int_eq(vd_future_wait(future, 0), VD_OK);
    vd_future_unref(&future);
    ck_assert_ptr_null(future);
    ck_assert_int_eq(atomic_load(&values_freed), 1);
    vd_future_unref(&future);
}
END_TEST

START_TEST(work_that_fails)
{
    struct note note = {0};
    vd_future *future = make_future();
    vd_future_then(future, take_note, &note);
    if (_i)
        ck_assert(vd_future_begin(future));
    vd_error error = failure(VD_EIO);
    ck_assert(vd_future_fail(future, &error));
    ck_assert(!vd_future_fail(future, &error));
    ck_assert(!vd_future_begin(future));
    ck_assert_int_eq(note.calls, 1);
    ck_assert_int_eq(vd_future_wait(future, -1), VD_EIO);
    ck_assert_ptr_null(vd_future_value(future));
    ck_assert_str_eq(vd_future_error(future)->text, "It failed.");
    vd_future_unref(&future);
}
END_TEST

START_TEST(work_that_is_cancelled)
{
    struct note note = {0};
    vd_future *future = make_future();
    vd_future_then(future, take_note, &note);
    ck_assert(vd_future_cancel(future));
    ck_assert(!vd_future_cancel(future));
    ck_assert(!vd_future_begin(future));
    ck_assert_int_eq(note.calls, 1);
    ck_assert_int_eq(vd_future_wait(future, -1), VD_ECANCELED);
    ck_assert_int_eq(vd_future_error(future)->code, VD_ECANCELED);
    ck_assert_uint_gt(strlen(vd_future_error(future)->text), 10);
    vd_future_unref(&future);
}
END_TEST

START_TEST(a_shutdown_wins_over_work_in_progress)
{
    struct note first = {0}, second = {0};
    vd_future *future = make_future();
    vd_future_then(future, take_note, &first);
    vd_future_then(future, take_note, &second);
    ck_assert(vd_future_begin(future));
    vd_error error = failure(VD_ESHUTDOWN);
    ck_assert(vd_future_fail(future, &error));
    vd_future_complete(future, make_value(1)); /* the worker comes too late */
    ck_assert_int_eq(vd_future_wait(future, 0), VD_ESHUTDOWN);
    ck_assert_ptr_null(vd_future_value(future));
    ck_assert_int_eq(first.calls, 1);
    ck_assert_int_eq(second.calls, 1);
    ck_assert_int_eq(atomic_load(&values_freed), 1);
    vd_future_unref(&future);
}
END_TEST

static void note_order(void *context, vd_future *future)
{
    struct note *note = context;
    (void)future;
    note->order[note->calls] = (char)('a' + note->calls);
    note->calls++;
}

struct follow {
    struct note *note;
    int number;
    bool in_order;
};

static void follow_order(void *context, vd_future *future)
{
    struct follow *follow = context;
    follow->in_order = follow->note->calls == follow->number;
    note_order(follow->note, future);
}

START_TEST(continuations_run_once_in_order)
{
    enum { COUNT = 10 };
    struct note note = {0}, late = {0};
    struct follow follows[COUNT];
    vd_future *future = make_future();
    for (int i = 0; i < COUNT; i++) {
        follows[i] = (struct follow){.note = &note, .number = i};
        ck_assert_int_eq(vd_future_then(future, follow_order, &follows[i]), VD_OK);
    }
    vd_future_begin(future);
    vd_future_complete(future, NULL);
    for (int i = 0; i < COUNT; i++)
        ck_assert(follows[i].in_order);
    ck_assert_str_eq(note.order, "abcdefghij");
    vd_future_then(future, take_note, &late);
    ck_assert_int_eq(late.calls, 1);
    ck_assert_int_eq(note.calls, COUNT);
    vd_future_unref(&future);
}
END_TEST

START_TEST(an_abandoned_future_leaves_nothing)
{
    struct note note = {0};
    vd_future *future = make_future(), *other = vd_future_ref(future);
    for (int i = 0; i < 5; i++)
        vd_future_then(future, take_note, &note);
    vd_future_unref(&future);
    ck_assert_int_eq(vd_future_wait(other, 0), VD_ETIMEOUT);
    vd_future_unref(&other);
    ck_assert_int_eq(note.calls, 0);
}
END_TEST

START_TEST(a_wait_has_a_deadline)
{
    vd_future *future = make_future();
    int64_t began = vd_clock_now_ns();
    ck_assert_int_eq(vd_future_wait(future, 20 * VD_NS_PER_MS), VD_ETIMEOUT);
    ck_assert_int_ge(vd_clock_now_ns() - began, 20 * VD_NS_PER_MS);
    vd_future_unref(&future);
}
END_TEST

static void wait_for_value(void *context)
{
    vd_future *future = context;
    if (vd_future_wait(future, 60 * VD_NS_PER_S) != VD_OK || *(int *)vd_future_value(future) != 9)
        atomic_fetch_add(&wrong, 1);
    vd_future_unref(&future);
}

START_TEST(completion_wakes_all_who_wait)
{
    enum { COUNT = 6 };
    vd_future *future = make_future();
    vd_thread threads[COUNT] = {0};
    for (int i = 0; i < COUNT; i++)
        ck_assert_int_eq(vd_thread_start(&threads[i], "waits", wait_for_value, vd_future_ref(future)), VD_OK);
    vd_future_begin(future);
    vd_future_complete(future, make_value(9));
    vd_future_unref(&future);
    for (int i = 0; i < COUNT; i++)
        vd_thread_join(&threads[i]);
    ck_assert_int_eq(atomic_load(&values_freed), 1);
    ck_assert_int_eq(atomic_load(&wrong), 0);
}
END_TEST

/* A worker, a canceller, a provider that shuts down, adders of continuations and waiters meet on each of many
 * futures. */
enum { FUTURES = 3000, ROLES = 6 };

struct race {
    vd_future *futures[FUTURES];
    atomic_int won[FUTURES], called[FUTURES];
};

struct racer {
    struct race *race;
    int role;
};

static void count_call(void *context, vd_future *future)
{
    if (!vd_future_is_complete(future))
        atomic_fetch_add(&wrong, 1);
    atomic_fetch_add((atomic_int *)context, 1);
}

static void play(struct race *race, int role, int i)
{
    vd_future *future = race->futures[i];
    vd_error error = failure(VD_ESHUTDOWN);
    switch (role) {
    case 0: /* the worker: its completion counts only when the shutdown did not come first */
        if (vd_future_begin(future))
            vd_future_complete(future, make_value(i));
        break;
    case 1:
        if (vd_future_cancel(future))
            atomic_fetch_add(&race->won[i], 1);
        break;
    case 2:
        if (i % 3 == 0 && vd_future_fail(future, &error))
            atomic_fetch_add(&race->won[i], 1);
        break;
    case 3:
    case 4:
        for (int n = 0; n < 2; n++)
            if (vd_future_then(future, count_call, &race->called[i]))
                atomic_fetch_add(&wrong, 1);
        break;
    default:
        if (vd_future_wait(future, 60 * VD_NS_PER_S) == VD_OK) {
            atomic_fetch_add(&race->won[i], *(int *)vd_future_value(future) == i);
        }
    }
}

static void run_role(void *context)
{
    struct racer *racer = context;
    for (int i = 0; i < FUTURES; i++)
        play(racer->race, racer->role, i);
}

START_TEST(a_future_completes_exactly_once)
{
    static struct race race;
    struct racer racers[ROLES];
    vd_thread threads[ROLES] = {0};
    for (int i = 0; i < FUTURES; i++)
        race.futures[i] = make_future();
    for (int role = 0; role < ROLES; role++) {
        racers[role] = (struct racer){&race, role};
        ck_assert_int_eq(vd_thread_start(&threads[role], "races", run_role, &racers[role]), VD_OK);
    }
    for (int role = 0; role < ROLES; role++)
        vd_thread_join(&threads[role]);
    for (int i = 0; i < FUTURES; i++) {
        if (atomic_load(&race.won[i]) != 1 || atomic_load(&race.called[i]) != 4)
            ck_abort_msg("future %d: %d outcomes, %d calls", i, atomic_load(&race.won[i]),
                         atomic_load(&race.called[i]));
        vd_future_unref(&race.futures[i]);
    }
    ck_assert_int_eq(atomic_load(&values_freed), atomic_load(&values_made));
    ck_assert_int_eq(atomic_load(&wrong), 0);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("future");
    TCase *alone = tcase_create("one thread");
    tcase_add_test(alone, work_that_succeeds);
    tcase_add_loop_test(alone, work_that_fails, 0, 2);
    tcase_add_test(alone, work_that_is_cancelled);
    tcase_add_test(alone, a_shutdown_wins_over_work_in_progress);
    tcase_add_test(alone, continuations_run_once_in_order);
    tcase_add_test(alone, an_abandoned_future_leaves_nothing);
    tcase_add_test(alone, a_wait_has_a_deadline);
    suite_add_tcase(suite, alone);
    TCase *many = tcase_create("many threads");
    tcase_set_timeout(many, 90);
    tcase_add_test(many, completion_wakes_all_who_wait);
    tcase_add_test(many, a_future_completes_exactly_once);
    suite_add_tcase(suite, many);
    return suite;
}

TEST_MAIN(make_suite)
