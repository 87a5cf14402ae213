/* The window's list of events: order, changes in place, the oldest leave, and each picture is let go once. */
#include <string.h>

#include "check_main.h"
#include "frame/frame.h"
#include "ui/event_list.h"

enum { MOST = 500, MADE = 730, PICTURES = 8 };

static GPtrArray *list;
static vd_frame_pool *pool;

static void setup(void)
{
    list = vd_event_list_new();
    ck_assert_int_eq(vd_frame_pool_new(VD_PIXEL_BGRX, 16, 16, PICTURES, &pool), VD_OK);
}

static void teardown(void)
{
    g_ptr_array_free(list, TRUE);
    ck_assert_int_eq(vd_frame_pool_get_stats(pool).available, vd_frame_pool_get_stats(pool).capacity);
    vd_frame_pool_free(&pool);
}

static vd_event event_with(uint64_t id, bool picture)
{
    vd_event event = {.id = id, .opened_s = (double)id / 10, .confidence = 0.9f};
    strcpy(event.class_name, "crack");
    if (picture)
        ck_assert_int_eq(vd_frame_pool_take(pool, &event.thumbnail), VD_OK);
    return event;
}

static const vd_event *at(guint i)
{
    return g_ptr_array_index(list, i);
}

START_TEST(the_oldest_leave_and_the_rest_stays_whole)
{
    for (uint64_t id = 1; id <= MADE; id++) {
        vd_event event = event_with(id, false);
        vd_event_list_put(list, &event);
        vd_event_list_trim(list, MOST);
    }
    ck_assert_uint_eq(list->len, MOST);
    for (guint i = 0; i < MOST; i++) {
        ck_assert_uint_eq(at(i)->id, MADE - i);
        ck_assert_str_eq(at(i)->class_name, "crack");
        ck_assert_ptr_eq(vd_event_list_find(list, MADE - i), at(i));
    }
    ck_assert_ptr_null(vd_event_list_find(list, MADE - MOST));
    ck_assert_ptr_null(vd_event_list_find(list, MADE + 1));
    ck_assert_ptr_null(vd_event_list_find(list, 0));
}
END_TEST

START_TEST(news_take_the_place_of_what_was_known)
{
    static const uint64_t ids[] = {3, 1, 2}; /* in any order */
    for (int i = 0; i < 3; i++) {
        vd_event event = event_with(ids[i], true);
        vd_event_list_put(list, &event);
    }
    ck_assert_int_eq(vd_frame_pool_get_stats(pool).available, PICTURES - 3);
    vd_event news = event_with(2, true);
    news.verdict = VD_VERDICT_VERIFIED;
    vd_event_list_put(list, &news);
    ck_assert_int_eq(vd_frame_pool_get_stats(pool).available, PICTURES - 3);
    vd_event bare = event_with(1, false); /* the camera has let its picture go */
    vd_event_list_put(list, &bare);
    ck_assert_int_eq(vd_frame_pool_get_stats(pool).available, PICTURES - 2);
    ck_assert_uint_eq(list->len, 3);
    for (guint i = 0; i < 3; i++)
        ck_assert_uint_eq(at(i)->id, 3 - i);
    ck_assert_int_eq(vd_event_list_find(list, 2)->verdict, VD_VERDICT_VERIFIED);
    vd_event_list_trim(list, 1);
    ck_assert_int_eq(vd_frame_pool_get_stats(pool).available, PICTURES - 1);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("ui_event_list");
    TCase *tests = tcase_create("list");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, the_oldest_leave_and_the_rest_stays_whole);
    tcase_add_test(tests, news_take_the_place_of_what_was_known);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(make_suite)
