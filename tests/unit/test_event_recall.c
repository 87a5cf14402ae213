/* A file that is wound back: which events its objects had when a time was looked at before, and the trails by
 * which that is known. */
#include <math.h>
#include <string.h>

#include "check_main.h"
#include "event/event_log.h"
#include "event/trail.h"

/* Objects that move through a file; every watching of it gives them new tracks. */
struct object {
    double x, y, speed; /* at time 0; pixels/s, to the right */
    double from_s, to_s;
    int class_id;
    float score;
};

static struct {
    vd_event_log *log;
    vd_event_rules rules;
    struct object objects[8];
    size_t count;
    vd_track tracks[8];
    size_t object_of[8], track_count;
    uint64_t last_serial;
    int last_id, ids[8];
    double time_s;
    bool live;
} file;

static void setup(void)
{
    memset(&file, 0, sizeof file);
    ck_assert_int_eq(vd_event_log_new(&file.log), VD_OK);
    file.rules = (vd_event_rules)VD_EVENT_RULES_INIT;
}

static void teardown(void)
{
    vd_event_log_free(&file.log);
}

static size_t add(double x, double y, double speed, double from_s, double to_s, int class_id)
{
    file.objects[file.count] = (struct object){x, y, speed, from_s, to_s, class_id, 0.8f};
    return file.count++;
}

static vd_box box_of(const struct object *object, double time_s)
{
    float x = (float)(object->x + object->speed * time_s), y = (float)object->y;
    return (vd_box){x, y, x + 40, y + 80};
}

static vd_track *track_of(size_t object)
{
    for (size_t i = 0; i < file.track_count; i++)
        if (file.object_of[i] == object)
            return &file.tracks[i];
    return NULL;
}

/* As the tracker has it: an id from the second detection on, ended a second after the last. */
static void follow(size_t i)
{
    const struct object *object = &file.objects[i];
    vd_track *track = track_of(i);
    bool seen = file.time_s >= object->from_s && file.time_s <= object->to_s;
    if (!track && seen) {
        file.object_of[file.track_count] = i;
        track = &file.tracks[file.track_count++];
        *track = (vd_track){.serial = ++file.last_serial, .first_s = file.time_s};
    } else if (track && seen && track->id == 0) {
        track->id = ++file.last_id;
    }
    if (!track)
        return;
    track->state = !seen ? VD_TRACK_LOST : track->id > 0 ? VD_TRACK_CONFIRMED : VD_TRACK_TENTATIVE;
    track->detection = seen ? (int)i : -1;
    if (!seen)
        return;
    track->box = track->detected = box_of(object, file.time_s);
    track->class_id = object->class_id;
    track->score = track->confidence = object->score;
    track->time_s = track->seen_s = file.time_s;
}

static void end_lost(void)
{
    size_t left = 0;
    for (size_t i = 0; i < file.track_count; i++) {
        if (file.time_s - file.tracks[i].seen_s > 1)
            continue;
        file.object_of[left] = file.object_of[i];
        file.tracks[left++] = file.tracks[i];
    }
    file.track_count = left;
}

static size_t look(bool known)
{
    uint64_t opened[8];
    for (size_t i = 0; i < file.count; i++)
        follow(i);
    end_lost();
    vd_event_moment moment = {.time_s = file.time_s,
                              .frame_index = lround(file.time_s * 25),
                              .tracks = file.tracks,
                              .count = file.track_count,
                              .comes_again = !file.live,
                              .known = known};
    size_t count = vd_event_log_update(file.log, &file.rules, &moment, opened, 8);
    vd_event_log_ids(file.log, file.tracks, file.track_count, file.ids);
    for (size_t i = 0; i < file.track_count; i++) /* one id, one object */
        for (size_t j = 0; j < i; j++)
            ck_assert(file.ids[i] == 0 || file.ids[i] != file.ids[j]);
    return count;
}

/* Winds to a time; the frame that is there is looked at. */
static size_t go_to(double time_s, bool known)
{
    vd_event_log_cut(file.log);
    file.track_count = 0;
    file.time_s = time_s;
    return look(known);
}

