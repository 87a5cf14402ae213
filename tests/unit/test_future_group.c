/* Futures of several futures: all of them, any of them; in every order, and with every end. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/future.h"
#include "base/thread.h"
#include "check_main.h"

enum { THREE = 3, ORDERS = 6 };

static const int orders[ORDERS][THREE] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
static const int codes[] = {VD_OK, VD_EIO, VD_ECANCELED, VD_ESHUTDOWN};

static atomic_int values_alive, wrong;

static void free_value(void *value)
{
    atomic_fetch_sub(&values_alive, 1);
    free(value);
}

static vd_future *make(void)
{
    vd_future *future = NULL;
    ck_assert_int_eq(vd_future_new(free_value, &future), VD_OK);
    return future;
}

static void make_all(vd_future **futures, int count)
{
    for (int i = 0; i < count; i++)
        futures[i] = make();
}

static void drop_all(vd_future **futures, int count)
{
    for (int i = 0; i < count; i++)
        vd_future_unref(&futures[i]);
}

/* Completes one as `code` says; its error names its number. */
static void complete(vd_future *future, int code, int number)
{
    vd_error error;
    if (code == VD_OK) {
        int *value = malloc(sizeof *value);
        *value = number;
        atomic_fetch_add(&values_alive, 1);
        if (vd_future_begin(future))
            vd_future_complete(future, value);
        else
            free_value(value);
    } else if (code == VD_ECANCELED) {
        vd_future_cancel(future);
    } else {
        vd_error_set(&error, code, NULL, "Number %d failed.", number);
        vd_future_fail(future, &error);
    }
}

static void check_values_are_freed(void)
{
    ck_assert_int_eq(atomic_load(&values_alive), 0);
    ck_assert_int_eq(atomic_load(&wrong), 0);
}

/* --- All */

START_TEST(all_succeed_in_any_order)
{
    vd_future *futures[THREE], *all = NULL;
    make_all(futures, THREE);
    ck_assert_int_eq(vd_future_all(futures, THREE, &all), VD_OK);
    for (int i = 0; i < THREE; i++) {
        ck_assert(!vd_future_is_complete(all));
        complete(futures[orders[_i][i]], VD_OK, i);
    }
    ck_assert_int_eq(vd_future_wait(all, 0), VD_OK);
    ck_assert_ptr_null(vd_future_value(all));
    ck_assert_ptr_null(vd_future_error(all));
    ck_assert(!vd_future_cancel(all));
    drop_all(futures, THREE);
    vd_future_unref(&all);
}
END_TEST

/* Each end of each of three, completed in each order: the first in the list that failed counts. */
START_TEST(all_fail_with_the_first_in_the_list)
{
    for (int ends = 0; ends < 64; ends++) {
        vd_future *futures[THREE], *all = NULL;
        int end[THREE] = {codes[ends & 3], codes[ends >> 2 & 3], codes[ends >> 4]}, want = VD_OK;
        make_all(futures, THREE);
        ck_assert_int_eq(vd_future_all(futures, THREE, &all), VD_OK);
        for (int i = 0; i < THREE; i++) {
            int n = orders[_i][i];
            want = want == VD_OK ? end[i] : want;
            ck_assert_int_eq(vd_future_wait(all, 0), VD_ETIMEOUT); /* not before all are complete */
            complete(futures[n], end[n], n);
        }
        ck_assert_int_eq(vd_future_wait(all, 0), want);
        ck_assert_int_eq(vd_future_error(all) != NULL, want != VD_OK);
        if (end[0] == VD_EIO)
            ck_assert_str_eq(vd_future_error(all)->text, "Number 0 failed.");
        drop_all(futures, THREE);
        vd_future_unref(&all);
    }
}
END_TEST

/* --- Any */

