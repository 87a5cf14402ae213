/* The queue of stage 2 by itself: what comes back from a pass that failed is as old as it was. */
#include "verify/requests.h"
#include "verify_case.h"

enum { ROOM = 4 };

static vd_requests requests;

static void set_up(void)
{
    case_set_up();
    ck_assert_int_eq(vd_requests_init(&requests, ROOM, 20), VD_OK);
}

static void tear_down(void)
{
    vd_requests_close(&requests);
    vd_requests_fini(&requests);
    case_tear_down();
}

static uint64_t push(float confidence)
{
    vd_verify_clip clip = case_clip(case_red);
    uint64_t id = 0;
    ck_assert_int_eq(vd_requests_push(&requests, &clip, confidence, &id), VD_OK);
    return id;
}

static vd_request *pop(uint64_t id)
{
    vd_request *request = vd_requests_pop(&requests, false);
    ck_assert_ptr_nonnull(request);
    ck_assert_uint_eq(request->id, id);
    return request;
}

static void answer(vd_request *request)
{
    const vd_verify_result outcome = {.verdict = VD_VERDICT_VERIFIED, .score = 1};
    vd_requests_finish(&requests, request, &outcome);
}

static vd_verify_stats look(void)
{
    vd_verify_stats stats;
    vd_requests_get_stats(&requests, &stats);
    ck_assert_uint_eq(stats.submitted, stats.verified + stats.rejected + stats.unverified + stats.dropped +
                                           (uint64_t)stats.pending_requests);
    ck_assert_int_le(stats.queue_length, ROOM);
    return stats;
}

static void expect_dropped(uint64_t id)
{
    vd_verify_result result;
    ck_assert_int_eq(vd_requests_take(&requests, id, 0, &result), VD_OK);
    ck_assert_int_eq(result.cause, VD_CAUSE_DROPPED);
}

/* Two return in any order: of equals they go before those that came later, and every fourth time the oldest
 * of all goes, whatever its confidence. */
START_TEST(what_returns_keeps_its_place)
{
    push(0.1f);
    push(0.9f);
    vd_request *second = pop(2), *first = pop(1);
    push(0.9f);
    push(0.9f);
    vd_requests_return(&requests, _i ? first : second);
    vd_requests_return(&requests, _i ? second : first);
    ck_assert_int_eq(look().queue_length, 4);
    answer(pop(2)); /* the third turn: the surest, of equals the oldest */
    answer(pop(1)); /* the fourth: the oldest of all */
    answer(pop(3));
    answer(pop(4));
    ck_assert_uint_eq(look().verified, 4);
}
END_TEST

/* What returned is the oldest, so it is what the next one drops. */
START_TEST(a_full_queue_drops_what_returned_first)
{
    uint64_t id = push(0.9f);
    vd_request *request = pop(id);
    for (int i = 1; i < ROOM; i++)
        push(0.9f);
    vd_requests_return(&requests, request);
    ck_assert_uint_eq(look().dropped, 0);
    push(0.1f);
    ck_assert_uint_eq(look().dropped, 1);
    expect_dropped(id);
    answer(pop(2));
}
END_TEST

/* A queue that filled up meanwhile stays within its bound: the oldest goes, and that may be what returns. */
START_TEST(returning_keeps_the_bound)
{
    vd_request *running[3];
    for (uint64_t id = 1; id <= 3; id++)
        push(1 - (float)id / 10);
    for (uint64_t id = 1; id <= 3; id++)
        running[id - 1] = pop(id);
    for (int i = 0; i < ROOM - 1; i++)
        push(0.5f);
    vd_requests_return(&requests, running[1]); /* 2 4 5 6 */
    ck_assert_uint_eq(look().dropped, 0);
    vd_requests_return(&requests, running[0]); /* 1 2 4 5 6, without the first */
    expect_dropped(1);
    vd_requests_return(&requests, running[2]); /* 2 3 4 5 6, without the first */
    expect_dropped(2);
    vd_verify_stats stats = look();
    ck_assert_uint_eq(stats.dropped, 2);
    ck_assert_int_eq(stats.queue_length, ROOM);
    ck_assert_int_eq(stats.pending_requests, ROOM);
    answer(pop(3)); /* the fourth turn: the oldest */
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("verify_queue");
    TCase *tests = tcase_create("all");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, what_returns_keeps_its_place, 0, 2);
    tcase_add_test(tests, a_full_queue_drops_what_returned_first);
    tcase_add_test(tests, returning_keeps_the_bound);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(make_suite)
