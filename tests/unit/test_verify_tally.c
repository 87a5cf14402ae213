#include "bench/verify_scene.h"
#include "check_main.h"

static vd_scene_object thing(vd_scene_kind kind, int id, float x)
{
    return (vd_scene_object){.kind = kind, .track_id = id, .box = {x, 10, x + 40, 30}};
}

static void open_event(scene_tally *tally, uint64_t id, vd_verdict verdict)
{
    const vd_event event = {.id = id, .track_id = (int)id, .opened_s = 1};
    ck_assert_int_eq(scene_tally_open(tally, &event), VD_OK);
    tally->events[tally->event_count - 1].result.verdict = verdict;
}

/* A pothole with two events of which one is rejected, a crack that nobody saw, one that was in sight for too
 * short a time, a shadow that is rejected and a wet patch that is not, and an event of nothing. */
START_TEST(events_stand_for_what_lies_under_them)
{
    scene_tally tally = {0};
    vd_bench_verify_figures figures = {0};
    const vd_scene_object all[] = {thing(VD_SCENE_POTHOLE, 1, 0), thing(VD_SCENE_CRACK, 2, 100),
                                   thing(VD_SCENE_SHADOW, 1, 200), thing(VD_SCENE_WET, 9, 300),
                                   thing(VD_SCENE_CRACK, 3, 400)};
    open_event(&tally, 7, VD_VERDICT_REJECTED);
    open_event(&tally, 8, VD_VERDICT_VERIFIED);
    open_event(&tally, 9, VD_VERDICT_REJECTED);
    open_event(&tally, 10, VD_VERDICT_UNVERIFIED);
    open_event(&tally, 11, VD_VERDICT_VERIFIED);
    for (int i = 0; i < 30; i++) {
        const vd_box pothole = {2, 12, 42, 32}, shadow = {202, 10, 242, 30}, wet = {300, 10, 330, 30};
        const vd_box nothing = {500, 10, 540, 30}, beside = {25, 10, 65, 30};
        ck_assert_int_eq(scene_tally_list(&tally, all, i == 0 ? 5 : 4), VD_OK);
        scene_tally_see(&tally, 7, &pothole, all, 4);
        scene_tally_see(&tally, 8, i % 3 == 0 ? &pothole : &beside, all, 4); /* a third of the time */
        scene_tally_see(&tally, 9, i < 10 ? &pothole : &shadow, all, 4);
        scene_tally_see(&tally, 10, &wet, all, 4);
        scene_tally_see(&tally, 11, i < 9 ? &wet : &nothing, all, 4); /* less than a third */
        scene_tally_see(&tally, 99, &pothole, all, 4);                /* no such event */
    }
    scene_tally_finish(&tally, 30, &figures);
    ck_assert_int_eq(figures.events.count, 2);
    ck_assert_int_eq(figures.events.of, 5);
    ck_assert_int_eq(figures.kept.count, 1);
    ck_assert_int_eq(figures.kept.of, 3);
    ck_assert_int_eq(figures.found.count, 1);
    ck_assert_int_eq(figures.found.of, 2);
    ck_assert_int_eq(figures.found_kept.count, 1);
    ck_assert_int_eq(figures.hazards_verified.count, 1);
    ck_assert_int_eq(figures.hazards_verified.of, 2);
    ck_assert_int_eq(figures.decoys_rejected[VD_SCENE_SHADOW].count, 1);
    ck_assert_int_eq(figures.decoys_rejected[VD_SCENE_SHADOW].of, 1);
    ck_assert_int_eq(figures.decoys_rejected[VD_SCENE_WET].count, 0);
    ck_assert_int_eq(figures.decoys_rejected[VD_SCENE_WET].of, 1);
    ck_assert_int_eq(figures.nothing_rejected.count, 0);
    ck_assert_int_eq(figures.nothing_rejected.of, 1);
    ck_assert_uint_eq(tally.event_count, 0);
    scene_tally_clear(&tally);
}
END_TEST

/* All that was found is lost when all its events are rejected. */
START_TEST(a_hazard_is_lost_with_its_last_event)
{
    scene_tally tally = {0};
    vd_bench_verify_figures figures = {0};
    for (int i = 0; i < 200; i++) { /* the arrays grow */
        const vd_scene_object crack = thing(VD_SCENE_CRACK, i, 0);
        open_event(&tally, (uint64_t)i + 1, i % 2 ? VD_VERDICT_REJECTED : VD_VERDICT_VERIFIED);
        ck_assert_int_eq(scene_tally_list(&tally, &crack, 1), VD_OK);
        scene_tally_see(&tally, (uint64_t)i + 1, &crack.box, &crack, 1);
    }
    scene_tally_finish(&tally, 1, &figures);
    ck_assert_int_eq(figures.found.count, 200);
    ck_assert_int_eq(figures.found_kept.count, 100);
    ck_assert_int_eq(figures.found_kept.of, 200);
    scene_tally_clear(&tally);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("verify_tally");
    TCase *tally = tcase_create("tally");
    tcase_add_test(tally, events_stand_for_what_lies_under_them);
    tcase_add_test(tally, a_hazard_is_lost_with_its_last_event);
    suite_add_tcase(suite, tally);
    return suite;
}

TEST_MAIN(make_suite)
