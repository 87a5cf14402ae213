#include <math.h>

#include "check_main.h"
#include "vedette/app/track.h"

static vd_track_backfill *backfill;
static size_t filled; /* of the moment taken last */
static vd_box last_box;

static void setup(void)
{
    const vd_track_options options = VD_TRACK_OPTIONS_INIT;
    ck_assert_int_eq(vd_track_backfill_new(&options, &backfill, NULL), VD_OK);
}

static void teardown(void)
{
    vd_track_backfill_free(&backfill);
    ck_assert_ptr_null(backfill);
    vd_track_backfill_free(&backfill);
}

static vd_detection at(float x, float score)
{
    return (vd_detection){.box = {x, 0, x + 40, 80}, .score = score};
}

static void push(int64_t index, const vd_detection *detections, size_t count)
{
    ck_assert_int_eq(vd_track_backfill_push(backfill, index, 0.04 * (double)index, detections, count, NULL),
                     VD_OK);
}

/* The moment that is due, its detections' ids in `ids`; their number, or -1. */
static int take(bool all, int64_t wanted_index, int ids[4])
{
    int64_t index;
    const vd_detection *detections;
    size_t count;
    if (vd_track_backfill_take(backfill, all, &index, &detections, &count, &filled) != VD_OK)
        return -1;
    ck_assert_int_eq(index, wanted_index);
    for (size_t i = 0; i < count && i < 4; i++)
        ids[i] = detections[i].track_id;
    if (count > 0)
        last_box = detections[count - 1].box;
    return (int)count;
}

START_TEST(ids_stand_from_the_first_detection)
{
    int ids[4];
    vd_detection moment[] = {at(100, 0.9f), at(400, 0.6f)};
    push(10, moment, 2);
    ck_assert_int_eq(take(false, 10, ids), -1);
    moment[0].box.x1 += 1;
    push(11, moment, 1); /* the other one may still come again */
    ck_assert_int_eq(take(false, 10, ids), -1);
    for (int i = 12; i < 25; i++)
        push(i, moment, 1);
    ck_assert_int_eq(take(false, 10, ids), 2); /* it has not: it is no track, and counts by its score alone */
    ck_assert_int_eq(ids[0], 1);
    ck_assert_int_eq(ids[1], 0);
    for (int i = 11; i < 25; i++) {
        ck_assert_int_eq(take(false, i, ids), 1);
        ck_assert_int_eq(ids[0], 1);
    }
    ck_assert_int_eq(take(true, 0, ids), -1);
}
END_TEST

START_TEST(low_scores_without_a_track_are_left_out)
{
    int ids[4];
    const vd_detection moment[] = {at(100, 0.15f), at(400, 0.6f)}, low[] = {at(401, 0.15f)};
    push(0, moment, 2);
    push(1, moment, 2);
    push(2, low, 1);
    ck_assert_int_eq(take(false, 0, ids), 1);
    ck_assert_int_eq(take(false, 1, ids), 1);
    ck_assert_int_eq(take(false, 2, ids), 1); /* it goes on with the track */
    ck_assert_int_eq(ids[0], 1);
}
END_TEST

START_TEST(the_end_closes_what_is_open)
{
    int ids[4];
    const vd_detection moment[] = {at(100, 0.9f)};
    push(0, moment, 1);
    ck_assert_int_eq(take(false, 0, ids), -1);
    ck_assert_int_eq(take(true, 0, ids), 1);
    ck_assert_int_eq(ids[0], 0);
    vd_track_backfill_reset(backfill);
    push(1, moment, 1);
    vd_track_backfill_reset(backfill); /* another source */
    ck_assert_int_eq(take(false, 1, ids), 1);
    ck_assert_int_eq(ids[0], 0);
    push(2, moment, 1);
    push(3, moment, 1);
    ck_assert_int_eq(take(false, 2, ids), 1);
    ck_assert_int_eq(ids[0], 1);
    ck_assert_int_eq(take(false, 3, ids), 1);
    ck_assert_int_eq(take(false, 4, ids), -1);
    push(4, NULL, 0);
    ck_assert_int_eq(take(false, 4, ids), -1); /* it may come back */
    ck_assert_int_eq(take(true, 4, ids), 0);
}
END_TEST

START_TEST(what_is_refused_leaves_nothing_behind)
{
    int ids[4];
    vd_error error = {0};
    ck_assert_int_eq(vd_track_backfill_push(backfill, 0, (double)NAN, NULL, 0, &error), VD_EINVAL);
    ck_assert_str_ne(error.text, "");
    ck_assert_int_eq(take(true, 0, ids), -1);
    vd_track_options options = VD_TRACK_OPTIONS_INIT;
    options.keep_score = 0.5f;
    ck_assert_int_eq(vd_track_backfill_set_options(backfill, &options, &error), VD_EINVAL);
    vd_track_backfill *none = NULL;
    ck_assert_int_eq(vd_track_backfill_new(&options, &none, &error), VD_EINVAL);
    ck_assert_ptr_null(none);
}
END_TEST

/* Not seen for three moments, then again: it was there in between. Another one never comes back. */
START_TEST(gaps_are_filled)
{
    int ids[4];
    vd_detection both[] = {at(100, 0.9f), at(400, 0.9f)};
    push(0, both, 2);
    push(1, both, 2);
    push(2, both + 2, 0);
    push(3, both + 2, 0);
    push(4, both + 2, 0);
    ck_assert_int_eq(take(false, 0, ids), 2);
    ck_assert_int_eq(take(false, 1, ids), 2);
    ck_assert_int_eq(take(false, 2, ids), -1);
    const vd_detection again[] = {at(104, 0.6f)};
    push(5, again, 1);
    for (int i = 6; i < 35; i++)
        push(i, again, 1);
    for (int i = 2; i < 5; i++) {
        ck_assert_int_eq(take(false, i, ids), 1);
        ck_assert_int_eq(ids[0], 1);
        ck_assert_uint_eq(filled, 1);
        ck_assert_float_eq_tol(last_box.x1, 100 + (float)(i - 1), 0.001f);
    }
    ck_assert_int_eq(take(false, 5, ids), 1);
    ck_assert_uint_eq(filled, 0);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("track_backfill");
    TCase *tcase = tcase_create("backfill");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, ids_stand_from_the_first_detection);
    tcase_add_test(tcase, low_scores_without_a_track_are_left_out);
    tcase_add_test(tcase, the_end_closes_what_is_open);
    tcase_add_test(tcase, what_is_refused_leaves_nothing_behind);
    tcase_add_test(tcase, gaps_are_filled);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(make_suite)
