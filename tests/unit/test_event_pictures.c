/* The pictures of events, when there are fewer than events want: whatever the newest ones get, the older ones
 * give theirs back. */
#include "check_main.h"
#include "event/event_log.h"
#include "frame/frame.h"

enum { ALL = VD_EVENT_THUMBNAILS + 4 };

static vd_event_log *event_log;
static vd_frame_pool *pool;
static double time_s;
static uint64_t last_serial;

static void setup(void)
{
    ck_assert_int_eq(vd_event_log_new(&event_log), VD_OK);
    ck_assert_int_eq(vd_frame_pool_new(VD_PIXEL_BGRX, 8, 8, ALL, &pool), VD_OK);
}

static int count_free(void)
{
    return vd_frame_pool_get_stats(pool).available;
}

/* Everything is back, and there are no more than there were. */
static void teardown(void)
{
    vd_event_log_free(&event_log);
    ck_assert_int_eq(count_free(), ALL);
    ck_assert_int_eq(vd_frame_pool_get_stats(pool).capacity, ALL);
    vd_frame_pool_free(&pool);
}

/* An event of a track that is there for one moment only. */
static uint64_t open_event(void)
{
    static const vd_event_rules rules = VD_EVENT_RULES_INIT;
    uint64_t opened[1];
    time_s += 1;
    last_serial++;
    const vd_box box = {(float)last_serial * 50, 0, (float)last_serial * 50 + 40, 40};
    const vd_track track = {.serial = last_serial,
                            .id = (int)last_serial,
                            .state = VD_TRACK_CONFIRMED,
                            .box = box,
                            .detected = box,
                            .score = 0.8f,
                            .confidence = 0.8f,
                            .first_s = time_s - 0.5,
                            .time_s = time_s,
                            .seen_s = time_s};
    const vd_event_moment moment = {.time_s = time_s, .tracks = &track, .count = 1};
    ck_assert_uint_eq(vd_event_log_update(event_log, &rules, &moment, opened, 1), 1);
    ck_assert_uint_eq(opened[0], last_serial);
    return opened[0];
}

/* As a camera does: none when none is free. */
static bool give_picture(uint64_t id)
{
    vd_frame *picture = NULL;
    if (count_free() == 0)
        return false;
    ck_assert_int_eq(vd_frame_pool_take(pool, &picture), VD_OK);
    ck_assert(vd_event_log_set_thumbnail(event_log, id, picture));
    return true;
}

static vd_event list[VD_EVENTS_MOST];
static size_t list_count;

static void forget(void)
{
    while (list_count > 0)
        vd_event_clear(&list[--list_count]);
}

/* Bursts of events, with a list of them that somebody holds over each burst and then gets anew: some events
 * find no picture, and none of these failures is for good. */
START_TEST(failures_leave_no_picture_behind)
{
    int failed = 0;
    for (int burst = 0; burst < 20; burst++) {
        int got = 0;
        for (int i = 0; i < 48; i++)
            got += give_picture(open_event());
        failed += 48 - got;
        ck_assert_msg(got >= ALL - VD_EVENT_THUMBNAILS, "burst %d got %d pictures", burst, got);
        forget();
        list_count = vd_event_log_get(event_log, 0, list, VD_EVENTS_MOST);
        int with = 0;
        for (size_t i = 0; i < list_count; i++) {
            with += list[i].thumbnail != NULL;
            ck_assert(i < VD_EVENT_THUMBNAILS || !list[i].thumbnail);
        }
        ck_assert_int_eq(count_free(), ALL - with); /* of no event, and not there, is none */
        ck_assert_int_eq(got == 48, burst % 4 == 0);
        if (burst % 4 == 3) /* nobody else holds any: the next burst finds one for each */
            forget();
    }
    ck_assert_int_gt(failed, 100);
    for (int i = 0; i < VD_EVENT_THUMBNAILS; i++)
        open_event();
    forget();
    ck_assert_int_eq(count_free(), ALL);
}
END_TEST

/* One whose successors get none gives its own back all the same, and whoever asks is told. */
START_TEST(a_picture_leaves_with_its_64th_successor)
{
    uint64_t revision = 0, id = 0;
    ck_assert(give_picture(open_event()));
    for (int i = 0; i < VD_EVENT_THUMBNAILS; i++) {
        ck_assert_ptr_nonnull(vd_event_log_find(event_log, 1)->thumbnail);
        revision = vd_event_log_revision(event_log);
        open_event();
    }
    ck_assert_int_eq(count_free(), ALL);
    ck_assert_ptr_null(vd_event_log_find(event_log, 1)->thumbnail);
    ck_assert_uint_eq(vd_event_log_next(event_log, revision, &id)->id, 1);
    vd_frame *picture = NULL;
    ck_assert_int_eq(vd_frame_pool_take(pool, &picture), VD_OK);
    ck_assert(!vd_event_log_set_thumbnail(event_log, 1, picture));
    ck_assert(vd_event_log_set_thumbnail(event_log, 2, picture));
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("event_pictures");
    TCase *tests = tcase_create("pictures");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, failures_leave_no_picture_behind);
    tcase_add_test(tests, a_picture_leaves_with_its_64th_successor);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(make_suite)