/* Plays on, 25 frames a second. Returns how many events opened. */
static size_t play(double to_s, bool known)
{
    size_t opened = 0;
    while (file.time_s < to_s - 1e-6) {
        file.time_s += 0.04;
        opened += look(known);
    }
    return opened;
}

/* The id that an object is shown under; 0: none, -1: the object is not there. */
static int id_of(size_t object)
{
    for (size_t i = 0; i < file.track_count; i++)
        if (file.object_of[i] == object)
            return file.ids[i];
    return -1;
}

/* The event that an object stands for on the picture; 0: none. */
static uint64_t event_of(size_t object)
{
    const vd_event *event = vd_event_log_of_track(file.log, id_of(object));
    return event ? event->id : 0;
}

static void check_shown(size_t object, uint64_t event)
{
    ck_assert_uint_eq(event_of(object), event);
    ck_assert_int_eq(id_of(object), vd_event_log_find(file.log, event)->track_id);
}

START_TEST(the_frame_that_was_sought_has_the_id_and_the_verdict_of_its_event)
{
    size_t walker = add(10, 10, 100, 1, 5, 0);
    ck_assert_uint_eq(go_to(0, false) + play(8, false), 1);
    vd_event before = *vd_event_log_find(file.log, 1);
    vd_event_log_set_request(file.log, 1, 7, false);
    vd_event_log_set_verdict(file.log, 7, VD_VERDICT_REJECTED, VD_CAUSE_NONE, 0.1f, 1);
    uint64_t revision = vd_event_log_revision(file.log);
    for (double time_s = 1; time_s <= 5; time_s += 0.44) { /* before it opened as well */
        ck_assert_uint_eq(go_to(time_s, true), 0);
        check_shown(walker, 1);
        ck_assert_int_eq(vd_event_log_of_track(file.log, before.track_id)->verdict, VD_VERDICT_REJECTED);
        ck_assert_uint_eq(play(fmin(time_s + 2, 5), true), 0);
        check_shown(walker, 1);
    }
    go_to(0, true);
    for (int i = 0; i < 5 * 25; i++) { /* from before it was there: never another id */
        play(file.time_s + 0.04, true);
        ck_assert_int_eq(id_of(walker), file.time_s < 1 - 1e-6 ? -1 : before.track_id);
    }
    ck_assert_uint_eq(vd_event_log_revision(file.log), revision);
    const vd_event *after = vd_event_log_find(file.log, 1);
    ck_assert_int_eq(after->track_id, before.track_id);
    ck_assert(after->closed && fabs(after->seen_s - before.seen_s) < 1e-9);
}
END_TEST

START_TEST(crossing_objects_keep_their_own)
{
    size_t right = add(0, 100, 100, 0, 8, 0), left = add(800, 110, -100, 0, 8, 0);
    ck_assert_uint_eq(go_to(0, false) + play(8, false), 2);
    uint64_t of_right = 1 + (vd_event_log_find(file.log, 1)->box.x1 > 400), of_left = 3 - of_right;
    for (double time_s = 0; time_s < 8; time_s += 0.2) { /* they meet at 4 s, ten pixels apart */
        go_to(time_s, true);
        check_shown(right, of_right);
        check_shown(left, of_left);
        play(time_s + 0.6, true);
        check_shown(right, of_right);
        check_shown(left, of_left);
    }
}
END_TEST

START_TEST(one_event_for_one_of_two_that_are_close)
{
    size_t strong = add(100, 100, 20, 0, 6, 0), weak = add(112, 104, 20, 0, 6, 0);
    file.objects[weak].score = 0.2f; /* too weak for an event */
    ck_assert_uint_eq(go_to(0, false) + play(6, false), 1);
    for (double time_s = 0; time_s < 6; time_s += 0.36) {
        go_to(time_s, true);
        check_shown(strong, 1);
        ck_assert_uint_eq(event_of(weak), 0);
        play(time_s + 0.4, true);
        check_shown(strong, 1);
        ck_assert_int_gt(id_of(weak), 0);
        ck_assert_uint_eq(event_of(weak), 0);
    }
}
END_TEST

