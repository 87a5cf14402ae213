/* Events over tracks that are written by hand: opening, closing, parking, verdicts, judgements. */
#include <math.h>
#include <string.h>

#include "check_main.h"
#include "event/event_log.h"
#include "frame/frame.h"

static const double step_s = 0.1;

/* A scene of a few objects at a moment; tracks as a tracker would have them. */
static struct {
    vd_event_log *log;
    vd_event_rules rules;
    vd_labels *labels;
    vd_track tracks[8];
    size_t count;
    double time_s;
    uint64_t last_serial;
    int last_id;
    uint64_t opened[8];
    size_t opened_count; /* by the last moment */
    bool known;
} scene;

static void setup(void)
{
    const char *names[] = {"person", "car"};
    memset(&scene, 0, sizeof scene);
    ck_assert_int_eq(vd_event_log_new(&scene.log), VD_OK);
    ck_assert_int_eq(vd_labels_new(names, 2, &scene.labels), VD_OK);
    scene.rules = (vd_event_rules)VD_EVENT_RULES_INIT;
}

static void teardown(void)
{
    vd_event_log_free(&scene.log);
    ck_assert_ptr_null(scene.log);
    vd_labels_unref(&scene.labels);
}

static vd_box box_at(double x, double y)
{
    return (vd_box){(float)x, (float)y, (float)x + 40, (float)y + 80};
}

/* A new track, seen for the first time at the moment that comes next. Returns its id. */
static int add(double x, double y, int class_id)
{
    vd_track *track = &scene.tracks[scene.count++];
    *track = (vd_track){.serial = ++scene.last_serial,
                        .id = ++scene.last_id,
                        .state = VD_TRACK_CONFIRMED,
                        .class_id = class_id,
                        .box = box_at(x, y),
                        .detected = box_at(x, y),
                        .score = 0.8f,
                        .confidence = 0.8f,
                        .first_s = scene.time_s + step_s};
    return track->id;
}

static vd_track *track_of(int id)
{
    for (size_t i = 0; i < scene.count; i++)
        if (scene.tracks[i].id == id)
            return &scene.tracks[i];
    ck_abort_msg("no track %d", id);
}

static void end(int id)
{
    vd_track *track = track_of(id);
    memmove(track, track + 1, (size_t)(scene.tracks + --scene.count - track) * sizeof *track);
}

static void move(int id, double x, double y)
{
    track_of(id)->box = track_of(id)->detected = box_at(x, y);
}

static void hide(int id, bool hidden)
{
    track_of(id)->state = hidden ? VD_TRACK_LOST : VD_TRACK_CONFIRMED;
}

static void look(void)
{
    scene.time_s += step_s;
    for (size_t i = 0; i < scene.count; i++) {
        vd_track *track = &scene.tracks[i];
        bool seen = track->state != VD_TRACK_LOST;
        track->time_s = scene.time_s;
        track->seen_s = seen ? scene.time_s : track->seen_s;
        track->detection = seen ? (int)i : -1;
    }
    vd_event_moment moment = {.time_s = scene.time_s,
                              .frame_index = lround(scene.time_s / step_s),
                              .unix_ms = 1000,
                              .tracks = scene.tracks,
                              .count = scene.count,
                              .labels = scene.labels,
                              .known = scene.known};
    scene.opened_count = vd_event_log_update(scene.log, &scene.rules, &moment, scene.opened, 8);
}

/* Lets time pass; the number of events that were opened meanwhile. */
static size_t pass(double seconds)
{
    size_t opened = 0;
    for (double end_s = scene.time_s + seconds - step_s / 2; scene.time_s < end_s;) {
        look();
        opened += scene.opened_count;
    }
    return opened;
}

static vd_event newest(void)
{
    vd_event event = {0};
    ck_assert_uint_eq(vd_event_log_get(scene.log, 0, &event, 1), 1);
    vd_event copy = event;
    vd_event_clear(&event); /* the reference; plain values are looked at */
    copy.thumbnail = NULL;
    return copy;
}

