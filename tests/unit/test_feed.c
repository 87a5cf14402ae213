/* A camera's feeds: what others than the window get of it, how much may wait, and how it ends. */
#include "camera_case.h"
#include "pipeline/feed.h"
#include "vedette/app/feed.h"

#include <stdatomic.h>

static atomic_int woken;

static void on_item(void *context)
{
    atomic_fetch_add((atomic_int *)context, 1);
}

static vd_feed *subscribe(vd_camera *camera, size_t room)
{
    vd_feed *feed = NULL;
    ck_assert_int_eq(vd_camera_subscribe(camera, room, on_item, &woken, &feed), VD_OK);
    return feed;
}

/* The next item within 20 s; VD_OK or VD_EEND. */
static int take(vd_feed *feed, vd_feed_item *item)
{
    int code = VD_EAGAIN;
    int64_t limit_ns = vd_clock_now_ns() + 20 * VD_NS_PER_S;
    while ((code = vd_feed_take(feed, item)) == VD_EAGAIN && vd_clock_now_ns() < limit_ns)
        rest(1);
    return code;
}

static void take_all(vd_feed *feed)
{
    vd_feed_item item;
    while (vd_feed_take(feed, &item) == VD_OK)
        vd_feed_item_clear(&item);
}

START_TEST(every_detected_frame_is_told)
{
    vd_camera_options options = options_of("fake:frames=40");
    options.thresholds.confidence = 0.25f;
    options.paused = true;
    vd_camera *camera = open_camera(&options);
    vd_feed *feed = subscribe(camera, 1024);
    vd_feed_item item;
    ck_assert_int_eq(take(feed, &item), VD_OK);
    ck_assert_int_eq(item.kind, VD_FEED_STATE);
    UNTIL(status_of(camera).state == VD_CAMERA_PAUSED);
    vd_camera_set_playing(camera, true);
    int64_t newest = -1;
    uint64_t told = 0;
    unsigned opened = 0;
    int ids[2] = {0};
    vd_camera_state state = item.state;
    while (state != VD_CAMERA_ENDED || told < status_of(camera).detected) {
        ck_assert_int_eq(take(feed, &item), VD_OK);
        ck_assert(item.unix_ms > 1600000000000);
        if (item.kind == VD_FEED_STATE) {
            state = item.state;
        } else if (item.kind == VD_FEED_EVENT) {
            opened |= 1u << item.event.id;
            ck_assert_ptr_null(item.event.thumbnail);
            ck_assert_str_eq(item.event.class_name, item.event.class_id == 0 ? "square" : "shadow");
        } else {
            vd_box box = fake_source_box(item.frame_index);
            ck_assert_int_gt(item.frame_index, newest);
            newest = item.frame_index;
            told++;
            ck_assert_int_eq(item.width, 160);
            ck_assert_int_eq(item.height, 120);
            ck_assert_double_eq_tol(item.time_s, (double)item.frame_index / 25, 1e-6);
            ck_assert_uint_eq(item.detection_count, 2);
            ck_assert_float_eq_tol(item.detections[0].box.x1, box.x1, 1e-3f);
            ck_assert_float_eq_tol(item.detections[0].score, 0.9f, 1e-3f);
            ck_assert_str_eq(vd_labels_name(item.labels, item.detections[0].class_id), "square");
            ck_assert_double_ge(item.latency_ms, 1);
            for (int i = 0; i < 2 && item.frame_index > 10; i++) {
                ck_assert_int_gt(item.detections[i].track_id, 0);
                ck_assert(ids[i] == 0 || ids[i] == item.detections[i].track_id);
                ids[i] = item.detections[i].track_id;
            }
        }
        vd_feed_item_clear(&item);
    }
    ck_assert_uint_eq(opened, 1u << 1 | 1u << 2);
    ck_assert_uint_ge(told, 33); /* read ahead while paused: none of those is passed over */
    ck_assert_uint_eq(told, status_of(camera).detected);
    ck_assert_int_ne(ids[0], ids[1]);
    ck_assert_uint_eq(vd_feed_dropped(feed), 0);
    ck_assert_int_gt(atomic_load(&woken), 1);
    vd_feed_close(&feed);
    ck_assert_ptr_null(feed);
    vd_camera_close(&camera);
}
END_TEST

