/* A whole camera over doubles of the source and of the detector: what fails, what is exchanged while it runs,
 * recordings, rounds, and closing. */
#include <stdlib.h>
#include <unistd.h>

#include "camera_case.h"
#include "media/source_kind.h"

START_TEST(a_source_that_breaks_says_why)
{
    static const struct fake_detector_config config = {.delay_ms = 1};
    vd_camera *camera = open_fake("fake:break=10,live=1", &config, VD_SYNC_AUTO, false);
    wait_for_state(camera, VD_CAMERA_FAILED);
    ck_assert_str_eq(status_of(camera).error.text, "The cable was pulled.");
    vd_camera_close(&camera);
    camera = open_fake("fake:break=10", &config, VD_SYNC_AUTO, false); /* a file: what came, then its end */
    wait_for_state(camera, VD_CAMERA_ENDED);
    ck_assert_int_eq(status_of(camera).error.code, VD_EIO);
    ck_assert_uint_eq(status_of(camera).frames, 10);
    vd_camera_close(&camera);
}
END_TEST

START_TEST(closing_while_a_source_is_silent_takes_no_time)
{
    static const struct fake_detector_config config = {.delay_ms = 1};
    vd_camera *camera = open_fake("fake:silent=1", &config, VD_SYNC_AUTO, false);
    rest(50);
    int64_t start = vd_clock_now_ns();
    vd_camera_close(&camera);
    int64_t returned = vd_clock_now_ns();
    ck_assert(vd_camera_join_closed(VD_NS_PER_S));
    ck_assert_int_lt(returned - start, 50 * VD_NS_PER_MS);
}
END_TEST

START_TEST(a_refused_model_leaves_the_picture_and_the_old_model)
{
    static struct fake_detector_config config = {.delay_ms = 1};
    vd_camera *camera = open_fake("fake:frames=500,live=1", &config, VD_SYNC_AUTO, false);
    wait_for_state(camera, VD_CAMERA_PLAYING);
    rest(200);
    ck_assert_int_eq(status_of(camera).model_state, VD_MODEL_READY);
    config.refuse = "This is a classifier.";
    vd_camera_set_model(camera, "other.onnx", NULL);
    for (int i = 0; i < 1000 && status_of(camera).model_state != VD_MODEL_FAILED; i++)
        rest(2);
    vd_camera_status status = status_of(camera);
    ck_assert_ptr_nonnull(strstr(status.model_error.text, "classifier"));
    ck_assert_str_eq(status.model, "fake");
    rest(200);
    ck_assert_uint_gt(status_of(camera).detected, status.detected);
    vd_camera_close(&camera);
    config.refuse = NULL;
}
END_TEST

START_TEST(models_are_swapped_while_it_runs)
{
    static const struct fake_detector_config config = {.delay_ms = 3};
    vd_camera *camera = open_fake("fake:frames=60,fps=50", &config, VD_SYNC_AUTO, false);
    for (int i = 0; i < 10; i++) {
        rest(60);
        vd_camera_set_model(camera, "again", NULL);
    }
    wait_for_state(camera, VD_CAMERA_ENDED);
    vd_camera_status status = status_of(camera);
    ck_assert_uint_eq(status.frames, 60);
    ck_assert_uint_eq(status.shown + status.dropped_display, 60);
    vd_camera_close(&camera);
}
END_TEST

START_TEST(what_is_seen_is_recorded)
{
    static const struct fake_detector_config config = {.delay_ms = 2};
    char folder[] = "/tmp/vedette-camera-XXXXXX";
    vd_camera_options options = VD_CAMERA_OPTIONS_INIT;
    vd_camera *camera = NULL;
    ck_assert_ptr_nonnull(mkdtemp(folder));
    options.address = "fake:frames=500,live=1";
    options.ops = &fake_detector_ops;
    options.config = &config;
    options.recording_folder = folder;
    options.name = "Gate north";
    ck_assert_int_eq(vd_camera_open(&options, &camera, NULL), VD_OK);
    wait_for_state(camera, VD_CAMERA_PLAYING);
    vd_camera_set_recording(camera, true);
    rest(1200);
    ck_assert(status_of(camera).recording);
    vd_camera_set_recording(camera, false);
    for (int i = 0; i < 1000 && status_of(camera).recorder.state == VD_RECORDER_RUNNING; i++)
        rest(5);
    vd_camera_status status = status_of(camera);
    ck_assert(!status.recording);
    ck_assert_int_eq(status.recorder.state, VD_RECORDER_DONE);
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    ck_assert_uint_gt(status.recorder.frames, 5); /* an instrumented encoder drops, and counts */
#else
    ck_assert_uint_gt(status.recorder.frames, 20);
#endif
    ck_assert_ptr_nonnull(strstr(status.recorder.path, "Gate north"));
    ck_assert_int_eq(access(status.recorder.path, R_OK), 0);
    vd_camera_close(&camera);
    unlink(status.recorder.path);
    rmdir(folder);
}
END_TEST

