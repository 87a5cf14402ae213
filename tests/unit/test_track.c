#include <math.h>
#include <string.h>

#include "check_main.h"
#include "seeded.h"
#include "vedette/app/track.h"

static vd_tracker *tracker;

static void setup(void)
{
    const vd_track_options options = VD_TRACK_OPTIONS_INIT;
    ck_assert_int_eq(vd_tracker_new(&options, &tracker, NULL), VD_OK);
}

static void teardown(void)
{
    vd_tracker_free(&tracker);
    ck_assert_ptr_null(tracker);
    vd_tracker_free(&tracker);
}

static vd_detection make(double x, double y, double width, double height, float score, int class_id)
{
    return (vd_detection){.box = {(float)(x - width / 2), (float)(y - height / 2), (float)(x + width / 2),
                                  (float)(y + height / 2)},
                          .score = score,
                          .class_id = class_id};
}

static void update(double time_s, const vd_detection *detections, size_t count)
{
    ck_assert_int_eq(vd_tracker_update(tracker, time_s, detections, count, NULL), VD_OK);
}

/* The track of a detection of the last moment, or NULL. */
static const vd_track *track_of(int detection)
{
    size_t count;
    const vd_track *tracks = vd_tracker_tracks(tracker, &count);
    for (size_t i = 0; i < count; i++)
        if (tracks[i].detection == detection)
            return &tracks[i];
    return NULL;
}

static int id_of(int detection)
{
    const vd_track *track = track_of(detection);
    return track ? track->id : -1;
}

static size_t count_tracks(void)
{
    size_t count;
    vd_tracker_tracks(tracker, &count);
    return count;
}

static const vd_track *only_track(void)
{
    size_t count;
    const vd_track *tracks = vd_tracker_tracks(tracker, &count);
    ck_assert_uint_eq(count, 1);
    return &tracks[0];
}

/* --- One track */

START_TEST(a_life)
{
    vd_detection d = make(100, 100, 40, 80, 0.9f, 3);
    update(10.0, &d, 1);
    const vd_track *track = only_track();
    ck_assert_int_eq(track->state, VD_TRACK_TENTATIVE);
    ck_assert_int_eq(track->id, 0);
    ck_assert_int_eq(track->hits, 1);
    d = make(102, 100, 40, 80, 0.7f, 3);
    update(10.1, &d, 1);
    track = only_track();
    ck_assert_int_eq(track->state, VD_TRACK_CONFIRMED);
    ck_assert_int_eq(track->id, 1);
    ck_assert_int_eq(track->class_id, 3);
    ck_assert(!track->established && !track->predicted);
    ck_assert_int_eq(memcmp(&track->detected, &d.box, sizeof d.box), 0);
    ck_assert_float_eq_tol(track->confidence, 0.7f, 1.0f / 256);
    d = make(106, 100, 40, 80, 0.8f, 3);
    update(10.3, &d, 1);
    track = only_track();
    ck_assert(track->established);
    ck_assert_float_eq_tol(track->confidence, 0.8f, 1.0f / 256);
    ck_assert_double_eq_tol(track->seen_s - track->first_s, 0.3, 1e-9);
    update(11.0, NULL, 0);
    track = only_track();
    ck_assert_int_eq(track->state, VD_TRACK_LOST);
    ck_assert(track->predicted);
    ck_assert_int_eq(track->detection, -1);
    ck_assert_float_gt(track->box.x1, d.box.x1 + 5); /* it goes on */
    ck_assert_int_eq(memcmp(&track->detected, &d.box, sizeof d.box), 0);
    update(11.29, NULL, 0);
    ck_assert_uint_eq(count_tracks(), 1);
    update(11.35, NULL, 0);
    ck_assert_uint_eq(count_tracks(), 0);
    update(11.4, &d, 1);
    update(11.5, &d, 1);
    ck_assert_int_eq(only_track()->id, 2); /* never used again */
}
END_TEST

START_TEST(one_detection_is_no_object)
{
    vd_detection d = make(100, 100, 40, 80, 0.9f, 0);
    update(0, &d, 1);
    update(0.25, NULL, 0);
    ck_assert_uint_eq(count_tracks(), 1);
    update(0.35, NULL, 0);
    ck_assert_uint_eq(count_tracks(), 0);
    d.score = 0.24f; /* too low to start one */
    update(0.4, &d, 1);
    ck_assert_uint_eq(count_tracks(), 0);
}
END_TEST