START_TEST(the_thresholds_of_the_moment_hold)
{
    vd_camera_options options = options_of("fake:frames=1000,live=1");
    vd_camera *camera = open_camera(&options);
    vd_feed *feed = subscribe(camera, 64);
    vd_feed_item item = {0};
    size_t seen = 99;
    static const float confidences[] = {0.25f, 0.6f, 0.95f};
    for (size_t i = 0; i < 3; i++) {
        vd_thresholds thresholds = VD_THRESHOLDS_INIT;
        thresholds.confidence = confidences[i];
        vd_camera_set_thresholds(camera, &thresholds);
        for (int tries = 0; tries < 100 && seen != 2 - i; tries++) {
            ck_assert_int_eq(take(feed, &item), VD_OK);
            if (item.kind == VD_FEED_DETECTIONS)
                seen = item.detection_count;
            vd_feed_item_clear(&item);
        }
        ck_assert_uint_eq(seen, 2 - i);
    }
    vd_feed_set_detections(feed, false);
    take_all(feed);
    uint64_t detected = status_of(camera).detected;
    UNTIL(status_of(camera).detected > detected + 5);
    while (vd_feed_take(feed, &item) == VD_OK) {
        ck_assert_int_ne(item.kind, VD_FEED_DETECTIONS);
        vd_feed_item_clear(&item);
    }
    vd_feed_close(&feed);
    vd_camera_close(&camera);
}
END_TEST

START_TEST(what_waits_is_bounded_and_events_stay)
{
    vd_camera_options options = options_of("fake:frames=60");
    vd_camera *camera = open_camera(&options);
    vd_feed *feed = subscribe(camera, 8), *none = NULL;
    ck_assert_int_eq(vd_camera_subscribe(camera, 0, NULL, NULL, &none), VD_EINVAL);
    ck_assert_int_eq(vd_camera_subscribe(camera, VD_FEED_MOST + 1, NULL, NULL, &none), VD_EINVAL);
    UNTIL(status_of(camera).state == VD_CAMERA_ENDED);
    UNTIL(status_of(camera).pending_detection == 0);
    UNTIL(event_of(camera, 1)->thumbnail && event_of(camera, 2)->thumbnail);
    ck_assert_int_ge(atomic_load(&woken), 1);
    ck_assert_uint_ge(vd_feed_dropped(feed), status_of(camera).detected - 8);
    vd_feed_item item;
    int kinds[3] = {0};
    int64_t newest = -1;
    while (vd_feed_take(feed, &item) == VD_OK) {
        kinds[item.kind]++;
        if (item.kind == VD_FEED_DETECTIONS) {
            ck_assert_int_gt(item.frame_index, newest);
            newest = item.frame_index;
        }
        vd_feed_item_clear(&item);
    }
    ck_assert_int_eq(kinds[VD_FEED_EVENT], 2); /* one each, as it is now */
    ck_assert_int_ge(kinds[VD_FEED_STATE], 2);
    ck_assert_int_le(kinds[0] + kinds[1] + kinds[2], 8);
    ck_assert_int_ge(kinds[VD_FEED_DETECTIONS], 1); /* and of them the newest */
    ck_assert_int_gt(newest, 59 - 16);
    ck_assert(vd_camera_judge(camera, 1, VD_JUDGEMENT_CONFIRMED));
    bool told = false;
    while (!told) { /* what was on its way may come before it */
        ck_assert_int_eq(take(feed, &item), VD_OK);
        told = item.kind == VD_FEED_EVENT && item.event.id == 1 &&
               item.event.judgement == VD_JUDGEMENT_CONFIRMED;
        vd_feed_item_clear(&item);
    }
    vd_feed_close(&feed);
    vd_camera_close(&camera);
}
END_TEST

