/* Cameras and who watches them: what a watcher gets first, verdicts in place, and what goes away when. */
#include <jansson.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "camera_case.h"
#include "serve/cameras.h"

static atomic_int woken;

static void on_news(void *context)
{
    atomic_fetch_add((atomic_int *)context, 1);
}

/* A watcher that counts what it gets, and may leave or refuse meanwhile. */
struct pupil {
    int types[3], ended;
    int refuse_after, leave_after; /* messages; 0: never */
    int messages;
    char last_state[16], last_verdict[16], last_judgement[16];
    int events, closed; /* of the events it heard of: the highest id, those that ended */
    vd_watcher *watcher;
};

static const char *const type_names[] = {"detections", "event", "state"};

static const char *text_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static bool on_message(void *context, char *text, size_t size)
{
    struct pupil *pupil = context;
    json_t *message = json_loadb(text, size, 0, NULL);
    ck_assert_ptr_nonnull(message);
    ck_assert_str_eq(text_at(message, "camera"), "Gate");
    const json_t *data = json_object_get(message, "data");
    for (int i = 0; i < 3; i++)
        pupil->types[i] += strcmp(text_at(message, "type"), type_names[i]) == 0;
    if (strcmp(text_at(message, "type"), "state") == 0)
        vd_text_copy(pupil->last_state, sizeof pupil->last_state, text_at(data, "state"));
    if (strcmp(text_at(message, "type"), "event") == 0) {
        int id = (int)json_integer_value(json_object_get(data, "id"));
        pupil->events = id > pupil->events ? id : pupil->events;
        pupil->closed += json_is_true(json_object_get(data, "closed"));
        vd_text_copy(pupil->last_verdict, sizeof pupil->last_verdict, text_at(data, "verdict"));
        vd_text_copy(pupil->last_judgement, sizeof pupil->last_judgement, text_at(data, "judgement"));
    }
    json_decref(message);
    free(text);
    pupil->messages++;
    if (pupil->messages == pupil->leave_after)
        vd_watcher_detach(&pupil->watcher);
    return pupil->messages != pupil->refuse_after;
}

static void on_end(void *context)
{
    ((struct pupil *)context)->ended++;
}

static int attach(vd_cameras *cameras, struct pupil *pupil)
{
    vd_watcher_listener listener = {on_message, on_end, pupil};
    return vd_watcher_attach(cameras, "Gate", &listener, &pupil->watcher, NULL);
}

static vd_cameras *new_cameras(void)
{
    vd_cameras *cameras = NULL;
    ck_assert_int_eq(vd_cameras_new(on_news, &woken, &cameras), VD_OK);
    return cameras;
}

static void add(vd_cameras *cameras, const char *name, vd_camera *camera)
{
    vd_error error = {0};
    int code = vd_cameras_add(cameras, name, camera, &error);
    ck_assert_msg(code == VD_OK, "%s", error.text);
}

#define DISPATCHED(condition) UNTIL((vd_cameras_dispatch(cameras), (condition)))

START_TEST(watchers_get_all_and_late_ones_what_they_need_first)
{
    vd_camera_options options = options_of("fake:frames=100000,live=1");
    vd_camera *camera = open_camera(&options);
    vd_cameras *cameras = new_cameras();
    struct pupil early = {0}, late = {0};
    ck_assert_int_eq(attach(cameras, &early), VD_ENOTFOUND);
    add(cameras, "Gate", camera);
    ck_assert_int_eq(attach(cameras, &early), VD_OK);
    ck_assert_int_eq(early.types[VD_FEED_STATE], 1);
    DISPATCHED(early.types[VD_FEED_DETECTIONS] > 20 && early.events == 2);
    ck_assert_int_gt(atomic_load(&woken), 0); /* that there was news was told */
    ck_assert_str_eq(early.last_state, "playing");
    ck_assert_int_eq(attach(cameras, &late), VD_OK);
    ck_assert_int_eq(late.types[VD_FEED_STATE], 1);
    ck_assert_int_eq(late.types[VD_FEED_EVENT], 2);
    ck_assert_int_eq(late.types[VD_FEED_DETECTIONS], 0);
    vd_camera_entry entry = vd_cameras_at(cameras, 0);
    ck_assert_str_eq(entry.name, "Gate");
    ck_assert(entry.state == VD_CAMERA_PLAYING && entry.open_events == 2 && entry.watchers == 2);
    ck_assert_int_eq(vd_cameras_watchers(cameras), 2);
    ck_assert(vd_camera_judge(camera, 2, VD_JUDGEMENT_FALSE_ALARM));
    DISPATCHED(strcmp(late.last_judgement, "false alarm") == 0);
    ck_assert_str_eq(early.last_judgement, "false alarm");
    vd_watcher_detach(&early.watcher);
    vd_watcher_detach(&late.watcher);
    int messages = early.messages + late.messages;
    uint64_t detected = status_of(camera).detected;
    UNTIL(status_of(camera).detected > detected + 5);
    vd_cameras_dispatch(cameras);
    ck_assert_int_eq(early.messages + late.messages, messages);
    vd_camera_close(&camera);
    vd_cameras_free(&cameras);
}
END_TEST

