/* The bridge: wake-ups from many threads, few calls, none of them lost. */
#include <glib.h>

#include "base/thread.h"
#include "check_main.h"
#include "ui/bridge.h"

enum { THREADS = 4, WAKES = 10000 };

static int calls;

static void count(void *context)
{
    (void)context;
    calls++;
}

static void wake_often(void *bridge)
{
    for (int i = 0; i < WAKES; i++)
        vd_bridge_wake(bridge);
}

START_TEST(wakes_coalesce)
{
    vd_bridge *bridge = vd_bridge_new(count, NULL);
    for (int i = 0; i < 100; i++)
        vd_bridge_wake(bridge);
    while (g_main_context_iteration(NULL, FALSE))
        ;
    ck_assert_int_eq(calls, 1);
    vd_bridge_wake(bridge);
    while (g_main_context_iteration(NULL, FALSE))
        ;
    ck_assert_int_eq(calls, 2);
    vd_bridge_free(&bridge);
    ck_assert_ptr_null(bridge);
}
END_TEST

/* What was written before a wake is seen by a call after it: plain ints, so that ThreadSanitizer watches. */
struct handed {
    vd_bridge *bridge;
    int value;
};

static void hand_over(void *context)
{
    struct handed *handed = context;
    handed->value = 7;
    vd_bridge_wake(handed->bridge);
}

static void look(void *context)
{
    calls = ((struct handed *)context)->value;
}

START_TEST(what_was_written_is_seen)
{
    struct handed handed = {0};
    vd_thread thread;
    handed.bridge = vd_bridge_new(look, &handed);
    ck_assert_int_eq(vd_thread_start(&thread, "test", hand_over, &handed), 0);
    while (!calls)
        g_main_context_iteration(NULL, TRUE);
    ck_assert_int_eq(calls, 7);
    vd_thread_join(&thread);
    vd_bridge_free(&handed.bridge);
}
END_TEST

START_TEST(no_wake_is_lost)
{
    vd_bridge *bridge = vd_bridge_new(count, NULL);
    vd_thread threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(vd_thread_start(&threads[i], "test", wake_often, bridge), 0);
    for (int i = 0; i < 100; i++)
        g_main_context_iteration(NULL, FALSE);
    for (int i = 0; i < THREADS; i++)
        vd_thread_join(&threads[i]);
    while (g_main_context_iteration(NULL, FALSE))
        ;
    int before = calls;
    ck_assert_int_ge(before, 1);
    ck_assert_int_le(before, THREADS * WAKES);
    vd_bridge_wake(bridge);
    ck_assert(g_main_context_iteration(NULL, FALSE));
    ck_assert_int_eq(calls, before + 1);
    vd_bridge_free(&bridge);
}
END_TEST

START_TEST(free_drops_what_is_pending)
{
    vd_bridge *bridge = vd_bridge_new(count, NULL);
    vd_bridge_wake(bridge);
    vd_bridge_free(&bridge);
    ck_assert(!g_main_context_iteration(NULL, FALSE));
    ck_assert_int_eq(calls, 0);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("ui_bridge");
    TCase *bridge = tcase_create("bridge");
    tcase_add_test(bridge, wakes_coalesce);
    tcase_add_test(bridge, what_was_written_is_seen);
    tcase_add_test(bridge, no_wake_is_lost);
    tcase_add_test(bridge, free_drops_what_is_pending);
    suite_add_tcase(suite, bridge);
    return suite;
}

TEST_MAIN(make_suite)