START_TEST(another_class_time_or_place_recalls_nothing)
{
    size_t thing = add(100, 100, 50, 2, 4, 0);
    ck_assert_uint_eq(go_to(0, false) + play(9, false), 1);
    file.objects[thing].class_id = 1;
    go_to(3, true);
    ck_assert_int_eq(id_of(thing), 0);
    file.objects[thing].class_id = 0;
    file.objects[thing].y = 150;
    go_to(3, true);
    ck_assert_int_eq(id_of(thing), 0);
    file.objects[thing].y = 100;
    file.objects[thing].from_s = 0;
    file.objects[thing].to_s = 9;
    for (int i = 0; i < 2; i++) {
        go_to(i ? 4.6 : 1.4, true);
        ck_assert_int_eq(id_of(thing), 0);
    }
    go_to(3, true);
    check_shown(thing, 1);
}
END_TEST

START_TEST(whoever_leaves_the_trail_loses_the_event)
{
    size_t owner = add(100, 100, 100, 0, 6, 0), other = add(900, 100, 0, 0, 6, 0);
    file.objects[other].score = 0.2f;
    ck_assert_uint_eq(go_to(0, false) + play(6, false), 1);
    int own = vd_event_log_find(file.log, 1)->track_id;
    go_to(2, true);
    play(3, true);
    check_shown(owner, 1);
    file.objects[owner] = file.objects[other]; /* the tracker mixes them up */
    file.objects[other] = (struct object){100, 100, 100, 0, 6, 0, 0.2f};
    play(3.2, true);
    ck_assert_uint_eq(event_of(owner), 0);
    ck_assert_int_ne(id_of(owner), own);
    ck_assert_uint_eq(event_of(other), 1); /* under the id that it was shown with: ids do not jump */
    ck_assert_int_ne(id_of(other), own);
    ck_assert_uint_eq(play(8, false), 0); /* neither is new */
}
END_TEST

START_TEST(an_object_that_is_watched_on_keeps_its_event)
{
    size_t walker = add(10, 10, 50, 1, 12, 0);
    ck_assert_uint_eq(go_to(0, false) + play(4, false), 1);
    go_to(3, true);
    play(4, true);
    ck_assert_uint_eq(play(8, false), 0); /* new time, the same object */
    check_shown(walker, 1);
    go_to(7, true);
    check_shown(walker, 1);
    ck_assert_uint_eq(go_to(11, false) + play(12, false), 1); /* nobody saw that it is the same */
    check_shown(walker, 2);
}
END_TEST

START_TEST(another_round_and_live_time_recall_nothing)
{
    file.live = _i;
    size_t walker = add(10, 10, 50, 1, 5, 0);
    ck_assert_uint_eq(go_to(0, false) + play(6, false), 1);
    vd_event_log_forget_trails(file.log);
    go_to(3, true);
    ck_assert_int_eq(id_of(walker), 0);
    ck_assert_uint_eq(go_to(0, false) + play(6, false), 1);
    go_to(3, true);
    ck_assert_int_eq(id_of(walker), _i ? 0 : vd_event_log_find(file.log, 2)->track_id);
}
END_TEST

START_TEST(an_event_that_left_the_log_is_not_recalled)
{
    size_t thing = add(100, 100, 0, 0, 1, 0);
    go_to(0, false);
    ck_assert_uint_eq(play(6, false), 1);
    for (int i = 0; i < VD_EVENTS_MOST; i++) {
        file.objects[thing].x = 200 + 10 * i;
        ck_assert_uint_eq(go_to(0, false) + play(0.6, false), 1);
    }
    ck_assert_ptr_null(vd_event_log_find(file.log, 1));
    file.objects[thing].x = 100;
    go_to(0.5, true);
    ck_assert_int_eq(id_of(thing), 0);
    file.objects[thing].x = 200 + 10 * (VD_EVENTS_MOST - 1);
    go_to(0.5, true); /* of those that lie close by the best */
    check_shown(thing, VD_EVENTS_MOST + 1);
}
END_TEST

