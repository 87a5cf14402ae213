#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/thread.h"
#include "check_main.h"
#include "vedette/app/interrupt.h"
#include "vedette/error.h"

enum { FAR_S = 60 }; /* a deadline that no test waits for */

static int64_t far_deadline(void)
{
    return vd_clock_deadline_ns(FAR_S * VD_NS_PER_S);
}

#ifdef VD_DEBUG
static vd_mutex low, high;

static void make_locks(void)
{
    ck_assert_int_eq(vd_mutex_init(&low, VD_RANK_QUEUE), VD_OK);
    ck_assert_int_eq(vd_mutex_init(&high, VD_RANK_POOL), VD_OK);
}

START_TEST(locks_may_be_taken_in_rising_rank)
{
    make_locks();
    for (int i = 0; i < 3; i++) {
        vd_mutex_lock(&low);
        vd_mutex_lock(&high);
        vd_mutex_unlock(&high);
        vd_mutex_unlock(&low);
        vd_mutex_lock(&high);
        vd_mutex_unlock(&high);
    }
    vd_mutex_fini(&low);
    vd_mutex_fini(&high);
}
END_TEST

START_TEST(falling_ranks_end_the_program)
{
    make_locks();
    vd_mutex_lock(&high);
    vd_mutex_lock(&low);
}
END_TEST

START_TEST(equal_ranks_end_the_program)
{
    vd_mutex other;
    make_locks();
    ck_assert_int_eq(vd_mutex_init(&other, VD_RANK_QUEUE), VD_OK);
    vd_mutex_lock(&low);
    vd_mutex_lock(&other);
}
END_TEST

START_TEST(a_lock_taken_twice_ends_the_program)
{
    make_locks();
    vd_mutex_lock(&low);
    vd_mutex_lock(&low);
}
END_TEST

START_TEST(unlocking_in_the_wrong_order_ends_the_program)
{
    make_locks();
    vd_mutex_lock(&low);
    vd_mutex_lock(&high);
    vd_mutex_unlock(&low);
}
END_TEST

static void take_low(void *context)
{
    (void)context;
    vd_mutex_lock(&low);
    vd_mutex_unlock(&low);
}

START_TEST(ranks_are_counted_for_each_thread)
{
    vd_thread thread = {0};
    make_locks();
    vd_mutex_lock(&high);
    ck_assert_int_eq(vd_thread_start(&thread, "low", take_low, NULL), VD_OK);
    vd_thread_join(&thread);
    vd_mutex_unlock(&high);
    vd_mutex_fini(&low);
    vd_mutex_fini(&high);
}
END_TEST
#endif

START_TEST(a_wait_ends_at_its_deadline)
{
    vd_mutex lock;
    vd_cond cond;
    ck_assert_int_eq(vd_mutex_init(&lock, VD_RANK_QUEUE), VD_OK);
    ck_assert_int_eq(vd_cond_init(&cond), VD_OK);
    vd_mutex_lock(&lock);
    ck_assert(!vd_cond_wait_until(&cond, &lock, INT64_MIN));
    ck_assert(!vd_cond_wait_until(&cond, &lock, 0));
    ck_assert(!vd_cond_wait_until(&cond, &lock, vd_clock_now_ns() - 1));
    int64_t deadline = vd_clock_now_ns() + 30 * VD_NS_PER_MS;
    while (vd_cond_wait_until(&cond, &lock, deadline))
        ; /* woken without cause */
    int64_t late_ns = vd_clock_now_ns() - deadline;
    vd_mutex_unlock(&lock);
    ck_assert_int_ge(late_ns, 0);
    ck_assert_int_lt(late_ns, 5 * VD_NS_PER_S);
    vd_cond_fini(&cond);
    vd_mutex_fini(&lock);
}
END_TEST

struct meeting {
    vd_mutex lock;
    vd_cond changed;
    int waiting, woken; /* guarded by lock */
    bool open;          /* guarded by lock */
};

static void wait_for_opening(void *context)
{
    struct meeting *m = context;
    vd_mutex_lock(&m->lock);
    m->waiting++;
    vd_cond_broadcast(&m->changed);
    while (!m->open)
        vd_cond_wait(&m->changed, &m->lock);
    m->woken++;
    vd_mutex_unlock(&m->lock);
}