/* Nobody watches: results pass by, events are known all the same. */
START_TEST(without_watchers_detections_are_not_asked_for)
{
    vd_camera_options options = options_of("fake:frames=60,fps=50");
    vd_camera *camera = open_camera(&options);
    vd_cameras *cameras = new_cameras();
    add(cameras, "Gate", camera);
    UNTIL(status_of(camera).state == VD_CAMERA_ENDED);
    DISPATCHED(vd_cameras_at(cameras, 0).state == VD_CAMERA_ENDED);
    ck_assert_int_eq(vd_cameras_at(cameras, 0).open_events, 2);
    ck_assert_uint_eq(vd_cameras_at(cameras, 0).dropped, 0);
    vd_camera_set_playing(camera, true); /* from the start: its events are over */
    DISPATCHED(vd_cameras_at(cameras, 0).open_events == 0);
    vd_camera_close(&camera);
    vd_cameras_free(&cameras);
}
END_TEST

START_TEST(who_refuses_or_leaves_meanwhile_hurts_nobody)
{
    vd_camera_options options = options_of("fake:frames=100000,live=1");
    vd_camera *camera = open_camera(&options);
    vd_cameras *cameras = new_cameras();
    struct pupil steady = {0}, full = {.refuse_after = 5}, leaver = {.leave_after = 4},
                 never = {.refuse_after = 1};
    add(cameras, "Gate", camera);
    ck_assert_int_eq(attach(cameras, &leaver), VD_OK);
    ck_assert_int_eq(attach(cameras, &full), VD_OK);
    ck_assert_int_eq(attach(cameras, &steady), VD_OK);
    ck_assert_int_eq(attach(cameras, &never), VD_EAGAIN);
    ck_assert_ptr_null(never.watcher);
    DISPATCHED(steady.messages > 20);
    ck_assert_int_eq(full.messages, 5);
    ck_assert_int_eq(leaver.messages, 4);
    ck_assert_ptr_null(leaver.watcher);
    ck_assert_int_eq(vd_cameras_at(cameras, 0).watchers, 2);
    vd_watcher_detach(&full.watcher);
    vd_watcher_detach(&steady.watcher);
    ck_assert_int_eq(vd_cameras_watchers(cameras), 0);
    vd_camera_close(&camera);
    vd_cameras_free(&cameras);
}
END_TEST

START_TEST(closed_removed_and_replaced_cameras_end)
{
    vd_camera_options options = options_of("fake:frames=100000,live=1");
    vd_camera *camera = open_camera(&options), *other = open_camera(&options);
    vd_cameras *cameras = new_cameras();
    static struct pupil pupils[4];
    add(cameras, "Gate", camera);
    add(cameras, "Alley", other);
    ck_assert_int_eq(attach(cameras, &pupils[0]), VD_OK);
    ck_assert_str_eq(vd_cameras_at(cameras, 0).name, "Alley");
    add(cameras, "Gate", other); /* replaced */
    DISPATCHED(pupils[0].ended == 1);
    ck_assert_uint_eq(vd_cameras_count(cameras), 2);
    ck_assert_int_eq(attach(cameras, &pupils[1]), VD_OK);
    vd_cameras_remove(cameras, "Gate");
    vd_cameras_remove(cameras, "Yard");
    DISPATCHED(pupils[1].ended == 1);
    ck_assert_int_eq(attach(cameras, &pupils[2]), VD_ENOTFOUND);
    add(cameras, "Gate", camera);
    ck_assert_int_eq(attach(cameras, &pupils[2]), VD_OK);
    vd_camera_close(&camera); /* closed under the watcher */
    DISPATCHED(pupils[2].ended == 1);
    ck_assert_uint_eq(vd_cameras_count(cameras), 1);
    vd_cameras_remove(cameras, "Alley");
    add(cameras, "Gate", other);
    ck_assert_int_eq(attach(cameras, &pupils[3]), VD_OK);
    vd_cameras_free(&cameras);
    ck_assert_int_eq(pupils[3].ended, 1);
    for (int i = 0; i < 4; i++)
        vd_watcher_detach(&pupils[i].watcher); /* after the cameras: theirs to give back */
    vd_camera_close(&other);
}
END_TEST