/* The median is of the whole history, whatever the order. */
START_TEST(confidence_is_the_median)
{
    vd_detection d = make(100, 100, 40, 80, 0.3f, 0);
    for (int i = 0; i < 101; i++) {
        d.score = i < 50 ? 0.95f : 0.4f;
        update(i * 0.04, &d, 1);
    }
    ck_assert_float_eq_tol(only_track()->confidence, 0.4f, 1.0f / 256);
    ck_assert_int_eq(only_track()->hits, 101);
}
END_TEST

START_TEST(low_scores_go_on_with_a_track)
{
    vd_detection d = make(100, 100, 40, 80, 0.9f, 0);
    for (int i = 0; i < 40; i++) {
        d = make(100 + 2 * i, 100, 40, 80, i < 5 ? 0.9f : 0.12f, 0);
        update(i * 0.04, &d, 1);
        ck_assert_int_eq(id_of(0), i == 0 ? 0 : 1);
    }
    d.score = 0.09f;
    update(1.6, &d, 1);
    ck_assert_int_eq(id_of(0), -1);
    d = make(300, 100, 40, 80, 0.12f, 0); /* where nothing was foretold */
    update(1.64, &d, 1);
    ck_assert_int_eq(id_of(0), -1);
    ck_assert_uint_eq(count_tracks(), 1);
}
END_TEST

/* --- Several */

START_TEST(crossing_objects_keep_their_ids)
{
    for (int fps = 5; fps <= 30; fps += 25) {
        vd_tracker_reset(tracker);
        int left = 0, right = 0;
        for (int i = 0; i <= 6 * fps; i++) {
            double t = (double)i / fps;
            /* they meet at 3 s, and for that while only the nearer one is seen */
            const vd_detection d[] = {make(100 + 100 * t, 200, 60, 120, 0.9f, 0),
                                      make(700 - 100 * t, 195, 55, 110, 0.8f, 0)};
            bool hidden = fabs(t - 3) < 0.2;
            update(t, d, hidden ? 1 : 2);
            if (i == 1) {
                left = id_of(0);
                right = id_of(1);
                ck_assert_int_gt(left, 0);
                ck_assert_int_gt(right, 0);
            }
            ck_assert_int_eq(id_of(0), i == 0 ? 0 : left);
            if (!hidden && i > 0)
                ck_assert_int_eq(id_of(1), right);
        }
    }
}
END_TEST

START_TEST(classes_are_apart)
{
    const vd_detection both[] = {make(100, 100, 60, 60, 0.9f, 1), make(100, 130, 50, 90, 0.8f, 0)};
    const vd_detection person[] = {make(100, 130, 50, 90, 0.8f, 0)};
    update(0, both, 2);
    update(0.1, both, 2);
    int bicycle = id_of(0), rider = id_of(1);
    ck_assert_int_ne(bicycle, rider);
    update(0.2, person, 1);
    ck_assert_int_eq(id_of(0), rider);
    update(0.3, both, 2);
    ck_assert_int_eq(id_of(0), bicycle);
    ck_assert_int_eq(id_of(1), rider);
}
END_TEST

/* A car that is a truck now and then, or both at once, is one object; its class is what is said most. */
START_TEST(an_object_has_one_id_whatever_it_is_called)
{
    for (int i = 0; i < 30; i++) {
        double x = 100 + 3 * i;
        const vd_detection d[] = {make(x, 100, 80, 50, 0.8f, 2), make(x + 1, 100, 80, 51, 0.6f, 7)};
        bool truck = i % 4 == 3;
        update(i * 0.04, truck ? d + 1 : d, i % 5 == 0 ? 2 - (size_t)truck : 1);
        ck_assert_uint_eq(count_tracks(), 1);
        ck_assert_int_eq(only_track()->class_id, 2);
    }
    ck_assert_int_eq(only_track()->id, 1);
    ck_assert_int_eq(only_track()->hits, 30);
}
END_TEST

START_TEST(two_boxes_of_one_object_are_one_track)
{
    const vd_detection d[] = {make(100, 100, 40, 80, 0.6f, 0), make(101, 99, 42, 80, 0.9f, 0)};
    update(0, d, 2);
    ck_assert_uint_eq(count_tracks(), 1);
    ck_assert_int_eq(only_track()->detection, 1); /* the better one */
    update(0.1, d, 2);
    ck_assert_uint_eq(count_tracks(), 1);
}
END_TEST

/* Objects that walk in lanes and past each other, a tenth of the detections missing and all of them off by 3
 * % of their size: how often the id of an object changes. */