START_TEST(a_broadcast_wakes_all)
{
    enum { COUNT = 8 };
    struct meeting m = {.open = false};
    vd_thread threads[COUNT] = {0};
    ck_assert_int_eq(vd_mutex_init(&m.lock, VD_RANK_QUEUE), VD_OK);
    ck_assert_int_eq(vd_cond_init(&m.changed), VD_OK);
    for (int i = 0; i < COUNT; i++)
        ck_assert_int_eq(vd_thread_start(&threads[i], "waits", wait_for_opening, &m), VD_OK);
    vd_mutex_lock(&m.lock);
    while (m.waiting < COUNT)
        ck_assert(vd_cond_wait_until(&m.changed, &m.lock, far_deadline()));
    m.open = true;
    vd_cond_broadcast(&m.changed);
    vd_mutex_unlock(&m.lock);
    for (int i = 0; i < COUNT; i++)
        vd_thread_join(&threads[i]);
    ck_assert_int_eq(m.woken, COUNT);
    vd_cond_fini(&m.changed);
    vd_mutex_fini(&m.lock);
}
END_TEST

struct self {
    vd_thread thread, other;
    atomic_int right;
    char name[16];
};

static void look_at_self(void *context)
{
    struct self *self = context;
    pthread_getname_np(pthread_self(), self->name, sizeof self->name);
    atomic_fetch_add(&self->right,
                     vd_thread_is_current(&self->thread) && !vd_thread_is_current(&self->other));
}

START_TEST(a_thread_knows_itself)
{
    struct self self = {.name = ""};
    for (int i = 0; i < 200; i++) {
        ck_assert_int_eq(vd_thread_start(&self.thread, "a-name-longer-than-15", look_at_self, &self), VD_OK);
        ck_assert(!vd_thread_is_current(&self.thread));
        vd_thread_join(&self.thread);
        vd_thread_join(&self.thread); /* harmless */
    }
    ck_assert_int_eq(atomic_load(&self.right), 200);
    ck_assert_str_eq(self.name, "a-name-longer-t");
    vd_thread_join(&self.other);
}
END_TEST

struct sleeper {
    vd_cancel *cancel;
    atomic_int started, cancelled;
};

static void sleep_long(void *context)
{
    struct sleeper *s = context;
    atomic_fetch_add(&s->started, 1);
    atomic_fetch_add(&s->cancelled, vd_cancel_sleep_until(s->cancel, far_deadline()));
}

START_TEST(a_request_wakes_every_sleeper)
{
    enum { COUNT = 6 };
    struct sleeper s = {.cancel = NULL};
    vd_thread threads[COUNT] = {0};
    ck_assert_int_eq(vd_cancel_new(&s.cancel), VD_OK);
    ck_assert(!vd_cancel_requested(s.cancel));
    int64_t began = vd_clock_now_ns();
    for (int i = 0; i < COUNT; i++)
        ck_assert_int_eq(vd_thread_start(&threads[i], "sleeps", sleep_long, &s), VD_OK);
    vd_cancel_request(s.cancel);
    vd_cancel_request(s.cancel);
    for (int i = 0; i < COUNT; i++)
        vd_thread_join(&threads[i]);
    ck_assert_int_lt(vd_clock_now_ns() - began, FAR_S * VD_NS_PER_S / 2);
    ck_assert_int_eq(atomic_load(&s.cancelled), COUNT);
    ck_assert(vd_cancel_requested(s.cancel));
    ck_assert(vd_cancel_sleep_until(s.cancel, far_deadline()));
    vd_cancel_free(&s.cancel);
    ck_assert_ptr_null(s.cancel);
    vd_cancel_free(&s.cancel);
    ck_assert(!vd_cancel_requested(NULL));
}
END_TEST

START_TEST(sleeping_ends_by_itself)
{
    vd_cancel cancel;
    ck_assert_int_eq(vd_cancel_init(&cancel), VD_OK);
    int64_t deadline = vd_clock_now_ns() + 20 * VD_NS_PER_MS;
    ck_assert(!vd_cancel_sleep_until(&cancel, deadline));
    ck_assert_int_ge(vd_clock_now_ns(), deadline);
    ck_assert(!vd_cancel_sleep_until(&cancel, 0));
    vd_cancel_fini(&cancel);
}
END_TEST

START_TEST(a_request_reaches_the_children)
{
    vd_cancel *parent = NULL, child, other, third;
    vd_thread thread = {0};
    ck_assert_int_eq(vd_cancel_new(&parent), VD_OK);
    ck_assert_int_eq(vd_cancel_init_child(&child, parent), VD_OK);
    ck_assert_int_eq(vd_cancel_init_child(&other, parent), VD_OK);
    ck_assert_int_eq(vd_cancel_init_child(&third, &child), VD_EINVAL);
    vd_cancel_request(&child);
    ck_assert(vd_cancel_requested(&child));
    ck_assert(!vd_cancel_requested(parent) && !vd_cancel_requested(&other));
    vd_cancel_fini(&child);
    ck_assert_int_eq(vd_cancel_init_child(&child, parent), VD_OK);
    ck_assert(!vd_cancel_requested(&child));
    struct sleeper s = {.cancel = &child};
    ck_assert_int_eq(vd_thread_start(&thread, "sleeps", sleep_long, &s), VD_OK);
    vd_cancel_request(parent);
    vd_thread_join(&thread);
    ck_assert_int_eq(atomic_load(&s.cancelled), 1);
    ck_assert(vd_cancel_requested(&other));
    vd_cancel_fini(&other);
    vd_cancel_fini(&child);
    ck_assert_int_eq(vd_cancel_init_child(&child, parent),
                     VD_OK); /* of a parent that was requested already */
    ck_assert(vd_cancel_requested(&child));
    vd_cancel_fini(&child);
    vd_cancel_request(parent);
    vd_cancel_free(&parent);
    ck_assert_int_eq(vd_cancel_init_child(&child, NULL), VD_OK);
    vd_cancel_fini(&child);
}
END_TEST

