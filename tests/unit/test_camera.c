/* A whole camera over doubles of the source and of the detector. */
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "check_main.h"
#include "doubles/fake_source.h"
#include "media/source_kind.h"
#include "vedette/app/camera.h"

static const vd_thresholds all = {.confidence = 0.05f, .iou = 0.45f, .max_detections = 300};
static vd_cancel pause_token; /* never requested: something to sleep on */
static atomic_int wakes;

static void setup(void)
{
    fake_source_register();
    ck_assert_int_eq(vd_cancel_init(&pause_token), VD_OK);
}

static void teardown(void)
{
    ck_assert(vd_camera_join_closed(5 * VD_NS_PER_S));
    vd_cancel_fini(&pause_token);
}

static void on_wake(void *context)
{
    (void)context;
    atomic_fetch_add(&wakes, 1);
}

static vd_camera *open_fake(const char *address, const struct fake_detector_config *config,
                            vd_overlay_sync sync, bool paused)
{
    vd_camera_options options = VD_CAMERA_OPTIONS_INIT;
    vd_camera *camera = NULL;
    options.address = address;
    options.ops = &fake_detector_ops;
    options.config = config;
    options.sync = sync;
    options.paused = paused;
    options.wake = on_wake;
    ck_assert_int_eq(vd_camera_open(&options, &camera, NULL), VD_OK);
    return camera;
}

static void rest(int64_t ms)
{
    vd_cancel_sleep_until(&pause_token, vd_clock_now_ns() + ms * VD_NS_PER_MS);
}

static vd_camera_status status_of(vd_camera *camera)
{
    vd_camera_status status;
    vd_camera_get_status(camera, &status);
    return status;
}

static void wait_for_state(vd_camera *camera, vd_camera_state state)
{
    int64_t deadline = vd_clock_now_ns() + 10 * VD_NS_PER_S;
    while (status_of(camera).state != state && vd_clock_now_ns() < deadline)
        rest(2);
    ck_assert_int_eq(status_of(camera).state, state);
}

/* What was seen of a camera until it ended. */
struct seen {
    int frames, boxed;
    double worst_px; /* largest error of the first box against the truth */
    double worst_age_ms;
    int64_t last_index;
    bool in_order;
};

static void look(vd_camera *camera, const vd_view *view, struct seen *seen)
{
    vd_draw_box boxes[8];
    if (view->frame_index == seen->last_index)
        return; /* the same frame again, with boxes that came later */
    size_t count = vd_view_get_boxes(view, &all, boxes, 8);
    seen->frames++;
    seen->in_order = seen->in_order && view->frame_index > seen->last_index;
    seen->last_index = view->frame_index;
    seen->worst_age_ms = fmax(seen->worst_age_ms, status_of(camera).picture_age_ms);
    for (size_t i = 0; i < count; i++)
        if (boxes[i].color == 0) {
            vd_box truth = fake_source_box(view->frame_index);
            seen->boxed++;
            seen->worst_px = fmax(seen->worst_px, (double)fabsf(boxes[i].box.x1 - truth.x1));
            seen->worst_px = fmax(seen->worst_px, (double)fabsf(boxes[i].box.y2 - truth.y2));
        }
}

static struct seen watch(vd_camera *camera, vd_camera_state until)
{
    struct seen seen = {.last_index = -1, .in_order = true};
    vd_view view = {0};
    int64_t deadline = vd_clock_now_ns() + 20 * VD_NS_PER_S;
    for (bool ended = false; !ended && vd_clock_now_ns() < deadline;) {
        ended = status_of(camera).state == until;
        while (vd_camera_take_view(camera, &view))
            look(camera, &view, &seen);
        rest(1);
    }
    vd_view_clear(&view);
    return seen;
}

START_TEST(a_file_shows_every_frame_with_its_own_boxes)
{
    static const struct fake_detector_config config = {.delay_ms = 5};
    vd_camera *camera = open_fake("fake:frames=40,fps=50", &config, VD_SYNC_AUTO, false);
    struct seen seen = watch(camera, VD_CAMERA_ENDED);
    vd_camera_status status = status_of(camera);
    ck_assert(seen.in_order);
    ck_assert_uint_eq(status.frames, 40);
    ck_assert_uint_eq(status.shown + status.dropped_display, 40);
    ck_assert_int_ge(seen.frames, 36); /* a busy machine may let the watcher miss a few */
    ck_assert_int_eq(seen.boxed, seen.frames);
    ck_assert_double_le(seen.worst_px, 1e-3);
    ck_assert(status.exact);
    ck_assert_int_gt(atomic_load(&wakes), 0);
    vd_camera_close(&camera);
    ck_assert_ptr_null(camera);
}
END_TEST