static int count_switches(int fps, int *ret_ids)
{
    enum { OBJECTS = 8 };
    uint64_t seed = 11;
    int last[OBJECTS] = {0}, switches = 0, highest = 0;
    for (int i = 0; i <= 12 * fps; i++) {
        vd_detection d[OBJECTS];
        int object[OBJECTS];
        size_t count = 0;
        double t = (double)i / fps;
        for (int k = 0; k < OBJECTS; k++) {
            double speed = (k % 2 ? -1 : 1) * (60 + 10 * k), height = 80 + 6 * k;
            double x = (k % 2 ? 1100 : 100) + speed * t, y = 100 + 55 * k;
            if (seeded_below(&seed, 10) == 0)
                continue;
            double off_x = ((double)seeded_below(&seed, 2001) / 1000 - 1) * 0.03 * height;
            double off_y = ((double)seeded_below(&seed, 2001) / 1000 - 1) * 0.03 * height;
            object[count] = k;
            d[count++] = make(x + off_x, y + off_y, height / 2, height, 0.7f, 0);
        }
        update(t, d, count);
        for (size_t j = 0; j < count; j++) {
            int id = id_of((int)j), k = object[j];
            if (id <= 0)
                continue;
            switches += last[k] > 0 && last[k] != id;
            last[k] = id;
            highest = id > highest ? id : highest;
        }
    }
    *ret_ids = highest;
    return switches;
}

START_TEST(ids_survive_30_and_5_frames_a_second)
{
    int ids;
    ck_assert_int_eq(count_switches(30, &ids), 0);
    ck_assert_int_eq(ids, 8);
    vd_tracker_free(&tracker);
    setup();
    ck_assert_int_eq(count_switches(5, &ids), 0);
    ck_assert_int_eq(ids, 8);
}
END_TEST

/* --- What is odd */

START_TEST(odd_detections_are_passed_over)
{
    const vd_detection odd[] = {
        {{NAN, 0, 10, 10}, 0.9f, 0, 0},
        {{0, NAN, 10, 10}, 0.9f, 0, 0},
        {{0, 0, INFINITY, 10}, 0.9f, 0, 0},
        {{-INFINITY, 0, 10, 10}, 0.9f, 0, 0},
        {{10, 10, 0, 0}, 0.9f, 0, 0},
        {{5, 5, 5, 9}, 0.9f, 0, 0},
        {{0, 0, 10, 10}, NAN, 0, 0},
        {{0, 0, 10, 10}, INFINITY, 0, 0},
        {{0, 0, 10, 10}, -1, 0, 0},
        {{0, 0, 10, 10}, 0.9f, -1, 0},
        {{-3e38f, -3e38f, 3e38f, 3e38f}, 1, 0, 0},
    };
    const size_t count = sizeof odd / sizeof *odd;
    vd_detection all[sizeof odd / sizeof *odd + 1];
    memcpy(all, odd, sizeof odd);
    all[count] = make(100, 100, 40, 80, 0.9f, 0);
    for (int i = 0; i < 5; i++) {
        update(i * 0.1, odd, count);
        ck_assert_uint_eq(count_tracks(), 0);
    }
    for (int i = 5; i < 10; i++) {
        update(i * 0.1, all, count + 1);
        ck_assert_int_eq(only_track()->detection, (int)count);
        ck_assert(isfinite(only_track()->box.x1 + only_track()->box.y2));
    }
}
END_TEST

START_TEST(time_that_jumps_begins_anew)
{
    const vd_detection d = make(100, 100, 40, 80, 0.9f, 0);
    update(50, &d, 1);
    update(50.1, &d, 1);
    ck_assert_int_eq(only_track()->id, 1);
    update(50.1, &d, 1); /* twice the same moment is no jump */
    ck_assert_int_eq(only_track()->id, 1);
    update(20, &d, 1);
    ck_assert_int_eq(only_track()->id, 0);
    ck_assert_double_eq(only_track()->first_s, 20);
    update(20.1, &d, 1);
    ck_assert_int_eq(only_track()->id, 2);
    update(20.1 + 3 * 3600, &d, 1);
    ck_assert_int_eq(only_track()->id, 0);
    vd_error error = {0};
    ck_assert_int_eq(vd_tracker_update(tracker, (double)NAN, &d, 1, &error), VD_EINVAL);
    ck_assert_int_eq(vd_tracker_update(tracker, -(double)INFINITY, &d, 1, &error), VD_EINVAL);
    ck_assert_str_ne(error.text, "");
    update(20.1 + 3 * 3600 + 0.1, &d, 1);
    ck_assert_int_eq(only_track()->id, 3);
    vd_tracker_reset(tracker);
    ck_assert_uint_eq(count_tracks(), 0);
}
END_TEST

