/* Memory of the tracker: constant once it has seen its most; refused without harm where there is none. */
#include <limits.h>
#include <math.h>
#include <stdlib.h>

#include "check_main.h"
#include "doubles/shortage.h"
#include "vedette/app/track.h"

enum { OBJECTS = 40 };

static size_t place(int frame, vd_detection detections[OBJECTS])
{
    size_t count = (size_t)(OBJECTS - frame % 5);
    for (size_t i = 0; i < count; i++) {
        double phase = (double)i * 2.4 + frame * 0.004 * M_PI; /* the same again after 500 frames */
        float x = (float)(900 + 800 * sin(phase)), y = (float)(500 + 400 * cos(3 * phase));
        detections[i] = (vd_detection){.box = {x, y, x + 40, y + 80}, .score = i % 5 ? 0.8f : 0.2f};
    }
    return count;
}

START_TEST(nothing_is_allocated_for_a_frame)
{
    const vd_track_options options = VD_TRACK_OPTIONS_INIT;
    vd_track_backfill *backfill = NULL;
    vd_detection detections[OBJECTS];
    int64_t index, taken = 0;
    const vd_detection *found;
    size_t count, filled;
    int before = 0, after = 0;
    shortage_begin(&short_memory, INT_MAX, false); /* counts */
    ck_assert_int_eq(vd_track_backfill_new(&options, &backfill, NULL), VD_OK);
    for (int frame = 0; frame < 12000; frame++) {
        if (frame == 2000)
            before = atomic_load(&short_memory.calls);
        count = place(frame, detections);
        if (vd_track_backfill_push(backfill, frame, frame * 0.04, detections, count, NULL) != VD_OK)
            break;
        while (vd_track_backfill_take(backfill, false, &index, &found, &count, &filled) == VD_OK)
            taken++;
    }
    after = atomic_load(&short_memory.calls);
    shortage_end(&short_memory);
    vd_track_backfill_free(&backfill);
    ck_assert_int_gt(taken, 11900);
    ck_assert_int_gt(before, 0);
    ck_assert_int_eq(after, before);
}
END_TEST

/* The n-th allocation fails, for every n; then the same moment is taken as if nothing had been. */
START_TEST(memory_that_runs_out)
{
    const vd_track_options options = VD_TRACK_OPTIONS_INIT;
    vd_detection detections[OBJECTS];
    size_t count = place(0, detections), tracks;
    int failures = 0;
    for (int n = 1; n < 40; n++) {
        vd_track_backfill *backfill = NULL;
        shortage_begin(&short_memory, n, false);
        int code = vd_track_backfill_new(&options, &backfill, NULL);
        if (code == VD_OK)
            code = vd_track_backfill_push(backfill, 0, 0, detections, count, NULL);
        shortage_end(&short_memory);
        bool failed = atomic_load(&short_memory.failed) > 0;
        failures += failed;
        ck_assert_int_eq(code, failed ? VD_ENOMEM : VD_OK);
        if (backfill && failed) {
            vd_tracker_tracks(vd_track_backfill_tracker(backfill), &tracks);
            ck_assert_uint_eq(tracks, 0);
            ck_assert_int_eq(vd_track_backfill_push(backfill, 0, 0, detections, count, NULL), VD_OK);
            vd_tracker_tracks(vd_track_backfill_tracker(backfill), &tracks);
            ck_assert_uint_gt(tracks, 20);
        }
        vd_track_backfill_free(&backfill);
    }
    ck_assert_int_gt(failures, 8);
    ck_assert_int_lt(failures, 39);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("track_memory");
    TCase *tcase = tcase_create("memory");
    tcase_add_test(tcase, nothing_is_allocated_for_a_frame);
    tcase_add_test(tcase, memory_that_runs_out);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(make_suite)