START_TEST(slow_detection_of_a_file_stays_exact)
{
    static const struct fake_detector_config config = {.delay_ms = 80};
    vd_camera *camera = open_fake("fake:frames=75,fps=25", &config, VD_SYNC_AUTO, false);
    struct seen seen = watch(camera, VD_CAMERA_ENDED);
    vd_camera_status status = status_of(camera);
    ck_assert_int_eq(seen.boxed, seen.frames);
    ck_assert_double_le(seen.worst_px, 1e-3);
    ck_assert_uint_gt(status.skipped_detection, 10);
    ck_assert_uint_eq(status.detected + status.skipped_detection, 75);
    vd_camera_close(&camera);
}
END_TEST

/* One go at a live camera whose detector takes 500 ms: true when every frame was on screen within its time.
 */
static bool is_on_time(void)
{
    static const struct fake_detector_config config = {.delay_ms = 500};
    vd_camera *camera = open_fake("fake:frames=75,fps=25,live=1", &config, VD_SYNC_LIVE, false);
    struct seen seen = watch(camera, VD_CAMERA_FAILED); /* a stream that ends is a failure of a camera */
    vd_camera_status status = status_of(camera);
    ck_assert_uint_eq(status.shown + status.dropped_display + status.dropped_source, 75);
    ck_assert_uint_gt(status.skipped_detection, 50);
    ck_assert_int_eq(status.error.code, VD_EEND);
    printf("live mode, detection of 500 ms: %llu of 75 frames shown, at most %.0f ms old, boxes off by up to "
           "%.1f px\n",
           (unsigned long long)status.shown, seen.worst_age_ms, seen.worst_px);
    vd_camera_close(&camera);
    return status.shown == 75 && seen.worst_age_ms <= 40;
}

/* A machine that stands still for 40 ms makes a frame late, whatever the program does: one go in three must
 * be free of that. Detection would spoil each of them. */
START_TEST(a_live_camera_shows_every_frame_on_time_whatever_detection_takes)
{
    ck_assert(is_on_time() || is_on_time() || is_on_time());
}
END_TEST

START_TEST(a_live_camera_in_exact_mode_holds_the_picture_back)
{
    static const struct fake_detector_config config = {.delay_ms = 30};
    vd_camera *camera = open_fake("fake:frames=75,fps=25,live=1", &config, VD_SYNC_EXACT, false);
    rest(1000); /* the first frames have no result before them */
    struct seen seen = watch(camera, VD_CAMERA_FAILED);
    ck_assert_int_gt(seen.frames, 30);
    ck_assert_int_eq(seen.boxed, seen.frames);
    ck_assert_double_le(seen.worst_px, 1e-3);
    ck_assert_double_le(seen.worst_age_ms, 260);
    vd_camera_close(&camera);
}
END_TEST

START_TEST(exact_gives_way_when_detection_is_too_slow_and_says_so)
{
    static const struct fake_detector_config config = {.delay_ms = 300};
    vd_camera *camera = open_fake("fake:frames=100,fps=25,live=1", &config, VD_SYNC_EXACT, false);
    rest(2600);
    vd_camera_status status = status_of(camera);
    ck_assert(!status.exact);
    ck_assert_ptr_nonnull(strstr(status.sync_note, "250 ms"));
    vd_camera_close(&camera);
}
END_TEST

START_TEST(thresholds_act_on_the_frame_that_stands_still)
{
    static const struct fake_detector_config config = {.delay_ms = 0};
    vd_camera *camera = open_fake("fake:frames=60", &config, VD_SYNC_AUTO, true);
    vd_view view = {0};
    vd_draw_box boxes[8];
    wait_for_state(camera, VD_CAMERA_PAUSED);
    rest(300);
    while (vd_camera_take_view(camera, &view))
        continue;
    uint64_t detected = status_of(camera).detected;
    vd_thresholds strict = all;
    strict.confidence = 0.6f;
    ck_assert_uint_eq(vd_view_get_boxes(&view, &all, boxes, 8), 2);
    ck_assert_uint_eq(vd_view_get_boxes(&view, &strict, boxes, 8), 1);
    vd_camera_set_thresholds(camera, &strict);
    rest(50);
    ck_assert_uint_eq(status_of(camera).detected, detected);
    vd_view_clear(&view);
    vd_camera_close(&camera);
}
END_TEST

static int64_t index_now(vd_camera *camera, vd_view *view, int64_t wanted)
{
    for (int i = 0; i < 2000 && (view->frame_index != wanted || !view->picture); i++) {
        vd_camera_take_view(camera, view);
        rest(1);
    }
    return view->frame_index;
}