START_TEST(who_comes_late_gets_state_and_open_events_first)
{
    vd_camera_options options = options_of("fake:frames=60,fps=50");
    vd_camera *camera = open_camera(&options);
    vd_feed *early = subscribe(camera, 1024);
    UNTIL(status_of(camera).state == VD_CAMERA_ENDED);
    UNTIL(event_of(camera, 1)->thumbnail && event_of(camera, 2)->thumbnail);
    UNTIL(status_of(camera).pending_detection == 0);
    rest(20); /* what came last is told */
    take_all(early);
    vd_feed *feed = subscribe(camera, 16);
    vd_feed_item item;
    ck_assert_int_eq(vd_feed_take(feed, &item), VD_OK);
    ck_assert(item.kind == VD_FEED_STATE && item.state == VD_CAMERA_ENDED);
    for (uint64_t id = 1; id <= 2; id++) {
        ck_assert_int_eq(vd_feed_take(feed, &item), VD_OK);
        ck_assert(item.kind == VD_FEED_EVENT && item.event.id == id && !item.event.closed);
    }
    ck_assert_int_eq(vd_feed_take(feed, &item), VD_EAGAIN);
    ck_assert_int_eq(vd_feed_take(early, &item), VD_EAGAIN);
    vd_camera_set_playing(camera, true); /* from the start: its events are over */
    for (int closed = 0; closed < 2;) {
        ck_assert_int_eq(take(feed, &item), VD_OK);
        closed += item.kind == VD_FEED_EVENT && item.event.closed;
        vd_feed_item_clear(&item);
    }
    vd_feed_close(&early);
    vd_feed_close(&feed);
    vd_camera_close(&camera);
}
END_TEST

START_TEST(a_failure_says_why_and_the_end_is_told)
{
    vd_camera_options options = options_of("fake:frames=100,live=1,break=5");
    vd_camera *camera = open_camera(&options);
    vd_feed *feed = subscribe(camera, 1024);
    vd_feed_item item = {0};
    while (item.kind != VD_FEED_STATE || item.state != VD_CAMERA_FAILED) {
        ck_assert_int_eq(take(feed, &item), VD_OK);
        vd_feed_item_clear(&item);
    }
    ck_assert_str_eq(item.reason, "The cable was pulled.");
    take_all(feed);
    int before = atomic_load(&woken);
    vd_camera_close(&camera);
    ck_assert_int_gt(atomic_load(&woken), before);
    take_all(feed); /* a result that was under way */
    ck_assert_int_eq(vd_feed_take(feed, &item), VD_EEND);
    ck_assert(vd_camera_join_closed(5 * VD_NS_PER_S)); /* the feed lives on */
    ck_assert_int_eq(vd_feed_take(feed, &item), VD_EEND);
    vd_feed_close(&feed);
    vd_feed_close(&feed);
}
END_TEST

/* Subscribers come and go while results come: nothing is left, and there is room again. */
START_TEST(feeds_come_and_go)
{
    vd_camera_options options = options_of("fake:frames=600,fps=500");
    vd_camera *camera = open_camera(&options);
    vd_feed *feeds[16] = {0}, *more = NULL;
    for (int round = 0; round < 30; round++) {
        for (int i = 0; i < 16; i++)
            feeds[i] = subscribe(camera, 4);
        ck_assert_int_eq(vd_camera_subscribe(camera, 4, NULL, NULL, &more), VD_ENOMEM);
        rest(2);
        for (int i = 0; i < 16; i++) {
            take_all(feeds[i]);
            vd_feed_close(&feeds[i]);
        }
    }
    int before = atomic_load(&woken);
    UNTIL(status_of(camera).state == VD_CAMERA_ENDED);
    ck_assert_int_eq(atomic_load(&woken), before);
    vd_camera_close(&camera);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("feed");
    TCase *feed = tcase_create("feed");
    tcase_add_checked_fixture(feed, setup, teardown);
    tcase_set_timeout(feed, 60);
    tcase_add_test(feed, every_detected_frame_is_told);
    tcase_add_test(feed, the_thresholds_of_the_moment_hold);
    tcase_add_test(feed, what_waits_is_bounded_and_events_stay);
    tcase_add_test(feed, who_comes_late_gets_state_and_open_events_first);
    tcase_add_test(feed, a_failure_says_why_and_the_end_is_told);
    tcase_add_test(feed, feeds_come_and_go);
    suite_add_tcase(suite, feed);
    return suite;
}

TEST_MAIN(make_suite)