START_TEST(a_signal_becomes_a_request)
{
    vd_cancel *cancel = NULL;
    ck_assert_int_eq(vd_cancel_new(&cancel), VD_OK);
    ck_assert_int_eq(vd_interrupt_start(cancel), VD_OK);
    ck_assert(!vd_interrupted());
    kill(getpid(), _i);
    ck_assert(vd_cancel_sleep_until(cancel, far_deadline()));
    ck_assert(vd_interrupted());
    vd_interrupt_stop();
    vd_interrupt_stop();
    vd_cancel_free(&cancel);
}
END_TEST

START_TEST(stopping_is_no_request)
{
    vd_cancel *cancel = NULL;
    ck_assert_int_eq(vd_cancel_new(&cancel), VD_OK);
    vd_interrupt_stop();
    for (int i = 0; i < 20; i++) {
        ck_assert_int_eq(vd_interrupt_start(cancel), VD_OK);
        vd_interrupt_stop();
    }
    ck_assert(!vd_interrupted());
    ck_assert(!vd_cancel_requested(cancel));
    vd_cancel_free(&cancel);
}
END_TEST

START_TEST(a_second_signal_ends_with_130)
{
    vd_cancel *cancel = NULL, *never = NULL;
    ck_assert_int_eq(vd_cancel_new(&cancel), VD_OK);
    ck_assert_int_eq(vd_cancel_new(&never), VD_OK);
    ck_assert_int_eq(vd_interrupt_start(cancel), VD_OK);
    kill(getpid(), SIGINT);
    ck_assert(vd_cancel_sleep_until(cancel, far_deadline()));
    kill(getpid(), SIGTERM);
    vd_cancel_sleep_until(never, far_deadline());
}
END_TEST

START_TEST(a_signal_after_the_stop_ends_as_ever)
{
    vd_cancel *cancel = NULL;
    ck_assert_int_eq(vd_cancel_new(&cancel), VD_OK);
    ck_assert_int_eq(vd_interrupt_start(cancel), VD_OK);
    vd_interrupt_stop();
    kill(getpid(), SIGTERM);
    vd_cancel_sleep_until(cancel, far_deadline());
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("thread");
#ifdef VD_DEBUG
    TCase *ranks = tcase_create("ranks");
    tcase_add_test(ranks, locks_may_be_taken_in_rising_rank);
    tcase_add_test(ranks, ranks_are_counted_for_each_thread);
    tcase_add_test_raise_signal(ranks, falling_ranks_end_the_program, SIGABRT);
    tcase_add_test_raise_signal(ranks, equal_ranks_end_the_program, SIGABRT);
    tcase_add_test_raise_signal(ranks, a_lock_taken_twice_ends_the_program, SIGABRT);
    tcase_add_test_raise_signal(ranks, unlocking_in_the_wrong_order_ends_the_program, SIGABRT);
    suite_add_tcase(suite, ranks);
#endif
    TCase *threads = tcase_create("threads");
    tcase_set_timeout(threads, 90);
    tcase_add_test(threads, a_wait_ends_at_its_deadline);
    tcase_add_test(threads, a_broadcast_wakes_all);
    tcase_add_test(threads, a_thread_knows_itself);
    suite_add_tcase(suite, threads);
    TCase *cancels = tcase_create("cancel");
    tcase_set_timeout(cancels, 90);
    tcase_add_test(cancels, a_request_wakes_every_sleeper);
    tcase_add_test(cancels, sleeping_ends_by_itself);
    tcase_add_test(cancels, a_request_reaches_the_children);
    tcase_add_loop_test(cancels, a_signal_becomes_a_request, SIGINT, SIGINT + 1);
    tcase_add_loop_test(cancels, a_signal_becomes_a_request, SIGTERM, SIGTERM + 1);
    tcase_add_test(cancels, stopping_is_no_request);
    tcase_add_exit_test(cancels, a_second_signal_ends_with_130, 130);
    tcase_add_test_raise_signal(cancels, a_signal_after_the_stop_ends_as_ever, SIGTERM);
    suite_add_tcase(suite, cancels);
    return suite;
}

TEST_MAIN(make_suite)