START_TEST(paused_files_step_both_ways_and_seek)
{
    static const struct fake_detector_config config = {.delay_ms = 1};
    vd_draw_box boxes[8];
    vd_camera *camera = open_fake("fake:frames=60", &config, VD_SYNC_AUTO, true);
    vd_view view = {0};
    wait_for_state(camera, VD_CAMERA_PAUSED);
    ck_assert_int_eq(index_now(camera, &view, 0), 0);
    vd_camera_step(camera, 3);
    ck_assert_int_eq(index_now(camera, &view, 3), 3);
    vd_camera_step(camera, -1);
    ck_assert_int_eq(index_now(camera, &view, 2), 2);
    ck_assert_uint_gt(vd_view_get_boxes(&view, &all, boxes, 8), 0);
    vd_camera_seek(camera, 40.0 / 25);
    ck_assert_int_eq(index_now(camera, &view, 40), 40);
    ck_assert(!status_of(camera).playing);
    vd_camera_set_playing(camera, true);
    wait_for_state(camera, VD_CAMERA_ENDED);
    ck_assert_int_eq(index_now(camera, &view, 59), 59);
    vd_camera_set_playing(camera, true); /* again from the start */
    ck_assert_int_lt(index_now(camera, &view, 0), 5);
    vd_view_clear(&view);
    vd_camera_close(&camera);
}
END_TEST

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

START_TEST(a_change_of_speed_goes_on_from_the_picture)
{
    static const struct fake_detector_config config = {.delay_ms = 1};
    vd_camera *camera = open_fake("fake:frames=1000", &config, VD_SYNC_AUTO, false);
    vd_camera_set_speed(camera, 4);
    wait_for_state(camera, VD_CAMERA_PLAYING);
    while (status_of(camera).position_s < 4)
        rest(5);
    vd_camera_set_speed(camera, 1);
    double position_s = status_of(camera).position_s;
    rest(600);
    ck_assert_double_ge(status_of(camera).position_s, position_s + 0.2);
    ck_assert_double_le(status_of(camera).position_s, position_s + 1.2);
    vd_camera_close(&camera);
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

START_TEST(exact_keeps_its_rate_when_frames_come_fast)
{
    static const struct fake_detector_config config = {.delay_ms = 100};
    vd_camera *camera = open_fake("fake:frames=240,fps=120,live=1", &config, VD_SYNC_EXACT, false);
    rest(1800);
    vd_camera_status status = status_of(camera);
    ck_assert(status.exact);
    ck_assert_uint_gt(status.shown, status.frames * 3 / 4);
    vd_camera_close(&camera);
}
END_TEST

START_TEST(a_picture_that_could_not_be_handed_over_is_counted_once)
{
    static const struct fake_detector_config config = {.delay_ms = 1};
    vd_camera *camera = open_fake("fake:frames=40,fps=50", &config, VD_SYNC_AUTO, false);
    vd_view held[6] = {{0}}; /* a window that gives no picture back */
    for (int i = 0; i < 6 && status_of(camera).state != VD_CAMERA_ENDED;) {
        bool fresh = vd_camera_take_view(camera, &held[i]);
        i += fresh && (i == 0 || held[i].frame_index != held[i - 1].frame_index);
        rest(5);
    }
    wait_for_state(camera, VD_CAMERA_ENDED);
    rest(50);
    vd_camera_status status = status_of(camera);
    ck_assert_uint_gt(status.dropped_display, 10);
    ck_assert_uint_eq(status.shown + status.dropped_display, 40);
    for (int i = 0; i < 6; i++)
        vd_view_clear(&held[i]);
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
    ck_assert_uint_eq(status_of(camera).shown, 10);
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
    Suite *suite = suite_create("camera");
    TCase *tests = tcase_create("camera");
    tcase_set_timeout(tests, 30);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_file_shows_every_frame_with_its_own_boxes);
    tcase_add_test(tests, slow_detection_of_a_file_stays_exact);
    tcase_add_test(tests, a_live_camera_shows_every_frame_on_time_whatever_detection_takes);
    tcase_add_test(tests, a_live_camera_in_exact_mode_holds_the_picture_back);
    tcase_add_test(tests, exact_gives_way_when_detection_is_too_slow_and_says_so);
    tcase_add_test(tests, thresholds_act_on_the_frame_that_stands_still);
    tcase_add_test(tests, paused_files_step_both_ways_and_seek);
    tcase_add_test(tests, a_source_that_breaks_says_why);
    tcase_add_test(tests, closing_while_a_source_is_silent_takes_no_time);
    tcase_add_test(tests, a_refused_model_leaves_the_picture_and_the_old_model);
    tcase_add_test(tests, models_are_swapped_while_it_runs);
    tcase_add_test(tests, what_is_seen_is_recorded);
    tcase_add_test(tests, a_change_of_speed_goes_on_from_the_picture);
    tcase_add_test(tests, a_source_without_a_picture_fails);
    tcase_add_test(tests, exact_keeps_its_rate_when_frames_come_fast);
    tcase_add_test(tests, a_picture_that_could_not_be_handed_over_is_counted_once);
    tcase_add_test(tests, a_recording_that_fails_is_over_and_can_be_begun_again);
    tcase_add_test(tests, a_recording_begins_and_ends_while_a_model_loads);
    tcase_add_test(tests, the_detector_is_told_of_each_round_before_its_first_picture);
    tcase_add_test(tests, another_round_that_cannot_begin_says_why);
    tcase_add_test(tests, every_moment_is_a_good_one_to_close);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(make_suite)