START_TEST(an_event_opens_at_its_age_and_closes_after_its_absence)
{
    int id = add(10, 10, 1);
    ck_assert_uint_eq(pass(0.3), 0);
    ck_assert_uint_eq(pass(0.1), 1);
    vd_event event = newest();
    ck_assert_uint_eq(event.id, 1);
    ck_assert_int_eq(event.track_id, id);
    ck_assert_str_eq(event.class_name, "car");
    ck_assert_int_eq(event.opened_frame, 4);
    ck_assert_double_eq_tol(event.opened_s, 0.4, 1e-9);
    ck_assert_int_eq(event.opened_unix_ms, 1000);
    ck_assert_int_eq(event.verdict, VD_VERDICT_NONE);
    ck_assert(!event.closed);
    ck_assert_uint_eq(vd_event_log_of_track(scene.log, id)->id, 1);
    ck_assert_uint_eq(pass(5), 0);
    end(id);
    pass(2.9);
    ck_assert(!newest().closed);
    ck_assert_uint_eq(vd_event_log_count_open(scene.log), 1);
    pass(0.3);
    ck_assert(newest().closed);
    ck_assert_uint_eq(vd_event_log_count_open(scene.log), 0);
    ck_assert_ptr_null(vd_event_log_of_track(scene.log, id));
}
END_TEST

START_TEST(rules_say_what_becomes_an_event)
{
    scene.rules.thresholds.confidence = 0.5f;
    scene.rules.thresholds.classes[0] = 1; /* class 0 */
    scene.rules.least_size_px = 30;
    int weak = add(10, 10, 0), car = add(100, 10, 1), small = add(200, 10, 0), lost = add(300, 10, 0),
        tentative = add(400, 10, 0), good = add(500, 10, 0);
    track_of(weak)->confidence = 0.45f;
    track_of(small)->detected.x2 = 225;
    hide(lost, true);
    track_of(tentative)->state = VD_TRACK_TENTATIVE;
    (void)car;
    ck_assert_uint_eq(pass(2), 1);
    ck_assert_int_eq(newest().track_id, good);
    /* A change acts on the next moment. */
    scene.rules.thresholds.confidence = 0.4f;
    look();
    ck_assert_uint_eq(scene.opened_count, 1);
    ck_assert_int_eq(newest().track_id, weak);
    scene.rules.thresholds.classes[0] = 3;
    scene.rules.least_size_px = 10;
    look();
    ck_assert_uint_eq(scene.opened_count, 2);
}
END_TEST

START_TEST(what_is_parked_opens_no_new_event_whatever_its_id)
{
    scene.rules.parked_s = 20;
    int id = add(100, 100, 1);
    ck_assert_uint_eq(pass(30), 1);
    for (int i = 0; i < 20;
         i++) { /* it flickers, for longer than an event stays open, and comes back elsewhere by a pixel */
        end(id);
        ck_assert_uint_eq(pass(4), 0);
        id = add(100 + i % 3, 100 - i % 2, 1);
        ck_assert_uint_eq(pass(2), 0);
    }
    ck_assert(newest().closed);
    /* It drives off: that is one. */
    for (int i = 0; i < 30; i++) {
        move(id, 100 + 10 * i, 100);
        look();
        ck_assert_uint_le(scene.opened_count, 1);
    }
    ck_assert_uint_eq(newest().id, 2);
    ck_assert_int_eq(newest().track_id, id);
}
END_TEST

START_TEST(a_place_that_was_left_is_free_again)
{
    scene.rules.parked_s = 20;
    int id = add(100, 100, 1);
    ck_assert_uint_eq(pass(30), 1);
    end(id);
    ck_assert_uint_eq(pass(21), 0);
    id = add(100, 100, 1);
    ck_assert_uint_eq(pass(1), 1); /* nobody stood there for as long as it takes */
    end(id);
    pass(5);
    /* Another one drives in while the place is remembered: it moved, so it is one. */
    id = add(100, 100, 1);
    pass(20);
    end(id);
    id = add(400, 100, 1);
    size_t opened = pass(0.2);
    for (int i = 0; i < 30; i++) {
        move(id, 400 - 10 * i, 100);
        look();
        opened += scene.opened_count;
    }
    ck_assert_uint_eq(opened, 1);
}
END_TEST

START_TEST(places_are_bounded)
{
    scene.rules.parked_s = 3600;
    for (int i = 0; i < 200; i++) {
        int id = add(100 * i, 100, 1);
        pass(2.5);
        end(id);
        pass(0.1);
    }
    uint64_t events = vd_event_log_figures(scene.log).events;
    ck_assert_uint_eq(events, 200);
}
END_TEST