/* --- Trails */

static vd_box at_x(double x)
{
    return (vd_box){(float)x, 0, (float)x + 40, 80};
}

START_TEST(a_trail_is_thinned_and_stays_true)
{
    static const double lengths_s[] = {0.48, 5, 6.52, 14, 60, 600, 7200};
    struct vd_event_trail trail;
    vd_box box;
    int class_id;
    double length_s = lengths_s[_i], x = 0;
    vd_event_trail_begin(&trail);
    ck_assert(!vd_event_trail_at(&trail, 100, &box, &class_id));
    int frames = (int)lround(length_s * 25);
    for (int i = 0; i <= frames; i++) {
        box = at_x(0.8 * i);
        vd_event_trail_add(&trail, 100 + i * 0.04, &box, 3);
        ck_assert_int_le(trail.count, VD_EVENT_POINTS);
    }
    ck_assert_int_ge(trail.count, length_s > 4 ? VD_EVENT_POINTS / 2 : (int)(length_s / 0.1));
    ck_assert_float_le(trail.step_s, (float)fmax(0.1, length_s / 16));
    for (double time_s = 0; time_s <= length_s; time_s += length_s / 997) {
        x = 20 * time_s;
        ck_assert(vd_event_trail_at(&trail, 100 + time_s, &box, &class_id));
        ck_assert_float_eq_tol(box.x1, (float)x, 0.02f + (float)x * 1e-6f);
        ck_assert_int_eq(class_id, 3);
    }
    ck_assert(vd_event_trail_at(&trail, 99.9, &box, &class_id));
    ck_assert(!vd_event_trail_at(&trail, 99.8, &box, &class_id));
    ck_assert(vd_event_trail_at(&trail, 100 + length_s + 0.1, &box, &class_id));
    ck_assert_float_eq_tol(box.x1, (float)(20 * length_s), 0.02f);
    ck_assert(!vd_event_trail_at(&trail, 100 + length_s + 0.2, &box, &class_id));
}
END_TEST

START_TEST(a_gap_is_no_trail)
{
    struct vd_event_trail trail;
    vd_box box;
    int class_id = 0;
    vd_event_trail_begin(&trail);
    for (int i = 0; i <= 50; i++) {
        box = at_x(i);
        vd_event_trail_add(&trail, i < 25 ? i * 0.04 : 3 + i * 0.04, &box, i < 25 ? 1 : 2);
    }
    ck_assert(!vd_event_trail_at(&trail, 2.5, &box, &class_id));
    ck_assert(vd_event_trail_at(&trail, 1.0, &box, &class_id) && class_id == 1);
    ck_assert(vd_event_trail_at(&trail, 3.9, &box, &class_id) && class_id == 2);
    ck_assert_float_eq_tol(box.x1, 25, 1e-3f);
    int count = trail.count;
    vd_event_trail_add(&trail, 2.5, &box, 3); /* not later: left out */
    ck_assert_int_eq(trail.count, count);
    ck_assert(!vd_event_trail_at(&trail, 2.5, &box, &class_id));
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("event_recall");
    TCase *tests = tcase_create("recall");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, the_frame_that_was_sought_has_the_id_and_the_verdict_of_its_event);
    tcase_add_test(tests, crossing_objects_keep_their_own);
    tcase_add_test(tests, one_event_for_one_of_two_that_are_close);
    tcase_add_test(tests, another_class_time_or_place_recalls_nothing);
    tcase_add_test(tests, whoever_leaves_the_trail_loses_the_event);
    tcase_add_test(tests, an_object_that_is_watched_on_keeps_its_event);
    tcase_add_loop_test(tests, another_round_and_live_time_recall_nothing, 0, 2);
    tcase_add_test(tests, an_event_that_left_the_log_is_not_recalled);
    tcase_add_loop_test(tests, a_trail_is_thinned_and_stays_true, 0, 7);
    tcase_add_test(tests, a_gap_is_no_trail);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(make_suite)