/* One frame a second is less than `lost` apart, and every two seconds more: what stands still is the same. */
START_TEST(slow_cameras_have_tracks)
{
    const vd_detection d = make(100, 100, 40, 80, 0.9f, 0);
    for (int i = 0; i < 6; i++)
        update(i * 2.0, &d, 1);
    ck_assert_int_eq(only_track()->id, 1);
    ck_assert_int_eq(only_track()->hits, 6);
}
END_TEST

START_TEST(numbers_are_limited)
{
    static vd_detection many[VD_TRACK_DETECTIONS + 1];
    for (int i = 0; i <= VD_TRACK_DETECTIONS; i++)
        many[i] = make(20 + 50 * (i % 40), 20 + 50 * (i / 40), 30, 30, 0.9f, 0);
    vd_error error = {0};
    ck_assert_int_eq(vd_tracker_update(tracker, 0, many, VD_TRACK_DETECTIONS + 1, &error), VD_EINVAL);
    update(0, many, VD_TRACK_DETECTIONS);
    update(0.1, many, VD_TRACK_DETECTIONS);
    ck_assert_uint_eq(count_tracks(), VD_TRACK_DETECTIONS);
    for (int i = 0; i < VD_TRACK_DETECTIONS; i++)
        many[i] = make(5020 + 50 * (i % 40), 20 + 50 * (i / 40), 30, 30, 0.9f, 0);
    update(0.2, many, VD_TRACK_DETECTIONS); /* no room for more until the lost ones end */
    ck_assert_uint_eq(count_tracks(), VD_TRACK_TRACKS);
    update(1.3, many, VD_TRACK_DETECTIONS);
    ck_assert_uint_eq(count_tracks(), VD_TRACK_TRACKS);
    ck_assert_int_eq(id_of(5), 0);
}
END_TEST

START_TEST(options_are_checked)
{
    vd_error error = {0};
    vd_track_options options = VD_TRACK_OPTIONS_INIT;
    ck_assert_int_eq(vd_track_options_validate(&options, &error), VD_OK);
    options.lost_s = (double)NAN;
    ck_assert_int_eq(vd_track_options_validate(&options, &error), VD_EINVAL);
    ck_assert_ptr_nonnull(strstr(error.text, "lost_s"));
    ck_assert_int_eq(vd_tracker_set_options(tracker, &options, &error), VD_EINVAL);
    vd_tracker *none = NULL;
    ck_assert_int_eq(vd_tracker_new(&options, &none, &error), VD_EINVAL);
    ck_assert_ptr_null(none);
    options.lost_s = 3;
    ck_assert_int_eq(vd_tracker_set_options(tracker, &options, &error), VD_OK);
    const vd_detection d = make(100, 100, 40, 80, 0.9f, 0);
    update(0, &d, 1);
    update(0.1, &d, 1);
    update(2.9, NULL, 0);
    ck_assert_uint_eq(count_tracks(), 1); /* the new value acts */
    options.keep_score = 0.3f;
    options.start_score = 0.2f;
    ck_assert_int_eq(vd_track_options_validate(&options, &error), VD_EINVAL);
    ck_assert_ptr_nonnull(strstr(error.text, "keep_score"));
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("track");
    TCase *one = tcase_create("one"), *several = tcase_create("several"), *odd = tcase_create("odd");
    tcase_add_checked_fixture(one, setup, teardown);
    tcase_add_test(one, a_life);
    tcase_add_test(one, one_detection_is_no_object);
    tcase_add_test(one, confidence_is_the_median);
    tcase_add_test(one, low_scores_go_on_with_a_track);
    suite_add_tcase(suite, one);
    tcase_add_checked_fixture(several, setup, teardown);
    tcase_add_test(several, crossing_objects_keep_their_ids);
    tcase_add_test(several, classes_are_apart);
    tcase_add_test(several, an_object_has_one_id_whatever_it_is_called);
    tcase_add_test(several, two_boxes_of_one_object_are_one_track);
    tcase_add_test(several, ids_survive_30_and_5_frames_a_second);
    suite_add_tcase(suite, several);
    tcase_add_checked_fixture(odd, setup, teardown);
    tcase_set_timeout(odd, 60);
    tcase_add_test(odd, odd_detections_are_passed_over);
    tcase_add_test(odd, time_that_jumps_begins_anew);
    tcase_add_test(odd, slow_cameras_have_tracks);
    tcase_add_test(odd, numbers_are_limited);
    tcase_add_test(odd, options_are_checked);
    suite_add_tcase(suite, odd);
    return suite;
}

TEST_MAIN(make_suite)