START_TEST(an_event_goes_on_with_the_next_track_at_its_place)
{
    int first = add(100, 100, 0);
    ck_assert_uint_eq(pass(1), 1);
    end(first);
    pass(1);
    int car = add(105, 100, 1), second = add(110, 100, 0), far = add(400, 100, 0);
    ck_assert_uint_eq(pass(1), 2); /* the car and the far one */
    ck_assert_uint_eq(vd_event_log_of_track(scene.log, second)->id, 1);
    ck_assert_uint_ne(vd_event_log_of_track(scene.log, car)->id, 1);
    ck_assert_uint_ne(vd_event_log_of_track(scene.log, far)->id, 1);
    pass(5);
    ck_assert(!vd_event_log_find(scene.log, 1)->closed);
    /* Who is only hidden has not ended: another one beside him is another. */
    hide(second, true);
    add(115, 100, 0);
    ck_assert_uint_eq(pass(1), 1);
}
END_TEST

START_TEST(a_cut_closes_and_forgets)
{
    int id = add(100, 100, 0);
    pass(1);
    vd_event_log_cut(scene.log);
    ck_assert(newest().closed);
    ck_assert_ptr_null(vd_event_log_of_track(scene.log, id));
    scene.count = 0;
    add(100, 100, 0);
    ck_assert_uint_eq(pass(1), 1);
    ck_assert_uint_eq(newest().id, 2);
    scene.time_s = 0; /* a time before the last one */
    scene.count = 0;
    look();
    ck_assert(newest().closed);
    scene.known = true; /* a place that was looked at before */
    add(100, 100, 0);
    ck_assert_uint_eq(pass(1), 0);
    scene.known = false;
    ck_assert_uint_eq(pass(1), 0); /* it had its event then */
    add(300, 100, 0);
    ck_assert_uint_eq(pass(1), 1);
}
END_TEST

START_TEST(verdicts_and_judgements_change_an_event_in_place)
{
    for (int i = 0; i < 4; i++)
        add(100 * i, 100, 0);
    ck_assert_uint_eq(pass(1), 4);
    uint64_t revision = vd_event_log_revision(scene.log);
    ck_assert_uint_eq(vd_event_log_get(scene.log, revision, (vd_event[1]){{0}}, 1), 0);
    ck_assert(!vd_event_log_set_request(scene.log, 9, 70, false));
    for (uint64_t id = 1; id <= 4; id++)
        ck_assert(vd_event_log_set_request(scene.log, id, 70 + id, id == 2));
    ck_assert_int_eq(vd_event_log_find(scene.log, 2)->verdict, VD_VERDICT_PENDING);
    ck_assert(vd_event_log_find(scene.log, 2)->shadow && !vd_event_log_find(scene.log, 1)->shadow);
    ck_assert(vd_event_log_set_verdict(scene.log, 71, VD_VERDICT_VERIFIED, VD_CAUSE_NONE, 0.9f, 0.5));
    ck_assert(vd_event_log_set_verdict(scene.log, 72, VD_VERDICT_REJECTED, VD_CAUSE_NONE, 0.1f, 0.5));
    ck_assert(vd_event_log_set_verdict(scene.log, 73, VD_VERDICT_UNVERIFIED, VD_CAUSE_TIMED_OUT, 0, 10));
    ck_assert(!vd_event_log_set_verdict(scene.log, 99, VD_VERDICT_VERIFIED, VD_CAUSE_NONE, 0, 0));
    ck_assert(!vd_event_log_set_verdict(scene.log, 0, VD_VERDICT_VERIFIED, VD_CAUSE_NONE, 0, 0));
    ck_assert(vd_event_log_set_unverified(scene.log, 4, VD_CAUSE_DROPPED));
    revision = vd_event_log_revision(scene.log);
    vd_event_figures figures = vd_event_log_figures(scene.log);
    ck_assert(isnan(figures.precision_before) && isnan(figures.recall_after));
    for (uint64_t id = 1; id <= 3; id++)
        ck_assert(
            vd_event_log_judge(scene.log, id, id == 2 ? VD_JUDGEMENT_FALSE_ALARM : VD_JUDGEMENT_CONFIRMED));
    ck_assert(!vd_event_log_judge(scene.log, 5, VD_JUDGEMENT_CONFIRMED));
    vd_event events[8];
    ck_assert_uint_eq(vd_event_log_get(scene.log, revision, events, 8), 3);
    ck_assert_uint_eq(events[0].id, 3);
    ck_assert_double_eq_tol(events[0].verdict_after_s, 10, 1e-9);
    figures = vd_event_log_figures(scene.log);
    ck_assert_uint_eq(figures.judged, 3);
    ck_assert_uint_eq(figures.passed, 2);
    ck_assert_double_eq_tol(figures.precision_before, 2.0 / 3, 1e-9);
    ck_assert_double_eq_tol(figures.precision_after, 1, 1e-9);
    ck_assert_double_eq_tol(figures.recall_after, 1, 1e-9);
}
END_TEST