START_TEST(a_source_without_a_picture_fails)
{
    static const struct fake_detector_config config = {.delay_ms = 1};
    vd_camera *camera = open_fake("fake:frames=0", &config, VD_SYNC_AUTO, false);
    wait_for_state(camera, VD_CAMERA_FAILED);
    ck_assert_int_eq(status_of(camera).error.code, VD_EFORMAT);
    vd_camera_close(&camera);
}
END_TEST

START_TEST(a_recording_that_fails_is_over_and_can_be_begun_again)
{
    static const struct fake_detector_config config = {.delay_ms = 1};
    vd_camera_options options = VD_CAMERA_OPTIONS_INIT;
    vd_camera *camera = NULL;
    options.address = "fake:frames=500,live=1";
    options.ops = &fake_detector_ops;
    options.config = &config;
    options.recording_folder = "/proc/no-folder";
    ck_assert_int_eq(vd_camera_open(&options, &camera, NULL), VD_OK);
    wait_for_state(camera, VD_CAMERA_PLAYING);
    for (int round = 0; round < 2; round++) {
        vd_camera_set_recording(camera, true);
        ck_assert(status_of(camera).recording);
        for (int i = 0; i < 1000 && status_of(camera).recording; i++)
            rest(2);
        vd_camera_status status = status_of(camera);
        ck_assert(!status.recording);
        ck_assert_int_eq(status.recorder.state, VD_RECORDER_FAILED);
        ck_assert_int_ne(status.recorder.error.code, 0);
    }
    vd_camera_close(&camera);
}
END_TEST

/* A detector that takes its time to open when it is asked for again. */
static atomic_int openings;

static int open_slowly(const void *config, void **ret_state, vd_labels **ret_labels, vd_error *error)
{
    if (atomic_fetch_add(&openings, 1) > 0)
        rest(1500);
    return fake_detector_ops.open(config, ret_state, ret_labels, error);
}

START_TEST(a_recording_begins_and_ends_while_a_model_loads)
{
    static const struct fake_detector_config config = {.delay_ms = 1};
    static vd_detector_ops ops;
    char folder[] = "/tmp/vedette-camera-XXXXXX", path[2][512] = {""};
    vd_camera_options options = VD_CAMERA_OPTIONS_INIT;
    vd_camera *camera = NULL;
    ops = fake_detector_ops;
    ops.open = open_slowly;
    ck_assert_ptr_nonnull(mkdtemp(folder));
    options.address = "fake:frames=500,live=1";
    options.ops = &ops;
    options.config = &config;
    options.recording_folder = folder;
    ck_assert_int_eq(vd_camera_open(&options, &camera, NULL), VD_OK);
    wait_for_state(camera, VD_CAMERA_PLAYING);
    rest(100);
    vd_camera_set_model(camera, "another", NULL);
    rest(100); /* the keeper is busy now */
    for (int i = 0; i < 2; i++) {
        vd_camera_set_recording(camera, true);
        ck_assert(status_of(camera).recording);
        rest(300);
        snprintf(path[i], sizeof path[i], "%s", status_of(camera).recorder.path);
        vd_camera_set_recording(camera, false);
        ck_assert(!status_of(camera).recording);
    }
    ck_assert_int_eq(status_of(camera).model_state, VD_MODEL_LOADING);
    ck_assert_str_ne(path[0], path[1]);
    vd_camera_close(&camera);
    ck_assert(vd_camera_join_closed(5 * VD_NS_PER_S));
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(unlink(path[i]), 0);
    rmdir(folder);
}
END_TEST

/* Notes whether it was told of each place that the pictures jumped back to. */
static struct {
    atomic_int resets, missed;
    int64_t last;
    bool told;
} order;

static int open_order(const void *config, void **ret_state, vd_labels **ret_labels, vd_error *error)
{
    (void)config;
    (void)ret_labels;
    (void)error;
    *ret_state = &order;
    order.last = -1;
    return VD_OK;
}

static int detect_order(void *state, const vd_image *image, vd_result *result, vd_error *error)
{
    int64_t index = fake_source_index(image);
    (void)state;
    (void)error;
    if (index < order.last && !order.told)
        atomic_fetch_add(&order.missed, 1);
    order.told = false;
    order.last = index;
    result->count = 0;
    return VD_OK;
}