START_TEST(any_is_the_first_that_succeeds)
{
    for (int ends = 0; ends < 64; ends++) {
        vd_future *futures[THREE], *any = NULL;
        int end[THREE] = {codes[ends & 3], codes[ends >> 2 & 3], codes[ends >> 4]}, first = -1;
        make_all(futures, THREE);
        ck_assert_int_eq(vd_future_any(futures, THREE, &any), VD_OK);
        for (int i = 0; i < THREE; i++) {
            int n = orders[_i][i];
            complete(futures[n], end[n], n);
            if (first < 0 && end[n] == VD_OK)
                first = n;
            bool over = first >= 0 || i == THREE - 1;
            ck_assert_int_eq(vd_future_is_complete(any), over);
        }
        int last = orders[_i][THREE - 1]; /* the error of the one that failed last */
        ck_assert_int_eq(vd_future_wait(any, 0), first >= 0 ? VD_OK : end[last]);
        ck_assert_ptr_eq(vd_future_value(any), first >= 0 ? futures[first] : NULL);
        drop_all(futures, THREE);
        if (first >= 0) /* it holds the one that won */
            ck_assert_int_eq(*(int *)vd_future_value(vd_future_value(any)), first);
        vd_future_unref(&any);
    }
}
END_TEST

/* --- Both */

typedef int group_of(vd_future *const *futures, size_t count, vd_future **ret_future);

static group_of *const kinds[] = {vd_future_all, vd_future_any};

START_TEST(a_group_of_none_is_refused)
{
    vd_future *whole = NULL;
    ck_assert_int_eq(kinds[_i](NULL, 0, &whole), VD_EINVAL);
    ck_assert_ptr_null(whole);
}
END_TEST

START_TEST(members_may_be_complete_before)
{
    for (int complete_before = 0; complete_before <= THREE; complete_before++) {
        vd_future *futures[THREE], *whole = NULL;
        make_all(futures, THREE);
        for (int i = 0; i < complete_before; i++)
            complete(futures[i], VD_OK, i);
        ck_assert_int_eq(kinds[_i](futures, THREE, &whole), VD_OK);
        ck_assert_int_eq(vd_future_is_complete(whole), _i ? complete_before > 0 : complete_before == THREE);
        for (int i = complete_before; i < THREE; i++)
            complete(futures[i], VD_OK, i);
        ck_assert_int_eq(vd_future_wait(whole, 0), VD_OK);
        drop_all(futures, THREE);
        vd_future_unref(&whole);
    }
}
END_TEST

START_TEST(one_future_may_stand_there_twice)
{
    vd_future *futures[2], *whole = NULL;
    futures[0] = futures[1] = make();
    ck_assert_int_eq(kinds[_i](futures, 2, &whole), VD_OK);
    complete(futures[0], VD_EIO, 0);
    ck_assert_int_eq(vd_future_wait(whole, 0), VD_EIO);
    vd_future_unref(&futures[0]);
    vd_future_unref(&whole);
}
END_TEST

START_TEST(cancelling_a_group_cancels_nobody_else)
{
    vd_future *futures[THREE], *whole = NULL;
    make_all(futures, THREE);
    ck_assert_int_eq(kinds[_i](futures, THREE, &whole), VD_OK);
    ck_assert(vd_future_cancel(whole));
    ck_assert(!vd_future_cancel(whole));
    for (int i = 0; i < THREE; i++) {
        ck_assert(!vd_future_is_complete(futures[i]));
        complete(futures[i], VD_OK, i);
        ck_assert_int_eq(vd_future_wait(futures[i], 0), VD_OK);
    }
    ck_assert_int_eq(vd_future_wait(whole, 0), VD_ECANCELED);
    ck_assert_ptr_null(vd_future_value(whole));
    drop_all(futures, THREE);
    vd_future_unref(&whole);
}
END_TEST

/* The group, or its members, are given up before anything is complete. */
START_TEST(dropping_early_leaves_nothing)
{
    vd_future *futures[THREE], *held[THREE], *whole = NULL;
    make_all(futures, THREE);
    for (int i = 0; i < THREE; i++)
        held[i] = vd_future_ref(futures[i]);
    ck_assert_int_eq(kinds[_i % 2](futures, THREE, &whole), VD_OK);
    drop_all(futures, THREE);
    if (_i / 2 == 0)
        vd_future_unref(&whole);
    for (int i = 0; i < THREE; i++) {
        complete(held[i], VD_OK, i);
        vd_future_unref(&held[i]);
    }
    if (whole)
        ck_assert_int_eq(vd_future_wait(whole, 0), VD_OK);
    vd_future_unref(&whole);
}
END_TEST