START_TEST(names_and_numbers_are_bounded)
{
    vd_camera_options options = options_of("fake:frames=10");
    vd_camera *camera = open_camera(&options);
    vd_cameras *cameras = new_cameras();
    char longest[VD_CAMERA_NAME + 1];
    vd_error error = {0};
    memset(longest, 'x', sizeof longest);
    longest[VD_CAMERA_NAME] = '\0';
    const char *const wrong[] = {"", "a/b", ".", "..", "a\nb", "\xff", longest};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        ck_assert_int_eq(vd_cameras_add(cameras, wrong[i], camera, &error), VD_EINVAL);
    ck_assert_int_eq(vd_cameras_add(cameras, ".", camera, &error), VD_EINVAL);
    ck_assert_ptr_nonnull(strstr(error.text, "neither \".\" nor \"..\""));
    longest[VD_CAMERA_NAME - 1] = '\0';
    add(cameras, longest, camera);
    add(cameras, "Tür 1 ?&#%", camera);
    vd_cameras_dispatch(cameras);
    ck_assert_uint_eq(vd_cameras_count(cameras), 2);
    /* Its feeds are bounded, and so is what waits: the same name is one camera. */
    int code = VD_OK;
    for (int i = 0; i < 100 && code == VD_OK; i++)
        code = vd_cameras_add(cameras, "Gate", camera, &error);
    vd_cameras_dispatch(cameras);
    ck_assert_uint_eq(vd_cameras_count(cameras), 3);
    vd_camera_close(&camera);
    vd_cameras_free(&cameras);
}
END_TEST

START_TEST(there_are_so_many_and_no_more)
{
    vd_camera_options options = options_of("fake:silent=1");
    vd_camera *opened[VD_CAMERAS_MOST / 8 + 1];
    vd_cameras *cameras = new_cameras();
    vd_error error = {0};
    int count = sizeof opened / sizeof *opened;
    for (int i = 0; i < count; i++)
        opened[i] = open_camera(&options);
    for (int i = 0; i < VD_CAMERAS_MOST; i++) {
        char name[8];
        snprintf(name, sizeof name, "%d", i);
        add(cameras, name, opened[i / 8]);
        if (i % 7 == 0)
            vd_cameras_dispatch(cameras);
    }
    ck_assert_int_eq(vd_cameras_add(cameras, "Gate", opened[count - 1], &error), VD_ENOMEM);
    ck_assert_ptr_nonnull(strstr(error.text, "64"));
    vd_cameras_dispatch(cameras);
    ck_assert_uint_eq(vd_cameras_count(cameras), VD_CAMERAS_MOST);
    vd_cameras_remove(cameras, "63");
    vd_cameras_dispatch(cameras);
    add(cameras, "Gate", opened[count - 1]);
    for (int i = 0; i < count; i++)
        vd_camera_close(&opened[i]);
    vd_cameras_free(&cameras);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("serve_cameras");
    TCase *cameras = tcase_create("cameras");
    tcase_add_checked_fixture(cameras, setup, teardown);
    tcase_set_timeout(cameras, 60);
    tcase_add_test(cameras, watchers_get_all_and_late_ones_what_they_need_first);
    tcase_add_test(cameras, without_watchers_detections_are_not_asked_for);
    tcase_add_test(cameras, who_refuses_or_leaves_meanwhile_hurts_nobody);
    tcase_add_test(cameras, closed_removed_and_replaced_cameras_end);
    tcase_add_test(cameras, names_and_numbers_are_bounded);
    tcase_add_test(cameras, there_are_so_many_and_no_more);
    suite_add_tcase(suite, cameras);
    return suite;
}

TEST_MAIN(make_suite)