static void reset_order(void *state)
{
    (void)state;
    order.told = true;
    atomic_fetch_add(&order.resets, 1);
}

static void close_order(void *state)
{
    (void)state;
}

START_TEST(the_detector_is_told_of_each_round_before_its_first_picture)
{
    static const vd_detector_ops ops = {.open = open_order,
                                        .detect = detect_order,
                                        .reset = reset_order,
                                        .close = close_order,
                                        .name = "order",
                                        .ordered = 1};
    vd_camera_options options = VD_CAMERA_OPTIONS_INIT;
    vd_camera *camera = NULL;
    options.address = "fake:frames=12,fps=50";
    options.loop = true;
    options.ops = &ops;
    ck_assert_int_eq(vd_camera_open(&options, &camera, NULL), VD_OK);
    while (atomic_load(&order.resets) < 4)
        rest(5);
    ck_assert_int_eq(atomic_load(&order.missed), 0);
    vd_camera_close(&camera);
}
END_TEST

/* A file that cannot be wound although it says so: deleted meanwhile. */
static int open_once(const char *address, const vd_source_options *options, vd_cancel *cancel,
                     void **ret_state, vd_source_info *ret_info, vd_error *error)
{
    vd_source *source = NULL;
    int code = vd_source_open(address + strlen("once:"), options, cancel, &source, error);
    if (code)
        return code;
    *ret_info = *vd_source_get_info(source);
    *ret_state = source;
    return VD_OK;
}

static int read_once(void *state, struct vd_frame **ret_frame, vd_error *error)
{
    return vd_source_read(state, ret_frame, error);
}

static int seek_once(void *state, double time_s, vd_error *error)
{
    (void)state;
    (void)time_s;
    return vd_error_set(error, VD_ENOTFOUND, "once", "The file is gone.");
}

static void close_once(void *state)
{
    vd_source *source = state;
    vd_source_close(&source);
}

START_TEST(another_round_that_cannot_begin_says_why)
{
    static const struct fake_detector_config config = {.delay_ms = 1};
    static const vd_source_ops once = {
        .scheme = "once:", .open = open_once, .read = read_once, .seek = seek_once, .close = close_once};
    vd_camera_options options = VD_CAMERA_OPTIONS_INIT;
    vd_camera *camera = NULL;
    ck_assert_int_eq(vd_source_register(&once), VD_OK);
    options.address = "once:fake:frames=10";
    options.loop = true;
    options.ops = &fake_detector_ops;
    options.config = &config;
    ck_assert_int_eq(vd_camera_open(&options, &camera, NULL), VD_OK);
    wait_for_state(camera, VD_CAMERA_ENDED);
    ck_assert_uint_eq(status_of(camera).shown + status_of(camera).dropped_display, 10);
    ck_assert_str_eq(status_of(camera).error.text, "The file is gone.");
    vd_camera_close(&camera);
}
END_TEST

START_TEST(every_moment_is_a_good_one_to_close)
{
    static const struct fake_detector_config config = {.delay_ms = 4, .fail_every = 3};
    for (int ms = 0; ms < 60; ms += 3) {
        vd_camera *camera =
            open_fake(ms % 2 ? "fake:frames=20" : "fake:frames=20,live=1", &config, VD_SYNC_AUTO, false);
        rest(ms);
        vd_camera_close(&camera);
    }
    ck_assert(vd_camera_join_closed(5 * VD_NS_PER_S));
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("camera_life");
    TCase *tests = tcase_create("camera");
    tcase_set_timeout(tests, 30);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_source_that_breaks_says_why);
    tcase_add_test(tests, closing_while_a_source_is_silent_takes_no_time);
    tcase_add_test(tests, a_refused_model_leaves_the_picture_and_the_old_model);
    tcase_add_test(tests, models_are_swapped_while_it_runs);
    tcase_add_test(tests, what_is_seen_is_recorded);
    tcase_add_test(tests, a_source_without_a_picture_fails);
    tcase_add_test(tests, a_recording_that_fails_is_over_and_can_be_begun_again);
    tcase_add_test(tests, a_recording_begins_and_ends_while_a_model_loads);
    tcase_add_test(tests, the_detector_is_told_of_each_round_before_its_first_picture);
    tcase_add_test(tests, another_round_that_cannot_begin_says_why);
    tcase_add_test(tests, every_moment_is_a_good_one_to_close);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(make_suite)