START_TEST(groups_may_be_members)
{
    vd_future *futures[4], *pairs[2], *whole = NULL;
    make_all(futures, 4);
    ck_assert_int_eq(vd_future_all(futures, 2, &pairs[0]), VD_OK);
    ck_assert_int_eq(vd_future_all(futures + 2, 2, &pairs[1]), VD_OK);
    ck_assert_int_eq(vd_future_any(pairs, 2, &whole), VD_OK);
    vd_future *first = pairs[1];
    drop_all(pairs, 2);
    complete(futures[0], VD_OK, 0);
    complete(futures[3], VD_OK, 3);
    ck_assert(!vd_future_is_complete(whole));
    complete(futures[2], VD_OK, 2);
    ck_assert_ptr_eq(vd_future_value(whole), first);
    complete(futures[1], VD_EIO, 1);
    ck_assert_int_eq(vd_future_wait(whole, 0), VD_OK);
    vd_future_unref(&whole);
    drop_all(futures, 4);
}
END_TEST

/* --- Many threads: members complete, are cancelled and the group is cancelled, all at once */

enum { ROUNDS = 300, MEMBERS = 4 };

struct race {
    vd_future *futures[ROUNDS][MEMBERS], *wholes[ROUNDS];
    atomic_int runs[ROUNDS], role;
};

static void count_run(void *context, vd_future *future)
{
    if (!vd_future_is_complete(future))
        atomic_fetch_add(&wrong, 1);
    atomic_fetch_add((atomic_int *)context, 1);
}

static void play(void *context)
{
    struct race *race = context;
    int role = atomic_fetch_add(&race->role, 1);
    for (int i = 0; i < ROUNDS; i++) {
        if (role < MEMBERS)
            complete(race->futures[i][role], i % 4 == role ? VD_EIO : VD_OK, role);
        else if (role == MEMBERS)
            vd_future_cancel(race->futures[i][i % MEMBERS]);
        else if (i % 3 == 0)
            vd_future_cancel(race->wholes[i]);
        else if (vd_future_wait(race->wholes[i], 20 * VD_NS_PER_S) == VD_ETIMEOUT)
            atomic_fetch_add(&wrong, 1);
    }
}

START_TEST(all_at_once)
{
    static struct race race;
    vd_thread threads[MEMBERS + 2] = {0};
    for (int i = 0; i < ROUNDS; i++) {
        make_all(race.futures[i], MEMBERS);
        ck_assert_int_eq(kinds[_i](race.futures[i], MEMBERS, &race.wholes[i]), VD_OK);
        ck_assert_int_eq(vd_future_then(race.wholes[i], count_run, &race.runs[i]), VD_OK);
    }
    for (int t = 0; t < MEMBERS + 2; t++)
        ck_assert_int_eq(vd_thread_start(&threads[t], "plays", play, &race), VD_OK);
    for (int t = 0; t < MEMBERS + 2; t++)
        vd_thread_join(&threads[t]);
    for (int i = 0; i < ROUNDS; i++) {
        ck_assert(vd_future_is_complete(race.wholes[i]));
        ck_assert_int_eq(atomic_load(&race.runs[i]), 1);
        int code = vd_future_wait(race.wholes[i], 0);
        if (i % 3 != 0) /* one of four fails or is cancelled */
            ck_assert(_i ? code == VD_OK : code == VD_EIO || code == VD_ECANCELED);
        drop_all(race.futures[i], MEMBERS);
        vd_future_unref(&race.wholes[i]);
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("future groups");
    TCase *tests = tcase_create("groups");
    tcase_add_checked_fixture(tests, NULL, check_values_are_freed);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, all_succeed_in_any_order, 0, ORDERS);
    tcase_add_loop_test(tests, all_fail_with_the_first_in_the_list, 0, ORDERS);
    tcase_add_loop_test(tests, any_is_the_first_that_succeeds, 0, ORDERS);
    tcase_add_loop_test(tests, a_group_of_none_is_refused, 0, 2);
    tcase_add_loop_test(tests, members_may_be_complete_before, 0, 2);
    tcase_add_loop_test(tests, one_future_may_stand_there_twice, 0, 2);
    tcase_add_loop_test(tests, cancelling_a_group_cancels_nobody_else, 0, 2);
    tcase_add_loop_test(tests, dropping_early_leaves_nothing, 0, 4);
    tcase_add_test(tests, groups_may_be_members);
    tcase_add_loop_test(tests, all_at_once, 0, 2);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(make_suite)