START_TEST(the_log_is_bounded_and_gives_pictures_back)
{
    vd_frame_pool *pool = NULL;
    ck_assert_int_eq(vd_frame_pool_new(VD_PIXEL_BGRX, 8, 8, VD_EVENT_THUMBNAILS + 2, &pool), VD_OK);
    for (int i = 0; i < VD_EVENTS_MOST + 40; i++) {
        int id = add(100 + 60 * (i % 50), 100, 0);
        ck_assert_uint_eq(pass(0.5), 1);
        vd_frame *picture = NULL;
        ck_assert_int_eq(vd_frame_pool_take(pool, &picture), VD_OK);
        ck_assert(vd_event_log_set_thumbnail(scene.log, scene.opened_count ? scene.opened[0] : newest().id,
                                             picture));
        end(id);
        pass(3.5);
    }
    static vd_event events[VD_EVENTS_MOST + 40];
    ck_assert_uint_eq(vd_event_log_get(scene.log, 0, events, VD_EVENTS_MOST + 40), VD_EVENTS_MOST);
    ck_assert_uint_eq(events[0].id, VD_EVENTS_MOST + 40);
    ck_assert_uint_eq(events[VD_EVENTS_MOST - 1].id, 41);
    for (int i = 0; i < VD_EVENTS_MOST; i++) {
        ck_assert_int_eq(events[i].thumbnail != NULL, i < VD_EVENT_THUMBNAILS);
        vd_event_clear(&events[i]);
    }
    ck_assert_ptr_null(vd_event_log_find(scene.log, 40));
    ck_assert(!vd_event_log_judge(scene.log, 40, VD_JUDGEMENT_CONFIRMED));
    ck_assert_int_eq(vd_frame_pool_get_stats(pool).available, 2);
    vd_event_log_free(&scene.log);
    ck_assert_int_eq(vd_frame_pool_get_stats(pool).available, VD_EVENT_THUMBNAILS + 2);
    vd_frame_pool_free(&pool);
}
END_TEST

START_TEST(rules_are_validated_and_verdicts_have_words)
{
    vd_error error = {0};
    vd_event_rules rules = VD_EVENT_RULES_INIT;
    ck_assert_int_eq(vd_event_rules_validate(&rules, &error), VD_OK);
    rules.parked_s = 0;
    ck_assert_int_eq(vd_event_rules_validate(&rules, &error), VD_EINVAL);
    ck_assert_str_eq(error.text, "The events' parked_s is 0; it must be 1 to 86400.");
    rules = (vd_event_rules)VD_EVENT_RULES_INIT;
    rules.confirm_s = NAN;
    ck_assert_int_eq(vd_event_rules_validate(&rules, &error), VD_EINVAL);
    ck_assert_str_eq(vd_verdict_words(VD_VERDICT_VERIFIED, VD_CAUSE_NONE), "verified");
    ck_assert_str_eq(vd_verdict_words(VD_VERDICT_UNVERIFIED, VD_CAUSE_TIMED_OUT), "unverified: timed out");
    ck_assert_str_eq(vd_verdict_words(VD_VERDICT_UNVERIFIED, VD_CAUSE_DROPPED), "unverified: dropped");
    ck_assert_ptr_nonnull(vd_verdict_words((vd_verdict)99, (vd_verdict_cause)99));
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("event");
    TCase *tests = tcase_create("event");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, an_event_opens_at_its_age_and_closes_after_its_absence);
    tcase_add_test(tests, rules_say_what_becomes_an_event);
    tcase_add_test(tests, what_is_parked_opens_no_new_event_whatever_its_id);
    tcase_add_test(tests, a_place_that_was_left_is_free_again);
    tcase_add_test(tests, places_are_bounded);
    tcase_add_test(tests, an_event_goes_on_with_the_next_track_at_its_place);
    tcase_add_test(tests, a_cut_closes_and_forgets);
    tcase_add_test(tests, verdicts_and_judgements_change_an_event_in_place);
    tcase_add_test(tests, the_log_is_bounded_and_gives_pictures_back);
    tcase_add_test(tests, rules_are_validated_and_verdicts_have_words);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(make_suite)
